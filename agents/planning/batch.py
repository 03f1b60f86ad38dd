"""Many presentations searched together, with one effort for all of them.

Each is first looked at a little; then, the most promising first and a few at a time, each is searched on as long as it
promises the price (see `effort`), which is worked out anew after every few from what is left. Results depend on the
presentations, the effort and nothing else: not on threads, on memory or on interruptions.

A graph takes about 1 KB an expansion (64 hidden states; more with more). Those that may go on are kept while they fit
`KEPT_BYTES`, the least promising dropped first; a search that was dropped and is wanted again is made again.
"""

from __future__ import annotations

import base64
import zlib
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np

from workup.agents.planning.bounded import Bounds, Search
from workup.agents.planning.effort import FIRST, STEP, Curve, SearchEffort, price_of
from workup.agents.planning.policy import Policy, extract
from workup.agents.planning.presentation import Presented
from workup.agents.planning.root_bound import root_upper
from workup.files import WorkingNotes

KEPT_BYTES = 2_000_000_000
_TOGETHER = 8
"""Searched at one price, whatever the number of threads."""
_PASSES = 4
_WORTH_A_RETURN = 1.4
_ENOUGH = 0.97


@dataclass(eq=False)
class Sought:
    """One presentation: its problem, its search and what it found."""

    key: str
    present: Callable[[], Presented]
    patients: int = 1
    curve: Curve | None = None
    policy: Policy | None = None
    search: Search | None = None

    def go_on(self, effort: SearchEffort, *, to: int, price: float, notes: WorkingNotes | None = None) -> None:
        """Search on until so many expansions, or while the next ones promise the price; what `notes` know is not done again."""
        name = f"{self.key} {to} {price!r}"
        record = notes.get(name) if notes is not None else None
        if record is not None:
            self._recall(record)
            return
        presented = self.present()
        search = self.search or self._search(presented, effort)
        while True:
            curve = self.curve
            goal = min(to, max(FIRST, int(STEP * (curve.expansions if curve else 0)) + 1))
            found = _run(search, effort, goal)
            curve = self._note(found, presented, effort)
            if curve.ended or curve.expansions >= to or curve.promise < price:
                break
        self.policy = extract(presented, found.graph)
        self.search = None if curve.ended else search
        if notes is not None:
            notes.add(name, self._record())

    def _search(self, presented: Presented, effort: SearchEffort) -> Search:
        search = Search(presented.problem, worthwhile=1e-5 * effort.gap_gbp)
        if self.curve is not None:
            _run(search, effort, self.curve.expansions)
        return search

    def _note(self, found: Bounds, presented: Presented, effort: SearchEffort) -> Curve:
        if self.curve is None:
            cap = np.inf if found.met else root_upper(presented.problem)
            self.curve = Curve(found.stop, self.patients, float(cap))
        curve = self.curve
        curve.points.append((found.expanded, found.lower, found.upper))
        enough = max(effort.gap_gbp, effort.gap * (curve.lower - curve.stop))
        curve.ended = found.met or found.expanded >= effort.most or curve.upper - curve.lower <= enough
        return curve

    def _record(self) -> dict[str, Any]:
        assert self.curve is not None
        assert self.policy is not None
        parts = (self.policy.decision, self.policy.action, self.policy.follow_start, self.policy.follow)
        packed = zlib.compress(np.concatenate(parts).astype(np.int32).tobytes())
        curve = {"stop": self.curve.stop, "points": self.curve.points, "ended": self.curve.ended}
        curve["cap"] = None if np.isinf(self.curve.cap) else self.curve.cap
        return {"curve": curve, "plans": len(self.policy.decision), "policy": base64.b64encode(packed).decode()}

    def _recall(self, record: dict[str, Any]) -> None:
        of, n = record["curve"], record["plans"]
        points = [(int(at), float(low), float(high)) for at, low, high in of["points"]]
        cap = np.inf if of["cap"] is None else of["cap"]
        self.curve = Curve(of["stop"], self.patients, float(cap), points, of["ended"])
        flat = np.frombuffer(zlib.decompress(base64.b64decode(record["policy"])), np.int32)
        self.policy = Policy(self.present(), 0, flat[:n], flat[n : 2 * n], flat[2 * n : 3 * n], flat[3 * n :])
        self.search = None


