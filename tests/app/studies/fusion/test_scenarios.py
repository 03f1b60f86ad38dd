"""Scenario folders of four tasks: the law that the language makes of them against the closed forms of the benchmark."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from workup.envs.compile.compile import compile_world
from workup.envs.engine.types import JourneyView
from workup.envs.model.belief import posterior_weights
from workup.envs.model.codes import NOT_ORDERED, RESULT, UNKNOWN
from workup.envs.model.world import World
from workup.scenarios.language.library import fusion_scenarios, list_scenarios, load_scenario, teaching_scenarios
from workup.studies.bias.exact import Exact, exact_cohort
from workup.studies.bias.measures import auc_of_law
from workup.studies.fusion.ceilings import closed

Floats = NDArray[np.float64]
WITHIN = 0.004
"""How far a graded finding in steps of a quarter may take an exact law from that of the whole numbers line."""


class Orders:
    """Orders history, examination and whatever tests it is told, then takes the first decision."""

    name, needs = "orders", None

    def __init__(self, world: World, tests: Callable[[JourneyView], NDArray[np.bool_]]) -> None:
        self.world, self.tests = world, tests

    def act(self, view: JourneyView) -> NDArray[np.int64]:
        wanted = view.mask.copy()
        items = [action.items for action in self.world.actions]
        for a, of in enumerate(items):
            if of and self.world.opens_journey[of[0]] == 0:
                wanted[:, a] &= self.tests(view)[:, of[0] - 2]
        wanted[:, [action.kind == "wait" for action in self.world.actions]] = False
        return wanted.argmax(axis=1)


def walked(name: str, tests: Callable[[JourneyView], NDArray[np.bool_]]) -> Exact:
    """The exact law of the records of whoever has these tests."""
    world = compile_world(load_scenario(name))
    return exact_cohort(world, Orders(world, tests))


def both(view: JourneyView) -> NDArray[np.bool_]:
    return np.ones((len(view.mask), 2), np.bool_)


def believed(exact: Exact, seen: tuple[str, ...]) -> Floats:
    """(m,) the patient model's log-odds of the second condition on what these tests, and the history, showed."""
    world, model = exact.world, exact.world.model
    status = exact.status.copy()
    for i, item in enumerate(world.items):
        if item not in (*seen, "history", "examination"):
            status[:, i] = NOT_ORDERED
    values = exact.values.copy()
    for o, i in enumerate(model.item_of):
        values[:, o] = np.where(status[:, i] == RESULT, values[:, o], UNKNOWN)
    weights = posterior_weights(model, values, status, exact.status * 0, np.zeros(values.shape, np.bool_)).sum(axis=1)
    ill = weights[:, model.condition_of == 1].sum(axis=1)
    return np.log(ill) - np.log(1 - ill)


def figures(exact: Exact, score: Floats) -> tuple[float, float]:
    """AUROC and log-loss of log-odds (m,) under the exact law of records."""
    well, ill = (exact.of_conditions(np.arange(2) == c) for c in (0, 1))
    return auc_of_law(score, ill, well), float(ill @ np.logaddexp(0, -score) + well @ np.logaddexp(0, score))


def test_they_are_found_by_id_and_counted_nowhere() -> None:
    assert fusion_scenarios() == ("branch", "branch_control", "interaction", "one_biopsy")
    assert not set(fusion_scenarios()) & {*list_scenarios(), *teaching_scenarios()}


@pytest.mark.parametrize(
    ("name", "film", "core"),
    [("interaction", "film", "core"), ("one_biopsy", "scan", "core"), ("branch", "first_test", "second_test")],
)
def test_the_posterior_of_the_scenario_is_the_ceiling_of_the_task(name: str, film: str, core: str) -> None:
    exact, ceilings = walked(name, both), closed.ceilings(name)
    assert exact.probability.sum() == pytest.approx(1)
    assert len(exact.probability) > 1000 or name == "one_biopsy"
    joint = believed(exact, (film, core))
    walk = exact.of_conditions(np.array([False, True])) / exact.probability
    np.testing.assert_allclose(
        1 / (1 + np.exp(-joint)), walk, atol=1e-9, err_msg="belief and walk are two ways to one law"
    )
    scores = {"joint": joint}
    if name != "branch":  # whose experts do not know the history
        alone = {"single:R": believed(exact, (film,)), "single:P": believed(exact, (core,))}
        scores |= {**alone, "late": alone["single:R"] + alone["single:P"] - believed(exact, ())}
    for message, score in scores.items():
        planned = ceilings[message]["same"]
        assert figures(exact, score) == pytest.approx((planned["auroc"], planned["log_loss"]), abs=WITHIN), message
    if name == "interaction":
        assert figures(exact, scores["joint"])[0] - figures(exact, scores["late"])[0] > 0.09


@pytest.mark.parametrize("name", ["branch", "branch_control"])
def test_what_strategies_are_worth_in_the_scenario_is_what_was_worked_out(name: str) -> None:
    abroad = 0
    useful = {"branch": (True, False), "branch_control": (True, True)}[name]

    def of(first: bool | None, second: bool | None) -> Callable[[JourneyView], NDArray[np.bool_]]:
        """A test for all (True), for nobody, or (None) for those whose history names it."""

        def tests(view: JourneyView) -> NDArray[np.bool_]:
            journey = view.values[:, exact_names.index("journey")]
            named = np.where(journey == abroad, useful[0], useful[1])
            return np.stack(
                [
                    named if first is None else np.full(len(named), first),
                    ~named if second is None else np.full(len(named), second),
                ],
                axis=1,
            )

        return tests

    exact_names = compile_world(load_scenario(name)).model.observables
    ways = {
        "none": of(False, False), "one": of(True, False), "both": of(True, True), "order": of(True, None), "personal": of(None, None),
    }  # fmt: skip
    for strategy, gbp in closed.benefits_gbp(name).items():
        exact = walked(name, ways[strategy])
        mass = [exact.of_conditions(np.arange(2) == c) for c in (0, 1)]
        right = np.where(believed(exact, ("first_test", "second_test")) > 0, mass[1], mass[0]).sum()
        tests = (exact.status[:, 2:] == RESULT).sum(axis=1) @ exact.probability
        assert 1000 * right - 100 * tests == pytest.approx(gbp, abs=1000 * WITHIN), strategy
