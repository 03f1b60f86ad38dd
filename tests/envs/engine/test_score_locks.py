"""Orders and decisions that require a score are legal when its points, added up by hand from what was revealed, suffice."""

from __future__ import annotations

import numpy as np
import pytest
from support.scored import SCORES, tutorial_with

from workup.agents.planning.locks import Locks
from workup.envs.compile.compile import compile_world
from workup.envs.engine.engine import Engine
from workup.envs.model.world import World
from workup.envs.testing import conformance
from workup.scenarios.language.library import load_scenario

PATIENTS, SEED = 200, 3
CT = "      - {film: shadow, haemoptysis: yes}\n"


@pytest.fixture(scope="module")
def scored(tmp_path_factory: pytest.TempPathFactory) -> World:
    """A referral needs a mass or a score of 2, and a CT a score under 3 or a shadow."""
    text = tutorial_with(SCORES, requires="[{chest: {at_least: 2}, ct_lungs: mass}]")
    assert text.count(CT) == 1
    text = text.replace(CT, "      - {chest: {not: likely}, film: shadow}\n")
    text = text.replace("  crp_score:", "  idle:")
    file = tmp_path_factory.mktemp("scored") / "scenario.yaml"
    file.write_text(text, encoding="utf-8")
    return compile_world(load_scenario(file))


def total(facts: dict[str, str]) -> tuple[int, int]:
    """Least and greatest, by hand."""
    points = {"fever": {"no": 0, "yes": 2}, "crackles": {"no": 0, "yes": 1}, "smoked": {"never": 0, "ever": 1}}
    points["haemoptysis"] = {"no": 0, "yes": -1}
    each = [[of[facts[name]]] if name in facts else list(of.values()) for name, of in points.items()]
    return sum(map(min, each)), sum(map(max, each))


def test_random_journeys(scored: World) -> None:
    engine, rng, model = Engine(scored, PATIENTS, seed=SEED, view="belief"), np.random.default_rng(SEED), scored.model
    refer = len(scored.actions) - len(scored.decisions) + scored.decisions.index("refer")
    ct = next(a for a, action in enumerate(scored.actions) if action.name == "order ct")
    locks, seen, was_open = Locks(scored), set(), np.zeros(PATIENTS, bool)
    engine.reset()
    for _ in range(8):
        view = engine.journey_view()
        for row in range(PATIENTS):
            facts = {
                name: model.network.variable(name).values[view.values[row, o]]
                for o, name in enumerate(model.observables)
                if view.values[row, o] >= 0
            }
            least, greatest = total(facts)
            may_refer = least >= 2 or facts.get("ct_lungs") == "mass"
            heard = view.status[row, scored.item("history")] == 2
            examined = view.status[row, scored.item("examination")] == 2
            assert view.mask[row, refer] == (may_refer and heard)
            refused = facts.get("scan_wish") == "declines" or facts.get("egfr") == "low"
            may_scan = (greatest < 3 or facts.get("film") == "shadow") and heard and examined and not refused
            assert view.mask[row, ct] == (may_scan and view.status[row, scored.item("ct")] == 0)
            met = (locks.met(view.values[[row]], view.status[[row]]) & locks.needs[scored.decisions.index("refer")])[0]
            assert (met == locks.needs[scored.decisions.index("refer")]) == may_refer
            assert not (was_open[row] and not may_refer)
            was_open[row] = may_refer
            seen.add((bool(may_refer), bool(may_scan)))
        orders = view.mask.copy()
        orders[:, len(scored.actions) - len(scored.decisions) :] = False
        going = orders.any(axis=1)
        if not going.all():
            break
        engine.step(np.array([rng.choice(np.flatnonzero(row)) for row in orders]))
    assert len(seen) == 4


def test_the_mask_is_what_the_rules_say(scored: World) -> None:
    conformance.check_mask_follows_the_rules(Engine(scored, 1, seed=SEED, view="raw"), range(20))


def test_a_requirement_is_a_bit_for_each_of_its_plain_facts(scored: World) -> None:
    """From -1 to 2 it takes 3 of: fever 2, crackles 1, smoked 1, no blood 1. Four ways fall just short: fever alone, and two of
    the others; each asks for one of what it lacks."""
    groups = {int(group) for _, group, _, _ in scored.decision_clauses}
    assert len(groups) == int(Locks(scored).needs[scored.decisions.index("refer")]).bit_count() == 4
