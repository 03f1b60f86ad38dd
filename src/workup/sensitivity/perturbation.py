"""Figures of a scenario moved one at a time, as far as they may plausibly be wrong.

By how much depends on what the figure is:

- a probability: its odds are doubled or halved; the other entries of a row of a table are scaled so that it sums to 1,
  and keep their proportions. 0 and 1 stay: they say what cannot be otherwise;
- the mean of a normal law: half of its standard deviation up or down, for a factor of 1.5;
- any other number (a cost, time, dose, loss, utility, odds ratio, median, spread): times 1.5 or divided by 1.5.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import BaseModel

from workup.scenarios.language.authorship import FigureRecord, Status
from workup.scenarios.language.reading.digest import digest
from workup.scenarios.language.schema import Scenario
from workup.scenarios.language.words.places import Side

Path = tuple[str | int, ...]
Kind = Literal["chance", "row", "mean", "number"]

ODDS = 2.0
"""By how much the odds of a probability are multiplied or divided."""
FACTOR = 1.5
"""By how much other numbers are."""

_KINDS: dict[str, Kind] = {"chance": "chance", "table": "row", "reported": "row", "mean": "mean"}
_NUMBERS = frozenset(
    {
        "cost_gbp", "loss_gbp", "discomfort_gbp", "dose_msv", "turnaround", "waiting_cost_gbp_per_day", "median_time",
        "waiting_factor", "progression_factor", "benefit_gbp", "utility", "gbp_per_qaly", "loss_gbp_per_msv",
        "urgency_utility_gbp", "gbp", "qaly", "odds", "sd", "median", "sigma", "loss_qaly", "bed_days", "bed_day_gbp",
        "own_cost_gbp", "transfer_gbp",
    }
)  # fmt: skip
_NOT_COUNTED = {"nhs": ("own_cost_gbp", "transfer_gbp"), "patient": ("cost_gbp", "bed_days", "bed_day_gbp")}
"""Fields that weigh nothing, by perspective."""
_ELSEWHERE = {
    "vignettes": "an expectation: asked of the policy, not part of the patient",
    "targets": "a published figure that the model has to meet, not part of it",
    "guideline": "of the guideline, which the best policy does not read",
    "guideline_versions": "of the guideline, which the best policy does not read",
    "scores": "of a score, which the best policy reads only where something requires it",
    "new_visit_after": "how orders are counted in visits, which the best policy does not read",
}


@dataclass(frozen=True)
class Candidate:
    """A figure that can be moved."""

    path: str
    """As in the scenario's list of figures: 'findings.fever.chance.viral'."""
    place: Path
    """The same, part by part."""
    kind: Kind
    value: float
    status: Status
    source: str | None
    note: str | None
    words: str
    """What it is, in plain words."""
    unit: str
    """What it is a figure of: 'chance', 'cost_gbp', 'utility in qaly', ..."""
    copies: tuple[Path, ...] = ()
    """Where the same figure stands as well, in entries that are written `as` another: it moves there too."""


@dataclass(frozen=True)
class Unmoved:
    """A figure that is not moved, and why."""

    path: str
    reason: str


def candidates(
    scenario: Scenario, statuses: Collection[Status] = ("assumed", "recalled"), preset: str = "complex_decision"
) -> tuple[tuple[Candidate, ...], tuple[Unmoved, ...]]:
    """The figures of these statuses that can be moved, and those that cannot, in the order of the file.

    Args:
        scenario: as loaded.
        statuses: figures of another status are in neither list.
        preset: of the rewards; figures of another are not moved.
    """
    side, found, unmoved = Side.of(scenario), list[Candidate](), list[Unmoved]()
    asked = {figure.path: figure for figure in scenario.figures if figure.status in statuses}
    for figure in asked.values():
        made = _candidate(scenario, side, figure, preset, asked)
        if isinstance(made, Candidate):
            found.append(made)
        else:
            unmoved.append(Unmoved(figure.path, made))
    return tuple(found), tuple(unmoved)


def moved(scenario: Scenario, candidate: Candidate, *, up: bool, factor: float = FACTOR) -> Scenario:
    """The scenario with one figure moved; everything else is as it was, but for the other entries of its row.

    Args:
        scenario: that the candidate was found in.
        candidate: the figure.
        up: whether its odds or size become larger or smaller.
        factor: by which numbers are multiplied or divided.
    """
    new = moved_value(scenario, candidate, up=up, factor=factor)
    changed = scenario
    for place in (candidate.place, *candidate.copies):
        changed = _moved_at(changed, place, new, row=candidate.kind == "row")
    return changed.model_copy(update={"digest": digest(changed)})


def _moved_at(scenario: Scenario, place: Path, new: float, *, row: bool) -> Scenario:
    *above, entry = place
    moved: Scenario = replaced(
        scenario, above if row else place, lambda old: _rescaled(old, str(entry), new) if row else new
    )
    return moved


def moved_value(scenario: Scenario, candidate: Candidate, *, up: bool, factor: float = FACTOR) -> float:
    """What the figure is moved to. Arguments as in `moved`."""
    if candidate.kind in ("chance", "row"):
        odds = candidate.value / (1.0 - candidate.value) * (ODDS if up else 1.0 / ODDS)
        return odds / (1.0 + odds)
    if candidate.kind == "mean":
        return candidate.value + (factor - 1.0) * _spread(scenario, candidate) * (1.0 if up else -1.0)
    return candidate.value * (factor if up else 1.0 / factor)


