"""Fixed amounts of money that may differ by patient."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Discriminator, Tag

from workup.scenarios.language.model import Model

Nested = float | dict[str, Any]
"""A number, or numbers nested under the values of each parent in turn; `otherwise` covers the rest."""


class Amount(Model):
    """What a loss, a rate or a benefit comes to, by patient: exactly one of `gbp` (pounds) and `qaly` (each worth
    `utility.gbp_per_qaly`), nested under the values of `given` (context, condition, comorbidities, latent findings)."""

    given: tuple[str, ...] = ()
    gbp: Nested | None = None
    qaly: Nested | None = None


class Benefit(Amount):
    """What an act that was done adds to the worth of the journey's end."""

    when_decided: tuple[str, ...] = ()
    """Decisions after which it is paid; none named: after any. A journey that is cut off gets no benefit, only what of it is
    negative."""


def _form(value: Any) -> str:
    return "amount" if isinstance(value, dict | Amount) else "number"


Money = Annotated[Annotated[float, Tag("number")] | Annotated[Amount, Tag("amount")], Discriminator(_form)]
"""Pounds, the same for all patients, or an `Amount`."""
