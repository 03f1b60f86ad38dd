"""The patients of DDXPlus: a CSV file whose every code is held against the knowledge base."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from workup.errors import FileFormatError
from workup.importers.knowledge.base import CONDITIONS, EVIDENCES, MOST_FAULTS, KnowledgeBase, refuse
from workup.importers.source import check_source, clipped

COLUMNS = ("AGE", "DIFFERENTIAL_DIAGNOSIS", "SEX", "PATHOLOGY", "EVIDENCES", "INITIAL_EVIDENCE")
SEXES = ("F", "M")
OLDEST = 120
MOST_BYTES = 2**33
_JOIN = "_@_"
_SLICE = 50_000
"""Rows whose lists are taken apart at a time."""
_WORD = r"""'[^']*'|"[^"]*\""""
_LIST = rf"^\[(?:(?:{_WORD})(?:, *(?:{_WORD}))*)?\]$"
_NUMBER = r"[0-9.]+(?:[eE][+-]?[0-9]+)?"
_PAIRS = rf"^\[(?:\[(?:{_WORD}), *{_NUMBER}\](?:, *\[(?:{_WORD}), *{_NUMBER}\])*)?\]$"


@dataclass(frozen=True, eq=False)
class Patients:
    """n patients, by the order of the knowledge base."""

    path: Path
    age: NDArray[np.float32]
    sex: NDArray[np.int8]
    """(n,) index into SEXES."""
    condition: NDArray[np.int16]
    complaint: NDArray[np.int16]
    """(n,) the evidence that the patient comes with."""
    answers: NDArray[np.int8]
    """(n, evidences) code of the answer to B and C; 1 for M where any value was given."""
    chosen: dict[tuple[int, int], NDArray[np.int32]]
    """(evidence of kind M, value) -> rows that gave it, for values that some row gave."""
    differential: NDArray[np.float32]
    """(n, conditions) the differential diagnosis of the release, 0 for what it leaves out."""


def read_patients(path: Path, base: KnowledgeBase, *, most: int | None = None) -> Patients:
    """Read a CSV of patients and hold every code against the knowledge base.

    Args:
        path: with the columns of the release, AGE to INITIAL_EVIDENCE.
        base: the knowledge base.
        most: read so many rows at most.

    Raises:
        FileFormatError: other columns, or rows whose age, sex, pathology, evidences or differential diagnosis are not what
            the knowledge base has; by row (the first below the header is row 1) and code.
    """
    frame = _frame(path, most)
    faults: list[str] = []
    age = frame["AGE"].cast(pl.Float32, strict=False).fill_null(-1.0).to_numpy()
    _tell(faults, path, frame["AGE"], (age < 0) | (age > OLDEST), "AGE", f"a number of years, 0 to {OLDEST}")
    sex = _codes(faults, path, frame["SEX"], SEXES, "SEX", "F or M")
    condition = _codes(faults, path, frame["PATHOLOGY"], base.conditions, "PATHOLOGY", f"a condition of {CONDITIONS}")
    complaint = _codes(
        faults, path, frame["INITIAL_EVIDENCE"], [evidence.code for evidence in base.evidences], "INITIAL_EVIDENCE",
        f"a code of {EVIDENCES}",
    )  # fmt: skip
    defaults = [e.values.index(e.default) for e in base.evidences]
    answers = np.tile(np.array(defaults, np.int8), (len(frame), 1))
    differential = np.zeros((len(frame), len(base.conditions)), np.float32)
    chosen: dict[tuple[int, int], list[NDArray[np.int32]]] = {}
    for first in range(0, len(frame), _SLICE):
        part = frame.slice(first, _SLICE)
        _answer(faults, path, base, part["EVIDENCES"], first, answers, chosen)
        _differ(faults, path, base, part["DIFFERENTIAL_DIAGNOSIS"], first, differential)
    told = answers[np.arange(len(frame)), np.maximum(complaint, 0)] > 0
    _tell(
        faults,
        path,
        frame["INITIAL_EVIDENCE"],
        (complaint >= 0) & ~told,
        "INITIAL_EVIDENCE",
        "one of the row's EVIDENCES",
    )
    refuse(faults)
    rows = {key: np.concatenate(found) for key, found in chosen.items()}
    return Patients(
        path,
        age,
        sex.astype(np.int8),
        condition.astype(np.int16),
        complaint.astype(np.int16),
        answers,
        rows,
        differential,
    )


def _frame(path: Path, most: int | None) -> pl.DataFrame:
    """All cells as words."""
    check_source(path, most=MOST_BYTES, what="files of patients")
    try:
        frame = pl.read_csv(path, infer_schema=False, n_rows=most)
    except (OSError, pl.exceptions.PolarsError) as error:
        raise FileFormatError(f"{path}: cannot be read as CSV ({error})") from None
    if set(COLUMNS) - set(frame.columns):
        raise FileFormatError(
            f"{path}: the columns are {clipped(', '.join(frame.columns))}; expected {', '.join(COLUMNS)}"
        )
    if not len(frame):
        raise FileFormatError(f"{path}: no rows below its header; expected one for each patient")
    return frame


