"""The command that compares ways of fusion on scenarios of the library."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from workup.cli.benchmarks import Runs
from workup.cli.terminal import DISCLAIMER, JsonFile, cells, console, write_json

Names = Annotated[str, typer.Option(metavar="A,B", help="Only these; all if empty.")]


def fusion_library(
    parts: Annotated[
        str, typer.Option("--parts", metavar="A,B", help="headroom: what passing on loses; acquisition: who pays for what is seen.")
    ] = "headroom,acquisition",
    scenarios: Names = "",
    methods: Names = "",
    patients: Annotated[str, typer.Option("--patients", metavar="N,M", help="To learn from.")] = "2000",
    seeds: Annotated[int, typer.Option("--seeds", min=1, help="Trainings of each, on patients of their own.")] = 5,
    jobs: Annotated[int, typer.Option("--jobs", min=1, help="Processes at once.")] = 2,
    runs: Runs = Path("runs/fusion-library"),
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FILE.md", help="Tables, between the marks of a page.")
    ] = None,
    json_file: JsonFile = None,
) -> None:  # fmt: skip
    """What each way of passing on loses on complete records of the library, and what methods are worth that choose what to get.

    Killed, it goes on where it stopped when called again with the same --runs.
    """
    from workup.benchmarks.fusion_library import Asked, bench_fusion_library, markdown
    from workup.benchmarks.fusion_page import LIBRARY, write_tables
    from workup.errors import WorkupError

    def listed(words: str) -> tuple[str, ...]:
        return tuple(word.strip() for word in words.split(",") if word.strip())

    sizes = listed(patients)
    if not sizes or not all(size.isdecimal() and int(size) >= 20 for size in sizes):
        raise WorkupError(f"--patients {patients!r}; expected whole numbers from 20, such as 2000,8000")
    asked = Asked(listed(parts), listed(scenarios), listed(methods), tuple(map(int, sizes)), seeds)
    with cells(runs) as show:
        done = bench_fusion_library(asked, runs=runs, workers=jobs, progress=show)
    lines = markdown(done)
    for line in lines:
        console().print(escape(line), soft_wrap=True)
    console().print(f"[dim]{DISCLAIMER}[/dim]")
    if out is not None:
        write_tables(out, lines, LIBRARY)
    write_json(json_file, {each.cell.id: dict(each.result) for each in done})
