"""Figures and lists as people say them."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable

CERTIFIED = "certified given the scenario's figures"
"""What is said of the optimum: a proof about the scenario as it is written, not about patients."""

_UNITS = (("min", 1 / 60, 1.0), ("h", 1.0, 24.0), ("days", 24.0, 24.0 * 100), ("weeks", 168.0, 168.0 * 104))


def time_in_words(hours: float, digits: int = 3) -> str:
    """Hours as '20 min', '2 h', '3 days', '6 weeks' or '2 years', to so many significant digits."""
    for unit, size, below in _UNITS:
        if hours < below:
            number = f"{float(f'{hours / size:.{digits}g}'):g}"
            return f"{number} {unit[:-1] if number == '1' and unit.endswith('s') else unit}"
    return f"{hours / 8766:.{digits}g} years"


def chance_in_words(probability: float) -> str:
    """A probability as a percentage with two significant digits, or three near 1."""
    if probability in (0.0, 1.0) or 0.1 <= probability <= 0.9:
        return f"{100 * probability:.0f}%"
    return f"{100 * probability:.3g}%" if probability > 0.9 else f"{100 * probability:.2g}%"


def pounds_exact(amount: float) -> str:
    """'£1,500' or '−£40', to the penny and beyond if it is so written."""
    return f"{'−' if amount < 0 else ''}£{abs(amount):,.10g}"


def sentence(text: str) -> str:
    """A text with a full stop, unless it ends in a mark of its own."""
    return text if text.rstrip().endswith((".", "?", "!")) else f"{text.rstrip()}."


def listed(words: Iterable[str], joint: str = "and") -> str:
    """'a', 'a and b', 'a, b and c'; 'a, b; and c' where a part is itself a list."""
    found = list(words)
    bare = [re.sub(r"\([^()]*\)", "", word) for word in found]
    if len(found) > 1 and any(", " in word or f" {joint} " in word for word in bare):
        return f"; {joint} ".join(("; ".join(found[:-1]), found[-1]))
    return f" {joint} ".join(part for part in (", ".join(found[:-1]), *found[-1:]) if part)


def brief(label: str) -> str:
    """A label without what stands in brackets at its end: 'Frailty (fit 1-4, severe 7-9)' -> 'Frailty'."""
    return re.sub(r"\s*\([^()]*\)$", "", label) or label


def without_brackets(label: str) -> str:
    """A label without what stands in brackets: 'Frailty (fit 1-4, severe 7-9)' -> 'Frailty'."""
    return re.sub(r"\s*\([^()]*\)", "", label) or label


def pounds(amount: float) -> str:
    """'£1,234', '−£56'; pence only below £10, and '–' for what is undefined."""
    if not math.isfinite(amount):
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
    """'42%', '<1%', '>−1%', '>99%', '−12%': never a bare 0 or 100 for what is only nearly so, save by rounding error."""
    if not math.isfinite(share):
        return "–"
    share = round(share, 9) + 0.0
    text = f"{100 * share:.{digits}f}"
    if share != 0 and float(text) == 0:
        return f"{'<' if share > 0 else '>−'}{10.0**-digits:.{digits}f}%"
    if share < 1 and float(text) == 100:
        return f">{100 - 10.0**-digits:.{digits}f}%"
    return f"{text}%".replace("-", "−")


def plain(name: str) -> str:
    """A name of the file as words."""
    return name.replace("_", " ")
