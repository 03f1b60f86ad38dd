"""Every agent that has a name keeps to the contract, on both scenarios, and so does what was saved; what does not is told."""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pytest
from numpy.typing import NDArray
from support.places import ROOT

from workup.agents.base import Agent, Effort
from workup.agents.baselines import clinicians
from workup.agents.baselines.guideline import GuidelineAgent
from workup.agents.baselines.simple import AGENTS as SIMPLE
from workup.agents.deciding import condition_posterior
from workup.agents.learned.fixed import tune_fixed
from workup.agents.opening import open_journeys
from workup.agents.registry import agent_factories, learners, make_agent
from workup.agents.testing import check_agent_conforms
from workup.envs.compile.compile import compile_world
from workup.envs.engine.engine import Engine
from workup.envs.engine.types import JourneyView
from workup.envs.model.population import Population
from workup.envs.model.world import World
from workup.envs.records.journeys import Journeys
from workup.envs.records.run import run_journeys
from workup.errors import WorkupError
from workup.scenarios.language.library import load_scenario

SLOW = {"optimum", "fixed"}
"""The first cannot be had exactly on weight_loss, the second is tuned with less there."""


@cache
def world_of(scenario: str) -> World:
    return compile_world(load_scenario(scenario))


@cache
def journeys_of(scenario: str, name: str) -> Journeys:
    return check_agent_conforms(agent_factories()[name], world_of(scenario), patients=500, seed=3)


def test_the_baselines_and_planners_are_registered() -> None:
    wanted = {"all", "fixed", "guideline", "junior", "none", "optimum", "random", "senior", "voi"}
    assert wanted <= set(agent_factories())


@pytest.mark.parametrize("name", sorted(agent_factories()))
def test_every_agent_conforms_on_the_tutorial(name: str) -> None:
    journeys_of("tutorial", name)


@pytest.mark.parametrize("name", sorted(set(agent_factories()) - SLOW))
def test_every_agent_conforms_on_weight_loss(name: str) -> None:
    journeys_of("weight_loss", name)


def test_a_fixed_order_conforms_on_weight_loss() -> None:
    tuned = tune_fixed(world_of("weight_loss"), patients=128, rounds=0)
    check_agent_conforms(lambda world, *, seed: tuned, world_of("weight_loss"), patients=300)


@pytest.mark.parametrize("name", sorted(set(agent_factories()) - {"optimum"}))
def test_every_agent_conforms_where_results_are_delayed(name: str) -> None:
    check_agent_conforms(agent_factories()[name], world_of("tutorial"), patients=100, seed=5, results="delayed")


@pytest.mark.parametrize("scenario", ["tutorial", "weight_loss"])
def test_every_agent_meets_the_same_patients(scenario: str) -> None:
    names = sorted(set(agent_factories()) - (SLOW if scenario == "weight_loss" else set()))
    first = journeys_of(scenario, "all")
    untreated = world_of(scenario).model.treatment < 0  # a finding may follow another law after an act
    for name in names:
        other = journeys_of(scenario, name)
        for fact in ("patient", "condition", "profile", "hidden"):
            assert np.array_equal(getattr(first, fact), getattr(other, fact)), (name, fact)
        both = (first.values >= 0) & (other.values >= 0) & untreated
        assert (first.values == other.values)[both].all(), name


class Wrapped:
    """An agent with one fault."""

    name = "wrapped"
    needs: Literal["raw", "belief"] | None = "belief"

    def __init__(self, inner: Agent) -> None:
        self.inner = inner

    def act(self, view: JourneyView) -> NDArray[np.int64]:
        return self.inner.act(view)


class Illegal(Wrapped):
    def act(self, view: JourneyView) -> NDArray[np.int64]:
        return np.full(len(view.step), len(view.world.actions) - 1)


class Narrow(Wrapped):
    def act(self, view: JourneyView) -> NDArray[np.int64]:
        return self.inner.act(view).astype(np.int32)


class Scribbler(Wrapped):
    def act(self, view: JourneyView) -> NDArray[np.int64]:
        actions = self.inner.act(view)
        view.cost_gbp[:] = 7.0
        return actions


class LooksAround(Wrapped):
    """Goes by the first of the batch."""

    def act(self, view: JourneyView) -> NDArray[np.int64]:
        actions = self.inner.act(view)
        alike = (view.mask == view.mask[0]).all(axis=1)
        return np.where(alike, actions[0], actions)


