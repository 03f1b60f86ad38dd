"""Models that learn from records: logistic regression and gradient boosting, with weights or without."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from workup.errors import WorkupError

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Model = Callable[[Floats], Floats]
"""From features (n, columns) to a probability (n,)."""
ModelName = Literal["logistic", "boosting"]
FEWEST: Final = 30.0
"""Effective patients below which nothing is learnt."""
_STRENGTH: Final = 100.0
"""Inverse of the ridge: weak, so that rare kinds of patients are not drawn towards the rest."""


def learnt(name: ModelName, x: Floats, y: Bools, weights: Floats | None = None) -> Model:
    """A model of y on features x (n, columns). Raises as `logistic`."""
    return (logistic if name == "logistic" else boosting)(x, y, weights, what="who is ill")


def logistic(x: Floats, y: Bools, weights: Floats | None = None, *, what: str) -> Model:
    """Logistic regression, every feature once, a weak ridge.

    Raises:
        WorkupError: one class alone, an effective size under 30, or scikit-learn is missing.
    """
    try:
        from sklearn.linear_model import LogisticRegression
    except ImportError as error:
        raise WorkupError("this demonstration needs scikit-learn; pip install 'workup[bias]'") from error
    w = _checked(y, weights, what)
    model = LogisticRegression(C=_STRENGTH, solver="newton-cholesky", max_iter=300).fit(x, y, sample_weight=w)
    return lambda other: _finite(model.predict_proba(other)[:, 1], what)


def boosting(x: Floats, y: Bools, weights: Floats | None = None, *, what: str) -> Model:
    """Sixty small trees (8 leaves). Raises as `logistic`."""
    try:
        from sklearn.ensemble import HistGradientBoostingClassifier
    except ImportError as error:
        raise WorkupError("this demonstration needs scikit-learn; pip install 'workup[bias]'") from error
    w = _checked(y, weights, what)
    model = HistGradientBoostingClassifier(max_iter=60, max_leaf_nodes=8, early_stopping=False).fit(
        x, y, sample_weight=w
    )
    return lambda other: _finite(model.predict_proba(other)[:, 1], what)


def effective(weights: Floats) -> float:
    """As how many patients of equal weight these tell (Kish). Raises WorkupError under `FEWEST`."""
    found = float(weights.sum() ** 2 / (weights**2).sum())
    if found < FEWEST:
        raise WorkupError(
            f"{len(weights)} weighted patients tell as much as {found:.1f}; expected {FEWEST:g} or more. Nothing is learnt"
        )
    return found


def _checked(y: Bools, weights: Floats | None, what: str) -> Floats | None:
    if not len(y) or y.all() or not y.any():
        raise WorkupError(f"{what}: {int(y.sum())} of {len(y)}; a model needs both")
    if weights is None:
        return None
    effective(weights)
    return weights / weights.mean()


def _finite(p: NDArray[np.float64], what: str) -> Floats:
    if not np.isfinite(p).all():
        raise WorkupError(f"{what}: {int((~np.isfinite(p)).sum())} of {len(p)} predictions are no finite numbers")
    return np.asarray(p, np.float64)
