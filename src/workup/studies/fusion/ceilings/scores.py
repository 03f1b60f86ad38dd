"""The law of a score given the label, as normal components and points; its AUROC and log-loss in closed form or by quadrature."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
POINTS: Final = 400
"""Of a normal component where it has to be laid on a grid."""
REACH: Final = 8.5
"""Standard deviations that a grid reaches beyond the means."""
NODES, NODE_WEIGHTS = np.polynomial.hermite_e.hermegauss(80)
NODE_WEIGHTS = NODE_WEIGHTS / NODE_WEIGHTS.sum()
_PAIRS_AT_ONCE: Final = 1 << 20
_AT = np.linspace(-9.0, 9.0, 18_001)
_PHI = np.array([0.5 * math.erfc(-x / math.sqrt(2.0)) for x in _AT])


@dataclass(frozen=True)
class Scores:
    """k components of a log-likelihood ratio, normal or points."""

    mean: Floats
    """(2, k) by label."""
    sd: Floats
    """(k,), 0 for a point."""
    weight: Floats
    """(2, k) P(component | label)."""

    def plus(self, other: Scores) -> Scores:
        """The sum with another that is independent given the label."""
        k = len(self.sd) * len(other.sd)
        return Scores(
            (self.mean[:, :, None] + other.mean[:, None, :]).reshape(2, k),
            np.sqrt(self.sd[:, None] ** 2 + other.sd[None, :] ** 2).reshape(k),
            (self.weight[:, :, None] * other.weight[:, None, :]).reshape(2, k),
        )

    def shifted(self, by: Floats | float) -> Scores:
        """With a number added, one for all or (k,)."""
        return Scores(self.mean + by, self.sd, self.weight)

    def weighted(self, by: Floats) -> Scores:
        """With weights multiplied by (2,) or (2, k)."""
        return Scores(self.mean, self.sd, self.weight * (by[:, None] if by.ndim == 1 else by))


def phi(x: Floats) -> Floats:
    """The standard normal distribution function, to within 4e-8, between points that are .001 apart."""
    return np.interp(x, _AT, _PHI)


def softplus(x: Floats) -> Floats:
    """log(1 + e^x)."""
    return np.logaddexp(0.0, x)


def log_odds(p: Floats) -> Floats:
    """log(p / (1 - p))."""
    return np.asarray(np.log(p) - np.log1p(-p))


def normal(d: float) -> Scores:
    """What a finding N(-d/2 or d/2, 1) says: N(-d^2/2 or d^2/2, d^2)."""
    return Scores(np.array([[-d * d / 2], [d * d / 2]]), np.array([abs(d)]), np.ones((2, 1)))


def points(score: Floats, weight: Floats) -> Scores:
    """Points (k,) with weights (2, k)."""
    return Scores(np.stack([score, score]), np.zeros(len(score)), weight)


def told(weight: Floats) -> Scores:
    """What a value of (2, k) probabilities by label says by itself."""
    return points(np.log(weight[1]) - np.log(weight[0]), weight)


SILENT: Final = points(np.zeros(1), np.ones((2, 1)))
"""Says nothing."""


def mixture(parts: Iterable[tuple[Floats | float, Scores]]) -> Scores:
    """One of several, each with its probability, the same for both labels or (2,)."""
    weighted = [part.weighted(np.broadcast_to(np.asarray(w, np.float64), (2,))) for w, part in parts]
    return Scores(
        np.concatenate([part.mean for part in weighted], axis=1),
        np.concatenate([part.sd for part in weighted]),
        np.concatenate([part.weight for part in weighted], axis=1),
    )


def laid(scores: Scores, number: int = POINTS) -> Scores:
    """The same as points alone: every normal component on a grid, by the trapezoid rule."""
    found = [points(scores.mean[0, scores.sd == 0], scores.weight[:, scores.sd == 0])]
    for k in np.flatnonzero(scores.sd > 0):
        mean, sd = scores.mean[:, k], scores.sd[k]
        at, step = np.linspace(mean.min() - REACH * sd, mean.max() + REACH * sd, number, retstep=True)
        density = np.exp(-0.5 * ((at - mean[:, None]) / sd) ** 2) * float(step) / (sd * math.sqrt(2 * math.pi))
        found.append(points(at, density * scores.weight[:, k, None]))
    return mixture((1.0, part) for part in found)


def averaged(voices: list[Scores], prevalence: float) -> Scores:
    """What the mean of their probabilities says, of voices that are points and independent given the label."""
    prior = math.log(prevalence / (1.0 - prevalence))
    share, weight = np.zeros(1), np.ones((2, 1))
    for voice in voices:
        p = 1.0 / (1.0 + np.exp(-(prior + voice.mean[0])))
        share = (share[:, None] + p[None, :]).ravel()
        weight = (weight[:, :, None] * voice.weight[:, None, :]).reshape(2, -1)
    return points(log_odds(share / len(voices)) - prior, weight) if voices else SILENT


def cells(scores: Scores, edges: Floats) -> Floats:
    """(2, edges + 1) P(the score lies between two edges | label)."""
    below = np.zeros((2, len(edges)))
    for y in (0, 1):
        gap = edges[:, None] - scores.mean[y][None, :]
        width = np.where(scores.sd > 0, scores.sd, 1.0)
        under = np.where(scores.sd > 0, phi(gap / width), gap > 0)
        below[y] = under @ scores.weight[y]
    total = scores.weight.sum(axis=1, keepdims=True)
    return np.diff(np.concatenate([np.zeros((2, 1)), below, total], axis=1), axis=1)


def auroc(scores: Scores) -> float:
    """P(a patient of label 1 scores higher than one of label 0), half of ties counted."""
    if not scores.sd.any():
        return _auroc_of_points(scores)
    total, k = 0.0, len(scores.sd)
    for first in range(0, k, max(1, _PAIRS_AT_ONCE // k)):
        rows = slice(first, first + max(1, _PAIRS_AT_ONCE // k))
        gap = scores.mean[1, rows, None] - scores.mean[0][None, :]
        spread = np.sqrt(scores.sd[rows, None] ** 2 + scores.sd[None, :] ** 2)
        above = np.where(spread > 0, phi(gap / np.where(spread > 0, spread, 1.0)), 0.5 + 0.5 * np.sign(gap.round(12)))
        total += float(scores.weight[1, rows] @ above @ scores.weight[0])
    return total


def _auroc_of_points(scores: Scores) -> float:
    _, where = np.unique(scores.mean[0].round(12), return_inverse=True)
    well, ill = (np.bincount(where, scores.weight[y]) for y in (0, 1))
    return float(ill @ (np.cumsum(well) - 0.5 * well))


def log_loss(scores: Scores, prevalence: float) -> float:
    """Mean of -log P(label) in nats, where the score plus the prior log-odds is taken for the log-odds."""
    prior, loss = math.log(prevalence / (1.0 - prevalence)), 0.0
    for y, (share, sign) in enumerate(((1.0 - prevalence, 1.0), (prevalence, -1.0))):
        spread = scores.sd > 0
        flat = softplus(sign * (prior + scores.mean[y, ~spread]))
        bent = softplus(sign * (prior + scores.mean[y, spread, None] + scores.sd[spread, None] * NODES)) @ NODE_WEIGHTS
        loss += share * float(flat @ scores.weight[y, ~spread] + bent @ scores.weight[y, spread])
    return loss
