"""The command that splits what guidelines gain."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from workup.cli.terminal import DISCLAIMER, JsonFile, Seed, console, progress, write_json
from workup.files import write_whole


def guideline(
    scenarios: Annotated[str, typer.Option("--scenarios", metavar="A,B", help="Only these; all by default.")] = "",
    patients: Annotated[int, typer.Option("--patients", min=2, help="How many patients.")] = 2000,
    seed: Seed = 0,
    out: Annotated[Path | None, typer.Option("--out", metavar="FILE.md", help="Write the table.")] = None,
    json_file: JsonFile = None,
) -> None:
    """What each guideline gains over deciding at once: by its tests, by its decisions, and which rules lose most."""
    from workup.benchmarks.guideline import bench_guideline, markdown
    from workup.scenarios.language.library import shipped_scenarios

    chosen = [word.strip() for word in scenarios.split(",") if word.strip()]
    with progress() as display:
        task = display.add_task("guidelines", total=len(chosen or shipped_scenarios()))
        found = bench_guideline(chosen, patients=patients, seed=seed, progress=lambda _: display.advance(task))
    lines = markdown(found)
    for line in lines:
        console().print(escape(line), soft_wrap=True)
    console().print(
        f"{patients:,} patients of seed {seed}; pounds per patient, 95% intervals, luck taken off. Tests: the best allowed decision after "
        "the guideline's orders, less V0. Endings: its own decision less that. A rule's loss: per patient, all counted."
    )
    console().print(f"[dim]{DISCLAIMER}[/dim]")
    if out is not None:
        write_whole(out, "\n".join(lines) + "\n")
    write_json(json_file, {"patients": patients, "seed": seed, "scenarios": [each.as_json() for each in found]})
