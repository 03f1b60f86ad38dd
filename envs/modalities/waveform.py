"""Electrocardiograms: leads I, III and V1, at rest, in sinus rhythm or atrial fibrillation, with strain or infarction.

Each beat is a sum of bell-shaped waves P, Q, R, S and T about the R, as in McSharry et al., IEEE Trans Biomed Eng 2003;50:289, and a
segment ST of its own. The figures of the waves are of textbook tracings, drawn by eye.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from workup.envs.modalities.draws import Keys, Looks, exposed, noise_level, own_keys, settled, uniform
from workup.envs.model.machine_code import njit
from workup.errors import WorkupError
from workup.scenarios.language.looks import LOOKS as ALL_LOOKS

LOOKS = ALL_LOOKS["waveform"]
SIZE = 500
LEADS = ("I", "III", "V1")
HZ = 100.0
LOWEST_MV, FULL_SCALE_MV = -1.8, 3.6
"""The code 0, and how much further 255 is: a step is 0.014 mV."""
_RHYTHM, _PATTERN = range(2)
_RATE, _ST = range(2)
_WHEN_S = np.array([-0.165, -0.028, 0.0, 0.030, 0.27])
_WIDTH_S = np.array([0.022, 0.010, 0.012, 0.011, 0.050])
_BROAD_Q_S = 0.018
_WAVES_MV = np.array(
    [  # P, Q, R, S, T in each lead
        [[0.11, -0.06, 0.80, -0.12, 0.24], [0.08, -0.08, 0.55, -0.15, 0.18], [0.07, 0.0, 0.22, -0.85, -0.06]],
        [[0.11, -0.04, 0.50, -0.60, 0.22], [0.10, -0.42, 0.55, -0.10, -0.26], [0.08, 0.0, 0.50, -0.50, -0.38]],
        [[0.11, -0.06, 0.80, -0.10, 0.20], [0.08, -0.55, 0.42, -0.08, 0.22], [0.07, 0.0, 0.22, -0.80, 0.05]],
    ]
)
_compiled = njit(cache=True, nogil=True, error_model="numpy")


def render(keys: Keys, looks: Looks, *, size: int = SIZE, noise: str | float = "clear") -> NDArray[np.uint8]:
    """Tracings.

    Args:
        keys: (n,) uint64, as `draws.keys` makes them.
        looks: look -> (n,) numbers or words; see LOOKS.
        size: samples of each lead, 100 to 10,000, at 100 a second.
        noise: 'clear' (0.035), 'hard' (0.10), 'none' or a number: standard deviation in mV of the normal noise of each sample,
            independent, before 256 steps are made of it.

    Returns:
        (n, 3, size) uint8, leads I, III and V1; `LOWEST_MV + code / 255 * FULL_SCALE_MV` is in mV.

    Raises:
        UnknownNameError, WorkupError: keys, looks, size or noise that cannot be; see `draws`.

    Examples:
        >>> from workup.envs.modalities import waveform
        >>> from workup.envs.modalities.draws import keys
        >>> waveform.render(keys(0, np.arange(2), "ecg"), {"rhythm": "fibrillation", "rate": 110}).shape
        (2, 3, 500)
    """
    graded, named = settled("waveform", looks, len(keys))
    out = np.empty((len(keys), *_leads(size)), np.uint8)
    _tracings(own_keys(keys, "waveform"), graded, named, noise_level(noise) / FULL_SCALE_MV, out)
    return out


def expected(keys: Keys, looks: Looks, *, size: int = SIZE) -> NDArray[np.float64]:
    """(n, 3, size) float64, 1 being full scale: the tracings before noise, which is the mean of their law."""
    graded, named = settled("waveform", looks, len(keys))
    out = np.empty((len(keys), *_leads(size)))
    _clean(own_keys(keys, "waveform"), graded, named, out)
    return out


def _leads(size: int) -> tuple[int, int]:
    if not 100 <= size <= 10_000:
        raise WorkupError(f"size: found {size!r}; expected 100 to 10,000 samples a lead")
    return len(LEADS), size


@_compiled
def _tracings(
    keys: NDArray[np.int64], graded: NDArray[np.float64], named: NDArray[np.int64], sd: float, out: NDArray[np.uint8]
) -> None:
    clean = np.empty(out.shape[1:])
    for i in range(len(keys)):
        _tracing(keys[i], graded[i], named[i], clean)
        exposed(keys[i], clean.ravel(), sd, out[i].ravel())


@_compiled
def _clean(
    keys: NDArray[np.int64], graded: NDArray[np.float64], named: NDArray[np.int64], out: NDArray[np.float64]
) -> None:
    for i in range(len(keys)):
        _tracing(keys[i], graded[i], named[i], out[i])


@_compiled
def _tracing(key: np.int64, graded: NDArray[np.float64], named: NDArray[np.int64], out: NDArray[np.float64]) -> None:
    fibrillates, samples = named[_RHYTHM] == 1, out.shape[1]
    _baseline(key, fibrillates, out)
    height, usual_s = 0.85 + 0.30 * uniform(key, 1), 60.0 / graded[_RATE]
    at_s, beat = -usual_s * uniform(key, 2), 0
    while at_s < samples / HZ + 0.5:
        _beat(at_s, usual_s, height, graded[_ST], fibrillates, named[_PATTERN], out)
        loose = 0.24 if fibrillates else 0.02
        bell = uniform(key, 64 + 4 * beat) + uniform(key, 65 + 4 * beat) + uniform(key, 66 + 4 * beat) - 1.5
        at_s += usual_s * (1.0 + 2.0 * loose * bell)  # three uniforms: near normal, and never beyond 3 deviations
        beat += 1
    for lead in range(out.shape[0]):
        for s in range(samples):
            out[lead, s] = (out[lead, s] - LOWEST_MV) / FULL_SCALE_MV


@_compiled
def _baseline(key: np.int64, fibrillates: bool, out: NDArray[np.float64]) -> None:
    """It wanders with the breath; fibrillating atria make it tremble."""
    for lead in range(out.shape[0]):
        wander, hz = 0.06 * uniform(key, 8 + lead), 0.15 + 0.20 * uniform(key, 11)
        phase, fast_hz = 2.0 * math.pi * uniform(key, 12 + lead), 5.2 + 1.6 * uniform(key, 16)
        for s in range(out.shape[1]):
            t = 2.0 * math.pi * s / HZ
            out[lead, s] = wander * math.sin(hz * t + phase)
            if fibrillates:
                swell = 0.7 + 0.3 * math.sin(0.9 * t + phase)
                out[lead, s] += (
                    (0.05 if lead < 2 else 0.07) * swell * math.sin(fast_hz * t + 1.3 * math.sin(1.7 * t) + phase)
                )


@_compiled
def _beat(
    at_s: float, usual_s: float, height: float, st_mv: float, fibrillates: bool, pattern: int, out: NDArray[np.float64]
) -> None:
    stretch = math.sqrt(usual_s / 0.85)  # faster hearts repolarise sooner
    for wave in range(5):
        if wave == 0 and fibrillates:
            continue
        middle = at_s + _WHEN_S[wave] * (stretch if wave in (0, 4) else 1.0)
        width = _WIDTH_S[wave] * (stretch if wave == 4 else 1.0)
        if wave == 1 and pattern == 2:
            width = _BROAD_Q_S
        first, last = max(0, int((middle - 4.0 * width) * HZ)), min(out.shape[1], int((middle + 4.0 * width) * HZ) + 1)
        for s in range(first, last):
            off = (s / HZ - middle) / width
            bell = height * math.exp(-0.5 * off * off)
            for lead in range(out.shape[0]):
                out[lead, s] += _WAVES_MV[pattern, lead, wave] * bell
    lasts = 0.32 * stretch
    first, last = max(0, int((at_s + 0.035) * HZ)), min(out.shape[1], int((at_s + 0.035 + lasts) * HZ) + 1)
    for s in range(first, last):
        share = (s / HZ - at_s - 0.035) / lasts
        if 0.0 < share < 1.0:
            raised = st_mv * min(1.0, 7.0 * share) * math.sqrt(1.0 - share)
            out[1, s] += raised
            out[0, s] -= 0.5 * raised
