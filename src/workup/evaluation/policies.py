"""Anything that chooses actions, compared on the same patients."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from workup.agents.acting import draws
from workup.agents.base import Agent
from workup.agents.planning import Optimum
from workup.envs.compile.recorded import population_of
from workup.envs.engine.observation import layout_of
from workup.envs.engine.types import JourneyView
from workup.envs.model.population import Population
from workup.envs.model.world import World
from workup.errors import WorkupError
from workup.evaluation.optimum import Bookkeeper
from workup.evaluation.run import run_agents
from workup.evaluation.score import Evaluation, score

Choose = Callable[[NDArray[np.float32], NDArray[np.bool_]], Any]
"""(n,) actions from observations (n, P) of the belief view and masks (n, A)."""


@dataclass(frozen=True)
class FunctionPolicy:
    """A function of (observation, mask) as an agent. It is shown the belief view; the raw one is its first columns."""

    name: str
    choose: Choose
    needs: Literal["raw", "belief"] = "belief"

    def act(self, view: JourneyView) -> NDArray[np.int64]:
        """See `Agent.act`. Raises WorkupError for anything but one whole number a journey."""
        assert view.observation is not None  # it says what it needs
        found = np.asarray(self.choose(view.observation, view.mask))
        if found.shape != (len(view.step),) or found.dtype.kind not in "iu":
            raise WorkupError(
                f"{self.name} returned {found.dtype} of shape {found.shape} for {len(view.step)} journeys; expected an "
                "index of an action for each, integers of shape (n,)"
            )
        return found.astype(np.int64)


def evaluate(
    scenario: str | Path | World | Population,
    policies: Mapping[str, Any] | Sequence[Any] | Any,
    *,
    patients: int = 1000,
    seed: int = 0,
    optimum: bool = False,
) -> Evaluation:
    """Take the same patients through a journey under each policy and compare what these were worth.

    Args:
        scenario: an id, a path, a compiled world or a population.
        policies: one or several, as a list or by name: the name of an agent ("voi"), a directory that `workup train` wrote, an
            `Agent`, a function (observation (n, P) float32, mask (n, A) bool) -> (n,) actions of the belief view, or a model of
            Stable-Baselines3 or sb3-contrib (`predict`), whose view is told by the length of its observation.
        patients: the first so many of the seed; of recorded patients, at most all.
        seed: of the patients, and of agents that draw random numbers.
        optimum: also what was possible, with certified bounds; minutes on some scenarios. Policies are then scored as the optimum is
            certified, with less noise (`Evaluation.meaning`).

    Returns:
        Intervals for each policy and each pair; `print` it, or take `.to_frame()`.

    Raises:
        WorkupError: no policy, two of one name, or something that is none.

    Examples:
        >>> import workup
        >>> found = workup.evaluate("tutorial", ["none", "voi"], patients=100)
        >>> found.agents["voi"].value.mean > found.agents["none"].value.mean  # pounds a patient
        True
        >>> found.minus("voi", "none").low > 0  # patient by patient
        True
        >>> found.to_frame()["policy"].to_list()  # best first
        ['voi', 'none']
    """
    ready = isinstance(scenario, World | Population)
    population = Population.of(scenario) if isinstance(scenario, World | Population) else population_of(scenario)
    judged = population if ready or population.drawn else population_of(str(scenario), split="test")
    keeper = Bookkeeper(population)
    agents = {name: _agent(name, policy, population.world, keeper, seed) for name, policy in _named(policies).items()}
    journeys = run_agents(judged, agents, patients=patients, seed=seed)
    asked = optimum or any(isinstance(agent, Optimum) for agent in agents.values())
    bounds, refusal, plan = keeper.possible(patients=patients, seed=seed, asked=asked)
    return score(journeys, bounds, refusal=refusal, plan=plan)


def _named(policies: Any) -> dict[str, Any]:
    if isinstance(policies, Mapping):
        names, several = [str(name) for name in policies], list(policies.values())
    else:
        several = list(policies) if isinstance(policies, list | tuple) else [policies]
        names = [_name_of(policy) for policy in several]
    if not several:
        raise WorkupError("there are no policies to compare; give at least one, such as 'voi'")
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise WorkupError(
            f"several policies are called {twice[0]!r}; give them as a dictionary, by different names of your choice"
        )
    return dict(zip(names, several, strict=True))


def _name_of(policy: Any) -> str:
    if isinstance(policy, str | Path):
        return str(policy)
    return str(getattr(policy, "name", None) or getattr(policy, "__name__", None) or type(policy).__name__)


def _agent(name: str, policy: Any, world: World, keeper: Bookkeeper, seed: int) -> Agent:
    if isinstance(policy, str | Path):
        if str(policy).endswith(".zip"):
            raise WorkupError(
                f"{policy} is a file that can run code when it is opened; load it yourself if you trust it "
                "(MaskablePPO.load(...)) and give the model"
            )
        return keeper.agents([policy], seed=seed)[str(policy)]
    if hasattr(policy, "needs") and (hasattr(policy, "act") or draws(policy)):
        return policy
    if hasattr(policy, "predict"):
        return FunctionPolicy(name, _predicting(policy), _view_of(name, policy, world))
    if callable(policy):
        return FunctionPolicy(name, policy)
    raise WorkupError(
        f"{name} is {type(policy).__name__}; expected the name of an agent, a directory, an Agent, a function of (observation, "
        "mask), or a model with `predict`"
    )


def _view_of(name: str, model: Any, world: World) -> Literal["raw", "belief"]:
    layout, space = layout_of(world), getattr(model, "observation_space", None)
    size = None if space is None else tuple(space.shape)
    if size == (len(layout.names),):
        return "belief"
    if size == (layout.raw_size,):
        return "raw"
    raise WorkupError(
        f"{name} reads observations of shape {size}; {world.scenario.id} shows ({layout.raw_size},) in the raw view and "
        f"({len(layout.names)},) in the belief view. Train it on this scenario, or give a function that translates"
    )


def _predicting(model: Any) -> Choose:
    masked = "action_masks" in inspect.signature(model.predict).parameters

    def choose(observation: NDArray[np.float32], mask: NDArray[np.bool_]) -> Any:
        extra = {"action_masks": mask} if masked else {}
        return model.predict(observation, deterministic=True, **extra)[0]

    return choose
