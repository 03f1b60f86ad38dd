"""The planner's benchmark measures the planner that is checked elsewhere, on problems it solves correctly."""

import json
from pathlib import Path

import pytest

from workup.agents.planning.bounded import bound
from workup.agents.planning.exact import exact_values
from workup.benchmarks.planner import generated
from workup.cli.main import main


@pytest.mark.parametrize("seed", range(4))
def test_the_sweep_and_the_search_agree_on_the_generated_problem(seed: int) -> None:
    problem = generated(5, 3, 5, seed)
    found = bound(problem, expansions=10**9)
    assert found.met
    assert exact_values(problem)[0] == pytest.approx(found.lower, rel=1e-9)
    assert found.lower > found.stop + 1.0  # something is worth ordering


def test_the_command_says_size_time_and_memory(tmp_path: Path) -> None:
    file = tmp_path / "planner.json"
    with pytest.raises(SystemExit, match="0"):
        main(["bench", "planner", "--investigations", "5", "--conditions", "4", "--json", str(file)])
    said = json.loads(file.read_text())
    assert said["states"] == 4**5
    assert said["lower"] - 1e-6 <= said["value"] <= said["upper"] + 1e-6
    assert said["cpu_s"] > 0.0
    assert said["peak_mb"] > 50.0
