"""The database of the main demonstration: patients who had the bloods and the film, what it holds of them, and who is not in it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from workup.agents.baselines.suspicion import members
from workup.envs.model.codes import RESULT
from workup.envs.model.world import World
from workup.envs.records.absence import REASONS, requirements_met
from workup.envs.records.cohorts import Cohort
from workup.errors import UnknownNameError, WorkupError, suggestion
from workup.studies.bias.learning import Bools, Floats, logistic

Codes = NDArray[np.int16]
FeatureSet = Literal["everything", "linked"]
FEATURES: Final[Mapping[FeatureSet, str]] = MappingProxyType({
    "everything": "history, examination, bloods, film, age and sex",
    "linked": "bloods, film, age and sex: linked records without the history",
})  # fmt: skip


_USUAL: Final = ("normal", "no")
"""Words for a result that is as it should be."""


@dataclass(frozen=True)
class Question:
    """What is asked of which database."""

    scenario: str
    group: str
    """Whose presence is to be predicted; a registry knows it of everybody."""
    bloods: tuple[str, ...]
    film: str
    """Orders; the database is of patients with results of all of them."""
    threshold: float
    """Risk from which net benefit counts a patient as referred."""
    threshold_of: str
    young: tuple[str, ...]
    """Of the strata, whom the doctors seldom suspect."""
    strata: Mapping[str, Mapping[str, tuple[str, ...]]]
    """Finding -> name -> values that belong to it."""


QUESTIONS: Final[Mapping[str, Question]] = MappingProxyType({
    "weight_loss": Question(
        scenario="weight_loss",
        group="cancer",
        bloods=("count_and_markers", "kidney_and_liver"),
        film="chest_xray",
        threshold=0.03,
        threshold_of="the risk of 3% at which NICE NG12 asks for a referral",
        young=("under 50",),
        strata={
            "age": {
                "under 50": ("under_40", "40_to_49"),
                "50 to 59": ("50_to_54", "55_to_59"),
                "60 to 79": ("60_to_79",),
                "80 and over": ("80_plus",),
            },
            "sex": {"men": ("male",), "women": ("female",)},
            "frailty": {"fit": ("fit",), "mildly frail": ("mild",), "severely frail": ("severe",)},
        },
    ),
})  # fmt: skip


def question(name: str) -> Question:
    """The one of a scenario. Raises UnknownNameError naming the nearest."""
    if name not in QUESTIONS:
        raise UnknownNameError(f"no demonstration on {name!r}{suggestion(name, QUESTIONS)}")
    return QUESTIONS[name]


@dataclass(frozen=True, eq=False)
class Records:
    """n patients of a clinic."""

    world: World
    question: Question
    recorded: Codes
    """(n, O) what was reported, negative where nothing was."""
    true: Codes
    """(n, O) what is so."""
    ill: Bools
    testable: Bools
    """(n,) whom the scenario's rules allow the film; no doctor could have sent the others."""
    inside: Bools
    """(n,) in the database."""
    chance: Floats
    """(n,) the policy's probability of the way that led into the database, 1 elsewhere."""
    bled: Bools
    """(n,) had the bloods."""
    could: Bools
    """(n,) had the bloods, and nothing but the doctor's choice stood before the film."""
    strata: Mapping[str, Bools] = field(default_factory=dict)
    """Who -> (n,)."""

    @property
    def weights(self) -> Floats:
        """(patients inside,) 1 / chance."""
        return 1.0 / self.chance[self.inside]

    def estimated_weights(self) -> Floats:
        """The same as somebody estimates them who knows what was written down before each choice, of everybody: one logistic model
        of who was bled by history and examination, one of who was sent for the film by these and the bloods."""
        before = self.columns(("age", "sex", *self._of(tier=("history", "examination"))))
        after = (*before, *self.columns(self._of(items=self.question.bloods)))
        early, late = (encoded(self.world, self.recorded, names) for names in (before, after))
        bled = logistic(early, self.bled, what="who was bled")(early[self.inside])
        sent = logistic(late[self.could], self.inside[self.could], what="who was sent for the film")(late[self.inside])
        return np.asarray(1.0 / (bled * sent))

    def features(self, which: FeatureSet, *, true: bool) -> Floats:
        """(n, columns) as they truly are, or as they were recorded."""
        linked = ("age", "sex", *self._of(items=(*self.question.bloods, self.question.film)))
        names = linked if which == "linked" else (*linked, *self._of(tier=("history", "examination")))
        return encoded(self.world, self.true if true else self.recorded, self.columns(names))

    def before(self, *, history: bool) -> Floats:
        """(n, columns) what is so and can be known of everybody before anyone is sent for the film: age, sex and bloods, and if asked
        for history and examination."""
        names = (
            "age",
            "sex",
            *self._of(items=self.question.bloods),
            *(self._of(tier=("history", "examination")) if history else ()),
        )
        return encoded(self.world, self.true, self.columns(names))

    @property
    def young(self) -> Bools:
        """(n,) whom the doctors seldom suspect."""
        return np.logical_or.reduce([self.strata[name] for name in self.question.young])

    @property
    def normal(self) -> Bools:
        """(n,) whose bloods are all normal, in truth."""
        model = self.world.model
        names = self._of(items=self.question.bloods)
        usual = [
            model.network.variable(name).values.index(
                next(v for v in model.network.variable(name).values if v in _USUAL)
            )
            for name in names
        ]
        return np.asarray((self.true[:, [model.observables.index(name) for name in names]] == usual).all(axis=1))

    def columns(self, names: tuple[str, ...]) -> tuple[str, ...]:
        """Each once, in their order."""
        return tuple(dict.fromkeys(names))

    def _of(self, *, items: tuple[str, ...] = (), tier: tuple[str, ...] = ()) -> tuple[str, ...]:
        world, model = self.world, self.world.model
        return tuple(
            name
            for o, name in enumerate(model.observables)
            if (i := model.item_of[o]) >= 0
            and i < world.n_investigations
            and (world.items[i] in items or world.tier[i] in tier)
        )


