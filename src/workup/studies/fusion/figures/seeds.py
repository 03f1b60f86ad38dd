"""What the figures share: intervals over seeds, the note under each, and how axes look."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import ArrayLike

from workup.errors import WorkupError

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

DRAFT: Final = "Synthetic; a draft, not reviewed by a clinician; not medical advice."
SMALL: Final = 9.5
"""Points of the smallest letters: a page of WIDTH is still read on a telephone."""
WIDTH, WRAPPED = 6.6, 92
"""Inches of a page, and letters of a line under it."""


def over_seeds(values: ArrayLike) -> dict[str, float]:
    """Mean of the seeds and its 95% interval by Student's t: `mean`, `low`, `high`.

    Args:
        values: (seeds,) one figure a seed, two or more seeds.

    Raises:
        WorkupError: fewer than two, or one that is not finite.
    """
    from scipy.special import stdtrit

    found = np.asarray(values, dtype=np.float64)
    if found.ndim != 1 or len(found) < 2 or not np.isfinite(found).all():
        raise WorkupError(f"values: found {found.tolist()}; expected a finite figure of each of two or more seeds")
    half = float(stdtrit(len(found) - 1, 0.975) * found.std(ddof=1) / np.sqrt(len(found)))
    mean = float(found.mean())
    return {"mean": mean, "low": mean - half, "high": mean + half}


def checked_seeds(seeds: int) -> range:
    """0 to `seeds` - 1. Raises WorkupError below 2: one seed has no interval."""
    if seeds < 2:
        raise WorkupError(f"seeds: found {seeds}; expected 2 or more, for an interval over them")
    return range(seeds)


def band(axes: Axes, at: Sequence[float], found: Sequence[dict[str, float]], **looks: Any) -> None:
    """A line through the means, and the intervals as a band in its colour."""
    (line,) = axes.plot(at, [each["mean"] for each in found], **looks)
    low, high = ([each[end] for each in found] for end in ("low", "high"))
    axes.fill_between(at, low, high, color=line.get_color(), alpha=0.22, linewidth=0)


def plain(axes: Axes, title: str) -> None:
    """A title at the left, no frame above and to the right."""
    axes.set_title(title, fontsize=10.5, loc="left", weight="bold")
    axes.tick_params(labelsize=SMALL)
    axes.spines[["top", "right"]].set_visible(False)


def foot(figure: Figure, told: str) -> None:
    """The note under a figure of WIDTH, with what it is not."""
    figure.text(0.015, 0.012, f"{textwrap.fill(told, WRAPPED)}\n{DRAFT}", fontsize=SMALL, va="bottom", color="#333333")
