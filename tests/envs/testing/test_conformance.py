"""Every scenario that comes with workup, in every mode of the engine, keeps the contract of `conformance`."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
import pytest
from support.shipped import SCENARIOS, modes_of, some, world_of

from workup.agents.baselines.guideline import GuidelineAgent
from workup.envs.engine.engine import Engine
from workup.envs.engine.types import Budget
from workup.envs.testing import conformance, traces
from workup.envs.views.env import make_engine

RESULTS = ("at_once", "delayed")
BUDGETS = (Budget(cost_gbp=150.0), Budget(dose_msv=0.05), Budget(tests=2))


@dataclass(frozen=True)
class Played:
    """A scenario and the mode in which it is played."""

    name: str
    view: Any
    results: Any

    def engine(self, num_envs: int, **settings: Any) -> Engine:
        return make_engine(world_of(self.name), num_envs, view=self.view, results=self.results, **settings)

    def some(self, in_full: int, fewer: int) -> range:
        """Patients: the first `in_full` of the scenarios that are tested in full, the first `fewer` of the others."""
        return range(some(self.name, in_full, fewer))


MODES = [Played(name, *mode) for name in SCENARIOS for mode in modes_of(name)]


@pytest.fixture(params=SCENARIOS)
def scenario(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(params=MODES, ids=lambda played: f"{played.name}-{played.view}-{played.results}")
def played(request: pytest.FixtureRequest) -> Played:
    assert isinstance(request.param, Played)
    return request.param


def test_shapes_and_ranges(played: Played) -> None:
    conformance.check_shapes_and_ranges(played.engine(16), played.some(32, 16))


def test_only_history_and_examination_first(played: Played) -> None:
    conformance.check_only_history_and_examination_first(played.engine(64))


@pytest.mark.parametrize("score", ["truth", "posterior"])
def test_reward_is_the_sum_of_its_components(played: Played, score: str) -> None:
    conformance.check_reward_is_the_sum_of_its_components(played.engine(16, score=score), played.some(32, 16))


def test_charges_before_the_end_name_nothing_hidden(played: Played) -> None:
    conformance.check_charges_before_the_end_name_nothing_hidden(played.engine(1), played.some(30, 15))


def test_a_masked_action_changes_nothing(played: Played) -> None:
    conformance.check_a_masked_action_changes_nothing(played.engine(1), played.some(20, 15))


def test_what_is_told_depends_only_on_what_was_revealed(played: Played) -> None:
    engine = played.engine(some(played.name, 4000, 1500))
    alike = conformance.check_what_is_told_depends_on_what_was_revealed(engine, 20)
    assert alike > some(played.name, 100, 30)


@pytest.mark.parametrize("budget", [None, Budget(cost_gbp=400.0, tests=3)], ids=str)
def test_altering_what_is_hidden_changes_nothing(played: Played, budget: Budget | None) -> None:
    altered = some(played.name, 200, 80)
    differ = conformance.check_altering_what_is_hidden_changes_nothing(
        world_of(played.name), altered, budget=budget, view=played.view, results=played.results
    )
    assert differ > 0.4 * altered  # where decisions are worth the same for several conditions, ends are alike


@pytest.mark.parametrize("results", RESULTS)
def test_posterior_is_exact_at_every_step_and_while_results_are_pending(scenario: str, results: Any) -> None:
    engine = make_engine(world_of(scenario), 1, view="belief", results=results)
    conformance.check_posterior_is_exact(engine, range(some(scenario, 60, 15)))


def test_mask_follows_the_rules(played: Played) -> None:
    conformance.check_mask_follows_the_rules(played.engine(1), played.some(30, 15))


@pytest.mark.parametrize("budget", BUDGETS, ids=str)
def test_mask_follows_the_rules_within_a_budget(played: Played, budget: Budget) -> None:
    conformance.check_mask_follows_the_rules(played.engine(1, budget=budget), played.some(15, 5), budget)


def test_observation_says_what_its_names_say(played: Played) -> None:
    conformance.check_observation_says_what_its_names_say(played.engine(1), played.some(20, 12))


def check_same_journeys(played: Played, **settings: Any) -> None:
    policy, patients = traces.random_policy(world_of(played.name), illegal=0.05), played.some(64, 32)
    one, seven, many = (traces.play(played.engine(n, seed=3, **settings), patients, policy) for n in (1, 7, 64))
    for patient, trace in one.items():
        traces.assert_same_trace(trace, seven[patient])
        traces.assert_same_trace(trace, many[patient])


def test_same_journeys_for_1_7_and_64_envs(played: Played) -> None:
    check_same_journeys(played)


def test_same_journeys_for_1_7_and_64_envs_scored_by_the_posterior(scenario: str) -> None:
    check_same_journeys(Played(scenario, "raw", "at_once"), score="posterior")


@pytest.mark.parametrize("results", RESULTS)
def test_the_guideline_takes_10_000_patients_to_a_decision_by_legal_steps(scenario: str, results: Any) -> None:
    world = world_of(scenario)
    engine = make_engine(world, 10_000, results=results, seed=1)
    steps = conformance.check_policy_is_legal_and_decides(engine, GuidelineAgent(world).act)
    assert steps >= 20_000  # nobody is decided on before history and examination


def test_a_policy_that_is_not_legal_or_never_decides_is_told() -> None:
    world = world_of("tutorial")

    def illegal(view: Any) -> Any:
        return np.full(len(view.step), len(world.actions) - 1)

    def endless(view: Any) -> Any:
        onward = view.mask[:, : len(world.actions) - len(world.decisions)]
        return np.where(onward.any(axis=1), onward.argmax(axis=1), view.mask.argmax(axis=1))

    with pytest.raises(AssertionError, match="decide support"):
        conformance.check_policy_is_legal_and_decides(make_engine(world, 50), illegal)
    with pytest.raises(AssertionError, match="cut off"):
        conformance.check_policy_is_legal_and_decides(make_engine(world, 50, max_steps=4), endless)


def test_a_patient_is_the_same_whatever_is_ordered_first(scenario: str) -> None:
    """What two policies have both revealed of a patient is the same, acts that change findings apart."""
    world = world_of(scenario)
    only, shared = np.zeros(1, np.int64), 0
    seen: dict[int, Any] = {}
    for seed, results in product(range(4), RESULTS):
        engine = make_engine(world, 1, results=results)  # type: ignore[arg-type]
        for patient in range(some(scenario, 15, 8)):
            traces.play(engine, range(patient, patient + 1), traces.random_policy(world, seed=seed, stop=0.02))
            view = engine.journey_view(only)
            facts = {
                o: (int(view.values[0, o]), float(np.nan_to_num(view.numbers[0, o])))
                for o in np.flatnonzero(view.values[0] != -1)
                if world.model.treatment[o] < 0 and view.failures[0, max(world.model.item_of[o], 0)] == 0
            }
            before = seen.setdefault(patient, {})
            for o in facts.keys() & before.keys():
                assert facts[o] == before[o], (patient, world.model.observables[o])
                shared += 1
            before.update(facts)
    assert shared > some(scenario, 200, 50)
