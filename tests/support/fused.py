"""Patients of two modalities with the exact log-odds beside them: laws written apart from those of the benchmark."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

from workup.agents.fusion.base import TaskSpec

FEATURES = 12
_MIXES = np.random.default_rng(99).standard_normal((2, 2, FEATURES))
_FLIPPED = 0.15


@dataclass(frozen=True)
class Cohort:
    """n patients; `exact` is the log-odds of label 1 given the values that are present, and `late` what readers apart can reach."""

    inputs: dict[str, NDArray[np.float32]]
    present: NDArray[np.bool_]
    order: NDArray[np.int64]
    label: NDArray[np.int64]
    exact: NDArray[np.float64]
    late: NDArray[np.float64]
    history: NDArray[np.float32] | None = None

    def asked(self, **changed: Any) -> dict[str, Any]:
        """What `logits` takes."""
        found = {"inputs": self.inputs, "present": self.present, "order": self.order, "history": self.history}
        return found | changed

    def taught(self, **changed: Any) -> dict[str, Any]:
        """What `fit` takes."""
        return self.asked(question=None, label=self.label) | changed


def spec(name: str = "interaction", **costs: Any) -> TaskSpec:
    return TaskSpec(name, ("R", "P"), {"R": (FEATURES,), "P": (FEATURES,)}, classes=2, **costs)


BRANCH = spec("branch", costs_gbp={"R": 100.0, "P": 100.0}, right_gbp=1000.0)


def cohort(law: str, n: int, seed: int, policy: str = "same", missing: float = 0.0) -> Cohort:
    """Laws: additive, interaction, shortcut, shortcut_interaction; policies: same, random, flipped."""
    rng = np.random.default_rng(seed)
    prevalence = 0.3 if law.startswith("shortcut") else 0.5
    label = (rng.random(n) < prevalence).astype(np.int64)
    strength = {"additive": (2.0, 2.0), "shortcut": (1.0, 1.5)}.get(law, (1.0, 1.0))
    r, p = (rng.standard_normal(n) + np.where(label == 1, d / 2, -d / 2) for d in strength)
    a = rng.integers(0, 2, n)
    linked = law.endswith("interaction")
    b = a ^ label ^ (rng.random(n) < _FLIPPED) if linked else rng.integers(0, 2, n)
    present = np.ones((n, 2), dtype=bool)
    if law.startswith("shortcut"):
        suspected = rng.random(n) < np.where(label == 1, 0.8, 0.2)
        present[:, 1] = {"same": suspected, "flipped": ~suspected, "random": rng.random(n) < 0.38}[policy]
    if missing:
        present &= rng.random((n, 2)) >= missing
        present[~present.any(axis=1), 0] = True
    odds = np.log(prevalence / (1 - prevalence)) + present[:, 0] * strength[0] * r + present[:, 1] * strength[1] * p
    both = present.all(axis=1) * np.log((1 - _FLIPPED) / _FLIPPED) * np.where(a ^ b, 1, -1) if linked else 0.0
    inputs = {name: view(name, x, bit, rng) for name, x, bit in (("R", r, a), ("P", p, b))}
    return Cohort(inputs, present, order_of(present), label, odds + both, odds)


def branch(n: int, seed: int, *, control: bool = False) -> Cohort:
    """The history says which of two tests separates by 2.5; in the control it is R for everybody."""
    rng = np.random.default_rng(seed)
    label = rng.integers(0, 2, n)
    which = rng.integers(0, 2, n)
    suits = np.zeros(n, dtype=np.int64) if control else which
    shift = np.where(label == 1, 1.25, -1.25)
    values = [rng.standard_normal(n) + np.where(suits == column, shift, 0.0) for column in range(2)]
    inputs = {name: view(name, x, rng.integers(0, 2, n), rng) for name, x in zip("RP", values, strict=True)}
    history = (2.0 * which - 1 + 0.05 * rng.standard_normal(n))[:, None].astype(np.float32)
    exact = 2.5 * np.where(suits == 0, values[0], values[1])
    present = np.ones((n, 2), dtype=bool)
    return Cohort(inputs, present, order_of(present), label, exact, exact, history)


def view(name: str, graded: NDArray[Any], bit: NDArray[Any], rng: np.random.Generator) -> NDArray[np.float32]:
    """A graded finding and a bit, mixed into features."""
    mixed = np.stack([graded, 3.0 * (bit - 0.5)], axis=1) @ _MIXES["RP".index(name)]
    return (2 * np.tanh(0.4 * mixed) + 0.05 * rng.standard_normal(mixed.shape)).astype(np.float32)


def order_of(present: NDArray[np.bool_]) -> NDArray[np.int64]:
    """R before P."""
    order = np.full(present.shape, -1, dtype=np.int64)
    order[:, 0] = np.where(present[:, 0], 0, np.where(present[:, 1], 1, -1))
    order[:, 1] = np.where(present.all(axis=1), 1, -1)
    return order


def auroc(score: NDArray[Any], label: NDArray[np.int64]) -> float:
    ranks, ones = rankdata(score), int(label.sum())
    return float((ranks[label == 1].sum() - ones * (ones + 1) / 2) / (ones * (len(label) - ones)))
