"""Which modalities are left, with what probability given the label: every case written out, and none of the generator's code."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from workup.studies.fusion.ceilings.scores import Floats

if TYPE_CHECKING:
    from workup.studies.fusion.tasks.records import Missing

RISK: Final = np.array([[0.7, 0.3], [0.3, 0.7]])
"""[label, risk] P(the history names no risk, a risk | label)."""
FOUR, STEEP = 4.0, 2.0
"""Odds of absence are four times those in the middle or a fourth; log-odds of a second order rise by 2 with a finding."""


@dataclass(frozen=True)
class Left:
    """A way in which a record can look."""

    one: bool
    two: bool
    risk: int | None
    """What the history says, where it was recorded."""
    weight: Floats
    """(2,) P(this | label)."""


def odds_of_absence(rate: float, share: float) -> tuple[float, float]:
    """Chance of absence of those without and with what lowers it, a share of all: odds 4u and u/4, u a root of a quadratic."""
    if rate == 0.0:
        return 0.0, 0.0
    # (1 - s) 4u (4 + u) + s u (1 + 4u) = r (1 + 4u)(4 + u)
    a = (1 - share) * FOUR + share * FOUR - rate * FOUR
    b = (1 - share) * FOUR**2 + share - rate * (FOUR**2 + 1)
    u = (-b + math.sqrt(b * b + 4 * a * rate * FOUR)) / (2 * a)
    return FOUR * u / (1 + FOUR * u), u / (FOUR + u)


def left(missing: Missing | None, held: NDArray[np.float64], prevalence: float) -> list[Left]:
    """Every way, by chance alone.

    Args:
        missing: a mechanism other than journeys, or None.
        held: (2,) P(the second modality was ordered | label); the first was for everybody.
        prevalence: of label 1.
    """
    found: dict[tuple[bool, bool, int | None], Floats] = {}
    for y, two, risk, p, absent in _cases(missing, held, prevalence):
        for (one_lost, p_one), (two_lost, p_two) in itertools.product(_either(absent), _either(absent)):
            rest = (not one_lost, two and not two_lost)
            if any(rest) or missing is None or not missing.keep_one:
                ends = [(rest, 1.0)]
            else:
                ends = [((True, False), 0.5), ((False, True), 0.5)] if two else [((True, False), 1.0)]
            for (a, b), q in ends:
                named = risk if missing is not None and missing.mechanism == "mar" else None
                found.setdefault((a, b, named), np.zeros(2))[y] += p * p_one * p_two * q
    return [Left(a, b, named, weight) for (a, b, named), weight in found.items() if weight.any()]


def _either(chance: float) -> tuple[tuple[bool, float], tuple[bool, float]]:
    return (True, chance), (False, 1.0 - chance)


def _cases(
    missing: Missing | None, held: NDArray[np.float64], prevalence: float
) -> Iterator[tuple[int, bool, int, float, float]]:
    """Label, whether the second was ordered, risk, their probability given the label, chance of absence."""
    for y, two, risk in itertools.product((0, 1), (False, True), (0, 1)):
        p = float((held[y] if two else 1.0 - held[y]) * RISK[y, risk])
        absent = 0.0
        if missing is not None:
            share = (
                prevalence
                if missing.mechanism == "outcome"
                else (1 - prevalence) * RISK[0, 1] + prevalence * RISK[1, 1]
            )
            by = odds_of_absence(missing.rate, float(share))
            absent = {"mcar": missing.rate, "mar": by[risk], "outcome": by[y]}[missing.mechanism]
        yield y, two, risk, p, absent


def second_after(rate: float, prevalence: float, d: float, at: Floats) -> Floats:
    """(k,) P(second modality | first graded finding): expit(b + 2x), whose mean over N(-d/2 or d/2, 1) is 1 - rate."""
    if rate == 0.0:
        return np.ones(len(at))
    nodes, weights = np.polynomial.hermite_e.hermegauss(120)
    weights = weights / weights.sum()
    b = 0.0
    for _ in range(200):
        mean = slope = 0.0
        for share, middle in ((1 - prevalence, -d / 2), (prevalence, d / 2)):
            p = 1.0 / (1.0 + np.exp(-(b + STEEP * (middle + nodes))))
            mean += share * float(weights @ p)
            slope += share * float(weights @ (p * (1 - p)))
        b -= max(-1.0, min(1.0, (mean - (1 - rate)) / slope))
    return np.asarray(1.0 / (1.0 + np.exp(-(b + STEEP * at))))
