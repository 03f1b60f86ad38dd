"""Nine questions to the same two pictures: features that were fixed before the question may have dropped what it asks."""

from __future__ import annotations

from typing import Final

import numpy as np

from workup.studies.fusion.tasks.base import Drawn, Draws, Evidence, Task

D: Final = 1.5
FINE: Final = 8
SCALE: Final = np.array([1.0, *[0.4] * FINE])
"""How large a finding of each attribute shows in the picture; the gross one is what varies most."""
KEPT: Final[dict[str, tuple[int, ...]]] = {"bottleneck:variance": (0,), "bottleneck:fine": (1, 2)}
"""Which attributes are kept in both modalities: the one that varies most in each, two numbers in all; two of the eight fine ones."""


def _draw(draws: Draws, policy: str) -> Drawn:
    first, last = {"same": (0, FINE), "broad": (0, 0), "specific": (1, FINE)}[policy]
    question = first + np.floor(draws.uniform("question") * (last - first + 1)).astype(np.int64)
    labels = np.stack([draws.coin(f"label {a}") for a in range(1 + FINE)], axis=1)
    findings = {
        m: SCALE * np.stack([draws.graded(f"{m} {a}", labels[:, a], D) for a in range(1 + FINE)], axis=1)
        for m in ("R", "P")
    }
    return Drawn(np.take_along_axis(labels, question[:, None], axis=1)[:, 0], findings, question)


def _evidence(drawn: Drawn) -> Evidence:
    assert drawn.question is not None
    asked = drawn.question[:, None]
    alone = {m: D * np.take_along_axis(drawn.findings[m] / SCALE, asked, axis=1)[:, 0] for m in ("R", "P")}
    still = {
        name: {m: np.where(np.isin(drawn.question, columns), alone[m], 0.0) for m in alone}
        for name, columns in KEPT.items()
    }
    return Evidence(alone, alone["R"] + alone["P"], bottlenecks=still)


_NAMES = ("gross", *(f"fine_{a}" for a in range(1, 1 + FINE)))
TASK = Task(
    name="question",
    title="Features that were fixed before the question",
    story=(
        "A film and a slide each show one gross thing and eight fine ones, and nine clinics ask nine questions of them. Whoever boils the "
        "pictures down before the question comes keeps what varies most, which is the gross thing: enough for the broad question, nothing "
        "for the eight specific ones. Whoever waits for the question loses nothing."
    ),
    modalities=("R", "P"),
    columns={"R": _NAMES, "P": _NAMES},
    draw=_draw,
    evidence=_evidence,
    policies=("same", "broad", "specific"),
    questions=1 + FINE,
)
