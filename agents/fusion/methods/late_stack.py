"""Late fusion by stacking: a logistic regression on the readers' opinions and on who gave one.

It is fitted to validation patients, whom the readers were not fitted to; so its loss on them is flattering. It sees who was asked,
which the class "late" does not: where the ordering tells something, it may pass that class's ceiling.

Source: Wolpert, Stacked generalization, Neural Networks 1992;5:241.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.nn import functional

from workup.agents.fusion.base import Rows, TaskSpec
from workup.agents.fusion.late import BuildLate, Late
from workup.agents.fusion.parts import of_question

_PENALTY = 1e-3


class LateStack(Late):
    """Prior, plus a linear map of the likelihood ratios and the mask."""

    weight: Tensor

    def __init__(self, task: TaskSpec, encoders: Mapping[str, nn.Module]) -> None:
        super().__init__(task, encoders)
        among = len(task.modalities)
        self.register_buffer("weight", torch.zeros(among * (task.classes + 1), task.classes))

    def combine(self, opinions: Tensor, present: Tensor, question: Tensor | None) -> Tensor:
        """(n, classes) logits."""
        return of_question(self.prior, question, len(opinions)) + self.said(opinions, present, question) @ self.weight

    def said(self, opinions: Tensor, present: Tensor, question: Tensor | None) -> Tensor:
        """(n, M * (classes + 1)): log likelihood ratios, zeros for the absent, and the mask."""
        ratios = (opinions - self.owns(question, len(opinions))) * present.unsqueeze(2)
        return torch.cat([ratios.flatten(1), present.float()], dim=1)

    def prepare(self, training: Rows, validation: Rows) -> None:
        """Fit the regression, whose optimum is the only one."""
        super().prepare(training, validation)
        rows = validation.take(validation.present.any(dim=1))
        with torch.no_grad():
            opinions = self.opinions(rows.inputs, rows.present, rows.order, rows.question)
            said, prior = self.said(opinions, rows.present, rows.question), self.prior
        weight = torch.zeros_like(self.weight, requires_grad=True)
        optimiser = torch.optim.LBFGS([weight], max_iter=100, line_search_fn="strong_wolfe")

        def loss() -> float:
            optimiser.zero_grad()
            logits = of_question(prior, rows.question, len(rows)) + said @ weight
            total = functional.cross_entropy(logits, rows.label) + _PENALTY * weight.square().sum()
            total.backward()
            return float(total.detach())

        optimiser.step(loss)
        self.weight.copy_(weight.detach())


FUSIONS = {"late_stack": BuildLate(LateStack)}
