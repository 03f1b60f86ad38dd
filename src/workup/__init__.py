"""workup: patients' diagnostic journeys for reinforcement learning. Synthetic patients; never medical advice.

`import gymnasium, workup` registers an environment for each scenario (`workup/WeightLoss-v0`). The names below are the public
face; they are imported when they are first used, so that `import workup` stays quick.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from workup.envs.views.registration import register_with_gymnasium

if TYPE_CHECKING:
    from workup.agents.base import Agent
    from workup.agents.planning import solve
    from workup.agents.registry import make_agent
    from workup.envs.compile.compile import compile_world
    from workup.envs.model.network import Network
    from workup.envs.model.population import Population
    from workup.envs.model.world import World
    from workup.envs.records.journeys import Journeys
    from workup.envs.records.run import run_journeys
    from workup.envs.views.env import make_engine
    from workup.errors import WorkupError
    from workup.evaluation.policies import evaluate
    from workup.importers.networks.files import load_network
    from workup.report.study import write_report
    from workup.scenarios.language.library import list_scenarios, load_scenario
    from workup.scenarios.language.lint.lint import lint
    from workup.studies.cohorts import cohort
    from workup.version import __version__
    from workup.vignettes.check import check_agent as check

_HOMES = {
    "Agent": "workup.agents.base",
    "Journeys": "workup.envs.records.journeys",
    "Network": "workup.envs.model.network",
    "Population": "workup.envs.model.population",
    "World": "workup.envs.model.world",
    "WorkupError": "workup.errors",
    "__version__": "workup.version",
    "check": "workup.vignettes.check:check_agent",
    "cohort": "workup.studies.cohorts",
    "compile_world": "workup.envs.compile.compile",
    "evaluate": "workup.evaluation.policies",
    "lint": "workup.scenarios.language.lint.lint",
    "list_scenarios": "workup.scenarios.language.library",
    "load_network": "workup.importers.networks.files",
    "load_scenario": "workup.scenarios.language.library",
    "make_agent": "workup.agents.registry",
    "make_engine": "workup.envs.views.env",
    "run_journeys": "workup.envs.records.run",
    "solve": "workup.agents.planning.solution",
    "write_report": "workup.report.study",
}
"""Public name -> the module where it is, and its name there if that is another."""

__all__ = [
    "Agent",
    "Journeys",
    "Network",
    "Population",
    "WorkupError",
    "World",
    "__version__",
    "check",
    "cohort",
    "compile_world",
    "evaluate",
    "lint",
    "list_scenarios",
    "load_network",
    "load_scenario",
    "make_agent",
    "make_engine",
    "run_journeys",
    "solve",
    "write_report",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'workup' has no attribute {name!r}; it has {', '.join(__all__)}")
    from importlib import import_module

    home, _, there = _HOMES[name].partition(":")
    return getattr(import_module(home), there or name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


register_with_gymnasium()
