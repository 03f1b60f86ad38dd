"""What the findings of each task say, alone and together, written out from the plan and not from the tasks' code."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from workup.studies.fusion.ceilings.scores import (
    NODE_WEIGHTS,
    NODES,
    REACH,
    SILENT,
    Floats,
    Scores,
    mixture,
    normal,
    points,
    told,
)


@dataclass(frozen=True)
class Law:
    """Laws of the log-likelihood ratios of two modalities."""

    one: Scores
    """Of the first alone."""
    two: Scores
    """Of the second alone."""
    together: Scores
    """Of both, and the history, read together."""
    prevalence: float = 0.5
    hidden: tuple[tuple[float, Scores, Scores], ...] = ()
    """States within which what the two say alone is independent given the label, each with its probability; empty: it is anyhow."""
    beside: tuple[Scores, Scores] | None = None
    """Of each modality to somebody who knows the history; None: as alone."""
    rest: Scores | None = None
    """What the second adds to the graded finding of the first, where that is independent of the rest given the label."""
    first_d: float = 0.0
    """Separation of that finding, which is all that the first says alone."""
    history: bool = False
    """Whether a history is recorded."""
    modalities: tuple[str, str] = ("R", "P")

    @property
    def views(self) -> tuple[tuple[float, Scores, Scores], ...]:
        """`hidden`, or one state for all."""
        return self.hidden or ((1.0, self.one, self.two),)


def _apart(d_one: float, two: Scores, rest: Scores, prevalence: float = 0.5) -> Law:
    one = normal(d_one)
    return Law(one, two, one.plus(rest), prevalence, rest=rest, first_d=d_one)


def _bit(flipped: float) -> Scores:
    return told(np.array([[1 - flipped, flipped], [flipped, 1 - flipped]]))


def grid(number: int = 400, widest: float = 3.0) -> tuple[Floats, float]:
    """(number,) values of a finding of variance 1 with means up to `widest`, and their distance."""
    at, step = np.linspace(-widest - REACH, widest + REACH, number, retstep=True)
    return at, float(step)


def density(at: Floats, mean: float) -> Floats:
    """(k,) of N(mean, 1)."""
    return np.asarray(np.exp(-0.5 * (at - mean) ** 2) / math.sqrt(2 * math.pi))


def _one_biopsy() -> Law:
    stain_if_other, stain_if_lung = 0.03, 0.85
    in_lung = [p + (1 - p) * 0.80 for p in (stain_if_other, stain_if_lung)]
    elsewhere = [stain_if_other, stain_if_lung]
    known = [told(np.array([[p, 1 - p] for p in site])) for site in (in_lung, elsewhere)]
    unknown = [(a + b) / 2 for a, b in zip(in_lung, elsewhere, strict=True)]
    return _apart(1.0, told(np.array([[p, 1 - p] for p in unknown])), mixture([(0.5, known[0]), (0.5, known[1])]), 0.4)


def _reading_context() -> Law:
    at, step = grid(1200)
    weight = np.stack([0.5 * (density(at, mean + 1.25) + density(at, mean - 1.25)) for mean in (-1.0, 1.0)])
    return Law(told(weight * step), SILENT, normal(2.0))


def _shared_error() -> Law:
    # x = +-1 + e + own error, both of variance 1. Alone: variance 2, so the ratio is 2x/2 = x; given e, N(+-1 + e, 1).
    states = []
    for e, w in zip(NODES[::2], NODE_WEIGHTS[::2], strict=True):
        seen = Scores(np.array([[-1.0 + e], [1.0 + e]]), np.ones(1), np.ones((2, 1)))
        states.append((float(w), seen, seen))
    total = sum(w for w, _, _ in states)
    alone, both = normal(2.0 / math.sqrt(2.0)), normal(2.0 / math.sqrt(1.5))
    return Law(alone, alone, both, hidden=tuple((w / total, a, b) for w, a, b in states))


def _branch() -> Law:
    right, idle = _right_test(), _idle_test()
    both = ((0.5, right, idle), (0.5, idle, right))
    one = mixture([(0.5, right), (0.5, idle)])
    beside = mixture([(0.5, normal(BRANCH_D)), (0.5, SILENT)])
    return Law(one, one, normal(BRANCH_D), hidden=both, beside=(beside, beside), history=True, modalities=("A", "B"))


BRANCH_D: Final = 2.5


def _mixed_test(mean: tuple[float, float]) -> Scores:
    """What a test says to somebody who does not know whether it is the right one, where its mean by label is this."""
    at, step = grid()
    ratio = np.log(density(at, BRANCH_D / 2) + density(at, 0.0)) - np.log(density(at, -BRANCH_D / 2) + density(at, 0.0))
    return points(ratio, np.stack([density(at, m) for m in mean]) * step)


def _right_test() -> Scores:
    return _mixed_test((-BRANCH_D / 2, BRANCH_D / 2))


def _idle_test() -> Scores:
    return _mixed_test((0.0, 0.0))


def branch_of(named: int) -> Law:
    """`branch` for those whose history names the first or the second test."""
    tests, beside = (_right_test(), _idle_test()), (normal(BRANCH_D), SILENT)
    law = LAWS["branch"]
    chosen = (tests, beside) if named == 0 else (tests[::-1], beside[::-1])
    return replace(law, one=chosen[0][0], two=chosen[0][1], hidden=(), beside=(chosen[1][0], chosen[1][1]))


def _control() -> Law:
    return Law(normal(BRANCH_D), SILENT, normal(BRANCH_D), history=True, modalities=("A", "B"))


def value_ordered(seen: bool, steep: float) -> tuple[Floats, Law]:
    """(2,) P(P was done, or not | label) where that has chance expit(steep x), x what it shows; and the law of those."""
    at, step = grid(800)
    chance = 1.0 / (1.0 + np.exp(-steep * at if seen else steep * at))
    weight = np.stack([density(at, mean) * chance for mean in (-0.75, 0.75)]) * step
    share = weight.sum(axis=1)
    two = points(1.5 * at, weight / share[:, None])
    return share, Law(normal(1.0), two, normal(1.0).plus(two))


def _value_ordered() -> Law:
    return _apart(1.0, normal(1.5), normal(1.5))


LAWS: Final[Mapping[str, Law]] = {
    "additive": _apart(2.0, normal(2.0), normal(2.0)),
    "interaction": _apart(1.0, normal(1.0), normal(1.0).plus(_bit(0.15))),
    "one_biopsy": _one_biopsy(),
    "reading_context": _reading_context(),
    "shared_error": _shared_error(),
    "question": _apart(1.5, normal(1.5), normal(1.5)),
    "weak": _apart(2.0, SILENT, SILENT),
    "shortcut": _apart(1.0, normal(1.5), normal(1.5), 0.3),
    "shortcut_interaction": _apart(1.0, normal(1.0), normal(1.0).plus(_bit(0.15)), 0.3),
    "value_ordered": _value_ordered(),
    "branch": _branch(),
    "branch_control": _control(),
}
"""Task -> its law in everybody, whatever is ordered."""

_IMPRESSION: Final = np.array([0.2, 0.8])
ORDERED: Final[Mapping[str, Mapping[str, Floats]]] = {
    name: {"same": _IMPRESSION, "random": np.full(2, 0.7 * 0.2 + 0.3 * 0.8), "flipped": 1.0 - _IMPRESSION}
    for name in ("shortcut", "shortcut_interaction")
}
"""Task -> policy -> (2,) P(the second modality was ordered | label)."""
