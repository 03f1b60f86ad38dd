"""Figures and actions as a reader of the report sees them."""

from __future__ import annotations

import re

import numpy as np

from workup.envs.model.world import World


def action(world: World, index: int) -> str:
    """What an action is called: the label of the test, set, act or decision."""
    chosen, scenario = world.actions[index], world.scenario
    if chosen.kind == "wait":
        return "Wait for results"
    if chosen.kind == "decide":
        return scenario.decisions[world.decisions[chosen.decision]].label
    if chosen.kind == "set":
        return scenario.order_sets[chosen.name.partition(" ")[2]].label
    return item(world, chosen.items[0])


def item(world: World, index: int) -> str:
    """What an investigation or act is called."""
    return {**world.scenario.investigations, **world.scenario.acts}[world.items[index]].label


def condition(world: World, index: int) -> str:
    """What a condition is called."""
    return world.scenario.conditions[world.model.conditions[index]].label


def brief(label: str) -> str:
    """A label without what stands in brackets: 'Frailty (fit 1-4, severe 7-9)' -> 'Frailty'."""
    return re.sub(r"\s*\([^()]*\)", "", label) or label


def pounds(amount: float) -> str:
    """'£1,234', '−£56'; pence only below £10, and '–' for what is undefined."""
    if not np.isfinite(amount):
        return "–"
    size = round(abs(amount), 2)
    sign = "−" if amount < 0 and size else ""
    return f"{sign}£{size:,.0f}" if size >= 10 or size == round(size) else f"{sign}£{size:,.2f}"


def moment(hours: float) -> str:
    """A time since the start: 'start', '20 min', '3 h', 'day 2', 'week 6'."""
    if hours < 1 / 120:
        return "start"
    if hours < 1:
        return f"{hours * 60:.0f} min"
    return f"{hours:.0f} h" if hours < 24 else f"day {hours / 24:.0f}"


def elapsed(hours: float) -> str:
    """How long a journey took: 'one consultation', '20 min', '3 h', '1 day', '48 days'."""
    if hours < 1 / 120:
        return "one consultation"
    if hours < 24:
        return moment(hours)
    days = round(hours / 24)
    return f"{days:,} day{'' if days == 1 else 's'}"


def percent(share: float, digits: int = 0) -> str:
    """'42%', '<1%', '>99%', '−12%': never a bare 0 or 100 for what is only nearly so."""
    if not np.isfinite(share):
        return "–"
    least = 10.0**-digits / 2
    if 0 < 100 * share < least:
        return f"<{10.0**-digits:.{digits}f}%"
    if 100 - least < 100 * share < 100:
        return f">{100 - 10.0**-digits:.{digits}f}%"
    return f"{100 * share:.{digits}f}%".replace("-", "−")
