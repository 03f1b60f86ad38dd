"""After a journey: what each choice gained or lost against the best that could be done, and why."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from workup.agents.planning import action_values
from workup.agents.voi import rank_orders
from workup.envs.belief import likelihood
from workup.envs.engine import JourneyView
from workup.envs.journeys import Journeys
from workup.envs.world import World
from workup.narrative import action_label, words
from workup.play import Choice
from workup.scenarios.errors import PlanningRefused
from workup.scenarios.phrases import Phrases, percent, time_in_words

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Worth:
    """What every legal action was worth at one moment."""

    values: Floats
    """(A,) pounds relative to anything; -inf where illegal."""
    method: str
    """How they were found, in plain words."""


def debrief(journeys: Journeys, choices: list[Choice]) -> Iterator[str]:
    """Lines that tell the player how the journey ended and what every choice was worth."""
    world = journeys.world
    yield ""
    yield from outcome(journeys)
    yield ""
    total, methods = 0.0, dict[str, None]()
    for number, choice in enumerate(choices, start=1):
        found = worth(world, choice.view)
        methods[found.method] = None
        lost = float(found.values.max() - found.values[choice.action])
        total += lost
        yield f"{number}. {action_label(world, choice.action)}: {_verdict(world, found, choice.action, lost)}"
        for line in reasons(world, choice.view, choice.action):
            yield f"      {line}"
    yield ""
    yield f"All choices together fell £{total:,.0f} short of the best, in expectation."
    yield f"Judged by {' and by '.join(methods)}."


def outcome(journeys: Journeys) -> Iterator[str]:
    """What was wrong, what was decided and what the journey came to."""
    world, row = journeys.world, 0
    condition = world.model.conditions[journeys.condition[row]]
    yield f"The patient had: {world.scenario.conditions[condition].label}."
    decision = int(journeys.decision[row])
    if decision < 0:
        yield "No decision was made in time."
    else:
        right = "right" if world.right_for[decision, journeys.condition[row]] else "not the right one"
        label = world.scenario.decisions[world.decisions[decision]].label
        yield f"You decided: {label}, which is {right} for this."
    cost, harm, delay, utility = (float(part) for part in journeys.components[row])
    yield (
        f"Value £{float(journeys.value[row]):,.0f}: utility of the decision £{utility:,.0f}, "
        f"tests £{-cost:,.0f}, harm £{-harm:,.0f}, waiting £{-delay:,.0f}."
    )


def worth(world: World, view: JourneyView) -> Worth:
    """Value of every legal action: by the optimum where the planner reaches, else one step ahead."""
    try:
        return Worth(action_values(world, view), "the optimum")
    except PlanningRefused as refusal:
        return Worth(rank_orders(world, view), f"looking one step ahead, since the planner refuses ({refusal})")


def _verdict(world: World, found: Worth, action: int, lost: float) -> str:
    if lost < 0.5:
        return "as good as anything"
    best = action_label(world, int(found.values.argmax()))
    return f"cost you £{lost:,.0f} against the best, which was: {best}"


def reasons(world: World, view: JourneyView, action: int) -> Iterator[str]:
    """What an action could have shown as far as was known then, and its price."""
    entry = world.actions[action]
    beliefs = world.model.belief(view.values, view.status, view.failures, view.treated)[0]
    if entry.kind == "decide":
        yield from _decision_reasons(world, beliefs, entry.decision)
        return
    for item in entry.items:
        yield from could_show(world, view, beliefs, item)
    if entry.items:
        yield f"price: {', '.join(_prices(world, beliefs, list(entry.items))) or 'nothing'}"


def _decision_reasons(world: World, beliefs: Floats, decision: int) -> Iterator[str]:
    by_condition = np.bincount(
        world.model.condition_of, weights=beliefs.sum(axis=0), minlength=len(world.model.conditions)
    )
    likely = np.argsort(-by_condition)[:3]
    names = [world.scenario.conditions[world.model.conditions[c]].label for c in likely]
    yield "you could know: " + ", ".join(f"{n} {by_condition[c]:.0%}" for n, c in zip(names, likely, strict=True))
    yield f"right with probability {by_condition[world.right_for[decision]].sum():.0%}"


def could_show(world: World, view: JourneyView, beliefs: Floats, item: int) -> Iterator[str]:
    """The distribution of each result of an item as far as could be known; none for what could not surprise."""
    for observable in world.reveals[item][world.reveals[item] >= 0]:
        chances = result_chances(world, view, beliefs, int(observable))
        if chances.max() > 0.995:
            continue
        name = world.model.observables[observable]
        values = (*world.model.network.variable(name).values, "not reported")
        order = np.argsort(-chances)[:4]
        shown = [f"{words(values[v])} {percent(chances[v])}" for v in order if chances[v] >= 0.005]
        yield f"could show {Phrases(world.scenario).label(name)}: {', '.join(shown)}"


def result_chances(world: World, view: JourneyView, beliefs: Floats, observable: int) -> Floats:
    """(V + 1,) probability of each reported value of one observable, the last of its being withheld."""
    model = world.model
    item = int(model.item_of[observable])
    offset = int(view.treated[0, observable]) * int(model.treatment_stride[observable])
    offset += int(view.failures[0, item]) * int(model.attempt_stride[observable])
    columns = [*range(int(model.n_values[observable])), model.evidence_table.shape[1] - 1]
    chances = [
        (beliefs * likelihood(model.evidence_rows, observable, model.evidence_table[:, column], offset)).sum()
        for column in columns
    ]
    return np.array(chances)


def _prices(world: World, beliefs: Floats, items: list[int]) -> Iterator[str]:
    late_cost = sum(float((beliefs * world.late_cost_gbp[item]).sum()) for item in items)
    late_harm = sum(float((beliefs * world.late_harm_gbp[item]).sum()) for item in items)
    cost, harm = float(world.cost_gbp[items].sum()) + late_cost, float(world.harm_gbp[items].sum()) + late_harm
    hours = float(world.turnaround_h[items].max())
    waiting = float((beliefs.sum(axis=0) * world.waiting_cost_gbp_per_h[world.model.condition_of]).sum() * hours)
    if cost >= 0.5:
        yield f"£{cost:,.0f} to pay"
    if harm >= 0.5:
        yield f"£{harm:,.0f} of expected harm"
    if hours:
        yield f"{time_in_words(hours)} of waiting" + (f" worth £{waiting:,.0f}" if waiting >= 0.5 else "")
