"""The optimum against every policy tree of generated scenarios, enumerated from the figures as written."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
import pytest
from support.enumeration import Enumeration, Journey, TooManyError
from support.generated import generate, scenario_of

from workup.agents.baselines.voi import rank_orders
from workup.agents.planning.bounded import bound
from workup.agents.planning.exact import exact_values
from workup.agents.planning.optimum import Optimum, blank_state
from workup.agents.planning.policy import extract
from workup.agents.planning.presentation import Presenter, State
from workup.agents.planning.problem import check
from workup.agents.planning.solution import solve
from workup.envs.compile.compile import compile_world
from workup.envs.engine.engine import Engine
from workup.envs.model.codes import FAILED, MISSING, NOT_ORDERED, REFUSED, RESULT, UNKNOWN
from workup.envs.model.world import World
from workup.errors import PlanningRefused
from workup.scenarios.language.amounts import Amount
from workup.scenarios.language.tables import amounts

pytestmark = pytest.mark.slow

SCENARIOS = 200
_STATUS = {"not_done": NOT_ORDERED, "done": RESULT, "failed": FAILED, "refused": REFUSED}


@dataclass(frozen=True, eq=False)
class Case:
    """A generated scenario, compiled, and the value of its best policy by enumeration."""

    world: World
    enumeration: Enumeration
    value: float


@cache
def case(number: int, branches: int = 1_000) -> Case:
    """The first scenario of this number's own seeds that can be enumerated in the time of a test."""
    preset = "triage" if number % 5 == 0 else "complex_decision"
    for seed in range(number, 100_000, 1_000):
        data = generate(seed, tests=2 + number % 2)
        enumeration = Enumeration(data, preset, branches)
        try:
            value = enumeration.optimum()
        except TooManyError:
            continue
        return Case(compile_world(scenario_of(data), preset=preset), enumeration, value)
    raise AssertionError("no scenario is small enough")


def state_of(world: World, journey: Journey) -> State:
    """What the planner is told of an enumerated journey."""
    model, scenario = world.model, world.scenario
    axes = {**scenario.context, **scenario.comorbidities, **scenario.findings}
    values = np.full(len(model.observables), UNKNOWN, np.int16)
    for name, value in journey.facts:
        words = axes[name].values or ("no", "yes")
        values[model.observables.index(name)] = MISSING if value == "withheld" else words.index(value)
    return State(
        values=values,
        status=np.array([_STATUS[s] for s in journey.status], np.uint8),
        failures=np.array(journey.failures, np.uint8),
        treated=np.array([name in journey.treated for name in model.observables]),
        progression_h=np.array(journey.progressed),
    )


@pytest.mark.parametrize("number", range(SCENARIOS))
def test_the_optimum_is_the_best_of_all_policy_trees(number: int) -> None:
    of = case(number)
    solved = solve(of.world)
    assert solved.exact
    assert solved.value == pytest.approx(of.value, rel=1e-7, abs=1e-7)


@pytest.mark.parametrize("number", range(20))
def test_a_search_ends_although_no_improvement_is_worth_a_new_plan(number: int) -> None:
    of = case(number)
    (start,) = np.flatnonzero(of.world.model.prior.reshape(of.world.model.n_starts, -1).any(axis=1))[:1]
    problem = Presenter(of.world).present(blank_state(of.world, int(start))).problem
    found = bound(problem, gap=1e-7, expansions=10**9, worthwhile=1e9)
    assert found.met
    assert found.lower == pytest.approx(bound(problem, gap=1e-7, expansions=10**9).lower, rel=1e-7, abs=1e-6)


