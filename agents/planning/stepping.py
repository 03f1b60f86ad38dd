"""One step ahead in many journeys, from tables that are looked up. Compiled."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from workup.agents.planning.change import Keyed, change_of, inner, price_of_keys, worth_of
from workup.agents.planning.keys import Rules, price_keys
from workup.agents.planning.packed import Packed, by_class, charge_of, walk_of
from workup.agents.planning.parts import allocating, part, summing
from workup.envs.model.codes import NOT_ORDERED, RESULT
from workup.envs.model.machine_code import njit

F64 = NDArray[np.float64]
I64 = NDArray[np.int64]


class Knowledge(NamedTuple):
    """What is the same for all journeys."""

    rules: Rules
    needs: I64
    first: I64
    """As in `workup.agents.planning.change.Keyed`."""
    keys: bool
    """Whether a locked decision counts, less its keys."""
    decision: I64
    """(A,) that an action takes, -1 for orders, -2 for waiting."""
    members: NDArray[np.bool_]
    """(A, I) what an action orders."""
    is_set: NDArray[np.bool_]
    """(A,)"""
    rate_per_h: F64
    """(conditions,) of progression."""
    moves: bool
    """Whether anything progresses."""
    condition_of: I64
    """(H,)"""
    swayed: int
    """Decisions, if an act may be worth more after some than after others; else 0."""


class Asked(NamedTuple):
    """n journeys."""

    situation: I64
    first: I64
    """(n + 1,) as in `workup.agents.planning.listed.Listed`, and `weights` too."""
    weights: F64
    met: I64
    """(n,) the requirements of decisions that are met, as bits."""
    paid: NDArray[np.bool_]
    """(n, B) whether a set-up that is charged once was charged."""
    values: NDArray[np.int16]
    status: NDArray[np.uint8]
    failures: NDArray[np.uint8]
    progression_h: F64
    mask: NDArray[np.bool_]


@allocating
def _weights_of(asked: Asked, i: int, width: int) -> F64:
    return asked.weights[asked.first[i] * width : asked.first[i + 1] * width]


@summing
def _sum(weights: F64) -> float:
    total = 0.0
    for s in range(weights.shape[0]):
        total += weights[s]
    return total


@part
def _still(knowledge: Knowledge, hours: F64, out: F64) -> None:
    """(conditions,) chance that nothing progressed yet; the hours have the factors of acts in them."""
    for c in range(out.shape[0]):
        out[c] = np.exp(-knowledge.rate_per_h[c] * hours[c]) if knowledge.rate_per_h[c] > 0.0 else 1.0


@allocating
def _change(
    packed: Packed, order: int, knowledge: Knowledge, weights: F64, still: F64, paid: NDArray[np.bool_], keyed: Keyed,
    then: Keyed, met: int,
) -> float:  # fmt: skip
    """What an order changes, for weights of any sum, by which it is multiplied."""
    walk, condition = walk_of(packed, order, knowledge.needs.shape[0], knowledge.swayed)
    held, unprogressed = np.empty(condition.shape[0]), np.empty(condition.shape[0])
    by_class(packed, order, weights, held)
    for u in range(condition.shape[0]):
        unprogressed[u] = still[condition[u]]
    found = change_of(held, unprogressed, knowledge.moves, walk, keyed, then, met)
    return found - charge_of(packed, order, weights, paid)


@njit(cache=True, nogil=True)
def changes_of(packed: Packed, numbers: I64, knowledge: Knowledge, asked: Asked, actions: I64) -> F64:
    """(n,) what each journey's action changes, NaN for what cannot be priced."""
    out, still = np.full(actions.shape[0], np.nan), np.ones(knowledge.rate_per_h.shape[0])
    keyed = Keyed(knowledge.needs, knowledge.first, np.full(knowledge.first[-1], np.inf))
    for i in range(actions.shape[0]):
        order = numbers[asked.situation[i], actions[i]]
        if order >= 0:
            weights = _weights_of(asked, i, knowledge.condition_of.shape[0])
            if knowledge.moves:
                _still(knowledge, asked.progression_h[i], still)
            found = _change(packed, order, knowledge, weights, still, asked.paid[i], keyed, keyed, asked.met[i])
            out[i] = found / _sum(weights)
    return out


