"""How hard to look, and at whom: effort goes where it narrows the summed bracket of all patients most.

The gap of a search falls about as a power of its expansions. From the curve so far a search *promises* so many pounds for
one more expansion, counted once for each patient who presents so. A search goes on while it promises at least the *price*,
which is such that all of them together use up the effort: where promises are equal, nothing is gained by moving effort.
One presentation's search needs no other's graph for that, so two or three graphs are held, not hundreds.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

FIRST, STEP = 500, 1.25
"""Expansions before a search is first looked at, and by what they grow from look to look."""
_LOOKS_BACK = 4
_SLOPES = (0.3, 1.5)
"""Least and most by which a gap is expected to fall: d log gap / d log expansions, measured on weight_loss."""


@dataclass(frozen=True)
class SearchEffort:
    """How hard to look at presentations that are asked for together."""

    gap: float = 0.01
    """A search ends when upper - lower is at most this share of the presentation's certified gain, ..."""
    gap_gbp: float = 0.05
    """... or at most so many pounds, ..."""
    most: int = 2_000_000
    """... or after so many orders looked at."""
    expansions: int = 400_000
    """Orders looked at for a presentation, on average over the presentations, ..."""
    least: int = 800_000
    """... and in all, where these are few."""
    target: float = 0.02
    """No more effort once the mean gap over patients is this share of the mean gain."""

    def budget(self, presentations: int) -> int:
        """Orders that may be looked at for so many presentations together."""
        return max(self.least, self.expansions * presentations)


@dataclass(eq=False)
class Curve:
    """How the bracket of one presentation has narrowed."""

    stop: float
    """Value of the best decision at once, pounds."""
    patients: int = 1
    """Who present so."""
    cap: float = math.inf
    """Upper bound from elsewhere."""
    points: list[tuple[int, float, float]] = field(default_factory=list)
    """(expansions, lower, upper), the latest last."""
    ended: bool = False
    """Whether no more effort is to be spent."""

    @property
    def expansions(self) -> int:
        """So far."""
        return self.points[-1][0] if self.points else 0

    @property
    def lower(self) -> float:
        """Certified."""
        return self.points[-1][1] if self.points else self.stop

    @property
    def upper(self) -> float:
        """Certified."""
        found = min(self.cap, self.points[-1][2]) if self.points else self.cap
        return max(found, self.lower)

    @property
    def slope(self) -> float:
        """By what power of the expansions the gap of the search itself falls."""
        if len(self.points) < 2:
            return 1.0
        (before, low, high), (now, lower, upper) = self.points[-min(len(self.points), _LOOKS_BACK + 1)], self.points[-1]
        if upper <= lower or now <= before:
            return _SLOPES[0]
        return min(_SLOPES[1], max(_SLOPES[0], math.log((high - low) / (upper - lower)) / math.log(now / before)))

    @property
    def promise(self) -> float:
        """Pounds, over its patients, by which one more expansion narrows the bracket."""
        if self.ended or not self.points:
            return 0.0
        n, lower, upper = self.points[-1]
        return self.patients * self.slope * max(0.0, upper - lower) / n

    def needed(self, price: float, most: int) -> float:
        """Expansions after which the promise will have fallen to a price."""
        n, promise = self.expansions, self.promise
        if promise <= price:
            return n
        return max(n, min(most, n * math.exp(math.log(promise / price) / (1.0 + self.slope))))

    def gap_at(self, expansions: float) -> float:
        """The gap that is expected then, over its patients."""
        gap = self.patients * (self.upper - self.lower)
        return gap * (self.expansions / expansions) ** self.slope if gap > 0.0 else 0.0


def price_of(curves: Sequence[Curve], *, budget: float, gap: float, most: int) -> float:
    """The price at which these searches use up a budget of expansions, or a higher one that narrows them to a gap.

    Args:
        curves: of searches that may go on.
        budget: expansions from now on.
        gap: pounds over all their patients that are narrow enough.
        most: expansions of one search in all.
    """
    dearest = max((curve.promise for curve in curves), default=0.0)
    if dearest <= 0.0:
        return math.inf

    def within(price: float) -> bool:
        return sum(curve.needed(price, most) - curve.expansions for curve in curves) <= budget

    def too_wide(price: float) -> bool:
        return sum(curve.gap_at(curve.needed(price, most)) for curve in curves) > gap

    affordable = _least(within, dearest)
    return max(affordable, _least(too_wide, dearest))


def _least(holds: Callable[[float], bool], dearest: float) -> float:
    """The least price for which something holds that holds from there on, to a thousandth."""
    low, high = math.log(dearest) - 40.0, math.log(dearest)
    if holds(math.exp(low)):
        return math.exp(low)
    while high - low > 1e-3:
        middle = (low + high) / 2.0
        low, high = (low, middle) if holds(math.exp(middle)) else (middle, high)
    return math.exp(high)
