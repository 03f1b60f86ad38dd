"""Nested tables become the arrays that a reader would work out by hand."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workup.scenarios.language.library import load_scenario
from workup.scenarios.language.schema import Distribution, Modifier, Variable
from workup.scenarios.language.tables import (
    Tables,
    effective_parents,
    expand,
    expand_chance,
    expand_numbers,
    expand_table,
)
from workup.scenarios.language.vocabulary import Axis, LanguageError, allowed_statuses, allowed_values, number_cells

CONDITION = Axis("condition", "condition", ("lung", "colon", "flu", "well"), {"cancer": ("lung", "colon")})
SMOKER = Axis("smoker", "context", ("never", "ever"))
SEX = Axis("sex", "context", ("male", "female"))
BAND = Axis("crp", "finding", ("low", "raised", "high"), cells=((0, 5), (5, 50), (50, 300)))
YES_NO = Axis("cough", "finding", ("no", "yes"))


def test_otherwise_groups_commas_and_outright_names() -> None:
    nested = {"cancer": {"ever": 0.6, "never": 0.4}, "lung": 0.9, "flu, well": 0.02}
    found = expand_chance(Distribution(given=("condition", "smoker"), chance=nested), [CONDITION, SMOKER])
    assert found.tolist() == [[0.9, 0.9], [0.4, 0.6], [0.02, 0.02], [0.02, 0.02]]
    found = expand_chance(Distribution(given=("condition",), chance={"flu": 0.5, "otherwise": 0.1}), [CONDITION])
    assert found.tolist() == [0.1, 0.1, 0.5, 0.1]


def test_a_chance_is_that_of_the_last_value() -> None:
    assert expand(Distribution(chance=0.3), YES_NO, []).tolist() == [0.7, 0.3]


def test_a_table_may_stop_at_a_shallower_level() -> None:
    low, high = {"low": 0.8, "raised": 0.15, "high": 0.05}, {"low": 0.1, "raised": 0.3, "high": 0.6}
    nested = {"cancer": {"ever": high, "never": low}, "otherwise": low}
    found = expand(Distribution(given=("condition", "smoker"), table=nested), BAND, [CONDITION, SMOKER])
    assert found.shape == (4, 2, 3)
    assert found[0].tolist() == [[0.8, 0.15, 0.05], [0.1, 0.3, 0.6]]
    assert found[3].tolist() == [[0.8, 0.15, 0.05]] * 2


def test_modifiers_multiply_odds_and_add_their_parents() -> None:
    modifiers = (Modifier(when={"smoker": "ever"}, odds=3), Modifier(when={"sex": "male", "smoker": "ever"}, odds=2))
    law = Distribution(given=("condition",), chance={"lung": 0.5, "otherwise": 0.1}, modifiers=modifiers)
    assert effective_parents(law) == ("condition", "smoker", "sex")
    found = expand_chance(law, [CONDITION, SMOKER, SEX])
    assert found.shape == (4, 2, 2)
    odds = found / (1 - found)
    np.testing.assert_allclose(odds[0], [[1, 1], [6, 3]])
    np.testing.assert_allclose(odds[1], np.array([[1, 1], [6, 3]]) / 9)


def test_odds_of_several_values_are_weights_that_share_the_rest() -> None:
    prior = Distribution(
        table={"lung": 0.1, "colon": 0.1, "flu": 0.3, "well": 0.5},
        modifiers=(Modifier(when={"smoker": "ever"}, odds={"cancer": 2, "flu": 3}),),
    )
    found = expand(prior, CONDITION, [SMOKER])
    np.testing.assert_allclose(found[0], [0.1, 0.1, 0.3, 0.5])
    np.testing.assert_allclose(found[1], np.array([0.2, 0.2, 0.9, 0.5]) / 1.8)


def test_one_named_value_has_its_odds_multiplied_exactly() -> None:
    law = Distribution(
        table={"low": 0.5, "raised": 0.3, "high": 0.2},
        modifiers=(Modifier(when={"smoker": "ever"}, odds={"high": 4}),),
    )
    found = expand(law, BAND, [SMOKER])[1]
    assert found[2] / (1 - found[2]) == pytest.approx(4 * 0.2 / 0.8)


def _number(law: str, **parameters: Any) -> tuple[Variable, Axis]:
    variable = Variable(label="x", unit="u", evidence="number", range=(0, 40), step=10, law=law, **parameters)
    cells = number_cells(variable)
    assert cells == ((0, 10), (10, 20), (20, 30), (30, 40))
    return variable, Axis("x", "finding", tuple(f"{a:g}_to_{b:g}" for a, b in cells), cells=cells)


def test_a_normal_law_is_truncated_to_its_range() -> None:
    variable, axis = _number("normal", mean=20, sd=10)
    inner, outer = math.erf(1 / math.sqrt(2)) / 2, (math.erf(2 / math.sqrt(2)) - math.erf(1 / math.sqrt(2))) / 2
    expected = np.array([outer, inner, inner, outer]) / (2 * (inner + outer))
    np.testing.assert_allclose(expand(variable, axis, []), expected, rtol=1e-12)


def test_a_lognormal_law_has_half_its_mass_below_its_median() -> None:
    variable, axis = _number("lognormal", median=10, sigma=0.1)
    np.testing.assert_allclose(expand(variable, axis, []), [0.5, 0.5, 0, 0], atol=1e-10)


def test_tails_keep_their_precision() -> None:
    variable, axis = _number("normal", mean=0, sd=5)
    far = 0.5 * (math.erfc(30 / 5 / math.sqrt(2)) - math.erfc(40 / 5 / math.sqrt(2)))
    near = 0.5 - 0.5 * math.erfc(40 / 5 / math.sqrt(2))
    assert expand(variable, axis, [])[3] == pytest.approx(far / near, rel=1e-9)


@pytest.mark.parametrize(
    ("nested", "message"),
    [
        ({"cancer": 0.1, "flu": 0.2}, "nothing is said for condition well"),
        ({"cancer": 0.1, "flue": 0.2, "otherwise": 0}, "did you mean 'flu'?"),
        ({"lung, colon, flu, well": 0.1, "otherwise": 0}, "remove `otherwise`"),
        ({"lung": 0.1, "lung, flu": 0.2, "otherwise": 0}, "lung is also covered by 'lung'"),
        ({"otherwise": 1.5}, "1.5 is no probability"),
        ({"otherwise": "x"}, "found 'x'; expected a number"),
        ({"otherwise": {"ever": 1}}, "found numbers by ever, but `given` names condition"),
    ],
)
def test_faults_of_a_table_name_what_was_found(nested: dict[str, Any], message: str) -> None:
    with pytest.raises(LanguageError) as caught:
        expand_chance(Distribution(given=("condition",), chance=nested), [CONDITION])
    assert any(message in text for _, text in caught.value.faults), caught.value


def test_all_faults_of_a_table_come_together_with_their_paths() -> None:
    rows = {
        "lung": {"low": 0.5, "raised": 0.6, "high": 0},
        "colon": {"low": 1},
        "otherwise": {"low": 1, "raised": 0, "x": 0},
    }
    with pytest.raises(LanguageError) as caught:
        expand_table(rows, BAND, [CONDITION])
    assert [path for path, _ in caught.value.faults] == [("lung",), ("colon",), ("otherwise", "x")]


def test_probabilities_within_the_tolerance_are_divided_by_their_sum() -> None:
    row = expand_table({"low": 0.3333333, "raised": 0.3333333, "high": 0.3333333}, BAND, [])
    assert row.sum() == pytest.approx(1, abs=1e-15)
    with pytest.raises(LanguageError, match=r"sum to 0\.99999"):
        expand_table({"low": 0.33333, "raised": 0.33333, "high": 0.33333}, BAND, [])


def test_numbers_may_be_anything() -> None:
    assert expand_numbers({"cancer": -5, "otherwise": {"ever": 2, "never": 1e6}}, [CONDITION, SMOKER])[2, 0] == 1e6


@pytest.mark.parametrize(
    ("clause", "values", "unknown"),
    [
        ("low", (True, False, False), False),
        (["low", "high"], (True, False, True), False),
        ({"at_least": 5}, (False, True, True), False),
        ({"below": 50}, (True, True, False), False),
        ({"at_least": 5, "below": 50}, (False, True, False), False),
        ({"not": "low"}, (False, True, True), False),
        ("unknown", (False, False, False), True),
        (["unknown", "low"], (True, False, False), True),
    ],
)
def test_what_a_clause_allows(clause: Any, values: tuple[bool, ...], unknown: bool) -> None:
    found = allowed_values(BAND, clause)
    assert (found.values, found.unknown) == (values, unknown)


def test_statuses_in_words() -> None:
    assert allowed_statuses("done") == (False, False, True, False, False)
    assert allowed_statuses({"not": ["done", "pending"]}) == (True, False, False, True, True)
    with pytest.raises(LanguageError, match="not_done, pending, done, failed, refused"):
        allowed_statuses("finished")


@settings(max_examples=60, deadline=None)
@given(st.lists(st.floats(0, 1), min_size=4, max_size=4), st.floats(0.01, 100), st.sampled_from(["never", "ever"]))
def test_written_out_or_shared_a_table_means_the_same(chances: list[float], odds: float, who: str) -> None:
    modifiers = (Modifier(when={"smoker": who}, odds=odds),)
    by_name = Distribution(
        given=("condition",), chance=dict(zip(CONDITION.values, chances, strict=True)), modifiers=modifiers
    )
    found = expand_chance(by_name, [CONDITION, SMOKER])
    assert ((found >= 0) & (found <= 1)).all()
    np.testing.assert_array_equal(found[:, 1 - SMOKER.values.index(who)], chances)
    nested = {name: {"never": p, "ever": p} for name, p in zip(CONDITION.values, chances, strict=True)}
    written_out = Distribution(given=("condition", "smoker"), chance=nested, modifiers=modifiers)
    np.testing.assert_array_equal(found, expand_chance(written_out, [CONDITION, SMOKER]))


@pytest.mark.parametrize("scenario_id", ["tutorial", "weight_loss"])
def test_every_table_of_a_scenario_is_a_law(scenario_id: str) -> None:
    scenario = load_scenario(scenario_id)
    tables = Tables(scenario)
    for name, axis in tables.axes.items():
        if axis.kind == "act":
            continue
        table = tables.variable(name)
        assert table.values.shape == (*(len(tables.axes[p].values) for p in table.parents), len(axis.values))
        np.testing.assert_allclose(table.values.sum(axis=-1), 1, atol=1e-12)
        assert (table.values >= 0).all()
    for name in scenario.availability:
        chance = tables.mechanism(name).values
        assert ((chance >= 0) & (chance <= 1)).all()
    for name in scenario.decisions:
        assert np.isfinite(tables.utility(name).values).all()


def test_tables_of_the_tutorial_worked_by_hand() -> None:
    tables = Tables(load_scenario("tutorial"))
    prior = tables.variable("condition")
    assert prior.parents == ("smoked",)
    weights = np.array([0.945, 0.05 * 1.5, 0.005 * 8])
    np.testing.assert_allclose(prior.values, [[0.945, 0.05, 0.005], weights / weights.sum()])
    assert tables.refusal("ct").values.tolist() == [0, 1]
    assert tables.reported("misread", "film").tolist() == [[0, 1], [1, 0]]
    assert tables.by_condition({"serious": 5}, 1).tolist() == [1, 5, 5]
    assert tables.utility("refer").values[2].tolist() == [-0.10, -0.45]
