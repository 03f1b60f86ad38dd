"""What one difference between two scenarios is in words: 'CT of the chest: costs £140 → £160'."""

from __future__ import annotations

from typing import Any

from workup.scenarios.language.amounts import Amount
from workup.scenarios.language.schema import Expectation
from workup.scenarios.language.words.laws import Laws
from workup.scenarios.language.words.phrases import WITHOUT_WAITING
from workup.scenarios.language.words.place_values import figure, said
from workup.scenarios.language.words.places import ABSENT, THINGS, Path, Side, law_at
from workup.scenarios.language.words.scores import part_rows, points_in_words
from workup.wording import listed, plain

SETS = {
    "reveals": ("also shows", "no longer shows"),
    "members": ("also orders", "no longer orders"),
    "affects": ("also affects", "no longer affects"),
    "when_decided": ("is also paid after", "is no longer paid after"),
    "right_for": ("is also right for", "is no longer right for"),
    "decide": ("may also end with", "may no longer end with"),
    "must": ("must also do", "need no longer do"),
    "must_not": ("must also not do", "may now do"),
    "one_of": ("may also do", "no longer counts"),
    "authors": ("is also by", "is no longer by"),
    "groups": ("now has", "no longer has"),
}
"""Lists in which order says nothing: words for what came and for what went."""


def texts(before: Side, after: Side, place: Path, path: Path, was: Any, now: Any) -> str:
    """The sentence for one difference.

    Args:
        before: the earlier scenario.
        after: the later one.
        place: where it stands in the earlier.
        path: where it stands in the later, or in the earlier if it is gone.
        was: as plain data; ABSENT if there was nothing.
        now: likewise.
    """
    if path[-1:] != () and _is_thing(path):
        return _thing(before, after, path, was, now)
    if isinstance(path[-1], int) and path[-2] in ("guideline", "rules"):
        return _rule(before, after, place, path, was, now)
    side, at = (before, place) if now is ABSENT else (after, path)
    subject = side.subject(at)[0]
    last = next(part for part in reversed(path) if not isinstance(part, int))
    if last in SETS or path[0] == "groups":
        words = SETS.get(str(last), SETS["groups"])
        return f"{subject}: {_came_and_went(before, after, was, now, words)}"
    if last == "label" and ABSENT not in (was, now):
        return f"{before.subject(place)[0]}: is now called “{now}”"
    what = side.named(at)
    told = [
        _entry(one, str(last), value) if isinstance(path[-1], int) else said(one, path, value)
        for one, value in ((before, was), (after, now))
    ]
    if isinstance(path[-1], int) and ABSENT in (was, now):
        return f"{what.rstrip(':')}: {'now also' if was is ABSENT else 'no longer'} {told[was is ABSENT]}"
    if told[0] == told[1]:
        told = [repr(was), repr(now)]
    if ABSENT in (was, now) and law_at(path):
        return f"{what} {told[1]} (new)" if was is ABSENT else f"{what} {told[0]} (no longer said)"
    return f"{what} {told[0]} → {told[1]}"


def _is_thing(path: Path) -> bool:
    return (len(path) == 2 and path[0] in THINGS) or path[2:-1] in (("complications",), ("worth", "complications"))


def _thing(before: Side, after: Side, path: Path, was: Any, now: Any) -> str:
    kind, name = THINGS[str(path[-2])], str(path[-1])
    owner = f"{after.subject(path[:2])[0]}: " if len(path) > 2 else ""
    if path[0] in ("groups", "resources") and ABSENT not in (was, now):
        subject = after.subject(path)[0]
        words = _came_and_went(before, after, was, now, SETS["groups"]) if path[0] == "groups" else f"{was} → {now}"
        return f"{subject}: {words}"
    side, verb = (after, "New") if was is ABSENT else (before, "Removed")
    said = side.called(str(path[-2]), name)
    of = now if was is ABSENT else was
    said = said[len(kind) + 1 :] if said.lower().startswith(f"{kind} ") else said
    text = f"{owner}{verb} {kind}: {said}" if not owner else f"{owner}{verb.lower()} {kind}: {said}"
    return f"{text} ({_in_short(side, of)})" if _in_short(side, of) else text


