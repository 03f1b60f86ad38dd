"""What an agent does next: its action, or a draw from the probabilities that it gives to the actions.

A draw is a hash of (seed, patient, step), stream BEHAVIOUR, so it is the same in any batch and process, and for every agent
that gives the same probabilities.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from workup.agents.base import Agent
from workup.envs.engine.types import JourneyView
from workup.envs.model.randomness import BEHAVIOUR, GOLDEN, mix_array, seed_key
from workup.errors import WorkupError

TOLERANCE = 1e-9
"""By which the probabilities of a journey may miss 1, for each action that there is."""


class Taken(NamedTuple):
    """What an agent did in n journeys."""

    action: NDArray[np.int64]
    """(n,)"""
    propensity: NDArray[np.float64]
    """(n,) the probability with which it took that action, in (0, 1]; 1 where it draws nothing."""
    chances: NDArray[np.float64] | None = None
    """(n, A) the probabilities of all actions; None where it draws nothing."""


def take(agent: Agent, view: JourneyView, *, seed: int, patients: NDArray[np.int64]) -> Taken:
    """The next action of an agent in each journey: drawn, if it offers `probabilities`, else what it says by `act`.

    Args:
        agent: whoever takes the journeys.
        view: of n journeys.
        seed: of the patients.
        patients: (n,) whose journeys these are.

    Raises:
        WorkupError: it returned no whole number for each journey, or what are no probabilities; says where.
    """
    if draws(agent):
        chances = _checked(agent, view, patients)
        action = drawn(chances, behaviour(seed, patients, view.step))
        return Taken(action, chances[np.arange(len(action)), action], chances)
    action = _actions(agent, view)
    return Taken(action, np.ones(len(action)))


def draws(agent: Agent) -> bool:
    """Whether an agent gives probabilities, from which its actions are drawn."""
    return hasattr(agent, "probabilities")


def distribution(agent: Agent, view: JourneyView) -> NDArray[np.float64]:
    """(n, A) probabilities of an agent's next actions, a fresh array; for agents that are made from another.

    Raises:
        WorkupError: an agent that draws nothing chose what is no action.
    """
    if draws(agent):
        return np.array(agent.probabilities(view), np.float64)  # type: ignore[attr-defined]
    action = _actions(agent, view)
    for row in np.flatnonzero((action < 0) | (action >= view.mask.shape[1]))[:1]:
        raise WorkupError(
            f"{agent.name} chose action {action[row]} at step {view.step[row]}; expected 0 to {view.mask.shape[1] - 1}"
        )
    chances = np.zeros(view.mask.shape)
    chances[np.arange(len(action)), action] = 1.0
    return chances


def drawn(probabilities: NDArray[np.float64], uniforms: NDArray[np.float64]) -> NDArray[np.int64]:
    """(n,) actions by inversion.

    Args:
        probabilities: (n, A), rows sum to 1.
        uniforms: (n,) in [0, 1).
    """
    reached = probabilities.cumsum(axis=1)
    whole = reached[:, -1]
    below = np.minimum(uniforms * whole, np.nextafter(whole, 0.0))  # however it rounds, some action is reached
    return (reached > below[:, None]).argmax(axis=1).astype(np.int64)


def behaviour(seed: int, patients: NDArray[np.int64], step: NDArray[np.int32]) -> NDArray[np.float64]:
    """(n,) uniform in [0, 1): the draw of each patient (n,) of a seed at a step (n,), as `randomness.uniform` has it."""
    of_seed = np.int64(seed_key(seed & 0x7FFFFFFFFFFFFFFF)).view(np.uint64)
    keys = mix_array(of_seed ^ mix_array(np.asarray(patients, np.int64).view(np.uint64) + GOLDEN))
    streams = (BEHAVIOUR + step.astype(np.int64)).view(np.uint64)
    return np.asarray((mix_array(keys + streams * GOLDEN) >> np.uint64(11)).astype(np.float64) * 2.0**-53)


def _actions(agent: Agent, view: JourneyView) -> NDArray[np.int64]:
    found, n = np.asarray(agent.act(view)), len(view.step)
    if found.shape != (n,):
        raise WorkupError(f"{agent.name} returned actions of shape {found.shape} for {n} journeys; expected ({n},)")
    if found.dtype.kind not in "iu":
        raise WorkupError(f"{agent.name} returned actions of type {found.dtype}; expected whole numbers (int64)")
    return found.astype(np.int64)


def _checked(agent: Agent, view: JourneyView, patients: NDArray[np.int64]) -> NDArray[np.float64]:
    """(n, A) the probabilities of an agent, which are such."""
    chances = np.asarray(agent.probabilities(view), np.float64)  # type: ignore[attr-defined]
    if chances.shape != view.mask.shape:
        n, actions = view.mask.shape
        raise WorkupError(
            f"{agent.name} returned probabilities of shape {chances.shape} for {n} journeys and {actions} actions; "
            f"expected ({n}, {actions})"
        )
    if not (np.isfinite(chances) & (chances >= 0.0)).all():
        wrong, why = ~(np.isfinite(chances) & (chances >= 0.0)), "expected finite numbers of 0 or more"
    elif chances[~view.mask].any():
        wrong, why = ~view.mask & (chances > 0.0), "expected 0: it is not legal there (`view.mask`)"
    else:
        sums, most = chances.sum(axis=1), TOLERANCE * chances.shape[1]
        off = np.abs(sums - 1.0) > most
        if not off.any():
            return chances
        wrong = off[:, None] & (chances == chances.max(axis=1, keepdims=True))
        why = f"and all together {sums[off.argmax()]:.12g}; expected 1 within {most:.0e} (divide in float64 by the sum)"
    row, action = np.argwhere(wrong)[0]
    raise WorkupError(
        f"{agent.name}, patient {patients[row]}, step {view.step[row]}: {view.world.actions[action].name!r} has "
        f"probability {chances[row, action]:.12g}; {why}"
    )
