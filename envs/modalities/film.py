"""Films of the chest: standing or lying, with a round shadow, consolidation, interstitial change, fluid or a wide heart.

The patient's right is on the film's left. Where a look says nothing about it, the anatomy (where the patient stood, how wide the
heart is, where in its zone the shadow lies, its outline) is the patient's own: the `nuisances`, drawn by the key.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from workup.envs.modalities.draws import Keys, Looks, exposed, lattice, noise_level, own_keys, settled, uniform
from workup.envs.model.machine_code import njit
from workup.errors import WorkupError
from workup.scenarios.language.looks import LOOKS as ALL_LOOKS

LOOKS = ALL_LOOKS["film"]
SIZE = 64
NUISANCES: dict[str, tuple[float, float]] = {
    "shift_x": (-0.025, 0.025),
    "shift_y": (-0.025, 0.025),
    "scale": (0.96, 1.04),
    "tilt": (-0.03, 0.03),
    "heart": (-0.012, 0.012),
    "vessels": (0.0, 2 * math.pi),
    "lesion_x": (-0.03, 0.03),
    "lesion_y": (-0.03, 0.03),
    "outline_3": (0.0, 2 * math.pi),
    "outline_5": (0.0, 2 * math.pi),
    "outline_11": (0.0, 2 * math.pi),
}
"""Name -> limits between which it is uniform, in shares of the film's width, or radians. Of several shadows each has its own
place and outline, drawn further on; `lesion` and `outline` are those of the first."""
_SPAN = np.array(list(NUISANCES.values()))
_SITES = np.array([[0.31, 0.27], [0.69, 0.27], [0.37, 0.49], [0.64, 0.48], [0.29, 0.62], [0.73, 0.58]])
_SEVERAL = np.array([0, 3, 4, 5])
_TONE = np.array([[1.2, 0.05, 0.93], [0.5, 0.10, 0.88], [2.0, 0.03, 0.90]])
"""Of each machine: how the film saturates, its blackest and its whitest."""
_VIEW, _MACHINE, _HEART, _LESION, _LUNGS, _EFFUSION = range(6)
_OPACITY, _RADIUS = range(2)
_compiled = njit(cache=True, nogil=True, error_model="numpy")


def render(keys: Keys, looks: Looks, *, size: int = SIZE, noise: str | float = "clear") -> NDArray[np.uint8]:
    """Films.

    Args:
        keys: (n,) uint64, as `draws.keys` makes them.
        looks: look -> (n,) numbers or words; see LOOKS.
        size: of a side, 16 to 1024.
        noise: 'clear' (0.035), 'hard' (0.10), 'none' or a number: standard deviation of the normal noise of each pixel, full
            scale being 1, independent among pixels, before 256 steps are made of it.

    Returns:
        (n, size, size) uint8, rows from the head down, 255 the whitest.

    Raises:
        UnknownNameError, WorkupError: keys, looks, size or noise that cannot be; see `draws`.

    Examples:
        >>> from workup.envs.modalities import film
        >>> from workup.envs.modalities.draws import keys
        >>> who = keys(0, np.arange(2), "film")
        >>> film.render(who, {"lesion": "left_upper", "opacity": [0.1, 0.3]}).shape
        (2, 64, 64)
    """
    graded, named = settled("film", looks, len(keys))
    own, out = own_keys(keys, "film"), np.empty((len(keys), *_sides(size)), np.uint8)
    _films(own, nuisances(keys), graded, named, noise_level(noise), out)
    return out


def expected(
    keys: Keys, looks: Looks, *, size: int = SIZE, nuisance: NDArray[np.float64] | None = None
) -> NDArray[np.float64]:
    """(n, size, size) float64, 1 being full scale: the films before noise, which is the mean of their law.

    Args:
        keys: as of `render`.
        looks: as of `render`.
        size: as of `render`.
        nuisance: (n, nuisances) in place of those drawn by the keys.
    """
    graded, named = settled("film", looks, len(keys))
    out = np.empty((len(keys), *_sides(size)))
    chosen = nuisances(keys) if nuisance is None else np.ascontiguousarray(nuisance, np.float64)
    _clean(own_keys(keys, "film"), chosen, graded, named, out)
    return out


def nuisances(keys: Keys) -> NDArray[np.float64]:
    """(n, nuisances) of each patient, in the order of NUISANCES."""
    out = np.empty((len(keys), len(NUISANCES)))
    _settle(own_keys(keys, "film"), _SPAN, out)
    return out


def _sides(size: int) -> tuple[int, int]:
    if not 16 <= size <= 1024:
        raise WorkupError(f"size: found {size!r}; expected 16 to 1024 pixels a side")
    return size, size


@_compiled
def _settle(keys: NDArray[np.int64], span: NDArray[np.float64], out: NDArray[np.float64]) -> None:
    for i in range(len(keys)):
        for j in range(len(span)):
            out[i, j] = span[j, 0] + (span[j, 1] - span[j, 0]) * uniform(keys[i], j)


@_compiled
def _films(
    keys: NDArray[np.int64],
    nuisance: NDArray[np.float64],
    graded: NDArray[np.float64],
    named: NDArray[np.int64],
    sd: float,
    out: NDArray[np.uint8],
) -> None:
    clean = np.empty(out.shape[1:])
    for i in range(len(keys)):
        _film(keys[i], nuisance[i], graded[i], named[i], clean)
        exposed(keys[i], clean.ravel(), sd, out[i].ravel())


@_compiled
def _clean(
    keys: NDArray[np.int64],
    nuisance: NDArray[np.float64],
    graded: NDArray[np.float64],
    named: NDArray[np.int64],
    out: NDArray[np.float64],
) -> None:
    for i in range(len(keys)):
        _film(keys[i], nuisance[i], graded[i], named[i], out[i])


@_compiled
def _soft(x: float, y: float, cx: float, cy: float, rx: float, ry: float, soft: float) -> float:
    """1 inside an ellipse, 0 outside, with a soft edge."""
    t = (1.0 - math.sqrt(((x - cx) / rx) ** 2 + ((y - cy) / ry) ** 2)) / soft
    return 0.5 * (1.0 + t / math.sqrt(1.0 + t * t)) if t > -6.0 else 0.0


@_compiled
def _film(
    key: np.int64,
    nuisance: NDArray[np.float64],
    graded: NDArray[np.float64],
    named: NDArray[np.int64],
    out: NDArray[np.float64],
) -> None:
    size = len(out)
    bend, black, white = _TONE[named[_MACHINE]]
    whole = 1.0 - math.exp(-bend)
    cos, sin = math.cos(nuisance[3]), math.sin(nuisance[3])
    for row in range(size):
        for column in range(size):
            x, y = (column + 0.5) / size - 0.5 - nuisance[0], (row + 0.5) / size - 0.5 - nuisance[1]
            x, y = (cos * x - sin * y) / nuisance[2] + 0.5, (sin * x + cos * y) / nuisance[2] + 0.5
            v, lung = _chest(x, y, nuisance[4], nuisance[5], named)
            if named[_LESION] > 0:
                v += graded[_OPACITY] * _lesions(key, x, y, nuisance, named[_LESION] - 1, graded[_RADIUS])
            v += lung * _lungs(key, x, y, named[_LUNGS])
            v += _fluid(x, y, lung, named[_EFFUSION])
            out[row, column] = black + (white - black) * (1.0 - math.exp(-bend * v)) / whole


@_compiled
def _chest(x: float, y: float, wider: float, phase: float, named: NDArray[np.int64]) -> tuple[float, float]:
    """How much a healthy chest holds back here, and how much of it is lung that nothing else covers."""
    lying, side = named[_VIEW] == 1, abs(x - 0.5)
    dome = (0.725 if x < 0.5 else 0.75) - (0.06 if lying else 0.0) + 3.4 * (side - 0.15) ** 2
    above = 1.0 / (1.0 + math.exp(70.0 * (y - dome)))
    narrower = 0.36 * max(0.0, 0.53 - y) ** 2  # lungs narrow towards the top, from outside
    lung = above * _soft(side - narrower, y, 0.195 - 2.0 * narrower, 0.55, 0.186 - narrower, 0.44, 0.06)
    across, down = abs(x - 0.5) / 0.475, abs(y - 0.75) / 0.66
    across, down = across * across, down * down
    trunk = 1.0 / (1.0 + math.exp(26.0 * (math.sqrt(math.sqrt(across * across + down * down)) - 1.0)))
    body = max(trunk, _soft(x, y, 0.5, 0.0, 0.12, 0.22, 0.12))
    v = 0.60 * body - 0.46 * lung + body * _bones(x, y, side, lung, lying)
    middle = _soft(x, y, 0.505, 0.30, 0.062, 0.36, 0.18)
    v += middle * (0.10 + 0.26 * lung) + 0.10 * _soft(x, y, 0.562, 0.30, 0.034, 0.045, 0.3)
    v -= 0.10 * _soft(x, y, 0.495, 0.13, 0.016, 0.17, 0.5)  # the windpipe
    v += 0.08 * (_soft(x, y, 0.410, 0.47, 0.032, 0.070, 0.7) + _soft(x, y, 0.600, 0.455, 0.032, 0.060, 0.7))
    out = math.hypot(y - 0.47, side - 0.10)
    if out < 0.5 and lung > 0.01:
        ray = math.cos(7.0 * math.atan2(y - 0.47, side - 0.10) + phase + 2.0 * math.sin(14.0 * out))
        v += 0.05 * lung * min(1.0, 14.0 * out) * math.exp(-6.0 * out) * (1.0 + ray)
    width = 0.150 + wider + (0.04 if lying else 0.0) + (0.07 if named[_HEART] == 1 else 0.0)
    heart = _heart(x, y, width)
    v += heart * (0.34 * lung * (1.0 - 0.75 * middle) + 0.05 + 0.03 * above)
    below = 1.0 - above
    v += body * below * (0.12 if x < 0.5 else 0.08) - 0.20 * below * _soft(x, y, 0.66, 0.85, 0.055, 0.035, 0.3)
    return v, lung * (1.0 - 0.8 * max(heart, middle))


@_compiled
def _heart(x: float, y: float, width: float) -> float:
    """Its apex points down and to the patient's left; the right atrium stands out a little on the other side."""
    dx, dy = x - 0.525 - 0.35 * (width - 0.10), y - 0.635
    along, across = 0.848 * dx + 0.530 * dy, 0.848 * dy - 0.530 * dx
    return max(_soft(along, across, 0.0, 0.0, width, 0.115, 0.07), _soft(x, y, 0.475, 0.62, 0.075, 0.13, 0.12))


