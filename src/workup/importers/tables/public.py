"""Tables by name: scikit-learn's own (offline), and OpenML's where the network is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from workup.errors import UnknownNameError, WorkupError
from workup.importers.tables.files import ClinicalTable, Column

BUNDLED = ("breast_cancer", "iris", "wine")
"""scikit-learn's data sets with classes."""


def fetch_table(source: str, name: str, target: str) -> ClinicalTable:
    """A table by `sklearn:NAME` or `openml:NAME` (or an OpenML number).

    Args:
        source: sklearn or openml.
        name: of the data set.
        target: what its class column is to be called, unless the data set calls it so itself.

    Raises:
        WorkupError: scikit-learn is not installed, or OpenML cannot be reached.
        UnknownNameError: no such data set.
    """
    try:
        from sklearn import datasets
    except ModuleNotFoundError:
        raise WorkupError(
            f"{source}:{name} needs scikit-learn, which is not installed; run: pip install scikit-learn, or give a file"
        ) from None
    path = Path(f"{source}:{name}")
    if source == "sklearn":
        if name not in BUNDLED:
            raise UnknownNameError(
                f"scikit-learn has no table {name!r} with classes here; expected {', '.join(BUNDLED)}"
            )
        bunch: Any = getattr(datasets, f"load_{name}")()
        labels = [str(bunch.target_names[code]) for code in bunch.target]
    else:
        given = {"data_id": int(name)} if name.isdigit() else {"name": name}
        try:
            bunch = datasets.fetch_openml(**given, as_frame=False, parser="liac-arff")
        except (OSError, ValueError) as error:
            raise WorkupError(
                f"{source}:{name}: OpenML gave no table ({error}); look at the name and the network, or give a file"
            ) from error
        labels = [str(label) for label in bunch.target]
    categories = getattr(bunch, "categories", None) or {}
    columns = [
        _column(str(label).replace(" ", "_"), bunch.data[:, i], categories.get(label))
        for i, label in enumerate(bunch.feature_names)
    ]
    columns.append(Column(target, pl.Series(labels, dtype=pl.String), None))
    return ClinicalTable(path, tuple(columns), np.arange(1, len(labels) + 1))


def _column(name: str, cells: Any, categories: Any) -> Column:
    if categories:
        codes = np.asarray(cells, np.float64)
        words = [None if np.isnan(code) else str(categories[int(code)]) for code in codes.tolist()]
        return Column(name, pl.Series(words, dtype=pl.String), None, tuple(str(each) for each in categories))
    try:
        numbers = np.asarray(cells, np.float64)
    except (TypeError, ValueError):
        return Column(name, pl.Series([None if c is None else str(c) for c in cells], dtype=pl.String), None)
    words = [None if np.isnan(number) else np.format_float_positional(number, trim="-") for number in numbers.tolist()]
    return Column(name, pl.Series(words, dtype=pl.String), numbers)
