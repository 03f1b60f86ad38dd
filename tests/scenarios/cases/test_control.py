"""The control scenario: nothing to personalise, so the optimum and the best fixed order are worth the same."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from numpy.typing import NDArray

from workup.agents.base import Agent
from workup.agents.baselines.guideline import GuidelineAgent
from workup.agents.learned.fixed import FixedAgent, tune_fixed
from workup.agents.planning import Optimum, solve
from workup.envs.compile.compile import compile_world
from workup.envs.model.cases import Cases
from workup.envs.model.population import Population
from workup.envs.model.world import World
from workup.envs.records.journeys import Journeys
from workup.envs.records.run import run_journeys
from workup.evaluation.run import run_agents
from workup.evaluation.score import score
from workup.scenarios.language.library import find_scenario, load_scenario
from workup.scenarios.language.reading.reader import interpret, read
from workup.vignettes.check import check_agent

SCENARIO = "control"

TESTS = ["dermatoscope", "thyroid_test", "bile_test", "chest_film", "biopsy"]
ORDER = [f"order {test}" for test in TESTS]
AGES, SEXES = ("under_60", "60_or_over"), ("female", "male")


@pytest.fixture(scope="module")
def fixed(world: World) -> FixedAgent:
    return tune_fixed(world, patients=1024)


def every_patient(world: World) -> tuple[Cases, NDArray[np.float64]]:
    """All patients that there can be, context, cause and every result, with the probability of each."""
    model = world.model
    assert set(model.core) == {"age", "sex", "condition"}
    findings = [name for name in model.observables if name in world.scenario.findings]
    chance, profiles, hidden, values = [], [], [], []
    for k, h in product(range(model.prior.shape[0]), range(model.prior.shape[1])):
        laws = [list(model.network.posterior(name, {"condition": model.conditions[h]}).values()) for name in findings]
        for codes in product(*(range(len(law)) for law in laws)):
            p = float(model.prior[k, h]) * np.prod([law[code] for law, code in zip(laws, codes, strict=True)])
            if p > 0.0:
                row = np.full(len(model.observables), -1, np.int16)
                row[[model.observables.index(name) for name in findings]] = codes
                chance.append(p)
                profiles.append(k)
                hidden.append(h)
                values.append(row)
    return Cases(np.array(profiles, np.int32), np.array(hidden, np.int32), np.stack(values)), np.array(chance)


def everyone_under(world: World, agent: Agent) -> tuple[Journeys, NDArray[np.float64]]:
    cases, chance = every_patient(world)
    patients = np.arange(len(chance))
    return run_journeys(Population(world, cases), agent, patients=patients, seed=0), chance


def test_patients_are_all_there(world: World) -> None:
    assert every_patient(world)[1].sum() == pytest.approx(1.0, abs=1e-12)


def test_the_tuned_fixed_order_is_worth_what_the_exact_optimum_is(world: World, fixed: FixedAgent) -> None:
    solved = solve(world)
    assert solved.exact
    assert fixed.plan.order == ORDER
    journeys, chance = everyone_under(world, fixed)
    assert float(journeys.value @ chance) == pytest.approx(solved.value, abs=1e-6)


def test_guideline_and_fixed_order_take_every_patient_the_same_way(world: World, fixed: FixedAgent) -> None:
    one, other = (everyone_under(world, agent)[0] for agent in (fixed, GuidelineAgent(world)))
    assert np.array_equal(one.status, other.status)
    assert np.array_equal(one.decision, other.decision)


def test_every_test_is_ordered_in_some_and_spared_to_others(world: World, fixed: FixedAgent) -> None:
    journeys, chance = everyone_under(world, fixed)
    share = {name: float((journeys.status[:, world.items.index(name)] > 0) @ chance) for name in TESTS}
    assert list(share.values()) == sorted(share.values(), reverse=True)
    assert share["dermatoscope"] == pytest.approx(1.0)
    assert 0.4 < share["biopsy"] < 0.7
    assert len({world.tier[world.items.index(name)] for name in TESTS}) == 4


def test_any_other_order_is_worse(world: World, fixed: FixedAgent) -> None:
    """Chance to find over price ranks the tests, whatever was found before: results do not change the order."""
    best = solve(world).value
    swapped = [[*ORDER[:i], ORDER[i + 1], ORDER[i], *ORDER[i + 2 :]] for i in range(len(ORDER) - 1)]
    for order in (*swapped, ORDER[1:], ORDER[:-1]):
        journeys, chance = everyone_under(world, FixedAgent(world, fixed.plan.model_copy(update={"order": order})))
        assert float(journeys.value @ chance) < best - 0.5, order


def test_subgroups_gain_nothing_from_an_order_of_their_own(world: World, fixed: FixedAgent) -> None:
    journeys, chance = everyone_under(world, Optimum(world))
    ordered = everyone_under(world, fixed)[0]
    assert np.array_equal(journeys.status, ordered.status)
    assert np.array_equal(journeys.decision, ordered.decision)
    by_group = {}
    for k, (age, sex) in enumerate(product(AGES, SEXES)):
        inside = journeys.profile == k
        by_group[age, sex] = float(journeys.value[inside] @ chance[inside] / chance[inside].sum())
    assert max(by_group.values()) - min(by_group.values()) < 1e-9


def test_a_cause_that_comes_with_age_breaks_the_tie() -> None:
    tree = read(find_scenario("control")).tree
    tree.data["prior"]["modifiers"] = [{"when": {"age": "60_or_over"}, "odds": {"lymphoma": 8}}]
    scenario = interpret(tree).scenario
    assert scenario is not None
    changed = compile_world(scenario)
    journeys, chance = everyone_under(changed, tune_fixed(changed, patients=1024))
    assert solve(changed).value > float(journeys.value @ chance) + 1.0


def test_both_vignettes_pass_under_guideline_optimum_and_fixed_order(world: World, fixed: FixedAgent) -> None:
    for agent in (GuidelineAgent(world), Optimum(world), fixed):
        assert check_agent(world, agent).passed, agent.name


def test_in_the_tutorial_personalising_gains_what_no_fixed_order_does() -> None:
    world = compile_world(load_scenario("tutorial"))
    agents: dict[str, Agent] = {"optimum": Optimum(world), "fixed": tune_fixed(world, patients=256)}
    difference = score(run_agents(world, agents, patients=500, seed=0), None).minus("optimum", "fixed")
    assert difference.low > 1.0
