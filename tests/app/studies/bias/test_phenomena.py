"""Phenomena: cohorts hold the exact values, formulas are those of the exact law, and a wrong formula is noticed."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

import workup
from workup.agents.registry import make_agent
from workup.envs.model.codes import RESULT
from workup.errors import UnknownNameError, WorkupError
from workup.studies.bias import measures
from workup.studies.bias.exact import exact_cohort, legal
from workup.studies.bias.phenomena.order import by_chance
from workup.studies.bias.phenomenon import Exactly, Held, Measured, exactly, held, measured, phenomena, phenomenon

NAMES = sorted(phenomena())
PATIENTS = 50_000


@cache
def _exact(name: str) -> Exactly:
    return exactly(phenomenon(name))


@cache
def _found(name: str) -> Measured:
    return measured(phenomenon(name), patients=PATIENTS, seed=11)


def _held(name: str) -> tuple[Held, ...]:
    return held(_exact(name), _found(name))


@pytest.mark.parametrize("name", NAMES)
def test_a_cohort_holds_the_exact_values(name: str) -> None:
    out = [
        f"{each.name}: {each.exact:.5f} not in {each.low:.5f} to {each.high:.5f}"
        for each in _held(name)
        if not each.holds
    ]
    assert not out


@pytest.mark.parametrize("name", NAMES)
def test_the_phenomenon_is_large_enough_to_teach(name: str) -> None:
    size, least = phenomenon(name).shows(_exact(name))
    assert size >= least


@pytest.mark.parametrize("name", [name for name in NAMES if phenomenon(name).formula])
def test_the_textbook_formula_is_the_exact_law(name: str) -> None:
    formula = phenomenon(name).formula
    assert formula is not None
    for quantity, (by_formula, exact) in formula(_exact(name)).items():
        # Pearson and Lawley assume a linear regression, which cells of half a standard deviation bend a little.
        assert by_formula == pytest.approx(exact, rel=3e-3 if name == "range_restriction" else 1e-9), quantity


@pytest.mark.parametrize("name", NAMES)
def test_a_value_wrong_by_what_the_test_detects_fails(name: str) -> None:
    """Of a cohort that lies where the exact law says, a value off by twice the smallest error it detects is out."""
    for each in _held(name):
        wrong = each.exact * (1.0 + 2.0 * each.detects)
        assert not each.low <= wrong <= each.high


def test_where_nothing_gates_the_number_of_tests_says_nothing() -> None:
    world = workup.compile_world(workup.load_scenario("two_by_two"))
    exact = exact_cohort(world, make_agent("suspicion:ill:0", world))
    ill = exact.of_conditions(np.array([False, True]))
    count = exact.done("biopsy").astype(np.float64)
    assert measures.auc_of_law(count, ill, exact.probability - ill) == pytest.approx(0.5, abs=1e-12)


def test_in_random_order_the_order_says_nothing() -> None:
    assert _exact("order")["gain where the order is random"] == pytest.approx(0.0, abs=1e-12)
    world = workup.compile_world(workup.load_scenario("film_and_slide"))
    assert by_chance(world).name.startswith("slide first")


def test_clues_are_worth_nothing_balanced_or_at_one_site() -> None:
    exact = _exact("clues")
    for name, value in exact.items():
        if "balanced" in name or " at the " in name:
            assert value == pytest.approx(0.5, abs=1e-12), name


@pytest.mark.parametrize("policy", ["suspicion:ill:1", "random", "guideline", "lapse:0.3:guideline", "gestalt:ill:1"])
def test_the_walk_meets_what_the_engine_meets(policy: str) -> None:
    scenario = "gates"
    world = workup.compile_world(workup.load_scenario(scenario))
    exact = exact_cohort(world, make_agent(policy, world))
    assert exact.weight.sum() == pytest.approx(1.0, abs=1e-9)
    assert exact.weight.sum(axis=0) == pytest.approx(world.model.prior.ravel(), abs=1e-12)
    met = workup.cohort(scenario, policy, patients=20_000, seed=5)
    for i, item in enumerate(world.items):
        p = min(float(exact.probability[exact.done(item)].sum()), 1.0)
        assert (met.status[:, i] == RESULT).mean() == pytest.approx(p, abs=4.5 * np.sqrt(p * (1 - p) / 20_000) + 1e-12)


@pytest.mark.parametrize(
    "scenario", ["two_by_two", "gates", "film_and_slide", "sample", "control", "tutorial", "unknown_primary"]
)
def test_legality_written_twice_is_the_same(scenario: str) -> None:
    """The walk's rules against the engine's masks, along random journeys."""
    from workup.envs.engine.engine import Engine

    world = workup.compile_world(workup.load_scenario(scenario))
    engine = Engine(world, 100, seed=8, view="raw")
    rng = np.random.default_rng(0)
    for _ in range(12):
        view = engine.journey_view()
        told = legal(world, view.values, view.status, view.failures)
        acts = np.array([action.kind == "wait" for action in world.actions])
        known = np.array([action.kind != "act" for action in world.actions]) & ~acts
        assert (told[:, known] == view.mask[:, known]).all()
        choice = (view.mask * rng.random(view.mask.shape)).argmax(axis=1)
        engine.step(choice)


def test_worlds_with_acts_are_not_walked() -> None:
    world = workup.compile_world(workup.load_scenario("tutorial"))
    with pytest.raises(WorkupError, match="acts"):
        exact_cohort(world, make_agent("guideline", world))


def test_unknown_names_name_the_nearest() -> None:
    with pytest.raises(UnknownNameError, match="verification"):
        phenomenon("verifcation")


def test_too_few_or_one_class_is_an_error() -> None:
    with pytest.raises(WorkupError, match="29 patients"):
        measures.share(np.ones(29, bool), "x")
    with pytest.raises(WorkupError, match="0 well"):
        measures.auc(np.arange(50.0), np.ones(50, bool), "x")
    with pytest.raises(WorkupError, match="no finite"):
        measures.auc(np.full(50, np.nan), np.arange(50) > 20, "x")


def test_the_auc_and_its_error_are_those_of_others() -> None:
    """Against the definition by pairs, and DeLong's variance by its own sums."""
    rng = np.random.default_rng(3)
    score, ill = np.round(rng.normal(size=200), 1), rng.random(200) < 0.3
    a, b = score[ill], score[~ill]
    pairs = (a[:, None] > b[None, :]) + 0.5 * (a[:, None] == b[None, :])
    found = measures.auc(score, ill, "x")
    assert found.value == pytest.approx(pairs.mean())
    variance = pairs.mean(axis=1).var() / len(a) + pairs.mean(axis=0).var() / len(b)
    assert found.se == pytest.approx(np.sqrt(variance))
