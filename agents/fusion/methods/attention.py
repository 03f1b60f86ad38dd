"""Attention among modalities, an absent one being a learned token of its own.

Source: Vaswani et al., Attention is all you need, NeurIPS 2017; missing tokens as in Ma et al., Are multimodal transformers robust
to missing modality?, CVPR 2022.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

import torch
from torch import Tensor, nn

from workup.agents.fusion.base import Inputs, TaskSpec
from workup.agents.fusion.parts import Embedded, Head, budget, counted, seeded, sized

_HIDDEN = 32


class Attention(Embedded):
    """One layer of attention over a token that asks and a token a modality."""

    def __init__(self, task: TaskSpec, encoders: Mapping[str, nn.Module], *, balanced: bool) -> None:
        super().__init__(task, encoders)
        self.balanced, self.message = balanced, "values_only" if balanced else "with_mask"
        among, width = len(task.modalities), self.width
        self.places = nn.Parameter(0.1 * torch.randn(among + 1, width))
        self.missing = nn.Parameter(0.1 * torch.randn(among, width))
        self.head = Head(width, _HIDDEN, task)
        left = budget(task) - counted(self.head) - self.places.numel() - self.missing.numel()
        self.layer = sized(
            lambda hidden: nn.TransformerEncoderLayer(width, 2, hidden, 0.0, "gelu", batch_first=True), left
        )

    def forward(self, inputs: Inputs, present: Tensor, order: Tensor, question: Tensor | None = None) -> Tensor:
        """(n, classes) logits."""
        tokens = torch.where(present.unsqueeze(2), self.embed(inputs, present), self.missing) + self.places[1:]
        asking = self.places[0].expand(len(present), 1, -1)
        return self.head(self.layer(torch.cat([asking, tokens], dim=1))[:, 0], question)


def build(task: TaskSpec, encoders: Mapping[str, nn.Module], *, seed: int, balanced: bool = False) -> Attention:
    """The fusion, untrained."""
    with seeded(seed, "fusion"):
        return Attention(task, encoders, balanced=balanced)


FUSIONS = {"attention": build, "attention_balanced": partial(build, balanced=True)}
