"""What every fusion keeps to, tried on random blocks before any training."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

import torch
from torch import Tensor, nn

from workup.agents.fusion.acquisition import in_order_of_task
from workup.agents.fusion.base import MESSAGES, Build, ConformanceError, Fusion, Rows, TaskSpec
from workup.agents.fusion.encoders import encoders_for
from workup.agents.fusion.parts import seeded
from workup.agents.fusion.rows import as_seen
from workup.agents.fusion.training import seeded_encoders

_PATIENTS, _ALONE, _TOLERANCE = 48, 6, 1e-5


def conformance(
    build: Build,
    task: TaskSpec,
    *,
    encoders: Callable[[], Mapping[str, nn.Module]] | None = None,
    kinds: Mapping[str, str] | None = None,
    seed: int = 0,
) -> None:
    """Raise unless a fusion keeps to the contract.

    Its logits are (n, classes) and finite, also where nothing is present; a patient's are the same alone, in any batch and at any
    place in it, to 1e-5; they can be learned from; asking changes neither blocks nor weights; two builds of one seed are equal; and
    what stands in an absent block is not read.

    Args:
        build: `build(task, encoders, *, seed) -> Fusion`.
        task: the shapes to try it on.
        encoders: makes fresh encoders; `encoders_for` by `kinds` where None.
        kinds: modality -> kind of block; a vector's, a picture's or a waveform's by its shape where it is not named.
        seed: of blocks and weights.

    Raises:
        ConformanceError: the first thing that is not so; says what, and for which patient.
    """
    with seeded(seed, "conformance"):
        rows = _rows(task, kinds or {})
    fusions = []
    for _ in range(2):
        made = seeded_encoders(encoders or partial(encoders_for, task, rows.inputs, kinds), seed)
        fusions.append(build(task, made, seed=seed))
    fusion, twin = fusions
    _declared(fusion)
    rows = as_seen(
        fusion, _complete(rows) if fusion.sees_mask and not fusion.modular else rows, _zeros(rows), task, "the fusion"
    )
    with seeded(seed, "preparing"):
        for each in fusions:
            each.prepare(rows, rows)
            each.eval()
    before = {name: value.clone() for name, value in fusion.state_dict().items()}
    said = _said(fusion, rows)
    _shape(said, rows, task)
    _same(said, _said(twin, rows), "two builds of one seed differ")
    _same(said, _said(fusion, rows), "asked twice, it answers differently")
    if any(not torch.equal(value, before[name]) for name, value in fusion.state_dict().items()):
        raise ConformanceError("asking it changes its weights or buffers; expected a forward that only reads")
    _in_any_batch(fusion, rows, said)
    if fusion.modular and fusion.sees_mask:
        _absent_unread(fusion, rows, said, task)
    _learnable(fusion, rows)


def _declared(fusion: Fusion) -> None:
    if not isinstance(fusion, Fusion):
        raise ConformanceError(f"build returned a {type(fusion).__name__}; expected a workup.agents.fusion.base.Fusion")
    if fusion.message not in MESSAGES:
        raise ConformanceError(f"message is {fusion.message!r}; expected one of {', '.join(MESSAGES)}")
    if fusion.unseen not in ("predicted", "refused"):
        raise ConformanceError(f"unseen is {fusion.unseen!r}; expected 'predicted' or 'refused'")


def _shape(said: Tensor, rows: Rows, task: TaskSpec) -> None:
    if tuple(said.shape) != (len(rows), task.classes) or not said.dtype.is_floating_point:
        raise ConformanceError(
            f"logits are {tuple(said.shape)} {said.dtype}; expected {(len(rows), task.classes)} of floats"
        )
    if not bool(said.isfinite().all()):
        row = int((~said.isfinite()).any(dim=1).nonzero()[0, 0])
        raise ConformanceError(
            f"the logits of a patient with present {rows.present[row].tolist()} are {said[row].tolist()}; expected finite ones"
        )


def _in_any_batch(fusion: Fusion, rows: Rows, said: Tensor) -> None:
    turned = torch.arange(len(rows)).flip(0)
    _same(said[turned], _said(fusion, rows.take(turned)), "in another order of the batch, a patient's logits change")
    half = torch.arange(0, len(rows), 2)
    _same(said[half], _said(fusion, rows.take(half)), "in half the batch, a patient's logits change")
    for row in range(_ALONE):
        alone = torch.tensor([row])
        _same(said[alone], _said(fusion, rows.take(alone)), "alone, a patient's logits change")


def _absent_unread(fusion: Fusion, rows: Rows, said: Tensor, task: TaskSpec) -> None:
    inputs = {}
    for column, name in enumerate(task.modalities):
        block, held = rows.inputs[name], rows.present[:, column]
        inputs[name] = torch.where(held.view(-1, *(1,) * (block.ndim - 1)), block, torch.ones_like(block))
    other = Rows(inputs, rows.present, rows.order, rows.question, rows.label, rows.patient)
    _same(said, _said(fusion, other), "what stands in the blocks of absent modalities changes the logits")


def _learnable(fusion: Fusion, rows: Rows) -> None:
    learners = [
        each for each in (fusion, *fusion.members().values()) if any(p.requires_grad for p in each.parameters())
    ]
    for each in learners:
        each.train()
        losses = each.losses(rows.take(each.usable(rows.present)))
        if losses.ndim != 1 or not bool(losses.isfinite().all()):
            raise ConformanceError(f"losses are {tuple(losses.shape)}; expected one finite number a patient")
        if losses.requires_grad:
            losses.mean().backward()
        each.eval()
    moved = [p for each in learners for p in each.parameters() if p.grad is not None]
    if not moved or any(not bool(p.grad.isfinite().all()) for p in moved if p.grad is not None):
        raise ConformanceError("no finite gradient reaches its parameters; expected losses that depend on them")


@torch.no_grad()
def _said(fusion: Fusion, rows: Rows) -> Tensor:
    inputs = {name: block.clone() for name, block in rows.inputs.items()}
    said = fusion(inputs, rows.present, rows.order, rows.question)
    if any(not torch.equal(block, rows.inputs[name]) for name, block in inputs.items()):
        raise ConformanceError(
            "forward changes the blocks that it is given; expected a copy where something is written"
        )
    return said


def _same(one: Tensor, other: Tensor, what: str) -> None:
    if one.shape != other.shape:
        raise ConformanceError(f"{what}: {tuple(one.shape)} and {tuple(other.shape)}")
    apart = (one - other).abs().amax(dim=1)
    if bool((apart > _TOLERANCE).any()):
        raise ConformanceError(f"{what}, by up to {float(apart.max()):.2g}; expected at most {_TOLERANCE:g}")


def _rows(task: TaskSpec, kinds: Mapping[str, str]) -> Rows:
    blocks = {}
    for name in task.modalities:
        shape = (_PATIENTS, *task.shapes[name])
        blocks[name] = torch.randint(1, 200, shape) if kinds.get(name) == "text" else torch.randn(shape)
    present = torch.rand(_PATIENTS, len(task.modalities)) < 0.6
    present[0], present[1] = False, True
    for column, name in enumerate(task.modalities):
        blocks[name][~present[:, column]] = 0
    question = torch.randint(task.questions, (_PATIENTS,)) if task.questions else None
    label = torch.randint(task.classes, (_PATIENTS,))
    return Rows(blocks, present, in_order_of_task(present), question, label, torch.arange(_PATIENTS))


def _complete(rows: Rows) -> Rows:
    present = torch.ones_like(rows.present)
    return Rows(rows.inputs, present, in_order_of_task(present), rows.question, rows.label, rows.patient)


def _zeros(rows: Rows) -> dict[str, Tensor]:
    return {name: torch.zeros_like(block[0]) for name, block in rows.inputs.items()}
