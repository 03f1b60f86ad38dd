"""What masked PPO sees of the journeys: inputs, masks and the shaped reward, as a native SB3 `VecEnv`."""

from __future__ import annotations

from typing import Any

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray
from stable_baselines3.common.vec_env import VecEnv

from workup.agents.ppo.inputs import Inputs
from workup.envs.engine import Engine
from workup.envs.world import World

REWARD_UNIT_GBP = 100.0


class ShapedJourneys(VecEnv):
    """n journeys with new patients on end.

    Observation: `Inputs.of`. Action: the world's, with every decision but the best one masked in the `belief` preset.
    Reward: in hundreds of pounds, the decision scored by its posterior expected utility. With `shaped`, plus
    potential(after) - potential(before), the potential being what the best decision now would be worth, and 0 at the
    end: each order is paid at once what it changed, and no policy's rank changes.

    Source: Ng, Harada and Russell, Policy invariance under reward transformations, ICML 1999.
    """

    def __init__(self, world: World, inputs: Inputs, n: int, *, seed: int, first_patient: int, shaped: bool) -> None:
        self._engine = Engine(
            world,
            n,
            seed=seed,
            first_patient=first_patient,
            view=inputs.view,
            score="posterior",
            autoreset="same_step",
        )
        self._inputs, self._shaped = inputs, shaped
        self._mask = np.empty((n, len(world.actions)), dtype=np.bool_)
        self._potential = np.zeros(n)
        self._actions = np.zeros(n, dtype=np.int64)
        self._infos: list[dict[str, Any]] = [{} for _ in range(n)]
        self.render_mode = None
        space = spaces.Box(-1.0, 1.0, (inputs.size,), np.float32)
        super().__init__(n, space, spaces.Discrete(len(world.actions)))

    def reset(self) -> NDArray[np.float32]:
        """(n, inputs) of the first patients; SB3 calls it once."""
        self._potential = self._best_now()
        return self._show(self._engine.observation, self._engine.mask)

    def step_async(self, actions: NDArray[np.int64]) -> None:
        """Take note of the actions."""
        self._actions = actions

    def step_wait(self) -> tuple[NDArray[np.float32], NDArray[np.float64], NDArray[np.bool_], list[dict[str, Any]]]:
        """Step, and begin the next patient where a journey ended; being truncated is an end like any other."""
        step = self._engine.step(self._actions)
        done = step.terminated | step.truncated
        after = self._best_now()
        reward = (step.reward + np.where(done, 0.0, after) - self._potential) / REWARD_UNIT_GBP
        self._potential = after
        return self._show(step.observation, step.mask), reward, done, self._infos

    def action_masks(self) -> NDArray[np.bool_]:
        """(n, A) what may be chosen now."""
        return self._mask

    def _show(self, observation: NDArray[np.float32], mask: NDArray[np.bool_]) -> NDArray[np.float32]:
        self._mask = self._inputs.narrow(observation, mask)
        return self._inputs.of(observation)

    def _best_now(self) -> NDArray[np.float64]:
        return self._engine.best_expected_utility if self._shaped else np.zeros(self.num_envs)

    def env_method(self, method_name: str, *args: Any, indices: Any = None, **kwargs: Any) -> list[Any]:
        """Only `action_masks` exists; one row a journey."""
        if method_name != "action_masks":
            raise AttributeError(method_name)
        return list(self._mask)

    def has_attr(self, attr_name: str) -> bool:
        """Whether every journey has that attribute."""
        return attr_name == "action_masks"

    def get_attr(self, attr_name: str, indices: Any = None) -> list[Any]:
        """SB3 asks for `render_mode` alone."""
        return [getattr(self, attr_name)] * self.num_envs

    def set_attr(self, attr_name: str, value: Any, indices: Any = None) -> None:
        """Nothing can be set."""
        raise AttributeError(attr_name)

    def env_is_wrapped(self, wrapper_class: Any, indices: Any = None) -> list[bool]:
        """Journeys are never wrapped."""
        return [False] * self.num_envs

    def close(self) -> None:
        """Nothing to close."""
