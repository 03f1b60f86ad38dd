"""The vignettes of a scenario as tests that any agent can take."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from workup.agents.base import Agent
from workup.agents.baselines.guideline import GuidelineAgent
from workup.envs.engine.cases import vignette_cases
from workup.envs.model.population import Population
from workup.envs.model.world import World
from workup.envs.records.journeys import Journeys
from workup.envs.records.narrative import journey_in_words
from workup.envs.records.run import run_journeys
from workup.errors import UnknownNameError, WorkupError
from workup.scenarios.language.reading.signatures import standing_of
from workup.vignettes.expectations import Verdict, judge
from workup.vignettes.locked import LockedRule, locked_rules

DRAWS = 200


@dataclass(frozen=True)
class Failure:
    """An expectation that an agent did not meet."""

    expectation: str
    """In plain words."""
    what: str
    """What the agent did instead, in the sample journey."""
    step: int
    """Where, in the sample journey; 1 is the first."""
    failed: int
    """Draws that failed."""
    counted: int
    """Draws in which the expectation counted."""
    draws: int
    why: str
    journey: tuple[str, ...]
    """The sample: the first draw that failed."""

    @property
    def share(self) -> str:
        """'7 of 200 draws', or '7 of the 31 draws (of 200) in which it counts'."""
        if self.counted == self.draws:
            return f"{self.failed} of {self.draws} draws"
        return f"{self.failed} of the {self.counted} draws (of {self.draws}) in which it counts"


@dataclass(frozen=True)
class VignetteResult:
    """How an agent did on one vignette."""

    id: str
    title: str
    passed: bool
    failures: tuple[Failure, ...]
    never_counted: tuple[str, ...]
    """Expectations whose condition held in no draw: neither met nor failed."""
    sample: tuple[str, ...]
    """The journey of the first draw, in words."""


@dataclass(frozen=True, repr=False)
class Check:
    """An agent's results on every vignette of a scenario."""

    scenario: str
    digest: str
    status: str
    agent: str
    seed: int
    draws: int
    vignettes: tuple[VignetteResult, ...]
    locked: tuple[LockedRule, ...] = ()
    """Of a guideline: its rules whose decision was locked when their turn came."""

    @property
    def passed(self) -> bool:
        """Whether every vignette passed."""
        return all(vignette.passed for vignette in self.vignettes)

    def __repr__(self) -> str:
        """How many vignettes passed, and what the others missed."""
        passed = sum(each.passed for each in self.vignettes)
        lines = [f"{self.scenario}, {self.agent}: {passed} of {len(self.vignettes)} vignettes passed, seed {self.seed}"]
        missed = [(each.id, failure) for each in self.vignettes for failure in each.failures]
        return "\n".join([*lines, *(f"{id_}: {each.expectation}: failed in {each.share}" for id_, each in missed)])

    def as_json(self) -> dict[str, Any]:
        """`{"vignettes": [{"id", "passed", "failures", ...}], ...}`."""
        return {"passed": self.passed, **asdict(self)}


def check_agent(
    world: World,
    agent: Agent,
    *,
    seed: int = 0,
    only: Sequence[str] = (),
    progress: Callable[[str], None] | None = None,
) -> Check:
    """Run an agent on every vignette, 200 seeded draws of each, and judge every expectation.

    Args:
        world: the scenario, with a reward preset that gives harm a weight.
        agent: who is checked.
        seed: of the draws.
        only: ids of the vignettes to run; all if empty.
        progress: called with each vignette's id once it has run.

    Returns:
        `passed`, and for each of `vignettes` its failures with a sample journey in words.

    Raises:
        UnknownNameError: a vignette that the scenario does not have.
        WorkupError: the scenario has no vignettes.

    Examples:
        >>> import workup
        >>> world = workup.compile_world(workup.load_scenario("tutorial"))
        >>> found = workup.check(world, workup.make_agent("guideline", world))
        >>> found.passed, [each.id for each in found.vignettes]
        (True, ['well', 'febrile', 'smoker', 'declines'])
    """
    journeys = run_vignettes(world, agent, seed=seed, only=only, progress=progress)
    locked = locked_rules(journeys, agent.version) if isinstance(agent, GuidelineAgent) else ()
    return replace(judge_vignettes(journeys), locked=locked)


def run_vignettes(
    world: World,
    agent: Agent,
    *,
    seed: int = 0,
    only: Sequence[str] = (),
    draws: int = DRAWS,
    progress: Callable[[str], None] | None = None,
) -> dict[str, Journeys]:
    """Take an agent through `draws` seeded draws of each vignette, every step recorded.

    Args:
        world: the scenario, with a reward preset that gives harm a weight.
        agent: who is checked.
        seed: of the draws.
        only: ids of the vignettes to run; all if empty.
        draws: how many patients stand for each vignette.
        progress: called with each vignette's id once it has run.

    Raises:
        UnknownNameError: a vignette that the scenario does not have.
        WorkupError: the scenario has no vignettes.
    """
    vignettes = world.scenario.vignettes
    unknown = [name for name in only if name not in vignettes]
    if unknown:
        raise UnknownNameError(
            f"{world.scenario.id} has no vignette {', '.join(unknown)}; it has {', '.join(vignettes)}"
        )
    if not vignettes:
        raise WorkupError(f"{world.scenario.id} has no vignettes, so there is nothing to check; add `vignettes:` to it")
    found = {}
    for name in only or vignettes:
        found[name] = run_journeys(
            Population(world, vignette_cases(world, name, draws=draws, seed=seed)),
            agent,
            patients=np.arange(draws),
            seed=seed,
            record=True,
        )
        if progress is not None:
            progress(name)
    return found


def judge_vignettes(journeys: Mapping[str, Journeys]) -> Check:
    """Judge the recorded journeys of one agent, by vignette."""
    first = next(iter(journeys.values()))
    scenario = first.world.scenario
    return Check(
        scenario=scenario.id,
        digest=scenario.digest,
        status=standing_of(scenario).status,
        agent=first.agent,
        seed=first.seed,
        draws=len(first.patient),
        vignettes=tuple(_judge_one(name, each) for name, each in journeys.items()),
    )


def _judge_one(name: str, journeys: Journeys) -> VignetteResult:
    vignette = journeys.world.scenario.vignettes[name]
    verdicts = judge(vignette, journeys)
    failures = tuple(_failure(v, journeys) for v in verdicts if not v.passed)
    never = tuple(verdict.text for verdict in verdicts if not verdict.counts.any())
    return VignetteResult(name, vignette.title, not failures, failures, never, journey_in_words(journeys, 0))


def _failure(verdict: Verdict, journeys: Journeys) -> Failure:
    row = int(np.flatnonzero(verdict.fails)[0])
    return Failure(
        expectation=verdict.text,
        what=verdict.what(row),
        step=int(verdict.step[row]) + 1,
        failed=int(verdict.fails.sum()),
        counted=int(verdict.counts.sum()),
        draws=len(verdict.fails),
        why=verdict.why,
        journey=journey_in_words(journeys, row),
    )
