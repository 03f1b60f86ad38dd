"""What the commands share: the console, files written whole or not at all, and the line that says what this is not."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape

from workup.files import write_whole

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID
    from rich.table import Table

    from workup.benchmarks.runner import Standing
    from workup.envs.model.population import Population
    from workup.envs.model.world import World
    from workup.scenarios.language.schema import Scenario

DISCLAIMER = "Synthetic patients, for research and teaching only; nothing here is medical advice."

ScenarioId = Annotated[str, typer.Argument(metavar="ID", help="A scenario's id, or a path to its folder or file.")]
Seed = Annotated[int, typer.Option(min=0, help="The same seed gives the same patients.")]
Rate = Annotated[
    float | None,
    typer.Option("--gbp-per-qaly", metavar="RATE", help="Pounds that a QALY counts, instead of the scenario's."),
]
Perspective = Annotated[
    str | None,
    typer.Option(
        "--perspective", metavar="NAME", help="Whose side it is seen from: nhs or patient; says whose costs count."
    ),
]
JsonFile = Annotated[Path | None, typer.Option("--json", metavar="FILE", help="Write the result as JSON too.")]


def console() -> Console:
    """Where results go; made on demand so that redirected output is respected."""
    return Console(highlight=False, emoji=False, soft_wrap=not os.isatty(1))


def warnings() -> Console:
    """Where errors and progress go."""
    return Console(stderr=True, highlight=False, emoji=False, soft_wrap=True)


def write_json(path: Path | None, content: Mapping[str, Any]) -> None:
    """Write a result as strict JSON, if a file was asked for."""
    if path is not None:
        write_whole(path, json.dumps(content, indent=1, allow_nan=False, ensure_ascii=False) + "\n")


def load_population(scenario_id: str, rate: float | None = None, perspective: str | None = None) -> Population:
    """Who is met in the scenario of an id or path; of an imported table, its training patients. Says at what rate and from
    which perspective, where either was asked for."""
    from workup.envs.compile.recorded import population_of

    found = population_of(scenario_id, gbp_per_qaly=rate, perspective=perspective)
    if rate is not None or perspective is not None:
        from workup.scenarios.language.words.worth import seen_as

        console().print(f"[dim]{escape(seen_as(found.world.scenario))}[/dim]")
    return found


def load_world(scenario_id: str, rate: float | None = None, perspective: str | None = None) -> World:
    """The compiled scenario of an id or path."""
    return load_population(scenario_id, rate, perspective).world


def held_out(
    scenario_id: str, population: Population, rate: float | None = None, perspective: str | None = None
) -> Population:
    """Whom agents made for `population` are judged on: the test patients of an imported table, else the same law's."""
    from workup.envs.compile.recorded import population_of

    if population.drawn:
        return population
    return population_of(scenario_id, split="test", gbp_per_qaly=rate, perspective=perspective)


def say_what_this_is(scenario: Scenario) -> None:
    """One line: disclaimer, draft status and how many figures were seen in a source."""
    console().print(f"[dim]{escape(standing(scenario))}[/dim]")


def standing(scenario: Scenario) -> str:
    """How far a scenario may be trusted, in a line."""
    from workup.scenarios.language.reading.signatures import standing_of
    from workup.scenarios.language.words.prose import shares

    seen, review = shares(scenario)["seen"], standing_of(scenario).words
    return f"{DISCLAIMER} {scenario.id} {scenario.version}: {review}; {seen:.0%} of its figures were seen in a source."


def table(*headings: str) -> Table:
    """A plain table that stays within 80 columns as long as its texts allow."""
    from rich.table import Table

    return Table(*headings, box=None, padding=(0, 2, 0, 0), header_style="bold")


def number(amount: float) -> str:
    """Whole from 100 on, else to one decimal; never '-0.0'."""
    return f"{amount:,.0f}" if abs(amount) >= 100 else f"{round(amount, 1) + 0.0:,.1f}"


def planning_ahead(presentations: int) -> str:
    """What is about to take long, said before it does."""
    return f"{presentations:,} presentations to plan for: may take minutes, once, for what is solved is kept"


@contextmanager
def progress() -> Iterator[Progress]:
    """A progress display on standard error, so that standard output can be piped. A task's field `left_s` stands for the time
    left where its steps are too few for an estimate."""
    from rich import progress as bars
    from rich.text import Text

    class Left(bars.TimeRemainingColumn):
        def render(self, task: bars.Task) -> Text:
            if "left_s" not in task.fields:
                return super().render(task)
            left_s = task.fields["left_s"]
            return Text("" if left_s is None else f"about {_span(left_s)} left", style="progress.remaining")

    columns = (
        bars.TextColumn("{task.description}"),
        bars.BarColumn(),
        bars.TaskProgressColumn(show_speed=True),
        bars.TimeElapsedColumn(),
        Left(),
    )
    # The speed is that of the whole run: what is planned or trained takes minutes a step.
    with bars.Progress(*columns, console=warnings(), transient=True, speed_estimate_period=1e9) as display:
        yield display


def shown_on(display: Progress) -> Callable[[str, float | None], None]:
    """Tells the display what is being done and the share of it that is done (None: one more of an unknown number)."""
    tasks: dict[str, TaskID] = {}

    def show(what: str, share: float | None) -> None:
        if what not in tasks:
            tasks[what] = display.add_task(escape(what), total=None if share is None else 1.0)
        if share is None:
            display.advance(tasks[what])
        else:
            display.update(tasks[what], completed=share)

    return show


@contextmanager
def cells(folder: Path) -> Iterator[Callable[[Standing], None]]:
    """A progress display for the cells of a benchmark; says at the end how many were there already."""
    known = total = 0
    with progress() as display:
        task = display.add_task("", total=None, left_s=None)

        def show(now: Standing) -> None:
            nonlocal known, total
            if not now.cell:
                known, total = now.done, now.total
            said = f"{now.done} of {now.total}, {now.cell}{': ' * bool(now.doing)}{now.doing}"
            display.update(task, description=escape(said), completed=now.done, total=now.total, left_s=now.left_s)

        yield show
    if known:
        console().print(
            f"[dim]{known} of {total} were measured before; without their files in {escape(str(folder))} they are measured anew[/dim]"
        )


def _span(seconds: float) -> str:
    minutes = round(seconds / 60)
    return f"{seconds:.0f} s" if seconds < 100 else f"{minutes} min" if minutes < 100 else f"{seconds / 3600:.1f} h"
