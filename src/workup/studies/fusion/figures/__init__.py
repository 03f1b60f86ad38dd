"""Three small studies that the founding article asks for, a figure each: a function that measures and one that draws.

Synthetic; drafts, not reviewed by a clinician.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final

from workup.studies.fusion.figures import disagreement, position, whitespace

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FIGURES: Final[Mapping[str, tuple[Callable[..., dict[str, Any]], Callable[[Mapping[str, Any]], Figure]]]] = {
    "readers": (disagreement.measure, disagreement.draw),
    "note": (position.measure, position.draw),
    "whitespace": (whitespace.measure, whitespace.draw),
}
"""Name -> what measures, `measure(seeds=5, ...)`, plain data; and what draws that. Each measurement takes less than a minute."""
