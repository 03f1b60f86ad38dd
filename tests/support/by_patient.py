"""What acts bring by patient, restated from a world's tables."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from workup.envs.engine.types import JourneyView
from workup.envs.model.codes import RESULT
from workup.envs.model.world import World


def benefits(world: World, view: JourneyView) -> NDArray[np.float64]:
    """(D, K, H) pounds that the acts done in the one journey of `view` add to each decision, progression expected."""
    more, shape = world.by_patient, world.utility_gbp.shape
    out, each = np.zeros(shape), shape[2] // len(world.model.conditions)
    for act, pounds, decided in zip(more.act, more.benefit_gbp, more.decided, strict=True):
        if view.status[0, act] != RESULT:
            continue
        expected = pounds.copy()
        for c, worse in enumerate(world.progresses_to):
            if worse >= 0:
                stays = np.exp(-world.progression_rate_per_h[c] * view.progression_h[0, c])
                own, other = slice(c * each, (c + 1) * each), slice(worse * each, (worse + 1) * each)
                expected[:, own] = stays * pounds[:, own] + (1 - stays) * pounds[:, other]
        out += decided[:, None, None] * expected
    return out
