"""What the tests of single scenarios ask again and again: how likely something is, and which vignettes an agent fails."""

from __future__ import annotations

from collections.abc import Mapping

from workup.agents.registry import make_agent
from workup.envs.model.world import World
from workup.vignettes.check import check_agent


def chance(world: World, variable: str, values: str | tuple[str, ...], facts: Mapping[str, str] | None = None) -> float:
    """P(variable is one of these values | facts), by the plain network."""
    law = world.model.network.posterior(variable, dict(facts or {}))
    return float(sum(law[value] for value in ((values,) if isinstance(values, str) else values)))


def odds(world: World, variable: str, values: str | tuple[str, ...], facts: Mapping[str, str] | None = None) -> float:
    """The same as odds."""
    p = chance(world, variable, values, facts)
    return p / (1.0 - p)


def failed(world: World, agent: str = "guideline") -> list[str]:
    """The vignettes that an agent fails."""
    return [vignette.id for vignette in check_agent(world, make_agent(agent, world)).vignettes if not vignette.passed]
