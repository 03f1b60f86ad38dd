"""Whether the second test is done depends on what it would show: missing by a value, and not by the label."""

from __future__ import annotations

from typing import Final

import numpy as np

from workup.studies.fusion.tasks.base import Bools, Drawn, Draws, Evidence, Task
from workup.studies.fusion.tasks.records import expit

D_R, D_P = 1.0, 1.5
STEEP: Final = 2.0
"""P is done with probability expit(STEEP x), x what it shows."""


def _ordered(draws: Draws, drawn: Drawn, policy: str) -> Bools:
    tilt = {"same": STEEP, "random": 0.0, "flipped": -STEEP}[policy]
    second = draws.coin("second", expit(tilt * drawn.findings["P"][:, 0]))
    return np.stack([np.ones(draws.n, np.bool_), second == 1], axis=1)


def _absence_says() -> float:
    """Log-likelihood ratio of P not done under `same`; of P done there is none, once its value is known."""
    x, step = np.linspace(-12.0, 12.0, 4801, retstep=True)
    well, ill = (float(step * expit(-STEEP * x) @ np.exp(-0.5 * (x - mean) ** 2)) for mean in (-D_P / 2, D_P / 2))
    return float(np.log(ill / well))


def _draw(draws: Draws, policy: str) -> Drawn:
    label = draws.coin("label")
    return Drawn(label, {"R": draws.graded("R", label, D_R)[:, None], "P": draws.graded("P", label, D_P)[:, None]})


def _evidence(drawn: Drawn) -> Evidence:
    alone = {"R": D_R * drawn.findings["R"][:, 0], "P": D_P * drawn.findings["P"][:, 0]}
    return Evidence(alone, alone["R"] + alone["P"])


TASK = Task(
    name="value_ordered",
    title="Done where it would show something",
    story=(
        "Everybody is filmed; a lump is biopsied the sooner, the odder it feels, and how odd it feels is what the core then shows. Once the "
        "core is read, that there is one says nothing more; that there is none says that it would have shown little. Weights that even out "
        "by label who had one are wrong here, because the order went by the finding and not by the disease."
    ),
    modalities=("R", "P"),
    columns={"R": ("graded",), "P": ("graded",)},
    draw=_draw,
    evidence=_evidence,
    ordered=_ordered,
    policies=("same", "random", "flipped"),
    held=None,
    pattern_says=(_absence_says(), 0.0),
    first_d=D_R,
)
