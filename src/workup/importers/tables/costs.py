"""What tests cost, as Turney wrote it, or as one plain CSV.

A test costs its full price; the second and later tests of a group cost a discount price, since the group shares
something that is paid once (a needle, an exercise). Results are immediate or delayed to the next day.

Source: Turney PD, Cost-sensitive classification: empirical evaluation of a hybrid genetic decision tree induction
algorithm, Journal of Artificial Intelligence Research 1995;2:369-409, with the formats of its data files (.cost, .expense,
.group, .delay).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from workup.errors import FileFormatError, UnknownNameError, suggestion
from workup.importers.cells import AMOUNT, amount, csv_rows, read_text, separator_of
from workup.importers.tables.names import NameIndex, plain, spelt

_NONE = frozenset({"", "-", "none", "0"})
_COLUMNS = ("test", "full_cost", "discount_cost", "group", "delay", "columns", "requires")


@dataclass(frozen=True)
class TestCost:
    """One test."""

    __test__ = False  # pytest would collect it

    name: str
    line: int
    full_cost: float
    discount_cost: float
    group: str | None = None
    delayed: bool = False
    columns: tuple[str, ...] = ()
    """Columns of the table that it reveals; empty: the one of its own name."""
    requires: tuple[str, ...] = ()
    """Tests that must have a result before, by the names that they have here."""


@dataclass(frozen=True)
class Costs:
    """All tests of a table."""

    path: Path
    tests: tuple[TestCost, ...]

    @property
    def shared(self) -> dict[str, float]:
        """Group -> what its first test costs more than later ones.

        Raises:
            FileFormatError: the tests of a group differ in that, so that no one thing is shared.
        """
        found: dict[str, dict[str, float]] = {}
        for test in self.tests:
            if test.group is not None:
                found.setdefault(test.group, {})[test.name] = round(test.full_cost - test.discount_cost, 9)
        for group, parts in found.items():
            if len(set(parts.values())) > 1:
                told = ", ".join(f"{part:g} for {name}" for name, part in parts.items())
                raise FileFormatError(
                    f"{self.path}: in group {group} the first test costs more than later ones by {told}; expected the same "
                    "for all tests of a group, since it is the price of what they share"
                )
        return {group: next(iter(parts.values())) for group, parts in found.items()}


def read_costs(costs: Path, *, groups: Path | None = None, delay: Path | None = None) -> Costs:
    """Tests with their costs, from `name: cost`, `name: full, discount`, or a CSV with a header.

    Args:
        costs: a `.cost` or `.expense` file of Turney's, or a CSV with the columns test and full_cost (or cost) and, if
            wanted, discount_cost, group, delay (immediate or delayed), columns and requires (names with semicolons).
        groups: `.group`: the first row lists the groups, then `name: group`.
        delay: `.delay`: `name: immediate` or `name: delayed`.

    Raises:
        FileFormatError: what cannot be read, each by its line.
        UnknownNameError: a group or delay of a test that has no cost.
    """
    text = read_text(costs)
    first = _lines(costs, text)[0][1]
    by_rows = ":" not in first and separator_of(text) != " "
    tests = _Tests(costs, _csv_tests(costs, text) if by_rows else _colon_tests(costs, _lines(costs, text)))
    if groups is not None:
        _add_groups(tests, groups)
    if delay is not None:
        for line, name, word in _pairs(delay, _lines(delay, read_text(delay))):
            test = tests.known(name, delay, line)
            tests.put(replace(test, delayed=_delayed(delay, line, word)))
    for test in list(tests.all):
        if test.group is None and test.discount_cost != test.full_cost:
            raise FileFormatError(
                f"{costs}:{test.line}: {test.name} has a discount but no group; name its group (--groups), or give one price"
            )
        if test.requires:
            required = tuple(tests.known(name, costs, test.line).name for name in test.requires)
            tests.put(replace(test, requires=required))
    return Costs(costs, tuple(tests.all))


class _Tests:
    """All tests, found by their names as people write them."""

    def __init__(self, path: Path, tests: list[TestCost]) -> None:
        seen: dict[str, TestCost] = {}
        for test in tests:
            first = seen.setdefault(spelt(test.name), test)
            if first is not test:
                raise FileFormatError(
                    f"{path}:{test.line}: a second cost for {test.name}; expected one (the first is at line {first.line})"
                )
        self.all = tests
        self._index = NameIndex(test.name for test in tests)

    def known(self, name: str, path: Path, line: int) -> TestCost:
        try:
            place = self._index.find(name)
        except UnknownNameError as error:
            raise UnknownNameError(f"{path}:{line}: {error}") from None
        if place is None:
            raise UnknownNameError(f"{path}:{line}: {name!r} has no cost{suggestion(name, self._index.names)}")
        return self.all[place]

    def put(self, test: TestCost) -> None:
        """Put a test in the place of the one of its name."""
        self.all[self._index.names.index(test.name)] = test


def _lines(path: Path, text: str) -> list[tuple[int, str]]:
    lines = [(n, line.strip()) for n, line in enumerate(re.split(r"\r\n|\r|\n", text), 1) if line.strip()]
    if not lines:
        raise FileFormatError(f"{path} is empty; expected one test on each line")
    return lines


def _pairs(path: Path, lines: list[tuple[int, str]]) -> Iterator[tuple[int, str, str]]:
    for n, line in lines:
        name, colon, rest = line.rpartition(":")
        if not colon or not name.strip():
            raise FileFormatError(f"{path}:{n}: found {line[:60]!r}; expected 'test: ...'")
        yield n, name.strip().strip("'\""), rest.strip().rstrip(".")


def _colon_tests(path: Path, lines: list[tuple[int, str]]) -> list[TestCost]:
    tests = []
    for n, name, rest in _pairs(path, lines):
        prices = [_price(path, n, name, word) for word in rest.split(",")]
        if len(prices) > 2:
            raise FileFormatError(f"{path}:{n}: {name} has {len(prices)} prices; expected one, or 'full, discount'")
        tests.append(_test(path, n, name, prices[0], prices[-1]))
    return tests


def _csv_tests(path: Path, text: str) -> list[TestCost]:
    separator = separator_of(text)
    (line, names), *rows = csv_rows(path, text, separator)
    header = ["full_cost" if plain(word) == "cost" else plain(word) for word in names]
    unknown = [word for word in header if word not in _COLUMNS]
    if unknown or "test" not in header or "full_cost" not in header or len(set(header)) != len(header):
        raise FileFormatError(
            f"{path}:{line}: the header is {separator.join(names)!r}; expected test, full_cost and, if wanted, "
            f"{', '.join(_COLUMNS[2:])}"
        )
    tests = []
    for n, row in rows:
        if len(row) != len(header):
            raise FileFormatError(f"{path}:{n}: the row has {len(row)} cells; expected {len(header)}")
        cell = {name: word.strip() for name, word in zip(header, row, strict=True)}
        name = cell["test"]
        full = _price(path, n, name, cell["full_cost"])
        discount = _price(path, n, name, cell["discount_cost"]) if cell.get("discount_cost") else full
        group = cell.get("group", "")
        tests.append(
            replace(
                _test(path, n, name, full, discount),
                group=None if group.lower() in _NONE else group,
                delayed=_delayed(path, n, cell["delay"]) if cell.get("delay") else False,
                columns=_names(cell.get("columns", "")),
                requires=_names(cell.get("requires", "")),
            )
        )
    return tests


def _names(words: str) -> tuple[str, ...]:
    return tuple(word.strip() for word in words.split(";") if word.strip())


def _test(path: Path, line: int, name: str, full: float, discount: float) -> TestCost:
    if not plain(name):
        raise FileFormatError(f"{path}:{line}: a cost without a test; expected its name before it")
    if discount > full:
        raise FileFormatError(f"{path}:{line}: {name} costs {discount:g} at a discount, more than the full {full:g}")
    return TestCost(name, line, full, discount)


def _price(path: Path, line: int, name: str, word: str) -> float:
    price = amount(word)
    if price is None:
        raise FileFormatError(f"{path}:{line}: {name} costs {word.strip()!r}; expected {AMOUNT}")
    return price


def _delayed(path: Path, line: int, word: str) -> bool:
    if word.lower() not in ("immediate", "delayed"):
        raise FileFormatError(f"{path}:{line}: found {word!r}; expected immediate or delayed")
    return word.lower() == "delayed"


def _add_groups(tests: _Tests, path: Path) -> None:
    lines = _lines(path, read_text(path))
    listed = {word for word in lines[0][1].replace(",", " ").split() if word}
    if ":" in lines[0][1]:
        raise FileFormatError(f"{path}:{lines[0][0]}: found {lines[0][1]!r}; expected the names of all groups first")
    for line, name, group in _pairs(path, lines[1:]):
        test = tests.known(name, path, line)
        if group.lower() in _NONE and group not in listed:
            continue
        if group not in listed:
            raise FileFormatError(f"{path}:{line}: {name} is in group {group!r}; the first row lists {sorted(listed)}")
        tests.put(replace(test, group=group))
