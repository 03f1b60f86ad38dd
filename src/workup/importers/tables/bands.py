"""Where to cut a number so that its bands tell classes apart: recursive entropy splits that pay for themselves."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from workup.statistics import entropy

F64 = NDArray[np.float64]


def entropy_cuts(numbers: F64, classes: NDArray[np.int64], n_classes: int, *, most: int = 5) -> list[float]:
    """Cut points, ascending; none where no cut is worth its description.

    Args:
        numbers: (n,) without NaN.
        classes: (n,) in 0..n_classes - 1.
        n_classes: how many there are.
        most: most cuts, the best first.

    Source: Fayyad UM, Irani KB. Multi-interval discretization of continuous-valued attributes for classification
    learning. IJCAI 1993:1022-1027 (gain, and the minimum description length that stops it).
    """
    order = np.argsort(numbers, kind="stable")
    value = numbers[order]
    counts = np.zeros((len(value) + 1, n_classes))
    for c in range(n_classes):
        counts[1:, c] = np.cumsum(classes[order] == c)
    edges = np.flatnonzero(value[1:] > value[:-1]) + 1
    """Positions where the number changes."""
    open_parts, found = [(0, len(value))], []
    while open_parts:
        start, end = open_parts.pop()
        at, gain = _best_cut(counts, edges, start, end)
        if at > 0:
            found.append((gain * (end - start), at))
            open_parts += [(start, at), (at, end)]
    kept = sorted(found, reverse=True)[:most]
    return sorted(float((value[at - 1] + value[at]) / 2) for _, at in kept)


def _best_cut(counts: F64, edges: NDArray[np.int64], start: int, end: int) -> tuple[int, float]:
    """The position of the best cut and its gain in bits; 0 where it does not pay for itself."""
    inside = edges[np.searchsorted(edges, start, "right") : np.searchsorted(edges, end)]
    if inside.size == 0:
        return 0, 0.0
    whole = counts[end] - counts[start]
    left, right = counts[inside] - counts[start], counts[end] - counts[inside]
    n, n_left, n_right = float(end - start), inside - start, end - inside
    h, h_left, h_right = entropy(whole[None])[0], entropy(left), entropy(right)
    gain = h - (n_left * h_left + n_right * h_right) / n
    best = int(gain.argmax())
    k, k_left, k_right = ((part > 0).sum() for part in (whole, left[best], right[best]))
    delta = np.log2(3.0**k - 2.0) - (k * h - k_left * h_left[best] - k_right * h_right[best])
    if gain[best] <= (np.log2(n - 1.0) + delta) / n:
        return 0, 0.0
    return int(inside[best]), float(gain[best])


def median_cut(numbers: F64) -> float | None:
    """A cut that halves the patients as nearly as their numbers allow; None if all are the same."""
    value = np.unique(numbers)
    if len(value) < 2:
        return None
    below = np.array([(numbers < high).mean() for high in value[1:]]) if len(value) <= 200 else None
    at = int(np.abs(below - 0.5).argmin()) if below is not None else int(np.searchsorted(value, np.median(numbers)) - 1)
    at = min(max(at, 0), len(value) - 2)
    return float((value[at] + value[at + 1]) / 2)
