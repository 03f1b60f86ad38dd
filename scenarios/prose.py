"""A scenario in plain words, for the clinician who is to judge it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any, get_args

import numpy as np

from workup.scenarios.lint import warnings
from workup.scenarios.phrases import Phrases, listed, percent, time_in_words
from workup.scenarios.schema import Ceilings, Orderable, Rule, Scenario, Status, Variable, Vignette
from workup.scenarios.signatures import standing_of
from workup.scenarios.tables import Table, Tables

DISCLAIMER = "For research and education only. Every patient is synthetic; never use it for the care of a person."


def shares(scenario: Scenario) -> dict[Status, float]:
    """Share of the scenario's figures with each status, in [0, 1]; they sum to 1 (all 0 if it has no figures)."""
    counts = Counter(figure.status for figure in scenario.figures)
    total = max(len(scenario.figures), 1)
    return {status: counts[status] / total for status in get_args(Status)}


def explain(scenario: Scenario) -> str:
    """The whole scenario as Markdown: who wrote it, how far to trust it, and everything it claims."""
    phrases = Phrases(scenario)
    sections = (
        _head(scenario),
        _patient(scenario, phrases),
        _items(scenario, phrases),
        _availability(scenario, phrases),
        _decisions(scenario, phrases),
        _guideline(scenario, phrases),
        _vignettes(scenario, phrases),
        _targets(scenario, phrases),
        _sources(scenario),
    )
    return "\n".join(line for section in sections for line in section).rstrip() + "\n"


def share_line(scenario: Scenario) -> str:
    """'Of its 120 figures, 5% seen, ...': how far they can be trusted."""
    share = listed(f"{percent(part)} {status}" for status, part in shares(scenario).items())
    return f"Of its {len(scenario.figures)} figures, {share}"


def _head(s: Scenario) -> Iterator[str]:
    status = standing_of(s).words
    yield from (f"# {s.title}", "", f"**{status[0].upper()}{status[1:]}.** {DISCLAIMER}", "", s.about.strip(), "")
    yield f"- Scenario `{s.id}`, version {s.version}, digest `{s.digest}`"
    yield f"- Written by {listed(s.who.authors)}; setting: {s.who.setting}"
    yield f"- Guideline: {s.who.guideline.name} ({s.who.guideline.version})"
    yield f"- Prices in {s.who.currency} of {s.who.price_year}"
    yield f"- {share_line(s)}"
    for warning in warnings(s):
        yield f"- **Look again:** {warning}"
    yield ""


def _patient(s: Scenario, phrases: Phrases) -> Iterator[str]:
    tables = Tables(s)
    yield from ("## The patient", "")
    for name, of in s.context.items():
        when = "known at the start" if of.known == "at_start" else "known once asked"
        yield f"- {of.label} ({when}): {_law(tables, name, of, phrases)}"
    yield from ("", "One principal cause:", "")
    prior = tables.variable("condition")
    for i, condition in enumerate(s.conditions.values()):
        low, high = float(prior.values[..., i].min()), float(prior.values[..., i].max())
        chance = percent(low) if np.isclose(low, high) else f"{percent(low)} to {percent(high)}"
        waiting = f"each day of waiting costs £{condition.waiting_cost_gbp_per_day:g}"
        text = f"- {condition.label}: {chance}; {condition.urgency}; {waiting}"
        if condition.progression is not None:
            to, after = phrases.label(condition.progression.to), time_in_words(condition.progression.median_time)
            text += f"; half of those untreated become {to} within {after}"
        yield text
    if prior.parents:
        yield from ("", f"The chances depend on {phrases.labels_of(prior.parents)}.")
    for title, group in (("Comorbidities", s.comorbidities), ("Hidden, shared by several tests", s.latent)):
        if group:
            yield from ("", f"{title}:", "", *_variables(group, tables, phrases))
    yield ""


def _variables(group: dict[str, Variable], tables: Tables, phrases: Phrases) -> Iterator[str]:
    for name, of in group.items():
        yield f"- {of.label}: {_law(tables, name, of, phrases)}"


