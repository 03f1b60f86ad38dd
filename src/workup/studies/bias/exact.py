"""The exact law of a cohort: every information state that a policy can reach, and how likely it is with every hidden state.

Nothing is simulated. The walk multiplies the tables of the patient model by the policy's probabilities, with the rules of legality
written out once more, so that generator, corrector and this have no code in common that could share a fault.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from workup.agents.acting import distribution
from workup.agents.base import Agent
from workup.envs.engine.types import JourneyView
from workup.envs.model.codes import FAILED, MISSING, NOT_ORDERED, REFUSED, RESULT, UNKNOWN
from workup.envs.model.world import World
from workup.errors import WorkupError

MOST: Final = 200_000
"""Information states that are walked at most."""


@dataclass(frozen=True, eq=False)
class Exact:
    """m ways in which a record can look when the journey has ended."""

    world: World
    values: NDArray[np.int16]
    """(m, O) what was reported."""
    status: NDArray[np.uint8]
    """(m, I)"""
    decision: NDArray[np.int64]
    """(m,) index into world.decisions."""
    weight: NDArray[np.float64]
    """(m, K * H) P(this record and this profile and hidden state); sums to 1."""

    @property
    def probability(self) -> NDArray[np.float64]:
        """(m,) of each record."""
        return self.weight.sum(axis=1)

    @property
    def hidden_of(self) -> NDArray[np.int64]:
        """(K * H,) hidden state of each column of `weight`."""
        return np.tile(np.arange(self.world.model.prior.shape[1]), self.world.model.prior.shape[0])

    def of_conditions(self, chosen: NDArray[np.bool_]) -> NDArray[np.float64]:
        """(m,) P(record and condition among those chosen (conditions,))."""
        return np.asarray(self.weight @ chosen[self.world.model.condition_of[self.hidden_of]].astype(np.float64))

    def value(self, finding: str) -> NDArray[np.int16]:
        """(m,) the reported value of a finding, negative where there is none."""
        return self.values[:, self.world.model.observables.index(finding)]

    def done(self, item: str) -> NDArray[np.bool_]:
        """(m,) whether an item has a result."""
        return np.asarray(self.status[:, self.world.items.index(item)] == RESULT)


@dataclass(frozen=True, eq=False)
class _States:
    """n information states: what is known, with the policy's probability so far and the weight of every (k, h)."""

    values: NDArray[np.int16]
    status: NDArray[np.uint8]
    failures: NDArray[np.uint8]
    weight: NDArray[np.float64]
    """(n, K * H) likelihood of what is known, times the prior, times the policy's probabilities."""

    def take(self, rows: NDArray[np.int64] | NDArray[np.bool_]) -> _States:
        return _States(self.values[rows], self.status[rows], self.failures[rows], self.weight[rows])


def exact_cohort(world: World, agent: Agent) -> Exact:
    """Walk everything that an agent can do with anybody.

    Args:
        world: with results at once, without acts, budgets and set-ups that matter; at most `MOST` information states.
        agent: gives probabilities, or always does the same on the same facts. Time and money spent are shown to it as 0.

    Raises:
        WorkupError: a world with acts, or more states.
    """
    if world.n_investigations < len(world.items):
        raise WorkupError(
            f"{world.scenario.id} has acts, which an exact cohort does not follow; expected investigations alone"
        )
    states, ended, walked = _beginnings(world), [], 0
    while len(states.status):
        walked += len(states.status)
        if walked > MOST:
            raise WorkupError(f"{world.scenario.id} under {agent.name} has more than {MOST:,} information states")
        mask = legal(world, states.values, states.status, states.failures)
        chances = distribution(agent, _view(world, states, mask))
        following = []
        for action in np.flatnonzero(chances.any(axis=0)):
            rows = np.flatnonzero(chances[:, action] > 0.0)
            chosen = states.take(rows)
            chosen = replace(chosen, weight=chosen.weight * chances[rows, action][:, None])
            entry = world.actions[action]
            if entry.kind == "decide":
                decision = action - (len(world.actions) - len(world.decisions))
                ended.append((chosen, np.full(len(rows), decision)))
            else:
                for item in entry.items:
                    chosen = _order(world, chosen, item)
                following.append(chosen)
        states = _merged(following) if following else states.take(np.zeros(0, np.int64))
    leaves = [each for each, _ in ended]
    return Exact(
        world=world,
        values=np.concatenate([leaf.values for leaf in leaves]),
        status=np.concatenate([leaf.status for leaf in leaves]),
        decision=np.concatenate([decision for _, decision in ended]),
        weight=np.concatenate([leaf.weight for leaf in leaves]),
    )


