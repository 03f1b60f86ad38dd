"""What every lint rule needs: the scenario, its words, and a place to put faults."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from typing import Any

from workup.errors import suggestion
from workup.scenarios.language.schema import Orderable, Scenario, Variable, When
from workup.scenarios.language.score_requirements import written_out
from workup.scenarios.language.scores import Tally, tally
from workup.scenarios.language.tables import Tables
from workup.scenarios.language.totals import allowed_totals
from workup.scenarios.language.vocabulary import Axis, LanguageError, SubPath, allowed_statuses, allowed_values


class Book:
    """A scenario under inspection; rules `add` faults to it."""

    def __init__(self, scenario: Scenario) -> None:
        self.scenario = scenario
        self.tables = Tables(scenario)
        self.axes = self.tables.axes
        self.items: dict[str, Orderable] = {**scenario.investigations, **scenario.acts}
        self.variables: dict[str, tuple[str, Variable]] = {}
        for section in ("context", "comorbidities", "latent", "findings"):
            self.variables |= {name: (section, variable) for name, variable in getattr(scenario, section).items()}
        self.revealed_by: dict[str, str] = {}
        for item, of in self.items.items():
            for name in of.reveals:
                self.revealed_by.setdefault(name, item)
        self.known_at_start = {name for name, of in scenario.context.items() if of.known == "at_start"}
        self.faults: list[tuple[SubPath, str]] = []
        self.exact: set[SubPath] = set()
        """Places of which a fault tells the column too."""
        self.tallies: dict[str, Tally] = {}
        """Of the scores that mean something; what is wrong with the others is told by `lint.scores`."""
        for name, score in scenario.scores.items():
            try:
                self.tallies[name] = tally(name, score, self.axes)
            except LanguageError:
                continue
        self._plain: dict[str, tuple[dict[str, Any], ...]] = {}

    def add(self, path: SubPath, message: str) -> None:
        """Record a fault at a path of the file."""
        self.faults.append((path, message))

    def attempt(self, path: SubPath, work: Callable[..., object], *args: object) -> bool:
        """Run `work(*args)`, recording what it finds wrong under `path`; whether nothing was."""
        try:
            work(*args)
        except LanguageError as error:
            self.faults += [((*path, *inner), message) for inner, message in error.faults]
            return False
        return True

    def known(self, path: SubPath, name: str, known: Iterable[str], kind: str) -> bool:
        """Whether `name` is one of `known`; a fault if it is not."""
        names = list(known)
        if name not in names and name in self.scenario.scores:
            self.add(
                path, f"{name} is a score, worked out from what was found, and no {kind}; name its findings instead"
            )
        elif name not in names:
            self.add(path, f"{name!r} is no {kind}{suggestion(name, names)}")
        return name in names

    def item_path(self, item: str) -> SubPath:
        """Where an investigation or act is defined."""
        return ("investigations" if item in self.scenario.investigations else "acts", item)

    def conditions_and_groups(self) -> list[str]:
        """Words for one or several conditions."""
        return [*self.scenario.conditions, *self.scenario.groups]

    def clauses(self, path: SubPath, when: When) -> None:
        """Check a `when` on revealed facts."""
        if isinstance(when, dict):
            self._clause(path, when)
            return
        if not when:
            self.add(path, "an empty list of alternatives never holds; name one, or remove `when`")
        for i, alternative in enumerate(when):
            if not alternative:
                self.add((*path, i), "an empty alternative always holds, so the others say nothing; name a fact")
            self._clause((*path, i), alternative)

    def _clause(self, path: SubPath, when: dict[str, Any]) -> None:
        for name, clause in when.items():
            here = (*path, name)
            if name in self.items:
                self.attempt(here, allowed_statuses, clause)
            elif name == "condition" or name in self.scenario.latent:
                self.add(here, f"{name} is never revealed; ask for a finding instead")
            elif name in self.scenario.scores:
                if name in self.tallies:
                    self.attempt(here, allowed_totals, self.tallies[name], clause)
            elif self.known(here, name, [*self.observables(), *self.items], "fact that can be revealed"):
                self.attempt(here, allowed_values, self.axes[name], clause)

    def plain(self, group: dict[str, Any]) -> tuple[dict[str, Any], ...]:
        """One requirement as what must have been found, its scores written out; as it stands where that cannot be done."""
        key = json.dumps(group, default=str)
        if key not in self._plain:
            try:
                self._plain[key] = written_out(group, self.tallies, self.axes)
            except LanguageError:
                self._plain[key] = (group,)  # told by `lint.scores`
        return self._plain[key]

    def truths(self, path: SubPath, when: dict[str, Any], kinds: Iterable[str]) -> None:
        """Check a `when` on what is true of the patient, revealed or not."""
        allowed = {name: axis for name, axis in self.axes.items() if axis.kind in set(kinds)}
        for name, clause in when.items():
            if self.known((*path, name), name, allowed, f"variable that may stand here ({', '.join(kinds)})"):
                self.attempt((*path, name), _truth, allowed[name], clause)

    def observables(self) -> list[str]:
        """Variables that the start or an item may reveal."""
        s = self.scenario
        return [*s.context, *s.comorbidities, *s.findings]


def _truth(axis: Axis, clause: Any) -> None:
    allowed = allowed_values(axis, clause)
    if allowed.unknown:
        raise LanguageError([((), "`unknown` is about what was revealed; here the patient's truth is meant")])
    if all(allowed.values) or not any(allowed.values):
        which = "every value" if all(allowed.values) else "no value"
        raise LanguageError([((), f"this allows {which} of {axis.name}, so it says nothing; name some of them")])
