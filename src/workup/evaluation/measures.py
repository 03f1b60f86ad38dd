"""What is measured of each patient's journey."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from workup.envs.records.journeys import Journeys
from workup.evaluation.worth import Worth

Floats = NDArray[np.float64]

MEASURES = ("gain", "accuracy", "brier", "cost_gbp", "harm_gbp", "delay_gbp", "dose_msv", "tests", "days", "truncated")
"""Beside `value`. Harm and delay as the reward weights and charges them, in expectation."""


def measure(journeys: Journeys, v0: Floats, worth: Worth) -> dict[str, Floats]:
    """(n,) each of `value`, `slack` and MEASURES for every patient."""
    world, n = journeys.world, len(journeys.patient)
    ended = journeys.decision < 0
    truth = np.zeros_like(journeys.condition_posterior)
    truth[np.arange(n), journeys.condition] = 1.0
    right = world.right_for[journeys.decision, journeys.condition] & ~ended
    return {
        "value": worth.value,
        "slack": worth.slack,
        "gain": worth.value - v0,
        "accuracy": right.astype(np.float64),
        "brier": np.square(journeys.condition_posterior - truth).sum(axis=1),
        "cost_gbp": journeys.cost_gbp.astype(np.float64),
        "harm_gbp": -journeys.expected_components[:, 1],
        "delay_gbp": -journeys.expected_components[:, 2],
        "dose_msv": journeys.dose_msv.astype(np.float64),
        "tests": journeys.tests.astype(np.float64),
        "days": journeys.clock_h / 24.0,
        "truncated": ended.astype(np.float64),
    }
