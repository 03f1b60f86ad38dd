"""The scenario language: frozen models of what a clinician writes.

A scenario file is read by `workup.scenarios.language.reading.reader`, which strips the provenance of every figure
(`status`, `source`, `note`) into `Scenario.figures` and hands plain values to these models.
Shapes of the tables are described at `Distribution`; conditions on revealed facts at `When`.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, get_args

from pydantic import BeforeValidator, Field, WithJsonSchema

from workup.scenarios.language.amounts import Benefit, Money, Nested
from workup.scenarios.language.authorship import FigureRecord, Review, Source, Who
from workup.scenarios.language.durations import PATTERN, hours
from workup.scenarios.language.endings import UtilityUnit, Worth
from workup.scenarios.language.looks import LOOKS
from workup.scenarios.language.model import Model
from workup.scenarios.language.points import Score

Tier = Literal["history", "examination", "bedside", "bloods", "imaging", "invasive", "molecular"]
Urgency = Literal["emergency", "urgent", "routine"]
TIERS: tuple[str, ...] = (*get_args(Tier), "act")
"""Of any item, from what is asked first to acts."""
OPENING: tuple[str, ...] = TIERS[:2]
"""What a journey starts with: nothing else is legal before both."""

_DURATION_JSON = {"anyOf": [{"type": "string", "pattern": PATTERN.pattern}, {"const": 0}]}
DurationHours = Annotated[float, BeforeValidator(hours), WithJsonSchema(_DURATION_JSON)]
"""Written for people ('20 min', '2 h', '3 days', '6 weeks'), held in hours."""

Shown = Annotated[str, WithJsonSchema({"enum": list(LOOKS)})]

When = dict[str, Any] | tuple[dict[str, Any], ...]
"""A condition on revealed facts. A mapping is an 'and', a list of mappings an 'or'.

