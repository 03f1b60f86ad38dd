"""A score read aloud, what changed in one, and what counts as its figures."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.scored import SCORES, scenario_with, tutorial_with

from workup.scenarios.language.library import load_scenario
from workup.scenarios.language.reading.digest import digest
from workup.scenarios.language.words.difference import differences
from workup.scenarios.language.words.prose import explain

RULES = "  - {do: treat, when: {chest: likely, crp_score: {at_least: 2}}, why: Both scores}\n"
REQUIRES = "[{chest: {at_least: 2}, ct_lungs: mass}]"


def test_a_score_is_told_with_its_points_its_words_and_its_uses(tmp_path: Path) -> None:
    page = explain(scenario_with(tmp_path, rules=RULES, requires=REQUIRES))
    assert (
        "## Scores\n\n"
        "Only what has been found counts; what is not known leaves the total open.\n\n"
        "- **Chest score for pneumonia** (from −1 to 4; used by rule 6 of the guideline; required for Refer to the lung cancer clinic)\n"
        "  - 2 points if Fever is yes\n"
        "  - 1 point if Crackles on listening is yes\n"
        "  - 0 points if Smoking is never\n"
        "  - 1 point if Smoking is ever\n"
        "  - −1 point if Blood coughed up is yes\n"
        "  - “unlikely” if the total is below 1\n"
        "  - “possible” if the total is at least 1 and below 3\n"
        "  - “likely” if the total is at least 3\n"
        "- **CRP score** (from 0 to 4; used by rule 6 of the guideline)\n"
        "  - 0 points if C-reactive protein is low\n"
        "  - 1 point if C-reactive protein is raised\n"
        "  - 2.5 points if C-reactive protein is high\n"
        "  - 1.5 points if Fever is yes and Crackles on listening is yes\n"
    ) in page
    assert (
        "6. if Chest score for pneumonia is likely and CRP score is at least 2: **Treat as pneumonia today**. Both scores."
        in page
    )
    assert "  - only once Chest score for pneumonia is at least 2 or CT of the lungs is mass\n" in page


def test_a_scenario_without_scores_has_no_section_of_them() -> None:
    assert "## Scores" not in explain(load_scenario("tutorial"))


CHEST, CRP = "Chest score for pneumonia", "CRP score"


@pytest.mark.parametrize(("old", "new", "said"), [
    ("{when: {fever: yes}, points: 2}", "{when: {fever: yes}, points: 3}",
     [f"{CHEST}: no longer 2 points if Fever is yes", f"{CHEST}: now also 3 points if Fever is yes"]),
    ("      - {when: {haemoptysis: yes}, points: -1}\n", "", [f"{CHEST}: no longer −1 point if Blood coughed up is yes"]),
    ("{low: 0, raised: 1, high: 2.5}", "{low: 0, otherwise: 1}",
     [f"{CRP}: no longer 0 points if C-reactive protein is low, 1 point if C-reactive protein is raised and 2.5 points if "
      "C-reactive protein is high",
      f"{CRP}: now also 0 points if C-reactive protein is low and 1 point if C-reactive protein is anything else"]),
    ("below: 3}\n      likely: {at_least: 3}", "below: 4}\n      likely: {at_least: 4}",
     [f"{CHEST}: “possible” ends below 3 → 4", f"{CHEST}: “likely” begins at 3 → 4"]),
    ("    label: CRP score\n", "    label: CRP points\n", ["CRP score: is now called “CRP points”"]),
])  # fmt: skip
def test_a_change_of_a_score_is_told_in_clinical_words(old: str, new: str, said: list[str], tmp_path: Path) -> None:
    before = scenario_with(tmp_path, rules=RULES)
    text = tutorial_with(rules=RULES)
    assert text.count(old) == 1
    file = tmp_path / "after.yaml"
    file.write_text(text.replace(old, new), encoding="utf-8")
    after = load_scenario(file)
    found = [change.words for change in differences(before, after) if change.part == "Findings"]
    assert sorted(found) == sorted(said)
    assert digest(after) != digest(before)


def test_a_new_score_is_told_and_counts_in_the_digest(tmp_path: Path) -> None:
    tutorial, scored = load_scenario("tutorial"), scenario_with(tmp_path, rules=RULES)
    told = [change.words for change in differences(tutorial, scored)]
    assert {"New score: Chest score for pneumonia", "New score: CRP score"} <= set(told)
    assert digest(scenario_with(tmp_path)) != tutorial.digest
    assert digest(scenario_with(tmp_path, "")) == tutorial.digest


def test_points_are_figures_and_a_cut_off_is_one_figure(tmp_path: Path) -> None:
    seen = SCORES.replace("points: -1}", "points: {value: -1, status: recalled, note: A paper}}")
    seen = seen.replace("likely: {at_least: 3}", "likely: {at_least: 3, status: derived, note: By hand}")
    figures = {
        figure.path: figure
        for figure in scenario_with(tmp_path, seen).figures
        if figure.path.startswith("scores.chest")
    }
    assert {path.removeprefix("scores.chest."): figure.value for path, figure in figures.items()} == {
        "points.0.points": 2, "points.1.points": 1, "points.2.points.never": 0, "points.2.points.ever": 1,
        "points.3.points": -1, "cut_offs.possible.at_least": 1, "cut_offs.likely.at_least": 3,
    }  # fmt: skip
    assert figures["scores.chest.points.3.points"].status == "recalled"
    assert figures["scores.chest.cut_offs.likely.at_least"].note == "By hand"
