"""Patients of a task's split in one view, as arrays: what the records hold, in the order in which it came."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from workup.errors import UnknownNameError, WorkupError, suggestion
from workup.studies.fusion.left_out import without
from workup.studies.fusion.splits import keys_of, seed_of
from workup.studies.fusion.views import VIEWS, findings_view

if TYPE_CHECKING:
    from workup.agents.fusion.base import TaskSpec
    from workup.studies.fusion.tasks.base import Patients, Task
    from workup.studies.fusion.tasks.records import Missing

HISTORY = "history"


@dataclass(frozen=True)
class Drawn:
    """Patients with what is seen of them in one view; the blocks hold what is absent from the records too."""

    task: Task
    spec: TaskSpec
    patients: Patients
    keys: NDArray[np.uint64]
    """(n,) who they are."""
    inputs: Mapping[str, NDArray[Any]]
    """Modality -> (n, ...) float32, or uint8 pictures."""
    present: NDArray[np.bool_]
    """(n, M); the history, where there is one, is the last modality and always present."""
    order: NDArray[np.int64]
    """(n, M) as they came, -1 after the last; the history first."""


def task_of(task: str | Task) -> Task:
    """A task by its name. Raises UnknownNameError naming the nearest."""
    from workup.studies.fusion.tasks import TASKS

    if not isinstance(task, str):
        return task
    if task not in TASKS:
        raise UnknownNameError(f"no task {task!r}{suggestion(task, TASKS)}")
    return TASKS[task]


def draw(
    task: str | Task,
    split: str,
    *,
    patients: int,
    seed: int,
    view: str,
    policy: str = "same",
    missing: Missing | None = None,
    left_out: str | None = None,
) -> Drawn:
    """See `data.FusionData`, whose arrays these are."""
    of = task_of(task) if left_out is None else without(task_of(task), left_out)
    if view not in VIEWS:
        raise UnknownNameError(f"no view {view!r}{suggestion(view, VIEWS)}")
    if policy not in of.policies:
        raise UnknownNameError(f"{of.name} has no records of {policy!r}{suggestion(policy, of.policies)}")
    if patients < 1:
        raise WorkupError(f"{patients} patients; expected 1 or more")
    own = seed_of(split, seed)
    met = of.patients(patients, seed=own, policy=policy, missing=missing)
    keys = keys_of(of.name, own, patients)
    inputs = _seen(of, met, keys, view=view, seed=own)
    present, order = met.present, met.order
    if met.history is not None:
        m = present.shape[1]
        present = np.concatenate([present, np.ones((patients, 1), dtype=bool)], axis=1)
        order = np.concatenate([np.full((patients, 1), m), order], axis=1)
    return Drawn(of, _spec(of, inputs), met, keys, inputs, present, order)


def _seen(task: Task, met: Patients, keys: NDArray[np.uint64], *, view: str, seed: int) -> Mapping[str, NDArray[Any]]:
    if view == "findings":
        return findings_view(task, met, seed=seed)
    if view == "raw":
        from workup.studies.fusion.looks import raw_view

        return raw_view(task, met, keys)
    from workup.studies.fusion.readers import read_view

    return read_view(task, met, keys)


def _spec(task: Task, inputs: Mapping[str, NDArray[Any]]) -> TaskSpec:
    from workup.agents.fusion.base import TaskSpec

    names = (*task.modalities, *([HISTORY] if HISTORY in inputs else []))
    return TaskSpec(
        task.name, names, {name: inputs[name].shape[1:] for name in names}, 2,
        questions=task.questions, costs_gbp=dict(task.costs_gbp), right_gbp=task.right_gbp,
    )  # fmt: skip
