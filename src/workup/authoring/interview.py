"""The interview: what is asked about a new scenario, in which order."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any, Literal, get_args

from workup.authoring import typed
from workup.authoring.answers import (
    Answers,
    ConditionAnswer,
    ContextAnswer,
    DecisionAnswer,
    Facts,
    FindingAnswer,
    OpeningAnswer,
    Question,
    RuleAnswer,
    TestAnswer,
    VignetteAnswer,
)
from workup.authoring.dialogue import Dialogue, GoneBack, Key
from workup.authoring.typed import NotUnderstoodError
from workup.scenarios.language.schema import Decision, Tier, Urgency

CASE, PATIENT, CAUSES, HISTORY, EXAMINATION, TESTS, ENDS, PRACTICE, VIGNETTE = PARTS = (
    "The case",
    "The patient",
    "What may be behind it",
    "The history",
    "The examination",
    "The tests",
    "How it can end",
    "Usual practice",
    "One patient to test a policy on",
)
_URGENCIES: tuple[str, ...] = get_args(Urgency)
_TIERS: tuple[str, ...] = get_args(Tier)[2:]
_KINDS: tuple[str, ...] = get_args(Decision.model_fields["kind"].annotation)
Values = Mapping[str, tuple[str, ...]]
"""Label of something that can be known -> the values it can have."""


def interview(
    ask: Callable[[Question], str],
    say: Callable[[str], None],
    *,
    year: int,
    given: Mapping[Key, str] | None = None,
    earlier: Mapping[Key, str] | None = None,
) -> tuple[Answers, dict[Key, str]]:
    """Ask everything that was not given.

    Args:
        ask: puts a question and returns what was answered, '' for nothing.
        say: tells that an answer was not understood, or that a new part begins.
        year: of the prices, unless another is answered.
        given: answers by key, which are taken without asking as long as they can be read.
        earlier: answers to offer as defaults.

    Returns:
        The answers, and the same as they were typed, by key.
    """
    while True:
        d = Dialogue(ask, say, given=given, earlier=earlier)
        try:
            return _all_parts(d, year), d.answered
        except GoneBack:
            given = dict(list(d.answered.items())[:-1])
            earlier = {**(earlier or {}), **d.answered}


def _all_parts(d: Dialogue, year: int) -> Answers:
    case = _case(d, year)
    context = _context(d)
    causes = _causes(d)
    prior = _prior(d, context, [of.label for of in causes])
    labels = [of.label for of in causes]
    history = _opening(d, HISTORY, "Fever, Blood coughed up", "20", labels)
    examination = _opening(d, EXAMINATION, "Crackles", "10", labels)
    tests = _tests(d, labels)
    unit, gbp_per_qaly, decisions = _decisions(d, labels)
    known: Values = {of.label: of.values for of in context}
    known = {**known, **{of.label: of.values for of in (*history.findings, *examination.findings)}}
    results = {test.label: test.finding.values for test in tests}
    rules = _rules(d, known, results, [of.label for of in decisions])
    vignette = _vignette(d, [of.label for of in context], known, results, labels, [of.label for of in decisions])
    return Answers(
        **case,
        **prior,
        context=context,
        conditions=causes,
        history=history,
        examination=examination,
        tests=tests,
        unit=unit,
        gbp_per_qaly=gbp_per_qaly,
        decisions=decisions,
        rules=rules,
        vignette=vignette,
    )


def _case(d: Dialogue, year: int) -> dict[str, Any]:
    d.begin(CASE)
    usual = "Usual practice, as the authors see it"
    return {
        "title": d.get(("title",), "What is the case called?", typed.text, example="Cough for three weeks"),
        "about": d.get(("about",), "Who comes, and what is the question? One or two sentences.", typed.text),
        "authors": d.get(("authors",), "Who writes this? Your name; several with commas.", _at_least_one),
        "setting": d.get(("setting",), "Where are we?", typed.text, example="General practice, United Kingdom"),
        "guideline": d.get(("guideline",), "Which guideline do you have in mind?", typed.text, default=usual),
        "price_year": d.get(("year",), "Prices of which year?", typed.year, default=str(year)),
    }


def _context(d: Dialogue) -> tuple[ContextAnswer, ...]:
    d.begin(PATIENT)
    labels = d.labels(
        "context",
        "What about the patient changes what is likely? With commas between; Enter for nothing.",
        example="Smoking, Age group",
        at_least=0,
    )
    return tuple(_one_context(d, label) for label in labels)


def _one_context(d: Dialogue, label: str) -> ContextAnswer:
    which = f"{label}: which values can it have? At least two, with commas."
    values = d.get((label, "values"), which, _at_least_two, default="no, yes")
    asked = f"{label}: is it known at the start, or does one have to ask (in the history)?"
    known = d.pick((label, "known"), asked, ("start", "ask"), default="start")
    shares = d.law(
        (label, "share"),
        lambda value: f"Of all these patients, how many have {label} = {value}?",
        values,
        "these patients",
    )
    return ContextAnswer(label, values, shares, known == "start", d.origin(label))


def _causes(d: Dialogue) -> tuple[ConditionAnswer, ...]:
    d.begin(CAUSES)
    labels = d.labels(
        "conditions",
        "Which conditions may be behind it? Each patient has one. At least two, with commas.",
        example="Viral bronchitis, Pneumonia, Lung cancer",
        at_least=2,
    )
    return tuple(
        ConditionAnswer(
            label,
            d.pick((label, "urgency"), f"{label}: how urgent is it?", _URGENCIES),
            d.get(
                (label, "waiting"), f"{label}: what does each day of delay cost, in pounds?", typed.pounds, default="0"
            ),
        )
        for label in labels
    )


def _prior(d: Dialogue, context: Sequence[ContextAnswer], causes: Sequence[str]) -> dict[str, Any]:
    """How often each condition is behind it: the parts of `Answers` that say so."""
    by = "no"
    if context:
        names = [of.label for of in context]
        asked = f"Does how often they occur depend on {' or '.join(names)}? Name one, or say no."
        by = d.pick(("by",), asked, ("no", *names), default="no")
    values = next((of.values for of in context if of.label == by), ("",))

    def row(value: str) -> tuple[float, ...]:
        whom = f"patients with {by} = {value}" if value else "all these patients"
        return d.shares(("prior", value), lambda cause: f"Of {whom}, how many have {cause}?", causes, whom)

    prior = {value: row(value) for value in values}
    return {"prior_by": by if context and by != "no" else None, "prior": prior, "prior_origin": d.origin("prior")}


def _opening(d: Dialogue, part: str, example: str, cost: str, causes: Sequence[str]) -> OpeningAnswer:
    d.begin(part)
    what = part.lower()
    asked = f"What can {what} show? Things that are there or not, with commas between; Enter for nothing."
    labels = d.labels("findings", asked, example=example, at_least=0)
    findings = tuple(_finding(d, label, label, ("no", "yes"), causes) for label in labels)
    cost_gbp = d.get(("cost",), f"What does {what} cost, in pounds?", typed.pounds, default=cost)
    time = d.get(("time",), f"How long does {what} take?", typed.time, default="10 min")
    return OpeningAnswer(cost_gbp, time, findings)


def _finding(d: Dialogue, called: str, label: str, values: tuple[str, ...], causes: Sequence[str]) -> FindingAnswer:
    def question(cause: str, value: str) -> str:
        what = called if values == ("no", "yes") else f"{called} = {value}"
        return f"Of patients with {cause}, how many have {what}?"

    shares = {
        cause: d.law((called, "share", cause), partial(question, cause), values, f"patients with {cause}")
        for cause in causes
    }
    return FindingAnswer(label, values, shares, d.origin(called))


def _tests(d: Dialogue, causes: Sequence[str]) -> tuple[TestAnswer, ...]:
    d.begin(TESTS)
    asked = "Which tests can be ordered? At least one, with commas between."
    return tuple(_test(d, label, causes) for label in d.labels("tests", asked, example="CRP, Chest film", at_least=1))


def _test(d: Dialogue, label: str, causes: Sequence[str]) -> TestAnswer:
    tier = d.pick((label, "tier"), f"{label}: what kind of test is it?", _TIERS)
    cost = d.get((label, "cost"), f"{label}: what does it cost, in pounds?", typed.pounds)
    how_long = f"{label}: how long until there is a result?"
    time = d.get((label, "time"), how_long, typed.time, example="20 min, 2 h, 3 days")
    worth = f"{label}: what would be paid to spare a patient its discomfort, in pounds?"
    discomfort = d.get((label, "discomfort"), worth, typed.pounds, default="0")
    reported = f"{label}: how is it reported? At least two results, the usual one first, with commas."
    values = d.get((label, "values"), reported, _at_least_two, default="negative, positive")
    return TestAnswer(label, tier, cost, time, discomfort, _finding(d, label, f"{label} result", values, causes))


def _decisions(d: Dialogue, causes: Sequence[str]) -> tuple[Literal["gbp", "qaly"], float, tuple[DecisionAnswer, ...]]:
    d.begin(ENDS)
    asked = "Is what a decision is worth said in pounds or in QALYs (years of life in full health)?"
    unit = d.pick(("unit",), asked, ("pounds", "QALYs"), default="pounds")
    rate = 20000.0
    if unit == "QALYs":
        rate = d.get(("rate",), "How many pounds does one QALY count for?", _more_than_nothing, default="20000")

    def gather() -> tuple[DecisionAnswer, ...]:
        asked = "Which decisions can end the journey? At least one, with commas between."
        example = "Reassure, Treat as pneumonia, Refer to the lung clinic"
        return tuple(
            _decision(d, label, causes, unit) for label in d.labels("decisions", asked, example=example, at_least=1)
        )

    return "gbp" if unit == "pounds" else "qaly", rate, d.again((), gather, partial(_uncovered, causes=causes))


def _decision(d: Dialogue, label: str, causes: Sequence[str], unit: str) -> DecisionAnswer:
    kind = d.pick((label, "kind"), f"{label}: what kind of decision is it?", _KINDS)
    urgency = d.pick((label, "urgency"), f"{label}: how urgent is what it sets going?", _URGENCIES)
    right = d.pick_several((label, "right"), f"{label}: for which conditions is it right?", causes, at_least=1)
    example = "0 or -2000" if unit == "pounds" else "0 or -0.3"
    asked = f"{label}: what is it worth, in {unit}, if it is {{}}? 0 is best, minus is harm."
    worth = {c: d.get((label, "worth", c), asked.format(c), typed.amount, example=example) for c in causes}
    return DecisionAnswer(label, kind, urgency, right, worth)


def _rules(d: Dialogue, known: Values, results: Values, decisions: Sequence[str]) -> tuple[RuleAnswer, ...]:
    d.begin(PRACTICE)
    rules, facts = [], dict(known)
    for test, values in results.items():
        rules += _rule(d, test, f"When is {test} ordered, after history and examination?", facts, ("always", "never"))
        facts |= {test: values}
    default = decisions[0]
    if len(decisions) > 1:
        default = d.pick(("default",), "Which decision is made when nothing speaks for another?", decisions)
    for decision in decisions:
        if decision != default:
            rules += _rule(d, decision, f"When is the decision '{decision}' made?", facts, ("never",))
    return (*rules, RuleAnswer(default, (), "Nothing speaks for anything else"))


def _rule(
    d: Dialogue, do: str, question: str, facts: Mapping[str, Sequence[str]], words: Sequence[str]
) -> list[RuleAnswer]:
    def read(answer: str) -> tuple[Facts, ...] | None:
        word = answer.strip().lower()
        if word in words:
            return ({},) if word == "always" else None
        return typed.facts(answer, facts)

    shown = [f"{label} = {values[-1]}" for label, values in list(facts.items())[-2:]]
    facts_of = [shown[0], " and ".join(shown)] if len(shown) > 1 else shown
    alternatives = d.get((do, "when"), question, read, example="; ".join((*words, *facts_of)), default="never")
    if alternatives is None:
        return []
    return [RuleAnswer(do, alternatives, d.get((do, "why"), f"{do}: why?", typed.reason, default="Usual practice"))]


def _vignette(
    d: Dialogue,
    context: Sequence[str],
    known: Values,
    results: Values,
    causes: Sequence[str],
    decisions: Sequence[str],
) -> VignetteAnswer:
    d.begin(VIGNETTE)
    title = d.get(("title",), "What is this patient's case called?", typed.text, example="A cold that lingers")
    story = d.get(("story",), "Tell the story in one or two sentences.", typed.text)
    condition = d.pick(("condition",), "What does this patient have in truth?", causes)
    stated = {
        label: d.get(("fact", label), f"{label}? Enter leaves it open.", partial(_maybe, options=of), options=of)
        for label, of in {**known, **results}.items()
    }
    must, must_not = d.again(("wanted",), partial(_wanted, d, tuple(results)), _contradiction)
    decide = d.pick_several(("decide",), "Which decisions are right for this patient?", decisions, at_least=1)
    return VignetteAnswer(
        title=title,
        story=story,
        condition=condition,
        context={label: value for label, value in stated.items() if value and label in context},
        findings={label: value for label, value in stated.items() if value and label not in context},
        must=must,
        must_not=must_not,
        decide=decide,
        why=d.get(("why",), "Why?", typed.reason),
    )


def _wanted(d: Dialogue, tests: Sequence[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    must = d.pick_several(("wanted", "must"), "Which tests must be ordered? Enter for none.", tests, at_least=0)
    never = d.pick_several(("wanted", "never"), "Which tests must not be ordered? Enter for none.", tests, at_least=0)
    return must, never


def _at_least_one(answer: str) -> tuple[str, ...]:
    return typed.several(answer, at_least=1)


def _at_least_two(answer: str) -> tuple[str, ...]:
    return typed.several(answer, at_least=2)


def _more_than_nothing(answer: str) -> float:
    found = typed.pounds(answer)
    if not found:
        raise NotUnderstoodError("It has to count for something.")
    return found


def _maybe(answer: str, options: Sequence[str]) -> str:
    """One of the options, or nothing."""
    word = answer.strip().lower()
    named = {option.lower() for option in options}
    return "" if word in typed.NOTHING and word not in named else typed.choice(answer, options)


def _uncovered(decisions: Iterable[DecisionAnswer], causes: Sequence[str]) -> str | None:
    right = {label for decision in decisions for label in decision.right_for}
    missing = [cause for cause in causes if cause not in right]
    if not missing:
        return None
    return f"No decision is right for {', '.join(missing)}. Add a decision, or say that one is right for it too."


def _contradiction(wanted: tuple[tuple[str, ...], tuple[str, ...]]) -> str | None:
    both = [label for label in wanted[0] if label in wanted[1]]
    return f"{', '.join(both)} cannot be both ordered and not ordered." if both else None
