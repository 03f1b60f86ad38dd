"""Encoders: the same for every method, one a kind of block, each to a vector of `WIDTH`."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from torch import Tensor, nn

from workup.agents.fusion.base import FusionError, Inputs, TaskSpec
from workup.errors import suggestion

WIDTH = 16
"""Features that an encoder gives."""
_WAVEFORM_LEADS = 12
"""A block of two axes is a waveform where its first is no longer than this, and a picture otherwise."""
_VOCABULARY = 1024


class Vector(nn.Module):
    """Findings or embeddings (k,): 48 hidden units. bytes are read as shares of 255."""

    def __init__(self, shape: tuple[int, ...]) -> None:
        super().__init__()
        self.width = WIDTH
        self.net = nn.Sequential(nn.Linear(shape[0], 48), nn.ReLU(), nn.Linear(48, WIDTH), nn.ReLU())

    def forward(self, block: Tensor) -> Tensor:
        """(n, k) -> (n, WIDTH)."""
        return self.net(_as_float(block))


class Image(nn.Module):
    """Pictures (height, width), (height, width, 1 or 3) or (1 or 3, height, width), at least 8 pixels a side.

    GroupNorm inside, LayerNorm and GELU at the end: without them the reader of a film died in training.
    """

    def __init__(self, shape: tuple[int, ...]) -> None:
        super().__init__()
        self.width, self.last = WIDTH, len(shape) == 3 and shape[2] in (1, 3)
        channels = 1 if len(shape) == 2 else shape[2] if self.last else shape[0]
        height, across = shape[:2] if len(shape) == 2 or self.last else shape[1:]
        if min(height, across) < 8:
            raise FusionError(f"a picture of {height} by {across} pixels; expected at least 8 a side")
        pooled = (height // 2 // 2 // 2) * (across // 2 // 2 // 2)
        self.net = nn.Sequential(
            *_convolved(nn.Conv2d(channels, 8, 5, padding=2), nn.GroupNorm(2, 8), nn.MaxPool2d(2)),
            *_convolved(nn.Conv2d(8, 16, 3, padding=1), nn.GroupNorm(4, 16), nn.MaxPool2d(2)),
            *_convolved(nn.Conv2d(16, 24, 3, padding=1), nn.GroupNorm(4, 24), nn.MaxPool2d(2)),
            nn.Flatten(),
            *_closing(24 * pooled),
        )

    def forward(self, block: Tensor) -> Tensor:
        """(n, ...) -> (n, WIDTH)."""
        block = _as_float(block) - 0.5
        return self.net(block.movedim(-1, 1) if self.last else block if block.ndim == 4 else block.unsqueeze(1))


class Waveform(nn.Module):
    """Leads by samples (leads, samples), at least 64 samples."""

    def __init__(self, shape: tuple[int, ...]) -> None:
        super().__init__()
        self.width = WIDTH
        leads, samples = shape
        if samples < 64:
            raise FusionError(f"a waveform of {samples} samples; expected at least 64")
        self.net = nn.Sequential(
            *_convolved(nn.Conv1d(leads, 8, 7, padding=3), nn.GroupNorm(2, 8), nn.MaxPool1d(4)),
            *_convolved(nn.Conv1d(8, 16, 7, padding=3), nn.GroupNorm(4, 16), nn.MaxPool1d(4)),
            *_convolved(nn.Conv1d(16, 24, 5, padding=2), nn.GroupNorm(4, 24), nn.MaxPool1d(4)),
            nn.Flatten(),
            *_closing(24 * (samples // 4 // 4 // 4)),
        )

    def forward(self, block: Tensor) -> Tensor:
        """(n, leads, samples) -> (n, WIDTH)."""
        return self.net(_as_float(block) - 0.5 if block.dtype == torch.uint8 else _as_float(block))


class Text(nn.Module):
    """Notes as numbers of words or bytes (length,) in [0, 1024), 0 where nothing stands: words in the light of their neighbours.

    Each place reads five words; a note is the mean and the largest of its places.
    """

    def __init__(self, shape: tuple[int, ...]) -> None:
        super().__init__()
        self.width = WIDTH
        self.words = nn.Embedding(_VOCABULARY, WIDTH, padding_idx=0)
        self.places = nn.Sequential(nn.Conv1d(WIDTH, 48, 5, padding=2), nn.GELU())
        self.out = nn.Sequential(*_closing(96))

    def forward(self, block: Tensor) -> Tensor:
        """(n, length) -> (n, WIDTH)."""
        if len(block) and not 0 <= int(block.min()) <= int(block.max()) < _VOCABULARY:
            raise FusionError(
                f"words from {block.min()} to {block.max()}; expected numbers from 0 to {_VOCABULARY - 1}"
            )
        written = (block != 0).unsqueeze(1)
        places = self.places(self.words(block.long()).movedim(2, 1)) * written
        mean = places.sum(dim=2) / written.sum(dim=2).clamp(min=1)
        return self.out(torch.cat([mean, places.amax(dim=2)], dim=1))


KINDS: Mapping[str, Callable[[tuple[int, ...]], nn.Module]] = {
    "vector": Vector,
    "image": Image,
    "waveform": Waveform,
    "text": Text,
}
"""Kind of block -> its encoder, made of the block's shape."""


def kind_of(shape: tuple[int, ...], dtype: torch.dtype) -> str:
    """The kind of a block that nobody named: one axis is a vector, or a text where it holds integers.

    Raises:
        FusionError: no kind has blocks of that shape.
    """
    if len(shape) == 1:
        return "vector" if dtype.is_floating_point else "text"
    if len(shape) == 2 and shape[0] <= _WAVEFORM_LEADS:
        return "waveform"
    if len(shape) == 2 or (len(shape) == 3 and {shape[0], shape[2]} & {1, 3}):
        return "image"
    raise FusionError(
        f"no encoder for a block of shape {shape}; expected one axis, two, or a picture of 1 or 3 channels"
    )


def encoders_for(task: TaskSpec, inputs: Inputs, kinds: Mapping[str, str] | None = None) -> dict[str, nn.Module]:
    """An encoder for each modality, by the kind that `kinds` names or that its shape and dtype tell.

    Raises:
        FusionError: a kind that does not exist, or a block that none fits.
    """
    named, made = kinds or {}, {}
    for name in task.modalities:
        kind = named.get(name) or kind_of(tuple(task.shapes[name]), inputs[name].dtype)
        if kind not in KINDS:
            raise FusionError(f"modality {name} is of kind {kind!r}{suggestion(kind, KINDS)}")
        made[name] = KINDS[kind](tuple(task.shapes[name]))
    return made


def width_of(encoders: Mapping[str, nn.Module]) -> int:
    """The width that all encoders share, as their attribute `width` says. Raises FusionError where they differ or lack it."""
    widths = {name: getattr(encoder, "width", None) for name, encoder in encoders.items()}
    first = next(iter(widths.values()))
    if not isinstance(first, int) or set(widths.values()) != {first}:
        raise FusionError(f"encoders have widths {widths}; expected one whole number in the attribute `width` of each")
    return first


def _as_float(block: Tensor) -> Tensor:
    return block.float() / 255 if block.dtype == torch.uint8 else block.float()


def _convolved(convolution: nn.Module, norm: nn.Module, pool: nn.Module) -> tuple[nn.Module, ...]:
    return convolution, norm, nn.ReLU(), pool


def _closing(features: int) -> tuple[nn.Module, ...]:
    return nn.Linear(features, WIDTH), nn.LayerNorm(WIDTH), nn.GELU()