def legal(
    world: World, values: NDArray[np.int16], status: NDArray[np.uint8], failures: NDArray[np.uint8]
) -> NDArray[np.bool_]:
    """(n, A) what may be done, by the rules of docs/DESIGN.md, without budgets and with results at once."""
    n, done, opens = len(values), status == RESULT, world.opens_journey
    listened, examined = done[:, opens == 1].any(axis=1), done[:, opens == 2].any(axis=1)
    free = (status == NOT_ORDERED) | ((status == FAILED) & (failures < world.attempts))
    free &= (opens > 0) | (listened & examined)[:, None]
    free &= _all_met(world.clauses, world.clause_values, values, status, len(world.items))
    for rows, bad in (
        (world.contraindication, world.contraindication_values),
        (world.known_refusal, world.known_refusal_values),
    ):
        for (item, o), of in zip(rows, bad, strict=True):
            free[:, item] &= ~((values[:, o] >= 0) & of[np.maximum(values[:, o], 0)])
    able = _all_met(world.decision_clauses, world.decision_clause_values, values, status, len(world.decisions))
    mask = np.zeros((n, len(world.actions)), np.bool_)
    for index, action in enumerate(world.actions):
        if action.kind == "order":
            mask[:, index] = free[:, action.items[0]]
        elif action.kind == "set":
            new = status[:, list(action.items)] == NOT_ORDERED
            mask[:, index] = (free[:, list(action.items)] | ~new).all(axis=1) & (new.sum(axis=1) >= 2)
    first = len(world.actions) - len(world.decisions)
    stuck = ~mask.any(axis=1)
    mask[:, first:] = (listened | stuck)[:, None] & able
    return mask


def _all_met(
    clauses: NDArray[np.int32],
    allowed: NDArray[np.bool_],
    values: NDArray[np.int16],
    status: NDArray[np.uint8],
    owners: int,
) -> NDArray[np.bool_]:
    met = np.ones((len(values), owners), np.bool_)
    for owner, group in {(int(row[0]), int(row[1])) for row in clauses}:
        either = np.zeros(len(values), np.bool_)
        for row, of in zip(clauses, allowed, strict=True):
            if (row[0], row[1]) == (owner, group):
                code = status[:, row[3]].astype(np.int64) if row[2] else values[:, row[3]].astype(np.int64)
                either |= (code >= 0) & of[np.maximum(code, 0)]
        met[:, owner] &= either
    return met


def _beginnings(world: World) -> _States:
    """One state for each combination of what is known at the start."""
    model = world.model
    n_profiles, n_hidden = model.prior.shape
    values = np.full((model.n_starts, len(model.observables)), UNKNOWN, np.int16)
    weight = np.zeros((model.n_starts, n_profiles, n_hidden))
    for start in range(model.n_starts):
        of = slice(start * model.profiles_per_start, (start + 1) * model.profiles_per_start)
        weight[start, of] = model.prior[of]
        for o in range(model.n_known_at_start):
            rows = model.value_rows
            values[start, o] = model.value_table[
                rows.start[o] + rows.of_profile[o][of.start] + rows.of_hidden[o][0]
            ].argmax()
    nothing = np.zeros((model.n_starts, len(world.items)), np.uint8)
    return _States(values, nothing, nothing.copy(), weight.reshape(model.n_starts, -1))


