"""What a fusion of modalities is: the shapes of a task, the module that fuses, and the errors it can meet."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

import torch
from torch import Tensor, nn
from torch.nn import functional

from workup.errors import WorkupError

Inputs: TypeAlias = Mapping[str, Tensor]
"""Modality -> block (n, ...), of the shape that the task's spec says; what stands in the rows of absent patients is never read."""
Build: TypeAlias = Callable[..., "Fusion"]
"""`build(task: TaskSpec, encoders: Mapping[str, nn.Module], *, seed: int) -> Fusion`."""

MESSAGES = ("single", "report", "mean", "late", "values_only", "with_mask", "bottleneck")
"""What may pass from the modalities to the decision: the class whose ceiling a method is held against."""


class FusionError(WorkupError):
    """A fusion that cannot be built, trained or asked; the message says with what, and how to mend it."""


class MissingModalityError(FusionError):
    """A patient lacks a modality, and the method needs every one (`modular` is False)."""

    def __init__(self, modality: str, patient: int, method: str) -> None:
        self.modality, self.patient = modality, patient
        super().__init__(
            f"patient {patient} has no {modality!r}, and {method} needs every modality; leave such patients out, "
            "impute the block, or use a method whose `modular` is True"
        )


class UnseenPatternError(FusionError):
    """A patient's set of modalities was not met in training, and the method refuses such (`unseen` is "refused")."""

    def __init__(self, pattern: tuple[str, ...], patient: int, method: str) -> None:
        self.pattern, self.patient = pattern, patient
        super().__init__(
            f"patient {patient} has {' and '.join(pattern)} alone, which no patient had in training, and {method} refuses such; "
            "train on patients of that pattern, or use a method whose `unseen` is 'predicted'"
        )


class NotFiniteError(FusionError):
    """NaN or infinity in an input, a loss or a logit."""

    def __init__(self, what: str, *, task: str, method: str, epoch: int | None, patient: int) -> None:
        self.what, self.task, self.method, self.epoch, self.patient = what, task, method, epoch, patient
        when = "outside training" if epoch is None else f"in epoch {epoch}"
        super().__init__(
            f"{task}, {method}, {when}: {what} of patient {patient} is not finite; look at that patient's blocks, or lower the rate"
        )


class ConformanceError(FusionError):
    """A fusion that breaks what every fusion keeps to; raised by `workup.agents.fusion.conformance`."""


@dataclass(frozen=True)
class TaskSpec:
    """The shapes of a task, and what things cost; nothing of its law.

    Raises:
        FusionError: no modality, a name twice, a shape or price of none of them, fewer than two classes.
    """

    name: str
    modalities: tuple[str, ...]
    shapes: Mapping[str, tuple[int, ...]]
    """Of each modality's block, without the patients."""
    classes: int
    questions: int = 0
    """0: nothing is asked; otherwise `question` is int64 in [0, questions)."""
    costs_gbp: Mapping[str, float] = field(default_factory=dict)
    """Price of each modality with its expected harm, in pounds; one that is not named is free."""
    right_gbp: float = 0.0
    """Worth of a right answer, in pounds."""

    def __post_init__(self) -> None:
        names, faults = self.modalities, []
        if not names or len(set(names)) != len(names):
            faults.append(f"modalities are {names}; expected one or more different names")
        if set(self.shapes) != set(names):
            faults.append(f"shapes are of {sorted(self.shapes)}; expected one for each of {sorted(names)}")
        if not set(self.costs_gbp) <= set(names):
            faults.append(f"costs_gbp are of {sorted(self.costs_gbp)}; expected names among {sorted(names)}")
        if self.classes < 2 or self.questions < 0:
            faults.append(f"classes is {self.classes}, questions {self.questions}; expected at least 2, and at least 0")
        if faults:
            raise FusionError(f"task {self.name}: " + "; ".join(faults))

    def prices(self) -> tuple[float, ...]:
        """Price of every modality in their order, in pounds."""
        return tuple(float(self.costs_gbp.get(name, 0.0)) for name in self.modalities)


@dataclass(frozen=True)
class Rows:
    """Patients as tensors: what a fusion is trained on, or asked about. n patients, M modalities."""

    inputs: Inputs
    present: Tensor
    """(n, M) bool."""
    order: Tensor
    """(n, M) int64: indices of the present modalities as they came, -1 after the last."""
    question: Tensor | None
    """(n,) int64, or None where the task asks nothing."""
    label: Tensor
    """(n,) int64 in [0, classes)."""
    patient: Tensor
    """(n,) int64: the row of each in the arrays that were given, by which messages name it."""

    def __len__(self) -> int:
        return len(self.label)

    def take(self, rows: Tensor) -> Rows:
        """Some of them, by index or by mask."""
        question = None if self.question is None else self.question[rows]
        inputs = {name: block[rows] for name, block in self.inputs.items()}
        return Rows(inputs, self.present[rows], self.order[rows], question, self.label[rows], self.patient[rows])


class Fusion(nn.Module):
    """Predicts from whichever modalities are there. Subclasses write `forward`; the rest is for those that need it.

    Attributes:
        modular: absent modalities are accepted. Where False, `fit` and `logits` raise MissingModalityError for them.
        sees_mask: False: it is given an all-true `present` and blocks imputed by the training mean.
        message: the class of `MESSAGES` whose ceiling it is held against.
        balanced: it is trained with weights P(label) / P(label | pattern).
        unseen: "predicted", or "refused": a pattern not met in training raises UnseenPatternError.
    """

    modular: bool = False
    sees_mask: bool = True
    message: str = "with_mask"
    balanced: bool = False
    unseen: Literal["predicted", "refused"] = "predicted"

    def forward(self, inputs: Inputs, present: Tensor, order: Tensor, question: Tensor | None = None) -> Tensor:
        """Logits.

        Args:
            inputs: modality -> (n, ...); the rows of absent patients hold zeros.
            present: (n, M) bool.
            order: (n, M) int64, -1 after the last.
            question: (n,) int64, or None.

        Returns:
            (n, classes) float; nothing in a row depends on the other rows.
        """
        raise NotImplementedError(f"{type(self).__name__} has no forward")

    def members(self) -> Mapping[str, Fusion]:
        """Fusions that are trained before this one, each by itself on the rows that `usable` names, and then left as they are."""
        return {}

    def usable(self, present: Tensor) -> Tensor:
        """(n,) bool: the patients it can be trained on, given `present` (n, M)."""
        return present.any(dim=1)

    def prepare(self, training: Rows, validation: Rows) -> None:
        """Whatever is counted and not learned by gradient, once the members are trained: prevalences, tables, components."""

    def losses(self, rows: Rows) -> Tensor:
        """(n,) loss of each patient in training: cross-entropy in nats, unless a method says otherwise."""
        logits = self(rows.inputs, rows.present, rows.order, rows.question)
        return functional.cross_entropy(logits, rows.label, reduction="none")

    def finish(self, training: Rows, validation: Rows) -> None:
        """What is chosen last, with the trained network: an order, a threshold, values of a next step."""


def log_prevalence(label: Tensor, question: Tensor | None, spec: TaskSpec) -> Tensor:
    """(max(questions, 1), classes): log of the share of each class by question, half a patient added to each class."""
    asked = torch.zeros_like(label) if question is None else question
    cells = torch.zeros(max(spec.questions, 1), spec.classes, dtype=torch.float64)
    cells.index_put_((asked.cpu(), label.cpu()), torch.ones(len(label), dtype=torch.float64), accumulate=True)
    return ((cells + 0.5) / (cells + 0.5).sum(dim=1, keepdim=True)).log().float()
