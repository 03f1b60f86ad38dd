"""Tables of the orders: what each reveals and how it is drawn, what it costs, what it shares."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from workup.envs.engine.observation import Layout
from workup.envs.engine.parts import Part, flat, offsets
from workup.envs.engine.patient_tables import value_cells
from workup.envs.engine.rule_tables import Bits
from workup.envs.model.patient_model import PatientModel
from workup.envs.model.randomness import VALUE
from workup.envs.model.world import World


def order_tables(world: World, layout: Layout, bits: Bits) -> Part:
    """What items reveal, cost and contraindicate, and what each action orders."""
    contra = np.argsort(world.contraindication[:, 0], kind="stable")
    drawn, n_drawn = _reveal_lists(world, layout, bits)
    sizes = {
        "n_drawn": n_drawn,
        "n_set_ups": len(world.set_up_cost_gbp),
        "n_contraindications": len(world.contraindication),
        "max_reveals": world.reveals.shape[1],
    }
    ints: dict[str, NDArray[Any]] = {
        "reveals": world.reveals,
        **drawn,
        "plain_item": _plain_items(world, drawn["careful_at"]),
        "treatable": np.asarray((np.append(world.model.treatment, -1)[world.reveals] >= 0).any(axis=1)),
        "set_up": world.set_up,
        "attempts": world.attempts,
        "opens": world.opens_journey,
        "contra_at": np.searchsorted(world.contraindication[contra, 0], np.arange(len(world.items) + 1)),
        "contra_observable": world.contraindication[contra, 1],
        "contra_bad": world.contraindication_values[contra],
    }
    reals: dict[str, NDArray[Any]] = {
        "cost": world.cost_gbp,
        "turnaround": world.turnaround_h,
        "dose": world.dose_msv,
        "harm": world.harm_gbp,
        "set_up_cost": world.set_up_cost_gbp,
        "set_up_harm": world.set_up_harm_gbp,
        "set_up_repeats": 1.0 - world.set_up_once,
        "contra_loss": world.contraindication_loss_gbp[contra],
    }
    return Part(sizes, ints, reals)


def _plain(model: PatientModel) -> NDArray[np.bool_]:
    """(O,) whether an observable is always reported as it is, whatever was done before."""
    return np.asarray((model.n_values > 1) & (model.treatment < 0) & (model.withheld < 0) & (model.corrupted < 0))


def _plain_items(world: World, careful_at: NDArray[np.int64]) -> NDArray[np.int64]:
    """(A,) the investigation that an action orders by itself, if it is not refused, does not fail and is reported as it is,
    whatever was done before; else -1."""
    model, items = world.model, np.arange(len(world.items))
    certain = (model.item_refusal < 0) & (model.item_failures < 0).all(axis=1) & (items < world.n_investigations)
    plain = certain & (np.diff(careful_at[: len(items) + 1]) == 0)
    single = [a.items[0] if a.kind == "order" and len(a.items) == 1 else -1 for a in world.actions]
    return np.array([item if item >= 0 and plain[item] else -1 for item in single], np.int64)


def _reveal_lists(world: World, layout: Layout, bits: Bits) -> tuple[dict[str, NDArray[Any]], int]:
    """Findings of each item by how they are drawn: plain ones side by side, those with two values first (with the
    number of their draw, their place in the observation and their first threshold by profile and hidden state); the
    rest, that need care; and, from item I on, all as if they did. `ruled` are those that a rule looks at, by item and
    word of their bits. Returns also how many are plain."""
    (cells, _), plain, n = value_cells(world.model), _plain(world.model), world.model.n_values
    lists = [row[row >= 0].tolist() for row in world.reveals]
    two = [[o for o in row if plain[o] and n[o] == 2] for row in lists]
    more = [[o for o in row if plain[o] and n[o] > 2] for row in lists]
    drawn = [a + b for a, b in zip(two, more, strict=True)]
    order = flat(drawn)
    careful = [[o for o in row if not plain[o]] for row in lists] + lists
    ruled = [[o for o in row if bits.fact_word[o] == word] for row in lists for word in range(bits.n_words)]
    ints: dict[str, NDArray[Any]] = {
        "drawn_at": offsets(drawn),
        "drawn_two": offsets(drawn)[:-1] + [len(row) for row in two],
        "drawn": order,
        "drawn_stream": VALUE + order,
        "drawn_slot": layout.slot[order],
        "drawn_of_k": (cells.start[:, None] + cells.of_profile)[order].T,
        "drawn_of_h": cells.of_hidden[order].T,
        "careful_at": offsets(careful),
        "careful": flat(careful),
        "ruled_at": offsets(ruled),
        "ruled": flat(ruled),
        "ruled_bit": bits.fact_bit[flat(ruled)],
    }
    return ints, len(order)
