"""Anything that chooses actions as an agent: a factory, an agent, a function, a model of Stable-Baselines3."""

from __future__ import annotations

import inspect
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, cast

import numpy as np
from numpy.typing import NDArray

from workup.agents.base import Agent
from workup.envs.engine.observation import layout_of
from workup.envs.engine.types import JourneyView
from workup.envs.model.world import World
from workup.envs.records.run import FunctionAgent
from workup.errors import WorkupError

Choose = Callable[[NDArray[np.float32], NDArray[np.bool_]], Any]
"""(n,) actions from observations (n, P) of the belief view and masks (n, A)."""
_KINDS = (
    "a factory (world, *, seed), an Agent (`name`, `needs`, `act`), a function of (view) or of (observation, mask), or a model "
    "with `predict`"
)


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


def as_agent(offered: Any, name: str, world: World, *, seed: int) -> Agent:
    """What somebody offers, as an agent.

    Args:
        offered: a class, or a function with a parameter `seed`, called as `(world, *, seed)`; an `Agent`; a function of (view)
            or of (observation (n, P) float32, mask (n, A) bool) that returns (n,) actions; or a model of Stable-Baselines3 or
            sb3-contrib, whose view is told by the length of its observation.
        name: what it is called, where it has no name of its own.
        world: where it acts.
        seed: for factories.

    Raises:
        WorkupError: it is none of these, or fails; says at which line of whose file.
    """
    if inspect.isclass(offered) or _takes_seed(offered):
        return _ready(_made(offered, name, world, seed), f"what {name} returned", name, world)
    return _ready(offered, name, name, world)


def where_it_failed(error: BaseException, file: str | None) -> str:
    """The error in a line that begins with the place: the last one in `file`, or where it was raised."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if frame.filename == file] or list(frames)
    place = f"{own[-1].filename}:{own[-1].lineno}: " if own else ""
    return f"{place}{type(error).__name__}: {error}"


def _takes_seed(offered: Any) -> bool:
    return inspect.isroutine(offered) and "seed" in _parameters(offered)


def _parameters(offered: Any) -> dict[str, inspect.Parameter]:
    try:
        return dict(inspect.signature(offered).parameters)
    except (TypeError, ValueError):  # written in C, and silent about it
        return {}


def _made(factory: Any, name: str, world: World, seed: int) -> Any:
    try:
        inspect.signature(factory).bind(world, seed=seed)
    except TypeError as error:
        raise WorkupError(
            f"{name} cannot be called as (world, *, seed): {error}. Write `def __init__(self, world, *, seed):` in a class, "
            "`def make(world, *, seed):` as a function"
        ) from None
    except ValueError:  # no signature to be had: the call will tell
        pass
    try:
        return factory(world, seed=seed)
    except Exception as error:  # of code that is not ours
        raise WorkupError(f"{name} failed when it was made: {where_it_failed(error, _file(factory))}") from error


def _file(offered: Any) -> str | None:
    try:
        return inspect.getsourcefile(offered)
    except TypeError:
        return None


def _ready(found: Any, what: str, name: str, world: World) -> Agent:
    if not inspect.isclass(found):
        if any(callable(getattr(found, way, None)) for way in ("act", "probabilities")):
            return _with_name_and_needs(found, what, name)
        if callable(getattr(found, "predict", None)):
            return FunctionPolicy(name, _predicting(found), _view_of(name, found, world))
        if callable(found):
            return _of_function(found, what, name)
    raise WorkupError(f"{what} is {_described(found)}; expected {_KINDS}")


def _described(found: Any) -> str:
    if found is None:
        return "nothing (None)"
    return f"the class {found.__name__}" if inspect.isclass(found) else type(found).__name__


def _with_name_and_needs(agent: Any, what: str, name: str) -> Agent:
    if getattr(agent, "needs", "") not in ("raw", "belief", None):
        raise WorkupError(
            f'{what} does not say what it observes; give it `needs = None`, or "belief" or "raw" if it reads '
            "`view.observation`"
        )
    if not isinstance(getattr(agent, "name", None), str):
        try:
            agent.name = name
        except AttributeError:
            raise WorkupError(f"{what} has no name; give it `name = {name!r}`") from None
    return cast(Agent, agent)


def _of_function(function: Any, what: str, name: str) -> Agent:
    positional = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    asked = [p for p in _parameters(function).values() if p.kind in positional and p.default is p.empty]
    if len(asked) > 2:
        raise WorkupError(f"{what} is a function of ({', '.join(p.name for p in asked)}); expected {_KINDS}")
    return FunctionAgent(name, function) if len(asked) == 1 else FunctionPolicy(name, function)


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
