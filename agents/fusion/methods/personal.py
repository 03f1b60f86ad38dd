"""Personal fusion: after every step, the next modality is the one worth most to this patient, or none.

What a modality is worth is learned backwards, by how many have been read: at each count a network regresses, on the state, what
the certainty of a patient gained by reading one more and going on as well as possible, in pounds. The state holds the history.

Source: fitted Q iteration over a finite horizon, Ernst et al., JMLR 2005;6:503; Murphy, JMLR 2005;6:1073.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.nn import functional

from workup.agents.fusion.base import FusionError, Rows, TaskSpec
from workup.agents.fusion.choosing import Choosing
from workup.agents.fusion.methods.sequential import STATE
from workup.agents.fusion.parts import seeded

_HIDDEN, _RATE, _BATCH, _STEPS = 48, 3e-3, 512, 1500
_WALKS = 4
"""Random orders in which each training patient is walked through."""


class Personal(Choosing):
    """Goes on while the best expected gain exceeds its price."""

    def __init__(self, task: TaskSpec, encoders: Mapping[str, nn.Module], *, balanced: bool) -> None:
        super().__init__(task, encoders, balanced=balanced)
        if self.priced and task.right_gbp <= 0:
            raise FusionError(
                f"task {task.name} has prices and right_gbp {task.right_gbp}; expected what a right answer is worth"
            )
        among = len(task.modalities)
        self.gains = nn.ModuleList(
            nn.Sequential(nn.Linear(STATE + among + task.classes, _HIDDEN), nn.GELU(), nn.Linear(_HIDDEN, among))
            for _ in self.priced
        ).requires_grad_(False)  # learned in `finish`, not from labels

    def next_priced(self, state: Tensor, taken: Tensor, left: Tensor, question: Tensor | None) -> Tensor:
        """(n,) int64: the modality with the greatest net gain, or -1 where none is positive."""
        net, best = self.net_gains(state, taken, left, question).max(dim=1)
        return torch.where(net > 0, best, -1)

    def net_gains(self, state: Tensor, taken: Tensor, left: Tensor, question: Tensor | None) -> Tensor:
        """(n, M) pounds over stopping now, price taken off; minus infinity for what is not left, or free."""
        known = self.known(state, taken, question)
        count = taken[:, self.priced].sum(dim=1)
        gains = torch.full(taken.shape, -torch.inf, device=state.device)
        for read, network in enumerate(self.gains):
            rows = count == read
            if bool(rows.any()):
                gains[rows] = network(known[rows]) * self.task.right_gbp - self.prices
        allowed = left.clone()
        allowed[:, self.free] = False
        return gains.masked_fill(~allowed, -torch.inf)

    def known(self, state: Tensor, taken: Tensor, question: Tensor | None) -> Tensor:
        """(n, STATE + M + classes): what the networks of gains read."""
        decoded = self.said(state, question).softmax(dim=1)
        return torch.cat([self.sequential.norm(state), taken.float(), decoded], dim=1)

    @torch.no_grad()
    def finish(self, training: Rows, validation: Rows) -> None:
        """Learn the gains, from those of the last modality to those of the first."""
        walks = [self.walk(training) for _ in range(_WALKS)] if self.priced else []
        for read in reversed(range(len(self.priced))):
            steps = [walk[read] for walk in walks]
            question = None if training.question is None else training.question.repeat(_WALKS)
            before, after, taken, column = (torch.cat(each) for each in zip(*steps, strict=True))
            gain = self.value(after, taken, column, question) - self.certainty(before, question) * self.task.right_gbp
            rows = column >= 0
            known = self.known(before, taken, question)
            self.regress(self.gains[read], known[rows], column[rows], (gain / self.task.right_gbp)[rows])

    def walk(self, rows: Rows) -> list[tuple[Tensor, Tensor, Tensor, Tensor]]:
        """States before and after each step of a random order of a patient's own: (n, STATE) twice, (n, M) taken, (n,) which, -1 for none."""
        embedded = self.sequential.embed(rows.inputs, rows.present)
        state = self.state_of_free(embedded, rows.present, rows.question)
        held = rows.present[:, self.priced]
        order = (torch.rand(held.shape, device=held.device) + ~held).argsort(dim=1)
        columns = torch.tensor(self.priced, device=held.device)
        taken = rows.present.clone()
        taken[:, self.priced] = False
        steps = []
        for step in range(len(self.priced)):
            chosen = torch.where(held.gather(1, order[:, step : step + 1])[:, 0], columns[order[:, step]], -1)
            after = self.sequential.step(state, embedded, rows.present, chosen)
            steps.append((state, after, taken, chosen))
            taken = taken | (chosen.unsqueeze(1) == torch.arange(taken.shape[1], device=taken.device))
            state = after
        return steps

    def value(self, state: Tensor, taken: Tensor, column: Tensor, question: Tensor | None) -> Tensor:
        """(n,) pounds expected after reading `column`: stopping, or the best that is left on the menu."""
        taken = taken | (column.unsqueeze(1) == torch.arange(taken.shape[1], device=taken.device))
        net = self.net_gains(state, taken, ~taken, question).amax(dim=1)
        return self.certainty(state, question) * self.task.right_gbp + net.clamp(min=0)

    @torch.enable_grad()
    def regress(self, network: nn.Module, known: Tensor, column: Tensor, gain: Tensor) -> None:
        """Least squares of the gain of the modality that was read."""
        network.requires_grad_(True)
        optimiser = torch.optim.AdamW(network.parameters(), _RATE, weight_decay=1e-3)
        schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, _STEPS)
        known, gain = known.detach(), gain.detach()
        for _ in range(_STEPS):
            batch = torch.randint(len(known), (min(_BATCH, len(known)),), device=known.device)
            said = network(known[batch]).gather(1, column[batch].unsqueeze(1))[:, 0]
            optimiser.zero_grad()
            functional.mse_loss(said, gain[batch]).backward()
            optimiser.step()
            schedule.step()
        network.requires_grad_(False)


def build(task: TaskSpec, encoders: Mapping[str, nn.Module], *, seed: int, balanced: bool = False) -> Personal:
    """The fusion, untrained."""
    with seeded(seed, "fusion"):
        return Personal(task, encoders, balanced=balanced)


FUSIONS = {"personal": build}
