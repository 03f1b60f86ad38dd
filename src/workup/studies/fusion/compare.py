"""Which method is better on which task: contrasts that were written down before the runs, paired over seeds and patients."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray

from workup.errors import FileFormatError, WorkupError
from workup.statistics import Interval
from workup.studies.fusion.splits import stream

Floats = NDArray[np.float64]
CONTRASTS: Final = Path(__file__).with_name("contrasts.yaml")
RESAMPLES: Final = 10_000
MARGINS: Final[Mapping[str, float]] = {"auroc": 0.01, "log_loss": 0.01, "benefit_gbp": 5.0}
"""Measure -> the difference below which two methods are called the same."""
Finding = Literal["higher", "lower", "the same", "undecided"]
_FIELDS: Final = {"task", "left", "right", "expect", "why"}
_MORE: Final = {"view", "record", "test", "measure"}


@dataclass(frozen=True)
class Contrast:
    """Two methods on the same patients, and what was expected of them before anything was run."""

    task: str
    left: str
    right: str
    expect: Literal["higher", "lower", "the same"]
    """Of `left`'s measure against `right`'s."""
    why: str
    view: str = "findings"
    record: str = "same"
    """Whose records both learnt from."""
    test: str = "same"
    """Whose records both are tested on."""
    measure: str = "auroc"

    @property
    def id(self) -> str:
        """Such as `shortcut/findings/same-flipped/auroc/late_poe-concat`."""
        return f"{self.task}/{self.view}/{self.record}-{self.test}/{self.measure}/{self.left}-{self.right}"


@dataclass(frozen=True)
class Compared:
    """A contrast with what was found."""

    contrast: Contrast
    difference: Interval
    """Left minus right, 95%."""
    p: float
    """Two-sided, of no difference."""
    p_holm: float
    """The same for all contrasts together."""
    finding: Finding
    seeds: int

    def as_json(self) -> dict[str, Any]:
        """Plain data."""
        return {
            "contrast": self.contrast.id, "expect": self.contrast.expect, "why": self.contrast.why, "finding": self.finding,
            "difference": self.difference.as_json(), "p": self.p, "p_holm": self.p_holm, "seeds": self.seeds,
        }  # fmt: skip


def contrasts(path: Path = CONTRASTS) -> list[Contrast]:
    """What was written down before the runs, in its order.

    Raises:
        FileFormatError: a row that is no contrast; says which and why.
    """
    from ruamel.yaml import YAML

    found: list[Contrast] = []
    for number, row in enumerate(YAML(typ="safe", pure=True).load(path.read_text(encoding="utf-8")), start=1):
        names = set(row) if isinstance(row, dict) else set()
        if not names >= _FIELDS or names - _FIELDS - _MORE:
            raise FileFormatError(
                f"{path}: contrast {number} has {sorted(map(str, names))}; expected {', '.join(sorted(_FIELDS))}, and perhaps "
                f"{', '.join(sorted(_MORE))}"
            )
        one = Contrast(**{name: str(value) for name, value in row.items()})  # type: ignore[arg-type]
        if one.expect not in ("higher", "lower", "the same") or one.measure not in MARGINS:
            raise FileFormatError(
                f"{path}: contrast {number} expects {one.expect!r} of {one.measure!r}; expected higher, lower or the same, of "
                f"{', '.join(MARGINS)}"
            )
        found.append(one)
    ids = [one.id for one in found]
    if len(set(ids)) != len(ids):
        raise FileFormatError(
            f"{path}: {next(i for i in ids if ids.count(i) > 1)} is there twice; expected each contrast once"
        )
    return found


def compare(
    pairs: Iterable[tuple[Contrast, Mapping[int, Floats], Mapping[int, Floats], Mapping[int, float]]],
) -> list[Compared]:
    """Every contrast that can be judged, with Holm's correction over all of them.

    Args:
        pairs: a contrast; seed -> (replicates,) of left and of right, in the same resamplings of the same patients; and
            seed -> left minus right as measured.

    Raises:
        WorkupError: the two do not have the same seeds.
    """
    judged = [(contrast, *_paired(contrast, left, right, found)) for contrast, left, right, found in pairs]
    adjusted = holm([p for _, _, p, _, _ in judged])
    return [
        Compared(contrast, interval, p, p_all, _finding(interval, narrow, p_all, MARGINS[contrast.measure]), seeds)
        for (contrast, interval, p, narrow, seeds), p_all in zip(judged, adjusted, strict=True)
    ]


def hierarchical(replicates: Sequence[Floats], *, resamples: int = RESAMPLES, sample: str = "") -> Floats:
    """(resamples,) means over seeds drawn with replacement, each with one of its resamplings of patients.

    Args:
        replicates: for each seed (m,) a figure in its resamplings.
        resamples: how many.
        sample: tells this drawing from others.

    Source: Davison and Hinkley, Bootstrap Methods and their Application (1997), section 3.8 (hierarchical data). Means over k
        seeds so drawn vary by (k - 1)/k of what they should between seeds; the draws are stretched about their mean to mend it.
    """
    matrix = np.stack(replicates)
    seeds, held = matrix.shape
    rng = stream("hierarchical", sample)
    which = rng.integers(0, seeds, (resamples, seeds))
    means = matrix[which, rng.integers(0, held, (resamples, seeds))].mean(axis=1)
    stretch = np.sqrt(seeds / (seeds - 1)) if seeds > 1 else 1.0
    return np.asarray(means.mean() + stretch * (means - means.mean()))


def holm(p: Sequence[float]) -> list[float]:
    """Adjusted p-values in their order.

    Source: Holm, Scandinavian Journal of Statistics 1979;6:65.
    """
    order, adjusted, least = np.argsort(p, kind="stable"), [0.0] * len(p), 0.0
    for rank, at in enumerate(order):
        least = max(least, min(1.0, (len(p) - rank) * p[at]))
        adjusted[at] = least
    return adjusted


def _paired(
    contrast: Contrast, left: Mapping[int, Floats], right: Mapping[int, Floats], found: Mapping[int, float]
) -> tuple[Interval, float, tuple[float, float], int]:
    if set(left) != set(right) or set(left) != set(found) or not left:
        raise WorkupError(
            f"{contrast.id}: seeds {sorted(left)} of one and {sorted(right)} of the other; expected the same"
        )
    mean = float(np.mean(list(found.values())))
    drawn = hierarchical([left[seed] - right[seed] for seed in sorted(left)], sample=contrast.id)
    drawn = drawn - drawn.mean() + mean
    low, high = np.quantile(drawn, (0.025, 0.975))
    # Two one-sided tests at 5%: the 90% interval within the margin.
    narrow = np.quantile(drawn, (0.05, 0.95))
    beyond = min((drawn <= 0).sum(), (drawn >= 0).sum())
    p = min(1.0, 2.0 * (float(beyond) + 1.0) / (len(drawn) + 1.0))
    return Interval(mean, float(low), float(high)), p, (float(narrow[0]), float(narrow[1])), len(left)


def _finding(interval: Interval, narrow: tuple[float, float], p_holm: float, margin: float) -> Finding:
    """Source of the two one-sided tests: Schuirmann, Journal of Pharmacokinetics and Biopharmaceutics 1987;15:657."""
    if -margin < narrow[0] and narrow[1] < margin:
        return "the same"
    if p_holm < 0.05:
        return "higher" if interval.mean > 0 else "lower"
    return "undecided"