def search_batch(
    sought: Sequence[Sought],
    effort: SearchEffort,
    *,
    workers: int = 2,
    report: Callable[[Sought], None] = lambda _: None,
    notes: WorkingNotes | None = None,
) -> None:
    """Search presentations with one effort for all; afterwards each has its curve and its policy.

    Args:
        sought: without repetition.
        effort: for all of them.
        workers: threads; the search holds no interpreter lock.
        report: called with a presentation each time its search has come to a halt that may be the last.
        notes: of an interrupted call with the same presentations and effort, which goes on where it stopped.
    """
    sought = sorted(sought, key=lambda each: each.key)
    pilot = min(effort.most, max(FIRST, min(5_000, effort.expansions // 4)))
    with ThreadPoolExecutor(workers) as pool:

        def go_on(some: Sequence[Sought], to: Callable[[Sought], int], price: float) -> None:
            list(pool.map(lambda each: each.go_on(effort, to=to(each), price=price, notes=notes), some))
            _drop(sought)

        for first in range(0, len(sought), _TOGETHER):
            go_on(sought[first : first + _TOGETHER], lambda _: pilot, 0.0)
        for each in sought:
            if _curve(each).ended:
                report(each)
        for attempt in range(_PASSES):
            before = _spent(sought)
            _pass(sought, effort, go_on, report, returning=attempt > 0)
            if _spent(sought) == before or _spent(sought) > _ENOUGH * effort.budget(len(sought)):
                break


def _pass(
    sought: Sequence[Sought],
    effort: SearchEffort,
    go_on: Callable[[Sequence[Sought], Callable[[Sought], int], float], None],
    report: Callable[[Sought], None],
    *,
    returning: bool,
) -> None:
    """All that have not ended, each at the price of its time."""
    open_ = [each for each in sought if not _curve(each).ended]
    open_.sort(key=lambda each: (-_curve(each).promise, each.key))
    for first in range(0, len(open_), _TOGETHER):
        rest, chosen = open_[first:], open_[first : first + _TOGETHER]
        others = [_curve(each) for each in sought if each not in rest]
        gain = sum(_gain(_curve(each)) for each in sought)
        wide = sum(curve.patients * (curve.upper - curve.lower) for curve in others)
        left = effort.budget(len(sought)) - _spent(sought)
        price = price_of(
            [_curve(each) for each in rest], budget=left, gap=effort.target * gain - wide, most=effort.most
        )
        least = _WORTH_A_RETURN if returning else STEP

        def most(each: Sought, left: int = left, among: int = len(chosen)) -> int:
            return min(effort.most, _curve(each).expansions + max(0, left) // among)

        wanted = [
            each
            for each in chosen
            if min(most(each), _curve(each).needed(price, effort.most)) >= least * _curve(each).expansions
        ]
        go_on(wanted, most, price)
        for each in chosen:
            if each in wanted or not returning:
                report(each)


def _run(search: Search, effort: SearchEffort, expansions: int) -> Bounds:
    return search.run(expansions=expansions, gap=effort.gap_gbp, share_of_gain=effort.gap)


def _curve(each: Sought) -> Curve:
    assert each.curve is not None
    return each.curve


def _gain(curve: Curve) -> float:
    return curve.patients * (curve.lower - curve.stop)


def _spent(sought: Sequence[Sought]) -> int:
    return sum(_curve(each).expansions for each in sought)


def _drop(sought: Sequence[Sought]) -> None:
    """Let go of the least promising graphs until the rest fit."""
    held = [each for each in sought if each.search is not None]
    held.sort(key=lambda each: -_curve(each).promise)
    total = 0
    for each in held:
        assert each.search is not None
        total += each.search.nbytes
        if total > KEPT_BYTES:
            each.search = None
