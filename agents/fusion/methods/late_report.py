"""Late fusion by report: each team passes on its top diagnosis and how sure it is, in five steps, and nothing else.

The combiner multiplies the shares of each message among validation patients of each class, P(message | class): as a meeting
would that knows what each team's reports are worth.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from workup.agents.fusion.base import Rows, TaskSpec
from workup.agents.fusion.late import BuildLate, Late
from workup.agents.fusion.parts import of_question

STEPS = 5
"""Steps of certainty, equally wide from 1 / classes to 1."""


class LateReport(Late):
    """Prior times P(message | class) of every report."""

    message = "report"
    shares: Tensor
    """(M, classes * STEPS, classes) log P(message | class)."""

    def __init__(self, task: TaskSpec, encoders: Mapping[str, nn.Module]) -> None:
        super().__init__(task, encoders)
        self.register_buffer("shares", torch.zeros(len(task.modalities), task.classes * STEPS, task.classes))

    def combine(self, opinions: Tensor, present: Tensor, question: Tensor | None) -> Tensor:
        """(n, classes) logits."""
        logits, messages = of_question(self.prior, question, len(opinions)), self.messages(opinions)
        for column, shares in enumerate(self.shares):
            logits = logits + shares[messages[:, column]] * present[:, column : column + 1]
        return logits

    def messages(self, opinions: Tensor) -> Tensor:
        """(n, M) int64: top diagnosis times STEPS, plus the step of its certainty."""
        certainty, top = opinions.exp().max(dim=2)
        least = 1 / self.task.classes
        return top * STEPS + ((certainty - least) / (1 - least) * STEPS).long().clamp(0, STEPS - 1)

    @torch.no_grad()
    def prepare(self, training: Rows, validation: Rows) -> None:
        """Count the messages of each class, half a patient added to every count."""
        super().prepare(training, validation)
        opinions = self.opinions(validation.inputs, validation.present, validation.order, validation.question)
        messages = self.messages(opinions)
        for column, shares in enumerate(self.shares):
            held = validation.present[:, column]
            counts = torch.full_like(shares, 0.5)
            place = (messages[held, column], validation.label[held])
            counts.index_put_(place, torch.ones(len(place[0]), device=counts.device), accumulate=True)
            shares.copy_((counts / counts.sum(dim=0)).log())


FUSIONS = {"late_report": BuildLate(LateReport)}
