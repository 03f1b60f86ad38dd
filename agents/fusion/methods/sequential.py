"""Sequential fusion: a state that each modality updates as it arrives, and a decision that can be read off after every step.

state + MLP(state, embedding, (P state) * (Q embedding)): the product is what lets the state learn that two findings mean something
only together; a plain GRU did not. The state is normalised on its way in. Trained on random orders, so that the order of arrival does not matter afterwards.

Source: the state and its decoding at every step are of Swamy et al., MultiModN, NeurIPS 2023.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

import torch
from torch import Tensor, nn
from torch.nn import functional

from workup.agents.fusion.base import Inputs, Rows, TaskSpec
from workup.agents.fusion.parts import Embedded, Head, budget, counted, of_question, seeded, sized

STATE, PRODUCTS, _HIDDEN = 24, 16, 32
_EARLIER = 0.1
"""Weight of the loss after each step but the last."""


class Update(nn.Module):
    """What a modality adds to the state."""

    def __init__(self, width: int, hidden: int) -> None:
        super().__init__()
        self.of_state, self.of_embedding = nn.Linear(STATE, PRODUCTS), nn.Linear(width, PRODUCTS)
        self.enter, self.leave = nn.Linear(STATE + width + PRODUCTS, hidden), nn.Linear(hidden, STATE)

    def forward(self, state: Tensor, embedded: Tensor) -> Tensor:
        """(n, STATE) and (n, width) -> (n, STATE)."""
        known = functional.layer_norm(state, (STATE,))
        products = self.of_state(known) * self.of_embedding(embedded)
        hidden = functional.relu(self.enter(torch.cat([known, embedded, products], dim=1)))
        return state + self.leave(hidden)


class Sequential(Embedded):
    """A state a patient, updated in the patient's own order."""

    def __init__(self, task: TaskSpec, encoders: Mapping[str, nn.Module], *, balanced: bool) -> None:
        super().__init__(task, encoders)
        self.balanced, self.message = balanced, "values_only" if balanced else "with_mask"
        self.initial = nn.Parameter(0.1 * torch.randn(max(task.questions, 1), STATE))
        self.norm, self.head = nn.LayerNorm(STATE), Head(STATE, _HIDDEN, task)
        left = budget(task) - self.initial.numel() - counted(self.norm) - counted(self.head)
        self.updates = sized(lambda hidden: nn.ModuleList(Update(self.width, hidden) for _ in task.modalities), left)

    def forward(self, inputs: Inputs, present: Tensor, order: Tensor, question: Tensor | None = None) -> Tensor:
        """(n, classes) logits after the last step."""
        embedded, state = self.embed(inputs, present), self.start(question, len(present))
        for step in range(order.shape[1]):
            state = self.step(state, embedded, present, order[:, step])
        return self.decode(state, question)

    def start(self, question: Tensor | None, rows: int) -> Tensor:
        """(rows, STATE): what is known before anything came."""
        return of_question(self.initial, question, rows)

    def step(self, state: Tensor, embedded: Tensor, present: Tensor, which: Tensor) -> Tensor:
        """(n, STATE) after the modality `which` (n,) of each patient, -1 for none, came."""
        after = state.clone()
        for column, update in enumerate(self.updates):
            rows = (which == column) & present[:, column]
            if bool(rows.any()):
                after[rows] = update(state[rows], embedded[rows, column])
        return after

    def decode(self, state: Tensor, question: Tensor | None) -> Tensor:
        """(n, classes) logits of a state."""
        return self.head(self.norm(state), question)

    def losses(self, rows: Rows) -> Tensor:
        """In training, cross-entropy after the last of a random order, plus a tenth of it after each earlier step."""
        if not self.training:
            return super().losses(rows)
        embedded, state = self.embed(rows.inputs, rows.present), self.start(rows.question, len(rows))
        order = torch.randperm(rows.present.shape[1]).tolist()
        left, total = rows.present.sum(dim=1), torch.zeros(len(rows), device=state.device)
        for column in order:
            held = rows.present[:, column]
            left = left - held.long()
            state = torch.where(held.unsqueeze(1), self.updates[column](state, embedded[:, column]), state)
            loss = functional.cross_entropy(self.decode(state, rows.question), rows.label, reduction="none")
            total = total + loss * held * torch.where(left == 0, 1.0, _EARLIER)
        return total


def build(task: TaskSpec, encoders: Mapping[str, nn.Module], *, seed: int, balanced: bool = False) -> Sequential:
    """The fusion, untrained."""
    with seeded(seed, "fusion"):
        return Sequential(task, encoders, balanced=balanced)


FUSIONS = {"sequential": build, "sequential_balanced": partial(build, balanced=True)}
