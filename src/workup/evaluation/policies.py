"""Anything that chooses actions, compared on the same patients."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from workup.agents.adapted import as_agent
from workup.agents.base import Agent
from workup.agents.planning import Optimum
from workup.agents.referenced import by_own_name
from workup.envs.compile.recorded import population_of, refuse_view_of
from workup.envs.model.population import Population
from workup.envs.model.world import World
from workup.envs.records.journeys import Journeys
from workup.errors import WorkupError
from workup.evaluation.optimum import Bookkeeper
from workup.evaluation.run import run_agents
from workup.evaluation.score import Evaluation, score


@dataclass(frozen=True, eq=False)
class Comparison:
    """Policies on the same patients, with what is left to look at."""

    world: World
    agents: Mapping[str, Agent]
    journeys: Mapping[str, Journeys]
    evaluation: Evaluation
    keeper: Bookkeeper
    """What the planner worked out; `save()` it if more was planned afterwards."""


Progress = Callable[[str, float | None], None]
"""Called with what is being done and the share of it that is done, 0 to 1; None: one more of an unknown number."""


def evaluate(
    scenario: str | Path | World | Population,
    policies: Mapping[str, Any] | Sequence[Any] | Any,
    *,
    patients: int = 1000,
    seed: int = 0,
    optimum: bool = False,
    gbp_per_qaly: float | None = None,
    perspective: str | None = None,
) -> Evaluation:
    """Take the same patients through a journey under each policy and compare what these were worth.

    Args:
        scenario: an id, a path, a compiled world or a population.
        policies: one or several, as a list or by name: the name of an agent ("voi"), a directory that `workup train` wrote,
            `FILE.py:NAME` or `MODULE:NAME`, an `Agent`, a factory (world, *, seed) of one, a function (observation (n, P) float32,
            mask (n, A) bool) -> (n,) actions of the belief view or (view) -> (n,), or a model of Stable-Baselines3 or sb3-contrib
            (`predict`), whose view is told by the length of its observation.
        patients: the first so many of the seed; of recorded patients, at most all.
        seed: of the patients, and of agents that draw random numbers.
        optimum: also what was possible, with certified bounds; minutes on some scenarios. Policies are then scored as the optimum is
            certified, with less noise (`Evaluation.meaning`).
        gbp_per_qaly: pounds that a QALY counts, instead of the scenario's; for a compiled world, say it to `compile_world`.
        perspective: 'nhs' or 'patient', whose costs count, instead of the scenario's; likewise.

    Returns:
        Intervals for each policy and each pair; `print` it, or take `.to_frame()`.

    Raises:
        WorkupError: no policy, two of one name, or something that is none.

    Examples:
        >>> import workup
        >>> found = workup.evaluate("tutorial", ["none", "voi"], patients=100)
        >>> found.agents["voi"].value.mean > found.agents["none"].value.mean  # pounds a patient
        True
        >>> found.minus("voi", "none").low > 0  # patient by patient
        True
        >>> found.to_frame()["policy"].to_list()  # best first
        ['voi', 'none']
    """
    return compare(
        scenario,
        policies,
        patients=patients,
        seed=seed,
        optimum=optimum,
        gbp_per_qaly=gbp_per_qaly,
        perspective=perspective,
    ).evaluation


def compare(
    scenario: str | Path | World | Population,
    policies: Mapping[str, Any] | Sequence[Any] | Any,
    *,
    patients: int,
    seed: int,
    optimum: bool = False,
    gbp_per_qaly: float | None = None,
    perspective: str | None = None,
    record: bool = False,
    progress: Progress | None = None,
) -> Comparison:
    """As `evaluate`, with the journeys; recorded step by step if asked."""
    tell = progress or (lambda what, share: None)

    def solved(_: int) -> None:
        tell("presentations planned", None)

    ready = isinstance(scenario, World | Population)
    view: dict[str, Any] = {"gbp_per_qaly": gbp_per_qaly, "perspective": perspective}
    refuse_view_of(scenario, view)
    population = (
        Population.of(scenario) if isinstance(scenario, World | Population) else population_of(scenario, **view)
    )
    judged = population if ready or population.drawn else population_of(str(scenario), split="test", **view)
    keeper = Bookkeeper(population)
    agents = {
        name: keeper.agent(policy, seed=seed, progress=solved)
        if isinstance(policy, str | Path)
        else as_agent(policy, name, population.world, seed=seed)
        for name, policy in _named(policies).items()
    }
    if not isinstance(policies, Mapping):
        agents = by_own_name(agents)
    journeys = run_agents(
        judged,
        agents,
        patients=patients,
        seed=seed,
        record=record,
        progress=lambda name, done: tell(f"journeys of {name}", done / patients),
    )
    asked = optimum or any(isinstance(agent, Optimum) for agent in agents.values())
    bounds, refusal, plan = keeper.possible(patients=patients, seed=seed, asked=asked, progress=solved)
    evaluation = score(journeys, bounds, refusal=refusal, plan=plan)
    return Comparison(population.world, agents, journeys, evaluation, keeper)


def _named(policies: Any) -> dict[str, Any]:
    if isinstance(policies, Mapping):
        names, several = [str(name) for name in policies], list(policies.values())
    else:
        several = list(policies) if isinstance(policies, list | tuple) else [policies]
        names = [_name_of(policy) for policy in several]
    if not several:
        raise WorkupError("there are no policies to compare; give at least one, such as 'voi'")
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise WorkupError(
            f"several policies are called {twice[0]!r}; give them as a dictionary, by different names of your choice"
        )
    return dict(zip(names, several, strict=True))


def _name_of(policy: Any) -> str:
    if isinstance(policy, str | Path):
        return str(policy)
    return str(getattr(policy, "name", None) or getattr(policy, "__name__", None) or type(policy).__name__)
