"""Which decision is best on what is known: expected utilities under an agent's own knowledge."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from workup.agents.base import decision_actions
from workup.envs.engine.observation import layout_of
from workup.envs.engine.types import JourneyView
from workup.envs.model.belief import posterior_weights
from workup.envs.model.codes import RESULT
from workup.envs.model.world import World

_BELIEF_CELLS = 4_000_000
"""Most (patient, profile, hidden state) weights held at once, 32 MB."""


def expected_utilities(world: World, view: JourneyView, rows: NDArray[np.intp]) -> NDArray[np.float64]:
    """Posterior expected utility of each decision, progression so far included.

    What every decision shares (delay, late charges, benefits of acts that any decision pays) is left out: it never
    changes which one is best.

    Args:
        world: the agent's knowledge; may differ from `view.world` in its figures, not in its names.
        view: revealed facts.
        rows: (m,) journeys of the view to look at.

    Returns:
        (m, D) float64, pounds.
    """
    model = world.model
    per_chunk = max(1, _BELIEF_CELLS // model.prior.size)
    parts = [_utilities(world, view, rows[at : at + per_chunk]) for at in range(0, len(rows), per_chunk)]
    return np.concatenate(parts) if parts else np.zeros((0, len(world.decisions)))


def _utilities(world: World, view: JourneyView, rows: NDArray[np.intp]) -> NDArray[np.float64]:
    model = world.model
    belief = posterior_weights(model, view.values[rows], view.status[rows], view.failures[rows], view.treated[rows])
    by_condition = belief.reshape(len(rows), belief.shape[1], len(model.conditions), -1)
    utility = world.utility_gbp.reshape(len(world.decisions), belief.shape[1], len(model.conditions), -1)
    total = np.zeros((len(rows), len(world.decisions)))
    for condition, worse in enumerate(world.progresses_to):
        weights = by_condition[:, :, condition].reshape(len(rows), -1)
        here = utility[:, :, condition].reshape(len(world.decisions), -1)
        if worse < 0:
            total += weights @ here.T
            continue
        stayed = np.exp(-world.progression_rate_per_h[condition] * view.progression_h[rows, condition])[:, None]
        there = utility[:, :, worse].reshape(len(world.decisions), -1)
        total += stayed * (weights @ here.T) + (1 - stayed) * (weights @ there.T)
    return total + _swayed(world, view, rows, belief) if world.by_patient.by_decision else total


def _swayed(
    world: World, view: JourneyView, rows: NDArray[np.intp], belief: NDArray[np.float64]
) -> NDArray[np.float64]:
    """(m, D) what acts that were done add to some decisions only; belief: (m, K, H)."""
    of_hidden, benefits, n_hidden = world.model.condition_of, world.by_patient, belief.shape[2]
    to = np.where(world.progresses_to >= 0, world.progresses_to, np.arange(len(world.progresses_to)))
    worse = np.arange(n_hidden) + (to[of_hidden] - of_hidden) * (n_hidden // len(to))
    stayed = np.exp(-world.progression_rate_per_h * view.progression_h[rows])[:, of_hidden]
    total = np.zeros((len(rows), len(world.decisions)))
    for b in np.flatnonzero(~benefits.decided.all(axis=1)):
        pounds = benefits.benefit_gbp[b]
        gained = np.einsum("mkh,mh,kh->m", belief, stayed, pounds)
        gained += np.einsum("mkh,mh,kh->m", belief, 1.0 - stayed, pounds[:, worse])
        done = view.status[rows, benefits.act[b]] == RESULT
        total += np.where(done, gained, 0.0)[:, None] * benefits.decided[b]
    return total


def condition_posterior(world: World, view: JourneyView) -> NDArray[np.float64]:
    """(n, conditions) posterior of the principal cause given what has been revealed, rows sum to 1.

    Read from the observation where that shows the exact posterior of the same world (float32), else computed under the
    agent's own knowledge.
    """
    shown, layout, n = _shown_belief(world, view), layout_of(world), len(world.model.conditions)
    if shown is not None:
        chances = shown[:, layout.condition_slot : layout.condition_slot + n].astype(np.float64)
        return np.asarray(chances / chances.sum(axis=1, keepdims=True))
    per_chunk = max(1, _BELIEF_CELLS // world.model.prior.size)
    parts = [
        posterior_weights(world.model, view.values[at], view.status[at], view.failures[at], view.treated[at])
        .sum(axis=1)
        .reshape(-1, n, world.model.prior.shape[1] // n)
        .sum(axis=2)
        for at in (slice(first, first + per_chunk) for first in range(0, len(view.step), per_chunk))
    ]
    return np.concatenate(parts) if parts else np.zeros((0, n))


def best_decisions(world: World, view: JourneyView, rows: NDArray[np.intp]) -> NDArray[np.int64]:
    """(m,) the legal decision of highest expected utility, or -1 where no decision is legal yet.

    Read from the observation where that shows the exact posterior of the same world, else computed.
    """
    actions = decision_actions(world)
    chosen = np.full(len(rows), -1, dtype=np.int64)
    able = view.mask[rows][:, actions].any(axis=1)
    legal_rows = rows[able]
    shown = _shown_regrets(world, view)
    values = expected_utilities(world, view, legal_rows) if shown is None else shown[legal_rows]
    chosen[able] = actions[np.where(view.mask[legal_rows][:, actions], values, -np.inf).argmax(axis=1)]
    return chosen


def _shown_belief(world: World, view: JourneyView) -> NDArray[np.float32] | None:
    """The observation, if it shows the exact posterior under this world."""
    observation = view.observation
    if view.world is not world or observation is None or observation.shape[1] < len(layout_of(world).names):
        return None
    return observation


def _shown_regrets(world: World, view: JourneyView) -> NDArray[np.float32] | None:
    shown, slot = _shown_belief(world, view), layout_of(world).regret_slot
    return None if shown is None else shown[:, slot : slot + len(world.decisions)]


def at_stake(world: World) -> Callable[[NDArray[np.float32]], NDArray[np.float64]]:
    """What knowing the condition would be worth: the best decisions for each less the best for all, by the posterior.

    Utilities are averaged over profiles and all else that is not the condition, so this is a rule of thumb.

    Returns:
        a function from observations (n, P) of the belief view to (n,) pounds, at least 0.
    """
    layout, model = layout_of(world), world.model
    n_conditions, n_decisions = len(model.conditions), len(world.decisions)
    weights = model.prior.reshape(len(model.prior), n_conditions, -1)
    utility = world.utility_gbp.reshape(n_decisions, len(model.prior), n_conditions, -1)
    mean = (utility * weights).sum(axis=(1, 3)) / weights.sum(axis=(0, 2))
    lost = mean.max(axis=0) - mean

    def of(observation: NDArray[np.float32]) -> NDArray[np.float64]:
        shown = observation[:, layout.regret_slot : layout.regret_slot + n_decisions]
        best = np.where(shown > 0.0, -np.inf, shown).argmax(axis=1)  # above 0: better, but locked
        chances = observation[:, layout.condition_slot : layout.condition_slot + n_conditions].astype(np.float64)
        return np.asarray((chances * lost[best]).sum(axis=1))

    return of
