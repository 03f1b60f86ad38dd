"""Whether a cohort can answer a question at all: who had a chance of being verified, and how many patients the rest stand for.

What is known of the truth is known of verified patients alone. A verified patient stands for 1 / P(verified) others, P being the
product of the policy's probabilities along the way; nobody stands for a stratum in which nobody could have been verified.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from workup.envs.compile.compile import compile_world
from workup.envs.model.belief import posterior_weights
from workup.envs.model.codes import STATUS_NAMES, UNKNOWN
from workup.envs.model.facts import Clause, Condition
from workup.envs.model.world import World
from workup.envs.records.cohorts import written_down
from workup.errors import FileFormatError, UnknownNameError, WorkupError, suggestion
from workup.scenarios.language.library import load_scenario
from workup.scenarios.language.schema import Scenario
from workup.studies.cohorts import TABLES, read_card, rule_of

KINDS: Final = ("prevalence", "sensitivity", "specificity", "model")
FEW: Final = 1_000.0
"""Effective patients below which an answer is called weak."""
RARE: Final = 0.01
"""Smallest propensity below which it is."""


@dataclass(frozen=True)
class Stratum:
    """Patients who look the same by the findings asked for."""

    words: str
    patients: int
    verified: int
    smallest_propensity: float | None
    """Of those verified; None if nobody was."""
    share_without_chance: float
    """Of its patients: not verified, and when the journey ended nothing else could have happened."""
    effective: float
    """Effective sample size of the verified: (sum of weights)^2 / sum of their squares."""


@dataclass(frozen=True)
class Support:
    """What a cohort says of a question."""

    question: str
    verdict: str
    """identified, weakly identified, or not identified."""
    why: str
    strata: tuple[Stratum, ...]
    bounds: tuple[float, float] | None
    """Of the share of patients about whom nothing is known, where the answer is not identified: what it could be if all of them
    were, or none, added to what the others say. Of a prevalence; else None."""

    def as_json(self) -> dict[str, Any]:
        """As plain data."""
        return asdict(self)

    def told(self) -> str:
        """In words, a line a stratum."""
        lines = [f"{self.question}: {self.verdict}. {self.why}"]
        if self.bounds is not None:
            lines.append(
                f"It lies between {self.bounds[0]:.3f} and {self.bounds[1]:.3f}, whatever holds of those without a chance."
            )
        lines += [
            f"  {s.words}: {s.patients:,} patients, {s.verified:,} verified, smallest propensity "
            f"{'-' if s.smallest_propensity is None else format(s.smallest_propensity, '.4f')}, "
            f"{s.share_without_chance:.1%} without a chance, effective size {s.effective:,.0f}"
            for s in self.strata
        ]
        return "\n".join(lines)


def supported(
    folder: Path, question: str, *, verified: str, by: tuple[str, ...] = (), scenario: str | Path | None = None
) -> Support:
    """Judge a question on a cohort in a folder, by its records and steps; the hidden truth is not opened.

    Args:
        folder: what `write_cohort` wrote.
        question: `prevalence GROUP`, `sensitivity FINDING=VALUE GROUP`, `specificity FINDING=VALUE GROUP` or
            `model GROUP FINDING ...`.
        verified: who counts as verified, as a scenario's `when`: `biopsy: done`. What it names must settle the group.
        by: findings whose values make strata; those of a `model` are added.
        scenario: the file of the cohort's scenario, where that is none of the library's.

    Raises:
        FileFormatError: no cohort.
        UnknownNameError: no such group, finding or fact; names the nearest.
        WorkupError: a question of another form, or a scenario that has changed since.
    """
    card = read_card(folder)
    world = compile_world(_scenario_of(card["plan"]["scenario"], scenario))
    if world.scenario.digest != card["plan"]["digest"]:
        raise WorkupError(
            f"{folder} is of {world.scenario.id} with digest {card['plan']['digest']}; now it has {world.scenario.digest}"
        )
    kind, group, findings = _asked(question, world)
    names = tuple(dict.fromkeys((*by, *findings)))
    for name in names:
        _known(name, world)
    condition = rule_of(verified, world)
    assert condition is not None
    _written_down(names, condition, world)
    records, steps = _tables(folder, world)
    values, status = _arrays(records, world)
    seen = condition.holds(values, status)
    chance, barred = _chances(records, steps, world, seen, condition)
    strata = tuple(_stratum(words, rows, seen, chance, barred) for words, rows in _strata(records, names))
    known = _members(world, group, values[seen], status[seen])
    return _verdict(question, kind, strata, known, chance, barred)


def _scenario_of(name: str, given: str | Path | None) -> Scenario:
    try:
        return load_scenario(name if given is None else given)
    except UnknownNameError as error:
        if given is not None:
            raise
        raise UnknownNameError(
            f"the cohort is of {name!r}, which is no scenario of the library; name its file with --scenario (scenario= in Python)"
        ) from error


def effective_size(weights: NDArray[np.float64]) -> float:
    """(sum w)^2 / sum w^2: how many equally weighted patients tell as much; 0 of none."""
    return float(weights.sum() ** 2 / (weights**2).sum()) if weights.size else 0.0


def _asked(question: str, world: World) -> tuple[str, str, tuple[str, ...]]:
    words = question.split()
    if not words or words[0] not in KINDS:
        raise WorkupError(
            f"question {question!r}; expected one that begins with {', '.join(KINDS)}{suggestion(words[0] if words else '', KINDS)}"
        )
    kind, rest = words[0], words[1:]
    right = {"prevalence": len(rest) == 1, "model": len(rest) >= 2}.get(
        kind, len(rest) == 2 and "=" in (rest or [""])[0]
    )
    if not right:
        raise WorkupError(
            f"question {question!r}; expected 'prevalence GROUP', '{kind} FINDING=VALUE GROUP' or 'model GROUP FINDING ...'"
        )
    if kind == "prevalence":
        return kind, _group(rest[0], world), ()
    if kind == "model":
        return kind, _group(rest[0], world), tuple(rest[1:])
    name, _, value = rest[0].partition("=")
    _known(name, world)
    values = world.model.network.variable(name).values
    if value not in values:
        raise UnknownNameError(f"{name} has no value {value!r}{suggestion(value, values)}")
    return kind, _group(rest[1], world), (name,)


def _group(name: str, world: World) -> str:
    groups = (*world.scenario.groups, *world.model.conditions)
    if name not in groups:
        raise UnknownNameError(f"{world.scenario.id} has no group and no condition {name!r}{suggestion(name, groups)}")
    return name


def _known(name: str, world: World) -> None:
    if name not in world.model.observables:
        raise UnknownNameError(
            f"{world.scenario.id} has no finding {name!r}{suggestion(name, world.model.observables)}"
        )


def _written_down(names: tuple[str, ...], verified: Condition, world: World) -> None:
    """Raises UnknownNameError for what the scenario marks `recorded: false`: no records have it."""
    kept, observables = written_down(world), world.model.observables
    asked = {observables.index(name) for name in names}
    asked |= {
        int(c.target) for clauses in verified.alternatives for c in clauses if isinstance(c, Clause) and not c.is_item
    }
    for o in sorted(asked):
        if not kept[o]:
            known = ", ".join(name for name, is_kept in zip(observables, kept, strict=True) if is_kept)
            raise UnknownNameError(
                f"{observables[o]} is seen and not written down (`recorded: false`); the records have {known}"
            )


def _tables(folder: Path, world: World) -> tuple[Any, Any]:
    """Records and steps. Raises FileFormatError where one is missing, no table, or of something else."""
    import polars as pl

    findings = [world.model.observables[o] for o in np.flatnonzero(written_down(world))]
    wanted = {
        "records": ["patient", *(f"{item} ordered_h" for item in world.items), *findings],
        "steps": ["patient", "step", "action", "propensity"],
    }
    found = []
    for table, columns in wanted.items():
        path = folder / TABLES[table]
        try:
            frame = pl.read_parquet(path)
        except (OSError, pl.exceptions.PolarsError) as error:
            raise FileFormatError(
                f"{path} cannot be read ({error}); make the cohort again with `workup cohort`"
            ) from error
        missing = [name for name in columns if name not in frame.columns]
        if missing:
            raise FileFormatError(
                f"{path} has no column {missing[0]!r}; expected a cohort of {world.scenario.id}, made by `workup cohort`"
            )
        found.append(frame)
    records, steps = found
    strangers = steps.filter(~steps["patient"].is_in(records["patient"].implode()))
    if len(strangers):
        raise FileFormatError(
            f"{folder / TABLES['steps']} has {len(strangers):,} steps of patients who are not in {TABLES['records']}; expected "
            "both of one cohort"
        )
    return records, steps


def _arrays(records: Any, world: World) -> tuple[NDArray[np.int16], NDArray[np.uint8]]:
    """(n, O) values and (n, I) status as a condition reads them, from what is written down."""
    values = np.full((len(records), len(world.model.observables)), UNKNOWN, np.int16)
    status = np.zeros((len(records), len(world.items)), np.uint8)
    for o, name in enumerate(world.model.observables):
        if name in records.columns:
            values[:, o] = records[name].to_physical().cast(int).fill_null(-1).to_numpy()
    reasons = {
        "failed": STATUS_NAMES.index("failed"),
        "refused": STATUS_NAMES.index("refused"),
        "pending": STATUS_NAMES.index("pending"),
    }
    for i, item in enumerate(world.items):
        status[:, i] = np.where(records[f"{item} ordered_h"].is_not_null().to_numpy(), STATUS_NAMES.index("result"), 0)
        for o in world.reveals[i][world.reveals[i] >= 0]:
            absent = f"{world.model.observables[o]} absent"
            if absent in records.columns:
                for reason, code in reasons.items():
                    status[(records[absent] == reason).fill_null(False).to_numpy(), i] = code
    return values, status


def _chances(
    records: Any, steps: Any, world: World, seen: NDArray[np.bool_], condition: Condition
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """(n,) the policy's probability of the way up to the order that verified, NaN of others; (n,) who was not verified and had no
    chance to be: the decision that ended the journey was certain."""
    wanted = {
        int(c.target if c.is_item else world.model.item_of[c.target])
        for clauses in condition.alternatives
        for c in clauses
        if isinstance(c, Clause)
    }
    verifies = np.array([bool(wanted & set(action.items)) for action in world.actions])
    decides = np.array([action.kind == "decide" for action in world.actions])
    action = steps["action"].to_physical().cast(int).to_numpy()
    row = np.searchsorted(records["patient"].to_numpy(), steps["patient"].to_numpy())
    propensity = steps["propensity"].to_numpy().astype(np.float64)
    counted, n = verifies[action], len(records)
    last = np.full(n, -1, np.int64)
    np.maximum.at(last, row[counted], np.flatnonzero(counted))
    before = np.arange(len(row)) <= last[row]
    chance = np.ones(n)
    np.multiply.at(chance, row[before], propensity[before])
    certain = np.zeros(n, np.bool_)
    certain[row[decides[action]]] = propensity[decides[action]] >= 1.0 - 1e-6  # kept in single precision
    return np.where(seen, chance, np.nan), ~seen & certain


def _strata(records: Any, names: tuple[str, ...]) -> list[tuple[str, NDArray[np.bool_]]]:
    if not names:
        return [("all", np.ones(len(records), np.bool_))]
    keys = np.stack([records[name].cast(str).fill_null("not recorded").to_numpy() for name in names], axis=1).astype(
        str
    )
    kinds, of = np.unique(keys, axis=0, return_inverse=True)
    return [
        (", ".join(f"{name} {word}" for name, word in zip(names, kind, strict=True)), of.ravel() == k)
        for k, kind in enumerate(kinds)
    ]


def _stratum(
    words: str, rows: NDArray[np.bool_], seen: NDArray[np.bool_], chance: NDArray[np.float64], barred: NDArray[np.bool_]
) -> Stratum:
    own = chance[rows & seen]
    return Stratum(
        words=words,
        patients=int(rows.sum()),
        verified=len(own),
        smallest_propensity=float(own.min()) if own.size else None,
        share_without_chance=float(barred[rows].mean()) if rows.any() else 0.0,
        effective=effective_size(1.0 / own),
    )


def _verdict(
    question: str,
    kind: str,
    strata: tuple[Stratum, ...],
    known: NDArray[np.float64],
    chance: NDArray[np.float64],
    barred: NDArray[np.bool_],
) -> Support:
    """known: of the verified, the probability that they are of the group."""
    if not known.size:
        return Support(
            question, "not identified", "Nobody is verified.", strata, (0.0, 1.0) if kind == "prevalence" else None
        )
    weights, without = 1.0 / chance[np.isfinite(chance)], float(barred.mean())
    nobody = [s.words for s in strata if s.patients and not s.verified]
    if without > 0.0 or nobody:
        where = f"{without:.1%} of patients had no chance of being verified"
        where += f", and nobody was in: {'; '.join(nobody)}" if nobody else ""
        mean = float((weights * known).sum() / weights.sum())
        bounds = (mean * (1.0 - without), mean * (1.0 - without) + without)
        return Support(question, "not identified", f"{where}.", strata, bounds if kind == "prevalence" else None)
    size, least = effective_size(weights), float(chance[np.isfinite(chance)].min())
    if size < FEW or least < RARE:
        why = f"Everybody had a chance, but the {known.size:,} who are verified tell as much as {size:,.0f}; the rarest way had one of {least:.4f}."
        return Support(question, "weakly identified", why, strata, None)
    return Support(
        question,
        "identified",
        f"Everybody had a chance of at least {least:.3f}; effective size {size:,.0f}.",
        strata,
        None,
    )


def _members(world: World, group: str, values: NDArray[np.int16], status: NDArray[np.uint8]) -> NDArray[np.float64]:
    """(m,) probability of the group on what was recorded, by the model."""
    failures, treated = np.zeros_like(status), np.zeros(values.shape, np.bool_)
    wanted = np.array([name in world.scenario.groups.get(group, (group,)) for name in world.model.conditions])
    of_hidden = wanted[world.model.condition_of].astype(np.float64)
    parts = [
        posterior_weights(world.model, values[at], status[at], failures[at], treated[at], values_only=True).sum(axis=1)
        @ of_hidden
        for at in (slice(first, first + 512) for first in range(0, len(values), 512))
    ]
    return np.concatenate(parts) if parts else np.zeros(0)
