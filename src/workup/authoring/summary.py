"""The answers of an interview in a few lines, by part, so that their author can see whether they are right."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from workup.authoring.answers import Answers, FindingAnswer, OpeningAnswer, Origin, RuleAnswer
from workup.authoring.parts import PARTS
from workup.wording import chance_in_words, listed


def summary(answers: Answers) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Each part of the interview with its lines, in order."""
    a = answers
    lines: tuple[Iterable[str], ...] = (
        (f"{a.title}; {a.setting}; by {listed(a.authors)}", a.about),
        (f"{of.label}: {_row(of.values, of.shares)}" for of in a.context),
        _causes(a),
        (*_opening("History", a.history), *_opening("Examination", a.examination)),
        _tests(a),
        _decisions(a),
        _detail(a),
        (_rule(rule) for rule in a.rules),
        _vignette(a),
    )
    return tuple((part, tuple(of) or ("nothing",)) for part, of in zip(PARTS, lines, strict=True))


def _row(words: Sequence[str], shares: Sequence[float]) -> str:
    return ", ".join(f"{word} {chance_in_words(share)}" for word, share in zip(words, shares, strict=True))


def _causes(a: Answers) -> Iterable[str]:
    labels = [of.label for of in a.conditions]
    for value, shares in a.prior.items():
        yield f"if {a.prior_by} = {value}: {_row(labels, shares)}" if value else _row(labels, shares)
    yield ", ".join(
        f"{of.label} is {of.urgency}{f' (£{of.waiting_cost_gbp_per_day:g} a day)' if of.waiting_cost_gbp_per_day else ''}"
        for of in a.conditions
    )


def _opening(called: str, of: OpeningAnswer) -> Iterable[str]:
    yield f"{called} (£{of.cost_gbp:g}, {of.turnaround}){'' if of.findings else ': nothing'}"
    for finding in of.findings:
        yield from (f"  {line}" for line in _finding(finding.label, finding))


def _finding(called: str, of: FindingAnswer) -> Iterable[str]:
    if len(of.values) == 2:
        rare = called if of.values == ("no", "yes") else f"{called} {of.values[1]}"
        yield f"{rare}: " + ", ".join(
            f"{chance_in_words(shares[1])} with {cause}" for cause, shares in of.shares.items()
        )
    else:
        yield from (f"{called} with {cause}: {_row(of.values, shares)}" for cause, shares in of.shares.items())


def _tests(a: Answers) -> Iterable[str]:
    for test in a.tests:
        discomfort = f", discomfort £{test.discomfort_gbp:g}" if test.discomfort_gbp else ""
        yield f"{test.label} ({test.tier}, £{test.cost_gbp:g}, {test.turnaround}{discomfort})"
        yield from (f"  {line}" for line in _finding(test.label, test.finding))


def _decisions(a: Answers) -> Iterable[str]:
    yield "worth in pounds:" if a.unit == "gbp" else f"worth in QALYs, of £{a.gbp_per_qaly:g} each:"
    for of in a.decisions:
        worth = ", ".join(f"{amount:g} if {cause}" for cause, amount in of.worth.items())
        yield f"{of.label} ({of.kind}, {of.urgency}), right for {listed(of.right_for)}: {worth}"


def _detail(a: Answers) -> Iterable[str]:
    yield f"prices of {a.price_year}; guideline: {a.guideline}"
    for of in a.treatments:
        worth = ", ".join(f"{amount:g} if {cause}" for cause, amount in of.benefit_gbp.items())
        left = ", ".join(
            f"{chance_in_words(share)} if {cause}" for cause, share in of.waiting_factor.items() if share < 1
        )
        delay = f"; cost of delay left: {left}" if left else ""
        discomfort = f", discomfort £{of.discomfort_gbp:g}" if of.discomfort_gbp else ""
        yield f"{of.label} (£{of.cost_gbp:g}, {of.turnaround}{discomfort}) adds {worth}{delay}"
    for label, care in a.care.items():
        if care.after:
            first = " and ".join(" or ".join(f"{k} = {v}" for k, v in of.items()) for of in care.after)
            yield f"{label} only after {first}"
        for no in care.not_if:
            yield f"{label} not if {no.label} = {no.value} (£{no.loss_gbp:g} if unknown), because: {no.why}"
        for bad in care.complications:
            yield f"{label} can cause {bad.label}: {chance_in_words(bad.chance)}, £{bad.loss_gbp:g}"
        if care.dose_msv:
            yield f"{label} gives {care.dose_msv:g} mSv, at £{a.loss_gbp_per_msv:g} each"
    for label, origin in _origins(a):
        yield f"{label}: {origin.cite} ({'read' if origin.read else 'from memory'})"


def _origins(a: Answers) -> Iterable[tuple[str, Origin]]:
    named = (("how often each condition occurs", a.prior_origin), *((of.label, of.origin) for of in a.context))
    yield from ((label, of) for label, of in (*named, *((of.label, of.origin) for of in a.findings)) if of.cite)


def _rule(rule: RuleAnswer) -> str:
    cases = [" and ".join(f"{label} = {value}" for label, value in facts.items()) for facts in rule.alternatives]
    if not rule.alternatives:
        return f"otherwise {rule.do}"
    return f"{rule.do} if {', or if '.join(cases)}" if any(cases) else f"{rule.do} for everybody"


def _vignette(a: Answers) -> Iterable[str]:
    v = a.vignette
    facts = ", ".join(f"{label} = {value}" for label, value in {**v.context, **v.findings}.items())
    yield f"{v.title}: {facts or 'nothing stated'}; in truth {v.condition}"
    yield f"has to be ordered: {listed(v.must) or 'nothing'}; must not be: {listed(v.must_not) or 'nothing'}"
    yield f"right: {listed(v.decide, 'or')}, why: {v.why}"
