"""What every renderer starts from: keys of pictures, the looks of a batch as two arrays, the law of the noise."""

from __future__ import annotations

import math
import zlib
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from workup.envs.model.machine_code import njit
from workup.envs.model.randomness import GOLDEN, RENDER, mix, mix_array, seed_key
from workup.errors import UnknownNameError, WorkupError, suggestion
from workup.scenarios.language.looks import LOOKS, Look

Keys = NDArray[np.uint64]
Looks = Mapping[str, Any]
"""Look -> (n,) array, or one value for all: numbers of a graded look; of a named one its words, or their places from 0 on."""

NOISE: Mapping[str, float] = {"none": 0.0, "clear": 0.035, "hard": 0.10}
"""Standard deviation of the noise of a pixel, full scale being 1; what it means in notes and tables these say."""
LATTICE_FROM, NOISE_FROM = 1 << 20, 1 << 32
"""The texture of a picture and its noise are drawn by counters from here on, its anatomy by those below."""
_STEPS = 1 << 24


def keys(seed: int, patients: NDArray[np.int64], shown: str) -> Keys:
    """Keys of one picture a patient: by the seed, the patient and the name of what is shown, and by nothing else.

    Args:
        seed: of the patients, as everywhere.
        patients: (n,) ids.
        shown: name of the investigation (or of anything else), so that two pictures of a patient differ.

    Examples:
        >>> import numpy as np
        >>> from workup.envs.modalities.draws import keys
        >>> keys(0, np.array([3]), "film") == keys(0, np.array([1, 2, 3]), "film")[2:]
        array([ True])
    """
    # Hashed once more than the patients: else patient a of seed b would have the pictures of patient b of seed a.
    of_seed = mix_array(np.array([seed_key(seed)]).view(np.uint64))
    of_patient = mix_array(of_seed ^ mix_array(np.asarray(patients).astype(np.uint64) + GOLDEN))
    stream = np.array([RENDER + zlib.crc32(shown.encode()) % _STEPS], np.uint64)
    return mix_array(of_patient + stream * GOLDEN)


def own_keys(found: ArrayLike, kind: str) -> NDArray[np.int64]:
    """(n,) what a renderer draws by: keys hashed with the kind, so that neither neighbours nor two kinds share a draw.

    Raises:
        WorkupError: they are no (n,) array of uint64.
    """
    found = np.asarray(found)
    if found.dtype != np.uint64 or found.ndim != 1:
        raise WorkupError(
            f"keys: found {found.dtype} of shape {found.shape}; expected uint64 of shape (n,), as `draws.keys` makes them"
        )
    return mix_array(found * GOLDEN + np.uint64(zlib.crc32(kind.encode()))).view(np.int64)


@njit(cache=True, nogil=True, error_model="numpy")
def uniform(key: np.int64, counter: int) -> float:
    """Uniform in [0, 1)."""
    return np.float64(mix(np.uint64(key) + np.uint64(counter) * GOLDEN) >> np.uint64(11)) * (1.0 / 9007199254740992.0)


@njit(cache=True, nogil=True, error_model="numpy")
def normal_pair(key: np.int64, pair: int) -> tuple[float, float]:
    """Two independent standard normal draws: the pair of that number. Source: Box and Muller, Ann. Math. Stat. 1958;29:610."""
    radius = math.sqrt(-2.0 * math.log(1.0 - uniform(key, NOISE_FROM + 2 * pair)))
    angle = 2.0 * math.pi * uniform(key, NOISE_FROM + 2 * pair + 1)
    return radius * math.cos(angle), radius * math.sin(angle)


