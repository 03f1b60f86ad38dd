"""The explanation shows each score as a table, with the rules that use it."""

from __future__ import annotations

import re

import pytest
from support.scored import scenario_with

from workup.report.explain import explanation
from workup.scenarios.language.library import load_scenario

RULES = """  - {do: treat, when: {chest: likely}, why: By the score}
  - {do: chest_film, when: {chest_film: not_done, chest: {not: unlikely}, crp_score: {below: 1}}, why: By both}
"""


@pytest.fixture(scope="module")
def section(tmp_path_factory: pytest.TempPathFactory) -> str:
    page = explanation(scenario_with(tmp_path_factory.mktemp("scored"), rules=RULES), "workup explain")
    found = re.search(r'<section id="scores">.*?</section>', page, re.DOTALL)
    assert found is not None
    assert '<a href="#scores">Scores</a>' in page
    assert "Chest score for pneumonia: points if Fever is yes</td>" in page
    assert "Chest score for pneumonia: “likely” begins at</td>" in page
    return found[0]


def test_the_table_has_every_part_with_its_points_and_every_word(section: str) -> None:
    rows = re.findall(r'<th scope="row">([^<]*)</th><td class="r">([^<]*)</td>', section)
    assert rows == [
        ("Fever is yes", "2 points"),
        ("Crackles on listening is yes", "1 point"),
        ("Smoking is never", "0 points"),
        ("Smoking is ever", "1 point"),
        ("Blood coughed up is yes", "−1 point"),
        ("unlikely", "below 1"),
        ("possible", "at least 1 and below 3"),
        ("likely", "at least 3"),
        ("C-reactive protein is low", "0 points"),
        ("C-reactive protein is raised", "1 point"),
        ("C-reactive protein is high", "2.5 points"),
        ("Fever is yes and Crackles on listening is yes", "1.5 points"),
    ]


def test_it_says_what_uses_the_score(section: str) -> None:
    assert "Totals from −1 to 4; used by rules 6 and 7 of the guideline." in section
    assert "Totals from 0 to 4; used by rule 7 of the guideline." in section


def test_a_scenario_without_scores_has_no_such_section() -> None:
    assert 'id="scores"' not in explanation(load_scenario("tutorial"), "workup explain")
