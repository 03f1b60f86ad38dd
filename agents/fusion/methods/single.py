"""One modality alone: the one that did best on validation patients, or one that is named (`single:NAME`).

It says what the modality's values say: whether a patient has it tells it nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from workup.agents.fusion.base import Fusion, Inputs, Rows, TaskSpec, log_prevalence
from workup.agents.fusion.parts import Embedded, Head, budget, of_question, seeded, sized


class Single(Embedded):
    """Reads one modality; a patient without it gets the prevalence among all."""

    message = "single"
    prior: Tensor
    """(max(questions, 1), classes) log prevalence among all training patients."""
    own: Tensor
    """The same among those who have the modality: the prior that its opinion contains."""

    def __init__(self, task: TaskSpec, encoders: Mapping[str, nn.Module], name: str) -> None:
        super().__init__(task, encoders)
        self.column = task.modalities.index(name)
        self.encoders = nn.ModuleList([encoders[name]])
        self.head = sized(lambda hidden: Head(self.width, hidden, task), budget(task) // len(task.modalities))
        for each in ("prior", "own"):
            self.register_buffer(each, torch.zeros(max(task.questions, 1), task.classes))

    def forward(self, inputs: Inputs, present: Tensor, order: Tensor, question: Tensor | None = None) -> Tensor:
        """(n, classes) logits: the prevalence among all, times the likelihood ratio of what it read."""
        prior, own = (of_question(each, question, len(present)) for each in (self.prior, self.own))
        ratio = self.opinion(inputs, present, question).log_softmax(dim=1) - own
        return prior + ratio * present[:, self.column].unsqueeze(1)

    def losses(self, rows: Rows) -> Tensor:
        """(n,) cross-entropy of its opinion, which is of those who have the modality."""
        return functional.cross_entropy(
            self.opinion(rows.inputs, rows.present, rows.question), rows.label, reduction="none"
        )

    def opinion(self, inputs: Inputs, present: Tensor, question: Tensor | None) -> Tensor:
        """(n, classes) logits for a patient among those who have the modality; the prevalence among all for another."""
        held = present[:, self.column]
        logits = of_question(self.prior, question, len(present)).clone()
        if bool(held.any()):
            asked = None if question is None else question[held]
            block = inputs[self.task.modalities[self.column]][held]
            logits[held] = self.head(self.encoders[0](block), asked)
        return logits

    def usable(self, present: Tensor) -> Tensor:
        """(n,) bool: those who have the modality."""
        return present[:, self.column]

    def prepare(self, training: Rows, validation: Rows) -> None:
        """Count the prevalence among all, and among those who have the modality."""
        held = training.take(training.present[:, self.column])
        self.prior.copy_(log_prevalence(training.label, training.question, self.task))
        self.own.copy_(log_prevalence(held.label, held.question, self.task))


class BestSingle(Fusion):
    """A reader of each modality, and the one among them that is used."""

    modular, message = True, "single"
    best: Tensor

    def __init__(self, task: TaskSpec, encoders: Mapping[str, nn.Module]) -> None:
        super().__init__()
        self.task = task
        self.readers = nn.ModuleList(Single(task, encoders, name) for name in task.modalities)
        self.register_buffer("best", torch.zeros((), dtype=torch.int64))

    def members(self) -> Mapping[str, Fusion]:
        """A reader of each modality."""
        return readers_by_name(self.task, self.readers)

    def forward(self, inputs: Inputs, present: Tensor, order: Tensor, question: Tensor | None = None) -> Tensor:
        """(n, classes) logits."""
        return self.readers[int(self.best)](inputs, present, order, question)

    @torch.no_grad()
    def finish(self, training: Rows, validation: Rows) -> None:
        """Use the reader with the least log-loss over all validation patients."""
        losses = []
        for reader in self.members().values():
            said = reader(validation.inputs, validation.present, validation.order, validation.question)
            losses.append(functional.cross_entropy(said, validation.label))
        self.best.copy_(torch.stack(losses).argmin())


def readers_by_name(task: TaskSpec, readers: nn.ModuleList) -> dict[str, Single]:
    """Readers under the names by which `fit` shares them between methods."""
    return {f"single:{name}": cast(Single, each) for name, each in zip(task.modalities, readers, strict=True)}


def build(task: TaskSpec, encoders: Mapping[str, nn.Module], *, seed: int) -> BestSingle:
    """The fusion, untrained."""
    with seeded(seed, "fusion"):
        return BestSingle(task, encoders)


def build_named(task: TaskSpec, encoders: Mapping[str, nn.Module], *, seed: int, name: str) -> Single:
    """The reader of one modality, untrained."""
    with seeded(seed, "fusion"):
        return Single(task, encoders, name)


FUSIONS = {"single": build}
