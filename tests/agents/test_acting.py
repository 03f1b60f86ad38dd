"""Agents that say how likely each action is: what is drawn, what is recorded, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Literal

import numpy as np
import polars as pl
import pytest
from numpy.typing import NDArray

import workup
from workup.agents.acting import behaviour, distribution, drawn, take
from workup.agents.base import StochasticAgent
from workup.agents.registry import make_agent
from workup.agents.testing import check_agent_conforms
from workup.envs.engine.engine import Engine
from workup.envs.engine.types import JourneyView
from workup.envs.model import randomness
from workup.envs.model.randomness import BEHAVIOUR, patient_key, seed_key, uniform
from workup.envs.model.world import World
from workup.envs.records.event_logs import write_csv, write_xes
from workup.envs.records.files import write_json, write_parquet
from workup.envs.records.run import FunctionAgent, run_journeys
from workup.errors import WorkupError
from workup.vignettes.check import run_vignettes
from workup.vignettes.mutation.mutants import Deciding, Towards, Without


class Hesitant(StochasticAgent):
    """With probability a half as another agent, else anything legal."""

    needs: Literal["raw", "belief"] | None = "belief"

    def __init__(self, world: World, *, seed: int, other: str = "guideline", name: str = "hesitant") -> None:
        self.name = name
        self._other = make_agent(other, world, seed=seed)

    def probabilities(self, view: JourneyView) -> NDArray[np.float64]:
        legal = view.mask / view.mask.sum(axis=1, keepdims=True)
        return 0.5 * distribution(self._other, view) + 0.5 * legal


class Spoilt(Hesitant):
    """With something done to the third of its rows, once it is there."""

    def __init__(self, world: World, spoil: Any) -> None:
        super().__init__(world, seed=0, name="spoilt")
        self._spoil = spoil

    def probabilities(self, view: JourneyView) -> NDArray[np.float64]:
        found = super().probabilities(view)
        return np.asarray(self._spoil(found, view))


def test_a_draw_is_that_of_the_counter_and_of_a_stream_of_its_own() -> None:
    patients, steps = np.array([0, 1, 7, 2**40]), np.array([0, 3, 39, 2**20], np.int32)
    for seed in (0, 5, 2**63 - 1):
        keys = [patient_key(seed_key(seed), np.int64(patient)) for patient in patients]
        expected = [uniform(key, BEHAVIOUR + int(step)) for key, step in zip(keys, steps, strict=True)]
        assert behaviour(seed, patients, steps).tolist() == expected
    room = 1 << 24
    streams = {
        name: of for name, of in vars(randomness).items() if name.isupper() and isinstance(of, int) and of >= room
    }
    assert len(streams) == len(set(streams.values())) >= 8
    assert all(of % room == 0 for of in streams.values())


def test_draws_are_uniform_and_do_not_follow_from_one_another() -> None:
    n = 200_000
    u = behaviour(3, np.repeat(np.arange(n // 10), 10), np.tile(np.arange(10, dtype=np.int32), n // 10))
    assert abs(u.mean() - 0.5) < 4 / (12 * n) ** 0.5
    for a, b in ((u[1:], u[:-1]), (u[10:], u[:-10])):
        assert abs(np.corrcoef(a, b)[0, 1]) < 4 / n**0.5


def test_what_is_drawn_has_the_probabilities_and_never_none(world: World) -> None:
    law = np.array([0.0, 0.2, 0.0, 0.5, 0.3, 0.0])
    u = (np.arange(1000) + 0.5) / 1000
    assert (np.bincount(drawn(np.tile(law, (1000, 1)), u), minlength=6) == 1000 * law).all()
    least, most = np.zeros(1), np.array([1 - 2.0**-53])
    for whole in (1 - 1e-10, 1.0, 1 + 1e-10):
        assert drawn(law[None] * whole, least).tolist() == [1]
        assert drawn(law[None] * whole, most).tolist() == [4]


def test_every_action_taken_has_its_probability_on_record(world: World, tmp_path: Path) -> None:
    agent = Hesitant(world, seed=0)
    found = check_agent_conforms(lambda world, *, seed: Hesitant(world, seed=seed), world, patients=120, seed=2)
    events = found.recorded()
    assert 0 < events.propensity.min() < 0.5 < events.propensity.max() <= 1
    engine = Engine(world, 1, seed=2, view="belief")
    for patient in (0, 5, 11):
        engine.reset(patients=np.array([patient]))
        for row in np.flatnonzero(events.journey == patient):
            chances = agent.probabilities(engine.journey_view(observation=True))
            assert events.propensity[row] == pytest.approx(chances[0, events.action[row]], rel=1e-9)
            engine.step(events.action[[row]].astype(np.int64))
    # Weighted by what makes it unlikely, each legal action counts once: the mean of 1/p is their number.
    legal, first = int(Engine(world, 1, seed=2).mask.sum()), events.step == 0
    assert np.mean(1 / events.propensity[first]) == pytest.approx(legal, abs=1.0)
    written(found, tmp_path)


def written(found: workup.Journeys, folder: Path) -> None:
    """In every kind of file."""
    events = found.recorded()
    write_parquet(found, folder / "j.parquet")
    assert pl.read_parquet(folder / "j.parquet")["propensity"].to_list() == events.propensity.tolist()
    write_json(found, folder / "j.json")
    told = json.loads((folder / "j.json").read_text())["journeys"]
    assert [step["propensity"] for journey in told for step in journey["events"]] == events.propensity.tolist()
    write_csv(found, folder / "j.csv")
    log = pl.read_csv(folder / "j.csv")
    assert set(log["propensity"]) <= set(events.propensity.tolist())
    assert log.filter(pl.col("tier") == "decision")["propensity"].to_list() == events.propensity[
        np.append(events.journey[1:] != events.journey[:-1], True) & np.isin(events.journey, np.flatnonzero(found.decision >= 0))
    ].tolist()  # fmt: skip
    write_xes(found, folder / "j.xes")
    xes = (folder / "j.xes").read_text()
    assert xes.count('<float key="propensity"') == len(log)
    assert f'<float key="propensity" value="{log["propensity"][0]!r}"/>' in xes


@pytest.mark.parametrize("results", ["at_once", "delayed"])
def test_the_draws_of_a_patient_are_the_same_in_any_batch(world: World, results: Literal["at_once", "delayed"]) -> None:
    agent, some = make_agent("random", world), np.array([41, 3, 17])
    whole, few = (
        run_journeys(world, agent, patients=ids, seed=4, results=results, record=True, batch=batch).recorded()
        for ids, batch in ((np.arange(60), 60), (some, 2))
    )
    for row, patient in enumerate(some):
        assert whole.action[whole.journey == patient].tolist() == few.action[few.journey == row].tolist()
    other = run_journeys(world, agent, patients=np.arange(60), seed=5, results=results, record=True).recorded()
    assert other.action[:60].tolist() != whole.action[:60].tolist()


def test_an_agent_that_draws_nothing_has_propensity_one(world: World) -> None:
    found = run_journeys(world, make_agent("guideline", world), patients=np.arange(9), seed=0, record=True).recorded()
    assert found.propensity.dtype == np.float64
    assert (found.propensity == 1.0).all()


def _cell(value: float) -> Any:
    def spoil(found: NDArray[np.float64], view: JourneyView) -> NDArray[np.float64]:
        found[2, view.mask[2].argmax()] = value
        return found

    return spoil


def _illegal(found: NDArray[np.float64], view: JourneyView) -> NDArray[np.float64]:
    found[2, view.mask[2].argmin()] = 0.25
    return found


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (_cell(np.nan), r"spoilt, patient 8, step 0: 'order history' has probability nan; expected finite"),
        (_cell(-0.1), r"spoilt, patient 8, step 0: 'order history' has probability -0.1; expected finite .* 0 or more"),
        (_illegal, r"spoilt, patient 8, step 0: 'order .*' has probability 0.25; expected 0: it is not legal"),
        (_cell(0.9), r"spoilt, patient 8, step 0: 'order history' .* 0.9; and all together 1.15; expected 1 within 1e-08"),
        (lambda found, view: found[:, :-1], r"shape \(4, 13\) for 4 journeys and 14 actions; expected \(4, 14\)"),
    ],
)  # fmt: skip
def test_what_are_no_probabilities_is_refused_with_its_place(world: World, spoil: Any, message: str) -> None:
    with pytest.raises(WorkupError, match=message):
        run_journeys(world, Spoilt(world, spoil), patients=np.array([2, 4, 8, 16]), seed=0)


def test_an_agent_that_is_drawn_does_not_act_without_a_patient(world: World) -> None:
    agent, view = make_agent("random", world), Engine(world, 2, seed=0, view="belief").journey_view(observation=True)
    with pytest.raises(WorkupError, match=r"random are drawn.*agents\.acting\.take"):
        agent.act(view)
    taken = take(agent, view, seed=0, patients=np.arange(2))
    assert view.mask[np.arange(2), taken.action].all()


def test_actions_that_are_no_whole_numbers_are_refused(world: World) -> None:
    halves = FunctionAgent("halves", lambda view: np.full(len(view.step), 0.5))
    with pytest.raises(WorkupError, match="halves returned actions of type float64; expected whole numbers"):
        run_journeys(world, halves, patients=np.arange(3), seed=0)


class WithoutSeed(Hesitant):
    """Goes by who else is there."""

    def probabilities(self, view: JourneyView) -> NDArray[np.float64]:
        found = super().probabilities(view)
        alone = np.zeros_like(found)
        alone[np.arange(len(found)), found.argmax(axis=1)] = 1.0
        return found if len(found) > 1 else 0.999 * alone + 0.001 * found


class Narrow(Hesitant):
    def probabilities(self, view: JourneyView) -> Any:
        return super().probabilities(view).astype(np.float32)


class Scribbler(Hesitant):
    def probabilities(self, view: JourneyView) -> NDArray[np.float64]:
        view.clock_h[:] = 1.0
        return super().probabilities(view)


@pytest.mark.parametrize(
    ("fault", "message"),
    [(WithoutSeed, "in batches of 1, .* before"), (Narrow, "type float32"), (Scribbler, "changed clock_h of the view")],
)
def test_conformance_tells_what_is_wrong_with_probabilities(world: World, fault: type[Hesitant], message: str) -> None:
    with pytest.raises(WorkupError, match=message):
        check_agent_conforms(lambda world, *, seed: fault(world, seed=seed), world, patients=40)


def test_agents_made_from_one_that_draws_draw_too(world: World) -> None:
    ids, ct = np.arange(200), world.item("ct")
    base = make_agent("random", world)

    def run(agent: workup.Agent) -> workup.Journeys:
        return run_journeys(world, agent, patients=ids, seed=1, record=True)

    played = run(base)
    ordered = played.status[:, ct] != 0
    assert 0 < ordered.sum() < 200
    assert not run(Without(base, frozenset({ct}))).status[:, ct].any()
    assert set(run(Deciding(base, 2)).decision.tolist()) == {2}
    towards = run(Towards(base, [0], lambda view: view.step == 0)).recorded()
    assert (towards.propensity[towards.step == 0] == 1.0).all()
    assert (towards.propensity < 1.0).any()


def test_vignettes_and_comparisons_take_agents_that_draw(world: World) -> None:
    name = next(iter(world.scenario.vignettes))
    found = run_vignettes(world, make_agent("random", world), only=[name], draws=30)[name].recorded()
    assert (found.propensity < 1.0).any()

    class Bare:
        """Offers probabilities and nothing else."""

        name, needs = "bare", None

        def probabilities(self, view: JourneyView) -> NDArray[np.float64]:
            return np.asarray(view.mask / view.mask.sum(axis=1, keepdims=True))

    told = workup.evaluate(world, {"bare": Bare(), "random": "random"}, patients=30)
    assert set(told.agents) == {"bare", "random"}
