"""The control of `branch`: the history says something, and the same test suits everybody."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from workup.studies.fusion.tasks.base import Drawn, Draws, Evidence
from workup.studies.fusion.tasks.branch import TASK as BRANCH
from workup.studies.fusion.tasks.branch import D


def _draw(draws: Draws, policy: str) -> Drawn:
    label, named = draws.coin("label"), draws.coin("history")
    findings = {"A": draws.graded("A", label, D)[:, None], "B": draws.normal("B")[:, None]}
    return Drawn(label, findings, history=named.astype(np.float64)[:, None])


def _evidence(drawn: Drawn) -> Evidence:
    alone = {"A": D * drawn.findings["A"][:, 0], "B": np.zeros(len(drawn.label))}
    return Evidence(alone, alone["A"])


TASK = replace(
    BRANCH,
    name="branch_control",
    title="The same test for everybody",
    story=(
        "As `branch`, but whatever the history says the same test settles it. A pathway that is the same for everybody is then the best "
        "there is, and whoever claims to gain by tailoring it has measured luck."
    ),
    draw=_draw,
    evidence=_evidence,
)
