"""From the nested tables a clinician writes to full arrays, for the linter and the compiler alike.

The rules of nesting are in `workup.scenarios.language.nesting`. Nothing has a default, and nothing is renormalised beyond
SUM_TOLERANCE.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workup.scenarios.language.amounts import Amount, Nested
from workup.scenarios.language.endings import WorthComplication
from workup.scenarios.language.laws import truncated_law
from workup.scenarios.language.nesting import (
    OTHERWISE,
    FloatArray,
    at_key,
    check_size,
    chosen_keys,
    number,
    probability,
    row,
    spread,
)
from workup.scenarios.language.schema import Distribution, Modifier, Refusal, Scenario
from workup.scenarios.language.vocabulary import Axis, LanguageError, SubPath, allowed_values, axes


@dataclass(frozen=True, eq=False)
class Table:
    """An array whose leading axes are `parents`, in order."""

    parents: tuple[str, ...]
    values: FloatArray
    """(parents..., values) of a variable, rows sum to 1; (parents...) of a chance, a utility or a loss."""


class Tables:
    """Every table of a scenario as an array. All methods raise LanguageError with all faults of that table."""

    def __init__(self, scenario: Scenario) -> None:
        self.scenario = scenario
        self.axes: dict[str, Axis] = axes(scenario)

    def variable(self, name: str) -> Table:
        """P(value | parents) of a context variable, comorbidity, latent finding, finding, or `condition`."""
        s = self.scenario
        if name == "condition":
            return self._law(s.prior, self.axes[name])
        of = s.context | s.comorbidities | s.latent | s.findings
        return self._law(of[name], self.axes[name])

    def complication(self, item: str, name: str) -> Table:
        """P(complication | parents) of an investigation or act; `values` has one axis per parent."""
        return self._chance((self.scenario.investigations | self.scenario.acts)[item].complications[name])

    def incidental(self, item: str) -> Table:
        """P(incidental finding | parents)."""
        incidental = (self.scenario.investigations | self.scenario.acts)[item].incidental
        if incidental is None:
            raise LanguageError([((), f"{item} has no incidental finding")])
        return self._chance(incidental)

    def refusal(self, item: str) -> Table:
        """P(refuses | parents); 0 or 1 where it is written with `when`."""
        refusal = (self.scenario.investigations | self.scenario.acts)[item].refusable
        if refusal is None:
            raise LanguageError([((), f"{item} is not refusable")])
        return self._chance(refusal) if refusal.when is None else self._indicator(refusal)

    def mechanism(self, name: str) -> Table:
        """P(the availability mechanism strikes | parents)."""
        return self._chance(self.scenario.availability[name])

    def reported(self, mechanism: str, finding: str) -> FloatArray:
        """(true value, reported value) of a corrupted finding, rows sum to 1."""
        axis = self.axes[finding]
        return expand_table(self.scenario.availability[mechanism].reported, axis, [axis])

    def utility(self, decision: str) -> Table:
        """Utility of a decision in the scenario's unit, by its parents; of one in parts, ask `worth.worth_gbp`."""
        of = self.scenario.decisions[decision]
        if of.utility is None:
            raise LanguageError([((), f"{decision} has no `utility`; its worth is in parts")])
        return self.nested(of.given, of.utility)

    def expected(self, of: WorthComplication) -> Table:
        """P(complication of a decision | parents)."""
        return self._chance(Distribution(given=of.given, chance=of.chance))

    def nested(self, given: tuple[str, ...], numbers: Nested) -> Table:
        """Numbers nested under the values of `given`."""
        return Table(given, expand_numbers(numbers, [self._axis(name) for name in given]))

    def amount(self, of: Amount) -> tuple[Table, str]:
        """An amount by its parents, in its unit; and the unit: 'gbp' or 'qaly'."""
        unit = "gbp" if of.gbp is not None else "qaly"
        parents = [self._axis(name) for name in of.given]
        return Table(of.given, at_key(unit, lambda: expand_numbers(getattr(of, unit), parents))), unit

    def by_condition(self, numbers: Mapping[str, float], default: float) -> FloatArray:
        """(conditions,) from numbers by condition or group; `default` for conditions not named."""
        axis = self.axes["condition"]
        chosen = chosen_keys({**numbers, OTHERWISE: default}, axis, may_be_empty=True)
        return np.array([default if key == OTHERWISE else numbers[key] for key in chosen])

    def parents(self, distribution: Distribution) -> tuple[str, ...]:
        """`given`, then the variables that only modifiers name, in the order they appear."""
        return effective_parents(distribution)

    def _axis(self, name: str) -> Axis:
        if name not in self.axes:
            raise LanguageError([(("given",), f"{name!r} is not a variable")])
        return self.axes[name]

    def _law(self, distribution: Distribution, axis: Axis) -> Table:
        names = effective_parents(distribution)
        return Table(names, expand(distribution, axis, [self._axis(name) for name in names]))

    def _chance(self, distribution: Distribution) -> Table:
        names = effective_parents(distribution)
        return Table(names, expand_chance(distribution, [self._axis(name) for name in names]))

    def _indicator(self, refusal: Refusal) -> Table:
        names = tuple(refusal.when or ())
        parents = [self._axis(name) for name in names]
        return Table(names, _matches(refusal.when or {}, parents).astype(np.float64))


