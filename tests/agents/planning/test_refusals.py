"""What a planner cannot treat exactly it refuses, and says why and how large."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from workup.agents.planning import solve
from workup.agents.planning.exact import MAX_STATES, exact_values
from workup.agents.planning.optimum import Optimum
from workup.agents.planning.presentation import Presenter
from workup.agents.planning.problem import size
from workup.agents.planning.solution import presentations
from workup.cli.main import main
from workup.envs.compile.compile import compile_world
from workup.envs.engine.engine import Engine
from workup.envs.model.codes import PENDING
from workup.envs.model.outcomes import MAX_OUTCOMES, item_outcomes
from workup.envs.model.world import World
from workup.errors import PlanningRefused
from workup.scenarios.language.library import find_scenario, load_scenario

LOST = """  lost: {kind: fails, affects: [kidney_test], chance: 0.1, why: The courier lost it}
  haemolysed:
"""

UNTREATABLE = {
    "a step limit that cuts": ("max_steps: 20", "max_steps: 5", r"may take 1\d steps and is cut at max_steps = 5; raise max_steps to 1\d"),
    "a set-up shared in no time": ("reveals: [crp], cost_gbp: 8, turnaround: 2 h", "reveals: [crp], cost_gbp: 8, turnaround: 0", r"crp_test share a set-up and give results at once.*give them a turnaround"),
    "time that cannot be told": ("  haemolysed:\n", LOST, "kidney_test may fail with or without taking its time"),
}  # fmt: skip


def written(folder: Path, old: str, new: str) -> Path:
    """The tutorial, altered."""
    text = (Path(find_scenario("tutorial")) / "scenario.yaml").read_text(encoding="utf-8")
    assert text.count(old) == 1
    path = folder / "scenario.yaml"
    path.write_text(text.replace(old, new), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def large() -> World:
    return compile_world(load_scenario("weight_loss"))


@pytest.mark.parametrize("what", UNTREATABLE)
def test_what_is_untreatable_is_refused_with_its_reason(tmp_path: Path, what: str) -> None:
    old, new, reason = UNTREATABLE[what]
    world = compile_world(load_scenario(str(written(tmp_path, old, new))))
    with pytest.raises(PlanningRefused, match=f"(?s){reason}"):
        solve(world, patients=3)


def test_the_command_line_says_the_reason_and_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    path = written(tmp_path, *UNTREATABLE["a step limit that cuts"][:2])
    with pytest.raises(SystemExit) as end:
        main(["solve", str(path), "--patients", "3"])
    assert end.value.code == 2
    assert "raise max_steps" in " ".join(capsys.readouterr().err.split())


def test_results_that_are_pending_are_refused(large: World) -> None:
    _, states = presentations(large, np.arange(1), seed=0)
    state = states[0]
    status = state.status.copy()
    status[large.item("tsh")] = PENDING
    with pytest.raises(PlanningRefused, match="a result is pending; the planners treat results that come at once"):
        Presenter(large).present(replace(state, status=status))
    engine = Engine(large, 1, results="delayed")
    for item in ("history", "examination"):
        engine.step(np.array([engine.action_names.index(f"order {item}")]))
    with pytest.raises(PlanningRefused, match="pending"):
        Optimum(large).act(engine.journey_view())


def test_an_oversize_problem_is_refused_with_its_size(large: World) -> None:
    _, states = presentations(large, np.arange(1), seed=0)
    problem = Presenter(large).present(states[0]).problem
    states_of_it = size(problem)
    assert states_of_it > MAX_STATES
    with pytest.raises(PlanningRefused) as refusal:
        exact_values(problem._replace(clocked=False))
    assert f"{states_of_it:,.0f} information states" in str(refusal.value)
    assert f"at most {MAX_STATES:,}" in str(refusal.value)


def test_an_item_with_too_many_joint_results_is_refused_with_their_number(large: World) -> None:
    with pytest.raises(PlanningRefused, match=r"history has [\d,]+ joint results \(\d+ findings\)") as refusal:
        item_outcomes(large, large.item("history"), 0)
    assert f"at most {MAX_OUTCOMES:,}" in str(refusal.value)
