"""Reader of Bayesian networks in the Bayesian Interchange Format (BIF 0.15 and its dialects).

A `table` with parents counts with the rightmost name fastest and the variable itself first, so the variable's own
values vary slowest. Source: Cozman, The Interchange Format for Bayesian Networks (1998).
"""

from __future__ import annotations

from itertools import product
from math import prod
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from workup.envs.model.network import Network
from workup.importers.networks.bif_syntax import BifText, Block, parse_bif
from workup.importers.networks.draft import Draft, Floats

Lines = NDArray[np.int64]


def read_bif(path: Path) -> Network:
    """The network in a BIF file.

    Rows whose sum is within 1e-4 of 1 are normalised; where they were off by more than 1e-12 a WorkupWarning
    says how many and by how much.

    Raises:
        FileFormatError: with `file:line` of what is malformed, truncated, continuous, duplicate or missing.
    """
    return _Assembly(parse_bif(path)).network()


class _Assembly:
    """Finds all faults of meaning before it gives up."""

    def __init__(self, text: BifText) -> None:
        self.text = text
        self.values = text.values
        self.draft = Draft(text.path, text.values, text.declared)
        self._note = self.draft.note

    def network(self) -> Network:
        for name, block in self.text.blocks.items():
            self.draft.tables[name] = (block.parents, self._table(block))
        return self.draft.network()

    def _table(self, block: Block) -> Floats | None:
        shape = self.draft.shape(block.child, block.parents, block.line)
        if shape is None:
            return None
        lines, rows = self._whole(block, block.table, shape) if block.table else self._by_row(block, shape)
        if rows is None:
            return None
        return self.draft.normalised(block.child, lines, rows.reshape(-1, shape[-1])).reshape(shape)

    def _whole(
        self, block: Block, table: tuple[int, list[float]], shape: tuple[int, ...]
    ) -> tuple[Lines, Floats | None]:
        line, numbers = table
        lines = np.full(prod(shape[:-1]), line)
        if block.rows or block.default:
            self._note(line, f"{block.child} has a 'table' and also rows; expected one or the other")
        elif len(numbers) != prod(shape):
            self._note(line, f"{block.child} has a table of {len(numbers)} numbers; expected {prod(shape)}")
        else:
            return lines, np.moveaxis(np.array(numbers).reshape(shape[-1], *shape[:-1]), 0, -1)
        return lines, None

    def _by_row(self, block: Block, shape: tuple[int, ...]) -> tuple[Lines, Floats | None]:
        before = len(self.draft.faults)
        rows: Floats = np.full(shape, np.nan)
        lines = np.zeros(shape[:-1], dtype=np.int64)
        for line, values, numbers in block.rows:
            at = self._place(block, line, values, len(numbers), shape)
            if at is not None and lines[at]:
                self._note(line, f"the row {values} of {block.child} was already given at line {lines[at]}")
            elif at is not None:
                rows[at], lines[at] = numbers, line
        missing = lines == 0
        if missing.any() and block.default is not None:
            line, numbers = block.default
            if len(numbers) != shape[-1]:
                self._note(line, f"the default row of {block.child} has {len(numbers)} numbers; expected {shape[-1]}")
            else:
                rows[missing], lines[missing] = numbers, line
        elif missing.any() and len(self.draft.faults) == before:
            names = list(product(*(self.values[parent] for parent in block.parents)))
            first = names[int(np.flatnonzero(missing.ravel())[0])]
            self._note(
                block.line, f"{missing.sum()} rows of {block.child} are missing, first {first}; give them or 'default'"
            )
        return lines.ravel(), None if len(self.draft.faults) > before else rows

    def _place(
        self, block: Block, line: int, values: tuple[str, ...], count: int, shape: tuple[int, ...]
    ) -> tuple[int, ...] | None:
        if len(values) != len(block.parents):
            self._note(line, f"{block.child} has {len(block.parents)} parents; the row names {len(values)} values")
            return None
        if count != shape[-1]:
            self._note(line, f"the row {values} of {block.child} has {count} numbers; expected {shape[-1]}")
            return None
        for parent, value in zip(block.parents, values, strict=True):
            if value not in self.values[parent]:
                self._note(line, f"{parent} has no value {value!r}; it has {', '.join(self.values[parent])}")
                return None
        return tuple(self.values[p].index(v) for p, v in zip(block.parents, values, strict=True))
