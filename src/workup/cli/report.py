"""The command that compares agents and writes a page about them."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from workup.cli.agents import AgentNames
from workup.cli.terminal import (
    Perspective,
    Rate,
    ScenarioId,
    Seed,
    console,
    load_population,
    progress,
    say_what_this_is,
    shown_on,
)
from workup.errors import WorkupError


def report(
    scenario: ScenarioId,
    agents: AgentNames,
    out: Annotated[Path, typer.Option("--out", metavar="FILE.html", help="The page.")],
    patients: Annotated[int, typer.Option("--patients", min=1, help="How many patients.")] = 300,
    seed: Seed = 0,
    optimum: Annotated[
        bool,
        typer.Option("--optimum", help="Also plan what was possible for these patients: minutes, where it is new."),
    ] = False,
    gbp_per_qaly: Rate = None,
    perspective: Perspective = None,
) -> None:
    """Compare agents and write a page about it: what each gains, what it orders first and for whom, and its common routes."""
    from workup.report.study import write_report

    names = [name.strip() for name in agents.split(",") if name.strip()]
    if len(set(names)) != len(names) or not names:
        raise WorkupError(f"--agents is {agents!r}; expected names with commas between them, each once")
    if out.suffix.lower() not in (".html", ".htm"):
        raise WorkupError(f"--out {out} is no web page; give a name that ends in .html")
    command = ["workup", "report", scenario, "--agents", ",".join(names), "--out", str(out)]
    command += ["--patients", str(patients), "--seed", str(seed), *(["--optimum"] if optimum else [])]
    command += ["--gbp-per-qaly", f"{gbp_per_qaly:g}"] if gbp_per_qaly is not None else []
    command += ["--perspective", perspective] if perspective is not None else []
    with progress() as display:
        write_report(
            scenario,
            names,
            out,
            patients=patients,
            seed=seed,
            optimum=optimum,
            gbp_per_qaly=gbp_per_qaly,
            perspective=perspective,
            command=shlex.join(command),
            progress=shown_on(display),
        )
    console().print(escape(str(out.resolve())))
    say_what_this_is(load_population(scenario, gbp_per_qaly, perspective).world.scenario)
