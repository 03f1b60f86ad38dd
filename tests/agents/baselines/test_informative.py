"""The agent that asks what tells most: its information by hand, its stopping, its choices within the mask."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from workup.agents.baselines.informative import InformativeAgent
from workup.envs.compile.recorded import population_of
from workup.envs.engine.engine import Engine
from workup.envs.model.world import World
from workup.evaluation.run import run_agents
from workup.importers.table import Choices, import_table


def table(folder: Path, *, costs: str, error_cost: float = 100.0) -> World:
    """`sharp` tells the class almost always, `dull` a little, `noise` nothing; 400 rows."""
    rng = np.random.Generator(np.random.Philox(7))
    lines = ["sharp,dull,noise,ill"]
    for r in range(400):
        ill = r % 2
        cells = [ill ^ int(rng.random() < 0.02), ill ^ int(rng.random() < 0.35), int(rng.random() < 0.5)]
        lines.append(",".join(map(str, [*cells, ill])))
    folder.mkdir(exist_ok=True)
    (folder / "t.csv").write_text("\n".join(lines) + "\n")
    (folder / "c").write_text(costs)
    import_table(
        folder / "t.csv", target="ill", costs=folder / "c", out=folder / "out", choices=Choices(error_cost=error_cost)
    )
    return population_of(folder / "out", split="train").world


def ordered(world: World, folder: Path) -> list[set[str]]:
    """What was ordered for each test patient."""
    test = population_of(folder / "out", split="test")
    journeys = run_agents(test, {"a": InformativeAgent(world, seed=0)}, patients=1000, seed=0)["a"]
    return [{world.items[i] for i in np.flatnonzero(row == 2)} - {"history", "examination"} for row in journeys.status]


def test_information_is_mutual_information(tmp_path: Path) -> None:
    world = table(tmp_path, costs="sharp: 1\ndull: 1\nnoise: 1\n")
    agent = InformativeAgent(world, seed=0)
    belief = np.array([[0.5, 0.5], [0.1, 0.9]])
    told = agent._information(belief)
    model = world.model
    for j, name in enumerate(("sharp", "dull", "noise")):
        o = model.observables.index(f"{name}_value")
        start = model.value_rows.start[o] + model.value_rows.of_hidden[o]
        law = model.value_table[start][:, :2]  # (class, value)
        for b, weights in enumerate(belief):
            joint = weights[:, None] * law
            expected = (joint * np.log(joint / np.outer(weights, joint.sum(axis=0)))).sum()
            action = [world.actions[a].name for a in agent._orders].index(f"order {name}")
            assert told[b, action] == pytest.approx(expected, abs=1e-12), (j, b)


def test_the_sharp_test_comes_first_unless_it_is_dear(tmp_path: Path) -> None:
    assert all(
        asked == {"sharp"}
        for asked in ordered(table(tmp_path / "a", costs="sharp: 5\ndull: 5\nnoise: 5\n"), tmp_path / "a")
    )
    dear = ordered(table(tmp_path / "b", costs="sharp: 60\ndull: 1\nnoise: 1\n"), tmp_path / "b")
    assert all(asked == {"dull"} for asked in dear)
    assert all(
        asked == set()
        for asked in ordered(table(tmp_path / "c", costs="sharp: 60\ndull: 60\nnoise: 60\n"), tmp_path / "c")
    )


def test_every_choice_is_legal_and_does_not_depend_on_the_batch(tmp_path: Path) -> None:
    world = table(tmp_path, costs="sharp: 2\ndull: 1\nnoise: 1\n")
    agent = InformativeAgent(world, seed=0)
    rows = population_of(tmp_path / "out")
    n = len(rows)
    engine = Engine(rows, n)
    done = np.zeros(n, bool)
    while not done.all():
        view = engine.journey_view()
        actions = agent.act(view)
        assert view.mask[~done, actions[~done]].all()
        alone = agent.act(engine.journey_view(np.array([n - 1])))
        assert alone[0] == actions[-1]
        step = engine.step(np.where(done, -1, actions))
        done |= step.terminated | step.truncated
