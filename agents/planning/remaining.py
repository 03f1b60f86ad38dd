"""What is left of a journey: the items that may still be ordered, what that requires, and what of the past changes the future."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from workup.agents.planning.digits import Facts
from workup.agents.planning.outcome_tables import OutcomeTables, Profiles, credited_at_the_end
from workup.envs.model.codes import FAILED, NOT_ORDERED, RESULT
from workup.envs.model.world import World
from workup.errors import PlanningRefused

MAX_MODE_BITS = 4
DECIDING = -1
"""In place of an item: what deciding requires."""


@dataclass(frozen=True)
class Clause:
    """One alternative of a requirement: `observable` revealed with an allowed value, or `item` at a status."""

    item: int
    observable: int
    allowed: tuple[bool, ...]
    unless: bool = False
    """True: holds unless the value is known and *not* allowed (contraindications, refusals)."""

    def holds(self, status: int, facts: Facts) -> bool:
        """Whether it is met, its item standing at a status and having revealed some facts."""
        if self.observable < 0:
            return self.allowed[status]
        if self.observable not in facts:
            return self.unless
        return self.allowed[facts[self.observable]]


Groups = list[list[Clause]]
"""All groups must hold; a group holds if any of its clauses does."""
NEVER: Groups = [[]]
"""A requirement that nothing meets."""


def of_decision(d: int) -> int:
    """In place of an item: what decision `d` requires beside what deciding does."""
    return -2 - d


def requirements(world: World) -> dict[int, Groups]:
    """For every item, for deciding and for each decision: groups of alternatives, all of which must hold."""
    rules: dict[int, Groups] = {item: [] for item in range(len(world.items))}
    rules |= {DECIDING: []} | {of_decision(d): [] for d in range(len(world.decisions))}
    item_of = world.model.item_of
    at: dict[tuple[int, int], list[Clause]] = {}
    of_items = zip(world.clauses.tolist(), world.clause_values, strict=True)
    of_decisions = zip(world.decision_clauses.tolist(), world.decision_clause_values, strict=True)
    for (owner, group, kind, target), allowed in (
        *of_items, *(((of_decision(d), *rest), allowed) for (d, *rest), allowed in of_decisions)
    ):  # fmt: skip
        clauses = at.setdefault((owner, group), [])
        if not clauses:
            rules[owner].append(clauses)
        observable = target if kind == 0 else -1
        clauses.append(Clause(int(item_of[target]) if kind == 0 else target, observable, tuple(allowed.tolist())))
    for rows, values in (
        (world.contraindication, world.contraindication_values),
        (world.known_refusal, world.known_refusal_values),
    ):
        for (item, o), bad in zip(rows.tolist(), values, strict=True):
            rules[item].append([Clause(int(item_of[o]), o, tuple((~bad).tolist()), unless=True)])
    opened = tuple(s == RESULT for s in range(5))
    for kind in (1, 2):
        doors = [Clause(i, -1, opened) for i in np.flatnonzero(world.opens_journey == kind).tolist()]
        for item in np.flatnonzero(world.opens_journey == 0).tolist():
            rules[item].append(doors)
        if kind == 1:
            rules[DECIDING].append(doors)
    return rules


@dataclass(frozen=True, eq=False)
class Left:
    """What is left to do from a state on."""

    tables: OutcomeTables
    profiles: Profiles
    """Those still possible."""
    known: Facts
    """What was revealed of what decides about legality and cost."""
    status: NDArray[np.uint8]
    """(I,)"""
    failures: NDArray[np.uint8]
    """(I,)"""
    items: tuple[int, ...]
    """That can still be ordered, now or later."""
    groups: dict[int, Groups]
    """What each of them, `DECIDING` and each decision still requires: clauses that look at items left (see `remaining`)."""
    can_decide: bool
    """Whether a decision can ever become legal."""

    @property
    def world(self) -> World:
        """That is known."""
        return self.tables.world

    def watching(self, item: int) -> list[Clause]:
        """The clauses that look at an item."""
        return [c for groups in self.groups.values() for group in groups for c in group if c.item == item]


def remaining(
    tables: OutcomeTables,
    rules: dict[int, Groups],
    *,
    profiles: Profiles,
    known: Facts,
    status: NDArray[np.uint8],
    failures: NDArray[np.uint8],
) -> Left:
    """What is left to do; `rules` are the world's `requirements`, the rest is as in `Left`."""
    attempts = tables.world.attempts
    left = [
        i
        for i in range(len(tables.world.items))
        if status[i] == NOT_ORDERED or (status[i] == FAILED and failures[i] < attempts[i])
    ]
    groups: dict[int, Groups] = {}
    while True:
        found = {item: _still_open(rules[item], left, known, status) for item in left}
        # Of an item that turns out to be out of reach the requirements stay watched: bounds of unfinished searches that are
        # kept on disk were found with them, and would move a little without.
        groups |= {item: open_ for item, open_ in found.items() if open_ is not None}
        kept = [item for item in left if found[item] is not None]
        if kept == left:
            break
        left = kept
    deciding = _still_open(rules[DECIDING], left, known, status)
    groups[DECIDING] = deciding or []
    for d in range(len(tables.world.decisions)):
        still = _still_open(rules[of_decision(d)], left, known, status)
        groups[of_decision(d)] = NEVER if still is None else still
    return Left(tables, profiles, known, status, failures, tuple(left), groups, deciding is not None)


