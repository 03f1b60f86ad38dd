"""`workup bias`: what a model learns from a database that doctors' suspicion filled, and what repairs it."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.markup import escape

from workup.cli.terminal import DISCLAIMER, JsonFile, console, progress, table, write_json
from workup.errors import WorkupError
from workup.files import make_folder, write_whole

if TYPE_CHECKING:
    from rich.table import Table

_COLUMNS_WITH_INTERVALS = 4
QUICK = 20_000
"""Patients under WORKUP_QUICK=1, with two seeds: enough to see the direction, too few for figures."""


def bias(
    scenario: Annotated[str, typer.Argument(metavar="ID", help="A scenario that has the demonstration: weight_loss.")],
    patients: Annotated[
        int | None,
        typer.Option(
            "--patients", min=1, help="Learnt from in each seed; as many others are tested on. [default: 80000]"
        ),
    ] = None,
    seeds: Annotated[int | None, typer.Option("--seeds", min=1, help="How many. [default: 5]")] = None,
    workers: Annotated[int | None, typer.Option(min=1, help="Processes at once; by default one a core.")] = None,
    figure: Annotated[Path | None, typer.Option("--figure", metavar="FILE", help="Draw it (.png or .svg).")] = None,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="DIR", help="Write bias.json, bias.md and bias.svg into a folder.")
    ] = None,
    json_file: JsonFile = None,
) -> None:
    """Learn who is ill from the records of doctors who test whom they suspect; test it inside the database and on everybody; repair
    it; then let the model choose who is tested next."""
    from workup.studies.bias import pages
    from workup.studies.bias.demonstration import demonstrate

    if figure is not None and figure.suffix not in (".png", ".svg"):
        raise WorkupError(f"--figure is {figure}; expected a name that ends with .png or .svg")
    quick = os.environ.get("WORKUP_QUICK") == "1"
    with progress() as bar:
        task = bar.add_task("seeds", total=None)
        found = demonstrate(
            scenario,
            patients=patients or (QUICK if quick else 80_000),
            seeds=seeds or (2 if quick else 5),
            workers=workers or os.cpu_count() or 1,
            progress=lambda done, of: bar.update(task, completed=done, total=of),
        )
    said = console()
    said.print(f"[dim]{DISCLAIMER}[/dim]")
    for rows in (pages.databases(found), pages.models(found), pages.loop(found)):
        said.print(_as_table(rows))
        said.print()
    said.print(escape(found["intervals"]))
    said.print("Intervals of the wider tables are in --out and --json.")
    write_json(json_file, found)
    if out is not None:
        write_json(out / "bias.json", found)
        write_whole(out / "bias.md", pages.markdown(found))
    for path in (figure, None if out is None else out / "bias.svg"):
        if path is not None:
            _draw(found, path)


def _as_table(rows: list[tuple[str, ...]]) -> Table:
    """Of many columns without intervals, for which there is no room; the files have them."""
    shown, wide = table(*rows[0]), len(rows[0]) > _COLUMNS_WITH_INTERVALS
    for row in rows[1:]:
        shown.add_row(*(escape(re.sub(r" \(.*?\)", "", cell) if wide else cell) for cell in row))
    return shown


def _draw(found: Mapping[str, Any], path: Path) -> None:
    from workup.studies.bias.picture import picture

    drawn = picture(found)
    make_folder(path.parent)
    unfinished = path.with_name(f".{path.name}.part")
    try:
        drawn.savefig(unfinished, format=path.suffix[1:], dpi=160)
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)
