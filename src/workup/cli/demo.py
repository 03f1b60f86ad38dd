"""The main job in one command."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from workup.cli.agents import show_evaluation
from workup.cli.terminal import Seed, console, progress, say_what_this_is, shown_on, write_json


def demo(
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="Where everything goes.")] = Path("runs/demo"),
    seed: Seed = 0,
    seconds: Annotated[float, typer.Option("--seconds", min=1, help="Wall-clock time to train for.")] = 60.0,
) -> None:
    """Train on weight loss, evaluate every agent, check the vignettes, write the report, say where it is.

    Killed, it goes on where it stopped when run again with the same DIR.
    """
    from workup.agents.learned.ppo.learner import ppo_training
    from workup.cli.demonstration import run

    ppo_training()  # says so at once if the packages for training are missing
    with progress() as display:
        found = run("weight_loss", out=out, seed=seed, seconds=seconds, progress=shown_on(display))
    show_evaluation(found.evaluation)
    for check in found.checks:
        passed = [vignette.id for vignette in check.vignettes if vignette.passed]
        failed = [vignette.id for vignette in check.vignettes if not vignette.passed]
        console().print(f"{check.agent}: vignettes passed {_listed(passed)}; failed {_listed(failed)}")
    write_json(out / "evaluation.json", found.evaluation.as_json())
    write_json(out / "checks.json", {check.agent: check.as_json() for check in found.checks})
    console().print(f"Policy:  {escape(str((out / 'ppo').resolve()))}")
    console().print(f"Report:  [bold]{escape(str(found.report.resolve()))}[/bold]")
    say_what_this_is(found.scenario)


def _listed(names: list[str]) -> str:
    return ", ".join(names) or "none"
