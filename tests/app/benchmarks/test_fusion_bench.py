"""The fusion benchmark: what it would run, that it goes on where it stopped, one's own model beside ours, tables and figure."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from support.places import ROOT

pytest.importorskip("sb3_contrib", reason="needs workup[train]")
pytest.importorskip("sklearn", reason="needs workup[fusion]")

from workup.benchmarks import fusion, fusion_code
from workup.benchmarks.fusion import Asked, bench_fusion, cells_of, compared, planned
from workup.benchmarks.fusion_code import digest
from workup.benchmarks.fusion_grid import CORE, Run
from workup.benchmarks.fusion_page import (
    TABLES,
    below_exact,
    ceilings_table,
    curves_of,
    gathered,
    markdown,
    write_tables,
)
from workup.benchmarks.runner import Cell, Done
from workup.cli.main import main
from workup.errors import FileFormatError, UnknownNameError, WorkupError
from workup.studies.fusion.compare import contrasts
from workup.studies.fusion.figures import curves
from workup.studies.fusion.picture import measured_words, picture

pytestmark = pytest.mark.torch

OWN = """
import torch
from workup.studies.fusion import Fusion

class Sum(Fusion):
    message = "late"

    def __init__(self, task):
        super().__init__()
        self.readers = torch.nn.ModuleDict({name: torch.nn.Linear(task.shapes[name][0], 2) for name in task.modalities})

    def forward(self, inputs, present, order, question=None):
        return sum(reader(inputs[name]) for name, reader in self.readers.items())

def build(task, encoders, *, seed):
    torch.manual_seed(seed)
    return Sum(task)

