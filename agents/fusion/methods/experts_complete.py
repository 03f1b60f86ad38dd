"""An expert for each set of modalities, learnt from everybody who has at least these: a patient is told by that of what they have.

Right where what is missing depends on values in the record; a pattern that depends on something unrecorded still biases it.

Source: the complete-case submodels of Fletcher Mercaldo and Blume, Biostatistics 2020;21:236.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.nn import functional

from workup.agents.fusion.base import FusionError, Inputs, Rows, TaskSpec, UnseenPatternError
from workup.agents.fusion.methods.experts import MOST_MODALITIES
from workup.agents.fusion.parts import Embedded, Head, budget, seeded, sized


class ExpertsComplete(Embedded):
    """2^M - 1 heads over the embeddings; in training each sees all whose records hold its modalities, and of these no more."""

    message = "values_only"
    met: Tensor
    """(2^M - 1,) bool: whether anybody in training had at least the modalities of a head."""

    def __init__(self, task: TaskSpec, encoders: Mapping[str, nn.Module]) -> None:
        super().__init__(task, encoders)
        among = len(task.modalities)
        if among > MOST_MODALITIES:
            raise FusionError(f"an expert a set of {among} modalities; expected at most {MOST_MODALITIES}")
        self.sets = 2**among - 1
        self.heads = sized(
            lambda hidden: nn.ModuleList(Head(among * self.width, hidden, task) for _ in range(self.sets)), budget(task)
        )
        self.register_buffer("met", torch.zeros(self.sets, dtype=torch.bool))

    def prepare(self, training: Rows, validation: Rows) -> None:
        """Note which sets anybody had."""
        self.met.copy_(torch.stack([self.having(code, training.present).any() for code in range(1, self.sets + 1)]))

    def forward(self, inputs: Inputs, present: Tensor, order: Tensor, question: Tensor | None = None) -> Tensor:
        """(n, classes) logits; zeros where nothing is present.

        Raises:
            UnseenPatternError: nobody in training had at least what a patient has.
        """
        embedded = self.embed(inputs, present)
        codes = (present.long() << torch.arange(present.shape[1], device=present.device)).sum(dim=1)
        logits = torch.zeros(len(present), self.task.classes, device=present.device)
        for code in codes.unique().tolist():
            rows = codes == code
            if code and not bool(self.met[code - 1]):
                held = tuple(name for m, name in enumerate(self.task.modalities) if code >> m & 1)
                raise UnseenPatternError(held, int(rows.nonzero()[0, 0]), "experts_complete")
            if code:
                logits[rows] = self.said(code, embedded[rows], None if question is None else question[rows])
        return logits

    def losses(self, rows: Rows) -> Tensor:
        """(n,) cross-entropies of all heads whose modalities a patient has, added up."""
        embedded, total = self.embed(rows.inputs, rows.present), torch.zeros(len(rows), device=rows.label.device)
        for code in range(1, self.sets + 1):
            has = self.having(code, rows.present)
            if bool(has.any()):
                said = self.said(code, embedded[has], None if rows.question is None else rows.question[has])
                total = total.index_put(
                    (has.nonzero()[:, 0],),
                    functional.cross_entropy(said, rows.label[has], reduction="none"),
                    accumulate=True,
                )
        return total

    def having(self, code: int, present: Tensor) -> Tensor:
        """(n,) bool: whose records hold at least the modalities of a set."""
        wanted = [m for m in range(present.shape[1]) if code >> m & 1]
        return present[:, wanted].all(dim=1)

    def said(self, code: int, embedded: Tensor, question: Tensor | None) -> Tensor:
        """(n, classes) of the head of a set, to which all else is blank."""
        inside = torch.tensor([code >> m & 1 for m in range(embedded.shape[1])], device=embedded.device)
        return self.heads[code - 1]((embedded * inside[None, :, None]).flatten(1), question)


def build(task: TaskSpec, encoders: Mapping[str, nn.Module], *, seed: int) -> ExpertsComplete:
    """The fusion, untrained."""
    with seeded(seed, "fusion"):
        return ExpertsComplete(task, encoders)


FUSIONS = {"experts_complete": build}
