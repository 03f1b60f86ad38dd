"""A planning problem as plain arrays: everything from one information state to the end of the journey.

An *information state* is one digit per item: 0 not ordered, then one digit for each result cell, failure or
refusal. A belief is an unnormalised vector over *coordinates*: first the hidden states, then, for states that
may progress, the part that has not progressed yet. Every action multiplies coordinates (a likelihood column for
each digit, a decay for the time it takes) and every cost and utility is linear in them, so the value of an
information state is convex and homogeneous of degree one in the vector.

Symbols: S coordinates, S0 hidden states among them, n items, G digits of all items, X modes (which acts that
change costs, times or findings were done), A atomic actions, M most members of an action, D decisions,
Q clauses, T durations.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from workup.agents.planning.clairvoyant import Clairvoyant
from workup.agents.planning.source import SOURCE, Source
from workup.errors import WorkupError

F64 = NDArray[np.float64]
I32 = NDArray[np.int32]
I64 = NDArray[np.int64]


class Problem(NamedTuple):
    """Arrays that planners read; built by `workup.agents.planning.presentation` and by tests."""

    weights: F64
    """(S,) belief at the root, unnormalised."""
    base: I32
    """(S - S0,) hidden state whose unprogressed part coordinate S0 + j is."""
    stop: F64
    """(X, D, S) weighted utility of each decision, in pounds."""
    worst: F64
    """(S,) less than any journey scores, whatever is ordered and decided."""
    free: Clairvoyant
    """Upper bound on what any policy could reach if the state were revealed for free."""

    radix: I64
    """(n,) digits of each item."""
    place: I64
    """(n,) place value of each item in the code of an information state."""
    first_digit: I32
    """(n,) where an item's digits start among the G."""
    column: F64
    """(G, S) likelihood of a digit given the digit it follows (1 for digit 0)."""
    child_start: I32
    """(G, X) first digit (within its item) that ordering again can lead to; they are contiguous."""
    child_count: I32
    """(G, X) how many; 0: the item cannot be ordered from here."""
    digit_mode: I32
    """(G,) bits this digit adds to the mode."""
    digit_hours: I32
    """(G,) index into `hours` of the time this outcome takes."""
    signature: I64
    """(G,) what a digit changes about future legality, within its item."""
    signature_place: I64
    """(n,) place value of an item's signature in the key of a structure."""

    group_start: I32
    """(n + D + 2,) first group of each item's requirements; entry n is for deciding, n + 1 + d for decision d."""
    clause_start: I32
    """(groups + 1,) first clause of each group. A group holds if any clause does; all groups must."""
    clause_item: I32
    """(Q,) the item whose digit decides."""
    clause_offset: I32
    """(Q,) where in clause_allows its digits start."""
    clause_allows: NDArray[np.bool_]
    """(sum of digits,) whether the clause holds at that digit."""

    member: I32
    """(A, M) items ordered by an atomic action, padded with -1."""
    member_digit: I32
    """(A, M) digit each must be at."""
    other: I32
    """(A, M) items that must have been ordered already (the rest of an order set), padded with -1."""
    action: I32
    """(A,) index in the world's actions."""
    cost: F64
    """(A, X, S) expected cost, harm and waiting, weighted, in pounds; negative for an act with a benefit."""
    hours: F64
    """(T,) durations; the first is 0."""
    decay: F64
    """(T, X, S) what remains unprogressed after a duration; 1 for hidden states."""
    root_mode: int
    """Mode bits of acts done before the root."""
    clocked: bool
    """Whether time must be part of the state (something progresses)."""
    source: Source = SOURCE
    """See `workup.agents.planning.source`."""


def check(problem: Problem) -> None:
    """Raise WorkupError unless outcome probabilities add up to 1 after every order (tolerance 1e-9)."""
    for item in range(len(problem.radix)):
        first = problem.first_digit[item]
        for digit in range(first, first + problem.radix[item]):
            for mode in range(problem.child_start.shape[1]):
                count = problem.child_count[digit, mode]
                if count == 0:
                    continue
                start = first + problem.child_start[digit, mode]
                total = problem.column[start : start + count].sum(axis=0)
                if not np.allclose(total, 1.0, atol=1e-9):
                    raise WorkupError(
                        f"item {item}, digit {digit - first}, mode {mode}: the probabilities of its outcomes add up to {total}; "
                        "expected 1 for every hidden state. Mend `column`, or `child_start` and `child_count`"
                    )


def size(problem: Problem) -> float:
    """Information states, counting every combination of digits."""
    return float(np.prod(problem.radix.astype(np.float64)))
