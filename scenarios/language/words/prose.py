"""A scenario in plain words, for the clinician who is to judge it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from typing import Any, get_args

from workup.scenarios.language.authorship import Status
from workup.scenarios.language.lint.lint import warnings
from workup.scenarios.language.reading.signatures import standing_of
from workup.scenarios.language.schema import Ceilings, Rule, Scenario, Target, Variable, Vignette
from workup.scenarios.language.words.laws import Laws
from workup.scenarios.language.words.orders import availability, orders
from workup.scenarios.language.words.phrases import WITHOUT_WAITING, Phrases, unit
from workup.scenarios.language.words.scores import scores
from workup.scenarios.language.words.worth import share_line as worth_share_line
from workup.scenarios.language.words.worth import taken, unit_lines
from workup.wording import chance_in_words, listed, plain, pounds_exact, sentence, time_in_words

DISCLAIMER = "For research and education only. Every patient is synthetic; never use it for the care of a person."
_TAG = re.compile(r"<(?=[A-Za-z/!?])(?!https?://[^\s<>]+>)")
"""Where HTML would begin; a link in angle brackets is none."""
_SMALL = 0.001
"""Shares of a condition below this are told by their limit."""
_MANY_WAYS = 3
"""More ways than these in which a rule may hold are listed beneath it."""


def shares(scenario: Scenario) -> dict[Status, float]:
    """Share of the scenario's figures with each status, in [0, 1]; they sum to 1 (all 0 if it has no figures)."""
    counts = Counter(figure.status for figure in scenario.figures)
    total = max(len(scenario.figures), 1)
    return {status: counts[status] / total for status in get_args(Status)}


def explain(scenario: Scenario) -> str:
    """The whole scenario as Markdown: who wrote it, how far to trust it, and everything it claims.

    HTML in its texts is escaped, so that it stays text wherever the Markdown is shown.
    """
    text = "\n".join(line for section in sections(scenario).values() for line in section).rstrip() + "\n"
    return _TAG.sub("&lt;", text)


def sections(scenario: Scenario) -> dict[str, list[str]]:
    """The lines of `explain` by section; a section of which the scenario says nothing has none."""
    laws = Laws(scenario)
    phrases = laws.phrases
    parts: dict[str, Iterator[str]] = {
        "head": _head(scenario),
        "patient": _patient(laws),
        "orders": orders(laws),
        "availability": availability(laws),
        "scores": scores(phrases),
        "decisions": _decisions(laws),
        "guideline": _guideline(scenario, phrases),
        "vignettes": _vignettes(scenario, phrases),
        "targets": _targets(scenario, phrases),
        "sources": _sources(scenario),
    }
    return {name: list(lines) for name, lines in parts.items()}


def share_line(scenario: Scenario) -> str:
    """'Of its 120 figures, 5% seen, ...': how far they can be trusted."""
    share = listed(f"{chance_in_words(part)} {status}" for status, part in shares(scenario).items())
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


def _patient(laws: Laws) -> Iterator[str]:
    s, phrases = laws.scenario, laws.phrases
    yield from ("## The patient", "")
    for name, of in s.context.items():
        when = "known at the start" if of.known == "at_start" else "known once asked"
        yield f"- {of.label} ({when}): {laws.variable(name)}"
    yield from ("", "One principal cause:", "")
    prior = laws.tables.variable("condition")
    for i, condition in enumerate(s.conditions.values()):
        low, high = (_share(float(end)) for end in (prior.values[..., i].min(), prior.values[..., i].max()))
        waiting = f"each day of waiting costs {laws.money(condition.waiting_cost_gbp_per_day)}"
        text = f"- {condition.label}: {low if low == high else f'{low} to {high}'}; {condition.urgency}; {waiting}"
        if condition.progression is not None:
            to, after = phrases.brief(condition.progression.to), time_in_words(condition.progression.median_time)
            text += f"; untreated, half turn into {to} within {after}"
        yield text
    if prior.parents:
        yield from ("", f"The chances depend on {phrases.labels_of(prior.parents)}.")
    if s.groups:
        yield from ("", "Spoken of together:", "")
    for group, members in s.groups.items():
        yield f"- {phrases.label(group)}: {phrases.labels_of(members)}"
    for title, variables in (("Comorbidities", s.comorbidities), ("Hidden, shared by several tests", s.latent)):
        if variables:
            yield from ("", f"{title}:", "", *_variables(variables, laws))
    yield ""


