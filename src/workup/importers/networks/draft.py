"""What a network's file declares, while it is being read: checked table by table, so that every fault is told at once."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass, field
from math import isfinite, prod
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from workup.envs.model.network import Network, NetworkVariable
from workup.errors import FileFormatError, WorkupError, WorkupWarning

ROW_SUM_TOLERANCE = 1e-4
"""A row whose sum is this close to 1 was rounded for printing and is normalised, with a warning; others are refused."""

EXACT = 1e-12
"""Deviations up to this are floating-point noise and are normalised without a word."""

LARGEST_TABLE = 2**24
"""Most numbers in one variable's table."""
LARGEST_FILE = 2**25
"""Most bytes in a file (32 MiB)."""
MOST_PARENTS = 60
"""An array has 64 axes at most."""

Floats = NDArray[np.float64]


def read_text(path: Path) -> str:
    """The text of a network's file.

    Raises:
        FileFormatError: not UTF-8, or above LARGEST_FILE.
    """
    refuse_large_file(path)
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        message = f"{path}: not UTF-8 text ({error.reason} at byte {error.start}); save it as UTF-8"
        raise FileFormatError(message) from None


def refuse_large_file(path: Path) -> None:
    """Raises FileFormatError above LARGEST_FILE bytes."""
    size = path.stat().st_size
    if size > LARGEST_FILE:
        raise FileFormatError(f"{path}: has {size:,} bytes; networks of up to {LARGEST_FILE:,} bytes are read")


def as_probability(text: str) -> float | None:
    """The probability that a word says; None if it says none in [0, 1]."""
    try:
        number = float(text)
    except ValueError:
        return None
    return number if isfinite(number) and 0.0 <= number <= 1.0 + ROW_SUM_TOLERANCE and "_" not in text else None


@dataclass
class Draft:
    """Variables and tables of a file, with the line of each."""

    path: Path
    values: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """Variable -> its values, in the order of the file."""
    declared: dict[str, int] = field(default_factory=dict)
    """Variable -> the line that declares it."""
    tables: dict[str, tuple[tuple[str, ...], Floats | None]] = field(default_factory=dict)
    """Variable -> parents and table; no table where it had faults."""
    faults: list[str] = field(default_factory=list)
    rounded: list[float] = field(default_factory=list)
    """How far each row that was normalised was off."""

    def fault(self, line: int, message: str) -> FileFormatError:
        """An error at a line of the file."""
        return FileFormatError(f"{self.path}:{line}: {message}")

    def note(self, line: int, message: str) -> None:
        """Record a fault and go on."""
        self.faults.append(str(self.fault(line, message)))

    def add_variable(self, name: str, values: Sequence[str], line: int) -> None:
        """Declare a variable."""
        if name in self.declared:
            self.note(line, f"variable {name} was already given at line {self.declared[name]}")
            return
        if not values or len(set(values)) != len(values):
            self.note(line, f"variable {name} has values {tuple(values)}; expected one or more, all different")
        self.values[name], self.declared[name] = tuple(values), line

    def shape(self, child: str, parents: Sequence[str], line: int) -> tuple[int, ...] | None:
        """(sizes of parents in order..., number of values); None after noting why there is no such table."""
        unknown = [name for name in (child, *parents) if name not in self.values]
        if unknown:
            self.note(line, f"{unknown[0]!r} was never declared as a variable")
            return None
        if len({child, *parents}) != 1 + len(parents):
            self.note(line, f"{child} and its parents {tuple(parents)} repeat a name")
            return None
        shape = tuple(len(self.values[name]) for name in (*parents, child))
        if prod(shape) > LARGEST_TABLE:
            self.note(line, f"{child} needs {prod(shape):,} numbers; at most {LARGEST_TABLE:,} are read")
            return None
        if len(parents) > MOST_PARENTS:
            self.note(line, f"{child} has {len(parents)} parents; at most {MOST_PARENTS} are read")
            return None
        return shape

    def add_table(
        self, child: str, parents: Sequence[str], line: int, words: Sequence[str], order: Sequence[int] | None = None
    ) -> None:
        """Give a variable its table, from words in counting order: first parent slowest, the variable's values fastest.

        Args:
            child: the variable.
            parents: its parents as the file lists them.
            line: where the table stands.
            words: its numbers.
            order: where another order of counting was used, the axes of the table as written (an axis is a place in
                `parents`; the last is the variable itself).
        """
        if child in self.tables:
            self.note(line, f"a second table for {child}; expected one")
            return
        self.tables[child] = (tuple(parents), None)
        shape = self.shape(child, parents, line)
        if shape is None:
            return
        numbers = [as_probability(word) for word in words]
        if None in numbers:
            self.note(line, f"{child}: found {words[numbers.index(None)]!r}; expected a probability in [0, 1]")
            return
        if len(numbers) != prod(shape):
            self.note(line, f"{child} has a table of {len(numbers)} numbers; expected {prod(shape)}")
            return
        axes = tuple(range(len(shape))) if order is None else tuple(order)
        table = np.array(numbers, dtype=np.float64).reshape([shape[axis] for axis in axes])
        table = np.transpose(table, np.argsort(axes)).reshape(-1, shape[-1])
        self.tables[child] = (
            tuple(parents),
            self.normalised(child, np.full(len(table), line), table).reshape(shape),
        )

    def normalised(self, child: str, lines: NDArray[np.int64], rows: Floats) -> Floats:
        """`rows` (rows, values) divided by their sums; those off by more than ROW_SUM_TOLERANCE are faults."""
        sums = rows.sum(axis=1, keepdims=True)
        off = np.abs(sums[:, 0] - 1)
        for row in np.flatnonzero(off > ROW_SUM_TOLERANCE)[:20]:
            self.note(
                int(lines[row]), f"a row of {child} sums to {sums[row, 0]:.8g}; expected 1 within {ROW_SUM_TOLERANCE:g}"
            )
        self.rounded.extend(off[(off > EXACT) & (off <= ROW_SUM_TOLERANCE)].tolist())
        return np.asarray(rows / np.where(sums > 0, sums, 1.0))

    def network(self) -> Network:
        """The network, once everything is declared.

        Raises:
            FileFormatError: with all faults, each at its line.
        """
        if not self.values and not self.faults:
            raise self.fault(1, "found no variable; expected a Bayesian network")
        for name, line in self.declared.items():
            if name not in self.tables:
                self.note(line, f"variable {name} has no table of probabilities; the file may have been cut short")
        if self.faults:
            raise FileFormatError("\n".join(self.faults))
        try:
            network = Network(
                tuple(
                    NetworkVariable(name, values, parents, table)
                    for name, values in self.values.items()
                    for parents, table in (self.tables[name],)
                    if table is not None
                )
            )
        except WorkupError as error:
            raise FileFormatError(f"{self.path}: {error}") from None
        if self.rounded:
            warnings.warn(
                f"{self.path}: {len(self.rounded)} rows do not sum to 1 (off by at most {max(self.rounded):.2g}); they "
                f"were normalised, being within {ROW_SUM_TOLERANCE:g}",
                WorkupWarning,
                stacklevel=4,
            )
        return network
