"""Closed forms against simulation, figure by figure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from workup.studies.fusion.ceilings import closed, simulated
from workup.studies.fusion.tasks import TASKS
from workup.studies.fusion.tasks.records import MECHANISMS, Missing

WITHIN: Final = 0.001
"""How far a simulation of 2,000,000 patients may be from a closed form, in AUROC, nats, slope and thousands of pounds."""
THINNED: Final = ("interaction", "shortcut_interaction")
"""Tasks that are also compared where data go missing."""


@dataclass(frozen=True)
class Compared:
    """A figure, worked out and measured."""

    task: str
    missing: str
    message: str
    policy: str
    measure: str
    closed: float
    simulated: float

    @property
    def distance(self) -> float:
        """How far they are apart; pounds in thousands."""
        return abs(self.closed - self.simulated) / (1000.0 if self.measure == "benefit_gbp" else 1.0)

    def __str__(self) -> str:
        at = f"{self.task:<21}{self.missing:<22}{self.message:<28}{self.policy:<10}{self.measure:<18}"
        return f"{at}{self.closed:10.4f}{self.simulated:10.4f}{self.distance:10.5f}"


def every_missing(task: str) -> Iterator[Missing | None]:
    """None, and for some tasks half of the data by each mechanism, with and without one that is kept."""
    yield None
    if task in THINNED:
        for mechanism in MECHANISMS:
            for keep_one in (True, False):
                yield Missing(mechanism, 0.5, keep_one)


def compared(
    task: str, *, patients: int, seed: int = 0, missing: Iterable[Missing | None] | None = None
) -> Iterator[Compared]:
    """Every figure of a task, both ways; where data go missing as in `missing`, or in `every_missing`.

    Reports of thinned records are compared by log-loss alone: messages of different patterns have the same odds there (two that
    cancel, and none), and counting, which tells ties from each other by chance, makes the AUROC jump.

    Raises:
        UnknownNameError: no such task.
    """
    for lost in every_missing(task) if missing is None else missing:
        worked, measured = closed.ceilings(task, lost), simulated.ceilings(task, lost, patients=patients, seed=seed)
        said = "" if lost is None else f"{lost.mechanism} {lost.rate:g}{' one kept' if lost.keep_one else ''}"
        thinned = lost is not None or (len(TASKS[task].policies) > 1 and TASKS[task].questions == 0)
        for message, by_policy in measured.items():
            for policy, figures in by_policy.items():
                for measure, figure in figures.items():
                    if not (thinned and message == "report" and measure == "auroc"):
                        yield Compared(task, said, message, policy, measure, worked[message][policy][measure], figure)
    if TASKS[task].right_gbp:
        played = simulated.benefits_gbp(task, patients=patients, seed=seed)
        for strategy, figure in closed.benefits_gbp(task).items():
            yield Compared(task, "", strategy, "", "benefit_gbp", figure, played[strategy])
