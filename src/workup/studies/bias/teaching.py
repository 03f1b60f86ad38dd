"""The numbers of the educator's page, each from the exact law of a teaching scenario: nobody is simulated.

`teaching_views` says them in words and places, `teaching_page` makes the page.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from workup.agents.base import Needs, StochasticAgent
from workup.agents.baselines.suspicion import Suspicion
from workup.agents.opening import finish, journey_is_open, opening_actions, opening_choices
from workup.agents.registry import make_agent
from workup.envs.compile.compile import compile_world
from workup.envs.engine.types import JourneyView
from workup.envs.model.codes import NOT_ORDERED
from workup.envs.model.world import World
from workup.scenarios.language.library import load_scenario
from workup.studies.bias.exact import Exact, exact_cohort

RATIOS: Final = (
    *(1.0, 1.1, 1.2, 1.3, 1.4, 1.5, 1.6, 1.7, 1.8, 1.9, 2.0, 2.2, 2.4, 2.6, 2.8, 3.0, 3.25, 3.5, 3.75, 4.0),
    *(4.5, 5.0, 5.5, 6.0, 6.5, 7.0, 7.5, 8.0, 8.5, 9.0, 10.0, 11.0, 12.0, 13.0, 14.0, 15.0, 16.0, 17.0, 18.0, 20.0),
)
"""The steps of the slider: how many times as likely a positive test is verified as a negative one."""
LOT: Final = 0.1
"""Share of the negative tests that is verified as well."""
SUSPECTED: Final = 10.0
"""How many times as likely one who looks unwell is picked as one who looks calm, where the doctor picks."""
UNWRITTEN: Final = Path(__file__).parent / "teaching_page" / "unwritten.yaml"

Picked = Literal["nobody", "lot", "doctor"]
"""Who of those with a negative test is verified: nobody, `LOT` of them by lot, or as many whom the doctor picks."""


@dataclass(frozen=True)
class Cells:
    """A 2x2 of a test against the truth: people or shares of people, 0 or more."""

    tp: float
    fn: float
    fp: float
    tn: float

    @property
    def sensitivity(self) -> float:
        """Positive among the ill; not a number where nobody is ill."""
        return _ratio(self.tp, self.tp + self.fn)

    @property
    def specificity(self) -> float:
        """Negative among the well; not a number where nobody is well."""
        return _ratio(self.tn, self.tn + self.fp)

    def times(self, positive: float, negative: float) -> Cells:
        """Each positive and each negative test counted so many times."""
        return Cells(self.tp * positive, self.fn * negative, self.fp * positive, self.tn * negative)


@dataclass(frozen=True)
class Strength:
    """An audit under a policy of `two_by_two` that suspects so strongly."""

    ratio: float
    """P(verified | positive) / P(verified | negative)."""
    slope: float
    """Of the policy `suspicion:ill:SLOPE`."""
    verified: Cells
    """Shares of everybody who are verified."""


@dataclass(frozen=True)
class Repair:
    """An audit in which every positive test is verified, and negative ones as `picked` says."""

    picked: Picked
    verified: Cells
    """Shares of everybody who are verified."""
    by_test: Cells | None
    """Everybody, as worked out by counting each verified patient for those of the same test result; None where nobody with a
    negative test is verified, so that it cannot be."""
    by_look: Cells | None
    """The same by test result and by look, as if that had been written down."""
    least_sensitivity: float
    """The lowest that could be true, by the record alone."""
    most_specificity: float


def everyone() -> Cells:
    """Everybody of `two_by_two`; shares that sum to 1."""
    return _cells(
        exact_cohort(world_of("two_by_two"), make_agent("suspicion:ill:0", world_of("two_by_two"))), verified=False
    )


def strengths() -> tuple[Strength, ...]:
    """An audit for each of `RATIOS`, walked exactly at the slope that gives it."""
    world, all_of = world_of("two_by_two"), everyone()
    base, population = _logit(0.3), _logit(all_of.tp + all_of.fn)
    after = [_logit(all_of.tp / (all_of.tp + all_of.fp)), _logit(all_of.fn / (all_of.fn + all_of.tn))]

    def ratio(slope: float) -> float:
        positive, negative = (1.0 / (1.0 + math.exp(-(base + slope * (each - population)))) for each in after)
        return positive / negative

    found = []
    for wanted in RATIOS:
        low, high = 0.0, 4.0
        for _ in range(60):
            middle = (low + high) / 2.0
            low, high = (middle, high) if ratio(middle) < wanted else (low, middle)
        seen = exact_cohort(world, Suspicion(world, "ill", slope=low))
        found.append(Strength(ratio=wanted, slope=low, verified=_cells(seen, verified=True)))
    return tuple(found)


def true_shares() -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """What a share observed among the verified is in truth, where verification depends on the test alone.

    Returns:
        Sensitivity and specificity, (1001, 40) in whole per cent: a row for each 0.1% observed, a column for each of `RATIOS`.
    """
    observed, ratios = np.arange(1001)[:, None] / 1000.0, np.array(RATIOS)
    # Each verified patient with a negative test stands for r times as many as one with a positive test.
    sensitivity, specificity = (observed / (observed + by * (1.0 - observed)) for by in (ratios, 1.0 / ratios))
    return np.asarray(np.rint(100.0 * sensitivity), np.int64), np.asarray(np.rint(100.0 * specificity), np.int64)


def repairs() -> dict[Picked, Repair]:
    """An audit for each way to pick who of the negative tests is verified, in the world of `unwritten.yaml`."""
    world = compile_world(load_scenario(UNWRITTEN))
    whole = exact_cohort(world, _Sends(world, np.ones((2, 2))))
    negative = np.array(
        [whole.probability[(whole.value("test") == 0) & (whole.value("impression") == look)].sum() for look in (0, 1)]
    )
    calm = LOT * negative.sum() / (negative[0] + SUSPECTED * negative[1])
    chances = {"nobody": (0.0, 0.0), "lot": (LOT, LOT), "doctor": (calm, SUSPECTED * calm)}
    return {
        picked: _repair(world, whole, picked, np.array([chances[picked], (1.0, 1.0)]))
        for picked in ("nobody", "lot", "doctor")
    }


def _repair(world: World, whole: Exact, picked: Picked, chance: NDArray[np.float64]) -> Repair:
    exact = exact_cohort(world, _Sends(world, chance))
    seen, every = _cells(exact, verified=True), _cells(exact, verified=False)
    positives, negatives = every.tp + every.fp, every.fn + every.tn
    by_test = by_look = None
    if seen.fn + seen.tn > 0.0:
        by_test = seen.times(positives / (seen.tp + seen.fp), negatives / (seen.fn + seen.tn))
        parts = []
        for look in (0, 1):
            of, had = _cells(whole, verified=True, look=look), _cells(exact, verified=True, look=look)
            parts.append(had.times((of.tp + of.fp) / (had.tp + had.fp), (of.fn + of.tn) / (had.fn + had.tn)))
        by_look = Cells(*(sum(getattr(part, cell) for part in parts) for cell in ("tp", "fn", "fp", "tn")))
    unseen = negatives - seen.fn - seen.tn
    return Repair(
        picked=picked,
        verified=seen,
        by_test=by_test,
        by_look=by_look,
        least_sensitivity=_ratio(seen.tp, seen.tp + seen.fn + unseen),
        most_specificity=_ratio(seen.tn + unseen, seen.tn + unseen + seen.fp),
    )


def ratio_between(true: float, seen: float) -> float:
    """How many times as likely positive tests must have been verified for a true sensitivity to look like the one seen."""
    return seen / (1.0 - seen) / (true / (1.0 - true))


class _Sends(StochasticAgent):
    """Orders the reference standard once the test is there, with a chance for each test result and look."""

    needs: Needs = "posterior"
    name = "sends"

    def __init__(self, world: World, chance: NDArray[np.float64]) -> None:
        """`chance`: (2, 2) by test (negative, positive) and look (calm, unwell)."""
        self._world, self._chance, self._opening = world, chance, opening_actions(world)
        self._item = world.items.index("biopsy")
        self._order = next(i for i, a in enumerate(world.actions) if a.kind == "order" and a.items == (self._item,))
        self._test, self._look = (world.model.observables.index(name) for name in ("test", "impression"))

    def probabilities(self, view: JourneyView) -> NDArray[np.float64]:
        """See `StochasticAgent.probabilities`."""
        n, rows = len(view.step), np.arange(len(view.step))
        asked = journey_is_open(view) & (view.status[:, self._item] == NOT_ORDERED)
        sent = np.where(asked, self._chance[view.values[:, self._test], view.values[:, self._look]], 0.0)
        chances = np.zeros(view.mask.shape)
        chances[rows, finish(self._world, view, opening_choices(view, self._opening))] = 1.0 - sent
        chances[np.arange(n), self._order] += sent
        return chances


ILL: Final = np.array([False, True])
"""Of the conditions of every teaching scenario here: well, ill."""


@cache
def world_of(name: str) -> World:
    """A teaching scenario, compiled once."""
    return compile_world(load_scenario(name))


def _cells(exact: Exact, *, verified: bool, look: int | None = None) -> Cells:
    """Shares of everybody: of all, or of those verified; of all looks, or of one."""
    among = exact.done("biopsy") if verified else np.ones(len(exact.decision), np.bool_)
    if look is not None:
        among = among & (exact.value("impression") == look)
    positive, ill = exact.value("test") == 1, exact.of_conditions(ILL)
    well = exact.probability - ill
    return Cells(
        *(
            float(of[among & which].sum())
            for of, which in ((ill, positive), (ill, ~positive), (well, positive), (well, ~positive))
        )
    )


def _ratio(part: float, whole: float) -> float:
    return part / whole if whole > 0.0 else math.nan


def _logit(p: float) -> float:
    return math.log(p / (1.0 - p))
