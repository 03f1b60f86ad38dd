"""What starting costs is measured in processes of its own."""

from __future__ import annotations

import pytest
from support.command import run

from workup.benchmarks import start
from workup.benchmarks.start import bench_start
from workup.errors import WorkupError

pytestmark = pytest.mark.slow


def test_what_is_started_opened_and_compared_costs_something() -> None:
    told: list[str] = []
    found = bench_start(["tutorial"], repeats=1, patients=20, progress=told.append)
    assert found["started_s"].keys() == start.STARTS.keys()
    assert min(found["started_s"].values()) > 0.0
    opened, compared = found["opened"]["tutorial"], found["compared"]["tutorial"]
    assert 0.0 < opened["make_and_reset_s"] < opened["process_s"]
    assert min(compared["baselines_s"], compared["voi_s"]) > 0.0
    assert told == [*start.STARTS, "opening tutorial", "comparing agents on tutorial"]


def test_a_process_that_fails_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(start, "STARTS", {"nothing": ("-c", "import nowhere_at_all")})
    with pytest.raises(WorkupError, match="ended with status 1"):
        bench_start([], repeats=1)


def test_the_command_shows_a_row_a_scenario(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(start, "STARTS", {"import workup": ("-c", "import workup")})
    monkeypatch.setenv("COLUMNS", "200")
    status, out, _ = run(capsys, "bench", "start", "--scenarios", "control")
    assert status == 0
    assert "import workup: 0." in out
    assert "control" in out
