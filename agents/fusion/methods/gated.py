"""Gated fusion: what is present decides how much of every embedding passes.

Source: Arevalo et al., Gated multimodal units for information fusion, ICLR workshop 2017.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

import torch
from torch import Tensor, nn

from workup.agents.fusion.base import Inputs, TaskSpec
from workup.agents.fusion.parts import Embedded, Head, budget, counted, seeded, sized


class Gated(Embedded):
    """Embeddings times a sigmoid of all embeddings and the mask, into one hidden layer."""

    def __init__(self, task: TaskSpec, encoders: Mapping[str, nn.Module], *, balanced: bool) -> None:
        super().__init__(task, encoders)
        self.balanced, self.message = balanced, "values_only" if balanced else "with_mask"
        among = len(task.modalities)
        self.gate = nn.Linear(among * (self.width + 1), among * self.width)
        left = budget(task) - counted(self.gate)
        self.head = sized(lambda hidden: Head(among * self.width, hidden, task), left)

    def forward(self, inputs: Inputs, present: Tensor, order: Tensor, question: Tensor | None = None) -> Tensor:
        """(n, classes) logits."""
        embedded = self.embed(inputs, present).flatten(1)
        gate = torch.sigmoid(self.gate(torch.cat([embedded, present.float()], dim=1)))
        return self.head(embedded * gate, question)


def build(task: TaskSpec, encoders: Mapping[str, nn.Module], *, seed: int, balanced: bool = False) -> Gated:
    """The fusion, untrained."""
    with seeded(seed, "fusion"):
        return Gated(task, encoders, balanced=balanced)


FUSIONS = {"gated": build, "gated_balanced": partial(build, balanced=True)}