def _share(probability: float) -> str:
    """A share of patients; below 0.1% no digits, since such a figure is the product of others and hardly known."""
    return chance_in_words(probability) if probability == 0 or probability >= _SMALL else "under 0.1%"


def _variables(group: dict[str, Variable], laws: Laws) -> Iterator[str]:
    for name, of in group.items():
        yield f"- {of.label}: {laws.variable(name)}"


def _decisions(laws: Laws) -> Iterator[str]:
    s, phrases = laws.scenario, laws.phrases
    yield from ("## How it can end", "", " ".join(unit_lines(s)), "")
    for name, decision in s.decisions.items():
        yield f"- **{decision.label}** ({decision.kind}, {decision.urgency})"
        yield from (f"  - only once {phrases.when(group, 'or')}" for group in decision.requires)
        yield f"  - right for {phrases.conditions(decision.right_for, 'and')}"
        yield f"  - worth {laws.worth(name)}"
        yield from (f"  - {line}" for line in (worth_share_line(s, name),) if line)
        for complication in decision.worth.complications.values() if decision.worth else ():
            yield f"  - {complication.label}: {laws.chance(laws.tables.expected(complication))}; {taken(complication)}"
    yield ""
    for name, reward in s.rewards.items():
        weights = listed(f"{part} × {weight:g}" for part, weight in reward.weights.items())
        yield f"- Reward preset `{name}`: {reward.label} ({weights})"
    yield ""


def _guideline(s: Scenario, phrases: Phrases) -> Iterator[str]:
    yield from (f"## The guideline: {s.who.guideline.name}", "", "The first rule that holds and can be done:", "")
    yield from _rules(s.guideline, phrases, last="otherwise: ")
    yield ""
    for name, version in s.guideline_versions.items():
        yield from (f"Version `{name}`, {version.label}, puts before these:", "")
        yield from _rules(version.rules, phrases)
        yield ""


def _rules(rules: tuple[Rule, ...], phrases: Phrases, *, last: str = "") -> Iterator[str]:
    for i, rule in enumerate(rules, start=1):
        always, ways = phrases.ways(rule.when) if rule.when else ("", [])
        if len(ways) > _MANY_WAYS:
            when = f"if {f'{always}, and ' if always else ''}one of these holds: "
        else:
            ways = []
            when = f"if {phrases.when(rule.when)}: " if rule.when else last if i == len(rules) else ""
        do = "Wait for results" if rule.do == "wait" else phrases.label(rule.do)
        at_once = f", {WITHOUT_WAITING}" if rule.even_if_pending else ""
        yield f"{i}. {when}**{do}**{at_once}. {sentence(rule.why)}"
        yield from (f"   - {way.removeprefix('(').removesuffix(')') if way.startswith('(') else way}" for way in ways)


def _vignettes(s: Scenario, phrases: Phrases) -> Iterator[str]:
    if s.vignettes:
        yield from ("## Patients to test a policy on", "")
    for name, vignette in s.vignettes.items():
        yield from (f"### {vignette.title} (`{name}`)", "", vignette.story.strip(), "")
        yield from (f"In truth: {phrases.label(vignette.condition)}.", "", *_stated(vignette, phrases))
        yield from ("", "The policy", "")
        yield from (f"- {phrases.expectation(expectation)}" for expectation in vignette.expect)
        yield f"- must end with {phrases.labels_of(vignette.decide, 'or')}."
        yield from (f"- {line}" for line in _ceilings(vignette.ceilings, phrases))
        yield from ("", f"Why: {sentence(vignette.why)}", "")


