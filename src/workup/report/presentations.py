"""What agents order first, by what patients present with."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workup.envs.model.codes import RESULT
from workup.envs.records import narrative
from workup.envs.records.journeys import Journeys
from workup.report.splits import Known, split

LEAST = 0.04
"""Share of all patients that a presentation must have to get a row of its own."""
_MOST_FACTS = 3
"""Facts that tell a presentation from the others."""
_TOLD = 2
"""First orders that are named; the rest are counted."""

Orders = tuple[tuple[str, float], ...]
"""(what, share of those patients), the commonest first."""


@dataclass(frozen=True)
class Presentation:
    """Patients alike in what history and examination found, as far as that matters for what comes next."""

    when: tuple[str, ...]
    """The facts, in words."""
    share: float
    """Of all patients."""
    orders: tuple[Orders, ...]
    """What each agent orders first."""


@dataclass(frozen=True)
class FirstOrders:
    """What each agent does once history and examination are known."""

    agents: tuple[str, ...]
    reference: str
    """The agent whose choice the rows tell apart."""
    rows: tuple[Presentation, ...]


def first_orders(journeys: Mapping[str, Journeys], reference: str) -> FirstOrders | None:
    """The first orders of agents that met the same patients; None where the reference decides before it has examined anybody.

    Args:
        journeys: agent -> journeys of the population, run with record=True.
        reference: of these, the agent whose first orders the presentations are told apart by.
    """
    first = {name: _after_opening(each) for name, each in journeys.items()}
    following, at = first[reference]
    here = np.flatnonzero(at >= 0)
    if not len(here):
        return None
    chosen, events = journeys[reference], journeys[reference].recorded()
    known = Known(chosen.world, events.values[at[here]], events.condition_posterior[at[here]])
    least = LEAST * len(at)
    parts = sorted(presentations(known, following[here], least), key=lambda part: -len(part[1]))
    rows = []
    for when, part in parts:
        orders = tuple(_told(chosen, following_of[here[part]]) for following_of, _ in first.values())
        rows.append(Presentation(when or ("Every patient",), len(part) / len(at), orders))
    return FirstOrders(tuple(journeys), reference, tuple(rows))


def _after_opening(journeys: Journeys) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """(n,) the action after history and examination (-1: it had decided before), and the event at which they were known."""
    events, opens, n = journeys.recorded(), journeys.world.opens_journey, len(journeys.patient)
    done = events.status == RESULT
    known = done[:, opens == 1].any(axis=1) & done[:, opens == 2].any(axis=1)
    at = np.full(n, -1, np.int64)
    when = np.flatnonzero(known)[::-1]
    at[events.journey[when]] = when  # the first such event stands last
    following = np.full(n, -1, np.int64)
    goes_on = at + 1 < len(events.journey)
    goes_on &= (at >= 0) & (events.journey[np.where(goes_on, at + 1, 0)] == np.arange(n))
    following[goes_on] = events.action[at[goes_on] + 1]
    return following, at


def presentations(
    known: Known, following: NDArray[np.int64], least: float, when: tuple[tuple[str, str], ...] = ()
) -> Iterator[tuple[tuple[str, ...], NDArray[np.intp]]]:
    """Facts and rows of each presentation; of two facts about the same, the later, which says more."""
    found = split(known, following, least) if len(when) < _MOST_FACTS else []
    if not found:
        yield tuple(dict(when).values()), np.arange(len(following))
    for each in found:
        posterior = None if known.posterior is None else known.posterior[each.rows]
        part = Known(known.world, known.values[each.rows], posterior)
        for facts, rows in presentations(part, following[each.rows], least, (*when, each[:2])):
            yield facts, each.rows[rows]


def _told(journeys: Journeys, following: NDArray[np.int64]) -> Orders:
    counts: Counter[Any] = Counter(following.tolist())
    named = counts.most_common(_TOLD if len(counts) > _TOLD + 1 else _TOLD + 1)
    rest = len(following) - sum(n for _, n in named)
    told = [(_action(journeys, action), n / len(following)) for action, n in named]
    return (*told, *([("something else", rest / len(following))] if rest else []))


def _action(journeys: Journeys, action: int) -> str:
    if action < 0:
        return "decided before that"
    decides = journeys.world.actions[action].kind == "decide"
    return f"{'decides: ' * decides}{narrative.action(journeys.world, action)}"
