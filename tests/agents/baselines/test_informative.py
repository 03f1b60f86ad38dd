"""The agent that asks what tells most: its information by hand, its stopping, its choices within the mask."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from workup.agents.baselines.informative import InformativeAgent
from workup.agents.opening import open_journeys
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


def nats(world: World, name: str) -> float:
    """Mutual information of a test's value and the class, both classes being as likely."""
    model = world.model
    o = model.observables.index(f"{name}_value")
    law = model.value_table[model.value_rows.start[o] + model.value_rows.of_hidden[o]][:, :2]  # (class, value)
    joint = 0.5 * law
    return float((joint * np.log(joint / np.outer([0.5, 0.5], joint.sum(axis=0)))).sum())


def first_order(world: World) -> str:
    engine = Engine(world, 1)
    open_journeys(engine)
    return world.actions[int(InformativeAgent(world, seed=0).act(engine.journey_view())[0])].name


def test_it_orders_what_tells_most_about_the_class_for_its_price(tmp_path: Path) -> None:
    even = table(tmp_path / "even", costs="sharp: 1\ndull: 1\nnoise: 1\n")
    told = {name: nats(even, name) for name in ("sharp", "dull", "noise")}
    assert told["sharp"] > told["dull"] > told["noise"]
    assert first_order(even) == "order sharp"
    for share, expected in ((0.98, "sharp"), (1.02, "dull")):
        price = share * told["sharp"] / told["dull"]  # at a share of 1 both tell as much for a pound
        world = table(tmp_path / expected, costs=f"sharp: {price:.6f}\ndull: 1\nnoise: 1\n")
        assert first_order(world) == f"order {expected}"


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
