"""The figures that weigh most, and what stands behind each: what a clinician should look up, or challenge, first."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from workup.scenarios.language.authorship import FigureRecord
from workup.scenarios.language.backing import BACKINGS, Backing, backing
from workup.scenarios.language.schema import Scenario
from workup.sensitivity.perturbation import Candidate
from workup.sensitivity.screening import Screened, heaviest

HEAVIEST = 20


@dataclass(frozen=True)
class Heavy:
    """A figure that weighs much."""

    candidate: Candidate
    figure: FigureRecord
    backing: Backing
    down: Screened
    up: Screened

    @property
    def worse(self) -> Screened:
        """The move that loses more, or, where neither loses, that changes more what the next step promises."""
        return max(self.up, self.down, key=lambda one: (one.lost_gbp, one.stirred_gbp))

    @property
    def effect_gbp(self) -> float:
        """Pounds a patient that are lost, one step ahead, by trusting the figure as it is; 0 or more."""
        return self.worse.lost_gbp

    def as_json(self) -> dict[str, Any]:
        """What it is, where it comes from and what it does."""
        figure, searched = self.figure, self.figure.searched
        return {
            "path": figure.path,
            "words": self.candidate.words,
            "value": self.candidate.value,
            "status": figure.status,
            "source": figure.source,
            "note": figure.note,
            "formula": figure.formula,
            "searched": None if searched is None else searched.model_dump(mode="json"),
            "backing": self.backing,
            "effect_gbp": self.effect_gbp,
            "direction": size_of(self.worse),
            **{name: _told(one) for name, one in (("down", self.down), ("up", self.up))},
        }


def size_of(one: Screened) -> str:
    """'larger' or 'smaller': what became of the figure's size; a loss that is larger is a lower number."""
    return "larger" if one.move.up else "smaller"


def _told(one: Screened) -> dict[str, float]:
    return {"value": one.move.value, "lost_gbp": one.lost_gbp, "promise_moves_gbp": one.stirred_gbp}


def heaviest_figures(
    scenario: Scenario,
    candidates: Mapping[str, Candidate],
    screened: Mapping[str, tuple[Screened, Screened]],
    most: int = HEAVIEST,
) -> tuple[Heavy, ...]:
    """The figures that weigh most, heaviest first: by pounds lost, then by how far the next step's promise moves.

    Args:
        scenario: as it says now where its figures come from.
        candidates: by path.
        screened: path -> moved down, moved up.
        most: how many.
    """
    figures, stands = {figure.path: figure for figure in scenario.figures}, backing(scenario)
    return tuple(
        Heavy(candidates[path], figures[path], stands[path], *screened[path]) for path in heaviest(screened, most)
    )


def counted(stands: Iterable[Backing]) -> dict[Backing, int]:
    """How many figures are seen, computed, searched and open, in this order."""
    counts = Counter(stands)
    return {each: counts[each] for each in BACKINGS}
