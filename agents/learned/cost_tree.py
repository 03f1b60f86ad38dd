"""A cost-sensitive decision tree learned from recorded patients: which test next, and when another is not worth it.

Grown by EG2's criterion, information for its price, then pruned from the leaves up: a subtree stays where what its tests
cost on the training rows is less than the wrong decisions that it saves. How much the price counts is chosen by
cross-validation on the training rows. A value that is not available has a branch of its own.

Source: Núñez M. The use of background knowledge in decision tree induction. Machine Learning 1991;6:231-250 (EG2's
criterion), in the setting of Turney PD, JAIR 1995;2:369-409 (costs of tests and of errors, group discounts).
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, ValidationError

from workup.agents.base import Effort, Learner, Progress, decision_actions
from workup.agents.opening import finish, opening_actions, opening_choices
from workup.agents.saved import SavedPolicy, Strict, faults_of, read_policy, write_policy
from workup.envs.engine.types import JourneyView
from workup.envs.model.cases import Cases
from workup.envs.model.codes import FAILED, MISSING, PENDING, REFUSED, RESULT
from workup.envs.model.population import Population
from workup.envs.model.world import World
from workup.errors import FileFormatError
from workup.statistics import entropy

F64 = NDArray[np.float64]

EXPONENTS = (0.0, 0.25, 0.5, 1.0, 2.0)
"""Of the price in EG2's criterion; 0 leaves it out."""
FOLDS = 5
SMALLEST = 4
"""Nodes of fewer rows are leaves."""
PRIOR_ROWS = 2.0
"""So many rows like all training rows are added to a leaf's, so that a pure leaf of three is not certain."""


@dataclass
class Node:
    """A test and a branch for each of its values, or a decision (also where a value has no branch)."""

    decision: int
    loss_gbp: float
    """Expected on the training rows, by the best decision or by the tests beneath and what follows."""
    item: int = -1
    observable: int = -1
    branches: dict[int, Node] = field(default_factory=dict)


class TreeAgent:
    """Takes history and examination, then what its tree says."""

    name = "tree"
    needs: Literal["raw", "belief"] | None = None

    def __init__(self, world: World, root: Node) -> None:
        self.root = root
        self._world = world
        self._opening = opening_actions(world)
        self._decisions = decision_actions(world)
        self._wait = [a.kind for a in world.actions].index("wait")
        self._order = {a.items[0]: index for index, a in enumerate(world.actions) if a.kind in ("order", "act")}

    def act(self, view: JourneyView) -> NDArray[np.int64]:
        """See `Agent.act`."""
        chosen = opening_choices(view, self._opening)
        for row in np.flatnonzero(chosen < 0).tolist():
            action = self._next(view, row)
            chosen[row] = action if view.mask[row, action] else -1
        return finish(self._world, view, chosen)

    def _next(self, view: JourneyView, row: int) -> int:
        node = self.root
        while node.item >= 0:
            status, order = view.status[row, node.item], self._order[node.item]
            if status == PENDING:
                return self._wait
            if status not in (RESULT, FAILED, REFUSED) and view.mask[row, order]:
                return order
            value = int(view.values[row, node.observable])
            branch = node.branches.get(value if value >= 0 else MISSING)
            if branch is None:
                break
            node = branch
        return int(self._decisions[node.decision])


def grow_tree(population: Population, *, seed: int = 0) -> TreeAgent:
    """The tree of recorded patients.

    Args:
        population: of training patients.
        seed: of the folds that choose how much price counts.

    Raises:
        WorkupError: the patients are drawn from a model, so there are no rows to learn from.
    """
    world, rows = population.world, population.fixed
    n = len(rows.hidden)
    fold = np.random.Generator(np.random.Philox(key=[seed, 0x7EEE])).permutation(n) % min(FOLDS, n)
    value = [
        sum(
            _value(world, _grow(world, rows, np.flatnonzero(fold != k), w), rows, np.flatnonzero(fold == k))
            for k in set(fold)
        )
        for w in EXPONENTS
    ]
    return TreeAgent(world, _grow(world, rows, np.arange(n), EXPONENTS[int(np.argmax(value))]))


