"""ARFF as Weka writes and reads it: quotes of either kind with backslashes, commas, tabs or blanks, weights, comments.

Source: Witten IH, Frank E, Hall MA, Data Mining, with the ARFF format of Weka 3.8 (its tokens are those of its ArffLoader).
"""

from __future__ import annotations

import re
import warnings
from dataclasses import replace
from pathlib import Path

from workup.errors import FileFormatError, WorkupWarning
from workup.importers.cells import Cells, cells_of, read_text

_QUOTED = r"""'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*\""""
_ATTRIBUTE = re.compile(rf"""@attribute\s+({_QUOTED}|[^\s{{]+)\s*(.*)""", re.IGNORECASE | re.DOTALL)
_NOMINAL = re.compile(rf"""\{{((?:{_QUOTED}|[^}}])*)\}}\s*(?:\{{[^}}]*\}}\s*)?""", re.DOTALL)
_COMMENT = re.compile(rf"""((?:{_QUOTED}|[^%])*?)%.*""", re.DOTALL)
_BY_COMMA = re.compile(rf"""\s*(?:({_QUOTED})\s*(?=,|$)|([^,]*))(?:,|$)""")
_BY_BLANK = re.compile(rf"""({_QUOTED})|([^\s,]+)""")
_WEIGHT = re.compile(r"\{\s*([0-9.eE+-]+)\s*\}")
_ESCAPED = {"n": "\n", "r": "\r", "t": "\t"}


def read_arff(path: Path) -> Cells:
    """The rows of an ARFF file, with the names and domains of its header.

    Weights of rows are left out, with a WorkupWarning where they differ.

    Raises:
        FileFormatError: with `file:line` of what is malformed, sparse or cut short.
    """
    reading = _Arff(path)
    for line, text in enumerate(re.split(r"\r\n|\r|\n", read_text(path)), 1):
        reading.take(line, text.strip())
    return reading.cells()


class _Arff:
    def __init__(self, path: Path) -> None:
        self.path = path
        self.lines: list[int] = []
        self.rows: list[list[str]] = []
        self.names: list[str] = []
        self.domains: dict[str, tuple[str, ...] | None] = {}
        self.in_data = False
        self.open: tuple[int, str] | None = None
        """Line and text so far of an attribute whose list of values goes on over lines."""
        self.weights: set[str] = set()

    def take(self, line: int, text: str) -> None:
        if self.open is not None:
            line, text = self.open[0], f"{_uncommented(self.open[1])} {text}"
            self.open = None
        if not text or text.startswith("%"):
            return
        if self.in_data:
            self._row(line, text)
        elif text.lower().startswith("@attribute"):
            self._attribute(line, text)
        elif text.lower().startswith("@data"):
            self.in_data = True
        elif not text.lower().startswith("@relation"):
            raise self._fault(line, f"found {text[:60]!r}; expected @relation, @attribute or @data")

    def cells(self) -> Cells:
        if self.open is not None:
            raise self._fault(self.open[0], "the list of values is not closed; expected '}'")
        if not self.names or not self.rows:
            missing = "@attribute" if not self.names else "rows after @data"
            raise FileFormatError(f"{self.path}: found no {missing}; the file may have been cut short")
        if len(self.weights) > 1:
            warnings.warn(
                f"{self.path}: the rows have weights, which were left out: every row counts once", WorkupWarning, stacklevel=4
            )  # fmt: skip
        cells = cells_of(self.path, self.lines, self.rows, len(self.names))
        return replace(cells, names=self.names, domains=self.domains, exact=True)

    def _attribute(self, line: int, text: str) -> None:
        match = _ATTRIBUTE.fullmatch(text)
        if match is None or not match[2]:
            raise self._fault(line, f"found {text[:60]!r}; expected '@attribute name type'")
        name, kind = _unquoted(match[1]), match[2].strip()
        nominal = _NOMINAL.fullmatch(kind) or _NOMINAL.fullmatch(_uncommented(kind))
        if kind.startswith("{") and nominal is None:
            self.open = line, text
            return
        self.names.append(name)
        self.domains[name] = None if nominal is None else tuple(_cells(nominal[1]))

    def _row(self, line: int, text: str) -> None:
        if text.startswith("{"):
            raise self._fault(line, "a sparse ARFF row; expected all values, with commas between")
        cells = _cells(text)
        width = len(self.names)
        weight = _WEIGHT.fullmatch(cells[-1])
        if len(cells) == width + 1 and weight is not None:
            self.weights.add(weight[1])
            cells.pop()
        if len(cells) == width + 1 and cells[-1] == "":
            cells.pop()
        if len(cells) != width:
            by_blank = [_unquoted(quoted or bare) for quoted, bare in _BY_BLANK.findall(text)]
            cells = by_blank if len(by_blank) == width else cells
        self.lines.append(line)
        self.rows.append(cells)

    def _fault(self, line: int, message: str) -> FileFormatError:
        return FileFormatError(f"{self.path}:{line}: {message}")


def _uncommented(text: str) -> str:
    match = _COMMENT.fullmatch(text)
    return text if match is None else match[1].strip()


def _cells(text: str) -> list[str]:
    """What stands between the commas, without quotes."""
    if "'" not in text and '"' not in text and "\\" not in text:
        return [cell.strip() for cell in text.split(",")]
    found, at = [], 0
    while at <= len(text):
        match = _BY_COMMA.match(text, at)
        assert match is not None  # an unquoted cell may be anything up to the next comma
        found.append(_unquoted(match[1]) if match[1] is not None else match[2].strip())
        if match.end() == len(text) and not text.endswith(",", at):
            break
        at = match.end()
        if at == len(text):
            found.append("")
            break
    return found


def _unquoted(word: str) -> str:
    if len(word) < 2 or word[0] not in "'\"" or word[-1] != word[0]:
        return word.strip()
    return re.sub(r"\\(.)", lambda found: _ESCAPED.get(found[1], found[1]), word[1:-1], flags=re.DOTALL).strip()
