from __future__ import annotations

from dataclasses import fields
from math import log
from typing import Any

import numpy as np
import pytest

from workup.envs.compile.compile import KnowledgeNoise, compile_world
from workup.envs.model.patient_model import PatientModel
from workup.envs.model.world import World
from workup.errors import UnknownNameError, WorkupError
from workup.scenarios.language.library import load_scenario
from workup.scenarios.language.schema import Scenario


@pytest.fixture(scope="module")
def scenario() -> Scenario:
    return load_scenario("tutorial")


@pytest.fixture(scope="module")
def world(scenario: Scenario) -> World:
    return compile_world(scenario)


def changed(scenario: Scenario, change: dict[str, Any]) -> Scenario:
    """The scenario with dotted paths replaced."""
    data = scenario.model_dump(exclude={"figures", "digest"})
    for path, value in change.items():
        node, keys = data, path.split(".")
        for key in keys[:-1]:
            node = node[key]
        node[keys[-1]] = value
    hours_as_text = _durations(data)
    return Scenario.model_validate(hours_as_text)


def _durations(node: Any) -> Any:
    if isinstance(node, dict):
        return {
            key: f"{value} h"
            if key in ("turnaround", "new_visit_after", "median_time") and value
            else _durations(value)
            if key != "within" or not isinstance(value, dict)
            else {name: f"{hours} h" for name, hours in value.items()}
            for key, value in node.items()
        }
    return [_durations(entry) for entry in node] if isinstance(node, list | tuple) else node


def test_the_tutorial_in_numbers_a_reader_can_check(world: World) -> None:
    model = world.model
    assert model.profile_variables == ("smoked",)
    assert model.hidden_variables[0] == "condition"
    assert model.prior.sum() == pytest.approx(1.0, abs=1e-15)
    never = np.array([0.945, 0.05, 0.005])
    ever = never * [1, 1.5, 8] / (never * [1, 1.5, 8]).sum()
    by_condition = model.prior.reshape(2, 3, -1).sum(axis=2)
    np.testing.assert_allclose(by_condition, np.array([0.6 * never, 0.4 * ever]), atol=1e-15)
    names = dict(zip(model.observables, range(len(model.observables)), strict=True))
    assert model.n_known_at_start == 1
    assert model.role[names["smoked"]] == "profile"
    assert model.role[names["scan_wish"]] == "hidden"
    assert model.treatment[names["crp"]] == world.item("antibiotics")
    np.testing.assert_array_equal(model.numeric_range[names["crp"], 4], [100, 125])
    np.testing.assert_array_equal(model.numeric_range[names["egfr"], :2], [[10, 30], [30, 120]])
    assert np.isnan(model.numeric_range[names["smoked"], 0]).all()


def test_costs_and_harms_charged_now_and_late(world: World) -> None:
    ct, film, drug = world.item("ct"), world.item("chest_film"), world.item("antibiotics")
    assert world.cost_gbp[ct] == 150
    assert world.harm_gbp[ct] == pytest.approx(10 + 3 * 6.6)
    assert world.harm_gbp[film] == pytest.approx(3 * 0.02)
    assert world.harm_gbp[drug] == pytest.approx(0.01 * 500)
    assert not world.late_harm_gbp[[film, drug]].any()
    kidney_stride = world.model.core_hidden_stride[world.model.core.index("kidney_disease")]
    h = np.arange(world.model.prior.shape[1])
    kidney = h // kidney_stride % 2
    never = 2000 * np.where(kidney, 0.04, 0.002) + 0.05 * 30
    np.testing.assert_allclose(world.late_harm_gbp[ct, 0], never)
    np.testing.assert_allclose(world.late_cost_gbp[ct], [[0.05 * 200] * len(h), [0.15 * 200] * len(h)])
    assert world.complication_names == ("ct.kidney_injury", "ct.incidental", "antibiotics.allergy")
    np.testing.assert_array_equal(world.complication_item, [ct, ct, drug])
    np.testing.assert_array_equal(world.complication_major, [True, False, False])


