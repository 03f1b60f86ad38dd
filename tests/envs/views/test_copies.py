"""A copy of an environment is that environment: it goes on from where it was copied, and leaves the first alone."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from pkgutil import resolve_name
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from workup.envs.engine.steps import step_batch
from workup.envs.model.world import World
from workup.envs.views.env import JourneyEnv
from workup.errors import WorkupError

COPIES: dict[str, Callable[[Any], Any]] = {
    "deepcopy": copy.deepcopy,
    "pickle": lambda of: pickle.loads(pickle.dumps(of)),
}


def legal(mask: NDArray[np.bool_], rng: np.random.Generator) -> NDArray[np.int64]:
    return (rng.uniform(size=mask.shape) * (mask + 1e-6)).argmax(axis=1)


def same(a: Any, b: Any) -> None:
    assert type(a) is type(b)
    if isinstance(a, dict):
        assert a.keys() == b.keys()
        for name in a:
            same(a[name], b[name])
    elif isinstance(a, list | tuple):
        for one, other in zip(a, b, strict=True):
            same(one, other)
    elif isinstance(a, np.ndarray) and a.dtype == object:
        same(a.tolist(), b.tolist())
    elif isinstance(a, np.ndarray):
        np.testing.assert_array_equal(a, b)
    else:
        assert a == b


@pytest.mark.parametrize("how", COPIES)
@pytest.mark.parametrize("scenario", ["tutorial", "fever"])
@pytest.mark.parametrize("view", ["raw", "belief"])
@pytest.mark.parametrize("results", ["at_once", "delayed"])
def test_a_copied_environment_goes_on_as_the_first(how: str, scenario: str, view: str, results: str) -> None:
    env = JourneyEnv(scenario, view=view, results=results, render_mode="ansi")
    rng = np.random.default_rng(0)
    env.reset(seed=5)
    env.step(env.action_names.index("order history"))
    other, compiled = COPIES[how](env), len(step_batch.signatures)
    assert other.render() == env.render()
    for _ in range(40):
        action = int(legal(env.action_masks()[None], rng)[0])
        told, again = env.step(action), other.step(action)
        same(told, again)
        same(env.action_masks(), other.action_masks())
        assert other.render() == env.render()
        if told[2] or told[3]:
            same(env.reset(), other.reset())
    assert len(step_batch.signatures) == compiled, (
        "the copy's arrays are of another type to numba: all is compiled anew"
    )


@pytest.mark.parametrize("how", COPIES)
def test_what_a_copy_does_leaves_the_first_as_it_was(how: str) -> None:
    env, twin = (JourneyEnv("tutorial", view="belief") for _ in range(2))
    for each in (env, twin):
        each.reset(seed=3)
        each.step(0)
    other = COPIES[how](env)
    for action in (1, 2, 3):
        other.step(action)
    other.reset(seed=9)
    same(env.step(1), twin.step(1))


@pytest.mark.parametrize("how", COPIES)
@pytest.mark.parametrize(
    "kind", ["vector:JourneyVectorEnv", pytest.param("sb3:JourneyVecEnv", marks=pytest.mark.torch)]
)
def test_a_copied_batch_goes_on_as_the_first(how: str, kind: str) -> None:
    envs, rng = (
        resolve_name(f"workup.envs.views.{kind}")("tutorial", 6, view="belief", seed=2),
        np.random.default_rng(1),
    )
    envs.reset()
    for t in range(30):
        if t == 7:
            other = COPIES[how](envs)
        actions = legal(envs.action_masks(), rng)
        told = envs.step(actions)
        if t >= 7:
            same(told, other.step(actions))


def test_a_copy_shares_the_world(world: World) -> None:
    env = JourneyEnv(world)
    assert copy.deepcopy(env).engine.world is world


@pytest.mark.parametrize("view", ["raw", "belief"])
@pytest.mark.parametrize("results", ["at_once", "delayed"])
def test_a_search_comes_back_to_where_it_was(view: str, results: str) -> None:
    """Two copies side by side: one looks ahead at every step and comes back, the other does not."""
    settings: dict[str, Any] = {"view": view, "results": results, "render_mode": "ansi"}
    env, twin = (JourneyEnv("tutorial", **settings) for _ in range(2))
    rng = np.random.default_rng(0)
    same(env.reset(seed=4), twin.reset(seed=4))
    for _ in range(40):
        here, ended = env.get_state(), False
        while not ended:
            _, _, terminated, truncated, _ = env.step(int(legal(env.action_masks()[None], rng)[0]))
            ended = terminated or truncated
        env.reset()
        env.set_state(here)
        action = int(legal(twin.action_masks()[None], rng)[0])
        told = env.step(action)
        same(told, twin.step(action))
        assert env.render() == twin.render()
        if told[2] or told[3]:
            same(env.reset(), twin.reset())


def test_a_state_can_be_taken_elsewhere_but_not_to_another_scenario(world: World) -> None:
    env, other = JourneyEnv("tutorial", view="belief"), JourneyEnv("tutorial", view="belief")
    env.reset(seed=8)
    env.step(0)
    other.set_state(pickle.loads(pickle.dumps(env.get_state())))
    same(env.step(1), other.step(1))
    for stranger in (JourneyEnv("control", view="belief"), JourneyEnv("tutorial", view="raw")):
        with pytest.raises(WorkupError, match="another scenario, or of an engine with other settings"):
            stranger.set_state(env.get_state())
    with pytest.raises(WorkupError, match="of type EngineState; expected what get_state"):
        env.set_state(env.engine.get_state())  # type: ignore[arg-type]