@allocating
def _decide(
    packed: Packed, order: int, knowledge: Knowledge, weights: F64, still: F64, keyed: Keyed, met: int, out: F64
) -> None:
    """(D,) expected worth of each decision now, less its keys if it is locked."""
    walk, condition = walk_of(packed, order, out.shape[0], knowledge.swayed)
    held, unprogressed, worth = np.empty(condition.shape[0]), np.empty(condition.shape[0]), np.empty(walk.now.shape)
    by_class(packed, order, weights, held)
    for u in range(condition.shape[0]):
        unprogressed[u] = still[condition[u]]
    worth_of(walk.now, walk.difference, unprogressed, knowledge.moves, worth)
    mass = _sum(weights)
    for d in range(out.shape[0]):
        price = price_of_keys(keyed, d, met)
        out[d] = -np.inf if price == np.inf else inner(held, worth[d]) - price * mass


@allocating
def _price_items(
    packed: Packed, prices: I64, items: I64, status: NDArray[np.uint8], weights: F64, mass: float, out: F64
) -> None:
    """(I,) what each item by itself is expected to cost, pounds; inf where it has a result."""
    for i in range(out.shape[0]):
        out[i] = np.inf
    for item in items:
        first = prices[item]
        if first >= 0 and status[item] != RESULT:
            out[item] = inner(weights, packed.reals[first : first + weights.shape[0]]) / mass


@njit(cache=True, nogil=True)
def values_of(packed: Packed, numbers: I64, prices: I64, knowledge: Knowledge, asked: Asked) -> F64:
    """(n, A) pounds against the best decision now; -inf where illegal, and for waiting."""
    n, A = asked.mask.shape
    D, G, I = knowledge.needs.shape[0], knowledge.first[-1], knowledge.members.shape[1]
    out, still, decide = np.full((n, A), -np.inf), np.ones(knowledge.rate_per_h.shape[0]), np.empty(D)
    price, known, ordering = np.empty(I), np.empty(I), np.zeros(I, np.bool_)
    keyed = Keyed(knowledge.needs, knowledge.first, np.full(G, np.inf))
    then = Keyed(knowledge.needs, knowledge.first, np.full(G, np.inf))
    for i in range(n):
        weights, met, at = _weights_of(asked, i, knowledge.condition_of.shape[0]), asked.met[i], asked.situation[i]
        mass, facts = _sum(weights), (asked.values[i], asked.status[i], asked.failures[i])
        if knowledge.moves:
            _still(knowledge, asked.progression_h[i], still)
        if knowledge.keys:
            _price_items(packed, prices[at], knowledge.rules.items, asked.status[i], weights, mass, price)
            for item in range(I):
                ordering[item] = False
            price_keys(knowledge.rules, *facts, price, ordering, met, known, keyed.key_gbp)
        _decide(packed, numbers[at, A], knowledge, weights, still, keyed, met, decide)
        best = -np.inf
        for d in range(D):
            best = max(best, decide[d])
        for a in range(A):
            if not asked.mask[i, a]:
                continue
            if knowledge.decision[a] >= 0:
                out[i, a] = decide[knowledge.decision[a]] - best
            elif knowledge.decision[a] == -1:
                if knowledge.keys:
                    for item in range(I):
                        fresh = not knowledge.is_set[a] or asked.status[i, item] == NOT_ORDERED
                        ordering[item] = knowledge.members[a, item] and fresh
                    price_keys(knowledge.rules, *facts, price, ordering, met, known, then.key_gbp)
                found = _change(packed, numbers[at, a], knowledge, weights, still, asked.paid[i], keyed, then, met)
                out[i, a] = found / mass
    return out
