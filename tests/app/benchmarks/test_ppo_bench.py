"""`workup bench ppo`: every seed is trained, kept, compared on the same patients; called again it only compares."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

pytest.importorskip("sb3_contrib")

from workup.agents.learned.ppo.training import Settings
from workup.benchmarks.ppo import bench_ppo
from workup.cli.main import main
from workup.envs.compile.compile import compile_world
from workup.scenarios.language.library import load_scenario

SMALL = Settings(n_envs=64, rollout_steps=8, layers=(16,), validate_every_s=0.2, validation_patients=64)


def test_runs_are_kept_and_compared_with_the_best_planner(tmp_path: Path) -> None:
    world = compile_world(load_scenario("tutorial"))
    told: list[str] = []

    def bench() -> dict[str, object]:
        return bench_ppo(
            world,
            out=tmp_path,
            seeds=(0, 1),
            seconds=0.5,
            patients=200,
            draws=1,
            settings=SMALL,
            progress=lambda what, share: told.append(what),
        )

    first = bench()
    assert {"training belief-0", "training raw-1", "journeys of voi"} <= set(told)
    for preset in first["presets"].values():  # type: ignore[attr-defined]
        gains = [run["gain"]["mean"] for run in preset["runs"]]
        assert [run["seed"] for run in preset["runs"]] == [0, 1]
        assert preset["median_gain"] == pytest.approx(sum(gains) / 2)
        for run in preset["runs"]:
            assert run["gain"]["low"] <= run["gain"]["mean"] <= run["gain"]["high"]
            assert run["share_of_voi"]["mean"] == pytest.approx(run["gain"]["mean"] / first["voi"]["gain"]["mean"])  # type: ignore[index]
            assert run["captured"]["mean"] == pytest.approx(run["gain"]["mean"] / first["optimum"]["gain"]["mean"])  # type: ignore[index]
    told.clear()
    assert bench() == first
    assert not [what for what in told if what.startswith("training")]


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
