"""Who has the second test is decided by an impression that nobody writes down, so that having it says more than its result."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from workup.studies.fusion.tasks.base import Bools, Drawn, Draws, Evidence, Task

PREVALENCE: Final = 0.3
D_R, D_P = 1.0, 1.5
IMPRESSION: Final = (0.2, 0.8)
"""P(the clinician has an uneasy impression | label 0, label 1)."""


def impression_orders(draws: Draws, drawn: Drawn, policy: str) -> Bools:
    """(n, 2) R for everybody; P for the impression (same), for all others (flipped), or for as many at random."""
    uneasy = draws.coin("impression", np.array(IMPRESSION)[drawn.label])
    share = PREVALENCE * IMPRESSION[1] + (1.0 - PREVALENCE) * IMPRESSION[0]
    second: NDArray[np.int64] = {"same": uneasy, "flipped": 1 - uneasy, "random": draws.coin("random", share)}[policy]
    return np.stack([np.ones(draws.n, np.bool_), second == 1], axis=1)


def _draw(draws: Draws, policy: str) -> Drawn:
    label = draws.coin("label", PREVALENCE)
    return Drawn(label, {"R": draws.graded("R", label, D_R)[:, None], "P": draws.graded("P", label, D_P)[:, None]})


def _evidence(drawn: Drawn) -> Evidence:
    alone = {"R": D_R * drawn.findings["R"][:, 0], "P": D_P * drawn.findings["P"][:, 0]}
    return Evidence(alone, alone["R"] + alone["P"])


TASK = Task(
    name="shortcut",
    title="The order says more than the result",
    story=(
        "Everybody is filmed; who is biopsied is decided by how ill they look, which is not written down. In those records having had a "
        "biopsy is itself the best sign of cancer, and a model that may see who had one learns it. Elsewhere, where orders are random, or "
        "go to those who look well, that knowledge is worth nothing or is wrong."
    ),
    modalities=("R", "P"),
    columns={"R": ("graded",), "P": ("graded",)},
    draw=_draw,
    evidence=_evidence,
    ordered=impression_orders,
    policies=("same", "random", "flipped"),
    prevalence=PREVALENCE,
    held=IMPRESSION,
    first_d=D_R,
)
