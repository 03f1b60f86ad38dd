"""`check` lists rules whose decision was locked when their turn came."""

from __future__ import annotations

from pathlib import Path

from support.locked import locked_tutorial

from workup.agents.registry import make_agent
from workup.vignettes.check import check_agent


def test_a_rule_that_cannot_decide_is_listed(tmp_path: Path) -> None:
    world = locked_tutorial(tmp_path, "[{ct_lungs: mass, ct: [failed, refused]}]")
    found = check_agent(world, make_agent("guideline", world))
    rules = [rule.do for rule in world.scenario.guideline]
    assert found.locked
    assert {rule.decision for rule in found.locked} == {"refer"}
    for rule in found.locked:
        assert rules[rule.number - 1] == "refer"
        assert 0 < rule.reached <= rule.draws == 200
        assert "CT" in rule.requires
    assert found.as_json()["locked"][0]["decision"] == "refer"


def test_nothing_is_listed_where_nothing_is_locked(tmp_path: Path) -> None:
    world = locked_tutorial(tmp_path, "[{history: done}]")
    assert check_agent(world, make_agent("guideline", world)).locked == ()
