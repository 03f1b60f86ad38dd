"""Low-rank tensor fusion: the product over modalities of an affine map of each embedding.

Source: Liu et al., Efficient low-rank multimodal fusion with modality-specific factors, ACL 2018.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from torch import Tensor, nn

from workup.agents.fusion.base import Inputs, TaskSpec
from workup.agents.fusion.parts import Embedded, Head, budget, seeded, sized

_HIDDEN = 32


class Product(nn.Module):
    """One affine map a modality, to `rank` features, which begin as 1 for an absent one; their product goes into a head."""

    def __init__(self, width: int, rank: int, task: TaskSpec) -> None:
        super().__init__()
        maps = [nn.Linear(width, rank) for _ in task.modalities]
        for each in maps:
            nn.init.ones_(each.bias)
        self.maps, self.head = nn.ModuleList(maps), Head(rank, _HIDDEN, task)

    def forward(self, embedded: Tensor, question: Tensor | None) -> Tensor:
        """(n, M, width) -> (n, classes)."""
        product = self.maps[0](embedded[:, 0])
        for column in range(1, len(self.maps)):
            product = product * self.maps[column](embedded[:, column])
        return self.head(product, question)


class LowRankTensor(Embedded):
    """A product of modalities."""

    def __init__(self, task: TaskSpec, encoders: Mapping[str, nn.Module], *, balanced: bool) -> None:
        super().__init__(task, encoders)
        self.balanced, self.message = balanced, "values_only" if balanced else "with_mask"
        self.product = sized(lambda rank: Product(self.width, rank, task), budget(task))

    def forward(self, inputs: Inputs, present: Tensor, order: Tensor, question: Tensor | None = None) -> Tensor:
        """(n, classes) logits."""
        return self.product(self.embed(inputs, present), question)


def build(task: TaskSpec, encoders: Mapping[str, nn.Module], *, seed: int, balanced: bool = False) -> LowRankTensor:
    """The fusion, untrained."""
    with seeded(seed, "fusion"):
        return LowRankTensor(task, encoders, balanced=balanced)


FUSIONS = {"tensor": build, "tensor_balanced": partial(build, balanced=True)}
