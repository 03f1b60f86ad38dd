"""Slides: liver with or without fat, lung, adenocarcinoma, lymphoid tissue and fibrous stroma, in the colours of three laboratories.

Light is held back by dyes one after another (haematoxylin in nuclei, eosin around them, or the brown of an immune stain), so colours
come from optical densities. The unit of length is 1/64 of the slide's width, whatever its number of pixels. Source of the colour
vectors' form: Ruifrok and Johnston, Anal Quant Cytol Histol 2001;23:291; their figures are invented here.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from workup.envs.modalities.draws import Keys, Looks, exposed, lattice, noise_level, own_keys, settled, uniform
from workup.envs.model.machine_code import njit
from workup.errors import WorkupError
from workup.scenarios.language.looks import LOOKS as ALL_LOOKS

LOOKS = ALL_LOOKS["slide"]
SIZE = 64
_TISSUE, _STAIN, _MARKER = range(3)
_DARK, _LARGE, _UNLIKE, _FAT, _GLASS = range(5)
_LIVER, _LUNG, _TUMOUR, _LYMPH, _STROMA = range(5)
_BLUE, _RED, _BROWN, _BARE = range(4)
"""Layers: haematoxylin, eosin, brown, and where there is no tissue."""
_CELLS = np.array(
    [  # spacing, radius of a nucleus, how long it may be, how dark, share of places with a cell, unevenness of places
        [10.5, 1.95, 0.15, 0.95, 0.90, 0.45],
        [7.0, 1.35, 0.60, 0.90, 1.00, 0.70],
        [7.4, 2.60, 0.70, 1.00, 0.93, 0.70],
        [5.2, 1.75, 0.10, 1.30, 0.96, 0.40],
        [11.0, 1.20, 2.20, 0.95, 0.60, 0.80],
    ]
)
_GROUND = np.array([0.55, 0.34, 0.46, 0.28, 0.62])
"""Eosin between the nuclei of each tissue."""
_STAINS = np.array(
    [  # red, green and blue held back by haematoxylin, by eosin, by the brown stain
        [[0.66, 0.70, 0.28], [0.07, 0.95, 0.16], [0.35, 0.65, 0.90]],
        [[0.86, 0.95, 0.34], [0.16, 0.74, 0.14], [0.35, 0.65, 0.90]],
        [[0.50, 0.50, 0.22], [0.06, 1.10, 0.42], [0.35, 0.65, 0.90]],
    ]
)
_compiled = njit(cache=True, nogil=True, error_model="numpy")


def render(keys: Keys, looks: Looks, *, size: int = SIZE, noise: str | float = "clear") -> NDArray[np.uint8]:
    """Slides.

    Args:
        keys: (n,) uint64, as `draws.keys` makes them.
        looks: look -> (n,) numbers or words; see LOOKS.
        size: of a side, 16 to 512.
        noise: 'clear' (0.035), 'hard' (0.10), 'none' or a number: standard deviation of the normal noise of each pixel and
            colour, full scale being 1, independent, before 256 steps are made of it.

    Returns:
        (n, 3, size, size) uint8: red, green and blue; 255 is the light that nothing holds back.

    Raises:
        UnknownNameError, WorkupError: keys, looks, size or noise that cannot be; see `draws`.

    Examples:
        >>> from workup.envs.modalities import slide
        >>> from workup.envs.modalities.draws import keys
        >>> slide.render(keys(0, np.arange(2), "slide"), {"tissue": ["liver", "lymphoid"]}).shape
        (2, 3, 64, 64)
    """
    graded, named = settled("slide", looks, len(keys))
    out = np.empty((len(keys), 3, *_sides(size)), np.uint8)
    _slides(own_keys(keys, "slide"), graded, named, noise_level(noise), out)
    return out


def expected(keys: Keys, looks: Looks, *, size: int = SIZE) -> NDArray[np.float64]:
    """(n, 3, size, size) float64, 1 being full scale: the slides before noise, which is the mean of their law."""
    graded, named = settled("slide", looks, len(keys))
    out = np.empty((len(keys), 3, *_sides(size)))
    _clean(own_keys(keys, "slide"), graded, named, out)
    return out


def _sides(size: int) -> tuple[int, int]:
    if not 16 <= size <= 512:
        raise WorkupError(f"size: found {size!r}; expected 16 to 512 pixels a side")
    return size, size


@_compiled
def _slides(
    keys: NDArray[np.int64], graded: NDArray[np.float64], named: NDArray[np.int64], sd: float, out: NDArray[np.uint8]
) -> None:
    clean, layers = np.empty(out.shape[1:]), np.empty((4, out.shape[2], out.shape[3]))
    for i in range(len(keys)):
        _slide(keys[i], graded[i], named[i], layers, clean)
        exposed(keys[i], clean.ravel(), sd, out[i].ravel())


@_compiled
def _clean(
    keys: NDArray[np.int64], graded: NDArray[np.float64], named: NDArray[np.int64], out: NDArray[np.float64]
) -> None:
    layers = np.empty((4, out.shape[2], out.shape[3]))
    for i in range(len(keys)):
        _slide(keys[i], graded[i], named[i], layers, out[i])


@_compiled
def _slide(
    key: np.int64,
    graded: NDArray[np.float64],
    named: NDArray[np.int64],
    layers: NDArray[np.float64],
    out: NDArray[np.float64],
) -> None:
    layers[:] = 0.0
    tissue, marker = named[_TISSUE], named[_MARKER]
    _ground(key, tissue, layers)
    if tissue == _LUNG:
        _air(key, layers)
    if tissue == _TUMOUR:
        _glands(key, layers)
    _cells(key, graded, tissue, marker, layers)
    if graded[_GLASS] > 0.0:
        _edge(key, graded[_GLASS], layers)
    dyes, size = _STAINS[named[_STAIN]], layers.shape[1]
    for row in range(size):
        for column in range(size):
            there = 1.0 - layers[_BARE, row, column]
            blue, red, brown = layers[0, row, column], layers[1, row, column], layers[2, row, column]
            if marker > 0:  # no eosin: a pale blue ground
                blue, red = 0.75 * blue + 0.16 * red, 0.0
            for colour in range(3):
                held = blue * dyes[0, colour] + red * dyes[1, colour] + brown * dyes[2, colour]
                out[colour, row, column] = 0.96 * math.exp(-held * there)


@_compiled
def _ground(key: np.int64, tissue: int, layers: NDArray[np.float64]) -> None:
    """What lies between the nuclei: granular, or in wavy bundles."""
    size = layers.shape[1]
    turn, phase = math.pi * uniform(key, 1), 2.0 * math.pi * uniform(key, 2)
    cos, sin = math.cos(turn), math.sin(turn)
    for row in range(size):
        for column in range(size):
            x, y = 64.0 * column / size, 64.0 * row / size
            if tissue == _STROMA:
                along, across = cos * x + sin * y, cos * y - sin * x
                wave = across + 1.6 * math.sin(0.20 * along + phase) + 16.0 * lattice(key, 0.055 * x, 0.055 * y)
                bundle = 0.5 + 0.5 * math.sin(0.95 * wave + 2.5 * lattice(key, 0.16 * x, 0.16 * y))
                layers[_RED, row, column] = _GROUND[tissue] * (
                    0.40 + 0.80 * bundle * lattice(key, 9 + 0.3 * x, 0.3 * y) + 0.4 * bundle
                )
            else:
                grain = lattice(key, 0.35 * x, 0.35 * y)
                layers[_RED, row, column] = _GROUND[tissue] * (0.78 + 0.44 * grain)
            layers[_BLUE, row, column] = 0.03


@_compiled
def _air(key: np.int64, layers: NDArray[np.float64]) -> None:
    """Air spaces of the lung: all but the thin walls between scattered middles."""
    size, spacing = layers.shape[1], 19.0
    for row in range(size):
        for column in range(size):
            x, y = 64.0 * column / size, 64.0 * row / size
            i, j = int(x / spacing) + 1, int(y / spacing) + 1
            first, second = 1e9, 1e9
            for a in range(j - 1, j + 2):
                for b in range(i - 1, i + 2):
                    at = 4096 + 2 * (16 * a + b)
                    dx = (b - 0.5 + 0.75 * (uniform(key, at) - 0.5)) * spacing - x
                    dy = (a - 0.5 + 0.75 * (uniform(key, at + 1) - 0.5)) * spacing - y
                    away = math.hypot(dx, dy)
                    if away < first:
                        first, second = away, first
                    elif away < second:
                        second = away
            layers[_BARE, row, column] = 1.0 / (1.0 + math.exp(-1.8 * (second - first - 3.4)))


@_compiled
def _glands(key: np.int64, layers: NDArray[np.float64]) -> None:
    """The hollows that the tumour's cells stand around."""
    for gland in range(2):
        at = 8192 + 4 * gland
        x, y = 64.0 * (0.28 * (1 + gland) - 0.06 + 0.28 * uniform(key, at)), 64.0 * (0.22 + 0.56 * uniform(key, at + 1))
        _blob(layers[_BARE], x, y, 4.5 + 3.5 * uniform(key, at + 2), 1.35, math.pi * uniform(key, at + 3), 1.0, 9.0)


