"""Which modalities a record holds: what a policy ordered, less what one of four mechanisms leaves out, and what that tells."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Final, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from workup.errors import UnknownNameError, WorkupError, suggestion

Floats = NDArray[np.float64]
Mechanism = Literal["mcar", "mar", "outcome", "journeys"]
MECHANISMS: Final[tuple[Mechanism, ...]] = get_args(Mechanism)
MOST: Final = 0.8
"""Highest rate."""
RISK: Final = (0.3, 0.7)
"""P(the history names a risk | label 0, label 1)."""
TILT: Final = math.log(4)
"""How much the log-odds of absence fall with a risk in the history (mar) or with the label (outcome), and rise without."""
SLOPE: Final = 2.0
"""How much the log-odds of a second order rise with the first graded finding (journeys)."""


@dataclass(frozen=True)
class Missing:
    """A mechanism by which a record lacks a modality that was ordered.

    mcar: each by chance. mar: by chance that falls with a risk which the history names; the history is then in the record.
    outcome: by chance that falls with the label. journeys: the first modality by chance, the second where the first modality's
    graded finding was low.

    Raises:
        UnknownNameError: no such mechanism.
        WorkupError: a rate outside [0, .8].
    """

    mechanism: Mechanism
    rate: float
    """Chance that a modality is absent, over all patients, before `keep_one`; in [0, .8]."""
    keep_one: bool = False
    """Whoever would be left with nothing keeps one of what was ordered, chosen at random; in journeys, the first."""
    recorded: bool = True
    """mar: whether the history that absence depends on is in the record."""

    def __post_init__(self) -> None:
        if self.mechanism not in MECHANISMS:
            raise UnknownNameError(
                f"no mechanism of missing data {self.mechanism!r}{suggestion(self.mechanism, MECHANISMS)}"
            )
        if not 0.0 <= self.rate <= MOST:
            raise WorkupError(f"the rate of missing data is {self.rate}; expected one in [0, {MOST}]")


def expit(x: Floats | float) -> Floats:
    """The logistic function, without overflow."""
    return np.asarray(0.5 * (1.0 + np.tanh(0.5 * np.asarray(x))))


def logit(p: float) -> float:
    """Log-odds of a probability in (0, 1)."""
    return math.log(p / (1.0 - p))


def root(f: Callable[[float], float], low: float = -60.0, high: float = 60.0) -> float:
    """Where a rising function of one number is 0, by bisection."""
    for _ in range(200):
        middle = 0.5 * (low + high)
        low, high = (low, middle) if f(middle) > 0.0 else (middle, high)
    return 0.5 * (low + high)


@cache
def absence(missing: Missing, prevalence: float) -> tuple[float, float]:
    """Chance of absence where the history names no risk and where it does (mar), or by label (outcome); the mean is the rate."""
    if missing.rate == 0.0 or missing.mechanism not in ("mar", "outcome"):
        return missing.rate, missing.rate
    share = prevalence if missing.mechanism == "outcome" else RISK[0] + prevalence * (RISK[1] - RISK[0])

    def excess(b: float) -> float:
        return float((1.0 - share) * expit(b + TILT) + share * expit(b - TILT)) - missing.rate

    b = root(excess)
    return float(expit(b + TILT)), float(expit(b - TILT))


@cache
def second_order(missing: Missing, prevalence: float, d: float) -> float:
    """What is added to SLOPE times the first graded finding, N(-d/2 or d/2, 1), so that 1 - rate have the second modality."""
    x = np.linspace(-12.0, 12.0, 4001)
    at = np.exp(-0.5 * (x - d / 2) ** 2) * prevalence + np.exp(-0.5 * (x + d / 2) ** 2) * (1.0 - prevalence)
    at /= at.sum()
    return root(lambda b: float(at @ expit(b + SLOPE * x)) - (1.0 - missing.rate))


def absences(missing: Missing, prevalence: float, label: NDArray[np.int64], risk: NDArray[np.int64]) -> Floats:
    """(n,) each patient's chance that a modality is absent, by chance alone, given label and risk (n,)."""
    by = np.array(absence(missing, prevalence))
    return np.asarray(by[label if missing.mechanism == "outcome" else risk])


def seconds(missing: Missing, prevalence: float, d: float, first: Floats) -> Floats:
    """(n,) chance of a second order after a first graded finding (n,)."""
    if missing.rate == 0.0:
        return np.ones(len(first))
    return expit(second_order(missing, prevalence, d) + SLOPE * first)


def kept(
    missing: Missing, held: NDArray[np.bool_], chance: Floats, second: Floats | None, uniform: NDArray[np.float64]
) -> NDArray[np.bool_]:
    """(n, M) what is left of `held`.

    Args:
        missing: by which mechanism.
        held: (n, M) what was ordered.
        chance: (n,) that a modality is absent.
        second: (n,) chance of the second modality after the first, in journeys.
        uniform: (n, M + 1) in [0, 1); the last column chooses whom to keep.
    """
    stays: NDArray[np.bool_] = np.asarray(uniform[:, :-1] >= chance[:, None])
    if second is not None:
        stays[:, 0] |= missing.keep_one
        stays[:, 1] = np.where(held[:, 0] & stays[:, 0], uniform[:, 1] < second, stays[:, 1])
    left = held & stays
    if missing.keep_one:
        bare: NDArray[np.bool_] = np.asarray(~left.any(axis=1))
        at = np.floor(uniform[:, -1] * held.sum(axis=1)).astype(np.int64)
        left |= bare[:, None] & held & (np.cumsum(held, axis=1) == at[:, None] + 1)
    return left


def pattern_chance(
    missing: Missing | None, held: float, chance: Floats, second: Floats | None, present: NDArray[np.bool_]
) -> Floats:
    """(n,) P(just these of two modalities are left) where the first was ordered for sure and the second with chance `held`.

    Args:
        missing: by which mechanism, None for none.
        held: chance that the second modality was ordered.
        chance: (n,) that an ordered modality is absent.
        second: (n,) chance of the second after the first, in journeys.
        present: (n, 2) what is left.
    """
    one, two = present[:, 0], present[:, 1]
    if missing is None:
        return np.where(two, held, 1.0 - held) * one
    if second is not None:
        first = np.where(one, 1.0 if missing.keep_one else 1.0 - chance, 0.0 if missing.keep_one else chance)
        has = held * np.where(one, second, 1.0 - chance)
        return np.asarray(first * np.where(two, has, 1.0 - has))
    ordered_two = np.where(one, 1.0 - chance, chance) * np.where(two, 1.0 - chance, chance)
    ordered_one = np.where(two, 0.0, np.where(one, 1.0 - chance, chance))
    if missing.keep_one:
        none = ~one & ~two
        ordered_two = np.where(none, 0.0, ordered_two + 0.5 * chance**2 * (one ^ two))
        ordered_one = np.where(two | none, 0.0, 1.0)
    return np.asarray(held * ordered_two + (1.0 - held) * ordered_one)
