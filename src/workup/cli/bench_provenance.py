"""The command that says where the figures that weigh most come from."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from workup.cli.benchmarks import Runs, Workers
from workup.cli.terminal import DISCLAIMER, JsonFile, Seed, cells, console, write_json
from workup.files import write_whole


def provenance(
    scenarios: Annotated[str, typer.Option("--scenarios", metavar="A,B", help="Only these; all by default.")] = "",
    patients: Annotated[
        int, typer.Option("--patients", min=2, help="Whose situations figures are looked at in.")
    ] = 100,
    seed: Seed = 0,
    heaviest: Annotated[int, typer.Option("--heaviest", min=1, help="How many figures of each scenario.")] = 20,
    named: Annotated[
        Path | None,
        typer.Option("--named", metavar="FILE", help="An earlier --json: what became of the figures it named."),
    ] = None,
    runs: Runs = Path("runs/provenance"),
    workers: Workers = 1,
    out: Annotated[Path | None, typer.Option("--out", metavar="FILE.md", help="Write the table as Markdown.")] = None,
    json_file: JsonFile = None,
) -> None:
    """Of each scenario's heaviest figures: how many were seen, computed from what was, searched for, or are open."""
    from workup.benchmarks.provenance import bench_provenance, markdown, share

    with cells(runs) as show:
        result = bench_provenance(
            [word.strip() for word in scenarios.split(",") if word.strip()],
            runs=runs,
            patients=patients,
            seed=seed,
            most=heaviest,
            named=named,
            workers=workers,
            progress=show,
        )
    console().print(escape(markdown(result)))
    every = [of["every"] for of in result["scenarios"].values()]
    total = {kind: sum(of[kind] for of in every) for kind in every[0]} if every else {}
    console().print(
        f"{sum(total.values()):,} figures: {share(total, 'seen'):.1%} seen, {share(total, 'seen', 'computed'):.1%} seen or computed"
    )
    console().print(f"[dim]{DISCLAIMER}[/dim]")
    if out is not None:
        write_whole(out, markdown(result))
    write_json(json_file, result)
