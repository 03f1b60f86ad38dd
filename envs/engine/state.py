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

from workup.envs.engine.patient_tables import ON_BOTH, depends_on, silent
from workup.envs.engine.settings import Settings
from workup.envs.engine.vectors import padded
from workup.envs.model.codes import UNKNOWN
from workup.envs.model.world import World

# Columns of `counts`, a line of memory for what every step looks at, one for what most steps leave alone, and one that only an
# end writes: LAST_* hold the journey that ended last, for its report after an automatic reset. PROFILE and HIDDEN are what is
# true of the patient; IMPOSSIBLE, that the posterior is zero everywhere; SEED, whose patients the slot meets, and STRIDE, by how
# much their ids go on. Then `at.legal`: a bit for each action that is; `at.fresh`: for each item that was never ordered;
# `at.again`: that failed and may be tried again; `at.words`: the bits that rules look at; JOINT: how many of
# `at.joined` are told. `at.possible`: the profiles still possible; `at.told`: whether anything was said of hidden states; `at.joined`:
# reports that hang on both (see `tracking`).
(
    PATIENT, KEY, PROFILE, HIDDEN, STEP, PHASE, DONE, N_PENDING,
    VISIT, TESTS, ACTED, N_POSSIBLE, JOINT, IMPOSSIBLE, SEED, STRIDE,
    LAST_PATIENT, LAST_KEY, LAST_PROFILE, LAST_HIDDEN, LAST_STEP, LAST_TESTS, LAST_DECISION,
) = range(23)  # fmt: skip
N_COUNTS = 24
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
    "legal", "fresh", "again", "words", "possible", "told", "joined",
    "due_h", "ordered_at_h", "set_up_paid_at_h",
    "posterior", "waited_h", "progressed_h", "waiting", "progressing", "expected",
    "failures", "charged", "treated", "feared", "last_charged",
    "by_profile", "divided", "by_hidden",
)  # fmt: skip
"""Where each begins, in `counts` (first line), `amounts`, `marks` and `weights` (last line): see `columns_of`."""

RESCALES = 4
"""So often at most joint weights are brought clear of underflow."""
LATE_COST, LATE_HARM, DELAY, BENEFIT, OUTCOMES = range(5)
"""From `at.expected`: posterior expectations of ending now; last the utility of each decision and of truncation."""


LINE = 64
"""Bytes that memory hands over at a time."""


class Rows(NamedTuple):
    """The state as the kernel sees it."""

    counts: NDArray[np.int64]
    amounts: NDArray[np.float64]
    marks: NDArray[np.uint8]
    values: NDArray[np.signedinteger[Any]]
    """(n, O) revealed values, int8 or, where a finding has more values than that holds, int16."""
    codes: NDArray[np.signedinteger[Any]]
    """(n, Q) the observation up to the totals as whole numbers, to be multiplied by `Starts.units`; written by change."""
    shown: NDArray[np.float32]
    """(n, P - Q) the observation from the totals on, written by change."""
    weights: NDArray[np.float64]
    """(n, W) factors of the belief; one row for all where it is not followed at every step."""
    scratch: NDArray[np.float64]
    notes: NDArray[np.int64]


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
    fresh = words_for(items)
    bits = {"legal": words_for(len(world.actions)), "fresh": fresh, "again": fresh, "words": n_words}
    belief = (profiles, 1, _most_joined(world)) if follows_posterior else (0, 0, 0)
    counts = _place(at, N_COUNTS, {**bits, **dict(zip(("possible", "told", "joined"), belief, strict=True))})
    amounts = _place(
        at,
        N_AMOUNTS,
        {
            "due_h": items,
            "ordered_at_h": items,
            "set_up_paid_at_h": len(world.set_up_cost_gbp),
            "posterior": conditions,
            "waited_h": conditions,
            "progressed_h": conditions,
            "waiting": conditions,  # product of the waiting factors of acts done
            "progressing": conditions,  # product of their progression factors
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
    # A belief is a factor for each condition (from 0), possible profile and hidden state.
    factors = {"by_profile": padded(profiles), "divided": RESCALES, "by_hidden": padded(n_hidden)}
    return Columns(at, counts, amounts, marks, _place(at, padded(conditions), factors))


def _most_joined(world: World) -> int:
    """How many reports of one journey can depend on profile and hidden state together."""
    model = world.model
    values = depends_on(model, model.evidence_rows) == ON_BOTH
    statuses = (depends_on(model, model.status_rows) == ON_BOTH) & ~silent(model)
    return int(values.sum() + (2 * world.attempts[statuses] + 2).sum()) + RESCALES


def _place(at: dict[str, int], first: int, widths: dict[str, int]) -> int:
    """Lay columns side by side from `first` on; returns where they end."""
    for name, width in widths.items():
        at[name] = first
        first += width
    return first


def words_for(bits: int) -> int:
    """Words of 64 bits that hold so many."""
    return -(-bits // 64)


def small_type(world: World) -> type[np.signedinteger[Any]]:
    """Of values, and of what is shown of them and of orders."""
    largest = max(int(world.model.n_values.max(initial=1)), 2 * int(world.attempts.max(initial=1)))
    return np.int8 if largest < 128 else np.int16


def allocate(world: World, columns: Columns, n: int, n_features: tuple[int, int], belief_rows: int, notes: int) -> Rows:
    """The state of n journeys, none of which has begun.

    n_features: of the observation, up to the totals and from there on; belief_rows 0: no belief is kept; notes: how many
    numbers are noted down within a step.
    """
    small = small_type(world)
    rows = Rows(
        counts=in_lines(n, columns.counts, np.int64),
        amounts=in_lines(n, columns.amounts, np.float64),
        marks=in_lines(n, columns.marks, np.uint8),
        values=in_lines(n, len(world.model.observables), small),
        codes=in_lines(n, n_features[0], small),
        shown=in_lines(n, n_features[1], np.float32),
        weights=np.empty((belief_rows, columns.weights) if belief_rows else (1, 1)),
        scratch=np.empty(notes),
        notes=np.zeros(notes, np.int64),
    )
    rows.values[:] = UNKNOWN
    rows.amounts[:, columns.at["waiting"] : columns.at["expected"]] = 1.0
    return rows


def in_lines(n: int, width: int, kind: type[np.generic]) -> NDArray[Any]:
    """(n, width or more) zeros, each row in whole lines of memory: a row that shares none is at hand at fewer looks."""
    size = np.dtype(kind).itemsize
    row = -(-width * size // LINE) * LINE
    raw = np.zeros(n * row + LINE, np.uint8)
    first = -raw.ctypes.data % LINE
    return raw[first : first + n * row].view(kind).reshape(n, row // size)
