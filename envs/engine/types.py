"""What goes into the engine and what comes out of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from workup.envs.model.world import World

Autoreset = Literal["none", "next_step", "same_step"]


@dataclass(frozen=True)
class Budget:
    """Hard limits of a journey, the same in training and evaluation; None is no limit."""

    cost_gbp: float | None = None
    dose_msv: float | None = None
    tests: int | None = None


@dataclass(frozen=True, eq=False)
class JourneyView:
    """What has been revealed in n journeys: all that an agent may use. Symbols as in patient_model."""

    world: World
    values: NDArray[np.int16]
    """(n, O) revealed values, UNKNOWN (-1) or MISSING (-2)."""
    numbers: NDArray[np.float32]
    """(n, O) the number of a numeric finding, NaN elsewhere."""
    status: NDArray[np.uint8]
    """(n, I)"""
    failures: NDArray[np.uint8]
    """(n, I)"""
    treated: NDArray[np.bool_]
    """(n, O) whether the act that the finding depends on was done when it was ordered."""
    ordered_at_h: NDArray[np.float32]
    """(n, I) clock at the first order, NaN if never."""
    clock_h: NDArray[np.float64]
    visit: NDArray[np.int32]
    step: NDArray[np.int32]
    cost_gbp: NDArray[np.float64]
    """(n,) spent so far (unweighted)."""
    dose_msv: NDArray[np.float64]
    tests: NDArray[np.int32]
    waiting_h: NDArray[np.float64]
    """(n, conditions) hours so far, weighted by waiting_factor of acts done."""
    progression_h: NDArray[np.float64]
    """(n, conditions) hours so far, weighted by progression_factor of acts done."""
    mask: NDArray[np.bool_]
    """(n, A) legal actions."""
    observation: NDArray[np.float32] | None = None
    """(n, P) the flat observation the environment would deliver, if asked for."""
    condition_posterior: NDArray[np.float64] | None = None
    """(n, conditions) the exact posterior of the principal cause, for agents whose `needs` is "posterior"."""


class Step(NamedTuple):
    """What a step of n journeys gave. Fresh arrays, which the engine never writes to again."""

    observation: NDArray[np.float32]
    """(n, P)"""
    reward: NDArray[np.float64]
    """(n,) the sum of the components."""
    components: NDArray[np.float64]
    """(n, 4) cost, harm, delay, utility: weighted, in pounds, signed as in the reward."""
    terminated: NDArray[np.bool_]
    truncated: NDArray[np.bool_]
    illegal: NDArray[np.bool_]
    """(n,) a masked action was tried; nothing happened but the step count."""
    mask: NDArray[np.bool_]
    """(n, A) legal actions of the next step."""
    ended: bool
    """Whether any journey ended."""
    final_observation: NDArray[np.float32]
    """(n, P) the last observation of journeys that ended, in same-step mode; elsewhere undefined."""
    final_mask: NDArray[np.bool_]
    """(n, A) likewise."""


class Results(NamedTuple):
    """Where a step of n journeys writes; as in `Step`, with flags (3, n): terminated, truncated, illegal."""

    observation: NDArray[np.float32]
    mask: NDArray[np.bool_]
    reward: NDArray[np.float64]
    components: NDArray[np.float64]
    flags: NDArray[np.bool_]
    final_observation: NDArray[np.float32]
    final_mask: NDArray[np.bool_]

    def step(self, ended: bool) -> Step:
        """The same arrays by the names that a user knows."""
        observation, mask, reward, components, flags, finals, final_mask = self
        return Step(observation, reward, components, flags[0], flags[1], flags[2], mask, ended, finals, final_mask)
