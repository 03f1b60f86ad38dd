"""Choosing what to get: a trained `gradual` or `personal` fusion as a policy, and patients led by one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray

from workup.agents.fusion.base import FusionError
from workup.agents.fusion.rows import on, rows_of
from workup.agents.fusion.stepwise import Stepwise
from workup.agents.fusion.training import Fitted, logits


class Policy(Protocol):
    """Chooses the next modality of each patient."""

    def choose(
        self,
        inputs: Mapping[str, Any],
        present: Any,
        history: Any | None = None,
        *,
        order: Any | None = None,
        question: Any | None = None,
        available: Any | None = None,
    ) -> NDArray[np.int64]:
        """(n,) index of the next modality, or -1 to stop.

        Args:
            inputs: modality -> (n, ...); of what is not present nothing is read.
            present: (n, M) bool: what has been got so far.
            history: (n, h), where the task has one.
            order: (n, M) in which it was got; that of the task where None.
            question: (n,), where the task asks.
            available: (n, M) bool: what can be got; everything where None.
        """
        ...


@dataclass(frozen=True)
class FusionPolicy:
    """The policy inside a trained stepwise fusion."""

    fitted: Fitted

    def choose(
        self,
        inputs: Mapping[str, Any],
        present: Any,
        history: Any | None = None,
        *,
        order: Any | None = None,
        question: Any | None = None,
        available: Any | None = None,
    ) -> NDArray[np.int64]:
        """(n,) index of the next modality, or -1 to stop; see `Policy.choose`."""
        fusion = self.fitted.fusion
        assert isinstance(fusion, Stepwise)
        held = torch.as_tensor(present).bool()
        came = in_order_of_task(held) if order is None else order
        rows = on(rows_of(self.fitted.asked, inputs, held, came, question, None, history), self.fitted.prior.device)
        menu = torch.ones_like(held) if available is None else torch.as_tensor(available).bool()
        if rows.present.shape[1] > menu.shape[1]:  # the history, which everybody has
            menu = torch.cat([menu, torch.ones(len(menu), 1, dtype=torch.bool)], dim=1)
        with torch.no_grad():
            chosen = fusion.choose(rows.inputs, rows.present, rows.order, rows.question, menu.to(rows.present.device))
        return chosen.cpu().numpy()


def policy_of(fitted: Fitted) -> FusionPolicy:
    """The policy of a trained fusion. Raises FusionError for a method that chooses nothing."""
    if not isinstance(fitted.fusion, Stepwise):
        raise FusionError(
            f"{fitted.method} chooses nothing; expected a fusion that is trained to, such as gradual or personal"
        )
    return FusionPolicy(fitted)


@dataclass(frozen=True)
class Led:
    """What became of patients whom a policy led."""

    present: NDArray[np.bool_]
    """(n, M): what was got."""
    order: NDArray[np.int64]
    """(n, M), -1 after the last."""
    logits: NDArray[np.float64]
    """(n, classes) where it stopped."""
    spent_gbp: NDArray[np.float64]
    """(n,)."""

    def benefit_gbp(self, label: NDArray[np.int64], right_gbp: float) -> NDArray[np.float64]:
        """(n,) worth of a right answer, where it was right, minus what was spent."""
        return right_gbp * (self.logits.argmax(axis=1) == label) - self.spent_gbp


def lead(
    policy: Policy,
    fitted: Fitted,
    inputs: Mapping[str, Any],
    available: Any,
    question: Any | None = None,
    history: Any | None = None,
) -> Led:
    """Lead patients by a policy, step by step, until it stops or nothing is left; then let the fusion say.

    Args:
        policy: of `policy_of`, or one's own.
        fitted: what predicts in the end.
        inputs: modality -> (n, ...): what would be found.
        available: (n, M) bool: what can be got.
        question, history: as `fit` takes them.

    Raises:
        FusionError: a choice that is not available, or was made before.
    """
    menu = np.asarray(available, dtype=bool)
    present, order = np.zeros_like(menu), np.full(menu.shape, -1, dtype=np.int64)
    spent, going = np.zeros(len(menu)), np.ones(len(menu), dtype=bool)
    prices = np.asarray(fitted.asked.prices())
    for step in range(menu.shape[1]):
        chosen = policy.choose(inputs, present, history, order=order, question=question, available=menu)
        going &= chosen >= 0
        rows = np.flatnonzero(going)
        wrong = ~menu[rows, chosen[rows]] | present[rows, chosen[rows]]
        if wrong.any():
            raise FusionError(
                f"patient {rows[wrong][0]}: the policy chose {chosen[rows[wrong][0]]}, which is not to be had, or was had"
            )
        present[rows, chosen[rows]], order[rows, step] = True, chosen[rows]
        spent[rows] += prices[chosen[rows]]
    return Led(present, order, logits(fitted, inputs, present, order, question, history), spent)


def in_order_of_task(present: torch.Tensor) -> torch.Tensor:
    """(n, M) int64: indices of what is present (n, M), in the order of the task, -1 after the last."""
    columns = torch.where(present, torch.arange(present.shape[1]), present.shape[1])
    ranked = columns.sort(dim=1).values
    return torch.where(ranked == present.shape[1], -1, ranked)
