"""Pieces of the language in a clinician's words."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from workup.scenarios.schema import Expectation, Scenario, When

_UNITS = (("min", 1 / 60, 1.0), ("h", 1.0, 24.0), ("days", 24.0, 24.0 * 100), ("weeks", 168.0, 168.0 * 104))
_STATUS = {
    "not_done": "has not been done",
    "pending": "is awaited",
    "done": "has been done",
    "failed": "gave no result",
    "refused": "was refused",
}


def time_in_words(hours: float, digits: int = 3) -> str:
    """Hours as '20 min', '2 h', '3 days', '6 weeks' or '2 years', to so many significant digits."""
    for unit, size, below in _UNITS:
        if hours < below:
            number = f"{float(f'{hours / size:.{digits}g}'):g}"
            return f"{number} {unit[:-1] if number == '1' and unit.endswith('s') else unit}"
    return f"{hours / 8766:.{digits}g} years"


def percent(probability: float) -> str:
    """A probability as a percentage with two significant digits, or three near 1."""
    if probability in (0.0, 1.0) or 0.1 <= probability <= 0.9:
        return f"{100 * probability:.0f}%"
    return f"{100 * probability:.3g}%" if probability > 0.9 else f"{100 * probability:.2g}%"


def listed(words: Iterable[str], joint: str = "and") -> str:
    """'a', 'a and b', 'a, b and c'."""
    found = list(words)
    return f" {joint} ".join(part for part in (", ".join(found[:-1]), *found[-1:]) if part)


class Phrases:
    """Labels and clauses of one scenario as text."""

    def __init__(self, scenario: Scenario) -> None:
        s = scenario
        self.items = s.investigations | s.acts
        named: tuple[dict[str, Any], ...] = (s.context, s.conditions, s.comorbidities, s.latent, s.findings)
        named += (s.investigations, s.acts, s.order_sets, s.decisions)
        self.labels: dict[str, str] = {name: of.label for group in named for name, of in group.items()}
        self.labels["condition"] = "the condition"
        for of in self.items.values():
            self.labels |= {name: complication.label for name, complication in of.complications.items()}

    def label(self, name: str) -> str:
        """What a clinician calls it; its name if it has no label."""
        return self.labels.get(name, name.replace("_", " "))

    def labels_of(self, names: Iterable[str], joint: str = "and") -> str:
        """Several labels, as a list in a sentence."""
        return listed([self.label(name) for name in names], joint)

    def when(self, when: When, joint: str = "and") -> str:
        """A condition on revealed facts: 'Fever is yes and CRP is at least 100'."""
        if isinstance(when, dict):
            return listed([self._clause(name, clause) for name, clause in when.items()], joint)
        return listed([f"({self.when(alternative)})" for alternative in when], "or")

    def _clause(self, name: str, clause: Any) -> str:
        if name in self.items:
            return self._status(name, clause)
        if name == "condition":
            return f"the condition is {self._values(clause, of_condition=True)}"
        return f"{self.label(name)} is {self._values(clause)}"

    def _status(self, name: str, clause: Any) -> str:
        if isinstance(clause, dict):
            return f"not ({self._status(name, clause['not'])})"
        words = [clause] if isinstance(clause, str) else clause
        return f"{self.label(name)} {listed([_STATUS[word] for word in words], 'or')}"

    def _values(self, clause: Any, *, of_condition: bool = False) -> str:
        if isinstance(clause, dict):
            if "not" in clause:
                return f"not {self._values(clause['not'], of_condition=of_condition)}"
            bounds = {"at_least": "at least {:g}", "below": "below {:g}"}
            return listed([bounds[key].format(number) for key, number in clause.items()])
        words = [clause] if isinstance(clause, str) else clause
        return listed([self.value(word, of_condition=of_condition) for word in words], "or")

    def value(self, word: str, *, of_condition: bool) -> str:
        """A value as words; of the condition, its label (no other: a value may be spelt like some item)."""
        if word == "unknown":
            return "not known"
        return self.label(word) if of_condition else word.replace("_", " ")

    def expectation(self, expectation: Expectation) -> str:
        """One expectation of a vignette as a sentence."""
        e = expectation
        if e.must is not None:
            text = f"must do {self.labels_of(e.must)}"
        elif e.must_not is not None:
            text = f"must not do {self.labels_of(e.must_not, 'or')}"
        elif e.one_of is not None:
            text = f"must do at least one of {self.labels_of(e.one_of, 'or')}"
        elif e.before is not None:
            text = f"must do {self.label(e.before[0])} before {self.label(e.before[1])}, if that is done at all"
        else:
            limits = (f"{self.label(name)} within {time_in_words(h)}" for name, h in (e.within or {}).items())
            text = f"must do {listed(limits)}"
        if e.when is not None:
            text += f", once {self.when(e.when)}"
        if e.at is not None:
            text += f", at visit {e.at}"
        return f"{text}{f' ({e.why})' if e.why else ''}."
