"""The command that writes a fusion task as a folder of data."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from workup.cli.terminal import DISCLAIMER, Seed, console


class FusionView(StrEnum):
    """How the same patients are seen."""

    FINDINGS = "findings"
    READ = "read"
    RAW = "raw"


def fusion_data(
    task: Annotated[str, typer.Argument(metavar="TASK", help="A task, such as interaction.")],
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="A folder that is empty or not there.")],
    patients: Annotated[
        int,
        typer.Option("--patients", min=4, help="To learn from, and as many to test on; a quarter as many to stop by."),
    ] = 2_000,
    seed: Seed = 0,
    view: Annotated[
        FusionView, typer.Option("--view", help="Mixed findings, what a frozen reader makes of pictures, or pictures.")
    ] = FusionView.FINDINGS,
) -> None:
    """Write a task's patients: a table and an array a modality in each of four splits, with the ceilings and a card.

    The same task, patients, seed and view give the same bytes.
    """
    from workup.studies.fusion.needed import need_packages

    need_packages()
    from workup.studies.fusion.export import write_data

    card = write_data(task, patients=patients, seed=seed, out=out, view=view.value)
    console().print(f"[dim]{DISCLAIMER}[/dim]")
    console().print(
        escape(f"{', '.join(f'{n:,} {name}' for name, n in card['patients'].items())} in {out}; read card.md first")
    )