def replaced(node: Any, place: Sequence[str | int], change: Callable[[Any], Any]) -> Any:
    """A copy of models, mappings and lists with what stands at `place` changed; the rest is shared."""
    if not place:
        return change(node)
    first, rest = place[0], place[1:]
    if isinstance(node, BaseModel):
        return node.model_copy(update={str(first): replaced(getattr(node, str(first)), rest, change)})
    if isinstance(node, Mapping):
        return {**node, first: replaced(node[first], rest, change)}
    entries = list(node)
    entries[int(first)] = replaced(entries[int(first)], rest, change)
    return type(node)(entries)


def at(node: Any, place: Iterable[str | int]) -> Any:
    """What stands at a place of a scenario."""
    for part in place:
        node = getattr(node, str(part)) if isinstance(node, BaseModel) else node[part]
    return node


def place_of(node: Any, words: Sequence[str]) -> Path | None:
    """The parts of a path that was written with dots; a key may hold dots itself. None if there is no such place."""
    if not words:
        return ()
    if isinstance(node, BaseModel):
        known = words[0] in type(node).model_fields
        rest = place_of(getattr(node, words[0]), words[1:]) if known else None
        return None if rest is None else (words[0], *rest)
    if isinstance(node, Mapping):
        for n in range(1, len(words) + 1):
            key = ".".join(words[:n])
            if key in node and (rest := place_of(node[key], words[n:])) is not None:
                return (key, *rest)
        return None
    if isinstance(node, list | tuple) and words[0].isdecimal() and int(words[0]) < len(node):
        rest = place_of(node[int(words[0])], words[1:])
        return None if rest is None else (int(words[0]), *rest)
    return None


def _candidate(
    scenario: Scenario, side: Side, figure: FigureRecord, preset: str, asked: Collection[str]
) -> Candidate | str:
    """The candidate, or why there is none."""
    place = place_of(scenario, figure.path.split("."))
    field = None if place is None else _field(place)
    if place is not None and place[0] == "findings" and place[-1] == "after":
        return "when it is looked at again: it says what a finding is, not how often"
    if place is None or field is None or isinstance(at(scenario, place), bool | str | None):
        return _ELSEWHERE.get(figure.path.partition(".")[0], "a cut-off: it says what a finding is, not how often")
    if place[0] == "rewards" and place[1] != preset:
        return f"of another reward preset than {preset}"
    kind = _KINDS.get(field, "number")
    value = float(at(scenario, place))
    if field in _NOT_COUNTED[scenario.utility.perspective]:
        return f"of no weight in the perspective {scenario.utility.perspective}"
    if kind in ("chance", "row") and value in (0.0, 1.0):
        return "0 or 1: said to be certain"
    if kind == "number" and value == 0.0:
        return "0: no size to change"
    if kind == "row" and (other := _complement(at(scenario, place[:-1]), str(place[-1]))) is not None:
        if f"{figure.path.removesuffix(str(place[-1]))}{other}" in asked:
            return f"moves with the other entry of its row, “{other}”"
    words = side.named(place).rstrip(":")
    unit = f"utility in {scenario.utility.unit}" if field == "utility" else field
    also = (place_of(scenario, copy.split(".")) for copy in figure.copies)
    copies = tuple(copy for copy in also if copy is not None)
    return Candidate(figure.path, place, kind, value, figure.status, figure.source, figure.note, words, unit, copies)


def _field(place: Path) -> str | None:
    """What kind of figure stands at a place; None for one that cannot be moved."""
    if place[0] in _ELSEWHERE:
        return None
    whole = len(place) == 1 or place[0] in ("prior", "utility", "loss_gbp_per_msv")
    names = 0 if whole else 1  # the thing's own name is no field
    fields = list(place[1 + names :]) if len(place) > 1 else [place[0]]
    if fields[:1] == ["worth"]:
        fields = fields[1:]
    if fields[:1] == ["complications"]:
        fields = fields[2:]
    known = [part for part in fields if part in _KINDS or part in _NUMBERS]
    blocked = {"when", "bands", "requires", "within"}.intersection(map(str, fields))
    unit = known[-1] if known[-1:] in (["gbp"], ["qaly"]) else next(iter(known), None)  # of an amount, what it is in
    return str(unit) if known and not blocked else None


def _complement(row: Mapping[str, float], entry: str) -> str | None:
    """The entry that stands for both in a row of two that may happen: the rarer one, or the first. None if it is this."""
    possible = [key for key, p in row.items() if p > 0.0]
    if len(possible) != 2:
        return None
    stands = min(possible, key=lambda key: (row[key], possible.index(key)))
    return None if stands == entry else stands


def _rescaled(row: Mapping[str, float], entry: str, new: float) -> dict[str, float]:
    left = (1.0 - new) / sum(p for key, p in row.items() if key != entry)
    return {key: new if key == entry else p * left for key, p in row.items()}


def _spread(scenario: Scenario, candidate: Candidate) -> float:
    """The standard deviation that belongs to a mean: its namesake, or the mean of those that are given."""
    law = candidate.place.index("mean", 2)
    spread: Any = at(scenario, (*candidate.place[:law], "sd"))
    for key in candidate.place[law + 1 :]:
        if not isinstance(spread, Mapping) or key not in spread:
            break
        spread = spread[key]
    leaves = _leaves(spread)
    return sum(leaves) / len(leaves)


def _leaves(nested: Any) -> list[float]:
    if isinstance(nested, Mapping):
        return [leaf for inner in nested.values() for leaf in _leaves(inner)]
    return [float(nested)]
