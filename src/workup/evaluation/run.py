"""Agents on the same patients."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Literal

from workup.agents.base import Agent
from workup.agents.planning.expected import ExpectedChange
from workup.envs.engine.types import Budget
from workup.envs.model.population import Population
from workup.envs.model.world import World
from workup.envs.records.journeys import Journeys
from workup.envs.records.run import run_journeys


def run_agents(
    who: World | Population,
    agents: Mapping[str, Agent],
    *,
    patients: int,
    seed: int,
    results: Literal["at_once", "delayed"] = "at_once",
    budget: Budget | None = None,
    record: bool = False,
    progress: Callable[[str, int], None] | None = None,
) -> dict[str, Journeys]:
    """Take the first `patients` patients of a seed through a journey under each agent.

    What an order changed by luck is noted where its expectation is known: where results come at once,
    after history and examination, and patients are drawn from the model. Recorded patients are met once each: there are
    no more of them than rows.
    """
    population = Population.of(who)
    known = results == "at_once" and population.drawn
    expectation = ExpectedChange(population.world).of if known else None

    def report(name: str) -> Callable[[int], None] | None:
        return None if progress is None else lambda done: progress(name, done)

    return {
        name: run_journeys(
            population,
            agent,
            name=name,
            patients=population.patients(patients),
            seed=seed,
            results=results,
            budget=budget,
            record=record,
            progress=report(name),
            expectation=expectation,
        )
        for name, agent in agents.items()
    }
