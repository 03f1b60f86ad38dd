"""The figures that weigh most: by how much, worked by hand, and what stands behind each; told on a page and over all scenarios."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from support.command import run
from support.generated import scenario_of
from support.tiny import tiny as hasty

from workup.agents.acting import take
from workup.agents.base import StochasticAgent
from workup.benchmarks.provenance import bench_provenance, markdown
from workup.envs.compile.compile import compile_world
from workup.envs.engine.types import JourneyView
from workup.errors import WorkupError
from workup.report.heaviest import heaviest_page
from workup.scenarios.language.schema import Scenario
from workup.sensitivity import replanning
from workup.sensitivity.heaviest import Heavy
from workup.sensitivity.prose import in_words
from workup.sensitivity.screening import Screen
from workup.sensitivity.study import Sensitivity, Settings, notes_for, run_study

GOLD = "findings.of_gold.chance.ill"
SEARCH = {"words": "gold & <ill>", "places": ["PubMed", "NICE"], "on": "2026-11-30", "found": "nothing usable"}


def tiny() -> dict[str, Any]:
    """Whose guideline examines before it decides, so that every journey comes to where the test can be ordered."""
    first = [{"do": item, "when": {item: "not_done"}, "why": "."} for item in ("history", "examination")]
    return {**hasty(), "guideline": [*first, {"do": "leave", "why": "."}]}


def backed() -> dict[str, Any]:
    """The tiny scenario with figures of every standing."""
    data = tiny()
    data["findings"]["of_gold"]["chance"]["ill"] = {"value": 0.5, "status": "assumed", "searched": SEARCH}
    data["decisions"]["leave"]["utility"]["ill"] = {
        "value": -200, "status": "derived", "source": "S1", "formula": "-(140 + 60)",
    }  # fmt: skip
    data["decisions"]["treat"]["utility"]["well"] = {"value": -300, "status": "derived", "note": "A guess"}
    return data


def screened(scenario: Scenario, **settings: Any) -> Sensitivity:
    return run_study(compile_world(scenario), Settings(patients=40, top=0, **settings))


@pytest.fixture(scope="module")
def study() -> Sensitivity:
    return screened(scenario_of(backed()))


def by_path(found: Sensitivity) -> dict[str, Heavy]:
    return {each.figure.path: each for each in found.heaviest(100)}


def test_a_figure_weighs_what_trusting_it_loses(study: Sensitivity) -> None:
    gold = by_path(study)[GOLD]
    assert gold.effect_gbp == pytest.approx(0.1 * 2 / 3 * 200 - 11)
    assert gold.worse.move.up
    # Worth 300 instead of 200: treating the ill saves more, so the test is worth 0.1 x 0.5 x 300.
    worth = by_path(study)["decisions.leave.utility.ill"]
    assert worth.effect_gbp == pytest.approx(0.1 * 0.5 * 300 - 11)
    told = worth.as_json()
    assert (told["direction"], told["up"]["value"], told["down"]["lost_gbp"]) == ("larger", -300, 0.0)


def test_they_are_told_heaviest_first_and_seen_ones_are_none_of_them(study: Sensitivity) -> None:
    heavy = study.heaviest(100)
    effects = [each.effect_gbp for each in heavy]
    assert effects == sorted(effects, reverse=True)
    assert {each.figure.path for each in heavy} == set(study.candidates)
    assert "investigations.gold.cost_gbp" not in study.candidates
    assert study.heaviest(2) == heavy[:2]
    assert study.planned == {}


def test_what_stands_behind_each_is_told(study: Sensitivity) -> None:
    found = by_path(study)
    stands = {path: found[path].backing for path in found}
    assert stands[GOLD] == "searched"
    assert stands["decisions.leave.utility.ill"] == "computed"
    assert stands["decisions.treat.utility.well"] == "open"
    assert found[GOLD].as_json()["searched"] == SEARCH
    text = "\n".join(in_words(study, 3))
    assert "To look up first, the 3 heaviest by the screen" in text
    assert "computed from what was seen: £4 a patient if it is larger (times 1.5, −£300), £0 if smaller" in text
    assert "searched for in vain: £2.33 a patient if it is larger (odds doubled, 0.667)" in text
    assert "none was planned anew" in text
    assert "To look up" not in "\n".join(in_words(study, 0))


def in_qaly() -> dict[str, Any]:
    data = tiny()
    data["utility"]["unit"] = "qaly"
    for decision in data["decisions"].values():
        decision["utility"] = {name: worth / 20_000 for name, worth in decision["utility"].items()}
    return data


def test_a_scenario_at_another_rate_is_analysed_at_that_rate() -> None:
    scenario = scenario_of(in_qaly())
    rate = scenario.utility.model_copy(update={"gbp_per_qaly": 30_000.0})
    dearer = scenario.model_copy(update={"utility": rate})  # as one has it who changes what was read
    assert dearer.digest == scenario.digest
    at_20, at_30 = (screened(each) for each in (scenario, dearer))
    assert by_path(at_20)[GOLD].effect_gbp == pytest.approx(0.1 * 2 / 3 * 200 - 11)
    # At 30,000 the test is worth 0.1 x 0.5 x 300 = 15 as it is; half the odds of showing the illness make it 10.
    gold = by_path(at_30)[GOLD]
    assert gold.effect_gbp == pytest.approx(11 - 0.1 / 3 * 300)
    assert not gold.worse.move.up
    assert notes_for(at_20.world, at_20.settings) != notes_for(at_30.world, at_30.settings)


class Coin(StochasticAgent):
    """Draws among all that is legal."""

    name = "coin"

    def probabilities(self, view: JourneyView) -> NDArray[np.float64]:
        return view.mask / view.mask.sum(axis=1, keepdims=True)


def test_a_plan_that_draws_is_asked_as_everywhere(study: Sensitivity, monkeypatch: pytest.MonkeyPatch) -> None:
    world = study.world
    met = Screen(world, patients=40, seed=0).met
    monkeypatch.setattr(replanning, "plan", lambda *_: Coin())
    replanner = replanning.Replanner(world, met, planner="one-step", patients=40, seed=3, vignettes=())
    presented = replanner._presented
    drawn = take(Coin(), presented, seed=3, patients=np.arange(len(presented.step))).action
    assert np.array_equal(replanner._chosen, drawn)
    assert presented.mask[np.arange(len(drawn)), drawn].all()


# ------------------------------------------------------------------------------------------------ the page


def test_the_page_tells_each_figure_and_escapes_what_it_says(study: Sensitivity) -> None:
    page = heaviest_page(study, "workup sensitivity tiny", 4)
    rows = re.findall(r"<tr><td class=\"r\">\d.*?</tr>", page, re.DOTALL)
    assert len(rows) == 4
    (gold,) = [row for row in rows if GOLD in row]
    assert "searched for in vain" in gold
    assert "searched: “gold &amp; &lt;ill&gt;” in PubMed, NICE on 2026-11-30: nothing usable" in gold
    assert "odds doubled, 0.667: £2.33 a patient (first mostly Gold instead of Leave)" in gold
    assert "odds halved, 0.333: nothing else is ordered" in gold
    (worth,) = [row for row in rows if "decisions.leave.utility.ill" in row]
    assert "computed as -(140 + 60)" in worth
    head = page[: page.index("</header>")]
    assert "1 of 2 derived figures state a formula" in head
    assert "never medical advice" in head
    assert "<script" not in page
    assert page.count('role="region"') == page.count("<table")


def test_the_command_writes_the_page_and_the_list(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    scenario, page, file = tmp_path / "tiny.yaml", tmp_path / "heaviest.html", tmp_path / "found.json"
    scenario.write_text(json.dumps(backed()))
    asked = ("sensitivity", scenario, "--patients", 20, "--top", 0)
    assert run(capsys, *asked, "--heaviest", 5, "--out", page, "--json", file)[0] == 0
    assert len(json.loads(file.read_text())["heaviest"]) == 5
    assert "--patients 20 --heaviest 5 --out heaviest.html" in page.read_text(encoding="utf-8")
    for wrong, message in (
        (("--out", tmp_path / "page.pdf"), "is no web page"),
        (("--figure", tmp_path / "t.svg"), "plans nothing"),
    ):
        status, _, said = run(capsys, *asked, *wrong)
        assert status == 2
        assert message in said


# ------------------------------------------------------------------------------------------------ over all scenarios


def test_the_bench_follows_where_figures_come_from_without_weighing_them_anew(tmp_path: Path) -> None:
    file, runs, earlier = tmp_path / "tiny.yaml", tmp_path / "runs", tmp_path / "earlier.json"
    name = str(file)
    file.write_text(json.dumps(tiny()))
    before = bench_provenance([name], runs=runs, patients=20, most=4)
    earlier.write_text(json.dumps(before))
    (cell,) = runs.glob("*.json")
    written = cell.stat().st_mtime_ns
    first = before["scenarios"][name]
    assert first["heaviest"] == {"seen": 1, "computed": 0, "searched": 0, "open": 3}  # the price of the test was seen
    assert "investigations.gold.cost_gbp" in [figure["path"] for figure in first["figures"]]
    assert "investigations.gold.cost_gbp" not in [figure["path"] for figure in first["not_seen"]]

    data = tiny()
    data["findings"]["of_gold"]["chance"]["ill"] = {"value": 0.5, "status": "seen", "source": "S1"}
    data["decisions"]["leave"]["utility"]["ill"] = {"value": -200, "status": "assumed", "searched": SEARCH}
    file.write_text(json.dumps(data))
    after = bench_provenance([name], runs=runs, patients=20, most=4, named=earlier)["scenarios"][name]
    assert cell.stat().st_mtime_ns == written
    assert after["every"]["seen"] == first["every"]["seen"] + 1
    assert [figure["path"] for figure in after["figures"]] == [figure["path"] for figure in first["figures"]]
    became = after["named"]
    assert (became[GOLD], became["decisions.leave.utility.ill"]) == ("seen", "searched")
    assert set(became) == {figure["path"] for figure in first["not_seen"]}


def test_the_table_counts_what_became_of_the_named(tmp_path: Path) -> None:
    file, earlier = tmp_path / "tiny.yaml", tmp_path / "earlier.json"
    file.write_text(json.dumps(tiny()))
    named = [{"path": GOLD}, {"path": "findings.was_there.chance"}]
    earlier.write_text(json.dumps({"scenarios": {str(file): {"not_seen": named}}}))
    result = bench_provenance([str(file)], runs=tmp_path / "runs", patients=20, most=4, named=earlier)
    head, rule, row = markdown(result).splitlines()
    assert head.count("|") == rule.count("|") == row.count("|") == 14
    assert row.endswith("| 1 | 0 | 0 | 3 | 0 | 0 | 0 | 1 | 1 |")
    assert head.endswith("named before: open | named before: gone |")


@pytest.mark.parametrize("text", ["{", "[]", '{"scenarios": {"tutorial": {}}}'])
def test_what_no_bench_wrote_is_refused(tmp_path: Path, text: str) -> None:
    file = tmp_path / "earlier.json"
    file.write_text(text)
    with pytest.raises(WorkupError, match="expected what `workup bench provenance --json` wrote"):
        bench_provenance(["tutorial"], runs=tmp_path, named=file)
