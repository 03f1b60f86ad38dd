"""Agents compared on the same patients."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from workup.agents.planning import PresentationBounds
from workup.envs.records.journeys import Journeys
from workup.errors import UnknownNameError, WorkupError
from workup.evaluation.conditions import ByCondition, OfCondition, by_condition
from workup.evaluation.measures import MEASURES, measure
from workup.evaluation.subgroups import EXPECTED, Group, Members, by_group, subgroups
from workup.evaluation.worth import meaning, presented, reference, spread, worth
from workup.scenarios.language.reading.signatures import standing_of
from workup.statistics import (
    RESAMPLES,
    Interval,
    Name,
    Resampled,
    bootstrap,
    finite,
    median_interval,
    normal_interval,
    trimmed_interval,
)
from workup.wording import percent

if TYPE_CHECKING:
    import polars as pl

Floats = NDArray[np.float64]

ROBUST = ("median", "trimmed")


@dataclass(frozen=True)
class AgentScore:
    """How an agent did; intervals are 95% bootstraps over patients, where nothing else is said.

    Where the optimum is known between bounds only, those of value, gain and captured reach up by what its plan may be worth
    beyond the lower.
    """

    value: Interval
    """Expected, given what the patients told and showed at first; mean per patient, pounds (`evaluation.worth`)."""
    median: Interval
    """Of what the patients got, luck and the true condition included, pounds; interval by order statistics."""
    trimmed: Interval
    """Mean of the same without the lowest and the highest 5%; interval by the winsorised variance."""
    captured: Interval
    """Gain as a share of the optimum's certified gain (its lower bound); NaN where that is not above 0."""
    captured_of_upper: Interval
    """The same against the upper bound."""
    gain: Interval
    """Value minus V0, the best decision after history and examination, paid for."""
    accuracy: Interval
    """Share of decisions that are right for the true condition."""
    brier: Interval
    """Squared error of the final posterior over conditions, summed over conditions (0 to 2)."""
    cost_gbp: Interval
    harm_gbp: Interval
    delay_gbp: Interval
    dose_msv: Interval
    tests: Interval
    days: Interval
    """To the decision."""
    truncated: Interval
    """Share of journeys that ended without a decision."""
    decisions: Mapping[str, float]
    """Share of each decision."""
    subgroups: Mapping[str, Mapping[str, Group]]
    """Context variable -> value -> how it went there."""
    conditions: Mapping[str, OfCondition]
    """True condition -> how it went for those who had it."""

    def as_json(self) -> dict[str, Any]:
        """`value` with its interval, everything else as a number, with the other intervals under `intervals`."""
        names = ("captured", "captured_of_upper", *ROBUST, *MEASURES)
        return {
            "value": self.value.as_json(),
            **{name: finite(getattr(self, name).mean) for name in names},
            "decisions": dict(self.decisions),
            "intervals": {name: getattr(self, name).as_json() for name in names},
            "subgroups": {
                variable: {value: group.as_json() for value, group in values.items()}
                for variable, values in self.subgroups.items()
            },
            "conditions": {name: each.as_json() for name, each in self.conditions.items()},
        }


@dataclass(frozen=True)
class OptimumScore:
    """The optimum over the same patients: each bound with its sampling interval."""

    v0: Interval
    lower: Interval
    upper: Interval
    gain: Interval
    """Certified: lower minus V0."""
    gap: Interval
    """upper minus lower."""
    exact: bool

    def as_json(self) -> dict[str, Any]:
        """`{"value", "lower", "upper", "exact"}`, `value` being certified (the lower bound)."""
        names = ("v0", "lower", "upper", "gain", "gap")
        return {
            "value": finite(self.lower.mean),
            **{name: finite(getattr(self, name).mean) for name in names},
            "exact": self.exact,
            "intervals": {name: getattr(self, name).as_json() for name in names},
        }


@dataclass(frozen=True)
class Difference:
    """One agent's value minus another's, patient by patient."""

    first: str
    second: str
    value: Interval


_ENDS = {"": "mean", "_low": "low", "_high": "high"}


