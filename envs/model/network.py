"""A plain discrete Bayesian network with exact inference by variable elimination.

It knows nothing of scenarios: it is the interchange form of a patient model, what `workup.load_network` returns,
and the independent implementation that the array model in `patient_model` is checked against.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from graphlib import CycleError, TopologicalSorter

import numpy as np
from numpy.typing import NDArray

from workup.envs.model.elimination import Factor, eliminate
from workup.errors import ImpossibleEvidence, UnknownNameError, WorkupError, in_words

Evidence = Mapping[str, str | Collection[str]]
"""{variable: value}, or {variable: values of which one holds}."""

ROW_SUM_TOLERANCE = 1e-9
MOST_TARGETS = 60
"""An array has 64 axes at most."""


@dataclass(frozen=True, eq=False)
class NetworkVariable:
    """One variable and its law given its parents.

    cpt: (sizes of parents in order..., number of values) float64, the last axis sums to 1.
    """

    name: str
    values: tuple[str, ...]
    parents: tuple[str, ...]
    cpt: NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Network:
    """A Bayesian network over named variables with named values.

    Raises:
        WorkupError: with every fault: names or values that repeat, parents that do not exist, a cycle, a table
            of the wrong shape, probabilities outside [0, 1] or rows that do not sum to 1 (within 1e-9).

    Examples:
        >>> import numpy as np
        >>> from workup.envs.model.network import Network, NetworkVariable
        >>> flu = NetworkVariable("Flu", ("no", "yes"), (), np.array([0.9, 0.1]))
        >>> fever = NetworkVariable("Fever", ("no", "yes"), ("Flu",), np.array([[0.8, 0.2], [0.1, 0.9]]))
        >>> round(Network((flu, fever)).posterior("Flu", {"Fever": "yes"})["yes"], 4)
        0.3333
    """

    variables: tuple[NetworkVariable, ...]

    def __post_init__(self) -> None:
        faults = _faults(self.variables)
        if faults:
            raise WorkupError("\n".join(faults))

    @cached_property
    def by_name(self) -> dict[str, NetworkVariable]:
        """Variables by name, in the order they were given."""
        return {variable.name: variable for variable in self.variables}

    @cached_property
    def order(self) -> tuple[str, ...]:
        """Names, parents before children."""
        return tuple(TopologicalSorter({v.name: v.parents for v in self.variables}).static_order())

    def variable(self, name: str) -> NetworkVariable:
        """The variable of that name; raises UnknownNameError with the names there are."""
        try:
            return self.by_name[name]
        except (KeyError, TypeError):
            raise UnknownNameError(f"no variable {in_words(name)}; the network has {_listed(self.by_name)}") from None

    def posterior(self, target: str, evidence: Evidence | None = None) -> dict[str, float]:
        """The exact posterior of one variable: {state: probability}, which sums to 1.

        Raises:
            UnknownNameError: a variable or value that does not exist.
            ImpossibleEvidence: the evidence has probability zero.
            WorkupError: a table larger than 2**26 numbers, more than 2**27 at a time or more than 2**32
                multiplications would be needed; the message gives the size.
        """
        table, _ = self._table((target,), evidence or {})
        return dict(zip(self.variable(target).values, table.tolist(), strict=True))

    def conditional(self, targets: Sequence[str], evidence: Evidence | None = None) -> NDArray[np.float64]:
        """P(targets | evidence), one axis per target in the order given. Raises as `posterior`."""
        return self._table(tuple(targets), evidence or {})[0]

    def joint(self, targets: Sequence[str], evidence: Evidence | None = None) -> NDArray[np.float64]:
        """P(targets, evidence), one axis per target in the order given; zero where impossible."""
        try:
            table, log_probability = self._table(tuple(targets), evidence or {})
        except ImpossibleEvidence:
            return np.zeros([len(self.variable(name).values) for name in targets])
        return np.asarray(table * np.exp(log_probability))

    def probability(self, evidence: Evidence) -> float:
        """P(evidence), in [0, 1]."""
        return float(self.joint((), evidence))

    def _table(self, targets: tuple[str, ...], evidence: Evidence) -> tuple[NDArray[np.float64], float]:
        """Normalised table over `targets`, and the logarithm of the probability of the evidence."""
        for name in targets:
            self.variable(name)
        if len(set(targets)) != len(targets):
            raise WorkupError(f"targets {targets} repeat a variable; name each once")
        if len(targets) > MOST_TARGETS:
            raise WorkupError(f"a table over {len(targets)} variables is asked for; at most {MOST_TARGETS} can be")
        allowed = {name: self._allowed(name, given) for name, given in evidence.items()}
        sizes = {name: len(self.variable(name).values) for name in self._ancestors([*targets, *allowed])}
        factors = [
            Factor((*v.parents, v.name), v.cpt).restricted(allowed, keep=targets) for v in map(self.variable, sizes)
        ]
        table, log_scale = eliminate(factors, targets, sizes)
        for axis, name in enumerate(targets):
            if name in allowed:
                table = np.where(np.expand_dims(allowed[name], [i for i in range(table.ndim) if i != axis]), table, 0.0)
        total = float(table.sum())
        if total <= 0.0:
            raise ImpossibleEvidence(f"the evidence {dict(evidence)} has probability zero in this network")
        return table / total, log_scale + float(np.log(total))

    def _allowed(self, name: str, given: str | Collection[str]) -> NDArray[np.bool_]:
        values = self.variable(name).values
        wanted = (given,) if isinstance(given, str) else tuple(given)
        unknown = [value for value in wanted if value not in values]
        if unknown:
            raise UnknownNameError(f"{name} has no value {unknown[0]!r}; it has {_listed(values)}")
        return np.array([value in wanted for value in values])

    def _ancestors(self, names: Iterable[str]) -> list[str]:
        """The variables that can matter for `names`: themselves and all above them."""
        waiting, seen = list(names), set[str]()
        while waiting:
            name = waiting.pop()
            if name not in seen:
                seen.add(name)
                waiting.extend(self.variable(name).parents)
        return [name for name in self.by_name if name in seen]


def _faults(variables: Sequence[NetworkVariable]) -> list[str]:
    sizes: dict[str, int] = {}
    faults = []
    for variable in variables:
        if variable.name in sizes:
            faults.append(f"variable {variable.name!r} is given twice; give it once")
        if not variable.values or len(set(variable.values)) != len(variable.values):
            faults.append(f"{variable.name} has values {variable.values}; expected one or more, all different")
        sizes[variable.name] = len(variable.values)
    for variable in variables:
        faults += _table_faults(variable, sizes)
    try:
        TopologicalSorter({v.name: v.parents for v in variables}).prepare()
    except CycleError as error:
        faults.append(f"the parents form a cycle: {' <- '.join(error.args[1])}")
    return faults


def _table_faults(variable: NetworkVariable, sizes: Mapping[str, int]) -> list[str]:
    missing = [parent for parent in variable.parents if parent not in sizes]
    if missing:
        return [f"{variable.name} has a parent {missing[0]!r} which is not in the network"]
    if len(set(variable.parents)) != len(variable.parents):
        return [f"{variable.name} lists a parent twice: {variable.parents}"]
    shape = (*(sizes[parent] for parent in variable.parents), len(variable.values))
    if variable.cpt.shape != shape:
        return [f"{variable.name} has a table of shape {variable.cpt.shape}; expected {shape}"]
    if not np.all((variable.cpt >= 0) & (variable.cpt <= 1 + ROW_SUM_TOLERANCE)):
        return [f"{variable.name} has a number that is not a probability in [0, 1]"]
    off = np.abs(variable.cpt.sum(axis=-1) - 1).max()
    if off > ROW_SUM_TOLERANCE:
        return [f"{variable.name} has a row whose sum is off 1 by {off:.3g}; expected at most {ROW_SUM_TOLERANCE:g}"]
    return []


def _listed(names: Iterable[str]) -> str:
    shown = list(names)
    return ", ".join(shown[:30]) + (f" and {len(shown) - 30} more" if len(shown) > 30 else "")
