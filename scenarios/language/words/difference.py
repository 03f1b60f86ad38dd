"""What changed from one scenario to another, for the clinician who has to say whether it is right.

The checked models are compared, not their text: comments and the order of keys do not count, nor does the order of
a list in which order says nothing (`reveals`, `members`). Everything else does, and every difference is told. What
was renamed or moved is told as removed and new.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any

from workup.scenarios.language.schema import Scenario
from workup.scenarios.language.words.difference_words import SETS, texts
from workup.scenarios.language.words.places import ABSENT, Path, Side, law_at
from workup.scenarios.language.words.provenance_difference import provenance_changes

PARTS = {
    "The scenario as a whole": ("id", "title", "version", "about", "who", "max_steps"),
    "Patients": ("context", "comorbidities"),
    "Conditions": ("groups", "conditions", "prior"),
    "Findings": ("latent", "findings", "scores"),
    "Tests and acts": (
        "set_ups",
        "resources",
        "investigations",
        "acts",
        "order_sets",
        "loss_gbp_per_msv",
        "new_visit_after",
    ),
    "Availability": ("availability",),
    "Decisions": ("utility", "decisions", "rewards"),
    "Guideline": ("guideline", "guideline_versions"),
    "Vignettes": ("vignettes",),
    "Published figures": ("targets",),
    "Provenance": ("sources", "figures", "reviews"),
}
"""Where a change is told, by field of the scenario; a field named nowhere is told under the first."""

_PAIRED = {"contraindicated": "when", "modifiers": "when"}
"""Lists whose entries are the same thing as long as this stays."""
_IN_ORDER = frozenset({"guideline", "rules", "expect"})
_WHOLE = frozenset({"when", "of", "among", "against"})
"""Conditions on facts: read as one sentence, told as one."""


@dataclass(frozen=True)
class Change:
    """One difference."""

    part: str
    """A key of PARTS."""
    path: str
    """Where it stands, names joined by dots; list entries by their place in the later scenario (or the earlier)."""
    words: str
    before: Any
    """As plain data; None if there was nothing."""
    after: Any


def differences(before: Scenario, after: Scenario) -> tuple[Change, ...]:
    """Every difference, in the order of PARTS; empty if the two say the same.

    Args:
        before: the earlier scenario.
        after: the later one.
    """
    found = [*_Comparison(Side.of(before), Side.of(after)).changes()]
    found += [
        Change("Provenance", path, words, was, now) for path, words, was, now in provenance_changes(before, after)
    ]
    order = list(PARTS)
    return tuple(sorted(found, key=lambda change: order.index(change.part)))


def part_of(field: str) -> str:
    """Where changes of a field of the scenario are told."""
    return next((part for part, fields in PARTS.items() if field in fields), next(iter(PARTS)))


class _Comparison:
    """Walks both scenarios as plain data, side by side."""

    def __init__(self, before: Side, after: Side) -> None:
        self.before, self.after = before, after

    def changes(self) -> Iterator[Change]:
        for field in dict.fromkeys((*self.after.tree, *self.before.tree)):
            yield from self.compare((field,), self.before.tree.get(field, ABSENT), self.after.tree.get(field, ABSENT))

    def compare(self, path: Path, was: Any, now: Any) -> Iterator[Change]:
        """Every difference at and beneath a place."""
        if was == now:
            return
        rewritten = self._rewritten(path, was, now)
        if rewritten is not None:
            yield self._change(path, was, now, rewritten)
        elif isinstance(was, list) and isinstance(now, list):
            yield from self._lists(path, was, now)
        elif path[-1] in _WHOLE:
            yield self._change(path, was, now)
        elif self._go_deeper(path, was, now):
            was, now = _level(was), _level(now)
            for key in dict.fromkeys((*now, *was)):
                yield from self.compare((*path, key), was.get(key, ABSENT), now.get(key, ABSENT))
        else:
            yield self._change(path, was, now)

    def _go_deeper(self, path: Path, was: Any, now: Any) -> bool:
        """Two mappings; or a nested table on one side, of which every figure is told. One number that became an amount by
        patient, or the other way round, is told as a whole."""
        if isinstance(was, dict) and isinstance(now, dict):
            return True
        return (isinstance(was, dict) or isinstance(now, dict)) and (
            law_at(path) or (len(path) == 1 and not isinstance(was, float) and not isinstance(now, float))
        )

    def _rewritten(self, path: Path, was: Any, now: Any) -> str | None:
        """A sentence if a law is written otherwise but every figure that follows from it is the same."""
        if not (isinstance(was, dict) and isinstance(now, dict)) or "given" not in now or _shape(was) == _shape(now):
            return None
        if not _only_law_differs(was, now) or not self.before.same_law(self.after, path):
            return None
        return f"{self.after.subject(path)[0]}: written otherwise; every figure that follows from it is the same"

    def _lists(self, path: Path, was: list[Any], now: list[Any]) -> Iterator[Change]:
        if path[-1] in SETS or path[0] == "groups":
            if sorted(was) != sorted(now):
                yield self._change(path, was, now)
        elif path[-1] in _IN_ORDER:
            yield from self._in_order(path, was, now)
        elif path[-1] in _PAIRED:
            yield from self._paired(path, was, now, _PAIRED[str(path[-1])])
        elif path[-1] in ("requires", "reviewers", "reviews", "points"):
            yield from self._come_and_gone(path, list(enumerate(was)), list(enumerate(now)))
        else:
            yield self._change(path, was, now)

    def _in_order(self, path: Path, was: list[Any], now: list[Any]) -> Iterator[Change]:
        """Rules and expectations: their order says which comes first."""
        matcher = SequenceMatcher(None, _keys(was), _keys(now), autojunk=False)
        for kind, a, b, c, d in matcher.get_opcodes():
            if kind == "equal":
                continue
            gone, come = list(enumerate(was))[a:b], list(enumerate(now))[c:d]
            for i, j in _same_things(gone, come):
                yield self._change((*path, j), was[i], now[j], place=(*path, i))
                gone.remove((i, was[i]))
                come.remove((j, now[j]))
            yield from self._come_and_gone(path, gone, come)

    def _paired(self, path: Path, was: list[Any], now: list[Any], same: str) -> Iterator[Change]:
        gone, come = _without(was, now), _without(now, was)
        for j, entry in list(come):
            match = next(((i, old) for i, old in gone if old.get(same) == entry.get(same)), None)
            if match is not None:
                gone.remove(match)
                come.remove((j, entry))
                yield self._change((*path, j), match[1], entry, place=(*path, match[0]))
        yield from self._come_and_gone(path, gone, come)

    def _come_and_gone(
        self, path: Path, was: Iterable[tuple[int, Any]], now: Iterable[tuple[int, Any]]
    ) -> Iterator[Change]:
        """Entries of a list that are on one side only."""
        gone, come = list(was), list(now)
        kept = [entry for _, entry in come]
        for i, entry in gone:
            if entry in kept:
                kept.remove(entry)
            else:
                yield self._change((*path, i), entry, ABSENT)
        kept = [entry for _, entry in gone]
        for i, entry in come:
            if entry in kept:
                kept.remove(entry)
            else:
                yield self._change((*path, i), ABSENT, entry)

    def _change(self, path: Path, was: Any, now: Any, words: str = "", *, place: Path | None = None) -> Change:
        said = words or texts(self.before, self.after, place or path, path, was, now)
        plain = [None if value is ABSENT else value for value in (was, now)]
        return Change(part_of(str(path[0])), ".".join(str(part) for part in path if part != ""), said, *plain)


def _level(value: Any) -> dict[str, Any]:
    """A mapping, or a bare figure as the whole of a nested table."""
    if isinstance(value, dict):
        return value
    return {} if value is ABSENT or value is None else {"": value}


def _keys(entries: list[Any]) -> list[str]:
    return [json.dumps(entry, sort_keys=True) for entry in entries]


def _without(these: list[Any], others: list[Any]) -> list[tuple[int, Any]]:
    """Entries of `these`, with their places, that `others` lacks."""
    left, out = _keys(others), []
    for place, (key, entry) in enumerate(zip(_keys(these), these, strict=True)):
        if key in left:
            left.remove(key)
        else:
            out.append((place, entry))
    return out


def _same_things(gone: list[tuple[int, Any]], come: list[tuple[int, Any]]) -> list[tuple[int, int]]:
    """Places of rules that do the same, or of expectations about the same, in the order of both lists."""
    same = SequenceMatcher(None, [_about(entry) for _, entry in gone], [_about(entry) for _, entry in come], False)
    blocks = same.get_matching_blocks()
    return [(gone[block.a + k][0], come[block.b + k][0]) for block in blocks for k in range(block.size)]


def _about(entry: dict[str, Any]) -> str:
    return str(entry["do"]) if "do" in entry else str(sorted(key for key, of in entry.items() if of and key != "why"))


def _shape(value: Any) -> Any:
    """The keys of a nested table without its figures."""
    return {key: _shape(of) for key, of in value.items()} if isinstance(value, dict) else type(value).__name__


def _only_law_differs(was: dict[str, Any], now: dict[str, Any]) -> bool:
    differing = [key for key in now if was.get(key) != now.get(key)]
    return was.keys() == now.keys() and all(law_at((key,)) or key in ("given", "modifiers") for key in differing)
