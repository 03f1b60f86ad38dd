"""The clairvoyant bound: what any policy could reach if the state were revealed at no charge.

Whoever knows the state orders no test, but an act that changes what decisions are worth has still to be paid, and what an act
brings can be had once. So the bound depends on the mode and on the acts still to come: it is linear in the belief and the
same for all information states of one structure.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

F64 = NDArray[np.float64]
I32 = NDArray[np.int32]


class Clairvoyant(NamedTuple):
    """Symbols as in `Problem`; B atomic actions that bring more than they cost."""

    still: F64
    """(X, S) best decision in this or a later mode, what leads there paid for."""
    paid: F64
    """(X, S) the same where what leads there may have been paid for already."""
    benefit_action: I32
    """(B,)"""
    benefit: F64
    """(B, S) the most that each of them brings beyond its cost."""
    final: NDArray[np.bool_]
    """(G,) whether the item cannot be ordered again from a digit, in any mode."""
    bits: I32
    """(A,) mode bits that an action may add."""


def clairvoyant(
    stop: F64,
    base: I32,
    cost: F64,
    *,
    member: I32,
    first_digit: I32,
    radix: NDArray[np.int64],
    digit_mode: I32,
    child_count: I32,
) -> Clairvoyant:
    """From the arrays of a `Problem`.

    A mode's price is the least that its new bits cost: the sum over them where no action adds two, else the dearest of them.
    """
    X, A = stop.shape[0], len(cost)
    of_item = np.array([
        np.bitwise_or.reduce(digit_mode[f : f + r], initial=0) for f, r in zip(first_digit, radix, strict=True)
    ], np.int32)  # fmt: skip
    bits = np.array([np.bitwise_or.reduce(of_item[row[row >= 0]], initial=0) for row in member], np.int32).reshape(A)
    least = np.maximum(0.0, cost.min(axis=1)) if A else np.zeros((0, stop.shape[-1]))
    most = np.maximum(0.0, -cost.min(axis=1)) if A else np.zeros((0, stop.shape[-1]))
    brings = np.flatnonzero(most.any(axis=1)).astype(np.int32)
    return Clairvoyant(
        still=_best(stop, base, _prices(X, bits, least)),
        paid=_best(stop, base, _prices(X, bits, np.zeros_like(least))),
        benefit_action=brings,
        benefit=np.ascontiguousarray(most[brings]),
        final=(child_count == 0).all(axis=1),
        bits=bits,
    )


def _prices(X: int, bits: I32, least: F64) -> F64:
    """(X, S) the least price of adding every bit of a set; infinite where an action for one is missing."""
    S, n = least.shape[1], (X - 1).bit_length()
    price = np.zeros((X, S))
    single = all(int(each).bit_count() <= 1 for each in bits)
    for b in range(n):
        rows = least[(bits >> b & 1).astype(bool)]
        own = rows.min(axis=0) if len(rows) else np.full(S, np.inf)
        for m in range(X):
            if m >> b & 1:
                price[m] = price[m] + own if single else np.maximum(price[m], own)
    return price


def _best(stop: F64, base: I32, price: F64) -> F64:
    """(X, S) the best decision over the modes that may follow, each less its price.

    `stop` holds the progressed row at the state and what not having progressed adds at the unprogressed coordinate. Progression
    can only lower the unprogressed part; where progressing would be better the bound takes it.
    """
    X, S0 = len(stop), stop.shape[2] - len(base)
    progressed = stop[:, :, :S0].max(axis=1)
    unprogressed = (stop[:, :, base] + stop[:, :, S0:]).max(axis=1)
    found = np.empty((X, stop.shape[2]))
    for m in range(X):
        after = [k for k in range(X) if k & m == m]
        due = np.array([price[k & ~m] for k in after])
        found[m, :S0] = (progressed[after] - due[:, :S0]).max(axis=0)
        unmoved = (unprogressed[after] - due[:, base]).max(axis=0)
        found[m, S0:] = np.maximum(0.0, unmoved - found[m, base])
    return found
