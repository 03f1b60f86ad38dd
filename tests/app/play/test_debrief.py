"""What a player is told afterwards agrees with the model."""

import numpy as np
import pytest

from workup.agents.baselines.simple import AGENTS
from workup.envs.engine.types import JourneyView
from workup.envs.model.belief import posterior_weights
from workup.envs.model.world import World
from workup.envs.records.run import FunctionAgent, run_journeys
from workup.play.debrief import Price, result_chances, worth
from workup.play.play import menu, price


@pytest.fixture(scope="module")
def views(world: World) -> list[JourneyView]:
    """What one patient's clinician saw before each step of doing everything."""
    seen: list[JourneyView] = []
    agent = AGENTS["all"](world, seed=0)

    def act(view: JourneyView) -> np.ndarray:
        seen.append(view)
        return agent.act(view)

    run_journeys(world, FunctionAgent("all", act), patients=np.array([3]), seed=0)
    return seen


def test_what_a_result_could_show_adds_up_to_one(world: World, views: list[JourneyView]) -> None:
    for view in views:
        beliefs = posterior_weights(world.model, view.values, view.status, view.failures, view.treated)[0]
        for observable in np.flatnonzero(world.model.item_of >= 0):
            assert result_chances(world, view, beliefs, int(observable)).sum() == pytest.approx(1.0)


def test_at_the_start_it_is_the_marginal_of_the_network(world: World, views: list[JourneyView]) -> None:
    view, name = views[0], "fever"
    start = {o: world.model.network.variable(o).values[view.values[0, i]]
             for i, o in enumerate(world.model.observables[: world.model.n_known_at_start])}  # fmt: skip
    beliefs = posterior_weights(world.model, view.values, view.status, view.failures, view.treated)[0]
    found = result_chances(world, view, beliefs, world.model.observables.index(name))
    expected = world.model.network.posterior(name, start)
    assert found[: len(expected)] == pytest.approx(list(expected.values()))


def test_price_counts_the_shared_needle_once(world: World, views: list[JourneyView]) -> None:
    view = views[2]
    beliefs = posterior_weights(world.model, view.values, view.status, view.failures, view.treated)[0]
    names = {action.name: index for index, action in enumerate(world.actions)}
    crp, kidney = (Price.of(world, view, beliefs, names[f"order {name}"]) for name in ("crp_test", "kidney_test"))
    both = Price.of(world, view, beliefs, names["set first_bloods"])
    needle = float(world.set_up_cost_gbp[world.set_up[world.item("crp_test")]])
    assert needle > 0
    assert both.cost_gbp == pytest.approx(crp.cost_gbp + kidney.cost_gbp - needle)
    assert f"£{both.cost_gbp:,.0f}" in price(world, names["set first_bloods"])


def test_only_legal_actions_are_worth_anything_and_the_best_loses_nothing(
    world: World, views: list[JourneyView]
) -> None:
    for view in views:
        found = worth(world, view)
        assert np.array_equal(np.isfinite(found.values), view.mask[0])
        assert found.lost(int(found.values.argmax())) == 0.0


def test_the_menu_numbers_every_legal_action(world: World, views: list[JourneyView]) -> None:
    legal = np.flatnonzero(views[2].mask[0]).tolist()
    lines = list(menu(world, legal, views[2]))
    numbered = [line for line in lines if line.strip()[:1].isdigit() and line.startswith("  ")]
    assert len(numbered) == len(legal)