@_compiled
def _blob(
    layer: NDArray[np.float64], x: float, y: float, radius: float, long: float, turn: float, most: float, sharp: float
) -> None:
    """An ellipse with a soft edge, where it is more than what is there."""
    size = layer.shape[0]
    reach, cos, sin = radius * long + 1.5, math.cos(turn), math.sin(turn)
    for row in range(max(0, int((y - reach) * size / 64.0)), min(size, int((y + reach) * size / 64.0) + 2)):
        for column in range(max(0, int((x - reach) * size / 64.0)), min(size, int((x + reach) * size / 64.0) + 2)):
            dx, dy = 64.0 * (column + 0.5) / size - x, 64.0 * (row + 0.5) / size - y
            along, across = (cos * dx + sin * dy) / long, cos * dy - sin * dx
            away = math.sqrt(along * along + across * across) / radius
            if away < 1.9:
                v = most / (1.0 + math.exp(sharp * (away - 1.0)))
                if v > layer[row, column]:
                    layer[row, column] = v


@_compiled
def _cells(key: np.int64, graded: NDArray[np.float64], tissue: int, marker: int, layers: NDArray[np.float64]) -> None:
    """Nuclei on an uneven grid, each with what is its own; those of a gland's hollow or of air are left out."""
    spacing, radius, longer, dark, share, uneven = _CELLS[tissue]
    size, across = layers.shape[1], int(64.0 / spacing) + 3
    for a in range(across):
        for b in range(across):
            at = 16384 + 16 * (32 * a + b)
            shift = 0.5 if a % 2 else 0.0
            x = (b - 0.5 + shift + uneven * (uniform(key, at) - 0.5)) * spacing
            y = (a - 0.5 + uneven * (uniform(key, at + 1) - 0.5)) * spacing
            row, column = int(y * size / 64.0), int(x * size / 64.0)
            inside = 0 <= row < size and 0 <= column < size
            bare = layers[_BARE, row, column] if inside else 0.0
            if uniform(key, at + 2) < share and bare < 0.45:
                unlike = graded[_UNLIKE] * (2.0 * uniform(key, at + 3) - 1.0)
                of_its_own = radius * graded[_LARGE] * math.exp(unlike)
                long = 1.0 + longer * uniform(key, at + 4) * (1.0 + graded[_UNLIKE])
                deep = dark * graded[_DARK] * (1.0 + 0.5 * graded[_UNLIKE] * (2.0 * uniform(key, at + 5) - 1.0))
                turn = math.pi * (
                    uniform(key, 1) + 0.15 * (uniform(key, at + 6) - 0.5) if longer > 2.0 else uniform(key, at + 6)
                )
                stained = marker == 2 and tissue != _STROMA and tissue != _LYMPH
                _blob(layers[_BROWN if stained else _BLUE], x, y, of_its_own, long, turn, deep, 8.0)
                if of_its_own > 2.2 and not stained:  # a nucleolus
                    _blob(layers[_BLUE], x + 0.5, y - 0.4, 0.75, 1.0, 0.0, 1.6 * deep, 6.0)
            if tissue == _LIVER and uniform(key, at + 7) < graded[_FAT]:
                droplet = 1.9 + 2.2 * uniform(key, at + 8)
                x += 0.9 * spacing * (uniform(key, at + 9) - 0.5)
                y += 0.9 * spacing * (uniform(key, at + 10) - 0.5)
                _blob(layers[_BARE], x, y, droplet, 1.0, 0.0, 1.0, 12.0)


@_compiled
def _edge(key: np.int64, glass: float, layers: NDArray[np.float64]) -> None:
    """Glass beyond the edge of the tissue, on a side of its own."""
    size, angle, phase = layers.shape[1], 2.0 * math.pi * uniform(key, 3), 2.0 * math.pi * uniform(key, 4)
    cos, sin = math.cos(angle), math.sin(angle)
    for row in range(size):
        for column in range(size):
            x, y = column / size - 0.5, row / size - 0.5
            out = cos * x + sin * y + 0.03 * math.sin(14.0 * (cos * y - sin * x) + phase)
            bare = 1.0 / (1.0 + math.exp(-60.0 * (out - 0.5 + glass)))
            layers[_BARE, row, column] = max(layers[_BARE, row, column], bare)
