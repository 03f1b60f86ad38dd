"""Decisions that require evidence: what may be taken, what is best, and what is shown of it."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pytest
from support.generated import generate, scenario_of

from workup.agents.deciding import expected_utilities
from workup.agents.opening import open_journeys
from workup.envs.compile.compile import compile_world
from workup.envs.engine.engine import Engine
from workup.envs.engine.observation import REGRET_SCALE_GBP
from workup.envs.model.world import World
from workup.envs.testing import conformance

SEEDS = tuple(
    seed for seed in range(40) if any(d.get("requires") for d in generate(seed, amounts=False)["decisions"].values())
)[:8]
PATIENTS = 24


@cache
def world_of(seed: int) -> World:
    return compile_world(scenario_of(generate(seed, amounts=False)))


def met(data: dict[str, Any], facts: dict[str, Any], status: dict[str, str], decision: str) -> bool:
    """What a decision requires, read from the scenario as written."""

    def holds(name: str, clause: Any) -> bool:
        if name in status:
            return status[name] in ([clause] if isinstance(clause, str) else clause)
        found = facts.get(name)
        return found is not None and (found not in clause["not"] if isinstance(clause, dict) else found in clause)

    return all(any(holds(*each) for each in group.items()) for group in data["decisions"][decision].get("requires", ()))


@pytest.mark.parametrize("results", ["at_once", "delayed"])
@pytest.mark.parametrize("seed", SEEDS)
def test_the_mask_is_what_the_rules_say(seed: int, results: Any) -> None:
    world = world_of(seed)
    assert len(world.decision_clauses)
    conformance.check_mask_follows_the_rules(Engine(world, 1, view="raw", results=results), range(PATIENTS))


@pytest.mark.parametrize("seed", SEEDS)
def test_random_journeys(seed: int) -> None:
    """Mask, best decision and regrets at every step; what is open stays open; a journey cut off scores the worst of all."""
    data, world = generate(seed, amounts=False), world_of(seed)
    engine = Engine(world, PATIENTS, view="belief")
    first, rng = len(world.actions) - len(world.decisions), np.random.default_rng(seed)
    words = ("not_done", "pending", "done", "failed", "refused")
    open_before = np.zeros((PATIENTS, len(world.decisions)), bool)
    engine.reset()
    for _ in range(8):
        view, shown = engine.journey_view(), engine.observation
        worths = expected_utilities(world, view, np.arange(PATIENTS))
        for row in range(PATIENTS):
            status = {item: words[view.status[row, i]] for i, item in enumerate(world.items)}
            facts = {
                name: world.model.network.variable(name).values[view.values[row, o]]
                for o, name in enumerate(world.model.observables)
                if view.values[row, o] >= 0
            }
            allowed = np.array([met(data, facts, status, decision) for decision in world.decisions])
            heard = status["history"] == "done"
            assert (view.mask[row, first:] == (allowed & heard)).all() or not view.mask[row, :first].any()
            assert not (open_before[row] & ~allowed).any()
            open_before[row] = allowed
            worth = worths[row]
            best = worth[allowed].max()
            regrets = shown[row, engine.layout.regret_slot :][: len(worth)]
            scaled = np.sign(worth - best) * np.log1p(np.abs(worth - best) / REGRET_SCALE_GBP)
            span = max(float(np.ptp(np.concatenate([world.utility_gbp, world.utility_gbp.min(axis=0)[None]]))), 1e-9)
            np.testing.assert_allclose(regrets, scaled / np.log1p(span / REGRET_SCALE_GBP), atol=1e-5)
            if heard:
                gained = world.weights[3] * (worth.max() - best)
                np.testing.assert_allclose(
                    engine.best_open_utility[row] - engine.best_expected_utility[row], gained, atol=1e-6
                )
        orders = view.mask.copy()
        orders[:, first:] = False
        going = orders.any(axis=1)
        if not going.all():
            break
        engine.step(np.array([rng.choice(np.flatnonzero(row)) for row in orders]))


def test_the_best_of_all_decisions_is_often_locked() -> None:
    """What the tests above have to look at."""
    gained = 0
    for seed in SEEDS:
        engine = Engine(world_of(seed), 200, view="belief")
        engine.reset()
        open_journeys(engine)
        gained += int((engine.best_open_utility > engine.best_expected_utility + 1.0).any())
    assert gained >= len(SEEDS) // 2


def test_a_journey_that_is_cut_off_scores_the_worst_of_all_decisions() -> None:
    world = world_of(SEEDS[0])
    engine = Engine(world, 1, view="belief")
    engine.reset()
    worst = world.utility_gbp.min(axis=0)
    wait = next(a for a, action in enumerate(world.actions) if action.kind == "wait")
    while True:
        step = engine.step(np.array([wait]))
        if step.truncated[0]:
            break
    facts = engine.ended(np.array([0]))
    profile, hidden = int(facts["profile"][0]), int(facts["hidden"][0])
    assert step.components[0, 3] == pytest.approx(world.weights[3] * worst[profile, hidden])
