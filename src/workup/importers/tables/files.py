"""Clinical tables as text: delimited files and ARFF, with dirty values read or refused by row and column."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from workup.errors import FileFormatError, UnknownNameError, WorkupWarning, suggestion
from workup.importers.cells import MOST_FAULTS, Cells, more, read_cells
from workup.importers.source import clipped
from workup.importers.tables.arff import read_arff
from workup.importers.tables.names import NameIndex, plain, spelt
from workup.importers.tables.words import is_number, numbers_in, with_decimal_commas

MISSING_WORDS = frozenset({"", "?", "na", "n/a", "nan", "null"})
"""Cells that say that there is no value, in any case."""


@dataclass(frozen=True, eq=False)
class Column:
    """One column: words as written (stripped, None where missing), numbers where it holds numbers."""

    name: str
    words: pl.Series
    numbers: NDArray[np.float64] | None
    """(n,) float64, NaN where missing; None for a column of words."""
    domain: tuple[str, ...] | None = None
    """The values that an ARFF header declares."""

    @property
    def missing(self) -> NDArray[np.bool_]:
        """(n,) where there is no value."""
        return self.words.is_null().to_numpy()


@dataclass(frozen=True, eq=False)
class ClinicalTable:
    """Rows are patients."""

    path: Path
    columns: tuple[Column, ...]
    lines: NDArray[np.int64]
    """(n,) the line of the file where each row stands."""
    header_rows: int = 0
    """Repeated header rows that were left out."""
    named: bool = True
    """Whether the file itself names its columns."""

    @cached_property
    def _index(self) -> NameIndex:
        return NameIndex(column.name for column in self.columns)

    def find(self, name: str) -> Column | None:
        """The column of that name, in any case; None if there is none. Raises UnknownNameError where several fit."""
        place = self._index.find(name)
        return None if place is None else self.columns[place]

    def column(self, name: str) -> Column:
        """The column of that name, in any case; raises UnknownNameError."""
        found = self.find(name)
        if found is not None:
            return found
        names = self._index.names
        raise UnknownNameError(
            clipped(f"{self.path} has no column {name!r}{suggestion(name, names)}; it has {', '.join(names)}")
        )


@dataclass(frozen=True)
class Reading:
    """How a table is to be read, where the file itself does not say."""

    names: Sequence[str] | None = None
    """Of the columns, for a file that has no header row."""
    missing: Sequence[str] = ()
    """Further words that mean that there is no value, beside MISSING_WORDS."""
    expected: Sequence[str] = ()
    """Names that a header row would hold: the target first, then those that have a cost."""
    categories: Sequence[str] = ()
    """Columns whose cells are words, whatever they look like: the target, codes."""


def read_table(path: Path, reading: Reading | None = None) -> ClinicalTable:
    """Read a CSV file (commas, semicolons, tabs, bars or blanks) or an ARFF file.

    Raises:
        FileFormatError: not text, rows of different lengths, or cells that are not what the rest of their column is; each
            by row and column.
    """
    how = reading or Reading()
    cells = read_arff(path) if path.suffix.lower() == ".arff" else read_cells(path)
    names, width = how.names, cells.grid.width
    if names is not None and len(names) != width:
        raise FileFormatError(f"{path} has {width} columns; {len(names)} names were given for them")
    found = cells.names
    if found is None and _is_header(cells, how):
        found = [_unquoted(word) for word in cells.row(0)]
        if names is None:
            _check_names(path, int(cells.lines[0]), found)
        cells = cells.without([0])
    called = list(names) if names is not None else found or [f"column_{i + 1}" for i in range(width)]
    _check_names(path, 1, called)
    again = _repeated_headers(cells, called)
    cells = cells.without(again)
    if not len(cells.lines):
        raise FileFormatError(f"{path} has no rows below its header; expected one for each patient")
    return ClinicalTable(path, _Columns(path, cells, how).read(called), cells.lines, len(again), found is not None)


def _unquoted(word: str) -> str:
    return word.strip().strip("'\"").strip()


def _is_header(cells: Cells, how: Reading) -> bool:
    """Whether the first row names the columns: it says what is expected, or holds no value where the next rows do."""
    first = [_unquoted(word) for word in cells.row(0)]
    below = [list(row) for row in cells.grid[1:50].iter_rows()]
    if how.names is not None and [plain(word) for word in first] == [plain(name) for name in how.names]:
        return True
    said = {spelt(word): at for at, word in enumerate(first)} | {plain(word): at for at, word in enumerate(first)}
    places = [said.get(spelt(name), said.get(plain(name))) for name in how.expected]
    if places and places[0] is not None and not _seen_again(first, below, places[0]):
        return True
    if sum(place is not None and not _seen_again(first, below, place) for place in places) * 2 > len(places):
        return True
    if any(is_number(word) or word.lower() in MISSING_WORDS for word in first) or len(set(first)) != len(first):
        return False
    numeric = any(is_number(word.strip()) for row in below for word in row)
    return numeric or not all(_seen_again(first, below, at) for at in range(len(first)))


def _seen_again(first: list[str], below: list[list[str]], at: int) -> bool:
    return any(row[at].strip() == first[at] for row in below)


def _check_names(path: Path, line: int, names: Sequence[str]) -> None:
    seen: dict[str, int] = {}
    for at, name in enumerate(names, 1):
        if not spelt(name):
            raise FileFormatError(
                f"{path}:{line}: column {at} has no name (pandas writes its index so: index=False leaves it out); name it "
                "in the file, or all with --columns; expected different names, none empty"
            )
        if spelt(name) in seen:
            raise FileFormatError(
                f"{path}:{line}: columns {seen[spelt(name)]} and {at} are both called {name!r}; expected different names, "
                "none empty; rename one in the file, or name all with --columns"
            )
        seen[spelt(name)] = at


def _repeated_headers(cells: Cells, names: Sequence[str]) -> list[int]:
    """Rows that say the names again."""
    lowered = [name.lower() for name in names]
    alike = (cells.grid["0"].str.to_lowercase() == lowered[0]).arg_true().to_list()
    return [at for at in alike if [word.lower() for word in cells.row(at)] == lowered]


class _Columns:
    """Reads each column as what it is, and finds all faults before it gives up."""

    def __init__(self, path: Path, cells: Cells, how: Reading) -> None:
        self.path, self.cells, self.how = path, cells, how
        self.absent = sorted(MISSING_WORDS | {word.strip().lower() for word in how.missing})
        self.faults: list[str] = []
        self.commas: list[str] = []
        """Columns where decimal commas were read."""

    def read(self, names: list[str]) -> tuple[Column, ...]:
        index = NameIndex(names)
        categories = {index.find(name) for name in self.how.categories}
        columns = []
        for at, name in enumerate(names):
            words = self.cells.grid[str(at)]
            if not self.cells.exact:
                words = words.str.strip_chars("'\" \t")
            words = words.set(words.str.to_lowercase().is_in(self.absent), None)
            columns.append(self._column(name, words, at in categories))
        if self.faults:
            raise FileFormatError("\n".join([*self.faults[:MOST_FAULTS], *more(len(self.faults))]))
        if self.commas:
            warnings.warn(
                clipped(
                    f"{self.path}: decimal commas were read as decimal points in {', '.join(self.commas)} (for columns of words: "
                    "--categories)"
                ),
                WorkupWarning,
                stacklevel=4,
            )
        return tuple(columns)

    def _fault(self, row: int, name: str, message: str) -> None:
        self.faults.append(clipped(f"{self.path}:{self.cells.lines[row]}: row {row + 1}, column {name}: {message}"))

    def _column(self, name: str, words: pl.Series, categories: bool) -> Column:
        """A column, numeric if most of its cells are numbers; cells that are not what the rest is are faults."""
        there = ~words.is_null().to_numpy()
        domain = self.cells.domains.get(name)
        if domain is not None:
            for row in np.flatnonzero(there & ~words.is_in(list(domain)).fill_null(False).to_numpy()):
                self._fault(int(row), name, f"found {words[int(row)]!r}; the header allows {', '.join(domain)}")
            return Column(name, words, None, domain)
        numbers = numbers_in(words)
        numeric = np.isfinite(numbers)
        if categories:
            return Column(name, words, numbers if numeric.sum() == there.sum() else None)
        if numeric.sum() != there.sum():
            with_commas, doubtful = with_decimal_commas(words)
            if (more := np.isfinite(with_commas)).sum() > numeric.sum() and more.sum() * 2 >= there.sum():
                self.commas.append(name)
                numbers, numeric = with_commas, more
                for row in np.flatnonzero(doubtful.to_numpy()):
                    found = words[int(row)]
                    self._fault(
                        int(row), name,
                        f"found {found!r}, which may be {found.replace(',', '.', 1)} or {found.replace(',', '')}; write a "
                        f"decimal point, and thousands without a mark (or --categories {name}, if these are words)",
                    )  # fmt: skip
        if not there.any() or numeric.sum() * 2 < there.sum():
            return Column(name, words, None)
        for row in np.flatnonzero(there & ~numeric):
            found = words[int(row)]
            self._fault(
                int(row), name,
                f"found {found!r}; expected a number, as the {int(numeric.sum())} other cells are, or an empty cell or '?'; "
                f"if it means that there is no value, say --missing '{found}', and if the column holds words, "
                f"--categories {name}",
            )  # fmt: skip
        return Column(name, words, numbers)
