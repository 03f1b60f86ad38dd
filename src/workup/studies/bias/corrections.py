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
    """(n, q) what else was recorded before anybody decided to verify; NaN where it was not."""
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
    _enough(data)
    ill, positive = data.ill[data.verified], data.positive[data.verified]
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
    _enough(data)
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
    if not data.verified.all() and (chance == 1.0).all():
        raise WorkupError(
            f"{len(chance)} of {len(data.verified)} patients are verified, all with probability 1: a rule chose them, and nobody stands "
            "for the others; expected records of a policy that draws, such as suspicion:GROUP:SLOPE or lapse:0.05:guideline"
        )
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


def imputed(data: Checked, *, times: int = 20, rounds: int = 5, seed: int = 0) -> Accuracy:
    """Whatever was not recorded, disease and findings with gaps (NaN), is drawn from models of what was, `times` over; what comes out is
    pooled by Rubin's rules on the log-odds.

    Right if, given all that was recorded of a patient, that something was not says nothing more of it, and the models are: findings of
    0 and 1 and disease by logistic regression, others by linear regression with a normal law, each on all the others. They take turns,
    `rounds` times, for a finding that is drawn is read by the next; where disease alone has gaps there is nothing to take turns with.
    scikit-learn's `IterativeImputer` is not used, for its chain is linear in disease too: where few of the well are verified it
    comes to fewer ill than none.

    Args:
        data: the patients; `features` may have gaps.
        times: how often everything is drawn, 2 or more.
        rounds: of the chain.
        seed: of the draws.

    Raises:
        WorkupError: fewer than two draws or no round, a finding that nobody has, one class alone among the verified, or scikit-learn
            is missing.

    Source: Rubin 1987; van Buuren and Groothuis-Oudshoorn, J Stat Softw 2011;45(3) (both recalled).
    """
    if times < 2 or rounds < 1:
        raise WorkupError(f"{times} draws of {rounds} rounds; expected 2 draws or more, of 1 round or more")
    _enough(data)
    rng, known = np.random.default_rng(seed), float(data.verified.sum())
    columns = np.concatenate([_design(data, gaps=True), np.where(data.verified, data.ill, np.nan)[:, None]], axis=1)
    found: list[list[tuple[float, float]]] = [[] for _ in MEASURES]
    for _ in range(times):
        ill = _chained(columns, rounds, rng)[:, -1] == 1.0
        for m, (hits, among) in enumerate(
            ((ill, np.ones_like(ill)), (data.positive & ill, ill), (~data.positive & ~ill, ~ill))
        ):
            n, k = float(among.sum()), float((hits & among).sum())
            p = (k + 0.5) / (n + 1.0)
            found[m].append((math.log(p / (1.0 - p)), 1.0 / ((n + 1.0) * p * (1.0 - p))))
    return {name: _pooled(found[m], known) for m, name in enumerate(MEASURES)}


def _chained(columns: Floats, rounds: int, rng: np.random.Generator) -> Floats:
    """(n, q) the columns with their gaps filled once."""
    whole, gaps = columns.copy(), np.isnan(columns)
    turns = np.flatnonzero(gaps.any(axis=0))
    for j in turns:
        recorded = columns[~gaps[:, j], j]
        _some(len(recorded), f"patients with a record of column {j} of test, features and disease")
        whole[gaps[:, j], j] = rng.choice(recorded, int(gaps[:, j].sum()))
    for _ in range(rounds if len(turns) > 1 else 1):
        for j in turns:
            whole[gaps[:, j], j] = _drawn(np.delete(whole, j, axis=1), whole[:, j], gaps[:, j], rng)
    return whole


def _drawn(others: Floats, column: Floats, gap: Bools, rng: np.random.Generator) -> Floats:
    """(gaps,) what could have been recorded, by a model of the patients of whom it was; its coefficients are drawn by the bootstrap."""
    known = np.flatnonzero(~gap)
    again = rng.choice(known, known.size)
    x, y = others[again], column[again]
    if np.isin(column[known], (0.0, 1.0)).all():
        chance = _logistic(x, y == 1.0, "a finding, or disease, among those with a record of it")(others[gap])
        return (rng.random(chance.size) < chance).astype(np.float64)
    from sklearn.linear_model import LinearRegression

    model = LinearRegression().fit(x, y)
    spread = math.sqrt(float(((y - model.predict(x)) ** 2).sum()) / max(len(y) - x.shape[1] - 1, 1))
    return np.asarray(model.predict(others[gap]) + spread * rng.standard_normal(int(gap.sum())), np.float64)


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
    from scipy.stats import t

    points, within = np.array(found).T
    times, between = len(points), points.var(ddof=1) * (1.0 + 1.0 / len(points))
    total = within.mean() + between
    reach = float(t.ppf(0.975, (times - 1) * (total / between) ** 2)) if between > 0.0 else _Z
    low, value, high = (
        1.0 / (1.0 + np.exp(-(points.mean() + side * reach * math.sqrt(total)))) for side in (-1.0, 0.0, 1.0)
    )
    return Corrected(float(value), float(low), float(high), effective)


def _design(data: Checked, *, gaps: bool = False) -> Floats:
    own = data.positive[:, None].astype(np.float64)
    if data.features is None:
        return own
    endless = int(np.isinf(data.features).any(axis=1).sum())
    if endless:
        raise WorkupError(f"{endless} of {len(own)} patients have a feature that is no finite number")
    missing = int(np.isnan(data.features).any(axis=1).sum())
    if missing and not gaps:
        raise WorkupError(
            f"{missing} of {len(own)} patients lack a feature; expected none missing, or a repair that fills gaps: imputed"
        )
    return np.concatenate([own, data.features], axis=1)


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


def _enough(data: Checked) -> None:
    n = int(data.verified.sum())
    if n < FEWEST:
        raise WorkupError(
            f"{n or 'no'} verified patients of {len(data.verified)}; expected {FEWEST:g} or more. Nothing is estimated"
        )


def _some(n: int, who: str) -> None:
    if n < 1:
        raise WorkupError(f"no {who}; nothing can be estimated")


def _over(a: float, b: float) -> float:
    return float(a) / float(b) if b else 0.0
