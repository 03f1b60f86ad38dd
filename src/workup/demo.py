"""The main job from end to end: train, evaluate every agent, check the vignettes, write the report.

Training goes on from its last checkpoint after a kill, and the optimum's bounds are kept on disk by the scenario's
hash; everything else is seconds of deterministic work and is simply done again.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from workup.agents.base import Agent
from workup.agents.registry import agent_factories, make_agent
from workup.check import Check, judge_vignettes, run_vignettes
from workup.envs.compile import compile_world
from workup.envs.journeys import Journeys
from workup.envs.world import World
from workup.evaluate import Evaluation, run_agents, score
from workup.optimum import Bookkeeper
from workup.report.inputs import LearningCurve, ReportInputs
from workup.report.write import write_report
from workup.scenarios.library import load_scenario
from workup.scenarios.schema import Scenario

CHECKED = ("optimum", "guideline", "ppo")
SHOWN_AS_TREE = ("optimum", "ppo")
PATIENTS = 2000
PATIENTS_IN_TREE = 500


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
    progress: Callable[[str, float], None],
) -> Demonstration:
    """Do it all.

    Args:
        scenario_id: an id or a path.
        out: directory for policy, report and JSON results.
        seed: of training, of the agents and of the patients they are compared on.
        seconds: wall-clock time to train for.
        patients: how many patients the agents are compared on.
        progress: called with what is being done and the share of it that is done, 0 to 1.
    """
    world = compile_world(load_scenario(scenario_id))
    curve = _train(world, out / "ppo", seed, seconds, progress)
    keeper = Bookkeeper(world)
    agents = keeper.agents(agent_factories(), seed=seed) | {"ppo": make_agent(out / "ppo", world)}
    evaluation = _evaluate(keeper, world, agents, patients, seed, progress)
    checked = {name: agents[name] for name in CHECKED}
    vignettes = _check(world, checked, seed, progress)
    checks = tuple(replace(judge_vignettes(found), agent=name) for name, found in vignettes.items())
    shown = {name: agents[name] for name in SHOWN_AS_TREE}
    trees = run_agents(
        world, shown, patients=PATIENTS_IN_TREE, seed=seed, record=True, progress=_counter(progress, PATIENTS_IN_TREE)
    )
    command = f"workup demo --out {out} --seed {seed} --seconds {seconds:g}"
    report = write_report(
        ReportInputs(
            scenario=world.scenario,
            command=command,
            seeds={"training": seed, "evaluation": seed, "vignettes": seed},
            evaluation=evaluation,
            checks=checks,
            vignette_journeys=vignettes,
            policy_journeys=trees,
            learning_curves=(curve,),
        ),
        out / "report.html",
    )
    return Demonstration(world.scenario, evaluation, checks, report)


def _train(world: World, out: Path, seed: int, seconds: float, progress: Callable[[str, float], None]) -> LearningCurve:
    from workup.agents.ppo.training import train

    trained = train(
        world, out=out, seed=seed, seconds=seconds, progress=lambda share, _: progress("training ppo", share)
    )
    return LearningCurve(
        agent="ppo",
        seed=seed,
        steps=np.array([point.steps for point in trained.curve]),
        value=np.array([point.value for point in trained.curve]),
        seconds=np.array([point.seconds for point in trained.curve]),
    )


def _evaluate(
    keeper: Bookkeeper,
    world: World,
    agents: Mapping[str, Agent],
    patients: int,
    seed: int,
    progress: Callable[[str, float], None],
) -> Evaluation:
    journeys = run_agents(world, agents, patients=patients, seed=seed, progress=_counter(progress, patients))
    bounds, refusal = keeper.bounds(patients=patients, seed=seed)
    return score(journeys, bounds, refusal=refusal)


def _check(
    world: World, agents: Mapping[str, Agent], seed: int, progress: Callable[[str, float], None]
) -> dict[str, dict[str, Journeys]]:
    found = {}
    for number, (name, agent) in enumerate(agents.items()):
        progress("checking the vignettes", number / len(agents))
        found[name] = run_vignettes(world, agent, seed=seed)
    return found


def _counter(progress: Callable[[str, float], None], patients: int) -> Callable[[str, int], None]:
    done = Counter[str]()

    def count(agent: str, finished: int) -> None:
        done[agent] += finished
        progress(f"journeys of {agent}", done[agent] / patients)

    return count
