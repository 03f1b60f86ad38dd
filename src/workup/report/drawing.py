"""How every picture is drawn: colours, style, labels that do not overlap, and SVG that follows the page's colours.

Matplotlib without pyplot, so that no global state or screen is touched. Colours are those of Okabe and Ito, which
colour-blind readers can tell apart.
"""

from __future__ import annotations

import io
import re
from collections.abc import Sequence

import matplotlib as mpl
import numpy as np
from markupsafe import escape
from matplotlib.figure import Figure
from numpy.typing import NDArray

INK, MUTED, FAINT, PAPER = "#1d2430", "#667085", "#c9ced6", "#fefefe"
PALETTE = ("#D55E00", "#0072B2", "#009E73", "#E69F00", "#CC79A7", "#56B4E9", "#B8A400")
OTHER = "#b9bec7"
_ON_PAGE = {INK: "--ink", MUTED: "--muted", FAINT: "--faint", PAPER: "--paper", OTHER: "--other"} | {
    colour.lower(): f"--{name}"
    for colour, name in zip(PALETTE, ("vermilion", "blue", "green", "orange", "purple", "sky", "olive"), strict=True)
}
"""Colour of a figure -> the page's variable: darker on white and lighter on black, so that words can be read in it."""
STYLE = {
    "font.family": "DejaVu Sans",  # comes with matplotlib; wide, so that a reader's font takes no more room
    "font.size": 8.5,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": MUTED,
    "axes.labelcolor": MUTED,
    "axes.linewidth": 0.7,
    "text.color": INK,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "xtick.major.size": 3,
    "ytick.major.size": 3,
    "svg.fonttype": "none",
    "svg.hashsalt": "workup",
    "figure.facecolor": PAPER,
    "axes.facecolor": "none",
    "text.parse_math": False,  # a "$" in a scenario is a dollar
}


def svg(figure: Figure, title: str, about: str) -> str:
    """The figure as an `<svg>` element, text kept as text; its colours follow the page's, light or dark.

    Args:
        figure: drawn in the colours of this module.
        title: what it is, different for every picture of a page; escaped here.
        about: what it shows, for who cannot see it; escaped here.
    """
    buffer = io.StringIO()
    with mpl.rc_context(STYLE):  # type: ignore[arg-type]
        figure.savefig(buffer, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    text = buffer.getvalue()
    text = re.sub(r"<metadata>.*?</metadata>", "", text[text.index("<svg") :], flags=re.DOTALL)
    for colour, name in _ON_PAGE.items():
        text = text.replace(colour, f"var({name})")
    used = set(re.findall(r"#([\w-]+)", text))
    text = re.sub(r' id="([\w-]+)"', lambda found: found[0] if found[1] in used else "", text)
    start = text.index(">")
    said = f"<title>{escape(title)}</title><desc>{escape(about)}</desc>"
    text = f'{text[:start]} role="img" aria-label="{escape(f"{title}. {about}")}">{said}{text[start + 1 :]}'
    return text.replace("'DejaVu Sans'", "'DejaVu Sans', Verdana, Arial, sans-serif")


def spread(places: Sequence[float], heights: Sequence[float] | float) -> NDArray[np.float64]:
    """Positions as near as possible to `places` (least squares, same order) at which labels do not overlap.

    Args:
        places: wanted middles, in any order.
        heights: of each label, or of all.
    """
    order = np.argsort(places, kind="stable")
    height = np.broadcast_to(np.asarray(heights, dtype=np.float64), len(places))[order]
    apart = np.concatenate([[0.0], np.cumsum((height[:-1] + height[1:]) / 2)])[: len(places)]
    blocks: list[tuple[float, int]] = []
    for place in np.asarray(places, dtype=np.float64)[order] - apart:  # pool adjacent violators
        blocks.append((float(place), 1))
        while len(blocks) > 1 and blocks[-2][0] > blocks[-1][0]:
            (one, n), (other, m) = blocks.pop(), blocks.pop()
            blocks.append(((one * n + other * m) / (n + m), n + m))
    out = np.empty(len(places))
    out[order] = np.repeat([value for value, _ in blocks], [n for _, n in blocks]) + apart
    return out
