"""Published operating points, evaluated exactly on the compiled model.

Findings count as reported, among patients whose results were obtained at the first attempt and not withheld: a
study's sensitivity is that of the reports it had. Findings are untreated.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np

from workup.envs.compile.network import RESULT, WITHHELD, attempt_name, report_name
from workup.envs.model.world import World
from workup.errors import ImpossibleEvidence, WorkupError
from workup.scenarios.language.schema import Target
from workup.scenarios.language.vocabulary import Axis, LanguageError, allowed_values, axes

Facts = dict[str, frozenset[str]]
"""Network variable -> the values it may have."""
MAX_ALTERNATIVES = 10


@dataclass(frozen=True)
class TargetResult:
    """One calibration target: what the model gives, and what was published."""

    name: str
    measure: str
    value: float
    published: float
    tolerance: float
    """Absolute for probabilities, relative for likelihood ratios."""
    ok: bool

    @property
    def off_by(self) -> float:
        """The distance in the unit of the tolerance."""
        distance = abs(self.value - self.published)
        return distance / abs(self.published) if self.measure == "likelihood_ratio" else distance


def evaluate_targets(world: World) -> tuple[TargetResult, ...]:
    """Every target of the scenario. Raises as `evaluate_target`."""
    return tuple(evaluate_target(world, name) for name in world.scenario.targets)


def evaluate_target(world: World, name: str) -> TargetResult:
    """One target of the scenario.

    Raises:
        WorkupError: the target does not say what its measure needs, or conditions on what cannot be.
    """
    target = world.scenario.targets[name]
    value = _Measures(world, target).value()
    result = TargetResult(name, target.measure, value, target.value, target.tolerance, ok=False)
    return TargetResult(
        name, target.measure, value, target.value, target.tolerance, ok=result.off_by <= target.tolerance + 1e-12
    )


class _Measures:
    def __init__(self, world: World, target: Target) -> None:
        self.world, self.target = world, target
        self.axes = axes(world.scenario)
        alternatives = (target.of,) if isinstance(target.of, Mapping) else target.of
        if len(alternatives) > MAX_ALTERNATIVES:
            raise WorkupError(f"`of` has {len(alternatives)} alternatives; at most {MAX_ALTERNATIVES} can be treated")
        self.alternatives = [self._reports(one) for one in alternatives]
        self.obtained = self._obtained({name for one in alternatives for name in one})
        self.among, self.against = self._true(target.among), self._true(target.against)

    def value(self) -> float:
        measure = self.target.measure
        if measure == "prevalence":
            return self._share(_both(self.among, self.against), self.against)
        if not any(self.alternatives):
            raise WorkupError(f"a {measure} needs `of`: which findings, reported how")
        if measure == "sensitivity":
            return self._positive(self.among)
        if measure == "specificity":
            return 1.0 - self._positive(self._needed("against", self.against))
        if measure == "likelihood_ratio":
            return self._positive(self._needed("among", self.among)) / self._nonzero()
        hits = self._probability(self._needed("among", self.among))
        rest = self._probability(self.against) if self.against else self._probability({}) - hits
        if hits + rest <= 0.0:
            raise ImpossibleEvidence("`of` has probability zero")
        return hits / (hits + rest)

    def _needed(self, key: str, group: Facts) -> Facts:
        if not group:
            raise WorkupError(f"a {self.target.measure} needs `{key}`: which patients")
        return group

    def _nonzero(self) -> float:
        among_others = self._positive(self._needed("against", self.against))
        if among_others == 0.0:
            raise ImpossibleEvidence("`of` has probability zero in `against`, so the likelihood ratio is infinite")
        return among_others

    def _positive(self, group: Facts) -> float:
        """P(of | group, results obtained)."""
        total = self.world.model.network.probability(_both(group, self.obtained))
        if total <= 0.0:
            raise ImpossibleEvidence("no patient of the group can have these results")
        return self._probability(group) / total

    def _probability(self, group: Facts) -> float:
        """P(of, group, results obtained): alternatives joined by inclusion and exclusion."""
        total, base = 0.0, _both(group, self.obtained)
        for size in range(1, len(self.alternatives) + 1):
            for chosen in combinations(self.alternatives, size):
                facts = base
                for one in chosen:
                    facts = _both(facts, one)
                total += (-1) ** (size + 1) * self.world.model.network.probability(facts)
        return total

    def _share(self, part: Facts, whole: Facts) -> float:
        total = self.world.model.network.probability(whole)
        if total <= 0.0:
            raise ImpossibleEvidence("`against` has probability zero")
        return self.world.model.network.probability(part) / total

    def _true(self, given: Mapping[str, Any]) -> Facts:
        return {name: self._values(name, clause) for name, clause in given.items()}

    def _reports(self, one: Mapping[str, Any]) -> Facts:
        known = self.world.model.network.by_name
        return {
            (report_name(name) if report_name(name) in known else name): self._values(name, clause)
            for name, clause in one.items()
        }

    def _obtained(self, names: set[str]) -> Facts:
        """That every finding of `of` was reported."""
        model, facts = self.world.model, dict[str, frozenset[str]]()
        for name in sorted(names):
            if report_name(name) in model.network.by_name:
                facts[report_name(name)] = frozenset(self.axes[name].values) - {WITHHELD}
            item = model.item_of[model.observables.index(name)] if name in model.observables else -1
            if item >= 0 and attempt_name(self.world.items[item], 1) in model.network.by_name:
                facts[attempt_name(self.world.items[item], 1)] = frozenset({RESULT})
        return facts

    def _values(self, name: str, clause: Any) -> frozenset[str]:
        axis: Axis | None = self.axes.get(name)
        if axis is None or axis.kind == "act":
            raise LanguageError([((), f"{name!r} is no variable of the patient")])
        allowed = allowed_values(axis, clause)
        if allowed.unknown:
            raise LanguageError([((), f"{name} is asked to be unknown; a target counts reported values")])
        return frozenset(value for value, hit in zip(axis.values, np.array(allowed.values), strict=True) if hit)


def _both(a: Facts, b: Facts) -> Facts:
    """The conjunction of two sets of facts."""
    return {**a, **{name: a[name] & values if name in a else values for name, values in b.items()}}
