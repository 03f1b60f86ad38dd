"""The plan that a search certified, kept small: decisions, and actions with a plan for each outcome."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from workup.agents.planning.graph import Graph
from workup.agents.planning.presentation import Presented, State
from workup.agents.planning.problem import Problem

I32 = NDArray[np.int32]


@dataclass(frozen=True, eq=False)
class Policy:
    """A tree of plans; entry `root` attains the lower bound. Arrays are by plan."""

    presented: Presented
    root: int
    decision: I32
    """Decision taken, or -1 where an action is taken."""
    action: I32
    """Atomic action begun or being read, -1 for decisions."""
    follow_start: I32
    follow: I32
    """Plan for each outcome of the member being read, in the order of its digits."""

    def next_action(self, state: State) -> int | None:
        """World action that the plan takes now; None where the journey has left the plan."""
        where = self.presented.where(state)
        return None if where is None else self._walk(where)

    def _walk(self, where: tuple[int, ...]) -> int | None:
        p, same = self.presented.problem, [digits.same for digits in self.presented.digits]
        at = [0] * len(where)
        mode = int(p.root_mode)
        plan, members = self.root, list[int]()
        while self.action[plan] >= 0:
            a = int(self.action[plan])
            members = [int(i) for i in p.member[a] if i >= 0]
            if all(at[i] == where[i] for i in members):
                there = all(same[i](at[i], where[i]) for i in range(len(at)))
                return int(p.action[a]) if there else None
            reached = mode
            for i in members:
                step = self._child(i, at[i], where[i], mode)
                if step is None:
                    return None
                if self.action[plan] < 0:  # decided, whatever the rest of the set says
                    break
                plan = int(self.follow[self.follow_start[plan] + step])
                at[i] = int(p.child_start[p.first_digit[i] + at[i], mode]) + step
                reached |= int(p.digit_mode[p.first_digit[i] + at[i]])
            mode = reached
        if not all(same[i](at[i], where[i]) or i in members for i in range(len(at))):
            return None
        first_decision = len(self.presented.world.actions) - len(self.presented.world.decisions)
        return first_decision + int(self.decision[plan])

    def _child(self, item: int, at: int, target: int, mode: int) -> int | None:
        """Which outcome of an order at digit `at` leads to `target`, now or after further attempts."""
        p = self.presented.problem
        g = int(p.first_digit[item]) + at
        first, count = int(p.child_start[g, mode]), int(p.child_count[g, mode])
        for step in range(count):
            if self.presented.digits[item].same(first + step, target):
                return step
        for step in range(count):
            if any(self._descends(item, first + step, target)):
                return step
        return None

    def _descends(self, item: int, digit: int, target: int) -> list[bool]:
        p = self.presented.problem
        g = int(p.first_digit[item]) + digit
        found = []
        for mode in range(p.child_start.shape[1]):
            first, count = int(p.child_start[g, mode]), int(p.child_count[g, mode])
            found.append(first <= target < first + count)
            found.extend(any(self._descends(item, first + step, target)) for step in range(count))
        return [any(found)]


def extract(presented: Presented, graph: Graph) -> Policy:
    """The plans that the root's plan needs, and nothing else of the search."""
    problem = presented.problem
    decisions = problem.stop.shape[0] * problem.stop.shape[1]
    number: dict[int, int] = {}
    order: list[int] = []
    open_plans = [int(graph.plan[0])]
    while open_plans:
        plan = open_plans.pop()
        if plan in number:
            continue
        number[plan] = len(order)
        order.append(plan)
        open_plans.extend(_follows(problem, graph, plan))
    follow: list[int] = []
    start = np.zeros(len(order), np.int32)
    for j, plan in enumerate(order):
        start[j] = len(follow)
        follow.extend(number[then] for then in _follows(problem, graph, plan))
    kept = np.array(order)
    decision = np.where(kept < decisions, kept % problem.stop.shape[1], np.where(kept == decisions, 0, -1))
    return Policy(
        presented=presented,
        root=0,
        decision=decision.astype(np.int32),
        action=graph.plan_action[kept].astype(np.int32),
        follow_start=start,
        follow=np.array(follow, np.int32),
    )


def _follows(problem: Problem, graph: Graph, plan: int) -> list[int]:
    if graph.plan_action[plan] < 0:
        return []
    start = int(graph.plan_follow[plan])
    return [int(then) for then in graph.follow[start : start + int(graph.plan_outcomes[plan])]]
