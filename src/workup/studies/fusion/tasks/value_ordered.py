"""Who has the second test is decided by the result of the first, which is in the record: missing at random, and not by label."""

from __future__ import annotations

from typing import Final

import numpy as np

from workup.studies.fusion.tasks.base import Bools, Drawn, Draws, Evidence, Task
from workup.studies.fusion.tasks.records import expit

D_R, D_P = 1.0, 1.5
STEEP: Final = 2.0
"""P is ordered with probability expit(STEEP x), x the graded finding of R."""


def _ordered(draws: Draws, drawn: Drawn, policy: str) -> Bools:
    tilt = {"same": STEEP, "random": 0.0, "flipped": -STEEP}[policy]
    second = draws.coin("second", expit(tilt * drawn.findings["R"][:, 0]))
    return np.stack([np.ones(draws.n, np.bool_), second == 1], axis=1)


def _draw(draws: Draws, policy: str) -> Drawn:
    label = draws.coin("label")
    return Drawn(label, {"R": draws.graded("R", label, D_R)[:, None], "P": draws.graded("P", label, D_P)[:, None]})


def _evidence(drawn: Drawn) -> Evidence:
    alone = {"R": D_R * drawn.findings["R"][:, 0], "P": D_P * drawn.findings["P"][:, 0]}
    return Evidence(alone, alone["R"] + alone["P"])


TASK = Task(
    name="value_ordered",
    title="The film decides on the biopsy",
    story=(
        "Everybody is filmed, and the worse the film looks the likelier a biopsy. The reason for the order is in the record, so that "
        "having had a biopsy says nothing more to whoever has read the film. Weights that even out who had one by label repair a bias "
        "that is not there and make one: the order depends on the finding, not on the disease."
    ),
    modalities=("R", "P"),
    columns={"R": ("graded",), "P": ("graded",)},
    draw=_draw,
    evidence=_evidence,
    ordered=_ordered,
    policies=("same", "random", "flipped"),
    held=None,
    first_d=D_R,
)
