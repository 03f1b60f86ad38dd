"""What masked PPO reaches in a given time: every seed of both presets, against the best planner on the same patients."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from workup.agents.base import Agent
from workup.agents.ppo.training import CurvePoint, Settings, train
from workup.agents.registry import make_agent
from workup.envs.world import World
from workup.evaluate import AgentScore, Evaluation, run_agents, score
from workup.optimum import Bookkeeper
from workup.statistics import finite

PRESETS = ("belief", "raw")
BASELINES = ("none", "voi")

Progress = Callable[[str, float], None]
"""Told what is being done, and the share of it done."""


def bench_ppo(
    world: World,
    *,
    out: Path,
    seeds: Sequence[int] = (0, 1, 2, 3, 4),
    presets: Sequence[str] = PRESETS,
    seconds: float = 115.0,
    patients: int = 2000,
    seed: int = 1,
    bounds: bool = True,
    settings: Settings | None = None,
    progress: Progress = lambda _, __: None,
) -> dict[str, Any]:
    """Train one policy for each preset and seed, then compare all of them on the same patients.

    Runs are kept in `out/<preset>-<seed>`: called again with the same arguments, finished ones are not trained again and
    the one that was interrupted goes on.

    Args:
        world: the scenario, compiled.
        out: where the runs are kept.
        seeds: of the runs.
        presets: what the policies observe.
        seconds: wall-clock training time of each run.
        patients: on which all are compared; training and validation draw others.
        seed: of these patients.
        bounds: whether to ask the planner what was possible for them; without, `voi` is the only yardstick.
        settings: hyperparameters.
        progress: see `Progress`.

    Returns:
        `presets` {preset: {"runs": [one a seed], "median_captured", "median_share_of_voi"}}, `baselines` and `optimum` in
        the shape of `workup evaluate`. Intervals are 95%, by bootstrap over patients.
    """
    runs: dict[str, tuple[str, int, CurvePoint]] = {}
    agents: dict[str, Agent] = {name: make_agent(name, world, seed=0) for name in BASELINES}
    for preset in presets:
        for run_seed in seeds:
            name = f"{preset}-{run_seed}"
            trained = train(
                world,
                out=out / name,
                preset=preset,  # type: ignore[arg-type]
                seed=run_seed,
                seconds=seconds,
                settings=settings,
                progress=lambda share, _, name=name: progress(f"training {name}", share),  # type: ignore[misc]
            )
            runs[name] = (preset, run_seed, trained.curve[-1])
            agents[name] = trained.agent
    journeys = run_agents(
        world, agents, patients=patients, seed=seed, progress=lambda name, done: progress(name, done / patients)
    )
    known, refusal = None, "not asked for"
    if bounds:
        keeper = Bookkeeper(world)
        solved = 0

        def count(more: int) -> None:
            nonlocal solved
            solved += more
            progress(f"planning: {solved:,} presentations solved", 0.0)

        known, why = keeper.bounds(patients=patients, seed=seed, progress=count)
        refusal = why or ""
    found = score(journeys, known, refusal=refusal)
    return _result(found, runs, seconds=seconds, presets=presets)


def _result(
    found: Evaluation, runs: dict[str, tuple[str, int, CurvePoint]], *, seconds: float, presets: Sequence[str]
) -> dict[str, Any]:
    voi = found.agents["voi"]
    by_preset = {}
    for preset in presets:
        each = [
            {
                "seed": run_seed,
                "steps": last.steps,
                "seconds": last.seconds,
                **_scores(found.agents[name]),
                "share_of_voi": finite(_share(found.agents[name], voi)),
                "minus_voi": found.minus(name, "voi").as_json(),
            }
            for name, (of, run_seed, last) in runs.items()
            if of == preset
        ]
        by_preset[preset] = {
            "runs": each,
            "median_gain": _median([run["gain"]["mean"] for run in each]),
            "median_captured": _median([run["captured"]["mean"] for run in each]),
            "median_captured_of_upper": _median([run["captured_of_upper"]["mean"] for run in each]),
            "median_share_of_voi": _median([run["share_of_voi"] for run in each]),
        }
    return {
        "scenario": found.scenario,
        "digest": found.digest,
        "patients": found.patients,
        "seed": found.seed,
        "training_seconds": seconds,
        "presets": by_preset,
        "baselines": {name: _scores(found.agents[name]) for name in BASELINES},
        "optimum": None if found.optimum is None else found.optimum.as_json(),
        "refusal": found.refusal,
    }


def _scores(agent: AgentScore) -> dict[str, Any]:
    return {name: getattr(agent, name).as_json() for name in ("value", "gain", "captured", "captured_of_upper")}


def _share(agent: AgentScore, of: AgentScore) -> float:
    return agent.gain.mean / of.gain.mean if of.gain.mean > 0 else float("nan")


def _median(values: Sequence[float | None]) -> float | None:
    """None as soon as one of them is."""
    known = [value for value in values if value is not None]
    return statistics.median(known) if known and len(known) == len(values) else None
