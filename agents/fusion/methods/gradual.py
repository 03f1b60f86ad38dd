"""Gradual fusion: modalities one after another, in one order and with one threshold of certainty for everybody.

The order is the best of all, and the threshold the best of a grid, by the benefit to validation patients: worth of right answers
minus prices.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import permutations

import torch
from torch import Tensor, nn

from workup.agents.fusion.base import FusionError, Rows, TaskSpec
from workup.agents.fusion.choosing import Choosing
from workup.agents.fusion.parts import seeded

_MOST_PRICED = 6
_THRESHOLDS = 101


class Gradual(Choosing):
    """Stops when it is certain enough, or nothing is left."""

    threshold: Tensor
    """() probability of the most probable class from which on it stops."""
    ranks: Tensor
    """(priced,) int64: the modalities that cost something, first one first."""

    def __init__(self, task: TaskSpec, encoders: Mapping[str, nn.Module], *, balanced: bool) -> None:
        super().__init__(task, encoders, balanced=balanced)
        if len(self.priced) > _MOST_PRICED:
            raise FusionError(
                f"gradual tries all orders of {len(self.priced)} priced modalities; expected at most {_MOST_PRICED}"
            )
        self.register_buffer("threshold", torch.tensor(2.0))
        self.register_buffer("ranks", torch.tensor(self.priced, dtype=torch.int64))

    def next_priced(self, state: Tensor, taken: Tensor, left: Tensor, question: Tensor | None) -> Tensor:
        """(n,) int64: the first of its order that is left, or -1 where it is certain enough."""
        chosen = torch.full((len(left),), -1, device=left.device)
        for column in self.ranks.flip(0):
            chosen = torch.where(left[:, column], column, chosen)
        return torch.where(self.certainty(state, question) >= self.threshold, -1, chosen)

    @torch.no_grad()
    def finish(self, training: Rows, validation: Rows) -> None:
        """Try every order with every threshold on the validation patients."""
        if not self.priced:
            return
        least = 1 / self.task.classes
        grid = torch.cat([torch.linspace(least, 1, _THRESHOLDS), torch.tensor([2.0])]).to(self.prices.device)
        best = -torch.inf
        for order in permutations(self.priced):
            benefits = self.benefits(validation, order, grid)
            if float(benefits.max()) > best:
                best = float(benefits.max())
                self.threshold.copy_(grid[benefits.argmax()])
                self.ranks.copy_(torch.tensor(order))

    def benefits(self, rows: Rows, order: tuple[int, ...], grid: Tensor) -> Tensor:
        """(thresholds,) mean pounds to the patients, of one order with each threshold."""
        embedded = self.sequential.embed(rows.inputs, rows.present)
        state = self.state_of_free(embedded, rows.present, rows.question)
        spent = torch.zeros(len(rows), device=state.device)
        worth = torch.zeros(len(grid), len(rows), device=state.device)
        going = torch.ones(len(grid), len(rows), dtype=torch.bool, device=state.device)
        for column in (*order, None):
            probability, answer = self.said(state, rows.question).softmax(dim=1).max(dim=1)
            stops = going & ((probability >= grid.unsqueeze(1)) | (column is None))
            worth = torch.where(stops, self.task.right_gbp * (answer == rows.label) - spent, worth)
            going = going & ~stops
            if column is not None:
                which = torch.full((len(rows),), column, device=state.device)
                state = self.sequential.step(state, embedded, rows.present, which)
                spent = spent + self.prices[column] * rows.present[:, column]
        return worth.mean(dim=1)


def build(task: TaskSpec, encoders: Mapping[str, nn.Module], *, seed: int, balanced: bool = False) -> Gradual:
    """The fusion, untrained."""
    with seeded(seed, "fusion"):
        return Gradual(task, encoders, balanced=balanced)


FUSIONS = {"gradual": build}
