"""The tutorial with what its decisions are worth in parts."""

from __future__ import annotations

import json
from typing import Any

from support.places import ROOT

from workup.scenarios.language.reading.reader import read

RATE, BED_DAY = 20000.0, 345.0
FULL: dict[str, Any] = {
    "given": ["condition", "kidney_disease"],
    "qaly": {"viral": -0.02, "pneumonia": {"no": -0.01, "yes": -0.03}, "lung_cancer": -0.5},
    "cost_gbp": {"pneumonia": 120, "otherwise": 40},
    "bed_days": {"pneumonia": {"no": 3, "yes": 5}, "otherwise": 1},
    "own_cost_gbp": 15,
    "transfer_gbp": {"lung_cancer": -20, "otherwise": 80},
    "complications": {
        "thrush": {"label": "Thrush", "chance": 0.05, "loss_qaly": 0.002, "cost_gbp": 40},
        "fall": {
            "label": "Fall", "given": ["smoked"], "chance": {"ever": 0.01, "never": 0.005}, "loss_gbp": 2000, "bed_days": 4,
        },
    },
}  # fmt: skip
"""Of the decision `treat`."""


def tutorial() -> dict[str, Any]:
    """What its file says."""
    return dict(json.loads(json.dumps(read(ROOT / "scenarios" / "tutorial").tree.data)))


def in_health_alone() -> dict[str, Any]:
    """Every decision in parts, all of it health: the same worth."""
    data = tutorial()
    for decision in data["decisions"].values():
        decision["worth"] = {"given": decision.pop("given", ["condition"]), "qaly": decision.pop("utility")}
    return data


def in_full() -> dict[str, Any]:
    """The same, but for `treat`, which says every part."""
    data = in_health_alone()
    data["utility"]["bed_day_gbp"] = BED_DAY
    data["decisions"]["treat"]["worth"] = json.loads(json.dumps(FULL))
    return data


def split() -> dict[str, Any]:
    """Every decision in parts that come to the tutorial's worth: half of it health, three tenths costs, a fifth beds."""
    data = in_health_alone()
    data["utility"]["bed_day_gbp"] = BED_DAY
    for decision in data["decisions"].values():
        worth, whole = decision["worth"], decision["worth"]["qaly"]
        worth["qaly"] = _each(whole, 0.5)
        worth["cost_gbp"] = _each(whole, -0.3 * RATE)
        worth["bed_days"] = _each(whole, -0.2 * RATE / BED_DAY)
    return data


def _each(nested: Any, factor: float) -> Any:
    if isinstance(nested, dict):
        return {key: _each(of, factor) for key, of in nested.items()}
    return nested * factor + 0.0