@_compiled
def _bones(x: float, y: float, side: float, lung: float, lying: bool) -> float:
    v = 0.0
    if 0.05 < side < 0.42 and y < 0.86:
        course = y - 0.16 - 0.31 * side * math.sqrt(side)
        near = min(max(round(course / 0.082), 0.0), 8.0)
        off = (course - 0.082 * near) / 0.0125
        v += 0.065 * math.exp(-0.5 * off * off) * (0.25 + 0.75 * lung)
    if 0.03 < side < 0.34:
        off = (y - 0.200 + 0.20 * (side - 0.05) - 0.25 * (side - 0.05) ** 2 + (0.035 if lying else 0.0)) / 0.014
        v += 0.11 * math.exp(-0.5 * off * off)
    if lying:  # shoulder blades lie over the lungs
        v += 0.11 * _soft(0.5 - side, y, 0.175, 0.36, 0.055, 0.16, 0.10)
    spine = (x - 0.5) / 0.032
    return v + 0.12 * math.exp(-0.5 * spine * spine) * (0.55 + 0.35 * y + 0.07 * math.cos(2.0 * math.pi * y / 0.075))


@_compiled
def _lesions(key: np.int64, x: float, y: float, nuisance: NDArray[np.float64], site: int, radius: float) -> float:
    if site < len(_SITES):
        dx, dy = x - _SITES[site, 0] - nuisance[6], y - _SITES[site, 1] - nuisance[7]
        return _round(dx, dy, radius, nuisance[8], nuisance[9], nuisance[10])
    v = 0.0
    for j in range(len(_SEVERAL)):
        dx, dy = x - _SITES[_SEVERAL[j], 0] - nuisance[6], y - _SITES[_SEVERAL[j], 1] - nuisance[7]
        if j > 0:
            dx += 0.06 * (uniform(key, 64 + 8 * j) - 0.5)
            dy += 0.06 * (uniform(key, 65 + 8 * j) - 0.5)
        turn = 2.0 * math.pi * uniform(key, 66 + 8 * j) if j > 0 else 0.0
        v = max(v, _round(dx, dy, radius, nuisance[8] + turn, nuisance[9] + 2.0 * turn, nuisance[10] + 3.0 * turn))
    return v


