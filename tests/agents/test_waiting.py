"""Agents wait for what they ordered: with delayed results they do what they do with results at once, patient by patient."""

from __future__ import annotations

import numpy as np
import pytest
from support.shipped import SCENARIOS, some, world_of

from workup.agents.registry import make_agent
from workup.envs.compile.compile import compile_world
from workup.envs.model.codes import PENDING
from workup.envs.records.run import run_journeys
from workup.scenarios.language.library import load_scenario
from workup.scenarios.language.words.prose import explain

SERIAL = ("none", "guideline", "voi", "senior")
"""One order at a time, without a plan for results that are on their way."""
SAME = (
    "decision",
    "value",
    "components",
    "expected_components",
    "cost_gbp",
    "dose_msv",
    "tests",
    "clock_h",
    "values",
    "status",
)


@pytest.mark.parametrize("name", SCENARIOS)
@pytest.mark.parametrize("agent", SERIAL)
def test_results_that_take_their_time_change_nothing(name: str, agent: str) -> None:
    world, patients = world_of(name), np.arange(some(name, 60, 24))
    acting = make_agent(agent, world, seed=1)
    at_once, delayed = (
        run_journeys(world, acting, patients=patients, seed=5, results=results) for results in ("at_once", "delayed")
    )
    for field in SAME:
        np.testing.assert_allclose(getattr(delayed, field), getattr(at_once, field), 1e-12, 1e-9, err_msg=field)


@pytest.mark.parametrize("name", SCENARIOS)
def test_nobody_decides_while_a_result_is_on_its_way(name: str) -> None:
    world = world_of(name)
    decides = np.array([action.kind == "decide" for action in world.actions])
    for agent in (*SERIAL, "all", "random"):
        found = run_journeys(
            world, make_agent(agent, world, seed=1), patients=np.arange(16), seed=6, results="delayed", record=True
        )
        events = found.events
        assert events is not None
        pending = (events.status == PENDING).any(axis=1)
        assert not pending[decides[events.action]].any(), agent
        assert pending.any() or not (world.turnaround_h[world.opens_journey == 0] > 0).any() or agent == "none", agent


def test_a_rule_may_decide_while_others_wait() -> None:
    """Blood in a feverless smoker is referred although more was ordered; everything else stays as it was."""
    scenario = load_scenario("tutorial")
    rules = [rule.model_copy(update={"even_if_pending": rule.do == "refer"}) for rule in scenario.guideline]
    hasty = compile_world(scenario.model_copy(update={"guideline": tuple(rules)}))
    usual, ids = world_of("tutorial"), np.arange(3000)
    kept = run_journeys(usual, make_agent("guideline", usual), patients=ids, seed=7, results="delayed")
    found = run_journeys(hasty, make_agent("guideline", hasty), patients=ids, seed=7, results="delayed")
    pending = (found.status == PENDING).any(axis=1)
    names, refer = usual.model.observables, usual.decisions.index("refer")
    says = [
        kept.values[:, names.index(name)] == usual.model.network.variable(name).values.index(word)
        for name, word in (("haemoptysis", "yes"), ("smoked", "ever"), ("fever", "no"))
    ]
    meant = np.logical_and.reduce(says)
    assert meant[pending].all()
    assert pending.sum() > 0.5 * meant.sum() > 1
    assert (found.clock_h < kept.clock_h)[pending].all()
    assert (found.status[:, usual.opens_journey > 0] != PENDING).all()  # history and examination are waited for
    assert (found.decision[pending] == refer).all()
    for field in SAME:
        np.testing.assert_array_equal(getattr(found, field)[~pending], getattr(kept, field)[~pending], err_msg=field)
    told = explain(hasty.scenario)
    label = scenario.decisions["refer"].label
    assert told.count(f"**{label}**, without waiting for what is still pending. ") == 1
    assert "without waiting" not in explain(scenario)
    one, other = (run_journeys(each, make_agent("guideline", each), patients=ids, seed=7) for each in (usual, hasty))
    for field in SAME:
        np.testing.assert_array_equal(getattr(one, field), getattr(other, field), err_msg=field)
