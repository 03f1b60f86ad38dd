"""Prevalence after gates: each look lets the sicker through, so disease is commoner behind every gate."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from workup.envs.records.cohorts import Cohort
from workup.studies.bias.exact import Exact
from workup.studies.bias.measures import Estimate, ratio_of_shares, share
from workup.studies.bias.phenomenon import Exactly, Measured, Phenomenon

if TYPE_CHECKING:
    from matplotlib.axes import Axes

GATES = ("blood", "scan", "biopsy")


def _expected(exact: Exact) -> Exactly:
    ill, p = exact.of_conditions(np.array([False, True])), exact.probability
    well, among = p - ill, np.ones(len(p), np.bool_)
    found = {"ill among all": ill.sum()}
    for gate in GATES:
        through = exact.done(gate)
        found[f"ill among those with {gate}"] = ill[through].sum() / p[through].sum()
        found[f"passing the gate to {gate}, ill over well"] = (ill[through].sum() / ill[among].sum()) / (
            well[through].sum() / well[among].sum()
        )
        among = through
    return found


def _estimate(cohort: Cohort) -> Measured:
    ill, among = cohort.condition == 1, np.ones(len(cohort.patient), np.bool_)
    found: dict[str, Estimate] = {"ill among all": share(ill, "prevalence")}
    for gate in GATES:
        through = _has(cohort, gate)
        found[f"ill among those with {gate}"] = share(ill[through], f"prevalence among those with {gate}")
        found[f"passing the gate to {gate}, ill over well"] = ratio_of_shares(
            through[among & ill], through[among & ~ill], f"the gate to {gate}"
        )
        among = through
    return found


def _has(cohort: Cohort, item: str) -> NDArray[np.bool_]:
    return np.asarray(cohort.status[:, cohort.world.items.index(item)] == 2)


def _formula(exact: Exactly) -> dict[str, tuple[float, float]]:
    """logit p_k = logit p_0 + sum of log(a / b): a and b, who passes a gate among the ill and the well who reached it."""
    odds, found = exact["ill among all"] / (1.0 - exact["ill among all"]), {}
    for gate in GATES:
        odds *= exact[f"passing the gate to {gate}, ill over well"]
        name = f"ill among those with {gate}"
        found[name] = (odds / (1.0 + odds), exact[name])
    return found


def _figure(axes: Axes, exact: Exactly, found: Measured) -> None:
    names = ["ill among all", *(f"ill among those with {gate}" for gate in GATES)]
    at = np.arange(len(names))
    axes.plot(at, [exact[name] for name in names], color="black", linewidth=1, label="exact")
    spans = [found[name].interval(len(found)) for name in names]
    values = [found[name].value for name in names]
    errors = [
        [v - low for v, (low, _) in zip(values, spans, strict=True)],
        [high - v for v, (_, high) in zip(values, spans, strict=True)],
    ]
    axes.errorbar(at, values, yerr=errors, fmt="o", label="cohort")
    axes.set_yscale("logit")
    axes.set_xticks(at, ["everyone", *(f"with {gate}" for gate in GATES)])
    axes.set_ylabel("share who are ill")
    axes.legend(fontsize="small")


PHENOMENON = Phenomenon(
    name="gates",
    title="Behind every gate disease is commoner",
    words=(
        "Each look lets through those who look sicker. Behind the third gate disease is many times as common as at the door, though "
        "nothing about the disease has changed. The odds grow at each gate by how much likelier the ill are to pass it than the "
        "well, so figures from patients who had the last test are figures about those patients."
    ),
    scenario="gates",
    policy="suspicion:ill:1",
    expected=_expected,
    estimate=_estimate,
    shows=lambda exact: (exact["ill among those with biopsy"] / exact["ill among all"], 10.0),
    effect="prevalence behind the last gate over that of everyone",
    formula=_formula,
    figure=_figure,
)
