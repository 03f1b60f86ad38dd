"""The scenarios that come with workup: found by folder, compiled once a process, and how much of each is tested.

The tutorial has every feature of the language and weight loss is the largest; these two go through everything in full.
The others keep to the same contract with fewer patients and in fewer modes.
"""

from __future__ import annotations

from functools import cache
from itertools import product

from workup.envs.model.world import World
from workup.envs.views.env import make_engine
from workup.envs.views.registration import scenario_folders
from workup.scenarios.language.library import load_scenario
from workup.scenarios.language.schema import Scenario

SCENARIOS = tuple(scenario_folders())
IN_FULL = ("tutorial", "weight_loss")
EVERY_MODE = tuple(product(("raw", "belief"), ("at_once", "delayed")))
"""(view, results)."""
EACH_SETTING_ONCE = (("raw", "delayed"), ("belief", "at_once"))


@cache
def world_of(name: str) -> World:
    """The compiled scenario, the same object that environments of that name share."""
    return make_engine(name, 1).world


@cache
def scenario_of(name: str) -> Scenario:
    """The scenario as read and linted."""
    return load_scenario(name)


def some(name: str, in_full: int, fewer: int) -> int:
    """How many patients: `in_full` of the scenarios that are tested in full, `fewer` of the others."""
    return in_full if name in IN_FULL else fewer


def modes_of(name: str) -> tuple[tuple[str, str], ...]:
    """(view, results) in which a scenario is tested; of the fewer, each setting is in one."""
    return EVERY_MODE if name in IN_FULL else EACH_SETTING_ONCE
