"""Agents by name, or from a saved directory. A module offers agents by listing factories in `AGENTS`."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

from workup.agents.base import Agent, AgentFactory
from workup.agents.baselines.guideline import GuidelineAgent
from workup.envs.model.world import World
from workup.errors import FileFormatError, UnknownNameError

ROOMS = ("workup.agents.baselines", "workup.agents.planning", "workup.agents.learned")


def agent_factories(*, recorded: bool = False) -> dict[str, AgentFactory]:
    """Every agent that needs no training, by name. Modules are found in the rooms of agents and imported now.

    `recorded` adds those that learn from recorded patients (listed in a module's `RECORDED_AGENTS`). Only a room's own
    modules and packages are looked at, so that a learner's torch stays out.
    """
    found: dict[str, AgentFactory] = {}
    for offered in _modules():
        found.update(getattr(offered, "AGENTS", {}))
        if recorded:
            found.update(getattr(offered, "RECORDED_AGENTS", {}))
    return dict(sorted(found.items()))


def _modules() -> Iterator[ModuleType]:
    for room in ROOMS:
        package = importlib.import_module(room)
        for module in pkgutil.iter_modules(package.__path__, f"{room}."):
            yield importlib.import_module(module.name)


def make_agent(name_or_dir: str | Path, world: World, *, seed: int = 0) -> Agent:
    """An agent by name (`voi`, `guideline` ...) or from the directory of a saved policy.

    Args:
        name_or_dir: a name of `agent_factories`, `guideline:VERSION` for one of the scenario's `guideline_versions`, or a
            directory that `workup train` wrote.
        world: where it acts, and what it knows, unless the agent has a knowledge model of its own.
        seed: for agents that draw random numbers.

    Raises:
        UnknownNameError: neither; lists the names that exist.
        FileFormatError: the directory holds no sound policy for this scenario.
    """
    path = Path(name_or_dir)
    if path.is_dir():
        return load_agent(path, world)
    factories = agent_factories(recorded=world.recorded is not None)
    if str(name_or_dir) in factories:
        return factories[str(name_or_dir)](world, seed=seed)
    name, _, version = str(name_or_dir).partition(":")
    if name == GuidelineAgent.name and version:
        return GuidelineAgent(world, version=version)
    versions = [f"{GuidelineAgent.name}:{version}" for version in world.scenario.guideline_versions]
    raise UnknownNameError(
        f"agent {str(name_or_dir)!r} is neither a name nor a directory; names: {', '.join([*factories, *versions])}. "
        f"A learned agent is given as the directory that `workup train {world.scenario.id} --agent ppo --out DIR` wrote."
    )


def load_agent(directory: Path, world: World) -> Agent:
    """The agent saved in a directory, whatever its kind.

    Raises:
        FileFormatError: missing, damaged or hostile files, or another scenario.
    """
    from workup.agents.saved import read_header

    kind = read_header(directory / "policy.json").kind
    if kind == "ppo":
        from workup.agents.learned.ppo import PPOAgent

        return PPOAgent.load(directory, world)
    if kind == "fixed":
        from workup.agents.learned.fixed import FixedAgent

        return FixedAgent.load(directory, world)
    raise FileFormatError(f"{directory / 'policy.json'}: kind is {kind!r}; expected 'ppo' or 'fixed'")
