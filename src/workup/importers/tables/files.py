"""Clinical tables as text: delimited files and ARFF, with dirty values read or refused by row and column."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from workup.errors import FileFormatError, UnknownNameError, suggestion

MISSING_WORDS = frozenset({"", "?", "na", "n/a", "nan", "null"})
"""Cells that say that there is no value, in any case."""
MOST_FAULTS = 20
"""So many are told at once."""
MOST_BYTES = 2**30
_ATTRIBUTE = re.compile(r"""@attribute\s+(?:'([^']*)'|"([^"]*)"|(\S+))\s+(.*)""", re.IGNORECASE)
_SEPARATORS = (",", ";", "\t")


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

    def column(self, name: str) -> Column:
        """The column of that name, in any case; raises UnknownNameError."""
        for column in self.columns:
            if plain(column.name) == plain(name):
                return column
        names = [column.name for column in self.columns]
        raise UnknownNameError(
            f"{self.path} has no column {name!r}{suggestion(name, names)}; it has {', '.join(names)}"
        )


def plain(name: str) -> str:
    """A name without case and punctuation, so that `ALK_PHOSPHATE` and `alk phosphate` are the same."""
    return re.sub(r"\W+", "_", name.strip().strip("'\"")).strip("_").lower()


@dataclass
class _Text:
    names: list[str] | None
    lines: list[int]
    rows: list[str]
    separator: str
    domains: dict[str, tuple[str, ...] | None] = field(default_factory=dict)


def read_table(path: Path, *, names: Sequence[str] | None = None, missing: Sequence[str] = ()) -> ClinicalTable:
    """Read a CSV file (commas, semicolons, tabs or blanks) or an ARFF file.

    Args:
        path: the file.
        names: of the columns, for a file that has no header row.
        missing: further words that mean that there is no value, beside MISSING_WORDS.

    Raises:
        FileFormatError: not text, rows of different lengths, or cells that are not what the rest of their column is; each
            by row and column.
    """
    text = _arff(path) if path.suffix.lower() == ".arff" else _delimited(path)
    grid = _grid(path, text)
    if names is not None and len(names) != len(grid.columns):
        raise FileFormatError(f"{path} has {len(grid.columns)} columns; {len(names)} names were given for them")
    lines = np.array(text.lines, np.int64)
    found = text.names
    if found is None and _is_header(grid, names):
        found = [_unquoted(word) for word in grid.row(0)]
        grid, lines = grid[1:], lines[1:]
    named = found is not None
    called = list(names) if names is not None else found or [f"column_{i + 1}" for i in range(len(grid.columns))]
    repeated = [name for i, name in enumerate(called) if plain(name) in {plain(other) for other in called[:i]}]
    if repeated or not all(plain(name) for name in called):
        raise FileFormatError(f"{path}: the columns are called {called}; expected different names, none empty")
    grid.columns = [str(i) for i in range(len(called))]
    again = pl.all_horizontal([grid[str(i)].str.to_lowercase() == name.lower() for i, name in enumerate(called)])
    headers = grid.select(again.alias("again"))["again"].fill_null(False).to_numpy() if len(grid) else np.zeros(0, bool)
    grid, lines = grid.filter(~headers), lines[~headers]
    if len(grid) == 0:
        raise FileFormatError(f"{path} has no rows below its header; expected one for each patient")
    return ClinicalTable(
        path, _columns(path, grid, called, lines, text.domains, missing), lines, int(headers.sum()), named
    )


def _read_lines(path: Path) -> list[str]:
    if path.stat().st_size > MOST_BYTES:
        raise FileFormatError(f"{path} has {path.stat().st_size:,} bytes; tables of up to {MOST_BYTES:,} are read")
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise FileFormatError(
            f"{path}: not UTF-8 text ({error.reason} at byte {error.start}); save it as UTF-8"
        ) from None
    if "\0" in text:
        raise FileFormatError(f"{path}: holds zero bytes, so it is not text; expected CSV or ARFF")
    return text.splitlines()


def _delimited(path: Path) -> _Text:
    kept = [(n, line) for n, line in enumerate(_read_lines(path), 1) if line.strip()]
    if not kept:
        raise FileFormatError(f"{path} is empty; expected one row for each patient")
    sample = [line for _, line in kept[:50]]
    used = {
        mark: (sum(mark in line for line in sample), sum(line.count(mark) for line in sample)) for mark in _SEPARATORS
    }
    separator = max(_SEPARATORS, key=lambda mark: used[mark])
    if used[separator][0] * 2 <= len(sample):
        kept = [(n, "\t".join(line.split())) for n, line in kept]
        separator = "\t"
    return _Text(None, [n for n, _ in kept], [line for _, line in kept], separator)


def _arff(path: Path) -> _Text:
    text = _Text([], [], [], ",")
    names: list[str] = []
    in_data = False
    for n, line in enumerate(_read_lines(path), 1):
        line = line.strip()
        if not line or line.startswith("%"):
            continue
        if in_data:
            if line.startswith("{"):
                raise FileFormatError(f"{path}:{n}: a sparse ARFF row; expected all values, with commas between")
            text.lines.append(n)
            text.rows.append(line.replace("'", '"'))
        elif line.lower().startswith("@attribute"):
            match = _ATTRIBUTE.match(line)
            if match is None:
                raise FileFormatError(f"{path}:{n}: found {line[:60]!r}; expected '@attribute name type'")
            name = next(group for group in match.groups()[:3] if group is not None)
            kind = match.group(4).strip()
            names.append(name)
            nominal = kind.startswith("{") and kind.endswith("}")
            words = next(csv.reader([kind[1:-1].replace("'", '"')], skipinitialspace=True)) if nominal else None
            text.domains[name] = None if words is None else tuple(word.strip() for word in words)
        elif line.lower().startswith("@data"):
            in_data = True
        elif not line.lower().startswith("@relation"):
            raise FileFormatError(f"{path}:{n}: found {line[:60]!r}; expected @relation, @attribute or @data")
    if not names or not text.rows:
        missing = "@attribute" if not names else "rows after @data"
        raise FileFormatError(f"{path}: found no {missing}; the file may have been cut short")
    text.names = names
    return text


