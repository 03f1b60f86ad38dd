"""An expert for each pattern of availability: a head of its own, over encoders that all share.

A pattern that nobody had in training has an expert that nobody trained: it is refused.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

import torch
from torch import Tensor, nn

from workup.agents.fusion.base import FusionError, Inputs, TaskSpec
from workup.agents.fusion.parts import Embedded, Head, budget, seeded, sized

MOST_MODALITIES = 8


class Experts(Embedded):
    """2^M - 1 heads over the embeddings, of which the patient's pattern picks one."""

    unseen = "refused"

    def __init__(self, task: TaskSpec, encoders: Mapping[str, nn.Module], *, balanced: bool) -> None:
        super().__init__(task, encoders)
        self.balanced, self.message = balanced, "values_only" if balanced else "with_mask"
        among = len(task.modalities)
        if among > MOST_MODALITIES:
            raise FusionError(f"an expert a pattern of {among} modalities; expected at most {MOST_MODALITIES}")
        patterns, features = 2**among - 1, among * self.width
        self.heads = sized(
            lambda hidden: nn.ModuleList(Head(features, hidden, task) for _ in range(patterns)), budget(task)
        )

    def forward(self, inputs: Inputs, present: Tensor, order: Tensor, question: Tensor | None = None) -> Tensor:
        """(n, classes) logits; zeros where nothing is present."""
        embedded = self.embed(inputs, present).flatten(1)
        code = (present.long() << torch.arange(present.shape[1], device=present.device)).sum(dim=1)
        logits = torch.zeros(len(present), self.task.classes, device=present.device)
        for pattern in code.unique().tolist():
            if pattern:
                rows = code == pattern
                logits[rows] = self.heads[pattern - 1](embedded[rows], None if question is None else question[rows])
        return logits


def build(task: TaskSpec, encoders: Mapping[str, nn.Module], *, seed: int, balanced: bool = False) -> Experts:
    """The fusion, untrained."""
    with seeded(seed, "fusion"):
        return Experts(task, encoders, balanced=balanced)


FUSIONS = {"experts": build, "experts_balanced": partial(build, balanced=True)}
