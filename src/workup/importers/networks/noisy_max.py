"""The table of a noisy-MAX node, worked out from its parameters.

Each parent in each of its states makes the node take a state by itself, independently of the others; so does the leak. The node
takes the strongest of these, its first state being the strongest and its last, which nothing causes, the weakest. A parent's
own weakest state causes nothing.

Source: Diez FJ. Parameter adjustment in Bayes networks: the generalized noisy OR-gate. UAI 1993:99-105; the elements
`strengths` and `parameters` are those of BayesFusion's XDSL format.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def columns_of_states(strengths: Sequence[int], columns: Floats) -> list[int] | None:
    """The column of parameters that belongs to each state of a parent; None if the file leaves that open.

    Args:
        strengths: the parent's states, the strongest first.
        columns: (states, values) what each column causes; that of the weakest state is the last value, always.

    Files list the columns by state or by strength. Where `strengths` keeps the order of the states, these are the same;
    elsewhere the column of the weakest state tells which of them it is.
    """
    k = len(strengths)
    if sorted(strengths) != list(range(k)):
        return None
    nothing = np.zeros(columns.shape[1])
    nothing[-1] = 1.0
    by_state = list(range(k))
    by_strength = [strengths.index(state) for state in by_state]
    weakest = strengths[-1]
    fit = [places for places in (by_state, by_strength) if np.allclose(columns[places[weakest]], nothing, atol=1e-9)]
    if not fit or (len(fit) == 2 and fit[0] != fit[1]):
        return None
    # Whether a list of more than two names states by rank or ranks by state shows in its inverse.
    clear = fit[0] == by_state or by_strength == list(strengths)
    return fit[0] if clear else None


def noisy_max_table(parents: Sequence[Floats], leak: Floats) -> Floats:
    """(states of the parents in order..., values) float64, rows sum to 1.

    Args:
        parents: for each, (states, values) what it causes in each state; rows sum to 1.
        leak: (values,) what happens without any cause; sums to 1.
    """
    weaker = _no_stronger_than(leak).reshape((1,) * len(parents) + (-1,))
    for axis, causes in enumerate(parents):
        shape = [1] * len(parents) + [causes.shape[1]]
        shape[axis] = causes.shape[0]
        weaker = weaker * _no_stronger_than(causes).reshape(shape)
    table = weaker.copy()
    table[..., :-1] -= weaker[..., 1:]
    return np.maximum(table, 0.0)


def _no_stronger_than(causes: Floats) -> Floats:
    """P(this value or a weaker one), along the last axis."""
    return np.flip(np.cumsum(np.flip(causes, -1), -1), -1)
