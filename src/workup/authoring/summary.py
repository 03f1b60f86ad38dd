"""The answers of an interview in a few lines, by part, so that their author can see whether they are right."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from workup.authoring.answers import Answers, FindingAnswer, OpeningAnswer, RuleAnswer
from workup.authoring.interview import PARTS
from workup.wording import chance_in_words, listed


def summary(answers: Answers) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Each part of the interview with its lines, in order."""
    a = answers
    lines: tuple[Iterable[str], ...] = (
        (f"{a.title}; {a.setting}; by {listed(a.authors)}", a.about),
        (f"{of.label}: {_row(of.values, of.shares)}" for of in a.context),
        _causes(a),
        _opening(a.history),
        _opening(a.examination),
        _tests(a),
        _decisions(a),
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
    yield ", ".join(f"{of.label} is {of.urgency}" for of in a.conditions)


def _opening(of: OpeningAnswer) -> Iterable[str]:
    yield f"£{of.cost_gbp:g}, {of.turnaround}"
    for finding in of.findings:
        yield from _finding(finding.label, finding)


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
        yield f"{test.label} ({test.tier}, £{test.cost_gbp:g}, {test.turnaround})"
        yield from (f"  {line}" for line in _finding(test.label, test.finding))


def _decisions(a: Answers) -> Iterable[str]:
    for of in a.decisions:
        worth = ", ".join(f"{amount:g} if {cause}" for cause, amount in of.worth.items())
        yield f"{of.label} ({of.kind}, {of.urgency}), right for {listed(of.right_for)}: {worth}"


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
    yield f"right: {listed(v.decide, 'or')}, because: {v.why}"
