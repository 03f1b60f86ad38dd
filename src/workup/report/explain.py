"""One self-contained HTML page that reads a scenario back to the clinician who has to judge it."""

from __future__ import annotations

from typing import Any

from workup.report.diagrams.network import network_figure
from workup.report.diagrams.prerequisites import prerequisite_figure
from workup.report.markup import html
from workup.report.page import page, picture
from workup.scenarios.language.authorship import FigureRecord
from workup.scenarios.language.schema import OPENING, Act, Orderable, Scenario
from workup.scenarios.language.words.difference import PARTS, part_of
from workup.scenarios.language.words.laws import Laws
from workup.scenarios.language.words.orders import effects, harms, rules_of, takes
from workup.scenarios.language.words.phrases import Phrases
from workup.scenarios.language.words.place_values import figure_words
from workup.scenarios.language.words.places import Side
from workup.scenarios.language.words.prose import sections
from workup.scenarios.language.words.scores import cut_off_rows, part_rows, points_in_words, span, used_by
from workup.scenarios.language.words.worth import rows as worth_rows
from workup.wording import chance_in_words as chance
from workup.wording import pounds_exact

_FOLDED = ("patient", "availability", "decisions", "guideline", "vignettes", "targets", "sources")
"""Sections of the prose that are opened by who wants them."""
_STORIES = 2
"""Patients whose story is told before anything is unfolded."""


def explanation(scenario: Scenario, command: str) -> str:
    """The page: what depends on what and a story first; then, folded, tests, chances, guideline, vignettes, figures, sources.

    Args:
        scenario: checked.
        command: how to make the page again, shown at its head.
    """
    laws = Laws(scenario)
    prose = {name: lines for name, lines in sections(scenario).items() if lines}
    folded = {
        name: {"title": lines[0].removeprefix("## "), "body": html(lines[1:])}
        for name, lines in prose.items()
        if name in _FOLDED
    }
    seen = sum(figure.status == "seen" for figure in scenario.figures)
    contents = [
        ("glance", "At a glance"),
        ("orders", "Tests and acts"),
        *([("scores", "Scores")] if scenario.scores else []),
        *((name, of["title"]) for name, of in folded.items()),
    ]
    return page(
        "explain.html",
        scenario,
        command,
        contents=[*contents, ("figures", "Every figure")],
        glance=_glance(scenario),
        stories=_stories(scenario),
        network=picture(
            network_figure(scenario),
            "What depends on what",
            "The same is said in words in each box and under “The patient”.",
        ),
        before=picture(
            prerequisite_figure(scenario), "What comes before what", "The same is said in the table of tests and acts."
        ),
        folded=folded,
        orders=html(prose["orders"][1:]),
        tests=_tests(laws),
        laws=_laws(laws),
        scores=_scores(laws.phrases),
        worths=_worths(scenario),
        figures=_figures(scenario),
        unseen=1 - seen / max(len(scenario.figures), 1),
    )


def _glance(s: Scenario) -> str:
    """What the scenario is, in a sentence."""
    costs = [of.cost_gbp for of in s.investigations.values() if of.tier not in OPENING]
    priced = f" at {pounds_exact(min(costs))} to {pounds_exact(max(costs))}" if costs else ""
    ends = f"and {len(s.decisions)} decisions that end the journey"
    if s.acts:
        acts = "1 act that does" if len(s.acts) == 1 else f"{len(s.acts)} acts that do"
        ends = f"{acts} not end the journey, and {len(s.decisions)} decisions that do"
    return (
        f"One of {len(s.conditions)} causes lies behind it. After history and examination there are {len(costs)} tests to choose "
        f"from{priced}, {ends}."
    )


def _stories(s: Scenario) -> list[dict[str, str]]:
    """The first patients of the vignettes, with what is wrong with them and how their journey must end."""
    phrases = Phrases(s)
    return [
        {
            "title": vignette.title,
            "story": vignette.story,
            "truth": phrases.label(vignette.condition),
            "ends": phrases.labels_of(vignette.decide, "or"),
        }
        for vignette in list(s.vignettes.values())[:_STORIES]
    ]


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


def _scores(phrases: Phrases) -> list[dict[str, Any]]:
    """Each score: what gives points, what totals are called, what looks at it."""
    return [
        {
            "label": score.label,
            "parts": [
                (what, points_in_words(points))
                for part in score.points
                for what, points in part_rows(part.model_dump(), phrases)
            ],
            "words": cut_off_rows(phrases, name),
            "says": f"Totals {span(phrases, name)}; {used_by(phrases, name)}.",
        }
        for name, score in phrases.scenario.scores.items()
    ]


def _worths(s: Scenario) -> list[dict[str, Any]]:
    """What each decision in parts is worth, as a table of parts by cause."""
    tables = [(decision.label, *worth_rows(s, name)) for name, decision in s.decisions.items() if decision.worth]
    return [{"label": label, "headings": headings, "rows": rows} for label, headings, rows in tables]


def origin(figure: FigureRecord) -> str:
    """Where a figure comes from: its source, note, formula and search, as far as it has them."""
    computed = f"computed as {figure.formula}" if figure.formula else None
    searched = f"searched: {figure.searched.in_words}" if figure.searched else None
    return "; ".join(text for text in (figure.source, figure.note, computed, searched) if text)


def _figures(s: Scenario) -> list[dict[str, Any]]:
    """Every figure in words with its status, by part of the scenario."""
    side = Side.of(s)
    parts: dict[str, list[dict[str, Any]]] = {part: [] for part in PARTS}
    for figure in s.figures:
        what, value = figure_words(side, figure)
        row = {"what": what, "value": value, "status": figure.status, "source": origin(figure)}
        parts[part_of(figure.path.partition(".")[0])].append(row)
    seen = {part: sum(row["status"] == "seen" for row in rows) for part, rows in parts.items()}
    return [{"name": part, "rows": rows, "seen": seen[part]} for part, rows in parts.items() if rows]
