"""What a vignette expects of a journey, judged on the record of its steps.

An item counts as *ordered* at a step if that step placed the order, whatever came of it (a result, a failure, a
refusal). A name may be an item or an order set, which stands for all of its members. `when` is looked at before
every step; an expectation with `when` counts only in journeys where it held before some step, from the first such
step on (the *moment*):

| kind | holds in a journey if |
|---|---|
| must | every name was ordered at some time, before the moment or after it |
| must_not | no name (and no member of it) was ordered at the moment or after it |
| one_of | at least one name was ordered at some time |
| before | the second was not ordered from the moment on, or all of the first were ordered at an earlier step |
| within | every name was ordered, the clock then standing no later than the time given, from the journey's start |

With `at`, only steps of that visit (1 is the first) count as orders; a visit that never came holds none.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from workup.envs.model.codes import REFUSED
from workup.envs.model.facts import when_holds
from workup.envs.model.world import World
from workup.envs.records.journeys import Journeys
from workup.errors import UnknownNameError, WorkupError
from workup.scenarios.language.schema import Expectation, Vignette, When
from workup.scenarios.language.words.phrases import Phrases
from workup.vignettes.timeline import Bools, Timeline, members, timeline
from workup.wording import plain, time_in_words

Steps = NDArray[np.int64]
_NEVER = np.iinfo(np.int32).max

Holds = Callable[[World, When, NDArray[np.int16], NDArray[np.uint8]], Bools]
"""(world, when, values (m, O), status (m, I)) -> (m,): whether the condition holds on revealed facts."""


@dataclass(frozen=True, eq=False)
class Verdict:
    """One expectation judged in every journey."""

    text: str
    why: str
    every: bool
    """Whether it must hold in every draw, rather than in 95% of those where it counts."""
    counts: Bools
    """(n,) journeys in which the expectation counts."""
    fails: Bools
    """(n,) journeys in which it counts and does not hold."""
    step: Steps
    """(n,) where it failed: the offending step, or the last one for what never happened."""
    what: Callable[[int], str]
    """What happened instead in a journey, in plain words."""

    @property
    def passed(self) -> bool:
        """All draws for prohibitions and ceilings, else at least 95% of the draws in which it counts."""
        allowed = 0.0 if self.every else 0.05 * int(self.counts.sum())
        return int(self.fails.sum()) <= allowed + 1e-9


def judge(vignette: Vignette, journeys: Journeys, holds: Holds = when_holds) -> list[Verdict]:
    """Every expectation, the decision and the ceilings of a vignette, judged in each of the journeys.

    Raises:
        UnknownNameError: a name that the scenario does not have.
        WorkupError: the journeys hold no events, or an expectation none of the five kinds.
    """
    line = timeline(journeys)
    verdicts = [_Judged.of(line, expectation, holds).verdict() for expectation in vignette.expect]
    return [*verdicts, _decision(line, vignette), *_ceilings(line, vignette)]


@dataclass(frozen=True, eq=False)
class _Judged:
    """One expectation and the steps at which items were ordered as far as it looks."""

    line: Timeline
    expectation: Expectation
    counts: Bools
    first: Steps
    """(n, I) first order of each item, in the visit if one is named."""
    first_later: Steps
    """(n, I) the same from the moment on."""

    @classmethod
    def of(cls, line: Timeline, expectation: Expectation, holds: Holds) -> _Judged:
        moment = _moment(line, expectation.when, holds)
        seen = line.taken if expectation.at is None else line.taken & (line.visit == expectation.at)
        ordered = line.ordered & seen[:, :, None]
        later = ordered & (np.arange(ordered.shape[1]) >= moment[:, None])[:, :, None]
        return cls(line, expectation, moment != _NEVER, _first(ordered), _first(later))

    def verdict(self) -> Verdict:
        e = self.expectation
        if e.must is not None:
            return self._must(e.must)
        if e.must_not is not None:
            return self._must_not(e.must_not)
        if e.one_of is not None:
            return self._one_of(e.one_of)
        if e.before is not None:
            return self._before(*e.before)
        if e.within is not None:
            return self._within(e.within)
        raise WorkupError("an expectation says nothing; expected must, must_not, one_of, before or within")

    def _must(self, names: tuple[str, ...]) -> Verdict:
        done = self._done(names)

        def what(row: int) -> str:
            return f"never ordered: {self.phrases.labels_of(_where(names, done[:, row] == _NEVER))}"

        return self._say((done == _NEVER).any(axis=0), self.line.last, what)

    def _must_not(self, names: tuple[str, ...]) -> Verdict:
        begun = self._begun(names)

        def what(row: int) -> str:
            return f"ordered: {self.phrases.labels_of(_where(names, begun[:, row] != _NEVER))}"

        fails = (begun != _NEVER).any(axis=0)
        return self._say(fails, begun.min(axis=0), what, every=True)

    def _one_of(self, names: tuple[str, ...]) -> Verdict:
        fails = (self._done(names) == _NEVER).all(axis=0)
        return self._say(fails, self.line.last, lambda _: "none of them was ordered")

    def _before(self, earlier: str, later: str) -> Verdict:
        done, begun = self._done((earlier,))[0], self._begun((later,))[0]

        def what(row: int) -> str:
            end = ", and the first was never ordered" if done[row] == _NEVER else ""
            return f"{self.phrases.label(later)} was ordered{end or ' before it'}"

        return self._say((begun != _NEVER) & (done >= begun), begun, what)

    def _within(self, limits: dict[str, float]) -> Verdict:
        names, done = tuple(limits), self._done(tuple(limits))
        rows, last = np.arange(len(self.counts)), self.line.last
        clock = np.where(done == _NEVER, np.inf, self.line.clock_h[rows, np.minimum(done, last)])
        late = clock > np.array(list(limits.values()))[:, None] + 1e-9

        def what(row: int) -> str:
            times = [f"after {time_in_words(h)}" if np.isfinite(h) else "never ordered" for h in clock[:, row]]
            found = zip(names, times, late[:, row], strict=True)
            return "; ".join(f"{self.phrases.label(name)}: {time}" for name, time, bad in found if bad)

        return self._say(np.asarray(late.any(axis=0)), np.minimum(done, last).max(axis=0), what)

    def _say(self, fails: Bools, step: Steps, what: Callable[[int], str], *, every: bool = False) -> Verdict:
        e = self.expectation
        text = self.phrases.expectation(e.model_copy(update={"why": ""})).rstrip(".")
        return Verdict(text, e.why, every, self.counts, self.counts & fails, step, what)

    def _done(self, names: tuple[str, ...]) -> Steps:
        """(names, n) the step by which all that each name stands for had been ordered."""
        world = self.line.journeys.world
        return np.stack([self.first[:, list(members(world, name))].max(axis=1) for name in names])

    def _begun(self, names: tuple[str, ...]) -> Steps:
        """(names, n) the step, from the moment on, at which anything that each name stands for was ordered."""
        world = self.line.journeys.world
        return np.stack([self.first_later[:, list(members(world, name))].min(axis=1) for name in names])

    @property
    def phrases(self) -> Phrases:
        return Phrases(self.line.journeys.world.scenario)


def _moment(line: Timeline, when: When | None, holds: Holds) -> Steps:
    """(n,) first step before which `when` holds, _NEVER if none; 0 without a condition."""
    n, s = line.taken.shape
    if not when:
        return np.zeros(n, np.int64)
    flat = holds(line.journeys.world, when, line.values.reshape(n * s, -1), line.status.reshape(n * s, -1))
    return _first((flat.reshape(n, s) & line.taken)[:, :, None])[:, 0]


def _first(ordered: Bools) -> Steps:
    """(n, I) the first step of (n, S, I) at which something is true, _NEVER if none."""
    return np.where(ordered.any(axis=1), ordered.argmax(axis=1), _NEVER)


def _where(names: tuple[str, ...], chosen: Bools) -> tuple[str, ...]:
    return tuple(name for name, is_chosen in zip(names, chosen, strict=True) if is_chosen)


def _decision(line: Timeline, vignette: Vignette) -> Verdict:
    world, taken = line.journeys.world, line.journeys.decision
    acceptable = np.array([name in vignette.decide for name in (*world.decisions, "")])
    phrases = Phrases(world.scenario)

    def what(row: int) -> str:
        if taken[row] < 0:
            return "no decision was made"
        return f"decided: {phrases.label(world.decisions[taken[row]])}"

    counts = np.ones(len(taken), bool)
    text = f"must decide: {phrases.labels_of(vignette.decide, 'or')}"
    return Verdict(text, vignette.why, False, counts, ~acceptable[taken], line.last, what)


def _ceilings(line: Timeline, vignette: Vignette) -> Iterator[Verdict]:
    limits, journeys = vignette.ceilings, line.journeys

    def ceiling(limit: float, amount: NDArray[np.float64], name: str, unit: str) -> Verdict:
        text = f"{name}: at most {unit.format(limit)}" if limit else f"no {name}"
        fails, counts = amount > limit + 1e-9, np.ones(len(amount), bool)
        return Verdict(
            text, vignette.why, True, counts, fails, line.last, lambda row: f"{name} came to {unit.format(amount[row])}"
        )

    if limits.cost_gbp is not None:
        yield ceiling(limits.cost_gbp, journeys.cost_gbp, "cost", "£{:,.0f}")
    if limits.dose_msv is not None:
        yield ceiling(limits.dose_msv, journeys.dose_msv, "radiation", "{:g} mSv")
    if limits.harm_gbp is not None:
        yield ceiling(limits.harm_gbp, harm_gbp(journeys), "expected harm", "£{:,.2f}")
    for name, limit in limits.risk.items():
        yield ceiling(limit, risk(line, name), f"risk of {plain(name)}", "{:.2%}")
    if limits.tests is not None:
        yield ceiling(limits.tests, journeys.tests.astype(np.float64), "tests after examination", "{:g}")


def harm_gbp(journeys: Journeys) -> NDArray[np.float64]:
    """(n,) harm of each journey by the patient's own state, in pounds, free of the reward's weight.

    Raises:
        WorkupError: the reward preset gives harm no weight, so the record does not hold it.
    """
    weight = float(journeys.world.weights[1])
    if weight == 0:
        raise WorkupError(f"the reward preset {journeys.world.preset!r} gives harm no weight; use one that does")
    return np.asarray(-journeys.components[:, 1] / weight)


def risk(line: Timeline, name: str) -> NDArray[np.float64]:
    """(n,) chance of a complication, summed over the orders that may cause it, for each patient.

    Args:
        line: the journeys.
        name: `item.complication`, or a complication that several items share.

    Raises:
        UnknownNameError: no item has such a complication.
    """
    world, journeys = line.journeys.world, line.journeys
    matching = [z for z, full in enumerate(world.complication_names) if name in (full, full.partition(".")[2])]
    if not matching:
        known = ", ".join(world.complication_names)
        raise UnknownNameError(f"{name!r} is no complication of {world.scenario.id}; expected one of {known}")
    total = np.zeros(len(journeys.patient))
    for z in matching:
        item = int(world.complication_item[z])
        orders = line.ordered[:, :, item].sum(axis=1) * (journeys.status[:, item] != REFUSED)
        total += orders * world.complication_chance[z, journeys.profile, journeys.hidden]
    return total
