"""Summing variables out of a network so that a network remains: exact, by reversing arcs.

To remove a variable, each arc to a child is turned round by Bayes' rule (both then share their parents); once it has no
child it is left out. Source: Shachter RD. Evaluating influence diagrams. Operations Research 1986;34:871-882.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from math import prod

import numpy as np
from numpy.typing import NDArray

from workup.envs.model.elimination import Factor
from workup.envs.model.network import Network, NetworkVariable

MOST_NUMBERS = 40_000
"""Most numbers in all tables of the network that remains; what a scenario file can well hold."""
LARGEST_JOINT = 20_000
"""Most numbers in a joint table that is written as a chain of conditional tables."""

Floats = NDArray[np.float64]


def reduced(network: Network, target: str, observed: Sequence[str]) -> Network:
    """A network over `target`, `observed` and as few others as serve, with exactly the same joint law of these.

    Variables below none of them are left out. Others are summed out wherever that does not enlarge the joint space of
    the variables that others depend on, and the tables stay within MOST_NUMBERS. If the joint of target and observed
    is small and its chain of conditional tables needs a smaller space, that is returned.

    Raises:
        WorkupError: the chain is small enough but inference for it is not.
    """
    kept = (target, *observed)
    tables = {v.name: v for v in _without_constants([network.variable(n) for n in _above(network, kept)], kept)}
    draft = _Draft({n: v.parents for n, v in tables.items()}, {n: len(v.values) for n, v in tables.items()})
    factors: dict[str, Floats] = {n: v.cpt for n, v in tables.items()}
    for name in draft.eliminated(kept, target):
        _sum_out(name, draft, factors)
    chain = [len(network.variable(name).values) for name in kept]
    if prod(chain) <= LARGEST_JOINT and prod(chain[:-1]) < draft.core(target):
        return _chain(network, kept)
    return Network(
        tuple(NetworkVariable(n, tables[n].values, draft.parents[n], factors[n]) for n in tables if n in draft.parents)
    )


def core_of(network: Network, target: str) -> dict[str, int]:
    """The target and the variables that others depend on, each with its number of values."""
    parents = {parent for v in network.variables for parent in v.parents} | {target}
    return {v.name: len(v.values) for v in network.variables if v.name in parents}


def _above(network: Network, names: Collection[str]) -> list[str]:
    waiting, seen = list(names), set[str]()
    while waiting:
        name = waiting.pop()
        if name not in seen:
            seen.add(name)
            waiting.extend(network.variable(name).parents)
    return [name for name in network.order if name in seen]


def _without_constants(variables: Sequence[NetworkVariable], kept: Collection[str]) -> list[NetworkVariable]:
    """Without those that have one value only: nothing can depend on them."""
    constant = {v.name for v in variables if len(v.values) == 1 and v.name not in kept}
    out = []
    for v in variables:
        axes = tuple(i for i, parent in enumerate(v.parents) if parent in constant)
        parents = tuple(parent for parent in v.parents if parent not in constant)
        if v.name not in constant:
            out.append(NetworkVariable(v.name, v.values, parents, v.cpt.squeeze(axes)))
    return out


class _Draft:
    """Who depends on whom while variables are summed out; variables come causes first."""

    def __init__(self, parents: Mapping[str, tuple[str, ...]], sizes: Mapping[str, int]) -> None:
        self.parents = dict(parents)
        self.sizes = sizes
        self.place = {name: i for i, name in enumerate(parents)}
        self.children: dict[str, list[str]] = {name: [] for name in parents}
        for name, of in parents.items():
            for parent in of:
                self.children[parent].append(name)
        self.numbers = sum(self._cells(name, of) for name, of in parents.items())

    def core(self, target: str) -> int:
        """The size of the joint space of the target and all that others depend on."""
        return prod(self.sizes[name] for name, below in self.children.items() if below or name == target)

    def eliminated(self, kept: Collection[str], target: str) -> Iterator[str]:
        """Variables to sum out, best first; whoever iterates sums each out before asking for the next."""
        effects: dict[str, tuple[float, int]] = {}
        stale = set(self.parents)
        while True:
            for name in stale:
                effects.pop(name, None)
                if name in self.parents and name not in kept:
                    effects[name] = self._effect(name, target)
            fitting = (
                (factor if more > 0 else 0.0, more, name)
                for name, (factor, more) in effects.items()
                if factor < 1.0 and (more <= 0 or self.numbers + more <= MOST_NUMBERS)
            )
            _, _, best = min(fitting, default=(0.0, 0, ""))
            if not best:
                return
            around = {best, *self.parents[best], *self.children[best]}
            around.update(*(self.parents[child] for child in self.children[best]))
            yield best
            stale = around.union(*(self.parents[name] for name in around if name in self.parents))

    def turned(self, name: str) -> list[tuple[str, tuple[str, ...]]]:
        """Children of `name`, causes first, and what each then depends on once `name` is summed out.

        All new arcs go forward in the order of causes that the network had at first, so that it stays one.
        """
        own: tuple[str, ...] = self.parents[name]
        out = []
        for child in sorted(self.children[name], key=self.place.__getitem__):
            own = _joined(own, (p for p in self.parents[child] if p != name))
            out.append((child, own))
            own = (*own, child)
        return out

    def remove(self, name: str) -> None:
        """Record that `name` was summed out."""
        turned = self.turned(name)
        for child, parents in turned:
            self.numbers += self._cells(child, parents) - self._cells(child, self.parents[child])
            for parent in self.parents[child]:
                self.children[parent].remove(child)
            for parent in parents:
                self.children[parent].append(child)
            self.parents[child] = parents
        self.numbers -= self._cells(name, self.parents[name])
        for parent in self.parents.pop(name):
            self.children[parent].remove(name)
        del self.children[name]

    def _effect(self, name: str, target: str) -> tuple[float, int]:
        """By what the core is multiplied when `name` is summed out, and how many numbers that adds."""
        turned = self.turned(name)
        factor, more = 1.0 / self.sizes[name], -self._cells(name, self.parents[name])
        for child, parents in turned:
            more += self._cells(child, parents) - self._cells(child, self.parents[child])
            # The wide table of the child together with `name` arises on the way.
            if self._cells(child, parents) * self.sizes[name] > 16 * MOST_NUMBERS:
                return np.inf, more
        for child, _ in turned[:-1]:
            if not self.children[child] and child != target:
                factor *= self.sizes[child]
        return factor, more

    def _cells(self, name: str, parents: Iterable[str]) -> int:
        return self.sizes[name] * prod(self.sizes[parent] for parent in parents)


def _sum_out(name: str, draft: _Draft, factors: dict[str, Floats]) -> None:
    own = Factor((*draft.parents[name], name), factors.pop(name))
    for child, parents in draft.turned(name):
        axes = (*parents, name, child)
        below = Factor((*draft.parents[child], child), factors[child])
        joint = _along(own, axes) * _along(below, axes)
        law = joint.sum(axis=-2)
        factors[child] = law / law.sum(axis=-1, keepdims=True)
        # Where the child's value cannot be, the reversed law is never asked; any law will do.
        possible = law[..., None, :] > 0
        turned = np.where(possible, joint / np.where(possible, law[..., None, :], 1.0), 1.0 / draft.sizes[name])
        own = Factor((*parents, child, name), np.moveaxis(turned, -2, -1))
    draft.remove(name)


def _along(factor: Factor, axes: Sequence[str]) -> Floats:
    """The factor's table with its axes in the order of `axes`, length 1 where it has none."""
    present = [name for name in axes if name in factor.names]
    table = factor.table.transpose([factor.names.index(name) for name in present])
    sizes = dict(zip(present, table.shape, strict=True))
    return table.reshape([sizes.get(name, 1) for name in axes])


def _joined(first: Sequence[str], more: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*first, *more)))


def _chain(network: Network, names: Sequence[str]) -> Network:
    """P(first) P(second | first) P(third | both) ..., a full network over `names`."""
    joint = network.conditional(names)
    variables = []
    for i, name in enumerate(names):
        upto = joint.sum(axis=tuple(range(i + 1, len(names))))
        total = upto.sum(axis=-1, keepdims=True)
        table = np.where(total > 0, upto / np.where(total > 0, total, 1.0), 1.0 / upto.shape[-1])
        variables.append(NetworkVariable(name, network.variable(name).values, tuple(names[:i]), table))
    return Network(tuple(variables))
