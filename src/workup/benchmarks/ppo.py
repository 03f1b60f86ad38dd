"""What masked PPO reaches in a given time: every seed of both presets, against the best planner on the same patients."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, TypedDict

import numpy as np
from numpy.typing import NDArray

from workup.agents.base import Agent
from workup.agents.learned.ppo.training import Settings, train
from workup.agents.planning import State, presentations
from workup.agents.planning.expected import ExpectedChange
from workup.agents.registry import make_agent
from workup.benchmarks.runner import Cell, Done, Progress, Tell, run
from workup.benchmarks.worlds import world_of_cell
from workup.envs.compile.recorded import population_of
from workup.envs.engine.cases import futures
from workup.envs.model.cases import Cases
from workup.envs.model.population import Population
from workup.envs.model.world import World
from workup.envs.records.run import run_journeys
from workup.errors import WorkupError
from workup.evaluation.optimum import Bookkeeper
from workup.evaluation.worth import value_gbp
from workup.statistics import IntervalJson, Name, Resampled, bootstrap, finite

PRESETS = ("belief", "raw")
BASELINE, OPTIMUM = "voi", "optimum"


class Scores(TypedDict):
    """What one policy gains over V0, pounds per patient, and which share of the optimum's gain that is."""

    gain: IntervalJson
    captured: IntervalJson
    captured_of_upper: IntervalJson


class Run(Scores):
    """One policy that was trained."""

    seed: int
    steps: int
    seconds: float
    share_of_voi: IntervalJson
    minus_voi: IntervalJson


class OfPreset(TypedDict):
    """The runs of a preset, and medians of their means; None as soon as one of them is."""

    runs: list[Run]
    median_gain: float | None
    median_captured: float | None
    median_captured_of_upper: float | None
    median_share_of_voi: float | None


