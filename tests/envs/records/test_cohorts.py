"""Cohorts: what is kept, why something is not, and what was true."""

from __future__ import annotations

import numpy as np
import pytest

import workup
from workup.agents.registry import make_agent
from workup.envs.compile.recorded import population_of
from workup.envs.model.codes import FAILED, NOT_ORDERED, REFUSED, RESULT
from workup.envs.model.truth import truth_of
from workup.envs.model.world import World
from workup.envs.records.absence import REASONS
from workup.envs.records.cohorts import run_cohort, together
from workup.envs.records.run import run_journeys


def _world(name: str) -> World:
    return workup.compile_world(workup.load_scenario(name))


@pytest.mark.parametrize("scenario", ["tutorial", "weight_loss", "sample", "tumour_grade"])
def test_the_truth_is_the_engine_s(scenario: str) -> None:
    world = _world(scenario)
    journeys = run_journeys(world, make_agent("all", world), patients=np.arange(800), seed=4)
    truth = truth_of(world.model, np.arange(800), 4)
    assert (truth.profile == journeys.profile).all()
    assert (truth.hidden == journeys.hidden).all()
    plain = (world.model.corrupted < 0) & (world.model.treatment < 0)
    seen = (journeys.values >= 0) & plain
    assert (truth.values[seen] == journeys.values[seen]).all()
    assert seen.sum() > 800


@pytest.mark.parametrize("scenario", ["tutorial", "weight_loss", "pulmonary_embolism"])
def test_a_cohort_is_what_the_journeys_were(scenario: str) -> None:
    world = _world(scenario)
    agent, patients = make_agent("lapse:0.2:guideline", world), np.arange(300)
    journeys = run_journeys(world, agent, patients=patients, seed=7, record=True)
    met = run_cohort(world, agent, patients=patients, seed=7)
    events = journeys.recorded()
    assert (met.values == journeys.values).all()
    assert (met.status == journeys.status).all()
    assert (met.decision == journeys.decision).all()
    assert (met.condition == journeys.condition).all()
    assert (met.steps.journey == events.journey).all()
    assert (met.steps.action == events.action).all()
    assert np.allclose(met.steps.propensity, events.propensity)
    assert np.allclose(met.steps.clock_h, events.clock_h, rtol=1e-6)
    chance = np.ones(300)
    np.multiply.at(chance, events.journey, events.propensity)
    assert np.allclose(met.path_chance, chance, rtol=1e-5)


def test_it_does_not_depend_on_how_it_was_divided() -> None:
    world = _world("tutorial")
    agent = make_agent("suspicion:serious:1", world)
    whole = run_cohort(world, agent, patients=np.arange(90), seed=0)
    parts = together([run_cohort(world, agent, patients=np.arange(at, at + 30), seed=0) for at in (0, 30, 60)])
    for frame in ("to_frame", "steps_frame", "truth_frame"):
        assert getattr(whole, frame)().equals(getattr(parts, frame)())
    chosen = whole.condition == 1
    some = whole.where(chosen)
    assert (some.patient == whole.patient[chosen]).all()
    assert some.steps_frame()["patient"].unique().sort().to_list() == sorted(whole.patient[chosen].tolist())


@pytest.mark.parametrize("scenario", ["tutorial", "weight_loss", "fever", "meningitis"])
def test_every_absence_has_its_reason(scenario: str) -> None:
    world = _world(scenario)
    met = run_cohort(world, make_agent("random", world), patients=np.arange(600), seed=2)
    item, code = world.model.item_of, met.absent
    shown = item >= 0
    status = np.where(shown, met.status[:, np.maximum(item, 0)], RESULT)
    reason = np.array(REASONS)[code]
    assert ((reason == "recorded") == ((met.values >= 0) | ~shown)).all()
    assert (status[reason == "withheld"] == RESULT).all()
    assert (status[reason == "failed"] == FAILED).all()
    assert (status[reason == "refused"] == REFUSED).all()
    never = np.char.startswith(reason, "never legal") | (reason == "not ordered")
    assert (status[never] == NOT_ORDERED).all()
    assert (reason == "not ordered").any()
    assert (reason == "never legal: requirement not met").any()
    # Of what was never legal, the mask says so at every step.
    events = run_journeys(world, make_agent("random", world), patients=np.arange(600), seed=2, record=True).recorded()
    assert len(events.journey) == len(met.steps.journey)


def test_what_nobody_writes_down_is_in_no_table() -> None:
    met = workup.cohort("gates", "gestalt:ill:1", patients=50)
    assert "impression" not in met.to_frame().columns
    assert not any("impression" in name for name in met.steps_frame().columns)
    assert "true impression" in met.truth_frame().columns


def test_recorded_patients_have_no_cohort(tmp_path) -> None:
    from workup.envs.model.cases import Cases
    from workup.envs.model.population import Population

    world = _world("tutorial")
    cases = Cases(
        np.zeros(3, np.int32), np.zeros(3, np.int32), np.full((3, len(world.model.observables)), -1, np.int16)
    )
    with pytest.raises(workup.WorkupError, match="expected a scenario"):
        run_cohort(Population(world, cases), make_agent("none", world), patients=np.arange(3), seed=0)
    assert population_of("tutorial").law_known
