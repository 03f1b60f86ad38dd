"""Many journeys side by side, as a native Stable-Baselines3 `VecEnv` (this module needs the `train` extra)."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray
from stable_baselines3.common.vec_env.base_vec_env import VecEnv, VecEnvIndices, VecEnvStepReturn

from workup.envs.engine.types import Step
from workup.envs.model.codes import COMPONENTS, NO_SUCH_ACTION
from workup.envs.model.population import Population
from workup.envs.model.world import World
from workup.envs.views.env import journey_end, make_engine, observation_space
from workup.envs.views.infos import GONE_ON, InfoOnDemand
from workup.errors import WorkupError


class JourneyVecEnv(VecEnv):
    """n journeys for SB3 and sb3-contrib; settings are those of `make_engine`.

    Every step hands out new arrays, because SB3 keeps the last observation while the next step is taken. Journeys that
    have not ended get an empty info each; those that ended the last info of `JourneyEnv` with `terminal_observation` and
    `TimeLimit.truncated`; its `journey_end` is read before the next step. Wrap it in SB3's `VecMonitor` for the return and length of episodes.

    Example:
        env = JourneyVecEnv("weight_loss", 1024, view="belief", score="posterior", seed=1)
        MaskablePPO("MlpPolicy", env).learn(100_000)
    """

    def __init__(self, scenario: str | Path | World | Population, num_envs: int, **settings: Any) -> None:
        self.engine = make_engine(scenario, num_envs, autoreset="same_step", **settings)
        self.observation_names, self.action_names = self.engine.observation_names, self.engine.action_names
        self.render_mode = None
        self._mask = self.engine.mask
        self._actions: NDArray[np.int64] = np.zeros(num_envs, np.int64)
        self._begun = False
        self._dones: NDArray[np.bool_] | None = None
        super().__init__(num_envs, observation_space(self.engine), spaces.Discrete(len(self.action_names)))

    def reset(self) -> NDArray[np.float32]:
        """(n, P) the start of the next patient in every slot; after `seed(s)`, of the first patients of s."""
        seed = self._seeds[0]
        onward = self._begun and seed is None
        self.engine.reset(seed=seed, patients=self.engine.next_patient if onward else None)
        self._begun, self._dones = True, None
        self._reset_seeds()
        self._reset_options()
        observation, self._mask = self.engine.shown()
        return observation

    def seed(self, seed: int | None = None) -> Sequence[int | None]:
        """The next `reset` begins at the first patients of this seed, one seed for all slots."""
        if seed is not None:
            self._seeds = [seed] * self.num_envs
        return self._seeds

    def step_async(self, actions: NDArray[np.int64]) -> None:
        """Take note of the actions."""
        self._actions = np.where(np.less(actions, 0), NO_SUCH_ACTION, actions)

    def step_wait(self) -> VecEnvStepReturn:
        """Step, and begin the next patient where a journey ended."""
        step = self.engine.step(self._actions)
        self._mask = step.mask
        infos: list[dict[str, Any]] = [{} for _ in range(self.num_envs)]
        self._dones = dones = step.terminated | step.truncated
        if step.ended:
            for slot in np.flatnonzero(dones).tolist():
                infos[slot] = _last_info(step, slot, InfoOnDemand({}, partial(self._hidden, slot, dones)))
        return step.observation, step.reward.astype(np.float32), dones, infos

    def _hidden(self, slot: int, dones: NDArray[np.bool_]) -> dict[str, Any]:
        if self._dones is not dones:
            raise WorkupError(GONE_ON)
        return journey_end(self.engine, slot)

    def action_masks(self) -> NDArray[np.bool_]:
        """(n, A) legal actions."""
        return self._mask

    def env_method(self, method_name: str, *args: Any, indices: VecEnvIndices = None, **kwargs: Any) -> list[Any]:
        """`action_masks` of each slot, as sb3-contrib asks for them."""
        if method_name != "action_masks":
            raise AttributeError(f"journeys have no method {method_name!r}; expected action_masks")
        return [self._mask[slot] for slot in self._get_indices(indices)]

    def has_attr(self, attr_name: str) -> bool:
        """Whether the slots have an attribute or method."""
        return hasattr(self, attr_name)

    def get_attr(self, attr_name: str, indices: VecEnvIndices = None) -> list[Any]:
        """An attribute, the same in every slot."""
        return [getattr(self, attr_name) for _ in self._get_indices(indices)]

    def set_attr(self, attr_name: str, value: Any, indices: VecEnvIndices = None) -> None:
        """Slots share one engine: nothing can be set for some of them."""
        raise AttributeError(f"{attr_name!r} cannot be set: the slots share one engine; make a new environment")

    def env_is_wrapped(self, wrapper_class: type[Any], indices: VecEnvIndices = None) -> list[bool]:
        """Slots are never wrapped one by one."""
        return [False for _ in self._get_indices(indices)]

    def close(self) -> None:
        """Nothing to close."""


def _last_info(step: Step, slot: int, end: dict[str, Any]) -> dict[str, Any]:
    info: dict[str, Any] = {
        "terminal_observation": step.final_observation[slot],
        "TimeLimit.truncated": bool(step.truncated[slot] and not step.terminated[slot]),
        "action_mask": step.final_mask[slot],
        "illegal": bool(step.illegal[slot]),
        "journey_end": end,
    }
    return info | dict(zip(COMPONENTS, step.components[slot].tolist(), strict=True))