def amounts(scenario: Scenario) -> Iterator[tuple[SubPath, Amount]]:
    """Every amount that is written as one, and where it stands."""
    listed: list[tuple[SubPath, Any]] = [(("loss_gbp_per_msv",), scenario.loss_gbp_per_msv)]
    for name, condition in scenario.conditions.items():
        listed.append((("conditions", name, "waiting_cost_gbp_per_day"), condition.waiting_cost_gbp_per_day))
    for section in ("investigations", "acts"):
        for name, of in getattr(scenario, section).items():
            path: SubPath = (section, name)
            listed += [((*path, "complications", key, "loss_gbp"), c.loss_gbp) for key, c in of.complications.items()]
            if of.incidental is not None:
                listed.append(((*path, "incidental", "loss_gbp"), of.incidental.loss_gbp))
            listed += [
                ((*path, "contraindicated", i, "loss_gbp"), c.loss_gbp) for i, c in enumerate(of.contraindicated)
            ]
            listed.append(((*path, "benefit"), getattr(of, "benefit", None)))
    yield from ((path, money) for path, money in listed if isinstance(money, Amount))


def effective_parents(distribution: Distribution) -> tuple[str, ...]:
    """`given`, then the variables that only modifiers name, in the order they appear."""
    named = (name for modifier in distribution.modifiers for name in modifier.when)
    return tuple(dict.fromkeys((*distribution.given, *named)))


def expand(distribution: Distribution, axis: Axis, parents: Sequence[Axis]) -> FloatArray:
    """P(value | parents) in full.

    Args:
        distribution: with exactly one of `chance`, `table` and `law`.
        axis: the variable itself.
        parents: axes of `effective_parents(distribution)`, in that order.

    Returns:
        (parents..., values) float64, rows sum to 1.

    Raises:
        LanguageError: every fault, with its path inside the distribution.
    """
    given = parents[: len(distribution.given)]
    if distribution.chance is not None:
        if len(axis.values) != 2:
            raise LanguageError(
                [(("chance",), f"{axis.name} has {len(axis.values)} values; a chance needs two, use table")]
            )
        chance = expand_chance(distribution.model_copy(update={"modifiers": ()}), given)
        rows = np.stack([1.0 - chance, chance], axis=-1)
    elif distribution.table is not None:
        rows = at_key("table", lambda: expand_table(distribution.table, axis, given))
    elif distribution.law is not None:
        rows = truncated_law(distribution, axis, given)
    else:
        raise LanguageError([((), f"{axis.name} has no distribution; give `chance`, `table` or `law`")])
    return _modified(rows, distribution.modifiers, axis, parents)


