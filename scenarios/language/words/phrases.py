"""Pieces of the language in a clinician's words."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from workup.scenarios.language.schema import Expectation, Scenario, Variable, When
from workup.wording import brief, listed, plain, time_in_words

_STATUS = {
    "not_done": "has not been done",
    "pending": "is awaited",
    "done": "has been done",
    "failed": "gave no result",
    "refused": "was refused",
}
WITHOUT_WAITING = "without waiting for what is still pending"
"""Of a rule with `even_if_pending`."""


def alternatives(when: When) -> tuple[dict[str, Any], tuple[dict[str, Any], ...]]:
    """A condition as what must hold whatever else does, and ways of which one must hold (none: nothing else must)."""
    ways = (when,) if isinstance(when, dict) else when
    common = {name: clause for name, clause in ways[0].items() if all(way.get(name, ...) == clause for way in ways)}
    rest = tuple({name: clause for name, clause in way.items() if name not in common} for way in ways)
    return (common, rest) if all(rest) else (common, ())


def word_of(variable: Variable | None, value: str) -> str:
    """A value as it is spoken; in the words of bands the cut-offs have their decimal point back ('under 3.9')."""
    edges = {f"{end:g}" for span in (variable.bands or {}).values() if span for end in span} if variable else set()
    decimal = re.compile(r"(?<![0-9])([0-9]+)_([0-9]+)(?![0-9])")
    said = decimal.sub(lambda m: f"{m[1]}.{m[2]}" if f"{m[1]}.{m[2]}" in edges else m[0], value)
    return plain(said)


def unit(variable: Variable) -> str:
    """What follows a number of it: ' mg/L', '%' or nothing."""
    return "" if not variable.unit else "%" if variable.unit == "%" else f" {variable.unit}"


class Phrases:
    """Labels and clauses of one scenario as text."""

    def __init__(self, scenario: Scenario) -> None:
        s = scenario
        self.items = s.investigations | s.acts
        self.scenario = s
        named: tuple[dict[str, Any], ...] = (s.context, s.conditions, s.comorbidities, s.latent, s.findings)
        named += (s.scores, s.investigations, s.acts, s.order_sets, s.decisions)
        self.labels: dict[str, str] = {name: of.label for group in named for name, of in group.items()}
        self.labels["condition"] = "the condition"
        for of in self.items.values():
            self.labels |= {name: complication.label for name, complication in of.complications.items()}
        for worth in (of.worth for of in s.decisions.values() if of.worth is not None):
            self.labels = {name: complication.label for name, complication in worth.complications.items()} | self.labels
        self.variables: dict[str, Variable] = {**s.context, **s.comorbidities, **s.latent, **s.findings}
        taken = Counter(form for label in set(self.labels.values()) for form in {label, brief(label)})
        self.briefs = {name: brief(of) if taken[brief(of)] == 1 else of for name, of in self.labels.items()}

    def label(self, name: str) -> str:
        """What a clinician calls it; its name if it has no label."""
        return self.labels.get(name, plain(name))

    def brief(self, name: str) -> str:
        """What a clinician calls it within a sentence: without what its label says in brackets, if that stays clear."""
        return self.briefs.get(name, self.label(name))

    def labels_of(self, names: Iterable[str], joint: str = "and") -> str:
        """Several things, as a list in a sentence."""
        return listed([self.brief(name) for name in names], joint)

    def conditions(self, names: Iterable[str], joint: str = "or") -> str:
        """Conditions as a list; a group that is there as a whole by its name, or but for one of its members."""
        left, told = list(names), []
        for group, members in sorted(self.scenario.groups.items(), key=lambda each: -len(each[1])):
            missing = [name for name in members if name not in left]
            if len(members) - len(missing) > 2 and len(missing) < 2:
                told.append(self.label(group) + "".join(f" but not {self.brief(name)}" for name in missing))
                left = [name for name in left if name not in members]
        return listed([self.brief(name) for name in left] + told, joint)

    def when(self, when: When, joint: str = "and") -> str:
        """A condition on revealed facts: 'Fever is yes and CRP is at least 100'."""
        if isinstance(when, dict):
            return listed([self._clause(name, clause) for name, clause in when.items()], joint)
        always, ways = self.ways(when)
        choice = "" if not always or len(ways) < 2 else "either " if len(ways) == 2 else "one of these: "
        either = f"{choice}{listed(ways, 'or')}"
        return listed([part for part in (always, either) if part])

    def ways(self, when: When) -> tuple[str, list[str]]:
        """What must hold whatever else does, and the ways of which one must hold: those that share a clause together."""
        common, ways = alternatives(when)
        shared = Counter((name, str(clause)) for way in ways if len(way) > 1 for name, clause in way.items())
        most, count = shared.most_common(1)[0] if shared else (("", ""), 0)
        together = [way for way in ways if 2 < count < len(ways) and len(way) > 1 and str(way.get(most[0])) == most[1]]
        left = [way for way in ways if way not in together]
        told = [f"({self.when(tuple(together))})"] if together else []
        return self.when(common), told + [self.when(way) if len(way) == 1 else f"({self.when(way)})" for way in left]

    def _clause(self, name: str, clause: Any) -> str:
        if name in self.items:
            return self._status(name, clause)
        if name == "condition":
            return f"the condition is {self._values(clause, name)}"
        return f"{self.brief(name)} is {self._values(clause, name)}"

    def _status(self, name: str, clause: Any) -> str:
        if isinstance(clause, dict):
            return f"not ({self._status(name, clause['not'])})"
        words = [clause] if isinstance(clause, str) else clause
        return f"{self.brief(name)} {listed([_STATUS[word] for word in words], 'or')}"

    def _values(self, clause: Any, name: str) -> str:
        if isinstance(clause, dict):
            if "not" in clause:
                return f"not {self._values(clause['not'], name)}"
            return self.bounds(clause)
        words = [clause] if isinstance(clause, str) else clause
        return listed([self.value(word, name) for word in words], "or")

    def bounds(self, ends: Mapping[Any, float]) -> str:
        """'at least 2 and below 6'."""
        said = {"at_least": "at least {:g}", "below": "below {:g}"}
        return listed([said[key].format(number) for key, number in ends.items()])

    def value(self, word: str, name: str) -> str:
        """A value of a variable as words; of the condition, its label (no other: a value may be spelt like an item)."""
        if word == "unknown":
            return "not known"
        if name == "condition":
            return self.brief(word)
        of = self.variables.get(name)
        said = word_of(of, word)
        return f"“{said}”" if " " in said and of is not None and not of.bands else said

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
            text = f"must do {self.brief(e.before[0])} before {self.brief(e.before[1])}, if that is done at all"
        else:
            limits = (f"{self.brief(name)} within {time_in_words(h)}" for name, h in (e.within or {}).items())
            text = f"must do {listed(limits)}"
        if e.when is not None:
            text += f", once {self.when(e.when)}"
        if e.at is not None:
            text += f", at visit {e.at}"
        return f"{text}{f' ({e.why})' if e.why else ''}."
