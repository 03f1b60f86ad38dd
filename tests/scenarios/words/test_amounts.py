"""Amounts that differ by patient, in words: in a scenario told back, in differences, and as figures of their own."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.amounts import with_amounts

from workup.scenarios.language.library import load_scenario
from workup.scenarios.language.schema import Scenario
from workup.scenarios.language.words.difference import differences
from workup.scenarios.language.words.place_values import figure_words
from workup.scenarios.language.words.places import Side
from workup.scenarios.language.words.prose import explain
from workup.sensitivity.perturbation import candidates, moved


@pytest.fixture
def scenario(tmp_path: Path) -> Scenario:
    file = tmp_path / "scenario.yaml"
    file.write_text(with_amounts(), encoding="utf-8")
    return load_scenario(file)


@pytest.mark.parametrize("line", [
    "emergency; each day of waiting costs £140 to £230, depending on Chronic kidney disease",
    "Contrast may harm (if done unknowingly: £200 to £400, depending on Smoking)",
    "a loss of 0.05 QALY to 0.2 QALY, depending on Chronic kidney disease",
    "and harms by £10 to £45, depending on Smoking and the condition",
    "if the journey ends with Treat as pneumonia today or Refer to the lung cancer clinic, worth −£40 to £800, depending on",
])  # fmt: skip
def test_the_scenario_tells_them_back(scenario: Scenario, line: str) -> None:
    assert line in explain(scenario)


def test_a_number_that_became_an_amount_is_one_difference_with_all_its_figures(scenario: Scenario) -> None:
    found = differences(load_scenario("tutorial"), scenario)
    told = {change.path: change.words for change in found if change.part != "Provenance"}
    assert told["loss_gbp_per_msv"] == "Harm of each mSv: £3 → depends on Smoking; never £4; ever £2"
    waiting = "Pneumonia: each day of waiting costs £150 → depends on Chronic kidney disease; no £140; yes £230"
    assert told["conditions.pneumonia.waiting_cost_gbp_per_day"] == waiting
    assert "if the journey ends with Treat as pneumonia today and Refer to" in told["acts.antibiotics.benefit"]


def test_each_figure_has_its_place_its_unit_and_its_own_difference(scenario: Scenario) -> None:
    figures = {figure.path: figure for figure in scenario.figures}
    path = "acts.antibiotics.benefit.gbp.pneumonia.yes"
    side = Side.of(scenario)
    words = "First dose of antibiotics: worth with Pneumonia, with Chronic kidney disease"
    assert figure_words(side, figures[path]) == (words, "£800")
    loss = figures["investigations.ct.complications.kidney_injury.loss_gbp.qaly.yes"]
    assert figure_words(side, loss)[1] == "0.2 QALY"
    found = {candidate.path: candidate for candidate in candidates(scenario)[0]}
    amounts = [name for name in figures if ".gbp." in name or ".qaly." in name]
    assert len(amounts) == 15
    assert [name for name in amounts if name not in found] == ["acts.antibiotics.benefit.gbp.lung_cancer"]  # 0
    for name in set(amounts) & set(found):
        after = moved(scenario, found[name], up=True)
        (change,) = differences(scenario, after)
        assert after.digest != scenario.digest
        if "contraindicated" in name:  # an entry of a list is told as a whole
            assert change.path == "investigations.ct.contraindicated.0"
        else:
            assert (change.path, change.after) == (name, pytest.approx(1.5 * figures[name].value))
        assert found[name].unit == ("qaly" if ".qaly." in name else "gbp")


def test_decisions_that_pay_a_benefit_come_and_go(scenario: Scenario) -> None:
    act = scenario.acts["antibiotics"]
    assert act.benefit is not None
    benefit = act.benefit.model_copy(update={"when_decided": ("treat", "support")})
    acts = {**scenario.acts, "antibiotics": act.model_copy(update={"benefit": benefit})}
    (change,) = differences(scenario, scenario.model_copy(update={"acts": acts}))
    assert change.words == (
        "First dose of antibiotics: is also paid after Supportive care at home; is no longer paid after Refer to the lung "
        "cancer clinic"
    )
