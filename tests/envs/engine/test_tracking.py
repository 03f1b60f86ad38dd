"""What a belief holds of a journey: no more than it needs, whatever is reported in whatever order."""

import numpy as np
import pytest

from workup.envs.compile.compile import compile_world
from workup.envs.engine.engine import Engine
from workup.envs.engine.state import JOINT, N_POSSIBLE
from workup.scenarios.language.library import load_scenario, shipped_scenarios

N = 40


def examined_first() -> Engine:
    """What examination tells depends on profile and hidden state, and the history that names the profile is not yet taken."""
    engine = Engine(compile_world(load_scenario("unknown_primary")), N, view="belief", seed=3)
    engine.step(np.full(N, engine.action_names.index("order examination")))
    assert (engine._rows.counts[:, JOINT] > 0).all()
    assert (engine._rows.counts[:, N_POSSIBLE] > 1).all()
    return engine


def normalised(engine: Engine) -> np.ndarray:
    weights = engine.beliefs(np.arange(N))[0]
    return np.asarray(weights / weights.sum(axis=1, keepdims=True))


def test_tiny_weights_are_brought_clear_of_underflow_and_change_nothing() -> None:
    plain, tiny = examined_first(), examined_first()
    n_conditions = len(tiny.world.model.conditions)
    for _ in range(3):  # the first is the history
        tiny._rows.weights[:, :n_conditions] *= 1e-40
        actions = plain.mask[:, : plain.action_names.index("wait")].argmax(axis=1)
        expected, found = plain.step(actions), tiny.step(actions)
        assert not expected.illegal.any()
        assert (tiny._rows.weights[:, :n_conditions].max(axis=1) > 1e-20).all()
        np.testing.assert_allclose(found.observation, expected.observation, rtol=0, atol=1e-6)
        np.testing.assert_allclose(tiny.condition_posterior, plain.condition_posterior, rtol=1e-11, atol=1e-300)
        np.testing.assert_allclose(tiny.best_expected_utility, plain.best_expected_utility, rtol=1e-11)
        np.testing.assert_allclose(normalised(tiny), normalised(plain), rtol=1e-11, atol=1e-300)


@pytest.mark.parametrize("scenario", shipped_scenarios())
def test_thousands_of_journeys_and_their_beliefs_fit_a_hundred_megabytes(scenario: str) -> None:
    engine = Engine(compile_world(load_scenario(scenario)), 4096, seed=0, view="belief")
    held = sum(array.nbytes for array in (*engine.get_state().arrays, *engine.results()))
    assert held < 100e6
