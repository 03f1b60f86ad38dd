"""Tables of what a journey is worth: utilities, waiting and progression, benefits, what is put off to the end."""

from __future__ import annotations

from functools import cmp_to_key
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from workup.envs.engine.parts import Part
from workup.envs.model.world import World


def worth_tables(world: World) -> Part:
    """Utilities, and what time, acts and late charges add to them."""
    late = (world.late_cost_gbp != 0).any(axis=(1, 2)) | (world.late_harm_gbp != 0).any(axis=(1, 2))
    classes = _utility_classes(world)
    sizes = {
        "n_late": int(late.sum()),
        "n_utility_k": classes.table.shape[0],
        "n_utility_h": classes.table.shape[1],
        "differs": bool(world.by_patient),
        "waits": world.by_patient.waiting_gbp_per_h.size > 0,
        "n_benefits": len(world.by_patient.act),
        "n_fears": len(world.by_patient.contraindication),
    }
    ints: dict[str, NDArray[Any]] = {
        "late": np.flatnonzero(late),
        "utility_of_k": classes.of_profile,
        "utility_of_h": classes.of_hidden,
        "condition_of": world.model.condition_of,
        "progresses_to": world.progresses_to,
        "worse_state": _worse_states(world),
        "benefit_act": world.by_patient.act,
        "benefit_decided": world.by_patient.decided,
        "fear": _place_of_fear(world),
    }
    reals: dict[str, NDArray[Any]] = {
        "late_cost": world.late_cost_gbp[late],
        "late_harm": world.late_harm_gbp[late],
        "waiting_cost": world.waiting_cost_gbp_per_h,
        "progression_rate": world.progression_rate_per_h,
        "waiting_factor": world.waiting_factor,
        "progression_factor": world.progression_factor,
        "benefit": world.benefit_gbp,
        "utility": classes.table,
        "waiting_more": world.by_patient.waiting_gbp_per_h,
        "benefit_more": world.by_patient.benefit_gbp,
        "fear_loss": world.by_patient.contraindication_loss_gbp,
        "utility_range": _utility_range(world, classes),
        "weights": world.weights,
    }
    return Part(sizes, ints, reals)


def _place_of_fear(world: World) -> NDArray[np.int64]:
    """(Y,) where the kernel, which has contraindications by item, keeps each whose loss differs by patient."""
    by_item = np.argsort(world.contraindication[:, 0], kind="stable")
    return np.argsort(by_item)[world.by_patient.contraindication]


def _utility_range(world: World, classes: _Classes) -> NDArray[np.float64]:
    """(2,) the lowest utility of ending, and how far the highest is above it; benefits by patient are part of utilities."""
    benefits = world.by_patient.benefit_gbp
    low = float(np.minimum(benefits, 0.0).sum(axis=0).min(initial=0.0))
    high = float(np.maximum(benefits, 0.0).sum(axis=0).max(initial=0.0))
    return np.array([classes.table.min() + low, max(float(np.ptp(classes.table)) + high - low, 1e-9)])


class _Classes(NamedTuple):
    """Utilities without repetition: table (profile classes, hidden classes, D + 1), the class of each profile and of
    each hidden state. The last column is what truncation brings; hidden classes are padded to a multiple of four."""

    table: NDArray[np.float64]
    of_profile: NDArray[np.int64]
    of_hidden: NDArray[np.int64]


def _utility_classes(world: World) -> _Classes:
    utility = np.moveaxis(np.concatenate([world.utility_gbp, world.utility_gbp.min(axis=0, keepdims=True)]), 0, 2)
    profiles, of_profile = _distinct(utility)
    # In the order of profiles, so that hidden states keep the order they have by the whole table.
    hidden, of_hidden = _distinct(np.moveaxis(utility[np.sort(profiles)], 1, 0))
    padded = np.pad(hidden, (0, -len(hidden) % 4), mode="edge")
    return _Classes(utility[profiles][:, padded], of_profile, of_hidden)


def _distinct(tables: NDArray[Any]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Where each distinct table stands first, in the order of their numbers, and which of these each table is.

    Equal bytes are found by hashing, so that only what differs is sorted: sorting thousands of equal tables of a million
    numbers took seconds.
    """
    numbers: dict[bytes, int] = {}
    rows = tables.reshape(len(tables), -1)
    of_row = np.array([numbers.setdefault(row.tobytes(), len(numbers)) for row in rows])
    first = np.unique(of_row, return_index=True)[1]
    different = rows[first]

    def compared(a: int, b: int) -> int:
        return _compared(different[a], different[b])

    order = sorted(range(len(first)), key=cmp_to_key(compared))
    new = [compared(a, b) != 0 for a, b in pairwise(order)]
    rank = np.empty(len(first), np.int64)
    rank[order] = np.cumsum([0, *new])
    return first[[order[0], *(b for b, is_new in zip(order[1:], new, strict=True) if is_new)]], rank[of_row]


def _compared(a: NDArray[Any], b: NDArray[Any]) -> int:
    """-1, 0 or 1 by the first number that differs."""
    where = (a != b).argmax()
    return int(a[where] > b[where]) - int(a[where] < b[where])


def _worse_states(world: World) -> NDArray[np.int64]:
    """(H,) the hidden state with the worse condition in place of its own."""
    model = world.model
    per_condition = model.prior.shape[1] // len(model.conditions)
    states = np.arange(model.prior.shape[1])
    worse = world.progresses_to[model.condition_of]
    return np.where(worse >= 0, states + (worse - model.condition_of) * per_condition, states)
