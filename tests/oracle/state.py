"""The state of a batch: one row a slot in each array, and the names of their columns.

`counts` (int64), `amounts` (float64: hours, pounds, mSv) and `marks` (uint8) hold what belongs to a journey side by
side, so that a step touches few lines of memory. Numbers of one kind have constants here; a column for each item,
observable or condition begins at a place that depends on the world, which the kernel knows by name (`at.due_h + item`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from workup.envs.engine.settings import Settings
from workup.envs.model.codes import UNKNOWN
from workup.envs.model.world import World

# Columns of `counts`. LAST_* hold the journey that ended last, for its report after an automatic reset. PROFILE and
# HIDDEN are what is true of the patient; IMPOSSIBLE, that the posterior is zero everywhere; SEED, whose patients the slot
# meets, and STRIDE, by how much their ids go on. `at.possible`: the profiles still possible; `at.words`: the bits that
# rules look at.
(
    PATIENT, KEY, PROFILE, HIDDEN, STEP, VISIT, TESTS, PHASE, DONE, N_PENDING, N_POSSIBLE, JOINT, ACTED,
    LAST_PATIENT, LAST_KEY, LAST_PROFILE, LAST_HIDDEN, LAST_STEP, LAST_TESTS, LAST_DECISION, IMPOSSIBLE, SEED, STRIDE,
    N_COUNTS,
) = range(24)  # fmt: skip
# Columns of `amounts`. ACTED_H is the clock at the last act; BEST_GBP the expected reward of the best decision;
# END_BY_* four each: late cost, late harm, delay and utility that the end charged, weighted.
(
    CLOCK_H, ORDERED_H, COST_GBP, DOSE_MSV, ACTED_H, STEP_COST_GBP, STEP_HARM_GBP, BEST_GBP,
    LAST_CLOCK_H, LAST_COST_GBP, LAST_DOSE_MSV,
) = range(11)  # fmt: skip
END_BY_TRUTH, END_BY_POSTERIOR, N_AMOUNTS = 11, 15, 19
# `marks` begin with the status of each item.
STATUS = 0
# Bits of PHASE: what has a result.
HISTORY, BOTH = 1, 3

COLUMNS = (
    "possible", "words",
    "posterior", "waited_h", "progressed_h", "waiting", "progressing", "due_h", "ordered_at_h", "set_up_paid_at_h",
    "expected",
    "failures", "charged", "treated", "feared", "last_charged",
    "by_hidden", "by_profile", "by_both",
)  # fmt: skip
"""Where each begins, in `counts` (first line), `amounts`, `marks` and `weights` (last line): see `columns_of`."""

LATE_COST, LATE_HARM, DELAY, BENEFIT, OUTCOMES = range(5)
"""From `at.expected`: posterior expectations of ending now; last the utility of each decision and of truncation."""


class Rows(NamedTuple):
    """The state as the kernel sees it."""

    counts: NDArray[np.int64]
    amounts: NDArray[np.float64]
    marks: NDArray[np.uint8]
    values: NDArray[np.int16]
    """(n, O) revealed values."""
    facts: NDArray[np.float32]
    """(n, P) the observation, written by change."""
    mask: NDArray[np.bool_]
    """(n, A) legal actions."""
    weights: NDArray[np.float64]
    """(n, W) factors of the belief; one row for all where it is not followed at every step."""
    scratch: NDArray[np.float64]
    core: NDArray[np.int64]


KEPT = Rows._fields.index("scratch")
"""So many arrays of Rows hold what a journey is; the others are notes within one step."""


@dataclass(frozen=True, eq=False)
class EngineState:
    """Where all journeys of an engine stand: a copy, that nothing writes to."""

    digest: str
    """Of the scenario."""
    settings: Settings
    arrays: tuple[NDArray[Any], ...]
    """The first KEPT of Rows."""


class Columns(NamedTuple):
    """Where each of COLUMNS begins, and how many columns the arrays have."""

    at: dict[str, int]
    counts: int
    amounts: int
    marks: int
    weights: int


def columns_of(world: World, n_words: int, follows_posterior: bool) -> Columns:
    """The columns of a world's journeys; n_words: words of the bits that rules look at."""
    model, items, decisions = world.model, len(world.items), len(world.decisions)
    conditions, n_hidden, observables = len(model.conditions), model.prior.shape[1], len(model.observables)
    profiles = model.profiles_per_start
    at: dict[str, int] = {}
    counts = _place(at, N_COUNTS, {"possible": profiles if follows_posterior else 0, "words": n_words})
    amounts = _place(
        at,
        N_AMOUNTS,
        {
            "posterior": conditions,
            "waited_h": conditions,
            "progressed_h": conditions,
            "waiting": conditions,  # product of the waiting factors of acts done
            "progressing": conditions,  # product of their progression factors
            "due_h": items,
            "ordered_at_h": items,
            "set_up_paid_at_h": len(world.set_up_cost_gbp),
            "expected": OUTCOMES + decisions + 1 if follows_posterior else 0,
        },
    )
    marks = _place(
        at,
        STATUS + items,
        {
            "failures": items,
            "charged": items,  # how often it was carried out
            "treated": observables,  # as in JourneyView
            "feared": len(world.contraindication),  # orders while it was unknown
            "last_charged": items,
        },
    )
    # A belief is a factor for each condition (from 0), hidden state and possible profile, and joint weights.
    factors = {"by_hidden": n_hidden, "by_profile": profiles, "by_both": profiles * n_hidden}
    return Columns(at, counts, amounts, marks, _place(at, conditions, factors))


def _place(at: dict[str, int], first: int, widths: dict[str, int]) -> int:
    """Lay columns side by side from `first` on; returns where they end."""
    for name, width in widths.items():
        at[name] = first
        first += width
    return first


def allocate(world: World, columns: Columns, n: int, n_features: int, belief_rows: int, scratch: int) -> Rows:
    """The state of n journeys, none of which has begun; belief_rows 0: no belief is kept."""
    observables = len(world.model.observables)
    rows = Rows(
        counts=np.zeros((n, columns.counts), np.int64),
        amounts=np.zeros((n, columns.amounts)),
        marks=np.zeros((n, columns.marks), np.uint8),
        values=np.full((n, observables), UNKNOWN, np.int16),
        facts=np.zeros((n, n_features), np.float32),
        mask=np.zeros((n, len(world.actions)), np.bool_),
        weights=np.empty((belief_rows, columns.weights) if belief_rows else (1, 1)),
        scratch=np.empty(scratch),
        core=np.zeros(len(world.model.core), np.int64),
    )
    rows.amounts[:, columns.at["waiting"] : columns.at["due_h"]] = 1.0
    return rows
