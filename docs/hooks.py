"""What MkDocs shows: every page where it lies in the repository, so that links among them hold here and there.

Beside the Markdown files there are pages that nobody writes: the API (a page a room, by mkdocstrings), the commands (by typer)
and the notebooks with their outputs (by nbconvert).
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page
from nbconvert import MarkdownExporter

import workup

ROOT = Path(__file__).parents[1]
PAGES = (
    "README.md",
    "CONTRIBUTING.md",
    "CHANGELOG.md",
    "LICENSE",
    "SECURITY.md",
    "CITATION.cff",
    "docs/**/*.md",
    "docs/*.css",
    "docs/figures/**/*.png",
    "scenarios/*/README.md",
)
ROOMS = {
    "engine": ("The engine", ("envs.engine.engine", "envs.engine.types", "envs.model.codes")),
    "views": ("Views: Gymnasium and Stable-Baselines3", ("envs.views.env", "envs.views.vector", "envs.views.sb3")),
    "records": (
        "Records",
        ("envs.records.run", "envs.records.journeys", "envs.records.files", "envs.records.event_logs"),
    ),
    "agents": ("Agents", ("agents.base", "agents.opening", "agents.deciding", "agents.saved", "agents.testing")),
    "evaluation": ("Evaluation", ("evaluation.policies", "evaluation.score", "evaluation.run", "evaluation.optimum")),
    "language": ("The scenario language", ("scenarios.language.library", "scenarios.language.schema")),
}
"""Page of the reference -> its title and the modules on it."""


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Put a page for each scenario where the navigation says `scenarios`."""
    cases = [f"scenarios/{name}/README.md" for name in workup.list_scenarios()]
    for section in config.nav or []:
        for title, pages in section.items():
            if isinstance(pages, list) and "scenarios" in pages:
                at = pages.index("scenarios")
                section[title] = [*pages[:at], {"The cases": cases}, *pages[at + 1 :]]
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """The repository's pages instead of the contents of docs/ alone, and those that are made."""
    theme = [file for file in files if file.abs_src_path and not Path(file.abs_src_path).is_relative_to(ROOT / "docs")]
    written = {path.relative_to(ROOT).as_posix() for pattern in PAGES for path in ROOT.glob(pattern)}
    found = [File.generated(config, name, abs_src_path=str(ROOT / name)) for name in sorted(written)]
    made = [File.generated(config, name, content=content) for name, content in _made()]
    return Files([*theme, *found, *made])


def on_page_markdown(markdown: str, page: Page, **_: object) -> str:
    """A link to a notebook leads to its page."""
    return re.sub(r"\]\(([^)\s:]+)\.ipynb\)", r"](\1.md)", markdown)


def _made() -> Iterator[tuple[str, str | bytes]]:
    yield "reference/workup.md", _public_face()
    for name, (title, modules) in ROOMS.items():
        yield f"reference/{name}.md", "\n\n".join([f"# {title}", *(_room(module) for module in modules)])
    yield "reference/commands.md", _commands()
    for notebook in sorted((ROOT / "notebooks").glob("*.ipynb")):
        body, extra = MarkdownExporter().from_filename(str(notebook), {"unique_key": notebook.stem})
        yield f"notebooks/{notebook.stem}.md", body
        for name, content in extra["outputs"].items():
            yield f"notebooks/{name}", content


def _public_face() -> str:
    """Every name of `workup.__all__`, where it is defined."""
    parts = [f"# workup\n\n{workup.__doc__}"]
    for name in sorted(workup.__all__, key=str.lower):
        home, _, there = workup._HOMES[name].partition(":")
        if name != "__version__":
            options = f"heading: workup.{name}\n      toc_label: {name}"
            parts.append(f"::: {home}.{there or name}\n    options:\n      {options}")
    return "\n\n".join(parts)


def _room(module: str) -> str:
    """What a module offers; what the public face has of it is there."""
    named = [there or name for name, home in workup._HOMES.items() for where, _, there in [home.partition(":")]]
    return f"::: workup.{module}\n    options:\n      filters: ['!^_', '!^({'|'.join(named)})$']"


def _commands() -> str:
    """What typer itself says of the command line."""
    asked = [
        sys.executable,
        "-m",
        "typer",
        "workup.cli.main",
        "utils",
        "docs",
        "--name",
        "workup",
        "--title",
        "Commands",
    ]
    return subprocess.run(asked, check=True, capture_output=True, text=True, cwd=ROOT).stdout
