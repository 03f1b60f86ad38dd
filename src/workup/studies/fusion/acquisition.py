"""Own acquisition: a method gets what it pays for, patient by patient, and is worth its right answers less what it spent."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from workup.agents.fusion.acquisition import lead, policy_of
from workup.agents.fusion.base import MissingModalityError, Rows, UnseenPatternError
from workup.agents.fusion.stepwise import Stepwise
from workup.agents.fusion.training import Fitted, logits
from workup.errors import WorkupError
from workup.studies.fusion.data import FusionData

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Acquired:
    """What n patients were worth, and what was got for each."""

    benefit_gbp: Floats
    """(n,) worth of a right answer, or nothing, less what was spent."""
    spent_gbp: Floats
    """(n,)"""
    chosen: str
    """`each patient's own`, or the set that everybody has, such as `A+B`, with what is free."""

    def as_json(self) -> dict[str, Any]:
        """Means, in pounds a patient."""
        return {
            "benefit_gbp": float(self.benefit_gbp.mean()),
            "spent_gbp": float(self.spent_gbp.mean()),
            "set": self.chosen,
        }


def acquired(fitted: Fitted, validation: FusionData, test: FusionData) -> Acquired:
    """What a method is worth where it chooses what to get.

    A method that chooses (`Stepwise`) goes its own way with each patient. Any other gets the set of modalities that was worth most on
    validation patients, the same for everybody.

    Args:
        fitted: trained.
        validation: patients by whom the set is chosen; whatever they have can be got.
        test: other patients; whatever they have can be got.

    Raises:
        WorkupError: no set of modalities from which the method can predict.
    """
    if isinstance(fitted.fusion, Stepwise):
        rows = test.rows
        led = lead(policy_of(fitted), fitted, rows.inputs, rows.present.numpy(), rows.question)
        return Acquired(led.benefit_gbp(rows.label.numpy(), test.spec.right_gbp), led.spent_gbp, "each patient's own")
    best: tuple[float, tuple[int, ...]] | None = None
    for columns in _sets(fitted):
        try:
            worth = float(_valued(fitted, _of_set(validation.rows, columns), validation, "").benefit_gbp.mean())
        except (MissingModalityError, UnseenPatternError):
            continue
        if best is None or worth > best[0]:
            best = worth, columns
    if best is None:
        raise WorkupError(f"{fitted.method} predicts from no set of modalities of {fitted.spec.name}")
    bought = [fitted.spec.modalities[column] for column in best[1] if fitted.spec.prices()[column] > 0]
    return _valued(fitted, _of_set(test.rows, best[1]), test, "+".join(bought) or "nothing")


def _sets(fitted: Fitted) -> Iterator[tuple[int, ...]]:
    prices = fitted.spec.prices()
    free = [column for column, price in enumerate(prices) if price <= 0]
    priced = [column for column, price in enumerate(prices) if price > 0]
    for size in range(len(priced) + 1):
        for bought in combinations(priced, size):
            yield (*free, *bought)


def _of_set(rows: Rows, columns: tuple[int, ...]) -> Rows:
    wanted = torch.zeros(rows.present.shape[1], dtype=torch.bool)
    wanted[list(columns)] = True
    present = rows.present & wanted
    order = torch.full_like(rows.order, -1)
    came = rows.order[:, :, None] == torch.tensor(columns, dtype=torch.int64)
    kept = came.any(dim=2)
    place = kept.cumsum(dim=1) - 1
    patient, at = kept.nonzero(as_tuple=True)
    order[patient, place[patient, at]] = rows.order[patient, at]
    return _with(rows, present, order)


def _with(rows: Rows, present: Tensor, order: Tensor) -> Rows:
    inputs = {
        name: torch.where(present[:, m].reshape(-1, *[1] * (block.ndim - 1)), block, torch.zeros((), dtype=block.dtype))
        for m, (name, block) in enumerate(rows.inputs.items())
    }
    return replace(rows, inputs=inputs, present=present, order=order)


def _valued(fitted: Fitted, rows: Rows, data: FusionData, chosen: str) -> Acquired:
    prices = np.array(fitted.spec.prices())
    said = logits(fitted, rows.inputs, rows.present, rows.order, rows.question)
    right = said.argmax(axis=1) == rows.label.numpy()
    spent = rows.present.numpy() @ prices
    return Acquired(data.spec.right_gbp * right - spent, np.asarray(spent, dtype=np.float64), chosen)
