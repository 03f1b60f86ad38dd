"""Junior and senior err by as much as they say, in every scenario, on patients they were not fitted to."""

from __future__ import annotations

import numpy as np
import pytest

from workup.agents.baselines.clinicians import JUNIOR_SD, SENIOR_SD
from workup.agents.baselines.erring import SEED, erring, errors, figure_sd, presented
from workup.agents.opening import journey_is_open
from workup.agents.registry import make_agent
from workup.envs.compile.compile import compile_world
from workup.envs.engine.engine import Engine
from workup.envs.model.world import World
from workup.scenarios.language.library import load_scenario, shipped_scenarios

NAMES = shipped_scenarios()
TOLERANCE = {"junior": (JUNIOR_SD, 0.1), "senior": (SENIOR_SD, 0.05)}
PATIENTS = 300


@pytest.mark.parametrize("scenario", NAMES)
def test_log_odds_after_history_and_examination_err_by_as_much_as_stated(scenario: str) -> None:
    world = compile_world(load_scenario(scenario))
    view = presented(world, patients=PATIENTS, seed=SEED + 1)
    assert journey_is_open(view).all()
    for name, (sd, within) in TOLERANCE.items():
        knowledge = make_agent(name, world)._ahead.world  # type: ignore[attr-defined]
        assert errors(world, knowledge, view).std() == pytest.approx(sd, abs=within), name


def test_errors_are_those_of_the_network(world: World) -> None:
    """By variable elimination, which shares nothing with the posterior that the agent uses."""
    knowledge = erring(world, 0.7, seed=4)
    view = presented(world, patients=6, seed=1)
    expected: list[float] = []
    axes = {v.name: v.values for v in world.model.network.variables}
    for values in view.values:
        known = {
            name: axes[name][code]
            for name, code in zip(world.model.observables, values.tolist(), strict=True)
            if code >= 0
        }
        true, believed = (w.model.network.posterior("condition", known) for w in (world, knowledge))
        for condition, p in true.items():
            if 0.005 <= p <= 0.995:
                q = believed[condition]
                expected.append(float(np.log(q / (1 - q)) - np.log(p / (1 - p))))
    np.testing.assert_allclose(errors(world, knowledge, view), expected, rtol=0, atol=1e-9)


def test_the_size_is_the_same_again_and_whoever_else_there_is(world: World) -> None:
    again = compile_world(world.scenario)
    first = figure_sd(world, 1.0, seed=3)
    make_agent("senior", again, seed=9)
    assert figure_sd(again, 1.0, seed=3) == first
    assert figure_sd(world, 1.0, seed=4) != first
    assert figure_sd(world, 0.0, seed=3) == 0.0


def test_other_seeds_err_by_as_much_too(world: World) -> None:
    view = presented(world, patients=PATIENTS, seed=SEED + 2)
    for seed in range(5):
        knowledge = erring(world, figure_sd(world, 1.0, seed=seed), seed=seed)
        assert errors(world, knowledge, view).std() == pytest.approx(1.0, abs=0.1), seed


def test_where_nothing_is_in_doubt_figures_err_by_the_size_itself(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workup.agents.baselines.erring.BETWEEN", (0.9999999, 0.99999991))
    assert figure_sd(world, 0.4, seed=77) == 0.4


def test_journeys_that_are_measured_have_only_been_opened(world: World) -> None:
    view = presented(world, patients=20, seed=3)
    engine = Engine(world, 20, seed=3)
    assert (view.tests == 0).all()
    assert (engine.journey_view().values[:, : world.model.n_known_at_start] >= 0).all()
