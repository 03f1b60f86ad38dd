"""Order and time as information: when a test was done says what somebody knew who is not in the data."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from workup.agents.base import Needs, StochasticAgent
from workup.agents.opening import finish, journey_is_open, opening_actions, opening_choices
from workup.envs.engine.types import JourneyView
from workup.envs.model.codes import NOT_ORDERED
from workup.envs.model.world import World
from workup.envs.records.cohorts import Cohort
from workup.studies.bias.exact import Exact
from workup.studies.bias.measures import Estimate, auc, auc_of_law
from workup.studies.bias.phenomenon import Exactly, Measured, Phenomenon

if TYPE_CHECKING:
    from matplotlib.axes import Axes


class FilmOrSlideFirst(StochasticAgent):
    """Does film and slide in everybody; the slide comes first with one probability in the frail and another in the fit."""

    needs: Needs = "belief"

    def __init__(self, world: World, *, frail: float = 0.9, fit: float = 0.1) -> None:
        """frail, fit: probability that the slide comes first, in [0, 1]."""
        self.name, self._world = f"slide first in {frail:g} of the frail and {fit:g} of the fit", world
        self._opening = opening_actions(world)
        self._chance = np.array([fit, frail])
        single = {a.items[0]: index for index, a in enumerate(world.actions) if a.kind == "order"}
        self._items = [world.items.index(name) for name in ("film", "slide")]
        self._actions = [single[item] for item in self._items]
        self._frailty = world.model.observables.index("frailty")

    def probabilities(self, view: JourneyView) -> NDArray[np.float64]:
        """See `StochasticAgent.probabilities`."""
        rows, chances = np.arange(len(view.mask)), np.zeros(view.mask.shape)
        new = view.status[:, self._items] == NOT_ORDERED
        left = np.where(new[:, 0], self._actions[0], np.where(new[:, 1], self._actions[1], -1))
        chosen = np.where(journey_is_open(view), left, opening_choices(view, self._opening))
        both = journey_is_open(view) & new.all(axis=1)
        sure = rows[~both]
        chances[sure, finish(self._world, view, chosen)[sure]] = 1.0
        first = self._chance[np.maximum(view.values[both, self._frailty], 0)]
        chances[rows[both], self._actions[1]], chances[rows[both], self._actions[0]] = first, 1.0 - first
        return chances


def by_chance(world: World) -> FilmOrSlideFirst:
    """The same in a random order: then order says nothing."""
    return FilmOrSlideFirst(world, frail=0.5, fit=0.5)


def _score(
    shadow: NDArray[np.int16], cells: NDArray[np.int16], slide_first: NDArray[np.bool_] | None, world: World, law: Law
) -> NDArray[np.float64]:
    """(n,) probability of cancer given film and slide and, if told, which came first, under the law of everyone."""
    key = shadow.astype(np.int64) * 3 + cells + (0 if slide_first is None else 9 * slide_first)
    return law[key]


Law = NDArray[np.float64]
"""Probability of cancer by shadow, cells and, if told, which came first."""


def _law(exact: Exact, chance: NDArray[np.float64], told: bool) -> Law:
    """By Bayes from the exact law; chance (2,): that the slide comes first, by frailty."""
    shadow, cells, frail = (exact.value(name).astype(np.int64) for name in ("shadow", "cells", "frailty"))
    ill = exact.of_conditions(np.array([False, True]))
    law = np.zeros((2, 18))
    for first, p in ((1, chance[frail]), (0, 1.0 - chance[frail])):
        key = shadow * 3 + cells + 9 * first * told
        np.add.at(law[1], key, ill * p)
        np.add.at(law[0], key, (exact.probability - ill) * p)
    total = law.sum(axis=0)
    return np.asarray(np.divide(law[1], total, out=np.zeros(18), where=total > 0.0))


def _of(exact: Exact, chance: NDArray[np.float64]) -> tuple[float, float]:
    """AUC of film and slide, without and with their order."""
    shadow, cells, frail = (exact.value(name) for name in ("shadow", "cells", "frailty"))
    ill = exact.of_conditions(np.array([False, True]))
    well = exact.probability - ill
    found = []
    for told in (False, True):
        law = _law(exact, chance, told)
        scores, a, b = [], [], []
        for first, p in ((True, chance[frail]), (False, 1.0 - chance[frail])):
            mark = np.full(len(shadow), first) if told else None
            scores.append(_score(shadow, cells, mark, exact.world, law))
            a.append(ill * p)
            b.append(well * p)
        found.append(auc_of_law(np.concatenate(scores), np.concatenate(a), np.concatenate(b)))
    return found[0], found[1]


_CHANCE, _EVEN = np.array([0.1, 0.9]), np.array([0.5, 0.5])
WITHOUT, WITH = "AUC of film and slide", "AUC of film, slide and which came first"


def _expected(exact: Exact) -> Exactly:
    without, with_order = _of(exact, _CHANCE)
    even, even_with = _of(exact, _EVEN)
    return {WITHOUT: without, WITH: with_order, "gain where the order is random": even_with - even}


def _estimate(cohort: Cohort) -> Measured:
    world, model = cohort.world, cohort.world.model
    shadow, cells = (cohort.values[:, model.observables.index(name)] for name in ("shadow", "cells"))
    film, slide = (cohort.ordered_at_h[:, world.items.index(name)] for name in ("film", "slide"))
    ill, first = cohort.condition == 1, slide < film
    found: dict[str, Estimate] = {}
    for name, key in ((WITHOUT, shadow * 3 + cells), (WITH, shadow * 3 + cells + 9 * first)):
        # Cross-fitted: half of the patients say how likely cancer is in a cell of the other half.
        score = np.zeros(len(key))
        for half in (0, 1):
            learn = np.arange(len(key)) % 2 == half
            n, k = np.bincount(key[learn], minlength=18), np.bincount(key[learn & ill], minlength=18)
            score[~learn] = ((k + 0.5) / (n + 1.0))[key[~learn]]
        found[name] = auc(score, ill, name)
    return found


def _figure(axes: Axes, exact: Exactly, found: Measured) -> None:
    at = np.arange(2)
    axes.bar(at, [found[name].value for name in (WITHOUT, WITH)], 0.5)
    axes.plot(at, [exact[name] for name in (WITHOUT, WITH)], "k_", markersize=40)
    axes.set_xticks(at, ["values", "values and order"])
    axes.set_ylim(0.5, 1.0)
    axes.set_ylabel("AUC for cancer (strokes: exact)")


PHENOMENON = Phenomenon(
    name="order",
    title="Which came first is a finding",
    words=(
        "Everybody has both tests, so nothing is missing. In the frail the slide is mostly done first, in the fit the film; frailty is "
        "in the doctor's eyes and not in the linked data. A model that is told times does better than one that is not, for it "
        "reads frailty off the clock. In random order it gains nothing."
    ),
    scenario="film_and_slide",
    policy=lambda world: FilmOrSlideFirst(world),
    expected=_expected,
    estimate=_estimate,
    shows=lambda exact: (exact[WITH] - exact[WITHOUT], 0.01),
    effect="AUC with the order less AUC without",
    figure=_figure,
)
