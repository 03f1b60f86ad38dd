"""What the rules of a world can ever allow for a patient: the proof where something cannot be done.

Possible means more than true: every value that a report may give, every item that some order of events may make legal.
So what is *not* possible here, no policy can do. Results come at once, and there are no budgets.

Source: Bonet and Geffner, Planning as heuristic search, Artificial Intelligence 2001;129:5 (the relaxation in which facts
only ever add up).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache

import numpy as np
from numpy.typing import NDArray

from workup.envs.model.codes import FAILED, MISSING, NOT_ORDERED, REFUSED, RESULT
from workup.envs.model.facts import Clause, ScoreClause
from workup.envs.model.world import World

Codes = frozenset[int]
HISTORY, EXAMINATION = 1, 2
"""As in `World.opens_journey`."""


@dataclass(frozen=True, eq=False)
class Reach:
    """What may happen to one patient under any policy that keeps to the limits given."""

    world: World
    profile: int
    hidden: int
    possible: tuple[Codes, ...]
    """Of each observable, the codes that a report may give; MISSING among them if it may be withheld."""
    statuses: tuple[Codes, ...]
    """Of each item, what may come of an order: RESULT, FAILED, REFUSED."""
    known: frozenset[int] = frozenset()
    """Observables that have been revealed, whoever asked for them."""
    without: frozenset[int] = frozenset()
    """Items that are never ordered."""
    mute: frozenset[int] = frozenset()
    """Items that may be ordered and give no result, or one that comes too late to count."""
    trusting: bool = False
    """Whether contraindications and known refusals are left out of account."""

    def within_limits(
        self, *, without: Iterable[int] = (), mute: Iterable[int] = (), given: Mapping[int, Codes] | None = None
    ) -> Reach:
        """The same patient under further limits.

        Args:
            without: items never ordered.
            mute: items that tell nothing in time.
            given: observable -> codes, one of which it has been revealed to have.
        """
        told = given or {}
        return replace(
            self,
            possible=tuple(codes & told[o] if o in told else codes for o, codes in enumerate(self.possible)),
            known=self.known | set(told),
            without=self.without | set(without),
            mute=self.mute | set(mute),
        )

    @cached_property
    def orders(self) -> frozenset[int]:
        """Items that some policy can order."""
        candidates = [i for i in range(len(self.world.items)) if i not in self.without and not self._forbidden(i)]
        found: frozenset[int] = frozenset()
        while True:
            more = frozenset(i for i in candidates if self._legal(i, found))
            if more == found:
                return found
            found = more

    def may_decide(self) -> bool:
        """Whether some policy can come to a decision: once history has a result, or once nothing is left to do."""
        if any(self.world.opens_journey[i] == HISTORY and self._tells(i) for i in self.orders):
            return True
        return not any(_always_legal(self.world, i) for i in self.without)

    def may_take(self, decision: int) -> bool:
        """Whether some policy can take a decision: come to one, and meet all that this one requires."""
        groups = _of_decisions(self.world)[decision]
        return self.may_decide() and all(any(self._may(each, self.orders) for each in group) for group in groups)

    def may_hold(self, clauses: Iterable[Clause | ScoreClause]) -> bool:
        """Whether each of the clauses may hold at some time."""
        return all(self._may(each, self.orders) for each in clauses)

    def _legal(self, item: int, found: frozenset[int]) -> bool:
        """Whether the item may become legal once those found may have been ordered."""
        world = self.world
        if world.opens_journey[item] == 0:
            opened = {int(world.opens_journey[i]) for i in _openers(world) if i in found and self._tells(i)}
            if not {HISTORY, EXAMINATION} <= opened:
                return False
        return all(any(self._may(each, found) for each in group) for group in _requirements(world)[item])

    def _may(self, clause: Clause | ScoreClause, found: frozenset[int]) -> bool:
        if isinstance(clause, ScoreClause):
            return clause.may_hold(lambda o: self._may_be_known(o, found))
        target = clause.target
        if clause.is_item:
            come = self.statuses[target] - ({RESULT} if target in self.mute else set())
            return any(bool(clause.allowed[s]) for s in {NOT_ORDERED} | (come if target in found else set()))
        source = int(self.world.model.item_of[target])
        if clause.unknown and (target not in self.known or MISSING in self.possible[target]):
            return source != -1
        return any(code >= 0 and bool(clause.allowed[code]) for code in self._may_be_known(target, found))

    def _may_be_known(self, o: int, found: frozenset[int]) -> Codes:
        """Codes with which the observable may stand once those items were ordered: MISSING where it may not be known."""
        source = int(self.world.model.item_of[o])
        if o in self.known or source == -1:
            return self.possible[o]
        return self.possible[o] | {MISSING} if source in found and self._tells(source) else frozenset({MISSING})

    def _tells(self, item: int) -> bool:
        return RESULT in self.statuses[item] and item not in self.mute

    def _forbidden(self, item: int) -> bool:
        """Whether a fact that rules the item out is known whenever it could be ordered."""
        world = self.world
        tables = (
            (world.contraindication, world.contraindication_values),
            (world.known_refusal, world.known_refusal_values),
        )
        return not self.trusting and any(
            owner == item
            and all(code >= 0 and bool(bad[code]) for code in self.possible[o])
            and self._known_before(int(o), item)
            for rows, values in tables
            for (owner, o), bad in zip(rows, values, strict=True)
        )

    def _known_before(self, observable: int, item: int) -> bool:
        source = int(self.world.model.item_of[observable])
        if observable in self.known or source == -1:
            return True
        silent = replace(self, mute=self.mute | {source}, trusting=True)
        return source >= 0 and item not in silent.orders


def reach(world: World, profile: int, hidden: int, values: NDArray[np.int16]) -> Reach:
    """What may happen to the patient of a profile and hidden state.

    Args:
        world: the scenario.
        profile: index of the profile.
        hidden: index of the hidden state.
        values: (O,) findings that are fixed as reported, UNKNOWN elsewhere.
    """
    stated = values >= 0
    possible = [
        frozenset({int(values[o])}) if stated[o] else _reports(world, o, profile, hidden) for o in range(len(values))
    ]
    statuses = [
        frozenset({RESULT})
        if any(o >= 0 and stated[o] for o in world.reveals[i])
        else _outcomes(world, i, profile, hidden)
        for i in range(len(world.items))
    ]
    return Reach(world, profile, hidden, tuple(possible), tuple(statuses))


Requirements = tuple[tuple[tuple[Clause, ...], ...], ...]
"""Of each item or decision; each requirement is met by any one of its clauses."""


@lru_cache(maxsize=4)
def _requirements(world: World) -> Requirements:
    return _grouped(len(world.items), world.clauses, world.clause_values)


@lru_cache(maxsize=4)
def _of_decisions(world: World) -> Requirements:
    return _grouped(len(world.decisions), world.decision_clauses, world.decision_clause_values)


def _grouped(owners: int, rows: NDArray[np.int32], values: NDArray[np.bool_]) -> Requirements:
    groups: list[dict[int, list[Clause]]] = [{} for _ in range(owners)]
    for (owner, group, kind, target), allowed in zip(rows, values, strict=True):
        groups[owner].setdefault(int(group), []).append(Clause(bool(kind), int(target), allowed))
    return tuple(tuple(tuple(clauses) for clauses in each.values()) for each in groups)


@lru_cache(maxsize=4)
def _openers(world: World) -> tuple[int, ...]:
    """Items of history and examination."""
    return tuple(np.flatnonzero(world.opens_journey).tolist())


def _reports(world: World, o: int, profile: int, hidden: int) -> Codes:
    """Codes that a report of the observable may give, treated or not."""
    model = world.model
    told = int(model.item_of[o]) >= 0
    rows, table = (model.evidence_rows, model.evidence_table) if told else (model.value_rows, model.value_table)
    first = int(rows.start[o] + rows.of_profile[o, profile] + rows.of_hidden[o, hidden])
    treated = first + int(model.treatment_stride[o]) if model.treatment[o] >= 0 else first
    codes = np.flatnonzero((table[first] > 0) | (table[treated] > 0)).tolist()
    return frozenset(MISSING if told and code == table.shape[1] - 1 else code for code in codes)


def _outcomes(world: World, item: int, profile: int, hidden: int) -> Codes:
    """What may come of an order."""
    rows, table = world.model.status_rows, world.model.status_table
    law = table[rows.start[item] + rows.of_profile[item, profile] + rows.of_hidden[item, hidden]]
    return frozenset(status for status, p in zip((RESULT, FAILED, REFUSED), law[:3], strict=True) if p > 0)


def _always_legal(world: World, item: int) -> bool:
    """Whether the item is legal until it is ordered, whatever has been revealed."""
    ruled = (world.clauses, world.contraindication, world.known_refusal)
    return bool(world.opens_journey[item]) and not any((rows[:, 0] == item).any() for rows in ruled)
