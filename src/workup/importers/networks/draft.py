"""What a network's file declares, while it is being read: checked table by table, so that every fault is told at once."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from graphlib import CycleError, TopologicalSorter
from math import isfinite, prod
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from workup.envs.model.network import Network, NetworkVariable
from workup.errors import FileFormatError, WorkupError, WorkupWarning
from workup.importers.source import clipped, decoded, read_source

ROW_SUM_TOLERANCE = 1e-4
"""A row whose sum is this close to 1 was rounded for printing and is normalised, with a warning."""

MOST_ROUNDED = 0.025
"""Rows of many values written with few digits may be further off, but never by more than this; others are refused."""

NEGATIVE_NOISE = 1e-6
"""A number this little below 0 is floating-point noise of the program that wrote it, and is read as 0, with a warning."""

EXACT = 1e-12
"""Deviations up to this are floating-point noise and are normalised without a word."""

LARGEST_TABLE = 2**24
"""Most numbers in one variable's table."""
LARGEST_FILE = 2**25
"""Most bytes in a file (32 MiB)."""
MOST_FAULTS = 20
"""So many are told at once."""
MOST_PARENTS = 60
"""An array has 64 axes at most."""

Floats = NDArray[np.float64]


def read_text(path: Path) -> str:
    """The text of a network's file.

    Raises:
        FileFormatError: not a file, not UTF-8, or above LARGEST_FILE.
    """
    return decoded(path, read_bytes(path))


def read_bytes(path: Path) -> bytes:
    """The bytes of a network's file; raises FileFormatError where it is no file, or above LARGEST_FILE."""
    return read_source(path, most=LARGEST_FILE, what="networks")


def as_probability(text: str) -> float | None:
    """The probability that a word says (noise below 0 as it stands, for `Draft` to tell of); None if it says none in [0, 1]."""
    number = as_weight(text)
    return number if number is not None and number <= 1.0 + ROW_SUM_TOLERANCE else None


def as_weight(text: str) -> float | None:
    """The finite number, 0 or more, that a word says; None if it says none."""
    try:
        number = float(text)
    except ValueError:
        return None
    return number if isfinite(number) and number >= -NEGATIVE_NOISE and "_" not in text else None


