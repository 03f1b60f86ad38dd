"""The flat observation as a dictionary, for those who want names at hand (and libraries that ask for a mask in it)."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, cast

import gymnasium as gym
import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from workup.errors import WorkupError

MASK = "action_mask"


def observation_groups(names: Sequence[str]) -> dict[str, slice]:
    """Which stretch of the flat observation belongs to each name.

    A finding is one entry however it is encoded (`crp` for `crp: known` and `crp: level`); statuses are `ct: status`, totals
    have their own names, the posterior of the condition is `P(condition)`, the regrets are `regret`.

    Args:
        names: an environment's `observation_names`.

    Returns:
        {name: slice}, in order, without overlap, covering all of them.
    """
    found: dict[str, slice] = {}
    for i, name in enumerate(names):
        key = _group(name)
        if key in found and found[key].stop != i:
            raise WorkupError(f"{key} stands in two places of the observation; expected one stretch")
        found[key] = slice(found[key].start if key in found else i, i + 1)
    return found


def _group(name: str) -> str:
    inner = re.fullmatch(r"P\((.*) = .*\)", name)
    if inner:
        return f"P({inner[1]})"
    if name.startswith("regret of "):
        return "regret"
    return re.sub(r"(: (?:known|level)| = .*)$", "", name)


def as_dict(
    observation: NDArray[np.float32], groups: Mapping[str, slice], mask: NDArray[np.bool_] | None = None
) -> dict[str, NDArray[Any]]:
    """The same numbers by name.

    Args:
        observation: (..., P), of one journey or of many.
        groups: of `observation_groups`.
        mask: (..., A), added as `action_mask` (int8) where given.

    Returns:
        {name: (..., width) float32}.
    """
    parts: dict[str, NDArray[Any]] = {name: observation[..., where] for name, where in groups.items()}
    return parts if mask is None else parts | {MASK: mask.astype(np.int8)}


class DictObservation(gym.Wrapper[Any, Any, Any, Any], gym.utils.RecordConstructorArgs):
    """An environment whose observation is a dictionary, with the action mask in it.

    Example:
        env = DictObservation(gymnasium.make("workup/WeightLoss-v0"))
    """

    def __init__(self, env: gym.Env[NDArray[np.float32], np.int64]) -> None:
        gym.utils.RecordConstructorArgs.__init__(self)
        super().__init__(env)
        self.groups = observation_groups(env.get_wrapper_attr("observation_names"))
        if MASK in self.groups:
            raise WorkupError(f"the scenario has a fact called {MASK}, which is the mask's name here; rename it")
        parts: dict[str, spaces.Space[Any]] = {
            name: spaces.Box(-1.0, 1.0, (where.stop - where.start,), np.float32) for name, where in self.groups.items()
        }
        n_actions = int(cast(spaces.Discrete, env.action_space).n)
        self.observation_space = spaces.Dict(parts | {MASK: spaces.Box(0, 1, (n_actions,), np.int8)})

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[dict[str, NDArray[Any]], dict[str, Any]]:
        """See `JourneyEnv.reset`."""
        observation, info = self.env.reset(seed=seed, options=options)
        return as_dict(observation, self.groups, info[MASK]), info

    def step(self, action: np.int64) -> tuple[dict[str, NDArray[Any]], Any, bool, bool, dict[str, Any]]:
        """See `JourneyEnv.step`."""
        observation, reward, terminated, truncated, info = self.env.step(action)
        return as_dict(observation, self.groups, info[MASK]), reward, terminated, truncated, info

    def action_masks(self) -> NDArray[np.bool_]:
        """(A,) legal actions, as sb3-contrib asks for them."""
        return cast("NDArray[np.bool_]", self.env.get_wrapper_attr("action_masks")())
