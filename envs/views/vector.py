"""Many journeys side by side, as a Gymnasium vector environment: one engine, no copies of the world."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import numpy as np
from gymnasium import spaces
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import batch_space
from numpy.typing import NDArray

from workup.envs.engine.engine import Engine
from workup.envs.engine.types import Step
from workup.envs.model.codes import COMPONENTS
from workup.envs.model.population import Population
from workup.envs.model.world import World
from workup.envs.views.env import known_options, make_engine, observation_space
from workup.errors import WorkupError

Observation = NDArray[np.float32]
_NEVER = int(np.iinfo(np.int64).min)
"""What no agent chooses: every journey goes on."""


class JourneyVectorEnv(VectorEnv[Observation, NDArray[np.int64], NDArray[Any]]):
    """n journeys. Slot i's episode k is patient `first_patient + i + k * num_envs`, whatever the batch.

    Observation: (n, P) float32 in [-1, 1]. Action: (n,) int64. Reward: (n,) float64, the sum of `info["cost"]`,
    `["harm"]`, `["delay"]` and `["utility"]`, each (n,). `info["action_mask"]` (n, A) and `info["illegal"]` (n,).
    What was hidden of journeys that ended: `journey_ends(slots)`. Autoreset as Gymnasium's modes: in the next step
    (default; that step's action is ignored) or in the same step (`info["final_obs"]`, `info["final_info"]`).

    Example:
        envs = gymnasium.make_vec("workup/WeightLoss-v0", num_envs=64, vectorization_mode="vector_entry_point")
    """

    metadata = {  # Gymnasium's own way
        "render_modes": [],
        "render_fps": 1,
        "autoreset_mode": AutoresetMode.NEXT_STEP,
    }

    def __init__(
        self,
        scenario: str | Path | World | Population | None = None,
        num_envs: int = 1,
        *,
        autoreset_mode: AutoresetMode | str = AutoresetMode.NEXT_STEP,
        seed: int | None = None,
        render_mode: None = None,
        **settings: Any,
    ) -> None:
        """Settings are those of `make_engine`."""
        mode = AutoresetMode(autoreset_mode)
        names: dict[AutoresetMode, Literal["next_step", "same_step"]] = {
            AutoresetMode.NEXT_STEP: "next_step",
            AutoresetMode.SAME_STEP: "same_step",
        }
        if mode not in names:
            raise WorkupError(f"autoreset_mode is {mode.value}; expected NextStep or SameStep")
        if render_mode is not None:
            raise WorkupError("a batch of journeys has no picture; render one journey with gymnasium.make")
        self.engine: Engine = make_engine(scenario, num_envs, seed=seed or 0, autoreset=names[mode], **settings)
        self.num_envs = num_envs
        self.metadata = {**type(self).metadata, "autoreset_mode": mode}
        self.single_observation_space = observation_space(self.engine)
        self.single_action_space = spaces.Discrete(len(self.engine.action_names))
        self.observation_space = batch_space(self.single_observation_space, num_envs)
        self.action_space = batch_space(self.single_action_space, num_envs)
        self.observation_names, self.action_names = self.engine.observation_names, self.engine.action_names
        self._same_step = mode == AutoresetMode.SAME_STEP
        self._seeded, self._begun = seed is not None, False
        self._mask = self.engine.mask
        self._every = np.ones(num_envs, np.bool_)
        self._every.flags.writeable = False

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Observation, dict[str, Any]]:
        """Begin the next patient in every slot.

        Args:
            seed: patients of this seed, from the first; without one ever given, a seed is drawn.
            options: {"patient": id} puts that patient in slot 0 and the following ones beside it;
                {"reset_mask": (n,) bool} begins the next patient of the chosen slots alone.
        """
        if seed is not None and not isinstance(seed, (int, np.integer)):
            raise WorkupError("seed must be one integer: the slots hold different patients of one seed")
        super().reset(seed=seed)
        known_options(options, ("patient", "reset_mask"))
        options = options or {}
        if seed is None and not self._seeded:
            seed = int(self.np_random.integers(2**31))
        self._seeded = True
        chosen = options.get("reset_mask")
        if chosen is not None:
            self.engine.reset(patients=np.where(chosen, self.engine.patient + self.num_envs, -1))
        elif "patient" in options:
            self.engine.reset(seed=seed, patients=int(options["patient"]) + np.arange(self.num_envs))
        else:
            onward = self._begun and seed is None
            self.engine.reset(seed=seed, patients=self.engine.patient + self.num_envs if onward else None)
        self._begun = True
        self._mask = self.engine.mask
        return self.engine.observation, {"action_mask": self._mask, "_action_mask": self._every}

    def step(
        self, actions: NDArray[np.int64]
    ) -> tuple[Observation, NDArray[np.float64], NDArray[np.bool_], NDArray[np.bool_], dict[str, Any]]:
        """One action in each slot."""
        step = self.engine.step(actions, idle=_NEVER)
        self._mask, every, parts = step.mask, self._every, step.components
        info: dict[str, Any] = {
            "action_mask": step.mask, "_action_mask": every,
            "illegal": step.illegal, "_illegal": every,
            "cost": parts[:, 0], "_cost": every,
            "harm": parts[:, 1], "_harm": every,
            "delay": parts[:, 2], "_delay": every,
            "utility": parts[:, 3], "_utility": every,
        }  # fmt: skip
        if step.ended and self._same_step:
            self._tell_ends(step, info)
        return step.observation, step.reward, step.terminated, step.truncated, info

    def _tell_ends(self, step: Step, info: dict[str, Any]) -> None:
        ended = step.terminated | step.truncated
        told = (*COMPONENTS, "illegal")
        info["final_obs"], info["_final_obs"] = _final_observations(step, ended), ended
        final = {"action_mask": step.final_mask} | {name: info[name] for name in told}
        info["final_info"] = final | {f"_{name}": ended for name in final}
        info["_final_info"] = ended

    def journey_ends(self, slots: NDArray[np.int64]) -> dict[str, NDArray[Any]]:
        """What was hidden of the journeys that ended last in these slots: arrays, as `Engine.ended` describes."""
        return self.engine.ended(slots)

    def action_masks(self) -> NDArray[np.bool_]:
        """(n, A) legal actions."""
        return self._mask

    def close_extras(self, **kwargs: Any) -> None:
        """Nothing to close."""


def _final_observations(step: Step, ended: NDArray[np.bool_]) -> NDArray[np.object_]:
    final = np.full(len(ended), None, dtype=object)
    for slot in np.flatnonzero(ended):
        final[slot] = step.final_observation[slot]
    return final
