"""Late fusion by product of experts: prior times each reader's likelihood ratio.

A reader's logits contain the prevalence among the patients it was trained on, so that is what they are divided by; where tests are
ordered for the sicker, it differs from modality to modality. `late_poe_population` divides all by the prevalence among everybody,
as is usual, and so counts the order as evidence, once for each modality.

Source: Hinton, Training products of experts by minimizing contrastive divergence, Neural Computation 2002;14:1771.
"""

from __future__ import annotations

from torch import Tensor

from workup.agents.fusion.late import BuildLate, Late
from workup.agents.fusion.parts import of_question


class LatePoe(Late):
    """Divides each reader by the prevalence among its own patients."""

    def divisor(self, question: Tensor | None, rows: int) -> Tensor:
        """(n, M, classes) log of what each opinion is divided by."""
        return self.owns(question, rows)

    def combine(self, opinions: Tensor, present: Tensor, question: Tensor | None) -> Tensor:
        """(n, classes) logits."""
        rows = len(opinions)
        ratios = (opinions - self.divisor(question, rows)) * present.unsqueeze(2)
        return of_question(self.prior, question, rows) + ratios.sum(dim=1)


class LatePoePopulation(LatePoe):
    """Divides each reader by the prevalence among all."""

    def divisor(self, question: Tensor | None, rows: int) -> Tensor:
        """(n, 1, classes) log of what each opinion is divided by."""
        return of_question(self.prior, question, rows).unsqueeze(1)


FUSIONS = {"late_poe": BuildLate(LatePoe), "late_poe_population": BuildLate(LatePoePopulation)}
