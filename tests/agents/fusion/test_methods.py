"""What every method keeps to, what breaks it, and what one spends."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("sb3_contrib", reason="needs workup[train]")
import torch
from support.fused import cohort, spec
from torch import nn

from workup.agents.fusion.base import ConformanceError, Fusion, TaskSpec
from workup.agents.fusion.conformance import conformance
from workup.agents.fusion.methods import concat
from workup.agents.fusion.methods.sequential import build as build_sequential
from workup.agents.fusion.parts import seeded
from workup.agents.fusion.registry import frontier, fusion_of, fusions
from workup.agents.fusion.rows import rows_of
from workup.errors import UnknownNameError

pytestmark = pytest.mark.torch

THREE = TaskSpec(
    "three",
    ("R", "P", "Q"),
    {"R": (12,), "P": (12,), "Q": (7,)},
    3,
    questions=2,
    costs_gbp={"R": 3.0, "P": 4.0},
    right_gbp=100.0,
)
RAW = TaskSpec(
    "raw", ("film", "slide", "ecg", "note"), {"film": (16, 16), "slide": (16, 16, 3), "ecg": (3, 128), "note": (20,)}, 2
)


@pytest.mark.parametrize("name", fusions())
def test_every_method_conforms(name: str) -> None:
    conformance(fusion_of(name), THREE)


def test_blocks_of_every_kind_are_read() -> None:
    conformance(fusion_of("concat"), RAW, kinds={"note": "text"})


def test_one_modality_by_name() -> None:
    conformance(fusion_of("single:Q"), THREE)
    with pytest.raises(UnknownNameError, match="late_poe"):
        fusion_of("late_po")


def test_fusing_costs_every_method_the_same_number_of_parameters() -> None:
    for task in (spec(), THREE):
        sizes = frontier(task)
        assert set(sizes) == set(fusions())
        choosing = (
            sizes.pop("personal") - sizes["sequential"]
        )  # it fuses as `sequential` does; the rest learns what to get
        assert (choosing > 0) == bool(task.costs_gbp)
        assert max(sizes.values()) < 1.1 * min(sizes.values())


class Plain(Fusion):
    """Sums the features of R, and is broken by its subclasses."""

    modular = True

    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones(12, 3))

    def forward(self, inputs, present, order, question=None):
        return (inputs["R"] * present[:, :1]) @ self.scale


class OfTheBatch(Plain):
    def forward(self, inputs, present, order, question=None):
        logits = super().forward(inputs, present, order)
        return logits - logits.mean(dim=0)


class ReadsTheAbsent(Plain):
    def forward(self, inputs, present, order, question=None):
        return inputs["R"] @ self.scale


class Unsure(Plain):
    def forward(self, inputs, present, order, question=None):
        return super().forward(inputs, present, order) + torch.rand(len(present), 1)


class Divides(Plain):
    def forward(self, inputs, present, order, question=None):
        return super().forward(inputs, present, order) / present.any(dim=1, keepdim=True)


class Counts(Plain):
    asked: torch.Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("asked", torch.zeros(()))

    def forward(self, inputs, present, order, question=None):
        self.asked.add_(1)
        return super().forward(inputs, present, order)


class Writes(Plain):
    def forward(self, inputs, present, order, question=None):
        inputs["R"].mul_(2)
        return super().forward(inputs, present, order)


class Narrow(Plain):
    def forward(self, inputs, present, order, question=None):
        return super().forward(inputs, present, order)[:, :2]


class Deaf(Plain):
    def forward(self, inputs, present, order, question=None):
        return super().forward(inputs, present, order).detach()


class Foreign(Plain):
    message = "telepathy"


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        (OfTheBatch, "in half the batch"),
        (ReadsTheAbsent, "absent modalities"),
        (Unsure, "differ"),
        (Divides, "expected finite ones"),
        (Counts, "weights or buffers"),
        (Writes, "changes the blocks"),
        (Narrow, r"\(48, 2\)"),
        (Deaf, "no finite gradient"),
        (Foreign, "telepathy"),
    ],
)
def test_what_breaks_the_contract_is_told(kind: type[Plain], said: str) -> None:
    conformance(lambda task, encoders, *, seed: Plain(), THREE)
    with pytest.raises(ConformanceError, match=said):
        conformance(lambda task, encoders, *, seed: kind(), THREE)


def test_dropout_hides_in_training_only_and_leaves_something() -> None:
    seen = []
    task = spec()
    rows = rows_of(task, **cohort("additive", 400, 0).taught())

    class Watched(concat.Concat):
        def embed(self, inputs, present):
            seen.append(present.clone())
            return super().embed(inputs, present)

    encoders = {name: _Identity() for name in task.modalities}
    net = Watched(task, encoders, balanced=False, sees_mask=True, hidden_share=0.5)
    for training in (True, False):
        with seeded(0, "test"):
            net.train(training)(rows.inputs, rows.present, rows.order)
    assert bool(seen[0].any(dim=1).all())
    np.testing.assert_allclose(
        seen[0].float().mean(dim=0), [0.75, 0.75], atol=0.07
    )  # a half, and the quarter that would lose both
    assert bool(seen[1].all())


def test_a_state_changes_only_by_what_came() -> None:
    task = spec()
    net = build_sequential(task, {name: _Identity() for name in task.modalities}, seed=0).eval()
    rows = rows_of(task, **cohort("additive", 20, 0).taught())
    embedded, start = net.embed(rows.inputs, rows.present), net.start(None, 20)
    which = torch.tensor([0, 1, -1, 0] * 5)
    after = net.step(start, embedded, rows.present, which)
    assert bool((after[which == -1] == start[which == -1]).all())
    alone = net.updates[1](start[:1], embedded[1:2, 1])
    torch.testing.assert_close(after[1:2], alone)


class _Identity(nn.Module):
    width = 12

    def forward(self, block):
        return block