@njit(cache=True, nogil=True, error_model="numpy")
def exposed(key: np.int64, clean: NDArray[np.float64], sd: float, out: NDArray[np.uint8]) -> None:
    """The picture `clean`, 1 being full scale, with its noise, in 256 steps; what is beyond the scale is at its end."""
    n = len(clean)
    for i in range(0, n, 2):
        first, second = 0.0, 0.0
        if sd > 0.0:
            first, second = normal_pair(key, i // 2)
        out[i] = np.uint8(min(max(255.0 * (clean[i] + sd * first) + 0.5, 0.0), 255.0))
        if i + 1 < n:
            out[i + 1] = np.uint8(min(max(255.0 * (clean[i + 1] + sd * second) + 0.5, 0.0), 255.0))


@njit(cache=True, nogil=True, error_model="numpy")
def lattice(key: np.int64, a: float, b: float) -> float:
    """Smooth noise in [0, 1] over a plane: between values at whole places, which lie from -64 to 191."""
    i, j = math.floor(a), math.floor(b)
    f, g = a - i, b - j
    f, g = f * f * (3.0 - 2.0 * f), g * g * (3.0 - 2.0 * g)
    at = LATTICE_FROM + 256 * (i + 64) + j + 64
    near = uniform(key, at) * (1.0 - f) + uniform(key, at + 256) * f
    return near * (1.0 - g) + (uniform(key, at + 1) * (1.0 - f) + uniform(key, at + 257) * f) * g


def uniforms(key: NDArray[np.int64], counters: NDArray[np.int64]) -> NDArray[np.float64]:
    """(n, counters) the same draws as `uniform`, in NumPy."""
    steps = counters.astype(np.uint64) * GOLDEN
    hashed = mix_array(key.view(np.uint64)[:, None] + steps[None, :])
    return (hashed >> np.uint64(11)).astype(np.float64) / 9007199254740992.0


def noise_level(noise: str | float) -> float:
    """The noise of that name, or the number itself.

    Raises:
        UnknownNameError: no noise of that name.
        WorkupError: a number outside [0, 0.5].
    """
    if isinstance(noise, str):
        if noise not in NOISE:
            raise UnknownNameError(f"there is no noise {noise!r}{suggestion(noise, NOISE)}")
        return NOISE[noise]
    if not 0.0 <= noise <= 0.5:
        raise WorkupError(f"noise: found {noise!r}; expected {' | '.join(NOISE)}, or a number from 0 to 0.5")
    return float(noise)


def looks_of(kind: str) -> Mapping[str, Look]:
    """The looks of a kind. Raises UnknownNameError, with the nearest name."""
    if kind not in LOOKS:
        raise UnknownNameError(f"nothing is shown as {kind!r}{suggestion(kind, LOOKS)}")
    return LOOKS[kind]


def settled(kind: str, looks: Looks, n: int) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """The looks of n pictures: (n, graded) numbers and (n, named) places, each in the order of LOOKS[kind].

    Raises:
        UnknownNameError: a look, or a word of one, that there is not.
        WorkupError: a look of another shape, no number, or beyond its limits; names look and patient.
    """
    known = looks_of(kind)
    for name in looks:
        if name not in known:
            raise UnknownNameError(f"a {kind} has no look {name!r}{suggestion(name, known)}")
    columns = {name: _column(f"{kind}.{name}", look, looks.get(name, look.default), n) for name, look in known.items()}
    parts = [[columns[name] for name, look in known.items() if look.graded is graded] for graded in (True, False)]
    graded, named = (np.stack(part, axis=1) if part else np.empty((n, 0)) for part in parts)
    return np.ascontiguousarray(graded, np.float64), np.ascontiguousarray(named, np.int64)


def _column(where: str, look: Look, found: Any, n: int) -> NDArray[Any]:
    given = np.asarray(found)
    if given.shape not in ((), (n,)):
        raise WorkupError(f"{where}: found shape {given.shape}; expected one value, or one for each of {n} keys")
    if look.graded:
        if given.dtype.kind not in "fiu":
            raise WorkupError(f"{where}: found {given.dtype}; expected numbers from {look.low:g} to {look.high:g}")
        wrong = ~((given >= look.low) & (given <= look.high))
        if look.drawn:
            wrong &= ~np.isnan(given.astype(np.float64))
    elif given.dtype.kind in "UO":
        places = {word: place for place, word in enumerate(look.values)}
        for word in np.unique(given).tolist():
            if word not in places:
                raise UnknownNameError(f"{where}: there is no {word!r}{suggestion(str(word), look.values)}")
        given = np.vectorize(places.__getitem__, otypes=[np.int64])(given)
        wrong = np.zeros(given.shape, bool)
    elif given.dtype.kind in "biu":
        wrong = (given < 0) | (given >= len(look.values))
    else:
        raise WorkupError(
            f"{where}: found {given.dtype}; expected {' | '.join(look.values)}, or their places from 0 on"
        )
    if wrong.any():
        at = int(np.flatnonzero(wrong.ravel())[0])
        limits = f"a number from {look.low:g} to {look.high:g}" if look.graded else f"0 to {len(look.values) - 1}"
        raise WorkupError(f"{where}: found {given.ravel()[at]} for key {at}; expected {limits}")
    return np.broadcast_to(given, (n,))


def scaled(kind: str, look: str, standardised: ArrayLike) -> NDArray[np.float64]:
    """The graded look that shows a standardised finding: its centre at 0, `per_sd` of it (or of its logarithm) further at 1.

    Examples:
        >>> from workup.envs.modalities.draws import scaled
        >>> scaled("film", "opacity", [-1.0, 0.0, 2.0])
        array([0.15, 0.2 , 0.3 ])
    """
    known = looks_of(kind)
    if look not in known:
        raise UnknownNameError(f"a {kind} has no look {look!r}{suggestion(look, known)}")
    of = known[look]
    if not of.graded:
        raise WorkupError(f"{kind}.{look} is {' | '.join(of.values)}, no number; name one of these")
    moved = of.per_sd * np.asarray(standardised, dtype=np.float64)
    return np.asarray(of.centre * np.exp(moved) if of.logarithmic else of.centre + moved)
