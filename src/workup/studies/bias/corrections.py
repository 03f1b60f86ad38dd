"""Repairs of what partial verification does to prevalence, sensitivity and specificity; each says what it assumes.

They know a table of patients and nothing of how it was made: neither the simulator nor the exact law is imported here. A stratum in
which nobody was verified is an error that names the bounds, never a number.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from statistics import NormalDist
from typing import Final

import numpy as np
from numpy.typing import NDArray

from workup.errors import WorkupError

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
MEASURES: Final = ("prevalence", "sensitivity", "specificity")
FEWEST: Final = 30.0
"""Effective patients below which nothing is estimated."""
DRAWS: Final = 4_000
_Z: Final = NormalDist().inv_cdf(0.975)


@dataclass(frozen=True, eq=False)
class Checked:
    """n patients, all tested, some verified."""

    positive: Bools
    """(n,) the test's result."""
    verified: Bools
    """(n,)"""
    ill: Bools
    """(n,) by the reference standard; means nothing where it was not done."""
    features: Floats | None = None
    """(n, q) what else was recorded before anybody decided to verify."""
    chance: Floats | None = None
    """(n,) the probability with which a patient was verified, where the policy is known."""


@dataclass(frozen=True)
class Corrected:
    """A measure after a repair, with its 95% interval."""

    value: float
    low: float
    high: float
    effective: float
    """Patients it rests on, by their weights."""


Accuracy = dict[str, Corrected]
"""By MEASURES."""


def complete_case(data: Checked) -> Accuracy:
    """Verified patients alone. Right only if who was verified depends on nothing."""
    ill, positive = data.ill[data.verified], data.positive[data.verified]
    _some(int(data.verified.sum()), "verified patients")
    return {
        "prevalence": _share(ill, "verified patients"),
        "sensitivity": _share(positive[ill], "verified patients who are ill"),
        "specificity": _share(~positive[~ill], "verified patients who are well"),
    }


def begg_greenes(data: Checked, strata: NDArray[np.int64] | None = None, *, seed: int = 0) -> Accuracy:
    """Disease among the verified of each test result, brought back to all who had it (Begg and Greenes, Biometrics 1983;39:207).

    Right if verification depends on the test and the strata alone. Intervals propagate the posterior of every share, from
    Jeffreys' prior where there are two kinds of patients and one that weighs as much in all where there are more.

    Args:
        data: the patients.
        strata: (n,) further recorded facts as a code; by default none.
        seed: of the draws behind the intervals.

    Raises:
        WorkupError: a stratum in which nobody was verified; names it and the bounds.
    """
    code = data.positive.astype(np.int64) + 2 * (0 if strata is None else strata)
    kinds, of = np.unique(code, return_inverse=True)
    tested, checked = np.bincount(of), np.bincount(of, weights=data.verified)
    sick = np.bincount(of, weights=data.verified & data.ill)
    for kind in np.flatnonzero(checked == 0):
        raise WorkupError(
            _unsupported(data, f"test {'positive' if kinds[kind] % 2 else 'negative'}, stratum {kinds[kind] // 2}")
        )
    rng, little = np.random.default_rng(seed), min(0.5, 1.0 / len(kinds))
    share = rng.dirichlet(tested + little, DRAWS)
    chance = rng.beta(sick + little, checked - sick + little, (DRAWS, len(kinds)))
    drawn = _accuracy(share, chance, kinds % 2 == 1)
    values = _accuracy((tested / tested.sum())[None, :], (sick / checked)[None, :], kinds % 2 == 1)
    return {
        name: Corrected(
            float(values[m, 0]),
            float(np.quantile(drawn[m], 0.025)),
            float(np.quantile(drawn[m], 0.975)),
            float(checked.sum()),
        )
        for m, name in enumerate(MEASURES)
    }


def weighted(data: Checked, *, truncate: float = 1.0) -> Accuracy:
    """Every verified patient stands for 1 / chance patients. Right if the chances are, and nobody had none.

    Weights are stabilised (divided by their mean) and, at `truncate` < 1, none is larger than that quantile of them, which makes
    what is estimated a little wrong and much steadier.

    Raises:
        WorkupError: no chances, one that is not in (0, 1], or an effective size under `FEWEST`.
    """
    if data.chance is None:
        raise WorkupError(
            "these patients come without the probability of being verified; expected records of a policy that draws, such as "
            "suspicion:GROUP:SLOPE or lapse:0.05:guideline, or chances from estimated_chance"
        )
    chance = data.chance[data.verified]
    if not ((chance > 0.0) & (chance <= 1.0)).all():
        raise WorkupError(
            f"{int((~((chance > 0.0) & (chance <= 1.0))).sum())} verified patients have a chance outside (0, 1]"
        )
    if not 0.0 < truncate <= 1.0:
        raise WorkupError(f"truncate {truncate:g}; expected a quantile in (0, 1]")
    weights = 1.0 / chance
    weights = np.minimum(weights, np.quantile(weights, truncate)) / weights.mean()
    effective = float(weights.sum() ** 2 / (weights**2).sum())
    if effective < FEWEST:
        raise WorkupError(
            f"{len(weights)} verified patients tell as much as {effective:.1f}; expected {FEWEST:g} or more. Nothing is estimated"
        )
    ill, positive = data.ill[data.verified], data.positive[data.verified]
    everyone = np.ones(len(ill), np.bool_)
    return {
        name: _weighted_share(weights, among, hit)
        for name, among, hit in (
            ("prevalence", everyone, ill),
            ("sensitivity", ill, positive),
            ("specificity", ~ill, ~positive),
        )
    }


