"""Altered agents do the one thing that they were altered for, legally; what cannot be broken is told from what was missed."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support.locked import locked_tutorial

from workup.agents.base import Agent
from workup.agents.baselines.guideline import GuidelineAgent
from workup.agents.baselines.simple import AGENTS as SIMPLE
from workup.agents.testing import check_agent_conforms
from workup.envs.compile.compile import compile_world
from workup.envs.engine.cases import vignette_cases
from workup.envs.model.codes import NOT_ORDERED
from workup.envs.model.facts import compile_when, vocabulary
from workup.envs.model.world import World
from workup.envs.records.journeys import Journeys
from workup.envs.records.run import run_journeys
from workup.scenarios.language.library import load_scenario
from workup.scenarios.language.schema import Scenario, Vignette
from workup.vignettes.check import check_agent
from workup.vignettes.expectations import judge
from workup.vignettes.mutation.mutants import Deciding, Towards, Without, always, before_hours, order_of, path_to
from workup.vignettes.mutation.mutate import Mutation, mutate
from workup.vignettes.mutation.reachable import Reach, reach
from workup.vignettes.mutation.ways import ways_to_break

N = 200


@cache
def world() -> World:
    return compile_world(load_scenario("tutorial"))


def item(name: str) -> int:
    return world().item(name)


def played(agent: Agent) -> Journeys:
    return run_journeys(world(), agent, name=agent.name, patients=np.arange(N), seed=2, record=True)


def ordered(journeys: Journeys, name: str) -> np.ndarray:
    return np.asarray(journeys.status[:, item(name)] != NOT_ORDERED)


# ---------------------------------------------------------------- altered agents


def test_without_orders_all_but_the_item_and_the_rest_of_a_set_singly() -> None:
    base = GuidelineAgent(world())
    before, after = played(base), played(Without(base, frozenset({item("crp_test")})))
    assert ordered(before, "crp_test").sum() > 20
    assert not ordered(after, "crp_test").any()
    np.testing.assert_array_equal(ordered(before, "kidney_test"), ordered(after, "kidney_test"))


def test_without_stops_where_its_condition_does() -> None:
    early = before_hours(0.0)
    late = played(Without(SIMPLE["all"](world(), seed=0), frozenset({item("chest_film")}), early))
    events = late.events
    assert events is not None
    film = np.isin(events.action, [a for a, x in enumerate(world().actions) if item("chest_film") in x.items])
    assert film.any()
    assert (events.clock_h[film] > 0).all()


def test_without_does_what_is_legal_where_nothing_else_is() -> None:
    everyone = frozenset(range(len(world().items)))
    assert (played(Without(GuidelineAgent(world()), everyone)).decision >= 0).all()


def test_towards_places_an_order_as_soon_as_it_is_legal() -> None:
    base = SIMPLE["none"](world(), seed=0)
    film = played(Towards(base, [order_of(world(), item("chest_film"))], always))
    assert ordered(film, "chest_film").all()
    assert not ordered(played(base), "chest_film").any()


def test_a_path_leads_through_what_is_required() -> None:
    base = SIMPLE["none"](world(), seed=0)
    alone = played(Towards(base, [order_of(world(), item("ct"))], always))
    led = played(Towards(base, path_to(world(), [item("ct")]), always))
    bled = led.values[:, world().model.observables.index("haemoptysis")] == 1
    np.testing.assert_array_equal(ordered(alone, "ct"), bled)  # it needs blood, or a shadow on a film
    assert not ordered(alone, "chest_film").any()
    assert ordered(led, "ct").sum() > bled.sum() + 5


def test_deciding_changes_the_decision_and_nothing_before_it() -> None:
    base = GuidelineAgent(world())
    before, after = played(base), played(Deciding(base, 2))
    assert set(after.decision) == {2}
    assert len(set(before.decision)) > 1
    np.testing.assert_array_equal(before.status, after.status)


@pytest.mark.parametrize("alter", [
    lambda base: Without(base, frozenset({0, 1, 2})),
    lambda base: Towards(base, path_to(world(), [6, 7]), always),
    lambda base: Deciding(base, 1),
])  # fmt: skip
def test_altered_agents_keep_the_contract_of_agents(alter: Callable[[Agent], Agent]) -> None:
    check_agent_conforms(lambda w, *, seed: alter(GuidelineAgent(w)), world(), patients=150, seed=4)


# ---------------------------------------------------------------- what the rules allow


def patient(vignette: str) -> Reach:
    cases = vignette_cases(world(), vignette, draws=1)
    return reach(world(), int(cases.profile[0]), int(cases.hidden[0]), cases.values[0])


def names(items: frozenset[int]) -> set[str]:
    return {world().items[i] for i in items}


def test_without_its_requirement_an_item_is_out_of_reach() -> None:
    well = patient("well")  # no blood, so a CT needs a shadow on a film
    assert "ct" in names(well.orders)
    assert "ct" not in names(well.within_limits(without={item("chest_film")}).orders)
    assert "ct" not in names(well.within_limits(mute={item("chest_film")}).orders)
    assert "ct" in names(patient("smoker").within_limits(without={item("chest_film")}).orders)


def test_a_known_refusal_puts_an_item_out_of_reach_only_once_it_is_known() -> None:
    declines, wish = patient("declines"), world().model.observables.index("scan_wish")
    assert "ct" in names(declines.orders)  # nobody need ask
    told = declines.within_limits(given={wish: declines.possible[wish]})
    assert "ct" not in names(told.orders)


def test_nobody_decides_unheard() -> None:
    well = patient("well")
    assert well.may_decide()
    assert well.within_limits(without={item("examination")}).may_decide()
    assert not well.within_limits(without={item("history")}).may_decide()


@pytest.mark.parametrize(("when", "holds"), [
    ({"film": "shadow"}, True), ({"haemoptysis": "no"}, False), ({"haemoptysis": "unknown"}, True),
    ({"scan_wish": "declines"}, False), ({"antibiotics": "done", "crp": {"at_least": 100}}, True),
])  # fmt: skip
def test_a_condition_may_hold_on_what_may_be_found(when: dict[str, Any], holds: bool) -> None:
    clauses = compile_when(when, vocabulary(world())).alternatives[0]
    assert patient("smoker").may_hold(clauses) is holds


# ---------------------------------------------------------------- mutation


@cache
def found() -> tuple[Mutation, ...]:
    return mutate(world(), GuidelineAgent(world()))


def test_the_tutorial_is_caught_or_protected_as_it_should_be() -> None:
    told = {(m.vignette, m.change): (m.outcome, m.reason) for m in found()}
    assert told["well", "left out: History"] == ("protected", "no decision is legal without it")
    assert told["well", "ordered: CT of the chest with contrast"][0] == "caught"
    assert told["febrile", "put off beyond 1 h: Examination"][0] == "protected"
    assert told["febrile", "left out: Examination"][0] == "caught"
    assert told["smoker", "ordered before Chest film: CT of the chest with contrast"][0] == "caught"
    assert told["declines", "ordered: CT of the chest with contrast"][1].endswith("once its condition holds")
    assert {m.outcome for m in found()} == {"caught", "protected"}


def test_check_reports_what_an_altered_agent_breaks() -> None:
    scenario = world().scenario
    for way in ways_to_break(world(), scenario.vignettes["febrile"]):
        told = [m for m in found() if m.vignette == "febrile" and m.change == way.change and m.outcome == "caught"]
        reports = [
            {
                failure.expectation
                for failure in check_agent(world(), alter(GuidelineAgent(world())), only=["febrile"])
                .vignettes[0]
                .failures
            }
            for alter in way.altered
        ]
        assert all(any(m.expectation in report for report in reports) for m in told)


def changed(vignette: str, **parts: Any) -> World:
    scenario: Scenario = world().scenario
    before = scenario.vignettes[vignette]
    after = Vignette.model_validate({**before.model_dump(), **parts})
    return compile_world(scenario.model_copy(update={"vignettes": {vignette: after}}))


def test_an_expectation_that_says_nothing_new_is_protected() -> None:
    toothless = changed("well", decide=tuple(world().decisions), ceilings={"cost_gbp": 1e6, "tests": 100})
    told = {m.change: m for m in mutate(toothless, GuidelineAgent(toothless))}
    assert told["another decision"].reason == "every decision is acceptable"
    assert told["orders added until cost passes the ceiling"].outcome == "protected"
    assert told["orders added until tests passes the ceiling"].outcome == "protected"


def test_a_judge_that_is_blind_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    def blind(vignette: Vignette, journeys: Journeys) -> Any:
        verdicts = judge(vignette, journeys)
        for verdict in verdicts:
            if verdict.text.startswith("must not"):
                verdict.fails[:] = False
        return verdicts

    monkeypatch.setattr("workup.vignettes.mutation.mutate.judge", blind)
    monkeypatch.setattr("workup.vignettes.mutation.mutate.RARE_DRAWS", 40)
    missed = {m.expectation for m in mutate(world(), GuidelineAgent(world()), only=["well"]) if m.outcome == "missed"}
    assert missed
    assert all(text.startswith("must not") for text in missed)


def test_a_blinkered_condition_is_broken_from_its_moment_on() -> None:
    told = {
        "expect": (
            {"must": ["chest_film"], "when": {"crp": {"at_least": 100}}},
            {"must_not": ["ct"], "when": {"crp": {"at_least": 100}, "film": "unknown"}},
            {"must_not": ["kidney_test"], "at": 1},
        )
    }
    altered = changed("febrile", **told)
    outcomes = {m.change: m.outcome for m in mutate(altered, GuidelineAgent(altered), draws=20)}
    assert outcomes["left out: Chest film"] == "caught"
    assert outcomes["ordered: CT of the chest with contrast"] in ("caught", "protected")
    assert outcomes["ordered: Kidney function"] == "caught"


# ---------------------------------------------------------------- decisions that require something


def of_well(folder: Path, requires: str, *, decide: tuple[str, ...]) -> list[Mutation]:
    """What comes of other decisions than these for the lingering cold, where a referral requires something."""
    there = locked_tutorial(folder, requires)
    well = there.scenario.vignettes["well"].model_copy(update={"decide": decide, "expect": ()})
    vignette = well.model_copy(update={"ceilings": type(well.ceilings)()})
    altered = compile_world(there.scenario.model_copy(update={"vignettes": {"well": vignette}}))
    return list(mutate(altered, GuidelineAgent(altered), draws=20))


ALL_BUT_REFERRAL = ("treat", "reassure", "support")


def test_a_wrong_decision_is_reached_by_way_of_its_keys(tmp_path: Path) -> None:
    # Nobody without blood has a CT before a film shows a shadow, which a virus rarely does, and no virus is a mass.
    (found,) = of_well(tmp_path, "[{film: [clear, shadow]}]", decide=ALL_BUT_REFERRAL)
    assert (found.outcome, found.change) == ("caught", "another decision: Refer to the lung cancer clinic")
    (found,) = of_well(tmp_path, "[{crp_test: done}, {egfr: [normal, low]}]", decide=ALL_BUT_REFERRAL)
    assert found.outcome == "caught"


def test_a_decision_that_stays_locked_breaks_nothing(tmp_path: Path) -> None:
    (found,) = of_well(
        tmp_path, "[{fever: yes, haemoptysis: yes}]", decide=ALL_BUT_REFERRAL
    )  # her story rules both out
    assert found.outcome == "protected"
    assert found.reason == "what every other decision requires can never be met for this patient"
    # Where something else is wrong as well, and requires nothing, it is that which breaks the expectation.
    (found,) = of_well(tmp_path, "[{fever: yes, haemoptysis: yes}]", decide=("reassure", "support"))
    assert found.outcome == "caught"
    assert found.change == "another decision: Treat as pneumonia today"


def test_deciding_leaves_a_locked_decision_alone(tmp_path: Path) -> None:
    there = locked_tutorial(tmp_path, "[{film: shadow}]")
    referral = there.decisions.index("refer")
    played_there = run_journeys(
        there, Deciding(GuidelineAgent(there), referral), patients=np.arange(N), seed=2, record=True
    )
    shown = compile_when({"film": "shadow"}, vocabulary(there)).holds(played_there.values, played_there.status)
    assert shown.any()
    assert not shown.all()
    np.testing.assert_array_equal(played_there.decision == referral, shown)
