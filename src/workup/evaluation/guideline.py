"""What a guideline gains over deciding at once, split into what its tests gain and what its own decisions lose.

Of a patient, in expectation given what was found: *tests* is the best allowed decision after the guideline's orders, these paid for,
less V0; *endings* is the guideline's decision less that best one, never above 0. They sum to guideline less V0.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workup.agents.baselines.guideline import GuidelineAgent, action_named, rules_of
from workup.agents.baselines.simple import AGENTS as SIMPLE
from workup.envs.model.facts import compile_when, vocabulary
from workup.envs.model.world import World
from workup.envs.records.journeys import Journeys
from workup.errors import WorkupError
from workup.evaluation.run import run_agents
from workup.evaluation.worth import presented, value_gbp
from workup.statistics import Interval, Name, bootstrap, finite

NO_RULE = 0
"""In place of a rule's number: none applied, and the best decision was taken."""


@dataclass(frozen=True)
class RuleLoss:
    """A rule that decided, against the best decision allowed then."""

    number: int
    """1 for the first that is tried."""
    decision: str
    why: str
    """As the guideline says."""
    patients: int
    """Whom it decided for."""
    loss: Interval
    """Pounds for each of these patients, at least 0."""
    loss_of_all: float
    """Pounds per patient, all patients counted; over the rules they sum to what endings lose."""


@dataclass(frozen=True)
class GuidelineSplit:
    """Means per patient in pounds, 95% bootstrap intervals over patients; luck is taken off."""

    scenario: str
    patients: int
    seed: int
    value: Interval
    minus_v0: Interval
    """Less V0, the best decision allowed after history and examination."""
    minus_v0_open: Interval
    """Less the same if no decision required anything."""
    tests: Interval
    endings: Interval
    rules: tuple[RuleLoss, ...]
    """Those that decided for anybody, the heaviest first."""

    def as_json(self) -> dict[str, Any]:
        """Intervals as `{"mean", "low", "high"}`."""
        means = ("value", "minus_v0", "minus_v0_open", "tests", "endings")
        return {
            "scenario": self.scenario,
            "patients": self.patients,
            "seed": self.seed,
            **{name: getattr(self, name).as_json() for name in means},
            "rules": [
                {**asdict(r), "loss": r.loss.as_json(), "loss_of_all": finite(r.loss_of_all)} for r in self.rules
            ],
        }


def split_guideline(world: World, *, patients: int, seed: int, version: str | None = None) -> GuidelineSplit:
    """Take patients through the guideline, and through nothing for V0, and split the difference.

    Raises:
        WorkupError: the scenario has no guideline rules.
    """
    agents = {"guideline": GuidelineAgent(world, version=version), "none": SIMPLE["none"](world, seed=seed)}
    journeys = run_agents(world, agents, patients=patients, seed=seed, record=True)
    return split(journeys["guideline"], {"none": journeys["none"]}, version=version)


def split(guideline: Journeys, others: Mapping[str, Journeys], *, version: str | None = None) -> GuidelineSplit:
    """Split the difference from V0.

    Args:
        guideline: recorded journeys.
        others: of the same patients; V0 is theirs where the guideline decided before both history and examination.
        version: of the guideline.

    Raises:
        WorkupError: the journeys were not recorded, or V0 is not known of a patient.
    """
    scenario = guideline.world.scenario
    if not rules_of(scenario, version=version):
        raise WorkupError(f"{scenario.id} has no guideline rules, so there is nothing to split")
    everybody = {"guideline": guideline, **others}
    v0, v0_open = presented(everybody, "v0"), presented(everybody, "v0_open")
    if guideline.best_at_end is None or np.isnan(v0).any():
        raise WorkupError("V0 is not known of every patient; take the same patients through `none` as well")
    value = value_gbp(guideline)
    loss = guideline.best_at_end - guideline.expected_components.sum(axis=1)
    ruled = deciding_rules(guideline, version=version)
    columns: dict[Name, NDArray[np.float64]] = {
        "value": value,
        "minus_v0": value - v0,
        "minus_v0_open": value - v0_open,
    }
    columns |= {"tests": value + loss - v0, "endings": -loss}
    rules = {int(number): ruled == number for number in np.unique(ruled) if number != NO_RULE}
    found = bootstrap(columns, seed=guideline.seed)
    return GuidelineSplit(
        scenario=scenario.id,
        patients=len(value),
        seed=guideline.seed,
        **{str(name): found.mean(name) for name in columns},
        rules=_losses(guideline.world, rules, loss, guideline.seed, version),
    )


def _losses(
    world: World,
    rules: Mapping[int, NDArray[np.bool_]],
    loss: NDArray[np.float64],
    seed: int,
    version: str | None,
) -> tuple[RuleLoss, ...]:
    stated, told = rules_of(world.scenario, version=version), []
    for number, inside in rules.items():
        rule, own = stated[number - 1], loss[inside]
        interval = bootstrap({"loss": own}, seed=seed).mean("loss")
        told.append(RuleLoss(number, rule.do, rule.why, int(inside.sum()), interval, float(own.sum() / len(loss))))
    return tuple(sorted(told, key=lambda each: (-each.loss_of_all, each.number)))


def deciding_rules(guideline: Journeys, *, version: str | None = None) -> NDArray[np.int64]:
    """(n,) number of the rule that ended each journey, or `NO_RULE`.

    The first rule that held before the last act and asks for what was done: an earlier one that held and was legal would have
    been followed. Journeys are recorded, results at once.
    """
    world, events = guideline.world, guideline.recorded()
    last = np.flatnonzero(np.r_[events.journey[1:] != events.journey[:-1], True])
    values, status, action = events.values[last - 1], events.status[last - 1], events.action[last]
    words, found = vocabulary(world), np.full(len(last), NO_RULE, np.int64)
    for number, rule in enumerate(rules_of(world.scenario, version=version), start=1):
        did = (found == NO_RULE) & (action == action_named(world, rule.do))
        found[did & compile_when(rule.when, words).holds(values, status)] = number
    return np.where(guideline.decision < 0, NO_RULE, found)
