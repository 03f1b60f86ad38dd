"""Range restriction: whoever gets a second look was alike in the first, so later findings spread less and go together less."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from workup.agents.baselines.suspicion import Suspicion
from workup.envs.model.world import World
from workup.envs.records.cohorts import Cohort
from workup.studies.bias.exact import Exact
from workup.studies.bias.measures import Estimate, correlation, spread
from workup.studies.bias.phenomenon import Exactly, Measured, Phenomenon

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Floats = NDArray[np.float64]
EVERYONE, CHOSEN, SCANNED = "everyone", "with a second look", "with a third look"


def _expected(exact: Exact) -> Exactly:
    first, mean, square = scale(exact.world, exact.value("first_look")), *_second(exact)
    found = {}
    for who, rows in ((EVERYONE, np.ones(len(first), np.bool_)), (CHOSEN, exact.done("blood"))):
        w = exact.weight[rows] / exact.weight[rows].sum()
        x, p = first[rows], w.sum(axis=1)
        ex, ey = float(p @ x), float((w @ mean).sum())
        vx, vy = float(p @ (x * x)) - ex * ex, float((w @ square).sum()) - ey * ey
        found[f"SD of the first look, {who}"], found[f"SD of the second look, {who}"] = math.sqrt(vx), math.sqrt(vy)
        found[f"correlation of both, {who}"] = (float(x @ (w @ mean)) - ex * ey) / math.sqrt(vx * vy)
    scanned, p = exact.done("scan"), exact.probability
    second = scale(exact.world, exact.value("second_look")[scanned])
    mean_of = p[scanned] @ second / p[scanned].sum()
    found[f"SD of the second look, {SCANNED}"] = math.sqrt(p[scanned] @ (second - mean_of) ** 2 / p[scanned].sum())
    return found


def _second(exact: Exact) -> tuple[Floats, Floats]:
    """(H,) mean and mean square of the second look given the hidden state, whether or not anybody looks."""
    model = exact.world.model
    o, rows = model.observables.index("second_look"), model.value_rows
    law = model.value_table[rows.start[o] + rows.of_profile[o][0] + rows.of_hidden[o], : model.n_values[o]]
    values = scale(exact.world, np.arange(law.shape[1], dtype=np.int16))
    return law @ values, law @ values**2


def _estimate(cohort: Cohort) -> Measured:
    world = cohort.world
    chosen = cohort.status[:, world.items.index("blood")] == 2
    first, second = (
        scale(world, cohort.true_values[:, world.model.observables.index(f"{each}_look")])
        for each in ("first", "second")
    )
    found: dict[str, Estimate] = {}
    for who, rows in ((EVERYONE, np.ones(len(first), np.bool_)), (CHOSEN, chosen)):
        found[f"SD of the first look, {who}"] = spread(first[rows], f"first look, {who}")
        found[f"SD of the second look, {who}"] = spread(second[rows], f"second look, {who}")
        found[f"correlation of both, {who}"] = correlation(first[rows], second[rows], f"looks, {who}")
    scanned = cohort.status[:, world.items.index("scan")] == 2
    found[f"SD of the second look, {SCANNED}"] = spread(second[scanned], f"second look, {SCANNED}")
    return found


def scale(world: World, codes: NDArray[np.int16]) -> Floats:
    """A look as the middle of its cell, in standard deviations."""
    cells = world.model.numeric_range[world.model.observables.index("first_look")].mean(axis=1)
    return np.asarray(cells[codes])


def pearson_lawley(r: float, share_of_sd: float) -> float:
    """Correlation of two variables among those selected on the first: its SD is `share_of_sd` of what it was, and the regression on
    it stays as it is (Pearson 1903, Lawley 1943; recalled)."""
    return r * share_of_sd / math.sqrt(1.0 - r * r + r * r * share_of_sd * share_of_sd)


def _formula(exact: Exactly) -> dict[str, tuple[float, float]]:
    kept = exact[f"SD of the first look, {CHOSEN}"] / exact[f"SD of the first look, {EVERYONE}"]
    name = f"correlation of both, {CHOSEN}"
    return {name: (pearson_lawley(exact[f"correlation of both, {EVERYONE}"], kept), exact[name])}


def _figure(axes: Axes, exact: Exactly, found: Measured) -> None:
    at, what = np.arange(3), ("SD of the first look", "SD of the second look", "correlation of both")
    for shift, who, hatch in ((-0.18, EVERYONE, ""), (0.18, CHOSEN, "//")):
        names = [f"{each}, {who}" for each in what]
        axes.bar(at + shift, [found[name].value for name in names], 0.34, label=who, hatch=hatch)
        axes.plot(at + shift, [exact[name] for name in names], "k_", markersize=18)
    axes.set_xticks(at, ["SD, first look", "SD, second look", "correlation"])
    axes.set_ylabel("bars: cohort, strokes: exact")
    axes.legend(fontsize="small")


def _steep(world: World) -> Suspicion:
    return Suspicion(world, "ill", slope=2.0, mean=0.3, name="suspicion:ill:2")


PHENOMENON = Phenomenon(
    name="range_restriction",
    title="Those who get a second look are alike",
    words=(
        "Only patients who looked sick at first have a second look, so among them the healthy end of the scale is missing: both looks "
        "spread less than in everyone, and go together less. A test that tells apart well in all comers tells apart less well "
        "there. Where disease is rare and selection weak the spread may also grow, for the few sick are then added to a narrow "
        "crowd: which of the two it is has to be measured."
    ),
    scenario="gates",
    policy=_steep,
    expected=_expected,
    estimate=_estimate,
    shows=lambda exact: (
        1.0 - exact[f"SD of the second look, {SCANNED}"] / exact[f"SD of the second look, {EVERYONE}"],
        0.30,
    ),
    effect="how much less the second look spreads among those who went on to a third than in everyone",
    formula=_formula,
    figure=_figure,
)
