"""What the tests of a network cost: a CSV file beside it, since networks do not say."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

from workup.errors import FileFormatError, UnknownNameError, suggestion
from workup.importers.cells import AMOUNT, amount, csv_rows, read_text, separator_of
from workup.importers.source import clipped
from workup.scenarios.language.durations import hours
from workup.scenarios.language.schema import Tier

COST_COLUMNS = ("test", "cost_gbp", "tier", "turnaround", "discomfort_gbp", "dose_msv", "label")
_TIERS: tuple[str, ...] = get_args(Tier)


@dataclass(frozen=True)
class Price:
    """What is known of one test besides the network."""

    cost_gbp: float
    tier: str = "bloods"
    turnaround: str = "0"
    discomfort_gbp: float = 0.0
    dose_msv: float = 0.0
    label: str = ""


def read_prices(path: Path, groups: Mapping[str, Sequence[str]]) -> dict[str, Price]:
    """The price of every test.

    Args:
        path: CSV with a header; columns test and cost_gbp at least, others of COST_COLUMNS if wanted.
        groups: tests, and the variables that each shows.

    Raises:
        FileFormatError: other columns, cells that are not what they should be, or a test without a row.
        UnknownNameError: a row for what is no test.
    """
    text = read_text(path)
    (top, header), *rows = [*csv_rows(path, text, separator_of(text))] or [(1, [])]
    header = [column.strip() for column in header]
    unknown = [column for column in header if column not in COST_COLUMNS]
    if not {"test", "cost_gbp"} <= set(header) or unknown or len(set(header)) != len(header):
        found = clipped(", ".join(header)) or "nothing"
        raise FileFormatError(
            f"{path}:{top}: found the columns {found}; expected {', '.join(COST_COLUMNS)} (two at least)"
        )
    prices: dict[str, Price] = {}
    for line, cells in rows:
        if len(cells) > len(header):
            raise FileFormatError(f"{path}:{line}: the row has {len(cells)} cells; expected {len(header)}")
        row = dict(zip(header, cells, strict=False))
        name = row["test"].strip()
        if name not in groups:
            raise UnknownNameError(f"{path}:{line}: a cost for {name!r}, which is no test{suggestion(name, groups)}")
        if name in prices:
            raise FileFormatError(f"{path}:{line}: a second row for {name!r}; expected one")
        prices[name] = _price(path, line, row)
    missing = [name for name in groups if name not in prices]
    if missing:
        raise FileFormatError(f"{path}: no cost for {', '.join(missing[:12])}; expected a row for every test")
    return prices


def _price(path: Path, line: int, row: Mapping[str, str]) -> Price:
    said = {key: text.strip() for key, text in row.items() if text.strip()}
    known: dict[str, Any] = {}
    for key in ("cost_gbp", "discomfort_gbp", "dose_msv"):
        if key in said:
            known[key] = _amount(path, line, key, said[key])
    if "cost_gbp" not in known:
        raise FileFormatError(f"{path}:{line}: no cost_gbp; expected pounds, 0 or more")
    if "tier" in said:
        if said["tier"] not in _TIERS:
            raise FileFormatError(
                f"{path}:{line}: found the tier {said['tier']!r}; expected one of {', '.join(_TIERS)}"
            )
        known["tier"] = said["tier"]
    if "turnaround" in said:
        try:
            hours(0 if said["turnaround"] == "0" else said["turnaround"])
        except ValueError as error:
            raise FileFormatError(f"{path}:{line}: {error}") from None
        known["turnaround"] = said["turnaround"]
    return Price(**known, label=said.get("label", ""))


def _amount(path: Path, line: int, key: str, text: str) -> float:
    found = amount(text)
    if found is None:
        raise FileFormatError(f"{path}:{line}: found {text!r} for {key}; expected {AMOUNT}")
    return found
