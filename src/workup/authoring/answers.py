"""What an interview about a scenario gathers. It knows neither the terminal nor YAML, so a web page can fill it in too."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Facts = Mapping[str, str]
"""Label of a context variable or finding -> the value it must have."""


@dataclass(frozen=True)
class Origin:
    """Where figures come from: a citation, and whether the author read it; empty: the author's own estimate."""

    cite: str = ""
    read: bool = False


@dataclass(frozen=True)
class ContextAnswer:
    """What is known of a patient, or told when asked, before any finding."""

    label: str
    values: tuple[str, ...]
    shares: tuple[float, ...]
    """Of all patients, by value; they sum to 1."""
    at_start: bool
    origin: Origin


@dataclass(frozen=True)
class ConditionAnswer:
    """One of the possible causes."""

    label: str
    urgency: str
    waiting_cost_gbp_per_day: float


@dataclass(frozen=True)
class FindingAnswer:
    """A finding, and how often it has each value under each condition."""

    label: str
    values: tuple[str, ...]
    shares: Mapping[str, tuple[float, ...]]
    """Label of the condition -> probability of each value; each row sums to 1."""
    origin: Origin


@dataclass(frozen=True)
class OpeningAnswer:
    """The history or the examination: what it takes and what it can show."""

    cost_gbp: float
    turnaround: str
    findings: tuple[FindingAnswer, ...]


@dataclass(frozen=True)
class ContraindicationAnswer:
    """Who must not have something: where one fact holds."""

    label: str
    value: str
    loss_gbp: float
    """If it is done before that is known."""
    why: str


@dataclass(frozen=True)
class ComplicationAnswer:
    """What can go wrong."""

    label: str
    chance: float
    loss_gbp: float


@dataclass(frozen=True)
class CareAnswer:
    """What may stand between a patient and a test or treatment, and what it may do to them; nothing, if nothing was said."""

    after: tuple[Facts, ...] = ()
    """All must hold; the entries of one are alternatives. 'done' is a value of a test or treatment."""
    not_if: tuple[ContraindicationAnswer, ...] = ()
    complications: tuple[ComplicationAnswer, ...] = ()
    dose_msv: float = 0.0


@dataclass(frozen=True)
class TestAnswer:
    """An investigation with one result."""

    __test__ = False  # not a test of pytest's
    label: str
    tier: str
    cost_gbp: float
    turnaround: str
    discomfort_gbp: float
    finding: FindingAnswer


@dataclass(frozen=True)
class TreatmentAnswer:
    """Something that is done to help and does not end the journey."""

    label: str
    cost_gbp: float
    turnaround: str
    discomfort_gbp: float
    benefit_gbp: Mapping[str, float]
    """Label of the condition -> what it adds to the end of the journey."""
    waiting_factor: Mapping[str, float]
    """Label of the condition -> what is left of the cost of waiting from then on, 0 to 1."""


@dataclass(frozen=True)
class DecisionAnswer:
    """A way in which the journey may end."""

    label: str
    kind: str
    urgency: str
    right_for: tuple[str, ...]
    worth: Mapping[str, float]
    """Label of the condition -> utility, in the unit of the scenario."""


@dataclass(frozen=True)
class RuleAnswer:
    """What usual practice does, and when: if all facts of any one alternative are known to hold; always, if there is none."""

    do: str
    alternatives: tuple[Facts, ...]
    why: str


@dataclass(frozen=True)
class VignetteAnswer:
    """One patient to test a policy on."""

    title: str
    story: str
    condition: str
    context: Facts
    findings: Facts
    must: tuple[str, ...]
    must_not: tuple[str, ...]
    decide: tuple[str, ...]
    why: str


@dataclass(frozen=True)
class Answers:
    """Everything that a first draft of a scenario needs.

    Things are called by their labels, as the author wrote them; no two things have the same. A result is called by the
    label of its test.
    """

    title: str
    about: str
    authors: tuple[str, ...]
    setting: str
    guideline: str
    price_year: int
    context: tuple[ContextAnswer, ...]
    conditions: tuple[ConditionAnswer, ...]
    prior_by: str | None
    """The context variable on which the shares of the conditions depend, if they do."""
    prior: Mapping[str, tuple[float, ...]]
    """Value of `prior_by` ('' without one) -> share of each condition; each row sums to 1."""
    prior_origin: Origin
    history: OpeningAnswer
    examination: OpeningAnswer
    tests: tuple[TestAnswer, ...]
    treatments: tuple[TreatmentAnswer, ...]
    care: Mapping[str, CareAnswer]
    """Label of a test or treatment -> what was said of it under 'more detail'."""
    loss_gbp_per_msv: float
    unit: Literal["gbp", "qaly"]
    gbp_per_qaly: float
    decisions: tuple[DecisionAnswer, ...]
    rules: tuple[RuleAnswer, ...]
    """Tests first; the last decides and has no alternatives."""
    vignette: VignetteAnswer

    @property
    def findings(self) -> tuple[FindingAnswer, ...]:
        """Of history, examination and tests, in this order."""
        return (*self.history.findings, *self.examination.findings, *(test.finding for test in self.tests))


@dataclass(frozen=True)
class Question:
    """One question. `key` says what it is about, and stays the same when the interview is run again."""

    key: tuple[str, ...]
    text: str
    example: str = ""
    """An answer that would be understood here."""
    options: tuple[str, ...] = ()
    """What there is to choose from; () where anything may be answered."""
    order: tuple[str, ...] = ()
    """What the figures or words of the answer belong to, one after another; () where it is one thing."""
    explanation: str = ""
    """What is meant, and how it may be written."""
    default: str = field(default="", compare=False)
    """What an empty answer means; '' where an answer is needed, or where nothing is one."""
