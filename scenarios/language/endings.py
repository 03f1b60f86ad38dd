"""What the end of a journey is worth: the unit, the rate, whose side it is seen from, and a decision's worth in parts."""

from __future__ import annotations

from typing import Annotated, Literal, get_args

from pydantic import BeforeValidator, Field

from workup.scenarios.language.amounts import Nested
from workup.scenarios.language.model import Model

Perspective = Literal["nhs", "patient"]
PERSPECTIVES: tuple[str, ...] = get_args(Perspective)


def known_perspective(word: object) -> object:
    """Raises ValueError, with the reason, for a perspective that there is none of."""
    if word == "societal":
        raise ValueError(
            "'societal' is no perspective here: no scenario has figures for work lost or care by relatives; "
            f"expected {' or '.join(PERSPECTIVES)}"
        )
    if word not in PERSPECTIVES:
        raise ValueError(f"found {str(word)[:40]!r}; expected {' or '.join(PERSPECTIVES)}")
    return word


class UtilityUnit(Model):
    """In what decisions are worth something, what a QALY and a day in bed count, and whose side it is seen from."""

    unit: Literal["gbp", "qaly"] = "gbp"
    """Of `utility`; a worth in parts names its units itself."""
    gbp_per_qaly: float
    bed_day_gbp: float | None = None
    """What a day in a hospital bed costs the NHS."""
    perspective: Annotated[Perspective, BeforeValidator(known_perspective)] = "nhs"
    """nhs: health, and what the NHS pays. patient: health, what the patient pays, and transfers."""


class WorthComplication(Model):
    """What may follow from a decision, charged as expected: `chance` nested under the complication's own `given`."""

    label: str
    given: tuple[str, ...] = ()
    chance: Nested
    loss_gbp: float = 0.0
    """Harm in pounds; or else `loss_qaly`."""
    loss_qaly: float = 0.0
    cost_gbp: float = 0.0
    """What treating it costs the NHS."""
    bed_days: float = 0.0


class Worth(Model):
    """A decision's worth in parts, each a number or nested under `given`.

    In pounds: qaly x gbp_per_qaly - cost_gbp - bed_days x bed_day_gbp - what complications are expected to take; and, as
    the patient sees it, qaly x gbp_per_qaly - own_cost_gbp + transfer_gbp - what complications are expected to take of health.
    """

    given: tuple[str, ...] = ("condition",)
    qaly: Nested
    cost_gbp: Nested = 0.0
    """What the NHS pays for what follows, beds and complications apart."""
    bed_days: Nested = 0.0
    own_cost_gbp: Nested = 0.0
    """What the patient pays: travel, prescriptions."""
    transfer_gbp: Nested = 0.0
    """What the patient is paid, such as sick pay; below 0 where something is taken."""
    complications: dict[str, WorthComplication] = Field(default_factory=dict)