def test_rules_of_legality(world: World) -> None:
    ct, observables = world.item("ct"), world.model.observables
    assert world.contraindication.tolist() == [[ct, observables.index("egfr")]]
    assert world.contraindication_values[0, :2].tolist() == [True, False]
    assert world.contraindication_loss_gbp.tolist() == [0.0]
    clauses = [[ct, 0, 0, observables.index("film")], [ct, 0, 0, observables.index("haemoptysis")]]
    assert world.clauses.tolist() == clauses
    assert world.known_refusal.tolist() == [[ct, observables.index("scan_wish")]]
    assert world.known_refusal_values[0, :2].tolist() == [False, True]
    assert world.opens_journey[[world.item("history"), world.item("examination"), ct]].tolist() == [1, 2, 0]


def test_actions_and_what_acts_change(world: World) -> None:
    kinds = [action.kind for action in world.actions]
    assert kinds == ["order"] * 6 + ["set"] + ["act"] * 2 + ["wait"] + ["decide"] * 4
    assert world.actions[6].items == (world.item("crp_test"), world.item("kidney_test"))
    drug = world.item("antibiotics")
    assert world.waiting_factor[drug].tolist() == [1.0, 0.3, 1.0]
    assert world.progression_factor[drug].tolist() == [0.5, 1.0, 1.0]
    assert world.benefit_gbp[drug].tolist() == [-40.0, 600.0, 0.0]
    assert world.progresses_to.tolist() == [1, -1, -1]
    assert world.progression_rate_per_h[0] == pytest.approx(log(2) / (90 * 24))
    assert world.waiting_cost_gbp_per_h[1] == pytest.approx(150 / 24)
    assert world.tier[drug] == "act"
    assert world.max_steps == 20


def test_utilities_in_pounds_by_preset_and_weights(scenario: Scenario, world: World) -> None:
    model, refer = world.model, world.decisions.index("refer")
    cancer = model.condition_of == model.conditions.index("lung_cancer")
    assert set(np.round(world.utility_gbp[refer, 0, cancer], 6)) == {-2000.0, -9000.0}
    triage = compile_world(scenario, preset="triage", weights={"delay": 0.5})
    pneumonia = model.condition_of == model.conditions.index("pneumonia")
    assert set(triage.utility_gbp[refer, 0, pneumonia]) == {-3000.0}
    assert triage.weights.tolist() == [1.0, 1.0, 0.5, 1.0]
    assert world.right_for[refer].tolist() == [False, False, True]


def test_status_of_repeated_attempts(world: World) -> None:
    model, kidney, ct = world.model, world.item("kidney_test"), world.item("ct")
    np.testing.assert_allclose(model.status_table[model.status_rows.start[kidney]], [0.95, 0.05, 0.0, 0.95])
    rows = model.status_table[model.status_rows.start[ct] + model.status_rows.of_hidden[ct]]
    np.testing.assert_allclose(rows[:, :3].sum(axis=1), 1.0)
    assert {0.0, 1.0} == set(rows[:, 2])
    np.testing.assert_allclose(rows[:, 3], rows[:, 0])  # who cannot lie flat is known at once not to be scanned


def test_switching_a_mechanism_off_changes_nothing_else(scenario: Scenario, world: World) -> None:
    off = compile_world(scenario, switched_off=["not_mentioned"])
    assert off.switched_off == {"not_mentioned"}
    different = {
        field.name
        for field in fields(PatientModel)
        if isinstance(getattr(world.model, field.name), np.ndarray)
        and not np.array_equal(getattr(world.model, field.name), getattr(off.model, field.name), equal_nan=True)
    }
    assert different == {"event_table", "evidence_table"}
    o = off.model.observables.index("haemoptysis")
    rows = off.model.evidence_rows.start[o] + off.model.evidence_rows.of_hidden[o]
    assert not off.model.evidence_table[rows, -1].any()
    assert (world.model.evidence_table[rows, -1] > 0).all()


