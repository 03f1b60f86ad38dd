"""Amounts of a scenario in pounds, by profile and hidden state."""

from __future__ import annotations

import numpy as np

from workup.envs.compile.layout import Floats, Layout
from workup.scenarios.language.amounts import Amount, Money
from workup.scenarios.language.schema import Scenario


def pounds_per(scenario: Scenario, unit: str) -> float:
    """Pounds that one `gbp` or one `qaly` counts. Whatever is written in QALY is turned into pounds by this."""
    return scenario.utility.gbp_per_qaly if unit == "qaly" else 1.0


def pounds_of(layout: Layout, money: Money) -> Floats:
    """(K, H) pounds; (1, 1) where it is one number."""
    if not isinstance(money, Amount):
        return np.full((1, 1), float(money))
    table, unit = layout.laws.tables.amount(money)
    pounds = layout.spread(table) if table.parents else table.values.reshape(1, 1)
    return pounds * pounds_per(layout.laws.scenario, unit)