def test_generated_scenarios_have_every_feature() -> None:
    """What the comparison above covers: each of these in several of its scenarios."""
    counts: dict[str, int] = {}
    for number in range(SCENARIOS):
        s = case(number).world.scenario
        items = [*s.investigations.values(), *s.acts.values()]
        present = {
            "condition that progresses": any(c.progression for c in s.conditions.values()),
            "waiting costs": any(c.waiting_cost_gbp_per_day for c in s.conditions.values()),
            "latent finding": bool(s.latent),
            "act that treats": "drug" in s.acts,
            "set": bool(s.order_sets),
            "known at start": any(c.known == "at_start" for c in s.context.values()),
            "result that follows another": any(g.startswith("of_") for f in s.findings.values() for g in f.given),
            "result that follows an act": any("drug" in f.given for f in s.findings.values()),
            "result looked at again": any(f.change_of for f in s.findings.values()),
            "change that follows an act": any(f.change_of and "drug" in f.given for f in s.findings.values()),
            "prerequisite": any(i.requires for i in items),
            "decision that requires evidence": any(d.requires for d in s.decisions.values()),
            "contraindication": any(i.contraindicated for i in items),
            "refusal": any(i.refusable for i in items),
            "second attempt": any(i.attempts > 1 for i in items),
            "dependent complication": any(c.given for i in items for c in i.complications.values()),
            "incidental finding": any(i.incidental for i in items),
            **{kind: any(m.kind == kind for m in s.availability.values())
               for kind in ("fails", "unobtainable", "withheld", "corrupted")},
            "waiting by patient": any(isinstance(c.waiting_cost_gbp_per_day, Amount) for c in s.conditions.values()),
            "radiation by patient": isinstance(s.loss_gbp_per_msv, Amount),
            "complication by patient": any(isinstance(c.loss_gbp, Amount) for i in items for c in i.complications.values()),
            "incidental finding by patient": any(i.incidental and isinstance(i.incidental.loss_gbp, Amount) for i in items),
            "contraindication by patient": any(isinstance(c.loss_gbp, Amount) for i in items for c in i.contraindicated),
            "benefit by patient": any(a.benefit and a.benefit.given for a in s.acts.values()),
            "benefit by decision": any(a.benefit and a.benefit.when_decided for a in s.acts.values()),
            "amount in QALY": any(amount.qaly is not None for _, amount in amounts(s)),
            "failure that depends on the finding": any(
                m.kind in ("fails", "unobtainable") and any(g.startswith("of_") for g in m.given)
                for m in s.availability.values()
            ),
        }  # fmt: skip
        for feature, there in present.items():
            counts[feature] = counts.get(feature, 0) + there
    assert min(counts.values()) >= 8, counts


@pytest.mark.parametrize("number", range(0, SCENARIOS, 3))
def test_the_array_planner_agrees_or_says_why_not(number: int) -> None:
    of = case(number)
    total = 0.0
    for journey in of.enumeration.starts():
        problem = Presenter(of.world).present(state_of(of.world, journey)).problem
        check(problem)
        if problem.clocked:
            with pytest.raises(PlanningRefused, match=r"progresses.*\d information states"):
                exact_values(problem)
            return
        total += float(exact_values(problem)[0]) * float(journey.weights.sum())
    assert total == pytest.approx(of.value, rel=1e-9, abs=1e-9)


@pytest.mark.parametrize("number", range(0, SCENARIOS, 3))
@pytest.mark.parametrize("expansions", [1, 2, 30])
def test_bounds_hold_and_the_plan_attains_the_lower_one(number: int, expansions: int) -> None:
    """The plan is followed through every outcome, by the enumeration's own rules and figures."""
    of = case(number)
    presenter = Presenter(of.world)

    def choose(at: Journey) -> str:
        action = policy.next_action(state_of(of.world, at))
        assert action is not None
        return of.world.actions[action].name

    for journey in presentations(of.enumeration):
        presented = presenter.present(state_of(of.world, journey))
        found = bound(presented.problem, expansions=expansions)
        mass, owed = float(journey.weights.sum()), of.enumeration.owed(journey)
        best = (of.enumeration.best(journey) + owed) / mass
        assert found.lower <= best + 1e-6
        assert best <= found.upper + 1e-6
        assert found.stop == pytest.approx((of.enumeration.decide_now(journey) + owed) / mass, rel=1e-9, abs=1e-9)
        assert not found.met or found.upper - found.lower <= 1e-6
        policy = extract(presented, found.graph)
        attained = (of.enumeration.follow(journey, choose) + owed) / mass
        assert attained == pytest.approx(found.lower, rel=1e-7, abs=1e-6)