def _in_short(side: Side, of: Any) -> str:
    """What makes a new or removed thing recognisable."""
    if isinstance(of, str):
        return of
    if isinstance(of, list):
        return side.phrases.labels_of(of)
    if "cite" in of:
        return f"{of['cite'].strip()}{'' if of['seen'] else '; not read by the authors'}"
    parts = [str(of[key]) for key in ("tier", "urgency", "kind") if of.get(key)]
    parts += [figure(key, of[key]) for key in ("cost_gbp", "turnaround", "dose_msv") if of.get(key)]
    parts += [_money(side, of["loss_gbp"])] if of.get("loss_gbp") else []
    parts += [f"shows {side.phrases.labels_of(of['reveals'])}"] if of.get("reveals") else []
    parts += [side.phrases.labels_of(of["members"])] if of.get("members") else []
    return "; ".join(parts or [of["why"]] if of.get("why") else parts)


def _rule(before: Side, after: Side, place: Path, path: Path, was: Any, now: Any) -> str:
    number = int(path[-1]) + 1
    subject = (before if now is ABSENT else after).subject(path)[0]
    book = "the guideline" if path[0] == "guideline" else f"{subject[:1].lower()}{subject[1:]}"
    if now is ABSENT:
        return f"Rule {number} of {book} is gone: {_said_rule(before, was)}"
    if was is ABSENT:
        return f"New rule {number} of {book}: {_said_rule(after, now)}"
    moved = f" (before: {int(place[-1]) + 1})" if place != path else ""
    return f"Rule {number}{moved} of {book} now says: {_said_rule(after, now)}; before: {_said_rule(before, was)}"


def _said_rule(side: Side, rule: Any) -> str:
    when = f"if {side.phrases.when(rule['when'])}: " if rule["when"] else ""
    do = "wait for results" if rule["do"] == "wait" else side.phrases.label(rule["do"])
    at_once = f", {WITHOUT_WAITING}" if rule["even_if_pending"] else ""
    return f"{when}{do}{at_once} ({rule['why']})"


def _came_and_went(before: Side, after: Side, was: Any, now: Any, words: tuple[str, str]) -> str:
    old, new = (value if isinstance(value, list) else [] for value in (was, now))
    came, went = [name for name in new if name not in old], [name for name in old if name not in new]
    said = [f"{words[0]} {after.phrases.labels_of(came)}"] if came else []
    said += [f"{words[1]} {before.phrases.labels_of(went)}"] if went else []
    return "; ".join(said) or f"{listed(map(str, old))} → {listed(map(str, new))}"


def _entry(side: Side, field: str, value: Any) -> str:
    """An entry of a list of mappings as words."""
    if value is ABSENT:
        return "nothing"
    if field == "requires":
        return f"only once {side.phrases.when(value, 'or')}"
    if field == "expect":
        return side.phrases.expectation(Expectation.model_construct(**value)).rstrip(".")
    if field == "contraindicated":
        return f"not if {side.phrases.when(value['when'])}: {value['why']} ({_money(side, value['loss_gbp'])})"
    if field == "points":
        return listed(f"{points_in_words(points)} if {what}" for what, points in part_rows(value, side.phrases))
    if field == "modifiers":
        odds = value["odds"]
        factors = odds if isinstance(odds, dict) else {"": odds}
        shown = listed(f"{side.phrases.label(name)} × {of:.10g}".strip() for name, of in factors.items())
        return f"odds {shown} where {side.phrases.when(value['when'])}"
    return ", ".join(f"{plain(key)} {of}" for key, of in value.items())


def _money(side: Side, value: Any) -> str:
    return Laws(side.scenario).money(Amount(**value) if isinstance(value, dict) else value)
