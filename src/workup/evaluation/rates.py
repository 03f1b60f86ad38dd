"""What the same journeys would be worth at other rates of pounds for a QALY: net benefit, a straight line for each agent.

Value at a rate is value at the scenario's rate plus the difference of the rates times QALYs. The QALYs of a journey are found by
taking it again, act by act, in the same scenario at another rate: so whatever is stated in QALYs counts, progression included.

Source: Stinnett and Mullahy, Med Decis Making 1998;18(2 Suppl):S68 (net health and monetary benefit; recalled).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import permutations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workup.envs.compile.compile import compile_world
from workup.envs.engine.engine import Engine
from workup.envs.model.codes import NO_SUCH_ACTION
from workup.envs.model.world import World
from workup.envs.records.journeys import Journeys
from workup.errors import WorkupError
from workup.evaluation.score import Evaluation
from workup.scenarios.language.worth import in_qalys
from workup.statistics import Interval, normal_interval

Floats = NDArray[np.float64]

RATES_GBP = (20_000.0, 35_000.0)
"""From and to; NICE's thresholds lie between them."""
_BATCH = 1024


@dataclass(frozen=True)
class Line:
    """One agent: the same journeys at any rate."""

    stated_gbp: float
    """Pounds for a QALY in the scenario."""
    value: float
    """Mean per patient at that rate, pounds, as in the evaluation."""
    qalys: Interval
    """Mean per patient, as the reward counts them, by the posterior at the end, against the scenario's zero."""

    def at(self, rate_gbp: float) -> float:
        """Mean value per patient at another rate, pounds."""
        return self.value + (rate_gbp - self.stated_gbp) * self.qalys.mean


@dataclass(frozen=True)
class NetBenefit:
    """All agents of an evaluation."""

    lines: Mapping[str, Line]

    def crossings(self) -> list[tuple[float, str, str]]:
        """Rates between `RATES_GBP` above which an agent is worth more than another that is worth more below it: (rate, the one
        that passes, the one that is passed), by rate."""
        found = []
        for one, other in permutations(self.lines, 2):
            a, b = self.lines[one], self.lines[other]
            steeper = a.qalys.mean - b.qalys.mean
            if steeper > 0.0:
                rate = a.stated_gbp + (b.value - a.value) / steeper
                if RATES_GBP[0] < rate < RATES_GBP[1]:
                    found.append((rate, one, other))
        return sorted(found)

    def as_json(self) -> dict[str, Any]:
        """`{agent: {"gbp_per_qaly", "value", "qalys"}}`."""
        return {
            name: {"gbp_per_qaly": line.stated_gbp, "value": line.value, "qalys": line.qalys.as_json()}
            for name, line in self.lines.items()
        }


def net_benefit(journeys: Mapping[str, Journeys], evaluation: Evaluation) -> NetBenefit:
    """Lines of the agents of an evaluation.

    Args:
        journeys: those that were evaluated, recorded, with results at once and without a budget, of patients drawn from the law.
        evaluation: of these.

    Raises:
        WorkupError: nothing is stated in QALYs, or the journeys were not recorded.
    """
    world = next(iter(journeys.values())).world
    if not in_qalys(world.scenario):
        raise WorkupError(f"nothing in {world.scenario.id} is stated in QALYs")
    stated = world.scenario.utility.gbp_per_qaly
    half, lines = _at(world, stated / 2.0), {}
    for name, each in journeys.items():
        gained = again(each, world).sum(axis=1) - again(each, half).sum(axis=1)
        lines[name] = Line(stated, evaluation.agents[name].value.mean, normal_interval(gained / (stated / 2.0)))
    return NetBenefit(lines)


def _at(world: World, gbp_per_qaly: float) -> World:
    weights = dict(zip(("cost", "harm", "delay", "utility"), map(float, world.weights), strict=True))
    return compile_world(
        world.scenario, preset=world.preset, weights=weights, switched_off=world.switched_off, gbp_per_qaly=gbp_per_qaly
    )


def again(journeys: Journeys, world: World) -> Floats:
    """The same acts on the same patients in a world that differs in what things are worth.

    Args:
        journeys: recorded.
        world: with the actions, patients and rules of theirs.

    Returns:
        (n, 4) components as `Journeys.expected_components` has them.
    """
    events, n = journeys.recorded(), len(journeys.patient)
    total = np.zeros((n, 4))
    for first in range(0, n, _BATCH):
        last = min(first + _BATCH, n)
        engine = Engine(world, last - first, seed=journeys.seed, view="belief")
        engine.reset(patients=journeys.patient[first:last])
        here = (events.journey >= first) & (events.journey < last)
        for step in range(int(events.step[here].max()) + 1):
            now = here & (events.step == step)
            acting = events.journey[now] - first
            actions = np.full(last - first, -1, np.int64)
            actions[acting] = np.where(events.action[now] < 0, NO_SUCH_ACTION, events.action[now])
            total[first + acting] += engine.step(actions).components[acting]
        at_end = engine.ended(np.arange(last - first))["components_at_end"]
        total[first:last] += at_end[:, 1] - at_end[:, 0]
    return total
