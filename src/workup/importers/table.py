"""From a clinical table with costs to an environment over its patients.

The folder that it writes has three files: `scenario.yaml`, a scenario whose figures were estimated from the training
rows alone (a naive Bayes model of banded values: what agents know and what the belief view shows);
`patients.parquet`, every row as codes and numbers, split into train and test; and `table.json`, where they come
from. Environments draw their patients from the rows (`workup.envs.compile.recorded`).
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from workup.envs.compile.recorded import FORMAT, Recorded, load_recorded
from workup.envs.model.codes import MISSING
from workup.errors import FileFormatError, UnknownNameError, WorkupError, suggestion
from workup.files import write_whole
from workup.importers.tables.bands import entropy_cuts, median_cut
from workup.importers.tables.costs import Costs, TestCost, read_costs
from workup.importers.tables.files import ClinicalTable, Column, plain, read_table
from workup.scenarios.language.vocabulary import STATUS_WORDS

MOST_CLASSES, MOST_WORDS = 50, 30
FEW = 6
"""A column of whole numbers with so many different ones at most is read as categories."""
PSEUDO = 0.5
"""Added to every count, so that what no training row shows is rare and not impossible (Krichevsky and Trofimov)."""
DAY = "1 day"

F64 = NDArray[np.float64]


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


@dataclass(frozen=True, eq=False)
class _Finding:
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
class _Item:
    test: TestCost
    name: str
    findings: tuple[_Finding, ...]

    @property
    def unavailable(self) -> NDArray[np.bool_]:
        """(n,) rows without any of its values."""
        return np.all([f.codes == MISSING for f in self.findings], axis=0)


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
    condition, labels = _classes(table, target, chosen)
    train = _split(condition, chosen)
    items, told = _items(table, target, priced, chosen, condition, len(labels), train)
    scenario = _scenario(table, target, labels, condition, items, told, priced, train, chosen)
    out.mkdir(parents=True, exist_ok=True)
    text = scenario_text(scenario, _heading(table, train))
    write_whole(out / "scenario.yaml", text)
    _write_rows(out / "patients.parquet", table, condition, [*told, *(f for i in items for f in i.findings)], train)
    about = {
        "format": FORMAT,
        "file": table.path.name,
        "sha256": hashlib.sha256(table.path.read_bytes()).hexdigest() if table.path.is_file() else None,
        "target": target,
        "rows": len(train),
        "train": int(train.sum()),
        "seed": chosen.seed,
        "set_ups_once_a_journey": True,
        "patients_sha256": hashlib.sha256((out / "patients.parquet").read_bytes()).hexdigest(),
    }
    write_whole(out / "table.json", json.dumps(about, indent=1) + "\n")
    return load_recorded(out)


def _table(file: Path | str, target: str, priced: Costs, chosen: Choices) -> ClinicalTable:
    source, colon, name = str(file).partition(":")
    if colon and source in ("sklearn", "openml"):
        from workup.importers.tables.public import fetch_table

        return fetch_table(source, name, target)
    table = read_table(Path(file), names=chosen.columns or None, missing=chosen.missing)
    if table.named or chosen.columns:
        return table
    tests = [column for test in priced.tests for column in (test.columns or (test.name,))]
    if len(tests) + 1 != len(table.columns):
        raise FileFormatError(
            f"{file} has no header row, and {priced.path} names {len(tests)} of its {len(table.columns)} columns; name them "
            "all with --columns A,B,C"
        )
    return read_table(Path(file), names=[*tests, target], missing=chosen.missing)


def _classes(table: ClinicalTable, target: str, chosen: Choices) -> tuple[NDArray[np.int16], tuple[str, ...]]:
    column = table.column(target)
    empty = np.flatnonzero(column.missing)
    if empty.size:
        row = int(empty[0])
        raise FileFormatError(
            f"{table.path}:{table.lines[row]}: row {row + 1}, column {column.name}: no value; a patient's class must be known "
            f"({empty.size} such rows)"
        )
    words = _words(column)
    if chosen.positive:
        unknown = [word for word in chosen.positive if word not in set(words)]
        if unknown:
            raise WorkupError(f"{column.name} never is {unknown[0]!r}; it is one of {', '.join(sorted(set(words)))}")
        words = ["positive" if word in chosen.positive else "negative" for word in words]
    labels = sorted(set(words), key=lambda word: (not _is_whole(word), float(word) if _is_whole(word) else 0.0, word))
    if not 2 <= len(labels) <= MOST_CLASSES:
        raise WorkupError(f"{column.name} has {len(labels)} different values; expected 2 to {MOST_CLASSES} classes")
    at = {label: c for c, label in enumerate(labels)}
    codes = np.array([at[word] for word in words], np.int16)
    few = [label for label, count in zip(labels, np.bincount(codes), strict=True) if count < 2]
    if few:
        raise WorkupError(
            f"{column.name} is {few[0]!r} in one row alone, which cannot be both trained and tested on; join classes (--positive)"
        )
    return codes, tuple(labels)


def _is_whole(word: str) -> bool:
    return re.fullmatch(r"-?\d+", word) is not None


def _words(column: Column) -> list[str]:
    """Every cell as a word, numbers without needless decimals; '' where missing."""
    if column.numbers is None:
        return [word or "" for word in column.words.to_list()]
    return ["" if np.isnan(number) else f"{number:g}" for number in column.numbers.tolist()]


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


def _items(
    table: ClinicalTable, target: str, priced: Costs, chosen: Choices, condition: NDArray[np.int16], n_classes: int,
    train: NDArray[np.bool_],
) -> tuple[list[_Item], list[_Finding]]:  # fmt: skip
    """Tests with what they reveal, and what is told at the start."""
    dropped = {plain(table.column(name).name) for name in chosen.drop}
    free = {plain(table.column(name).name) for name in chosen.known}
    aim = plain(table.column(target).name)
    renamed = {plain(name): called for name, called in chosen.rename}
    for name, called in chosen.rename:
        table.column(called)
        if plain(name) not in {plain(c) for test in priced.tests for c in (test.columns or (test.name,))}:
            raise UnknownNameError(f"--rename {name}={called}: {priced.path} has no {name}")
    owner: dict[str, str] = {}
    taken: dict[str, int] = {}
    items, faults = [], []

    def finding(column: Column) -> _Finding | None:
        try:
            return _finding(column, condition, n_classes, train, chosen.bands, taken)
        except WorkupError as fault:
            faults.append(f"{table.path}: {fault}")
            return None

    for test in priced.tests:
        found = []
        for name in test.columns or (test.name,):
            column = _priced_column(table, priced, test, renamed.get(plain(name), name))
            key = plain(column.name)
            if key == aim:
                raise WorkupError(
                    f"{priced.path}:{test.line}: {test.name} reveals the target {column.name}; expected a test"
                )
            if key in owner:
                raise WorkupError(f"{priced.path}:{test.line}: {column.name} is revealed by {owner[key]} already")
            owner[key] = test.name
            if key not in dropped and key not in free and (made := finding(column)) is not None:
                found.append(made)
        if found:
            items.append(_Item(test, _name(test.name, taken), tuple(found)))
    told = [made for c in table.columns if plain(c.name) in free - dropped and (made := finding(c)) is not None]
    unpriced = [c.name for c in table.columns if plain(c.name) not in {*owner, *dropped, *free, aim}]
    if unpriced:
        faults.append(f"{', '.join(unpriced)}: no cost in {priced.path}; give one, or leave them out (--drop)")
    if faults:
        raise WorkupError("\n".join(faults))
    return items, told


def _priced_column(table: ClinicalTable, priced: Costs, test: TestCost, name: str) -> Column:
    for column in table.columns:
        if plain(column.name) == plain(name):
            return column
    hint = suggestion(plain(name), [plain(column.name) for column in table.columns])
    raise UnknownNameError(
        f"{priced.path}:{test.line}: {test.name} has a cost, but {table.path} has no column {name}{hint}. Where it is only "
        f"spelt differently, say --rename {test.name}=COLUMN"
    )


def _name(word: str, taken: dict[str, int]) -> str:
    """A name of the language that means nothing else yet; words of the language get a tail."""
    name = re.sub(r"[^A-Za-z0-9_]+", "_", word).strip("_") or "x"
    if plain(name) in _RESERVED:
        name += "_of_table"
    count = taken.setdefault(name, 0)
    taken[name] += 1
    return name if count == 0 else f"{name}_{count + 1}"


_RESERVED = frozenset(
    {"condition", "otherwise", "unknown", "wait", "not", "at_least", "below", "history", "examination", *STATUS_WORDS}
)


def _finding(
    column: Column, condition: NDArray[np.int16], n_classes: int, train: NDArray[np.bool_], most: int, taken: dict[str, int]
) -> _Finding:  # fmt: skip
    name = _name(f"{column.name}_value", taken)
    if column.numbers is None or column.domain is not None or _few_whole(column.numbers):
        return _categories(column, name)
    numbers = column.numbers
    usable = train & ~np.isnan(numbers)
    seen, classes = numbers[usable], condition[usable].astype(np.int64)
    cuts = entropy_cuts(seen, classes, n_classes, most=most - 1) if len(seen) > 1 else []
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
    return _Finding(name, column.name, tuple(words), codes, numbers.astype(np.float32), (low, *cuts, high))


def _few_whole(numbers: F64) -> bool:
    there = numbers[~np.isnan(numbers)]
    different = np.unique(there[:10_000])
    if len(different) > FEW or not (different == np.round(different)).all():
        return False
    different = np.unique(there)
    return len(different) <= FEW and bool((different == np.round(different)).all())


def _categories(column: Column, name: str) -> _Finding:
    words = _words(column)
    values = sorted({word for word in words if word}, key=lambda word: (not _is_whole(word), len(word), word))
    if column.domain is not None:
        values = list(column.domain)
    if len(values) < 2:
        raise WorkupError(f"{column.name}: {len(values)} different values tell nothing; leave it out (--drop)")
    if len(values) > MOST_WORDS:
        raise WorkupError(
            f"{column.name}: {len(values)} different words; expected numbers, or {MOST_WORDS} words at most; leave it out (--drop)"
        )
    at = {word: v for v, word in enumerate(values)} | {"": MISSING}
    safe = tuple(f"{value}_" if value.lower() in _RESERVED else value for value in values)
    return _Finding(name, column.name, safe, np.array([at[word] for word in words], np.int16), None)


def _scenario(
    table: ClinicalTable, target: str, labels: tuple[str, ...], condition: NDArray[np.int16], items: list[_Item],
    told: list[_Finding], priced: Costs, train: NDArray[np.bool_], chosen: Choices,
) -> dict[str, Any]:  # fmt: skip
    taken: dict[str, int] = {item.name: 1 for item in items}
    taken |= {f.name: 1 for f in [*told, *(f for i in items for f in i.findings)]}
    classes = [_name(f"{plain(target)}_{label}", taken) for label in labels]
    decisions = [_name(f"say_{label}", taken) for label in labels]
    trained = condition[train]
    prior = np.bincount(trained, minlength=len(labels)) / len(trained)
    findings = [*told, *(f for item in items for f in item.findings)]
    names = {plain(item.test.name): item.name for item in items}
    prices = {group: price for group, price in priced.shared.items() if price > 0}
    used = {item.test.group for item in items}
    said = f"{train.sum():,} of the {len(train):,} rows of {table.path.name} (seed {chosen.seed})"
    return {
        "id": _name(out_name(table.path), {}),
        "title": f"{table.path.stem}: {target}",
        "version": "1.0",
        "about": f"Patients are the rows of {table.path.name}. The figures here are a model fitted to the training rows: naive "
        "Bayes over bands and categories. It is what agents know and what the belief view shows, not the law of the patients.",
        "status": "derived",
        "note": f"Estimated from the training rows, {said}, with {PSEUDO:g} added to every count.",
        "who": {
            "authors": ["workup import-table"],
            "status": "draft",
            "guideline": {"name": "none", "version": "0"},
            "setting": f"Imported from {table.path.name}; money as in {priced.path.name}",
            "currency": "GBP",
            "price_year": 1995,
        },
        "context": {},
        "conditions": {name: {"label": f"{target} = {label}"} for name, label in zip(classes, labels, strict=True)},
        "prior": {"table": law_row(classes, prior)},
        "findings": {f.name: _law(f, classes, condition, train) for f in findings},
        "set_ups": {
            _set_up(group): {"label": f"What the tests of group {group} share", "cost_gbp": price}
            for group, price in prices.items()
            if group in used
        },
        "investigations": {
            "history": {"label": "What is known at the start", "tier": "history", "reveals": [f.name for f in told]},
            "examination": {"label": "Nothing more is known at the start", "tier": "examination", "reveals": []},
            **{item.name: _investigation(item, names, prices) for item in items},
        },
        "availability": dict(_mechanisms(items, told, classes, condition, train)),
        "utility": {"unit": "gbp", "gbp_per_qaly": 1},
        "decisions": {
            decision: {
                "label": f"{target} is {label}",
                "kind": "refer",
                "right_for": [right],
                "utility": {name: 0.0 if name == right else -chosen.error_cost for name in classes},
            }
            for decision, right, label in zip(decisions, classes, labels, strict=True)
        },
        "rewards": {
            "complex_decision": {"label": "Money: tests and wrong decisions", "weights": _WEIGHTS},
            "triage": {
                "label": "Only what tests cost",
                "weights": _WEIGHTS,
                "urgency_utility_gbp": {"routine": {"routine": 0.0}},
            },
        },
        "guideline": [
            {"do": "history", "when": {"history": "not_done"}, "why": "A journey starts with it"},
            {"do": "examination", "when": {"examination": "not_done"}, "why": "A journey starts with it"},
            {"do": decisions[int(prior.argmax())], "why": "The commonest class of the training rows"},
        ],
        "max_steps": len(items) + 8,
    }  # fmt: skip


_WEIGHTS = {"cost": 1, "harm": 1, "delay": 1, "utility": 1}


def out_name(path: Path) -> str:
    """An id from a file's name."""
    return re.sub(r"[^A-Za-z0-9_]+", "_", path.stem).strip("_").lower() or "table"


