"""Lint rules on size: figures that no case needs, and that would leave rewards or observations without a finite number.

docs/language.md states them.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from workup.scenarios.language.lint.book import Book
from workup.scenarios.language.model import Model
from workup.scenarios.language.vocabulary import LanguageError, SubPath


class Limit(NamedTuple):
    """What a figure may be, whatever its sign; 0 is judged by other rules."""

    most: float
    unit: str = ""
    least: float = 0.0


_MONEY, _SIZE, _FACTOR = Limit(1e9, " pounds"), Limit(1e9), Limit(1000.0)
_TIME = Limit(8_766_000.0, " hours (1,000 years)")
LIMITS: dict[str, Limit] = {
    **dict.fromkeys(("cost_gbp", "loss_gbp", "discomfort_gbp", "waiting_cost_gbp_per_day", "benefit_gbp"), _MONEY),
    **dict.fromkeys(("gbp", "urgency_utility_gbp", "loss_gbp_per_msv", "gbp_per_qaly", "harm_gbp"), _MONEY),
    **dict.fromkeys(("utility", "qaly", "mean", "sd", "median", "bands", "range", "step", "value", "tolerance"), _SIZE),
    **dict.fromkeys(("loss_qaly", "bed_days"), _SIZE),
    **dict.fromkeys(("own_cost_gbp", "transfer_gbp", "bed_day_gbp"), _MONEY),
    **dict.fromkeys(("waiting_factor", "progression_factor"), _FACTOR),
    **dict.fromkeys(("turnaround", "new_visit_after", "within", "after"), _TIME),
    "median_time": Limit(_TIME.most, _TIME.unit, least=1 / 60),
    "dose_msv": Limit(1e5, " mSv"),
    "sigma": Limit(100.0),
    **dict.fromkeys(("points", "cut_offs"), Limit(1000.0, " points", least=0.001)),
    "odds": Limit(1e9, least=1e-9),
    "weights": Limit(1e6),
    "risk": Limit(1000.0),
    "max_steps": Limit(10_000, " steps"),
}
"""By field of the models; of numbers nested under a field, each."""
PRICE_YEARS, MOST_YEARS = (1900, 2200), 1000.0
MOST_TOGETHER = 1e12
"""What the factors of all acts on one condition may come to."""
_WORKED_OUT = frozenset({"figures", "digest", "written", "reviews"})


def check_limits(book: Book) -> None:
    """No figure is so large, or so near to nought, that rewards or observations are no longer finite."""
    s = book.scenario
    for name in type(s).model_fields:
        if name not in _WORKED_OUT:
            _walk(book, getattr(s, name), (name,), LIMITS.get(name))
    if not PRICE_YEARS[0] <= s.who.price_year <= PRICE_YEARS[1]:
        expected = f"expected a year from {PRICE_YEARS[0]} to {PRICE_YEARS[1]}"
        book.add(("who", "price_year"), f"found {s.who.price_year}; {expected}")
    _check_years(book)
    for key in ("waiting_factor", "progression_factor"):
        _check_together(book, key)


def _walk(book: Book, node: Any, path: SubPath, limit: Limit | None) -> None:
    if isinstance(node, Model):
        for name in type(node).model_fields:
            _walk(book, getattr(node, name), (*path, name), LIMITS.get(name))
    elif isinstance(node, dict):
        for key, of in node.items():
            _walk(book, of, (*path, key), limit)
    elif isinstance(node, tuple | list):
        for i, of in enumerate(node):
            _walk(book, of, (*path, i), limit)
    elif limit is not None and isinstance(node, int | float):
        if abs(node) > limit.most:
            expected = f"expected at most {limit.most:,.10g}{limit.unit}"
            book.add(path, f"found {node:g}; {expected}: no case needs more, and rewards would not stay finite")
        elif 0 < abs(node) < limit.least:
            book.add(path, f"found {node:g}; expected at least {limit.least:.3g}{limit.unit}")


def _check_years(book: Book) -> None:
    """Of an age, or of an exposure so many years ago."""
    for name, of in book.scenario.context.items():
        spans = {("bands", word): span for word, span in (of.bands or {}).items()} | {("range",): of.range}
        for place, span in spans.items():
            if (
                (of.unit or "").startswith("year")
                and span is not None
                and not 0 <= min(span) <= max(span) <= MOST_YEARS
            ):
                book.add(
                    ("context", name, *place),
                    f"found [{span[0]:g}, {span[1]:g}] {of.unit}; expected years from 0 to {MOST_YEARS:,.0f}",
                )


def _check_together(book: Book, key: str) -> None:
    s = book.scenario
    together = dict.fromkeys(s.conditions, 1.0)
    for act, of in s.acts.items():
        try:
            factors = book.tables.by_condition(getattr(of, key), 1.0)
        except LanguageError:
            continue  # told where the names are checked
        for condition, factor in zip(s.conditions, factors, strict=True):
            together[condition] = min(together[condition] * max(float(factor), 1.0), 1e300)
            if together[condition] > MOST_TOGETHER:
                book.add(
                    ("acts", act, key),
                    f"with those of the acts before, the factors on {condition} come to {together[condition]:g}; "
                    f"expected at most {MOST_TOGETHER:g}",
                )
                return