class _Prices:
    """What ordering an item costs after others were ordered, and whether it may be."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.revealing = [
            (i, int(o)) for i in range(world.n_investigations) for o in world.reveals[i][world.reveals[i] >= 0]
        ]
        self.known = frozenset(int(i) for i in np.flatnonzero(world.opens_journey))

    def price(self, item: int, ordered: frozenset[int]) -> float:
        world = self._world
        if item in ordered:
            return 0.0
        s = int(world.set_up[item])
        paid = s >= 0 and world.set_up_once[s] > 0 and any(world.set_up[j] == s for j in ordered)
        shared = 0.0 if s < 0 or paid else float(world.set_up_cost_gbp[s])
        return float(world.weights[0]) * (float(world.cost_gbp[item]) + shared)

    def allowed(self, item: int, ordered: frozenset[int]) -> bool:
        groups: dict[int, bool] = {}
        for owner, group, kind, target in self._world.clauses.tolist():
            if owner == item:
                groups[group] = groups.get(group, False) or (kind == 1 and target in ordered)
        return all(groups.values())


def _grow(world: World, rows: Cases, chosen: NDArray[np.int64], exponent: float) -> Node:
    truth = rows.hidden.astype(np.int64)
    utility = world.weights[3] * world.utility_gbp[:, 0, :]
    n_hidden = utility.shape[1]
    base = np.bincount(truth[chosen], minlength=n_hidden) / len(chosen)
    prices = _Prices(world)

    def leaf(members: NDArray[np.int64]) -> Node:
        counts = np.bincount(truth[members], minlength=n_hidden) + PRIOR_ROWS * base
        worth = utility @ (counts / counts.sum())
        best = int(worth.argmax())
        return Node(best, -float(worth[best]))

    def grow(members: NDArray[np.int64], ordered: frozenset[int], split: frozenset[int]) -> Node:
        node = leaf(members)
        counts = np.bincount(truth[members], minlength=n_hidden)
        if len(members) < SMALLEST or (counts > 0).sum() < 2:
            return node
        best = max(
            (
                (score, item, o)
                for item, o in prices.revealing
                if o not in split
                and prices.allowed(item, ordered)
                and (
                    score := _score(
                        rows.values[members, o], truth[members], n_hidden, prices.price(item, ordered), exponent
                    )
                )
                > 0.0
            ),
            default=None,
        )
        if best is None:
            return node
        _, item, o = best
        codes = rows.values[members, o]
        seen = world.reveals[item][world.reveals[item] >= 0]
        available = (rows.values[np.ix_(members, seen)] >= 0).any(axis=1).mean()  # what is not available costs nothing
        node.item, node.observable = item, o
        node.branches = {
            int(code): grow(members[codes == code], ordered | {item}, split | {o}) for code in np.unique(codes)
        }
        loss = prices.price(item, ordered) * float(available) + sum(
            float((codes == code).mean()) * branch.loss_gbp for code, branch in node.branches.items()
        )
        if loss >= node.loss_gbp:
            return Node(node.decision, node.loss_gbp)
        node.loss_gbp = loss
        return node

    return grow(chosen, prices.known, frozenset())


def _score(codes: NDArray[np.int16], truth: NDArray[np.int64], n_hidden: int, price: float, exponent: float) -> float:
    """EG2: (2^information - 1) / (price + 1)^exponent."""
    values, at = np.unique(codes, return_inverse=True)
    if len(values) < 2:
        return 0.0
    counts = np.bincount(at * n_hidden + truth, minlength=len(values) * n_hidden).reshape(len(values), n_hidden)
    gain = entropy(counts.sum(axis=0, keepdims=True).astype(np.float64))[0]
    gain -= (counts.sum(axis=1) / len(codes)) @ entropy(counts.astype(np.float64))
    return float((2.0**gain - 1.0) / (price + 1.0) ** exponent) if gain > 1e-9 else 0.0


def _value(world: World, root: Node, rows: Cases, members: Sequence[int] | NDArray[np.int64]) -> float:
    """Total reward of rows under a tree: what was decided for them, less what they were charged."""
    utility = world.weights[3] * world.utility_gbp[:, 0, :]
    prices, total = _Prices(world), 0.0
    for row in np.asarray(members).tolist():
        node, ordered = root, prices.known
        while node.item >= 0:
            seen = world.reveals[node.item][world.reveals[node.item] >= 0]
            if (rows.values[row, seen] >= 0).any():
                total -= prices.price(node.item, ordered)
                ordered = ordered | {node.item}
            branch = node.branches.get(int(rows.values[row, node.observable]))
            if branch is None:
                break
            node = branch
        total += float(utility[node.decision, rows.hidden[row]])
    return total


class SavedNode(Strict):
    """A node of a tree in a file, in the order of a walk from the root; branches lead further down."""

    decision: Annotated[int, Field(ge=0)]
    loss_gbp: float
    item: Annotated[int, Field(ge=-1)] = -1
    observable: Annotated[int, Field(ge=-1)] = -1
    branches: dict[int, Annotated[int, Field(ge=1)]] = {}
    """Code of the value (MISSING included) -> place of the node."""


class SavedTree(Strict):
    """What `policy.json` holds beside the header."""

    nodes: Annotated[list[SavedNode], Field(min_length=1, max_length=100_000)]


def _flat(root: Node) -> list[SavedNode]:
    nodes: list[SavedNode] = []

    def add(node: Node) -> int:
        place = len(nodes)
        nodes.append(SavedNode(decision=node.decision, loss_gbp=node.loss_gbp))  # keeps the place
        branches = {value: add(branch) for value, branch in node.branches.items()}
        nodes[place] = SavedNode(
            decision=node.decision,
            loss_gbp=node.loss_gbp,
            item=node.item,
            observable=node.observable,
            branches=branches,
        )
        return place

    add(root)
    return nodes


def _grown(saved: SavedTree, world: World) -> Node:
    """The tree of a file. Raises ValueError where it does not fit the world, or is no tree."""
    nodes = [Node(of.decision, of.loss_gbp, of.item, of.observable) for of in saved.nodes]
    for place, (node, of) in enumerate(zip(nodes, saved.nodes, strict=True)):
        if node.decision >= len(world.decisions) or node.item >= world.n_investigations:
            raise ValueError(f"node {place} names a decision or test that {world.scenario.id} does not have")
        if node.item >= 0 and (node.observable not in world.reveals[node.item] or node.observable < 0):
            raise ValueError(f"node {place} reads what its test does not show")
        if any(not place < child < len(nodes) for child in of.branches.values()):
            raise ValueError(f"a branch of node {place} leads nowhere, or back up")
        node.branches.update({value: nodes[child] for value, child in of.branches.items()})
    return nodes[0]


class TreeLearner:
    """Grows a tree from recorded patients; it ends by itself."""

    name, extra, ends_by_itself, needs_rows = "tree", None, True, True

    def fit(self, population: Population, *, out: Path, seed: int, effort: Effort, progress: Progress) -> TreeAgent:
        """See `Learner.fit`."""
        agent = grow_tree(population, seed=seed)
        nodes = _flat(agent.root)
        spec = SavedTree(nodes=nodes).model_dump(mode="json")
        write_policy(out, SavedPolicy(self.name, spec), population.world)
        progress(1.0, f"a tree of {sum(node.item >= 0 for node in nodes)} tests, from {len(population):,} patients")
        return agent

    def load(self, directory: Path, world: World) -> TreeAgent:
        """See `Learner.load`."""
        path, saved = directory / "policy.json", read_policy(directory, world, kind=self.name)
        try:
            # By way of JSON text: it alone may turn keys of an object into numbers.
            return TreeAgent(world, _grown(SavedTree.model_validate_json(json.dumps(dict(saved.spec))), world))
        except ValueError as error:
            told = faults_of(error) if isinstance(error, ValidationError) else error
            raise FileFormatError(f"{path}: spec: {told}. Grow it again") from error


LEARNERS: dict[str, Learner] = {"tree": TreeLearner()}