def _set_up(group: str) -> str:
    return re.sub(r"[^A-Za-z0-9_]+", "_", f"group_{group}").strip("_")


def _investigation(item: _Item, names: dict[str, str], prices: dict[str, float]) -> dict[str, Any]:
    test = item.test
    grouped = test.group in prices
    made: dict[str, Any] = {
        "label": test.name,
        "tier": "bloods" if test.delayed else "bedside",
        "reveals": [f.name for f in item.findings],
        "cost_gbp": test.discount_cost if grouped else test.full_cost,
        "turnaround": DAY if test.delayed else 0,
    }
    if grouped:
        made["set_up"] = _set_up(str(test.group))
    if test.requires:
        made["requires"] = [{names[plain(name)]: ["done", "failed"]} for name in test.requires if plain(name) in names]
    return made


def law_row(words: Sequence[str], shares: F64) -> dict[str, float]:
    """Probabilities in eight decimals that sum to 1."""
    row = [round(float(share), 8) for share in shares]
    largest = int(np.argmax(row))
    row[largest] = round(1.0 - sum(row[:largest]) - sum(row[largest + 1 :]), 8)
    return dict(zip(words, row, strict=True))


def _law(f: _Finding, classes: list[str], condition: NDArray[np.int16], train: NDArray[np.bool_]) -> dict[str, Any]:
    """P(value | class), counted over training rows that have a value."""
    table = {}
    for c, name in enumerate(classes):
        codes = f.codes[train & (condition == c) & (f.codes >= 0)]
        counts = np.bincount(codes, minlength=len(f.values)) + PSEUDO
        table[name] = law_row(f.values, counts / counts.sum())
    law: dict[str, Any] = {"label": f.label, "given": ["condition"], "table": table}
    if f.numbers is None:
        return law | {"values": list(f.values)}
    bands = {word: [low, high] for word, low, high in zip(f.values, f.edges[:-1], f.edges[1:], strict=True)}
    return law | {"unit": "as recorded", "bands": bands}


