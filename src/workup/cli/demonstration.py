"""The main job from end to end: train, evaluate every agent, check the vignettes, write the report.

Training goes on from its last checkpoint after a kill, and the optimum's bounds are kept on disk by the scenario's
hash; everything else is seconds of deterministic work and is simply done again.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from workup.agents.registry import agent_factories, make_agent
from workup.envs.compile.compile import compile_world
from workup.envs.model.world import World
from workup.evaluation.policies import compare
from workup.evaluation.run import run_agents
from workup.evaluation.score import Evaluation
from workup.report.inputs import LearningCurve
from workup.report.study import PATIENTS, Progress, study
from workup.report.write import write_page
from workup.scenarios.language.library import load_scenario
from workup.scenarios.language.schema import Scenario
from workup.vignettes.check import Check

CHECKED = ("optimum", "guideline", "ppo")


@dataclass(frozen=True)
class Demonstration:
    """What the demonstration found and where the report is."""

    scenario: Scenario
    evaluation: Evaluation
    checks: tuple[Check, ...]
    report: Path


def run(
    scenario_id: str,
    *,
    out: Path,
    seed: int,
    seconds: float,
    patients: int = PATIENTS,
    progress: Progress,
) -> Demonstration:
    """Do it all.

    Args:
        scenario_id: an id or a path.
        out: directory for policy, report and JSON results.
        seed: of training, of the agents and of the patients they are compared on.
        seconds: wall-clock time to train for.
        patients: how many patients the agents are compared on.
        progress: see `Progress`.
    """
    world = compile_world(load_scenario(scenario_id))
    curve = _train(world, out / "ppo", seed, seconds, progress)
    agents = {name: name for name in agent_factories()} | {"ppo": out / "ppo"}
    found = compare(world, agents, patients=patients, seed=seed, record=True, progress=progress)
    command = f"workup demo --out {out} --seed {seed} --seconds {seconds:g}"
    inputs = study(found, seed=seed, command=command, checked=CHECKED, learning_curves=(curve,), progress=progress)
    report = write_page(inputs, out / "report.html")
    return Demonstration(world.scenario, found.evaluation, inputs.checks, report)


def _train(world: World, out: Path, seed: int, seconds: float, progress: Progress) -> LearningCurve:
    from workup.agents.learned.ppo.training import VALIDATION_SEED, Settings, train

    trained = train(
        world, out=out, seed=seed, seconds=seconds, progress=lambda share, _: progress("training ppo", share)
    )
    held_out = run_agents(
        world,
        {"none": make_agent("none", world)},
        patients=Settings().validation_patients,
        seed=VALIDATION_SEED + seed,
        record=False,
    )["none"]
    return LearningCurve(
        agent="ppo",
        seed=seed,
        steps=np.array([point.steps for point in trained.curve]),
        gain=np.array([point.value for point in trained.curve]) - held_out.v0.mean(),
        seconds=np.array([point.seconds for point in trained.curve]),
    )
