"""How far the same figures may be trusted in two scenarios: what became `seen`, what lost its source."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from workup.scenarios.language.authorship import FigureRecord, Searched
from workup.scenarios.language.schema import Scenario
from workup.scenarios.language.words.place_values import steps
from workup.scenarios.language.words.places import Side

Standing = tuple[str, str | None, str | None, str | None, Searched | None]
"""Status, source, note, formula and search of a figure."""
Place = tuple[str, ...]


def provenance_changes(before: Scenario, after: Scenario) -> Iterator[tuple[str, str, Any, Any]]:
    """Path, words, standing before and after; figures of one thing that changed alike are told together.

    A figure in a list is known by the words of its entry, not by its place in the list.
    """
    sides = Side.of(before), Side.of(after)
    old, new = (_by_place(side) for side in sides)
    alike: dict[tuple[Place, Standing | None, Standing | None], list[Place]] = {}
    for place in dict.fromkeys((*new, *old)):
        standings = _standing(old.get(place)), _standing(new.get(place))
        if standings[0] != standings[1]:
            alike.setdefault((_thing(place), *standings), []).append(place)
    for (thing, was, now), places in alike.items():
        record = new.get(places[0]) or old[places[0]]
        side = sides[places[0] in new]
        path = ".".join(thing) if len(places) > 1 else record.path
        yield path, _words(side, record, places, was, now), _plain(was), _plain(now)


def _by_place(side: Side) -> dict[Place, FigureRecord]:
    out: dict[Place, FigureRecord] = {}
    seen: Counter[Place] = Counter()
    everywhere = (replace(of, path=path) for of in side.scenario.figures for path in (of.path, *of.copies))
    for figure in everywhere:
        place = tuple(part for part, _ in steps(side, figure.path))
        out[(*place, "#" * seen[place])] = figure
        seen[place] += 1
    return out


def _thing(place: Place) -> Place:
    """What a figure belongs to: an entry of a collection, or a field of the scenario."""
    return place[:1] if place[0] in ("guideline", "prior") or len(place) < 3 else place[:2]


def _standing(figure: FigureRecord | None) -> Standing | None:
    return None if figure is None else (
        figure.status, figure.source, figure.note, figure.formula, figure.searched
    )  # fmt: skip


def _words(side: Side, record: FigureRecord, places: list[Place], was: Standing | None, now: Standing | None) -> str:
    path = tuple(key for _, key in steps(side, record.path))
    what = f"{side.named(path[: len(_thing(places[0]))]).rstrip(':')}: {len(places)} figures"
    what = what if len(places) > 1 else side.named(path).rstrip(":")
    are = "are" if len(places) > 1 else "is"
    if was is None or now is None:
        new, verb = (now, "new") if was is None else (was, "gone")
        return f"{what} {are} {verb}: {_said(new or ('', None, None, None, None))}"
    if was[:3] == now[:3]:
        return f"{what}: {'; '.join(_added(was, now))}"
    if was[:2] == now[:2]:
        note = f"note now says “{now[2]}”" if now[2] else "without its note"
        return f"{what}: {note}{f', before “{was[2]}”' if was[2] else ''}"
    note = f"; note: “{now[2]}”" if now[2] != was[2] and now[2] else ""
    return f"{what} {are} now {_said(now)} instead of {_said(was)}{note}"


def _added(was: Standing, now: Standing) -> Iterator[str]:
    """What became of the formula and of the search."""
    if was[3] != now[3]:
        yield f"computed as “{now[3]}”" if now[3] else f"without its formula “{was[3]}”"
    if was[4] != now[4]:
        yield f"searched: {now[4].in_words}" if now[4] else "without its search"


def _said(standing: Standing) -> str:
    status, source, *_ = standing
    return f"{status} ({source})" if source else status


def _plain(standing: Standing | None) -> Any:
    """As JSON; a formula and a search are left out where there is none."""
    if standing is None:
        return None
    status, source, note, formula, searched = standing
    said: dict[str, Any] = {"status": status, "source": source, "note": note}
    said |= {"formula": formula} if formula else {}
    return said | ({"searched": searched.model_dump(mode="json")} if searched else {})
