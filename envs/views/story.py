"""One journey told step by step, as far as it has been revealed: what the pictures are drawn from."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from workup.envs.engine.engine import Engine
from workup.envs.engine.types import JourneyView, Step
from workup.envs.model.codes import FAILED, MISSING, NOT_ORDERED, PENDING, REFUSED, RESULT, UNKNOWN
from workup.envs.model.world import World
from workup.scenarios.language.schema import Variable
from workup.scenarios.language.words.phrases import Phrases
from workup.wording import plain, time_in_words


@dataclass(frozen=True)
class Fact:
    """Something revealed, in words: 'Haemoglobin', '104 g/L (low)'."""

    label: str
    value: str
    usual: bool
    """Whether most patients have this value."""

    def __str__(self) -> str:
        return f"{self.label}: {self.value}"


@dataclass(frozen=True)
class Order:
    """What became of one item in one step."""

    item: int
    status: int
    results: tuple[Fact, ...]


@dataclass(frozen=True, eq=False)
class Moment:
    """One step."""

    action: str
    before_h: float
    after_h: float
    orders: tuple[Order, ...]
    cost_gbp: float
    """Money spent in the step."""
    reward: float
    illegal: bool
    posterior: NDArray[np.float64] | None
    """(conditions,) after the step, in the belief view."""


@dataclass(eq=False)
class Story:
    """The journey in one slot of an engine, so far."""

    world: World
    patient: int
    seed: int
    known: tuple[Fact, ...]
    """Facts at the start."""
    view: JourneyView
    prior: NDArray[np.float64] | None
    moments: list[Moment] = field(default_factory=list)
    end: str = ""

    @classmethod
    def begin(cls, engine: Engine, slot: int = 0) -> Story:
        """The story of a journey that has just begun."""
        view = engine.journey_view(np.array([slot]))
        return cls(
            world=engine.world,
            patient=int(engine.patient[slot]),
            seed=int(engine.seeds[slot]),
            known=tuple(_fact(view, int(o)) for o in np.flatnonzero(view.values[0] != UNKNOWN)),
            view=view,
            prior=engine.condition_posterior[slot] if engine.tracked else None,
        )

    def add(self, engine: Engine, action: int, step: Step, slot: int = 0) -> None:
        """Tell the step that was just taken."""
        before, after = self.view, engine.journey_view(np.array([slot]))
        world = self.world
        name = world.actions[action].name if 0 <= action < len(world.actions) else f"no such action ({action})"
        moment = Moment(
            action=name,
            before_h=float(before.clock_h[0]),
            after_h=float(after.clock_h[0]),
            orders=tuple(_orders(before, after)),
            cost_gbp=float(after.cost_gbp[0] - before.cost_gbp[0]),
            reward=float(step.reward[slot]),
            illegal=bool(step.illegal[slot]),
            posterior=engine.condition_posterior[slot] if engine.tracked else None,
        )
        self.moments.append(moment)
        self.view = after
        if step.terminated[slot] or step.truncated[slot]:
            self.end = _end(world, engine, slot)


def title(story: Story) -> str:
    """Whose journey it is."""
    return f"{story.world.scenario.title}: patient {story.patient} of seed {story.seed} (synthetic)"


def totals(story: Story) -> str:
    """What it took so far."""
    view = story.view
    tests, visits = int(view.tests[0]), int(view.visit[0])
    return (
        f"Spent £{view.cost_gbp[0]:,.0f} and {view.dose_msv[0]:.3g} mSv on {tests} test{'' if tests == 1 else 's'} "
        f"in {time_in_words(float(view.clock_h[0]))}, {visits} visit{'' if visits == 1 else 's'}"
    )


def findings(story: Story, order: Order) -> list[str]:
    """Results of an order in words; a single one does not say the investigation's name again."""
    label = item_label(story.world, order.item)
    if len(order.results) == 1:
        (fact,) = order.results
        return [fact.value if label.startswith(fact.label) or fact.label.startswith(label) else str(fact)]
    return [str(fact) for fact in order.results]


def about(story: Story, action: str) -> str:
    """A step in which nothing was ordered, in words."""
    if action.startswith("decide "):
        return f"DECIDED: {attempted(story, action)}"
    return "waited, nothing came" if action == "wait" else attempted(story, action)


def attempted(story: Story, action: str) -> str:
    """An action by what a clinician calls it."""
    kind, _, name = action.partition(" ")
    return Phrases(story.world.scenario).label(name) if kind in ("order", "set", "act", "decide") else action


def item_label(world: World, item: int) -> str:
    """Name of an investigation or act, for people."""
    return Phrases(world.scenario).label(world.items[item])


def _orders(before: JourneyView, after: JourneyView) -> list[Order]:
    tried = after.failures[0] > before.failures[0]
    changed = np.flatnonzero((before.status[0] != after.status[0]) | tried)
    return [_order(after, int(item)) for item in changed]


def _order(view: JourneyView, item: int) -> Order:
    world, status = view.world, int(view.status[0, item])
    shown = [int(o) for o in world.reveals[item] if o >= 0] if status == RESULT else []
    return Order(item, status, tuple(_fact(view, o) for o in shown))


def _usual_value(world: World, o: int) -> int:
    """The most common value of an observable among all patients."""
    model = world.model
    rows = model.value_rows.start[o] + model.value_rows.of_profile[o][:, None] + model.value_rows.of_hidden[o][None, :]
    return int(np.tensordot(model.prior, model.value_table[rows], axes=2).argmax())


def _fact(view: JourneyView, o: int) -> Fact:
    world, value = view.world, int(view.values[0, o])
    name = world.model.observables[o]
    label = Phrases(world.scenario).label(name)
    if value == MISSING:
        return Fact(label, "not reported", usual=False)
    word = plain(world.model.network.variable(name).values[value])
    return Fact(label, _with_number(world, name, float(view.numbers[0, o]), word), value == _usual_value(world, o))


def _with_number(world: World, name: str, number: float, word: str) -> str:
    variable = _variable(world, name)
    if np.isnan(number) or variable is None:
        return word
    unit = variable.unit or ""
    shown = int(number) if unit.startswith(_COUNTED_IN_WHOLE) else f"{number:.3g}"
    return f"{shown} {unit}".rstrip() + f" ({word})"


def _variable(world: World, name: str) -> Variable | None:
    scenario = world.scenario
    for group in (scenario.findings, scenario.context, scenario.latent, scenario.comorbidities):
        if name in group:
            return group[name]
    return None


def _end(world: World, engine: Engine, slot: int) -> str:
    facts = engine.ended(np.array([slot]))
    condition = Phrases(world.scenario).label(world.model.conditions[facts["condition"][0]])
    if facts["decision"][0] < 0:
        return f"Broken off after {int(facts['steps'][0])} steps without a decision. In truth: {condition}"
    decision = Phrases(world.scenario).label(world.decisions[facts["decision"][0]])
    verdict = "right" if facts["right"][0] else "not right"
    return f"Decided: {decision}. In truth: {condition}, for which this is {verdict}"


STATUS_WORDS = {
    NOT_ORDERED: "not ordered",
    PENDING: "ordered, result awaited",
    RESULT: "done",
    FAILED: "failed, no result",
    REFUSED: "refused by the patient",
}
_COUNTED_IN_WHOLE = ("years", "points")
