"""The risk just before an order, against the network asked with what was known then; and whom the weight-loss guideline scans."""

from __future__ import annotations

import numpy as np
import pytest

from workup.agents.registry import make_agent
from workup.benchmarks.risk_before import risk_before
from workup.envs.compile.compile import compile_world
from workup.envs.records.journeys import Journeys
from workup.envs.records.run import run_journeys
from workup.scenarios.language.library import load_scenario


def recorded(scenario: str, patients: int) -> Journeys:
    world = compile_world(load_scenario(scenario))
    return run_journeys(world, make_agent("guideline", world), patients=np.arange(patients), seed=0, record=True)


def test_is_what_the_network_says_of_the_facts_known_before_the_order() -> None:
    journeys = recorded("weight_loss", 60)
    events, world = journeys.recorded(), journeys.world
    network, item = world.model.network, world.items.index("chest_xray")
    expected = []
    for j in range(60):
        rows = np.flatnonzero(events.journey == j)
        ordered = [r for r in rows if events.status[r, item] != 0]
        if not ordered:
            continue
        known = events.values[ordered[0] - 1]
        facts = {
            name: network.variable(name).values[code]
            for name, code in zip(world.model.observables, known, strict=True)
            if code >= 0
        }
        posterior = network.posterior("condition", facts)
        expected.append(sum(posterior[name] for name in world.scenario.groups["cancer"]))
    assert len(expected) > 20
    assert risk_before(journeys, "chest_xray", "cancer") == pytest.approx(expected, abs=1e-9)


def test_one_condition_is_a_group_of_its_own() -> None:
    journeys = recorded("weight_loss", 60)
    sites = sum(risk_before(journeys, "fit_test", name) for name in journeys.world.scenario.groups["cancer"])
    assert risk_before(journeys, "fit_test", "cancer") == pytest.approx(sites)


def test_an_order_that_nobody_places_has_no_risk() -> None:
    assert risk_before(recorded("weight_loss", 20), "ngs_panel", "cancer").shape == (0,)


def test_the_weight_loss_guideline_scans_whom_it_is_written_for() -> None:
    risk = risk_before(recorded("weight_loss", 1000), "ct_cap", "cancer")
    assert len(risk) > 80
    assert np.median(risk) >= 0.02
    assert (risk < 0.01).mean() < 0.10
