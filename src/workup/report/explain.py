"""One self-contained HTML page that reads a scenario back to the clinician who has to judge it."""

from __future__ import annotations

from collections import Counter
from importlib.resources import files
from typing import Any

from jinja2 import Environment, StrictUndefined
from markupsafe import Markup

from workup.report.diagrams.network import network_figure
from workup.report.diagrams.prerequisites import prerequisite_figure
from workup.report.drawing import svg
from workup.report.markup import html
from workup.report.write import STATUSES
from workup.scenarios.language.lint.lint import warnings
from workup.scenarios.language.reading.signatures import standing_of
from workup.scenarios.language.schema import Act, Orderable, Scenario
from workup.scenarios.language.words.difference import PARTS, part_of
from workup.scenarios.language.words.laws import Laws
from workup.scenarios.language.words.orders import effects, harms, rules_of, takes
from workup.scenarios.language.words.place_values import figure_words
from workup.scenarios.language.words.places import Side
from workup.scenarios.language.words.prose import sections
from workup.version import __version__
from workup.wording import chance_in_words as chance
from workup.wording import listed, percent

_TITLES = {
    "patient": "The patient",
    "orders": "Tests and acts",
    "availability": "When a result is not to be had",
    "decisions": "How it can end",
    "guideline": "The guideline",
    "vignettes": "Patients to test a policy on",
    "targets": "Published figures",
    "figures": "Every figure",
    "sources": "Sources",
}


def explanation(scenario: Scenario, command: str) -> str:
    """The page: standing and provenance, prose, two pictures, tests, chances, guideline, vignettes, figures, sources.

    Args:
        scenario: checked.
        command: how to make the page again, shown at its foot.
    """
    here = files("workup.report")
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.filters.update(percent=percent)
    template = environment.from_string(here.joinpath("explain.html").read_text(encoding="utf-8"))
    css = [here.joinpath(name).read_text(encoding="utf-8") for name in ("report.css", "explain.css")]
    laws = Laws(scenario)
    prose = {name: html(lines) for name, lines in sections(scenario).items()}
    pictures = {"network": network_figure(scenario), "prerequisites": prerequisite_figure(scenario)}
    seen = sum(figure.status == "seen" for figure in scenario.figures)
    return template.render(
        css=Markup("\n".join(css)),  # our own files
        head=_head(scenario, command),
        contents=[(name, title) for name, title in _TITLES.items() if prose.get(name, title)],
        prose=prose,
        pictures={name: Markup(svg(picture)) for name, picture in pictures.items()},  # matplotlib escapes text
        tests=_tests(laws),
        laws=_laws(laws),
        figures=_figures(scenario),
        unseen=1 - seen / max(len(scenario.figures), 1),
    )


def _head(s: Scenario, command: str) -> dict[str, Any]:
    standing, counts = standing_of(s), Counter(figure.status for figure in s.figures)
    total = max(len(s.figures), 1)
    shares = [{"status": status, "n": counts[status], "share": counts[status] / total} for status in STATUSES]
    return {
        "title": s.title,
        "about": s.about,
        "status": standing.status,
        "status_words": standing.words[:1].upper() + standing.words[1:],
        "provenance": shares,
        "provenance_words": ", ".join(f"{status} {percent(counts[status] / total)}" for status in STATUSES),
        "n_figures": f"{len(s.figures):,}",
        "facts": [
            ("Scenario", f"{s.id}, version {s.version}"),
            ("Digest", s.digest),
            ("Written by", listed(s.who.authors)),
            ("Setting", s.who.setting),
            ("Guideline", f"{s.who.guideline.name}, {s.who.guideline.version}"),
            ("Prices", f"{s.who.currency}, {s.who.price_year}"),
        ],
        "warnings": warnings(s),
        "workup": __version__,
        "command": command,
    }


def _tests(laws: Laws) -> list[dict[str, Any]]:
    """Rows of the table of tests and acts, by tier in the order of the file."""
    s = laws.scenario
    tiers: dict[str, list[dict[str, Any]]] = {}
    for name, of in s.investigations.items():
        tiers.setdefault(of.tier.capitalize(), []).append(_row(laws, name, of))
    if s.acts:
        tiers["Acts that do not end the journey"] = [_row(laws, name, of) for name, of in s.acts.items()]
    return [{"name": tier, "rows": rows} for tier, rows in tiers.items()]


def _row(laws: Laws, name: str, of: Orderable) -> dict[str, Any]:
    cost, result, *burden = takes(laws, of)
    return {
        "label": of.label,
        "cost": cost,
        "result": result.removeprefix("result in "),
        "shows": [laws.phrases.labels_of(of.reveals), *(effects(laws, of) if isinstance(of, Act) else [])],
        "rules": rules_of(laws, of),
        "harms": [*burden, *harms(laws, name, of)],
    }


def _laws(laws: Laws) -> list[dict[str, Any]]:
    s = laws.scenario
    out = []
    for name, of in {**s.context, **s.comorbidities, **s.latent, **s.findings}.items():
        headings, rows = laws.rows(name)
        shown = [(who, [chance(p) for p in chances]) for who, chances in rows]
        out.append({"label": of.label, "headings": headings, "rows": shown})
    return out


def _figures(s: Scenario) -> list[dict[str, Any]]:
    """Every figure in words with its status, by part of the scenario."""
    side = Side.of(s)
    parts: dict[str, list[dict[str, Any]]] = {part: [] for part in PARTS}
    for figure in s.figures:
        what, value = figure_words(side, figure)
        source = "; ".join(text for text in (figure.source, figure.note) if text)
        row = {"what": what, "value": value, "status": figure.status, "source": source}
        parts[part_of(figure.path.partition(".")[0])].append(row)
    seen = {part: sum(row["status"] == "seen" for row in rows) for part, rows in parts.items()}
    return [{"name": part, "rows": rows, "seen": seen[part]} for part, rows in parts.items() if rows]
