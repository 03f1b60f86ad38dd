"""What a decision is worth in parts: added up by hand, at any rate, from either side, and refused where it makes no sense."""

from __future__ import annotations

import copy
from itertools import product
from typing import Any

import pytest
from support.generated import scenario_of
from support.parts import BED_DAY, FULL, in_full, in_health_alone, tutorial

from workup.errors import WorkupError
from workup.scenarios.language.library import load_scenario
from workup.scenarios.language.reading.digest import digest
from workup.scenarios.language.reading.viewed import viewed
from workup.scenarios.language.schema import Scenario
from workup.scenarios.language.tables import Tables
from workup.scenarios.language.words.difference import differences
from workup.scenarios.language.words.prose import explain
from workup.scenarios.language.words.worth import rows, seen_as, shares
from workup.scenarios.language.worth import in_qalys, parts_gbp, worth_gbp

CONDITIONS, SMOKED = ("viral", "pneumonia", "lung_cancer"), ("never", "ever")


@pytest.fixture(scope="module")
def full() -> Scenario:
    return scenario_of(in_full())


def by_hand(condition: str, kidneys: str, smoked: str, *, rate: float, patient: bool) -> dict[str, float]:
    """The parts of `treat` in pounds, written out from its figures."""
    qaly = {"viral": -0.02, "pneumonia": -0.01 if kidneys == "no" else -0.03, "lung_cancer": -0.5}[condition]
    days = {"pneumonia": 3 if kidneys == "no" else 5}.get(condition, 1)
    fall = 0.01 if smoked == "ever" else 0.005
    harm = 0.05 * 0.002 * rate + fall * 2000
    if patient:
        paid = -20 if condition == "lung_cancer" else 80
        return {"health": qaly * rate, "own cost": -15, "transfers": paid, "complications": -harm}
    cost = 120 if condition == "pneumonia" else 40
    treated = 0.05 * 40 + fall * 4 * BED_DAY
    return {"health": qaly * rate, "cost": -cost, "beds": -days * BED_DAY, "complications": -harm - treated}


@pytest.mark.parametrize(("rate", "side"), [*product((20000.0, 30000.0, 350.0), ("nhs", "patient"))])
def test_the_parts_and_their_sum_are_those_written_out_by_hand(rate: float, side: str) -> None:
    data = in_full()
    data["decisions"] = {name: data["decisions"][name] for name in data["decisions"]}
    tables = Tables(viewed(scenario_of(data), gbp_per_qaly=rate, perspective=side))
    parts, whole = parts_gbp(tables, "treat"), worth_gbp(tables, "treat")
    assert whole.parents == ("condition", "kidney_disease", "smoked")
    axes = [tables.axes[name].values for name in whole.parents]
    assert sorted(axes[2]) == sorted(SMOKED)
    for index in product(*(range(len(values)) for values in axes)):
        words = [values[i] for values, i in zip(axes, index, strict=True)]
        expected = by_hand(*words, rate=rate, patient=side == "patient")
        for part, table in parts.items():
            assert table.values[index] == pytest.approx(expected.get(part, 0.0), abs=1e-9), (words, part)
        assert whole.values[index] == pytest.approx(sum(expected.values()), abs=1e-9)


def test_one_figure_is_worth_what_it_was() -> None:
    scenario = load_scenario("tutorial")
    tables = Tables(scenario)
    for name in scenario.decisions:
        assert worth_gbp(tables, name).values == pytest.approx(20000.0 * tables.utility(name).values, abs=0)
        assert list(parts_gbp(tables, name)) == ["health"]


def test_a_view_is_part_of_the_digest_and_takes_the_rate_out_of_the_figures(full: Scenario) -> None:
    assert viewed(full) is full
    assert viewed(full, gbp_per_qaly=20000, perspective="nhs") is full
    others = [viewed(full, gbp_per_qaly=30000), viewed(full, perspective="patient")]
    others.append(viewed(others[0], perspective="patient"))
    assert len({each.digest for each in (full, *others)}) == 4
    assert all(each.digest == digest(each) for each in others)
    assert viewed(others[0], gbp_per_qaly=20000.0).digest == full.digest
    rated = {figure.path for figure in others[0].figures}
    assert {figure.path for figure in full.figures} - rated == {"utility.gbp_per_qaly"}
    assert len(others[1].figures) == len(full.figures)


def test_what_is_not_said_is_not_in_the_digest_and_what_is_said_is() -> None:
    plain = in_health_alone()
    before = scenario_of(plain).digest
    assert before != load_scenario("tutorial").digest
    for change in ({"bed_day_gbp": 345}, {"perspective": "patient"}):
        assert scenario_of(plain | {"utility": plain["utility"] | change}).digest != before
    assert scenario_of(plain | {"utility": plain["utility"] | {"perspective": "nhs"}}).digest == before
    for part, value in (("cost_gbp", 5), ("own_cost_gbp", 5), ("transfer_gbp", 5)):
        changed = copy.deepcopy(plain)
        changed["decisions"]["treat"]["worth"][part] = value
        assert scenario_of(changed).digest != before, part


