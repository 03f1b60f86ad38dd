"""What a phenomenon is, and how it is held against its exact values."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from workup.agents.base import Agent
from workup.agents.registry import make_agent
from workup.envs.compile.compile import compile_world
from workup.envs.model.world import World
from workup.envs.records.cohorts import Cohort
from workup.errors import UnknownNameError, suggestion
from workup.scenarios.language.library import load_scenario
from workup.studies.bias.exact import Exact, exact_cohort
from workup.studies.bias.measures import Estimate
from workup.studies.cohorts import cohort

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Exactly = Mapping[str, float]
"""By name, what is exactly so."""
Measured = Mapping[str, Estimate]
"""By the same names, what a cohort shows."""


@dataclass(frozen=True)
class Phenomenon:
    """One way in which journeys bias the records they leave."""

    name: str
    title: str
    words: str
    """In plain words: what happens and why, a paragraph."""
    scenario: str
    """The teaching scenario it is shown on."""
    policy: str | Callable[[World], Agent]
    expected: Callable[[Exact], Exactly]
    """From the exact law of records."""
    estimate: Callable[[Cohort], Measured]
    """The same from a cohort."""
    shows: Callable[[Exactly], tuple[float, float]]
    """Size of the effect, and how large it must be at least."""
    effect: str
    """What that size is."""
    formula: Callable[[Exactly], Mapping[str, tuple[float, float]]] | None = None
    """By name, what a textbook's formula gives from other quantities, and the quantity that it is about."""
    figure: Callable[[Axes, Exactly, Measured], None] | None = None

    def agent(self, world: World) -> Agent:
        """Who decides."""
        return make_agent(self.policy, world) if isinstance(self.policy, str) else self.policy(world)


@dataclass(frozen=True)
class Held:
    """A quantity against its exact value."""

    name: str
    exact: float
    estimate: Estimate
    low: float
    high: float
    detects: float
    """Smallest relative error of the exact value that this interval excludes with power 0.9."""

    @property
    def holds(self) -> bool:
        """Whether the interval contains the exact value."""
        return bool(self.low <= self.exact <= self.high)


def phenomena() -> dict[str, Phenomenon]:
    """All of them, by name."""
    room = importlib.import_module("workup.studies.bias.phenomena")
    modules = [importlib.import_module(m.name) for m in pkgutil.iter_modules(room.__path__, f"{room.__name__}.")]
    return {module.PHENOMENON.name: module.PHENOMENON for module in modules}


def phenomenon(name: str) -> Phenomenon:
    """The one of that name. Raises UnknownNameError naming the nearest."""
    known = phenomena()
    if name not in known:
        raise UnknownNameError(f"no phenomenon {name!r}{suggestion(name, known)}")
    return known[name]


def exactly(of: Phenomenon) -> Exactly:
    """Its exact values."""
    world = compile_world(load_scenario(of.scenario))
    return of.expected(exact_cohort(world, of.agent(world)))


def measured(of: Phenomenon, *, patients: int, seed: int = 0) -> Measured:
    """What a cohort of that many patients shows."""
    world = compile_world(load_scenario(of.scenario))
    return of.estimate(cohort(world, of.agent(world), patients=patients, seed=seed))


def held(exact: Exactly, found: Measured) -> tuple[Held, ...]:
    """Every quantity with its interval; all of them hold their exact values with probability 0.999, if these are right."""
    return tuple(
        Held(name, exact[name], each, *each.interval(len(found)), each.detects(exact[name], len(found)))
        for name, each in found.items()
    )
