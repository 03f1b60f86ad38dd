"""A policy as a tree that a clinician can read: what it does first, and which results change what it does next.

The tree is grown from recorded journeys alone, so that a planner, a protocol and a network are read alike. At a
node all journeys have done the same so far. If nearly all go on with the same action, that action is the next
line. Otherwise the journeys are split by the result that says most about what the policy does next; where the
probability of a condition says far more than any single result, by that. Both sides of a split are large enough to
be shown. Where nothing says much, or the tree has split often enough to be read, the branch ends with what is done
next, for how many, and with what that leads to. What fewer than `least` of all patients do is counted, not shown.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from workup.envs.model.codes import MISSING, UNKNOWN
from workup.envs.records import narrative
from workup.envs.records.journeys import Journeys
from workup.envs.records.narrative import variable
from workup.wording import percent, plain, without_brackets

AGREE = 0.98
"""Share of a node's journeys that makes an action *the* next action."""
MOSTLY = 0.9
"""The same on the ways on from a leaf, which are sketched only."""
LEAST_CUT = 0.01
"""Probabilities below this are not told apart."""
TELLS = 0.1
"""Share of the uncertainty about the next action that a fact must remove to be worth a split."""
PREFER_RESULT = 0.5
"""A result is named rather than a probability if it removes at least this share of what the probability would."""
MOST_SPLITS = 4
"""Splits on the way from the root to a leaf."""
FEW_VALUES = 8
"""With more values than this (numbers recorded to a step), a split is a threshold."""


Endings = tuple[tuple[str, float], ...]
"""(decision, share of the patients meant), the commonest first."""


@dataclass(frozen=True)
class Route:
    """What some patients of a branch go on to."""

    n: int
    share: float
    """Of all patients."""
    actions: tuple[str, ...]
    """As far as nearly all of them go the same way."""
    ends: bool
    """Whether that is to the decision."""
    endings: Endings


@dataclass(frozen=True)
class Branch:
    """A run of actions that all its patients share, and what they split into afterwards."""

    when: str
    """The result that leads here, in words; empty at the root."""
    n: int
    share: float
    """Of all patients."""
    actions: tuple[str, ...]
    ends: bool
    """Whether the last action is a decision."""
    branches: tuple[Branch, ...] = ()
    routes: tuple[Route, ...] = ()
    rarer: int = 0
    """Patients who leave this branch on routes too rare to show."""
    endings: Endings = ()
    """What the rarer ones decide."""


def policy_tree(journeys: Journeys, *, least: float = 0.02) -> Branch:
    """The tree of the policy that left these journeys of the population.

    Args:
        journeys: run with record=True.
        least: branches taken by a smaller share of all patients are counted, not shown.

    Raises:
        WorkupError: the journeys hold no events.
    """
    return _Forester(journeys, least).grow(_Part("", np.arange(len(journeys.patient))), 0, 0)


class _Part(NamedTuple):
    when: str
    rows: NDArray[np.intp]


class _Split(NamedTuple):
    told: float
    """Share of the uncertainty about the next action that it removes."""
    parts: list[_Part]


