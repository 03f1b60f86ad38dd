"""The scenarios that come with workup, measured side by side: size, speed, what an order that suits the patient is worth.

Each part of a scenario's record is kept as soon as it is known, under a digest of all that could change it, so that a run
that was killed goes on, and a later one works out only what has changed. The planner keeps its own answers as well
(`Bookkeeper`).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from workup import __version__
from workup.agents.baselines.guideline import GuidelineAgent
from workup.benchmarks.library_page import profile
from workup.benchmarks.speed import speed
from workup.envs.compile.compile import compile_world
from workup.envs.compile.faults import lint_compiled
from workup.envs.compile.targets import evaluate_targets
from workup.envs.model.world import World
from workup.errors import PlanningRefused
from workup.evaluation.optimum import Bookkeeper
from workup.evaluation.run import run_agents
from workup.evaluation.score import Evaluation, score
from workup.files import WorkingNotes
from workup.scenarios.language.library import find_scenario, list_scenarios, load_scenario
from workup.statistics import Interval
from workup.vignettes.mutation.mutate import mutate

NUM_ENVS = 4096
REFERENCES = ("none", "guideline", "voi", "fixed")
BEST = "optimum"

Progress = Callable[[str, int], None]
"""Told what is being done, and how many presentations the planner has newly solved."""


def bench_library(
    names: Sequence[str] = (),
    *,
    patients: int = 300,
    seed: int = 0,
    seconds: float = 6.0,
    runs: Path | None = None,
    progress: Progress = lambda _, __: None,
) -> dict[str, Any]:
    """Measure scenarios of the library.

    Args:
        names: which; all if empty.
        patients: on whom agents are compared, the same under each; 0 leaves out what is measured and keeps what is counted.
        seed: of these patients.
        seconds: CPU seconds for the steps of each scenario.
        runs: a folder where finished parts are kept; None keeps nothing.
        progress: see `Progress`.

    Returns:
        `scenarios` {id: record}, with patients, seed and num_envs. A record holds `profile` (what is counted: see
        `library_page.profile`), `model` {target: what the model gives}, `expectations` (ways to break them, and those that nobody can),
        and, unless `patients` is 0, `speed` (compile_s, lint_s, ratio) and `worth` (V0, agents, bounds, and the
        paired differences from the best fixed order, pounds per patient with 95% intervals).
    """
    notes = WorkingNotes(None if runs is None else runs / "parts.jsonl")
    return {
        "patients": patients,
        "seed": seed,
        "num_envs": NUM_ENVS,
        "scenarios": {
            name: _record(name, patients, seed, seconds, notes, progress) for name in names or list_scenarios()
        },
    }


def _record(
    name: str, patients: int, seed: int, seconds: float, notes: WorkingNotes, progress: Progress
) -> dict[str, Any]:
    scenario = load_scenario(name)
    world = compile_world(scenario)
    record: dict[str, Any] = {"profile": profile(scenario, find_scenario(name))}

    def part(what: str, settings: str, make: Callable[[], dict[str, Any]]) -> None:
        key = f"{what} {name} {scenario.digest} {__version__} {settings}"
        progress(f"{name}: {what}", 0)
        if notes.get(key) is None:
            notes.add(key, make())
        record[what] = notes.get(key)

    part("model", "", lambda: {target.name: target.value for target in evaluate_targets(world)})
    part("expectations", "", lambda: _expectations(world))
    if patients:
        part("speed", f"{seconds:g} s", lambda: _speed(name, seconds))
        part("worth", f"{patients} patients, seed {seed}", lambda: _worth(world, patients, seed, progress))
    return record


def _speed(name: str, seconds: float) -> dict[str, float]:
    """CPU seconds, the least of three, and steps relative to CartPole in the same run."""
    scenario = load_scenario(name)
    return {
        "compile_s": _least(lambda: compile_world(scenario)),
        "lint_s": _least(lambda: lint_compiled(find_scenario(name))),
        "ratio": float(speed(name, seconds=seconds, sizes=(NUM_ENVS,))["ratios"][str(NUM_ENVS)]),
    }


def _least(action: Callable[[], object], tries: int = 3) -> float:
    spent = []
    for _ in range(tries):
        begun = time.process_time()
        action()
        spent.append(time.process_time() - begun)
    return min(spent)


def _expectations(world: World) -> dict[str, Any]:
    """Ways to break an expectation that are caught, that the rules close and that were missed; what nobody can fail."""
    found = mutate(world, GuidelineAgent(world)) if world.scenario.vignettes else ()
    failed = {(each.vignette, each.expectation) for each in found if each.outcome != "protected"}
    closed = [each for each in found if each.outcome == "protected"]
    vacuous: dict[tuple[str, str], list[str]] = {}
    for each in closed:
        if (each.vignette, each.expectation) not in failed:
            vacuous.setdefault((each.vignette, each.expectation), []).append(each.reason)
    return {
        "caught": sum(each.outcome == "caught" for each in found),
        "missed": [f"{each.vignette}: {each.expectation}: {each.change}" for each in found if each.outcome == "missed"],
        "closed": [{"vignette": each.vignette, "change": each.change, "reason": each.reason} for each in closed],
        "vacuous": [
            {"vignette": vignette, "expectation": text, "reason": "; ".join(dict.fromkeys(reasons))}
            for (vignette, text), reasons in vacuous.items()
        ],
    }


def _worth(world: World, patients: int, seed: int, progress: Progress) -> dict[str, Any]:
    """Agents on the same patients, what was possible, and what each gains over the best fixed order."""
    name, keeper = world.scenario.id, Bookkeeper(world)

    def solved(count: int) -> None:
        progress(f"{name}: planning", count)

    progress(f"{name}: bounds", 0)
    bounds, refusal = keeper.bounds(patients=patients, seed=seed, progress=solved)
    wanted = [*REFERENCES, *([BEST] if bounds is not None else [])]
    progress(f"{name}: tuning the fixed order", 0)
    agents = keeper.agents(wanted, seed=seed, progress=solved)
    try:
        journeys = run_agents(
            world, agents, patients=patients, seed=seed, progress=lambda agent, _: progress(f"{name}: {agent}", 0)
        )
    except PlanningRefused as refused:
        bounds, refusal = None, str(refused)
        agents.pop(BEST, None)
        journeys = run_agents(world, agents, patients=patients, seed=seed)
    keeper.save()
    return _shown(score(journeys, bounds, refusal=refusal))


def _shown(result: Evaluation) -> dict[str, Any]:
    guideline, best = result.agents["guideline"], result.optimum
    return {
        "preset": result.preset,
        "v0": guideline.value.mean - guideline.gain.mean if best is None else best.v0.mean,
        "agents": {name: agent.value.as_json() for name, agent in result.agents.items()},
        "over_fixed": {name: _difference(result, name).as_json() for name in result.agents if name != "fixed"},
        "optimum": None
        if best is None
        else {"lower": best.lower.mean, "upper": best.upper.mean, "exact": best.exact, "gain": best.gain.as_json()},
        "refusal": result.refusal,
    }


def _difference(result: Evaluation, name: str) -> Interval:
    return result.minus(name, "fixed")
