"""Suspicion, gestalt and lapses: what they say of themselves is what they do."""

from __future__ import annotations

import math

import numpy as np
import pytest

import workup
from workup.agents.acting import distribution
from workup.agents.baselines.suspicion import Suspicion, unrecorded
from workup.agents.registry import make_agent
from workup.envs.model.codes import RESULT
from workup.envs.model.world import World
from workup.envs.records.cohorts import run_cohort
from workup.envs.records.run import run_journeys
from workup.errors import UnknownNameError, WorkupError


def _world(name: str) -> World:
    return workup.compile_world(workup.load_scenario(name))


def test_a_stage_is_as_likely_as_the_formula_says() -> None:
    world = _world("two_by_two")
    journeys = run_journeys(world, make_agent("suspicion:ill:1.5", world), patients=np.arange(200), seed=1, record=True)
    events, biopsy = journeys.recorded(), next(i for i, a in enumerate(world.actions) if a.name == "order biopsy")
    ordered = events.action == biopsy
    test = journeys.values[events.journey[ordered], world.model.observables.index("test")]
    prior, given = 0.2, np.array([0.2 * 0.2 / (0.2 * 0.2 + 0.8 * 0.85), 0.2 * 0.8 / (0.2 * 0.8 + 0.8 * 0.15)])
    log_odds = np.log(given / (1 - given)) - math.log(prior / (1 - prior))
    expected = 1 / (1 + np.exp(-(math.log(0.3 / 0.7) + 1.5 * log_odds)))
    assert set(test) == {0, 1}
    assert np.allclose(events.propensity[ordered], expected[test])


@pytest.mark.parametrize(
    ("scenario", "policy"),
    [
        ("gates", "suspicion:ill:0.7"), ("gates", "gestalt:ill:0.7"), ("weight_loss", "suspicion:cancer:0.5"), ("sample", "suspicion"),
        ("film_and_slide", "lapse:0.3:guideline"), ("tutorial", "lapse:0.2:random"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("results", ["at_once", "delayed"])
def test_propensities_are_frequencies(scenario: str, policy: str, results: str) -> None:
    world = _world(scenario)
    agent = make_agent(policy, world)
    met = run_cohort(world, agent, patients=np.arange(3_000), seed=3, delayed=results == "delayed")
    # In bands of probability, something of a tier is ordered as often as the steps said it would be.
    tiers = np.array([world.tier[max(a.items)] if a.items else "" for a in world.actions])
    steps, found = met.steps, []
    for t, tier in enumerate(("bedside", "bloods", "imaging", "invasive", "molecular")):
        said, did = steps.stage_chance[:, t].astype(np.float64), tiers[steps.action] == tier
        for low in np.arange(0.0, 1.0, 0.05):
            band = (said > low) & (said <= low + 0.05) & (said < 1.0 - 1e-6)
            if band.sum() >= 200:
                spread = math.sqrt((said[band] * (1 - said[band])).sum())
                found.append((did[band].sum() - said[band].sum()) / spread)
        assert did[said > 1.0 - 1e-6].all()
        assert not did[said == 0.0].any()
    assert found
    assert np.abs(found).max() < 4.5


def test_gestalt_listens_to_what_suspicion_leaves_out() -> None:
    world = _world("gates")
    assert [name for name, out in zip(world.model.observables, unrecorded(world), strict=True) if out] == ["impression"]
    seen: dict[str, list[float]] = {}
    for policy in ("suspicion:ill:1", "gestalt:ill:1"):
        met = run_cohort(world, make_agent(policy, world), patients=np.arange(30_000), seed=0)
        first, impression = (
            met.values[:, world.model.observables.index(name)] for name in ("first_look", "impression")
        )
        blood = met.status[:, world.items.index("blood")] == RESULT
        alike = first == 12  # the same first look
        seen[policy] = [blood[alike & (impression == code)].mean() for code in (0, 1)]
    assert abs(seen["suspicion:ill:1"][1] - seen["suspicion:ill:1"][0]) < 0.05
    assert seen["gestalt:ill:1"][1] - seen["gestalt:ill:1"][0] > 0.15


def test_the_model_and_the_engine_suspect_alike() -> None:
    world = _world("weight_loss")
    agent = Suspicion(world, "cancer", slope=0.5)
    from workup.envs.engine.engine import Engine
    from workup.envs.records.run import view_for

    engine = Engine(world, 64, seed=5, view="belief")
    from workup.agents.opening import open_journeys

    open_journeys(engine)
    view = view_for(agent, engine, np.arange(64))
    told = agent.suspicion(view)
    from dataclasses import replace

    asked = agent.suspicion(replace(view, condition_posterior=None))
    assert np.allclose(told, asked, atol=1e-9)


def test_a_lapse_orders_something_else_and_nothing_but_orders() -> None:
    world = _world("weight_loss")
    agent, own = make_agent("lapse:0.25:guideline", world), make_agent("guideline", world)
    from workup.envs.engine.engine import Engine
    from workup.envs.records.run import view_for

    engine = Engine(world, 128, seed=2, view="belief")
    orders = np.array([a.kind in ("order", "set") for a in world.actions])
    for _ in range(6):
        view = view_for(own, engine, np.arange(128))
        chances, does = distribution(agent, view), own.act(view)
        rows = np.arange(128)
        others = view.mask & orders
        others[rows, does] = False
        any_other = others.any(axis=1)
        assert np.allclose(chances.sum(axis=1), 1.0)
        assert np.allclose(chances[rows, does], np.where(any_other, 0.75, 1.0))
        share = 0.25 / np.maximum(others.sum(axis=1), 1)
        assert np.allclose(chances[others], np.repeat(share, others.sum(axis=1)))
        engine.step(does)


@pytest.mark.parametrize(
    ("policy", "error", "says"),
    [
        ("suspicion:cancr:1", UnknownNameError, "did you mean 'cancer'"),
        ("suspicion:cancer:steep", WorkupError, "'steep' is no number"),
        ("suspicion:cancer:-1", WorkupError, "a slope of 0 or more"),
        ("gestalt:cancer:1", WorkupError, "recorded: false"),
        ("lapse:2:guideline", WorkupError, "EPS from 0 to 1"),
        ("lapse:0.1:", WorkupError, "lapse:EPS:POLICY"),
        ("lapse:0.1:guidline", UnknownNameError, "guidline"),
    ],
)
def test_what_is_asked_wrongly_is_said(policy: str, error: type[Exception], says: str) -> None:
    with pytest.raises(error, match=says):
        make_agent(policy, _world("weight_loss"))


def test_without_a_group_it_asks_which() -> None:
    world = _world("tutorial")
    with pytest.raises(WorkupError, match="suspicion of what"):
        make_agent("suspicion", world)
