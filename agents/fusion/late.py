"""What late methods share: a reader of each modality, trained alone, whose opinions are then combined."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from workup.agents.fusion.base import Fusion, Inputs, Rows, TaskSpec, log_prevalence
from workup.agents.fusion.methods.single import Single, readers_by_name
from workup.agents.fusion.parts import of_question, seeded


class Late(Fusion):
    """Subclasses write `combine`, and `prepare` where the combination is counted."""

    modular, message = True, "late"
    prior: Tensor
    """(max(questions, 1), classes) log prevalence among all training patients."""

    def __init__(self, task: TaskSpec, encoders: Mapping[str, nn.Module]) -> None:
        super().__init__()
        self.task = task
        self.readers = nn.ModuleList(Single(task, encoders, name) for name in task.modalities)
        self.register_buffer("prior", torch.zeros(max(task.questions, 1), task.classes))

    def members(self) -> Mapping[str, Single]:
        """A reader of each modality."""
        return readers_by_name(self.task, self.readers)

    def prepare(self, training: Rows, validation: Rows) -> None:
        """Count the prevalence."""
        self.prior.copy_(log_prevalence(training.label, training.question, self.task))

    def forward(self, inputs: Inputs, present: Tensor, order: Tensor, question: Tensor | None = None) -> Tensor:
        """(n, classes) logits."""
        return self.combine(self.opinions(inputs, present, order, question), present, question)

    def opinions(self, inputs: Inputs, present: Tensor, order: Tensor, question: Tensor | None) -> Tensor:
        """(n, M, classes) log-probabilities of each reader; of an absent modality they are the prevalence."""
        said = [reader.opinion(inputs, present, question).log_softmax(dim=1) for reader in self.members().values()]
        return torch.stack(said, dim=1)

    def owns(self, question: Tensor | None, rows: int) -> Tensor:
        """(n, M, classes) log prevalence among the patients that each reader was trained on."""
        return torch.stack([of_question(reader.own, question, rows) for reader in self.members().values()], dim=1)

    def combine(self, opinions: Tensor, present: Tensor, question: Tensor | None) -> Tensor:
        """(n, classes) logits from the opinions (n, M, classes) of those present (n, M)."""
        raise NotImplementedError(f"{type(self).__name__} has no combine")


class BuildLate:
    """`build` of a late method."""

    def __init__(self, kind: type[Late]) -> None:
        self.kind = kind

    def __call__(self, task: TaskSpec, encoders: Mapping[str, nn.Module], *, seed: int) -> Late:
        """The fusion, untrained."""
        with seeded(seed, "fusion"):
            return self.kind(task, encoders)
