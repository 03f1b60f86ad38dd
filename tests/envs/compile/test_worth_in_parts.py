"""A worth in parts becomes today's table of utilities, and everything that plays or reasons is none the wiser."""

from __future__ import annotations

import json
from itertools import product
from typing import Any

import gymnasium
import numpy as np
import pytest
from support.generated import scenario_of
from support.parts import BED_DAY, in_full, in_health_alone, split, tutorial

import workup
from workup.agents.base import Effort
from workup.agents.planning.policy_cache import cache_key
from workup.agents.registry import learner_of, make_agent
from workup.envs.compile.compile import compile_world
from workup.envs.engine.engine import Engine
from workup.envs.engine.types import Budget
from workup.envs.model.population import Population
from workup.envs.model.world import World
from workup.envs.views.env import make_engine
from workup.errors import FileFormatError, WorkupError
from workup.evaluation.optimum import Bookkeeper
from workup.evaluation.run import run_agents
from workup.scenarios.language.library import load_scenario
from workup.scenarios.language.tables import Tables


@pytest.fixture(scope="module")
def plain() -> World:
    return compile_world(load_scenario("tutorial"))


@pytest.fixture(scope="module")
def full() -> World:
    return compile_world(scenario_of(in_full()))


def states(world: World) -> list[dict[str, Any]]:
    """What every (profile, hidden state) means, in the order of the table."""
    names = (*world.model.profile_variables, *world.model.hidden_variables)
    axes = [Tables(world.scenario).axes[name].values for name in names]
    return [dict(zip(names, words, strict=True)) for words in product(*axes)]


def test_the_table_is_that_written_out_by_hand(full: World) -> None:
    d, found = full.decisions.index("treat"), full.utility_gbp.reshape(len(full.decisions), -1)
    for s, of in enumerate(states(full)):
        ill = of["condition"] == "pneumonia"
        days = (5 if of["kidney_disease"] == "yes" else 3) if ill else 1
        qaly = {"viral": -0.02, "pneumonia": -0.03 if of["kidney_disease"] == "yes" else -0.01, "lung_cancer": -0.5}
        fall = 0.01 if of["smoked"] == "ever" else 0.005
        costs = (120 if ill else 40) + days * BED_DAY + 0.05 * (0.002 * 20000 + 40) + fall * (2000 + 4 * BED_DAY)
        assert found[d, s] == pytest.approx(20000 * qaly[of["condition"]] - costs, abs=1e-9)


@pytest.mark.parametrize("data", [in_health_alone(), split()], ids=["health alone", "health, costs and beds"])
def test_the_same_worth_in_parts_is_the_same_table_and_the_same_journeys(plain: World, data: dict[str, Any]) -> None:
    world = compile_world(scenario_of(data))
    assert world.utility_gbp == pytest.approx(plain.utility_gbp, abs=1e-9)
    triage = [compile_world(of.scenario, preset="triage").utility_gbp for of in (plain, world)]
    assert (triage[0] == triage[1]).all()
    for name in ("guideline", "voi", "random"):
        one, other = (
            run_agents(w, {name: make_agent(name, w, seed=1)}, patients=120, seed=3)[name] for w in (plain, world)
        )
        assert (one.decision == other.decision).all(), name
        assert other.components == pytest.approx(one.components, abs=1e-9), name


def test_the_rate_scales_health_and_nothing_else(full: World, plain: World) -> None:
    dearer = compile_world(full.scenario, gbp_per_qaly=30000)
    assert dearer.scenario.utility.gbp_per_qaly == 30000
    of_health = compile_world(scenario_of(in_health_alone()), gbp_per_qaly=10000).utility_gbp
    d = full.decisions.index("treat")
    others = [i for i in range(len(full.decisions)) if i != d]
    assert (dearer.utility_gbp - full.utility_gbp)[others] == pytest.approx(of_health[others], abs=1e-9)
    for name in ("cost_gbp", "harm_gbp", "late_cost_gbp", "late_harm_gbp", "waiting_cost_gbp_per_h", "weights"):
        assert (getattr(dearer, name) == getattr(full, name)).all(), name
    assert (compile_world(plain.scenario, gbp_per_qaly=40000).utility_gbp == 2 * plain.utility_gbp).all()


@pytest.mark.parametrize("rate", [20000, 30000])
def test_an_amount_in_qaly_is_scaled_too(rate: float) -> None:
    """It is charged as if what it comes to had been written in pounds."""
    found = []
    for waiting, loss in (({"qaly": 0.001}, {"qaly": 0.1}), (0.001 * rate, 0.1 * rate)):
        data = tutorial()
        data["conditions"]["pneumonia"]["waiting_cost_gbp_per_day"] = waiting
        data["investigations"]["ct"]["complications"]["kidney_injury"]["loss_gbp"] = loss
        world = compile_world(scenario_of(data), gbp_per_qaly=rate)
        engine = Engine(world, 1, seed=0, score="posterior", results="delayed")
        found.append((_delay_of_a_week(engine), world.late_harm_gbp))
    assert found[0][0] == pytest.approx(found[1][0], rel=1e-9)
    assert found[0][0] < 0
    assert found[0][1] == pytest.approx(found[1][1], abs=1e-9)


