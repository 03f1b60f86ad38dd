"""Delimited text as rows of cells, each with the line where it begins."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import chain
from math import isfinite
from pathlib import Path

from workup.errors import FileFormatError
from workup.importers.source import read_source_text

MOST_BYTES = 2**30
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
    lines: list[int]
    """The line where each row begins."""
    rows: list[list[str]]
    separator: str = ","
    domains: dict[str, tuple[str, ...] | None] = field(default_factory=dict)
    exact: bool = False
    """Whether quotes were taken off already, so that those that are left belong to the words."""


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
        FileFormatError: not text, empty, or with a quote that is never closed.
    """
    text = read_text(path)
    separator = separator_of(text)
    rows: list[list[str]] = []
    lines: list[int] = []
    for line, cells in csv_rows(path, text, separator):
        rows.append(cells)
        lines.append(line)
    if not rows:
        raise FileFormatError(f"{path} is empty; expected one row for each patient")
    return Cells(None, lines, rows, separator)


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
