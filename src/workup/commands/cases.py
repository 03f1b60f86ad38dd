"""Commands about a scenario: list, lint, explain, solve, play."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.markup import escape

from workup.commands.terminal import JsonFile, ScenarioId, console, write_json


def scenarios() -> None:
    """List the scenarios, their status and the share of their figures that were seen in a source."""
    from rich.table import Table

    from workup.scenarios.library import list_scenarios, load_scenario
    from workup.scenarios.prose import shares

    table = Table("id", "title", "version", "status", "figures seen", "conditions", "investigations", "vignettes")
    for name in list_scenarios():
        s = load_scenario(name)
        counts = (str(len(part)) for part in (s.conditions, s.investigations, s.vignettes))
        table.add_row(s.id, s.title, s.version, s.who.status, f"{shares(s)['seen']:.0%}", *counts)
    console().print(table)


def lint(
    file: Annotated[str, typer.Argument(metavar="FILE|ID", help="A scenario's file, folder or id.")],
    json_file: JsonFile = None,
) -> None:
    """Every fault of a scenario at once, with its line and how to mend it. Exit status 1 if there are any."""
    from workup.scenarios.library import find_scenario
    from workup.scenarios.lint import lint as faults_of

    faults = faults_of(find_scenario(file))
    for fault in faults:
        console().print(escape(str(fault)))
    console().print(f"{len(faults)} fault{'s' * (len(faults) != 1)}" if faults else f"{file}: no faults")
    listed = [{"path": fault.path, "line": fault.line, "message": fault.message} for fault in faults]
    write_json(json_file, {"file": file, "passed": not faults, "faults": listed})
    if faults:
        raise typer.Exit(1)


def explain(scenario: ScenarioId) -> None:
    """The scenario in plain words."""
    from workup.scenarios.library import load_scenario
    from workup.scenarios.prose import explain as prose

    console().print(escape(prose(load_scenario(scenario))))