def _mechanisms(
    items: list[_Item], told: list[_Finding], classes: list[str], condition: NDArray[np.int16], train: NDArray[np.bool_]
) -> Iterator[tuple[str, dict[str, Any]]]:
    """How often a value was not recorded, by class: only where some row lacks it."""
    why = "The table has no value for this patient"
    for item in items:
        none = item.unavailable
        if none.any():
            chance = _shares(none, np.ones_like(none), classes, condition, train)
            yield f"{item.name}_not_recorded", {
                "kind": "unobtainable", "affects": [item.name], "given": ["condition"], "chance": chance, "charged": False,
                "why": why,
            }  # fmt: skip
        for f in item.findings:
            alone = (f.codes == MISSING) & ~none
            if alone.any():
                yield f"{f.name}_not_recorded", _withheld(f, alone, ~none, classes, condition, train, why)
    for f in told:
        gone = f.codes == MISSING
        if gone.any():
            yield f"{f.name}_not_recorded", _withheld(f, gone, np.ones_like(gone), classes, condition, train, why)


def _withheld(
    f: _Finding, gone: NDArray[np.bool_], among: NDArray[np.bool_], classes: list[str], condition: NDArray[np.int16],
    train: NDArray[np.bool_], why: str,
) -> dict[str, Any]:  # fmt: skip
    chance = _shares(gone, among, classes, condition, train)
    return {"kind": "withheld", "affects": [f.name], "given": ["condition"], "chance": chance, "why": why}


