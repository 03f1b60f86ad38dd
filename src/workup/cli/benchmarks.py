"""Benchmarks: speed against CartPole in the same run, and what the learner reaches."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer
from rich.markup import escape

from workup.cli.terminal import (
    JsonFile,
    cells,
    console,
    load_world,
    say_what_this_is,
    table,
    warnings,
    write_json,
)
from workup.errors import WorkupError
from workup.wording import CERTIFIED

if TYPE_CHECKING:
    from workup.benchmarks.ppo import PpoBench, Scores


class View(StrEnum):
    """What the agent is shown; `belief` holds the exact posterior."""

    RAW = "raw"
    BELIEF = "belief"


Workers = Annotated[
    int,
    typer.Option("--workers", min=1, help="Processes at once; each has less of the machine, so what is timed suffers."),
]

Runs = Annotated[
    Path, typer.Option("--runs", metavar="DIR", help="Finished parts are kept here; called again, it goes on.")
]


def speed(
    scenario: Annotated[
        str, typer.Option("--scenario", metavar="ID", help="One that comes with workup; with --against also 'all'.")
    ] = "weight_loss",
    view: Annotated[
        View | None, typer.Option("--view", help="What is observed; raw, or with --against both, unless it is said.")
    ] = None,
    learning: Annotated[
        bool, typer.Option("--learning", help="Also the environment's share of MaskablePPO.learn.")
    ] = False,
    against: Annotated[
        str | None,
        typer.Option("--against", metavar="COMMIT", help="Relative to a commit of this repository, not to CartPole."),
    ] = None,
    rounds: Annotated[int, typer.Option("--rounds", min=1, help="With --against: of each, in turn.")] = 5,
    seconds: Annotated[
        float, typer.Option("--seconds", min=0.01, help="With --against: CPU seconds of a round.")
    ] = 0.4,
    runs: Runs = Path("runs/speed"),
    json_file: JsonFile = None,
) -> None:
    """Steps per CPU second of a whole scenario, relative to gym.make("CartPole-v1") or to an earlier commit."""
    if against is not None:
        from workup.cli.bench_against import compare

        if learning:
            raise WorkupError("--learning measures this code alone; leave it out, or --against")
        compare(against, scenario, view and view.value, rounds=rounds, seconds=seconds, runs=runs, json_file=json_file)
        return
    from workup.benchmarks.speed import learning_share
    from workup.benchmarks.speed import speed as measure

    shown = View.RAW if view is None else view
    if learning:
        from workup.agents.learned.ppo.learner import ppo_training

        ppo_training()  # says what to install where its packages are missing
    result = measure(scenario, shown.value)
    if learning:
        result["learning"] = learning_share(scenario, view=shown.value)
    for size, ratio in result["ratios"].items():
        console().print(f"{size:>5} environments: {ratio:8.2f} × CartPole")
    console().print(f"CartPole: {result['cartpole_steps_per_cpu_s']:,.0f} steps per CPU second")
    for size, megabytes in result["memory_mb"].items():
        console().print(f"{size:>5} environments hold {megabytes:.1f} MB")
    if learning:
        console().print(f"share of MaskablePPO.learn at 1,024 environments: {result['learning']['share']:.1%}")
    write_json(json_file, result)


def start(
    scenarios: Annotated[str, typer.Option("--scenarios", metavar="A,B", help="Ids; all if empty.")] = "",
    json_file: JsonFile = None,
) -> None:
    """CPU seconds of starting, of opening an environment and of comparing agents, kernels compiled before."""
    from workup.benchmarks.start import bench_start
    from workup.envs.views.registration import scenario_folders

    names = [name.strip() for name in scenarios.split(",") if name.strip()] or scenario_folders()
    result = bench_start(names, progress=lambda what: warnings().print(escape(what)))
    for what, seconds in result["started_s"].items():
        console().print(f"{what}: {seconds:.2f} CPU s")
    listed = table("scenario", "make + reset", "whole process", "none, all, random, guideline", "voi")
    for name in names:
        opened, compared = result["opened"][name], result["compared"][name]
        spent = (opened["make_and_reset_s"], opened["process_s"], compared["baselines_s"], compared["voi_s"])
        listed.add_row(name, *(f"{each:.2f}" for each in spent))
    console().print(listed)
    console().print(f"CPU seconds, best of {result['repeats']}; agents met {result['patients']:,} patients, once")
    write_json(json_file, result)


def planner(
    investigations: Annotated[int, typer.Option(min=1, help="How many can be ordered.")] = 12,
    results: Annotated[int, typer.Option(min=2, help="Of each investigation.")] = 3,
    conditions: Annotated[int, typer.Option(min=2, help="To tell apart.")] = 8,
    json_file: JsonFile = None,
) -> None:
    """Seconds and memory of the exact planner on a generated problem."""
    from workup.benchmarks.planner import planner as measure

    result = measure(investigations, results, conditions)
    console().print(
        f"{result['states']:,} information states: {result['cpu_s']:.1f} CPU seconds, {result['peak_mb']:,.0f} MB at most; "
        f"value {result['value']:.4f} GBP (a brief search: {result['lower']:.1f} to {result['upper']:.1f})"
    )
    write_json(json_file, result)


def ppo(
    out: Annotated[
        Path, typer.Option("--out", metavar="DIR", help="Where the runs are kept; called again, it goes on.")
    ] = Path("runs/ppo"),
    scenario: Annotated[str, typer.Option("--scenario", metavar="ID", help="A scenario's id or path.")] = "weight_loss",
    seeds: Annotated[int, typer.Option("--seeds", min=1, help="How many runs of each preset.")] = 5,
    presets: Annotated[str, typer.Option("--presets", metavar="A,B", help="What the policies observe.")] = "belief,raw",
    seconds: Annotated[float, typer.Option("--seconds", min=1, help="Wall-clock training time of each run.")] = 115.0,
    patients: Annotated[int, typer.Option("--patients", min=1, help="Whose presentations all are compared on.")] = 300,
    draws: Annotated[int, typer.Option("--draws", min=1, help="How often each patient is met.")] = 100,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Of these patients.")] = 0,
    bounds: Annotated[bool, typer.Option(help="Ask the planner what was possible for these patients.")] = True,
    workers: Workers = 1,
    json_file: JsonFile = None,
) -> None:
    """What masked PPO reaches in a given time, every seed, against the best planner on the same patients."""
    from workup.agents.learned.ppo.learner import ppo_training

    ppo_training()  # says what to install where its packages are missing
    from workup.benchmarks.ppo import PRESETS, Plan, bench_ppo

    chosen = [preset.strip() for preset in presets.split(",")]
    if not set(chosen) <= set(PRESETS) or len(set(chosen)) != len(chosen):
        raise WorkupError(
            f"--presets is {presets!r}; expected one or both of {', '.join(PRESETS)}, with a comma between"
        )
    plan = Plan(
        seeds=range(seeds), presets=chosen, seconds=seconds, patients=patients, draws=draws, seed=seed, bounds=bounds
    )
    world = load_world(scenario)
    with cells(out) as show:
        result = bench_ppo(scenario, plan, out=out, workers=workers, progress=show)
    _show_ppo(result)
    say_what_this_is(world.scenario)
    write_json(json_file, result)


def imports(
    networks: Annotated[
        str,
        typer.Option("--networks", metavar="FILE=TARGET:A+B,...", help="Networks to ask, and to make environments of."),
    ] = "",
    ddxplus: Annotated[Path | None, typer.Option("--ddxplus", metavar="DIR", help="With the release's JSON.")] = None,
    patients: Annotated[Path | None, typer.Option("--patients", metavar="FILE", help="The release's patients.")] = None,
    folders: Annotated[str, typer.Option("--folders", metavar="A,B", help="Environments imported before.")] = "",
    rows: Annotated[int, typer.Option(min=100, help="Of the generated table.")] = 100_000,
    columns: Annotated[int, typer.Option(min=3, help="Of the generated table.")] = 50,
    seconds: Annotated[float, typer.Option(min=0.1, help="CPU seconds for the steps of each.")] = 2.0,
    runs: Runs = Path("runs/imports"),
    json_file: JsonFile = None,
) -> None:
    """Posteriors of networks, steps of imported environments against CartPole, and import of a large table."""
    from workup.benchmarks.imports import bench_imports

    if (ddxplus is None) != (patients is None):
        raise WorkupError("--ddxplus and --patients name the two parts of one release; give both or neither")
    release = None if ddxplus is None or patients is None else (ddxplus, patients)
    pairs = [word.strip().partition("=") for word in networks.split(",") if word.strip()]
    with cells(runs) as show:
        result = bench_imports(
            [(Path(file), target) for file, _, target in pairs],
            runs=runs,
            ddxplus=release,
            folders=_folders(folders),
            rows=rows,
            columns=columns,
            seconds=seconds,
            progress=show,
        )
    for name, ms in result["posterior_ms"].items():
        console().print(
            f"{escape(name)}: a posterior in {ms['median']:.2f} ms (median), {ms['p95']:.2f} (95 of 100), {ms['max']:.2f} (most), "
            f"{ms['queries']:.0f} queries"
        )
    console().print(f"table of {rows:,} rows and {columns} columns: imported in {result['import_s']:.2f} s")
    for rates in (result["steps_4096"], result.get("steps_1024", {})):
        for name, rate in rates.items():
            console().print(
                f"{escape(name)}, {rate['num_envs']:,.0f}: {rate['steps_per_cpu_s']:,.0f} steps per CPU second, "
                f"{rate['ratio']:.1f} × CartPole"
            )
    write_json(json_file, result)


def _folders(words: str) -> list[Path]:
    return [Path(word.strip()) for word in words.split(",") if word.strip()]


def tables(
    folders: Annotated[str, typer.Option("--folders", metavar="A,B", help="What `workup import-table` wrote.")],
    out: Annotated[
        Path, typer.Option("--out", metavar="DIR", help="Where the runs are kept; called again, it goes on.")
    ] = Path("runs/tables"),
    seeds: Annotated[int, typer.Option("--seeds", min=0, help="How many runs of masked PPO; 0: none.")] = 3,
    seconds: Annotated[float, typer.Option("--seconds", min=1, help="Wall-clock training time of each run.")] = 60.0,
    workers: Workers = 1,
    json_file: JsonFile = None,
) -> None:
    """References, tuned fixed order, cost-sensitive tree and masked PPO on imported tables: accuracy against money."""
    from workup.benchmarks.tables import bench_tables

    if seeds:
        from workup.agents.learned.ppo.learner import ppo_training

        ppo_training()  # says what to install where its packages are missing
    with cells(out) as show:
        result = bench_tables(
            _folders(folders), out=out, seeds=range(seeds), seconds=seconds, workers=workers, progress=show
        )
    for name, found in result.items():
        console().print(
            f"{escape(name)}: {found['train']:,} training and {found['test']:,} test patients; the commonest class is "
            f"{found['commonest']:.1%} of these\n"
        )
        listed = table("agent", "money lost (95%)", "of which tests", "tests", "right (95%)")
        for agent, scores in found["agents"].items():
            worth = scores["value"]
            lost = [None if end is None else -end for end in (worth["mean"], worth["high"], worth["low"])]
            right = (scores["accuracy"][name] for name in ENDS)
            means = (scores[name]["mean"] for name in ("cost", "tests"))
            listed.add_row(
                agent, _spread(lost, "{:.2f}"), *(_spread([mean], "{:.2f}") for mean in means), _spread(right, "{:.1%}")
            )
        console().print(listed)
        console().print()
    write_json(json_file, result)


def _show_ppo(result: PpoBench) -> None:
    rows = table("run", "steps", "gain (95%)", "captured (95%)", "of upper", "of voi's gain")
    for preset, found in result["presets"].items():
        for run in found["runs"]:
            rows.add_row(
                f"{preset}, seed {run['seed']}",
                f"{run['steps']:,}",
                *_ppo_row(run),
                _percent(run["share_of_voi"]["mean"]),
            )
        shares = (found["median_captured"], found["median_captured_of_upper"], found["median_share_of_voi"])
        rows.add_row(f"{preset}, median", "", f"{found['median_gain']:.1f}", *map(_percent, shares))
    rows.add_row("voi", "", *_ppo_row(result["voi"]), "")
    console().print(
        f"{result['scenario']}: {result['patients']:,} patients, seed {result['seed']}, each met {result['draws']} times; "
        "pounds per patient\n"
    )
    console().print(rows)
    if result["optimum"] is None:
        console().print(f"\noptimum: unknown; {escape(result['refusal'] or '')}")
    else:
        certified, upper = (
            _spread((result["optimum"][name][end] for end in ENDS), "{:.1f}") for name in ("gain", "upper gain")
        )
        console().print(f"\noptimum: gain {certified}, {CERTIFIED}; upper bound {upper}")


def _ppo_row(scores: Scores) -> list[str]:
    return [
        _spread((scores["gain"][end] for end in ENDS), "{:.1f}"),
        _spread((scores["captured"][end] for end in ENDS), "{:.1%}"),
        _percent(scores["captured_of_upper"]["mean"]),
    ]


ENDS: tuple[Literal["mean", "low", "high"], ...] = ("mean", "low", "high")


def _spread(ends: Iterable[float | None], form: str) -> str:
    """The mean and, if they are given and known, the ends of its interval."""
    mean, *rest = ("–" if end is None else form.format(end) for end in ends)
    return f"{mean} ({' to '.join(rest)})" if rest and "–" not in rest else mean


def _percent(share: float | None) -> str:
    return _spread([share], "{:.1%}")
