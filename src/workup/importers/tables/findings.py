"""What the columns of a table become: findings with few values, and the tests that reveal them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from workup.envs.model.codes import MISSING
from workup.errors import UnknownNameError, WorkupError, suggestion
from workup.importers.tables.bands import entropy_cuts, median_cut
from workup.importers.tables.costs import Costs, TestCost
from workup.importers.tables.files import ClinicalTable, Column
from workup.importers.tables.names import NameIndex, spelt
from workup.importers.tables.words import category, joined
from workup.scenarios.language.writing import Names, value_words

MOST_WORDS = 30
FEW = 6
"""A column of whole numbers with so many different ones at most is read as categories."""


@dataclass(frozen=True, eq=False)
class Classes:
    """The class of every row, and which rows are learned from."""

    labels: tuple[str, ...]
    of: NDArray[np.int16]
    """(n,) index into labels."""
    train: NDArray[np.bool_]
    """(n,)"""


@dataclass(frozen=True, eq=False)
class Finding:
    """One column as codes: bands of a number, or categories."""

    name: str
    label: str
    values: tuple[str, ...]
    codes: NDArray[np.int16]
    """(n,) value, or MISSING."""
    numbers: NDArray[np.float32] | None
    edges: tuple[float, ...] = ()
    """Ends of the bands of a number, one more than there are bands."""


@dataclass(frozen=True, eq=False)
class Item:
    """A test, and what it reveals."""

    test: TestCost
    name: str
    findings: tuple[Finding, ...]

    @property
    def unavailable(self) -> NDArray[np.bool_]:
        """(n,) rows without any of its values."""
        return np.all([f.codes == MISSING for f in self.findings], axis=0)


@dataclass(frozen=True)
class Wanted:
    """What is asked of the columns: all are names as the user wrote them."""

    target: str
    known: Sequence[str]
    """Told at the start of every journey, free."""
    drop: Sequence[str]
    rename: Sequence[tuple[str, str]]
    """(test in the file of costs, its column in the table)."""
    bands: int
    """Most bands of a number."""
    categories: Sequence[str] = ()
    """Columns of words, whatever they look like."""


def items_of(
    table: ClinicalTable, priced: Costs, wanted: Wanted, classes: Classes, names: Names
) -> tuple[list[Item], list[Finding]]:
    """Tests with what they reveal, and what is told at the start.

    Raises:
        UnknownNameError: a column or test that the table or the file of costs does not have.
        WorkupError: columns without a cost, or that tell nothing.
    """
    dropped = {table.column(name).name for name in wanted.drop}
    free = {table.column(name).name for name in wanted.known}
    words = {table.column(name).name for name in wanted.categories}
    renamed = _Renamed(table, priced, wanted)
    owner: dict[str, str] = {table.column(wanted.target).name: ""}
    items, faults = [], []

    def finding(column: Column) -> Finding | None:
        try:
            return _finding(table, column, classes, None if column.name in words else wanted.bands, names)
        except WorkupError as fault:
            faults.append(f"{table.path}: {fault}")
            return None

    for test in priced.tests:
        found = []
        for name in test.columns or (test.name,):
            column = _priced_column(table, priced, test, renamed.column(name))
            _claim(column, test, priced, owner)
            if column.name not in dropped | free and (made := finding(column)) is not None:
                found.append(made)
        if found:
            items.append(Item(test, names.name(test.name), tuple(found)))
    told = [made for c in table.columns if c.name in free - dropped and (made := finding(c)) is not None]
    unpriced = [c.name for c in table.columns if c.name not in {*owner, *dropped, *free}]
    if unpriced:
        faults.append(f"{', '.join(unpriced)}: no cost in {priced.path}; give one, or leave them out (--drop)")
    if faults:
        raise WorkupError("\n".join(faults))
    return items, told


class _Renamed:
    """Names of tests, or of columns of a test, that are spelt differently in the table."""

    def __init__(self, table: ClinicalTable, priced: Costs, wanted: Wanted) -> None:
        in_costs = NameIndex(c for test in priced.tests for c in (test.columns or (test.name,)))
        self._called: dict[str, str] = {}
        for name, called in wanted.rename:
            place = in_costs.find(name)
            if place is None:
                raise UnknownNameError(f"--rename {name}={called}: {priced.path} has no {name}")
            self._called[spelt(in_costs.names[place])] = table.column(called).name

    def column(self, name: str) -> str:
        """What the table calls it."""
        return self._called.get(spelt(name), name)


def _claim(column: Column, test: TestCost, priced: Costs, owner: dict[str, str]) -> None:
    """Note that a test reveals the column; `owner` has the target under no test."""
    key = column.name
    if owner.get(key) == "":
        raise WorkupError(f"{priced.path}:{test.line}: {test.name} reveals the target {column.name}; expected a test")
    if key in owner:
        raise WorkupError(f"{priced.path}:{test.line}: {column.name} is revealed by {owner[key]} already")
    owner[key] = test.name


def _priced_column(table: ClinicalTable, priced: Costs, test: TestCost, name: str) -> Column:
    try:
        found = table.find(name)
    except UnknownNameError as error:
        raise UnknownNameError(f"{priced.path}:{test.line}: {table.path}: {error}") from None
    if found is not None:
        return found
    hint = suggestion(name.lower(), [column.name.lower() for column in table.columns])
    raise UnknownNameError(
        f"{priced.path}:{test.line}: {test.name} has a cost, but {table.path} has no column {name}{hint}. Where it is only "
        f"spelt differently, say --rename {test.name}=COLUMN"
    )


def _finding(table: ClinicalTable, column: Column, classes: Classes, most: int | None, names: Names) -> Finding:
    """The finding of a column, in `most` bands at most; None: in categories."""
    name = names.name(f"{column.name}_value")
    if most is None or column.numbers is None or column.domain is not None or _few_whole(column.numbers):
        return _categories(table, column, name)
    numbers = column.numbers
    usable = classes.train & ~np.isnan(numbers)
    seen, of = numbers[usable], classes.of[usable].astype(np.int64)
    cuts = entropy_cuts(seen, of, len(classes.labels), most=most - 1) if len(seen) > 1 else []
    if not cuts:
        cut = median_cut(seen)
        if cut is None:
            raise WorkupError(
                f"{column.name}: the same number in every training row tells nothing; leave it out (--drop)"
            )
        cuts = [cut]
    cuts = sorted({float(f"{cut:.6g}") for cut in cuts})
    low, high = min(float(seen.min()), cuts[0] - 1e-6), max(float(seen.max()), cuts[-1] + 1e-6)
    words = [
        f"below_{cuts[0]:g}",
        *(f"{a:g}_to_{b:g}" for a, b in pairwise(cuts)),
        f"{cuts[-1]:g}_or_more",
    ]
    codes = np.searchsorted(cuts, numbers, "right").astype(np.int16)
    codes[np.isnan(numbers)] = MISSING
    return Finding(name, column.name, tuple(words), codes, numbers.astype(np.float32), (low, *cuts, high))


def _few_whole(numbers: NDArray[np.float64]) -> bool:
    there = numbers[~np.isnan(numbers)]
    different = np.unique(there[:10_000])
    if len(different) > FEW or not (different == np.round(different)).all():
        return False
    different = np.unique(there)
    return len(different) <= FEW and bool((different == np.round(different)).all())


def _categories(table: ClinicalTable, column: Column, name: str) -> Finding:
    words = words_of(table, column)
    values = sorted({word for word in words if word}, key=lambda word: (not is_whole(word), len(word), word))
    if column.domain is not None:
        values = list(column.domain)
    if len(values) < 2:
        raise WorkupError(f"{column.name}: {len(values)} different values tell nothing; leave it out (--drop)")
    if len(values) > MOST_WORDS:
        raise WorkupError(
            f"{column.name}: {len(values)} different words; expected numbers, or {MOST_WORDS} words at most; leave it out (--drop)"
        )
    at = {word: v for v, word in enumerate(values)} | {"": MISSING}
    return Finding(name, column.name, value_words(values), np.array([at[word] for word in words], np.int16), None)


def is_whole(word: str) -> bool:
    """Whether a word is a whole number."""
    return re.fullmatch(r"-?\d+", word) is not None


def words_of(table: ClinicalTable, column: Column) -> list[str]:
    """Every cell as a category, '' where missing; spellings of one category are joined, with a WorkupWarning."""
    words = [word or "" for word in column.words.to_list()]
    if column.domain is not None:
        return words
    if column.numbers is not None:
        words = [category(word) for word in words]
    return joined(table.path, column.name, words)
