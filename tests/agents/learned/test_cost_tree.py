from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from workup.agents.base import Effort
from workup.agents.learned.cost_tree import Node, TreeAgent, TreeLearner, grow_tree
from workup.agents.registry import load_agent, make_agent
from workup.agents.saved import SavedPolicy, write_policy
from workup.envs.compile.compile import compile_world
from workup.envs.compile.recorded import population_of
from workup.envs.model.population import Population
from workup.envs.records.run import run_journeys
from workup.errors import FileFormatError, UnknownNameError, WorkupError
from workup.importers.table import Choices, import_table
from workup.scenarios.language.library import load_scenario


def imported(folder: Path, costs: str, error_cost: float = 100.0) -> Population:
    """Two tests tell the class together (exclusive or), a third alone nearly, a fourth nothing; one cell in ten is empty."""
    rng = np.random.Generator(np.random.Philox(3))
    lines = ["a,b,sure,noise,ill"]
    for _ in range(600):
        a, b, noise = rng.integers(0, 2, 3)
        ill = a ^ b
        sure = ill if rng.random() < 0.95 else 1 - ill
        lines.append(",".join("?" if rng.random() < 0.1 else str(x) for x in (a, b, sure, noise)) + f",{ill}")
    (folder / "t.csv").write_text("\n".join(lines) + "\n")
    (folder / "costs").write_text(costs)
    choices = Choices(error_cost=error_cost)
    import_table(folder / "t.csv", target="ill", costs=folder / "costs", out=folder / "out", choices=choices)
    return population_of(folder / "out", split="train")


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory) -> Population:
    return imported(tmp_path_factory.mktemp("tree"), "a: 1\nb: 1\nsure: 20\nnoise: 0\n")


def items(node: Node) -> set[int]:
    return {node.item} - {-1} | {item for branch in node.branches.values() for item in items(branch)}


def test_it_buys_what_tells_the_class_and_stops_where_errors_are_cheaper(rows: Population, tmp_path: Path) -> None:
    agent = grow_tree(rows)
    assert rows.world.item("sure") in items(agent.root)
    played = run_journeys(rows, agent, name="tree", patients=np.arange(200), seed=0)
    assert (played.decision == played.condition).mean() > 0.9
    cheap = imported(tmp_path, "a: 1\nb: 1\nsure: 20\nnoise: 0\n", error_cost=5.0)
    assert rows.world.item("sure") not in items(grow_tree(cheap).root)


def test_it_orders_what_its_tree_asks_and_decides_what_the_leaf_says(rows: Population) -> None:
    agent, world, n = grow_tree(rows), rows.world, len(rows)
    played = run_journeys(rows, agent, patients=np.arange(n), seed=0)
    opening = set(np.flatnonzero(world.opens_journey).tolist())
    for row in range(n):
        node, asked, paid = agent.root, set[int](), 0.0
        while node.item >= 0:
            value = int(rows.fixed.values[row, node.observable])
            paid += float(world.cost_gbp[node.item]) * (value >= 0 and node.item not in asked)
            asked.add(node.item)
            if value not in node.branches:
                break
            node = node.branches[value]
        assert set(np.flatnonzero(played.status[row]).tolist()) - opening == asked
        assert played.decision[row] == node.decision
        assert played.cost_gbp[row] == pytest.approx(paid)


def test_the_first_of_a_group_is_dearer_than_the_next(tmp_path: Path) -> None:
    costs = "test,full_cost,discount_cost,group\na,9,1,lab\nb,9,1,lab\nsure,60,60,\nnoise,0,0,\n"
    shared = imported(tmp_path, costs)
    item = {name: shared.world.item(name) for name in ("a", "b")}
    b = Node(0, 0.0, item["b"], shared.world.model.observables.index("b_value"), {0: Node(0, 0.0), 1: Node(1, 0.0)})
    a = Node(0, 0.0, item["a"], shared.world.model.observables.index("a_value"), {0: b, 1: b})
    rows = shared.fixed
    played = run_journeys(shared, TreeAgent(shared.world, a), name="tree", patients=np.arange(len(rows.hidden)), seed=0)
    known = rows.values[:, [a.observable, b.observable]] >= 0
    reached = known * np.column_stack([np.ones(len(known), bool), known[:, 0]])  # b is asked where a had a value
    np.testing.assert_allclose(played.cost_gbp, reached.sum(axis=1) + 8.0 * reached.any(axis=1))


def test_it_needs_recorded_patients() -> None:
    drawn = compile_world(load_scenario("tutorial"))
    with pytest.raises(WorkupError, match="expected recorded patients"):
        grow_tree(Population(drawn))
    with pytest.raises(UnknownNameError):
        make_agent("tree", drawn)


def test_a_tree_is_kept_and_read_back(rows: Population, tmp_path: Path) -> None:
    told: list[tuple[float, str]] = []
    learner = TreeLearner()
    grown = learner.fit(rows, out=tmp_path, seed=0, effort=Effort(), progress=lambda *words: told.append(words))
    assert told[-1][0] == 1.0
    for again in (load_agent(tmp_path, rows.world), make_agent("tree", rows), grow_tree(rows)):
        assert isinstance(again, TreeAgent)
        assert again.root == grown.root


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda nodes: nodes[0].update(decision=9), "a decision or test that"),
        (lambda nodes: nodes[0].update(item=900), "a decision or test that"),
        (lambda nodes: nodes[0].update(observable=0), "reads what its test does not show"),
        (lambda nodes: nodes[0]["branches"].update({"0": len(nodes)}), "leads nowhere, or back up"),
        (lambda nodes: nodes[-1]["branches"].update({"0": 1}), "leads nowhere, or back up"),
        (lambda nodes: nodes[0].update(decision="x"), "valid integer"),
        (lambda nodes: nodes.clear(), "at least 1 item"),
    ],
)
def test_a_tree_that_does_not_fit_is_refused(rows: Population, tmp_path: Path, change: Any, message: str) -> None:
    TreeLearner().fit(rows, out=tmp_path, seed=0, effort=Effort(), progress=lambda *_: None)
    spec = json.loads((tmp_path / "policy.json").read_text())["spec"]
    change(spec["nodes"])
    write_policy(tmp_path, SavedPolicy("tree", spec), rows.world)
    with pytest.raises(FileFormatError, match=message):
        load_agent(tmp_path, rows.world)
