"""The library measured: what is kept is not worked out again, and the page says what was counted and found."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from support.command import run
from support.shipped import scenario_of

import workup.benchmarks.library
from workup.benchmarks.library import LibraryBench, bench_library
from workup.benchmarks.library_page import mechanisms, page, point_row, size_row, table_line
from workup.benchmarks.runner import of_folder
from workup.cli.main import main
from workup.errors import UnknownNameError, WorkupWarning
from workup.scenarios.language.library import find_scenario

pytestmark = pytest.mark.slow

PATIENTS = 40


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("runs")


@pytest.fixture(scope="module")
def found(runs: Path) -> LibraryBench:
    return bench_library(["tutorial"], patients=PATIENTS, seconds=0.2, runs=runs)


def test_the_tutorial_is_solved_and_a_personalised_order_gains(found: LibraryBench) -> None:
    worth = found["scenarios"]["tutorial"]["worth"]
    best = worth["optimum"]
    assert best["exact"]
    assert best["lower"] == best["upper"] >= worth["v0"]
    assert set(worth["agents"]) == {"none", "guideline", "voi", "fixed", "optimum"}
    assert worth["over_fixed"]["optimum"]["mean"] == pytest.approx(
        worth["agents"]["optimum"]["mean"] - worth["agents"]["fixed"]["mean"]
    )
    assert worth["over_fixed"]["optimum"]["low"] <= worth["over_fixed"]["optimum"]["mean"]
    assert worth["agents"]["none"]["mean"] == pytest.approx(worth["v0"], abs=1e-6)


def test_speed_and_expectations_are_measured(found: LibraryBench) -> None:
    record = found["scenarios"]["tutorial"]
    assert all(record["speed"][key] > 0 for key in ("compile_s", "lint_s", "ratio"))
    told = record["expectations"]
    assert told["caught"] > 10
    assert told["missed"] == []
    assert {each["vignette"] for each in told["vacuous"]} == {"smoker", "declines"}
    assert all(each["reason"] for each in (*told["vacuous"], *told["closed"]))
    assert record["model"].keys() == scenario_of("tutorial").targets.keys()


def test_called_again_it_works_out_nothing(found: LibraryBench, runs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any, **__: Any) -> Any:
        raise AssertionError("worked out again")

    for name in ("mutate", "evaluate_targets", "speed", "run_agents"):
        monkeypatch.setattr(workup.benchmarks.library, name, refuse)
    assert bench_library(["tutorial"], patients=PATIENTS, seconds=0.2, runs=runs) == found
    with pytest.raises(AssertionError, match="worked out again"):
        bench_library(["tutorial"], patients=PATIENTS + 1, seconds=0.2, runs=runs)


def test_a_run_that_was_cut_off_goes_on(found: LibraryBench, runs: Path, tmp_path: Path) -> None:
    model, expectations = (
        next(runs / each.cell.file_name for each in of_folder(runs) if each.cell.agent == part)
        for part in ("model", "expectations")
    )
    (tmp_path / model.name).write_bytes(model.read_bytes())
    (tmp_path / expectations.name).write_bytes(expectations.read_bytes()[:200])
    with pytest.warns(WorkupWarning, match="worked out anew"):
        again = bench_library(["tutorial"], patients=0, runs=tmp_path)
    assert again["scenarios"]["tutorial"]["model"] == found["scenarios"]["tutorial"]["model"]
    assert again["scenarios"]["tutorial"]["expectations"] == found["scenarios"]["tutorial"]["expectations"]
    assert "worth" not in again["scenarios"]["tutorial"]


def test_the_page_holds_what_was_counted_and_measured(found: LibraryBench) -> None:
    text, record = page(found), found["scenarios"]["tutorial"]
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in text.splitlines() if line.startswith("|")]
    assert all(len(row) > 5 for row in rows)
    (worth,) = (row for row in rows if row[0].startswith("[Cough") and len(row) == 10)
    assert worth[4] == f"{record['worth']['v0']:,.0f}"
    assert worth[7].startswith(f"{record['worth']['agents']['optimum']['mean']:,.0f} (")
    assert worth[9] == f"{record['worth']['optimum']['lower']:,.0f}, exact"
    assert worth[8].startswith(f"{record['worth']['over_fixed']['optimum']['mean']:,.1f} (")
    (size,) = (row for row in rows if row[0].startswith("[Cough") and len(row) == 14)
    assert size[:11] == size_row("tutorial", record["profile"])
    (point,) = (row for row in rows if row[0] == "film for cancer")
    assert point[:6] == point_row("film_for_cancer", record["profile"]["targets"]["film_for_cancer"])
    assert float(point[6]) == pytest.approx(0.79, abs=0.02)
    assert f"--patients {PATIENTS} --seed 0" in text
    assert "no decision is legal without it" not in text  # the examination beside it can be left out
    assert (
        "  - declines, must not do CT of the chest with contrast, once Wish about scans is declines: the rules" in text
    )


def test_a_scenario_whose_optimum_is_unknown_says_why(found: LibraryBench) -> None:
    altered = json.loads(json.dumps(found))
    worth = altered["scenarios"]["tutorial"]["worth"]
    worth["optimum"], worth["refusal"] = None, "too many histories"
    del worth["over_fixed"]["optimum"], worth["agents"]["optimum"]
    assert "| – | – | unknown: too many histories |" in page(altered)


def test_a_cell_never_breaks_its_table() -> None:
    assert table_line(["a|b", "two\nlines"]) == "| a\\|b | two lines |"


def test_mechanisms_are_those_of_the_page_or_of_the_story(tmp_path: Path) -> None:
    scenario = scenario_of("tutorial")
    assert mechanisms(scenario, tmp_path) == ["Every figure serves teaching; none should guide care"]
    (tmp_path / "README.md").write_text(
        "# Cough\n\n**Draft.**\n\n## The mechanisms it shows\n\n- **Dates.** Of exposure [S1].\n- **Missing [S2]**, for "
        "a reason.\n\n**A proxy.** Of sickness.\n\n## Corrections\n\n**Not this.**\n"
    )
    assert mechanisms(scenario, tmp_path) == ["Dates", "Missing", "A proxy"]
    embolism = scenario_of("pulmonary_embolism")
    assert mechanisms(embolism.model_copy(update={"about": "A. Who? Where to?"}), tmp_path / "none") == [
        "Who?",
        "Where to?",
    ]


def test_the_command_writes_page_and_json(tmp_path: Path, capsys: pytest.CaptureFixture[str], runs: Path) -> None:
    asked = ["bench", "library", "--scenarios", "tutorial", "--patients", "0", "--runs", str(runs)]
    with pytest.raises(SystemExit) as end:
        main([*asked, "--out", str(tmp_path / "page.md"), "--json", str(tmp_path / "found.json")])
    assert not end.value.code
    kept = json.loads((tmp_path / "found.json").read_text())
    assert kept["scenarios"]["tutorial"]["profile"]["conditions"] == len(scenario_of("tutorial").conditions)
    assert (tmp_path / "page.md").read_text() == page(kept)
    assert "Not measured yet" in page(kept)
    assert "tutorial" in capsys.readouterr().out
    assert find_scenario("tutorial").name == "tutorial"


def test_a_page_of_all_is_not_replaced_by_one_of_some(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    page = tmp_path / "scenarios.md"
    page.write_text("all of them")
    status, _, said = run(capsys, "bench", "library", "--scenarios", "control", "--patients", 0, "--out", page)
    assert status == 2
    assert "would lose the rows of other scenarios" in " ".join(said.split())
    assert page.read_text() == "all of them"


def test_an_optimum_that_would_take_hours_may_be_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))  # where it is known from before it is told all the same
    found = bench_library(["tutorial"], patients=5, seconds=0.05, runs=tmp_path, unplanned=["tutorial"])
    worth = found["scenarios"]["tutorial"]["worth"]
    assert worth["optimum"] is None
    assert "optimum" not in worth["agents"]
    said = page(found)
    assert "unknown: not planned" in said
    assert "--unplanned tutorial" in said
    with pytest.raises(UnknownNameError, match="tutorail"):
        bench_library(["tutorial"], patients=5, runs=tmp_path, unplanned=["tutorail"])
