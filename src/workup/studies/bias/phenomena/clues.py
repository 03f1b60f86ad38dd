"""Clues: what says where and how a picture was made passes for what it shows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from workup.agents.base import Agent
from workup.envs.model.world import World
from workup.envs.records.cohorts import Cohort
from workup.studies.bias.exact import Exact
from workup.studies.bias.measures import Estimate, auc, auc_of_law
from workup.studies.bias.phenomena.order import by_chance
from workup.studies.bias.phenomenon import Exactly, Measured, Phenomenon

if TYPE_CHECKING:
    from matplotlib.axes import Axes

CLUES = {"view": "frailty", "stain": "site"}
"""Clue -> what it gives away."""
SITES = ("practice", "district", "centre")


def _expected(exact: Exact) -> Exactly:
    ill = exact.of_conditions(np.array([False, True]))
    well, found = exact.probability - ill, {}
    for clue, of in CLUES.items():
        score, kind = exact.value(clue).astype(np.float64), exact.value(of)
        found[f"AUC of {clue}"] = auc_of_law(score, ill, well)
        # Balanced: every kind of patient has as many ill as well.
        even_ill, even_well = (_balanced(each, kind) for each in (ill, well))
        found[f"AUC of {clue}, {of} balanced"] = auc_of_law(score, even_ill, even_well)
    site = exact.value("site")
    for code, name in enumerate(SITES):
        at = site == code
        found[f"AUC of stain at the {name}"] = auc_of_law(
            exact.value("stain")[at].astype(np.float64), ill[at], well[at]
        )
    return found


def _balanced(p: NDArray[np.float64], kind: NDArray[np.int16]) -> NDArray[np.float64]:
    found = np.zeros(len(p))
    for each in np.unique(kind):
        found[kind == each] = p[kind == each] / p[kind == each].sum()
    return found


def _estimate(cohort: Cohort) -> Measured:
    observables, ill = cohort.world.model.observables, cohort.condition == 1
    found: dict[str, Estimate] = {}
    for clue, of in CLUES.items():
        score, kind = (cohort.values[:, observables.index(name)] for name in (clue, of))
        found[f"AUC of {clue}"] = auc(score.astype(np.float64), ill, clue)
        rows = _even(ill, kind)
        found[f"AUC of {clue}, {of} balanced"] = auc(score[rows].astype(np.float64), ill[rows], f"{clue}, balanced")
    site, stain = (cohort.values[:, observables.index(name)] for name in ("site", "stain"))
    for code, name in enumerate(SITES):
        at = site == code
        found[f"AUC of stain at the {name}"] = auc(stain[at].astype(np.float64), ill[at], f"stain at the {name}")
    return found


def _even(ill: NDArray[np.bool_], kind: NDArray[np.int16]) -> NDArray[np.int64]:
    """Rows such that every kind has the same number of ill and of well patients, as many as the smallest group has."""
    groups = [np.flatnonzero((kind == each) & (ill == state)) for each in np.unique(kind) for state in (False, True)]
    size = min(len(group) for group in groups)
    return np.concatenate([group[:size] for group in groups])


def _figure(axes: Axes, exact: Exactly, found: Measured) -> None:
    names = list(found)
    at = np.arange(len(names))
    axes.barh(at, [found[name].value for name in names], 0.6)
    axes.plot([exact[name] for name in names], at, "k|", markersize=14)
    axes.axvline(0.5, linewidth=0.8, color="grey")
    axes.set_yticks(at, [name.removeprefix("AUC of ") for name in names])
    axes.invert_yaxis()
    axes.set_xlim(0.4, 0.8)
    axes.set_xlabel("AUC for cancer of the clue alone (strokes: exact)")


def _everybody(world: World) -> Agent:
    return by_chance(world)


PHENOMENON = Phenomenon(
    name="clues",
    title="The film knows who lay in bed, the slide where it was stained",
    words=(
        "The frail are filmed in bed, and are ill more often; the centre stains its slides pink, and sees more cancers. So the way a "
        "picture was made predicts disease without looking at the patient. Balance frailty or site and the clue is worth nothing; at "
        "a single site the stain says nothing at all, which is why a model must be tried where it was not made."
    ),
    scenario="film_and_slide",
    policy=_everybody,
    expected=_expected,
    estimate=_estimate,
    shows=lambda exact: (min(exact["AUC of view"], exact["AUC of stain"]), 0.65),
    effect="AUC of the weaker clue alone",
    figure=_figure,
)
