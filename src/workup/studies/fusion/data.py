"""Patients of a task as a torch Dataset: what their records hold in one view, and what a method is asked."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch.utils.data import Dataset

from workup.agents.fusion.base import Rows, TaskSpec
from workup.agents.fusion.rows import rows_of as tensors
from workup.errors import UnknownNameError, WorkupError, suggestion
from workup.studies.fusion.drawing import Drawn, draw

if TYPE_CHECKING:
    from workup.studies.fusion.tasks.base import Task
    from workup.studies.fusion.tasks.records import Missing


class FusionData(Dataset[dict[str, Any]]):
    """Patients of a split, each a dictionary of tensors: `inputs` by modality, `present`, `order`, `label`, perhaps `question`.

    Blocks of modalities that a record does not hold are zeros. `rows` has all patients at once, as the methods of
    `workup.agents.fusion` take them; `spec` their shapes.

    Examples:
        >>> from workup.studies.fusion import FusionData
        >>> data = FusionData("interaction", "train", patients=100)
        >>> len(data), data[0]["inputs"]["R"].shape, data[0]["present"].tolist()
        (100, torch.Size([12]), [True, True])
    """

    def __init__(
        self,
        task: str | Task,
        split: str,
        *,
        patients: int = 2_000,
        seed: int = 0,
        view: str = "findings",
        policy: str = "same",
        missing: Missing | None = None,
        left_out: str | None = None,
    ) -> None:
        """Draw the patients.

        Args:
            task: a name of `TASKS`, or a task of your own.
            split: reader, train, validation or test; no patient is in two of them.
            patients: how many: the first of the seed.
            seed: of the run.
            view: findings, read or raw.
            policy: who ordered what the records hold; of `task.policies`.
            missing: what is lost from the records besides.
            left_out: `history` or `context`, in no record, where the task has one.

        Raises:
            UnknownNameError: no such task, split, view or policy; names the nearest.
            WorkupError: no patients, or a view that this task does not have.
        """
        drawn = draw(
            task, split, patients=patients, seed=seed, view=view, policy=policy, missing=missing, left_out=left_out
        )
        met = drawn.patients
        self._hold(
            drawn.spec, tensors(drawn.spec, drawn.inputs, drawn.present, drawn.order, met.question, met.label), drawn
        )

    def _hold(self, spec: TaskSpec, rows: Rows, drawn: Drawn | None) -> None:
        self.spec, self.rows, self.drawn = spec, rows, drawn
        self._known: dict[str, Any] = {}

    def once(self, name: str, work: Callable[[FusionData], Any]) -> Any:
        """What `work` finds of these patients, worked out once."""
        if name not in self._known:
            self._known[name] = work(self)
        return self._known[name]

    @classmethod
    def from_arrays(
        cls,
        inputs: Mapping[str, NDArray[Any]],
        label: NDArray[Any],
        *,
        present: NDArray[Any] | None = None,
        order: NDArray[Any] | None = None,
        question: NDArray[Any] | None = None,
        name: str = "own",
    ) -> FusionData:
        """Data of your own, such as embeddings that you have already.

        Args:
            inputs: modality -> (n, ...) numbers; the patients in the same order in all.
            label: (n,) whole numbers 0 to classes - 1.
            present: (n, M) bool, the modalities in the order of `inputs`; all are present unless it is said.
            order: (n, M) modalities by number as they came, -1 after the last; as listed unless it is said.
            question: (n,) whole numbers from 0.
            name: what the data are called in messages.

        Raises:
            WorkupError: lengths that differ, a value in a record that is not finite, a label, a question or an order that is none.
        """
        label, names = np.asarray(label), tuple(inputs)
        n = len(label)
        if not names or n == 0 or not np.issubdtype(label.dtype, np.integer):
            raise WorkupError(
                f"{name}: {len(names)} modalities and {n} labels ({label.dtype}); expected 1 or more of each, labels whole numbers"
            )
        blocks = {m: np.asarray(block) for m, block in inputs.items()}
        held = np.ones((n, len(names)), dtype=bool) if present is None else np.asarray(present)
        if held.dtype != bool or held.shape != (n, len(names)):
            raise WorkupError(
                f"{name}: present is {held.dtype} {held.shape}; expected bool ({n}, {len(names)}): patients, modalities"
            )
        spec = TaskSpec(
            name,
            names,
            {m: block.shape[1:] for m, block in blocks.items()},
            max(int(label.max()) + 1, 2),
            questions=0 if question is None else int(np.max(question)) + 1,
        )
        made = cls.__new__(cls)
        came = _order(held) if order is None else order
        made._hold(spec, tensors(spec, blocks, held, came, question, label), None)
        return made

    def swapped(self, modality: str) -> FusionData:
        """The same patients, but that one modality is another patient's: of the next in the data who has it.

        No exact score is known of them. Raises UnknownNameError for a modality that there is not.
        """
        names = self.spec.modalities
        if modality not in names:
            raise UnknownNameError(f"{self.spec.name} has no modality {modality!r}{suggestion(modality, names)}")
        has = self.rows.present[:, names.index(modality)].nonzero()[:, 0]
        block = self.rows.inputs[modality].clone()
        block[has] = self.rows.inputs[modality][has.roll(1)]
        made = FusionData.__new__(FusionData)
        made._hold(self.spec, replace(self.rows, inputs={**self.rows.inputs, modality: block}), None)
        return made

    def reversed(self) -> FusionData:
        """The same patients and records, but that what came last came first."""
        among = self.rows.order.shape[1]
        last = (self.rows.order >= 0).sum(dim=1, keepdim=True) - 1
        at = last - torch.arange(among)
        order = torch.where(at >= 0, self.rows.order.gather(1, at.clamp(min=0)), -1)
        made = FusionData.__new__(FusionData)
        made._hold(self.spec, replace(self.rows, order=order), self.drawn)
        return made

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, patient: int) -> dict[str, Any]:
        rows = self.rows
        asked = {} if rows.question is None else {"question": rows.question[patient]}
        return {
            "inputs": {name: block[patient] for name, block in rows.inputs.items()},
            "present": rows.present[patient], "order": rows.order[patient], "label": rows.label[patient], **asked,
        }  # fmt: skip


def _order(present: NDArray[np.bool_]) -> NDArray[np.int64]:
    """The present modalities as listed, then -1."""
    m = present.shape[1]
    first = np.argsort(~present, axis=1, kind="stable")
    return np.where(np.arange(m) < present.sum(axis=1)[:, None], first, -1)
