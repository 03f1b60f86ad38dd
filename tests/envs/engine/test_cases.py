from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from workup.agents.base import choose_first
from workup.agents.opening import opening_actions
from workup.envs.compile.compile import compile_world
from workup.envs.compile.faults import check_scenario, lint_compiled
from workup.envs.compile.targets import evaluate_target, evaluate_targets
from workup.envs.engine.cases import futures, vignette_cases
from workup.envs.engine.engine import Engine
from workup.envs.engine.types import JourneyView
from workup.envs.model.belief import posterior_weights
from workup.envs.model.codes import MISSING, UNKNOWN
from workup.envs.model.world import World
from workup.errors import ImpossibleEvidence, UnknownNameError, WorkupError
from workup.scenarios.language.library import find_scenario, load_scenario
from workup.scenarios.language.schema import Rule, Scenario, Target, Vignette


def with_targets(world: World, **targets: Target) -> World:
    return compile_world(world.scenario.model_copy(update={"targets": targets}))


def target(measure: str, **parts: object) -> Target:
    return Target.model_validate({"measure": measure, "value": 0.5, "tolerance": 0.1, **parts})


def test_stated_facts_are_fixed_and_the_rest_is_left_to_the_model(world: World) -> None:
    cases = vignette_cases(world, "febrile", draws=50)
    at = world.model.observables.index
    stated = {
        "smoked": 0,
        "fever": 1,
        "haemoptysis": 0,
        "crackles": 1,
        "crp": 5,
        "film": 1,
    }  # 140 mg/L: cell 125 to 150
    for name, code in stated.items():
        assert (cases.values[:, at(name)] == code).all()
    others = [o for o, name in enumerate(world.model.observables) if name not in stated]
    assert (cases.values[:, others] == UNKNOWN).all()
    pneumonia = world.model.conditions.index("pneumonia")
    assert (world.model.condition_of[cases.hidden] == pneumonia).all()
    assert cases.profile.dtype == cases.hidden.dtype == np.int32


def test_the_rest_is_drawn_from_the_exact_posterior(world: World) -> None:
    cases = vignette_cases(world, "febrile", draws=4000)
    evidence = {
        "smoked": "never", "fever": "yes", "haemoptysis": "no", "crackles": "yes", "crp": "125_to_150",
        "film": "shadow", "condition": "pneumonia",
    }  # fmt: skip
    exact = world.model.network.conditional(world.model.hidden_variables, evidence).ravel()
    drawn = np.bincount(cases.hidden, minlength=len(exact)) / 4000
    assert np.abs(drawn - exact).max() < 4.5 * np.sqrt(0.25 / 4000)
    assert not drawn[exact == 0].any()


def test_a_draw_depends_on_seed_and_number_alone(world: World) -> None:
    many, few = vignette_cases(world, "well", draws=100, seed=3), vignette_cases(world, "well", draws=7, seed=3)
    np.testing.assert_array_equal(many.hidden[:7], few.hidden)
    assert not np.array_equal(many.hidden, vignette_cases(world, "well", draws=100, seed=4).hidden)


def test_an_impossible_vignette_names_the_fact_at_fault(world: World) -> None:
    scenario = world.scenario
    film = scenario.findings["film"].model_copy(update={"chance": {"no": 0.0, "yes": 0.84}})
    opacity = scenario.latent["opacity"].model_copy(update={"chance": {"viral": 0.0, "otherwise": 0.9}})
    cold = scenario.vignettes["well"].model_copy(update={"findings": {"fever": "no", "film": "shadow"}})
    update = {
        "findings": {**scenario.findings, "film": film},
        "latent": {"opacity": opacity},
        "vignettes": {"cold": cold},
    }
    broken = scenario.model_copy(update=update)
    with pytest.raises(
        ImpossibleEvidence, match=r"film: shadow has probability zero given condition: viral, .*fever: no"
    ):
        vignette_cases(compile_world(broken), "cold")
    faults = check_scenario(broken, path="cold.yaml")
    assert any("film: shadow has probability zero" in fault.message for fault in faults)
    assert all(fault.path == "cold.yaml" for fault in faults)