def expand_chance(distribution: Distribution, parents: Sequence[Axis]) -> FloatArray:
    """(parents...) float64 in [0, 1] of a yes/no law, modifiers applied.

    Raises:
        LanguageError: every fault, with its path inside the distribution.
    """
    if distribution.chance is None:
        raise LanguageError([((), "no `chance` is given; write the probability, or a table of them under `given`")])
    given = parents[: len(distribution.given)]
    chance = at_key("chance", lambda: spread(distribution.chance, given, (), probability))
    if not distribution.modifiers:
        return chance
    yes_no = Axis("it", "finding", ("no", "yes"))
    return _modified(np.stack([1.0 - chance, chance], axis=-1), distribution.modifiers, yes_no, parents)[..., 1]


def expand_numbers(nested: Any, parents: Sequence[Axis]) -> FloatArray:
    """(parents...) float64 of numbers nested under the parents' values (utilities, means).

    Raises:
        LanguageError: every fault, with its path inside `nested`.
    """
    return spread(nested, parents, (), number)


def expand_table(nested: Any, axis: Axis, parents: Sequence[Axis]) -> FloatArray:
    """(parents..., values) float64 of {value: probability} nested under the parents' values; rows sum to 1.

    Raises:
        LanguageError: every fault, with its path inside `nested`.
    """
    return spread(nested, parents, (len(axis.values),), lambda node: row(node, axis))


def _modified(rows: FloatArray, modifiers: Sequence[Modifier], axis: Axis, parents: Sequence[Axis]) -> FloatArray:
    """Multiply odds where the modifiers match. Odds against the sum of the other values: weights, then their share."""
    check_size(parents, rows.shape[-1:])
    extra = len(parents) - (rows.ndim - 1)
    if extra:
        shape = tuple(len(parent.values) for parent in parents)
        rows = np.broadcast_to(
            rows.reshape((*rows.shape[:-1], *(1,) * extra, rows.shape[-1])), (*shape, rows.shape[-1])
        )
    faults: list[tuple[SubPath, str]] = []
    for i, modifier in enumerate(modifiers):
        try:
            weights = rows * _factors(modifier, axis)
            shared = weights / weights.sum(axis=-1, keepdims=True)
            rows = np.where(_matches(modifier.when, parents)[..., None], shared, rows)
        except LanguageError as error:
            faults += [(("modifiers", i, *path), text) for path, text in error.faults]
    if faults:
        raise LanguageError(faults)
    return rows


def _factors(modifier: Modifier, axis: Axis) -> FloatArray:
    """(values,) odds multiplier of each value."""
    factors = np.ones(len(axis.values))
    if not isinstance(modifier.odds, dict):
        if len(axis.values) != 2:
            shown = ", ".join(axis.values[:8])
            message = f"{axis.name} has more than two values; say whose odds: {{{shown}}} with a factor each"
            raise LanguageError([(("odds",), message)])
        factors[-1] = modifier.odds
    else:
        chosen = chosen_keys({**modifier.odds, OTHERWISE: 1.0}, axis, may_be_empty=True)
        factors = np.array([modifier.odds.get(key, 1.0) for key in chosen])
    if not (factors > 0).all():
        raise LanguageError(
            [(("odds",), "an odds multiplier must be above 0; write probability 0 in the table instead")]
        )
    return factors


def _matches(when: Mapping[str, Any], parents: Sequence[Axis]) -> NDArray[np.bool_]:
    """(parents...) whether every clause of `when` holds."""
    check_size(parents)
    out = np.ones([len(axis.values) for axis in parents], dtype=bool)
    faults: list[tuple[SubPath, str]] = []
    for i, axis in enumerate(parents):
        if axis.name not in when:
            continue
        try:
            allowed = np.array(allowed_values(axis, when[axis.name]).values)
            out &= allowed.reshape([-1 if j == i else 1 for j in range(len(parents))])
        except LanguageError as error:
            faults += [(("when", axis.name, *path), text) for path, text in error.faults]
    if faults:
        raise LanguageError(faults)
    return out