def estimated_chance(data: Checked) -> Floats:
    """(n,) probability of being verified by logistic regression on the test and the features.

    Raises:
        WorkupError: everybody or nobody was verified, or scikit-learn is missing.
    """
    model = _logistic(_design(data), data.verified, "who was verified")
    return np.asarray(model(_design(data)))


def imputed(data: Checked, *, times: int = 20, seed: int = 0) -> Accuracy:
    """Disease of the unverified is drawn from a logistic model of the verified, `times` over, and what comes out is pooled by
    Rubin's rules on the log-odds (Rubin 1987, recalled). Right if, given test and features, verification says nothing more of
    disease, and the model is.

    Raises:
        WorkupError: one class alone among the verified, or scikit-learn is missing.
    """
    rng, design = np.random.default_rng(seed), _design(data)
    known = np.flatnonzero(data.verified)
    found: list[list[tuple[float, float]]] = [[] for _ in MEASURES]
    for _ in range(times):
        again = rng.choice(known, known.size)  # a draw of the model's coefficients, by the bootstrap
        chance = _logistic(design[again], data.ill[again], "who is ill among the verified")(design)
        ill = np.where(data.verified, data.ill, rng.random(len(chance)) < chance)
        for m, (hits, among) in enumerate(
            ((ill, np.ones_like(ill)), (data.positive & ill, ill), (~data.positive & ~ill, ~ill))
        ):
            n, k = float(among.sum()), float((hits & among).sum())
            p = (k + 0.5) / (n + 1.0)
            found[m].append((math.log(p / (1.0 - p)), 1.0 / (n * p * (1.0 - p))))
    return {name: _pooled(found[m], float(known.size)) for m, name in enumerate(MEASURES)}


def bounds(data: Checked) -> dict[str, tuple[float, float]]:
    """What each measure could be, whatever is true of those whom nobody verified. Assumes nothing."""
    t, v, d = data.positive, data.verified, data.ill
    tp, fn, fp, tn = ((v & d & t).sum(), (v & d & ~t).sum(), (v & ~d & t).sum(), (v & ~d & ~t).sum())
    open_positive, open_negative, n = (~v & t).sum(), (~v & ~t).sum(), len(t)
    return {
        "prevalence": (float(tp + fn) / n, float(tp + fn + open_positive + open_negative) / n),
        "sensitivity": (_over(tp, tp + fn + open_negative), _over(tp + open_positive, tp + open_positive + fn)),
        "specificity": (_over(tn, tn + fp + open_positive), _over(tn + open_negative, tn + open_negative + fp)),
    }


def _accuracy(share: Floats, chance: Floats, positive: Bools) -> Floats:
    """(3, draws) of MEASURES from the share (draws, kinds) of each kind and the chance of disease in it."""
    ill, well = share * chance, share * (1.0 - chance)
    return np.stack([
        ill.sum(axis=1), ill[:, positive].sum(axis=1) / ill.sum(axis=1), well[:, ~positive].sum(axis=1) / well.sum(axis=1)
    ])  # fmt: skip


def _share(hits: Bools, who: str) -> Corrected:
    _some(len(hits), who)
    k, n = float(hits.sum()), float(len(hits))
    centre, half = (k + _Z**2 / 2) / (n + _Z**2), _Z * math.sqrt(k * (n - k) / n + _Z**2 / 4) / (n + _Z**2)  # Wilson's
    return Corrected(k / n, centre - half, centre + half, n)


def _weighted_share(weights: Floats, among: Bools, hit: Bools) -> Corrected:
    w, h = weights[among], hit[among].astype(np.float64)
    _some(len(w), "verified patients of one class")
    p = float((w * h).sum() / w.sum())
    se = math.sqrt(((w * (h - p)) ** 2).sum()) / w.sum()
    inside = min(max(p, 1e-6), 1.0 - 1e-6)
    logit, spread = math.log(inside / (1.0 - inside)), se / (inside * (1.0 - inside))
    low, high = (1.0 / (1.0 + math.exp(-(logit + side * _Z * spread))) for side in (-1.0, 1.0))
    return Corrected(p, low, high, float(w.sum() ** 2 / (w**2).sum()))


def _pooled(found: list[tuple[float, float]], effective: float) -> Corrected:
    points, within = np.array(found).T
    total = within.mean() + (1.0 + 1.0 / len(points)) * points.var(ddof=1)
    low, value, high = (
        1.0 / (1.0 + np.exp(-(points.mean() + side * _Z * math.sqrt(total)))) for side in (-1.0, 0.0, 1.0)
    )
    return Corrected(float(value), float(low), float(high), effective)


def _design(data: Checked) -> Floats:
    own = data.positive[:, None].astype(np.float64)
    return own if data.features is None else np.concatenate([own, data.features], axis=1)


def _logistic(x: Floats, y: Bools, what: str) -> Callable[[Floats], Floats]:
    try:
        from sklearn.linear_model import LogisticRegression
    except ImportError as error:
        raise WorkupError("this repair needs scikit-learn; pip install 'workup[bias]'") from error
    if y.all() or not y.any():
        raise WorkupError(f"{what}: {int(y.sum())} of {len(y)}; a model needs both")
    model = LogisticRegression(C=1e6, max_iter=1_000).fit(x, y)
    return lambda other: np.asarray(model.predict_proba(other)[:, 1], np.float64)


def _unsupported(data: Checked, where: str) -> str:
    told = ", ".join(f"{name} {low:.3f} to {high:.3f}" for name, (low, high) in bounds(data).items())
    return f"nobody was verified in: {where}. No number can be given; whatever holds there, the data allow {told}"


def _some(n: int, who: str) -> None:
    if n < 1:
        raise WorkupError(f"no {who}; nothing can be estimated")


def _over(a: float, b: float) -> float:
    return float(a) / float(b) if b else 0.0