def test_vignettes_that_do_not_exist_or_state_what_does_not(world: World) -> None:
    with pytest.raises(UnknownNameError, match="did you mean 'febrile'"):
        vignette_cases(world, "febril")
    wrong: Vignette = world.scenario.vignettes["well"].model_copy(update={"findings": {"feever": "no"}})
    with pytest.raises(UnknownNameError, match="did you mean 'fever'"):
        vignette_cases(world, wrong)


def test_operating_points_as_reported(world: World) -> None:
    film = {"of": {"film": "shadow"}}
    cancer, rest = {"condition": "lung_cancer"}, {"condition": {"not": "lung_cancer"}}
    compiled = with_targets(
        world,
        sensitivity=target("sensitivity", among=cancer, **film),
        specificity=target("specificity", against=rest, **film),
        ratio=target("likelihood_ratio", among=cancer, against=rest, **film),
        predictive=target("predictive_value", among=cancer, **film),
        prevalence=target("prevalence", among=cancer, against={"smoked": "ever"}),
        either=target("sensitivity", among=cancer, of=[{"film": "shadow"}, {"fever": "yes"}]),
    )
    found = {result.name: result.value for result in evaluate_targets(compiled)}
    seen = 0.95 * 0.84 + 0.05 * 0.04
    reported = seen * 0.98 + (1 - seen) * 0.02  # misread once in fifty
    assert found["sensitivity"] == pytest.approx(reported, abs=1e-12)
    assert found["ratio"] == pytest.approx(found["sensitivity"] / (1 - found["specificity"]), abs=1e-12)
    p = world.model.prior.sum(axis=0)[world.model.condition_of == 2].sum()
    expected = p * reported / (p * reported + (1 - p) * (1 - found["specificity"]))
    assert found["predictive"] == pytest.approx(expected, abs=1e-12)
    assert found["prevalence"] == pytest.approx(0.04 / (0.945 + 0.05 * 1.5 + 0.04), abs=1e-12)
    # Fever and film are independent given cancer.
    assert found["either"] == pytest.approx(1 - (1 - reported) * (1 - 0.15), abs=1e-12)


def test_withheld_reports_are_left_out_of_an_operating_point(world: World) -> None:
    compiled = with_targets(
        world, t=target("sensitivity", of={"haemoptysis": "yes"}, among={"condition": "lung_cancer"})
    )
    spoken = 0.2 * 0.75 / (0.2 * 0.75 + 0.8 * 0.98)
    assert evaluate_target(compiled, "t").value == pytest.approx(spoken, abs=1e-12)


def test_tolerances_are_absolute_or_for_ratios_relative(world: World) -> None:
    ratio = {"of": {"fever": "yes"}, "among": {"condition": "pneumonia"}, "against": {"condition": "viral"}}
    compiled = with_targets(
        world,
        near=target("likelihood_ratio", **ratio).model_copy(update={"value": 2.5, "tolerance": 0.07}),
        far=target("likelihood_ratio", **ratio).model_copy(update={"value": 2.5, "tolerance": 0.06}),
    )
    near, far = evaluate_targets(compiled)
    assert near.value == pytest.approx(0.8 / 0.3)
    assert near.off_by == pytest.approx((0.8 / 0.3 - 2.5) / 2.5)
    assert (near.ok, far.ok) == (True, False)


