"""Probabilities and worths of a scenario in words, from the tables written out in full."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import product
from typing import Any

import numpy as np

from workup.scenarios.language.amounts import Amount, Money
from workup.scenarios.language.nesting import FloatArray
from workup.scenarios.language.schema import Scenario, Variable
from workup.scenarios.language.tables import Table, Tables
from workup.scenarios.language.vocabulary import Axis
from workup.scenarios.language.words.phrases import Phrases, unit, word_of
from workup.scenarios.language.worth import worth_gbp
from workup.wording import chance_in_words, listed, pounds_exact, time_in_words

_MANY = 4
"""So many values that share a figure are told as 'otherwise'."""


class Laws:
    """What one scenario says of chances and worths."""

    def __init__(self, scenario: Scenario) -> None:
        self.scenario = scenario
        self.phrases = Phrases(scenario)
        self.tables = Tables(scenario)

    def variable(self, name: str) -> str:
        """The law of a variable in a line: of a change what changed and when; its values, and how often each, by what."""
        of = self.scenario.findings.get(name)
        if of is not None and not of.recorded:
            return f"seen, and never written down: {self._told(name)}"
        return self._told(name)

    def _told(self, name: str) -> str:
        of = self.scenario.findings.get(name)
        if of is None or of.change_of is None or of.after is None:
            return self._law(name)
        return f"how {self.phrases.brief(of.change_of)} has changed after {time_in_words(of.after)}: {self._law(name)}"

    def _law(self, name: str) -> str:
        of, table, axis = self.phrases.variables[name], self.tables.variable(name), self.tables.axes[name]
        if of.law is not None:
            return self._number(of, table)
        words = [self._value(of, word) for word in axis.values]
        if axis.values == ("no", "yes"):
            return (
                f"yes in {chance_in_words(float(table.values[1]))}"
                if not table.parents
                else self._by_parents(table, axis)
            )
        if not table.parents:
            return listed(f"{word} in {chance_in_words(float(p))}" for word, p in zip(words, table.values, strict=True))
        told = f"{listed(words, 'or')}; " if of.bands or len(words) == 2 else ""
        return f"{told}{self._by_parents(table, axis)}"

    def chance(self, table: Table) -> str:
        """A chance, or between which two it lies and what it depends on."""
        chance = _span(table.values)
        return f"{chance}, depending on {self.phrases.labels_of(table.parents)}" if table.parents else chance

    def money(self, of: Money) -> str:
        """An amount, or between which two it lies and what it depends on."""
        if not isinstance(of, Amount):
            return pounds_exact(of)
        table, unit = self.tables.amount(of)
        told = _between(table.values, pounds_exact if unit == "gbp" else lambda value: f"{_number(value)} QALY")
        return f"{told}, depending on {self.phrases.labels_of(table.parents)}" if table.parents else told

    def worth(self, decision: str) -> str:
        """What a decision is worth by the true cause."""
        if self.scenario.decisions[decision].worth is None:
            table = self.tables.utility(decision)
            say: Callable[[float], str] = pounds_exact if self.scenario.utility.unit == "gbp" else _number
        else:
            table, say = worth_gbp(self.tables, decision), _to_the_penny
        others = [parent for parent in table.parents if parent != "condition"]
        given = f", depending on {self.phrases.labels_of(others)}" if others else ""
        if "condition" not in table.parents:
            return f"{_between(table.values, say)}{given}"
        by_condition = np.moveaxis(table.values, table.parents.index("condition"), 0)
        spans: dict[str, list[str]] = {}
        for condition, row in zip(self.scenario.conditions, by_condition, strict=True):
            spans.setdefault(_between(row, say), []).append(condition)
        if len(spans) == 1:
            return f"{next(iter(spans))} whatever the cause{given}"
        rest = max(spans, key=lambda span: len(spans[span]))
        told = {span: names for span, names in spans.items() if span != rest or len(names) < _MANY}
        parts = [f"{span} with {self.phrases.conditions(names)}" for span, names in told.items()]
        return "; ".join(parts + [f"{rest} otherwise"] * (rest not in told)) + given

    def rows(self, name: str) -> tuple[list[str], list[tuple[str, list[float]]]]:
        """The law of a variable as a table: values (bands of a number), and for whom each of them how often.

        Returns:
            The headings, and rows of who it holds for and a probability in [0, 1] for each heading.
        """
        of, table, axis = self.phrases.variables[name], self.tables.variable(name), self.tables.axes[name]
        headings, values = [self._value(of, word) for word in axis.values], table.values
        if of.law is not None:
            bands = [band for band, span in (of.bands or {}).items() if span is not None]
            values = np.stack([values[..., list(axis.meant_by(band))].sum(axis=-1) for band in bands], axis=-1)
            headings = [self._value(of, band) for band in bands]
        return headings, [(who, [float(p) for p in row]) for who, row in self._for_whom(table.parents, values)]

    def _for_whom(self, parents: tuple[str, ...], values: FloatArray) -> Iterator[tuple[str, FloatArray]]:
        """Rows of a table that differ, conditions with the same row together."""
        others = [name for name in parents if name != "condition"]
        if "condition" in parents:
            values = np.moveaxis(values, parents.index("condition"), len(others))
        for index in product(*(range(len(self.tables.axes[name].values)) for name in others)):
            here = [self._holds(name, i) for name, i in zip(others, index, strict=True)]
            if "condition" not in parents:
                yield "; ".join(here) or "everyone", values[index]
                continue
            alike: dict[tuple[float, ...], list[str]] = {}
            for condition, row in zip(self.scenario.conditions, values[index], strict=True):
                alike.setdefault(tuple(np.round(row, 12)), []).append(condition)
            for row, conditions in alike.items():
                every = len(conditions) == len(self.scenario.conditions)
                who = "any condition" if every else self.phrases.conditions(conditions)
                yield "; ".join([*here, who]), np.array(row)

    def _holds(self, name: str, value: int) -> str:
        word = self.tables.axes[name].values[value]
        return f"{self.phrases.brief(name)}: {self.phrases.value(word, name)}"

    def _number(self, of: Variable, table: Table) -> str:
        bands = listed(
            f"{word_of(of, word)} from {span[0]:g} to {span[1]:g}" for word, span in (of.bands or {}).items() if span
        )
        given = f", depending on {self.phrases.labels_of(table.parents)}" if table.parents else ""
        return f"a number{f' in {of.unit}' if of.unit else ''} ({bands}){given}"

    def _value(self, of: Variable, word: str) -> str:
        span = (of.bands or {}).get(word)
        said = word_of(of, word)
        return f"{said} ({span[0]:g} to {span[1]:g}{unit(of)})" if span else said

    def _by_parents(self, table: Table, axis: Axis) -> str:
        of, names = self.phrases.variables[axis.name], axis.values
        if len(table.parents) == 1 and len(names) == 2:
            return self._by_one(table, axis)
        shown = names[1:] if len(names) == 2 else names
        spans = [f"{word_of(of, word)} in {_span(table.values[..., names.index(word)])}" for word in shown]
        return f"{listed(spans)}, depending on {self.phrases.labels_of(table.parents)}"

    def _by_one(self, table: Table, axis: Axis) -> str:
        """The chance of the last of two values by the values of a single parent."""
        parent, said = self.tables.axes[table.parents[0]], word_of(self.phrases.variables[axis.name], axis.values[-1])
        chances = [float(p) for p in table.values[:, -1]]
        if parent.values == ("no", "yes"):
            without, having = (chance_in_words(p) for p in chances)
            return f"{said} in {having} with {self.phrases.brief(parent.name)}, in {without} without"
        alike: dict[float, list[str]] = {}
        for word, p in zip(parent.values, chances, strict=True):
            alike.setdefault(p, []).append(word)
        rest = max(alike, key=lambda p: len(alike[p]))
        parts = [
            f"{chance_in_words(p)} {self._of(parent, words)}"
            for p, words in alike.items()
            if p != rest or len(words) < _MANY
        ]
        parts += [f"{chance_in_words(rest)} otherwise"] * (len(alike[rest]) >= _MANY)
        by = "" if parent.name == "condition" else f" (by {self.phrases.brief(parent.name)})"
        return f"{said} in {'; '.join(parts)}{by}"

    def _of(self, parent: Axis, words: list[str]) -> str:
        if parent.name == "condition":
            return f"with {self.phrases.conditions(words)}"
        return f"if {listed([self.phrases.value(word, parent.name) for word in words], 'or')}"


def _span(chances: Any) -> str:
    return _between(np.asarray(chances), chance_in_words)


def _between(values: FloatArray, say: Any) -> str:
    low, high = say(float(values.min())), say(float(values.max()))
    return low if low == high else f"{low} to {high}"


def _number(value: float) -> str:
    return f"{value:g}".replace("-", "−")


def _to_the_penny(value: float) -> str:
    return pounds_exact(round(value, 2) + 0.0)
