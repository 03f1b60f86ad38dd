"""Work for the tests of the benchmarks' runner; worker processes import it by name."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from workup.benchmarks.runner import Cell, Tell, run
from workup.errors import WorkupError


def cells(count: int, **settings: Any) -> list[Cell]:
    return [Cell("somewhere", "d1", "someone", settings, seed) for seed in range(count)]


def square(cell: Cell, tell: Tell) -> Mapping[str, Any]:
    """Notes each time it is asked, where the settings say."""
    assert cell.seed is not None
    tell(f"squaring {cell.seed}")
    if "log" in cell.settings:
        with Path(cell.settings["log"]).open("a") as log:
            log.write(f"{cell.seed}\n")
    time.sleep(cell.settings.get("pause_s", 0.0))
    return {"square": cell.seed**2, "deep": {"third": cell.seed / 3}, "list": [cell.seed]}


def whose(cell: Cell, tell: Tell) -> Mapping[str, Any]:
    """Which process works it out."""
    return {"process": os.getpid()}


def refuse_two(cell: Cell, tell: Tell) -> Mapping[str, Any]:
    if cell.seed == 2:
        raise WorkupError("two is too much")
    return square(cell, tell)


def break_at_two(cell: Cell, tell: Tell) -> Mapping[str, Any]:
    if cell.seed == 2:
        raise ZeroDivisionError("no")
    return square(cell, tell)


if __name__ == "__main__":
    folder, count, log, pause_s = sys.argv[1:]
    run(cells(int(count), log=log, pause_s=float(pause_s)), square, folder=Path(folder))
