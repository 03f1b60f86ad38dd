"""The common routes of a policy as a tree: what its patients have in common, where they part, and which finding parts them.

The tree is grown from recorded journeys alone, so that a planner, a protocol and a network are read alike. On a stretch
all patients do the same. At its end some have been decided for, and the others part by what is done next: each test
that enough of them take begins a stretch, tests of one tier that few take begin one together, and what is rarer still
is counted. Beside a stretch stands the fact that most tells its patients from the others at the fork.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from workup.envs.model.codes import UNKNOWN
from workup.envs.records import narrative
from workup.envs.records.journeys import Journeys
from workup.report.splits import Known, telling
from workup.wording import listed, percent

LEAST = 0.03
"""Share of all patients that a stretch must have."""
AGREE = 0.97
"""Share of the patients on a stretch that must go on alike for it to go on; the others leave it on ways of their own."""
MOST_FORKS = 4
"""On the way from the first consultation to a decision."""
_NAMED = 3
"""Tests that are named where several begin a stretch together."""

Endings = tuple[tuple[str, float], ...]
"""(decision, share of all patients), the commonest first."""


@dataclass(frozen=True)
class Stretch:
    """What some patients do alike, and what becomes of them afterwards."""

    actions: tuple[str, ...]
    share: float
    """Of all patients."""
    why: str
    """What most tells them from the others at the fork, in words; empty at the root, or where nothing does."""
    decided: Endings = ()
    """Those who are decided for at its end."""
    follows: tuple[Stretch, ...] = ()
    others: Endings = ()
    """Those who go on in ways that few take, by what is decided for them in the end."""

    @property
    def shown(self) -> float:
        """Share of all patients whose whole route is in the tree from here on."""
        return sum(share for _, share in self.decided) + sum(each.shown for each in self.follows)

    @property
    def depth(self) -> int:
        """Stretches on the longest way from here on."""
        return 1 + max((each.depth for each in self.follows), default=0)


@dataclass(frozen=True)
class Told:
    """One way through the tree."""

    actions: tuple[str, ...]
    why: str
    """What led there, in words."""
    ends: Endings
    drawn: bool
    """Whether it is drawn to its end; else it goes on in several other ways."""

    @property
    def share(self) -> float:
        """Of all patients."""
        return sum(share for _, share in self.ends)


def common_routes(journeys: Journeys, *, least: float = LEAST, most_forks: int = MOST_FORKS) -> Stretch:
    """The tree of the policy that left these journeys of the population.

    Args:
        journeys: run with record=True.
        least: share of all patients that a stretch must have.
        most_forks: on the way from the root to a leaf.

    Raises:
        WorkupError: the journeys hold no events.
    """
    everyone = np.arange(len(journeys.patient))
    return _Forester(journeys, least, most_forks).grow(everyone, 0, 0, (), "")


def told(root: Stretch, actions: tuple[str, ...] = (), why: tuple[str, ...] = ()) -> Iterator[Told]:
    """Every way through the tree; the shares of all sum to 1."""
    actions, why = (*actions, *root.actions), (*why, *([root.why] if root.why else []))
    if root.decided:
        yield Told(actions, "; ".join(why), root.decided, True)
    for each in root.follows:
        yield from told(each, actions, why)
    if root.others:
        yield Told(actions, "; ".join(why), root.others, False)


@dataclass(frozen=True, eq=False)
class _Forester:
    journeys: Journeys
    least: float
    most_forks: int

    @cached_property
    def starts(self) -> NDArray[np.intp]:
        """(n + 1,) first event of each journey."""
        return np.searchsorted(self.journeys.recorded().journey, np.arange(len(self.journeys.patient) + 1))

    @cached_property
    def decides(self) -> NDArray[np.bool_]:
        """(actions + 1,) whether an action ends the journey; the last is that there is none any more."""
        return np.array([*(action.kind == "decide" for action in self.journeys.world.actions), True])

    def grow(self, rows: NDArray[np.intp], step: int, forks: int, actions: tuple[str, ...], why: str) -> Stretch:
        """The stretch of journeys `rows`, which have done `step` actions, the last of them `actions`."""
        n, strays = len(rows), [rows[:0]]
        while True:
            following = self.following(rows, step)
            common = int(np.bincount(following + 1).argmax()) - 1
            alike = following == common
            if self.decides[common] or alike.mean() < AGREE:
                break
            actions = (*actions, narrative.action(self.journeys.world, common))
            strays.append(rows[~alike])
            rows, step = rows[alike], step + 1
        ends = self.decides[following]
        on = rows[~ends]
        parts = self.parts(on, following[~ends]) if forks < self.most_forks else []
        known = self.known(rows, step)
        follows = [
            self.grow(part, step + 1, forks + 1, (name,), telling(known, np.isin(rows, part))) for name, part in parts
        ]
        gone = np.concatenate([part for _, part in parts]) if parts else rows[:0]
        return Stretch(
            actions,
            n / len(self.journeys.patient),
            why,
            self.endings(rows[ends]),
            tuple(sorted(follows, key=lambda each: -each.share)),
            self.endings(np.concatenate([*strays, np.setdiff1d(on, gone)])),
        )

    def parts(self, rows: NDArray[np.intp], following: NDArray[np.int64]) -> list[tuple[str, NDArray[np.intp]]]:
        """What enough of these go on with, in words, and who: one action, or several of one tier."""
        world, least = self.journeys.world, self.least * len(self.journeys.patient)
        kinds, sizes = np.unique(following, return_counts=True)
        parts = [
            (narrative.action(world, int(kind)), rows[following == kind])
            for kind, size in zip(kinds, sizes, strict=True)
            if size >= least
        ]
        rare: dict[str, list[int]] = {}
        for kind, size in sorted(zip(kinds, sizes, strict=True), key=lambda each: -each[1]):
            if size < least and world.actions[kind].items:
                rare.setdefault(world.tier[world.actions[kind].items[0]], []).append(int(kind))
        for tier, those in rare.items():
            together = rows[np.isin(following, those)]
            if len(together) >= least:
                parts.append((self.together(tier, those), together))
        return parts

    def together(self, tier: str, actions: list[int]) -> str:
        names = [narrative.action(self.journeys.world, action) for action in actions]
        if len(names) > _NAMED:
            return f"{names[0]}, or one of {len(names) - 1} others ({tier or 'acts'})"
        return listed(names, "or")

    def endings(self, rows: NDArray[np.intp]) -> Endings:
        """What these journeys decide, the commonest first."""
        world, decided = self.journeys.world, Counter(self.journeys.decision[rows].tolist())
        return tuple(
            (
                world.scenario.decisions[world.decisions[d]].label if d >= 0 else "no decision in time",
                n / len(self.journeys.patient),
            )
            for d, n in decided.most_common()
        )

    def following(self, rows: NDArray[np.intp], step: int) -> NDArray[np.int64]:
        """(len(rows),) the action each takes at `step`; -1 once the journey is over."""
        at = self.starts[rows] + step
        over = at >= self.starts[rows + 1]
        return np.where(over, -1, self.journeys.recorded().action[np.where(over, 0, at)]).astype(np.int64)

    def known(self, rows: NDArray[np.intp], step: int) -> Known:
        """What is known of these journeys before they take their action at `step`."""
        events, world = self.journeys.recorded(), self.journeys.world
        at = np.minimum(self.starts[rows] + max(step - 1, 0), self.starts[rows + 1] - 1)
        values = events.values[at]
        if step == 0:
            values = np.where(np.arange(values.shape[1]) < world.model.n_known_at_start, values, UNKNOWN)
        return Known(world, values.astype(np.int16), events.condition_posterior[at] if step else None)


def ends_in_words(endings: Endings, most: int = 3) -> str:
    """'Reassure 12%, refer 3%, others 2%'."""
    said = [f"{words} {percent(share)}" for words, share in endings[:most]]
    rest = sum(share for _, share in endings[most:])
    return ", ".join([*said, *([f"others {percent(rest)}"] if rest else [])])