@dataclass(frozen=True, repr=False)
class Evaluation:
    """Agents on the same patients, and what was possible there."""

    scenario: str
    digest: str
    status: str
    preset: str
    patients: int
    seed: int
    resamples: int
    agents: Mapping[str, AgentScore]
    optimum: OptimumScore | None
    """None where the planner refuses or was not asked; `refusal` says which and why."""
    refusal: str | None
    differences: tuple[Difference, ...]
    meaning: str
    """What value, median and trimmed mean are, in words."""
    v0: Interval
    """Value of the best *allowed* decision after history and examination, of the patients whom any agent took so far."""
    v0_open: Interval
    """The same if no decision required anything."""

    def minus(self, first: str, second: str) -> Interval:
        """Value of one agent minus that of another, patient by patient."""
        for each in self.differences:
            if (each.first, each.second) == (first, second):
                return each.value
            if (each.second, each.first) == (first, second):
                return Interval(-each.value.mean, -each.value.high, -each.value.low)
        raise UnknownNameError(f"{first!r} and {second!r} were not compared; the agents are {', '.join(self.agents)}")

    def cut_off(self) -> list[str]:
        """Whose journeys ended at the step limit instead of by a decision: a line for each agent with such."""
        return [
            f"{name}: {percent(each.truncated.mean)} of journeys were cut off at the step limit and scored as the worst decision; "
            "what is not legal changes nothing but counts as a step"
            for name, each in self.agents.items()
            if each.truncated.mean > 0
        ]

    @property
    def by_condition(self) -> ByCondition:
        """Agents by true condition: whom their means come from."""
        return ByCondition({name: each.conditions for name, each in self.agents.items()})

    def to_frame(self) -> pl.DataFrame:
        """One row a policy, best first: `policy`, then mean, `_low` and `_high` of value, captured, median, trimmed and every measure."""
        import polars as pl

        names = ("value", "captured", *ROBUST, *MEASURES)
        ranked = sorted(self.agents.items(), key=lambda each: -each[1].value.mean)
        rows = [
            {"policy": policy}
            | {f"{name}{end}": getattr(getattr(score, name), of) for name in names for end, of in _ENDS.items()}
            for policy, score in ranked
        ]
        return pl.DataFrame(rows)

    def __repr__(self) -> str:
        """A line a policy: what it was worth, how often it was right, what it took."""
        ranked = sorted(self.agents.items(), key=lambda each: -each[1].value.mean)
        width = max(len(name) for name, _ in ranked)
        lines = [f"{self.scenario}, {self.patients:,} patients of seed {self.seed}; pounds a patient, 95% intervals"]
        for name, s in ranked:
            share = "" if np.isnan(s.captured.mean) else f", captured {s.captured.mean:.0%}"
            took = f"right {s.accuracy.mean:.0%}, {s.tests.mean:.1f} tests, £{s.cost_gbp.mean:,.0f}, {s.days.mean:.1f} days"
            lines.append(f"{name:{width}}  {spread(s.value)}{share}; {took}")
        return "\n".join([*lines, *self.cut_off(), self.reference, self.meaning])

    @property
    def reference(self) -> str:
        """What gains are measured from, in words."""
        return reference(self.v0, self.v0_open)

    def as_json(self) -> dict[str, Any]:
        """The shape that `workup evaluate --json` writes."""
        return {
            "scenario": self.scenario,
            "digest": self.digest,
            "status": self.status,
            "preset": self.preset,
            "patients": self.patients,
            "seed": self.seed,
            "intervals": f"95%; percentile bootstrap over patients, {self.resamples:,} resamples, the same for all "
            "agents; by subgroup and true condition mean ± 1.96 standard errors",
            "meaning": self.meaning,
            "v0": self.v0.as_json(),
            "v0_open": self.v0_open.as_json(),
            "agents": {name: score.as_json() for name, score in self.agents.items()},
            "optimum": None if self.optimum is None else self.optimum.as_json(),
            "refusal": self.refusal,
            "differences": [{**asdict(d), "value": d.value.as_json()} for d in self.differences],
        }


