"""Weights that make the label independent of which modalities a record holds."""

from __future__ import annotations

import torch
from torch import Tensor


def pattern_codes(present: Tensor) -> Tensor:
    """(n,) int64: the present modalities (n, M) as bits, the first the lowest; M at most 62."""
    return (present.long() << torch.arange(present.shape[1], device=present.device)).sum(dim=1)


class Balance:
    """P(label) / P(label | pattern), counted among training patients; a share among few is drawn towards P(label) by one patient.

    Right where the pattern depends on the label alone. Where it depends on values too, the weighted records are still biased.
    """

    def __init__(self, present: Tensor, label: Tensor, classes: int) -> None:
        self.shares = torch.bincount(label, minlength=classes).double() / len(label)
        self.codes, place = pattern_codes(present).unique(return_inverse=True)
        counts = torch.zeros(len(self.codes), classes, dtype=torch.float64, device=label.device)
        counts.index_put_(
            (place, label), torch.ones(len(label), dtype=torch.float64, device=label.device), accumulate=True
        )
        within = (counts + self.shares) / (counts.sum(dim=1, keepdim=True) + 1)
        self.weights = torch.where(within > 0, self.shares / within, 1.0)

    def of(self, present: Tensor, label: Tensor) -> Tensor:
        """(n,) float32 weight of each patient; 1 for a pattern that training had not."""
        codes = pattern_codes(present)
        place = torch.searchsorted(self.codes, codes).clamp(max=len(self.codes) - 1)
        return torch.where(self.codes[place] == codes, self.weights[place, label], 1.0).float()