@dataclass(frozen=True, eq=False)
class _Forester:
    journeys: Journeys
    least: float

    @cached_property
    def starts(self) -> NDArray[np.intp]:
        """(n + 1,) first event of each journey."""
        return np.searchsorted(self.journeys.recorded().journey, np.arange(len(self.journeys.patient) + 1))

    def grow(self, part: _Part, step: int, splits: int) -> Branch:
        """The branch of journeys `part.rows`, all alike in their first `step` actions."""
        rows, total = part.rows, len(self.journeys.patient)
        strays = [np.empty(0, np.intp)]
        actions: list[str] = []
        while True:
            following = self.following(rows, step)
            common = int(np.bincount(following + 1).argmax()) - 1
            agree = following == common
            if common < 0 or agree.mean() < AGREE:
                break
            actions.append(narrative.action(self.journeys.world, common))
            strays.append(rows[~agree])
            rows, step = rows[agree], step + 1
        over = common < 0 and bool(agree.all())
        parts = [] if over or splits == MOST_SPLITS else self.split(rows, following, step)
        branches = sorted((self.grow(each, step, splits + 1) for each in parts), key=lambda branch: -branch.n)
        routes, rare = ([], rows[:0]) if over or parts else self.routes(rows, step)
        rarer = np.concatenate([*strays, rare])
        n = len(part.rows)
        return Branch(
            part.when,
            n,
            n / total,
            tuple(actions),
            over and bool(actions),
            tuple(branches),
            tuple(routes),
            len(rarer),
            self.endings(rarer),
        )

    def routes(self, rows: NDArray[np.intp], step: int) -> tuple[list[Route], NDArray[np.intp]]:
        """What is commonly done next, and the journeys that go on in another way."""
        following, total = self.following(rows, step), len(self.journeys.patient)
        kinds, sizes = np.unique(following, return_counts=True)
        common = [kind for kind, n in zip(kinds, sizes, strict=True) if n >= self.least * total]
        found = [self.route(rows[following == kind], step) for kind in common]
        return sorted(found, key=lambda route: -route.n), rows[~np.isin(following, common)]

    def route(self, rows: NDArray[np.intp], step: int) -> Route:
        """The way on of journeys that take the same next action."""
        n, endings = len(rows), self.endings(rows)
        actions: list[str] = []
        while True:
            following = self.following(rows, step)
            common = int(np.bincount(following + 1).argmax()) - 1
            rows, step = rows[following == common], step + 1
            if common < 0 or len(rows) < MOSTLY * n:
                return Route(n, n / len(self.journeys.patient), tuple(actions), common < 0, endings)
            actions.append(narrative.action(self.journeys.world, common))

    def endings(self, rows: NDArray[np.intp]) -> Endings:
        """What these journeys decide, the commonest first."""
        world, decided = self.journeys.world, Counter(self.journeys.decision[rows].tolist())
        return tuple(
            (world.scenario.decisions[world.decisions[d]].label if d >= 0 else "no decision in time", n / len(rows))
            for d, n in decided.most_common()
        )

    def following(self, rows: NDArray[np.intp], step: int) -> NDArray[np.int64]:
        """(len(rows),) the action each takes at `step`; -1 once the journey is over."""
        at = self.starts[rows] + step
        over = at >= self.starts[rows + 1]
        return np.where(over, -1, self.journeys.recorded().action[np.where(over, 0, at)]).astype(np.int64)

    def split(self, rows: NDArray[np.intp], following: NDArray[np.int64], step: int) -> list[_Part]:
        """Parts of `rows` that differ in what the policy does next; none if nothing tells them apart."""
        result, probability = self._by_result(rows, following, step), self._by_probability(rows, following, step)
        if result.told >= max(TELLS, PREFER_RESULT * probability.told):
            return result.parts
        return probability.parts if probability.told >= TELLS else []

    def _by_result(self, rows: NDArray[np.intp], following: NDArray[np.int64], step: int) -> _Split:
        """The best split by one revealed fact."""
        events, model = self.journeys.recorded(), self.journeys.world.model
        values = events.values[self.starts[rows] + max(step - 1, 0)]
        if step == 0:
            values = np.where(np.arange(values.shape[1]) < model.n_known_at_start, values, UNKNOWN)
        best, told, least = None, 0.0, self.least * len(self.journeys.patient)
        for o in np.flatnonzero((values != values[:1]).any(axis=0)):
            for side in _sides(values[:, o], following, int(model.n_values[o])):
                found = _told(side, following, least)
                if found > told:
                    best, told = (int(o), side), found
        return _Split(told, [] if best is None else self._parts(best[0], values[:, best[0]], best[1], rows))

    def _parts(self, o: int, codes: NDArray[np.int16], side: NDArray[np.int64], rows: NDArray[np.intp]) -> list[_Part]:
        scenario, model = self.journeys.world.scenario, self.journeys.world.model
        name = model.observables[o]
        declared = variable(scenario, name)
        label = without_brackets(declared.label) if declared else plain(name)
        parts = []
        for one in np.unique(side):
            seen = np.unique(codes[side == one])
            if model.n_values[o] > FEW_VALUES and (seen >= 0).any():
                low, high = model.numeric_range[o, seen[seen >= 0].min(), 0], model.numeric_range[o, seen.max(), 1]
                unit = f" {declared.unit}" if declared and declared.unit else ""
                said = [f"{low:.3g} to {high:.3g}{unit}"]
            else:
                said = [plain(model.network.variable(name).values[code]) for code in seen if code >= 0]
            said += [{UNKNOWN: "not asked", MISSING: "not reported"}[int(code)] for code in seen if code < 0]
            parts.append(_Part(f"{label}: {' or '.join(said)}", rows[side == one]))
        return parts

    def _by_probability(self, rows: NDArray[np.intp], following: NDArray[np.int64], step: int) -> _Split:
        """The best split by a threshold on the probability of one condition after the previous step."""
        best, told, least = None, 0.0, self.least * len(self.journeys.patient)
        if step == 0:
            return _Split(told, [])
        posterior = self.journeys.recorded().condition_posterior[self.starts[rows] + step - 1]
        for c in range(posterior.shape[1]):
            cuts = np.unique(np.quantile(posterior[:, c], np.linspace(0.04, 0.96, 24)))
            for cut in cuts[(cuts >= LEAST_CUT) & (cuts <= 1 - LEAST_CUT)]:
                side = (posterior[:, c] >= cut).astype(np.int64)
                found = _told(side, following, least)
                if found > told:
                    best, told = (c, float(cut), side), found
        if best is None:
            return _Split(told, [])
        label, limit = (
            without_brackets(narrative.condition(self.journeys.world, best[0])),
            percent(best[1], int(best[1] < 0.1)),
        )
        said = (f"Probability of {label} below {limit}", f"Probability of {label} {limit} or more")
        return _Split(told, [_Part(said[one], rows[best[2] == one]) for one in (0, 1)])


def _sides(codes: NDArray[np.int16], following: NDArray[np.int64], n_values: int) -> Iterator[NDArray[np.int64]]:
    """Ways to split by one fact: by what mostly follows each value, each value against the rest, or a threshold."""
    seen = np.unique(codes)
    if n_values > FEW_VALUES:
        yield from ((codes >= cut).astype(np.int64) for cut in seen[1:])
        return
    mostly = np.empty(len(codes), np.int64)
    for code in seen:
        mostly[codes == code] = np.bincount(following[codes == code] + 1).argmax()
    yield mostly
    yield from ((codes == code).astype(np.int64) for code in seen)


def _entropy(labels: NDArray[np.int64]) -> float:
    p = np.unique(labels, return_counts=True)[1] / len(labels)
    return float(-(p * np.log(p)).sum())


def _told(side: NDArray[np.int64], following: NDArray[np.int64], least: float) -> float:
    """Share of the uncertainty about the next action that knowing the side removes; 0 if a side is too small."""
    sides, sizes = np.unique(side, return_counts=True)
    before = _entropy(following)
    if len(sides) < 2 or sizes.min() < least or before == 0:
        return 0.0
    after = sum(n / len(side) * _entropy(following[side == one]) for one, n in zip(sides, sizes, strict=True))
    return float((before - after) / before)
