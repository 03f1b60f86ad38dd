"""What every agent must keep to, as one function that any agent can be put through."""

from __future__ import annotations

from dataclasses import fields
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from workup.agents.acting import draws
from workup.agents.base import Agent, AgentFactory
from workup.envs.engine.types import JourneyView
from workup.envs.model.world import World
from workup.envs.records.journeys import Journeys
from workup.envs.records.run import run_journeys
from workup.errors import WorkupError

BATCHES = (1, 64)


def check_agent_conforms(
    make: AgentFactory,
    world: World,
    *,
    patients: int = 500,
    seed: int = 0,
    results: Literal["at_once", "delayed"] = "at_once",
) -> Journeys:
    """Put an agent through the contract of `Agent`.

    Batch-first; legal actions only; every journey ends in a decision; its view is left as it was; the same actions for
    a patient whoever else is in the batch, for batches of 1 and of 64, and from a second agent of the same seed. Where it
    offers probabilities: float64 that are such, 0 where an action is not legal, and so the same draws and propensities.

    Args:
        make: makes the agent, twice.
        world: where it acts.
        patients: how many it meets.
        seed: of the patients, and of the agent.
        results: whether results come at once or orders stay pending.

    Returns:
        The journeys, every step recorded.

    Raises:
        WorkupError: it does not conform; says where and how.
    """
    judge = _judge(make(world, seed=seed))
    ids = np.arange(patients)

    def run(judge: _Judge, ids: NDArray[np.int64], batch: int) -> Journeys:
        return run_journeys(
            world,
            judge,
            patients=ids,
            seed=seed,
            results=results,
            record=True,
            batch=batch,
        )

    found = run(judge, ids, 256)
    undecided = np.flatnonzero(found.decision < 0)
    if undecided.size:
        raise WorkupError(
            f"{judge.agent.name} never decides for patients {undecided[:8].tolist()}; expected a decision"
        )
    for batch in BATCHES:
        few = ids[: 2 * batch + 30]
        _require_same(judge.agent.name, f"in batches of {batch}", found, run(judge, few, batch))
    again = _judge(make(world, seed=seed))
    _require_same(judge.agent.name, "made again from the same seed", found, run(again, ids[:-101:-1], 256))
    return found


class _Judge:
    """Watches an agent act."""

    def __init__(self, agent: Agent) -> None:
        self.agent = agent
        self.name, self.needs = agent.name, agent.needs
        if not agent.name or agent.needs not in ("raw", "belief", "posterior", None):
            raise WorkupError(
                f"an agent has name {agent.name!r} and needs {agent.needs!r}; expected a name, and raw, belief, posterior or None"
            )

    def act(self, view: JourneyView) -> NDArray[np.int64]:
        actions: NDArray[np.int64] = self._asked("act", view)
        name, n = self.agent.name, len(view.step)
        if not isinstance(actions, np.ndarray) or actions.shape != (n,) or actions.dtype != np.int64:
            found = f"{getattr(actions, 'dtype', type(actions).__name__)} of shape {np.shape(actions)}"
            raise WorkupError(f"{name} returned {found} for {n} journeys; expected ({n},) int64")
        for row, action in enumerate(actions.tolist()):
            if not 0 <= action < view.mask.shape[1] or not view.mask[row, action]:
                legal = [view.world.actions[a].name for a in np.flatnonzero(view.mask[row])]
                raise WorkupError(
                    f"{name} chose action {action} at step {int(view.step[row])}; legal are: {', '.join(legal)}"
                )
        return actions

    def _asked(self, what: Literal["act", "probabilities"], view: JourneyView) -> Any:
        """What the agent answers, having left the view as it was."""
        before = {field.name: _copied(getattr(view, field.name)) for field in fields(view)}
        answer = getattr(self.agent, what)(view)
        for field, was in before.items():
            if isinstance(was, np.ndarray) and not np.array_equal(
                was, getattr(view, field), equal_nan=was.dtype.kind == "f"
            ):
                raise WorkupError(
                    f"{self.agent.name} changed {field} of the view it was given; expected it to only read"
                )
        return answer


class _JudgeOfDraws(_Judge):
    """Watches an agent that says how likely each action is; that these are probabilities is seen to where they are drawn from."""

    def probabilities(self, view: JourneyView) -> NDArray[np.float64]:
        found: NDArray[np.float64] = self._asked("probabilities", view)
        if not isinstance(found, np.ndarray) or found.dtype != np.float64:
            kind = getattr(found, "dtype", type(found).__name__)
            raise WorkupError(f"{self.agent.name} returned probabilities of type {kind}; expected an array of float64")
        return found


def _judge(agent: Agent) -> _Judge:
    return _JudgeOfDraws(agent) if draws(agent) else _Judge(agent)


def _copied(value: object) -> object:
    return value.copy() if isinstance(value, np.ndarray) else value


def _require_same(name: str, how: str, found: Journeys, other: Journeys) -> None:
    """The journeys of `other` are those of `found` for the same patients, action by action."""
    expected = dict(zip(found.patient.tolist(), _steps_of(found), strict=True))
    for patient, (actions, propensities) in zip(other.patient.tolist(), _steps_of(other), strict=True):
        was = expected[patient]
        if actions.tolist() != was[0].tolist():
            raise WorkupError(
                f"{name} takes actions {actions.tolist()} for patient {patient} {how}, {was[0].tolist()} before; "
                "expected the same: an action may depend on that patient's revealed facts alone"
            )
        if not np.allclose(propensities, was[1], rtol=1e-9, atol=1e-12):
            raise WorkupError(
                f"{name} gives what it does for patient {patient} the probabilities {propensities.tolist()} {how}, "
                f"{was[1].tolist()} before; expected the same: they may depend on that patient's revealed facts alone"
            )


def _steps_of(journeys: Journeys) -> list[tuple[NDArray[np.int32], NDArray[np.float64]]]:
    """Actions and their propensities, by journey."""
    events = journeys.recorded()
    ends = np.searchsorted(events.journey, np.arange(1, len(journeys.patient)))
    return list(zip(np.split(events.action, ends), np.split(events.propensity, ends), strict=True))