def presentations(enumeration: Enumeration, most: int = 4) -> list[Journey]:
    """Journeys after history and examination, the likeliest first."""
    found = enumeration.starts()
    for opening in ("order history", "order examination"):
        found = [then for journey in found for _, then in enumeration.after(journey, opening)]
    return sorted(found, key=lambda journey: -journey.weights.sum())[:most]


def test_many_searches_above_stop_early() -> None:
    """Or the test above would only see searches that went to the end."""
    stopped = []
    for number in range(0, SCENARIOS, 4):
        of = case(number)
        problem = Presenter(of.world).present(state_of(of.world, presentations(of.enumeration)[0])).problem
        stopped.append(not bound(problem, expansions=2).met)
    assert sum(stopped) >= len(stopped) / 3


@pytest.mark.parametrize("number", range(0, SCENARIOS, 10))
def test_the_agent_earns_the_value_of_the_optimum(number: int) -> None:
    """By expectation over every outcome, not by chance over patients."""
    of = case(number)
    agent = Optimum(of.world)

    def choose(at: Journey) -> str:
        start = agent.planner.start(state_of(of.world, at))
        action = agent.planner.solve(start).policy.next_action(state_of(of.world, at))
        assert action is not None
        return of.world.actions[action].name

    attained = sum(of.enumeration.follow(start, choose) for start in of.enumeration.starts())
    assert attained == pytest.approx(of.value, rel=1e-7, abs=1e-6)


def test_the_engine_pays_what_the_optimum_promises() -> None:
    """Sampled journeys of the agent, scored by the truth: within four standard errors."""
    of = case(1)
    patients = 2_000
    engine = Engine(of.world, patients, seed=3)
    engine.reset(patients=np.arange(patients))
    agent, earned, open_ = Optimum(of.world), np.zeros(patients), np.ones(patients, bool)
    for _ in range(of.world.max_steps):
        step = engine.step(np.where(open_, agent.act(engine.journey_view()), -1))
        earned += np.where(open_, step.components.sum(axis=1), 0.0)
        open_ &= ~(step.terminated | step.truncated)
        if not open_.any():
            break
    assert not open_.any()
    assert abs(earned.mean() - of.value) < 4 * earned.std(ddof=1) / patients**0.5


@pytest.mark.parametrize("number", range(0, SCENARIOS, 4))
def test_legal_actions_and_one_step_values_equal_the_enumeration(number: int) -> None:
    """Along random journeys of the engine; the same facts on both sides at every step."""
    of = case(number)
    world, rng = of.world, np.random.default_rng(number)
    engine = Engine(world, 1, seed=number)
    engine.reset(patients=np.array([number]))
    view = engine.journey_view()
    (journey,) = [start for start in of.enumeration.starts() if agrees(world, start, view)]
    while True:
        legal = of.enumeration.legal(journey)
        assert {world.actions[a].name for a in np.flatnonzero(view.mask[0])} == set(legal)
        orders = [name for name in legal if not name.startswith("decide ")]
        if len(orders) < len(legal):
            ranked = rank_orders(world, view)
            for name in orders:
                at = next(a for a, action in enumerate(world.actions) if action.name == name)
                assert ranked[at] == pytest.approx(of.enumeration.one_step(journey, name), rel=1e-7, abs=1e-6)
        if not orders:
            return
        chosen = str(rng.choice(orders))
        engine.step(np.array([next(a for a, action in enumerate(world.actions) if action.name == chosen)]))
        view = engine.journey_view()
        (journey,) = [then for _, then in of.enumeration.after(journey, chosen) if agrees(world, then, view)]


def agrees(world: World, journey: Journey, view: object) -> bool:
    mine, theirs = state_of(world, journey), State.of(view, 0)  # type: ignore[arg-type]
    return bool(
        (mine.values == theirs.values).all()
        and (mine.status == theirs.status).all()
        and (mine.failures == theirs.failures).all()
        and np.allclose(mine.progression_h, theirs.progression_h)
    )
