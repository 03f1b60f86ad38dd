"""Fusion on scenarios of the library: what passing on loses on complete records, and what methods reach that pay for what they see."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from workup.benchmarks.fusion_code import digest_of, module_of
from workup.benchmarks.runner import Cell, Done, Progress, Tell, run
from workup.errors import UnknownNameError, WorkupError, suggestion
from workup.scenarios.language.library import load_scenario, shipped_scenarios
from workup.studies.fusion.needed import need_packages

PARTS: Final = ("headroom", "acquisition")
ACQUIRED: Final = ("fever", "breathlessness")
"""Scenarios in which methods choose what to get."""
_HEADROOM, _EXACT = "headroom", "exact"
_ROOM: Final = "workup.studies.fusion"


@dataclass(frozen=True)
class Asked:
    """Which part; empty lists mean all."""

    parts: Sequence[str] = PARTS
    scenarios: Sequence[str] = ()
    methods: Sequence[str] = ()
    patients: Sequence[int] = (2_000,)
    """To learn from."""
    seeds: int = 5
    test_patients: int = 4_000
    """On whom methods that pay are measured."""
    complete_patients: int = 6_000
    """On whom the headroom is measured."""
    counted_patients: int = 20_000
    """Of whom the combiner of reports learns."""


def cells_of(asked: Asked) -> list[Cell]:
    """What is measured: the headroom of each scenario, and on those with a menu references and methods.

    Raises:
        UnknownNameError: a part, scenario or method that there is not; names the nearest.
    """
    need_packages()
    from workup.studies.fusion.library import METHODS
    from workup.studies.fusion.menus import MENUS

    with_menu = tuple(name for name in (asked.scenarios or ACQUIRED) if name in MENUS)
    for what, chosen, known in (
        ("part", asked.parts, PARTS), ("scenario", asked.scenarios, tuple(shipped_scenarios())), ("method", asked.methods, METHODS),
    ):  # fmt: skip
        for name in chosen:
            if name not in known:
                raise UnknownNameError(f"no {what} {name!r}{suggestion(name, known)}")
    cells = []
    if "headroom" in asked.parts:
        settings = {"patients": asked.complete_patients, "counted": asked.counted_patients}
        cells += [
            Cell(name, _digest(name, "headroom"), _HEADROOM, settings, 0)
            for name in asked.scenarios or shipped_scenarios()
        ]
    if "acquisition" in asked.parts:
        tested = {"test_patients": asked.test_patients}
        for name in with_menu:
            for seed in range(asked.seeds):
                cells.append(Cell(name, _digest(name, "optimal"), _EXACT, tested, seed))
                for size in asked.patients:
                    cells += [
                        Cell(name, _digest(name, "library", method), f"{method}/n{size}", tested, seed)
                        for method in asked.methods or METHODS
                    ]
    if not cells:
        raise WorkupError(
            f"no cell is left: own acquisition has menus of {', '.join(MENUS)}; expected --scenarios among them, or the part headroom"
        )
    return cells


def bench_fusion_library(
    asked: Asked, *, runs: Path, workers: int = 1, progress: Progress = lambda _: None
) -> list[Done]:
    """Measure what is asked for and not yet there.

    Args:
        asked: which part.
        runs: where cells are kept.
        workers: processes.
        progress: of the cells.
    """
    return run(cells_of(asked), measure, folder=runs, workers=workers, together=_of_same_patients, progress=progress)


def measure(cell: Cell, tell: Tell) -> dict[str, Any]:
    """One cell: see `headroom.headroom`, `optimal.exact_on` and `library.acquired_on`."""
    import torch

    torch.set_num_threads(1)
    if cell.agent == _HEADROOM:
        from workup.studies.fusion.headroom import headroom

        sizes = {name: int(cell.settings[name]) for name in ("patients", "counted")}
        return headroom(cell.scenario, **sizes, seed=cell.seed or 0)
    tested = int(cell.settings["test_patients"])
    if cell.agent == _EXACT:
        from workup.studies.fusion.optimal import exact_on

        return exact_on(cell.scenario, patients=tested, seed=cell.seed or 0)
    from workup.studies.fusion.library import acquired_on

    method, size = cell.agent.split("/n")
    return acquired_on(cell.scenario, method, patients=int(size), seed=cell.seed or 0, test_patients=tested)


def markdown(done: Sequence[Done]) -> list[str]:
    """Lines of the tables of both parts."""
    from workup.studies.fusion import headroom, library

    whole = [each.result for each in done if each.cell.agent == _HEADROOM]
    exact = [each.result for each in done if each.cell.agent == _EXACT]
    learned = [each.result for each in done if each.cell.agent not in (_HEADROOM, _EXACT)]
    lines = ["**What is lost of all that is known: nats above the joint posterior [95%], and of right answers**", "", *headroom.markdown(whole), ""] if whole else []  # fmt: skip
    return lines + (library.markdown(learned, exact) if exact else [])


def _of_same_patients(cell: Cell) -> Hashable:
    return cell.scenario, cell.agent.rpartition("/")[2], cell.seed


def _digest(scenario: str, module: str, *methods: str) -> str:
    modules = {f"{_ROOM}.{module}", *map(module_of, methods)}
    return digest_of(frozenset(modules), load_scenario(scenario).digest)