nothing = 3
"""
SMALL = Asked(seeds=2, tasks=("interaction",), methods=("exact_joint", "exact_late"), tracks=("findings",), patients=60)


def test_a_run_has_the_id_that_was_promised() -> None:
    cell = Run("interaction", "findings", 3, "same", 2_000, "concat", 4_000).cell("d")
    assert cell.id == "fusion/interaction/findings/concat/n2000/same/seed3"
    assert cell.file_name != Run("interaction", "findings", 3, "same", 2_000, "concat", 40_000).cell("d").file_name


def test_the_quick_grid_has_every_task_method_and_seed_and_each_run_once() -> None:
    laid, cells = cells_of(Asked())
    names = {cell.file_name for _, cell in cells}
    assert len(names) == len(laid.runs)
    of_findings = [run for run in laid.runs if (run.view, run.record) == ("findings", "same")]
    assert len({run.task for run in of_findings}) == 12
    of_shortcut = {run.method for run in of_findings if run.task == "shortcut"}
    assert len(of_shortcut) >= 25
    for task in ("interaction", "shortcut"):
        balanced = {name for name in of_shortcut if name.endswith("_balanced") and task == "interaction"}
        assert {run.method for run in of_findings if run.task == task} == of_shortcut - balanced
    assert {run.method for run in laid.runs if run.view == "read"} == set(CORE)
    needed = {name for each in contrasts() for name in (each.left, each.right)}
    assert needed <= {run.method for run in laid.runs}
    there = {(run.task, run.view, run.record, run.method) for run in laid.runs}
    assert {(c.task, c.view, c.record, m) for c in contrasts() for m in (c.left, c.right)} <= there


def test_code_that_matters_changes_the_digest_and_what_does_not_leaves_it(tmp_path: Path) -> None:
    assert digest("interaction", "concat") != digest("additive", "concat")
    assert digest("interaction", "concat") != digest("interaction", "sequential")
    assert digest("interaction", "late_poe") == digest("interaction", "late_poe_population"), "one file has both"
    path, found = tmp_path / "my.py", set()
    for text in (OWN, OWN.replace("manual_seed(seed)", "manual_seed(seed + 1)"), OWN + "# a remark\n"):
        path.write_text(text)
        digest.cache_clear()
        fusion_code._code.cache_clear()
        found.add(digest("interaction", f"{path}:build"))
    assert len(found) == 2


def test_what_is_there_is_not_run_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert planned(SMALL, runs=tmp_path, workers=2)["left"] == 4
    first = bench_fusion(SMALL, runs=tmp_path)
    assert [done.result["status"] for done in first] == ["ok"] * 4
    assert planned(SMALL, runs=tmp_path, workers=2)["left"] == 0
    next(tmp_path.glob("*.json")).unlink()
    asked: list[str] = []
    measure = fusion.measure

    def counted(cell: Cell, tell: Any) -> dict[str, Any]:
        asked.append(cell.id)
        return measure(cell, tell)

    monkeypatch.setattr(fusion, "measure", counted)
    again = bench_fusion(SMALL, runs=tmp_path)
    assert len(asked) == 1
    assert [_without_time(done) for done in again] == [_without_time(done) for done in first]


def _without_time(done: Done) -> dict[str, Any]:
    return {name: value for name, value in done.result.items() if name not in ("cpu_s", "spent_s")}


def test_wrong_names_are_told() -> None:
    for changed, says in (
        ({"tasks": ("interation",)}, "no task 'interation'; did you mean 'interaction'"),
        ({"methods": ("concatt",)}, "no method 'concatt'; did you mean 'concat'"),
        ({"tracks": ("finding",)}, "no track 'finding'; did you mean 'findings'"),
        ({"models": ("my.py",)}, "my.py"),
        ({"models": ("my",)}, "expected a file of Python"),
    ):
        with pytest.raises(UnknownNameError, match=says):
            cells_of(Asked(**changed))  # type: ignore[arg-type]
    with pytest.raises(WorkupError, match="no run is left"):
        cells_of(Asked(tasks=("weak",), views=("read",)))


def test_ones_own_model_stands_beside_ours_and_what_was_missing_is_refused(tmp_path: Path, capsys: Any) -> None:
    (tmp_path / "my.py").write_text(OWN)
    model = f"{tmp_path / 'my.py'}:build"
    page = tmp_path / "page.md"
    page.write_text(f"# Mine\n\n{TABLES[0]}\nold\n{TABLES[1]}\n\nThe end.\n")
    options = [
        "--tasks",
        "interaction,shortcut",
        "--methods",
        "exact_joint",
        "--tracks",
        "findings",
        "--patients",
        "60",
    ]
    command = ["bench", "fusion", "--quick", *options, "--seeds", "1", "--jobs", "1", "--model", model]
    with pytest.raises(SystemExit) as ended:
        main([*command, "--runs", str(tmp_path / "runs"), "--out", str(page), "--json", str(tmp_path / "found.json")])
    assert ended.value.code == 0
    found = json.loads((tmp_path / "found.json").read_text())["runs"]
    statuses = {name: run["status"] for name, run in found.items() if "my.py" in name}
    assert sorted(statuses.values()) == ["ok", "refused"]
    told = page.read_text()
    assert told.startswith("# Mine\n")
    assert told.endswith("The end.\n")
    assert "old" not in told
    assert "refused, 1 of 1" in told
    assert "| `exact_joint` |" in told


def test_tables_go_between_the_marks_alone(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("no marks\n")
    with pytest.raises(FileFormatError, match="each once, in this order"):
        write_tables(page, ["x"])
    write_tables(tmp_path / "new.md", ["x"])
    assert (tmp_path / "new.md").read_text() == f"{TABLES[0]}\n\nx\n{TABLES[1]}\n"


def _made(method: str, seed: int, auroc: float, **of: Any) -> Done:
    told: dict[str, Any] = {
        "auroc": auroc,
        "log_loss": 0.5,
        "slope": 1.0,
        "exact": {"joint": {"auroc": 0.94, "log_loss": 0.3}, "late": {"auroc": 0.85, "log_loss": 0.4}},
    }
    told["replicates"] = {name: [told[name] + 0.001 * r for r in range(3)] for name in ("auroc", "log_loss")}
    result = {
        "status": "ok",
        "reason": None,
        "message": "late",
        "fusion_parameters": 5,
        "cpu_s": 1.0,
        "tests": {"same": told},
    }
    return Done(Cell("fusion/interaction/findings", "d", f"{method}/n2000/same", {}, seed), result | of)


def test_tables_and_contrasts_hold_what_was_found() -> None:
    done = [_made(method, seed, area) for method, area in (("concat", 0.93), ("late_poe", 0.84)) for seed in range(3)]
    done.append(_made("late_mean", 0, 0.5, status="failed", reason="did not learn", tests={}))
    (one,) = compared(done)
    assert one.contrast.id == "interaction/findings/same-same/auroc/concat-late_poe"
    assert (one.finding, one.seeds) == ("higher", 3)
    assert one.difference.mean == pytest.approx(0.09)
    lines = markdown(done, [one])
    assert "| `concat` | 0.930 |" in lines
    assert "| `late_mean` | failed |" in lines
    assert any("did not learn" in line and "failed, 1 of 1" in line for line in lines)
    assert any("+0.0900" in line and line.endswith("| higher | higher |") for line in lines)


def test_learning_curves_and_distances_need_sizes_and_exact_scores() -> None:
    done = [_made("concat", seed, 0.83) for seed in range(2)]
    more = [
        Done(replace(one.cell, agent="concat/n20000/same"), {**one.result, "tests": {"same": {**one.result["tests"]["same"], "auroc": area}}})
        for one, area in zip(done, (0.80, 0.84), strict=True)
    ]  # fmt: skip
    known = gathered(done)
    assert curves_of(known) == {}
    assert below_exact(next(iter(known.values()))) == pytest.approx(0.02)
    curves = curves_of(gathered([*done, *more]))
    assert curves == {("interaction", "findings", "concat"): {2_000: [0.83, 0.83], 20_000: [0.80, 0.84]}}
    assert "0.820 (0.800 to 0.840)" in "\n".join(markdown([*done, *more], []))


def test_records_with_less_stand_beside_those_with_all() -> None:
    done = [_made("concat", 0, 0.93)]
    bare = replace(done[0].cell, agent="concat/n2000/without_context")
    lost = replace(done[0].cell, agent="concat/n2000/mar40_without_history")
    lines = markdown([*done, Done(bare, done[0].result), Done(lost, done[0].result)], [])
    assert "| interaction | `concat` | same | 0.930 | without_context | 0.930 |" in lines
    assert "| interaction | `concat` | mar40 | – | mar40_without_history | 0.930 |" in lines


def test_the_figure_says_where_a_strategy_loses(tmp_path: Path) -> None:
    done = [_made(method, seed, area) for method, area in (("concat", 0.93), ("late_poe", 0.84)) for seed in range(3)]
    found: dict[str, dict[str, Any]] = {}
    for key, results in gathered(done).items():
        found.setdefault(key.task, {})[key.method] = results
    assert measured_words("late_poe", found).startswith(
        "Measured, AUROC less that of all values: -0.100 on interaction"
    )
    assert measured_words("personal", found) == "Measured: nothing yet."
    drawn = picture(found)
    drawn.savefig(tmp_path / "figure.svg")
    written = " ".join(text.get_text() for axes in drawn.axes for text in axes.texts)
    assert "nobody brings data" in " ".join(written.split())
    assert any(axes.get_title(loc="left").startswith("interaction") for axes in drawn.axes)


def test_learning_curves_are_drawn_of_what_was_run_in_several_sizes(tmp_path: Path) -> None:
    known = {("interaction", view, "concat"): {300: [0.8, 0.82], 2_000: [0.9]} for view in ("findings", "read")}
    drawn = curves.draw(known)
    drawn.savefig(tmp_path / "curves.svg")
    assert [axes.get_title(loc="left") for axes in drawn.axes] == ["interaction", "interaction: findings, read"]
    with pytest.raises(WorkupError, match="no task was run in several sizes"):
        curves.draw({})
    laid, _ = cells_of(Asked().of_curves())
    assert {run.task for run in laid.runs} == set(curves.TASKS)
    assert {run.patients for run in laid.runs if run.view == "findings"} == {300, 2_000, 20_000}


def test_a_figure_that_there_is_not_and_a_file_that_holds_none(capsys: Any) -> None:
    for options, says in (
        (["--figure", "3"], "'whitespace'"),
        (["--figure", "2", "--out", "x.pdf"], "a .png or an .svg"),
    ):
        with pytest.raises(SystemExit) as ended:
            main(["bench", "fusion", *options])
        assert ended.value.code == 2
        assert says in " ".join(capsys.readouterr().err.split())


def test_the_page_holds_the_ceilings_of_today() -> None:
    page = (ROOT / "docs" / "fusion.md").read_text(encoding="utf-8")
    assert "\n".join(ceilings_table()) in page
