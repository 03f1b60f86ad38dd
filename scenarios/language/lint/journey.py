"""Lint rules on the journey: what can be ordered, the guideline, the rewards, and the sign of every figure."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from workup.scenarios.language.amounts import Amount
from workup.scenarios.language.lint.book import Book
from workup.scenarios.language.schema import OPENING, Rule
from workup.scenarios.language.scores import uses
from workup.scenarios.language.vocabulary import CORE_KINDS, LanguageError, SubPath, allowed_statuses, allowed_values

_WORD = re.compile(r"\w+")
_NOT_NEGATIVE = ("cost_gbp", "turnaround", "dose_msv", "discomfort_gbp", "loss_gbp", "waiting_cost_gbp_per_day")


def check_requirements(book: Book) -> None:
    """Prerequisites name facts, and every item can become legal."""
    sound = len(book.faults)
    for item, of in book.items.items():
        for i, group in enumerate(of.requires):
            path = (*book.item_path(item), "requires", i)
            if not group:
                book.add(path, "is empty; name at least one alternative, or remove it")
            if item in group:
                book.add((*path, item), "requires itself; name another item")
            book.clauses(path, group)
    if len(book.faults) == sound:
        _check_reachable(book)


def _check_reachable(book: Book) -> None:
    """Grow the set of items that can become legal until it grows no more; what is left never can."""
    opening, reachable = _opening(book), reachable_items(book)
    tiers = {book.scenario.investigations[name].tier for name in reachable & opening}
    for item in (name for name in book.items if name not in reachable):
        path = book.item_path(item)
        if item in opening or tiers == set(OPENING):
            blocked = [i for i, group in enumerate(book.items[item].requires) if not can_hold(book, group, reachable)]
            wanted = " and ".join(" or ".join(book.items[item].requires[i]) for i in blocked)
            book.add(
                (*path, "requires"),
                f"nobody can ever order it: it waits for {wanted}, which cannot come first; change `requires`",
            )
        else:
            book.add(
                path, "nobody can ever order it: history and examination come first, and one of them cannot be had"
            )


def _opening(book: Book) -> set[str]:
    return {name for name, of in book.scenario.investigations.items() if of.tier in OPENING}


def reachable_items(book: Book) -> set[str]:
    """The items that can become legal."""
    opening = _opening(book)
    reachable = _grow(book, opening, set())
    if {book.scenario.investigations[name].tier for name in reachable} == set(OPENING):
        reachable = _grow(book, set(book.items), reachable)
    return reachable


def _grow(book: Book, candidates: set[str], reachable: set[str]) -> set[str]:
    while True:
        new = {
            name
            for name in candidates - reachable
            if all(can_hold(book, group, reachable) for group in book.items[name].requires)
        }
        if not new:
            return reachable
        reachable = reachable | new


def can_hold(book: Book, group: dict[str, Any], reachable: set[str]) -> bool:
    """Whether a requirement can be met where only `reachable` items can be ordered."""
    return all(
        any(_clause_can_hold(book, name, clause, reachable) for name, clause in plain.items())
        for plain in book.plain(group)
    )


def _clause_can_hold(book: Book, name: str, clause: Any, reachable: set[str]) -> bool:
    try:
        if name in book.items:
            not_done, *ordered = allowed_statuses(clause)
            return not_done or (any(ordered) and name in reachable)
        allowed = allowed_values(book.axes[name], clause)
    except (KeyError, LanguageError):
        return True  # told where it stands
    revealed = name in book.known_at_start or book.revealed_by.get(name) in reachable
    return allowed.unknown or (any(allowed.values) and revealed)


def check_contraindications(book: Book) -> None:
    """Each on one revealable variable, which does not rule out everybody."""
    for item, of in book.items.items():
        for i, contraindication in enumerate(of.contraindicated):
            path = (*book.item_path(item), "contraindicated", i, "when")
            if len(contraindication.when) != 1:
                found = ", ".join(contraindication.when) or "nothing"
                book.add(path, f"names {found}; expected exactly one variable (write one entry for each)")
            for name, clause in contraindication.when.items():
                if book.known((*path, name), name, book.observables(), "variable that can be revealed"):
                    book.truths(path, {name: clause}, (*CORE_KINDS, "finding"))


def check_guideline(book: Book) -> None:
    """Rules do things that exist, and the last always decides; a version changes something and lets the rest through."""
    s = book.scenario
    _check_rules(book, ("guideline",), s.guideline)
    for i, rule in enumerate(s.guideline[:-1]):
        if rule.when == {} and rule.do in s.decisions:
            book.add(("guideline", i), "decides without a `when`, so that no later rule is reached; move it to the end")
    if not s.guideline or s.guideline[-1].when or s.guideline[-1].do not in s.decisions:
        path: SubPath = ("guideline", len(s.guideline) - 1) if s.guideline else ("guideline",)
        book.add(path, "the last rule has no `when` and does a decision, so that the guideline always ends")
    elif s.decisions[s.guideline[-1].do].requires:
        last = s.guideline[-1].do
        book.add(
            ("guideline", len(s.guideline) - 1),
            f"the last rule does {last}, which requires something, so the guideline need not end; do one that requires nothing",
        )
    for name, version in s.guideline_versions.items():
        path = ("guideline_versions", name, "rules")
        _check_rules(book, path, version.rules)
        if not version.rules:
            book.add(path, "changes nothing; write the rules by which it differs from the guideline")
        for i, rule in enumerate(version.rules):
            if rule.when == {} and rule.do in s.decisions:
                book.add((*path, i), "decides without a `when`, so that the guideline is never reached; say when")


def _check_rules(book: Book, path: SubPath, rules: Iterable[Rule]) -> None:
    s = book.scenario
    known = [*book.items, *s.order_sets, *s.decisions, "wait"]
    for i, rule in enumerate(rules):
        book.known((*path, i, "do"), rule.do, known, "item, order set or decision")
        book.clauses((*path, i, "when"), rule.when)
        if rule.even_if_pending and rule.do in known and rule.do not in s.decisions:
            book.add(
                (*path, i, "even_if_pending"),
                f"`even_if_pending` is for a rule that decides, and {rule.do} is no decision; remove it",
            )


def check_rewards(book: Book) -> None:
    """Both presets are there; triage covers every urgency in use; weights are not negative."""
    s = book.scenario
    for preset in ("complex_decision", "triage"):
        if preset not in s.rewards:
            book.add(("rewards",), f"the preset {preset} is missing; add it")
    for name, reward in s.rewards.items():
        path: SubPath = ("rewards", name)
        for part in ("cost", "harm", "delay", "utility"):
            if part not in reward.weights:
                book.add((*path, "weights"), f"no weight for {part}; write it (1 leaves it as it is)")
        for part, weight in reward.weights.items():
            if weight < 0:
                book.add((*path, "weights", part), f"found {weight:g}; a weight is 0 or more")
        if reward.urgency_utility_gbp is not None:
            _check_urgencies(book, (*path, "urgency_utility_gbp"), reward.urgency_utility_gbp)
        elif name == "triage":
            book.add(path, "triage needs `urgency_utility_gbp: {urgency decided: {urgency of the condition: pounds}}`")


def _check_urgencies(book: Book, path: SubPath, table: Any) -> None:
    decided = dict.fromkeys(decision.urgency for decision in book.scenario.decisions.values())
    needed = dict.fromkeys(condition.urgency for condition in book.scenario.conditions.values())
    for urgency in decided:
        if urgency not in table:
            book.add(path, f"no row for decisions that are {urgency}; add it")
        for of_condition in needed:
            if urgency in table and of_condition not in table[urgency]:
                book.add((*path, urgency), f"nothing for conditions that are {of_condition}; add it")


def check_signs(book: Book) -> None:
    """Costs, losses, doses and times are not negative; rates and exchange rates are positive."""
    s = book.scenario
    for item, of in book.items.items():
        path = book.item_path(item)
        _not_negative(book, path, of)
        for name, complication in of.complications.items():
            _not_negative(book, (*path, "complications", name), complication)
        if of.incidental is not None:
            _not_negative(book, (*path, "incidental"), of.incidental)
        for i, contraindication in enumerate(of.contraindicated):
            _not_negative(book, (*path, "contraindicated", i), contraindication)
    for name, act in s.acts.items():
        for key in ("waiting_factor", "progression_factor"):
            for condition, factor in getattr(act, key).items():
                if factor < 0:
                    book.add(("acts", name, key, condition), f"found {factor:g}; a factor is 0 or more (1: no effect)")
    for name, set_up in s.set_ups.items():
        _not_negative(book, ("set_ups", name), set_up)
    for name, condition in s.conditions.items():
        _not_negative(book, ("conditions", name), condition)
        if condition.progression is not None and condition.progression.median_time <= 0:
            book.add(("conditions", name, "progression", "median_time"), "found no time; write for example '60 days'")
    for path, number in ((("loss_gbp_per_msv",), s.loss_gbp_per_msv), (("new_visit_after",), s.new_visit_after)):
        if not isinstance(number, Amount) and number < 0:
            book.add(path, f"found {number:g}; expected 0 or more")
    for path, number in ((("utility", "gbp_per_qaly"), s.utility.gbp_per_qaly), (("max_steps",), s.max_steps)):
        if number <= 0:
            book.add(path, f"found {number:g}; expected more than 0")


def _not_negative(book: Book, path: SubPath, of: Any) -> None:
    for key in _NOT_NEGATIVE:
        number = getattr(of, key, 0.0)
        if not isinstance(number, Amount) and number < 0:
            book.add((*path, key), f"found {number:g}; expected 0 or more (costs and losses are written as positive)")


def warnings(book: Book) -> tuple[str, ...]:
    """What is allowed but looks like an oversight: things defined and never used."""
    s = book.scenario
    used_set_ups = {of.set_up for of in book.items.values()}
    used_resources = {of.uses for of in book.items.values()}
    found = [f"set_ups.{name} is used by no item" for name in s.set_ups if name not in used_set_ups]
    found += [f"resources.{name} is used by no item" for name in s.resources if name not in used_resources]
    cited = {word for figure in s.figures for word in _WORD.findall(f"{figure.source or ''} {figure.note or ''}")}
    found += [f"sources.{name} is cited by no figure" for name in s.sources if name not in cited]
    failing = {name for of in s.availability.values() if of.kind in ("fails", "unobtainable") for name in of.affects}
    found += [
        f"{'.'.join(map(str, book.item_path(item)))} may be tried {of.attempts} times, but nothing makes it fail"
        for item, of in book.items.items()
        if of.attempts > 1 and item not in failing
    ]
    found += [f"scores.{name} is used by no `when` and no `requires`" for name in s.scores if not uses(s, name)]
    ruled = {rule.do for rule in s.guideline}
    found += [f"decisions.{name} is never made by the guideline" for name in s.decisions if name not in ruled]
    return tuple(found)
