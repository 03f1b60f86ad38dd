"""Two modalities that know the same thing independently: whoever adds up what each says loses nothing."""

from __future__ import annotations

from typing import Final

from workup.studies.fusion.tasks.base import Drawn, Draws, Evidence, Task

D: Final = 2.0


def _draw(draws: Draws, policy: str) -> Drawn:
    label = draws.coin("label")
    return Drawn(label, {m: draws.graded(m, label, D)[:, None] for m in ("R", "P")})


def _evidence(drawn: Drawn) -> Evidence:
    alone = {m: D * drawn.findings[m][:, 0] for m in ("R", "P")}
    return Evidence(alone, alone["R"] + alone["P"])


TASK = Task(
    name="additive",
    title="Two opinions on one question",
    story=(
        "A lump is filmed, and it is biopsied. How ill-defined it looks and how atypical its cells are both rise with cancer, and once it "
        "is known whether there is cancer the one says nothing about the other. Two teams that each report how likely cancer is lose "
        "nothing if their odds are multiplied, and a little if their probabilities are averaged."
    ),
    modalities=("R", "P"),
    columns={"R": ("graded",), "P": ("graded",)},
    draw=_draw,
    evidence=_evidence,
    first_d=D,
)
