"""The belief part of the observation, name by name, against the patient model's posterior; the raw part is the same in both views."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from support.by_patient import benefits

from workup.envs.engine.observation import ONE_HOT, REGRET_SCALE_GBP, layout_of
from workup.envs.engine.types import JourneyView
from workup.envs.model.belief import posterior_weights
from workup.envs.model.world import World
from workup.envs.testing.restated import meets_requirements
from workup.envs.testing.traces import journey_steps, random_policy
from workup.envs.views.env import make_engine
from workup.envs.views.registration import scenario_folders


@pytest.fixture(scope="module", params=scenario_folders())
def world(request: pytest.FixtureRequest) -> World:
    return make_engine(str(request.param), 1).world


def test_the_belief_view_appends_to_the_raw_view(world: World) -> None:
    raw, belief = (make_engine(world, 3, view=view) for view in ("raw", "belief"))
    size = len(raw.observation_names)
    assert belief.observation_names[:size] == raw.observation_names
    policy, mask = random_policy(world), raw.mask
    for t in range(6):
        actions = np.array([policy(i, t, mask[i]) for i in range(3)])
        one, other = raw.step(actions), belief.step(actions)
        np.testing.assert_array_equal(one.observation, other.observation[:, :size])
        np.testing.assert_array_equal(one.mask, other.mask)
        np.testing.assert_array_equal(one.components, other.components)
        mask = one.mask


def test_every_number_has_one_name_and_one_place(world: World) -> None:
    layout, model = layout_of(world), world.model
    used = np.zeros(len(layout.names), int)
    for o in range(len(model.observables)):
        width = int(model.n_values[o]) if layout.kind[o] == ONE_HOT else 1 + (layout.kind[o] != 0)
        used[layout.slot[o] : layout.slot[o] + width] += 1
        assert layout.names[layout.slot[o]].startswith(model.observables[o])
        if layout.treated_slot[o] >= 0:
            used[layout.treated_slot[o]] += 1
    used[layout.status_slot] += 1
    used[layout.totals_slot : layout.raw_size] += 1
    used[layout.condition_slot : layout.condition_slot + len(model.conditions)] += 1
    used[layout.marginal_slot : layout.marginal_slot + layout.n_marginals] += 1
    used[layout.regret_slot : layout.regret_slot + len(world.decisions) + 1] += 1
    assert (used == 1).all()


@pytest.mark.parametrize("patient", range(12))
def test_beliefs_and_regrets_are_those_of_the_posterior(world: World, patient: int) -> None:
    engine = make_engine(world, 1, view="belief")
    for _, trace, view in journey_steps(engine, patient, random_policy(world, stop=0.05)):
        shown = dict(zip(engine.observation_names, trace.observation[-1].tolist(), strict=True))
        expected = named_beliefs(world, view)
        assert expected.keys() == set(engine.observation_names[engine.layout.raw_size :])
        for name, value in expected.items():
            assert shown[name] == pytest.approx(value, abs=2e-6), name


def named_beliefs(world: World, view: JourneyView) -> dict[str, float]:
    """The belief part of the observation of the one journey of `view`, by name."""
    model = world.model
    belief = posterior_weights(model, view.values, view.status, view.failures, view.treated)[0]
    named: dict[str, float] = {}
    for name in model.hidden_variables:
        digit = value_in_states(world, name)
        words = model.network.variable(name).values
        chances = [float(belief[:, digit == v].sum()) for v in range(len(words))]
        start = 0 if name == "condition" else 1
        named |= {f"P({name} = {word})": p for word, p in list(zip(words, chances, strict=True))[start:]}
    utilities = [float((belief * utility).sum()) for utility in with_progression(world, view) + benefits(world, view)]
    best = max(utilities[d] for d in range(len(utilities)) if meets_requirements(world, view, d))
    worst = np.minimum.reduce(world.utility_gbp, axis=0)
    more = world.by_patient.benefit_gbp
    low = worst.min() + (np.minimum(more, 0.0).sum(axis=0).min() if more.size else 0.0)
    high = max(world.utility_gbp.max(), worst.max()) + (np.maximum(more, 0.0).sum(axis=0).max() if more.size else 0.0)
    span = float(high - low)
    for d, name in enumerate(world.decisions):
        regret = best - utilities[d]
        size = np.log1p(abs(regret) / REGRET_SCALE_GBP) / np.log1p(span / REGRET_SCALE_GBP)
        named[f"regret of {name}"] = -np.sign(regret) * size
    named["utility of the best decision"] = (best - low) / span
    return named


def value_in_states(world: World, name: str) -> NDArray[np.int64]:
    """(H,) value of a hidden variable."""
    model = world.model
    c = model.core.index(name)
    return np.asarray(np.arange(model.prior.shape[1]) // model.core_hidden_stride[c] % model.core_size[c])


def with_progression(world: World, view: JourneyView) -> NDArray[np.float64]:
    """(D, K, H) utility of each decision now, the condition perhaps having progressed."""
    utility = world.utility_gbp.copy()
    each = utility.shape[2] // len(world.model.conditions)
    for c, worse in enumerate(world.progresses_to):
        if worse >= 0:
            stays = np.exp(-world.progression_rate_per_h[c] * view.progression_h[0, c])
            own, other = slice(c * each, (c + 1) * each), slice(worse * each, (worse + 1) * each)
            utility[:, :, own] = stays * world.utility_gbp[:, :, own] + (1 - stays) * world.utility_gbp[:, :, other]
    return utility
