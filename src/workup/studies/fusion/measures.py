"""How good a prediction is, over all patients and by what their records hold; and its replicates for paired comparisons."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from workup.errors import WorkupError
from workup.studies.fusion.splits import stream

Floats = NDArray[np.float64]
REPLICATES: Final = 200
FEWEST: Final = 50
"""Patients of a pattern of availability below whom it is counted and not measured."""


def measured(score: Floats, label: NDArray[np.int64]) -> dict[str, float]:
    """AUROC, log-loss, Brier score, accuracy at one half, and calibration slope (scikit-learn).

    Args:
        score: (n,) predicted log-odds of label 1.
        label: (n,) 0 or 1, both there.

    Raises:
        WorkupError: a score that is not finite, or one label only; says which patient.

    Source: Steyerberg, Clinical Prediction Models (2019), section 15.2 (calibration slope: that of a logistic regression of the
        label on the log-odds; 1 where the odds are as far apart as they should be, below 1 where too far).
    """
    from sklearn.linear_model import LogisticRegression
    from sklearn.metrics import accuracy_score, brier_score_loss, log_loss, roc_auc_score

    _check(score, label)
    chance = expit(score)
    # Penalty-free: C so large that it says nothing, the one spelling that all releases share.
    slope = LogisticRegression(C=1e12).fit(score[:, None], label).coef_[0, 0] if np.ptp(score) else 0.0
    return {
        "auroc": float(roc_auc_score(label, score)),
        "log_loss": float(log_loss(label, chance)),
        "brier": float(brier_score_loss(label, chance)),
        "accuracy": float(accuracy_score(label, score > 0)),
        "slope": float(slope),
    }


def ranked_and_lost(score: Floats, label: NDArray[np.int64]) -> dict[str, float]:
    """AUROC and log-loss alone, as in `measured`."""
    from sklearn.metrics import log_loss, roc_auc_score

    _check(score, label)
    return {"auroc": float(roc_auc_score(label, score)), "log_loss": float(log_loss(label, expit(score)))}


def by_pattern(
    score: Floats, label: NDArray[np.int64], present: NDArray[np.bool_], names: tuple[str, ...]
) -> dict[str, dict[str, float]]:
    """AUROC, log-loss and number of patients by what the records hold, such as `R+P`, `R` or `nothing`.

    Of a pattern with fewer than 50 patients, or with one label only, the number alone.
    """
    codes = present.astype(np.int64) @ (1 << np.arange(present.shape[1]))
    found: dict[str, dict[str, float]] = {}
    for code in np.unique(codes):
        of = codes == code
        words = "+".join(name for m, name in enumerate(names) if code >> m & 1) or "nothing"
        found[words] = {"patients": float(of.sum())}
        if of.sum() >= FEWEST and len(np.unique(label[of])) == 2:
            found[words] |= ranked_and_lost(score[of], label[of])
    return found


def replicates(score: Floats, label: NDArray[np.int64], *, sample: str) -> dict[str, list[float]]:
    """AUROC and log-loss in 200 resamplings of the patients, the same ones wherever `sample` and their number are the same.

    So the difference of two methods on the same patients is that of their replicates, one by one.

    Args:
        score: (n,) predicted log-odds.
        label: (n,) 0 or 1.
        sample: what these patients are called, such as `interaction same seed 3`.
    """
    _check(score, label)
    counts = resampled(len(label), sample)
    losses = np.logaddexp(0.0, np.where(label == 1, -score, score))
    means = counts @ losses / len(label)
    return {"auroc": _rounded(_aurocs(score, label, counts)), "log_loss": _rounded(means)}


def replicates_of_mean(values: Floats, *, sample: str) -> list[float]:
    """(200,) the mean of a number a patient in the resamplings of `replicates`."""
    return _rounded(resampled(len(values), sample) @ values / len(values))


@lru_cache(maxsize=4)
def resampled(patients: int, sample: str) -> Floats:
    """(200, patients) how often each patient is in each resampling with replacement."""
    drawn = stream("replicates", sample).integers(0, patients, (REPLICATES, patients))
    drawn += np.arange(REPLICATES)[:, None] * patients
    return np.bincount(drawn.ravel(), minlength=REPLICATES * patients).reshape(REPLICATES, patients).astype(np.float64)


def _aurocs(score: Floats, label: NDArray[np.int64], counts: Floats) -> Floats:
    """(replicates,) by the rank of each score, ties half."""
    levels, level = np.unique(score, return_inverse=True)
    order = np.argsort(level, kind="stable")
    starts = np.searchsorted(level[order], np.arange(len(levels)))
    ill = np.add.reduceat(counts[:, order] * (label[order] == 1), starts, axis=1)
    well = np.add.reduceat(counts[:, order] * (label[order] == 0), starts, axis=1)
    below = np.cumsum(well, axis=1) - well
    return np.asarray((ill * (below + well / 2)).sum(axis=1) / (ill.sum(axis=1) * well.sum(axis=1)))


def tells_apart(score: Floats, label: NDArray[np.int64]) -> bool:
    """Whether the AUROC is above one half by more than two standard errors of a score that says nothing.

    Source: Hanley and McNeil, Radiology 1982;143:29.
    """
    ill, well = int(label.sum()), int((1 - label).sum())
    spread = float(np.sqrt((ill + well + 1) / (12.0 * ill * well)))
    return ranked_and_lost(score, label)["auroc"] > 0.5 + 2 * spread


def expit(score: Floats) -> Floats:
    """The probability of log-odds, without overflow."""
    return np.asarray(0.5 * (1.0 + np.tanh(0.5 * score)))


def _check(score: Floats, label: NDArray[np.int64]) -> None:
    wrong = ~np.isfinite(score)
    if wrong.any():
        raise WorkupError(
            f"the prediction for patient {int(wrong.argmax())} is {score[wrong.argmax()]}; expected a number"
        )
    if set(np.unique(label)) != {0, 1}:
        raise WorkupError(f"labels {np.unique(label)[:5].tolist()}; expected both 0 and 1 among those measured")


def _rounded(values: Any) -> list[float]:
    return [round(float(value), 6) for value in values]
