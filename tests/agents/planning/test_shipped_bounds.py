"""The optimum's answers that come with a scenario belong to its present figures."""

from __future__ import annotations

from importlib.resources import files

import numpy as np
import pytest

from workup.agents.planning import SearchEffort, presentations
from workup.agents.planning.optimum import shipped_cache
from workup.agents.planning.policy_cache import state_key
from workup.envs.compile.compile import compile_world
from workup.scenarios.language.library import load_scenario

pytestmark = pytest.mark.slow

SHIPPED = sorted(
    path.name for path in files("workup.scenarios").iterdir() if path.is_dir() and (path / "bounds.json").is_file()
)


def test_weight_loss_comes_with_its_bounds() -> None:
    assert "weight_loss" in SHIPPED


@pytest.mark.parametrize("scenario", SHIPPED)
def test_shipped_bounds_are_those_of_the_scenario_as_it_stands(scenario: str) -> None:
    world = compile_world(load_scenario(scenario))
    cache = shipped_cache(world, SearchEffort())
    anew = f"make them anew: `workup bench bounds --scenarios {scenario}`"
    assert cache.bounds, f"the bounds of {scenario} are out of date, for its figures have changed since: {anew}"
    _, states = presentations(world, np.arange(50), 0)
    missing = [row for row, state in states.items() if state_key(state) not in cache.bounds]
    assert not missing, f"patients {missing[:5]} are not among the bounds of {scenario}; {anew}"
