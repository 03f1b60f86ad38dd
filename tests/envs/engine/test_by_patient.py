"""Waiting, benefits and losses that differ by patient: what the engine charges, against the scenario's figures as written."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support.enumeration import Enumeration, Journey
from support.generated import generate, scenario_of

from workup.agents.deciding import expected_utilities
from workup.agents.opening import open_journeys
from workup.agents.planning.expected import ExpectedChange
from workup.agents.planning.one_step import OneStep
from workup.agents.registry import make_agent
from workup.envs.compile.compile import compile_world
from workup.envs.engine.engine import Engine
from workup.envs.engine.observation import REGRET_SCALE_GBP
from workup.envs.engine.types import JourneyView
from workup.envs.model.world import World
from workup.envs.records.run import FunctionAgent, run_journeys
from workup.scenarios.language.library import load_scenario

TUTORIAL = Path(__file__).parents[3] / "scenarios" / "tutorial" / "scenario.yaml"
WORDS = ("not_done", "pending", "done", "failed", "refused")
SEEDS = tuple(range(12))
SWAYED = tuple(
    seed
    for seed in range(60)
    if any("when_decided" in act.get("benefit", {}) for act in generate(seed)["acts"].values())
)[:6]
"""Scenarios with a benefit that some decisions pay."""


@cache
def world_of(seed: int) -> World:
    return compile_world(scenario_of(generate(seed)))


def tutorial(folder: Path, *changes: tuple[str, str]) -> World:
    text = TUTORIAL.read_text(encoding="utf-8")
    for old, new in changes:
        assert text.count(old) == 1
        text = text.replace(old, new)
    file = folder / "scenario.yaml"
    file.write_text(text, encoding="utf-8")
    return compile_world(load_scenario(file))


def agrees(world: World, journey: Journey, view: JourneyView) -> bool:
    """Whether an enumerated journey is the one in row 0 of a view."""
    known = {name: value for name, value in journey.facts if value != "withheld"}
    shown = {
        name: world.model.network.variable(name).values[view.values[0, o]]
        for o, name in enumerate(world.model.observables)
        if view.values[0, o] >= 0
    }
    status = tuple(WORDS[s] for s in view.status[0])
    hours = np.allclose(journey.waited, view.waiting_h[0])
    return known == shown and status == journey.status and journey.failures == tuple(view.failures[0]) and hours


@pytest.mark.parametrize("seed", SEEDS)
def test_a_journey_pays_what_the_figures_say(seed: int) -> None:
    """Random journeys beside the enumeration: the reward by the posterior, delay and utility by the patient's own state."""
    of, world = Enumeration(generate(seed)), world_of(seed)
    engine, rng = Engine(world, 1, seed=seed, view="belief", score="posterior"), np.random.default_rng(seed)
    names, first, checked = [a.name for a in world.actions], len(world.actions) - len(world.decisions), 0
    for patient in range(12):
        engine.reset(patients=np.array([patient]))
        (journey,) = [start for start in of.starts() if agrees(world, start, engine.journey_view())]
        paid, total = np.zeros(len(of.patients)), 0.0
        while True:
            legal = np.flatnonzero(engine.mask[0])
            action = int(rng.choice(legal))
            step = engine.step(np.array([action]))
            total += float(step.reward[0])
            if action >= first:
                break
            then = [
                each
                for each in of.priced_after(journey, names[action])
                if agrees(world, each[1], engine.journey_view())
            ]
            if len(then) != 1:
                break  # whether a failed attempt was charged is not told
            paid = paid + then[0][0]
            journey = then[0][1]
        if action < first:
            continue
        decision, weights = world.decisions[action - first], journey.weights / journey.weights.sum()
        expected = of.ended(journey, decision) / journey.weights.sum() - paid @ weights
        assert total == pytest.approx(expected, rel=1e-9, abs=1e-7)
        own = own_state(of, world, engine, journey)
        truth = engine.ended(np.array([0]))["components_at_end"][0, 0]
        assert truth[2] + truth[3] == pytest.approx(of.ended(own, decision) / own.weights.sum(), rel=1e-9, abs=1e-7)
        checked += 1
    assert checked


def own_state(of: Enumeration, world: World, engine: Engine, journey: Journey) -> Journey:
    """The journey if one knew profile and hidden state of the patient who was met last."""
    facts, model = engine.ended(np.array([0])), world.model
    words = {}
    for names, at in ((model.profile_variables, "profile"), (model.hidden_variables, "hidden")):
        rest = int(facts[at][0])
        for name in reversed(names):
            values = model.network.variable(name).values
            rest, v = divmod(rest, len(values))
            words[name] = values[v]
    same = [all(patient[name] == value for name, value in words.items()) for patient in of.patients]
    return Journey(of.prior * same, journey.facts, journey.status, journey.failures, journey.treated, journey.acts, journey.waited, journey.progressed)  # fmt: skip


@pytest.mark.parametrize("seed", SEEDS[:4])
def test_scoring_by_the_posterior_has_the_same_mean(seed: int) -> None:
    rng = np.random.default_rng(seed)

    def act(view: JourneyView) -> Any:
        return np.array([rng.choice(np.flatnonzero(mask)) for mask in view.mask])

    journeys = run_journeys(world_of(seed), FunctionAgent("random", act), patients=np.arange(1500), seed=4)
    difference = (journeys.components - journeys.expected_components).sum(axis=1)
    assert abs(difference.mean()) <= 3.5 * difference.std() / np.sqrt(difference.size) + 1e-9


