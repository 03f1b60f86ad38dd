"""What differs by patient beyond what the tables by condition hold: waiting, benefits of acts, contraindications."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class ByPatient:
    """Pounds by profile and hidden state, added to what the world's tables by condition say, and charged at the end.

    B benefits, Y contraindications, D decisions, K profiles, H hidden states.
    """

    waiting_gbp_per_h: NDArray[np.float64]
    """(K, H) cost of an hour's waiting; (0, 0) where it hangs on the condition alone."""
    act: NDArray[np.int32]
    """(B,) the item whose benefit it is."""
    benefit_gbp: NDArray[np.float64]
    """(B, K, H) added to the utility if the act was done and the journey ends by one of `decided`. Of a journey that is cut
    off only what is negative counts, so that it never scores above a decision."""
    decided: NDArray[np.bool_]
    """(B, D)"""
    contraindication: NDArray[np.int32]
    """(Y,) rows of `World.contraindication`."""
    contraindication_loss_gbp: NDArray[np.float64]
    """(Y, K, H) the loss where it is true, else 0; charged for each order placed while it was unknown."""

    def __bool__(self) -> bool:
        """Whether anything differs."""
        return bool(self.waiting_gbp_per_h.size or len(self.act) or len(self.contraindication))

    @property
    def by_decision(self) -> bool:
        """Whether any benefit is paid after some decisions only."""
        return not bool(self.decided.all())

    def moves(self, act: int, worse: NDArray[np.int64]) -> bool:
        """Whether a benefit of the act hangs on the decision, or on progression; worse: (H,) the state progressed to."""
        own = self.act == act
        progressed = (self.benefit_gbp[own] != self.benefit_gbp[own][:, :, worse]).any()
        return not bool(self.decided[own].all()) or bool(progressed)
