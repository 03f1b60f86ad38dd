"""Journey records: whole, the same whatever the batch, and the same again when read from a file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from numpy.typing import NDArray

from workup.envs.engine.types import Budget, JourneyView
from workup.envs.model.belief import posterior_weights
from workup.envs.model.codes import COMPONENTS, MISSING, STATUS_NAMES
from workup.envs.model.world import World
from workup.envs.records.files import write_json, write_parquet
from workup.envs.records.journeys import Events, Journeys
from workup.envs.records.narrative import journey_in_words
from workup.envs.records.run import FunctionAgent, run_journeys
from workup.envs.testing.traces import play
from workup.envs.views.env import make_engine
from workup.envs.views.registration import scenario_folders
from workup.errors import WorkupError

N = 50


@pytest.fixture(scope="module", params=scenario_folders())
def world(request: pytest.FixtureRequest) -> World:
    return make_engine(str(request.param), 1).world


def by_what_is_known(world: World, stop: float = 0.1) -> Any:
    """A random policy that chooses by what was revealed alone, as an agent must; decisions now and then."""
    first_decision = len(world.actions) - len(world.decisions)

    def act(view: JourneyView) -> NDArray[np.int64]:
        chosen = []
        for row in range(len(view.mask)):
            known = [*view.values[row].astype(np.int64) + 2, *view.status[row].astype(np.int64), int(view.step[row])]
            rng = np.random.default_rng(known)
            onward = np.flatnonzero(view.mask[row, :first_decision])
            legal = onward if onward.size and rng.random() >= stop else np.flatnonzero(view.mask[row])
            chosen.append(rng.choice(legal))
        return np.array(chosen, np.int64)

    return act


@pytest.fixture(scope="module", params=["at_once", "delayed"])
def journeys(request: pytest.FixtureRequest, world: World) -> Journeys:
    return run(world, results=request.param)


def run(world: World, **settings: Any) -> Journeys:
    agent = FunctionAgent("random", by_what_is_known(world))
    return run_journeys(world, agent, **{"patients": np.arange(N), "seed": 3, "record": True, **settings})


def events_of(journeys: Journeys) -> Events:
    assert journeys.events is not None
    return journeys.events


def test_components_of_the_events_sum_to_those_of_the_journey_and_to_its_value(journeys: Journeys) -> None:
    events = events_of(journeys)
    total = np.zeros((N, 4))
    np.add.at(total, events.journey, events.components)
    np.testing.assert_allclose(total, journeys.components, atol=1e-9)
    np.testing.assert_allclose(journeys.components.sum(axis=1), journeys.value, atol=1e-9)
    last = np.flatnonzero(np.diff(events.journey, append=N))
    before_the_end = np.ones(len(events.step), bool)
    before_the_end[last] = False
    assert not events.components[before_the_end, 2:].any()


def test_events_follow_each_other(journeys: Journeys) -> None:
    events, world = events_of(journeys), journeys.world
    for j in range(N):
        rows = events.journey == j
        assert events.step[rows].tolist() == list(range(rows.sum()))
        np.testing.assert_array_equal(events.clock_h[rows][1:], events.clock_after_h[rows][:-1])
        assert (events.clock_after_h[rows] >= events.clock_h[rows]).all()
        np.testing.assert_array_equal(events.values[rows][-1], journeys.values[j])
        np.testing.assert_array_equal(events.status[rows][-1], journeys.status[j])
        np.testing.assert_allclose(events.condition_posterior[rows][-1], journeys.condition_posterior[j])
        action = world.actions[events.action[rows][-1]]
        assert journeys.decision[j] == action.decision
    np.testing.assert_allclose(events.condition_posterior.sum(axis=1), 1.0, atol=1e-9)


def test_rewards_are_those_of_the_environment(world: World) -> None:
    journeys = run(world)
    events, engine = events_of(journeys), make_engine(world, 1, seed=3)
    for j in range(0, N, 5):
        actions = events.action[events.journey == j].tolist()
        trace = play(engine, range(j, j + 1), lambda _, step, __, a=actions: a[step])[j]  # type: ignore[misc]
        np.testing.assert_array_equal(np.array(trace.components), events.components[events.journey == j])


@pytest.mark.parametrize("batch", [1, 7, 64])
def test_the_batch_changes_no_result(world: World, batch: int) -> None:
    whole = run(world)
    for other in (run(world, batch=batch), run(world, patients=np.arange(N)[::-1], batch=batch)):
        order = np.argsort(other.patient)
        for name in ("decision", "condition", "value", "components", "expected_components", "values", "status", "v0"):
            np.testing.assert_array_equal(getattr(other, name)[order], getattr(whole, name), err_msg=name)
        if other.patient[0] == 0:
            for name in ("journey", "step", "action", "clock_h", "components", "condition_posterior", "values"):
                np.testing.assert_array_equal(getattr(other.events, name), getattr(whole.events, name), err_msg=name)


def test_parquet_tells_all_that_happened(journeys: Journeys, tmp_path: Path) -> None:
    path, events, world = tmp_path / "journeys.parquet", events_of(journeys), journeys.world
    write_parquet(journeys, path)
    frame = pl.read_parquet(path)
    assert frame.height == len(events.step)
    for name in ("step", "visit", "clock_h", "clock_after_h"):
        np.testing.assert_array_equal(frame[name].to_numpy(), getattr(events, name))
    np.testing.assert_array_equal(frame["patient"].to_numpy(), journeys.patient[events.journey])
    assert frame["action"].to_list() == [world.actions[a].name for a in events.action]
    assert set(frame["seed"]) == {3}
    for c, name in enumerate(COMPONENTS):
        np.testing.assert_array_equal(frame[f"{name}_gbp"].to_numpy(), events.components[:, c])
    for c, name in enumerate(world.model.conditions):
        np.testing.assert_array_equal(frame[f"P({name})"].to_numpy(), events.condition_posterior[:, c])
    for o, name in enumerate(world.model.observables):
        assert codes(world, name, frame[name].to_list()) == events.values[:, o].tolist()
        if f"{name} number" in frame.columns:
            read = frame[f"{name} number"].fill_null(float("nan")).to_numpy()
            np.testing.assert_array_equal(read, events.numbers[:, o])
        else:
            assert np.isnan(events.numbers[:, o]).all()
    for i, name in enumerate(world.items):
        assert [STATUS_NAMES.index(word) for word in frame[f"{name} status"]] == events.status[:, i].tolist()
    decided = [None if d < 0 else world.decisions[d] for d in journeys.decision[events.journey]]
    assert frame["decision"].to_list() == decided
    assert frame["true condition"].to_list() == [world.model.conditions[c] for c in journeys.condition[events.journey]]
    reward = frame.select(pl.sum_horizontal([f"{name}_gbp" for name in COMPONENTS])).to_series()
    values = frame.with_columns(reward=reward).group_by("patient").agg(pl.col("reward").sum()).sort("patient")
    np.testing.assert_allclose(values["reward"].to_numpy(), journeys.value, atol=1e-9)


def codes(world: World, name: str, words: list[str | None]) -> list[int]:
    values = world.model.network.variable(name).values
    return [-1 if word is None else MISSING if word == "missing" else values.index(word) for word in words]


def test_json_tells_all_that_happened(journeys: Journeys, tmp_path: Path) -> None:
    path, events, world = tmp_path / "journeys.json", events_of(journeys), journeys.world
    write_json(journeys, path)
    content = json.loads(path.read_text(encoding="utf-8"))
    assert (content["agent"], content["seed"], content["scenario"]) == ("random", 3, world.scenario.id)
    assert content["scenario_digest"] == world.scenario.digest
    assert [told["patient"] for told in content["journeys"]] == journeys.patient.tolist()
    m = 0
    for j, told in enumerate(content["journeys"]):
        assert told["value_gbp"] == journeys.value[j]
        assert list(told["components_gbp"].values()) == journeys.components[j].tolist()
        assert list(told["expected_components_gbp"].values()) == journeys.expected_components[j].tolist()
        assert sum(told["components_gbp"].values()) == pytest.approx(told["value_gbp"])
        assert told["true_condition"] == world.model.conditions[journeys.condition[j]]
        assert (told["v0_gbp"] is None) == np.isnan(journeys.v0[j])
        values, status = dict.fromkeys(world.model.observables), dict.fromkeys(world.items, "not ordered")
        for event in told["events"]:
            assert event["action"] == world.actions[events.action[m]].name
            assert list(event["components_gbp"].values()) == events.components[m].tolist()
            assert list(event["posterior"].values()) == events.condition_posterior[m].tolist()
            assert (event["clock_h"], event["clock_after_h"]) == (events.clock_h[m], events.clock_after_h[m])
            values |= {name: result["value"] for name, result in event["results"].items()}
            status |= event["status"]
            found = [codes(world, name, [word])[0] for name, word in values.items()]
            assert found == events.values[m].tolist()
            assert [STATUS_NAMES.index(word) for word in status.values()] == events.status[m].tolist()
            m += 1
    assert m == len(events.step)


def test_journeys_without_events_are_not_written(world: World, tmp_path: Path) -> None:
    plain = run(world, record=False)
    for write in (write_parquet, write_json):
        with pytest.raises(WorkupError, match="record=True"):
            write(plain, tmp_path / "file")
    assert not list(tmp_path.iterdir())
    with pytest.raises(WorkupError, match="record=True"):
        journey_in_words(plain, 0)


def test_v0_is_the_best_decision_at_the_presentation(world: World) -> None:
    """Deciding right after history and examination, as well as can be, is worth V0 in expectation."""
    first = [i for i, opens in enumerate(world.opens_journey) if opens]

    def act(view: JourneyView) -> NDArray[np.int64]:
        asked = [view.mask[:, i] for i in first]
        decide = len(world.actions) - len(world.decisions) + best(view)
        return np.select(asked, first, decide).astype(np.int64)

    def best(view: JourneyView) -> NDArray[np.int64]:
        belief = posterior_weights(world.model, view.values, view.status, view.failures, view.treated)
        worth = np.einsum("nkh,dkh->nd", belief, world.utility_gbp)
        return np.asarray(np.where(view.mask[:, -len(world.decisions) :], worth, -np.inf).argmax(axis=1))

    journeys = run_journeys(world, FunctionAgent("v0", act), patients=np.arange(60), seed=1)
    np.testing.assert_allclose(journeys.v0, journeys.expected_components.sum(axis=1), rtol=0, atol=0.02)


def test_an_action_that_does_not_exist_ends_in_truncation(world: World) -> None:
    journeys = run_journeys(
        world,
        FunctionAgent("none", lambda view: np.full(len(view.mask), -1)),
        patients=np.arange(3),
        seed=0,
        record=True,
    )
    assert (journeys.decision == -1).all()
    assert len(events_of(journeys).step) == 3 * world.max_steps


def test_what_cannot_be_run_is_refused(world: World) -> None:
    with pytest.raises(WorkupError, match="one or more ids"):
        run(world, patients=np.array([], np.int64))
    with pytest.raises(WorkupError, match="shape"):
        run_journeys(world, FunctionAgent("x", lambda _: np.zeros(1, np.int64)), patients=np.arange(3), seed=0)


def test_a_budget_holds_in_every_event(world: World) -> None:
    journeys = run(world, budget=Budget(tests=2, cost_gbp=150.0))
    assert journeys.tests.max() <= 2
    assert journeys.cost_gbp.max() <= 150.0 + 1e-9
    assert run(world).tests.max() > 2