def _codes(
    faults: list[str], path: Path, words: pl.Series, known: Any, column: str, expected: str
) -> NDArray[np.int64]:
    """(n,) index of each word among those known, -1 for others, which are told."""
    at = {word: i for i, word in enumerate(known)}
    codes = words.replace_strict(at, default=-1, return_dtype=pl.Int64).fill_null(-1).to_numpy()
    _tell(faults, path, words, codes < 0, column, expected)
    return codes


def _tell(faults: list[str], path: Path, words: pl.Series, bad: NDArray[np.bool_], column: str, expected: str) -> None:
    rows = np.flatnonzero(bad)
    for row in rows[:MOST_FAULTS]:
        faults.append(f"{path}: row {row + 1}, {column}: found {_short(words[int(row)])}; expected {expected}")
    if len(rows) > MOST_FAULTS:
        faults.append(f"{path}: {len(rows):,} rows have such faults in {column}")


def _short(word: Any) -> str:
    return repr(word) if word is None or len(word) <= 40 else repr(word[:40] + "...")


def _words(
    faults: list[str], path: Path, texts: pl.Series, first: int, form: str, column: str
) -> tuple[NDArray[np.int64], pl.Series]:
    """Each quoted word of a column of lists, with the row where it stands."""
    sound = texts.str.contains(form).fill_null(False).to_numpy()
    if not sound.all():
        before = len(faults)
        _tell(faults, path, texts, ~sound, column, "a list as Python writes it")
        faults[before:] = [_later(fault, first) for fault in faults[before:]]
    lists = texts.str.extract_all(_WORD).fill_null([])
    counts = lists.list.len().to_numpy()
    rows = np.repeat(np.arange(len(texts)), counts)
    words = lists.filter(pl.Series(counts > 0)).explode()
    return rows, words.str.slice(1, words.str.len_chars() - 2)


def _later(fault: str, first: int) -> str:
    """The same fault with its row counted from the start of the file."""
    head, row, rest = fault.partition(": row ")
    number, comma, told = rest.partition(",")
    return f"{head}{row}{int(number) + first}{comma}{told}" if row else fault


def _answer(
    faults: list[str], path: Path, base: KnowledgeBase, texts: pl.Series, first: int, answers: NDArray[np.int8],
    chosen: dict[tuple[int, int], list[NDArray[np.int32]]],
) -> None:  # fmt: skip
    """Fill in what rows first, first + 1, ... answered."""
    rows, words = _words(faults, path, texts, first, _LIST, "EVIDENCES")
    at = base.at
    for (word,), places in words.to_frame("word").with_row_index("i").group_by("word", maintain_order=True):
        code, joined, value = str(word).partition(_JOIN)
        where = rows[places["i"].to_numpy()] + first
        expected = _expected(base, at, code, value if joined else None)
        if expected:
            if len(faults) < 5 * MOST_FAULTS:
                faults.append(
                    f"{path}: row {where[0] + 1}, EVIDENCES: found {_short(str(word))} ({len(where):,} row{'s' * (len(where) > 1)}); expected {expected}"
                )
            continue
        e = at[code]
        evidence = base.evidences[e]
        v = evidence.values.index(value) if joined else 1
        if evidence.kind == "M":
            answers[where, e] = 1
            chosen.setdefault((e, v), []).append(where.astype(np.int32))
        else:
            answers[where, e] = v


def _expected(base: KnowledgeBase, at: dict[str, int], code: str, value: str | None) -> str | None:
    """What should stand there instead; None where all is well."""
    if code not in at:
        return f"a code of {EVIDENCES}"
    evidence = base.evidences[at[code]]
    if evidence.kind == "B":
        return None if value is None else f"{code} alone, since it is a yes-or-no question"
    if value is None or value not in evidence.values:
        return f"{code}{_JOIN} and one of {', '.join(evidence.values[:6])}{', ...' if len(evidence.values) > 6 else ''}"
    return None


def _differ(
    faults: list[str], path: Path, base: KnowledgeBase, texts: pl.Series, first: int, differential: NDArray[np.float32]
) -> None:
    rows, words = _words(faults, path, texts, first, _PAIRS, "DIFFERENTIAL_DIAGNOSIS")
    if faults:
        return
    at = {name: c for c, name in enumerate(base.conditions)}
    codes = words.replace_strict(at, default=-1, return_dtype=pl.Int64).to_numpy()
    bad = np.flatnonzero(codes < 0)
    for i in bad[:MOST_FAULTS]:
        faults.append(
            f"{path}: row {rows[i] + first + 1}, DIFFERENTIAL_DIAGNOSIS: found {_short(words[int(i)])}; expected a condition of "
            f"{CONDITIONS}"
        )
    shares = texts.str.extract_all(rf", *{_NUMBER}\]").fill_null([]).explode().drop_nulls()
    shares = shares.str.strip_chars(", ]").cast(pl.Float32, strict=False)
    if not bad.size and len(shares) == len(codes):
        differential[rows + first, codes] = shares.fill_null(0.0).to_numpy()