def score(
    journeys: Mapping[str, Journeys],
    bounds: PresentationBounds | None,
    *,
    refusal: str | None = None,
    plan: Journeys | None = None,
) -> Evaluation:
    """Compare journeys of the same patients under several agents.

    Args:
        journeys: name -> journeys; all of one world and seed, patients in the same order.
        bounds: what was possible for the same patients, in the same order; None if unknown.
        refusal: why there are no bounds.
        plan: the same patients under the plan behind the bounds (`Bookkeeper.plan`); with it, agents are scored as the
            optimum is certified, else with more noise.

    Raises:
        WorkupError: no journeys, or journeys of different patients.
    """
    first = _same_patients(journeys if plan is None else {**journeys, "the optimum's plan": plan})
    scenario, groups = first.world.scenario, subgroups(first)
    allowed, open_ = (presented(journeys, name) for name in ("v0", "v0_open"))
    v0 = allowed if bounds is None else bounds.v0
    worths = {name: worth(each, bounds, plan) for name, each in journeys.items()}
    measured = {name: measure(each, v0, worths[name]) for name, each in journeys.items()}
    resampled = bootstrap(_columns(measured, bounds), seed=first.seed)
    slack = {name: resampled.resampled["agent", name, "slack"] for name in journeys}
    return Evaluation(
        scenario=scenario.id,
        digest=scenario.digest,
        status=standing_of(scenario).status,
        preset=first.world.preset,
        patients=len(first.patient),
        seed=first.seed,
        resamples=RESAMPLES,
        agents={
            name: _score_one(name, each, measured[name], groups, resampled, bounds is not None)
            for name, each in journeys.items()
        },
        optimum=None if bounds is None else _score_optimum(bounds, resampled),
        refusal=refusal,
        differences=tuple(
            Difference(a, b, resampled.mean(("minus", a, b), slack[a] - slack[b])) for a, b in combinations(journeys, 2)
        ),
        meaning=meaning(first, bounds, plan),
        v0=normal_interval(allowed[~np.isnan(allowed)]),
        v0_open=normal_interval(open_[~np.isnan(open_)]),
    )


def _same_patients(journeys: Mapping[str, Journeys]) -> Journeys:
    if not journeys:
        raise WorkupError("there are no agents to compare; name at least one")
    first = next(iter(journeys.values()))
    for name, other in journeys.items():
        if other.seed != first.seed or not np.array_equal(other.patient, first.patient):
            raise WorkupError(f"{name} met other patients than {first.agent}; run every agent with the same seed")
    return first


def _columns(measured: Mapping[str, Mapping[str, Floats]], bounds: PresentationBounds | None) -> dict[Name, Floats]:
    """Named ('agent', agent, measure), ('minus', agent, agent) and ('bounds', which), so that no names collide."""
    found: dict[Name, Floats] = {}
    for agent, each in measured.items():
        found |= {("agent", agent, name): column for name, column in each.items()}
    found |= {("minus", a, b): measured[a]["value"] - measured[b]["value"] for a, b in combinations(measured, 2)}
    if bounds is not None:
        found |= {("bounds", name): getattr(bounds, name) for name in ("v0", "lower", "upper")}
        found |= {("bounds", "gain"): bounds.lower - bounds.v0, ("bounds", "upper gain"): bounds.upper - bounds.v0}
        found |= {("bounds", "gap"): bounds.upper - bounds.lower}
    return found


def _score_one(
    name: str,
    journeys: Journeys,
    measured: Mapping[str, Floats],
    groups: list[Members],
    resampled: Resampled,
    bounded: bool,
) -> AgentScore:
    chosen = np.bincount(journeys.decision[journeys.decision >= 0], minlength=len(journeys.world.decisions))
    gain, unknown = ("agent", name, "gain"), Interval(np.nan, np.nan, np.nan)
    slack = resampled.resampled["agent", name, "slack"]
    return AgentScore(
        **{each: resampled.mean(("agent", name, each), slack) for each in EXPECTED},
        **{each: resampled.mean(("agent", name, each)) for each in MEASURES if each not in EXPECTED},
        median=median_interval(journeys.value),
        trimmed=trimmed_interval(journeys.value),
        captured=resampled.ratio(gain, ("bounds", "gain"), slack) if bounded else unknown,
        captured_of_upper=resampled.ratio(gain, ("bounds", "upper gain"), slack) if bounded else unknown,
        decisions=dict(zip(journeys.world.decisions, (chosen / len(journeys.patient)).tolist(), strict=True)),
        subgroups=by_group(measured, groups),
        conditions=by_condition(journeys),
    )


def _score_optimum(bounds: PresentationBounds, resampled: Resampled) -> OptimumScore:
    names = ("v0", "lower", "upper", "gain", "gap")
    return OptimumScore(**{name: resampled.mean(("bounds", name)) for name in names}, exact=bounds.exact)
