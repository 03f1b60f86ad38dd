"""Late fusion by the mean: the probabilities of those who have something to say, averaged."""

from __future__ import annotations

from torch import Tensor

from workup.agents.fusion.late import BuildLate, Late


class LateMean(Late):
    """Mean probability over the present modalities."""

    message = "mean"

    def combine(self, opinions: Tensor, present: Tensor, question: Tensor | None) -> Tensor:
        """(n, classes) log of the mean probability."""
        held = present.unsqueeze(2)
        return ((opinions.exp() * held).sum(dim=1) / held.sum(dim=1).clamp(min=1)).clamp(min=1e-30).log()


FUSIONS = {"late_mean": BuildLate(LateMean)}
