"""The command that measures the scenarios side by side."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from workup.cli.benchmarks import Runs, Workers
from workup.cli.terminal import DISCLAIMER, JsonFile, Seed, cells, console, table, write_json
from workup.errors import WorkupError
from workup.files import write_whole

if TYPE_CHECKING:
    from workup.benchmarks.library import LibraryBench


def library(
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FILE", help="Write the page that compares them.")
    ] = None,
    scenarios: Annotated[str, typer.Option("--scenarios", metavar="A,B", help="Only these; all by default.")] = "",
    patients: Annotated[
        int, typer.Option("--patients", min=0, help="On whom agents are compared; 0: only what can be counted.")
    ] = 300,
    seed: Seed = 0,
    seconds: Annotated[float, typer.Option("--seconds", min=0.1, help="CPU seconds for the steps of each.")] = 6.0,
    runs: Runs = Path("runs/library"),
    workers: Workers = 1,
    unplanned: Annotated[
        str,
        typer.Option("--unplanned", metavar="A,B", help="Scenarios whose optimum is not worked out: it takes hours."),
    ] = "",
    json_file: JsonFile = None,
) -> None:
    """Every scenario: size, speed, optimum, best fixed order, guideline, and each published figure against the model's."""
    from workup.benchmarks.library import bench_library
    from workup.benchmarks.library_page import page

    chosen = _words(scenarios)
    if chosen and out is not None and out.is_file():
        raise WorkupError(
            f"{out} would lose the rows of other scenarios; leave --scenarios out (what was measured before is not "
            "measured again), or write another file"
        )
    with cells(runs) as show:
        result = bench_library(
            chosen,
            runs=runs,
            patients=patients,
            seed=seed,
            seconds=seconds,
            workers=workers,
            unplanned=_words(unplanned),
            progress=show,
        )
    _show_library(result)
    console().print(f"[dim]{DISCLAIMER}[/dim]")
    if out is not None:
        write_whole(out, page(result))
    write_json(json_file, result)


def _show_library(result: LibraryBench) -> None:
    rows = table("scenario", "compiled", "linted", "steps", "V0", "guideline", "fixed order", "optimum", "gain (95%)")
    for name, record in result["scenarios"].items():
        fast, worth = record.get("speed"), record.get("worth")
        if fast is None or worth is None:
            rows.add_row(name, *["–"] * 8)
            continue
        best, gain = worth["optimum"], worth["over_fixed"].get("optimum")
        rows.add_row(
            name,
            f"{fast['compile_s']:.2f} s",
            f"{fast['lint_s']:.2f} s",
            f"{fast['ratio']:.0f} ×",
            f"{worth['v0']:,.0f}",
            *(f"{worth['agents'][agent]['mean']:,.0f}" for agent in ("guideline", "fixed")),
            "unknown" if best is None else f"{best['lower']:,.0f} to {best['upper']:,.0f}",
            "–" if gain is None else "{mean:,.1f} ({low:,.1f} to {high:,.1f})".format(**gain),
        )
    console().print(rows)


def _words(text: str) -> list[str]:
    return [word.strip() for word in text.split(",") if word.strip()]