Keys are variables (`age: [60_to_69, 70_plus]`, `weight_loss: {at_least: 5}`, `{below: 5}`,
`{not: [a, b]}`, the word `unknown`), scores (`wells: likely`, `wells: {at_least: 4.5}`), or investigations and acts (`ct: done`,
with the words `not_done | pending | done | failed | refused`). A fact not yet revealed makes its clause false.
"""


class Modifier(Model):
    """Multiplies odds: of the last value of a yes/no variable (a number), or of each named value."""

    when: dict[str, Any]
    odds: float | dict[str, float]


class Distribution(Model):
    """The law of a variable given its parents.

    Exactly one of: `chance` (yes/no variables: the probability of the *last* value), `table`
    (value -> probability), both nested under the values of `given` in that order, e.g.
    `given: [condition, smoker]`, `chance: {lung_cancer: {ever: .6, never: .4}, otherwise: .02}`;
    keys may be groups of conditions; or `law` with its parameters, for a number that is itself the
    evidence. `given` may name an act (values `no`, `yes`): the finding after that treatment.
    """

    given: tuple[str, ...] = ()
    chance: Nested | None = None
    table: Nested | None = None
    law: Literal["normal", "lognormal"] | None = None
    mean: Nested | None = None
    sd: Nested | None = None
    median: Nested | None = None
    sigma: Nested | None = None
    modifiers: tuple[Modifier, ...] = ()


class Variable(Distribution):
    """A context variable, comorbidity, latent finding or finding.

    Categorical: `values` in order (left out: `no`, `yes`). Numeric: `unit`, `bands` {word: [from, to)} in
    ascending order (first, if wanted, a word without a number: `never: null`) and `evidence`: `band` (the band
    is all the evidence; the number is drawn inside it, `within` uniform or log_uniform, by a law free of the
    condition) or `number` (`law` truncated to `range`, recorded in cells of width `step`: every cell is then a
    value, `10_to_20`, and the bands are words for ranges of them).
    """

    label: str
    values: tuple[str, ...] | None = None
    unit: str | None = None
    bands: dict[str, tuple[float, float] | None] | None = None
    evidence: Literal["band", "number"] = "band"
    within: Literal["uniform", "log_uniform"] = "uniform"
    range: tuple[float, float] | None = None
    step: float | None = None
    ordinal: bool = False
    """Whether categorical values are ordered (bands always are)."""


class Finding(Variable):
    """A finding, or how another has changed: then the change is the evidence, given core variables and at most one act."""

    change_of: str | None = None
    """The finding that was seen before; the item that reveals this one requires it, and takes `after`."""
    after: DurationHours | None = None
    look: dict[str, str | dict[str, float | str]] | None = Field(default=None, exclude=True)
    """Look of what shows it -> by value, as a name or a number; or `itself`, for a number that is printed. No part of the content."""
    recorded: bool = True
    """Whether it is written down. What is not is seen by whoever meets the patient, policies included, and left out of cohorts."""


class Context(Variable):
    known: Literal["at_start", "when_revealed"] = "when_revealed"
    date: bool = False
    """An exposure with a date: the number is years before the consultation."""


class Progression(Model):
    to: str
    median_time: DurationHours
    """Time within which half of untreated patients have progressed (exponential law)."""


class Condition(Model):
    label: str
    urgency: Urgency = "routine"
    waiting_cost_gbp_per_day: Money = 0.0
    progression: Progression | None = None


class Complication(Distribution):
    label: str
    loss_gbp: Money
    major: bool = False


class Contraindication(Model):
    when: dict[str, Any]
    loss_gbp: Money
    why: str


class Refusal(Distribution):
    """Who refuses: every patient for whom `when` holds, or a `chance` given core variables."""

    when: dict[str, Any] | None = None


class Incidental(Distribution):
    label: str
    cost_gbp: float
    loss_gbp: Money = 0.0


class Orderable(Model):
    label: str
    reveals: tuple[str, ...] = ()
    cost_gbp: float = 0.0
    turnaround: DurationHours = 0.0
    dose_msv: float = 0.0
    discomfort_gbp: float = 0.0
    complications: dict[str, Complication] = Field(default_factory=dict)
    incidental: Incidental | None = None
    requires: tuple[dict[str, Any], ...] = ()
    """All must hold; each is a `When` mapping whose entries are alternatives joined by 'or'."""
    contraindicated: tuple[Contraindication, ...] = ()
    refusable: Refusal | None = None
    attempts: int = Field(default=1, ge=1, le=4)
    """How often it may be tried when a result fails (1: never repeated)."""
    uses: str | None = None
    set_up: str | None = None


class Investigation(Orderable):
    tier: Tier
    shown: Shown | None = Field(default=None, exclude=True)
    """As which kind of picture its result can be drawn; see `workup.scenarios.language.looks`. No part of the content."""


class Act(Orderable):
    """A treatment or other act that does not end the journey."""

    waiting_factor: dict[str, float] = Field(default_factory=dict)
    progression_factor: dict[str, float] = Field(default_factory=dict)
    benefit_gbp: dict[str, float] = Field(default_factory=dict)
    """Added to the utility of the journey's end, by condition (or group)."""
    benefit: Benefit | None = None
    """The same by patient and by decision; one of the two."""


class SetUp(Model):
    label: str
    cost_gbp: float = 0.0
    discomfort_gbp: float = 0.0


class OrderSet(Model):
    label: str
    members: tuple[str, ...]


class Mechanism(Distribution):
    """Why a result is not to be had as it is. `given` may end with the affected finding itself."""

    kind: Literal["fails", "unobtainable", "withheld", "corrupted"]
    """fails: no result from the investigation; unobtainable: cannot be had (no lesion to biopsy);
    withheld: the listed findings are missing from an otherwise reported result; corrupted: the
    listed findings are reported as another value, drawn from `reported`."""
    affects: tuple[str, ...]
    """Investigations (fails, unobtainable) or findings (withheld, corrupted)."""
    reported: dict[str, Any] | None = None
    """corrupted only: {true value: {reported value: probability}}."""
    charged: bool = True
    why: str


class Decision(Model):
    label: str
    kind: Literal["treat", "refer", "reassure", "supportive"]
    urgency: Urgency = "routine"
    right_for: tuple[str, ...]
    given: tuple[str, ...] = ("condition",)
    utility: Nested | None = None
    """In the scenario's unit, nested under `given` (the condition and context variables); or else `worth`."""
    worth: Worth | None = None
    """In parts: health, costs, beds, complications, transfers."""
    requires: tuple[dict[str, Any], ...] = ()
    """What must have been found or tried before it may be taken: as of an item, but once met, met for good."""


class Reward(Model):
    """A preset: weights of the components, and how a decision is scored."""

    label: str
    weights: dict[Literal["cost", "harm", "delay", "utility"], float]
    urgency_utility_gbp: dict[Urgency, dict[Urgency, float]] | None = None
    """Triage: utility by {urgency of the decision: {urgency of the condition}}; None: as `decisions`."""


