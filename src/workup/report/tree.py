"""A policy as a tree that a clinician can read: what it does first, and which results change what it does next.

The tree is grown from recorded journeys alone, so that a planner, a protocol and a network are read alike. At a
node all journeys have done the same so far. If nearly all go on with the same action, that action is the next
line. Otherwise the journeys are split by the result that says most about what the policy does next; where no
single result does, by the probability of a condition; and where that does not either, by the action itself.
Branches that fewer than `least` of all patients take are counted, not shown.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from workup.envs.journeys import Journeys
from workup.envs.patient_model import MISSING, UNKNOWN
from workup.narrative import variable
from workup.narrative import words as plain
from workup.report import words
from workup.report.story import recorded

AGREE = 0.98
"""Share of a node's journeys that makes an action *the* next action."""
TELLS = 0.35
"""Share of the uncertainty about the next action that a fact must remove to be worth a split."""
FEW_VALUES = 8
"""With more values than this (numbers recorded to a step), a split is a threshold."""


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
    rarer: int = 0
    """Patients who leave this branch on routes too rare to show."""


def policy_tree(journeys: Journeys, *, least: float = 0.02) -> Branch:
    """The tree of the policy that left these journeys of the population.

    Args:
        journeys: run with record=True.
        least: branches taken by a smaller share of all patients are counted, not shown.

    Raises:
        ValueError: the journeys hold no events.
    """
    return _Forester(journeys, least).grow("", np.arange(len(journeys.patient)), 0)


class _Part(NamedTuple):
    when: str
    rows: NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class _Forester:
    journeys: Journeys
    least: float

    @cached_property
    def starts(self) -> NDArray[np.intp]:
        """(n + 1,) first event of each journey."""
        return np.searchsorted(recorded(self.journeys).journey, np.arange(len(self.journeys.patient) + 1))

    def grow(self, when: str, rows: NDArray[np.intp], step: int) -> Branch:
        """The branch of journeys `rows`, all alike in their first `step` actions."""
        n, total, strays = len(rows), len(self.journeys.patient), 0
        actions: list[str] = []
        while True:
            following = self.following(rows, step)
            common = int(np.bincount(following + 1).argmax()) - 1
            if common < 0:
                return Branch(when, n, n / total, tuple(actions), bool(actions), (), strays)
            agree = following == common
            if agree.mean() < AGREE:
                break
            actions.append(words.action(self.journeys.world, common))
            strays, rows, step = strays + int((~agree).sum()), rows[agree], step + 1
        parts = self.split(rows, following, step)
        shown = [part for part in parts if len(part.rows) >= self.least * total]
        rarer = strays + sum(len(part.rows) for part in parts) - sum(len(part.rows) for part in shown)
        branches = sorted((self.grow(*part, step) for part in shown), key=lambda branch: -branch.n)
        return Branch(when, n, n / total, tuple(actions), False, tuple(branches), rarer)

    def following(self, rows: NDArray[np.intp], step: int) -> NDArray[np.int64]:
        """(len(rows),) the action each takes at `step`; -1 once the journey is over."""
        at = self.starts[rows] + step
        over = at >= self.starts[rows + 1]
        return np.where(over, -1, recorded(self.journeys).action[np.where(over, 0, at)]).astype(np.int64)

    def split(self, rows: NDArray[np.intp], following: NDArray[np.int64], step: int) -> list[_Part]:
        """Parts of `rows` that differ in what the policy does next."""
        candidates = self._by_result(rows, following, step)
        if not candidates or candidates[0][0] < TELLS:
            candidates = self._by_probability(rows, following, step) + candidates
            candidates.sort(key=lambda each: -each[0])
        if candidates and candidates[0][0] >= TELLS:
            return candidates[0][1]
        return [_Part("on the whole picture", rows[following == each]) for each in np.unique(following)]

    def _by_result(
        self, rows: NDArray[np.intp], following: NDArray[np.int64], step: int
    ) -> list[tuple[float, list[_Part]]]:
        """Splits by one revealed fact, best first: (share of the uncertainty removed, parts)."""
        events, model = recorded(self.journeys), self.journeys.world.model
        values = events.values[self.starts[rows] + max(step - 1, 0)]
        if step == 0:
            values = np.where(np.arange(values.shape[1]) < model.n_known_at_start, values, UNKNOWN)
        found = []
        for o in np.flatnonzero((values != values[:1]).any(axis=0)):
            side = self._sides(values[:, o], following, int(model.n_values[o]))
            found.append((_told(side, following), int(o), side))
        found.sort(key=lambda each: -each[0])
        return [(told, self._parts(o, values[:, o], side, rows)) for told, o, side in found[:1]]

    @staticmethod
    def _sides(codes: NDArray[np.int16], following: NDArray[np.int64], n_values: int) -> NDArray[np.int64]:
        """(len(codes),) which side of the best split on this fact each journey is on."""
        if n_values <= FEW_VALUES:
            side = np.empty(len(codes), np.int64)
            for code in np.unique(codes):
                side[codes == code] = np.bincount(following[codes == code] + 1).argmax()
            return side
        cuts = np.unique(codes)[1:]
        return max(((codes >= cut).astype(np.int64) for cut in cuts), key=lambda side: _told(side, following))

    def _parts(self, o: int, codes: NDArray[np.int16], side: NDArray[np.int64], rows: NDArray[np.intp]) -> list[_Part]:
        scenario, model = self.journeys.world.scenario, self.journeys.world.model
        name = model.observables[o]
        declared = variable(scenario, name)
        label = declared.label if declared else plain(name)
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

    def _by_probability(
        self, rows: NDArray[np.intp], following: NDArray[np.int64], step: int
    ) -> list[tuple[float, list[_Part]]]:
        """Splits by a threshold on the probability of one condition after the previous step."""
        if step == 0:
            return []
        posterior = recorded(self.journeys).condition_posterior[self.starts[rows] + step - 1]
        found = []
        for c in range(posterior.shape[1]):
            for cut in np.unique(np.quantile(posterior[:, c], np.linspace(0.02, 0.98, 33))):
                side = (posterior[:, c] >= cut).astype(np.int64)
                found.append((_told(side, following), c, float(cut), side))
        if not found:
            return []
        told, c, cut, side = max(found, key=lambda each: each[0])
        label = words.condition(self.journeys.world, c)
        said = (
            f"Probability of {label} below {words.percent(cut, 1)}",
            f"Probability of {label} {words.percent(cut, 1)} or more",
        )
        return [(told, [_Part(said[one], rows[side == one]) for one in np.unique(side)])]


def _entropy(labels: NDArray[np.int64]) -> float:
    p = np.unique(labels, return_counts=True)[1] / len(labels)
    return float(-(p * np.log(p)).sum())


def _told(side: NDArray[np.int64], following: NDArray[np.int64]) -> float:
    """Share of the uncertainty about the next action that knowing the side removes."""
    before = _entropy(following)
    after = sum((side == one).mean() * _entropy(following[side == one]) for one in np.unique(side))
    return (before - after) / before if before > 0 else 0.0