class PpoBench(TypedDict):
    """What `workup bench ppo --json` writes."""

    scenario: str
    digest: str
    patients: int
    draws: int
    seed: int
    training_seconds: float
    presets: dict[str, OfPreset]
    voi: Scores
    optimum: dict[str, IntervalJson] | None
    """gain (certified), upper gain and gap; None if not asked for or refused."""
    refusal: str | None


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What is compared on whom."""

    seeds: Sequence[int] = (0, 1, 2, 3, 4)
    """Of the runs."""
    presets: Sequence[str] = PRESETS
    """What the policies observe."""
    seconds: float = 115.0
    """Wall-clock training time of each run."""
    patients: int = 300
    """Whose presentations all are compared on; training and validation draw others."""
    draws: int = 100
    """How often each patient is met; what is unknown at the presentation is drawn again each time. The optimum is
    certified as an expectation given the presentation; so this much less noise is set against it."""
    seed: int = 0
    """Of these patients."""
    bounds: bool = True
    """Whether to ask the planner what was possible for them; without, `voi` is the only yardstick."""
    settings: Settings = field(default_factory=Settings)
    """Hyperparameters."""

    def cells(self, world: World) -> list[Cell]:
        """The baseline, every policy and, if asked for, the optimum."""
        make = partial(Cell, world.scenario.id, world.scenario.digest)
        met = {"patients": self.patients, "patients_seed": self.seed}
        compared = met | {"draws": self.draws}
        trained = compared | {"seconds": self.seconds, "hyperparameters": asdict(self.settings)}
        return [
            make(BASELINE, compared),
            *(make(f"ppo-{preset}", trained, seed) for preset in self.presets for seed in self.seeds),
            *([make(OPTIMUM, met)] if self.bounds else []),
        ]


def bench_ppo(
    scenario: str, plan: Plan, *, out: Path, workers: int = 1, progress: Progress = lambda _: None
) -> PpoBench:
    """Train one policy for each preset and seed, then compare all of them on the same presentations.

    Args:
        scenario: an id or a path.
        plan: what is compared on whom.
        out: where cells and, in `<preset>-<seed>`, the policies are kept: called again with the same plan, what is
            finished is not done again and the training that was interrupted goes on.
        workers: processes; runs that are trained side by side share the machine, and see fewer steps.
        progress: of the cells.

    Returns:
        Intervals are 95%, by bootstrap over patients.
    """
    world = population_of(scenario).world
    done = run(
        plan.cells(world), partial(_measure, where=scenario, out=out), folder=out, workers=workers, progress=progress
    )
    gains = {each.cell.id: np.array(each.result["gain"], np.float64) for each in done if "gain" in each.result}
    asked: Mapping[str, Any] = done[-1].result if plan.bounds else {"refusal": "not asked for"}
    refusal = asked.get("refusal")
    bounds = None if refusal else asked
    voi = done[0].cell.id
    resampled = bootstrap(_columns(gains, voi, bounds), seed=plan.seed)
    return {
        "scenario": world.scenario.id,
        "digest": world.scenario.digest,
        "patients": plan.patients,
        "draws": plan.draws,
        "seed": plan.seed,
        "training_seconds": plan.seconds,
        "presets": {
            preset: _of_preset([each for each in done if each.cell.agent == f"ppo-{preset}"], resampled, voi, bounds)
            for preset in plan.presets
        },
        "voi": _scores(voi, resampled, bounds),
        "optimum": None
        if bounds is None
        else {name: resampled.mean(("bounds", name)).as_json() for name in ("gain", "upper gain", "gap")},
        "refusal": refusal,
    }


def _measure(cell: Cell, tell: Tell, *, where: str, out: Path) -> dict[str, Any]:
    """`gain`: one a patient; of a policy its steps and seconds too; of the optimum the bounds, or why it is unknown."""
    world = world_of_cell(where, cell)
    if cell.agent == OPTIMUM:
        return _bounds(world, cell.settings, tell)
    if cell.agent == BASELINE:
        return {"gain": _gains(world, make_agent(BASELINE, world), cell.settings, tell)}
    preset, asked = cell.agent.removeprefix("ppo-"), cell.settings["hyperparameters"]
    assert cell.seed is not None
    trained = train(
        world,
        out=out / f"{preset}-{cell.seed}",
        preset=preset,  # type: ignore[arg-type]
        seed=cell.seed,
        seconds=cell.settings["seconds"],
        settings=Settings(**asked | {"layers": tuple(asked["layers"])}),
        progress=lambda share, _: tell(f"training, {share:.0%}"),
    )
    gain, last = _gains(world, trained.agent, cell.settings, tell), trained.curve[-1]
    return {"gain": gain, "steps": last.steps, "seconds": last.seconds}


def _bounds(world: World, settings: Mapping[str, Any], tell: Tell) -> dict[str, Any]:
    keeper, solved = Bookkeeper(world), 0
    patients, seed = settings["patients"], settings["patients_seed"]
    to_plan = keeper.to_plan(patients=patients, seed=seed)

    def count(more: int) -> None:
        nonlocal solved
        solved += more
        tell(f"planning, {solved:,} of {to_plan:,} presentations solved")

    known, refusal = keeper.bounds(patients=patients, seed=seed, progress=count)
    if known is None:
        return {"refusal": refusal}
    return {name: [finite(each) for each in getattr(known, name)] for name in ("v0", "lower", "upper")}


def _gains(world: World, agent: Agent, settings: Mapping[str, Any], tell: Tell) -> list[float | None]:
    """Mean gain over V0 of each patient."""
    patients, draws, seed = (settings[name] for name in ("patients", "draws", "patients_seed"))
    v0, states = presentations(world, np.arange(patients), seed)
    cases = None if draws == 1 else _drawn_again(world, [states[row] for row in sorted(states)], patients, draws, seed)
    journeys = run_journeys(
        Population(world, cases),
        agent,
        patients=np.arange(patients * draws),
        seed=seed,
        expectation=ExpectedChange(world).of,
        progress=lambda done: tell(f"journeys, {done / (patients * draws):.0%}"),
    )
    return [finite(gain) for gain in value_gbp(journeys).reshape(draws, patients).mean(axis=0) - v0]


def _drawn_again(world: World, states: Sequence[State], patients: int, draws: int, seed: int) -> Cases:
    if len(states) < patients:
        raise WorkupError(
            f"{patients - len(states)} of {patients} patients never got through history and examination; use --draws 1"
        )
    try:
        return futures(
            world,
            values=np.stack([state.values for state in states]),
            status=np.stack([state.status for state in states]),
            failures=np.stack([state.failures for state in states]),
            treated=np.stack([state.treated for state in states]),
            draws=draws,
            seed=seed,
        )
    except WorkupError as error:
        raise WorkupError(f"{error}. Meet each patient once: --draws 1") from error


def _columns(
    gains: Mapping[str, NDArray[np.float64]], voi: str, bounds: Mapping[str, Any] | None
) -> dict[Name, NDArray[np.float64]]:
    found: dict[Name, NDArray[np.float64]] = {("gain", name): gain for name, gain in gains.items()}
    found |= {("minus voi", name): gain - gains[voi] for name, gain in gains.items()}
    if bounds is not None:
        v0, lower, upper = (np.array(bounds[name], np.float64) for name in ("v0", "lower", "upper"))
        found |= {
            ("bounds", "gain"): lower - v0,
            ("bounds", "upper gain"): upper - v0,
            ("bounds", "gap"): upper - lower,
        }
    return found


def _of_preset(done: Sequence[Done], resampled: Resampled, voi: str, bounds: Mapping[str, Any] | None) -> OfPreset:
    each: list[Run] = [
        {
            "seed": run.cell.seed or 0,
            "steps": run.result["steps"],
            "seconds": run.result["seconds"],
            **_scores(run.cell.id, resampled, bounds),
            "share_of_voi": resampled.ratio(("gain", run.cell.id), ("gain", voi)).as_json(),
            "minus_voi": resampled.mean(("minus voi", run.cell.id)).as_json(),
        }
        for run in done
    ]
    return {
        "runs": each,
        "median_gain": _median([run["gain"]["mean"] for run in each]),
        "median_captured": _median([run["captured"]["mean"] for run in each]),
        "median_captured_of_upper": _median([run["captured_of_upper"]["mean"] for run in each]),
        "median_share_of_voi": _median([run["share_of_voi"]["mean"] for run in each]),
    }


def _scores(name: str, resampled: Resampled, bounds: Mapping[str, Any] | None) -> Scores:
    gain: Name = ("gain", name)
    unknown: IntervalJson = {"mean": None, "low": None, "high": None}
    known = bounds is not None
    return {
        "gain": resampled.mean(gain).as_json(),
        "captured": resampled.ratio(gain, ("bounds", "gain")).as_json() if known else unknown,
        "captured_of_upper": resampled.ratio(gain, ("bounds", "upper gain")).as_json() if known else unknown,
    }


def _median(values: Sequence[float | None]) -> float | None:
    """None as soon as one of them is."""
    known = [value for value in values if value is not None]
    return statistics.median(known) if known and len(known) == len(values) else None
