"""The interview: what is asked about a new scenario, in which order."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from workup.authoring import lines, typed
from workup.authoring.answers import (
    Answers,
    ConditionAnswer,
    ContextAnswer,
    FindingAnswer,
    OpeningAnswer,
    Origin,
    Question,
    TestAnswer,
)
from workup.authoring.detail import PRIOR, More, more
from workup.authoring.dialogue import Dialogue, Given, GoneBack, Keep, Key, Say
from workup.authoring.ends import ending_decisions
from workup.authoring.parts import CASE, CAUSES, OPENING, PATIENT, TESTS
from workup.authoring.practice import rules, vignette
from workup.wording import chance_in_words

_NO_YES = ("no", "yes")
_SHARES = (
    "Figures are per cent: write one for each, in the order shown, with blanks between. 2.5 is 2.5%, 1/1000 is one in a "
    "thousand. Or name them: 'Pneumonia 60, otherwise 5'."
)


def interview(
    ask: Callable[[Question], str],
    say: Say,
    *,
    year: int,
    given: Given | None = None,
    earlier: Given | None = None,
    keep: Keep = lambda given, earlier: None,
) -> tuple[Answers, dict[Key, str]]:
    """Ask everything that was not given.

    Args:
        ask: puts a question and returns what was answered, '' for nothing.
        say: hears that a part begins, that an answer was not understood, or how it was.
        year: of the prices, unless another is answered.
        given: answers by key, which are taken without asking as long as they can be read.
        earlier: answers to offer as defaults.
        keep: hears every change of the answers; given back as `given` and `earlier`, they go on where it stopped.

    Returns:
        The answers, and the same as they were typed, by key.
    """
    given, earlier = given or {}, earlier or {}
    while True:
        d = Dialogue(ask, say, keep, given=given, earlier=earlier)
        try:
            return _all_parts(d, year), d.answered
        except GoneBack:
            given, earlier = d.without_last()


def _all_parts(d: Dialogue, year: int) -> Answers:
    case = _case(d)
    context = _context(d)
    causes, by, prior = _causes(d, context)
    labels = [of.label for of in causes]
    history, examination = _opening(d, labels)
    tests = _tests(d, labels)
    decisions = ending_decisions(d, labels)
    known = {of.label: of.values for of in context} | {of.label: of.values for of in (*history, *examination)}
    results = {test.label: test.finding.values for test in tests}
    said = more(d, year, labels, known, results, [of.label for of in context])
    acts = [of.label for of in said.treatments]
    ends = [of.label for of in decisions]
    practice = rules(d, known, results, acts, ends)
    patient = vignette(d, [of.label for of in context], known, results, acts, labels, ends)
    return Answers(
        **case,
        guideline=said.guideline,
        price_year=said.price_year,
        context=tuple(replace(of, origin=said.origin(of.label)) for of in context),
        conditions=causes,
        prior_by=by,
        prior=prior,
        prior_origin=said.origin(PRIOR),
        history=_taking(said.history, history, said),
        examination=_taking(said.examination, examination, said),
        tests=tuple(replace(of, finding=replace(of.finding, origin=said.origin(of.label))) for of in tests),
        treatments=said.treatments,
        care=said.care,
        loss_gbp_per_msv=said.loss_gbp_per_msv,
        unit=said.unit,
        gbp_per_qaly=said.gbp_per_qaly,
        decisions=decisions,
        rules=practice,
        vignette=patient,
    )


def _taking(takes: tuple[float, str, float], findings: Iterable[FindingAnswer], said: More) -> OpeningAnswer:
    return OpeningAnswer(takes[0], takes[1], tuple(replace(of, origin=said.origin(of.label)) for of in findings))


def _case(d: Dialogue) -> dict[str, Any]:
    d.begin(CASE)
    return {
        "title": d.get(
            ("title",),
            "What is the case called?",
            typed.text,
            example="Cough for three weeks",
            explanation="A few words, as in a list of cases.",
        ),
        "about": d.get(
            ("about",),
            "Who comes, and what is the question?",
            typed.text,
            example="An adult has coughed for three weeks. Is it more than a virus?",
            explanation="One or two sentences.",
        ),
        "authors": d.get(
            ("authors",),
            "Who writes this?",
            partial(typed.several, at_least=1),
            example="A. Clinician, B. Nurse",
            explanation="Your name; several with commas.",
        ),
        "setting": d.get(
            ("setting",),
            "Where are we?",
            typed.text,
            example="General practice, United Kingdom",
            explanation="It decides how often each condition is behind it, and what things cost.",
        ),
    }


def _context(d: Dialogue) -> tuple[ContextAnswer, ...]:
    d.begin(PATIENT)
    labels = d.labels(
        "context",
        "What about the patient changes what is likely? Enter for nothing.",
        example="Smoking, Age group",
        at_least=0,
        explanation="Age, sex, habits, wishes: what makes two patients with the same complaint differ. Names with commas "
        "between; how often is asked next.",
    )
    return tuple(_one_context(d, label) for label in labels)


def _one_context(d: Dialogue, label: str) -> ContextAnswer:
    values, shares = d.get(
        (label, "values"),
        f"{label}: which values, and how many of 100 patients have each?",
        lines.values_with_shares,
        example="never 60, ever 40",
        explanation="Each value with its share in per cent, with commas between.",
        note=lambda found: _row(*found),
    )
    known = d.pick(
        (label, "known"),
        f"{label}: is it known at the start, or does one have to ask (in the history)?",
        ("start", "ask"),
        default="start",
        explanation="Age and sex are known at the start. Smoking, or a wish, has to be asked for.",
    )
    return ContextAnswer(label, values, shares, known == "start", Origin())


def _causes(
    d: Dialogue, context: Sequence[ContextAnswer]
) -> tuple[tuple[ConditionAnswer, ...], str | None, dict[str, tuple[float, ...]]]:
    """The conditions, the context on which their shares depend, and the shares by its values ('' without one)."""
    d.begin(CAUSES)
    labels = d.labels(
        "conditions",
        "Which conditions may be behind it? Each patient has one.",
        example="Viral bronchitis, Pneumonia, Lung cancer",
        at_least=2,
        explanation="Two or more, with commas between. What you leave out cannot be behind it, so let one stand for all "
        "else. From now on figures are given in this order. Short names are quicker to read.",
    )
    urgencies = d.get(
        ("urgency",),
        "How urgent is each condition, and what does a day of delay cost?",
        partial(lines.urgencies, labels=labels),
        order=labels,
        example=", ".join(("routine", "emergency 300", *("urgent 50",) * len(labels))[: len(labels)]),
        explanation="For each, in this order: emergency, urgent or routine and, if delay harms, what each day of it costs in "
        "pounds. 'emergency 300, routine' means 300 pounds a day for the first and nothing for the second.",
        note=lambda found: ", ".join(
            f"{label} {urgency}{f' £{cost:g} a day' if cost else ''}"
            for label, (urgency, cost) in zip(labels, found, strict=True)
        ),
    )
    by = "no"
    if context:
        names = [of.label for of in context]
        asked = f"Does how often they occur depend on {' or '.join(names)}? Name one, or say no."
        by = d.pick(("by",), asked, ("no", *names), default="no")
    values = next((of.values for of in context if of.label == by), ("",))

    def row(value: str) -> tuple[float, ...]:
        whom = f" with {by} = {value}" if value else ""
        return d.get(
            ("prior", value),
            f"Of 100 such patients{whom}, how many have each condition?",
            partial(lines.parts_of_all, labels=labels),
            order=labels,
            example=_even(labels),
            explanation=f"{_SHARES} They add up to 100.",
            note=partial(_row, labels),
        )

    prior = {value: row(value) for value in values}
    causes = tuple(ConditionAnswer(label, *of) for label, of in zip(labels, urgencies, strict=True))
    return causes, by if values != ("",) else None, prior


def _opening(d: Dialogue, causes: Sequence[str]) -> tuple[tuple[FindingAnswer, ...], tuple[FindingAnswer, ...]]:
    d.begin(OPENING)
    told = d.labels(
        "history",
        "What can the history show? Enter for nothing.",
        example="Fever, Blood coughed up",
        at_least=0,
        explanation="Things that are there or not, with commas between. How often is asked next.",
    )
    seen = d.labels(
        "examination",
        "What can the examination show? Enter for nothing.",
        example="Crackles",
        at_least=0,
        explanation="Things that are there or not, with commas between. How often is asked next.",
    )
    history = tuple(_finding(d, label, label, _NO_YES, causes) for label in told)
    return history, tuple(_finding(d, label, label, _NO_YES, causes) for label in seen)


def _finding(d: Dialogue, called: str, label: str, values: tuple[str, ...], causes: Sequence[str]) -> FindingAnswer:
    """How often each value but the first, under each condition; the first is the rest."""

    def line(value: str) -> tuple[float, ...]:
        what = called if values == _NO_YES else f"{called} = {value}"
        return d.get(
            (called, "share", value),
            f"{what}: in how many of 100 with each condition?",
            partial(lines.shares, labels=causes),
            order=causes,
            example=" ".join("10" for _ in causes),
            explanation=f"{_SHARES} The rest are {values[0] if len(values) > 2 or values != _NO_YES else 'without it'}.",
            note=partial(_row, causes),
        )

    def gather() -> tuple[tuple[float, ...], ...]:
        return tuple(line(value) for value in values[1:])

    def fault(found: tuple[tuple[float, ...], ...]) -> str | None:
        over = [cause for cause, of in zip(causes, zip(*found, strict=True), strict=True) if sum(of) > 1 + 1e-9]
        if not over:
            return None
        return f"The results of {called} add up to more than 100% with {', '.join(over)}. Please give them again."

    by_value = d.again((called, "share"), gather, fault)
    shares = {
        cause: (max(0.0, float(f"{1 - sum(of):.10g}")), *of)
        for cause, of in zip(causes, zip(*by_value, strict=True), strict=True)
    }
    return FindingAnswer(label, values, shares, Origin())


def _tests(d: Dialogue, causes: Sequence[str]) -> tuple[TestAnswer, ...]:
    d.begin(TESTS)
    labels = d.labels(
        "tests",
        "Which tests can be ordered?",
        example="CRP, Chest film",
        at_least=1,
        explanation="One or more, with commas between. What they cost and show is asked next.",
    )
    return tuple(_test(d, label, causes) for label in labels)


def _test(d: Dialogue, label: str, causes: Sequence[str]) -> TestAnswer:
    tier, cost, time, discomfort, values = d.get(
        (label, "takes"),
        f"{label}: kind, cost in pounds, time to its result; discomfort, results?",
        lines.test,
        example="bloods, 8, 2 h, 3, low / raised / high",
        explanation=f"With commas between. Kind: {', '.join(lines.TIERS)}. Time: 20 min, 2 h, 3 days. The last two may be "
        "left out: discomfort is what would be paid, in pounds, to spare a patient the test (else 0); the results have / "
        "between, the usual one first (else negative / positive).",
        note=lambda found: (
            f"{found[0]}, £{found[1]:g}, {found[2]}, discomfort £{found[3]:g}, results: {' / '.join(found[4])}"
        ),
    )
    finding = _finding(d, label, f"{label} result", values, causes)
    return TestAnswer(label, tier, cost, time, discomfort, finding)


def _row(words: Sequence[str], shares: Sequence[float]) -> str:
    return ", ".join(f"{word} {chance_in_words(share)}" for word, share in zip(words, shares, strict=True))


def _even(labels: Sequence[str]) -> str:
    """Figures that add up to 100, as an example."""
    return " ".join((str(100 - 5 * (len(labels) - 1)), *("5",) * (len(labels) - 1)))
