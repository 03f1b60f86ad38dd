"""A second modality that says nothing: what does it cost to have it?"""

from __future__ import annotations

from typing import Final

import numpy as np

from workup.studies.fusion.tasks.base import Drawn, Draws, Evidence, Task

D: Final = 2.0


def _draw(draws: Draws, policy: str) -> Drawn:
    label = draws.coin("label")
    return Drawn(label, {"R": draws.graded("R", label, D)[:, None], "P": draws.normal("P")[:, None]})


def _evidence(drawn: Drawn) -> Evidence:
    alone = {"R": D * drawn.findings["R"][:, 0], "P": np.zeros(len(drawn.label))}
    return Evidence(alone, alone["R"])


TASK = Task(
    name="weak",
    title="A test that says nothing",
    story=(
        "A film shows most of what there is to know, and everybody also has a blood test that has nothing to do with the question. Fusing "
        "the two can only lose, by as much as a method mistakes noise for news."
    ),
    modalities=("R", "P"),
    columns={"R": ("graded",), "P": ("graded",)},
    draw=_draw,
    evidence=_evidence,
    first_d=D,
)
