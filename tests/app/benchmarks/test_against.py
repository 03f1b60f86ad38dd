"""Two commits measured in turn: a small repository of its own, and a worker that answers with what stands in a file."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
from support.command import run
from support.places import ROOT

from workup.benchmarks import against
from workup.benchmarks.against import Checkout, bench_against, ratio_of, worker
from workup.benchmarks.runner import Standing
from workup.errors import UnknownNameError, WorkupError

STUB = """
import json, pathlib, sys
here = pathlib.Path.cwd()
print(json.dumps({"workup": str((here / "src/workup/__init__.py").resolve())}), flush=True)
for line in sys.stdin:
    asked = json.loads(line)
    with open(here / "asked.txt", "a") as file:
        file.write(line)
    steps = float((here / "steps.txt").read_text())
    print(json.dumps({"error": "Broken: no"} if steps < 0 else {"steps_per_cpu_s": steps * asked["size"]}), flush=True)
"""


def git(folder: Path, *arguments: str) -> str:
    who = ("-c", "user.name=a", "-c", "user.email=a@example.org")
    done = subprocess.run(["git", "-C", str(folder), *who, *arguments], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def commit(repository: Path, **files: str) -> None:
    for name, text in files.items():
        path = repository / name.replace("__", "/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    git(repository, "add", "-A")
    git(repository, "commit", "-q", "-m", "x")


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """100 steps at first, then 250 and a new scenario."""
    made, temporary = tmp_path / "repository", tmp_path / "temporary"
    temporary.mkdir()
    made.mkdir()
    git(made, "init", "-q")
    (made / "scenarios/tutorial").mkdir(parents=True)
    (made / "scenarios/tutorial/scenario.yaml").write_text("a", encoding="utf-8")
    (made / ".gitignore").write_text("asked.txt", encoding="utf-8")
    commit(made, **{"src__workup__init.py": "", "steps.txt": "100"})
    (made / "scenarios/fever").mkdir(parents=True)
    (made / "scenarios/fever/scenario.yaml").write_text("b", encoding="utf-8")
    commit(made, **{"steps.txt": "250"})
    stub = tmp_path / "stub.py"
    stub.write_text(STUB, encoding="utf-8")
    monkeypatch.setattr(against, "WORKER", stub)
    monkeypatch.setattr("tempfile.tempdir", str(temporary))
    return made


def measured(repository: Path, commit: str = "HEAD~1", **settings: Any) -> against.Against:
    runs = repository.parent / "runs"
    return bench_against(
        commit, ["tutorial"], sizes=(1, 64), rounds=3, runs=runs, checkout=Checkout(repository / "src"), **settings
    )


def tidy(repository: Path) -> bool:
    """Whether nothing of the other commit is left."""
    listed = git(repository, "worktree", "list").splitlines()
    return len(listed) == 1 and not list((repository.parent / "temporary").iterdir())


def test_ratios_are_by_scenario_view_and_number(repository: Path) -> None:
    found = measured(repository)
    assert found["commit"] == git(repository, "rev-parse", "HEAD")
    assert found["against"] == git(repository, "rev-parse", "HEAD~1")
    assert not found["changed"]
    assert {view: list(sizes) for view, sizes in found["ratios"]["tutorial"].items()} == {
        "raw": ["1", "64"],
        "belief": ["1", "64"],
    }
    assert found["ratios"]["tutorial"]["belief"]["64"] == {"best": 2.5, "median": 2.5, "steps_per_cpu_s": 16000.0}
    assert tidy(repository)


def test_the_best_and_the_median_are_of_rounds_and_of_pairs() -> None:
    assert ratio_of([(2.0, 1.0), (3.0, 4.0), (6.0, 5.0)]) == {"best": 1.2, "median": 1.2, "steps_per_cpu_s": 6.0}
    assert ratio_of([(2.0, 1.0), (3.0, 1.0), (1.0, 4.0)]) == {"best": 0.75, "median": 2.0, "steps_per_cpu_s": 3.0}


def test_it_goes_on_with_what_is_not_measured_yet(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = measured(repository, views=("raw",))
    asked = (repository / "asked.txt").read_text().splitlines()
    assert {json.loads(line)["view"] for line in asked} == {"raw"}
    assert measured(repository)["ratios"]["tutorial"]["raw"] == first["ratios"]["tutorial"]["raw"]
    fresh = (repository / "asked.txt").read_text().splitlines()[len(asked) :]
    assert {json.loads(line)["view"] for line in fresh} == {"belief"}
    monkeypatch.setattr(against, "WORKER", repository / "nothing.py")
    measured(repository)  # and starts nothing where all is there


def test_changes_that_are_in_no_commit_are_said_and_measured_anew(repository: Path) -> None:
    measured(repository)
    (repository / "steps.txt").write_text("400", encoding="utf-8")
    found = measured(repository)
    assert found["changed"]
    assert found["ratios"]["tutorial"]["raw"]["1"]["median"] == 4.0
    (repository / "steps.txt").write_text("800", encoding="utf-8")
    assert measured(repository)["ratios"]["tutorial"]["raw"]["1"]["median"] == 8.0


def test_an_interrupt_leaves_nothing_behind(repository: Path) -> None:
    def stop(now: Standing) -> None:
        if now.doing == "round 2 of 3":
            assert not tidy(repository)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        measured(repository, progress=stop)
    assert tidy(repository)


def test_what_cannot_be_compared_is_said(repository: Path, tmp_path: Path) -> None:
    with pytest.raises(UnknownNameError, match="has no commit 'nowhere'"):
        measured(repository, "nowhere")
    with pytest.raises(UnknownNameError, match="has no commit '--all'"):
        measured(repository, "--all")
    with pytest.raises(UnknownNameError, match="commit HEAD~1 has no scenario fever"):
        bench_against("HEAD~1", ["fever"], runs=tmp_path / "runs", checkout=Checkout(repository / "src"))
    found = bench_against(
        "HEAD~1", ["fever", "tutorial"], sizes=(1,), runs=tmp_path / "runs", checkout=Checkout(repository / "src")
    )
    assert found["left_out"] == ["fever"]
    assert found["ratios"].keys() == {"tutorial"}
    with pytest.raises(WorkupError, match="is in no git checkout of workup"):
        Checkout(tmp_path)
    (repository / "steps.txt").write_text("-1", encoding="utf-8")
    with pytest.raises(WorkupError, match="tutorial/raw-1: Broken: no"):
        measured(repository)
    assert tidy(repository)


def test_other_code_than_was_asked_for_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stub = tmp_path / "stub.py"
    stub.write_text('print(\'{"workup": "/elsewhere/workup/__init__.py"}\')', encoding="utf-8")
    monkeypatch.setattr(against, "WORKER", stub)
    with pytest.raises(WorkupError, match="the code of /elsewhere/workup ran"), worker(tmp_path):
        pass
    stub.write_text("raise SystemExit(3)", encoding="utf-8")
    with pytest.raises(WorkupError, match="ended with status 3"), worker(tmp_path):
        pass


@pytest.mark.slow
def test_the_worker_measures_the_code_of_a_checkout() -> None:
    with worker(ROOT) as rate:
        for size in (1, 8):
            assert rate("tutorial", "raw", size, 0.01) > 0.0
        with pytest.raises(WorkupError, match="NothingLikeIt"):
            rate("nothing_like_it", "raw", 1, 0.01)


def test_the_command_shows_a_row_a_number(
    repository: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(against, "Checkout", lambda: Checkout(repository / "src"))
    monkeypatch.setenv("COLUMNS", "200")
    command = [
        "bench",
        "speed",
        "--against",
        "HEAD~1",
        "--scenario",
        "all",
        "--rounds",
        2,
        "--seconds",
        0.01,
        "--runs",
        tmp_path / "runs",
    ]
    status, out, _ = run(capsys, *command, "--json", tmp_path / "found.json")
    assert status == 0
    assert re.search(r"tutorial +belief +4,096 +2\.500 +2\.500 +1,024,000", out)
    assert "not in" in out
    assert "weight_loss" in out.splitlines()[-1]
    written = json.loads((tmp_path / "found.json").read_text(encoding="utf-8"))
    assert written["ratios"]["tutorial"]["raw"]["64"]["median"] == 2.5
    status, out, _ = run(capsys, *command, "--view", "raw")
    assert "belief" not in out
    assert run(capsys, *command, "--learning")[0] == 2
    status, _, err = run(capsys, "bench", "speed", "--against", "HEAD~1", "--scenario", "nothing")
    assert status == 2
    assert "no scenario 'nothing'" in err