def _law(tables: Tables, name: str, of: Variable, phrases: Phrases) -> str:
    table, axis = tables.variable(name), tables.axes[name]
    unit = f" {of.unit}" if of.unit else ""
    if of.law is not None:
        bands = listed(f"{word} {span[0]:g} to {span[1]:g}" for word, span in (of.bands or {}).items() if span)
        given = f"; depends on {phrases.labels_of(table.parents)}" if table.parents else ""
        return f"a number{unit}, {bands}{given}"
    words = [_value(word, of, unit) for word in axis.values]
    if not table.parents:
        return listed(f"{word} {percent(p)}" for word, p in zip(words, table.values, strict=True))
    return f"{listed(words, 'or')}; {_by_first_parent(table, axis.values, tables, phrases)}"


def _value(word: str, of: Variable, unit: str) -> str:
    span = (of.bands or {}).get(word)
    return f"{word.replace('_', ' ')} ({span[0]:g} to {span[1]:g}{unit})" if span else word.replace("_", " ")


def _by_first_parent(table: Table, values: tuple[str, ...], tables: Tables, phrases: Phrases) -> str:
    """Probabilities by a single parent for a yes/no variable; otherwise only what the law depends on."""
    if len(table.parents) > 1 or len(values) != 2:
        return f"depends on {phrases.labels_of(table.parents)}"
    parent, value = tables.axes[table.parents[0]], values[-1].replace("_", " ")
    chance = [(word, float(p)) for word, p in zip(parent.values, table.values[:, -1], strict=True)]
    if parent.values == ("no", "yes"):
        without, having = (percent(p) for _, p in chance)
        return f"{value} in {having} with {phrases.label(parent.name)}, in {without} without"
    groups: dict[float, list[str]] = {}
    for word, p in chance:
        groups.setdefault(p, []).append(phrases.value(word, parent.name))
    rest = max(groups, key=lambda p: len(groups[p]))
    parts = [f"{percent(p)} if {listed(words, 'or')}" for p, words in groups.items() if p != rest or len(words) < 4]
    shown = "; ".join(parts + [f"{percent(rest)} otherwise"] * (len(groups[rest]) >= 4))
    return f"{value} in {shown}{'' if parent.name == 'condition' else f' (by {phrases.label(parent.name)})'}"


def _items(s: Scenario, phrases: Phrases) -> Iterator[str]:
    tables = Tables(s)
    tiers = dict.fromkeys(of.tier for of in s.investigations.values())
    yield from ("## What can be asked, examined and ordered", "")
    for tier in tiers:
        yield from (f"### {tier.capitalize()}", "")
        for name, of in s.investigations.items():
            if of.tier == tier:
                yield from _item(s, name, of, tables, phrases)
        yield ""
    if s.acts:
        yield from ("### Acts that do not end the journey", "")
        for name, act in s.acts.items():
            yield from _item(s, name, act, tables, phrases)
            for condition, pounds in act.benefit_gbp.items():
                yield f"  - worth £{pounds:g} if the cause is {phrases.label(condition)}"
            for key, what in (
                ("waiting_factor", "the cost of waiting"),
                ("progression_factor", "the rate of progression"),
            ):
                for condition, factor in getattr(act, key).items():
                    yield f"  - multiplies {what} of {phrases.label(condition)} by {factor:g}"
        yield ""
    for order_set in s.order_sets.values():
        yield f"- Together as *{order_set.label}*: {phrases.labels_of(order_set.members)}"
    yield ""


