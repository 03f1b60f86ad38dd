"""Why a finding is not in a record: the reason, from what became of its order."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from workup.envs.model.codes import FAILED, MISSING, NOT_ORDERED, PENDING, REFUSED, RESULT
from workup.envs.model.world import World

REASONS: Final = (
    "recorded", "not ordered", "never legal: too early", "never legal: contraindicated", "never legal: would be refused",
    "never legal: requirement not met", "never legal: over budget", "refused", "failed", "withheld", "pending",
)  # fmt: skip
"""By code. *Too early*: history or examination never had a result, so that nothing else could be ordered. *Not ordered*: it was
legal at some step and nobody ordered it."""
(
    RECORDED, UNORDERED, TOO_EARLY, CONTRAINDICATED, WOULD_REFUSE, UNMET, OVER_BUDGET, IS_REFUSED, HAS_FAILED, WITHHELD, IS_PENDING,
) = range(len(REASONS))  # fmt: skip


def absences(
    world: World, values: NDArray[np.int16], status: NDArray[np.uint8], ever_legal: NDArray[np.bool_]
) -> NDArray[np.uint8]:
    """Why each finding is not recorded.

    Args:
        world: the scenario.
        values: (n, O) revealed at the end of the journey, UNKNOWN or MISSING elsewhere.
        status: (n, I) at the end.
        ever_legal: (n, I) whether the item could have been ordered at one of the journey's steps.

    Returns:
        (n, O) uint8 codes of REASONS. What nothing reveals is RECORDED if it was known at the start.
    """
    of_item = _of_items(world, values, status, ever_legal)
    revealed_by = world.model.item_of
    found = np.zeros(values.shape, np.uint8)
    shown = revealed_by >= 0
    found[:, shown] = of_item[:, revealed_by[shown]]
    found[(values == MISSING) & (found == RECORDED)] = WITHHELD
    found[values >= 0] = RECORDED
    return found


def _of_items(
    world: World, values: NDArray[np.int16], status: NDArray[np.uint8], ever_legal: NDArray[np.bool_]
) -> NDArray[np.uint8]:
    found = np.full(status.shape, UNORDERED, np.uint8)
    for became, reason in ((RESULT, RECORDED), (FAILED, HAS_FAILED), (REFUSED, IS_REFUSED), (PENDING, IS_PENDING)):
        found[status == became] = reason
    never = (status == NOT_ORDERED) & ~ever_legal
    done, opens = status == RESULT, world.opens_journey
    open_ = done[:, opens == 1].any(axis=1) & done[:, opens == 2].any(axis=1)
    why = np.where(requirements_met(world, values, status), OVER_BUDGET, UNMET)
    for reason, rows, allowed in (
        (CONTRAINDICATED, world.contraindication, world.contraindication_values),
        (WOULD_REFUSE, world.known_refusal, world.known_refusal_values),
    ):
        for (item, o), bad in zip(rows, allowed, strict=True):
            code = values[:, o]
            why[(code >= 0) & bad[np.maximum(code, 0)], item] = reason
    why = np.where(open_[:, None] | (opens > 0), why, TOO_EARLY)
    return np.where(never, why, found).astype(np.uint8)


def requirements_met(world: World, values: NDArray[np.int16], status: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """(n, I) whether what each item requires holds on values (n, O) and status (n, I)."""
    met = np.ones(status.shape, np.bool_)
    groups: dict[tuple[int, int], NDArray[np.bool_]] = {}
    for (item, group, kind, target), allowed in zip(world.clauses, world.clause_values, strict=True):
        if kind:
            holds = allowed[status[:, target]]
        else:
            code = values[:, target]
            holds = (code >= 0) & allowed[np.maximum(code, 0)]
        key = int(item), int(group)
        groups[key] = groups.get(key, np.zeros(len(values), np.bool_)) | holds
    for (item, _), holds in groups.items():
        met[:, item] &= holds
    return met
