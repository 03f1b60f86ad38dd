"""Two tests of which one tells everything and the other nothing; the history says which."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from workup.studies.fusion.tasks.base import Bools, Drawn, Draws, Evidence, Task

D: Final = 2.5
COST_GBP, RIGHT_GBP = 100.0, 1000.0


def orders(draws: Draws, drawn: Drawn, policy: str) -> Bools:
    """(n, 2) both tests (same), one by a coin (random), or the one that the history names (personal)."""
    assert drawn.history is not None
    named = drawn.history[:, 0].astype(np.int64)
    if policy == "same":
        return np.ones((draws.n, 2), np.bool_)
    one = named if policy == "personal" else draws.coin("random")
    return np.asarray(np.stack([one == 0, one == 1], axis=1))


def _draw(draws: Draws, policy: str) -> Drawn:
    label, named = draws.coin("label"), draws.coin("history")
    told = np.where(label == 1, D / 2, -D / 2)
    findings = {m: (draws.normal(m) + np.where(named == k, told, 0.0))[:, None] for k, m in enumerate(("A", "B"))}
    return Drawn(label, findings, history=named.astype(np.float64)[:, None])


def mixed(x: NDArray[np.float64]) -> NDArray[np.float64]:
    """(n,) what a test says to somebody who does not know whether it is the right one."""
    idle = -0.5 * x**2
    return np.asarray(np.logaddexp(-0.5 * (x - D / 2) ** 2, idle) - np.logaddexp(-0.5 * (x + D / 2) ** 2, idle))


def unnamed(a: NDArray[np.float64], b: NDArray[np.float64]) -> NDArray[np.float64]:
    """(n,) what both tests (n,) say together to somebody who does not know which is the right one."""
    ill, well = (
        np.logaddexp(-0.5 * ((a - mean) ** 2 + b**2), -0.5 * (a**2 + (b - mean) ** 2)) for mean in (D / 2, -D / 2)
    )
    return np.asarray(ill - well)


def _evidence(drawn: Drawn) -> Evidence:
    values = {m: drawn.findings[m][:, 0] for m in ("A", "B")}
    if drawn.history is None:
        return Evidence({m: mixed(x) for m, x in values.items()}, unnamed(values["A"], values["B"]))
    named = drawn.history[:, 0]
    beside = {m: np.where(named == k, D * values[m], 0.0) for k, m in enumerate(("A", "B"))}
    return Evidence({m: mixed(x) for m, x in values.items()}, beside["A"] + beside["B"], beside)


TASK = Task(
    name="branch",
    title="The history says which test",
    story=(
        "A cough for two months: after a journey one test settles it, without one another does, and the wrong one of the two says nothing. "
        "Whoever orders for each patient what the history points to pays for one test and has the answer. A pathway that is the same for "
        "everybody pays for the wrong one in half of them."
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