def _delay_of_a_week(engine: Engine) -> float:
    """Pounds of waiting after history, examination and the slowest test, decided by the first decision."""
    names = engine.action_names
    for name in ("order history", "order examination", "order ct"):
        engine.step(np.array([names.index(name)]))
        while engine.mask[0, names.index("wait")]:
            engine.step(np.array([names.index("wait")]))
    return float(engine.step(np.array([names.index("decide reassure")])).components[0, 2])


def test_as_the_patient_sees_it_costs_weigh_nothing_and_harm_does(full: World) -> None:
    patient = compile_world(full.scenario, perspective="patient")
    assert patient.weights.tolist() == [0, 1, 1, 1]
    assert (patient.cost_gbp == full.cost_gbp).all()
    assert (patient.harm_gbp == full.harm_gbp).all()
    journeys = run_agents(patient, {"voi": make_agent("voi", patient, seed=0)}, patients=200, seed=0)["voi"]
    assert not journeys.components[:, 0].any()
    assert journeys.cost_gbp.any()
    assert journeys.components[:, 1].any()
    engine = Engine(patient, 1, seed=0, budget=Budget(cost_gbp=31))
    for name in ("order history", "order examination"):
        engine.step(np.array([engine.action_names.index(name)]))
    assert not engine.mask[0, engine.action_names.index("order ct")]
    with pytest.raises(WorkupError, match="costs have no weight in that perspective"):
        compile_world(full.scenario, perspective="patient", weights={"cost": 1})
    again = compile_world(
        patient.scenario, weights=dict(zip(("cost", "harm", "delay", "utility"), patient.weights, strict=True))
    )
    assert (again.utility_gbp == patient.utility_gbp).all()


def test_every_key_knows_the_rate_and_the_perspective(
    full: World, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    views: list[dict[str, Any]] = [{}, {"gbp_per_qaly": 30000}, {"perspective": "patient"}]
    views.append(views[1] | views[2])
    worlds = [compile_world(full.scenario, **view) for view in views]
    assert len({cache_key(world) for world in worlds}) == 4
    assert len({Bookkeeper(world).path for world in worlds}) == 4
    assert cache_key(compile_world(full.scenario, gbp_per_qaly=20000, perspective="nhs")) == cache_key(full)
    shipped = compile_world(load_scenario("weight_loss"))
    assert Bookkeeper(shipped).cache.key != Bookkeeper(compile_world(shipped.scenario, weights={"cost": 2})).cache.key


def test_a_policy_of_another_rate_is_refused(full: World, tmp_path: Any) -> None:
    learner_of("fixed").fit(
        Population(full), out=tmp_path, seed=0, effort=Effort(seconds=1.0), progress=lambda share, words: None
    )
    assert make_agent(tmp_path, full, seed=0)
    with pytest.raises(
        FileFormatError, match="Train it again on this version of the scenario, with this rate and perspective"
    ):
        make_agent(tmp_path, compile_world(full.scenario, gbp_per_qaly=30000), seed=0)


def test_python_asks_for_a_rate_and_a_perspective(tmp_path: Any) -> None:
    folder = tmp_path / "parts"
    folder.mkdir()
    (folder / "scenario.yaml").write_text(json.dumps(in_full()) + "\n...\n", encoding="utf-8")
    env: Any = gymnasium.make("workup/Journey-v0", scenario=str(folder), gbp_per_qaly=30000, perspective="patient")
    assert env.unwrapped.engine.world.scenario.utility.gbp_per_qaly == 30000
    assert env.unwrapped.engine.world.weights[0] == 0
    assert make_engine(str(folder), 2).world.scenario.utility.gbp_per_qaly == 20000, "not the one that was kept"
    found = {
        rate: workup.evaluate(folder, "none", patients=50, gbp_per_qaly=rate).agents["none"].value.mean
        for rate in (1e4, 3e4)
    }
    assert found[3e4] < found[1e4] < 0
    world = compile_world(load_scenario("tutorial"))
    with pytest.raises(WorkupError, match="gbp_per_qaly cannot change a compiled world"):
        workup.make_engine(world, 1, gbp_per_qaly=30000)
    with pytest.raises(WorkupError, match="gbp_per_qaly and perspective cannot change a compiled world"):
        workup.evaluate(world, "none", gbp_per_qaly=30000, perspective="nhs")
    with pytest.raises(WorkupError, match="nothing in control is written in QALYs"):
        make_engine("control", 1, gbp_per_qaly=30000)
