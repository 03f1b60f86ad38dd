"""What methods share that choose, step by step, which modality to read next and when to stop: the state is that of `sequential`."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from workup.agents.fusion.base import Fusion, Inputs, TaskSpec
from workup.agents.fusion.methods.sequential import Sequential


class Stepwise(Fusion):
    """Subclasses write `next_priced`, and `finish`, where they learn it.

    What costs nothing is read first, in the order of the task; so where nothing costs anything, all is read and the prediction is
    that of `sequential`.
    """

    modular = True

    def __init__(self, task: TaskSpec, encoders: Mapping[str, nn.Module], *, balanced: bool) -> None:
        super().__init__()
        self.task, self.sequential = task, Sequential(task, encoders, balanced=balanced)
        self.balanced, self.message = balanced, self.sequential.message
        prices = task.prices()
        self.register_buffer("prices", torch.tensor(prices))
        self.free = [column for column, price in enumerate(prices) if price <= 0]
        self.priced = [column for column, price in enumerate(prices) if price > 0]

    prices: Tensor
    """(M,) pounds."""

    def members(self) -> Mapping[str, Fusion]:
        """The network that keeps the state."""
        return {"sequential_balanced" if self.balanced else "sequential": self.sequential}

    def forward(self, inputs: Inputs, present: Tensor, order: Tensor, question: Tensor | None = None) -> Tensor:
        """(n, classes) logits where it would stop, reading of the present modalities what it chooses."""
        embedded = self.sequential.embed(inputs, present)
        state = self.sequential.start(question, len(present))
        taken = torch.zeros_like(present)
        for _ in self.task.modalities:
            chosen = self.next_of(state, taken, present, question)
            state = self.sequential.step(state, embedded, present, chosen)
            taken = taken | (chosen.unsqueeze(1) == torch.arange(taken.shape[1], device=taken.device))
        return self.sequential.decode(state, question)

    def choose(
        self, inputs: Inputs, present: Tensor, order: Tensor, question: Tensor | None, available: Tensor
    ) -> Tensor:
        """(n,) int64: the modality to get next, of those `available` (n, M) and not yet `present` (n, M); -1 to stop."""
        embedded, state = self.sequential.embed(inputs, present), self.sequential.start(question, len(present))
        for step in range(order.shape[1]):
            state = self.sequential.step(state, embedded, present, order[:, step])
        return self.next_of(state, present, available, question)

    def next_of(self, state: Tensor, taken: Tensor, available: Tensor, question: Tensor | None) -> Tensor:
        """(n,) int64: what is free and left first, then what `next_priced` says."""
        left = available & ~taken
        chosen = self.next_priced(state, taken, left, question) if self.priced else torch.full((len(left),), -1)
        chosen = chosen.to(left.device)
        for column in reversed(self.free):
            chosen = torch.where(left[:, column], column, chosen)
        return chosen

    def next_priced(self, state: Tensor, taken: Tensor, left: Tensor, question: Tensor | None) -> Tensor:
        """(n,) int64: the priced modality to get next, of those `left` (n, M), or -1 to stop."""
        raise NotImplementedError(f"{type(self).__name__} has no next_priced")

    def certainty(self, state: Tensor, question: Tensor | None) -> Tensor:
        """(n,) probability of the most probable class."""
        return self.sequential.decode(state, question).softmax(dim=1).amax(dim=1)

    def state_of_free(self, embedded: Tensor, present: Tensor, question: Tensor | None) -> Tensor:
        """(n, STATE) once all that is free and present has been read."""
        state = self.sequential.start(question, len(present))
        for column in self.free:
            which = torch.full((len(present),), column, device=state.device)
            state = self.sequential.step(state, embedded, present, which)
        return state
