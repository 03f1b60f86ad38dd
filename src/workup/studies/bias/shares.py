"""How many are in the database, how many are ill there and elsewhere, and what weights make of it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from workup.studies.bias.database import Records
from workup.studies.bias.judging import interval
from workup.studies.bias.learning import Bools, Floats, effective
from workup.studies.bias.measures import auc


class Database(NamedTuple):
    """One seed's database."""

    size: int
    shares: Mapping[str, tuple[float, float]]
    """Name -> value and standard error."""
    effective: Mapping[str, float]
    """Known or estimated -> as how many patients of equal weight it tells."""
    largest: Mapping[str, float]
    """Known or estimated -> how many patients the heaviest stands for."""


def database_of(records: Records) -> Database:
    """What is in it. Raises WorkupError where the weights tell as much as fewer than 30 patients."""
    everyone, inside = np.ones(len(records.ill), np.bool_), records.inside
    presence = auc(inside.astype(np.float64), records.ill, "being in the database")
    found = {
        "in_database": _share(inside, everyone),
        "testable": _share(records.testable, everyone),
        "ill": _share(records.ill, everyone),
        "ill_of_testable": _share(records.ill, records.testable),
        "ill_in_database": _share(records.ill, inside),
        "young_of_ill": _share(records.young, records.ill),
        "young_of_ill_in_database": _share(records.young, records.ill & inside),
        "auc_of_presence": (presence.value, presence.se),
    }
    size, largest = dict[str, float](), dict[str, float]()
    for name, weights in (("known", records.weights), ("estimated", records.estimated_weights())):
        size[name], largest[name] = effective(weights), float(weights.max())
        value, pulls = _weighted(records, weights)
        true = float(records.ill[records.testable].mean())
        off = pulls - records.testable * (records.ill - true) / records.testable.mean()
        found[f"weighted_ill_{name}"] = value, _se(pulls)
        found[f"weighted_ill_{name}_less_true"] = value - true, _se(off)
    return Database(int(inside.sum()), found, size, largest)


def database_told(found: Sequence[Database]) -> dict[str, Any]:
    """Over the seeds: shares with intervals, sizes a seed."""
    told: dict[str, Any] = {
        name: interval(*zip(*(each.shares[name] for each in found), strict=True)) for name in found[0].shares
    }
    told["sizes"] = [each.size for each in found]
    for name in found[0].effective:
        told[f"effective_size_{name}"] = [each.effective[name] for each in found]
        told[f"largest_weight_{name}"] = [each.largest[name] for each in found]
    return told


def _share(hit: Bools, among: Bools) -> tuple[float, float]:
    p = float(hit[among].mean())
    return p, math.sqrt(p * (1.0 - p) / among.sum())


def _weighted(records: Records, weights: Floats) -> tuple[float, Floats]:
    """Weighted share of the ill, and what each of all patients pulls."""
    y = records.ill[records.inside]
    p = float((weights * y).sum() / weights.sum())
    pulls = np.zeros(len(records.ill))
    pulls[records.inside] = len(pulls) * weights * (y - p) / weights.sum()
    return p, pulls


def _se(influence: Floats) -> float:
    return math.sqrt(float((influence**2).mean()) / len(influence))
