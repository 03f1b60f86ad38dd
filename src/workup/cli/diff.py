"""Commands that set two scenarios side by side."""

from __future__ import annotations

from itertools import groupby
from typing import Annotated

import typer
from rich.markup import escape

from workup.cli.terminal import JsonFile, console, say_what_this_is, write_json

_WHICH = "A scenario's id, or a path to its folder or file."


def diff(
    before: Annotated[str, typer.Argument(metavar="A", help=f"The earlier scenario. {_WHICH}")],
    after: Annotated[str, typer.Argument(metavar="B", help=f"The later scenario. {_WHICH}")],
    json_file: JsonFile = None,
) -> None:
    """What changed from A to B, in clinical words. Exit status 1 if anything did.

    Comments and the order of keys do not count; what was renamed or moved is told as removed and new.
    """
    from workup.scenarios.language.library import load_scenario
    from workup.scenarios.language.words.difference import differences

    was, now = load_scenario(before), load_scenario(after)
    changes = differences(was, now)
    for part, told in groupby(changes, key=lambda change: change.part):
        console().print(f"[bold]{escape(part)}[/bold]")
        for change in told:
            console().print(f"- {escape(change.words)}")
        console().print()
    console().print(_summary(len(changes), same_digest=was.digest == now.digest))
    say_what_this_is(now)
    listed = [
        {"part": each.part, "path": each.path, "words": each.words, "before": each.before, "after": each.after}
        for each in changes
    ]
    digests = {"before": {"id": was.id, "digest": was.digest}, "after": {"id": now.id, "digest": now.digest}}
    write_json(json_file, digests | {"changes": listed})
    if changes:
        raise typer.Exit(1)


def _summary(count: int, *, same_digest: bool) -> str:
    if count:
        return f"{count} difference{'s' * (count != 1)}"
    if same_digest:
        return "no differences"
    return (
        "no differences, but the order of entries: trained policies and solved bounds of the one do not fit the other"
    )
