"""What masked PPO reaches in a given time: every seed of both presets, against the best planner on the same patients."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workup.agents.base import Agent
from workup.agents.learned.ppo.checkpoint import CurvePoint
from workup.agents.learned.ppo.training import Settings, train
from workup.agents.planning import PresentationBounds, State, presentations
from workup.agents.planning.expected import ExpectedChange
from workup.agents.registry import make_agent
from workup.envs.engine.cases import futures
from workup.envs.model.cases import Cases
from workup.envs.model.world import World
from workup.envs.records.run import run_journeys
from workup.errors import WorkupError
from workup.evaluation.optimum import Bookkeeper
from workup.evaluation.score import value_gbp
from workup.statistics import Name, Resampled, bootstrap

PRESETS = ("belief", "raw")
BASELINE = "voi"

Progress = Callable[[str, float], None]
"""Told what is being done, and the share of it done."""


def bench_ppo(
    world: World,
    *,
    out: Path,
    seeds: Sequence[int] = (0, 1, 2, 3, 4),
    presets: Sequence[str] = PRESETS,
    seconds: float = 115.0,
    patients: int = 300,
    draws: int = 100,
    seed: int = 0,
    bounds: bool = True,
    settings: Settings | None = None,
    progress: Progress = lambda _, __: None,
) -> dict[str, Any]:
    """Train one policy for each preset and seed, then compare all of them on the same presentations.

    Runs are kept in `out/<preset>-<seed>`: called again with the same arguments, finished ones are not trained again and
    the one that was interrupted goes on.

    Args:
        world: the scenario, compiled.
        out: where the runs are kept.
        seeds: of the runs.
        presets: what the policies observe.
        seconds: wall-clock training time of each run.
        patients: whose presentations all are compared on; training and validation draw others.
        draws: how often each patient is met; what is unknown at the presentation is drawn again each time. The
            optimum is certified as an expectation given the presentation; so this much less noise is set against it.
        seed: of these patients.
        bounds: whether to ask the planner what was possible for them; without, `voi` is the only yardstick.
        settings: hyperparameters.
        progress: see `Progress`.

    Returns:
        `presets` {preset: {"runs": [one a seed], "median_captured", "median_share_of_voi" ...}}, `voi` and `optimum`
        (None if not asked for or refused; then `refusal` says why). Intervals are 95%, by bootstrap over patients.
    """
    runs: dict[str, tuple[str, int, CurvePoint]] = {}
    agents: dict[str, Agent] = {BASELINE: make_agent(BASELINE, world)}
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
    known, refusal = _bounds(world, patients, seed, progress) if bounds else (None, "not asked for")
    gains = _gains(world, agents, patients=patients, draws=draws, seed=seed, progress=progress)
    resampled = bootstrap(_columns(gains, known), seed=seed)
    return {
        "scenario": world.scenario.id,
        "digest": world.scenario.digest,
        "patients": patients,
        "draws": draws,
        "seed": seed,
        "training_seconds": seconds,
        "presets": {preset: _of_preset(preset, runs, resampled, known is not None) for preset in presets},
        "voi": _scores("voi", resampled, known is not None),
        "optimum": None
        if known is None
        else {name: resampled.mean(("bounds", name)).as_json() for name in ("gain", "upper gain", "gap")},
        "refusal": refusal,
    }


def _bounds(world: World, patients: int, seed: int, progress: Progress) -> tuple[PresentationBounds | None, str | None]:
    solved = 0

    def count(more: int) -> None:
        nonlocal solved
        solved += more
        progress(f"planning: {solved:,} presentations solved", 0.0)

    return Bookkeeper(world).bounds(patients=patients, seed=seed, progress=count)


def _gains(
    world: World, agents: Mapping[str, Agent], *, patients: int, draws: int, seed: int, progress: Progress
) -> dict[str, NDArray[np.float64]]:
    """(patients,) mean gain of each agent over V0."""
    v0, states = presentations(world, np.arange(patients), seed)
    cases = None if draws == 1 else _drawn_again(world, [states[row] for row in sorted(states)], patients, draws, seed)
    found, expectation = {}, ExpectedChange(world).of
    for name, agent in agents.items():
        journeys = run_journeys(
            world,
            agent.act,
            agent=name,
            patients=np.arange(patients * draws),
            seed=seed,
            cases=cases,
            expectation=expectation,
            progress=lambda done, name=name: progress(f"journeys of {name}", done / (patients * draws)),  # type: ignore[misc]
        )
        found[name] = value_gbp(journeys).reshape(draws, patients).mean(axis=0) - v0
    return found


def _drawn_again(world: World, states: Sequence[State], patients: int, draws: int, seed: int) -> Cases:
    if len(states) < patients:
        raise WorkupError(
            f"{patients - len(states)} of {patients} patients never got through history and examination; use --draws 1"
        )
    return futures(
        world,
        values=np.stack([state.values for state in states]),
        status=np.stack([state.status for state in states]),
        failures=np.stack([state.failures for state in states]),
        treated=np.stack([state.treated for state in states]),
        draws=draws,
        seed=seed,
    )


def _columns(
    gains: Mapping[str, NDArray[np.float64]], bounds: PresentationBounds | None
) -> dict[Name, NDArray[np.float64]]:
    found: dict[Name, NDArray[np.float64]] = {("gain", name): gain for name, gain in gains.items()}
    found |= {("minus voi", name): gain - gains[BASELINE] for name, gain in gains.items()}
    if bounds is not None:
        found[("bounds", "gain")] = bounds.lower - bounds.v0
        found[("bounds", "upper gain")] = bounds.upper - bounds.v0
        found[("bounds", "gap")] = bounds.upper - bounds.lower
    return found


def _of_preset(
    preset: str, runs: Mapping[str, tuple[str, int, CurvePoint]], resampled: Resampled, bounded: bool
) -> dict[str, Any]:
    each = [
        {
            "seed": run_seed,
            "steps": last.steps,
            "seconds": last.seconds,
            **_scores(name, resampled, bounded),
            "share_of_voi": resampled.ratio(("gain", name), ("gain", BASELINE)).as_json(),
            "minus_voi": resampled.mean(("minus voi", name)).as_json(),
        }
        for name, (of, run_seed, last) in runs.items()
        if of == preset
    ]
    measures = ("gain", "captured", "captured_of_upper", "share_of_voi")
    return {"runs": each, **{f"median_{m}": _median([run[m]["mean"] for run in each]) for m in measures}}


def _scores(name: str, resampled: Resampled, bounded: bool) -> dict[str, Any]:
    gain: Name = ("gain", name)
    unknown = {"mean": None, "low": None, "high": None}
    return {
        "gain": resampled.mean(gain).as_json(),
        "captured": resampled.ratio(gain, ("bounds", "gain")).as_json() if bounded else unknown,
        "captured_of_upper": resampled.ratio(gain, ("bounds", "upper gain")).as_json() if bounded else unknown,
    }


def _median(values: Sequence[float | None]) -> float | None:
    """None as soon as one of them is."""
    known = [value for value in values if value is not None]
    return statistics.median(known) if known and len(known) == len(values) else None
