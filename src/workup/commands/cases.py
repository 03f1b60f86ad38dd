"""Commands about a scenario: list, lint, explain, solve, play."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.markup import escape

from workup.commands.terminal import JsonFile, ScenarioId, Seed, console, load_world, say_what_this_is, write_json
from workup.scenarios.errors import WorkupError


def scenarios() -> None:
    """List the scenarios, their status and the share of their figures that were seen in a source."""
    from rich.table import Table

    from workup.scenarios.library import list_scenarios, load_scenario
    from workup.scenarios.prose import shares

    table = Table(
        "id", "title", "status", "figures seen", "conditions / tests / vignettes", box=None, padding=(0, 2, 0, 0)
    )
    for name in list_scenarios():
        s = load_scenario(name)
        counts = " / ".join(str(len(part)) for part in (s.conditions, s.investigations, s.vignettes))
        table.add_row(f"{s.id} {s.version}", s.title, s.who.status, f"{shares(s)['seen']:.0%}", counts)
    console().print(table)


def lint(
    file: Annotated[str, typer.Argument(metavar="FILE|ID", help="A scenario's file, folder or id.")],
    json_file: JsonFile = None,
) -> None:
    """Every fault of a scenario at once, with its line and how to mend it. Exit status 1 if there are any."""
    from workup.envs.scenario_faults import lint_compiled
    from workup.scenarios.library import find_scenario

    faults = lint_compiled(find_scenario(file))
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


def play(
    scenario: ScenarioId,
    patient: Annotated[int, typer.Option(min=0, help="Which patient of the seed.")] = 0,
    seed: Seed = 0,
) -> None:
    """Take a journey yourself, and learn what each order gained or lost against the optimum, and why."""
    from workup.debrief import debrief
    from workup.play import play as take

    world = load_world(scenario)
    say_what_this_is(world.scenario)
    console().print(escape(world.scenario.about))

    def say(line: str) -> None:
        console().print(escape(line))

    journeys, choices = take(world, patient=patient, seed=seed, ask=_ask, say=say)
    for line in debrief(journeys, choices):
        say(line)


def _ask(prompt: str) -> str:
    try:
        return input(prompt)
    except EOFError:
        raise WorkupError("the input ended before a decision; nothing was scored") from None


def solve(scenario: ScenarioId, json_file: JsonFile = None) -> None:
    """What the best policy is worth, exactly or between certified bounds."""
    from workup.agents.planning import solve as best

    world = load_world(scenario)
    found = best(world)
    kind = "exact" if found.exact else f"certified between {found.lower:,.2f} and {found.upper:,.2f}"
    console().print(f"{world.scenario.id}: the best policy is worth £{found.value:,.2f} per patient ({kind})")
    say_what_this_is(world.scenario)
    write_json(json_file, {"value": found.value, "lower": found.lower, "upper": found.upper, "exact": found.exact})
