"""Informative presence: that a test was done says that somebody was worried."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from workup.envs.records.cohorts import Cohort
from workup.studies.bias.exact import Exact
from workup.studies.bias.measures import Estimate, auc, auc_of_law, share
from workup.studies.bias.phenomenon import Exactly, Measured, Phenomenon

if TYPE_CHECKING:
    from matplotlib.axes import Axes

TESTS = ("blood", "scan", "biopsy")


def _counts(status: NDArray[np.uint8], items: tuple[str, ...]) -> NDArray[np.float64]:
    return np.asarray((status[:, [items.index(test) for test in TESTS]] == 2).sum(axis=1).astype(np.float64))


def _expected(exact: Exact) -> Exactly:
    ill = exact.of_conditions(np.array([False, True]))
    well, count = exact.probability - ill, _counts(exact.status, exact.world.items)
    return {
        "AUC of the number of tests": auc_of_law(count, ill, well),
        **{
            f"ill with {k} tests": ill[count == k].sum() / exact.probability[count == k].sum()
            for k in range(len(TESTS) + 1)
        },
    }


def _estimate(cohort: Cohort) -> Measured:
    ill, count = cohort.condition == 1, _counts(cohort.status, cohort.world.items)
    found: dict[str, Estimate] = {"AUC of the number of tests": auc(count, ill, "number of tests")}
    for k in range(len(TESTS) + 1):
        found[f"ill with {k} tests"] = share(ill[count == k], f"prevalence with {k} tests")
    return found


def _figure(axes: Axes, exact: Exactly, found: Measured) -> None:
    at = np.arange(len(TESTS) + 1)
    axes.bar(at, [found[f"ill with {k} tests"].value for k in at], 0.6)
    axes.plot(at, [exact[f"ill with {k} tests"] for k in at], "k_", markersize=30)
    axes.set_yscale("log")
    axes.set_xticks(at, [str(k) for k in at])
    axes.set_xlabel("tests that were done, whatever they showed")
    axes.set_ylabel("share who are ill (strokes: exact)")


PHENOMENON = Phenomenon(
    name="presence",
    title="That a test was done is a finding",
    words=(
        "Nobody reads the results here: the number of tests alone tells the ill from the well, because doctors test those who worry "
        "them. A model that is given which values are missing learns the doctors, and forgets them where other doctors work. Where "
        "tests are ordered by chance alone and nothing stands in their way, the number says nothing (an AUC of one half)."
    ),
    scenario="gates",
    policy="suspicion:ill:1",
    expected=_expected,
    estimate=_estimate,
    shows=lambda exact: (exact["AUC of the number of tests"], 0.65),
    effect="AUC of the number of tests",
    figure=_figure,
)
