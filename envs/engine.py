"""The one engine: a batch of journeys, advanced by the fused kernel. Every environment is a view of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from workup.envs.world import World


@dataclass(frozen=True)
class Budget:
    """Hard limits of a journey, the same in training and evaluation; None is no limit."""

    cost_gbp: float | None = None
    dose_msv: float | None = None
    tests: int | None = None


@dataclass(frozen=True, eq=False)
class Cases:
    """Patients fixed in advance (vignettes, imported patients) instead of drawn from the prior.

    Patient id p is case p: profile (n,) int32, hidden (n,) int32, values (n, O) int16 with UNKNOWN where the
    model draws; a fixed value is reported as it stands, without refusal, failure or corruption of its item.
    """

    profile: NDArray[np.int32]
    hidden: NDArray[np.int32]
    values: NDArray[np.int16]


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


class Engine:
    """n journeys side by side (to be written)."""

    def __init__(
        self,
        world: World,
        num_envs: int,
        *,
        seed: int = 0,
        first_patient: int = 0,
        view: Literal["raw", "belief"] = "raw",
        results: Literal["at_once", "delayed"] = "at_once",
        score: Literal["truth", "posterior"] = "truth",
        budget: Budget | None = None,
        cases: Cases | None = None,
    ) -> None:
        raise NotImplementedError
