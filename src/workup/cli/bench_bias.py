"""The command that measures the laboratory of data-collection bias."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from workup.cli.benchmarks import Runs, Workers
from workup.cli.terminal import DISCLAIMER, JsonFile, Seed, cells, console, write_json
from workup.files import write_whole


def bias(
    parts: Annotated[
        str,
        typer.Option("--parts", metavar="A,B", help="Any of phenomena, propensities, cohort, library; all by default."),
    ] = "phenomena,propensities,cohort,library",
    patients: Annotated[int, typer.Option("--patients", min=1_000, help="Of each but the library's.")] = 1_000_000,
    library_patients: Annotated[
        int, typer.Option("--library-patients", min=100, help="Of each policy in a library scenario.")
    ] = 20_000,
    seed: Seed = 0,
    runs: Runs = Path("runs/bias"),
    workers: Workers = 1,
    out: Annotated[Path | None, typer.Option("--out", metavar="FILE.md", help="Write the tables as Markdown.")] = None,
    json_file: JsonFile = None,
) -> None:
    """Phenomena against their exact values, propensities against frequencies, what a cohort costs, and the library as found."""
    from workup.benchmarks.bias import bench_bias, markdown

    with cells(runs) as show:
        done = bench_bias(
            [word.strip() for word in parts.split(",") if word.strip()],
            patients=patients,
            library_patients=library_patients,
            seed=seed,
            runs=runs,
            workers=workers,
            progress=show,
        )
    lines = markdown(done)
    for line in lines:
        console().print(escape(line), soft_wrap=True)
    console().print(f"[dim]{DISCLAIMER}[/dim]")
    if out is not None:
        write_whole(out, "\n".join(lines) + "\n")
    write_json(json_file, {each.cell.id: dict(each.result) for each in done})