def _item(s: Scenario, name: str, of: Orderable, tables: Tables, phrases: Phrases) -> Iterator[str]:
    price = [f"£{of.cost_gbp:g}", f"result in {time_in_words(of.turnaround)}" if of.turnaround else "at once"]
    if of.dose_msv:
        price.append(f"{of.dose_msv:g} mSv")
    if of.discomfort_gbp:
        price.append(f"discomfort worth £{of.discomfort_gbp:g}")
    if of.set_up is not None:
        price.append(f"shares {s.set_ups[of.set_up].label.lower()} (£{s.set_ups[of.set_up].cost_gbp:g})")
    if of.uses is not None:
        price.append(f"uses the {s.resources[of.uses]}")
    if of.attempts > 1:
        price.append(f"may be tried {of.attempts} times")
    yield f"- **{of.label}** ({', '.join(price)})" + (f" shows {phrases.labels_of(of.reveals)}" if of.reveals else "")
    for found in of.reveals:
        if found in s.findings:
            yield f"  - {s.findings[found].label}: {_law(tables, found, s.findings[found], phrases)}"
    for group in of.requires:
        yield f"  - only once {phrases.when(group, 'or')}"
    for contraindication in of.contraindicated:
        loss = f"£{contraindication.loss_gbp:g} if done unknowingly"
        yield f"  - not if {phrases.when(contraindication.when)}: {contraindication.why} ({loss})"
    yield from _risks(name, of, tables, phrases)


def _risks(name: str, of: Orderable, tables: Tables, phrases: Phrases) -> Iterator[str]:
    for key, complication in of.complications.items():
        major = "major complication" if complication.major else "complication"
        chance = _range(tables.complication(name, key), phrases)
        yield f"  - {major}: {complication.label}, {chance}, a loss of £{complication.loss_gbp:g}"
    if of.incidental is not None:
        chance = _range(tables.incidental(name), phrases)
        follow = f"follow-up costs £{of.incidental.cost_gbp:g} and harms by £{of.incidental.loss_gbp:g}"
        yield f"  - by chance finds {of.incidental.label.lower()}, {chance}; {follow}"
    if of.refusable is not None:
        who = phrases.when(of.refusable.when) if of.refusable.when is not None else ""
        yield (
            f"  - refused by patients for whom {who}"
            if who
            else f"  - refused by {_range(tables.refusal(name), phrases)}"
        )


def _range(table: Table, phrases: Phrases) -> str:
    low, high = float(table.values.min()), float(table.values.max())
    chance = percent(low) if np.isclose(low, high) else f"{percent(low)} to {percent(high)}"
    return f"{chance} by {phrases.labels_of(table.parents)}" if table.parents else chance


def _availability(s: Scenario, phrases: Phrases) -> Iterator[str]:
    if not s.availability:
        return
    tables = Tables(s)
    yield from ("## When a result is not to be had", "")
    what = {
        "fails": "fails",
        "unobtainable": "cannot be had",
        "withheld": "is not reported",
        "corrupted": "is reported wrongly",
    }
    for name, mechanism in s.availability.items():
        chance = _range(tables.mechanism(name), phrases)
        free = "" if mechanism.charged else ", free of charge"
        yield f"- {phrases.labels_of(mechanism.affects)} {what[mechanism.kind]} in {chance}{free}: {mechanism.why}"
    yield ""


def _decisions(s: Scenario, phrases: Phrases) -> Iterator[str]:
    unit = "QALY" if s.utility.unit == "qaly" else "pounds"
    yield from ("## How it can end", "", f"Worth in {unit}; one QALY counts £{s.utility.gbp_per_qaly:,.0f}.", "")
    tables = Tables(s)
    for name, decision in s.decisions.items():
        right = phrases.labels_of(decision.right_for)
        head = f"- **{decision.label}** ({decision.kind}, {decision.urgency}), right for {right}"
        yield f"{head}: {_worth(tables, name, phrases)}"
    yield ""
    for name, reward in s.rewards.items():
        weights = listed(f"{part} × {weight:g}" for part, weight in reward.weights.items())
        yield f"- Reward preset `{name}`: {reward.label} ({weights})"
    yield ""


def _worth(tables: Tables, name: str, phrases: Phrases) -> str:
    table = tables.utility(name)
    if "condition" not in table.parents:
        return f"{float(table.values.min()):g} to {float(table.values.max()):g}"
    rows = np.moveaxis(table.values, table.parents.index("condition"), 0).reshape(
        len(tables.axes["condition"].values), -1
    )
    spans: dict[str, list[str]] = {}
    for condition, row in zip(tables.axes["condition"].values, rows, strict=True):
        span = f"{row.min():g}" if row.min() == row.max() else f"{row.min():g} to {row.max():g}"
        spans.setdefault(span, []).append(phrases.label(condition))
    rest = max(spans, key=lambda span: len(spans[span]))
    parts = [f"{listed(names)} {span}" for span, names in spans.items() if span != rest or len(names) < 4]
    parts += [f"otherwise {rest}"] * (len(spans[rest]) >= 4)
    others = [parent for parent in table.parents if parent != "condition"]
    return "; ".join(parts) + (f" (depends on {phrases.labels_of(others)})" if others else "")


