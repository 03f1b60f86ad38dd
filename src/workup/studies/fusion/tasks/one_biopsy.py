"""Only the film knows from where the core was taken, and a core from the lung stains for a reason of its own."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from workup.studies.fusion.tasks.base import Drawn, Draws, Evidence, Task

PREVALENCE: Final = 0.4
D: Final = 1.0
SENSITIVITY, FALSE_POSITIVE = 0.85, 0.03
"""P(the tumour stains | it is a lung primary), P(it stains | it is another)."""
ENTRAPPED: Final = 0.80
"""P(a core from the lung stains for the lung cells trapped in it)."""
FROM_LUNG: Final = 0.5


def stains(lung_primary: int, from_lung: int) -> float:
    """P(the core stains)."""
    tumour = SENSITIVITY if lung_primary else FALSE_POSITIVE
    return 1.0 - (1.0 - tumour) * (1.0 - ENTRAPPED) if from_lung else tumour


def _draw(draws: Draws, policy: str) -> Drawn:
    label = draws.coin("label", PREVALENCE)
    site = draws.coin("site", FROM_LUNG)
    chance = np.array([[stains(y, s) for s in (0, 1)] for y in (0, 1)])[label, site]
    stain = draws.coin("stain", chance).astype(np.float64)
    return Drawn(label, {"R": np.stack([draws.graded("R", label, D), site], axis=1), "P": stain[:, None]})


def _ratio(
    stain: NDArray[np.float64], if_primary: NDArray[np.float64] | float, if_other: NDArray[np.float64] | float
) -> NDArray[np.float64]:
    positive = np.log(if_primary) - np.log(if_other)
    return np.where(stain == 1, positive, np.log1p(-np.asarray(if_primary)) - np.log1p(-np.asarray(if_other)))


def _evidence(drawn: Drawn) -> Evidence:
    film, stain = D * drawn.findings["R"][:, 0], drawn.findings["P"][:, 0]
    site = drawn.findings["R"][:, 1].astype(np.int64)
    by_site = [np.array([stains(y, s) for s in (0, 1)]) for y in (0, 1)]
    anywhere = [FROM_LUNG * stains(y, 1) + (1 - FROM_LUNG) * stains(y, 0) for y in (0, 1)]
    alone = {"R": film, "P": _ratio(stain, anywhere[1], anywhere[0])}
    return Evidence(alone, film + _ratio(stain, by_site[1][site], by_site[0][site]))


TASK = Task(
    name="one_biopsy",
    title="One biopsy, read without the film",
    story=(
        "Cancer in several places: did it start in the lung? One core is taken, in half of the patients from the lung itself. The stain "
        "marks lung cells, and in a core from the lung it also marks healthy ones caught in the tumour. A pathologist who does not know "
        "where the needle went must hedge; whoever reads the core beside the film knows when a positive stain means little."
    ),
    modalities=("R", "P"),
    columns={"R": ("graded", "from_lung"), "P": ("stain",)},
    draw=_draw,
    evidence=_evidence,
    context={"R": 1},
    prevalence=PREVALENCE,
    first_d=D,
)
