"""Which figures to check first: moved legally, ranked by what they do, never lost by a kill."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib.patches import Rectangle
from support.again import scenario_of as again
from support.command import run
from support.generated import scenario_of
from support.tiny import tiny

from workup.envs.compile.compile import compile_world
from workup.errors import WorkupError
from workup.files import WorkingNotes
from workup.report.tornado import bars_of, tornado_figure
from workup.scenarios.language.library import load_scenario
from workup.scenarios.language.schema import Scenario
from workup.sensitivity.perturbation import Candidate, at, candidates, moved, moved_value, place_of
from workup.sensitivity.prose import in_words
from workup.sensitivity.replanning import Replanned, without_luck
from workup.sensitivity.study import Sensitivity, Settings, notes_for, run_study

GOLD = "findings.of_gold.chance.ill"
WORTH = "decisions.leave.utility.ill"


@pytest.fixture(scope="module")
def study() -> Sensitivity:
    return run_study(compile_world(scenario_of(tiny())), Settings(patients=40, top=20, vignettes=True))


def both(study: Sensitivity, path: str) -> tuple[Replanned, Replanned]:
    return study.planned[path]


def test_a_figure_that_moves_the_decision_across_its_threshold_comes_first(study: Sensitivity) -> None:
    heaviest = list(study.planned)[:3]
    assert GOLD in heaviest
    down, up = both(study, GOLD)
    assert (down.changed, down.swap, down.lost_gbp) == (0.0, None, 0.0)
    assert up.changed == pytest.approx(1.0)
    assert up.swap is not None
    assert (up.swap.before, up.swap.after) == ("Leave", "Gold")
    assert up.move.value == pytest.approx(2 / 3)
    assert up.lost_gbp == pytest.approx(0.1 * 2 / 3 * 200 - 11, abs=1e-6)


def test_the_screen_finds_the_same_by_hand(study: Sensitivity) -> None:
    down, up = study.screened[GOLD]
    assert (down.changed, down.lost_gbp) == (0.0, 0.0)
    assert up.changed == pytest.approx(1.0)
    assert up.vignettes == {"ill": pytest.approx(up.lost_gbp)}


def test_at_another_rate_other_figures_matter() -> None:
    """Leaving the ill costs 0.01 QALY, £200 at the file's rate: as above. At £30,000 it is £300, so the test is worth
    0.1 x 0.5 x 300 = 15 and is done, until the odds of `ill` or the loss are so much less that it is worth 10."""
    data, loss = tiny(), "decisions.leave.worth.qaly.ill"
    del data["decisions"]["leave"]["utility"]
    data["decisions"]["leave"]["worth"] = {"qaly": {"well": 0, "ill": -0.01}}
    for rate, down_changes in ((20000, False), (30000, True)):
        world = compile_world(scenario_of(data), gbp_per_qaly=rate)
        found = run_study(world, Settings(patients=10, top=1))
        for path in (GOLD, loss):
            down, up = found.screened[path]
            assert (down.changed == 1.0) == down_changes, (rate, path)
            assert (up.changed == 1.0) != down_changes, (rate, path)


def test_a_vignette_that_fails_only_then_is_named(study: Sensitivity) -> None:
    assert study.passing == ("ill",)
    down, up = both(study, GOLD)
    assert (down.now_fails, up.now_fails) == ((), ("ill",))


def test_a_figure_that_cannot_matter_does_nothing(study: Sensitivity) -> None:
    for path in ("findings.told.chance", "findings.sign.chance", "utility.gbp_per_qaly"):
        for screened, planned in zip(study.screened[path], both(study, path), strict=True):
            assert (screened.changed, screened.lost_gbp) == (0.0, 0.0), path
            assert (planned.changed, planned.lost_gbp, planned.now_fails) == (0.0, 0.0, ()), path
        assert list(study.planned).index(path) >= 3


def test_seen_figures_are_not_moved_and_certain_ones_are_named(study: Sensitivity) -> None:
    assert "investigations.gold.cost_gbp" not in study.candidates
    reasons = {figure.path: figure.reason for figure in study.unmoved}
    assert "investigations.gold.cost_gbp" not in reasons
    assert reasons["findings.of_gold.chance.well"].startswith("0 or 1")
    assert reasons["decisions.leave.utility.well"].startswith("0: ")
    assert reasons["prior.table.well"].startswith("moves with")
    listed = [*study.candidates, *reasons]
    unseen = [f.path for f in study.world.scenario.figures if f.status != "seen"]
    assert sorted(listed) == sorted(unseen)


def test_the_commoner_of_two_is_moved_if_the_rarer_was_seen() -> None:
    data = tiny()
    data["prior"] = {"table": {"well": 0.9, "ill": {"value": 0.1, "status": "seen", "source": "S1"}}}
    moved_now, left = candidates(scenario_of(data))
    assert "prior.table.well" in [candidate.path for candidate in moved_now]
    assert "prior.table.ill" not in [figure.path for figure in left]


def test_the_words_say_what_moves_how_far_and_what_was_left_out(study: Sensitivity) -> None:
    text = "\n".join(in_words(study))
    assert f"{study.candidates[GOLD].words}: 0.5 (assumed)" in text
    assert "Of gold" in study.candidates[GOLD].words
    assert "Ill" in study.candidates[GOLD].words
    assert "odds doubled, 0.667: another first order in 100% of presentations (mostly Gold instead of Leave)" in text
    assert "keeping to the old plan loses £2.33" in text
    assert "vignette “ill” then fails" in text
    assert "Not moved: 2 figures: 0: no size to change" in text


def test_the_figure_has_a_bar_for_each_and_names_the_vignettes(study: Sensitivity) -> None:
    bars = bars_of(study)
    assert len(bars) == len(study.planned)
    assert any("“ill” fails" in bar.remark for bar in bars)
    share, lost = tornado_figure("Tiny", bars).axes
    assert len(share.patches) == len(lost.patches) == 2 * len(bars)
    row = list(study.planned).index(GOLD)
    boxes = [patch for patch in share.patches if isinstance(patch, Rectangle)]
    drawn = [box.get_width() for box in boxes if round(box.get_y() + box.get_height() / 2) == row]
    assert drawn == pytest.approx([0.0, 100.0])
    assert len(share.get_yticklabels()) == len(bars)


# ------------------------------------------------------------------------------------------------ moving a figure


@pytest.fixture(scope="module")
def tutorial() -> Scenario:
    return load_scenario("tutorial")


def one(scenario: Scenario, path: str) -> Candidate:
    return next(candidate for candidate in candidates(scenario)[0] if candidate.path == path)


def test_every_move_of_the_tutorial_compiles_and_changes_that_figure_alone(tutorial: Scenario) -> None:
    for number, candidate in enumerate(candidates(tutorial)[0]):
        compile_world(moved(tutorial, candidate, up=number % 2 == 0))
        for up in (False, True):
            changed = moved(tutorial, candidate, up=up)
            assert changed.digest != tutorial.digest
            now = float(at(changed, candidate.place))
            assert now == pytest.approx(moved_value(tutorial, candidate, up=up))
            assert (now > candidate.value) == (up == (candidate.value > 0))
            if candidate.kind != "row":
                back = moved(changed, one_like(candidate, now), up=not up)
                assert at(back, candidate.place) == pytest.approx(candidate.value)


def one_like(candidate: Candidate, value: float) -> Candidate:
    return Candidate(**{**vars(candidate), "value": value})


def test_a_row_keeps_its_sum_and_its_proportions(tutorial: Scenario) -> None:
    row = moved(tutorial, one(tutorial, "prior.table.lung_cancer"), up=True).prior.table
    assert isinstance(row, dict)
    assert sum(row.values()) == pytest.approx(1.0)
    assert row["lung_cancer"] / (1 - row["lung_cancer"]) == pytest.approx(2 * 0.005 / 0.995)
    assert row["viral"] / row["pneumonia"] == pytest.approx(0.945 / 0.05)


@pytest.mark.parametrize(
    "path", ["decisions.leave.utility.ill", "findings.of_gold.chance.ill", "prior.table.never.well"]
)
def test_a_figure_moves_with_its_copies(path: str) -> None:
    """As if it had been changed where it is written."""
    data = tiny()
    data["context"]["smoker"] = {
        "label": "Smoker",
        "values": ["never", "ever", "now"],
        "known": "at_start",
        "table": {"never": 0.5, "ever": 0.3, "the_rest_to": "now"},
    }
    data["prior"] = {
        "given": ["smoker"],
        "table": {
            "never": {"well": 0.9, "the_rest_to": "ill"},
            "ever": {"as": "never"},
            "now": {"as": "never", "but": {"well": 0.8}},
        },
    }
    data["decisions"]["watch"] = {"as": "leave", "but": {"label": "Watch", "utility": {"well": -1}}}
    data["findings"]["of_silver"] = {"as": "of_gold", "but": {"label": "Of silver"}}
    data["investigations"]["silver"] = {"as": "gold", "but": {"label": "Silver", "reveals": ["of_silver"]}}
    scenario = scenario_of(data)
    candidate = one(scenario, path)
    after = moved(scenario, candidate, up=True)
    new = moved_value(scenario, candidate, up=True)
    *above, last = candidate.place
    block = data[str(above[0])]
    for part in above[1:]:
        block = block[part]
    block[last] = new
    if "the_rest_to" in block:  # 1 less the figure, in decimals
        block[last] = float(f"{new:.12f}")
    written = scenario_of(data)
    for section in ("prior", "decisions", "findings"):
        assert _rounded(getattr(after, section)) == _rounded(getattr(written, section))
    assert len(candidate.copies) == 1


def _rounded(part: Any) -> Any:
    if isinstance(part, float):
        return pytest.approx(part, abs=1e-11)
    if isinstance(part, dict):
        return {key: _rounded(of) for key, of in part.items()}
    return _rounded(part.model_dump()) if hasattr(part, "model_dump") else part


def test_when_a_finding_is_looked_at_again_is_not_moved() -> None:
    scenario = again()
    found, unmoved = candidates(scenario)
    assert {each.path: each.reason for each in unmoved}["findings.crp_48h.after"].startswith(
        "when it is looked at again"
    )
    assert "findings.crp_48h.table.pneumonia.no.fell" in {each.path for each in found}


def test_a_mean_moves_by_a_share_of_its_own_spread() -> None:
    data = tiny()
    data["findings"]["of_gold"] = {
        "label": "Of gold", "unit": "g", "bands": {"low": [0, 50], "high": [50, 100]}, "evidence": "number",
        "range": [0, 100], "step": 10, "given": ["condition"], "law": "normal",
        "mean": {"well": 40, "ill": 60}, "sd": {"well": 10, "ill": 20},
    }  # fmt: skip
    scenario = scenario_of(data)
    candidate = one(scenario, "findings.of_gold.mean.ill")
    assert candidate.kind == "mean"
    assert moved_value(scenario, candidate, up=True) == pytest.approx(70)
    assert moved_value(scenario, candidate, up=False, factor=2.0) == pytest.approx(40)


def test_a_path_finds_its_place_even_if_a_key_holds_dots() -> None:
    data = {"bands": {"under_3.9": [1, {"a.b": 7}]}}
    assert place_of(data, ["bands", "under_3", "9", "1", "a", "b"]) == ("bands", "under_3.9", 1, "a.b")
    assert place_of(data, ["bands", "nowhere"]) is None


def test_luck_is_taken_off_as_far_as_it_explains_the_difference() -> None:
    luck = np.random.default_rng(0).normal(size=4000)
    same_results = np.zeros(4000)
    assert np.array_equal(without_luck(same_results, luck), same_results)
    assert without_luck(3.0 + luck, luck) == pytest.approx(3.0)
    assert np.array_equal(without_luck(luck, np.zeros(4000)), luck)


# ------------------------------------------------------------------------------------------------ long work


def test_a_killed_run_goes_on_from_its_notes_and_ends_the_same(tmp_path: Path, study: Sensitivity) -> None:
    file, settings = tmp_path / "notes.jsonl", Settings(patients=40, top=20, vignettes=True)
    seen: list[tuple[str, int]] = []

    def stop(stage: str, done: int, total: int) -> None:
        seen.append((stage, done))
        if stage == "planned anew" and done == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_study(study.world, settings, notes=WorkingNotes(file), progress=stop)
    with file.open("a") as torn:
        torn.write('["plan findings.of_')
    notes = WorkingNotes(file)
    before = len(notes)
    assert before == 2 * len(study.candidates) + 4
    again = run_study(study.world, settings, notes=notes)
    assert json.dumps(again.as_json()) == json.dumps(study.as_json())
    assert len(WorkingNotes(file)) == before + 2 * len(study.planned) - 4


def test_notes_belong_to_the_figures_their_provenance_and_the_settings(study: Sensitivity) -> None:
    world = study.world
    other = tiny()
    other["investigations"]["gold"]["cost_gbp"] = 11
    paths = {
        notes_for(world, Settings()),
        notes_for(world, Settings(seed=1)),
        notes_for(world, Settings(planner="one-step")),
        notes_for(compile_world(scenario_of(other)), Settings()),
    }
    assert len(paths) == 4


@pytest.mark.parametrize(
    ("settings", "message"),
    [(Settings(factor=1.0), "expected a number above 1"), (Settings(top=-1), "0 or more")],
)
def test_settings_that_move_nothing_are_refused(study: Sensitivity, settings: Settings, message: str) -> None:
    with pytest.raises(WorkupError, match=message):
        run_study(study.world, settings)


def test_a_scenario_without_vignettes_says_so() -> None:
    world = compile_world(scenario_of({**tiny(), "vignettes": {}}))
    with pytest.raises(WorkupError, match="no vignettes"):
        run_study(world, Settings(vignettes=True))


def test_the_same_figures_are_ranked_whatever_the_planner(study: Sensitivity) -> None:
    quick, one_step = (
        run_study(study.world, Settings(patients=40, top=3, planner=planner)) for planner in ("quick", "one-step")
    )
    for found in (quick, one_step):
        assert set(found.planned) == set(list(study.planned)[:3]) | {GOLD}
        assert found.planned[GOLD][1].changed == pytest.approx(1.0)


# ------------------------------------------------------------------------------------------------ the command


def test_the_command_says_draws_writes_and_resumes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("COLUMNS", "200")
    picture, file = tmp_path / "tornado.svg", tmp_path / "found.json"
    scenario = tmp_path / "tiny.yaml"
    scenario.write_text(json.dumps(tiny()))
    asked = ("sensitivity", scenario, "--patients", 20, "--top", 2, "--planner", "one-step")
    status, said, _ = run(capsys, *asked, "--figure", picture, "--json", file)
    assert status == 0
    assert "the 2 heaviest planned anew: one step ahead" in said
    assert "Screened but not planned anew" in said
    assert "not reviewed by a clinician" in said
    found = json.loads(file.read_text())
    assert len(found["planned"]) == 2
    assert {entry["status"] for entry in found["screened"]} == {"assumed"}
    assert np.isfinite([entry["up"]["lost_gbp"] for entry in found["screened"]]).all()
    assert "<svg" in picture.read_text()
    assert "known from an earlier run" in run(capsys, *asked)[1]
    status, _, said = run(capsys, *asked, "--figure", tmp_path / "tornado.gif")
    assert status == 2
    assert "expected a name that ends with .png or .svg" in said
