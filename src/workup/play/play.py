"""A person takes the journey: what can be done, what it showed, and afterwards what each order was worth."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from workup.envs.engine.types import JourneyView
from workup.envs.model.codes import UNKNOWN
from workup.envs.model.world import World
from workup.envs.records.journeys import Journeys
from workup.envs.records.narrative import action_label, mishaps_in_words, revealed_in_words
from workup.envs.records.run import run_journeys
from workup.errors import WorkupError
from workup.scenarios.language.schema import TIERS
from workup.wording import time_in_words


@dataclass(frozen=True, eq=False)
class Choice:
    """One action of the player and all that was known when it was taken."""

    view: JourneyView
    """Of one journey, a copy."""
    action: int


class QuitError(WorkupError):
    """The player stopped, or the input ended, before a decision; `choices` are those made before."""

    def __init__(self, message: str, choices: Sequence[Choice] = ()) -> None:
        super().__init__(message)
        self.choices = tuple(choices)


class Player:
    """An agent whose actions a person types."""

    name = "you"
    needs: Literal["raw", "belief"] | None = None

    def __init__(self, world: World, ask: Callable[[str], str], say: Callable[[str], None]) -> None:
        self._world = world
        self._ask = ask
        self._say = say
        self.choices: list[Choice] = []

    def act(self, view: JourneyView) -> NDArray[np.int64]:
        """Show what is new and what can be done, and read a number."""
        view = _copied(view)
        for line in self._news(view):
            self._say(line)
        legal = _by_tier(self._world, view.mask[0])
        for line in menu(self._world, legal, view):
            self._say(line)
        action = self._choose(legal, view)
        self.choices.append(Choice(view, action))
        return np.array([action], np.int64)

    def _news(self, view: JourneyView) -> Iterator[str]:
        before = np.full_like(view.values[0], UNKNOWN)
        status = np.zeros_like(view.status[0])
        if self.choices:
            last = self.choices[-1]
            before, status = last.view.values[0], last.view.status[0]
            yield f"\n{action_label(self._world, last.action)}:"
        facts = revealed_in_words(self._world, before, view.values[0], view.numbers[0])
        for fact in [*facts, *mishaps_in_words(self._world, status, view.status[0])] or ["nothing new"]:
            yield f"  {fact}"

    def _known(self, view: JourneyView) -> Iterator[str]:
        """All that was learned so far."""
        facts = revealed_in_words(self._world, np.full_like(view.values[0], UNKNOWN), view.values[0], view.numbers[0])
        mishaps = mishaps_in_words(self._world, np.zeros_like(view.status[0]), view.status[0])
        yield "\nKnown so far:"
        for fact in [*facts, *mishaps] or ["nothing yet"]:
            yield f"  {fact}"

    def _choose(self, legal: list[int], view: JourneyView) -> int:
        while True:
            answer = self._ask(f"Your choice, 1 to {len(legal)} (? for what is known, q to stop): ").strip().lower()
            if answer in ("q", "quit"):
                raise QuitError("stopped before a decision")
            if answer in ("?", "h", "help"):
                for line in (*self._known(view), *menu(self._world, legal, view)):
                    self._say(line)
                continue
            if answer.isdecimal() and 1 <= int(answer) <= len(legal):
                return legal[int(answer) - 1]
            self._say(f"{answer!r} is not on the list; type a number from 1 to {len(legal)}.")


def _copied(view: JourneyView) -> JourneyView:
    """The engine may write into its arrays again, and what was known at each step is needed at the end."""
    arrays: dict[str, Any] = {name: value.copy() for name, value in vars(view).items() if isinstance(value, np.ndarray)}
    return replace(view, **arrays)


def _by_tier(world: World, mask: NDArray[np.bool_]) -> list[int]:
    """Legal actions: orders by tier, sets under their highest tier, then waiting, then decisions."""

    def rank(action: int) -> tuple[int, int]:
        entry = world.actions[action]
        if not entry.items:
            return len(TIERS) + (entry.kind == "decide"), action
        return max(TIERS.index(world.tier[item]) for item in entry.items), action

    return sorted((int(a) for a in np.flatnonzero(mask)), key=rank)


def menu(world: World, legal: list[int], view: JourneyView) -> Iterator[str]:
    """Numbered legal actions under their tiers, with cost, time and dose."""
    tests = int(view.tests[0])
    yield (
        f"\n{time_in_words(float(view.clock_h[0]))} since the start; £{float(view.cost_gbp[0]):,.0f} spent, "
        f"{tests} test{'s' * (tests != 1)}, {float(view.dose_msv[0]):.3g} mSv. You can:"
    )
    heading = ""
    for number, action in enumerate(legal, start=1):
        entry = world.actions[action]
        tier = max((world.tier[item] for item in entry.items), key=TIERS.index) if entry.items else entry.kind
        if tier != heading:
            heading = tier
            yield f" {'decide' if tier == 'decide' else tier}"
        yield f"  {number:>3}  {action_label(world, action)}{price(world, action)}"


def price(world: World, action: int) -> str:
    """' (£12, 2 h, 0.02 mSv)': what an order costs for certain, what is free left out."""
    items = list(world.actions[action].items)
    if not items:
        return ""
    hours, cost = world.turnaround_h[items].max(), float(world.cost_gbp[items].sum()) + set_up(world, items)[0]
    parts = [f"£{cost:,.0f}"] if cost >= 0.5 else []
    parts += [time_in_words(float(hours))] if hours else []
    parts += [f"{world.dose_msv[items].sum():.3g} mSv"] if world.dose_msv[items].any() else []
    return f" ({', '.join(parts)})" if parts else ""


def set_up(world: World, items: list[int]) -> tuple[float, float]:
    """Cost and harm of what several orders at once share, such as one needle for all bloods, in pounds."""
    shared = sorted({int(world.set_up[item]) for item in items} - {-1})
    return float(world.set_up_cost_gbp[shared].sum()), float(world.set_up_harm_gbp[shared].sum())


def play(
    world: World, *, patient: int, seed: int, ask: Callable[[str], str], say: Callable[[str], None]
) -> tuple[Journeys, list[Choice]]:
    """Take one patient through a journey by hand.

    Args:
        world: the scenario.
        patient: which patient of the seed.
        seed: of the patients.
        ask: reads a line after a prompt.
        say: shows a line.

    Raises:
        QuitError: the player typed q, or `ask` raised it; with the choices made before.
    """
    player = Player(world, ask, say)
    try:
        journeys = run_journeys(world, player, patients=np.array([patient]), seed=seed, record=True, batch=1)
    except QuitError as left:
        raise QuitError(str(left), player.choices) from None
    return journeys, player.choices
