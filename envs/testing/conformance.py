"""What every scenario must keep to in every mode of the engine: one check a function.

A check takes an engine and raises AssertionError where the contract is broken.

Example:
    check_posterior_is_exact(make_engine("my_case/scenario.yaml", 1, view="belief"), range(50))
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workup.envs.engine.engine import Engine
from workup.envs.engine.types import Budget, JourneyView
from workup.envs.model.belief import posterior_weights
from workup.envs.model.cases import Cases
from workup.envs.model.codes import PENDING, UNKNOWN
from workup.envs.model.population import Population
from workup.envs.model.world import World
from workup.envs.testing.restated import legal_actions, named_facts, plain_charges
from workup.envs.testing.traces import Trace, assert_same_facts, assert_same_trace, journey_steps, play, random_policy
from workup.scenarios.language.schema import OPENING


def check_policy_is_legal_and_decides(engine: Engine, act: Callable[[JourneyView], NDArray[np.int64]]) -> int:
    """One journey in every slot, side by side: `act` never chooses a masked action, and every journey ends in a decision.

    Returns:
        How many steps were taken in all.
    """
    names, taken = engine.action_names, 0
    engine.reset()
    active = np.arange(engine.num_envs)
    while active.size:
        view = engine.journey_view(active)
        chosen = np.asarray(act(view), np.int64)
        wrong = np.flatnonzero(~view.mask[np.arange(active.size), chosen])
        assert not wrong.size, f"{names[chosen[wrong[0]]]} is masked at step {int(view.step[wrong[0]])}"
        actions = np.full(engine.num_envs, -1, np.int64)
        actions[active] = chosen
        step = engine.step(actions)
        assert not step.truncated[active].any(), f"{int(step.truncated.sum())} journeys were cut off undecided"
        taken += active.size
        active = active[~step.terminated[active]]
    return taken


def check_shapes_and_ranges(engine: Engine, patients: range) -> None:
    """Observations float32 in [-1, 1] with a name for each number; a legal action at every step until the end."""
    names = engine.observation_names
    assert len(set(names)) == len(names)
    assert len(set(engine.action_names)) == len(engine.action_names)
    for trace in play(engine, patients, random_policy(engine.world, illegal=0.1)).values():
        observation = np.array(trace.observation)
        assert observation.dtype == np.float32
        assert observation.shape == (len(trace.action) + 1, len(names))
        assert np.abs(observation).max() <= 1.0
        assert np.array(trace.mask).shape == (len(trace.action) + 1, len(engine.action_names))
        assert all(mask.any() for mask in trace.mask[:-1])
        assert trace.terminated != trace.truncated


def check_only_history_and_examination_first(engine: Engine) -> None:
    """At the start nothing but history- and examination-tier items can be done."""
    world = engine.world
    opening = [
        action.kind == "order" and all(world.tier[item] in OPENING for item in action.items) for action in world.actions
    ]
    engine.reset()
    np.testing.assert_array_equal(engine.mask, np.tile(opening, (engine.num_envs, 1)))


def check_reward_is_the_sum_of_its_components(engine: Engine, patients: range) -> None:
    """At every step; and what the hidden state decides (delay, utility) is only charged at the end."""
    for trace in play(engine, patients, random_policy(engine.world)).values():
        components = np.array(trace.components)
        np.testing.assert_allclose(trace.reward, components.sum(axis=1), rtol=0, atol=1e-9)
        assert not components[:-1, 2:].any()
        assert (components[:, :3] <= 0).all()


def check_charges_before_the_end_name_nothing_hidden(engine: Engine, patients: range) -> None:
    """Until the end, cost and harm are those of what was carried out, the same for every patient."""
    world = engine.world
    for patient in patients:
        spent = [np.zeros(2)]
        for _, trace, view in journey_steps(engine, patient, random_policy(world)):
            if not trace.ended:
                spent.append(spent[-1] - trace.components[-1][:2])
                now = plain_charges(world, view)
                if now is not None:
                    np.testing.assert_allclose(spent[-1], now * world.weights[:2], atol=1e-9)


def check_a_masked_action_changes_nothing(engine: Engine, patients: range) -> None:
    """It costs nothing, is told as illegal, and only the step count moves, up to truncation."""
    names = list(engine.observation_names)
    step_at, tried = names.index("step"), 0
    for patient in patients:
        for before, trace, after in journey_steps(engine, patient, random_policy(engine.world, illegal=0.3, stop=0.03)):
            assert trace.illegal[-1] == (not trace.mask[-2][trace.action[-1]])
            if not trace.illegal[-1]:
                continue
            tried += 1
            assert trace.truncated or trace.reward[-1] == 0.0
            np.testing.assert_array_equal(trace.mask[-1], trace.mask[-2])
            shown, earlier = trace.observation[-1].copy(), trace.observation[-2]
            assert shown[step_at] > earlier[step_at]
            if not trace.truncated:  # the belief tells what ending costs, and only the end moves it
                shown[step_at] = earlier[step_at]
                np.testing.assert_array_equal(shown, earlier)
            assert_same_facts(before, after)
            assert int(after.step[0]) == int(before.step[0]) + 1
    assert tried > 10


def check_what_is_told_depends_on_what_was_revealed(engine: Engine, n: int) -> int:
    """Patients of whom the same has been revealed get the same observation, mask, reward and clock before the end.

    A test may fail in ways that differ in what is charged (an unreadable scan is, a patient too ill to be scanned is
    not): which of them it was is known to those present. In such a world what was paid is part of what was revealed.

    Every patient is taken through the same orders. Returns how many pairs (step, group) held patients with different
    hidden states, so that a suite can see that the check had something to look at.
    """
    world, seen = engine.world, 0
    first_decision = len(world.actions) - len(world.decisions)
    engine.reset(patients=np.arange(engine.num_envs))
    rng = np.random.default_rng(5)
    kinds = [world.model.event_charged[row[row >= 0]] for row in world.model.item_failures]
    mixed = any(kind.any() and not kind.all() for kind in kinds)
    # Journeys part ways where an order is not legal for all; the same action for all who can, the others wait aside.
    told = np.zeros((engine.num_envs, 0))
    hidden = _hidden_states(engine)
    for _ in range(n):
        mask = engine.mask
        if not mask[:, :first_decision].any():
            break
        action = int(rng.choice(np.flatnonzero(mask[:, :first_decision].any(axis=0))))
        chosen = np.where(mask[:, action], action, -1)
        step = engine.step(chosen)
        if step.truncated.any():  # the last step is scored by what is hidden
            break
        view = engine.journey_view()
        told = np.column_stack([told, step.components.sum(axis=1)])
        key = np.column_stack(
            [
                view.cost_gbp if mixed else np.zeros(engine.num_envs),
                view.values,
                view.status,
                view.failures,
                view.treated,
                np.nan_to_num(view.ordered_at_h, nan=-1.0),
                view.step,
            ]
        )
        _, first, group = np.unique(key, axis=0, return_index=True, return_inverse=True)
        group = group.ravel()
        for shown in (
            step.observation,
            step.mask,
            told,
            view.clock_h[:, None],
            view.cost_gbp[:, None],
            step.illegal[:, None],
        ):
            np.testing.assert_array_equal(shown, shown[first[group]])
        seen += sum(len(set(hidden[group == g])) > 1 for g in range(len(first)))
    return seen


def _hidden_states(engine: Engine) -> NDArray[np.int64]:
    """(n,) hidden state of the patients that are now in the slots, found by ending their journeys in a second engine."""
    world = engine.world
    other = Engine(world, engine.num_envs, seed=int(engine.seeds[0]), max_steps=1)
    other.reset(patients=engine.patient)
    other.step(np.full(engine.num_envs, len(world.actions) - 1))
    return np.asarray(other.ended(np.arange(engine.num_envs))["hidden"])


def check_altering_what_is_hidden_changes_nothing(world: World, patients: int, **mode: Any) -> int:
    """Other conditions, and other findings wherever nothing was asked: until the end, bit for bit the same journeys.

    Args:
        world: the scenario.
        patients: how many are taken twice, as they are and altered.
        mode: settings of the engine.

    Returns:
        How many ends differ, so that a suite can see that the alterations matter.
    """
    rng = np.random.default_rng(11)
    plain, altered, allowed = _altered_patients(world, patients, rng)
    chosen = random_policy(world, stop=0.1)

    def within(patient: int, step: int, mask: NDArray[np.bool_]) -> int:
        return chosen(patient, step, mask & allowed[patient])

    one, other = (
        play(Engine(Population(world, cases), patients, **mode), range(patients), within) for cases in (plain, altered)
    )
    differing = 0
    for patient, trace in one.items():
        changed = other[patient]
        differing += trace.reward[-1] != changed.reward[-1]
        assert_same_trace(_before_the_end(trace), _before_the_end(changed))
        np.testing.assert_array_equal(trace.observation[-1], changed.observation[-1])
        np.testing.assert_array_equal(trace.mask[-1], changed.mask[-1])
    return differing


def _before_the_end(trace: Trace) -> Trace:
    n = len(trace.action)
    return Trace(
        trace.observation[:n], trace.mask[:n], trace.action, trace.reward[:-1], trace.components[:-1], trace.illegal,
        trace.terminated, trace.truncated,
    )  # fmt: skip


def _altered_patients(world: World, n: int, rng: np.random.Generator) -> tuple[Cases, Cases, NDArray[np.bool_]]:
    """n patients, the same ones altered, and (n, A) the actions whose items tell nothing that was altered."""
    model = world.model
    n_hidden, condition = model.prior.shape[1], model.condition_of
    values = np.full((2, n, len(model.observables)), UNKNOWN, np.int16)
    hidden = np.zeros((2, n), np.int32)
    profile = np.zeros(n, np.int32)
    allowed = np.zeros((n, len(world.actions)), np.bool_)
    always = np.isin(world.tier, OPENING)
    tells = (world.reveals >= 0).any(axis=1)
    luck_alone = ~tells & ((model.item_refusal >= 0) | (model.item_failures[:, 0] >= 0))
    for i in range(n):
        k, h = divmod(int(rng.choice(model.prior.size, p=model.prior.ravel())), n_hidden)
        profile[i], hidden[0, i] = k, h
        hidden[1, i] = rng.choice(np.flatnonzero((model.prior[k] > 0) & (condition != condition[h])))
        rows = model.status_rows
        can_have_a_result = model.status_table[rows.start + rows.of_profile[:, k] + rows.of_hidden[:, h], 0] > 0
        asked = (always | (rng.random(len(world.items)) < 0.5)) & ~luck_alone & can_have_a_result
        for o in range(values.shape[2]):
            rows, item = model.value_rows, model.item_of[o]
            law = model.value_table[rows.start[o] + rows.of_profile[o, k] + rows.of_hidden[o, h]]
            values[:, i, o] = rng.choice(len(law), p=law / law.sum())
            if item == -2 or (item >= 0 and not asked[item]):
                values[1, i, o] = (values[0, i, o] + rng.integers(1, model.n_values[o])) % model.n_values[o]
        allowed[i] = [all(asked[item] for item in action.items) for action in world.actions]
    plain, altered = (Cases(profile, hidden[v], values[v]) for v in range(2))
    return plain, altered, allowed


def check_posterior_is_exact(engine: Engine, patients: range, *, atol: float = 1e-9) -> None:
    """At every step the environment's belief equals the patient model's, computed anew from all that was revealed."""
    world, model = engine.world, engine.world.model
    first = engine.layout.condition_slot
    for patient in patients:
        for _, trace, view in journey_steps(engine, patient, random_policy(world, stop=0.04)):
            exact = posterior_weights(model, view.values, view.status, view.failures, view.treated)[0]
            by_condition = exact.sum(axis=0).reshape(len(model.conditions), -1).sum(axis=1)
            np.testing.assert_allclose(engine.condition_posterior[0], by_condition, rtol=0, atol=atol)
            shown = trace.observation[-1][first : first + len(by_condition)]
            np.testing.assert_allclose(shown, by_condition, rtol=0, atol=1e-6)
            np.testing.assert_allclose(_tracked_belief(engine), exact, rtol=0, atol=atol)


def _tracked_belief(engine: Engine) -> NDArray[np.float64]:
    """(K, H) what the engine believes of slot 0, normalised."""
    weights, listed = engine.beliefs(np.arange(engine.num_envs))
    n_hidden = engine.world.model.prior.shape[1]
    belief = np.zeros_like(engine.world.model.prior)
    for k, row in zip(listed[0], weights[0].reshape(-1, n_hidden), strict=True):
        if k >= 0:
            belief[k] += row
    return belief / belief.sum()


def check_mask_follows_the_rules(engine: Engine, patients: range, budget: Budget | None = None) -> None:
    """Rules 2 and 10, restated on a journey's revealed facts."""
    for patient in patients:
        for _, trace, view in journey_steps(engine, patient, random_policy(engine.world)):
            retried = (view.status[0] == PENDING) & (view.failures[0] > 0)  # when it was ordered again is not told
            if not trace.ended and not (budget is not None and retried.any()):
                expected = legal_actions(engine.world, view, budget)
                wrong = [engine.action_names[a] for a in np.flatnonzero(expected != trace.mask[-1])]
                assert not wrong, f"patient {patient}, step {len(trace.action)}: {wrong}"


def check_observation_says_what_its_names_say(engine: Engine, patients: range) -> None:
    """Every number of every observation, from the names and what was revealed."""
    for patient in patients:
        for _, trace, view in journey_steps(engine, patient, random_policy(engine.world)):
            shown = dict(zip(engine.observation_names, trace.observation[-1].tolist(), strict=True))
            expected = named_facts(engine.world, view)
            for name, value in expected.items():
                assert abs(shown[name] - value) < 1e-6, (name, shown[name], value)
            assert len(expected) >= engine.layout.raw_size - 1