def _shares(
    hit: NDArray[np.bool_], among: NDArray[np.bool_], classes: list[str], condition: NDArray[np.int16],
    train: NDArray[np.bool_],
) -> dict[str, float]:  # fmt: skip
    rows = [train & among & (condition == c) for c in range(len(classes))]
    return {
        name: round(float((hit[of].sum() + PSEUDO) / (of.sum() + 2 * PSEUDO)), 8)
        for name, of in zip(classes, rows, strict=True)
    }


def _heading(table: ClinicalTable, train: NDArray[np.bool_]) -> str:
    return (
        f"# Made by `workup import-table` from {table.path.name}: every probability was counted in its {train.sum():,} training "
        "rows.\n# Patients are rows of patients.parquet, not draws from this model.\n"
    )


def scenario_text(scenario: dict[str, Any], heading: str) -> str:
    """Two levels of blocks, JSON within (which is YAML)."""
    lines = [heading.rstrip("\n")]
    for key, value in scenario.items():
        if isinstance(value, dict) and value and isinstance(next(iter(value.values())), dict) and key != "utility":
            lines.append(f"{key}:")
            lines += [f"  {name}: {json.dumps(block, ensure_ascii=False)}" for name, block in value.items()]
        else:
            lines.append(f"{key}: {json.dumps(value, ensure_ascii=False)}")
    return "\n".join(lines) + "\n"


def _write_rows(
    path: Path, table: ClinicalTable, condition: NDArray[np.int16], findings: list[_Finding], train: NDArray[np.bool_]
) -> None:
    columns: dict[str, Any] = {
        "row": np.arange(1, len(condition) + 1),
        "line": table.lines,
        "split": np.where(train, "train", "test").tolist(),
        "condition": condition,
    }
    for f in findings:
        columns[f"{f.name} code"] = f.codes
        if f.numbers is not None:
            columns[f"{f.name} number"] = f.numbers
    pl.DataFrame(columns).write_parquet(path)