def _order(world: World, states: _States, item: int) -> _States:
    """What an order of `item` can lead to: refused, failed, or each combination of what its findings are reported to be."""
    model, found = world.model, []
    for column, becomes in ((0, RESULT), (1, FAILED), (2, REFUSED)):
        rows = model.status_rows
        at = rows.start[item] + rows.of_profile[item][:, None] + rows.of_hidden[item][None, :]
        chance = model.status_table[
            at.ravel()[None, :]
            + states.failures[:, item].astype(np.int64)[:, None] * model.status_attempt_stride[item],
            column,
        ]
        weight = states.weight * chance
        able = weight.any(axis=1)
        if not able.any():
            continue
        now = replace(states, weight=weight).take(np.flatnonzero(able))
        status, failures, values = now.status.copy(), now.failures.copy(), now.values.copy()
        status[:, item] = becomes
        revealed = [int(o) for o in world.reveals[item] if o >= 0]
        if becomes == FAILED:
            failures[:, item] += 1
            values[:, revealed] = MISSING
        now = _States(values, status, failures, now.weight)
        for o in revealed if becomes == RESULT else ():
            now = _report(world, now, o, item)
        found.append(now)
    return _States(
        *(
            np.concatenate([getattr(each, part) for each in found])
            for part in ("values", "status", "failures", "weight")
        )
    )


def _report(world: World, states: _States, o: int, item: int) -> _States:
    model, rows, found = world.model, world.model.evidence_rows, []
    at = (rows.start[o] + rows.of_profile[o][:, None] + rows.of_hidden[o][None, :]).ravel()
    attempt = states.failures[:, item].astype(np.int64)[:, None] * model.attempt_stride[o]
    width = model.evidence_table.shape[1]
    for column in (*range(int(model.n_values[o])), width - 1):
        weight = states.weight * model.evidence_table[at[None, :] + attempt, column]
        able = np.flatnonzero(weight.any(axis=1))
        if able.size:
            now = replace(states, weight=weight).take(able)
            values = now.values.copy()
            values[:, o] = MISSING if column == width - 1 else column
            found.append(replace(now, values=values))
    return _States(
        *(
            np.concatenate([getattr(each, part) for each in found])
            for part in ("values", "status", "failures", "weight")
        )
    )


def _merged(parts: list[_States]) -> _States:
    """States that know the same are one."""
    whole = _States(
        *(
            np.concatenate([getattr(each, part) for each in parts])
            for part in ("values", "status", "failures", "weight")
        )
    )
    keys = np.concatenate(
        [whole.values.astype(np.int16), whole.status.astype(np.int16), whole.failures.astype(np.int16)], axis=1
    )
    _, first, of = np.unique(keys, axis=0, return_index=True, return_inverse=True)
    weight = np.zeros((len(first), whole.weight.shape[1]))
    np.add.at(weight, of.ravel(), whole.weight)
    return replace(whole.take(first), weight=weight)


def _view(world: World, states: _States, mask: NDArray[np.bool_]) -> JourneyView:
    n, model = len(states.values), world.model
    conditions = np.stack(
        [np.tile(model.condition_of, model.prior.shape[0]) == c for c in range(len(model.conditions))], axis=1
    )
    posterior = states.weight @ conditions.astype(np.float64)
    nothing: NDArray[np.float64] = np.zeros(n)
    return JourneyView(
        world=world,
        values=states.values,
        numbers=np.full(states.values.shape, np.nan, np.float32),
        status=states.status,
        failures=states.failures,
        treated=np.zeros(states.values.shape, np.bool_),
        ordered_at_h=np.full(states.status.shape, np.nan, np.float32),
        clock_h=nothing,
        visit=np.ones(n, np.int32),
        step=np.zeros(n, np.int32),
        cost_gbp=nothing,
        dose_msv=nothing,
        tests=np.zeros(n, np.int32),
        waiting_h=np.zeros((n, len(model.conditions))),
        progression_h=np.zeros((n, len(model.conditions))),
        mask=mask,
        condition_posterior=posterior / posterior.sum(axis=1, keepdims=True),
    )


Statistic = Callable[[Exact], float]
"""A number of the exact law, to hold a cohort's against."""
