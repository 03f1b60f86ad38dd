"""Spoilt samples: one laboratory withholds what it cannot trust, the other reports it, and both leave a wrong picture."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from workup.envs.model.codes import MISSING
from workup.envs.records.cohorts import Cohort
from workup.studies.bias.exact import Exact
from workup.studies.bias.measures import Estimate, share
from workup.studies.bias.phenomenon import Exactly, Measured, Phenomenon

if TYPE_CHECKING:
    from matplotlib.axes import Axes

WITHHOLDS, REPORTS = 0, 1
TRUE = "raised or high, truly"


def _expected(exact: Exact) -> Exactly:
    model = exact.world.model
    p, taken, laboratory = exact.probability, exact.done("blood"), exact.value("laboratory")
    potassium = exact.value("potassium")
    o = model.observables.index("potassium")
    at = (
        model.value_rows.start[o] + model.value_rows.of_profile[o][:, None] + model.value_rows.of_hidden[o][None, :]
    ).ravel()
    raised = model.value_table[at, 1:].sum(axis=1)
    found = {TRUE: float((exact.weight[taken] * raised).sum() / p[taken].sum())}
    for lab, name in ((WITHHOLDS, "withholds"), (REPORTS, "reports")):
        there = taken & (laboratory == lab) & (potassium >= 0)
        found[f"raised or high, where it {name}"] = float(p[there & (potassium > 0)].sum() / p[there].sum())
    there = taken & (laboratory == WITHHOLDS)
    ill = exact.of_conditions(np.array([False, True]))
    missing = there & (potassium == MISSING)
    found["withheld, of the ill"] = float(ill[missing].sum() / ill[there].sum())
    found["withheld, of the well"] = float((p - ill)[missing].sum() / (p - ill)[there].sum())
    return found


def _estimate(cohort: Cohort) -> Measured:
    world = cohort.world
    taken = cohort.status[:, world.items.index("blood")] == 2
    o, lab = world.model.observables.index("potassium"), world.model.observables.index("laboratory")
    potassium, laboratory, ill = cohort.values[:, o], cohort.values[:, lab], cohort.condition == 1
    true: NDArray[np.bool_] = cohort.true_values[:, o] > 0
    found: dict[str, Estimate] = {TRUE: share(true[taken], TRUE)}
    for code, name in ((WITHHOLDS, "withholds"), (REPORTS, "reports")):
        there = taken & (laboratory == code) & (potassium >= 0)
        found[f"raised or high, where it {name}"] = share(potassium[there] > 0, f"raised where it {name}")
    there = taken & (laboratory == WITHHOLDS)
    found["withheld, of the ill"] = share(potassium[there & ill] == MISSING, "withheld of the ill")
    found["withheld, of the well"] = share(potassium[there & ~ill] == MISSING, "withheld of the well")
    return found


def _figure(axes: Axes, exact: Exactly, found: Measured) -> None:
    names = [TRUE, "raised or high, where it withholds", "raised or high, where it reports"]
    at = np.arange(len(names))
    axes.bar(at, [found[name].value for name in names], 0.6)
    axes.plot(at, [exact[name] for name in names], "k_", markersize=40)
    axes.set_xticks(at, ["truly", "laboratory\nthat withholds", "laboratory\nthat reports"])
    axes.set_ylabel("share with a raised or high potassium (strokes: exact)")


PHENOMENON = Phenomenon(
    name="haemolysis",
    title="Two ways to treat a spoilt sample, two wrong pictures",
    words=(
        "Some 12% of samples burst on the way, more of them in the sick. A laboratory that withholds their potassium leaves out more "
        "of the sick, so a raised potassium looks rarer than it is. One that reports it as measured makes it look much commoner. "
        "Neither is wrong about its samples; both are wrong about its patients."
    ),
    scenario="sample",
    policy="suspicion:disease:0",
    expected=_expected,
    estimate=_estimate,
    shows=lambda exact: (exact["raised or high, where it reports"] - exact[TRUE], 0.05),
    effect="share with a raised potassium where the laboratory reports all, less the true share",
    figure=_figure,
)
