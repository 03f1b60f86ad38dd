"""Tables of the rules: which bits of what was revealed allow or forbid an order, and what an order may change."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workup.envs.engine.parts import Part, flat, offsets
from workup.envs.model.world import World

ORDER, SET, WAIT, DECIDE = range(4)
KINDS = {"order": ORDER, "act": ORDER, "set": SET, "wait": WAIT, "decide": DECIDE}


def rule_tables(world: World, bits: Bits) -> Part:
    """Actions and their members, what forbids or requires what, and whose legality an order may change."""
    watched = _watched(world)
    opens = world.opens_journey > 0
    early = [sum(bool(opens[j]) for j in row) for row in watched]
    sets = [_sets_of(world, row) for row in watched]
    sets_early = [sum(bool(opens[list(world.actions[a].items)].all()) for a in row) for row in sets]
    members = [list(action.items) for action in world.actions]
    kinds = [action.kind for action in world.actions]
    sizes = {
        "n_actions": len(world.actions),
        "n_words": bits.n_words,
        "wait_action": kinds.index("wait"),
        "first_decision": kinds.index("decide"),
        "locked": len(world.decision_clauses) > 0,
    }
    ints = {
        **_legality(world, bits),
        "watched_at": offsets(watched),
        "watched_early": offsets(watched)[:-1] + early,
        "watched": flat(watched),
        "sets_at": offsets(sets),
        "sets_early": offsets(sets)[:-1] + sets_early,
        "sets": flat(sets),
        "action_kind": np.array([KINDS[kind] for kind in kinds]),
        "members_at": offsets(members),
        "members": flat(members),
        "action_of_item": _action_of_item(world),
    }
    return Part(sizes, ints, {})


@dataclass(frozen=True, eq=False)
class Bits:
    """One bit for each revealed value and each status that a rule looks at, so that a rule on facts is one look at a few
    words. Bits of one observable (or item) lie in one word of 63; the word of what no rule looks at is -1.
    """

    fact_word: NDArray[np.int64]
    fact_bit: NDArray[np.int64]
    status_word: NDArray[np.int64]
    status_bit: NDArray[np.int64]
    n_words: int

    def facts(self, o: int, allowed: NDArray[np.bool_]) -> NDArray[np.int64]:
        """(n_words,) the bits of these values."""
        return self._set(self.fact_word[o], self.fact_bit[o], allowed)

    def statuses(self, item: int, allowed: NDArray[np.bool_]) -> NDArray[np.int64]:
        """(n_words,) the bits of these statuses."""
        return self._set(self.status_word[item], self.status_bit[item], allowed[:5])

    def _set(self, word: np.int64, bit: np.int64, allowed: NDArray[np.bool_]) -> NDArray[np.int64]:
        words = np.zeros(self.n_words, np.int64)
        words[word] = sum(1 << int(bit + v) for v in np.flatnonzero(allowed))
        return words


def bits_of(world: World) -> Bits:
    """The bits of what the rules of a world look at."""
    clauses = [*world.clauses.tolist(), *world.decision_clauses.tolist()]
    facts = {int(row[1]) for table in (world.contraindication, world.known_refusal) for row in table}
    facts |= {target for _, _, kind, target in clauses if kind == 0}
    statuses = {target for _, _, kind, target in clauses if kind == 1}
    places, word, bit = [], 0, 0
    sizes = [(o in facts, int(size)) for o, size in enumerate(world.model.n_values)]
    for wanted, size in sizes + [(item in statuses, 5) for item in range(len(world.items))]:
        if wanted and bit + size > 63:
            word, bit = word + 1, 0
        places.append((word, bit) if wanted else (-1, 0))
        bit += size if wanted else 0
    table, n = np.array(places, np.int64), len(world.model.n_values)
    return Bits(table[:n, 0], table[:n, 1], table[n:, 0], table[n:, 1], word + 1)


def _legality(world: World, bits: Bits) -> dict[str, NDArray[Any]]:
    """Bits of facts that forbid an item (contraindications, known refusals), and for each requirement those of which
    one must be there."""
    n_items, n_values = len(world.items), world.model.n_values
    forbidding = np.zeros((n_items, bits.n_words), np.int64)
    for rows, values in (
        (world.contraindication, world.contraindication_values),
        (world.known_refusal, world.known_refusal_values),
    ):
        for (item, o), bad in zip(rows.tolist(), values, strict=True):
            forbidding[item] |= bits.facts(o, bad[: n_values[o]])
    needs = _needs(world, bits, world.clauses, world.clause_values, n_items)
    of_decision = _needs(world, bits, world.decision_clauses, world.decision_clause_values, len(world.decisions))
    return {
        "fact_word": bits.fact_word,
        "fact_bit": bits.fact_bit,
        "status_word": bits.status_word,
        "status_bit": bits.status_bit,
        "rules": np.logical_or(forbidding.any(axis=1), [len(groups) > 0 for groups in needs]),
        "forbidding": forbidding,
        "needs_at": offsets([list(groups) for groups in needs]),
        "needs": np.array([words for groups in needs for words in groups.values()], np.int64),
        "decision_needs_at": offsets([list(groups) for groups in of_decision]),
        "decision_needs": np.array([words for groups in of_decision for words in groups.values()], np.int64),
    }


def _needs(
    world: World, bits: Bits, clauses: NDArray[np.int32], values: NDArray[np.bool_], owners: int
) -> list[dict[int, NDArray[np.int64]]]:
    """By owner and group the bits of which one must be there."""
    needs: list[dict[int, NDArray[np.int64]]] = [{} for _ in range(owners)]
    for (owner, group, kind, target), allowed in zip(clauses.tolist(), values, strict=True):
        of_values = allowed[: world.model.n_values[target]] if kind == 0 else allowed
        words = bits.facts(target, of_values) if kind == 0 else bits.statuses(target, allowed)
        needs[owner][group] = needs[owner].get(group, np.zeros(bits.n_words, np.int64)) | words
    return needs


def _watched(world: World) -> list[list[int]]:
    """Per item, the items whose legality may change once it was ordered or reported: first those of history and
    examination, which alone can be legal until both have a result."""
    watched: list[list[int]] = []
    for item in range(len(world.items)):
        facts = set(world.reveals[item][world.reveals[item] >= 0].tolist())
        others = {int(row[0]) for row in world.contraindication if int(row[1]) in facts}
        others |= {int(row[0]) for row in world.known_refusal if int(row[1]) in facts}
        for owner, _, kind, target in world.clauses.tolist():
            if (kind == 0 and target in facts) or (kind == 1 and target == item):
                others.add(owner)
        watched.append(sorted(others | {item}, key=lambda j: (not world.opens_journey[j], j)))
    return watched


def _sets_of(world: World, items: list[int]) -> list[int]:
    """The sets with any of these items, those wholly of history and examination first."""
    opens = world.opens_journey > 0
    return sorted(
        {a for j in items for a in _sets_with(world, j)},
        key=lambda a: (not opens[list(world.actions[a].items)].all(), a),
    )


def _sets_with(world: World, item: int) -> list[int]:
    return [a for a, action in enumerate(world.actions) if action.kind == "set" and item in action.items]


def _action_of_item(world: World) -> NDArray[np.int64]:
    of_item = np.full(len(world.items), -1)
    for a, action in enumerate(world.actions):
        if action.kind in ("order", "act"):
            of_item[action.items[0]] = a
    return of_item
