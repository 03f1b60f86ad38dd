"""Commands for the authors and reviewers of scenarios: new, sign."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer
from rich.markup import escape

from workup.cli.terminal import console
from workup.errors import Fault, WorkupError
from workup.files import write_whole

if TYPE_CHECKING:
    from workup.authoring.answers import Answers, Question
    from workup.authoring.dialogue import Given
    from workup.authoring.draft import Draft

BACK = "back"
Scenario = Annotated[str, typer.Argument(metavar="FILE|ID", help="A scenario's file, folder or id.")]


def new(
    name: Annotated[Path, typer.Argument(metavar="NAME", help="The scenario's id and folder, such as my_cough.")],
    template: Annotated[
        Path | None,
        typer.Option("--template", metavar="CSV", help="Ask nothing: write a spreadsheet to fill in, for --from."),
    ] = None,
    source: Annotated[
        Path | None, typer.Option("--from", metavar="CSV", help="Ask nothing: read the spreadsheet that was filled in.")
    ] = None,
    start_over: Annotated[
        bool, typer.Option("--start-over", help="Put the answers that were kept aside, and begin anew.")
    ] = False,
) -> None:
    """Answer questions about a case, and get a scenario that `workup lint` finds no fault in.

    Every answer is kept in NAME/answers.json at once: after an interruption the same command goes on where it stopped.
    """
    from workup.authoring.draft import Draft, read_draft, set_aside
    from workup.authoring.folder import check_place

    if template is not None and source is not None:
        raise WorkupError("--template writes a spreadsheet and --from reads one; give one of them")
    check_place(name)
    if template is not None:
        _write_template(name, template)
        return
    if start_over and set_aside(name):
        console().print(escape(f"The answers kept so far are now in {name / 'answers-before.json'}."))
    kept = read_draft(name)
    if source is not None:
        if kept is not None:
            raise WorkupError(f"{name} holds the answers of an interview; --start-over puts them aside")
        _read_template(name, source)
        return
    console().print(
        escape(
            "Answer in a word, a number or a sentence. Enter takes what stands in [brackets]. "
            "? explains a question, 'back' returns to the one before."
        )
    )
    if kept is not None:
        console().print(
            escape(f"Going on where {name} stopped, after {len(kept.given)} answers (to begin anew: --start-over).")
        )
    else:
        console().print(escape(f"Every answer is kept in {name / 'answers.json'}: stop whenever you like."))
    try:
        _interviewed(name, kept or Draft(date.today().year))
    except KeyboardInterrupt:
        console().print(f"\n{escape(_how_to_go_on(name))}")
        raise typer.Exit(130) from None
    _written(name)


def _interviewed(name: Path, draft: Draft) -> None:
    """Ask until the answers hold together and are in place."""
    from workup.authoring.draft import Draft, write_draft
    from workup.authoring.folder import write_scenario
    from workup.authoring.interview import interview
    from workup.authoring.parts import PARTS

    def ask(question: Question) -> str:
        return _ask(question, name)

    def keep(given: Given, earlier: Given) -> None:
        write_draft(name, Draft(draft.year, given, earlier))

    given, earlier, faults = dict(draft.given), dict(draft.earlier), tuple[Fault, ...]()
    while True:
        answers, given = interview(ask, _say, year=draft.year, given=given, earlier=earlier, keep=keep)
        part = _part_to_change(answers, name, faults)
        if part == BACK:
            kept, taken = dict(list(given.items())[:-1]), dict(list(given.items())[-1:])
        elif part is not None:
            taken = {key: answer for key, answer in given.items() if key[0] == PARTS[int(part) - 1]}
            kept = {key: answer for key, answer in given.items() if key not in taken}
        else:
            faults = write_scenario(answers, name)
            if not faults:
                return
            continue
        earlier, given, faults = {**earlier, **taken}, kept, ()
        keep(given, earlier)


def _written(name: Path) -> None:
    console().print(escape(f"{name}: written, without a fault. Every figure that you gave no source for is `assumed`."))
    for command in ("explain {}", "check {} --agent guideline", "check {} --agent optimum"):
        console().print(escape(f"Next: workup {command.format(name)}"))
    console().print(escape(f"Then read {name / 'scenario.yaml'}: its comments say how to go on."))


def _ask(question: Question, name: Path) -> str:
    shown = ", ".join(question.options) or (f"like: {question.example}" if question.example else "")
    hint = f" [bold]{escape(f'[{question.default}]')}[/bold]" if question.default else ""
    if not (question.order and question.default):
        hint = f" [dim]{escape(f'({shown})')}[/dim]{hint}" if shown else hint
    while True:
        console().print(f"{escape(question.text)}{hint}")
        if question.order:
            console().print(f"[dim]  for {escape(', '.join(question.order))}[/dim]")
        answer = _line(question.text, name)
        if answer.strip() != "?":
            return answer
        example = f" For example: {question.example}" if question.example else ""
        console().print(f"[cyan]{escape(f'{question.explanation}{example}'.strip())}[/cyan]")


def _how_to_go_on(name: Path) -> str:
    return f"What was answered is kept in {name / 'answers.json'}; `workup new {name}` goes on there"


def _line(wanted: str, name: Path) -> str:
    try:
        answer = input("> ")
    except EOFError:
        raise WorkupError(f"the answers ended here: {wanted} {_how_to_go_on(name)}") from None
    if not sys.stdin.isatty():  # so that what was piped in can be read beside its question
        console().print(escape(answer))
    return answer


def _say(kind: Literal["part", "problem", "note"], line: str) -> None:
    from workup.authoring.parts import FIRST_WORDS, PARTS

    if kind == "part":
        console().print(f"\n[bold]{PARTS.index(line) + 1} of {len(PARTS)}: {escape(line)}[/bold]")
        if line in FIRST_WORDS:
            console().print(f"[dim]{escape(FIRST_WORDS[line])}[/dim]")
    else:
        style = "red" if kind == "problem" else "dim"
        console().print(f"[{style}]{escape(line if kind == 'problem' else f'  = {line}')}[/{style}]")


def _part_to_change(answers: Answers, name: Path, faults: Sequence[Fault]) -> str | None:
    """Show what was answered; the number of the part to be asked again, `BACK`, or None to write it."""
    from workup.authoring.parts import PARTS
    from workup.authoring.summary import summary

    console().print("\n[bold]This is what you said[/bold]")
    for number, (part, lines) in enumerate(summary(answers), start=1):
        console().print(f"[bold]{escape(f'{number} {part}')}[/bold]")
        for line in lines:
            console().print(escape(f"    {line}"))
    if faults:
        console().print("\nIt does not hold together yet, so it is not written. Change the part that is wrong:")
    for fault in faults:
        console().print(f"[red]{escape(f'  {fault.message}')}[/red]")
    question = "Write it? (yes, no, or the number of a part to answer it again)"
    while True:
        console().print(question)
        answer = _line(question, name).strip().lower()
        if answer in ("yes", "y"):
            return None
        if answer in ("no", "n"):
            raise WorkupError(f"it is not written, as you wished. {_how_to_go_on(name)}")
        if answer == BACK or (answer.isdecimal() and 1 <= int(answer) <= len(PARTS)):
            return answer
        console().print(f"[red]Write yes, no, back, or a number from 1 to {len(PARTS)}.[/red]")


def _write_template(name: Path, file: Path) -> None:
    from workup.authoring.sheet import blank_template

    if file.exists():
        raise WorkupError(f"{file} exists already and is left as it is; `workup new {name} --from {file}` reads it")
    write_whole(file, "\ufeff" + blank_template(name, file))
    console().print(escape(f"{file}: written. Fill it in with a spreadsheet program, save it as CSV, and then:"))
    console().print(escape(f"Next: workup new {name} --from {file}"))


def _read_template(name: Path, file: Path) -> None:
    from workup.authoring.folder import write_scenario
    from workup.authoring.summary import summary
    from workup.authoring.template import read_template

    answers = read_template(file, year=date.today().year)
    faults = write_scenario(answers, name)
    if faults:
        raise WorkupError("\n".join(["it does not hold together, so it is not written:", *(f.message for f in faults)]))
    for part, lines in summary(answers):
        console().print(f"[bold]{escape(part)}[/bold]")
        for line in lines:
            console().print(escape(f"    {line}"))
    _written(name)


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
