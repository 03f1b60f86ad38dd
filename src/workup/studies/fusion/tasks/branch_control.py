"""The control of `branch`: the history says something, and the same test suits everybody."""

from __future__ import annotations

import numpy as np

from workup.studies.fusion.tasks.base import Drawn, Draws, Evidence, Task
from workup.studies.fusion.tasks.branch import COST_GBP, RIGHT_GBP, D, orders


def _draw(draws: Draws, policy: str) -> Drawn:
    label, named = draws.coin("label"), draws.coin("history")
    findings = {"A": draws.graded("A", label, D)[:, None], "B": draws.normal("B")[:, None]}
    return Drawn(label, findings, history=named.astype(np.float64)[:, None])


def _evidence(drawn: Drawn) -> Evidence:
    alone = {"A": D * drawn.findings["A"][:, 0], "B": np.zeros(len(drawn.label))}
    return Evidence(alone, alone["A"])


TASK = Task(
    name="branch_control",
    title="The same test for everybody",
    story=(
        "As `branch`, but whatever the history says the same test settles it. A pathway that is the same for everybody is then the best "
        "there is, and whoever claims to gain by tailoring it has measured luck."
    ),
    modalities=("A", "B"),
    columns={"A": ("graded",), "B": ("graded",)},
    draw=_draw,
    evidence=_evidence,
    ordered=orders,
    policies=("same", "random", "personal"),
    held=None,
    costs_gbp={"A": COST_GBP, "B": COST_GBP},
    right_gbp=RIGHT_GBP,
)
