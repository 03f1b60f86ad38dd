"""The command line as its users meet it, on the tutorial."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from support.command import run

from workup.cli.terminal import console, warnings
from workup.scenarios.language.library import list_scenarios, load_scenario

SLOW = ("torch", "numba", "matplotlib", "stable_baselines3", "scipy", "polars", "gymnasium")


@pytest.fixture(autouse=True)
def _wide_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "200")


def read(path: Path) -> Any:
    def refuse(word: str) -> None:
        raise AssertionError(f"{word} is not JSON")

    return json.loads(path.read_text(), parse_constant=refuse)


def test_help_imports_nothing_slow() -> None:
    code = f"""
import atexit, sys
atexit.register(lambda: print([name for name in {SLOW} if name in sys.modules]))
import workup.cli.main
workup.cli.main.main(["--help"])
"""
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert said.stdout.splitlines()[-1] == "[]"
    for command in ("demo", "scenarios", "lint", "explain", "solve", "train", "evaluate", "check", "simulate", "play"):
        assert f" {command} " in said.stdout


def test_unknown_scenario_is_a_message_with_a_suggestion(capsys: pytest.CaptureFixture[str]) -> None:
    status, out, err = run(capsys, "explain", "tutorail")
    assert (status, out) == (2, "")
    assert "tutorail" in err
    assert "tutorial" in err
    assert "Traceback" not in err


def test_lint_passes_the_tutorial_and_fails_a_broken_copy_with_every_fault(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert run(capsys, "lint", "tutorial")[0] == 0
    broken, listed = tmp_path / "scenario.yaml", tmp_path / "faults.json"
    broken.write_text("id: broken\ntitle: Broken\nno_such_key: 1\nmax_steps: many\n")
    status, out, _ = run(capsys, "lint", broken, "--json", listed)
    faults = read(listed)
    assert (status, faults["passed"]) == (1, False)
    assert any("no_such_key" in fault["message"] for fault in faults["faults"])
    assert all(fault["line"] >= 1 for fault in faults["faults"])
    assert f"{broken}:3: " in out


def test_a_file_that_cannot_be_read_is_a_message(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    garbage = tmp_path / "scenario.yaml"
    garbage.write_bytes(b"\xff\xfe\x00: [")
    for command in ("lint", "explain", "solve"):
        status, out, err = run(capsys, command, garbage)
        assert status in (1, 2)
        assert str(garbage) in out + err
        assert "Traceback" not in err


def test_scenarios_lists_every_case_with_its_standing(capsys: pytest.CaptureFixture[str]) -> None:
    status, out, _ = run(capsys, "scenarios")
    assert status == 0
    assert {line.split()[0] for line in out.splitlines() if "draft" in line} == set(list_scenarios())


def test_explain_and_every_result_say_what_this_is_not(capsys: pytest.CaptureFixture[str]) -> None:
    assert "not reviewed by a clinician" in run(capsys, "explain", "tutorial")[1]
    assert "nothing here is medical advice" in run(capsys, "check", "tutorial", "--agent", "guideline")[1]


def test_solve_tells_what_is_to_be_gained_in_each_vignette(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    status, out, _ = run(capsys, "solve", "tutorial", "--vignettes", "--json", tmp_path / "solved.json")
    found = read(tmp_path / "solved.json")["vignettes"]
    assert (status, list(found)) == (0, list(load_scenario("tutorial").vignettes))
    assert (found["well"]["gain"], found["febrile"]["gain"] > 100) == (0.0, True)
    assert all(of["upper_gain"] == pytest.approx(of["gain"]) and of["widest_gap"] < 1e-9 for of in found.values())
    assert "febrile: the best policy gains" in out


def test_solve_writes_value_and_bounds(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    status, out, _ = run(capsys, "solve", "tutorial", "--json", tmp_path / "solved.json")
    found = read(tmp_path / "solved.json")
    assert (status, found["exact"]) == (0, True)
    assert found["lower"] == found["value"] == found["upper"]
    assert f"{abs(found['value']):,.0f}" in out


def test_solve_tells_what_the_best_policy_does_within_80_columns(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    _, out, _ = run(capsys, "solve", "tutorial", "--patients", 60, "--json", tmp_path / "solved.json")
    found = read(tmp_path / "solved.json")
    told = out.split("\n\n")[1].splitlines()[:-1]  # the last line says what is no advice
    assert max(map(len, told)) <= 80
    assert sum(row["share"] for row in found["first_orders"]) == pytest.approx(1)
    feverish = next(row for row in found["first_orders"] if "Fever: yes" in row["when"])
    assert list(feverish["orders"]) == ["CRP"]
    assert sum(found["decisions"].values()) == pytest.approx(1)
    assert "Fever: yes" in out
    assert re.search(r"^It ends with: \d\d% Reassure", out, re.M)


def test_evaluate_compares_agents_on_the_same_patients(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    file = tmp_path / "deep" / "evaluation.json"
    asked = ("evaluate", "tutorial", "--agents", "none,optimum", "--patients", 100, "--seed", 3, "--json", file)
    status, out, _ = run(capsys, *asked)
    found, first = read(file), file.read_bytes()
    assert status == 0
    assert set(found["agents"]) == {"none", "optimum"}
    none, best = found["agents"]["none"], found["agents"]["optimum"]
    assert set(none["value"]) == {"mean", "low", "high"}
    assert none["captured"] == pytest.approx(0.0, abs=1e-9)
    assert (none["tests"], none["truncated"]) == (0.0, 0.0)
    assert best["captured"] == pytest.approx(best["gain"] / found["optimum"]["gain"])
    assert found["optimum"]["lower"] == found["optimum"]["value"] <= found["optimum"]["upper"] + 1e-9
    assert sum(group["patients"] for group in none["subgroups"]["smoked"].values()) == 100
    assert found["status"] == "draft"
    assert "none" in out
    run(capsys, *asked)
    assert file.read_bytes() == first


def test_evaluate_plans_only_when_it_is_asked_to(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))  # nothing known from tests before
    file = tmp_path / "evaluation.json"
    asked = ("evaluate", "tutorial", "--agents", "none,all", "--patients", 60, "--json", file)
    status, out, _ = run(capsys, *asked)
    found = read(file)
    assert status == 0
    assert "optimum: not asked for (add optimum to --agents, or --optimum)" in out
    assert (found["optimum"], found["refusal"].startswith("not asked for")) == (None, True)
    assert [line.split()[-1] for line in out.splitlines() if line.startswith(("none ", "all "))][:2] == ["–", "–"]
    status, _, err = run(capsys, *asked, "--optimum")
    assert status == 0
    assert re.search(r"^\d+ presentations to plan for: may take minutes.* without optimum it is not needed$", err, re.M)
    told = read(file)
    assert told["optimum"]["exact"]
    assert told["agents"]["all"]["captured"] is not None
    assert "optimum: exact" in run(capsys, *asked)[1]  # known from before
    assert read(file) == told


@pytest.mark.parametrize(("agents", "said"), [
    ("none,nobody", "nobody"), ("", "expected names"), ("none,none", "each once"), ("/no/such", "no/such"),
])  # fmt: skip
def test_bad_agents_are_messages(capsys: pytest.CaptureFixture[str], agents: str, said: str) -> None:
    status, _, err = run(capsys, "evaluate", "tutorial", "--agents", agents, "--patients", 5)
    assert (status, said in err.replace("\n", "")) == (2, True)
    assert "Traceback" not in err


def test_a_damaged_policy_is_a_message(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    (tmp_path / "policy.json").write_text('{"format": "workup policy", "kind": "ppo"')
    status, _, err = run(capsys, "check", "tutorial", "--agent", tmp_path)
    assert status == 2
    assert "policy.json" in err


def test_check_says_pass_and_fail_by_its_exit_status(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    file = tmp_path / "check.json"
    status, out, _ = run(capsys, "check", "tutorial", "--agent", "none", "--json", file)
    found = read(file)
    assert status == 1
    assert {each["id"] for each in found["vignettes"]} == set(load_scenario("tutorial").vignettes)
    failed = [each for each in found["vignettes"] if not each["passed"]]
    for failure in (failure for each in failed for failure in each["failures"]):
        assert failure["expectation"] in out
        assert 0 < failure["failed"] <= failure["counted"] <= failure["draws"] == 200
        assert 1 <= failure["step"] < len(failure["journey"])
    passed = next(each["id"] for each in found["vignettes"] if each["passed"])
    status, out, _ = run(capsys, "check", "tutorial", "--agent", "none", "--vignette", passed)
    assert (status, "1 of 1 vignettes passed" in out) == (0, True)
    assert run(capsys, "check", "tutorial", "--agent", "none", "--vignette", "nobody")[0] == 2


def test_simulate_writes_what_anyone_can_read(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    import polars as pl

    for name in ("journeys.parquet", "journeys.json"):
        assert run(capsys, "simulate", "tutorial", "--agent", "all", "--patients", 20, "--out", tmp_path / name)[0] == 0
    table = pl.read_parquet(tmp_path / "journeys.parquet")
    assert table["patient"].unique().sort().to_list() == list(range(20))
    assert read(tmp_path / "journeys.json")
    status, _, err = run(capsys, "simulate", "tutorial", "--agent", "all", "--out", tmp_path / "journeys.txt")
    assert (status, ".csv, .xes, or minari:" in err) == (2, True)


def test_play_reads_numbers_and_tells_what_they_were_worth(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = iter(["1", "77", "1", "1", *["1"] * 20])
    monkeypatch.setattr("builtins.input", lambda prompt: next(answers))
    status, out, _ = run(capsys, "play", "tutorial", "--patient", 3)
    assert status == 0
    assert "'77' is not on the list" in out
    assert "The patient had: " in out
    assert "1. order History: as good as anything" in out
    assert "cost you £" in out
    assert "short of the best" in out


def test_play_repeats_what_is_known_and_judges_what_was_done_before_the_input_ended(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = iter(["1", "?", "1", "1", "help"])

    def answer(prompt: str) -> str:
        for each in answers:
            return each
        raise EOFError

    monkeypatch.setattr("builtins.input", answer)
    status, out, err = run(capsys, "play", "tutorial", "--patient", 3)
    assert status == 2
    assert out.count("Known so far:") == 2
    told = out.index("Fever")
    assert "Fever" in out[out.index("Known so far:", told) :]
    assert "spent, 1 test," in out
    assert "1. order History: as good as anything" in out
    assert "3. " in out
    assert "The patient had" not in out
    assert "the choices before it were judged, the end of the journey was not scored" in " ".join(err.split())


def test_unrelated_scenarios_differ_in_one_line(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    status, out, _ = run(capsys, "diff", "control", "tutorial", "--json", tmp_path / "d.json")
    assert status == 1
    assert "control and tutorial are different cases: they share 0 of" in out
    assert len(out.splitlines()) < 8
    assert len(read(tmp_path / "d.json")["changes"]) > 100


def test_scenarios_shows_whole_ids_at_eighty_columns(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    status, out, _ = run(capsys, "scenarios")
    first = [line.split()[0] for line in out.splitlines() if line and not line.startswith(" ")]
    assert status == 0
    assert set(list_scenarios()) <= set(first)
    assert all(len(line) <= 80 for line in out.splitlines())


@pytest.mark.parametrize("answers", [["q"], []])
def test_play_can_be_left(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, answers: list[str]
) -> None:
    given = iter(answers)

    def answer(prompt: str) -> str:
        for each in given:
            return each
        raise EOFError

    monkeypatch.setattr("builtins.input", answer)
    status, _, err = run(capsys, "play", "tutorial")
    assert (status, "nothing was scored" in err) == (2, True)


def test_an_output_that_cannot_be_written_is_a_message(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    status, _, err = run(capsys, "lint", "tutorial", "--json", tmp_path / "file" / "out.json")
    assert (status, "Traceback" in err) == (2, False)


def test_names_between_colons_are_printed_as_they_are(capsys: pytest.CaptureFixture[str]) -> None:
    console().print("suspicion:cancer:0.5")
    warnings().print("suspicion:cancer:0.5")
    told = capsys.readouterr()
    assert told.out.strip() == told.err.strip() == "suspicion:cancer:0.5"
