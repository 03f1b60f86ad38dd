"""The main job from end to end: train, evaluate every agent, check the vignettes, write the report.

Training goes on from its last checkpoint after a kill, and the optimum's bounds are kept on disk by the scenario's
hash; everything else is seconds of deterministic work and is simply done again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path

import numpy as np

from workup.agents.base import Agent
from workup.agents.registry import agent_factories, make_agent
from workup.envs.compile.compile import compile_world
from workup.envs.model.world import World
from workup.envs.records.journeys import Journeys
from workup.evaluation.optimum import Bookkeeper
from workup.evaluation.run import run_agents
from workup.evaluation.score import Evaluation, score
from workup.report.inputs import LearningCurve, ReportInputs
from workup.report.write import write_report
from workup.scenarios.language.library import load_scenario
from workup.scenarios.language.schema import Scenario
from workup.vignettes.check import Check, judge_vignettes, run_vignettes

CHECKED = ("optimum", "guideline", "ppo")
SHOWN_AS_TREE = ("optimum", "ppo")
PATIENTS = 300

Progress = Callable[[str, float | None], None]
"""Called with what is being done and the share of it that is done, 0 to 1; None: one more of an unknown number."""


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
    keeper = Bookkeeper(world)

    def solved(_: int) -> None:
        progress("presentations planned", None)

    agents = keeper.agents(agent_factories(), seed=seed, progress=solved) | {"ppo": make_agent(out / "ppo", world)}
    journeys = run_agents(
        world,
        agents,
        patients=patients,
        seed=seed,
        record=True,
        progress=lambda name, finished: progress(f"journeys of {name}", finished / patients),
    )
    bounds, refusal, plan = keeper.possible(patients=patients, seed=seed, asked=True, progress=solved)
    evaluation = score(journeys, bounds, refusal=refusal, plan=plan)
    vignettes = _vignettes(world, {name: agents[name] for name in CHECKED}, seed, progress)
    keeper.save()
    checks = tuple(replace(judge_vignettes(found), agent=name) for name, found in vignettes.items())
    command = f"workup demo --out {out} --seed {seed} --seconds {seconds:g}"
    report = write_report(
        ReportInputs(
            scenario=world.scenario,
            command=command,
            seeds={"training": seed, "evaluation": seed, "vignettes": seed},
            evaluation=evaluation,
            checks=checks,
            vignette_journeys=vignettes,
            policy_journeys={name: journeys[name] for name in SHOWN_AS_TREE},
            learning_curves=(curve,),
        ),
        out / "report.html",
    )
    return Demonstration(world.scenario, evaluation, checks, report)


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


def _vignettes(
    world: World, agents: Mapping[str, Agent], seed: int, progress: Progress
) -> dict[str, dict[str, Journeys]]:
    done, total = count(1), len(agents) * len(world.scenario.vignettes)
    return {
        name: run_vignettes(world, agent, seed=seed, progress=lambda _: progress("vignettes", next(done) / total))
        for name, agent in agents.items()
    }