def test_noise_makes_a_knowledge_model_of_the_same_shape(scenario: Scenario, world: World) -> None:
    noisy = compile_world(scenario, noise=KnowledgeNoise(0.5, seed=1))
    again = compile_world(scenario, noise=KnowledgeNoise(0.5, seed=1))
    other = compile_world(scenario, noise=KnowledgeNoise(0.5, seed=2))
    none = compile_world(scenario, noise=KnowledgeNoise(0.0, seed=1))
    assert noisy.model.prior.shape == world.model.prior.shape
    np.testing.assert_array_equal(noisy.model.value_table, again.model.value_table)
    assert not np.allclose(noisy.model.value_table, other.model.value_table)
    np.testing.assert_allclose(none.model.evidence_table, world.model.evidence_table, atol=1e-15)
    np.testing.assert_allclose(none.model.prior, world.model.prior, atol=1e-15)
    np.testing.assert_array_equal(noisy.model.value_table == 0, world.model.value_table == 0)
    for name in ("utility_gbp", "cost_gbp", "harm_gbp", "late_harm_gbp", "complication_chance"):
        np.testing.assert_array_equal(getattr(noisy, name), getattr(world, name))
    np.testing.assert_array_equal(noisy.model.event_table, world.model.event_table)


def test_noise_has_the_stated_size_on_log_odds(scenario: Scenario, world: World) -> None:
    def log_odds(compiled: World) -> float:
        law = compiled.model.network.variable("fever").cpt[0]
        return float(np.log(law[1] / law[0]))

    errors = [log_odds(compile_world(scenario, noise=KnowledgeNoise(0.4, s))) - log_odds(world) for s in range(60)]
    assert np.std(errors) == pytest.approx(0.4, rel=0.3)
    assert abs(np.mean(errors)) < 4 * 0.4 / np.sqrt(60)


def test_names_that_do_not_exist(scenario: Scenario) -> None:
    with pytest.raises(UnknownNameError, match=r"preset 'triag'.*did you mean 'triage'"):
        compile_world(scenario, preset="triag")
    with pytest.raises(UnknownNameError, match="component 'costs'"):
        compile_world(scenario, weights={"costs": 1.0})
    with pytest.raises(UnknownNameError, match=r"mechanism that can be switched off.*haemolysed"):
        compile_world(scenario, switched_off=["haemolysis"])
    with pytest.raises(WorkupError, match="sd -1"):
        KnowledgeNoise(-1.0, seed=0)


def test_a_contraindication_that_nothing_reveals_still_bites(scenario: Scenario) -> None:
    against = [{"when": {"kidney_disease": "yes"}, "loss_gbp": 50, "why": "."}]
    world = compile_world(changed(scenario, {"investigations.ct.contraindicated": against}))
    o = world.model.observables.index("kidney_disease")
    assert world.contraindication.tolist() == [[world.item("ct"), o]]
    assert world.model.item_of[o] == -2
    assert o not in world.reveals


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"investigations.examination.reveals": ["crackles", "fever"]},
            "fever is revealed by both history and examination",
        ),
        (
            {"investigations.ct.contraindicated": [{"when": {"film": "shadow"}, "loss_gbp": 1, "why": "."}]},
            "film is subject to a mechanism",
        ),
        (
            {
                "investigations.ct.contraindicated": [
                    {"when": {"fever": "yes", "egfr": "low"}, "loss_gbp": 1, "why": "."}
                ]
            },
            "expected one variable",
        ),
        (
            {"investigations.ct.requires": [{"kidney_disease": "yes"}]},
            "ct requires 'kidney_disease', which nothing reveals",
        ),
        (
            {"findings.crackles.given": ["crp"], "findings.crackles.chance": 0.2},
            "crp depends on the act antibiotics, and others",
        ),
        ({"order_sets.first_bloods.members": ["crp_test", "kidney"]}, "no such member 'kidney'"),
    ],
)
def test_what_the_model_cannot_hold_is_refused(scenario: Scenario, change: dict[str, Any], message: str) -> None:
    with pytest.raises(WorkupError, match=message):
        compile_world(changed(scenario, change))


def test_too_many_states_are_refused_with_their_sizes(scenario: Scenario) -> None:
    many = {
        f"x{i}": {"label": "x", "values": [str(v) for v in range(10)], "table": {str(v): 0.1 for v in range(10)}}
        for i in range(6)
    }
    data = changed(scenario, {"latent": {**many, "opacity": scenario.latent["opacity"].model_dump()}})
    names = [*many]
    parents = {"findings.fever.given": ["condition", *names[:3]], "findings.crackles.given": ["condition", *names[3:]]}
    with pytest.raises(WorkupError, match=r"2 profiles x 24,000,000 hidden states are too many.*x5 \(10\)"):
        compile_world(changed(data, parents))