def _guideline(s: Scenario, phrases: Phrases) -> Iterator[str]:
    yield from (f"## The guideline ({s.who.guideline.name})", "", "The first rule that holds and can be done:", "")
    yield from _rules(s.guideline, phrases, last="otherwise: ")
    yield ""
    for name, version in s.guideline_versions.items():
        yield from (f"Version `{name}`, {version.label}, puts before these:", "")
        yield from _rules(version.rules, phrases)
        yield ""


def _rules(rules: tuple[Rule, ...], phrases: Phrases, *, last: str = "") -> Iterator[str]:
    for i, rule in enumerate(rules, start=1):
        when = f"if {phrases.when(rule.when)}: " if rule.when else last if i == len(rules) else ""
        yield f"{i}. {when}**{phrases.label(rule.do)}**. {rule.why}."


def _vignettes(s: Scenario, phrases: Phrases) -> Iterator[str]:
    if s.vignettes:
        yield from ("## Patients to test a policy on", "")
    for name, vignette in s.vignettes.items():
        yield from (f"### {vignette.title} (`{name}`)", "", vignette.story.strip(), "")
        yield f"In truth: {phrases.label(vignette.condition)}. Stated: {_stated(vignette, phrases)}."
        yield from ("", "The policy", "")
        yield from (f"- {phrases.expectation(expectation)}" for expectation in vignette.expect)
        yield f"- must end with {phrases.labels_of(vignette.decide, 'or')}."
        yield from (f"- {line}" for line in _ceilings(vignette.ceilings, phrases))
        yield from ("", f"Why: {vignette.why}", "")


def _stated(vignette: Vignette, phrases: Phrases) -> str:
    facts: dict[str, Any] = vignette.context | vignette.findings
    return (
        "; ".join(f"{phrases.label(name)} {str(fact).replace('_', ' ')}" for name, fact in facts.items()) or "nothing"
    )


def _ceilings(ceilings: Ceilings, phrases: Phrases) -> Iterator[str]:
    if ceilings.tests is not None:
        yield (
            "must order no tests after examination."
            if ceilings.tests == 0
            else f"may order {ceilings.tests} tests at most."
        )
    for number, text in (
        (ceilings.cost_gbp, "may spend £{:g} at most."),
        (ceilings.dose_msv, "may give {:g} mSv at most."),
        (ceilings.harm_gbp, "may do harm worth £{:g} at most."),
    ):
        if number is not None:
            yield text.format(number)
    for name, risk in ceilings.risk.items():
        yield f"may run a risk of {phrases.label(name).lower()} of {percent(risk)} at most."


def _targets(s: Scenario, phrases: Phrases) -> Iterator[str]:
    if s.targets:
        yield from ("## Published figures the model must reproduce", "")
    for target in s.targets.values():
        of = f" of {phrases.when(target.of)}" if target.of else ""
        among = f" among {phrases.when(target.among)}" if target.among else ""
        against = f" against {phrases.when(target.against)}" if target.against else ""
        measure = target.measure.replace("_", " ").capitalize()
        why = f": {target.why}" if target.why else ""
        yield f"- {measure}{of}{among}{against}: {target.value:g} ± {target.tolerance:g}{why}"
    if s.targets:
        yield ""


def _sources(s: Scenario) -> Iterator[str]:
    if s.sources:
        yield from ("## Sources", "")
    for name, source in s.sources.items():
        read = "read" if source.seen else "not read by the authors"
        yield f"- {name}: {source.cite.strip()}{f' <{source.url}>' if source.url else ''} ({read})"
