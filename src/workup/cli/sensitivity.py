"""The command that says which figures to check first."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape

from workup.cli.terminal import (
    JsonFile,
    Perspective,
    Rate,
    ScenarioId,
    Seed,
    console,
    load_population,
    progress,
    say_what_this_is,
    warnings,
    write_json,
)
from workup.errors import WorkupError
from workup.files import make_folder, write_whole

if TYPE_CHECKING:
    from workup.files import WorkingNotes
    from workup.sensitivity.study import Sensitivity


class Planner(StrEnum):
    """How the heaviest figures are planned anew."""

    OPTIMUM = "optimum"
    QUICK = "quick"
    ONE_STEP = "one-step"


def sensitivity(
    scenario: ScenarioId,
    vignettes: Annotated[bool, typer.Option("--vignettes", help="Also run the vignettes under each new plan.")] = False,
    patients: Annotated[int, typer.Option("--patients", min=2, help="Patients to look at.")] = 100,
    top: Annotated[int, typer.Option("--top", min=0, help="Figures to plan anew; 0: screen alone.")] = 10,
    heaviest: Annotated[
        int, typer.Option("--heaviest", min=0, help="Figures to look up first, with what is known of each.")
    ] = 20,
    factor: Annotated[float, typer.Option("--factor", help="By which numbers are multiplied and divided.")] = 1.5,
    planner: Annotated[
        Planner, typer.Option("--planner", help="How to plan anew: quick and one-step are cheaper, and less sure.")
    ] = Planner.OPTIMUM,
    derived: Annotated[bool, typer.Option("--derived", help="Plan derived figures anew too.")] = False,
    seed: Seed = 0,
    gbp_per_qaly: Rate = None,
    perspective: Perspective = None,
    figure: Annotated[
        Path | None, typer.Option("--figure", metavar="FILE", help="Draw a tornado figure: .png or .svg.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FILE.html", help="A page of the heaviest, for clinicians.")
    ] = None,
    json_file: JsonFile = None,
) -> None:
    """Which assumed or recalled figures move what is ordered first. Run again after a kill, it goes on where it was."""
    from workup.sensitivity.prose import in_words
    from workup.sensitivity.study import Settings, notes_for, run_study

    _check_files(figure, out, top)
    population = load_population(scenario, gbp_per_qaly, perspective)
    world = population.world
    settings = Settings(
        patients=patients,
        seed=seed,
        top=top,
        factor=factor,
        planner=planner.value,
        derived=derived,
        vignettes=vignettes,
    )
    notes = notes_or_none(notes_for(world, settings))
    if len(notes):
        console().print(f"[dim]{len(notes)} moves are known from an earlier run[/dim]")
    with progress() as display:
        tasks = {stage: display.add_task(stage, total=None) for stage in ("screened", "planned anew")}
        found = run_study(
            population,
            settings,
            notes=notes,
            progress=lambda stage, done, total: display.update(tasks[stage], completed=done, total=total),
        )
    for line in in_words(found, heaviest):
        console().print(escape(line))
    say_what_this_is(world.scenario)
    write_json(json_file, found.as_json(heaviest))
    if figure is not None:
        _draw(found, figure)
    if out is not None:
        _write_page(found, scenario, heaviest, out)


def _write_page(found: Sensitivity, scenario: str, most: int, path: Path) -> None:
    from workup.report.heaviest import heaviest_page

    command = f"workup sensitivity {scenario} --patients {found.settings.patients} --heaviest {most} --out {path.name}"
    write_whole(path, heaviest_page(found, command, most))
    console().print(escape(str(path.resolve())))


def _check_files(figure: Path | None, out: Path | None, top: int) -> None:
    if figure is not None and figure.suffix not in (".png", ".svg"):
        raise WorkupError(f"--figure is {figure}; expected a name that ends with .png or .svg")
    if figure is not None and top == 0:
        raise WorkupError("--figure draws what is planned anew, and --top 0 plans nothing; leave one of them out")
    if out is not None and out.suffix.lower() not in (".html", ".htm"):
        raise WorkupError(f"--out {out} is no web page; give a name that ends in .html")


def notes_or_none(path: Path) -> WorkingNotes:
    """Those kept on disk, or a warning and none where they cannot be."""
    from workup.files import WorkingNotes

    try:
        return WorkingNotes(path)
    except OSError as error:
        warnings().print(
            f"[yellow]warning:[/yellow] nothing is kept for a killed run to go on from: {escape(str(error))}"
        )
        return WorkingNotes(None)


def _draw(found: Sensitivity, path: Path) -> None:
    from workup.report.tornado import bars_of, tornado_figure

    drawn = tornado_figure(f"{found.world.scenario.title}: which figures to check first", bars_of(found))
    make_folder(path.parent)
    unfinished = path.with_name(f".{path.name}.part")
    try:
        drawn.savefig(unfinished, format=path.suffix[1:], dpi=160)
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)
