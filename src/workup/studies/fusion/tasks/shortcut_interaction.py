"""The findings of `interaction` in the records of `shortcut`: what must be read together, ordered by what is not written down."""

from __future__ import annotations

from typing import Final

from workup.studies.fusion.tasks.base import Drawn, Draws, Evidence, Task
from workup.studies.fusion.tasks.interaction import TASK as INTERACTION
from workup.studies.fusion.tasks.interaction import D, discordant
from workup.studies.fusion.tasks.shortcut import IMPRESSION, PREVALENCE, impression_orders

POLICIES: Final = ("same", "random", "flipped")


def _draw(draws: Draws, policy: str) -> Drawn:
    label = draws.coin("label", PREVALENCE)
    return Drawn(label, discordant(draws, label, D, D))


def _evidence(drawn: Drawn) -> Evidence:
    return INTERACTION.evidence(drawn)


TASK = Task(
    name="shortcut_interaction",
    title="Does the core fit the film, and who has one?",
    story=(
        "As in `interaction`, what matters is whether core and film fit; as in `shortcut`, only those have a core who looked ill to "
        "somebody who did not write it down. Teams that report apart cannot see the fit; a model that reads both together sees it, and "
        "sees who was biopsied too, unless it is kept from learning that."
    ),
    modalities=("R", "P"),
    columns={"R": ("graded", "bit"), "P": ("graded", "bit")},
    draw=_draw,
    evidence=_evidence,
    ordered=impression_orders,
    policies=POLICIES,
    prevalence=PREVALENCE,
    held=IMPRESSION,
    first_d=D,
)
