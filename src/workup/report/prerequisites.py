"""What must be known or done before what: the tests and acts of a scenario, history and examination first."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from workup.scenarios.language.schema import OPENING, Investigation, Orderable, Scenario, Tier

Kind = Literal["must", "one of several", "rules out", "not after"]
_MOST = 5
"""Items side by side."""


@dataclass(frozen=True)
class Link:
    """One thing that bears on whether another may be ordered."""

    before: str
    after: str
    kind: Kind
    """'must': it comes first; 'one of several': what it shows is one way to be allowed; 'rules out': what it shows may
    forbid; 'not after': no longer possible once that is done (the arrow points to what must not come first)."""


def links(scenario: Scenario) -> tuple[Link, ...]:
    """What bears on what beyond history and examination, which come before everything."""
    items = {**scenario.investigations, **scenario.acts}
    shows = {name: item for item, of in items.items() for name in of.reveals}
    found: dict[tuple[str, str], Kind] = {}
    for after, of in items.items():
        for before, after_it, kind in _links_of(after, of, items, shows):
            if before != after_it and not comes_first(items[before]):
                found.setdefault((before, after_it), kind)
                if kind == "must":
                    found[before, after_it] = kind
    return tuple(Link(before, after, kind) for (before, after), kind in found.items())


def _links_of(
    after: str, of: Orderable, items: Mapping[str, Orderable], shows: Mapping[str, str]
) -> Iterator[tuple[str, str, Kind]]:
    for group in of.requires:
        kind: Kind = "must" if len(group) == 1 else "one of several"
        for name, clause in group.items():
            if name in items and clause == "not_done":
                yield after, name, "not after"
            elif name in items or name in shows:
                yield (name if name in items else shows[name]), after, kind
    for contraindication in of.contraindicated:
        for name in contraindication.when:
            if name in items or name in shows:
                yield (name if name in items else shows[name]), after, "rules out"


def comes_first(of: Orderable) -> bool:
    """Whether an item is history or examination, before which nothing else can be ordered."""
    return isinstance(of, Investigation) and of.tier in OPENING


def layers(scenario: Scenario) -> list[tuple[str, list[str]]]:
    """Rows of the picture from the top: the heading of each (empty where a tier goes on) and its items.

    History and examination, then acts that tests wait for, the other tiers, and all other acts; a tier takes several
    rows where its items bear on each other.
    """
    s, found = scenario, links(scenario)
    waits: dict[str, set[str]] = {name: set() for name in {**s.investigations, **s.acts}}
    comes_after = {name: {link.before for link in found if link.after == name} for name in waits}
    for link in found:
        if link.kind in ("must", "one of several"):
            waits[link.after].add(link.before)
    early = [a for a in s.acts if not waits[a] and any(a in waits[test] for test in s.investigations)]
    first = [name for name, of in s.investigations.items() if comes_first(of)]
    rows = [("First of all", first)] if first else []
    rows += _rows("Acts before tests", early, comes_after)
    for tier in (tier for tier in get_args(Tier) if tier not in OPENING):
        rows += _rows(tier.capitalize(), [n for n, of in s.investigations.items() if of.tier == tier], comes_after)
    return rows + _rows("Acts", [name for name in s.acts if name not in early], comes_after)


def _rows(heading: str, names: Sequence[str], comes_after: Mapping[str, set[str]]) -> list[tuple[str, list[str]]]:
    """Items of one tier in rows, those that come after others of the tier beneath them."""
    left, rows = list(names), []
    while left:
        ready = [name for name in left if not comes_after[name] & set(left) - {name}] or left
        rows += [ready[i : i + _MOST] for i in range(0, len(ready), _MOST)]
        left = [name for name in left if name not in ready]
    return [(heading if i == 0 else "", row) for i, row in enumerate(rows)]
