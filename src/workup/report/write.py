"""One self-contained HTML page: what was simulated, how every agent did, and how far to trust it."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from workup.envs.records.journeys import Journeys
from workup.files import write_whole
from workup.report import comparison, figures
from workup.report.causes import by_cause
from workup.report.diagrams.routes import tree_figure
from workup.report.inputs import ReportInputs
from workup.report.page import page, picture
from workup.report.presentations import first_orders
from workup.report.rates import by_rate
from workup.report.routes import common_routes, ends_in_words, told
from workup.report.story import Story, tell
from workup.report.tables import agents_table, vignette_table
from workup.scenarios.language.reading.signatures import standing_of
from workup.scenarios.language.schema import Scenario
from workup.wording import CERTIFIED, elapsed, moment, percent, pounds, without_brackets

if TYPE_CHECKING:
    from workup.evaluation.score import Evaluation

_SECTIONS = {
    "frontier": "Cost and benefit",
    "orders": "What is ordered first",
    "trees": "Common routes",
    "agents": "All agents",
    "causes": "By true cause",
    "rates": "Other rates for a QALY",
    "patients": "Two patients",
    "vignettes": "Vignettes",
    "learning": "Learning",
}
_ANCHORS = {"trees": "policy"}
_WHO = {
    "none": "decides straight after history and examination",
    "all": "orders everything that is allowed before it decides",
    "random": "orders by chance",
    "fixed": "orders the same for everybody",
    "guideline": "follows the scenario’s guideline",
    "junior": "is voi with a noisy knowledge of the figures",
    "senior": "is voi with a less noisy knowledge of the figures",
    "voi": "orders what is most worth its price, looking one order ahead",
    "optimum": "follows the best plan found",
    "ppo": "has learned from simulated patients",
}
"""What the agents do that come with workup, in a few words."""


def write_page(inputs: ReportInputs, path: Path) -> Path:
    """Write the page and return where it is; an older page stays whole until the new one is complete.

    Args:
        inputs: what to report; parts left empty are left out of the page.
        path: the HTML file.

    Raises:
        UnwritableError: the file cannot be written; with the reason.
    """
    write_whole(path, render(inputs))
    return path


def render(inputs: ReportInputs) -> str:
    """The page. Every text of the scenario is escaped: scenario files are not trusted."""
    parts: dict[str, Any] = {
        "frontier": _frontier(inputs),
        "orders": _orders(inputs),
        "trees": _trees(inputs),
        "agents": agents_table(inputs.evaluation, inputs.scenario) if inputs.evaluation else None,
        "causes": by_cause(inputs.evaluation, inputs.scenario) if inputs.evaluation else None,
        "rates": by_rate(inputs.net_benefit) if inputs.net_benefit else None,
        "patients": _patients(inputs),
        "vignettes": _vignettes(inputs),
        "learning": _learning(inputs),
    }
    named = _SECTIONS | ({"patients": parts["patients"]["name"]} if parts["patients"] else {})
    contents = [(_ANCHORS.get(key, key), name) for key, name in named.items() if parts[key]] + [("limits", "Limits")]
    seeds = ", ".join(f"{purpose} {seed}" for purpose, seed in inputs.seeds.items())
    facts = [("Seeds", seeds)] if seeds else []
    return page(
        "report.html", inputs.scenario, inputs.command, facts, contents=contents, limits=_limits(inputs), **parts
    )


@dataclass(frozen=True, eq=False)
class _Told:
    vignette: str
    agent: str
    story: Story


def _patients(inputs: ReportInputs) -> dict[str, Any] | None:
    rank = {name: place for place, name in enumerate(_ranked(inputs))}
    journeys = {name: each for name, each in inputs.vignette_journeys.items() if each}
    journeys = {name: journeys[name] for name in sorted(journeys, key=lambda name: rank.get(name, len(rank)))}
    if not journeys:
        return None
    pair = tuple(dict.fromkeys(inputs.two_patients or contrast(next(iter(journeys.values())))))
    stated = {v: inputs.scenario.vignettes[v].findings for v in pair}
    rows = [
        [_Told(v, agent, tell(by_id[v], stated=stated[v])) for v in pair if v in by_id]
        for agent, by_id in journeys.items()
    ]
    stories = [told.story for row in rows for told in row]
    palette, scale = figures.colours(stories), figures.Scale.of(stories)
    return {
        "name": "Two patients" if len(pair) > 1 else "One patient",
        "title": "Two patients, and what each needs" if len(pair) > 1 else "One patient, and what is needed",
        "same": "The same two" if len(pair) > 1 else "The same patient",
        "rows": [
            [_patient(inputs.scenario, told, palette, scale, intro=number == 0) for told in row]
            for number, row in enumerate(rows)
        ],
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
        "picture": picture(
            figures.journey_figure(story, palette, scale),
            f"{vignette.title}, as seen by {told.agent}",
            _in_words(story),
        ),
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


def _in_words(story: Story) -> str:
    steps = ", then ".join(f"{step.what} ({_leading(story, step.posterior)})" for step in story.steps)
    return f"Steps, each with the most probable cause after it: {steps}."


def _leading(story: Story, posterior: np.ndarray[Any, Any]) -> str:
    first = int(np.argmax(posterior))
    return f"{percent(float(posterior[first]))} {without_brackets(story.labels[first])}"


def _ranked(inputs: ReportInputs) -> list[str]:
    """Agents of the recorded journeys, the best first."""
    names = list(inputs.policy_journeys)
    if inputs.evaluation is not None:
        known = inputs.evaluation.agents
        names.sort(key=lambda name: -known[name].value.mean if name in known else math.inf)
    return names


def _frontier(inputs: ReportInputs) -> dict[str, Any] | None:
    evaluation = inputs.evaluation
    if evaluation is None:
        return None
    points = [
        comparison.Point(name, score.cost_gbp.mean, score.gain.mean, score.gain.low, score.gain.high)
        for name, score in evaluation.agents.items()
    ]
    lower, upper, exact = _bracket(evaluation)
    figure = comparison.frontier_figure(points, lower, upper, exact=exact)
    says = comparison.in_words(evaluation)
    return {
        "picture": picture(figure, "What each agent spends and gains", says),
        "says": says,
        "who": [(name, _WHO[name]) for name in evaluation.agents if name in _WHO],
        "patients": f"{evaluation.patients:,}",
    }


def _bracket(evaluation: Evaluation | None) -> tuple[float, float, bool]:
    """What the optimum certainly gains, what no policy can exceed, and whether that is exact; NaN where it is not known."""
    optimum = evaluation.optimum if evaluation else None
    if optimum is None:
        return np.nan, np.nan, False
    return optimum.gain.mean, optimum.gain.mean + optimum.gap.mean, optimum.exact


def _orders(inputs: ReportInputs) -> dict[str, Any] | None:
    ranked = _ranked(inputs)
    found = first_orders({name: inputs.policy_journeys[name] for name in ranked}, ranked[0]) if ranked else None
    if found is None:
        return None
    about = f"The rows are told apart by what changes the first order of {found.reference}"
    about += ", the agent that gains most here." if inputs.evaluation else "."
    if len(found.rows) == 1:
        about = f"{found.reference} begins in the same way whatever it finds."
    return {"about": about, "agents": found.agents, "rows": found.rows}


def _trees(inputs: ReportInputs) -> list[dict[str, Any]]:
    trees = []
    for name in _ranked(inputs):
        tree = common_routes(inputs.policy_journeys[name])
        ways = list(told(tree))
        first, *after = sorted(ways, key=lambda way: -way.share * way.drawn)
        says = f"Under {name}, the routes drawn here take {percent(tree.shown)} of patients all the way to a decision."
        if after:
            says += f" The commonest, for {percent(first.share)}, is {' → '.join(first.actions)}, then {ends_in_words(first.ends)}."
        rows = [{"way": way, "ends": ends_in_words(way.ends)} for way in ways]
        shown = picture(tree_figure(tree), f"Common routes of {name}", says)
        trees.append({"agent": name, "picture": shown, "says": says, "rows": rows})
    return trees


def _vignettes(inputs: ReportInputs) -> dict[str, Any] | None:
    if not inputs.checks:
        return None
    table = vignette_table(inputs.checks)
    passed = [
        f"{check.agent} {sum(each.passed for each in check.vignettes)} of {len(check.vignettes)}"
        for check in inputs.checks
    ]
    return {"says": f"Passed: {', '.join(passed)}.", "agents": table.agents, "rows": table.rows}


def _learning(inputs: ReportInputs) -> dict[str, Any] | None:
    curves = inputs.learning_curves
    if not curves:
        return None
    lower, upper, exact = _bracket(inputs.evaluation)
    figure = comparison.learning_figure(curves, lower, upper, exact=exact)
    runs = "One training run" if len(curves) == 1 else f"All {len(curves)} training runs"
    words = (
        f"{runs}, none left out. Gain is measured on held-out patients while the agent learns; "
        "the band is the optimum’s, on the patients compared above."
    )
    ends = "; ".join(f"{curve.agent}, seed {curve.seed}, ends at {pounds(float(curve.gain[-1]))}" for curve in curves)
    return {"picture": picture(figure, "Gain against experience", f"Mean gain per patient: {ends}."), "words": words}


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
        "Another rate can turn the ranking of the agents round."
        + (f" What other rates would change is not shown: {inputs.no_net_benefit}." if inputs.no_net_benefit else ""),
        f"The optimum is best for this model and this scale only: {CERTIFIED}. It knows the model exactly, which no clinician does.",
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
