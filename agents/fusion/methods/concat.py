"""Intermediate fusion by concatenation: the embeddings side by side, and which of them are there.

`concat_blind` is not told which are there: it gets every block, the absent ones imputed. `concat_dropout` hides each modality
with probability .3 in training (ModDrop).

Source: Neverova et al., ModDrop: adaptive multi-modal gesture recognition, IEEE TPAMI 2016;38:1692.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

import torch
from torch import Tensor, nn

from workup.agents.fusion.base import Inputs, TaskSpec
from workup.agents.fusion.parts import Embedded, Head, budget, seeded, sized


class Concat(Embedded):
    """Embeddings and mask into one hidden layer."""

    def __init__(
        self, task: TaskSpec, encoders: Mapping[str, nn.Module], *, balanced: bool, sees_mask: bool, hidden_share: float
    ) -> None:
        super().__init__(task, encoders)
        self.balanced, self.sees_mask, self.hidden_share = balanced, sees_mask, hidden_share
        self.message = "values_only" if balanced else "with_mask"
        features = len(task.modalities) * (self.width + 1)
        self.head = sized(lambda hidden: Head(features, hidden, task), budget(task))

    def forward(self, inputs: Inputs, present: Tensor, order: Tensor, question: Tensor | None = None) -> Tensor:
        """(n, classes) logits."""
        if self.training and self.hidden_share:
            left = present & (torch.rand(present.shape, device=present.device) >= self.hidden_share)
            present = torch.where(left.any(dim=1, keepdim=True), left, present)
        embedded = self.embed(inputs, present)
        return self.head(torch.cat([embedded.flatten(1), present.float()], dim=1), question)


def build(
    task: TaskSpec,
    encoders: Mapping[str, nn.Module],
    *,
    seed: int,
    balanced: bool = False,
    sees_mask: bool = True,
    hidden_share: float = 0.0,
) -> Concat:
    """The fusion, untrained."""
    with seeded(seed, "fusion"):
        return Concat(task, encoders, balanced=balanced, sees_mask=sees_mask, hidden_share=hidden_share)


FUSIONS = {
    "concat": build,
    "concat_blind": partial(build, sees_mask=False),
    "concat_balanced": partial(build, balanced=True),
    "concat_dropout": partial(build, hidden_share=0.3),
    "concat_dropout_balanced": partial(build, hidden_share=0.3, balanced=True),
}