@_compiled
def _round(dx: float, dy: float, radius: float, third: float, fifth: float, eleventh: float) -> float:
    """1 in the middle of a shadow whose outline is not quite round, 0 beyond its soft edge."""
    away = math.hypot(dx, dy) / radius
    if away > 2.2:
        return 0.0
    angle = math.atan2(dy, dx)
    edge = 1.0 + 0.07 * math.sin(3.0 * angle + third) + 0.04 * math.sin(5.0 * angle + fifth)
    edge += 0.02 * math.sin(11.0 * angle + eleventh)
    return 1.0 / (1.0 + math.exp(7.0 * (away / edge - 1.0)))


@_compiled
def _lungs(key: np.int64, x: float, y: float, lungs: int) -> float:
    """What fills the lung's air spaces, or their walls."""
    if lungs == 1:
        where = _soft(x, y, 0.29, 0.61, 0.125, 0.115, 0.45)
        return 0.34 * where * (0.55 + 0.8 * lattice(key, 17.0 * x, 17.0 * y)) if where > 0.0 else 0.0
    if lungs == 2:
        net = 0.55 * lattice(key, 24.0 * x + 16.0 * y, 24.0 * y - 16.0 * x)
        net += 0.45 * lattice(key, 17.0 * x - 34.0 * y, 17.0 * y + 34.0 * x)
        return 0.60 * max(0.0, net - 0.36) * min(1.0, max(0.2, 3.0 * (y - 0.25)))
    return 0.0


@_compiled
def _fluid(x: float, y: float, lung: float, effusion: int) -> float:
    if effusion == 0 or (x > 0.5) != (effusion == 1):
        return 0.0
    level = 0.62 - 0.55 * max(0.0, abs(x - 0.5) - 0.14)  # a meniscus: it rises towards the ribs
    return 0.42 * lung / (1.0 + math.exp(-45.0 * (y - level)))
