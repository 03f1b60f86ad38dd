"""Renderers by the name of their kind."""

from __future__ import annotations

import hashlib
import importlib
from collections.abc import Mapping
from functools import cache
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from workup.envs.modalities.draws import Keys, Looks, keys, looks_of
from workup.scenarios.language.looks import LOOKS, Look

KINDS: tuple[str, ...] = tuple(LOOKS)


class Renderer(Protocol):
    """What the file of a kind offers."""

    LOOKS: Mapping[str, Look]
    SIZE: int

    def render(self, keys: Keys, looks: Looks, *, size: int = ..., noise: str | float = ...) -> NDArray[Any]:
        """(n, ...) pictures, each a function of its own key and looks alone."""


def renderer(kind: str) -> Renderer:
    """The renderer of a kind, imported when it is asked for.

    Raises:
        UnknownNameError: nothing is shown so; names the nearest.

    Examples:
        >>> from workup.envs.modalities.registry import renderer
        >>> renderer("film").SIZE
        64
    """
    looks_of(kind)
    found: Renderer = importlib.import_module(f"workup.envs.modalities.{kind}")
    return found


def render(
    kind: str, keys: Keys, looks: Looks, *, size: int | None = None, noise: str | float = "clear"
) -> NDArray[Any]:
    """(n, ...) pictures of a kind: film (n, size, size), slide (n, 3, size, size), waveform (n, 3, size) and table (n, size, 44)
    uint8, note (n, size) uint16.

    Args:
        kind: one of KINDS.
        keys: (n,) uint64, as `draws.keys` makes them.
        looks: look -> (n,) numbers or words, or one for all; what is left out is at its default.
        size: None for the kind's own.
        noise: 'clear', 'hard', 'none', or a number; what it is in a kind its file says.

    Raises:
        UnknownNameError, WorkupError: a kind, keys, looks, size or noise that cannot be.

    Examples:
        >>> import numpy as np
        >>> from workup.envs.modalities.draws import keys
        >>> from workup.envs.modalities.registry import render
        >>> render("film", keys(0, np.arange(3), "film"), {"lesion": "left_upper"}).shape
        (3, 64, 64)
    """
    of = renderer(kind)
    return of.render(keys, looks, size=of.SIZE if size is None else size, noise=noise)


@cache
def digest(kind: str) -> str:
    """16 hex digits that change when pictures of this kind do: of 32 pictures that show every value of every look.

    A reader that was trained on pictures says by it which; what does not change a picture does not change the digest.
    """
    of, n = renderer(kind), 32
    looks = {
        name: np.arange(n) % len(look.values) if look.values else np.linspace(*_around(look), n)
        for name, look in of.LOOKS.items()
    }
    pictures = of.render(keys(0, np.arange(n), kind), looks)
    return hashlib.sha256(repr(pictures.shape).encode() + pictures.tobytes()).hexdigest()[:16]


def _around(look: Look) -> tuple[float, float]:
    """A span within a graded look's limits."""
    return max(look.low, look.centre - 2.0 * look.per_sd), min(look.high, look.centre + 2.0 * look.per_sd)