class Remembers(Wrapped):
    """Decides at once from the second patient on: what it did before matters."""

    seen = 0

    def act(self, view: JourneyView) -> NDArray[np.int64]:
        first = SIMPLE["none"](view.world, seed=0).act(view)
        Remembers.seen += 1
        return first if Remembers.seen > 30 else self.inner.act(view)


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        (Illegal, "chose action 13 at step 0; legal are: order history"),
        (Narrow, "int32 of shape .* expected .* int64"),
        (Scribbler, "changed cost_gbp of the view"),
        (LooksAround, "expected the same"),
        (Remembers, "expected the same"),
    ],
)
def test_an_agent_that_breaks_the_contract_is_told_how(fault: type[Wrapped], message: str) -> None:
    def make(world: World, *, seed: int) -> Agent:
        return fault(GuidelineAgent(world, seed=seed))

    Remembers.seen = 0
    with pytest.raises(WorkupError, match=message):
        check_agent_conforms(make, world_of("tutorial"), patients=60)


def documented(what: str) -> Any:
    """What the one block of the page's code that defines it makes of a name, run alone as a reader would."""
    page = (ROOT / "docs" / "agents.md").read_text(encoding="utf-8")
    found = []
    for block in re.findall(r"```python\n(.*?)```", page, re.DOTALL):
        names: dict[str, Any] = {"__name__": "__main__"}
        exec(block, names)
        found += [names[what]] if what in names else []
    (one,) = found
    return one


def test_the_agent_of_the_documentation_conforms() -> None:
    check_agent_conforms(documented("AGENTS")["cheapest"], world_of("tutorial"), patients=50, seed=0)


def test_the_agent_of_the_documentation_that_draws_conforms() -> None:
    def make(world: World, *, seed: int) -> Agent:
        return documented("Distracted")(SIMPLE["none"](world, seed=seed))

    found = check_agent_conforms(make, world_of("tutorial"), patients=50, seed=0).recorded()
    assert 0 < (found.propensity < 0.9).mean() < 0.2


def test_the_learner_of_the_documentation_learns_saves_and_conforms(tmp_path: Path) -> None:
    learner, world, told = documented("LEARNERS")["one_test"], world_of("tutorial"), []
    fitted = learner.fit(
        Population(world),
        out=tmp_path,
        seed=0,
        effort=Effort(),
        progress=lambda share, words: told.append((share, words)),
    )
    assert told[-1][0] == 1.0
    assert sorted(told)[-1] == told[-1]
    again = learner.load(tmp_path, world)
    for agent in (fitted, again):
        check_agent_conforms(lambda _, *, seed, agent=agent: agent, world, patients=50, seed=0)
    meant = json.loads((tmp_path / "policy.json").read_text())["spec"]["test"]
    journeys = run_journeys(world, again, patients=np.arange(20), seed=0, record=True)
    assert journeys.events is not None
    assert {world.actions[a].name for a in journeys.events.action} > {meant}


def test_the_documentation_lists_every_agent() -> None:
    page = (ROOT / "docs" / "agents.md").read_text(encoding="utf-8")
    missing = [name for name in {**agent_factories(), **learners()} if f"`{name}`" not in page]
    assert missing == [], "add a row for each to the table of docs/agents.md"


def test_two_agents_of_one_name_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clinicians, "AGENTS", {"voi": clinicians.AGENTS["junior"]})
    with pytest.raises(
        WorkupError, match=r"'voi' is in AGENTS of .*clinicians and of .*voi; expected one of each name"
    ):
        agent_factories()


def test_what_is_no_factory_is_told_what_one_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clinicians, "AGENTS", {"hasty": lambda world: SIMPLE["none"](world, seed=0)})
    with pytest.raises(
        WorkupError, match=r"'hasty' cannot be made: .*'seed'; expected .* called as \(world, \*, seed\)"
    ):
        make_agent("hasty", world_of("tutorial"))


def test_the_posterior_is_the_same_shown_or_computed() -> None:
    world = world_of("tutorial")
    engine = Engine(world, 40, seed=1, view="belief")
    open_journeys(engine)
    shown = condition_posterior(world, engine.journey_view(observation=True))
    np.testing.assert_allclose(shown, condition_posterior(world, engine.journey_view()), atol=2e-6)
    np.testing.assert_allclose(shown, engine.condition_posterior, atol=2e-6)
