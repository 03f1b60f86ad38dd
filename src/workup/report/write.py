"""One self-contained HTML page: what was simulated, how every agent did, and how far to trust it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
from jinja2 import Environment, StrictUndefined
from markupsafe import Markup

from workup.envs.records.journeys import Journeys
from workup.files import write_whole
from workup.report import comparison, figures
from workup.report.drawing import svg
from workup.report.inputs import ReportInputs
from workup.report.story import Story, tell
from workup.report.tables import agents_table, vignette_table
from workup.report.tree import policy_tree
from workup.scenarios.language.authorship import Status
from workup.scenarios.language.reading.signatures import standing_of
from workup.scenarios.language.schema import Scenario
from workup.version import __version__
from workup.wording import elapsed, moment, percent, pounds, without_brackets

STATUSES: tuple[Status, ...] = ("seen", "recalled", "derived", "assumed")


def write_report(inputs: ReportInputs, path: Path) -> Path:
    """Write the page and return where it is; an older page stays whole until the new one is complete.

    Args:
        inputs: what to report; parts left empty are left out of the page.
        path: the HTML file.

    Raises:
        UnwritableError: the file cannot be written; with the reason.

    Examples:
        >>> from pathlib import Path
        >>> import workup
        >>> from workup.report.inputs import ReportInputs
        >>> scenario, found = workup.load_scenario("tutorial"), workup.evaluate("tutorial", ["none", "voi"], patients=100)
        >>> inputs = ReportInputs(scenario=scenario, command="mine.py", seeds={"evaluation": 0}, evaluation=found)
        >>> workup.write_report(inputs, Path("report.html")).name
        'report.html'
    """
    page = render(inputs)
    write_whole(path, page)
    return path


def render(inputs: ReportInputs) -> str:
    """The page. Every text of the scenario is escaped: scenario files are not trusted."""
    here = files("workup.report")
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.filters.update(pounds=pounds, percent=percent)
    template = environment.from_string(here.joinpath("report.html").read_text(encoding="utf-8"))
    parts: dict[str, Any] = {
        "patients": _patients(inputs),
        "frontier": _frontier(inputs),
        "agents": agents_table(inputs.evaluation, inputs.scenario) if inputs.evaluation else None,
        "trees": [{"agent": name, "root": policy_tree(each)} for name, each in inputs.policy_journeys.items()],
        "vignettes": vignette_table(inputs.checks) if inputs.checks else None,
        "learning": _learning(inputs),
    }
    names = {
        "patients": "Two patients",
        "frontier": "Cost and benefit",
        "agents": "All agents",
        "trees": "The policy as a tree",
        "vignettes": "Vignettes",
        "learning": "Learning",
    }
    anchors = {"trees": "policy"}
    sections = [(anchors.get(key, key), name) for key, name in names.items() if parts[key]] + [("limits", "Limits")]
    css = Markup(here.joinpath("report.css").read_text(encoding="utf-8"))  # our own file
    return template.render(head=_head(inputs), css=css, sections=sections, limits=_limits(inputs), **parts)


def _head(inputs: ReportInputs) -> dict[str, Any]:
    scenario = inputs.scenario
    who, counts = scenario.who, Counter(figure.status for figure in scenario.figures)
    total = max(len(scenario.figures), 1)
    shares = {status: counts[status] / total for status in STATUSES}
    standing = standing_of(scenario)
    return {
        "title": scenario.title,
        "about": scenario.about,
        "status": standing.status,
        "status_words": standing.words[0].upper() + standing.words[1:],
        "provenance": [{"status": status, "n": counts[status], "share": share} for status, share in shares.items()],
        "provenance_words": ", ".join(f"{status} {percent(share)}" for status, share in shares.items()),
        "n_figures": f"{len(scenario.figures):,}",
        "id": scenario.id,
        "version": scenario.version,
        "digest": scenario.digest,
        "setting": who.setting,
        "guideline": f"{who.guideline.name}, {who.guideline.version}",
        "prices": f"{who.currency}, {who.price_year}",
        "seeds": list(inputs.seeds.items()),
        "workup": __version__,
        "command": inputs.command,
    }


@dataclass(frozen=True, eq=False)
class _Told:
    vignette: str
    agent: str
    story: Story


def _patients(inputs: ReportInputs) -> dict[str, Any] | None:
    journeys = {name: each for name, each in inputs.vignette_journeys.items() if each}
    if not journeys:
        return None
    pair = inputs.two_patients or contrast(next(iter(journeys.values())))
    stated = {v: inputs.scenario.vignettes[v].findings for v in pair}
    rows = [
        [_Told(v, agent, tell(by_id[v], stated=stated[v])) for v in pair if v in by_id]
        for agent, by_id in journeys.items()
    ]
    stories = [told.story for row in rows for told in row]
    palette, scale = figures.colours(stories), figures.Scale.of(stories)
    return {
        "rows": [
            [_patient(inputs.scenario, told, palette, scale, intro=number == 0) for told in row]
            for number, row in enumerate(rows)
        ]
    }


def contrast(by_vignette: Mapping[str, Journeys]) -> tuple[str, str]:
    """The vignettes whose commonest journey is the smallest and the greatest: by money spent, then by steps."""

    def length(vignette: str) -> tuple[float, int]:
        story = tell(by_vignette[vignette])
        return round(story.spent_gbp, 2), len(story.steps)

    ranked = sorted(by_vignette, key=length)
    return ranked[0], ranked[-1]


def _patient(
    scenario: Scenario, told: _Told, palette: figures.Colours, scale: figures.Scale, *, intro: bool
) -> dict[str, Any]:
    story, vignette = told.story, scenario.vignettes[told.vignette]
    return {
        "vignette": vignette.title,
        "agent": told.agent,
        "intro": vignette.story if intro else "",
        "decision": story.decision,
        "days": elapsed(story.days * 24),
        "tests": story.tests,
        "spent": story.spent_gbp,
        "dose": f"{story.dose_msv:g}",
        "truth": story.labels[story.truth],
        "svg": Markup(svg(figures.journey_figure(story, palette, scale))),  # matplotlib escapes text
        "same_route": story.same_route,
        "draws": story.draws,
        "steps": [
            {
                "number": step.number,
                "when": moment(step.clock_h),
                "what": step.what,
                "results": step.results,
                "cost": step.cost_gbp,
                "leading": _leading(story, step.posterior),
                "decides": step.decides,
            }
            for step in story.steps
        ],
    }


def _leading(story: Story, posterior: np.ndarray[Any, Any]) -> str:
    first = int(np.argmax(posterior))
    return f"{percent(float(posterior[first]))} {without_brackets(story.labels[first])}"


def _frontier(inputs: ReportInputs) -> dict[str, Any] | None:
    evaluation = inputs.evaluation
    if evaluation is None:
        return None
    points = [
        comparison.Point(name, score.cost_gbp.mean, score.gain.mean, score.gain.low, score.gain.high)
        for name, score in evaluation.agents.items()
    ]
    optimum = evaluation.optimum
    lower = optimum.gain.mean if optimum else np.nan
    upper = optimum.gain.mean + optimum.gap.mean if optimum else np.nan
    figure = comparison.frontier_figure(points, lower, upper, exact=optimum is not None and optimum.exact)
    return {"svg": Markup(svg(figure)), "patients": f"{evaluation.patients:,}"}


def _learning(inputs: ReportInputs) -> dict[str, Any] | None:
    curves = inputs.learning_curves
    if not curves:
        return None
    optimum = inputs.evaluation.optimum if inputs.evaluation else None
    lower = optimum.gain.mean if optimum else np.nan
    upper = optimum.gain.mean + optimum.gap.mean if optimum else np.nan
    figure = comparison.learning_figure(curves, lower, upper, exact=optimum is not None and optimum.exact)
    runs = "One training run" if len(curves) == 1 else f"All {len(curves)} training runs"
    words = (
        f"{runs}, none left out. Gain is measured on held-out patients while the agent learns; "
        "the band is the optimum’s, on the patients compared above."
    )
    return {"svg": Markup(svg(figure)), "words": words}


def _limits(inputs: ReportInputs) -> list[str]:
    scenario, evaluation = inputs.scenario, inputs.evaluation
    counts = Counter(figure.status for figure in scenario.figures)
    unseen = 1 - counts["seen"] / max(len(scenario.figures), 1)
    limits = [
        "Every patient is made up by a model. Nothing here was measured on people, and no result says how an agent "
        "would do in a clinic.",
        f"{percent(unseen)} of the scenario’s figures were not read in their source: they are recalled, derived or "
        "assumed. Conclusions that hang on them hold only as far as they do.",
        "The model lists one principal cause for each patient and a fixed set of causes, tests and findings. Real "
        "patients have several problems, and some that are on no list.",
        "Costs, harms, waiting and outcomes are put on one scale, pounds, at the exchange rate the scenario states. "
        "Another rate can turn the ranking of the agents round.",
        "The optimum is best for this model and this scale only. It knows the model exactly, which no clinician does.",
    ]
    standing = standing_of(scenario)
    if standing.status == "draft":
        limits.insert(1, f"The scenario is a {standing.words}. That goes for its vignettes too.")
    if evaluation is not None:
        limits.append(
            f"Intervals come from {evaluation.patients:,} simulated patients. They show the noise of the simulation, "
            "not the doubt about the scenario’s figures."
        )
        if evaluation.optimum is None:
            limits.append(f"The optimum is not known here: {evaluation.refusal or 'it was not computed'}.")
        elif not evaluation.optimum.exact:
            gap = evaluation.optimum.gap.mean
            limits.append(
                f"The optimum was not found exactly. What no policy can exceed is {pounds(gap)} per patient above "
                "the best plan found."
            )
    seeds = {curve.seed for curve in inputs.learning_curves}
    if len(seeds) == 1:
        limits.append("The agent was trained once, with one seed. Another seed may do better or worse.")
    return limits