@pytest.mark.parametrize("seed", SWAYED)
def test_what_acts_add_to_some_decisions_is_shown_and_looked_ahead_to(seed: int) -> None:
    """Regrets in the observation, the agents' own reckoning, and one step ahead, each journey alone and all at once."""
    world, n = world_of(seed), 60
    engine = Engine(world, n, view="belief")
    engine.reset()
    open_journeys(engine)
    acts = [a for a, action in enumerate(world.actions) if action.kind == "act"]
    for a in acts:
        engine.step(np.where(engine.mask[:, a], a, -1))
    view = engine.journey_view()
    worth = expected_utilities(world, view, np.arange(n))
    best = np.where(view.mask[:, -len(world.decisions) :], worth, -np.inf).max(axis=1, keepdims=True)
    scaled = np.sign(worth - best) * np.log1p(np.abs(worth - best) / REGRET_SCALE_GBP)
    slot, benefits = engine.layout.regret_slot, world.by_patient.benefit_gbp
    span = np.ptp(world.utility_gbp) + np.maximum(benefits, 0).sum(0).max() - np.minimum(benefits, 0).sum(0).min()
    shown = engine.observation[:, slot : slot + len(world.decisions)]
    np.testing.assert_allclose(shown, scaled / np.log1p(span / REGRET_SCALE_GBP), atol=1e-5)
    weights, profiles = engine.beliefs(np.arange(n))
    ahead = OneStep(world)
    orders = np.array([next(iter(np.flatnonzero(mask[: -len(world.decisions)])), -1) for mask in view.mask])
    rows = np.flatnonzero(orders >= 0)
    by_engine = ahead.changes(view, np.maximum(orders, 0), profiles, weights)
    by_facts = ahead.values(view, rows)
    np.testing.assert_allclose(by_engine[rows], by_facts[np.arange(len(rows)), orders[rows]], rtol=1e-9, atol=1e-7)


def test_an_act_that_tells_nothing_changes_what_was_expected() -> None:
    """Exactly: so that no luck is found where there is none."""
    checked = 0
    for seed in range(60):
        act = generate(seed)["acts"].get("drug", {})
        if "benefit" not in act or "refusable" in act:
            continue
        world, n = world_of(seed), 40
        engine, expected = Engine(world, n, view="belief", score="posterior"), ExpectedChange(world)
        engine.reset()
        open_journeys(engine)
        drug = next(a for a, action in enumerate(world.actions) if action.name == "act drug")
        actions = np.where(engine.mask[:, drug], drug, -1)
        before, change = engine.best_expected_utility, expected.of(engine, actions)
        step = engine.step(actions)
        np.testing.assert_allclose(step.reward + engine.best_expected_utility - before, change, rtol=1e-9, atol=1e-7)
        checked += bool((actions >= 0).any() and np.abs(change).max() > 0.0)
    assert checked >= 5


PLAIN = "benefit_gbp: {pneumonia: 600, viral: -40}"


def test_a_benefit_that_any_decision_pays_is_a_benefit_by_condition(tmp_path: Path) -> None:
    by_patient = "benefit: {given: [condition], gbp: {pneumonia: 600, viral: -40, lung_cancer: 0}}"
    per_day = "waiting_cost_gbp_per_day: 150"
    changed = tutorial(tmp_path, (PLAIN, by_patient), (per_day, "waiting_cost_gbp_per_day: {qaly: 0.0075}"))
    assert changed.by_patient
    plain = compile_world(load_scenario("tutorial"))
    assert not plain.by_patient
    for name in ("waiting_cost_gbp_per_h", "late_harm_gbp", "harm_gbp", "utility_gbp"):
        np.testing.assert_array_equal(getattr(changed, name), getattr(plain, name))
    for agent in ("voi", "guideline"):
        ran = [run_journeys(w, make_agent(agent, w), patients=np.arange(150), seed=0) for w in (plain, changed)]
        np.testing.assert_array_equal(ran[0].decision, ran[1].decision)
        np.testing.assert_allclose(ran[0].expected_components, ran[1].expected_components, rtol=1e-9, atol=1e-7)
        np.testing.assert_allclose(ran[0].components, ran[1].components, rtol=1e-9, atol=1e-7)


@pytest.mark.parametrize("decided", ["", ", when_decided: [treat, refer]"])
def test_a_journey_that_is_cut_off_gets_no_benefit_and_keeps_the_harm(tmp_path: Path, decided: str) -> None:
    benefit = f"benefit: {{given: [condition], gbp: {{pneumonia: 600, viral: -40, lung_cancer: -7}}{decided}}}"
    world = tutorial(tmp_path, (PLAIN, benefit), ("progression: {to: pneumonia, median_time: 90 days}", "label: Virus"),
                     ("viral: {label: Viral bronchitis, ", "viral: {"))  # fmt: skip
    names, n = [a.name for a in world.actions], 400
    for score in ("truth", "posterior"):
        engine = Engine(world, n, max_steps=5, score=score)
        engine.reset()
        for name in ("order history", "order examination", "act antibiotics"):
            engine.step(np.full(n, names.index(name)))
        belief, last = engine.journey_view(), np.zeros((n, 4))
        for _ in range(2):
            step = engine.step(np.full(n, names.index("order history")))
            last = step.components
        assert step.truncated.all()
        assert belief.status[:, world.item("antibiotics")].min() == 2
        facts = engine.ended(np.arange(n))
        worst, more = world.utility_gbp.min(axis=0), np.array([-40.0, 0.0, -7.0])[world.model.condition_of]
        if score == "truth":
            np.testing.assert_allclose(last[:, 3], (worst + more)[facts["profile"], facts["hidden"]], rtol=1e-9)
        else:
            assert (last[:, 3] < 0.0).all()
            assert (last[:, 3] >= (worst + more).min()).all()
