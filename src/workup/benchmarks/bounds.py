"""The optimum's answers that come with scenarios, made anew: bounds of each presentation of sampled patients, and the actions
that its plan takes for them.

A scenario is a cell, so that what is finished is not done again; within one, every search is noted when it halts, so that a
run that was killed goes on with the next. Scenarios whose whole journey can be searched come without: they are exact at once.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any, TypedDict

import numpy as np

from workup.agents.planning import Optimum, PolicyCache, SearchEffort, State, presentations
from workup.agents.planning.bounded import Search
from workup.agents.planning.optimum import Planner, solve_together
from workup.agents.planning.policy_cache import Known, cache_key, state_key
from workup.benchmarks.runner import Cell, Done, Progress, Tell, read, run
from workup.benchmarks.worlds import world_of_cell
from workup.envs.compile.compile import compile_world
from workup.envs.model.world import World
from workup.evaluation.run import run_agents
from workup.files import WorkingNotes
from workup.scenarios.language.library import find_scenario, load_scenario, shipped_scenarios

FILE = "bounds.json"
_LOOK, _DEARER = 2_000, 1.6
"""Expansions on which the cost is estimated, and by what those of a long search are dearer (measured: 1.3 to 1.9)."""


class Estimate(TypedDict):
    """What a scenario's bounds may cost at most, before they are made."""

    scenario: str
    presentations: int
    expansions: int
    cpu_s: float


class BoundsBench(TypedDict):
    """What `workup bench bounds --json` writes."""

    patients: int
    seed: int
    effort: dict[str, float]
    scenarios: dict[str, dict[str, float]]
    """presentations, v0, gain, gap (pounds a patient), share (gap of the gain), expansions, most (of one), cpu_s."""


def cells_of(names: Sequence[str], *, patients: int, seed: int, effort: SearchEffort) -> list[Cell]:
    """One for each scenario whose whole journey is too large to be searched."""
    settings = {"patients": patients, "effort": asdict(effort)}
    found = []
    for name in names or shipped_scenarios():
        scenario = load_scenario(name)
        if not Planner(compile_world(scenario)).whole:
            found.append(Cell(name, scenario.digest, "bounds", settings, seed))
    return found


def estimates(cells: Sequence[Cell], runs: Path) -> list[Estimate]:
    """What is still to be done, by a short search of one presentation of each: an upper limit, for searches end early where
    the bracket is narrow enough."""
    found: list[Estimate] = []
    for cell in cells:
        if read(cell, runs) is None:
            world = world_of_cell(cell.scenario, cell)
            states = _presented(world, cell)[0]
            expansions = SearchEffort(**cell.settings["effort"]).budget(len(states))
            each = _cpu_s(world, next(iter(states.values()))) * _DEARER
            found.append(Estimate(
                scenario=cell.scenario, presentations=len(states), expansions=expansions, cpu_s=each * expansions
            ))  # fmt: skip
    return found


def bench_bounds(
    cells: Sequence[Cell], *, runs: Path, out: Path | None = None, progress: Progress = lambda _: None
) -> BoundsBench:
    """Make bounds and write each scenario's file whole once it is done.

    Args:
        cells: of `cells_of`, with the same settings.
        runs: a folder where finished scenarios and searches are kept.
        out: a folder for `SCENARIO/bounds.json`; by default beside the scenarios themselves.
        progress: of the scenarios.
    """
    records: dict[str, dict[str, float]] = {}
    for cell in cells:
        (done,) = run([cell], partial(_make, runs), folder=runs, progress=progress)
        _cache(done).save((find_scenario(cell.scenario) if out is None else out / Path(cell.scenario).name) / FILE)
        records[cell.scenario] = dict(done.result["figures"])
        _notes(cell, runs).forget()
    first = cells[0]
    return {
        "patients": first.settings["patients"], "seed": first.seed or 0, "effort": first.settings["effort"],
        "scenarios": records,
    }  # fmt: skip


def _make(runs: Path, cell: Cell, tell: Tell) -> dict[str, Any]:
    world = world_of_cell(cell.scenario, cell)
    effort, notes = SearchEffort(**cell.settings["effort"]), _notes(cell, runs)
    cache = PolicyCache(cache_key(world))
    states, patients, v0 = _presented(world, cell)
    begun, solved = time.process_time(), 0

    def one_more(count: int) -> None:
        nonlocal solved
        solved += count
        tell(f"{solved:,} of {len(states):,} presentations, {(time.process_time() - begun) / 60:.1f} CPU min")

    agent = Optimum(world, effort=effort, cache=cache, presented=True)
    tell(f"looking at {len(states):,} presentations")
    solve_together(agent.planner, states, cache, patients=patients, progress=one_more, notes=notes)
    tell("journeys")
    run_agents(world, {agent.name: agent}, patients=cell.settings["patients"], seed=cell.seed or 0)
    return {
        "figures": _figures(cache, patients, v0) | {"cpu_s": time.process_time() - begun},
        "bounds": {key: list(known) for key, known in cache.bounds.items()},
        "actions": cache.actions,
    }


def _figures(cache: PolicyCache, patients: Counter[str], v0: float) -> dict[str, float]:
    known = [(cache.bounds[key], count) for key, count in patients.items()]
    total = patients.total()
    gain = sum(count * (each.lower - each.v0) for each, count in known) / total
    gap = sum(count * (each.upper - each.lower) for each, count in known) / total
    expansions = [each.expansions for each, _ in known]
    return {
        "presentations": len(known), "v0": v0, "gain": gain, "gap": gap, "share": gap / gain if gain > 0.0 else 0.0,
        "expansions": sum(expansions), "most": max(expansions),
    }  # fmt: skip


def _presented(world: World, cell: Cell) -> tuple[dict[str, State], Counter[str], float]:
    """Presentations by key, how many patients present so, and the mean value of deciding at once."""
    v0, states = presentations(world, np.arange(cell.settings["patients"]), cell.seed or 0)
    return (
        {state_key(state): state for state in states.values()},
        Counter(state_key(state) for state in states.values()),
        float(v0.mean()),
    )


def _cpu_s(world: World, state: State) -> float:
    """CPU seconds of an expansion, compilation left out."""
    problem = Planner(world).presenter.present(state).problem
    Search(problem).run(expansions=_LOOK)
    search, begun = Search(problem), time.process_time()
    found = search.run(expansions=_LOOK)
    return (time.process_time() - begun) / max(1, found.expanded)


def _cache(done: Done) -> PolicyCache:
    key = cache_key(world_of_cell(done.cell.scenario, done.cell))
    bounds = {at: Known(*known) for at, known in done.result["bounds"].items()}
    return PolicyCache(key, bounds, dict(done.result["actions"]))


def _notes(cell: Cell, runs: Path) -> WorkingNotes:
    return WorkingNotes((runs / cell.file_name).with_suffix(".jsonl"))