def _grid(path: Path, text: _Text) -> pl.DataFrame:
    """All cells as words, stripped of blanks, tabs and quotes."""
    width = _width(text.names, text.rows, text.separator)
    plain_rows = '"' not in "".join(text.rows[:1000]) and not any('"' in row for row in text.rows)
    lengths = (
        [row.count(text.separator) + 1 for row in text.rows]
        if plain_rows
        else [len(cells) for cells in csv.reader(text.rows, delimiter=text.separator, skipinitialspace=True)]
    )
    if len(lengths) != len(text.rows):
        raise FileFormatError(f"{path}: a quoted cell goes on over the end of its line; expected one line a row")
    wrong = [(n, length) for n, length in zip(text.lines, lengths, strict=True) if length != width]
    if wrong:
        told = [f"{path}:{n}: the row has {length} cells; expected {width}" for n, length in wrong[:MOST_FAULTS]]
        raise FileFormatError("\n".join([*told, *_more(len(wrong))]))
    if not plain_rows:
        cells = list(csv.reader(text.rows, delimiter=text.separator, skipinitialspace=True))
        grid = pl.DataFrame({str(i): [row[i] for row in cells] for i in range(width)}, strict=False)
    else:
        grid = pl.read_csv(
            io.BytesIO("\n".join(text.rows).encode()),
            separator=text.separator,
            has_header=False,
            infer_schema=False,
            quote_char=None,
        )
    return grid.select(pl.all().fill_null("").str.strip_chars())


def _width(names: list[str] | None, rows: list[str], separator: str) -> int:
    """What most rows have, so that a short first row is the fault and not all others."""
    if names is not None:
        return len(names)
    lengths = [len(cells) for cells in csv.reader(rows[:200], delimiter=separator, skipinitialspace=True)]
    return max(set(lengths), key=lengths.count)


def _more(count: int) -> list[str]:
    return [f"and {count - MOST_FAULTS} more"] if count > MOST_FAULTS else []


def _unquoted(word: str) -> str:
    return word.strip().strip("'\"").strip()


def _is_number(word: str) -> bool:
    try:
        float(word)
    except ValueError:
        return False
    return "_" not in word


def _is_header(grid: pl.DataFrame, names: Sequence[str] | None) -> bool:
    """Whether the first row names the columns: it says what was given, or holds no value where the next rows do."""
    first = [_unquoted(word) for word in grid.row(0)]
    if names is not None and [plain(word) for word in first] == [plain(name) for name in names]:
        return True
    if any(_is_number(word) or word.lower() in MISSING_WORDS for word in first) or len(set(first)) != len(first):
        return False
    below = grid[1:50]
    numeric = any(_is_number(word) for row in below.iter_rows() for word in row)
    seen_again = all(word in set(below[column]) for word, column in zip(first, below.columns, strict=True))
    return numeric or not seen_again


def _columns(
    path: Path,
    grid: pl.DataFrame,
    names: list[str],
    lines: NDArray[np.int64],
    domains: dict[str, tuple[str, ...] | None],
    missing: Sequence[str],
) -> tuple[Column, ...]:
    absent = sorted(MISSING_WORDS | {word.strip().lower() for word in missing})
    columns, faults = [], []
    for at, name in enumerate(names):
        words = grid[str(at)].str.strip_chars("'\" \t")
        lowered = words.str.to_lowercase().is_in(absent)
        words = words.set(lowered, None)
        column, wrong = _column(name, words, domains.get(name))
        columns.append(column)
        faults += [f"{path}:{lines[row]}: row {row + 1}, column {name}: {message}" for row, message in wrong]
    if faults:
        raise FileFormatError("\n".join([*faults[:MOST_FAULTS], *_more(len(faults))]))
    return tuple(columns)


def _column(name: str, words: pl.Series, domain: tuple[str, ...] | None) -> tuple[Column, list[tuple[int, str]]]:
    """A column, numeric if most of its cells are numbers, and the cells that are not what the rest is."""
    there = ~words.is_null().to_numpy()
    if domain is not None:
        outside = np.flatnonzero(there & ~words.is_in(list(domain)).fill_null(False).to_numpy())
        return Column(name, words, None, domain), [
            (int(row), f"found {words[int(row)]!r}; the header allows {', '.join(domain)}") for row in outside
        ]
    numbers = words.cast(pl.Float64, strict=False).fill_null(np.nan).to_numpy().astype(np.float64)
    numeric = np.isfinite(numbers)
    if not there.any() or numeric.sum() * 2 < there.sum():
        return Column(name, words, None), []
    wrong = np.flatnonzero(there & ~numeric)
    message = "found {!r}; expected a number, as the {} other cells are, or an empty cell or '?'"
    return Column(name, words, numbers), [
        (int(row), message.format(words[int(row)], int(numeric.sum()))) for row in wrong
    ]