@pytest.mark.parametrize(
    ("broken", "message"),
    [
        (target("sensitivity", of={"fever": "yes"}), None),
        (target("specificity", of={"fever": "yes"}), "needs `against`"),
        (target("sensitivity", among={"condition": "viral"}), "needs `of`"),
        (target("sensitivity", of={"fever": "unknown"}), "unknown"),
        (target("sensitivity", of={"ct": "done"}), "'ct' is no variable"),
        (target("prevalence", among={"condition": "flu"}, against={}), "flu"),
    ],
)
def test_targets_that_say_too_little(world: World, broken: Target, message: str | None) -> None:
    compiled = with_targets(world, t=broken)
    if message is None:
        assert evaluate_target(compiled, "t").value == pytest.approx(compiled.model.network.posterior("fever")["yes"])
        return
    with pytest.raises(WorkupError, match=message):
        evaluate_target(compiled, "t")


@pytest.mark.parametrize("name", ["tutorial", "weight_loss"])
def test_the_check_finds_nothing_in_the_packaged_scenarios(name: str) -> None:
    assert lint_compiled(find_scenario(name)) == ()


def test_a_missed_target_is_found_in_the_file_at_its_line(tmp_path: Path) -> None:
    text = (find_scenario("tutorial") / "scenario.yaml").read_text()
    assert text.count("value: 0.79\n") == 1
    file = tmp_path / "scenario.yaml"
    file.write_text(text.replace("value: 0.79\n", "value: 0.60\n"))
    (fault,) = lint_compiled(file)
    assert text.splitlines()[fault.line - 1].strip() == "value: 0.79"
    assert "targets.film_for_cancer.value: the model gives a sensitivity of 0.788; expected 0.6 within 0.02" in str(
        fault
    )
    file.write_text("id: [")
    assert lint_compiled(file)


def test_the_check_places_each_fault(world: World) -> None:
    scenario: Scenario = world.scenario
    missed = scenario.targets["film_for_cancer"].model_copy(update={"value": 0.6})
    never_revealed = Rule(do="reassure", when={"kidney_disease": "yes"}, why=".")
    update = {"targets": {"film_for_cancer": missed}, "guideline": (*scenario.guideline, never_revealed)}
    faults = check_scenario(scenario.model_copy(update=update), path="x.yaml")
    line = next(f.line for f in scenario.figures if f.path == "targets.film_for_cancer.value")
    assert [f.line for f in faults if "off by 0.188" in f.message] == [line]
    assert any("kidney_disease" in f.message for f in faults)
    assert len(faults) == 2


def presented(world: World, patients: int) -> JourneyView:
    """Patients after history and examination."""
    engine = Engine(world, patients, seed=5, view="belief")
    engine.reset()
    while not engine.presented.all():
        engine.step(np.where(engine.presented, -1, choose_first(engine.mask, opening_actions(world))))
    return engine.journey_view()


def test_futures_keep_what_is_known_and_draw_the_rest_from_the_posterior() -> None:
    world, draws = compile_world(load_scenario("weight_loss")), 4000
    view = presented(world, 3)
    cases = futures(
        world,
        values=view.values,
        status=view.status,
        failures=view.failures,
        treated=view.treated,
        draws=draws,
        seed=1,
    )
    belief = posterior_weights(world.model, view.values, view.status, view.failures, view.treated)
    for patient in range(3):
        assert (cases.values[patient::3] == view.values[patient]).all()
        expected = belief[patient] / belief[patient].sum()
        for axis, drawn in ((1, cases.profile), (0, cases.hidden)):
            shares = np.bincount(drawn[patient::3], minlength=expected.sum(axis=axis).size) / draws
            error = np.abs(shares - expected.sum(axis=axis))
            assert (error <= 4.5 * np.sqrt(0.25 / draws)).all()
            assert not shares[expected.sum(axis=axis) == 0.0].any()


def test_a_missing_result_cannot_be_fixed(world: World) -> None:
    view = presented(world, 1)
    values = np.where(view.values >= 0, MISSING, view.values).astype(np.int16)
    with pytest.raises(WorkupError, match=r"1 of 1 patients .* failed, was refused or withheld"):
        futures(
            world,
            values=values,
            status=view.status,
            failures=view.failures,
            treated=view.treated,
            draws=2,
            seed=0,
        )
