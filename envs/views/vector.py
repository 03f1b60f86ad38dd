"""Many journeys side by side, as a Gymnasium vector environment: one engine, no copies of the world."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import gymnasium as gym
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
from workup.envs.views.env import chosen_patient, journey_ends, known_options, make_engine, observation_space
from workup.envs.views.infos import GONE_ON, Info, InfoOnDemand, final_observations, spread, told_of
from workup.errors import WorkupError

if TYPE_CHECKING:
    from workup.envs.views.text import Story

Observation = NDArray[np.float32]
Seeds = int | Sequence[int | None]
_NEVER = int(np.iinfo(np.int64).min)
"""What no agent chooses: every journey goes on."""
_AUTORESET: dict[AutoresetMode, Literal["next_step", "same_step"]] = {
    AutoresetMode.NEXT_STEP: "next_step",
    AutoresetMode.SAME_STEP: "same_step",
}


class JourneyVectorEnv(VectorEnv[Observation, NDArray[np.int64], NDArray[Any]]):
    """n journeys. Slot i's episode k is patient `first_patient + i + k * num_envs` of one seed, whatever the batch; where
    `reset` is given a seed for each slot, patient `first_patient + k` of the slot's, as in n single environments.

    Observation: (n, P) float32 in [-1, 1]. Action: (n,) int64. Reward: (n,) float64. Infos are those of n single
    environments as Gymnasium puts them together: `action_mask` (n, A), `illegal`, `cost`, `harm`, `delay`, `utility` (n,),
    `journey_end` of those that ended, each with a mask `_...` (n,) of whom it tells. What `journey_end` says is put together
    when it is read, before the next step; as arrays, of chosen slots: `journey_ends(slots)`. Autoreset as Gymnasium's modes:
    in the next step (default; that step's action is ignored) or in the same step (of a journey that ended,
    `info["final_obs"]` and `info["final_info"]` tell).

    Example:
        envs = gymnasium.make_vec("workup/WeightLoss-v0", num_envs=64, vectorization_mode="vector_entry_point")
    """

    metadata = {  # Gymnasium's own way
        "render_modes": ["ansi", "rgb_array"],
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
        render_mode: Literal["ansi", "rgb_array"] | None = None,
        **settings: Any,
    ) -> None:
        """Settings are those of `make_engine`."""
        mode = AutoresetMode(autoreset_mode)
        if mode not in _AUTORESET:
            raise WorkupError(f"autoreset_mode is {mode.value}; expected NextStep or SameStep")
        if render_mode not in (None, *self.metadata["render_modes"]):
            raise WorkupError(f"render_mode is {render_mode!r}; expected ansi or rgb_array, or none")
        self.engine: Engine = make_engine(scenario, num_envs, seed=seed or 0, autoreset=_AUTORESET[mode], **settings)
        self.num_envs, self.max_steps, self.render_mode = num_envs, self.engine.max_steps, render_mode
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
        self._over: tuple[NDArray[np.bool_], NDArray[np.bool_]] | None = None
        """Who terminated and who was truncated in the last step, if anybody."""
        self._stories: list[Story | None] = [None] * num_envs

    def reset(
        self, *, seed: Seeds | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Observation, dict[str, Any]]:
        """Begin the next patient in every slot.

        Args:
            seed: an integer: patients of this seed, from the first, side by side; a list of n: a seed for each slot, whose
                patients it meets one after another, or None where the slot goes on. Without one ever given, it is drawn.
            options: {"patient": id} puts that patient in slot 0 and the following ones beside it (in each slot, where
                slots have seeds of their own); {"reset_mask": (n,) bool} begins anew in the chosen slots alone.

        Raises:
            WorkupError: a seed, patient or mask that is none, or an option that does not exist.
        """
        known_options(options, ("patient", "reset_mask"))
        options = options or {}
        patient = chosen_patient(options["patient"]) if "patient" in options else None
        chosen, seeds = self._chosen(options.get("reset_mask")), self._seeds(seed)
        if isinstance(seeds, list):
            given = chosen & np.array([each is not None for each in seeds])
            first = self.engine.first_patient if patient is None else patient
            own = np.array([each or 0 for each in seeds], object)  # as large as they like
            self.engine.reset(seed=own, patients=np.where(given, first, -1))
            self._go_on(None, patient, chosen & ~given)
        else:
            self._go_on(seeds, patient, chosen)
        self._begun = True
        observation, self._mask = self.engine.shown()
        if self._over is not None:
            self._over = None if chosen.all() else (self._over[0] & ~chosen, self._over[1] & ~chosen)
        if self.render_mode is not None:
            self._begin_stories(chosen)
        return observation, told_of(chosen, action_mask=self._mask)

    def _go_on(self, seed: int | None, patient: int | None, chosen: NDArray[np.bool_]) -> None:
        """The first patients of a seed, or the next of those that the slots have."""
        engine, beside = self.engine, np.arange(self.num_envs)
        if patient is not None:
            patients = patient + beside * (engine.common_seed if seed is None else 1)
        elif seed is None and self._begun:
            patients = engine.next_patient
        else:
            patients = engine.first_patient + beside
        engine.reset(seed=seed, patients=np.where(chosen, patients, -1))

    def _seeds(self, seed: Seeds | None) -> int | list[int | None] | None:
        """Plain numbers; drawn where none was ever given."""
        several = not isinstance(seed, (int, np.integer)) and seed is not None
        seeds: list[Any] = list(seed) if several and isinstance(seed, (Sequence, np.ndarray)) else [seed]
        whole = all(each is None or (isinstance(each, (int, np.integer)) and each >= 0) for each in seeds)
        if not whole or len(seeds) != (self.num_envs if several else 1):
            raise WorkupError(
                f"seed is {seed!r}; expected an integer from 0 for all slots, or a list of {self.num_envs}, one for each "
                "slot, of such integers or None"
            )
        seeds = [None if each is None else int(each) for each in seeds]
        if not several:
            super().reset(seed=seeds[0])
        if not self._seeded:
            seeds = [int(self.np_random.integers(2**31)) if each is None else each for each in seeds]
        self._seeded = True
        return seeds if several else seeds[0]

    def _chosen(self, mask: Any) -> NDArray[np.bool_]:
        if mask is None:
            return self._every
        if not (
            isinstance(mask, np.ndarray) and mask.dtype == np.bool_ and mask.shape == (self.num_envs,) and mask.any()
        ):
            raise WorkupError(
                f"options['reset_mask'] is {mask!r}; expected a NumPy array of {self.num_envs} bool, of which at least one "
                "is true"
            )
        return mask

    def step(
        self, actions: NDArray[np.int64]
    ) -> tuple[Observation, NDArray[np.float64], NDArray[np.bool_], NDArray[np.bool_], dict[str, Any]]:
        """One action in each slot."""
        step = self.engine.step(actions, idle=_NEVER)
        before, over = self._over, (step.terminated, step.truncated) if step.ended else None
        self._mask, self._over = step.mask, over
        if self.render_mode is not None:
            self._tell_stories(actions, step, before)
        told = partial(self._told, step, before, over)
        info = InfoOnDemand({"action_mask": step.mask, "_action_mask": self._every}, told)
        return step.observation, step.reward, step.terminated, step.truncated, info

    def _told(self, step: Step, before: Any, over: Any) -> Info:
        """What an info says of a step beside the masks. before, over: `_over` before and after it."""
        parts = {"illegal": step.illegal} | {name: step.components[:, c] for c, name in enumerate(COMPONENTS)}
        if over is None:
            return told_of(self._every if self._same_step or before is None else ~(before[0] | before[1]), **parts)
        ended = over[0] | over[1]
        end = {"journey_end": InfoOnDemand({}, partial(self._hidden, over)), "_journey_end": ended}
        if not self._same_step:
            return told_of(self._every if before is None else ~(before[0] | before[1]), **parts) | end
        return {
            "final_obs": final_observations(step.final_observation, ended),
            "_final_obs": ended.copy(),
            "final_info": told_of(ended, action_mask=step.final_mask, **parts) | end,
            "_final_info": ended.copy(),
            **told_of(~ended, **parts),
        }

    def _hidden(self, over: tuple[NDArray[np.bool_], NDArray[np.bool_]]) -> Info:
        if self._over is not over:
            raise WorkupError(GONE_ON)
        slots = np.flatnonzero(over[0] | over[1])
        return spread(journey_ends(self.engine, slots), slots, self.num_envs)

    def journey_ends(self, slots: NDArray[np.int64]) -> dict[str, NDArray[Any]]:
        """What was hidden of the journeys that ended last in these slots: arrays, as `Engine.ended` describes."""
        return self.engine.ended(slots)

    def action_masks(self) -> NDArray[np.bool_]:
        """(n, A) legal actions."""
        return self._mask

    def render(self) -> tuple[Any, ...]:
        """Each journey so far, as `JourneyEnv.render` has it: n texts (`ansi`) or n pictures (`rgb_array`)."""
        from workup.envs.views.text import as_picture, as_text

        stories = [story for story in self._stories if story is not None]
        if len(stories) < self.num_envs:
            raise gym.error.ResetNeeded("nothing to show: give render_mode='ansi' or 'rgb_array', and reset() first")
        return tuple(as_text(story) if self.render_mode == "ansi" else as_picture(story) for story in stories)

    def _begin_stories(self, slots: NDArray[np.bool_]) -> None:
        from workup.envs.views.text import Story

        for slot in np.flatnonzero(slots).tolist():
            self._stories[slot] = Story.begin(self.engine, slot)

    def _tell_stories(self, actions: NDArray[np.int64], step: Step, before: Any) -> None:
        begun = (step.terminated | step.truncated) & self._same_step
        if before is not None and not self._same_step:
            begun = before[0] | before[1]
        self._begin_stories(begun)
        for slot in np.flatnonzero(~begun).tolist():
            story = self._stories[slot]
            if story is not None:
                story.add(self.engine, int(actions[slot]), step, slot)

    def close_extras(self, **kwargs: Any) -> None:
        """Nothing to close."""
