"""Journeys taken for a test: by policies of (patient, step, mask) alone, all that was delivered kept in order.

Whatever differs between two runs is then the environment's doing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from workup.envs.engine.engine import Engine
from workup.envs.engine.types import JourneyView, Step
from workup.envs.model.world import World

Policy = Callable[[int, int, NDArray[np.bool_]], int]


def random_policy(world: World, *, seed: int = 0, stop: float = 0.08, illegal: float = 0.0) -> Policy:
    """Any legal action, a decision with chance `stop`; with chance `illegal` one that is masked."""
    first_decision = len(world.actions) - len(world.decisions)

    def choose(patient: int, step: int, mask: NDArray[np.bool_]) -> int:
        rng = np.random.default_rng([seed, patient, step])
        if rng.random() < illegal and not mask.all():
            return int(rng.choice(np.flatnonzero(~mask)))
        onward = np.flatnonzero(mask[:first_decision])
        legal = onward if onward.size and rng.random() >= stop else np.flatnonzero(mask)
        return int(rng.choice(legal))

    return choose


@dataclass(eq=False)
class Trace:
    """All that one journey delivered, in order; observation and mask have one row more than the rest."""

    observation: list[NDArray[np.float32]] = field(default_factory=list)
    mask: list[NDArray[np.bool_]] = field(default_factory=list)
    action: list[int] = field(default_factory=list)
    reward: list[float] = field(default_factory=list)
    components: list[NDArray[np.float64]] = field(default_factory=list)
    illegal: list[bool] = field(default_factory=list)
    terminated: bool = False
    truncated: bool = False

    def add(self, action: int, step: Step, slot: int) -> None:
        """One step, without a reset in it."""
        self.action.append(action)
        self.observation.append(step.observation[slot])
        self.mask.append(step.mask[slot])
        self.reward.append(float(step.reward[slot]))
        self.components.append(step.components[slot])
        self.illegal.append(bool(step.illegal[slot]))
        self.terminated, self.truncated = bool(step.terminated[slot]), bool(step.truncated[slot])

    @property
    def ended(self) -> bool:
        """Whether the journey is over."""
        return self.terminated or self.truncated


def play(engine: Engine, patients: range, policy: Policy) -> dict[int, Trace]:
    """Each of these patients' journey, `engine.num_envs` at a time, without automatic reset."""
    traces: dict[int, Trace] = {}
    for first in range(patients.start, patients.stop, engine.num_envs):
        group = list(range(first, min(first + engine.num_envs, patients.stop)))
        slots = np.full(engine.num_envs, -1, np.int64)
        slots[: len(group)] = group
        engine.reset(patients=slots)
        begun = [Trace([engine.observation[slot]], [engine.mask[slot]]) for slot in range(len(group))]
        for _ in steps_of(engine, group, begun, policy):
            pass
        traces |= dict(zip(group, begun, strict=True))
    return traces


def steps_of(engine: Engine, group: list[int], begun: list[Trace], policy: Policy) -> Iterator[Step]:
    """Take the journeys begun in slots 0.. to their ends, adding to `begun`; yields after every step."""
    while not all(trace.ended for trace in begun):
        actions = np.full(engine.num_envs, -1, np.int64)
        for slot, (patient, trace) in enumerate(zip(group, begun, strict=True)):
            if not trace.ended:
                actions[slot] = policy(patient, len(trace.action), trace.mask[-1])
        step = engine.step(actions)
        for slot, trace in enumerate(begun):
            if not trace.ended:
                trace.add(int(actions[slot]), step, slot)
        yield step


def assert_same_trace(one: Trace, other: Trace) -> None:
    """Bit for bit the same journey."""
    assert one.action == other.action
    np.testing.assert_array_equal(np.array(one.observation), np.array(other.observation))
    np.testing.assert_array_equal(np.array(one.mask), np.array(other.mask))
    np.testing.assert_array_equal(np.array(one.components), np.array(other.components))
    assert one.reward == other.reward
    assert (one.illegal, one.terminated, one.truncated) == (other.illegal, other.terminated, other.truncated)


def journey_steps(engine: Engine, patient: int, policy: Policy) -> Iterator[tuple[JourneyView, Trace, JourneyView]]:
    """One journey in slot 0, with what was revealed before and after each step."""
    only = np.zeros(1, np.int64)
    slots = np.full(engine.num_envs, -1, np.int64)
    slots[0] = patient
    engine.reset(patients=slots)
    trace = Trace([engine.observation[0]], [engine.mask[0]])
    before = engine.journey_view(only)
    for _ in steps_of(engine, [patient], [trace], policy):
        after = engine.journey_view(only)
        yield before, trace, after
        before = after


FACTS = ("values", "status", "failures", "treated", "clock_h", "visit", "cost_gbp", "dose_msv", "tests", "waiting_h")


def assert_same_facts(one: JourneyView, other: JourneyView) -> None:
    """The same has been revealed, at the same time and price."""
    for name in FACTS:
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name), err_msg=name)
