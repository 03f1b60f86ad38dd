"""Journeys as a Minari data set for offline reinforcement learning. Minari is imported when this is used."""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from importlib import import_module
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from workup.envs.engine.engine import Engine
from workup.envs.model.codes import NO_SUCH_ACTION
from workup.envs.records.journeys import Journeys
from workup.errors import WorkupError

PREFIX = "minari:"


def write_minari(
    journeys: Journeys, dataset_id: str, *, view: Literal["raw", "belief"] = "raw",
    results: Literal["at_once", "delayed"] = "at_once", made_from: Mapping[str, Any] | None = None,
) -> Any:  # fmt: skip
    """A local Minari data set: one episode per journey, with observations, rewards and masks of every step.

    The recorded actions are played again, which gives the same journeys: chance belongs to the patient.

    Args:
        journeys: run with `record=True` and without a budget.
        dataset_id: such as `workup/weight_loss/guideline-v0`; must not exist yet.
        view: what the data set's observations are.
        results: the mode that the journeys were run in.
        made_from: what `gymnasium.make("workup/Journey-v0", ...)` takes to make their environment, `scenario` (an id or a
            folder) and perhaps `split`, so that `recover_environment()` gives it back; None: it cannot be recovered.

    Returns:
        The `minari.MinariDataset`; `infos["action_mask"]` is (steps + 1, actions), `infos["propensity"]` (steps + 1,): of the action
        taken at each observation, NaN at the last.

    Raises:
        WorkupError: Minari is not installed, no events were recorded, or playing them again gives something else.
    """
    minari, buffer_of = _minari()
    from gymnasium import spaces

    from workup.envs.views.env import observation_space

    if dataset_id in minari.list_local_datasets():
        raise WorkupError(
            f"{dataset_id} exists already; delete it (minari delete {dataset_id}), or choose another name"
        )
    engine = Engine(journeys.world, len(journeys.patient), seed=journeys.seed, view=view, results=results)
    buffers = []
    for j, (observations, masks, rewards) in enumerate(_played_again(journeys, engine)):
        steps = len(rewards)
        ended = np.zeros((2, steps), bool)
        ended[0 if journeys.decision[j] >= 0 else 1, -1] = True
        buffers.append(
            buffer_of(
                id=j, seed=journeys.seed, options={"patient": int(journeys.patient[j])}, observations=observations,
                actions=_actions(journeys, j), rewards=rewards.tolist(), terminations=ended[0].tolist(),
                truncations=ended[1].tolist(), infos={"action_mask": masks, "propensity": _propensity(journeys, j)},
            )
        )  # fmt: skip
    scenario = journeys.world.scenario
    return minari.create_dataset_from_buffers(
        dataset_id,
        buffers,
        env=None if made_from is None else _spec({**made_from, "view": view, "results": results}),
        observation_space=observation_space(engine),
        action_space=spaces.Discrete(len(engine.action_names)),
        algorithm_name=journeys.agent,
        description=f"{scenario.title} ({scenario.id} {scenario.version}), synthetic patients under {journeys.agent}, seed {journeys.seed}",
        requirements=["workup"],
    )


def _minari() -> tuple[Any, Any]:
    """The module, and what holds an episode; raises WorkupError where it is not installed."""
    try:
        return import_module("minari"), import_module("minari.data_collector").EpisodeBuffer
    except ModuleNotFoundError as error:
        raise WorkupError(
            f"a Minari data set needs {error.name}, which is not installed; run: pip install 'minari[hdf5]'"
        ) from error


def _spec(kwargs: dict[str, str]) -> Any:
    """What Gymnasium makes the environment from."""
    import gymnasium

    found = deepcopy(gymnasium.spec("workup/Journey-v0"))
    found.kwargs = kwargs
    return found


def _actions(journeys: Journeys, j: int) -> Any:
    events = journeys.recorded()
    return events.action[events.journey == j].astype(np.int64)


def _propensity(journeys: Journeys, j: int) -> NDArray[np.float64]:
    events = journeys.recorded()
    return np.append(events.propensity[events.journey == j], np.nan)


def _played_again(
    journeys: Journeys, engine: Engine
) -> list[tuple[NDArray[np.float32], NDArray[np.bool_], NDArray[np.float64]]]:
    """(steps + 1, P) observations, (steps + 1, A) masks and (steps,) rewards of each journey."""
    events = journeys.recorded()
    n = len(journeys.patient)
    first = np.searchsorted(events.journey, np.arange(n + 1))
    length = np.diff(first)
    engine.reset(patients=journeys.patient)
    seen, legal, gained = [engine.observation], [engine.mask], []
    for t in range(int(length.max())):
        going = t < length
        chosen = events.action[np.minimum(first[:-1] + t, len(events.action) - 1)]
        step = engine.step(np.where(going, np.where(chosen < 0, NO_SUCH_ACTION, chosen), -1))
        seen.append(step.observation)
        legal.append(step.mask)
        gained.append(step.reward)
    told = np.array(gained).T
    if not np.allclose(told.sum(axis=1), journeys.value, rtol=0, atol=1e-6):
        raise WorkupError(
            "played again, these journeys gain something else: they were run in another mode or with a budget"
        )
    every, masks = np.stack(seen, axis=1), np.stack(legal, axis=1)
    return [(every[j, : k + 1], masks[j, : k + 1], told[j, :k]) for j, k in enumerate(length.tolist())]
