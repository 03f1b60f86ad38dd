"""What the best policy does, in a few lines: what it orders first and for whom, and how its journeys end."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from workup.wording import percent

if TYPE_CHECKING:
    from workup.envs.records.journeys import Journeys
    from workup.report.presentations import FirstOrders

_MOST_ENDINGS = 5


def what_it_does(journeys: Journeys) -> Iterator[str]:
    """Lines of at most 80 columns: first orders by presentation, then the decisions."""
    found = _first_orders(journeys)
    if found is not None:
        yield "What it does once history and examination are known, by what they found:"
        for row in found.rows:
            yield from _wrapped(f"{percent(row.share):>5}  ", "; ".join(row.when))
            yield from _wrapped("         ", _listed(row.orders[0]))
    ends = endings(journeys)
    rest = sum(share for _, share in ends[_MOST_ENDINGS:])
    yield from _wrapped("It ends with: ", _listed([*ends[:_MOST_ENDINGS], *([("others", rest)] if rest else [])]))


def as_json(journeys: Journeys) -> dict[str, Any]:
    """The same, with every decision."""
    found = _first_orders(journeys)
    rows = [] if found is None else found.rows
    return {
        "first_orders": [{"when": row.when, "share": row.share, "orders": dict(row.orders[0])} for row in rows],
        "decisions": dict(endings(journeys)),
    }


def endings(journeys: Journeys) -> list[tuple[str, float]]:
    """(decision, share of the patients), the commonest first."""
    world, counts = journeys.world, np.bincount(journeys.decision + 1, minlength=len(journeys.world.decisions) + 1)
    labels = ["no decision", *(world.scenario.decisions[name].label for name in world.decisions)]
    shares = [(label, float(n / counts.sum())) for label, n in zip(labels, counts, strict=True) if n]
    return sorted(shares, key=lambda each: -each[1])


def _first_orders(journeys: Journeys) -> FirstOrders | None:
    from workup.report.presentations import first_orders

    return first_orders({journeys.agent: journeys}, journeys.agent)


def _listed(shares: Sequence[tuple[str, float]]) -> str:
    return "; ".join(f"{percent(share)} {what}" if share < 1 else what for what, share in shares)


def _wrapped(first: str, text: str) -> list[str]:
    return textwrap.wrap(text, 80, initial_indent=first, subsequent_indent=" " * len(first))
