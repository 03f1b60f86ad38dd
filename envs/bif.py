"""Reader of the Bayesian Interchange Format (BIF 0.15, and the dialects of bnlearn, pgmpy, aGrUM).

Source: Cozman, The Interchange Format for Bayesian Networks (1998). A `table` with parents counts with the
rightmost name fastest and the variable itself first, so the variable's own values vary slowest.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import product
from math import isfinite, prod
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from workup.envs.network import Network, NetworkVariable
from workup.scenarios.errors import FileFormatError, WorkupError, WorkupWarning

ROW_SUM_TOLERANCE = 1e-4
"""A row whose sum is this close to 1 was rounded for printing and is normalised, with a warning; others are refused."""

EXACT = 1e-12
"""Deviations up to this are floating-point noise and are normalised without a word."""

LARGEST_TABLE = 2**24

_TOKEN = re.compile(
    r"""(?P<space>\s+|//[^\n]*|/\*.*?\*/)|(?P<quoted>"[^"\n]*")|(?P<mark>[{}()\[\]|,;])"""
    r"""|(?P<word>(?:(?!//|/\*)[^\s{}()\[\]|,;"])+)""",
    re.DOTALL,
)


@dataclass(frozen=True)
class _Token:
    text: str
    line: int
    mark: bool


@dataclass
class _Block:
    """A probability block as written: parents, and rows by the values of the parents."""

    child: str
    parents: tuple[str, ...]
    line: int
    table: tuple[int, list[float]] | None = None
    default: tuple[int, list[float]] | None = None
    rows: list[tuple[int, tuple[str, ...], list[float]]] = field(default_factory=list)


