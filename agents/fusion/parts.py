"""What methods are made of: embedded modalities, a head that knows the question, and one budget of parameters for all."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TypeVar

import torch
from torch import Tensor, nn
from torch.nn import functional

from workup.agents.fusion.base import Fusion, Inputs, TaskSpec
from workup.agents.fusion.encoders import width_of

PARAMETERS_PER_MODALITY = 3500
"""What a method may spend on fusing, encoders left out, for each modality of the task."""

_Module = TypeVar("_Module", bound=nn.Module)


@contextmanager
def seeded(seed: int, stream: str) -> Iterator[None]:
    """Within it torch draws by (seed, stream); outside, what it draws is not touched."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(zlib.crc32(f"{stream} {seed}".encode()))  # of a longer number only 32 bits would count
        yield


def budget(task: TaskSpec) -> int:
    """Parameters of the fusion part."""
    return PARAMETERS_PER_MODALITY * len(task.modalities)


def sized(make: Callable[[int], _Module], parameters: int) -> _Module:
    """The module with the most hidden units that keeps to a number of parameters; one hidden unit where none does."""
    few, many = 1, 8192
    while few + 1 < many:
        middle = (few + many) // 2
        with torch.device("meta"):
            fits = counted(make(middle)) <= parameters
        few, many = (middle, many) if fits else (few, middle)
    return make(few)


def counted(module: nn.Module) -> int:
    """Its parameters."""
    return sum(each.numel() for each in module.parameters())


def fusing(fusion: nn.Module, encoders: Mapping[str, nn.Module]) -> int:
    """Its parameters without those of the encoders that it uses."""
    inside = {id(each) for each in fusion.modules()}
    return counted(fusion) - sum(counted(each) for each in encoders.values() if id(each) in inside)


class Head(nn.Module):
    """From features to logits: one hidden layer, each unit of which the question scales and shifts."""

    def __init__(self, features: int, hidden: int, task: TaskSpec) -> None:
        super().__init__()
        self.enter, self.leave = nn.Linear(features, hidden), nn.Linear(hidden, task.classes)
        self.asked = nn.Embedding(task.questions, 2 * hidden) if task.questions else None

    def forward(self, features: Tensor, question: Tensor | None) -> Tensor:
        """(n, features) -> (n, classes)."""
        hidden = self.enter(features)
        if self.asked is not None:
            scale, shift = self.asked(question).chunk(2, dim=1)
            hidden = hidden * (1 + scale) + shift
        return self.leave(functional.gelu(hidden))


class Embedded(Fusion):
    """A fusion that reads each modality by its encoder."""

    modular = True

    def __init__(self, task: TaskSpec, encoders: Mapping[str, nn.Module]) -> None:
        super().__init__()
        self.task, self.width = task, width_of(encoders)
        self.encoders = nn.ModuleList(encoders[name] for name in task.modalities)

    def embed(self, inputs: Inputs, present: Tensor) -> Tensor:
        """(n, M, width) float: what each modality's encoder says, zeros where the patient has none."""
        columns = []
        for column, name in enumerate(self.task.modalities):
            held, block, encoder = present[:, column], inputs[name], self.encoders[column]
            if bool(held.all()):
                columns.append(encoder(block))
                continue
            embedded = torch.zeros(len(block), self.width, device=block.device)
            if bool(held.any()):
                embedded[held] = encoder(block[held])
            columns.append(embedded)
        return torch.stack(columns, dim=1)


def of_question(table: Tensor, question: Tensor | None, rows: int) -> Tensor:
    """(rows, ...) rows of a table (max(questions, 1), ...), by question; the first where nothing is asked."""
    return table[0].expand(rows, *table.shape[1:]) if question is None else table[question]
