"""Intervals for means, paired differences and ratios of means over the same patients."""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import TypedDict

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Name = Hashable

RESAMPLES = 5000
NORMAL_95 = 1.959964
_CELLS_AT_ONCE = 4_000_000


class IntervalJson(TypedDict):
    """An interval as JSON holds it; None where undefined."""

    mean: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True)
class Interval:
    """An estimate with its 95% interval; NaN where undefined."""

    mean: float
    low: float
    high: float

    def as_json(self) -> IntervalJson:
        """`{"mean", "low", "high"}`, null where undefined."""
        return {"mean": finite(self.mean), "low": finite(self.low), "high": finite(self.high)}


def finite(number: float) -> float | None:
    """The number, or None (JSON's null) where it is not finite."""
    return float(number) if np.isfinite(number) else None


@dataclass(frozen=True, eq=False)
class Resampled:
    """Means of named columns over the patients, and over the same resamplings of the patients for all columns."""

    means: Mapping[Name, float]
    resampled: Mapping[Name, Floats]
    """Name -> (resamples,)."""

    def mean(self, name: Name, slack: Floats | float = 0.0) -> Interval:
        """The mean of a column; for a paired difference, let the column hold the differences.

        Args:
            name: of the column.
            slack: (resamples,) by how much the mean may be more (below 0: less) than the column says; the interval reaches
                there.
        """
        return _percentiles(self.means[name], self.resampled[name], slack)

    def ratio(self, above: Name, below: Name, slack: Floats | float = 0.0) -> Interval:
        """Mean of one column over the mean of another; `slack`: see `mean`, of the column above.

        NaN where the mean below is not above 0; so is the interval as soon as one resampling leaves it at or below 0.
        """
        point = self.means[above] / self.means[below] if self.means[below] > 0 else np.nan
        divisor = np.where(self.resampled[below] > 0, self.resampled[below], np.nan)
        return _percentiles(point, self.resampled[above] / divisor, slack / divisor)


def bootstrap(columns: Mapping[Name, Floats], *, seed: int, resamples: int = RESAMPLES) -> Resampled:
    """Resample patients with replacement, all columns together, so that what belongs to a patient stays together.

    Args:
        columns: name -> (n,) one number for each patient, the same patients in the same order.
        seed: of the resampling.
        resamples: how many.

    Source: Efron and Tibshirani, An Introduction to the Bootstrap (1993), chapter 13 (percentile intervals).
    """
    matrix = np.stack(list(columns.values()), axis=1).astype(np.float64)
    n = len(matrix)
    rng = np.random.Generator(np.random.Philox(seed))
    chunk = max(1, _CELLS_AT_ONCE // n)
    means = np.empty((resamples, matrix.shape[1]))
    for first in range(0, resamples, chunk):
        rows = min(chunk, resamples - first)
        drawn = rng.integers(0, n, size=(rows, n)) + np.arange(rows)[:, None] * n
        counts = np.bincount(drawn.ravel(), minlength=rows * n).reshape(rows, n)
        means[first : first + rows] = counts.astype(np.float64) @ matrix / n
    return Resampled(
        means=dict(zip(columns, matrix.mean(axis=0).tolist(), strict=True)),
        resampled=dict(zip(columns, means.T, strict=True)),
    )


def normal_interval(values: Floats) -> Interval:
    """Mean with mean ± 1.96 standard errors: quick enough for many subgroups. NaN without at least two values."""
    if len(values) < 2:
        return Interval(float(values[0]) if len(values) else np.nan, np.nan, np.nan)
    mean, half = float(values.mean()), NORMAL_95 * float(values.std(ddof=1)) / len(values) ** 0.5
    return Interval(mean, mean - half, mean + half)


def median_interval(values: Floats) -> Interval:
    """The median, between the order statistics that enclose it in 95 of 100 samples. NaN ends for fewer than six values.

    Source: David and Nagaraja, Order Statistics (2003), section 7.1, by the normal approximation of the binomial.
    """
    ordered, n = np.sort(values), len(values)
    first = math.floor(n / 2 - 0.5 * NORMAL_95 * n**0.5)
    ends = (float(ordered[first]), float(ordered[n - 1 - first])) if n >= 6 else (np.nan, np.nan)
    return Interval(float(np.median(values)), *ends)


def trimmed_interval(values: Floats, share: float = 0.05) -> Interval:
    """Mean without so large a share of the values at either end, ± 1.96 standard errors. NaN ends for one value.

    Source: Yuen, Biometrika 1974;61:165 (standard error by the winsorised variance).
    """
    ordered, n = np.sort(values), len(values)
    cut = int(share * n)
    kept = ordered[cut : n - cut]
    if n < 2:
        return Interval(float(kept.mean()), np.nan, np.nan)
    spread = float(np.clip(ordered, kept[0], kept[-1]).std(ddof=1)) * ((n - 1) / (len(kept) * (len(kept) - 1))) ** 0.5
    mean = float(kept.mean())
    return Interval(mean, mean - NORMAL_95 * spread, mean + NORMAL_95 * spread)


def _percentiles(point: float, resampled: Floats, slack: Floats | float) -> Interval:
    low = np.quantile(resampled + np.minimum(slack, 0.0), 0.025)
    high = np.quantile(resampled + np.maximum(slack, 0.0), 0.975)
    return Interval(float(point), float(low), float(high))


def entropy(counts: Floats) -> Floats:
    """(m,) bits, of (m, classes) counts."""
    share = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1.0)
    return np.asarray(-(share * np.log2(np.where(share > 0, share, 1.0))).sum(axis=1))
