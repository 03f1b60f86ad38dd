"""The label lies in whether two findings agree, which neither modality knows."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from workup.studies.fusion.tasks.base import Drawn, Draws, Evidence, Task

D: Final = 1.0
FLIPPED: Final = 0.15
"""Share of patients in whom the bits do not differ just where the label is 1."""
SAID: Final = float(np.log((1 - FLIPPED) / FLIPPED))


def _draw(draws: Draws, policy: str) -> Drawn:
    label = draws.coin("label")
    return Drawn(label, discordant(draws, label, D, D))


def discordant(draws: Draws, label: NDArray[np.int64], d_r: float, d_p: float) -> dict[str, NDArray[np.float64]]:
    """Findings of R and P: a graded one, and a bit; the bits differ where the label (n,) is 1, but for FLIPPED of the patients."""
    bit = draws.coin("R bit")
    other = bit ^ label ^ draws.coin("flip", FLIPPED)
    return {
        "R": np.stack([draws.graded("R", label, d_r), bit], axis=1),
        "P": np.stack([draws.graded("P", label, d_p), other], axis=1),
    }


def _evidence(drawn: Drawn) -> Evidence:
    alone = {m: D * drawn.findings[m][:, 0] for m in ("R", "P")}
    differ = drawn.findings["R"][:, 1] != drawn.findings["P"][:, 1]
    return Evidence(alone, alone["R"] + alone["P"] + np.where(differ, SAID, -SAID))


TASK = Task(
    name="interaction",
    title="Does the core fit the film?",
    story=(
        "A suspicious mass is biopsied. Each team reports how abnormal what it sees is; but what matters most is whether the two fit: a "
        "benign core from a mass that looks malignant, or the reverse, means that the core missed it. Whether they fit is in neither "
        "report, so no way of adding up two reports can know it, however good they are."
    ),
    modalities=("R", "P"),
    columns={"R": ("graded", "bit"), "P": ("graded", "bit")},
    draw=_draw,
    evidence=_evidence,
    first_d=D,
)
