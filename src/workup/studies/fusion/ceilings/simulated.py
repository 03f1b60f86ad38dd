"""Ceilings by simulation: the exact scores of a task's patients, measured. Shares nothing with the closed forms."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np
from numpy.typing import NDArray

from workup.errors import WorkupError
from workup.studies.fusion.tasks import TASKS
from workup.studies.fusion.tasks.base import Draws, Patients, Task
from workup.studies.fusion.tasks.records import Missing, expit, logit

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
SLOPES: Final = ("shared_error",)
"""Tasks whose late score is measured for its slope as well."""


def ceilings(
    task: str | Task, missing: Missing | None = None, *, patients: int, seed: int = 0
) -> dict[str, dict[str, dict[str, float]]]:
    """Message class -> policy -> `auroc`, `log_loss` in nats, and for some `calibration_slope`, `auroc_by_question`.

    Args:
        task: a name of `TASKS`, or a task of your own.
        missing: what is left out of records besides.
        patients: how many are drawn.
        seed: whom.

    Raises:
        WorkupError: what `Task.patients` raises.
    """
    of = TASKS[task] if isinstance(task, str) else task
    found: dict[str, dict[str, dict[str, float]]] = {}
    for policy in of.policies:
        met = of.patients(patients, seed=seed, policy=policy, missing=missing)
        for name, score in {**met.exact, "report": report(of, met, seed=seed, policy=policy)}.items():
            figures = {"auroc": auroc(score, met.label), "log_loss": log_loss(score, met.label)}
            if met.question is not None:
                figures["auroc_by_question"] = _by_question(score, met.label, met.question)
            if name == "late" and of.name in SLOPES:
                figures["calibration_slope"] = slope(score, met.label)
            found.setdefault(name, {})[policy] = figures
    return found


def auroc(score: Floats, label: Ints) -> float:
    """P(a patient of label 1 scores higher than one of label 0), half of ties counted."""
    well, ill = (np.sort(score[label == y]) for y in (0, 1))
    below = np.searchsorted(well, ill, "left") + np.searchsorted(well, ill, "right")
    return float(below.sum(dtype=np.float64)) / (2.0 * len(well) * len(ill))


def log_loss(score: Floats, label: Ints) -> float:
    """Mean of -log P(label) in nats; the score is the log-odds of label 1."""
    return float(np.logaddexp(0.0, np.where(label == 1, -score, score)).mean())


def slope(score: Floats, label: Ints) -> float:
    """Of a logistic regression of the label on the score, by Newton's steps."""
    x = np.stack([np.ones(len(score)), score], axis=1)
    at = np.array([0.0, 1.0])
    for _ in range(50):
        p = expit(x @ at)
        step = np.linalg.solve((x * (p * (1 - p))[:, None]).T @ x, x.T @ (label - p))
        at = at + step
        if np.abs(step).max() < 1e-10:
            return float(at[1])
    raise WorkupError(
        "the slope of a logistic regression did not settle in 50 steps; expected scores of both labels to overlap"
    )


def report(task: Task, met: Patients, *, seed: int, policy: str) -> Floats:
    """(n,) log-odds from reports: each modality names the decile of its probability, and how often each pair of deciles comes with
    each label, counted in everybody, is known to whoever decides."""
    evidence = task.evidence(task.draw(Draws(task.name, seed, len(met.label)), policy))
    prior = logit(task.prevalence)
    said = [np.floor(10.0 * expit(prior + evidence.alone[m])).astype(np.int64).clip(0, 9) for m in task.modalities]
    ratio = prior + _beside(met)
    for pattern in np.array([[True, True], [True, False], [False, True]]):
        rows = (met.present == pattern).all(axis=1)
        code = said[0] * pattern[0] * 10 + said[1] * pattern[1]
        counts = np.stack([np.bincount(code[met.label == y], minlength=100) for y in (0, 1)]).astype(np.float64)
        share = (counts + 0.5) / (counts + 0.5).sum(axis=1, keepdims=True)
        ratio[rows] += (np.log(share[1]) - np.log(share[0]))[code[rows]]
    return ratio


def _beside(met: Patients) -> Floats:
    """(n,) what a history of a risk says, which is in no report."""
    if "joint_no_history" not in met.exact:
        return np.zeros(len(met.label))
    return met.exact["joint"] - met.exact["joint_no_history"]


def _by_question(score: Floats, label: Ints, question: Ints) -> float:
    """The mean over questions of the AUROC among those who were asked it."""
    return float(np.mean([auroc(score[question == q], label[question == q]) for q in np.unique(question)]))


def benefits_gbp(task: str, *, patients: int, seed: int = 0) -> Mapping[str, float]:
    """Strategy -> mean benefit in pounds of strategies played on patients: see `closed.benefits_gbp`.

    Raises:
        WorkupError: a task without prices.
    """
    of = TASKS[task]
    if of.right_gbp == 0.0:
        raise WorkupError(f"{task} has no prices; expected branch or branch_control")
    met = of.patients(patients, seed=seed)
    found = of.evidence(of.draw(Draws(of.name, seed, patients), "same"))
    beside = found.alone if found.beside_history is None else found.beside_history
    assert met.history is not None
    named, price = met.history[:, 0], [of.costs_gbp[m] for m in of.modalities]

    def gain(orders: list[int], log_odds: Floats) -> Floats:
        return of.right_gbp * ((log_odds > 0) == (met.label == 1)) - sum(price[m] for m in orders)

    one = [gain([m], beside[name]) for m, name in enumerate(of.modalities)]
    none, both = gain([], np.zeros(patients)), gain([0, 1], found.together)
    ways = {first: np.stack([none, one[first], both]) for first in (0, 1)}
    order = max(_best_by_history(way, named) for way in ways.values())
    own = _best_by_history(np.stack([none, *one, both]), named)
    return {
        "none": float(none.mean()), "one": max(float(each.mean()) for each in one), "both": float(both.mean()),
        "order": order, "personal": own,
    }  # fmt: skip


def _best_by_history(ways: Floats, named: Floats) -> float:
    """Mean benefit where each history takes the way (w, n) that is best on average for those who have it."""
    return float(sum((named == k).mean() * ways[:, named == k].mean(axis=1).max() for k in np.unique(named)))
