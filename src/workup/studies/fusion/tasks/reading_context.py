"""A reading that is shifted by how it was taken, which only the other modality shows."""

from __future__ import annotations

from typing import Final

import numpy as np

from workup.studies.fusion.tasks.base import Drawn, Draws, Evidence, Task

D: Final = 2.0
SHIFT: Final = 1.25
"""By how much a reading rises in one half of patients, and falls in the other."""


def _draw(draws: Draws, policy: str) -> Drawn:
    label, context = draws.coin("label"), draws.coin("context")
    reading = draws.graded("R", label, D) + np.where(context == 1, SHIFT, -SHIFT)
    return Drawn(label, {"R": reading[:, None], "P": context.astype(np.float64)[:, None]})


def _evidence(drawn: Drawn) -> Evidence:
    reading, context = drawn.findings["R"][:, 0], drawn.findings["P"][:, 0]
    shift = np.where(context == 1, SHIFT, -SHIFT)
    ill, well = (
        np.logaddexp(-0.5 * (reading - mean - SHIFT) ** 2, -0.5 * (reading - mean + SHIFT) ** 2)
        for mean in (D / 2, -D / 2)
    )
    return Evidence({"R": ill - well, "P": np.zeros(len(reading))}, D * (reading - shift))


TASK = Task(
    name="reading_context",
    title="How was it taken?",
    story=(
        "A heart looks wide on a film taken from the front in bed, a potassium is high in a sample whose cells have burst, a slide is pale "
        "in one laboratory. The reading is in one modality and what shifts it in another. Alone the one must allow for both cases, and "
        "the other says nothing at all."
    ),
    modalities=("R", "P"),
    columns={"R": ("graded",), "P": ("context",)},
    draw=_draw,
    evidence=_evidence,
    context={"P": 0},
)
