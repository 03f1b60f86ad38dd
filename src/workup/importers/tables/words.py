"""Words of a table's cells as numbers and as categories: what is the same for a reader is the same here."""

from __future__ import annotations

import re
import warnings
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from workup.errors import WorkupWarning
from workup.importers.source import clipped

_DECIMAL_COMMA = r"^[+-]?\d+,\d+([eE][+-]?\d+)?$"
_THOUSANDS = r"^[+-]?[1-9]\d{0,2}(,\d{3})+$"
_DIGITS = re.compile(r"[+]?(-?\d+)(?:\.(\d*))?")


def is_number(word: str) -> bool:
    """Whether a word is a number, with a decimal point or comma."""
    try:
        float(word.replace(",", ".", 1))
    except ValueError:
        return False
    return "_" not in word


def numbers_in(words: pl.Series) -> NDArray[np.float64]:
    """(n,) the number that each word says; NaN for none, infinite where it says so."""
    return words.cast(pl.Float64, strict=False).fill_null(np.nan).to_numpy().astype(np.float64)


def with_decimal_commas(words: pl.Series) -> tuple[NDArray[np.float64], pl.Series]:
    """(n,) numbers where a comma may stand for the point, and where such a comma may as well mark thousands.

    `1,234` alone says neither; one `37,5` beside it in the column settles it.
    """
    commas = words.str.contains(_DECIMAL_COMMA).fill_null(False)
    doubtful = words.str.contains(_THOUSANDS).fill_null(False)
    if (commas & ~doubtful).any():
        doubtful = doubtful & ~commas
    return numbers_in(words.str.replace(",", ".", literal=True)), doubtful


def category(word: str) -> str:
    """A word as a category: a number without plus sign and needless decimals, its digits as they stand; else the word."""
    match = _DIGITS.fullmatch(word)
    if match is None:
        return word
    decimals = (match[2] or "").rstrip("0")
    return f"{match[1]}.{decimals}" if decimals else match[1]


def same(word: str) -> str:
    """A key that is the same for spellings of one category: no case, single blanks, no leading zeros of a number."""
    key = " ".join(word.split()).casefold()
    match = re.fullmatch(r"(-?)0*(\d+(?:\.\d+)?)", key)
    return key if match is None else match[1] + match[2]


def joined(path: Path, column: str, words: Iterable[str]) -> list[str]:
    """Words, with spellings that differ in case, blanks or leading zeros replaced by the commonest of them.

    A WorkupWarning names the spellings: a class `YES` beside `yes` would be a wrong decision of its own.
    """
    listed = list(words)
    spellings: dict[str, list[str]] = {}
    counts = Counter(listed)
    for word in counts:
        spellings.setdefault(same(word), []).append(word)
    chosen: dict[str, str] = {}
    told = []
    for several in spellings.values():
        best = max(several, key=lambda word: counts[word])
        chosen |= dict.fromkeys(several, best)
        if len(several) > 1:
            told.append(" and ".join(f"{word!r} ({counts[word]:,} rows)" for word in several))
    if told:
        warnings.warn(
            clipped(
                f"{path}: column {column}: {'; '.join(told)} were read as one value, the commonest; if they are different, "
                "give them different names"
            ),
            WorkupWarning,
            stacklevel=4,
        )
    return [chosen[word] for word in listed]
