"""How well predictions do, with what each patient contributes, so that two models can be compared on the same patients."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from workup.errors import WorkupError
from workup.studies.bias.learning import Bools, Floats
from workup.studies.bias.measures import placements

MEASURES: Final = ("auc", "observed_over_expected", "calibration_slope", "net_benefit")
"""Net benefit in true positives for 1,000 patients (Vickers and Elkin, Med Decis Making 2006;26:565)."""
FEWEST_ILL: Final = 10
"""Ill or well patients below which a group is left out."""
_LIMIT: Final = 1e-9
_Z: Final = 1.959964


@dataclass(frozen=True, eq=False)
class Judged:
    """A measure of one model on n patients."""

    value: float
    """Observed/expected as its logarithm, where errors add."""
    influence: Floats
    """(n,) with mean 0: what each patient pulls."""

    @property
    def se(self) -> float:
        """By the patients tested, the model being given."""
        return math.sqrt(float((self.influence**2).mean()) / len(self.influence))


Judgement = Mapping[str, Judged]
"""By MEASURES."""
Figures = Mapping[str, tuple[float, float]]
"""By MEASURES, a value and its standard error by the patients tested."""


def judge(p: Floats, ill: Bools, threshold: float) -> Judgement | None:
    """All measures of probabilities p (n,), without the calibration slope where it has none; None of a group with fewer than
    `FEWEST_ILL` ill or well patients.

    Raises:
        WorkupError: predictions that are no finite numbers.
    """
    if not np.isfinite(p).all():
        raise WorkupError(f"{int((~np.isfinite(p)).sum())} of {len(p)} predictions are no finite numbers")
    if min(ill.sum(), (~ill).sum()) < FEWEST_ILL:
        return None
    y = ill.astype(np.float64)
    referred = p >= threshold
    worth = np.where(referred, np.where(ill, 1_000.0, -1_000.0 * threshold / (1.0 - threshold)), 0.0)
    found = {
        "auc": _auc(p, ill),
        "observed_over_expected": Judged(math.log(y.mean() / p.mean()), y / y.mean() - p / p.mean()),
        "net_benefit": Judged(float(worth.mean()), worth - worth.mean()),
    }
    slope = _slope(p, y)
    return found if slope is None else {**found, "calibration_slope": slope}


def less(a: Judgement, b: Judgement) -> Judgement:
    """What the first has more than the second on the same patients; observed/expected as a ratio."""
    return {
        name: Judged(a[name].value - b[name].value, a[name].influence - b[name].influence) for name in a if name in b
    }


def figures(judged: Judgement) -> Figures:
    """What is kept of a judgement: each measure with its standard error."""
    return {name: (each.value, each.se) for name, each in judged.items()}


def over_seeds(found: Sequence[Figures]) -> dict[str, dict[str, Any]]:
    """Of one judgement a seed: the mean with two 95% intervals. `seeds` is Student's over the seeds, each with other training and
    other test patients, so it holds both; `patients` takes the models as given. None where there are fewer than three seeds.

    Returns:
        measure -> {"value", "seeds": [low, high] or None, "patients": [low, high]}, observed/expected also with what a model "expects".
    """
    told: dict[str, dict[str, Any]] = {}
    for name in MEASURES:
        if not all(name in each for each in found):
            continue
        log = name == "observed_over_expected"
        values, errors = zip(*(each[name] for each in found), strict=True)
        told[name] = interval(values, errors, log=log)
        if log:
            told[name]["expects"] = sign(told[name])
    return told


def interval(values: Sequence[float], errors: Sequence[float] | None = None, *, log: bool = False) -> dict[str, Any]:
    """See `over_seeds`; of logarithms it gives back what they are of. Without errors there is no interval by patients."""
    k, mean = len(values), float(np.mean(values))
    of = math.exp if log else float
    seeds = None
    if k >= 3:
        from scipy.special import stdtrit

        spread = float(stdtrit(k - 1, 0.975)) * float(np.std(values, ddof=1)) / math.sqrt(k)
        seeds = [of(mean - spread), of(mean + spread)]
    if errors is None:
        return {"value": of(mean), "seeds": seeds, "patients": None}
    half = _Z * math.sqrt(float((np.array(errors) ** 2).sum())) / k
    return {"value": of(mean), "seeds": seeds, "patients": [of(mean - half), of(mean + half)]}


def sign(ratio: Mapping[str, Any]) -> str:
    """Whether a model expects too many (observed/expected under 1) or too few, where all its intervals say so; else undecided."""
    known = [each for each in (ratio["seeds"], ratio["patients"]) if each is not None]
    if all(high < 1.0 for _, high in known):
        return "too many"
    return "too few" if all(low > 1.0 for low, _ in known) else "undecided"


def _auc(p: Floats, ill: Bools) -> Judged:
    of_ill, of_well = placements(p[ill], p[~ill]), 1.0 - placements(p[~ill], p[ill])
    value, influence = float(of_ill.mean()), np.empty(len(p))
    influence[ill] = (of_ill - value) / ill.mean()
    influence[~ill] = (of_well - value) / (1.0 - ill.mean())
    return Judged(value, influence)


def _slope(p: Floats, y: Floats) -> Judged | None:
    """Coefficient of the log-odds in a logistic regression of what came on what was predicted; None where it has no finite one."""
    inside = np.clip(p, _LIMIT, 1.0 - _LIMIT)
    logit = np.log(inside) - np.log1p(-inside)
    x = np.stack([np.ones(len(p)), logit - logit.mean()])
    at, loss = np.array([logit.mean(), 1.0]), math.inf
    step = np.zeros(2)
    for _ in range(100):
        score = at @ x
        now = float((np.logaddexp(0.0, score) - y * score).mean())
        if now > loss + 1e-12:  # too far: half of it
            step /= 2.0
            at = at - step
            continue
        chance = 1.0 / (1.0 + np.exp(-np.clip(score, -500.0, 500.0)))
        r, hessian = y - chance, (x * (chance * (1.0 - chance))) @ x.T / len(p)
        if not np.linalg.det(hessian) > 1e-14:
            return None
        loss, inverse = now, np.linalg.inv(hessian)
        step = inverse @ (x @ r / len(p))
        if np.abs(step).max() < 1e-10:
            return Judged(float(at[1]), (inverse[1] @ x) * r)
        at = at + step
    return None
