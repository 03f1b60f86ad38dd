"""The scenarios that come with workup, measured side by side: size, speed, what an order that suits the patient is worth.

Each part of a scenario's record is a cell, so that a run that was killed goes on, and a later one works out only what has
changed. The planner keeps its own answers as well (`Bookkeeper`).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NotRequired, TypedDict

from workup.agents.baselines.guideline import GuidelineAgent
from workup.benchmarks.library_page import profile
from workup.benchmarks.runner import Cell, Progress, Tell, run
from workup.benchmarks.speed import speed
from workup.benchmarks.worlds import world_of_cell
from workup.envs.compile.compile import compile_world
from workup.envs.compile.faults import lint_compiled
from workup.envs.compile.targets import evaluate_targets
from workup.envs.model.world import World
from workup.errors import PlanningRefused, UnknownNameError, suggestion
from workup.evaluation.optimum import Bookkeeper
from workup.evaluation.run import run_agents
from workup.evaluation.score import Evaluation, score
from workup.scenarios.language.library import find_scenario, load_scenario, shipped_scenarios
from workup.statistics import Interval
from workup.vignettes.mutation.mutate import mutate

NUM_ENVS = 4096
REFERENCES = ("none", "guideline", "voi", "fixed")
BEST = "optimum"


class Record(TypedDict):
    """What is known of one scenario."""

    profile: dict[str, Any]
    """What is counted: see `library_page.profile`."""
    model: Mapping[str, float]
    """Target -> what the model gives."""
    expectations: Mapping[str, Any]
    """Ways to break them, and those that nobody can."""
    speed: NotRequired[Mapping[str, float]]
    """compile_s, lint_s, ratio; if patients were asked for."""
    worth: NotRequired[Mapping[str, Any]]
    """V0, agents, bounds, and the paired differences from the best fixed order, pounds per patient with 95% intervals; if
    patients were asked for."""


class LibraryBench(TypedDict):
    """What `workup bench library --json` writes."""

    patients: int
    seed: int
    unplanned: list[str]
    num_envs: int
    scenarios: dict[str, Record]


def bench_library(
    names: Sequence[str] = (),
    *,
    runs: Path,
    patients: int = 300,
    seed: int = 0,
    seconds: float = 6.0,
    workers: int = 1,
    unplanned: Sequence[str] = (),
    progress: Progress = lambda _: None,
) -> LibraryBench:
    """Measure scenarios of the library.

    Args:
        names: which; all if empty.
        runs: a folder where finished parts are kept.
        patients: on whom agents are compared, the same under each; 0 leaves out what is measured and keeps what is counted.
        seed: of these patients.
        seconds: CPU seconds for the steps of each scenario.
        workers: processes.
        unplanned: scenarios whose optimum is not worked out, since it would take hours.
        progress: of the cells.

    Raises:
        UnknownNameError: one of `unplanned` is none of the scenarios.
    """
    scenarios = {name: load_scenario(name) for name in names or shipped_scenarios()}
    if lost := [name for name in unplanned if name not in scenarios]:
        raise UnknownNameError(f"{lost[0]!r} is none of the scenarios{suggestion(lost[0], scenarios)}")

    def parts(name: str) -> dict[str, tuple[dict[str, Any], int | None]]:
        counted: dict[str, tuple[dict[str, Any], int | None]] = {"model": ({}, None), "expectations": ({}, None)}
        if not patients:
            return counted
        settings: dict[str, Any] = {"patients": patients} | ({"bounds": False} if name in unplanned else {})
        return counted | {"speed": ({"seconds": seconds}, None), "worth": (settings, seed)}

    cells = [
        Cell(name, scenario.digest, part, *settings)
        for name, scenario in scenarios.items()
        for part, settings in parts(name).items()
    ]
    done = {
        (each.cell.scenario, each.cell.agent): each.result
        for each in run(cells, _measure, folder=runs, workers=workers, progress=progress)
    }
    records: dict[str, Record] = {}
    for name, scenario in scenarios.items():
        model, expectations = done[name, "model"], done[name, "expectations"]
        records[name] = {
            "profile": profile(scenario, find_scenario(name)), "model": model, "expectations": expectations
        }  # fmt: skip
        if patients:
            records[name] |= {"speed": done[name, "speed"], "worth": done[name, "worth"]}
    return {
        "patients": patients, "seed": seed, "unplanned": list(unplanned), "num_envs": NUM_ENVS, "scenarios": records
    }  # fmt: skip


def _measure(cell: Cell, tell: Tell) -> dict[str, Any]:
    world = world_of_cell(cell.scenario, cell)
    if cell.agent == "model":
        return {target.name: target.value for target in evaluate_targets(world)}
    if cell.agent == "expectations":
        return _expectations(world)
    if cell.agent == "speed":
        return _speed(cell.scenario, cell.settings["seconds"])
    return _worth(world, cell.settings["patients"], cell.seed or 0, cell.settings.get("bounds", True), tell)


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


def _worth(world: World, patients: int, seed: int, plan_for_all: bool, tell: Tell) -> dict[str, Any]:
    """Agents on the same patients, what was possible, and what each gains over the best fixed order."""
    keeper, planned = Bookkeeper(world), 0
    to_plan = keeper.to_plan(patients=patients, seed=seed)

    def solved(count: int) -> None:
        nonlocal planned
        planned += count
        tell(f"planning, {planned:,} of {max(planned, to_plan):,} presentations solved")

    tell("bounds")
    bounds, refusal, plan = keeper.possible(patients=patients, seed=seed, asked=plan_for_all, progress=solved)
    wanted = [*REFERENCES, *([BEST] if bounds is not None else [])]
    tell("tuning the fixed order")
    agents = keeper.agents(wanted, seed=seed, progress=solved)
    try:
        journeys = run_agents(
            world, agents, patients=patients, seed=seed, progress=lambda agent, _: tell(f"journeys of {agent}")
        )
    except PlanningRefused as refused:
        bounds, refusal, plan = None, str(refused), None
        agents.pop(BEST, None)
        journeys = run_agents(world, agents, patients=patients, seed=seed)
    keeper.save()
    refusal = refusal if plan_for_all else "not planned: it would take hours"
    return _shown(score(journeys, bounds, refusal=refusal, plan=plan))


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
