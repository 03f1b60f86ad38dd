"""The world that a cell is measured on."""

from __future__ import annotations

from typing import Any

from workup.benchmarks.runner import Cell
from workup.envs.compile.recorded import population_of
from workup.envs.model.world import World
from workup.errors import WorkupError


def world_of_cell(where: str, cell: Cell, **settings: Any) -> World:
    """The compiled scenario of an id or path, which is still the one that the cell is of.

    Args:
        where: id or path.
        cell: names the digest.
        settings: of `population_of`.

    Raises:
        WorkupError: the scenario was changed since the run began.
    """
    world = population_of(where, **settings).world
    if world.scenario.digest != cell.digest:
        raise WorkupError(f"{where} was changed while it was measured; run the command again")
    return world
