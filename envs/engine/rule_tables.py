"""Tables of the rules: which bits of what was revealed allow or forbid an order or a decision, and which actions order what."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workup.envs.engine.parts import Part, flat, offsets
from workup.envs.engine.state import words_for
from workup.envs.model.world import World

ORDER, SET, WAIT, DECIDE = range(4)
KINDS = {"order": ORDER, "act": ORDER, "set": SET, "wait": WAIT, "decide": DECIDE}


def rule_tables(world: World, bits: Bits) -> Part:
    """Actions and their members, and what forbids or requires what."""
    members = [list(action.items) for action in world.actions]
    kinds = [action.kind for action in world.actions]
    n_actions, n_items, wait, decide = len(kinds), len(world.items), kinds.index("wait"), kinds.index("decide")
    sets = [a for a, kind in enumerate(kinds) if kind == "set"]
    of_item = _action_of_item(world)
    runs = _runs(of_item)
    legality, n_rules = _legality(world, bits)
    n_words, n_item_words = words_for(n_actions), words_for(n_items)
    sizes = {
        "n_actions": n_actions,
        "n_words": bits.n_words,
        "n_action_words": n_words,
        "n_item_words": n_item_words,
        "n_rules": n_rules,
        "n_runs": len(runs),
        "n_sets": len(sets),
        "wait_action": wait,
        "first_decision": decide,
        "locked": len(world.decision_clauses) > 0,
    }
    ints = {
        **legality,
        "action_kind": np.array([KINDS[kind] for kind in kinds]),
        "members_at": offsets(members),
        "members": flat(members),
        "action_of_item": of_item,
        "openers": bit_words(np.flatnonzero(world.opens_journey > 0), n_item_words),
        "deciding": bit_words(range(decide, n_actions), n_words),
        "run": runs,
        "set_action": np.array(sets, np.int64),
        "set_members": np.array([bit_words(members[a], n_item_words) for a in sets], np.int64),
        "start_words": np.zeros((world.model.n_starts, n_words + 2 * n_item_words + bits.n_words), np.int64),
    }
    return Part(sizes, ints, {})


def bit_words(places: Iterable[int], n_words: int) -> NDArray[np.int64]:
    """(n_words,) words of 64 bits, with those set."""
    words = np.zeros(n_words, np.uint64)
    for place in places:
        words[place // 64] |= np.uint64(1 << int(place) % 64)
    return words.view(np.int64)


def _runs(action_of_item: NDArray[np.int64]) -> NDArray[np.int64]:
    """(n, 4) how bits of items become bits of their actions: from which word, which bits, turned left by how much, into which word."""
    found: dict[tuple[int, int, int], list[int]] = {}
    for item, action in enumerate(action_of_item.tolist()):
        if action >= 0:
            found.setdefault((item // 64, (action - item) % 64, action // 64), []).append(item % 64)
    rows = [[word, int(bit_words(bits, 1)[0]), by, to] for (word, by, to), bits in found.items()]
    return np.array(rows, np.int64).reshape(-1, 4)


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


def _legality(world: World, bits: Bits) -> tuple[dict[str, NDArray[Any]], int]:
    """Rules side by side, by what they close: bits of facts that forbid an item (contraindications, known refusals), or of which
    one must be there. They close bits in words of items, then of actions (decisions). Returns also how many there are."""
    n_items, n_values, kinds = len(world.items), world.model.n_values, [action.kind for action in world.actions]
    item_words, action_words = words_for(n_items), words_for(len(kinds))
    forbidding = np.zeros((n_items, bits.n_words), np.int64)
    for rows, values in (
        (world.contraindication, world.contraindication_values),
        (world.known_refusal, world.known_refusal_values),
    ):
        for (item, o), bad in zip(rows.tolist(), values, strict=True):
            forbidding[item] |= bits.facts(o, bad[: n_values[o]])
    needs = _needs(world, bits, world.clauses, world.clause_values, n_items)
    of_decision = _needs(world, bits, world.decision_clauses, world.decision_clause_values, len(world.decisions))
    decision = 64 * item_words + kinds.index("decide")
    rules = [(item, 0, words) for item, words in enumerate(forbidding) if words.any()]
    rules += [(item, 1, words) for item, groups in enumerate(needs) for words in groups.values()]
    rules += [(decision + d, 1, words) for d, groups in enumerate(of_decision) for words in groups.values()]
    rules.sort(key=lambda rule: rule[0])
    closed = np.array([place for place, _, _ in rules], np.int64)
    return {
        "fact_word": bits.fact_word,
        "fact_bit": bits.fact_bit,
        "status_word": bits.status_word,
        "status_bit": bits.status_bit,
        "rules_at": np.searchsorted(closed, 64 * np.arange(item_words + action_words + 1)),
        "rule_closes": closed % 64,
        "rule_needed": np.array([needed for _, needed, _ in rules], np.int64),
        "rule_bits": np.array([words for _, _, words in rules], np.int64).reshape(-1, bits.n_words).T,
        "decision_needs_at": offsets([list(groups) for groups in of_decision]),
        "decision_needs": np.array([words for groups in of_decision for words in groups.values()], np.int64),
    }, len(rules)


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


def _action_of_item(world: World) -> NDArray[np.int64]:
    of_item = np.full(len(world.items), -1)
    for a, action in enumerate(world.actions):
        if action.kind in ("order", "act"):
            of_item[action.items[0]] = a
    return of_item
