"""From the environment's observation to the inputs and the choices of a PPO policy, in training and in use alike."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from workup.agents.base import choose_first
from workup.agents.opening import opening_actions
from workup.envs.engine.observation import layout_of
from workup.envs.model.world import World

Preset = Literal["belief", "raw"]

LEAST_PROBABILITY = 1e-5
"""Posteriors are also shown as logarithms, from this up: whether a cancer has 0.1% or 1% decides about a scan."""


class Inputs:
    """What a preset shows to the network, and which legal actions it leaves."""

    def __init__(self, world: World, preset: Preset) -> None:
        layout, n_decisions, n_actions = layout_of(world), len(world.decisions), len(world.actions)
        self.view: Preset = preset
        self._opening = opening_actions(world)
        self._decisions = slice(n_actions - n_decisions, n_actions)
        self._probabilities = slice(layout.condition_slot, layout.regret_slot)
        self._regrets = slice(layout.regret_slot, layout.regret_slot + n_decisions)
        self._later = np.array([a.kind != "wait" for a in world.actions])
        self._later[self._opening] = False
        self._later[self._decisions] = False
        self.observed = layout.raw_size if preset == "raw" else len(layout.names)
        """How much of the observation is read, from its start."""
        self.size = self.observed + (0 if preset == "raw" else layout.regret_slot - layout.condition_slot)
        """Number of inputs."""

    def of(self, observation: NDArray[np.float32]) -> NDArray[np.float32]:
        """(n, size) float32 in [-1, 1], fresh."""
        shown = observation[:, : self.observed]
        if self.view == "raw":
            return shown.copy()
        least = np.float32(np.log(LEAST_PROBABILITY))
        logs = np.log(np.maximum(shown[:, self._probabilities], np.float32(LEAST_PROBABILITY)))
        return np.concatenate([shown, 1 - 2 * logs / least], axis=1, dtype=np.float32)

    def opening_action(self, mask: NDArray[np.bool_]) -> NDArray[np.int64]:
        """(n,) the next item of history, then of examination; -1 once the journey is open, or if there is none."""
        return np.where(mask[:, self._later].any(axis=1), -1, choose_first(mask, self._opening))

    def narrow(self, observation: NDArray[np.float32], mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """(n, A) the mask without what is known to be worse, so that only what to order and when to stop is learned.

        History and examination come first, as every planner here takes them; and where the posterior is observed, the
        best legal decision is the only one left.
        """
        narrowed = mask.copy()
        if self.view == "belief":
            legal = mask[:, self._decisions]
            best = np.where(legal, observation[:, self._regrets], -np.inf).argmax(axis=1)
            narrowed[:, self._decisions] = legal & (np.arange(legal.shape[1]) == best[:, None])
        first = self.opening_action(mask)
        rows = np.flatnonzero(first >= 0)
        narrowed[rows] = False
        narrowed[rows, first[rows]] = True
        return narrowed
