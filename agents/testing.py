"""What every agent must keep to, as one function that any agent can be put through."""

from __future__ import annotations

from dataclasses import fields
from typing import Literal

import numpy as np
from numpy.typing import NDArray

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
    a patient whoever else is in the batch, for batches of 1 and of 64, and from a second agent of the same seed.

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
    judge = _Judge(make(world, seed=seed))
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
    again = _Judge(make(world, seed=seed))
    _require_same(judge.agent.name, "made again from the same seed", found, run(again, ids[:-101:-1], 256))
    return found


class _Judge:
    """Watches an agent act."""

    def __init__(self, agent: Agent) -> None:
        self.agent = agent
        self.name, self.needs = agent.name, agent.needs
        if not agent.name or agent.needs not in ("raw", "belief", None):
            raise WorkupError(
                f"an agent has name {agent.name!r} and needs {agent.needs!r}; expected a name, and raw, belief or None"
            )

    def act(self, view: JourneyView) -> NDArray[np.int64]:
        before = {field.name: _copied(getattr(view, field.name)) for field in fields(view)}
        actions = self.agent.act(view)
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
        for field, was in before.items():
            if isinstance(was, np.ndarray) and not np.array_equal(
                was, getattr(view, field), equal_nan=was.dtype.kind == "f"
            ):
                raise WorkupError(f"{name} changed {field} of the view it was given; expected it to only read")
        return actions


def _copied(value: object) -> object:
    return value.copy() if isinstance(value, np.ndarray) else value


def _require_same(name: str, how: str, found: Journeys, other: Journeys) -> None:
    """The journeys of `other` are those of `found` for the same patients, action by action."""
    expected = dict(zip(found.patient.tolist(), _actions_of(found), strict=True))
    for patient, actions in zip(other.patient.tolist(), _actions_of(other), strict=True):
        if actions != expected[patient]:
            raise WorkupError(
                f"{name} takes actions {actions} for patient {patient} {how}, {expected[patient]} before; "
                "expected the same: an action may depend on that patient's revealed facts alone"
            )


def _actions_of(journeys: Journeys) -> list[list[int]]:
    assert journeys.events is not None
    taken: list[list[int]] = [[] for _ in journeys.patient]
    for journey, action in zip(journeys.events.journey.tolist(), journeys.events.action.tolist(), strict=True):
        taken[journey].append(action)
    return taken
