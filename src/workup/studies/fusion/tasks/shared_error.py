"""Two readers of one slide: what misled the first misleads the second, and adding them up counts it twice."""

from __future__ import annotations

from typing import Final

from workup.studies.fusion.tasks.base import Drawn, Draws, Evidence, Task

D: Final = 2.0
COMMON: Final = 1.0
"""Standard deviation of the error that both readers share; each has one of 1 of their own besides."""


def _draw(draws: Draws, policy: str) -> Drawn:
    label = draws.coin("label")
    common = COMMON * draws.normal("common")
    return Drawn(label, {m: (draws.graded(m, label, D) + common)[:, None] for m in ("R", "P")})


def _evidence(drawn: Drawn) -> Evidence:
    alone = {m: D / (1.0 + COMMON**2) * drawn.findings[m][:, 0] for m in ("R", "P")}
    mean = 0.5 * (drawn.findings["R"][:, 0] + drawn.findings["P"][:, 0])
    return Evidence(alone, D / (0.5 + COMMON**2) * mean)


TASK = Task(
    name="shared_error",
    title="Two readers of one slide",
    story=(
        "A slide is read twice. If the section is cut badly, both readers are misled in the same way. Whoever multiplies their odds as if "
        "they were two independent opinions ranks patients as well as can be, and is too sure of every one of them."
    ),
    modalities=("R", "P"),
    columns={"R": ("graded",), "P": ("graded",)},
    draw=_draw,
    evidence=_evidence,
)
