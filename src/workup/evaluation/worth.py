"""What journeys were worth, as the optimum is certified: in expectation, given what each patient told and showed at first.

A sampled journey is worth that much only on average. Most of the luck in it is known and taken off (`value_gbp`). What is left
is which results came, and so which orders followed. Of the optimum's own plan it is known exactly, patient by patient: what its
journey was worth less what is certified. On average that is 0, and by as much as an agent's journeys share it, it is taken
off them too (a control variate). So the plan itself scores what is certified, an agent that never orders stays at 0, and where
two journeys are the same their difference is.

Source: Owen, Monte Carlo theory, methods and examples (2013), section 8.9 (regression of a mean on a control variate), the
coefficient of each patient from other patients, so that the mean stays unbiased.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from workup.agents.planning import PresentationBounds
from workup.envs.records.journeys import Journeys
from workup.statistics import Interval
from workup.wording import CERTIFIED

Floats = NDArray[np.float64]

FOLDS = 10
_NOTHING_GBP = 1e-6


@dataclass(frozen=True, eq=False)
class Worth:
    """Of n patients under one agent, in pounds."""

    value: Floats
    """(n,) the plan counted as what is certified for it, the lower bound."""
    slack: Floats
    """(n,) what to add if the plan is worth the upper bound; 0 where the optimum is exact or there is no plan."""


def value_gbp(journeys: Journeys) -> Floats:
    """(n,) value of each journey: charges at its end as exact posterior expectations, less what was luck.

    Luck is 0 on average whatever share of it is taken off. The share is the one that leaves least noise (nearly all of it, but for
    policies that wait on where they know enough: what they were lucky to find they lose by waiting), that of a patient
    from other patients. Of recorded patients as it was, since the posterior is of a model fitted to others.
    """
    if not journeys.law_known:
        return journeys.value
    value = np.asarray(journeys.expected_components.sum(axis=1))
    if journeys.luck is None:
        return value
    v0 = np.where(np.isfinite(journeys.v0), journeys.v0, 0.0)
    return np.asarray(value - _share(value, journeys.luck, np.ones_like(value), v0) * journeys.luck)


def worth(journeys: Journeys, bounds: PresentationBounds | None, plan: Journeys | None) -> Worth:
    """Value of each journey, what is left of luck taken off as far as it is shared with the optimum's plan.

    Args:
        journeys: of an agent.
        bounds: of the same patients; None if unknown.
        plan: the journeys of the same patients under the plan that attains the lower bound; None if it was not taken.
    """
    value = value_gbp(journeys)
    if bounds is None or plan is None:
        return Worth(value, np.zeros_like(value))
    planned, certified, gap = value_gbp(plan), bounds.lower - bounds.v0, bounds.upper - bounds.lower
    # Where nothing can be gained, a journey under the plan has ended or ends at once.
    left = np.where(bounds.upper - bounds.v0 > 0.0, planned - bounds.lower, 0.0)
    shared = _shared(value - bounds.v0, planned - bounds.v0, certified, left)
    return Worth(value - shared * left, shared * gap)


def _shared(gain: Floats, planned: Floats, certified: Floats, left: Floats) -> Floats:
    """(n,) between 0 and 1: how much of what is left of luck in the plan's journeys is in the agent's."""
    for same, share in ((np.zeros_like(gain), 0.0), (planned, 1.0)):
        if np.abs(gain - same).max() < _NOTHING_GBP:
            return np.full(len(gain), share)
    return _share(gain, left, np.ones_like(gain), certified)


def _share(value: Floats, control: Floats, *known: Floats) -> Floats:
    """(n,) between 0 and 1: how much of a control variate is in the value, by regression on it and what else is known."""
    given = np.stack([*known, control], axis=1)
    fold, share = np.arange(len(value)) % FOLDS, np.zeros(len(value))
    for each in np.unique(fold):
        others = fold != each
        if others.sum() > given.shape[1]:
            share[~others] = np.linalg.lstsq(given[others], value[others], rcond=None)[0][-1]
    return np.clip(share, 0.0, 1.0)


def meaning(journeys: Journeys, bounds: PresentationBounds | None, plan: Journeys | None) -> str:
    """A line to stand under a table of what agents were worth: what the figures are."""
    got = "Median and trimmed mean (without the lowest and highest 5%): what they got, luck included."
    if not journeys.law_known:
        return f"Value: the mean of what happened to these recorded patients. {got}"
    if bounds is None:
        return f"Value: what patients can expect on average; most luck is taken off. {got}"
    if plan is None:
        return (
            "Value and captured: what patients can expect on average; most luck is taken off, and what is left may put an "
            f"agent above the optimum, which is an expectation. {got}"
        )
    return (
        f"Value and captured: what patients can expect on average, as the optimum is {CERTIFIED}; luck is taken off by "
        f"comparison with the optimum's plan on the same patients, so above 100% is chance, within the interval. {got}"
    )


def presented(journeys: Mapping[str, Journeys], name: Literal["v0", "v0_open"]) -> Floats:
    """(n,) V0 of each patient under the first agent that took both history and examination; NaN if none did."""
    v0 = np.full(len(next(iter(journeys.values())).patient), np.nan)
    for each in journeys.values():
        v0 = np.where(np.isnan(v0), getattr(each, name), v0)
    return v0


def reference(v0: Interval, v0_open: Interval) -> str:
    """What gains are measured from, in words: V0, and V0 open where decisions require something."""
    if np.isnan(v0.mean):
        return "V0: unknown; no agent took both history and examination."
    least = f"V0, the best decision allowed after history and examination: {spread(v0)}"
    if v0_open.mean - v0.mean < 0.005:
        return f"{least}."
    return f"{least}; V0 open, if no decision required anything: {spread(v0_open)}."


def spread(value: Interval) -> str:
    """'1,234.5 (1,200.1 to 1,268.9)'."""
    return f"{value.mean:,.1f} ({value.low:,.1f} to {value.high:,.1f})"
