"""From arrays to the rows of a fusion: shapes checked, the history made a modality, what is absent left out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from workup.agents.fusion.base import Fusion, FusionError, Inputs, MissingModalityError, NotFiniteError, Rows, TaskSpec

HISTORY = "history"
"""The modality that a history is given as: everybody has it, it costs nothing, and it comes first."""


def with_history(spec: TaskSpec, history: Any | None) -> TaskSpec:
    """The spec with the history as its last modality, where there is one (n, h)."""
    if history is None:
        return spec
    if HISTORY in spec.modalities:
        raise FusionError(f"task {spec.name} has a modality {HISTORY!r} already; give the history in one way only")
    shapes = {**spec.shapes, HISTORY: tuple(torch.as_tensor(history).shape[1:])}
    return replace(spec, modalities=(*spec.modalities, HISTORY), shapes=shapes)


def rows_of(
    spec: TaskSpec,
    inputs: Mapping[str, Any],
    present: Any,
    order: Any,
    question: Any | None = None,
    label: Any | None = None,
    history: Any | None = None,
) -> Rows:
    """Tensors of arrays or tensors, n patients and M modalities.

    Args:
        spec: the task, without the history.
        inputs: modality -> (n, ...); floats become float32, other types stay.
        present: (n, M) bool.
        order: (n, M) integers: the present modalities as they came, -1 after the last.
        question: (n,) integers in [0, questions), where the task asks.
        label: (n,) integers in [0, classes); zeros where it is not known.
        history: (n, h) floats.

    Returns:
        Rows in which the blocks of absent modalities are zeros, whatever stood there.

    Raises:
        FusionError: a shape, an index or a name that is not as the spec says; an order that is not of the present modalities.
        NotFiniteError: NaN or infinity where a modality is present.
    """
    held = torch.as_tensor(present).bool()
    came = torch.as_tensor(order).long()
    n, among = len(held), len(spec.modalities)
    if held.shape != (n, among) or came.shape != (n, among):
        raise FusionError(
            f"{spec.name}: present is {tuple(held.shape)}, order {tuple(came.shape)}; expected ({n}, {among}) both"
        )
    _check_order(spec, held, came)
    blocks = {name: _block(spec, name, inputs, held[:, column]) for column, name in enumerate(spec.modalities)}
    if history is not None:
        everybody = torch.ones(n, 1, dtype=torch.bool)
        wider = with_history(spec, history)
        blocks[HISTORY] = _block(wider, HISTORY, {HISTORY: history}, everybody[:, 0])
        held = torch.cat([held, everybody], dim=1)
        came = torch.cat([torch.full((n, 1), among), came], dim=1)
    asked = _numbers(spec, "question", question, spec.questions, n) if spec.questions else None
    labels = torch.zeros(n, dtype=torch.int64) if label is None else _numbers(spec, "label", label, spec.classes, n)
    return Rows(blocks, held, came, asked, labels, torch.arange(n))


def on(rows: Rows, device: str | torch.device) -> Rows:
    """The same rows on a device."""
    question = None if rows.question is None else rows.question.to(device)
    inputs = {name: block.to(device) for name, block in rows.inputs.items()}
    return Rows(
        inputs, rows.present.to(device), rows.order.to(device), question, rows.label.to(device), rows.patient.to(device)
    )


def means_of(rows: Rows, spec: TaskSpec) -> dict[str, Tensor]:
    """Modality -> mean block of those who have it, in the block's own type; zeros for types that count words.

    Raises:
        FusionError: nobody has a modality.
    """
    means = {}
    for column, name in enumerate(spec.modalities):
        block = rows.inputs[name][rows.present[:, column]]
        if not len(block):
            raise FusionError(
                f"{spec.name}: no patient in training has {name!r}; leave it out of the task, or add patients who have it"
            )
        if block.dtype.is_floating_point or block.dtype == torch.uint8:
            means[name] = block.float().mean(dim=0).to(block.dtype)
        else:
            means[name] = torch.zeros_like(block[0])
    return means


def as_seen(fusion: Fusion, rows: Rows, fill: Inputs, spec: TaskSpec, method: str) -> Rows:
    """The rows as the fusion may see them: as they are, or, where it does not see the mask, imputed and all present.

    Raises:
        MissingModalityError: it sees the mask, is not modular, and a patient lacks something.
    """
    if not fusion.sees_mask:
        inputs = {}
        for column, name in enumerate(spec.modalities):
            block, held = rows.inputs[name], rows.present[:, column]
            inputs[name] = torch.where(held.view(-1, *(1,) * (block.ndim - 1)), block, fill[name])
        order = torch.arange(len(spec.modalities), device=rows.order.device).expand_as(rows.order)
        return replace(rows, inputs=inputs, present=torch.ones_like(rows.present), order=order)
    if not fusion.modular and not bool(rows.present.all()):
        row, column = (~rows.present).nonzero()[0].tolist()
        raise MissingModalityError(spec.modalities[column], int(rows.patient[row]), method)
    return rows


def check_finite(values: Tensor, what: str, rows: Rows, *, task: str, method: str, epoch: int | None = None) -> None:
    """Raise NotFiniteError for the first patient whose values (n, ...) are not all finite."""
    sound = values.isfinite().flatten(1).all(dim=1) if values.ndim > 1 else values.isfinite()
    if not bool(sound.all()):
        patient = int(rows.patient[int((~sound).nonzero()[0, 0])])
        raise NotFiniteError(what, task=task, method=method, epoch=epoch, patient=patient)


def _block(spec: TaskSpec, name: str, inputs: Mapping[str, Any], held: Tensor) -> Tensor:
    if name not in inputs:
        raise FusionError(f"{spec.name}: inputs are of {sorted(inputs)}; expected a block of {name!r} too")
    block = torch.as_tensor(inputs[name])
    if tuple(block.shape) != (len(held), *spec.shapes[name]):
        raise FusionError(
            f"{spec.name}: block {name!r} is {tuple(block.shape)}; expected {(len(held), *spec.shapes[name])}"
        )
    if block.dtype.is_floating_point:
        block = block.float()
        broken = ~block.flatten(1).isfinite().all(dim=1) & held
        if bool(broken.any()):
            patient = int(broken.nonzero()[0, 0])
            raise NotFiniteError(f"input {name!r}", task=spec.name, method="any method", epoch=None, patient=patient)
    nothing = torch.zeros((), dtype=block.dtype)
    return torch.where(held.view(-1, *(1,) * (block.ndim - 1)), block, nothing)


def _numbers(spec: TaskSpec, what: str, found: Any | None, below: int, n: int) -> Tensor:
    numbers = None if found is None else torch.as_tensor(found).long()
    if numbers is None or numbers.shape != (n,) or (n and not 0 <= int(numbers.min()) <= int(numbers.max()) < below):
        shown = "nothing" if numbers is None else f"{tuple(numbers.shape)}, from {numbers.min()} to {numbers.max()}"
        raise FusionError(f"{spec.name}: {what} is {shown}; expected ({n},) whole numbers from 0 to {below - 1}")
    return numbers


def _check_order(spec: TaskSpec, present: Tensor, order: Tensor) -> None:
    among = present.shape[1]
    seen = torch.zeros(len(order), among + 1, dtype=torch.int64)
    sound = ((order >= -1) & (order < among)).all(dim=1)
    seen.scatter_add_(1, order.clamp(-1, among - 1) % (among + 1), torch.ones_like(order))
    sound &= (seen[:, :among] == present.long()).all(dim=1)
    sound &= ((order[:, 1:] == -1) | (order[:, :-1] != -1)).all(dim=1)
    if not bool(sound.all()):
        patient = int((~sound).nonzero()[0, 0])
        raise FusionError(
            f"{spec.name}: order of patient {patient} is {order[patient].tolist()}, present {present[patient].tolist()}; "
            "expected the indices of the present modalities, each once, then -1"
        )
