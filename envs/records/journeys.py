"""Journey records: what happened to each patient under a policy."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from workup.envs.model.world import World
from workup.errors import WorkupError


@dataclass(frozen=True, eq=False)
class Journeys:
    """n completed journeys, as `run_journeys` returns them.

    Per-journey arrays are in the order of `patient`; components are signed as in the reward (cost, harm and delay are <= 0),
    weighted, in pounds, and sum to `value`. I items, O observables; codes index `world.items`, `world.model.observables` ...

    Examples:
        >>> import numpy as np, workup
        >>> world = workup.compile_world(workup.load_scenario("tutorial"))
        >>> agent = workup.make_agent("guideline", world)
        >>> journeys = workup.run_journeys(world, agent, patients=np.arange(100), seed=0)
        >>> journeys.value.shape, journeys.components.shape
        ((100,), (100, 4))
        >>> bool(np.allclose(journeys.components.sum(axis=1), journeys.value))
        True
    """

    world: World
    agent: str
    seed: int
    patient: NDArray[np.int64]
    decision: NDArray[np.int32]
    """(n,) index into world.decisions, -1 if truncated."""
    condition: NDArray[np.int32]
    """(n,) the true principal cause."""
    profile: NDArray[np.int32]
    hidden: NDArray[np.int32]
    value: NDArray[np.float64]
    components: NDArray[np.float64]
    """(n, 4) cost, harm, delay, utility by the patient's own state."""
    expected_components: NDArray[np.float64]
    """(n, 4) the same with everything charged at the end as its exact posterior expectation: same mean, less noise."""
    condition_posterior: NDArray[np.float64]
    """(n, conditions) at the end."""
    cost_gbp: NDArray[np.float64]
    """(n,) money spent, unweighted; dose_msv, tests, clock_h likewise."""
    dose_msv: NDArray[np.float64]
    tests: NDArray[np.int32]
    clock_h: NDArray[np.float64]
    values: NDArray[np.int16]
    """(n, O) revealed at the end."""
    status: NDArray[np.uint8]
    """(n, I)"""
    v0: NDArray[np.float64]
    """(n,) value of the best decision at the presentation, everything so far paid for; NaN if the agent
    decided before both history and examination."""
    v0_open: NDArray[np.float64]
    """(n,) the same if no decision required anything."""
    best_at_end: NDArray[np.float64] | None = None
    """(n,) value had the best decision allowed been taken instead of the last act, by the posterior before it."""
    events: Events | None = None
    """Every step, if recorded."""
    luck: NDArray[np.float64] | None = None
    """(n,) pounds, zero on average whatever the policy: by how much more than expected the results of its orders changed
    the best expected utility. None if it was not asked for."""
    law_known: bool = True
    """Whether the world's law is the one that these patients come from (see `Population`)."""

    def recorded(self) -> Events:
        """Every step.

        Raises:
            WorkupError: they were not kept.
        """
        if self.events is None:
            raise WorkupError(f"the journeys of {self.agent!r} hold no events; run them with record=True")
        return self.events


@dataclass(frozen=True, eq=False)
class Events:
    """All steps of all journeys, flat, ordered by journey then step. m rows."""

    journey: NDArray[np.int32]
    """(m,) row in Journeys."""
    step: NDArray[np.int32]
    action: NDArray[np.int32]
    propensity: NDArray[np.float64]
    """(m,) the probability with which the agent took the action, in (0, 1]; 1 where it draws nothing."""
    visit: NDArray[np.int32]
    clock_h: NDArray[np.float64]
    """(m,) before the action; clock_after_h after it."""
    clock_after_h: NDArray[np.float64]
    components: NDArray[np.float64]
    """(m, 4) of the step."""
    condition_posterior: NDArray[np.float64]
    """(m, conditions) after the step."""
    values: NDArray[np.int16]
    """(m, O) revealed after the step."""
    numbers: NDArray[np.float32]
    """(m, O)"""
    status: NDArray[np.uint8]
    """(m, I) after the step."""
