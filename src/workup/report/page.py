"""What every page has: its frame, its head, pictures that can be read aloud, and tables that scroll in a box of their own."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from matplotlib.figure import Figure

from workup.report.drawing import svg
from workup.scenarios.language.authorship import Status
from workup.scenarios.language.backing import recomputed_words
from workup.scenarios.language.lint.lint import warnings
from workup.scenarios.language.reading.signatures import standing_of
from workup.scenarios.language.schema import Scenario
from workup.scenarios.language.words.worth import seen_as, worth_telling
from workup.version import __version__
from workup.wording import listed, percent, pounds

STATUSES: tuple[Status, ...] = ("seen", "recalled", "derived", "assumed")


@dataclass(frozen=True)
class Picture:
    """A picture of a page."""

    svg: Markup
    title: str
    """What it is, for who hears the page."""
    width: float
    """Inches, at which its letters are as large as small print; narrower screens scroll it in a box of its own."""


def picture(figure: Figure, title: str, about: str) -> Picture:
    """A figure for the page.

    Args:
        figure: drawn.
        title: its name, different from that of any other picture of the page.
        about: what can be seen, in a sentence or two, for who cannot see it.
    """
    return Picture(Markup(svg(figure, title, about)), title, float(figure.get_figwidth()))  # svg() escapes


def page(template: str, scenario: Scenario, command: str, facts: Sequence[tuple[str, str]] = (), **parts: Any) -> str:
    """A whole page. Every text of the scenario is escaped: scenario files are not trusted.

    Args:
        template: a file beside this one that extends `page.html`.
        scenario: what it is about.
        command: how to make the page again.
        facts: (name, text) said of the page beside what is said of the scenario.
        parts: whatever the template shows.
    """
    environment = Environment(
        loader=PackageLoader("workup.report", ""),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(pounds=pounds, percent=percent)
    return environment.get_template(template).render(head=head(scenario, command, facts), **parts)


def head(scenario: Scenario, command: str, facts: Sequence[tuple[str, str]] = ()) -> dict[str, Any]:
    """What stands at the head of a page: what it is about, how far to trust it, how to make it again."""
    who, standing, counts = scenario.who, standing_of(scenario), Counter(figure.status for figure in scenario.figures)
    total = max(len(scenario.figures), 1)
    shares = [{"status": status, "n": counts[status], "share": counts[status] / total} for status in STATUSES]
    return {
        "title": scenario.title,
        "about": scenario.about,
        "status": standing.status,
        "status_words": standing.words[:1].upper() + standing.words[1:],
        "provenance": shares,
        "provenance_words": ", ".join(f"{status} {percent(counts[status] / total)}" for status in STATUSES),
        "recomputed": recomputed_words(scenario),
        "seen": counts["seen"] / total,
        "n_figures": f"{len(scenario.figures):,}",
        "warnings": warnings(scenario),
        "facts": [
            ("Scenario", f"{scenario.id}, version {scenario.version}"),
            ("Digest", scenario.digest),
            ("Written by", listed(who.authors)),
            ("Setting", who.setting),
            ("Guideline", f"{who.guideline.name}, {who.guideline.version}"),
            ("Prices", f"{who.currency}, {who.price_year}"),
            *((("Worth", seen_as(scenario)),) if worth_telling(scenario) else ()),
            *facts,
            ("Made by", f"workup {__version__}"),
        ],
        "command": command,
    }
