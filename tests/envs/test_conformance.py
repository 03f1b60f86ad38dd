"""Every scenario that comes with workup, in every mode of the engine, keeps the contract of `conformance`."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
import pytest

from workup.envs import conformance
from workup.envs.engine import Budget
from workup.envs.gym_env import make_engine
from workup.envs.registration import scenario_folders

VIEWS, RESULTS = ("raw", "belief"), ("at_once", "delayed")
MODES = [{"view": view, "results": results} for view, results in product(VIEWS, RESULTS)]


@pytest.fixture(params=scenario_folders())
def scenario(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(params=MODES, ids=lambda mode: "-".join(mode.values()))
def mode(request: pytest.FixtureRequest) -> dict[str, Any]:
    return dict(request.param)


def test_shapes_and_ranges(scenario: str, mode: dict[str, Any]) -> None:
    conformance.check_shapes_and_ranges(make_engine(scenario, 16, **mode), range(32))


def test_only_history_and_examination_first(scenario: str, mode: dict[str, Any]) -> None:
    conformance.check_only_history_and_examination_first(make_engine(scenario, 64, **mode))


@pytest.mark.parametrize("score", ["truth", "posterior"])
def test_reward_is_the_sum_of_its_components(scenario: str, mode: dict[str, Any], score: Any) -> None:
    engine = make_engine(scenario, 16, score=score, **mode)
    conformance.check_reward_is_the_sum_of_its_components(engine, range(32))


def test_charges_before_the_end_name_nothing_hidden(scenario: str, mode: dict[str, Any]) -> None:
    conformance.check_charges_before_the_end_name_nothing_hidden(make_engine(scenario, 1, **mode), range(30))


def test_a_masked_action_changes_nothing(scenario: str, mode: dict[str, Any]) -> None:
    conformance.check_a_masked_action_changes_nothing(make_engine(scenario, 1, **mode), range(20))


def test_what_is_told_depends_only_on_what_was_revealed(scenario: str, mode: dict[str, Any]) -> None:
    engine = make_engine(scenario, 4000, **mode)
    assert conformance.check_what_is_told_depends_on_what_was_revealed(engine, 20) > 100


@pytest.mark.parametrize("budget", [None, Budget(cost_gbp=400.0, tests=3)], ids=str)
def test_altering_what_is_hidden_changes_nothing(scenario: str, mode: dict[str, Any], budget: Budget | None) -> None:
    world = make_engine(scenario, 1).world
    assert conformance.check_altering_what_is_hidden_changes_nothing(world, 200, budget=budget, **mode) > 150


def test_posterior_is_exact_at_every_step(scenario: str) -> None:
    engine = make_engine(scenario, 1, view="belief")
    conformance.check_posterior_is_exact(engine, range(60))


def test_posterior_is_exact_while_results_are_pending(scenario: str) -> None:
    engine = make_engine(scenario, 1, view="belief", results="delayed")
    conformance.check_posterior_is_exact(engine, range(60))


def test_mask_follows_the_rules(scenario: str, mode: dict[str, Any]) -> None:
    conformance.check_mask_follows_the_rules(make_engine(scenario, 1, **mode), range(30))


@pytest.mark.parametrize("budget", [Budget(cost_gbp=150.0), Budget(dose_msv=0.05), Budget(tests=2)], ids=str)
def test_mask_follows_the_rules_within_a_budget(scenario: str, mode: dict[str, Any], budget: Budget) -> None:
    engine = make_engine(scenario, 1, budget=budget, **mode)
    conformance.check_mask_follows_the_rules(engine, range(15), budget)


def test_observation_says_what_its_names_say(scenario: str, mode: dict[str, Any]) -> None:
    conformance.check_observation_says_what_its_names_say(make_engine(scenario, 1, **mode), range(20))


@pytest.mark.parametrize("mode", [*MODES, {"score": "posterior"}], ids=str)
def test_same_journeys_for_1_7_and_64_envs(scenario: str, mode: dict[str, Any]) -> None:
    world = make_engine(scenario, 1).world
    policy = conformance.random_policy(world, illegal=0.05)
    one, seven, many = (
        conformance.play(make_engine(scenario, n, seed=3, **mode), range(64), policy) for n in (1, 7, 64)
    )
    for patient, trace in one.items():
        conformance.assert_same_trace(trace, seven[patient])
        conformance.assert_same_trace(trace, many[patient])


def test_a_patient_is_the_same_whatever_is_ordered_first(scenario: str) -> None:
    """What two policies have both revealed of a patient is the same, acts that change findings apart."""
    world = make_engine(scenario, 1).world
    only, shared = np.zeros(1, np.int64), 0
    seen: dict[int, Any] = {}
    for seed, results in product(range(4), RESULTS):
        engine = make_engine(scenario, 1, results=results)  # type: ignore[arg-type]
        for patient in range(15):
            conformance.play(
                engine, range(patient, patient + 1), conformance.random_policy(world, seed=seed, stop=0.02)
            )
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
    assert shared > 200
