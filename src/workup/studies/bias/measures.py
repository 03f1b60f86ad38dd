"""What is measured in a cohort, each with its standard error, and how it is held against an exact value."""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from workup.errors import WorkupError

FAMILYWISE = 0.999
"""Coverage of all intervals of a phenomenon together."""
FEWEST = 30
"""Patients below which nothing is estimated."""


@dataclass(frozen=True)
class Estimate:
    """A number of a cohort."""

    value: float
    se: float
    """Standard error."""
    n: int
    """Patients it rests on."""

    def interval(self, of: int = 1, level: float = FAMILYWISE) -> tuple[float, float]:
        """Within which the truth lies with probability `level` for all of `of` estimates together (Bonferroni)."""
        half = quantile(of, level) * self.se
        return self.value - half, self.value + half

    def detects(self, exact: float, of: int = 1, power: float = 0.9) -> float:
        """The smallest relative error of an exact value that the interval would exclude with this power."""
        return (quantile(of) + NormalDist().inv_cdf(power)) * self.se / abs(exact)


@dataclass(frozen=True)
class Share(Estimate):
    """How often something holds; its interval is Wilson's, within 0 and 1."""

    def interval(self, of: int = 1, level: float = FAMILYWISE) -> tuple[float, float]:
        """As of `Estimate`."""
        z, p, n = quantile(of, level), self.value, self.n
        centre, half = p + z * z / (2 * n), z * math.sqrt(p * (1.0 - p) / n + z * z / (4.0 * n * n))
        return (centre - half) / (1.0 + z * z / n), (centre + half) / (1.0 + z * z / n)


def quantile(of: int = 1, level: float = FAMILYWISE) -> float:
    """Standard errors on either side, for `of` intervals that all hold with probability `level`."""
    return NormalDist().inv_cdf(1.0 - (1.0 - level) / (2.0 * of))


def share(hits: NDArray[np.bool_], what: str) -> Share:
    """How often something holds; `what` names it in errors.

    Raises:
        WorkupError: fewer than `FEWEST` patients.
    """
    n = _enough(len(hits), what)
    p = float(hits.mean())
    # By Wilson's centre, so that a share of none or of all has an error too.
    z = quantile()
    centre = (p * n + z * z / 2.0) / (n + z * z)
    return Share(p, math.sqrt(centre * (1.0 - centre) / n), n)


def ratio_of_shares(a: NDArray[np.bool_], b: NDArray[np.bool_], what: str) -> Estimate:
    """The share of one group over that of another, by the delta method. Raises as `share`, and where the second share is 0."""
    first, second = share(a, what), share(b, what)
    if second.value <= 0.0 or first.value <= 0.0:
        raise WorkupError(f"{what}: a share of nobody; there is no ratio")
    value = first.value / second.value
    return Estimate(value, value * math.hypot(first.se / first.value, second.se / second.value), min(first.n, second.n))


def log_odds(p: Estimate) -> Estimate:
    """Of a share, by the delta method."""
    return Estimate(math.log(p.value / (1.0 - p.value)), p.se / (p.value * (1.0 - p.value)), p.n)


def spread(x: NDArray[np.float64], what: str) -> Estimate:
    """Standard deviation; its error by the fourth moment. Raises as `share`."""
    n = _enough(len(x), what)
    centred = x - x.mean()
    variance, fourth = float((centred**2).mean()), float((centred**4).mean())
    sd = _varies(math.sqrt(variance), what)
    return Estimate(sd, math.sqrt(max(fourth - variance**2, 0.0) / n) / (2.0 * sd), n)


def correlation(x: NDArray[np.float64], y: NDArray[np.float64], what: str) -> Estimate:
    """Pearson's, its error by the influence of each patient. Raises as `share`."""
    n = _enough(len(x), what)
    u, v = ((each - each.mean()) / _varies(float(each.std()), what) for each in (x, y))
    r = float((u * v).mean())
    influence = u * v - r * (u * u + v * v) / 2.0
    return Estimate(r, float(influence.std()) / math.sqrt(n), n)


def auc(score: NDArray[np.float64], ill: NDArray[np.bool_], what: str) -> Estimate:
    """Area under the ROC curve, ties counting half; its error by DeLong's placements.

    Raises:
        WorkupError: fewer than `FEWEST` patients, or one class alone.
    """
    _enough(len(score), what)
    a, b = score[ill], score[~ill]
    if not a.size or not b.size:
        raise WorkupError(f"{what}: {a.size} ill and {b.size} well; an AUC needs both")
    if not np.isfinite(score).all():
        raise WorkupError(f"{what}: {int((~np.isfinite(score)).sum())} scores are no finite numbers")
    of_ill, of_well = placements(a, b), 1.0 - placements(b, a)
    value = float(of_ill.mean())
    return Estimate(value, math.sqrt(of_ill.var() / a.size + of_well.var() / b.size), len(score))


def auc_of_law(score: NDArray[np.float64], ill: NDArray[np.float64], well: NDArray[np.float64]) -> float:
    """The same of an exact law: scores (m,) with the probability of being ill (m,) or well (m,) and having it."""
    values, of = np.unique(score, return_inverse=True)
    a, b = np.zeros(len(values)), np.zeros(len(values))
    np.add.at(a, of.ravel(), ill)
    np.add.at(b, of.ravel(), well)
    a, b = a / a.sum(), b / b.sum()
    return float((a * (np.cumsum(b) - b / 2.0)).sum())


def placements(a: NDArray[np.float64], b: NDArray[np.float64]) -> NDArray[np.float64]:
    """(len(a),) share of b below each of a, ties counting half."""
    ordered = np.sort(b)
    return np.asarray((np.searchsorted(ordered, a, "left") + np.searchsorted(ordered, a, "right")) / (2.0 * len(b)))


def _varies(sd: float, what: str) -> float:
    if not sd > 0.0:
        raise WorkupError(f"{what}: all values are the same")
    return sd


def _enough(n: int, what: str) -> int:
    if n < FEWEST:
        raise WorkupError(f"{what}: {n} patients; expected {FEWEST} or more")
    return n
