"""Delimited text as rows of cells, each with the line where it begins."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field, replace
from itertools import chain
from math import isfinite
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from workup.errors import FileFormatError
from workup.importers.source import read_source_text

MOST_BYTES = 2**30
MOST_COLUMNS = 100_000
MOST_FAULTS = 20
"""So many are told at once."""
_SLICE = 50_000
"""Rows that are turned into columns at a time."""
_LINE_END = re.compile(r"\r\n?")
SEPARATORS = (",", ";", "\t", "|")
_SAMPLE_CHARACTERS, _SAMPLE_LINES = 100_000, 50
_QUOTED = re.compile(r"""(?:(?<=[,;\t|\n])|^)[ ]*"(?:[^"]|"")*\"""")
_NO_DECIMAL_COMMA = re.compile(r"(?<!\d),|,(?!\d)")
_THOUSANDS = re.compile(r"[1-9]\d{0,2}(,\d{3})+")
_END = "\0"
"""A line that no text holds: if it is not the last row, a quote was left open."""


@dataclass
class Cells:
    """A table as text: rows below each other, perhaps with the names and the domains that its header declares."""

    names: list[str] | None
    lines: NDArray[np.int64]
    """(n,) the line where each row begins."""
    grid: pl.DataFrame
    """(n, columns) words without blanks around them, '' where empty."""
    domains: dict[str, tuple[str, ...] | None] = field(default_factory=dict)
    exact: bool = False
    """Whether quotes were taken off already, so that those that are left belong to the words."""

    def row(self, at: int) -> list[str]:
        """The words of a row."""
        return list(self.grid.row(at))

    def without(self, rows: Collection[int]) -> Cells:
        """The same without some of its rows."""
        kept = np.ones(len(self.lines), bool)
        kept[list(rows)] = False
        return replace(self, lines=self.lines[kept], grid=self.grid.filter(kept))


def read_text(path: Path) -> str:
    """The text of a table or of its costs; raises FileFormatError where it is none."""
    text = read_source_text(path, most=MOST_BYTES, what="tables")
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        raise FileFormatError(f"{path}:{line}: holds zero bytes, so it is not text; expected CSV or ARFF")
    return text


def read_cells(path: Path) -> Cells:
    """The cells of a file with commas, semicolons, tabs, bars or blanks between them.

    Raises:
        FileFormatError: not text, empty, a quote that is never closed, or rows of different lengths.
    """
    text = read_text(path)
    separator = separator_of(text)
    cells = _plain_cells(path, text, separator) if separator != " " and '"' not in text else None
    if cells is not None:
        return cells
    found = list(csv_rows(path, text, separator))
    return cells_of(path, [line for line, _ in found], [row for _, row in found])


def cells_of(path: Path, lines: list[int], rows: list[list[str]], width: int | None = None) -> Cells:
    """Cells from rows; raises FileFormatError where they have not all the width (None: what most have)."""
    _check_widths(path, lines, [len(row) for row in rows], width)
    parts = []
    for first in range(0, len(rows), _SLICE):
        columns = zip(*rows[first : first + _SLICE], strict=True)
        parts.append(pl.DataFrame([pl.Series(str(i), column, pl.String) for i, column in enumerate(columns)]))
    return Cells(None, np.array(lines, np.int64), pl.concat(parts).select(pl.all().str.strip_chars()))


def _plain_cells(path: Path, text: str, separator: str) -> Cells | None:
    """The same, several times as fast, for text without quotes; None where a line is so long that csv has to look at it."""
    numbered = [(n, line) for n, line in enumerate(_LINE_END.sub("\n", text).split("\n"), 1) if line.strip()]
    lines, rows = [n for n, _ in numbered], [line for _, line in numbered]
    if max(map(len, rows), default=0) > csv.field_size_limit():
        return None
    _check_widths(path, lines, [row.count(separator) + 1 for row in rows], None)
    grid = pl.read_csv(
        io.BytesIO("\n".join(rows).encode()), separator=separator, has_header=False, infer_schema=False, quote_char=None,
        new_columns=[str(i) for i in range(rows[0].count(separator) + 1)],
    )  # fmt: skip
    return Cells(None, np.array(lines, np.int64), grid.select(pl.all().fill_null("").str.strip_chars()))


def _check_widths(path: Path, lines: list[int], lengths: list[int], width: int | None) -> None:
    """Refuse rows of another length than most have, so that a short first row is the fault and not all others."""
    if not lengths:
        raise FileFormatError(f"{path} is empty; expected one row for each patient")
    first = lengths[:200]
    expected = width if width is not None else max(set(first), key=first.count)
    wrong = [(line, length) for line, length in zip(lines, lengths, strict=True) if length != expected]
    if wrong:
        told = [f"{path}:{n}: the row has {length} cells; expected {expected}" for n, length in wrong[:MOST_FAULTS]]
        raise FileFormatError("\n".join([*told, *more(len(wrong))]))
    if expected > MOST_COLUMNS:
        raise FileFormatError(f"{path} has {expected:,} columns; tables of up to {MOST_COLUMNS:,} are read")


def more(count: int) -> list[str]:
    """How many faults are not told."""
    return [f"and {count - MOST_FAULTS} more"] if count > MOST_FAULTS else []


def csv_rows(path: Path, text: str, separator: str) -> Iterator[tuple[int, list[str]]]:
    """Every row that is not blank, with its line; cells in quotes may hold separators and line breaks.

    Raises:
        FileFormatError: a quote that is never closed, or a cell longer than Python's csv reads.
    """
    source: Iterator[str] = io.StringIO(text, newline="")
    if separator == " ":
        source = (" ".join(line.split()) + "\n" for line in source)
    reader = csv.reader(chain(source, [_END]), delimiter=separator, skipinitialspace=True)
    line = 1
    try:
        for cells in reader:
            if cells == [_END]:
                return
            if cells and cells[-1].endswith(_END):
                raise FileFormatError(
                    f"{path}:{line}: a quote is opened in this row and never closed; close it, or remove it"
                )
            if len(cells) > 1 or any(cell.strip() for cell in cells):
                yield line, cells
            line = reader.line_num + 1
    except csv.Error as error:
        raise FileFormatError(
            f"{path}:{line}: cannot be read as a row ({error}); is a quote left open there? Cells of up to "
            f"{csv.field_size_limit():,} characters are read"
        ) from None


def amount(word: str) -> float | None:
    """The number, 0 or more, that a word says with a decimal point or comma; None if it says none, or `1,234`, which says two."""
    if _THOUSANDS.fullmatch(word.strip()) or "_" in word:
        return None
    try:
        number = float(word.replace(",", ".", 1))
    except ValueError:
        return None
    return number if isfinite(number) and number >= 0 else None


AMOUNT = "a number, 0 or more, with a decimal point and no mark between thousands"
"""What `amount` reads, for messages."""


def separator_of(text: str) -> str:
    """What stands between the cells: ',', ';', a tab, '|' or a blank."""
    sample = [line for line in _QUOTED.sub("", text[:_SAMPLE_CHARACTERS]).split("\n") if line.strip()]
    sample = sample[: max(1, min(_SAMPLE_LINES, len(sample) - (len(text) > _SAMPLE_CHARACTERS)))]
    if not sample:
        return ","
    counts = {mark: [line.count(mark) for line in sample] for mark in SEPARATORS}
    even = [mark for mark in SEPARATORS if 0 < min(counts[mark]) == max(counts[mark])]
    decimal = not any(_NO_DECIMAL_COMMA.search(line) for line in sample)
    others = [mark for mark in even if mark != ","]
    if others and (decimal or "," not in even):
        return max(others, key=lambda mark: counts[mark][0])
    blanks = {len(line.split()) for line in sample}
    if decimal and "," not in even and len(blanks) == 1 and blanks != {1}:
        return " "
    used = {mark: (sum(n > 0 for n in counts[mark]), sum(counts[mark])) for mark in SEPARATORS[:3]}
    best = max(used, key=lambda mark: used[mark])
    return best if used[best][0] * 2 > len(sample) else " "
