"""One self-contained HTML page of the figures that weigh most, for the clinician who is to accept, correct or look them up."""

from __future__ import annotations

from typing import Any

from workup.report.explain import origin
from workup.report.page import page
from workup.scenarios.language.words.place_values import figure_words
from workup.scenarios.language.words.places import Side
from workup.sensitivity.heaviest import HEAVIEST, Heavy
from workup.sensitivity.prose import BACKED, backed, direction
from workup.sensitivity.screening import Screened
from workup.sensitivity.study import Sensitivity
from workup.wording import pounds


def heaviest_page(found: Sensitivity, command: str, most: int = HEAVIEST) -> str:
    """The page: what was done, then a row for each figure, heaviest first.

    Args:
        found: the analysis.
        command: how to make the page again, shown at its head.
        most: how many figures.
    """
    scenario, settings = found.world.scenario, found.settings
    heavy, side = found.heaviest(most), Side.of(scenario)
    return page(
        "heaviest.html",
        scenario,
        command,
        facts=[("Patients", f"{settings.patients} of seed {settings.seed}")],
        contents=[("heaviest", "The heaviest figures"), ("how", "How they were found")],
        rows=[_row(found, side, each) for each in heavy],
        counts=backed(each.backing for each in heavy),
        factor=f"{settings.factor:g}",
        moved=f"{len(found.candidates):,}",
        situations=f"{found.situations:,}",
    )


def _row(found: Sensitivity, side: Side, heavy: Heavy) -> dict[str, Any]:
    what, value = figure_words(side, heavy.figure)
    return {
        "what": what,
        "path": heavy.figure.path,
        "value": value,
        "status": heavy.figure.status,
        "backing": BACKED[heavy.backing],
        "origin": origin(heavy.figure) or "no source and no note",
        "moves": [{"how": direction(heavy.candidate, one, found.settings), "does": _does(one)} for one in _both(heavy)],
    }


def _both(heavy: Heavy) -> tuple[Screened, Screened]:
    """The heavier move first."""
    return (heavy.up, heavy.down) if heavy.worse.move.up else (heavy.down, heavy.up)


def _does(one: Screened) -> str:
    if one.fault is not None:
        return f"could not be looked at ({one.fault})"
    if one.lost_gbp < 0.005:
        return "nothing else is ordered"
    most = "" if one.swap is None else f" (first mostly {one.swap.after} instead of {one.swap.before})"
    return f"{pounds(one.lost_gbp)} a patient{most}"
