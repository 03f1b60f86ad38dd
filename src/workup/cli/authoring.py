"""Commands for the authors and reviewers of scenarios: new, sign."""

from __future__ import annotations

import sys
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape

from workup.cli.terminal import console
from workup.errors import WorkupError
from workup.files import write_whole

if TYPE_CHECKING:
    from workup.authoring.answers import Answers, Question

Scenario = Annotated[str, typer.Argument(metavar="FILE|ID", help="A scenario's file, folder or id.")]


def new(
    name: Annotated[Path, typer.Argument(metavar="NAME", help="The scenario's id and folder, such as my_cough.")],
) -> None:
    """Answer questions about a case, and get a scenario that `workup lint` finds no fault in."""
    from workup.authoring.folder import check_place, write_scenario
    from workup.authoring.interview import PARTS, interview

    check_place(name)
    console().print(
        escape(
            "Answer in a word, a number or a sentence. Enter takes what stands in [brackets]; 'back' returns to the "
            "question before. Nothing is written before the end, where every part can be changed."
        )
    )
    year = date.today().year
    answers, given = interview(_ask, _announce, year=year)
    while (part := _part_to_change(answers, PARTS)) is not None or (faults := write_scenario(answers, name)):
        if part is None:
            console().print("It does not hold together yet, so nothing is written. Change the part that is wrong:")
            for fault in faults:
                console().print(escape(f"  {fault.message}"))
            continue
        kept = {key: answer for key, answer in given.items() if key[0] != part}
        answers, given = interview(_ask, _announce, year=year, given=kept, earlier=given)
    console().print(escape(f"{name}: written, without a fault. Every figure that you gave no source for is `assumed`."))
    for command in ("explain", "check {} --agent guideline", "check {} --agent optimum"):
        console().print(escape(f"Next: workup {command.format(name) if '{}' in command else f'{command} {name}'}"))
    console().print(escape(f"Then read {name / 'scenario.yaml'}: its comments say how to go on."))


def _ask(question: Question) -> str:
    shown = ", ".join(question.options) or (f"for example: {question.example}" if question.example else "")
    hint = f" [dim]({escape(shown)})[/dim]" if shown else ""
    default = f" [bold]{escape(f'[{question.default}]')}[/bold]" if question.default else ""
    console().print(f"{escape(question.text)}{hint}{default}")
    return _line(question.text)


def _line(wanted: str) -> str:
    try:
        answer = input("> ")
    except EOFError:
        raise WorkupError(
            f"the answers ended here: {wanted} Nothing was written; start again and answer this too"
        ) from None
    if not sys.stdin.isatty():  # so that what was piped in can be read beside its question
        console().print(escape(answer))
    return answer


def _announce(line: str) -> None:
    from workup.authoring.interview import PARTS

    if line in PARTS:
        console().print(f"\n[bold]{PARTS.index(line) + 1} of {len(PARTS)}: {escape(line)}[/bold]")
    else:
        console().print(f"[red]{escape(line)}[/red]")


def _part_to_change(answers: Answers, parts: tuple[str, ...]) -> str | None:
    """Show what was answered; which part is to be asked again, or None to write it."""
    from workup.authoring.summary import summary

    console().print("\n[bold]This is what you said[/bold]")
    for number, (part, lines) in enumerate(summary(answers), start=1):
        console().print(escape(f"{number} {part}"))
        for line in lines:
            console().print(escape(f"    {line}"))
    question = "Write it? (yes, no, or the number of a part to answer it again)"
    while True:
        console().print(question)
        answer = _line(question).strip().lower()
        if answer in ("yes", "y"):
            return None
        if answer in ("no", "n"):
            raise WorkupError("nothing was written, as you wished")
        if answer.isdigit() and 1 <= int(answer) <= len(parts):
            return parts[int(answer) - 1]
        console().print(f"[red]Write yes, no, or a number from 1 to {len(parts)}.[/red]")


def sign(
    scenario: Scenario,
    name: Annotated[str, typer.Option("--name", help="Who reviewed it.")],
    role: Annotated[str, typer.Option("--role", help="As what, such as 'General practitioner'.")],
    on: Annotated[datetime | None, typer.Option("--date", formats=["%Y-%m-%d"], help="When. Left out: today.")] = None,
) -> None:
    """Record that a clinician has reviewed a scenario, with a hash of what was signed. A later change unsigns it."""
    from workup.envs.compile.faults import lint_compiled
    from workup.errors import ScenarioError
    from workup.scenarios.language.library import find_scenario, load_scenario
    from workup.scenarios.language.reading.reader import main_file
    from workup.scenarios.language.reading.signatures import reviews_file, reviews_text, signed_by, standing_of

    place = find_scenario(scenario)
    faults = lint_compiled(place)
    if faults:
        raise ScenarioError(faults)
    found, today = load_scenario(scenario), date.today()
    review = signed_by(found, name, role, on.date() if on else today, today=today)
    file = reviews_file(main_file(place))
    write_whole(file, reviews_text((*found.reviews, review)))
    signed = found.model_copy(update={"reviews": (*found.reviews, review)})
    console().print(escape(f"{found.id} {found.version}: {standing_of(signed).words}"))
    console().print(escape(f"signed {review.signed[:16]}…, recorded in {file}"))