def rounding_tolerance(row: Floats) -> float:
    """How far from 1 the sum of a row can be because its numbers were rounded to the digits that they are written with.

    Each of n numbers is off by half a unit of the last digit at most, so their sum, which is a whole number of units, by less
    than n / 2 of them.
    """
    digits = max(-int(Decimal(repr(float(number))).as_tuple().exponent) for number in row)
    if digits < 2:
        return ROW_SUM_TOLERANCE
    units = (row.size - 1) // 2
    return max(ROW_SUM_TOLERANCE, min(MOST_ROUNDED, units * 10.0**-digits * (1 + 1e-6)))


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
    negative: list[float] = field(default_factory=list)
    """Numbers below 0 that were read as 0."""
    weighted: int = 0
    """Rows of weights, which do not sum to 1 and need not."""

    def fault(self, line: int, message: str) -> FileFormatError:
        """An error at a line of the file."""
        return FileFormatError(clipped(f"{self.path}:{line}: {message}"))

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
        if not all(shape):
            return None  # a variable without values has been noted where it is declared
        if prod(shape) > LARGEST_TABLE:
            self.note(line, f"{child} needs {prod(shape):,} numbers; at most {LARGEST_TABLE:,} are read")
            return None
        if len(parents) > MOST_PARENTS:
            self.note(line, f"{child} has {len(parents)} parents; at most {MOST_PARENTS} are read")
            return None
        return shape

    def add_table(
        self, child: str, parents: Sequence[str], line: int, words: Sequence[str], *, order: Sequence[int] | None = None,
        weights: bool = False,
    ) -> None:  # fmt: skip
        """Give a variable its table, from words in counting order: first parent slowest, the variable's values fastest.

        Args:
            child: the variable.
            parents: its parents as the file lists them.
            line: where the table stands.
            words: its numbers.
            order: where another order of counting was used, the axes of the table as written (an axis is a place in
                `parents`; the last is the variable itself).
            weights: whether rows may sum to something else than 1, as the format's own program normalises them.
        """
        if child in self.tables:
            self.note(line, f"a second table for {child}; expected one")
            return
        self.tables[child] = (tuple(parents), None)
        shape = self.shape(child, parents, line)
        if shape is None:
            return
        numbers = [as_weight(word) if weights else as_probability(word) for word in words]
        if None in numbers:
            expected = "a probability, or a weight of 0 or more" if weights else "a probability in [0, 1]"
            self.note(line, f"{child}: found {words[numbers.index(None)]!r}; expected {expected}")
            return
        if len(numbers) != prod(shape):
            self.note(line, f"{child} has a table of {len(numbers)} numbers; expected {prod(shape)}")
            return
        axes = tuple(range(len(shape))) if order is None else tuple(order)
        table = np.array(numbers, dtype=np.float64).reshape([shape[axis] for axis in axes])
        table = np.transpose(table, np.argsort(axes)).reshape(-1, shape[-1])
        if weights:
            table = self._summing_to_one(child, line, table)
        self.tables[child] = (
            tuple(parents),
            self.normalised(child, np.full(len(table), line), table).reshape(shape),
        )

    def add_array(self, child: str, parents: Sequence[str], line: int, table: Floats) -> None:
        """Give a variable the table that was worked out for it, (sizes of parents in order..., number of values)."""
        if child in self.tables:
            self.note(line, f"a second table for {child}; expected one")
            return
        rows = table.reshape(-1, table.shape[-1])
        self.tables[child] = (
            tuple(parents),
            self.normalised(child, np.full(len(rows), line), rows).reshape(table.shape),
        )

    def normalised(self, child: str, lines: NDArray[np.int64], rows: Floats) -> Floats:
        """`rows` (rows, values) divided by their sums; those off by more than rounding can do are faults."""
        if (rows < 0).any():
            self.negative.extend(rows[rows < 0].tolist())
            rows = np.maximum(rows, 0.0)
        sums = rows.sum(axis=1, keepdims=True)
        off = np.abs(sums[:, 0] - 1)
        noted = 0
        for row in np.flatnonzero(off > ROW_SUM_TOLERANCE):
            if noted == MOST_FAULTS:
                break
            tolerance = rounding_tolerance(rows[row])
            if off[row] > tolerance:
                noted += 1
                self.note(
                    int(lines[row]), f"a row of {child} sums to {sums[row, 0]:.8g}; expected 1 within {tolerance:g}"
                )
        self.rounded.extend(off[off > EXACT].tolist())
        return np.asarray(rows / np.where(sums > 0, sums, 1.0))

    def _summing_to_one(self, child: str, line: int, rows: Floats) -> Floats:
        """Rows of weights divided by their sums, where these are no rounding."""
        sums = np.maximum(rows, 0.0).sum(axis=1, keepdims=True)
        if (sums == 0).any():
            self.note(
                line, f"a row of {child} is 0 throughout, so that it cannot be normalised; give its probabilities"
            )
        far = (np.abs(sums - 1) > ROW_SUM_TOLERANCE) & (sums > 0)
        self.weighted += int(far.sum())
        return np.asarray(np.where(far, rows / np.where(far, sums, 1.0), rows))

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
            more = len(self.faults) - MOST_FAULTS
            raise FileFormatError("\n".join([*self.faults[:MOST_FAULTS], *([f"and {more} more"] if more > 0 else [])]))
        if loop := self._loop():
            raise self.fault(
                self.declared[loop[0]], f"the parents form a cycle: {' <- '.join(loop)}; remove one of these parents"
            )
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
            raise FileFormatError(clipped(f"{self.path}: {error}")) from None
        for told in self._accepted():
            warnings.warn(f"{self.path}: {told}", WorkupWarning, stacklevel=4)
        return network

    def _loop(self) -> list[str]:
        """Variables of which each has the next as a parent, the last being the first again; or none."""
        try:
            TopologicalSorter({name: parents for name, (parents, _) in self.tables.items()}).prepare()
        except CycleError as error:
            return [str(name) for name in reversed(error.args[1])]
        return []

    def _accepted(self) -> Iterator[str]:
        """What was read as something else than what stands there."""
        if self.rounded:
            within = f"within {ROW_SUM_TOLERANCE:g}"
            if max(self.rounded) > ROW_SUM_TOLERANCE:
                within += " or what rounding to the digits written can do"
            yield (
                f"{len(self.rounded)} rows do not sum to 1 (off by at most {max(self.rounded):.2g}); they were normalised, "
                f"being {within}"
            )
        if self.weighted:
            yield f"{self.weighted} rows do not sum to 1; they were normalised, as weights"
        if self.negative:
            yield (
                f"{len(self.negative)} numbers are below 0 (by at most {-min(self.negative):.2g}); they were read as 0, being "
                f"within {NEGATIVE_NOISE:g}"
            )
