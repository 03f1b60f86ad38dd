"""What usual practice does, and one patient to test a policy on."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import partial

from workup.authoring import lines, typed
from workup.authoring.answers import Facts, RuleAnswer, VignetteAnswer
from workup.authoring.dialogue import Dialogue
from workup.authoring.parts import PRACTICE, VIGNETTE
from workup.authoring.typed import NotUnderstoodError

Values = Mapping[str, tuple[str, ...]]
_FACTS = "A fact is a name with a value: 'Fever = yes'. Join facts by 'and' and 'or'. A reason may follow: '... because ...'."


def rules(
    d: Dialogue, known: Values, results: Values, treatments: Sequence[str], decisions: Sequence[str]
) -> tuple[RuleAnswer, ...]:
    """When each test is ordered, each treatment given and each decision made; the last decision is for all others."""
    d.begin(PRACTICE)
    found, facts = list[RuleAnswer](), dict(known)
    for test, values in results.items():
        found += _rule(d, test, f"When is {test} ordered, after history and examination?", facts, ("always", "never"))
        facts |= {test: values}
    for treatment in treatments:
        found += _rule(d, treatment, f"When is {treatment} given?", facts, ("always", "never"))
    for decision in decisions[:-1]:
        found += _rule(d, decision, f"When is the decision '{decision}' made?", facts, ("never",))
    return (*found, RuleAnswer(decisions[-1], (), "Nothing speaks for anything else"))


def _rule(
    d: Dialogue, do: str, question: str, facts: Mapping[str, Sequence[str]], words: Sequence[str]
) -> list[RuleAnswer]:
    def read(answer: str) -> tuple[tuple[Facts, ...] | None, str]:
        before, why = typed.because(answer, "Usual practice")
        if (word := before.strip().lower()) in words:
            return ({},) if word == "always" else None, why
        return typed.facts(before, facts), why

    known = [f"{label} = {values[-1]}" for label, values in list(facts.items())[-2:]]
    alternatives, why = d.get(
        (do, "when"),
        question,
        read,
        example=" and ".join(known) if known else words[0],
        explanation=f"{' or '.join(words)}, or facts. {_FACTS} Known by then: {_known(facts)}.",
        default="never",
    )
    return [] if alternatives is None else [RuleAnswer(do, alternatives, why)]


def _known(facts: Mapping[str, Sequence[str]]) -> str:
    return "; ".join(f"{label} ({', '.join(values)})" for label, values in facts.items()) or "nothing"


def vignette(
    d: Dialogue,
    context: Sequence[str],
    known: Values,
    results: Values,
    treatments: Sequence[str],
    causes: Sequence[str],
    decisions: Sequence[str],
) -> VignetteAnswer:
    """One patient of whom it is known what should happen."""
    d.begin(VIGNETTE)
    title, story = d.get(
        ("story",),
        "Tell the story of one patient in two or three sentences.",
        _titled,
        example="A cold that lingers. Never smoked, no fever, clear chest.",
        explanation="The first sentence is the patient's title.",
    )
    condition = d.pick(("condition",), "What does this patient have in truth?", causes)
    facts = {**known, **results}
    first = next(iter(facts.items()))
    stated = d.get(
        ("facts",),
        "What can be found in this patient? Enter leaves all open.",
        partial(_stated, known=facts),
        example=f"{first[0]} = {first[1][0]}",
        explanation=f"{_FACTS.partition(' A reason')[0]} What is not named is left to chance. To name: {_known(facts)}.",
    )
    items = (*results, *treatments)
    must, must_not = d.get(
        ("wanted",),
        "Which tests must this patient get, and which not? Enter for none.",
        partial(lines.wanted, items=items),
        example=f"not {items[0]}",
        explanation=f"With commas between, 'not' before each that must not be: 'ECG, not CT'. There are: {', '.join(items)}.",
    )
    decide, why = d.get(
        ("decide",),
        "Which decision is right for this patient, and why?",
        partial(_decided, decisions=decisions),
        example=f"{decisions[-1]} because it is nearly always harmless",
        explanation=f"One or more with commas, then 'because'. There are: {', '.join(decisions)}.",
    )
    return VignetteAnswer(
        title=title,
        story=story,
        condition=condition,
        context={label: value for label, value in stated.items() if label in context},
        findings={label: value for label, value in stated.items() if label not in context},
        must=must,
        must_not=must_not,
        decide=decide,
        why=why,
    )


def _titled(answer: str) -> tuple[str, str]:
    story = typed.text(answer)
    return typed.reason(re.split(r"(?<=[.?!])\s", story, maxsplit=1)[0]), story


def _stated(answer: str, known: Mapping[str, Sequence[str]]) -> Facts:
    if answer.strip().lower() in typed.NOTHING:
        return {}
    found = typed.facts(answer, known)
    if len(found) > 1:
        raise NotUnderstoodError("One patient is one set of facts. Join them by 'and' or commas, not by 'or'.")
    return found[0]


def _decided(answer: str, decisions: Sequence[str]) -> tuple[tuple[str, ...], str]:
    named, why = typed.because(answer, "")
    if not why:
        raise NotUnderstoodError(f"Why? Write for example '{decisions[-1]} because it is nearly always harmless'.")
    return typed.choices(named, decisions, at_least=1), why
