"""From the environment's observation to the inputs and the choices of a PPO policy, in training and in use alike."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from workup.envs.observation import layout_of
from workup.envs.world import World

Preset = Literal["belief", "raw"]

LEAST_PROBABILITY = 1e-5
"""Posteriors are also shown as logarithms, from this up: whether a cancer has 0.1% or 1% decides about a scan."""


@dataclass(frozen=True, eq=False)
class Inputs:
    """What a preset shows to the network, and which legal actions it leaves."""

    view: Preset
    size: int
    """Number of inputs."""
    observed: int
    """How much of the observation is read, from its start."""
    probabilities: slice
    """Where the posteriors stand; empty in the raw view."""
    regrets: slice
    """Where the regrets of decisions stand; empty in the raw view."""
    decisions: slice
    """Where decisions stand among the actions."""

    @classmethod
    def for_preset(cls, world: World, preset: Preset) -> Inputs:
        """The inputs of a preset in a world."""
        layout, n_decisions = layout_of(world), len(world.decisions)
        decisions = slice(len(world.actions) - n_decisions, len(world.actions))
        if preset == "raw":
            return cls("raw", layout.raw_size, layout.raw_size, slice(0), slice(0), decisions)
        probabilities = slice(layout.condition_slot, layout.regret_slot)
        regrets = slice(layout.regret_slot, layout.regret_slot + n_decisions)
        observed = len(layout.names)
        return cls("belief", observed + layout.regret_slot - layout.condition_slot, observed, probabilities, regrets, decisions)

    def of(self, observation: NDArray[np.float32]) -> NDArray[np.float32]:
        """(n, size) float32 in [-1, 1], fresh."""
        shown = observation[:, : self.observed]
        if self.view == "raw":
            return shown.copy()
        least = np.float32(np.log(LEAST_PROBABILITY))
        logs = np.log(np.maximum(shown[:, self.probabilities], np.float32(LEAST_PROBABILITY)))
        return np.concatenate([shown, 1 - 2 * logs / least], axis=1, dtype=np.float32)

    def narrow(self, observation: NDArray[np.float32], mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """(n, A) the mask with only the best legal decision left; unchanged where the posterior is not observed.

        Which decision is best once one stops is known exactly, so only what to order and when to stop is learned.
        """
        if self.view == "raw":
            return mask
        legal = mask[:, self.decisions]
        best = np.where(legal, observation[:, self.regrets], -np.inf).argmax(axis=1)
        narrowed = mask.copy()
        narrowed[:, self.decisions] = legal & (np.arange(legal.shape[1]) == best[:, None])
        return narrowed
