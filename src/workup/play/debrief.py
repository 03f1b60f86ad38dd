"""After a journey: what each choice gained or lost against the best that could be done, and why."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from workup.agents.baselines.voi import rank_orders
from workup.agents.planning import action_values
from workup.envs.engine.types import JourneyView
from workup.envs.model.belief import likelihood, posterior_weights
from workup.envs.model.codes import NOT_ORDERED
from workup.envs.model.world import World
from workup.envs.records.journeys import Journeys
from workup.envs.records.narrative import action_label
from workup.errors import PlanningRefused
from workup.play.play import Choice, set_up
from workup.scenarios.language.words.phrases import Phrases
from workup.wording import percent, plain, pounds, time_in_words

Floats = NDArray[np.float64]

MOST_FINDINGS = 6


@dataclass(frozen=True, eq=False)
class Worth:
    """What every legal action was worth at one moment."""

    values: Floats
    """(A,) pounds relative to anything; -inf where illegal, and everywhere if nothing could judge."""
    method: str
    """How they were found, or why not, in plain words."""

    @property
    def known(self) -> bool:
        """Whether anything could be said."""
        return bool(np.isfinite(self.values).any())

    def lost(self, action: int) -> float:
        """How far an action falls short of the best, in pounds; 0 where that is not known."""
        return float(self.values.max() - self.values[action]) if self.known else 0.0


def debrief(journeys: Journeys, choices: list[Choice]) -> Iterator[str]:
    """Lines that tell the player how the journey ended and what every choice was worth."""
    yield ""
    yield from outcome(journeys)
    yield from judged_choices(journeys.world, choices)


def judged_choices(world: World, choices: Sequence[Choice]) -> Iterator[str]:
    """Lines that tell the player what every choice was worth, also where no decision was reached."""
    yield ""
    found = [worth(world, choice.view) for choice in choices]
    for number, (choice, judged) in enumerate(zip(choices, found, strict=True), start=1):
        yield f"{number}. {action_label(world, choice.action)}: {_verdict(world, judged, choice.action)}"
        for line in reasons(world, choice.view, choice.action):
            yield f"      {line}"
    yield ""
    total = sum(judged.lost(choice.action) for choice, judged in zip(choices, found, strict=True))
    fell = f"fell {pounds(total)} short of the best" if round(total, 2) else "were as good as the best"
    yield f"All choices together {fell}, in expectation."
    for method in dict.fromkeys(judged.method for judged in found):
        numbers = [str(number) for number, judged in enumerate(found, start=1) if judged.method == method]
        yield f"Judged by {method}: {'choice' if len(numbers) == 1 else 'choices'} {', '.join(numbers)}."


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
        f"Value {pounds(float(journeys.value[row]))}: utility of the decision {pounds(utility)}, less "
        f"{pounds(-cost)} for tests and acts, {pounds(-harm)} of harm and {pounds(-delay)} of waiting."
    )


def worth(world: World, view: JourneyView) -> Worth:
    """Value of every legal action: by the optimum where the planner reaches, else one step ahead."""
    try:
        return Worth(action_values(world, view), "the optimum")
    except PlanningRefused as refusal:
        reason = str(refusal)
    values = one_step_ahead(world, view)
    if values is None:
        return Worth(np.full(len(world.actions), -np.inf), f"nothing ({reason})")
    return Worth(values, f"looking one step ahead, since the planner refuses ({reason})")


def one_step_ahead(world: World, view: JourneyView) -> Floats | None:
    """(A,) value of information of every action, net of its price, or None where it has too many results to list."""
    try:
        return rank_orders(world, view)
    except PlanningRefused:
        return None


def _verdict(world: World, found: Worth, action: int) -> str:
    if not found.known:
        return "not judged"
    if found.lost(action) < 0.5:
        return "as good as anything"
    best = action_label(world, int(found.values.argmax()))
    return f"cost you {pounds(found.lost(action))} against the best, which was: {best}"


def reasons(world: World, view: JourneyView, action: int) -> Iterator[str]:
    """What an action could have shown as far as was known then, and its price."""
    entry = world.actions[action]
    beliefs = posterior_weights(world.model, view.values, view.status, view.failures, view.treated)[0]
    if entry.kind == "decide":
        yield from _decision_reasons(world, beliefs, entry.decision)
        return
    for item in entry.items:
        yield from could_show(world, view, beliefs, item)
    if entry.items:
        price = Price.of(world, view, beliefs, action)
        yield f"price: {price}"
        if world.reveals[list(entry.items)].max() >= 0:
            net = one_step_ahead(world, view)
            if net is not None:
                information = pounds(max(0.0, float(net[action]) + price.total_gbp))
                yield f"for a decision straight after it, what it could show was worth {information}"


def _decision_reasons(world: World, beliefs: Floats, decision: int) -> Iterator[str]:
    by_condition = np.bincount(
        world.model.condition_of, weights=beliefs.sum(axis=0), minlength=len(world.model.conditions)
    )
    likely = np.argsort(-by_condition)[:3]
    names = [world.scenario.conditions[world.model.conditions[c]].label for c in likely]
    yield "you could know: " + ", ".join(f"{n} {percent(by_condition[c])}" for n, c in zip(names, likely, strict=True))
    yield f"right with probability {by_condition[world.right_for[decision]].sum():.0%}"


def could_show(world: World, view: JourneyView, beliefs: Floats, item: int) -> Iterator[str]:
    """The distribution of each result of an item as far as could be known; none for what could not surprise."""
    observables = [int(o) for o in world.reveals[item] if o >= 0]
    found = {o: result_chances(world, view, beliefs, o) for o in observables}
    open_ones = [o for o in observables if found[o].max() <= 0.995]
    for observable in open_ones[:MOST_FINDINGS]:
        chances = found[observable]
        name = world.model.observables[observable]
        values = (*world.model.network.variable(name).values, "not reported")
        order = np.argsort(-chances)[:4]
        shown = [f"{plain(values[v])} {percent(chances[v])}" for v in order if chances[v] >= 0.005]
        yield f"could show {Phrases(world.scenario).label(name)}: {', '.join(shown)}"
    if len(open_ones) > MOST_FINDINGS:
        yield f"and {len(open_ones) - MOST_FINDINGS} more findings"


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


@dataclass(frozen=True)
class Price:
    """What an order was expected to cost, on what was known, weighted as the reward weighs it."""

    cost_gbp: float
    harm_gbp: float
    hours: float
    waiting_gbp: float

    @classmethod
    def of(cls, world: World, view: JourneyView, beliefs: Floats, action: int) -> Price:
        """The price of an order, set or act: of a set, of the members not ordered before."""
        entry = world.actions[action]
        items = [i for i in entry.items if entry.kind != "set" or view.status[0, i] == NOT_ORDERED]
        shared_cost, shared_harm = set_up(world, items)
        late_cost, late_harm = ((beliefs * table[items]).sum() for table in (world.late_cost_gbp, world.late_harm_gbp))
        hours = float(world.turnaround_h[items].max())
        rate = float(beliefs.sum(axis=0) @ world.waiting_cost_gbp_per_h[world.model.condition_of])
        if world.by_patient.waiting_gbp_per_h.size:
            rate += float((beliefs * world.by_patient.waiting_gbp_per_h).sum())
        cost, harm, delay, _ = world.weights
        return cls(
            cost_gbp=float(cost * (world.cost_gbp[items].sum() + shared_cost + late_cost)),
            harm_gbp=float(harm * (world.harm_gbp[items].sum() + shared_harm + late_harm)),
            hours=hours,
            waiting_gbp=float(delay * rate * hours),
        )

    @property
    def total_gbp(self) -> float:
        """Everything in pounds."""
        return self.cost_gbp + self.harm_gbp + self.waiting_gbp

    def __str__(self) -> str:
        parts = [f"{pounds(self.cost_gbp)} to pay", f"{pounds(self.harm_gbp)} of expected harm"]
        parts.append(f"{time_in_words(self.hours)} of waiting worth {pounds(self.waiting_gbp)}")
        shown = zip(parts, (self.cost_gbp, self.harm_gbp, self.hours), strict=True)
        return ", ".join(part for part, amount in shown if amount > 0.005) or "nothing"
