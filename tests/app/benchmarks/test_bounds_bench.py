"""Bounds that come with a scenario are made, said and kept as they are asked for."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import workup.benchmarks.bounds
from workup.agents.planning import Optimum, PolicyCache, SearchEffort, presentations
from workup.agents.planning.bounded import Search
from workup.agents.planning.policy_cache import cache_key, state_key
from workup.benchmarks.bounds import bench_bounds, cells_of, estimates
from workup.benchmarks.runner import Standing
from workup.envs.compile.compile import compile_world
from workup.evaluation.run import run_agents
from workup.files import WorkingNotes
from workup.scenarios.language.library import load_scenario

NAME = "pulmonary_embolism"
EFFORT = SearchEffort(expansions=600, least=0, target=0.0)


def test_bounds_are_made_once_and_are_what_a_search_finds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cells = cells_of([NAME], patients=6, seed=0, effort=EFFORT)
    (ahead,) = estimates(cells, tmp_path / "runs")
    assert ahead["expansions"] == 600 * ahead["presentations"]
    assert ahead["cpu_s"] > 0.0
    told: list[Standing] = []
    result = bench_bounds(cells, runs=tmp_path / "runs", out=tmp_path, progress=told.append)
    assert any("presentations" in each.doing for each in told)
    of = result["scenarios"][NAME]
    assert of["gap"] > 0.0
    assert of["share"] == pytest.approx(of["gap"] / of["gain"])
    assert [path.suffix for path in (tmp_path / "runs").iterdir()] == [".json"]

    world = compile_world(load_scenario(NAME))
    kept = PolicyCache.load(tmp_path / NAME / "bounds.json", cache_key(world))
    assert kept is not None
    planner = Optimum(world, cache=kept).planner
    for state in presentations(world, np.arange(6), 0)[1].values():
        known = kept.bounds[state_key(state)]
        search = Search(planner.presenter.present(state).problem)
        found = search.run(expansions=known.expansions, gap=EFFORT.gap_gbp, share_of_gain=EFFORT.gap)
        assert found.lower == pytest.approx(known.lower, abs=1e-3)
        assert found.upper >= known.upper - 1e-3  # the easier problem may say less
    by_the_file = Optimum(world, cache=kept, presented=True, known_only=True)
    run_agents(world, {"optimum": by_the_file}, patients=6, seed=0)

    def refuse(*_: Any) -> Any:
        raise AssertionError("made again")

    monkeypatch.setattr(workup.benchmarks.bounds, "_make", refuse)
    assert estimates(cells, tmp_path / "runs") == []
    assert bench_bounds(cells, runs=tmp_path / "runs", out=tmp_path) == result


def test_a_run_that_was_killed_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cells = cells_of([NAME], patients=6, seed=0, effort=EFFORT)
    bench_bounds(cells, runs=tmp_path / "whole", out=tmp_path / "a")

    def killed(*_: Any, **__: Any) -> Any:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(workup.benchmarks.bounds, "run_agents", killed)
        with pytest.raises(KeyboardInterrupt):
            bench_bounds(cells, runs=tmp_path / "runs", out=tmp_path / "b")
    assert [path.suffix for path in (tmp_path / "runs").iterdir()] == [".jsonl"]
    assert not (tmp_path / "b").exists()
    searches = len(next((tmp_path / "runs").iterdir()).read_text().splitlines())
    assert searches >= cells[0].settings["patients"] / 2
    made: list[int] = []
    monkeypatch.setattr(WorkingNotes, "add", lambda *_: made.append(1))
    bench_bounds(cells, runs=tmp_path / "runs", out=tmp_path / "b")
    files = [json.loads((tmp_path / which / NAME / "bounds.json").read_text()) for which in "ab"]
    assert files[0] == files[1]
    assert not made  # every search was known


def test_scenarios_that_are_searched_whole_have_none() -> None:
    assert cells_of(["control", "tutorial"], patients=6, seed=0, effort=EFFORT) == []
