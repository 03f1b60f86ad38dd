"""The command that lints altered scenarios."""

from __future__ import annotations

from collections import Counter
from typing import Annotated

import typer
from rich.markup import escape

from workup.cli.terminal import JsonFile, console, progress, write_json


def lint(
    altered: Annotated[int, typer.Option(min=1, help="How many alterations of shipped scenarios.")] = 200,
    seed: Annotated[int, typer.Option(min=0, help="The same seed gives the same alterations.")] = 0,
    json_file: JsonFile = None,
) -> None:
    """Lint shipped scenarios altered by chance. Exit status 1 if one ends in a traceback or takes over two seconds."""
    from workup.benchmarks.altered import SLOW_S, lint_altered

    with progress() as display:
        task = display.add_task("altered scenarios linted", total=altered)
        answers = lint_altered(altered, seed, lambda: display.advance(task))
    failed = [answer for answer in answers if not answer.sound]
    for answer in failed:
        found = answer.traceback or f"answered after {answer.seconds:.1f} s"
        console().print(escape(f"{answer.scenario}, {answer.way}, number {answer.number} of seed {seed}: {found}"))
    clean = sum(answer.faults == 0 and not answer.traceback for answer in answers)
    raised = sum(bool(answer.traceback) for answer in answers)
    slowest = max(answer.seconds for answer in answers)
    console().print(
        f"{altered} altered scenarios: {clean} without a fault, {raised} tracebacks, {len(failed) - raised} answers over "
        f"{SLOW_S:g} s; the slowest took {slowest:.2f} s"
    )
    ways = Counter(answer.way for answer in answers)
    listed = [
        {"scenario": a.scenario, "way": a.way, "number": a.number, "seconds": a.seconds, "traceback": a.traceback}
        for a in failed
    ]
    write_json(
        json_file,
        {"altered": altered, "seed": seed, "ways": ways, "clean": clean, "slowest_s": slowest, "failed": listed},
    )
    if failed:
        raise typer.Exit(1)