def _stated(vignette: Vignette, phrases: Phrases) -> Iterator[str]:
    """What is fixed about a patient: values and numbers, then what is there, then what is not."""
    facts: dict[str, Any] = vignette.context | vignette.findings
    values = [
        f"{phrases.brief(n)} {_fact(fact, phrases.variables[n])}"
        for n, fact in facts.items()
        if fact not in ("yes", "no")
    ]
    yield f"- Stated: {'; '.join(values) or 'no more than this'}."
    for answer in ("yes", "no"):
        names = [name for name, fact in facts.items() if fact == answer]
        if names:
            yield f"- {answer.capitalize()} to: {'; '.join(phrases.brief(name) for name in names)}."


def _fact(fact: Any, of: Variable) -> str:
    return plain(fact) if isinstance(fact, str) else f"{fact:g}{unit(of)}"


def _ceilings(ceilings: Ceilings, phrases: Phrases) -> Iterator[str]:
    if ceilings.tests is not None:
        yield (
            "must order no tests after examination."
            if ceilings.tests == 0
            else f"may order {ceilings.tests} tests at most."
        )
    if ceilings.cost_gbp is not None:
        yield f"may spend {pounds_exact(ceilings.cost_gbp)} at most."
    if ceilings.dose_msv is not None:
        yield f"may give {ceilings.dose_msv:g} mSv at most." if ceilings.dose_msv else "must give no radiation."
    if ceilings.harm_gbp is not None:
        harm = f"may do harm worth {pounds_exact(ceilings.harm_gbp)} at most."
        yield harm if ceilings.harm_gbp else "must do no harm at all."
    for name, risk in ceilings.risk.items():
        yield f"may run a risk of {chance_in_words(risk)} at most of: {phrases.label(name)}."


def _targets(s: Scenario, phrases: Phrases) -> Iterator[str]:
    if s.targets:
        yield from ("## Published figures the model must reproduce", "")
    for target in s.targets.values():
        why = f": {target.why}" if target.why else ""
        yield f"- {_measure(target, phrases)}: {_tolerance(target)}{why}"
    if s.targets:
        yield ""


def _measure(target: Target, phrases: Phrases) -> str:
    of = f" of “{phrases.when(target.of)}”" if target.of else ""
    among = f" among {_patients(target.among, phrases)}" if target.among else ""
    against = {"prevalence": " in all of", "likelihood_ratio": " against"}.get(target.measure, " against")
    against = f"{against} {_patients(target.against, phrases)}" if target.against else ""
    if target.measure == "prevalence":
        return f"Share of {_patients(target.among, phrases)}{against or ' in all'}"
    return f"{target.measure.replace('_', ' ').capitalize()}{of}{among}{against}"


def _patients(who: dict[str, Any], phrases: Phrases) -> str:
    rest = {name: clause for name, clause in who.items() if name != "condition"}
    parts = []
    if "condition" in who:
        parts.append(f"patients with {phrases.when({'condition': who['condition']}).removeprefix('the condition is ')}")
    if rest:
        parts.append(f"{'' if parts else 'patients '}for whom {phrases.when(rest)}")
    return " ".join(parts)


def _tolerance(target: Target) -> str:
    if target.measure == "likelihood_ratio":
        return f"{target.value:g}, give or take {chance_in_words(target.tolerance)} of it"
    return f"{100 * target.value:.4g}%, give or take {100 * target.tolerance:.3g}"


def _sources(s: Scenario) -> Iterator[str]:
    if s.sources:
        yield from ("## Sources", "")
    for name, source in s.sources.items():
        read = "read" if source.seen else "not read by the authors"
        yield f"- {name}: {source.cite.strip()}{f' <{source.url}>' if source.url else ''} ({read})"
