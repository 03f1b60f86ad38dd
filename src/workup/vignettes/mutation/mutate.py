"""Mutation of a passing policy: is every expectation of a vignette one that a policy could fail, and would be caught failing?

From an agent that passes, one altered agent is derived for each way to break each expectation: the demanded order
dropped, the forbidden one placed, two orders turned round, an order put off, another decision, orders added until a
ceiling is passed. The altered agent takes legal actions only. Either the expectation fails, and so is worth having; or the
rules of the world make that way impossible, which is proved (`reachable`) and said; or the way was missed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from workup.agents.base import Agent
from workup.envs.engine.cases import vignette_cases
from workup.envs.model.world import World
from workup.envs.records.journeys import Journeys
from workup.scenarios.language.schema import Vignette
from workup.vignettes.check import run_vignettes
from workup.vignettes.expectations import Verdict, judge
from workup.vignettes.mutation.reachable import Reach, reach
from workup.vignettes.mutation.ways import Way, ways_to_break

Outcome = Literal["caught", "protected", "missed"]
DRAWS = 40
RARE_DRAWS = 4000
"""Tried where no altered agent broke the expectation in the first draws: what it takes may be rare in these patients."""


@dataclass(frozen=True)
class Mutation:
    """One way to break one expectation, and what came of it."""

    vignette: str
    expectation: str
    """In plain words, as `check` reports it."""
    change: str
    """What was altered."""
    outcome: Outcome
    """caught: `check` reports it; protected: no policy can do it, or for a total of all that is ordered none ever did; missed: neither."""
    reason: str
    """Why no policy can do it; empty unless protected."""
    alone: bool
    """Caught, and nothing else that the agent met was broken with it."""
    draws: int
    """Patients it took to see it fail; 0 unless caught."""


def mutate(
    world: World,
    agent: Agent,
    *,
    draws: int = DRAWS,
    seed: int = 0,
    only: Sequence[str] = (),
    progress: Callable[[str], None] | None = None,
) -> tuple[Mutation, ...]:
    """Break every expectation of every vignette in every way.

    Args:
        world: the scenario.
        agent: who passes the vignettes.
        draws: patients of each vignette.
        seed: of the draws.
        only: vignettes; all if empty.
        progress: called with each vignette's id once it is done.
    """
    found: list[Mutation] = []
    for name in only or world.scenario.vignettes:
        found += _of_vignette(world, agent, name, draws, seed)
        if progress is not None:
            progress(name)
    return tuple(found)


def _of_vignette(world: World, agent: Agent, name: str, draws: int, seed: int) -> Iterator[Mutation]:
    vignette = world.scenario.vignettes[name]
    trial = _Trial(world, agent, name, draws, seed)
    for way in ways_to_break(world, vignette):
        yield trial.of(way)


@dataclass(frozen=True, eq=False)
class _Trial:
    """One vignette and the agent that is altered."""

    world: World
    agent: Agent
    name: str
    draws: int
    seed: int

    def of(self, way: Way) -> Mutation:
        """The proof that no policy can; else the altered agents in turn until one does, at last on more patients."""
        if self._protected(way):
            return self._say(way, "protected", reason=way.reason)
        found = self._broken(way, self.draws) or self._broken(way, RARE_DRAWS)
        if found is None and self._never_beyond(way):
            reason = f"what would take as much together was never to be had in {RARE_DRAWS:,} draws in which all was ordered that could be"
            return self._say(way, "protected", reason=reason)
        return found or self._say(way, "missed")

    def _never_beyond(self, way: Way) -> bool:
        """Of a ceiling: whether altered agents that order all that is legal never come to so much."""
        return way.beyond is not None and not any(
            way.beyond(self._run(alter(self.agent), RARE_DRAWS)) for alter in way.altered
        )

    def _broken(self, way: Way, draws: int) -> Mutation | None:
        for alter in way.altered:
            done = self._run(alter(self.agent), draws)
            verdicts = judge(self._vignette, done)
            if not verdicts[way.index].passed and self._as_meant(way, done):
                failed = [i for i, verdict in enumerate(verdicts) if not verdict.passed and self._passed[i].passed]
                return self._say(way, "caught", alone=failed == [way.index], draws=draws)
        return None

    def _as_meant(self, way: Way, done: Journeys) -> bool:
        """Whether it was this way, and no other, that broke the expectation."""
        if way.part is None:
            return True
        parts = tuple(each for each in (way.part, way.still) if each is not None)
        part, *still = judge(self._vignette.model_copy(update={"expect": parts}), done)[: len(parts)]
        return not part.passed and all((part.fails & ~each.fails).any() for each in still)

    def _protected(self, way: Way) -> bool:
        """Whether it can be done in no draw; or, where some may fail, in no more than these."""
        spared = 0.0 if self._passed[way.index].every else 0.05 * self.draws
        able = 0
        for patient, count in self._patients:
            able += count if way.possible(patient) else 0
            if able > spared + 1e-9:
                return False
        return True

    def _say(self, way: Way, outcome: Outcome, *, reason: str = "", alone: bool = False, draws: int = 0) -> Mutation:
        return Mutation(self.name, self._passed[way.index].text, way.change, outcome, reason, alone, draws)

    @cached_property
    def _passed(self) -> list[Verdict]:
        return judge(self._vignette, self._run(self.agent, self.draws))

    @cached_property
    def _patients(self) -> list[tuple[Reach, int]]:
        """What may happen to the patients drawn, and how many of them are alike."""
        cases = vignette_cases(self.world, self.name, draws=self.draws, seed=self.seed)
        drawn = Counter(zip(cases.profile.tolist(), cases.hidden.tolist(), strict=True))
        return [(reach(self.world, k, h, cases.values[0]), count) for (k, h), count in drawn.items()]

    @property
    def _vignette(self) -> Vignette:
        return self.world.scenario.vignettes[self.name]

    def _run(self, agent: Agent, draws: int) -> Journeys:
        return run_vignettes(self.world, agent, seed=self.seed, only=[self.name], draws=draws)[self.name]
