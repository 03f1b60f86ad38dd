"""Agents by name, from a saved directory, or of a file that a person wrote. Our modules offer them in `AGENTS` and `LEARNERS`;
other installed packages by entry points of the groups `workup.agents` and `workup.learners`."""

from __future__ import annotations

import difflib
import importlib
import inspect
import pkgutil
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from types import ModuleType
from typing import Any, Final, cast

from workup.agents.adapted import as_agent
from workup.agents.base import Agent, AgentFactory, AgentMaker, Effort, Learner
from workup.agents.baselines.guideline import GuidelineAgent
from workup.agents.referenced import is_reference, referenced, refuse_pickle
from workup.agents.saved import read_header
from workup.envs.model.population import Population
from workup.envs.model.world import World
from workup.errors import FileFormatError, UnknownNameError, WorkupError
from workup.plugins import names_offered, offer_of

ROOMS = ("workup.agents.baselines", "workup.agents.planning", "workup.agents.learned")
"""Where agents are looked for: the modules and packages of these folders, not what lies deeper, so that a learner's torch
stays out."""
_LEARNERS: Final = "workup.learners"
_OF_A_LEARNER = ("name", "extra", "ends_by_itself", "needs_rows", "fit", "load")


def agent_factories() -> dict[str, AgentFactory]:
    """Every agent that comes with workup for any scenario, learners that end by themselves included."""
    fitted: dict[str, AgentFactory] = {
        name: _Fitted(learner)
        for name, learner in learners().items()
        if learner.ends_by_itself and not learner.needs_rows
    }
    return dict(sorted({**_offered("AGENTS"), **fitted}.items()))


def _for_rows() -> dict[str, AgentFactory]:
    """Those that make sense for recorded patients alone: listed in a module's `RECORDED_AGENTS`, and learners from rows."""
    fitted = {name: _Fitted(of) for name, of in learners().items() if of.ends_by_itself and of.needs_rows}
    return {**_offered("RECORDED_AGENTS"), **fitted}


def agent_makers() -> dict[str, AgentMaker]:
    """Agents that are made of what follows their name: `suspicion:GROUP:SLOPE`, `gestalt:GROUP:SLOPE`, `lapse:EPS:POLICY`."""
    return dict(sorted(_offered("MADE_OF").items()))


def learners() -> dict[str, Learner]:
    """Every learner that comes with workup, by name."""
    return dict(sorted(_offered("LEARNERS").items()))


def learner_of(name: str) -> Learner:
    """The learner of that name, ours or another installed package's. Raises UnknownNameError listing those that exist."""
    ours = learners()
    learner = _offered_learner(name, ours) or ours.get(name)
    if learner is None:
        raise UnknownNameError(f"no learner {name!r}; there are {', '.join((*ours, *names_offered(_LEARNERS, ours)))}")
    return learner


def make_agent(name_or_dir: str | Path, who: World | Population, *, seed: int = 0) -> Agent:
    """An agent by name (`voi`, `guideline` ...), from the directory of a saved policy, or of a file of your own.

    Args:
        name_or_dir: a name of `agent_factories`, of a learner that ends by itself, or of what another installed package offers;
            `guideline:VERSION` for one of the scenario's `guideline_versions`; `suspicion:GROUP:SLOPE`, `gestalt:GROUP:SLOPE` or
            `lapse:EPS:POLICY`; a directory that `workup train` wrote; or
            `FILE.py:NAME` or `MODULE:NAME`, which run that code: a factory, an agent or a function (see `as_agent`).
        who: the patients that a learner is fitted to; their world is where the agent acts and what it knows, unless it has
            a knowledge model of its own.
        seed: for agents that draw random numbers.

    Raises:
        UnknownNameError: none of these; lists the names that exist.
        FileFormatError: the directory holds no sound policy for this scenario.
        WorkupError: what a module lists under that name is no factory, a name of two owners, a file that can run code when
            it is opened, or code of others that fails.

    Examples:
        >>> import workup
        >>> world = workup.compile_world(workup.load_scenario("tutorial"))
        >>> workup.make_agent("voi", world).name
        'voi'
    """
    path, population, chosen = Path(name_or_dir), Population.of(who), str(name_or_dir)
    if path.is_dir():
        return load_agent(path, population.world)
    refuse_pickle(path)
    factories = agent_factories() if population.law_known else agent_factories() | _for_rows()
    if offer := offer_of("workup.agents", chosen, factories):
        return as_agent(offer.load(), chosen, population.world, seed=seed)
    learner = _offered_learner(chosen, factories) or learners().get(chosen)
    if learner is not None and learner.ends_by_itself and not (learner.needs_rows and population.law_known):
        return fit_by_name(learner, population, seed=seed)
    if chosen in factories:
        return made_by(factories[chosen], population.world, name=chosen, seed=seed)
    name, _, asked = chosen.partition(":")
    if name == GuidelineAgent.name and asked:
        return GuidelineAgent(population.world, version=asked)
    if name in (makers := agent_makers()):
        return makers[name](population.world, asked, seed=seed, make=lambda other: make_agent(other, who, seed=seed))
    if is_reference(chosen) and chosen not in learners():
        name, offered = referenced(chosen)
        return as_agent(offered, name, population.world, seed=seed)
    raise UnknownNameError(_no_agent(chosen, factories, population.world))


