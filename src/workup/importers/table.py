"""From a clinical table with costs to an environment over its patients.

The folder that it writes has three files: `scenario.yaml`, a scenario whose figures were estimated from the training
rows alone (a naive Bayes model of banded values: what agents know and what the belief view shows);
`patients.parquet`, every row as codes and numbers, split into train and test; and `table.json`, where they come
from. Environments draw their patients from the rows (`workup.envs.compile.recorded`).
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workup.envs.compile.recorded import Recorded
from workup.errors import FileFormatError, WorkupError
from workup.importers import recorded_folder
from workup.importers.tables.costs import Costs, read_costs
from workup.importers.tables.files import ClinicalTable, Reading, read_table
from workup.importers.tables.findings import Classes, Wanted, is_whole, items_of, words_of
from workup.importers.tables.scenario import Imported, scenario_text
from workup.importers.tables.words import same
from workup.scenarios.language.schema import OPENING
from workup.scenarios.language.writing import Names

MOST_CLASSES = 50


@dataclass(frozen=True)
class Choices:
    """What the table itself does not say."""

    seed: int = 0
    """Of the split."""
    test_share: float = 0.3
    error_cost: float = 500.0
    """What a wrong decision loses, in the money of the costs; a right one loses nothing."""
    known: tuple[str, ...] = ()
    """Columns told at the start of every journey, free."""
    columns: tuple[str, ...] = ()
    """Names, for a file without a header row."""
    drop: tuple[str, ...] = ()
    rename: tuple[tuple[str, str], ...] = ()
    """(test in the file of costs, its column in the table), where the two are spelt differently."""
    missing: tuple[str, ...] = ()
    """Further words for a missing value."""
    positive: tuple[str, ...] = ()
    """Values of the target that become one class, all others being the other; empty: every value is a class."""
    bands: int = 6
    """Most bands of a number."""
    categories: tuple[str, ...] = ()
    """Columns of words or codes, whatever they look like; the target is always one."""


def import_table(
    file: Path | str, *, target: str, costs: Path, groups: Path | None = None, delay: Path | None = None, out: Path,
    choices: Choices | None = None,
) -> Recorded:  # fmt: skip
    """Write the environment of a table and read it back.

    Args:
        file: CSV or ARFF, or `sklearn:breast_cancer`, `openml:NAME` (or number) where these libraries and the network are.
        target: the column to be predicted.
        costs: of each test (see `workup.importers.tables.costs`).
        groups: which tests share something that is paid once.
        delay: which results come the next day.
        out: folder to write.
        choices: the rest.

    Raises:
        FileFormatError: a row, column or cost that is not what it should be.
        UnknownNameError: a target or a test that the table does not have.
        WorkupError: a column without a cost, or one that tells nothing.
    """
    chosen = choices or Choices()
    priced = read_costs(costs, groups=groups, delay=delay)
    table = _table(file, target, priced, chosen)
    classes = _classes(table, target, chosen)
    names = Names(OPENING)
    wanted = Wanted(target, chosen.known, chosen.drop, chosen.rename, chosen.bands, chosen.categories)
    items, told = items_of(table, priced, wanted, classes, names)
    made = Imported(table, target, priced, classes, tuple(items), tuple(told))
    text = scenario_text(made, names, error_cost=chosen.error_cost, seed=chosen.seed)
    about = {
        "file": table.path.name,
        "sha256": hashlib.sha256(table.path.read_bytes()).hexdigest() if table.path.is_file() else None,
        "target": target,
        "rows": len(classes.train),
        "train": int(classes.train.sum()),
        "seed": chosen.seed,
        "set_ups_once_a_journey": True,
    }
    return recorded_folder.write(out, text, _rows(made), about)


def _table(file: Path | str, target: str, priced: Costs, chosen: Choices) -> ClinicalTable:
    source, colon, name = str(file).partition(":")
    if colon and source in ("sklearn", "openml"):
        from workup.importers.tables.public import fetch_table

        return fetch_table(source, name, target)
    tests = [column for test in priced.tests for column in (test.columns or (test.name,))]
    reading = Reading(
        chosen.columns or None, chosen.missing, [target, *tests, *(column for _, column in chosen.rename)],
        (target, *chosen.categories),
    )  # fmt: skip
    table = read_table(Path(file), reading)
    if table.named or chosen.columns:
        return table
    if len(tests) + 1 != len(table.columns):
        raise FileFormatError(
            f"{file} has no header row, and {priced.path} names {len(tests)} of its {len(table.columns)} columns; name them "
            "all with --columns A,B,C"
        )
    return read_table(Path(file), replace(reading, names=[*tests, target]))


def _classes(table: ClinicalTable, target: str, chosen: Choices) -> Classes:
    column = table.column(target)
    empty = np.flatnonzero(column.missing)
    if empty.size:
        row = int(empty[0])
        raise FileFormatError(
            f"{table.path}:{table.lines[row]}: row {row + 1}, column {column.name}: no value; a patient's class must be known "
            f"({empty.size} such rows)"
        )
    words = words_of(table, column)
    if chosen.positive:
        meant = {same(word) for word in chosen.positive}
        there = {same(word) for word in words}
        unknown = [word for word in chosen.positive if same(word) not in there]
        if unknown:
            raise WorkupError(f"{column.name} never is {unknown[0]!r}; it is one of {', '.join(sorted(set(words)))}")
        words = ["positive" if same(word) in meant else "negative" for word in words]
    labels = sorted(set(words), key=lambda word: (not is_whole(word), float(word) if is_whole(word) else 0.0, word))
    if not 2 <= len(labels) <= MOST_CLASSES:
        raise WorkupError(f"{column.name} has {len(labels)} different values; expected 2 to {MOST_CLASSES} classes")
    at = {label: c for c, label in enumerate(labels)}
    codes = np.array([at[word] for word in words], np.int16)
    few = [label for label, count in zip(labels, np.bincount(codes), strict=True) if count < 2]
    if few:
        raise WorkupError(
            f"{column.name} is {few[0]!r} in one row alone, which cannot be both trained and tested on; join classes (--positive)"
        )
    return Classes(tuple(labels), codes, _split(codes, chosen))


def _split(condition: NDArray[np.int16], chosen: Choices) -> NDArray[np.bool_]:
    """(n,) training rows: of every class the same share, at least one on either side."""
    if not 0.0 < chosen.test_share < 1.0:
        raise WorkupError(f"the share of test rows is {chosen.test_share}; expected a number between 0 and 1")
    rng = np.random.Generator(np.random.Philox(key=[chosen.seed, 0x7AB1E]))
    train = np.ones(len(condition), bool)
    for c in range(int(condition.max()) + 1):
        rows = rng.permutation(np.flatnonzero(condition == c))
        held = min(max(1, round(chosen.test_share * len(rows))), len(rows) - 1)
        train[rows[:held]] = False
    return train


def _rows(made: Imported) -> dict[str, Any]:
    classes = made.classes
    columns: dict[str, Any] = {
        "row": np.arange(1, len(classes.of) + 1),
        "line": made.table.lines,
        "split": np.where(classes.train, "train", "test").tolist(),
        "condition": classes.of,
    }
    for f in made.findings:
        columns[f"{f.name} code"] = f.codes
        if f.numbers is not None:
            columns[f"{f.name} number"] = f.numbers
    return columns
