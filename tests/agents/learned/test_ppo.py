"""The learner: it improves, can be repeated, goes on after a kill, and stops at what is not sound."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, Literal, cast

import numpy as np
import pytest
from numpy.typing import NDArray

pytest.importorskip("sb3_contrib", reason="needs workup[train]")
import torch

from workup.agents.deciding import at_stake
from workup.agents.learned.ppo import PPOAgent
from workup.agents.learned.ppo.env import Presentations, ShapedJourneys
from workup.agents.learned.ppo.inputs import Inputs
from workup.agents.learned.ppo.training import Settings, TrainedPolicy, train
from workup.agents.opening import opening_actions
from workup.agents.planning.expected import ExpectedChange, expected_value
from workup.agents.registry import make_agent
from workup.agents.testing import check_agent_conforms
from workup.envs.engine.engine import Engine
from workup.envs.model.population import Population
from workup.envs.model.world import World
from workup.envs.records.run import run_journeys
from workup.errors import FileFormatError, WorkupError

pytestmark = pytest.mark.torch

SMALL = Settings(n_envs=128, rollout_steps=8, layers=(32, 32), validate_every_s=0.0, validation_patients=128)


@pytest.fixture(scope="module", params=["belief", "raw"])
def trained(request: pytest.FixtureRequest, world: World, tmp_path_factory: pytest.TempPathFactory) -> TrainedPolicy:
    settings = Settings(n_envs=256, rollout_steps=8, layers=(64, 64), validate_every_s=1.0, validation_patients=1024)
    out = tmp_path_factory.mktemp(request.param)
    return train(world, out=out, preset=request.param, seed=1, seconds=None, steps=60_000, settings=settings)


def value(world: World, name: str | Path, patients: int = 4000) -> float:
    agent = make_agent(name, world, seed=0)
    found = run_journeys(world, agent, name="x", patients=np.arange(patients), seed=1)
    return float(found.expected_components.sum(axis=1).mean())


def test_a_little_training_beats_doing_nothing(world: World, trained: TrainedPolicy) -> None:
    margin = {"belief": 60, "raw": 10}[str(trained.agent.needs)]
    assert value(world, trained.directory) > value(world, "none") + margin
    assert trained.curve[0].steps == 0
    assert trained.best.value > trained.curve[0].value
    assert trained.best.value == max(point.value for point in trained.curve)


def test_a_trained_policy_conforms(world: World, trained: TrainedPolicy) -> None:
    check_agent_conforms(lambda world, *, seed: PPOAgent.load(trained.directory, world), world, patients=500)


def test_what_was_kept_is_what_acts(world: World, trained: TrainedPolicy) -> None:
    again = expected_value(Population(world), trained.agent.choose, patients=1024, seed=8_000_001)
    assert again == pytest.approx(trained.best.value)
    lines = (trained.directory / "learning_curve.jsonl").read_text().splitlines()
    assert [json.loads(line)["value"] for line in lines] == [point.value for point in trained.curve]


def test_the_same_seed_gives_the_same_policy_and_another_another(world: World, tmp_path: Path) -> None:
    names: list[list[str]] = []
    for folder, seed in (("a", 3), ("b", 3), ("c", 4)):
        torch.manual_seed(len(names))  # what went before does not matter
        np.random.seed(len(names))
        run = train(world, out=tmp_path / folder, seed=seed, seconds=None, steps=3000, settings=SMALL)
        names.append(sorted(p.name for p in run.directory.glob("policy-*.safetensors")))
    assert names[0] == names[1] != names[2]


def test_training_leaves_no_global_trace(world: World, tmp_path: Path) -> None:
    torch.manual_seed(5)
    np.random.seed(5)
    before = torch.get_rng_state(), cast(Any, np.random.get_state())[1], torch.get_num_threads()
    train(world, out=tmp_path, seconds=None, steps=1000, settings=SMALL)
    assert torch.equal(before[0], torch.get_rng_state())
    assert np.array_equal(before[1], cast(Any, np.random.get_state())[1])
    assert before[2] == torch.get_num_threads()


SCRIPT = """
import sys
from pathlib import Path
from workup.agents.learned.ppo.training import Settings, train
from workup.envs.compile.compile import compile_world
from workup.scenarios.language.library import load_scenario
small = Settings(n_envs=128, rollout_steps=8, layers=(32, 32), validate_every_s=0.0, validation_patients=128)
train(compile_world(load_scenario("tutorial")), out=Path(sys.argv[1]), seconds=None, steps=40_000, settings=small)
"""


def test_a_run_killed_outright_goes_on_and_finishes(world: World, tmp_path: Path) -> None:
    process = subprocess.Popen([sys.executable, "-c", SCRIPT, str(tmp_path)])
    curve = tmp_path / "learning_curve.jsonl"
    try:
        while process.poll() is None and not (curve.exists() and len(curve.read_text().splitlines()) >= 4):
            time.sleep(0.02)
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert process.returncode == -signal.SIGKILL
    reached = json.loads((tmp_path / "checkpoint.json").read_text())["spec"]["steps"]
    assert 0 < reached < 40_000
    PPOAgent.load(tmp_path, world)  # a killed run leaves a whole policy
    run = train(world, out=tmp_path, seconds=None, steps=40_000, settings=SMALL)
    assert run.curve[-1].steps >= 40_000
    assert any(point.steps == reached for point in run.curve)
    steps = [point.steps for point in run.curve]
    assert steps == sorted(steps)
    assert run.best.value > run.curve[0].value


@pytest.mark.parametrize("suffix", ["json", "safetensors"])
def test_a_damaged_checkpoint_is_refused(world: World, tmp_path: Path, suffix: str) -> None:
    train(world, out=tmp_path, seconds=None, steps=1000, settings=SMALL)
    path = next(tmp_path.glob(f"checkpoint*.{suffix}"))
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    with pytest.raises(FileFormatError, match=str(path)):
        train(world, out=tmp_path, seconds=None, steps=1000, settings=SMALL)


def test_a_run_that_diverges_says_so(world: World, tmp_path: Path) -> None:
    wild = Settings(n_envs=64, rollout_steps=8, layers=(8,), learning_rate=1e30, validation_patients=64)
    with pytest.raises(WorkupError, match=r"training diverged after .* expected a finite number\. Lower the learning"):
        train(world, out=tmp_path, seconds=None, steps=100_000, settings=wild)


def test_a_run_without_an_end_is_refused(world: World, tmp_path: Path) -> None:
    with pytest.raises(WorkupError, match="training has no end"):
        train(world, out=tmp_path, seconds=None, steps=None)


def none(inputs: Inputs, world: World, observation: NDArray[np.float32], mask: NDArray[np.bool_]) -> NDArray[np.int64]:
    """History, examination, then the best decision."""
    first = inputs.opening_action(mask)
    decisions = np.arange(len(world.actions) - len(world.decisions), len(world.actions))
    best = decisions[inputs.narrow(observation, mask)[:, decisions].argmax(axis=1)]
    return np.where(first >= 0, first, best)


def test_a_belief_policy_is_left_one_decision_the_best(world: World) -> None:
    inputs = Inputs(world, "belief")
    engine = Engine(world, 500, seed=1, view="belief", score="posterior")
    for action in opening_actions(world):
        engine.step(np.full(500, action))
    best = engine.best_expected_utility
    narrowed = inputs.narrow(engine.observation, engine.mask)
    decisions = np.arange(len(world.actions) - len(world.decisions), len(world.actions))
    assert (narrowed[:, decisions].sum(axis=1) == 1).all()
    assert not (narrowed & ~engine.mask).any()
    chosen = none(inputs, world, engine.observation, engine.mask)
    assert len(set(chosen.tolist())) > 1
    assert engine.step(chosen).reward == pytest.approx(best, abs=1e-6)


def test_shaping_moves_no_value(world: World) -> None:
    """Shaped rewards of a journey add up to its value less that of stopping at once, on average over results."""
    inputs, rng = Inputs(world, "belief"), np.random.default_rng(0)
    n = 512
    shaped = ShapedJourneys(Population(world), inputs, n, seed=2, first_patient=0)
    plain = Engine(world, n, seed=2, view="belief", score="posterior")
    shaped.reset()
    # The same patients, seen through the engine alone.
    plain.reset(patients=shaped._engine.patient)
    for action in opening_actions(world):
        plain.step(np.full(n, action))
    first = plain.best_expected_utility
    total, paid, going = np.zeros(n), np.zeros(n), np.ones(n, np.bool_)
    for _ in range(30):
        legal = shaped.action_masks() & (rng.random(shaped.action_masks().shape) < 0.9) | (
            shaped.action_masks() & (shaped.action_masks().sum(axis=1) == 1)[:, None]
        )
        actions = np.where(legal.any(axis=1), legal.argmax(axis=1), shaped.action_masks().argmax(axis=1))
        step = plain.step(np.where(going, actions, -1))
        unit = shaped._unit_gbp.copy()
        shaped.step_async(actions)
        _, reward, done, _ = shaped.step_wait()
        total += np.where(going, reward * unit, 0.0)
        paid += np.where(going, step.reward, 0.0)
        assert np.array_equal(done[going], (step.terminated | step.truncated)[going])
        going &= ~done
        if not going.any():
            break
    assert not going.any()
    difference = total - (paid - first)
    assert abs(difference.mean()) < 4.5 * difference.std() / n**0.5
    assert total.std() < (paid - first).std()


def test_an_order_is_rewarded_by_what_it_changes_on_average(world: World) -> None:
    n = 4096
    engine, expected = Engine(world, n, seed=3, view="belief", score="posterior"), ExpectedChange(world)
    for action in opening_actions(world):
        engine.step(np.full(n, action))
    orders = np.array([a for a, action in enumerate(world.actions) if action.items and a not in (0, 1)])
    mask = engine.mask
    actions = orders[np.random.default_rng(0).integers(len(orders), size=n)]
    legal = mask[np.arange(n), actions]
    assert 0.5 < legal.mean() < 1
    before, promised = engine.best_expected_utility, expected.of(engine, actions)
    assert (promised[~legal] == 0).all()
    found = engine.step(actions).reward + engine.best_expected_utility - before
    for action in orders:
        rows = legal & (actions == action)
        if rows.sum() > 50:
            error = (found - promised)[rows]
            assert abs(error.mean()) < 4.5 * error.std() / rows.sum() ** 0.5 + 1e-6, world.actions[action].name


def test_the_validation_is_unbiased_and_quieter(world: World) -> None:
    inputs = Inputs(world, "belief")
    agent = make_agent("voi", world)
    journeys = run_journeys(world, agent, name="voi", patients=np.arange(8000), seed=9)
    sampled = journeys.expected_components.sum(axis=1)
    stop = expected_value(Population(world), lambda o, m: none(inputs, world, o, m), patients=4000, seed=9)
    plain = run_journeys(world, make_agent("none", world), name="none", patients=np.arange(4000), seed=9)
    assert stop == pytest.approx(plain.expected_components.sum(axis=1).mean(), abs=1e-6)

    def crp_then_decide(observation: NDArray[np.float32], mask: NDArray[np.bool_]) -> NDArray[np.int64]:
        crp = [a.name for a in world.actions].index("order crp_test")
        first = inputs.opening_action(mask)
        later = np.where(mask[:, crp], crp, none(inputs, world, observation, mask))
        return np.where(first >= 0, first, later)

    class Crp:
        name = "crp"
        needs: Literal["belief"] = "belief"

        def act(self, view: object) -> NDArray[np.int64]:
            return crp_then_decide(view.observation, view.mask)  # type: ignore[attr-defined]

    quiet = expected_value(Population(world), crp_then_decide, patients=8000, seed=9)
    loud = run_journeys(world, Crp(), name="crp", patients=np.arange(8000), seed=9).expected_components.sum(axis=1)
    assert quiet == pytest.approx(loud.mean(), abs=4.5 * loud.std() / 8000**0.5)
    assert stop < quiet < sampled.mean()


def test_patients_with_more_at_stake_are_met_more_often(world: World) -> None:
    first, again = (Presentations(Population(world), seed=1, first_patient=0) for _ in range(2))
    taken, often = first.take(4096)
    assert np.array_equal(taken, again.take(4096)[0])
    assert not np.array_equal(taken, first.take(4096)[0])
    # Weighted back, every patient counts as in life.
    assert (1 / often).mean() == pytest.approx(1, abs=0.05)
    assert often.min() >= 0.5
    engine = Engine(world, 4096, seed=1, view="belief")

    def stake(patients: NDArray[np.int64]) -> float:
        engine.reset(patients=patients)
        for action in opening_actions(world):
            engine.step(np.full(4096, action))
        return float(at_stake(world)(engine.observation).mean())

    assert stake(taken) > 1.2 * stake(np.arange(4096))


def test_a_view_without_the_posterior_is_refused(world: World, tmp_path: Path) -> None:
    run = train(world, out=tmp_path, seconds=None, steps=500, settings=SMALL)
    engine = Engine(world, 2, seed=0, view="raw")
    with pytest.raises(WorkupError, match=r"reads \d+ numbers of the observation; found none"):
        run.agent.act(engine.journey_view())
    with pytest.raises(WorkupError, match=r"found \d+ numbers\. Ask the engine for view='belief'"):
        run.agent.act(engine.journey_view(observation=True))


def test_acting_needs_no_torch(tmp_path: Path, world: World) -> None:
    train(world, out=tmp_path, seconds=None, steps=500, settings=SMALL)
    script = (
        "import sys; from pathlib import Path; from workup.agents.registry import make_agent;"
        "from workup.envs.compile.compile import compile_world; from workup.scenarios.language.library import load_scenario;"
        "make_agent(Path(sys.argv[1]), compile_world(load_scenario('tutorial'))); assert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", script, str(tmp_path)], check=True, env=dict(os.environ))