class Rule(Model):
    do: str
    when: When = Field(default_factory=dict)
    why: str
    even_if_pending: bool = False
    """Of a decision: it is made although a test that was ordered has not come back, which is otherwise waited for. History and
    examination are waited for in any case."""


class GuidelineVersion(Model):
    """Another version of the guideline, as what it changes."""

    label: str
    rules: tuple[Rule, ...]
    """They come before those of the guideline, which is followed wherever none of them applies."""


class Expectation(Model):
    """One of the five, each optionally `when` a fact is revealed, or `at` a visit."""

    must: tuple[str, ...] | None = None
    must_not: tuple[str, ...] | None = None
    one_of: tuple[str, ...] | None = None
    before: tuple[str, str] | None = None
    """The first is ordered before the second, if the second is ordered at all."""
    within: dict[str, DurationHours] | None = None
    """{item: time}: ordered, and no later than this after the start."""
    when: When | None = None
    """The expectation counts only from the moment this holds."""
    at: int | None = None
    """The expectation looks at this visit alone (1 = the first consultation)."""
    why: str = ""


class Ceilings(Model):
    cost_gbp: float | None = None
    dose_msv: float | None = None
    harm_gbp: float | None = None
    risk: dict[str, float] = Field(default_factory=dict)
    """Summed probability of a named complication over the journey."""
    tests: int | None = None
    """Orders of any tier after examination."""


class Vignette(Model):
    title: str
    story: str
    context: dict[str, Any] = Field(default_factory=dict)
    findings: dict[str, Any] = Field(default_factory=dict)
    condition: str
    expect: tuple[Expectation, ...]
    decide: tuple[str, ...]
    ceilings: Ceilings = Ceilings()
    why: str


class Target(Model):
    """A published operating point the compiled model must reproduce within `tolerance`.

    `of` gives a conjunction of findings (reported values); `among` and `against` the two groups.
    sensitivity: P(of | among); specificity: 1 - P(of | against); likelihood_ratio: their ratio;
    predictive_value: P(among | of); prevalence: P(among | against), with `of` empty.
    """

    measure: Literal["sensitivity", "specificity", "likelihood_ratio", "predictive_value", "prevalence"]
    of: When = Field(default_factory=dict)
    among: dict[str, Any] = Field(default_factory=dict)
    against: dict[str, Any] = Field(default_factory=dict)
    value: float
    tolerance: float
    """Absolute for probabilities, relative for likelihood ratios."""
    why: str = ""


class Scenario(Model):
    """A whole case, checked. `digest` is the SHA-256 of its canonical JSON, 16 hex digits."""

    id: str
    title: str
    version: str
    about: str
    who: Who
    sources: dict[str, Source] = Field(default_factory=dict)
    groups: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    """Names for sets of conditions, usable wherever a condition is."""
    context: dict[str, Context]
    conditions: dict[str, Condition]
    prior: Distribution
    """Of the one principal cause: `table` over condition names, `given` context, `modifiers`."""
    comorbidities: dict[str, Variable] = Field(default_factory=dict)
    latent: dict[str, Variable] = Field(default_factory=dict)
    findings: dict[str, Finding]
    scores: dict[str, Score] = Field(default_factory=dict)
    set_ups: dict[str, SetUp] = Field(default_factory=dict)
    resources: dict[str, str] = Field(default_factory=dict)
    investigations: dict[str, Investigation]
    acts: dict[str, Act] = Field(default_factory=dict)
    order_sets: dict[str, OrderSet] = Field(default_factory=dict)
    availability: dict[str, Mechanism] = Field(default_factory=dict)
    loss_gbp_per_msv: Money = 0.0
    new_visit_after: DurationHours = 4.0
    utility: UtilityUnit
    decisions: dict[str, Decision]
    rewards: dict[str, Reward]
    guideline: tuple[Rule, ...]
    guideline_versions: dict[str, GuidelineVersion] = Field(default_factory=dict)
    vignettes: dict[str, Vignette] = Field(default_factory=dict)
    targets: dict[str, Target] = Field(default_factory=dict)
    max_steps: int = 40
    figures: tuple[FigureRecord, ...] = ()
    digest: str = ""
    written: str = Field(default="", exclude=True)
    """SHA-256 of all that its files say, provenance included, 64 hex digits: what a reviewer signs."""
    reviews: tuple[Review, ...] = Field(default=(), exclude=True)
    """Every signature beside the scenario, oldest first, whether it still counts or not."""
