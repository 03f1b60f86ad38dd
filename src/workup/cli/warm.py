"""The command that compiles every kernel, so that nothing else has to begin with a silent minute."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from workup.cli.terminal import console

if TYPE_CHECKING:
    from workup.envs.model.world import World


def warm() -> None:
    """Compile the kernels, once after installing or a change of the sources; what runs later begins at once.

    Compiled code is kept beside the sources (where these cannot be written, in numba's cache of the user), so that a
    second call takes a few seconds.
    """
    from workup.envs.compile.compile import compile_world
    from workup.scenarios.language.library import load_scenario

    begun, world = time.perf_counter(), compile_world(load_scenario("tutorial"))
    for number, (what, use) in enumerate(KERNELS.items(), start=1):
        console().print(f"{number} of {len(KERNELS)}: {what} ... ", end="")
        since = time.perf_counter()
        use(world)
        console().print(f"{time.perf_counter() - since:.1f} s")
    console().print(f"compiled in {time.perf_counter() - begun:.0f} s")


def _journeys(world: World) -> None:
    from workup.agents.registry import make_agent
    from workup.evaluation.run import run_agents

    run_agents(world, {"none": make_agent("none", world)}, patients=2, seed=0, record=True)


def _raw(world: World) -> None:
    from workup.envs.engine.engine import Engine

    engine = Engine(world, 2, seed=0, view="raw")
    engine.reset()
    engine.step(engine.mask.argmax(axis=1))


def _yourself(world: World) -> None:
    from workup.play.debrief import debrief
    from workup.play.play import play

    for _ in debrief(*play(world, patient=0, seed=0, ask=lambda _: "1", say=lambda _: None)):
        pass


def _again(world: World) -> None:
    from workup.envs.engine.cases import vignette_cases

    vignette_cases(world, next(iter(world.scenario.vignettes)), draws=2, seed=0)


def _one_step(world: World) -> None:
    from workup.agents.registry import make_agent
    from workup.evaluation.run import run_agents

    run_agents(world, {name: make_agent(name, world) for name in ("voi", "junior")}, patients=2, seed=0)


def _optimum(world: World) -> None:
    from workup.agents.planning import Optimum, PolicyCache
    from workup.evaluation.run import run_agents

    run_agents(world, {"optimum": Optimum(world, cache=PolicyCache("warm"))}, patients=2, seed=0)


def _sweep(world: World) -> None:
    from workup.agents.planning.exact import exact_values
    from workup.benchmarks.planner import generated

    exact_values(generated(2, 3, 8, 0))


KERNELS: dict[str, Callable[[World], None]] = {
    "journeys, the posterior observed": _journeys,
    "journeys, facts observed": _raw,
    "patients met again": _again,
    "one step ahead": _one_step,
    "the planner's search": _optimum,
    "the planner's sweep": _sweep,
    "a journey taken yourself": _yourself,
}
"""What to compile, and a use that does it. A test runs the main commands and finds nothing else to be compiled."""