def _still_open(groups: Groups, left: list[int], known: Facts, status: NDArray[np.uint8]) -> Groups | None:
    """The groups that are not settled yet, or None if one can never hold."""
    still: Groups = []
    for group in groups:
        clauses = [c for c in group if c.item in left]
        settled = [c for c in group if c.item not in left]
        if any(c.holds(int(status[c.item]) if c.item >= 0 else RESULT, known) for c in settled):
            continue
        if not clauses:
            return None
        still.append(clauses)
    return still


@dataclass(frozen=True, eq=False)
class Modes:
    """What the past may change about the future: a mode is a set of bits, one for each such act or fact."""

    left: Left
    bits: tuple[tuple[str, int], ...]
    """('act', item) done, or ('known', observable) revealed."""

    def __len__(self) -> int:
        return 1 << len(self.bits)

    def has(self, kind: str, index: int, mode: int) -> bool:
        """Whether a mode has the bit of an act or a fact."""
        return (kind, index) in self.bits and bool(mode >> self.bits.index((kind, index)) & 1)

    def acts_done(self, mode: int) -> tuple[int, ...]:
        """Acts done before the root or in the mode."""
        world = self.left.world
        acts = range(world.n_investigations, len(world.items))
        return tuple([i for i in acts if self.left.status[i] == RESULT or self.has("act", i, mode)])

    def feared(self, item: int, mode: int) -> tuple[int, ...]:
        """Contraindications of an item (rows of `world.contraindication`) whose variable is not known in a mode."""
        return tuple([
            x
            for x, (i, o) in enumerate(self.left.world.contraindication.tolist())
            if i == item and o not in self.left.known and not self.has("known", o, mode)
        ])  # fmt: skip

    def variants(self, item: int) -> tuple[bool, ...]:
        """Whether the findings of an item follow the law of the act done: one answer, or both while that is open.

        Raises:
            PlanningRefused: they depend on several acts.
        """
        acts = self.left.tables.treated_by(item)
        if len(acts) > 1:
            raise PlanningRefused(
                f"the findings of {self.left.world.items[item]} depend on {len(acts)} acts; the planners treat one"
            )
        if not acts:
            return (False,)
        return (False, True) if ("act", acts[0]) in self.bits else (bool(self.left.status[acts[0]] == RESULT),)

    def variant(self, item: int, mode: int) -> int:
        """Which of its `variants` an item has in a mode."""
        acts = self.left.tables.treated_by(item)
        return int(bool(acts) and self.has("act", acts[0], mode))


def modes(left: Left) -> Modes:
    """What changes costs, times or findings to come.

    Raises:
        PlanningRefused: more than MAX_MODE_BITS acts and facts do.
    """
    world, model = left.world, left.world.model
    bits = [("act", item) for item in left.items if _changes_later(left, item)]
    for item, o in world.contraindication.tolist():
        plain = model.role[o] != "leaf" and model.withheld[o] < 0 and model.corrupted[o] < 0
        open_ = o not in left.known and int(model.item_of[o]) in left.items
        if item in left.items and open_ and not plain and ("known", o) not in bits:
            bits.append(("known", o))
    if len(bits) > MAX_MODE_BITS:
        names = ", ".join(world.items[i] if kind == "act" else model.observables[i] for kind, i in bits)
        raise PlanningRefused(
            f"{len(bits)} acts and facts change what later orders cost or show ({names}); at most {MAX_MODE_BITS} are treated"
        )
    return Modes(left, tuple(bits))


def _changes_later(left: Left, item: int) -> bool:
    """Whether having done an item changes waiting, progression, a finding to come or the worth of a decision."""
    world = left.world
    if (world.waiting_factor[item] != 1.0).any() or credited_at_the_end(world, item):
        return True
    if (world.progression_factor[item] != 1.0).any() and (world.progression_rate_per_h > 0).any():
        return True
    return any(item in left.tables.treated_by(j) for j in left.items if j != item)
