"""What a guideline gains over V0, split into its tests, its endings and its heaviest rules."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from workup.agents.baselines.guideline import GuidelineAgent
from workup.agents.registry import make_agent
from workup.benchmarks.guideline import bench_guideline, markdown
from workup.cli.main import main
from workup.envs.compile.compile import compile_world
from workup.envs.engine.engine import Engine
from workup.envs.model.world import World
from workup.envs.records.journeys import Journeys
from workup.envs.records.run import run_journeys
from workup.errors import WorkupError
from workup.evaluation.guideline import NO_RULE, deciding_rules, split, split_guideline
from workup.evaluation.run import run_agents
from workup.scenarios.language.library import load_scenario


@pytest.fixture(scope="module")
def guideline(world: World) -> Journeys:
    agents = {"guideline": make_agent("guideline", world)}
    return run_agents(world, agents, patients=300, seed=6, record=True)["guideline"]


def test_the_best_ending_is_the_best_of_all_that_could_have_been_decided(world: World, guideline: Journeys) -> None:
    """Every decision is tried in turn before the last act, and what each would have been worth is compared."""
    events, n = guideline.recorded(), 40
    engine = Engine(world, n, seed=6, view="belief")
    paid, last = np.zeros((n, 4)), np.zeros(n, np.int64)
    for journey in range(n):
        last[journey] = int((events.journey == journey).sum()) - 1
    for step in range(int(last.max())):
        actions = np.full(n, -1, np.int64)
        for journey in np.flatnonzero(last > step).tolist():
            actions[journey] = events.action[(events.journey == journey) & (events.step == step)][0]
        acting = actions >= 0
        paid[acting] += engine.step(actions).components[acting]
    before, worths = engine.get_state(), []
    for decision in range(len(world.decisions)):
        engine.set_state(before)
        action = len(world.actions) - len(world.decisions) + decision
        assert engine.mask[:, action].all()
        ended = engine.step(np.full(n, action)).components
        at_end = engine.ended(np.arange(n))["components_at_end"]
        worths.append((paid + ended - at_end[:, 0] + at_end[:, 1]).sum(axis=1))
    assert guideline.best_at_end is not None
    np.testing.assert_allclose(guideline.best_at_end[:n], np.max(worths, axis=0), atol=1e-9)
    own = np.array(worths)[guideline.decision[:n], np.arange(n)]
    np.testing.assert_allclose(guideline.expected_components[:n].sum(axis=1), own, atol=1e-9)


def test_parts_sum_and_rules_sum_to_the_endings(world: World, guideline: Journeys) -> None:
    found = split(
        guideline, {"none": run_agents(world, {"none": make_agent("none", world)}, patients=300, seed=6)["none"]}
    )
    assert found.tests.mean + found.endings.mean == pytest.approx(found.minus_v0.mean)
    assert sum(each.loss_of_all for each in found.rules) == pytest.approx(-found.endings.mean)
    assert sum(each.patients for each in found.rules) <= 300
    assert all(each.loss.low >= -1e-9 for each in found.rules)
    assert [each.loss_of_all for each in found.rules] == sorted(
        (each.loss_of_all for each in found.rules), reverse=True
    )
    assert found.minus_v0_open.mean == found.minus_v0.mean  # nothing is required in the tutorial


def test_the_rule_that_decided_is_the_one_whose_change_changes_the_decision(world: World, guideline: Journeys) -> None:
    ruled, scenario = deciding_rules(guideline), world.scenario
    assert set(np.unique(ruled)) - {NO_RULE}
    for number in set(np.unique(ruled).tolist()) - {NO_RULE}:
        rule = scenario.guideline[number - 1]
        other = next(name for name, of in scenario.decisions.items() if name != rule.do and not of.requires)
        rules = list(scenario.guideline)
        rules[number - 1] = rule.model_copy(update={"do": other})
        altered = compile_world(scenario.model_copy(update={"guideline": tuple(rules)}))
        then = run_journeys(altered, GuidelineAgent(altered), patients=np.arange(300), seed=6)
        assert np.array_equal(then.decision != guideline.decision, ruled == number), number


def test_an_agent_that_ends_as_well_as_can_be_loses_nothing_by_endings(world: World) -> None:
    both = run_agents(
        world, {name: make_agent(name, world) for name in ("none", "voi")}, patients=100, seed=6, record=True
    )
    found = split(both["voi"], {"none": both["none"]})
    assert found.endings.mean == pytest.approx(0, abs=1e-9)
    assert found.tests.mean == pytest.approx(found.minus_v0.mean)


def test_what_cannot_be_split_is_said(world: World, guideline: Journeys) -> None:
    unruled = compile_world(world.scenario.model_copy(update={"guideline": ()}))
    with pytest.raises(WorkupError, match="has no guideline rules, so there is nothing to split"):
        split_guideline(unruled, patients=5, seed=0)
    early = run_journeys(world, make_agent("guideline", world), patients=np.arange(5), seed=6, record=True)
    early.v0[0] = np.nan
    with pytest.raises(WorkupError, match="V0 is not known of every patient"):
        split(early, {})


def test_the_table_and_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (found,) = bench_guideline(["tutorial"], patients=60, seed=0)
    lines = markdown([found])
    assert len(lines) == 3
    assert {line.count("|") for line in lines} == {7}
    with pytest.raises(SystemExit) as ended:
        main(["bench", "guideline", "--scenarios", "tutorial", "--patients", "60", "--json", str(tmp_path / "g.json"),
              "--out", str(tmp_path / "g.md")])  # fmt: skip
    assert ended.value.code == 0
    assert lines[2] in capsys.readouterr().out
    assert (tmp_path / "g.md").read_text().splitlines() == lines
    written = json.loads((tmp_path / "g.json").read_text())
    assert written["scenarios"][0]["minus_v0"] == found.minus_v0.as_json()
    assert load_scenario("tutorial").guideline[written["scenarios"][0]["rules"][0]["number"] - 1].why
