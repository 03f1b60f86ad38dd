"""What an agent sees and must do: one small, batch-first interface for exact, rule-based and learned agents."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from workup.envs.engine import JourneyView

__all__ = ["Agent", "JourneyView", "Knowledge"]


class Agent(Protocol):
    """Chooses the next action for each journey of a batch, from what has been revealed alone."""

    name: str

    def act(self, view: JourneyView) -> NDArray[np.int64]:
        """Actions for a batch.

        Args:
            view: revealed facts of n journeys (see `JourneyView`).

        Returns:
            (n,) int64 action indices, each legal under `view.mask`.
        """
        ...


@dataclass(frozen=True)
class Knowledge:
    """Placeholder until knowledge models land."""
