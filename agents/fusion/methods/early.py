"""Early fusion: features fixed before anybody asks, absent ones imputed, side by side into one network.

`early` keeps the two leading principal components of each modality; `early_wide` keeps up to 32.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

import torch
from torch import Tensor, nn

from workup.agents.fusion.base import Fusion, Inputs, Rows, TaskSpec
from workup.agents.fusion.parts import Head, budget, seeded, sized


class Early(Fusion):
    """Components of the training patients' blocks, the first scaled to unit variance, into one head with two hidden layers."""

    modular, sees_mask = True, False

    def __init__(self, task: TaskSpec, *, kept: int, balanced: bool) -> None:
        super().__init__()
        self.task, self.balanced = task, balanced
        self.message = "bottleneck" if kept == 2 else "values_only" if balanced else "with_mask"
        self.sizes = [int(torch.tensor(task.shapes[name]).prod()) for name in task.modalities]
        self.kept = [min(kept, size) for size in self.sizes]
        for column, (size, components) in enumerate(zip(self.sizes, self.kept, strict=True)):
            self.register_buffer(f"mean_{column}", torch.zeros(size))
            self.register_buffer(f"components_{column}", torch.zeros(size, components))
        self.net = sized(lambda hidden: Deep(sum(self.kept), hidden, task), budget(task))

    def forward(self, inputs: Inputs, present: Tensor, order: Tensor, question: Tensor | None = None) -> Tensor:
        """(n, classes) logits."""
        parts = []
        for column, name in enumerate(self.task.modalities):
            mean, components = self.get_buffer(f"mean_{column}"), self.get_buffer(f"components_{column}")
            parts.append((inputs[name].flatten(1).float() - mean) @ components)
        return self.net(torch.cat(parts, dim=1), question)

    @torch.no_grad()
    def prepare(self, training: Rows, validation: Rows) -> None:
        """Find the principal components of each modality among training patients."""
        for column, name in enumerate(self.task.modalities):
            block = training.inputs[name].flatten(1).float()
            mean = block.mean(dim=0)
            wanted = min(self.kept[column], len(block))
            with seeded(0, "components"):  # they are found by random projections
                found = torch.pca_lowrank(block - mean, q=min(wanted + 8, *block.shape), center=False, niter=4)
            spread, directions = found[1], found[2]
            scaled = directions * (len(block) ** 0.5 / spread[0].clamp(min=1e-6))
            self.get_buffer(f"mean_{column}").copy_(mean)
            self.get_buffer(f"components_{column}")[:, :wanted] = scaled[:, :wanted]


class Deep(nn.Module):
    """A hidden layer in front of the head."""

    def __init__(self, features: int, hidden: int, task: TaskSpec) -> None:
        super().__init__()
        self.first, self.head = nn.Linear(features, hidden), Head(hidden, hidden, task)

    def forward(self, features: Tensor, question: Tensor | None) -> Tensor:
        """(n, features) -> (n, classes)."""
        return self.head(torch.relu(self.first(features)), question)


def build(
    task: TaskSpec, encoders: Mapping[str, nn.Module], *, seed: int, kept: int = 2, balanced: bool = False
) -> Early:
    """The fusion, untrained; it has no use for encoders."""
    with seeded(seed, "fusion"):
        return Early(task, kept=kept, balanced=balanced)


FUSIONS = {
    "early": build,
    "early_wide": partial(build, kept=32),
    "early_wide_balanced": partial(build, kept=32, balanced=True),
}
