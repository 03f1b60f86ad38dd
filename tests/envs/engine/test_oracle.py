"""Every byte that the engine gives is the one that the kernel before it gave; `python -m oracle.against` compares more of them."""

import numpy as np
import pytest
from oracle.against import compared, generated_world, same, ways_of

from workup.envs.compile.compile import compile_world
from workup.scenarios.language.library import load_scenario, shipped_scenarios

SHARES = 6
"""A scenario is played in one of so many shares of all ways; all of them together in every way."""


@pytest.mark.slow
def test_every_byte_is_as_before() -> None:
    # One test, so that one process compiles the kernel before.
    for number, name in enumerate(shipped_scenarios()):
        world = compile_world(load_scenario(name))
        for ways in list(ways_of(world))[number % SHARES :: SHARES]:
            assert compared(world, 12, 24, ways) > 12 * 20
    for seed in range(12):
        world = generated_world(seed)
        for ways in list(ways_of(world))[seed::12]:
            assert compared(world, 8, 18, ways) > 8 * 15


def test_every_way_has_its_turn() -> None:
    world = compile_world(load_scenario("tutorial"))
    ways = [repr(each) for each in ways_of(world)]
    assert len(set(ways)) == len(ways) == 48
    assert len(shipped_scenarios()) >= SHARES


@pytest.mark.parametrize("changed", [np.array([0.0, -0.0]), np.array([0.0, 0.0], np.float32), np.array([0.0])])
def test_what_differs_is_noticed(changed: np.ndarray) -> None:
    with pytest.raises(AssertionError, match="here: fact"):
        same("here", {"fact": changed}, {"fact": np.zeros(2)})
    same("here", {"fact": np.zeros(2)}, {"fact": np.zeros(2)})
