"""The one way in which everything here is trained: AdamW under a cosine, and the epoch that was best on validation patients."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from workup.agents.fusion.balance import Balance
from workup.agents.fusion.base import Fusion, FusionError, Rows, TaskSpec
from workup.agents.fusion.parts import seeded
from workup.agents.fusion.rows import as_seen, check_finite

_PARTS = 4096
"""Rows that are judged at a time."""
_WARMING = 0.05
"""Share of the steps in which the rate rises to its height."""


@dataclass(frozen=True)
class Settings:
    """How long and how fast; the same for every method."""

    rate: float = 3e-3
    weight_decay: float = 1e-3
    batch: int = 128
    steps: int = 3000
    """Steps that are wanted, within the bounds of epochs."""
    least_epochs: int = 12
    most_epochs: int = 60
    patience: int = 12
    """Epochs without a better one on validation patients, after which it stops."""
    validation_share: float = 0.2

    def epochs(self, patients: int) -> int:
        """Epochs that give the wanted steps, within their bounds."""
        wanted = round(self.steps * self.batch / patients)
        return max(self.least_epochs, min(self.most_epochs, wanted))

    def most_steps(self, patients: int) -> int:
        """Steps of a training that is not stopped early."""
        return self.epochs(patients) * math.ceil(patients / self.batch)


PIXELS = Settings(rate=1e-3, batch=64, least_epochs=8, most_epochs=20, patience=6)
"""For blocks that are read end to end."""


@dataclass
class Member:
    """What the training of one fusion found."""

    state: dict[str, Tensor]
    cpu_s: float
    epochs: int


@dataclass(frozen=True)
class Trainer:
    """Trains a fusion and its members."""

    spec: TaskSpec
    method: str
    settings: Settings
    seed: int
    shared: dict[str, Member]
    """Trained members by name."""
    fill: Mapping[str, Tensor]
    """Blocks that stand for absent ones, where a fusion does not see the mask."""

    def whole(self, fusion: Fusion, training: Rows, validation: Rows) -> tuple[float, int]:
        """Members first, then the fusion: CPU seconds and epochs of all."""
        cpu_s, epochs = 0.0, 0
        for name, member in fusion.members().items():
            used, ran = self.once(name, member, training, validation)
            member.requires_grad_(False)
            cpu_s, epochs = cpu_s + used, epochs + ran
        started = time.process_time()
        weights = [weights_of(fusion, training, rows, self.spec) for rows in (training, validation)]
        training, validation = (self.seen(fusion, rows) for rows in (training, validation))
        with seeded(self.seed, "training"):
            fusion.prepare(training, validation)
            epochs += self.by_gradient(fusion, training, validation, weights)
            fusion.eval().finish(training, validation)
        return cpu_s + time.process_time() - started, epochs

    def once(self, name: str, fusion: Fusion, training: Rows, validation: Rows) -> tuple[float, int]:
        """As `whole`, but trained only if nothing of this name was: a member of one method may be a method itself."""
        if name not in self.shared:
            used, ran = self.whole(fusion, training, validation)
            self.shared[name] = Member(_copied(fusion), used, ran)
        fusion.load_state_dict(self.shared[name].state)
        fusion.eval()
        return self.shared[name].cpu_s, self.shared[name].epochs

    def seen(self, fusion: Fusion, rows: Rows) -> Rows:
        """The rows as the fusion may see them."""
        return as_seen(fusion, rows, self.fill, self.spec, self.method)

    def by_gradient(self, fusion: Fusion, training: Rows, validation: Rows, weights: Sequence[Tensor]) -> int:
        """Train what is not frozen, and leave the epoch that was best. Returns the epochs that ran.

        Args:
            fusion: what is trained.
            training: as the fusion sees them.
            validation: likewise.
            weights: of both, by what their records hold, which the fusion need not see.

        Raises:
            FusionError: nobody in training, or nobody in validation, is usable.
            NotFiniteError: a loss that is not finite.
        """
        learned = [each for each in fusion.parameters() if each.requires_grad]
        if not learned:
            return 0
        training, weight = self.usable(fusion, training, weights[0], "training")
        validation, judging = self.usable(fusion, validation, weights[1], "validation")
        epochs = self.settings.epochs(len(training))
        optimiser = torch.optim.AdamW(learned, self.settings.rate, weight_decay=self.settings.weight_decay, fused=True)
        schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, _cosine(self.settings.most_steps(len(training))))
        best, kept, since = math.inf, _copied(fusion), 0
        for epoch in range(1, epochs + 1):
            fusion.train()
            for batch in torch.randperm(len(training)).to(weight.device).split(self.settings.batch):
                self.step(fusion, training.take(batch), weight[batch], optimiser, epoch)
                schedule.step()
            loss = self.judged(fusion, validation, judging, epoch)
            since += 1
            if loss < best:
                best, kept, since = loss, _copied(fusion), 0
            if since >= self.settings.patience:
                break
        fusion.load_state_dict(kept)
        return epoch

    def step(self, fusion: Fusion, rows: Rows, weight: Tensor, optimiser: torch.optim.Optimizer, epoch: int) -> None:
        """One step down the weighted mean loss of a batch."""
        losses = fusion.losses(rows)
        check_finite(losses, "the loss", rows, task=self.spec.name, method=self.method, epoch=epoch)
        optimiser.zero_grad()
        (losses * weight).mean().backward()
        optimiser.step()

    @torch.no_grad()
    def judged(self, fusion: Fusion, rows: Rows, weight: Tensor, epoch: int) -> float:
        """Weighted mean loss on validation patients."""
        fusion.eval()
        total = 0.0
        for part in torch.arange(len(rows), device=weight.device).split(_PARTS):
            losses = fusion.losses(rows.take(part))
            check_finite(losses, "the loss", rows.take(part), task=self.spec.name, method=self.method, epoch=epoch)
            total += float((losses * weight[part]).sum())
        return total / float(weight.sum())

    def usable(self, fusion: Fusion, rows: Rows, weight: Tensor, where: str) -> tuple[Rows, Tensor]:
        """Those whom the fusion can be trained on, with their weights."""
        found = fusion.usable(rows.present).nonzero()[:, 0]
        if not len(found):
            raise FusionError(
                f"{self.spec.name}, {self.method}: nobody in {where} has what it reads; give it more patients"
            )
        return rows.take(found), weight[found]


def weights_of(fusion: Fusion, training: Rows, rows: Rows, spec: TaskSpec) -> Tensor:
    """(n,) weight of each row: 1, or where the fusion is balanced P(label) / P(label | pattern) of training patients."""
    if not fusion.balanced:
        return torch.ones(len(rows), device=rows.label.device)
    return Balance(training.present, training.label, spec.classes).of(rows.present, rows.label)


def _cosine(steps: int) -> Callable[[int], float]:
    warming = max(1, round(_WARMING * steps))
    return lambda step: min((step + 1) / warming, 0.5 + 0.5 * math.cos(math.pi * min(1.0, step / steps)))


def _copied(module: nn.Module) -> dict[str, Tensor]:
    return {name: value.detach().clone() for name, value in module.state_dict().items()}
