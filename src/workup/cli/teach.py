"""The command that writes the educator's page."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from workup.cli.terminal import DISCLAIMER, console


def teach(
    export: Annotated[
        Path | None, typer.Option("--export", metavar="FILE", help="Write the page there and do not open it.")
    ] = None,
) -> None:
    """A page for a lesson of five minutes: who gets tested, what that does to a test's figures, to a database and to a model.

    One HTML file that needs no network and no installation: put it on a share, send it, open it from a disk. Without `--export` it is
    written to the cache and opened in the browser.
    """
    import webbrowser

    from workup.files import cache_folder, write_whole
    from workup.studies.bias.teaching_render import teaching_page

    console().print(f"[dim]{DISCLAIMER}[/dim]")
    path = export or cache_folder() / "teach.html"
    write_whole(path, teaching_page())
    opened = export is None and webbrowser.open(path.resolve().as_uri())
    console().print(escape(f"{path}: {'opened in the browser' if opened else 'open it in a browser'}"))