def read_bif(path: Path) -> Network:
    """The network in a BIF file.

    Rows whose sum is within 1e-4 of 1 are normalised; where they were off by more than 1e-12 a WorkupWarning
    says how many and by how much.

    Raises:
        FileFormatError: with `file:line` of what is malformed, truncated, continuous, duplicate or missing.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise FileFormatError(f"{path}: not UTF-8 text ({error.reason} at byte {error.start}); save it as UTF-8") from None
    return _Reader(path, text).network()


class _Reader:
    def __init__(self, path: Path, text: str) -> None:
        self.path = path
        self.tokens = list(self._tokenise(text))
        self.at = 0
        self.values: dict[str, tuple[str, ...]] = {}
        self.declared: dict[str, int] = {}
        self.blocks: dict[str, _Block] = {}
        self.faults: list[str] = []

    def network(self) -> Network:
        while self.at < len(self.tokens):
            token = self._next("'network', 'variable' or 'probability'")
            if token.text == "network":
                self._name("the network's name")
                self._skip_block()
            elif token.text == "variable":
                self._variable()
            elif token.text == "probability":
                self._probability()
            else:
                raise self._fault(token.line, f"found {token.text!r}; expected 'network', 'variable' or 'probability'")
        return self._assembled()

    # Syntax

    def _tokenise(self, text: str) -> Iterator[_Token]:
        position, line = 0, 1
        while position < len(text):
            match = _TOKEN.match(text, position)
            if match is None:
                what = "a comment that never ends" if text.startswith("/*", position) else "a quote that never ends"
                raise self._fault(line, f"found {what}; expected it to be closed")
            found = match.group()
            if match.lastgroup != "space":
                yield _Token(found.strip('"') if match.lastgroup == "quoted" else found, line, match.lastgroup == "mark")
            line += found.count("\n")
            position = match.end()

    def _fault(self, line: int, message: str) -> FileFormatError:
        return FileFormatError(f"{self.path}:{line}: {message}")

    def _next(self, expected: str) -> _Token:
        if self.at == len(self.tokens):
            line = self.tokens[-1].line if self.tokens else 1
            raise self._fault(line, f"the file ends here; expected {expected}. It was cut short")
        self.at += 1
        return self.tokens[self.at - 1]

    def _peek(self, mark: str) -> bool:
        return self.at < len(self.tokens) and self.tokens[self.at].mark and self.tokens[self.at].text == mark

    def _mark(self, mark: str) -> None:
        token = self._next(f"'{mark}'")
        if not (token.mark and token.text == mark):
            raise self._fault(token.line, f"found {token.text!r}; expected '{mark}'")

    def _name(self, what: str) -> _Token:
        token = self._next(what)
        if token.mark:
            raise self._fault(token.line, f"found {token.text!r}; expected {what}")
        return token

    def _names(self, end: str, what: str) -> list[str]:
        """Names up to the mark `end`, with or without commas between them."""
        names = []
        while not self._peek(end):
            names.append(self._name(what).text)
            if self._peek(","):
                self._mark(",")
        self._mark(end)
        return names

    def _numbers(self) -> list[float]:
        numbers = []
        while not self._peek(";"):
            token = self._name("a probability, or ';'")
            try:
                number = float(token.text)
            except ValueError:
                raise self._fault(token.line, f"found {token.text!r}; expected a probability") from None
            if not (isfinite(number) and 0.0 <= number <= 1.0 + ROW_SUM_TOLERANCE):
                raise self._fault(token.line, f"found {token.text}; expected a probability in [0, 1]")
            numbers.append(number)
            if self._peek(","):
                self._mark(",")
        self._mark(";")
        return numbers

    def _skip_block(self) -> None:
        self._mark("{")
        while not self._peek("}"):
            self._property(self._next("'property' or '}'"))
        self._mark("}")

    def _property(self, token: _Token) -> None:
        if token.text != "property":
            raise self._fault(token.line, f"found {token.text!r}; expected 'property' or '}}'")
        while not self._peek(";"):
            self._next("';' after a property")
        self._mark(";")

    def _variable(self) -> None:
        name = self._name("a variable's name")
        self._mark("{")
        values: list[str] | None = None
        while not self._peek("}"):
            token = self._next("'type', 'property' or '}'")
            if token.text != "type":
                self._property(token)
            elif values is not None:
                raise self._fault(token.line, f"variable {name.text} has a second 'type'; expected one")
            else:
                values = self._type(name.text)
        self._mark("}")
        if values is None:
            raise self._fault(name.line, f"variable {name.text} has no 'type'; expected 'type discrete [n] {{ ... }};'")
        if name.text in self.values:
            raise self._fault(name.line, f"variable {name.text} was already given at line {self.declared[name.text]}")
        self.values[name.text], self.declared[name.text] = tuple(values), name.line

    def _type(self, name: str) -> list[str]:
        kind = self._name("'discrete'")
        if kind.text != "discrete":
            raise self._fault(kind.line, f"variable {name} is {kind.text}; only discrete variables can be read: cut it")
        self._mark("[")
        count = self._name("the number of values")
        self._mark("]")
        self._mark("{")
        values = self._names("}", "a value")
        self._mark(";")
        if not count.text.isdecimal() or int(count.text) != len(values):
            raise self._fault(count.line, f"variable {name} announces {count.text} values and lists {len(values)}")
        if len(set(values)) != len(values) or not values:
            raise self._fault(count.line, f"variable {name} has values {values}; expected one or more, all different")
        return values

    def _probability(self) -> None:
        line = self.tokens[self.at - 1].line
        self._mark("(")
        child = self._name("a variable's name").text
        parents: list[str] = []
        if self._peek("|"):
            self._mark("|")
            parents = self._names(")", "a parent's name")
        else:
            self._mark(")")
        if child in self.blocks:
            raise self._fault(line, f"a second probability block for {child}; the first is at line {self.blocks[child].line}")
        block = self.blocks[child] = _Block(child, tuple(parents), line)
        self._mark("{")
        while not self._peek("}"):
            self._entry(block, self._next("'table', 'default', '(' or '}'"))
        self._mark("}")

    def _entry(self, block: _Block, token: _Token) -> None:
        if token.mark and token.text == "(":
            values = tuple(self._names(")", "a parent's value"))
            block.rows.append((token.line, values, self._numbers()))
        elif token.text in ("table", "default"):
            if getattr(block, token.text) is not None:
                raise self._fault(token.line, f"a second '{token.text}' for {block.child}; expected one")
            setattr(block, token.text, (token.line, self._numbers()))
        else:
            self._property(token)

    # Meaning: all faults at once

    def _assembled(self) -> Network:
        if not self.values:
            raise self._fault(1, "found no variable; expected a BIF network")
        for name, line in self.declared.items():
            if name not in self.blocks:
                self._note(line, f"variable {name} has no probability block; the file may have been cut short")
        rounded: list[float] = []
        tables = {name: self._table(block, rounded) for name, block in self.blocks.items()}
        if self.faults:
            raise FileFormatError("\n".join(self.faults))
        variables = [
            NetworkVariable(name, self.values[name], self.blocks[name].parents, table)
            for name in self.values
            if (table := tables[name]) is not None
        ]
        try:
            network = Network(tuple(variables))
        except WorkupError as error:
            raise FileFormatError(f"{self.path}: {error}") from None
        if rounded:
            warnings.warn(
                f"{self.path}: {len(rounded)} rows do not sum to 1 (off by at most {max(rounded):.2g}); they were "
                f"normalised, being within {ROW_SUM_TOLERANCE:g}",
                WorkupWarning,
                stacklevel=4,
            )
        return network

    def _note(self, line: int, message: str) -> None:
        self.faults.append(str(self._fault(line, message)))

    def _table(self, block: _Block, rounded: list[float]) -> NDArray[np.float64] | None:
        unknown = [name for name in (block.child, *block.parents) if name not in self.values]
        if unknown:
            return self._note(block.line, f"{unknown[0]!r} was never declared as a variable")
        if len({block.child, *block.parents}) != 1 + len(block.parents):
            return self._note(block.line, f"{block.child} and its parents {block.parents} repeat a name")
        shape = tuple(len(self.values[name]) for name in (*block.parents, block.child))
        if prod(shape) > LARGEST_TABLE:
            return self._note(block.line, f"{block.child} needs {prod(shape):,} numbers; at most {LARGEST_TABLE:,} are read")
        lines, rows = self._whole(block, shape) if block.table else self._by_row(block, shape)
        if rows is None:
            return None
        return self._normalised(block, lines, rows.reshape(-1, shape[-1]), rounded).reshape(shape)

    def _whole(self, block: _Block, shape: tuple[int, ...]) -> tuple[NDArray[np.int64], NDArray[np.float64] | None]:
        assert block.table is not None
        line, numbers = block.table
        lines = np.full(prod(shape[:-1]), line)
        if block.rows or block.default:
            self._note(line, f"{block.child} has a 'table' and also rows; expected one or the other")
        elif len(numbers) != prod(shape):
            self._note(line, f"{block.child} has a table of {len(numbers)} numbers; expected {prod(shape)}")
        else:
            return lines, np.moveaxis(np.array(numbers).reshape(shape[-1], *shape[:-1]), 0, -1)
        return lines, None

    def _by_row(self, block: _Block, shape: tuple[int, ...]) -> tuple[NDArray[np.int64], NDArray[np.float64] | None]:
        before = len(self.faults)
        rows: NDArray[np.float64] = np.full(shape, np.nan)
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
        elif missing.any() and len(self.faults) == before:
            names = list(product(*(self.values[parent] for parent in block.parents)))
            first = names[int(np.flatnonzero(missing.ravel())[0])]
            self._note(block.line, f"{missing.sum()} rows of {block.child} are missing, first {first}; give them or 'default'")
        return lines.ravel(), None if len(self.faults) > before else rows

    def _place(
        self, block: _Block, line: int, values: tuple[str, ...], count: int, shape: tuple[int, ...]
    ) -> tuple[int, ...] | None:
        if len(values) != len(block.parents):
            return self._note(line, f"{block.child} has {len(block.parents)} parents; the row names {len(values)} values")
        if count != shape[-1]:
            return self._note(line, f"the row {values} of {block.child} has {count} numbers; expected {shape[-1]}")
        for parent, value in zip(block.parents, values, strict=True):
            if value not in self.values[parent]:
                return self._note(line, f"{parent} has no value {value!r}; it has {', '.join(self.values[parent])}")
        return tuple(self.values[p].index(v) for p, v in zip(block.parents, values, strict=True))

    def _normalised(
        self, block: _Block, lines: NDArray[np.int64], rows: NDArray[np.float64], rounded: list[float]
    ) -> NDArray[np.float64]:
        sums = rows.sum(axis=1, keepdims=True)
        off = np.abs(sums[:, 0] - 1)
        for row in np.flatnonzero(off > ROW_SUM_TOLERANCE):
            self._note(
                int(lines[row]),
                f"a row of {block.child} sums to {sums[row, 0]:.8g}; expected 1 within {ROW_SUM_TOLERANCE:g}",
            )
        rounded.extend(off[(off > EXACT) & (off <= ROW_SUM_TOLERANCE)].tolist())
        return rows / np.where(sums > 0, sums, 1.0)
