"""Partial verification: the reference standard is done more often where the test is positive."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from workup.envs.records.cohorts import Cohort
from workup.studies.bias.exact import Exact
from workup.studies.bias.measures import Estimate, ratio_of_shares, share
from workup.studies.bias.phenomenon import Exactly, Measured, Phenomenon

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def observed(sensitivity: float, specificity: float, r: float) -> tuple[float, float]:
    """Sensitivity and specificity among the verified, where verification depends on the test alone and is r times as likely after
    a positive one: Se r / (Se r + 1 - Se) and Sp / (Sp + r (1 - Sp)) (Begg and Greenes, Biometrics 1983;39:207, recalled)."""
    return (
        sensitivity * r / (sensitivity * r + 1.0 - sensitivity),
        specificity / (specificity + r * (1.0 - specificity)),
    )


def _expected(exact: Exact) -> Exactly:
    ill, p = exact.of_conditions(np.array([False, True])), exact.probability
    positive, seen = exact.value("test") == 1, exact.done("biopsy")
    well = p - ill
    return {
        "sensitivity of everyone": ill[positive].sum() / ill.sum(),
        "specificity of everyone": well[~positive].sum() / well.sum(),
        "sensitivity among the verified": ill[positive & seen].sum() / ill[seen].sum(),
        "specificity among the verified": well[~positive & seen].sum() / well[seen].sum(),
        "verified if positive over verified if negative": (p[positive & seen].sum() / p[positive].sum())
        / (p[~positive & seen].sum() / p[~positive].sum()),
    }


def _estimate(cohort: Cohort) -> Measured:
    world = cohort.world
    test, biopsy = world.model.observables.index("test"), world.items.index("biopsy")
    positive, seen, ill = cohort.values[:, test] == 1, cohort.status[:, biopsy] == 2, cohort.condition == 1
    found: dict[str, Estimate] = {
        "sensitivity of everyone": share(positive[ill], "sensitivity"),
        "specificity of everyone": share(~positive[~ill], "specificity"),
        "sensitivity among the verified": share(positive[ill & seen], "sensitivity among the verified"),
        "specificity among the verified": share(~positive[~ill & seen], "specificity among the verified"),
        "verified if positive over verified if negative": ratio_of_shares(
            seen[positive], seen[~positive], "verification"
        ),
    }
    return found


def _formula(exact: Exactly) -> dict[str, tuple[float, float]]:
    r = exact["verified if positive over verified if negative"]
    sensitivity, specificity = observed(exact["sensitivity of everyone"], exact["specificity of everyone"], r)
    return {
        "sensitivity among the verified": (sensitivity, exact["sensitivity among the verified"]),
        "specificity among the verified": (specificity, exact["specificity among the verified"]),
    }


def _figure(axes: Axes, exact: Exactly, found: Measured) -> None:
    r = np.geomspace(1.0, 30.0, 60)
    true = exact["sensitivity of everyone"], exact["specificity of everyone"]
    curves = np.array([observed(*true, float(each)) for each in r])
    axes.plot(r, curves[:, 0], label="sensitivity, by formula")
    axes.plot(r, curves[:, 1], linestyle="--", label="specificity, by formula")
    at = exact["verified if positive over verified if negative"]
    for name, marker in (("sensitivity", "o"), ("specificity", "s")):
        each = found[f"{name} among the verified"]
        low, high = each.interval(len(found))
        axes.errorbar(
            [at],
            [each.value],
            yerr=[[each.value - low], [high - each.value]],
            fmt=marker,
            color="black",
            label=f"{name}, cohort",
        )
        axes.axhline(exact[f"{name} of everyone"], linewidth=0.8, color="grey")
    axes.set_xscale("log")
    axes.set_xlabel("how many times as likely to be verified after a positive test")
    axes.set_ylabel("among the verified")
    axes.legend(fontsize="small")


PHENOMENON = Phenomenon(
    name="verification",
    title="A test looks better where only its positives are checked",
    words=(
        "Whoever has a positive test is sent for the reference standard, whoever has a negative one mostly is not. Among those who "
        "were verified, patients whom the test missed are rare, because nobody looked for them: sensitivity comes out too high. "
        "Healthy people with a negative test are missing too, so specificity comes out too low."
    ),
    scenario="two_by_two",
    policy="suspicion:ill:1",
    expected=_expected,
    estimate=_estimate,
    shows=lambda exact: (exact["sensitivity among the verified"] - exact["sensitivity of everyone"], 0.08),
    effect="sensitivity among the verified less that of everyone",
    formula=_formula,
    figure=_figure,
)
