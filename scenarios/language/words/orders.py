"""What can be asked, examined, ordered and done in a scenario, and what goes wrong with it, in words."""

from __future__ import annotations

from collections.abc import Iterator

from workup.scenarios.language.amounts import Amount
from workup.scenarios.language.schema import Act, Orderable
from workup.scenarios.language.words.laws import Laws
from workup.wording import listed, pounds_exact, time_in_words

_STRIKES = {
    "fails": "gives no result",
    "unobtainable": "cannot be had",
    "withheld": "is not reported",
    "corrupted": "is reported wrongly",
}


def orders(laws: Laws) -> Iterator[str]:
    """Every test, act and order set: price, what it shows, when it is allowed, harm."""
    s, phrases = laws.scenario, laws.phrases
    yield from ("## What can be asked, examined and ordered", "")
    for tier in dict.fromkeys(of.tier for of in s.investigations.values()):
        yield from (f"### {tier.capitalize()}", "")
        for name, of in s.investigations.items():
            if of.tier == tier:
                yield from _item(laws, name, of)
        yield ""
    if s.acts:
        yield from ("### Acts that do not end the journey", "")
        for name, act in s.acts.items():
            yield from _item(laws, name, act)
            yield from (f"  - {text}" for text in effects(laws, act))
        yield ""
    if s.order_sets:
        yield from ("### Ordered together", "")
    for order_set in s.order_sets.values():
        yield f"- *{order_set.label}*: {phrases.labels_of(order_set.members)}"
    yield ""


def takes(laws: Laws, of: Orderable) -> list[str]:
    """What an item costs in money, time, dose and discomfort, a phrase each."""
    s = laws.scenario
    out = [pounds_exact(of.cost_gbp), f"result in {time_in_words(of.turnaround)}" if of.turnaround else "at once"]
    out += [f"{of.dose_msv:g} mSv"] if of.dose_msv else []
    out += [f"discomfort worth {pounds_exact(of.discomfort_gbp)}"] if of.discomfort_gbp else []
    if of.set_up is not None:
        shared = s.set_ups[of.set_up]
        out.append(f"shares “{shared.label}” ({pounds_exact(shared.cost_gbp)})")
    out += [f"uses the {s.resources[of.uses]}"] if of.uses is not None else []
    out += [f"may be tried {of.attempts} times"] if of.attempts > 1 else []
    return out


def rules_of(laws: Laws, of: Orderable) -> list[str]:
    """When an item is allowed and when not, a phrase each."""
    phrases = laws.phrases
    out = [f"only once {phrases.when(group, 'or')}" for group in of.requires]
    for each in of.contraindicated:
        loss, unknowingly = laws.money(each.loss_gbp), "if done unknowingly"
        told = f"{unknowingly}: {loss}" if isinstance(each.loss_gbp, Amount) else f"{loss} {unknowingly}"
        only_forbids = each.loss_gbp == 0.0
        out.append(f"not if {phrases.when(each.when)}: {each.why.rstrip('.')}{'' if only_forbids else f' ({told})'}")
    return out


def harms(laws: Laws, name: str, of: Orderable) -> list[str]:
    """Complications, what is found by chance, and who refuses, a phrase each."""
    out = []
    for key, complication in of.complications.items():
        major = "major complication" if complication.major else "complication"
        chance = laws.chance(laws.tables.complication(name, key))
        out.append(f"{major}: {complication.label}, in {chance}; a loss of {laws.money(complication.loss_gbp)}")
    if of.incidental is not None:
        chance = laws.chance(laws.tables.incidental(name))
        follow = (
            f"follow-up costs {pounds_exact(of.incidental.cost_gbp)} and harms by {laws.money(of.incidental.loss_gbp)}"
        )
        out.append(f"found by chance: {of.incidental.label}, in {chance}; {follow}")
    if of.refusable is not None and of.refusable.when is not None:
        out.append(f"refused by patients for whom {laws.phrases.when(of.refusable.when)}")
    elif of.refusable is not None:
        out.append(f"refused by {laws.chance(laws.tables.refusal(name))}")
    return out


def _item(laws: Laws, name: str, of: Orderable) -> Iterator[str]:
    shown = [found for found in of.reveals if found not in laws.scenario.findings]
    yield f"- **{of.label}** ({'; '.join(takes(laws, of))})"
    yield from (
        f"  - shows {laws.scenario.findings[f].label}: {laws.variable(f)}" for f in of.reveals if f not in shown
    )
    if shown:
        yield f"  - tells of {laws.phrases.labels_of(shown)} (see the patient)"
    yield from (f"  - {text}" for text in (*rules_of(laws, of), *harms(laws, name, of)))


def effects(laws: Laws, act: Act) -> list[str]:
    """What an act is worth and changes, by condition, a phrase each."""
    label = laws.phrases.brief
    out = [f"worth {pounds_exact(amount)} if the cause is {label(name)}" for name, amount in act.benefit_gbp.items()]
    if act.benefit is not None:
        ends = laws.phrases.labels_of(act.benefit.when_decided, "or")
        out.append(f"{f'if the journey ends with {ends}, ' if ends else ''}worth {laws.money(act.benefit)}")
    for name, factor in act.waiting_factor.items():
        out.append(f"from then on waiting with {label(name)} costs {factor:g} times as much")
    for name, factor in act.progression_factor.items():
        out.append(f"from then on {label(name)} progresses {factor:g} times as fast")
    return out


def availability(laws: Laws) -> Iterator[str]:
    """Why results are missing or wrong, and how often."""
    s = laws.scenario
    if s.availability:
        yield from ("## When a result is not to be had", "")
    for name, mechanism in s.availability.items():
        chance = laws.chance(laws.tables.mechanism(name))
        free = "" if mechanism.charged else " (not paid for)"
        yield f"- {laws.phrases.labels_of(mechanism.affects)} {_STRIKES[mechanism.kind]} in {chance}{free}: {mechanism.why}"
        if mechanism.reported is not None:
            yield from (f"  - {line}" for line in _reported(laws, name, mechanism.affects))
    if s.availability:
        yield ""


def _reported(laws: Laws, mechanism: str, affected: tuple[str, ...]) -> Iterator[str]:
    """What a wrong report says instead."""
    for finding in affected:
        table, values = laws.tables.reported(mechanism, finding), laws.tables.axes[finding].values
        say = [laws.phrases.value(value, finding) for value in values]
        for true, row in zip(say, table, strict=True):
            instead = [(p, word) for p, word in zip(row, say, strict=True) if p > 0]
            told = instead[0][1] if len(instead) == 1 else listed(f"{word} in {100 * p:.3g}%" for p, word in instead)
            yield f"in place of {true} it says {told}"
