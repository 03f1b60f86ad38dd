"""What one difference between two scenarios is in words: 'CT of the chest: costs £140 → £160'."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from workup.scenarios.nesting import OTHERWISE
from workup.scenarios.phrases import Phrases, listed, time_in_words
from workup.scenarios.schema import Expectation, Scenario
from workup.scenarios.tables import Table, Tables
from workup.scenarios.vocabulary import LanguageError

Path = tuple[str | int, ...]

ABSENT: Any = type("Absent", (), {"__repr__": lambda self: "ABSENT"})()
"""Stands where a scenario says nothing at all."""

THINGS = {
    "context": "fact about the patient",
    "comorbidities": "comorbidity",
    "groups": "group of conditions",
    "conditions": "condition",
    "latent": "hidden finding",
    "findings": "finding",
    "set_ups": "shared set-up",
    "resources": "resource",
    "investigations": "test",
    "acts": "act",
    "order_sets": "order set",
    "availability": "reason why a result is not to be had",
    "decisions": "decision",
    "rewards": "reward preset",
    "vignettes": "vignette",
    "targets": "published figure",
    "guideline_versions": "version of the guideline",
    "sources": "source",
    "complications": "complication",
}
"""What an entry of a collection is called."""

LAWS = frozenset({"chance", "table", "mean", "sd", "median", "sigma", "utility"})
"""Fields that hold figures nested under the values of `given`."""
BY_CONDITION = frozenset({"waiting_factor", "progression_factor", "benefit_gbp"})

SETS = {
    "reveals": ("also shows", "no longer shows"),
    "members": ("also orders", "no longer orders"),
    "affects": ("also affects", "no longer affects"),
    "right_for": ("is also right for", "is no longer right for"),
    "decide": ("may also end with", "may no longer end with"),
    "must": ("must also do", "need no longer do"),
    "must_not": ("must also not do", "may now do"),
    "one_of": ("may also do", "no longer counts"),
    "authors": ("is also by", "is no longer by"),
    "groups": ("now has", "no longer has"),
}
"""Lists in which order says nothing: words for what came and for what went."""

_FIELDS = {
    "cost_gbp": "costs",
    "loss_gbp": "a loss of",
    "loss_gbp_per_msv": "harm of each mSv",
    "dose_msv": "dose",
    "discomfort_gbp": "discomfort worth",
    "waiting_cost_gbp_per_day": "each day of waiting costs",
    "median_time": "half of those untreated have progressed within",
    "turnaround": "result in",
    "new_visit_after": "a new visit begins after",
    "attempts": "tries",
    "uses": "uses",
    "set_up": "shares",
    "why": "reason",
    "about": "introduction",
    "max_steps": "the journey is cut off after (actions)",
    "charged": "is paid for when it fails",
    "harm_gbp": "harm of at most",
    "gbp_per_qaly": "one QALY counts",
    "given": "depends on",
    "benefit_gbp": "worth",
    "waiting_factor": "factor on the cost of waiting",
    "progression_factor": "factor on the rate of progression",
    "cite": "citation",
    "url": "address",
    "seen": "read by the authors",
    "do": "does",
    "weights": "weight of",
    "risk": "risk of at most",
    "odds": "odds multiplied by",
    "modifiers": "",
    "contraindicated": "",
    "requires": "",
    "expect": "",
    "refusable": "refusal",
    "incidental": "incidental finding",
}
_CEILINGS = {
    "cost_gbp": "may spend at most",
    "dose_msv": "may give at most",
    "harm_gbp": "may do harm of at most",
    "tests": "may order tests, at most",
    "risk": "may run a risk of at most",
}
_IS_NAME = frozenset({"uses", "set_up", "to", "do", "condition", "given"})


@dataclass(frozen=True)
class Side:
    """One of the two scenarios, as plain data with its words."""

    scenario: Scenario
    tree: dict[str, Any]
    phrases: Phrases

    @classmethod
    def of(cls, scenario: Scenario) -> Side:
        """The scenario without what is worked out from it; every number as a float."""
        tree = scenario.model_dump(mode="json", exclude={"figures", "digest", "written"})
        reviews = [review.model_dump(mode="json") for review in scenario.reviews]
        return cls(scenario, _floats(tree | {"reviews": reviews}), Phrases(scenario))

    def at(self, path: Path) -> Any:
        """What stands at a place; ABSENT if nothing does."""
        here: Any = self.tree
        for part in path:
            known = range(len(here)) if isinstance(here, list) else here if isinstance(here, Mapping) else ()
            if part not in known:
                return ABSENT
            here = here[part]
        return here

    def subject(self, path: Path) -> tuple[str, Path]:
        """What is spoken of, and the rest of the path beneath it."""
        head, rest = str(path[0]), path[1:]
        if head == "prior":
            return "Chance of each condition", rest
        if head == "utility":
            return "What decisions are worth", rest
        if head not in THINGS or not rest:
            return ("", path) if head in ("loss_gbp_per_msv", "new_visit_after", "max_steps") else (_plain(head), rest)
        name, rest = str(rest[0]), rest[1:]
        said = self.called(head, name)
        if rest[:1] == ("complications",) and len(rest) > 1:
            return f"{said}, {self.called('complications', str(rest[1]))}", rest[2:]
        return said, rest

    def called(self, collection: str, name: str) -> str:
        """What an entry of a collection is called."""
        of = self.at((collection, name))
        if collection in ("vignettes", "rewards", "targets", "groups", "resources", "sources", "guideline_versions"):
            title = of.get("title", of.get("label")) if isinstance(of, dict) else None
            return f"{THINGS[collection].capitalize()} {name}" + (f" (“{title}”)" if title else "")
        if collection == "availability":
            return f"Availability, {_plain(name)}"
        if isinstance(of, dict) and "label" in of:
            return str(of["label"])
        return self.phrases.label(name)

    def same_law(self, other: Side, path: Path) -> bool:
        """Whether the law at a place gives the same figures on both sides."""
        mine, theirs = self._table(path), other._table(path)
        if mine is None or theirs is None or mine.parents != theirs.parents:
            return False
        return mine.values.shape == theirs.values.shape and bool(np.array_equal(mine.values, theirs.values))

    def _table(self, path: Path) -> Table | None:
        tables = Tables(self.scenario)
        ways: dict[str, Callable[[str], Table]] = dict.fromkeys(
            ("context", "comorbidities", "latent", "findings"), tables.variable
        )
        ways |= {"decisions": tables.utility, "availability": tables.mechanism}
        try:
            if path == ("prior",):
                return tables.variable("condition")
            if len(path) == 2 and path[0] in ways:
                return ways[str(path[0])](str(path[1]))
            if len(path) == 4 and path[2] == "complications":
                return tables.complication(str(path[1]), str(path[3]))
            return None
        except LanguageError:
            return None

    def place(self, path: Path) -> str:
        """What a place beneath its subject is called: 'yes with Pneumonia'."""
        rest = self.subject(path)[1]
        law = next((i for i, part in enumerate(rest) if part in LAWS or part in BY_CONDITION), None)
        if rest[:1] == ("ceilings",) and len(rest) > 1:
            return " ".join(filter(None, (_CEILINGS[str(rest[1])], *map(self._field, rest[2:]))))
        if rest[:1] == ("urgency_utility_gbp",) and len(rest) == 3:
            return f"worth when decided as {rest[1]} and truly {rest[2]}"
        if law is None:
            return " ".join(filter(None, map(self._field, rest)))
        keys = [str(part) for part in rest[law + 1 :] if part != ""]
        before = " ".join(self._field(part) for part in rest[:law])
        owner = self.at(path[: len(path) - len(rest) + law])
        given = (
            ["condition"] if rest[law] in BY_CONDITION else list(owner.get("given", ()) if owner is not ABSENT else ())
        )
        under = [self._key(parent, key) for parent, key in zip(given, keys, strict=False)]
        values = [f"“{_plain(key)}”" for key in keys[len(given) :]]
        if path[0] == "prior":
            values = [self.phrases.label(key) for key in keys[len(given) :]]
        elif rest[law] == "chance" and path[0] in ("context", "comorbidities", "latent", "findings"):
            last = _plain((owner.get("values") or list(owner.get("bands") or ()) or ["yes"])[-1])
            values = [f"“{last}”"]
            if self._is_sensitivity(path, given, keys):
                return f"sensitivity for {self.phrases.label(keys[0])} (“{last}”)"
        elif rest[law] not in ("table", "chance"):
            values = ["worth" if rest[law] == "utility" else self._field(rest[law])]
        elif rest[law] == "chance":
            values = ["chance"]
        return " ".join(filter(None, (before, *values, ", ".join(under))))

    def named(self, path: Path) -> str:
        """The subject and what of it: 'CT of the chest: costs'; ends with a colon if there is but one of the two."""
        subject, place = self.subject(path)[0], self.place(path)
        return _first_up(f"{subject}: {place}" if subject and place else f"{subject or place}:")

    def _is_sensitivity(self, path: Path, given: list[str], keys: list[str]) -> bool:
        """Whether a chance is that of a test being positive in a condition that it mostly finds."""
        tests = self.scenario.investigations.values()
        beyond = any(path[1] in of.reveals for of in tests if of.tier not in ("history", "examination"))
        value = self.at(path)
        single = given == ["condition"] and len(keys) == 1 and keys[0] in self.scenario.conditions
        return beyond and single and isinstance(value, float) and value >= 0.5

    def _field(self, part: str | int) -> str:
        if part == "" or isinstance(part, int):
            return ""
        return _FIELDS.get(part, self.phrases.labels.get(part, _plain(part)))

    def _key(self, parent: str, key: str) -> str:
        """One level of a nested table: 'with Pneumonia', 'without Kidney disease', 'Smoking: ever'."""
        if parent == "condition":
            words = [self.phrases.label(word.strip()) for word in key.split(",")]
            return "with any other condition" if key == OTHERWISE else f"with {listed(words, 'or')}"
        label = self.phrases.label(parent)
        if key in ("yes", "no"):
            return f"{'with' if key == 'yes' else 'without'} {label}"
        return f"{label}: {_plain(key)}"


def texts(before: Side, after: Side, place: Path, path: Path, was: Any, now: Any) -> str:
    """The sentence for one difference.

    Args:
        before: the earlier scenario.
        after: the later one.
        place: where it stands in the earlier.
        path: where it stands in the later, or in the earlier if it is gone.
        was: as plain data; ABSENT if there was nothing.
        now: likewise.
    """
    if path[-1:] != () and _is_thing(path):
        return _thing(before, after, path, was, now)
    if isinstance(path[-1], int) and path[-2] in ("guideline", "rules"):
        return _rule(before, after, place, path, was, now)
    side, at = (before, place) if now is ABSENT else (after, path)
    subject = side.subject(at)[0]
    last = next(part for part in reversed(path) if not isinstance(part, int))
    if last in SETS or path[0] == "groups":
        words = SETS.get(str(last), SETS["groups"])
        return f"{subject}: {_came_and_went(before, after, was, now, words)}"
    if last == "label" and ABSENT not in (was, now):
        return f"{before.subject(place)[0]}: is now called “{now}”"
    what = side.named(at)
    told = [
        _entry(one, str(last), value) if isinstance(path[-1], int) else _said(one, path, value)
        for one, value in ((before, was), (after, now))
    ]
    if isinstance(path[-1], int) and ABSENT in (was, now):
        return f"{what.rstrip(':')}: {'now also' if was is ABSENT else 'no longer'} {told[was is ABSENT]}"
    if told[0] == told[1]:
        told = [repr(was), repr(now)]
    if ABSENT in (was, now) and law_at(path):
        return f"{what} {told[1]} (new)" if was is ABSENT else f"{what} {told[0]} (no longer said)"
    return f"{what} {told[0]} → {told[1]}"


def law_at(path: Path) -> bool:
    """Whether a place lies in a nested table of figures."""
    return any(part in LAWS or part in BY_CONDITION for part in path)


def _is_thing(path: Path) -> bool:
    return (len(path) == 2 and path[0] in THINGS) or (len(path) == 4 and path[2] == "complications")


def _thing(before: Side, after: Side, path: Path, was: Any, now: Any) -> str:
    kind, name = THINGS[str(path[-2])], str(path[-1])
    owner = f"{after.subject(path[:2])[0]}: " if len(path) == 4 else ""
    if path[0] in ("groups", "resources") and ABSENT not in (was, now):
        subject = after.subject(path)[0]
        words = _came_and_went(before, after, was, now, SETS["groups"]) if path[0] == "groups" else f"{was} → {now}"
        return f"{subject}: {words}"
    side, verb = (after, "New") if was is ABSENT else (before, "Removed")
    said = side.called(str(path[-2]), name)
    of = now if was is ABSENT else was
    said = said[len(kind) + 1 :] if said.lower().startswith(f"{kind} ") else said
    text = f"{owner}{verb} {kind}: {said}" if not owner else f"{owner}{verb.lower()} {kind}: {said}"
    return f"{text} ({_in_short(side, of)})" if _in_short(side, of) else text


def _in_short(side: Side, of: Any) -> str:
    """What makes a new or removed thing recognisable."""
    if isinstance(of, str):
        return of
    if isinstance(of, list):
        return side.phrases.labels_of(of)
    if "cite" in of:
        return f"{of['cite'].strip()}{'' if of['seen'] else '; not read by the authors'}"
    parts = [str(of[key]) for key in ("tier", "urgency", "kind") if of.get(key)]
    parts += [_figure(key, of[key]) for key in ("cost_gbp", "loss_gbp", "turnaround", "dose_msv") if of.get(key)]
    parts += [f"shows {side.phrases.labels_of(of['reveals'])}"] if of.get("reveals") else []
    parts += [side.phrases.labels_of(of["members"])] if of.get("members") else []
    return "; ".join(parts or [of["why"]] if of.get("why") else parts)


def _rule(before: Side, after: Side, place: Path, path: Path, was: Any, now: Any) -> str:
    number = int(path[-1]) + 1
    subject = (before if now is ABSENT else after).subject(path)[0]
    book = "the guideline" if path[0] == "guideline" else f"{subject[:1].lower()}{subject[1:]}"
    if now is ABSENT:
        return f"Rule {number} of {book} is gone: {_said_rule(before, was)}"
    if was is ABSENT:
        return f"New rule {number} of {book}: {_said_rule(after, now)}"
    moved = f" (before: {int(place[-1]) + 1})" if place != path else ""
    return f"Rule {number}{moved} of {book} now says: {_said_rule(after, now)}; before: {_said_rule(before, was)}"


def _said_rule(side: Side, rule: Any) -> str:
    when = f"if {side.phrases.when(rule['when'])}: " if rule["when"] else ""
    do = "wait for results" if rule["do"] == "wait" else side.phrases.label(rule["do"])
    return f"{when}{do} ({rule['why']})"


def _came_and_went(before: Side, after: Side, was: Any, now: Any, words: tuple[str, str]) -> str:
    old, new = (value if isinstance(value, list) else [] for value in (was, now))
    came, went = [name for name in new if name not in old], [name for name in old if name not in new]
    said = [f"{words[0]} {after.phrases.labels_of(came)}"] if came else []
    said += [f"{words[1]} {before.phrases.labels_of(went)}"] if went else []
    return "; ".join(said) or f"{listed(map(str, old))} → {listed(map(str, new))}"


def _entry(side: Side, field: str, value: Any) -> str:
    """An entry of a list of mappings as words."""
    if value is ABSENT:
        return "nothing"
    if field == "requires":
        return f"only once {side.phrases.when(value, 'or')}"
    if field == "expect":
        return side.phrases.expectation(Expectation.model_construct(**value)).rstrip(".")
    if field == "contraindicated":
        return f"not if {side.phrases.when(value['when'])}: {value['why']} ({_pounds(value['loss_gbp'])})"
    if field == "modifiers":
        odds = value["odds"]
        factors = odds if isinstance(odds, dict) else {"": odds}
        shown = listed(f"{side.phrases.label(name)} × {of:.10g}".strip() for name, of in factors.items())
        return f"odds {shown} where {side.phrases.when(value['when'])}"
    return ", ".join(f"{_plain(key)} {of}" for key, of in value.items())


def _said(side: Side, path: Path, value: Any) -> str:
    """A value at a place, with its unit."""
    keys = [str(part) for part in path if part != "" and not isinstance(part, int)]
    last = keys[-1]
    if value is ABSENT or value is None:
        return "nothing"
    if last in ("when", "of", "among", "against") and isinstance(value, dict | list):
        return f"“{side.phrases.when(value if isinstance(value, dict) else tuple(value))}”" if value else "always"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        field = next((key for key in reversed(keys) if key in LAWS or key in _FIELDS or key == "within"), last)
        return _figure(field, value, qaly=side.scenario.utility.unit == "qaly", target=keys[0] == "targets")
    if isinstance(value, list):
        if "bands" in keys or last == "range":
            return " to ".join(_number(entry) for entry in value)
        return listed(side.phrases.label(entry) if isinstance(entry, str) else _number(entry) for entry in value)
    if isinstance(value, dict):
        return "; ".join(f"{side._field(key)} {_said(side, (*path, key), of)}" for key, of in value.items() if of)
    if last in _IS_NAME:
        return str({"uses": side.scenario.resources}.get(last, {}).get(value) or _label(side, last, value))
    return f"“{value}”" if " " in str(value) else _plain(str(value))


def _label(side: Side, field: str, name: str) -> str:
    return side.called("set_ups", name) if field == "set_up" else side.phrases.label(name)


def _figure(field: str, value: float, *, qaly: bool = False, target: bool = False) -> str:
    if field in ("chance", "table", "risk"):
        return f"{100 * value:.10g}%"
    if field in ("turnaround", "median_time", "new_visit_after", "within"):
        return time_in_words(value)
    if field == "dose_msv":
        return f"{value:.10g} mSv"
    if field == "utility" and qaly:
        return f"{_number(value)} QALY"
    if field in ("utility", "gbp_per_qaly") or "gbp" in field:
        return _pounds(value)
    return _number(value)


def _number(value: Any) -> str:
    return f"{value:.10g}".replace("-", "−") if isinstance(value, int | float) else str(value)


def _pounds(value: float) -> str:
    return f"{'−' if value < 0 else ''}£{abs(value):,.10g}"


def _plain(word: str) -> str:
    return word.replace("_", " ")


def _first_up(text: str) -> str:
    return text[:1].upper() + text[1:]


def _floats(value: Any) -> Any:
    """Plain data with 1 and 1.0 alike."""
    if isinstance(value, dict):
        return {key: _floats(of) for key, of in value.items()}
    if isinstance(value, list):
        return [_floats(of) for of in value]
    return float(value) if isinstance(value, int) and not isinstance(value, bool) else value
