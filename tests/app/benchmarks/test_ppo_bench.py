"""`workup bench ppo`: every seed is trained, kept, compared on the same patients; called again it only compares."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

pytest.importorskip("sb3_contrib", reason="needs workup[train]")

from workup.agents.learned.ppo.training import Settings
from workup.benchmarks.ppo import Plan, PpoBench, bench_ppo
from workup.benchmarks.runner import Standing
from workup.cli.main import main
from workup.errors import WorkupError

pytestmark = [pytest.mark.torch, pytest.mark.slow]

SMALL = Settings(n_envs=64, rollout_steps=8, layers=(16,), validate_every_s=0.2, validation_patients=64)


@pytest.fixture(autouse=True)
def _own_cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))


def test_runs_are_kept_and_compared_with_the_best_planner(tmp_path: Path) -> None:
    told: list[Standing] = []
    plan = Plan(seeds=(0, 1), seconds=0.5, patients=200, draws=1, settings=SMALL)

    def bench() -> PpoBench:
        return bench_ppo("tutorial", plan, out=tmp_path, progress=told.append)

    first = bench()
    assert {"tutorial/voi", "tutorial/ppo-belief/seed0", "tutorial/ppo-raw/seed1", "tutorial/optimum"} <= {
        each.cell for each in told
    }
    assert {"training", "journeys", "planning"} <= {each.doing.partition(",")[0] for each in told}
    assert first["optimum"] is not None
    for preset in first["presets"].values():
        gains = [run["gain"]["mean"] or 0.0 for run in preset["runs"]]
        assert [run["seed"] for run in preset["runs"]] == [0, 1]
        assert preset["median_gain"] == pytest.approx(sum(gains) / 2)
        for run, gain in zip(preset["runs"], gains, strict=True):
            low, high = run["gain"]["low"], run["gain"]["high"]
            assert low is not None
            assert high is not None
            assert low <= gain <= high
            assert run["share_of_voi"]["mean"] == pytest.approx(gain / (first["voi"]["gain"]["mean"] or 0.0))
            assert run["captured"]["mean"] == pytest.approx(gain / (first["optimum"]["gain"]["mean"] or 0.0))
    told.clear()
    assert bench() == first
    assert [(each.done, each.total) for each in told] == [(6, 6)]  # nothing was trained, met or planned again


def test_other_patients_are_met_by_the_policies_that_are_there(tmp_path: Path) -> None:
    plan = Plan(seeds=(0,), presets=("belief",), seconds=0.5, patients=20, draws=1, bounds=False, settings=SMALL)
    bench_ppo("tutorial", plan, out=tmp_path)
    trained = (tmp_path / "belief-0" / "policy.json").stat().st_mtime_ns
    assert bench_ppo("tutorial", replace(plan, patients=30), out=tmp_path)["patients"] == 30
    assert (tmp_path / "belief-0" / "policy.json").stat().st_mtime_ns == trained
    assert len(list(tmp_path.glob("*.json"))) == 4
    with pytest.raises(WorkupError, match=r"^tutorial/ppo-belief/seed0: .*other settings"):
        bench_ppo("tutorial", replace(plan, seconds=0.6), out=tmp_path)


def test_the_command_writes_what_it_shows(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    result = tmp_path / "result.json"
    options = [
        "--scenario",
        "tutorial",
        "--seeds",
        "1",
        "--presets",
        "belief",
        "--seconds",
        "1",
        "--patients",
        "50",
        "--draws",
        "1",
    ]
    with pytest.raises(SystemExit) as end:
        main(["bench", "ppo", "--out", str(tmp_path / "runs"), *options, "--no-bounds", "--json", str(result)])
    assert end.value.code == 0
    said = capsys.readouterr().out
    assert "belief, median" in said
    assert "optimum: unknown" in said
    found = json.loads(result.read_text())
    assert found["optimum"] is None
    assert found["presets"]["belief"]["runs"][0]["captured"]["mean"] is None
    with pytest.raises(SystemExit) as end:
        main(["bench", "ppo", "--out", str(tmp_path / "runs"), "--presets", "all"])
    assert end.value.code == 2
    assert "expected one or both of belief, raw" in capsys.readouterr().err


def test_patients_who_cannot_be_drawn_again_are_told_before_anything_is_trained(tmp_path: Path) -> None:
    plan = Plan(presets=("belief",), seeds=(0,), seconds=600.0, patients=20, draws=5, bounds=False)
    with pytest.raises(WorkupError, match=r"failed, was refused or withheld.*--draws 1"):
        bench_ppo("tutorial", plan, out=tmp_path)
    assert not list(tmp_path.glob("belief*"))
