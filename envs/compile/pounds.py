"""Amounts of a scenario in pounds, by profile and hidden state."""

from __future__ import annotations

import numpy as np

from workup.envs.compile.layout import Floats, Layout
from workup.scenarios.language.amounts import Amount, Money
from workup.scenarios.language.worth import pounds_per


def pounds_of(layout: Layout, money: Money) -> Floats:
    """(K, H) pounds; (1, 1) where it is one number."""
    if not isinstance(money, Amount):
        return np.full((1, 1), float(money))
    table, unit = layout.laws.tables.amount(money)
    pounds = layout.spread(table) if table.parents else table.values.reshape(1, 1)
    return pounds * pounds_per(layout.laws.scenario, unit)