def records_of(cohort: Cohort, asked: Question) -> Records:
    """What the question needs of a cohort.

    Raises:
        WorkupError: nobody is in the database, or everybody or nobody of those inside is ill.
    """
    world = cohort.world
    bloods, film = [world.items.index(name) for name in asked.bloods], world.items.index(asked.film)
    bled = (cohort.status[:, bloods] == RESULT).all(axis=1)
    inside = bled & (cohort.status[:, film] == RESULT)
    seen_on_film = int(np.flatnonzero(world.model.item_of == film)[0])
    left_out = cohort.absent[:, seen_on_film] == REASONS.index("not ordered")
    ill = members(world, asked.group)[cohort.condition]
    if not inside.any() or ill[inside].all() or not ill[inside].any():
        raise WorkupError(
            f"{int(inside.sum())} of {len(inside)} patients are in the database, {int(ill[inside].sum())} of them ill; a model needs both kinds"
        )
    return Records(
        world=world,
        question=asked,
        recorded=cohort.values,
        true=cohort.true_values,
        ill=ill,
        testable=allowed(world, asked, cohort.true_values),
        inside=inside,
        chance=np.where(inside, _chance_until(cohort, film), 1.0),
        bled=bled,
        could=bled & (inside | left_out),
        strata=strata_of(world, asked, cohort.true_values),
    )


def allowed(world: World, asked: Question, true: Codes) -> Bools:
    """(n,) whom the rules allow the film, once history, examination and bloods are known."""
    done = np.full((len(true), len(world.items)), RESULT, np.uint8)
    return requirements_met(world, true, done)[:, world.items.index(asked.film)]


def strata_of(world: World, asked: Question, true: Codes) -> dict[str, Bools]:
    """Who -> (n,)."""
    found: dict[str, Bools] = {}
    for finding, names in asked.strata.items():
        words = world.model.network.variable(finding).values
        column = true[:, world.model.observables.index(finding)]
        for name, values in names.items():
            found[name] = np.isin(column, [words.index(value) for value in values])
    return found


def encoded(world: World, codes: Codes, names: tuple[str, ...]) -> Floats:
    """(n, columns) a column for each value of each finding but its first, and one for having no value where somebody may have none."""
    columns: list[Bools] = []
    for name in names:
        column = codes[:, world.model.observables.index(name)]
        columns += [column == value for value in range(1, len(world.model.network.variable(name).values))]
        if world.model.item_of[world.model.observables.index(name)] >= 0:
            columns.append(column < 0)
    return np.stack(columns, axis=1).astype(np.float64)


def _chance_until(cohort: Cohort, item: int) -> Floats:
    """(n,) product of the propensities up to the order of an item; what was chosen afterwards had no part in it."""
    steps, n = cohort.steps, len(cohort.patient)
    order = next(
        a for a, action in enumerate(cohort.world.actions) if action.kind == "order" and action.items == (item,)
    )
    last = np.full(n, -1, np.int64)
    ordered = steps.action == order
    last[steps.journey[ordered]] = steps.step[ordered]
    counted = steps.step <= last[steps.journey]
    chance = np.ones(n)
    np.multiply.at(chance, steps.journey[counted], steps.propensity[counted].astype(np.float64))
    return chance