def _no_agent(chosen: str, factories: Iterable[str], world: World) -> str:
    scenario, ours = world.scenario, sorted(factories)
    versions = [f"{GuidelineAgent.name}:{version}" for version in scenario.guideline_versions]
    offered = (*names_offered("workup.agents", ours), *names_offered(_LEARNERS, learners()))
    names = [*ours, *offered, *versions, *(f"{name}:..." for name in agent_makers())]
    near = difflib.get_close_matches(chosen.partition(":")[0], [name.partition(":")[0] for name in names], n=1)
    meant = f" Did you mean {near[0]!r}?" if near else ""
    return (
        f"agent {chosen!r} is neither a name nor a directory nor FILE.py:NAME; names: {', '.join(names)}.{meant} "
        f"A learned agent is given as the directory that `workup train {scenario.id} --agent ppo --out DIR` wrote, "
        "your own as my.py:Cautious."
    )


def made_by(factory: AgentFactory, world: World, *, name: str, seed: int) -> Agent:
    """What a factory makes. Raises WorkupError where it cannot be called as one."""
    try:
        inspect.signature(factory).bind(world, seed=seed)
    except (TypeError, ValueError) as error:
        raise WorkupError(
            f"agent {name!r} cannot be made: {error}; expected a factory that is called as (world, *, seed), such as a class "
            "with `def __init__(self, world, *, seed)`, also where no random number is drawn"
        ) from error
    return factory(world, seed=seed)


def fit_by_name(learner: Learner, population: Population, *, seed: int) -> Agent:
    """Fitted now, nothing kept."""
    with TemporaryDirectory() as folder:
        return learner.fit(population, out=Path(folder), seed=seed, effort=Effort(), progress=lambda share, words: None)


def load_agent(directory: Path, world: World) -> Agent:
    """The agent saved in a directory, whatever its kind.

    Raises:
        FileFormatError: missing, damaged or hostile files, or another scenario.
    """
    kind, known = read_header(directory / "policy.json").kind, {of.name: of for of in learners().values()}
    if (offered := _offered_learner(kind, known)) is not None:
        return offered.load(directory, world)
    if kind not in known:
        raise FileFormatError(
            f"{directory / 'policy.json'}: kind is {kind!r}; expected that of a learner: {', '.join(known)}"
        )
    return known[kind].load(directory, world)


class _Fitted:
    """A learner as a factory, fitted to patients whom the world's law draws."""

    def __init__(self, learner: Learner) -> None:
        self._learner = learner

    def __call__(self, world: World, *, seed: int) -> Agent:
        return fit_by_name(self._learner, Population(world), seed=seed)


def _offered_learner(name: str, ours: Collection[str]) -> Learner | None:
    """What another installed package offers by that name, imported."""
    offer = offer_of(_LEARNERS, name, ours)
    if offer is None:
        return None
    found = offer.load()
    lacks = [each for each in _OF_A_LEARNER if not hasattr(found, each)]
    if lacks or isinstance(found, type):
        what = "is a class" if isinstance(found, type) else f"has no {', '.join(lacks)}"
        raise WorkupError(f"{offer} {what}; expected an object that is a Learner (workup.agents.base)")
    if found.name != name:  # what it saves is read back by the name that it gives itself
        raise WorkupError(f"{offer} calls itself {found.name!r}; expected the name of its entry point")
    return cast(Learner, found)


def _offered(what: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    offered_by: dict[str, str] = {}
    for module in _modules():
        for name, offered in getattr(module, what, {}).items():
            if name in found:
                raise WorkupError(
                    f"{name!r} is in {what} of {offered_by[name]} and of {module.__name__}; expected one of each name. "
                    "Rename one of them"
                )
            found[name], offered_by[name] = offered, module.__name__
    return found


def _modules() -> Iterator[ModuleType]:
    for room in ROOMS:
        package = importlib.import_module(room)
        for module in pkgutil.iter_modules(package.__path__, f"{room}."):
            yield importlib.import_module(module.name)