@pytest.mark.parametrize("rate", [0, -1, float("nan"), float("inf"), 1e12, "30000", True])
def test_a_rate_is_a_positive_number(full: Scenario, rate: Any) -> None:
    with pytest.raises(WorkupError, match=r"gbp_per_qaly is .*; expected pounds"):
        viewed(full, gbp_per_qaly=rate)


def test_a_rate_that_changes_nothing_is_refused() -> None:
    data = tutorial()
    data["utility"]["unit"] = "gbp"
    pounds = scenario_of(data)
    assert not in_qalys(pounds)
    with pytest.raises(WorkupError, match="nothing in tutorial is written in QALYs"):
        viewed(pounds, gbp_per_qaly=30000)
    data["conditions"]["pneumonia"]["waiting_cost_gbp_per_day"] = {"qaly": 0.001}
    amount = scenario_of(data)
    assert in_qalys(amount)
    assert viewed(amount, gbp_per_qaly=30000).digest != amount.digest


def test_a_perspective_is_known_and_needs_parts(full: Scenario) -> None:
    with pytest.raises(WorkupError, match="no scenario has figures for work lost"):
        viewed(full, perspective="societal")
    with pytest.raises(WorkupError, match="found 'hospital'; expected nhs or patient"):
        viewed(full, perspective="hospital")
    with pytest.raises(WorkupError, match=r"needs what decisions are worth in parts.*reassure, treat, refer, support"):
        viewed(load_scenario("tutorial"), perspective="patient")


def test_shares_are_of_sizes_and_sum_to_one(full: Scenario) -> None:
    found = shares(full, "treat")
    assert list(found) == ["health", "cost", "beds", "complications"]
    assert sum(found.values()) == pytest.approx(1.0)
    every = [by_hand(c, k, s, rate=20000, patient=False) for c in CONDITIONS for k in ("no", "yes") for s in SMOKED]
    sizes = {part: sum(abs(of[part]) for of in every) for part in found}
    assert found == pytest.approx({part: size / sum(sizes.values()) for part, size in sizes.items()})
    assert shares(full, "reassure") == {"health": 1.0}
    assert shares(load_scenario("tutorial"), "treat") == {}


def test_the_words_tell_the_parts(full: Scenario) -> None:
    text = explain(full)
    assert (
        "Worth in parts for 4 of 4 decisions, in pounds; one QALY counts £20,000, a day in a hospital bed £345." in text
    )
    assert "As the NHS sees it: health, what it pays, and beds; not what the patient pays or is paid." in text
    assert "  - of its size, health 82%, cost 2%, beds 16%, complications 1%" in text
    assert "  - Fall: 0.5% to 1%, depending on Smoking; a loss of £2,000, 4 bed days" in text
    headings, table = rows(full, "treat")
    assert headings == ["health", "cost", "beds", "complications", "worth"]
    assert table[1] == (
        "Pneumonia",
        ["−£600 to −£200", "−£120", "−£1,725 to −£1,035", "−£37.8 to −£20.9", "−£2,482.8 to −£1,375.9"],
    )
    patient = viewed(full, gbp_per_qaly=30000, perspective="patient")
    assert seen_as(patient).startswith("One QALY counts £30,000; as the patient sees it")
    assert rows(patient, "treat")[0] == ["health", "complications", "own cost", "transfers", "worth"]


@pytest.mark.parametrize(("path", "value", "said"), [
    ("worth.qaly.viral", -0.03, "Treat as pneumonia today: health with Viral bronchitis −0.02 QALY → −0.03 QALY"),
    ("worth.bed_days.pneumonia.yes", 6, "Treat as pneumonia today: days in a hospital bed with Pneumonia, with Chronic kidney disease 5 → 6"),
    ("worth.cost_gbp.pneumonia", 130, "Treat as pneumonia today: costs with Pneumonia £120 → £130"),
    ("worth.transfer_gbp.otherwise", 90, "Treat as pneumonia today: the patient is paid with any other condition £80 → £90"),
    ("worth.complications.fall.chance.ever", 0.02, "Treat as pneumonia today, Fall: chance, Smoking: ever 1% → 2%"),
    ("worth.complications.fall.loss_gbp", 3000, "Treat as pneumonia today, Fall: a loss of £2,000 → £3,000"),
])  # fmt: skip
def test_a_change_of_a_part_is_told(full: Scenario, path: str, value: float, said: str) -> None:
    data = in_full()
    node, keys = data["decisions"]["treat"], path.split(".")
    for key in keys[:-1]:
        node = node[key]
    node[keys[-1]] = value
    assert said in [change.words for change in differences(full, scenario_of(data))]


def test_a_complication_that_is_new_and_a_worth_that_was_one_figure_are_told(full: Scenario) -> None:
    data = in_full()
    data["decisions"]["treat"]["worth"]["complications"]["rash"] = {"label": "Rash", "chance": 0.1, "loss_gbp": 30}
    words = [change.words for change in differences(full, scenario_of(data))]
    assert any(each.startswith("Treat as pneumonia today: new complication: Rash (£30") for each in words), words
    words = [change.words for change in differences(load_scenario("tutorial"), full)]
    assert any(each.startswith("Treat as pneumonia today: worth in parts nothing → ") for each in words), words
    assert "What decisions are worth: a day in a hospital bed costs nothing → £345" in words
    assert FULL["own_cost_gbp"] == 15
