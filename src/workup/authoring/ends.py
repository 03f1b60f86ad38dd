"""How the journey can end."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from workup.authoring import lines
from workup.authoring.answers import DecisionAnswer
from workup.authoring.dialogue import Dialogue
from workup.authoring.parts import ENDS


def ending_decisions(d: Dialogue, causes: Sequence[str]) -> tuple[DecisionAnswer, ...]:
    """The decisions, what each is worth and what it is right for."""
    d.begin(ENDS)
    labels = d.labels(
        "decisions",
        "Which decisions can end the journey? Name last what is done when nothing speaks for another.",
        example="Refer, Treat as pneumonia, Reassure",
        at_least=1,
        explanation="One or more, with commas between. What each is worth is asked next.",
    )
    worths = {label: _worth(d, label, causes) for label in labels}
    best = [max(labels, key=lambda label: worths[label][2][at]) for at in range(len(causes))]
    shown = ", ".join(best) if set(best) == set(labels) else ""
    fits = ", ".join([*labels, *(labels[-1],) * len(causes)][: len(causes) - 1])
    joined = " + ".join(labels[max(0, len(causes) - 1) :]) or labels[-1]
    right = d.get(
        ("right",),
        "Which decision is right for each condition?",
        partial(lines.right, causes=causes, decisions=labels),
        order=causes,
        example=f"{fits}, {joined}" if fits else joined,
        default=shown,
        explanation="One for each condition, in this order, with commas between; two for one as 'Treat + Refer'. Their "
        f"numbers do too: {', '.join(f'{n} {label}' for n, label in enumerate(labels, 1))}.",
        note=lambda found: "; ".join(f"{label}: {', '.join(of)}" for label, of in found.items()),
    )
    return tuple(
        DecisionAnswer(label, kind, urgency, right[label], dict(zip(causes, worth, strict=True)))
        for label, (kind, urgency, worth) in worths.items()
    )


def _worth(d: Dialogue, label: str, causes: Sequence[str]) -> tuple[str, str, tuple[float, ...]]:
    return d.get(
        (label, "worth"),
        f"{label}: kind, urgency, and its worth in pounds with each condition?",
        partial(lines.decision, labels=causes),
        order=causes,
        example=" ".join(("refer urgent", "0", *("-2000",) * (len(causes) - 1))),
        explanation=f"Kind: {', '.join(lines.KINDS)}. Urgency: {', '.join(lines.URGENCIES)}. Then a figure for each "
        "condition, in this order, in pounds: 0 is the best that can happen to this patient, minus is harm. (If you think "
        "in QALYs, give all in QALYs and say so under 'more detail'.)",
        note=lambda found: (
            f"{found[0]}, {found[1]}; "
            + ", ".join(f"{cause} {worth:g}" for cause, worth in zip(causes, found[2], strict=True))
        ),
    )
