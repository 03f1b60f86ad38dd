"""More detail, if the author wants it: what is asked only of those who chose it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Literal

from workup.authoring import lines, typed
from workup.authoring.answers import (
    CareAnswer,
    ComplicationAnswer,
    ContraindicationAnswer,
    Facts,
    Origin,
    TreatmentAnswer,
)
from workup.authoring.dialogue import Dialogue
from workup.authoring.parts import DETAIL
from workup.authoring.typed import NotUnderstoodError

Values = Mapping[str, tuple[str, ...]]
"""Label of something that can be known -> the values it can have."""
CHOICES = {
    "treatments": "what is done to help before the end",
    "prerequisites": "a test or treatment that comes after another",
    "contraindications": "who must not have it",
    "radiation": "the dose of each test",
    "complications": "what can go wrong",
    "QALYs": "the worths above are in QALYs, not in pounds",
    "prices": "of which year, and what history and examination take",
    "sources": "guideline and citations",
}
PRIOR = ""
"""Stands for the shares of the conditions, which no label does."""
USUAL = "Usual practice, as the authors see it"
TAKES = {"history": "20, 10 min", "examination": "10, 10 min"}
GBP_PER_QALY, GBP_PER_MSV = 20000.0, 3.0


@dataclass(frozen=True)
class More:
    """What was said in more detail, or stands where nothing was."""

    guideline: str
    price_year: int
    history: tuple[float, str, float]
    examination: tuple[float, str, float]
    treatments: tuple[TreatmentAnswer, ...]
    care: Mapping[str, CareAnswer]
    loss_gbp_per_msv: float
    unit: Literal["gbp", "qaly"]
    gbp_per_qaly: float
    origins: Mapping[str, Origin] = field(default_factory=dict)

    def origin(self, label: str) -> Origin:
        """Where the figures of a finding, a test, a context or of `PRIOR` come from."""
        return self.origins.get(label, Origin())


def more(d: Dialogue, year: int, causes: Sequence[str], known: Values, results: Values, context: Sequence[str]) -> More:
    """Ask what more there is to say, and then only that.

    Args:
        d: the dialogue.
        year: of the prices, unless another is answered.
        causes: labels of the conditions.
        known: what context, history and examination can show.
        results: what the tests can show.
        context: labels of the context variables, which `known` holds too.
    """
    d.begin(DETAIL)
    chosen = d.get(
        ("more",),
        f"Is there more to say? Any of: {', '.join(CHOICES)}. Enter for no.",
        partial(typed.choices, options=tuple(CHOICES), at_least=0),
        example="complications, radiation",
        explanation="Several with commas, or all. "
        + "; ".join(f"{name}: {what}" for name, what in CHOICES.items())
        + ".",
    )
    treatments = _treatments(d, causes) if "treatments" in chosen else ()
    items = (*results, *(of.label for of in treatments))
    doses = _doses(d, tuple(results)) if "radiation" in chosen else {}
    per_msv = GBP_PER_MSV
    if any(doses.values()):
        per_msv = d.get(
            ("per msv",), "What harm does 1 mSv do, in pounds?", typed.pounds, default=f"{GBP_PER_MSV:g}", example="3"
        )
    care = {label: _care(d, label, items, known, results, context, chosen, doses.get(label, 0.0)) for label in items}
    rate = GBP_PER_QALY
    if "QALYs" in chosen:
        asked = "How many pounds does one QALY (a year of life in full health) count for?"
        rate = d.get(("rate",), asked, _more_than_nothing, default=f"{GBP_PER_QALY:g}", example="20000")
    price_year, takes = _prices(d, year, ask="prices" in chosen)
    guideline, origins = USUAL, dict[str, Origin]()
    if "sources" in chosen:
        guideline = d.get(
            ("guideline",), "Which guideline do you have in mind?", typed.text, default=USUAL, example="NICE NG12"
        )
        origins = _origins(d, (*context, PRIOR, *(label for label in known if label not in context), *results))
    return More(
        guideline=guideline,
        price_year=price_year,
        history=takes["history"],
        examination=takes["examination"],
        treatments=treatments,
        care={label: of for label, of in care.items() if of != CareAnswer()},
        loss_gbp_per_msv=per_msv if any(doses.values()) else 0.0,
        unit="qaly" if "QALYs" in chosen else "gbp",
        gbp_per_qaly=rate,
        origins=origins,
    )


def _treatments(d: Dialogue, causes: Sequence[str]) -> tuple[TreatmentAnswer, ...]:
    labels = d.labels(
        "treatments",
        "Which treatments can be given before the end?",
        example="Oxygen",
        at_least=1,
        explanation="One or more, with commas between: what helps and does not end the journey.",
    )
    return tuple(_treatment(d, label, causes) for label in labels)


def _treatment(d: Dialogue, label: str, causes: Sequence[str]) -> TreatmentAnswer:
    cost, time, discomfort = d.get(
        (label, "takes"),
        f"{label}: cost in pounds, time it takes; discomfort?",
        lines.takes,
        example="20, 10 min, 5",
        explanation="With commas between; the discomfort, in pounds, may be left out.",
    )
    benefit = d.get(
        (label, "benefit"),
        f"{label}: what does it add, in pounds, with each condition?",
        partial(lines.figures, labels=causes, read=typed.amount),
        order=causes,
        example=" ".join("50" for _ in causes),
        explanation="A figure for each, in this order, added to what the decision is worth. Minus is harm. Or: 'Pneumonia "
        "200, otherwise -15'.",
    )
    waiting = d.get(
        (label, "waiting"),
        f"{label}: how much of the cost of delay is left, in per cent?",
        partial(lines.shares, labels=causes),
        order=causes,
        example=" ".join("50" for _ in causes),
        default="otherwise 100",
        explanation="100: it buys no time. 20: from then on each day of delay costs a fifth.",
    )
    return TreatmentAnswer(
        label, cost, time, discomfort, dict(zip(causes, benefit, strict=True)), dict(zip(causes, waiting, strict=True))
    )


def _doses(d: Dialogue, tests: Sequence[str]) -> dict[str, float]:
    found = d.get(
        ("dose",),
        "Radiation of each test, in mSv?",
        partial(lines.figures, labels=tests, read=typed.pounds),
        order=tests,
        example=" ".join("0.1" for _ in tests),
        explanation="A figure for each, in this order. A chest film is 0.02 to 0.1, a CT of the chest 5 to 7.",
    )
    return dict(zip(tests, found, strict=True))


def _care(
    d: Dialogue,
    label: str,
    items: Sequence[str],
    known: Values,
    results: Values,
    context: Sequence[str],
    chosen: Sequence[str],
    dose: float,
) -> CareAnswer:
    others = [item for item in items if item != label]
    facts = {**known, **{test: values for test, values in results.items() if test != label}}
    first = next(iter(facts.items()), None)
    fact = f"{first[0]} = {first[1][-1]}" if first else ""
    after: tuple[Facts, ...] = ()
    not_if: tuple[ContraindicationAnswer, ...] = ()
    complications: tuple[ComplicationAnswer, ...] = ()
    if "prerequisites" in chosen:
        after = d.get(
            (label, "after"),
            f"{label}: what must come first? Enter for nothing.",
            partial(lines.after, items=others, known=facts),
            example=others[0] if others else fact,
            explanation="The name of a test (whatever it shows), or a fact ('CRP = high'); several with 'and', or with 'or'.",
        )
    if "contraindications" in chosen:
        not_if = d.get(
            (label, "not if"),
            f"{label}: who must not have it? Enter for nobody.",
            partial(lines.not_if, known=facts, true=context),
            example=f"{fact}, {500 if first and first[0] in context else 0} because it would harm" if fact else "none",
            explanation="A fact, a comma, and the loss in pounds if it is done without knowing: 0 for what is found, which only "
            "forbids. Several with semicolons. Once the fact is known, the test or treatment cannot be ordered.",
        )
    if "complications" in chosen:
        complications = d.get(
            (label, "complications"),
            f"{label}: what can go wrong? Enter for nothing.",
            lines.complications,
            example="Bleeding, 1%, 3000; Stroke, 1 in 1000, 50000",
            explanation="Name, chance and loss in pounds, with commas between; several with semicolons.",
        )
    return CareAnswer(after, not_if, complications, dose)


def _prices(d: Dialogue, year: int, *, ask: bool) -> tuple[int, dict[str, tuple[float, str, float]]]:
    if not ask:
        return year, {what: lines.takes(usual) for what, usual in TAKES.items()}
    price_year = d.get(("year",), "Prices of which year?", typed.year, default=str(year), example=str(year))
    return price_year, {
        what: d.get(
            (what, "takes"),
            f"The {what}: cost in pounds, time it takes?",
            _without_discomfort,
            default=usual,
            example=usual,
        )
        for what, usual in TAKES.items()
    }


def _origins(d: Dialogue, of: Sequence[str]) -> dict[str, Origin]:
    return {
        label: d.get(
            (label, "source"),
            f"Where do the figures of {'how often each condition occurs' if label == PRIOR else label} come from?",
            lines.origin,
            example="read: Hamilton W et al. Thorax 2005;60:1059",
            explanation="A citation, after 'read:' if you have read at least its abstract. Enter if you estimate them.",
        )
        for label in of
    }


def _without_discomfort(answer: str) -> tuple[float, str, float]:
    found = lines.takes(answer)
    if found[2]:
        raise NotUnderstoodError("History and examination have no discomfort. Write cost and time: '20, 10 min'.")
    return found


def _more_than_nothing(answer: str) -> float:
    found = typed.pounds(answer)
    if not found:
        raise NotUnderstoodError("It has to count for something.")
    return found
