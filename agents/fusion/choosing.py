"""What methods that choose say before they have read anything: the prevalence, for a state that nothing has changed was taught nothing."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from workup.agents.fusion.base import Inputs, Rows, TaskSpec, log_prevalence
from workup.agents.fusion.parts import of_question
from workup.agents.fusion.stepwise import Stepwise


class Choosing(Stepwise):
    """Matters where nothing is free: there the first choice is made in the state that all start from."""

    prior: Tensor
    """(max(questions, 1), classes) log prevalence among training patients."""

    def __init__(self, task: TaskSpec, encoders: Mapping[str, nn.Module], *, balanced: bool) -> None:
        super().__init__(task, encoders, balanced=balanced)
        self.register_buffer("prior", torch.zeros(max(task.questions, 1), task.classes))

    def prepare(self, training: Rows, validation: Rows) -> None:
        """Count the prevalence."""
        self.prior.copy_(log_prevalence(training.label, training.question, self.task))

    def said(self, state: Tensor, question: Tensor | None) -> Tensor:
        """(n, classes) logits of a state; of the one that all start from, the prevalence."""
        unread = (state == self.sequential.start(question, len(state))).all(dim=1, keepdim=True)
        return torch.where(
            unread, of_question(self.prior, question, len(state)), self.sequential.decode(state, question)
        )

    def certainty(self, state: Tensor, question: Tensor | None) -> Tensor:
        """(n,) probability of the most probable class."""
        return self.said(state, question).softmax(dim=1).amax(dim=1)

    def forward(self, inputs: Inputs, present: Tensor, order: Tensor, question: Tensor | None = None) -> Tensor:
        """(n, classes) logits where it would stop, reading of the present modalities what it chooses."""
        logits, start = super().forward(inputs, present, order, question), self.sequential.start(question, len(present))
        stays = self.next_of(start, torch.zeros_like(present), present, question) < 0
        return torch.where(stays.unsqueeze(1), of_question(self.prior, question, len(present)), logits)
