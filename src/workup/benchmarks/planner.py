"""How long the exact planner takes, and how much memory, on a generated problem of a stated size."""

from __future__ import annotations

import resource
import sys
import time
from typing import Any, TypedDict

import numpy as np

from workup.agents.planning.bounded import bound
from workup.agents.planning.clairvoyant import clairvoyant
from workup.agents.planning.exact import exact_values
from workup.agents.planning.problem import Problem, check, size


class PlannerBench(TypedDict):
    """What `workup bench planner --json` writes."""

    investigations: int
    results: int
    conditions: int
    states: int
    value: float
    """Pounds."""
    lower: float
    upper: float
    """Of a brief search of the same problem, which has nothing in common with the sweep but the problem."""
    cpu_s: float
    """Without compilation."""
    peak_mb: float
    """Of the whole process, imports included."""


def planner(investigations: int = 12, results: int = 3, conditions: int = 8, seed: int = 0) -> PlannerBench:
    """Solve a generated problem exactly.

    Args:
        investigations: each can be ordered once.
        results: of each investigation.
        conditions: states that investigations tell apart, each with a decision of its own.
        seed: of the figures.
    """
    exact_values(generated(2, results, conditions, seed))  # compiles
    problem = generated(investigations, results, conditions, seed)
    start = time.process_time()
    value = float(exact_values(problem)[0])
    cpu_s = time.process_time() - start
    searched = bound(problem, expansions=2_000)
    return {
        "investigations": investigations,
        "results": results,
        "conditions": conditions,
        "states": int(size(problem)),
        "value": value,
        "lower": searched.lower,
        "upper": searched.upper,
        "cpu_s": cpu_s,
        "peak_mb": peak_mb(),
    }


def generated(investigations: int, results: int, conditions: int, seed: int) -> Problem:
    """A problem in which results, costs and utilities differ between all conditions."""
    n, S, radix = investigations, conditions, results + 1
    rng = np.random.default_rng(seed)
    column = np.ones((n, radix, S))
    column[:, 1:] = rng.dirichlet(np.ones(results), (n, S)).transpose(0, 2, 1)
    child_start, child_count = np.zeros((n, radix, 1), np.int32), np.zeros((n, radix, 1), np.int32)
    child_start[:, 0], child_count[:, 0] = 1, results
    stop = -rng.uniform(200.0, 4_000.0, (1, S, S))
    stop[0, np.arange(S), np.arange(S)] = 0.0
    cost = rng.uniform(5.0, 60.0, (n, 1, 1)) * rng.uniform(0.8, 1.2, (n, 1, S))
    none = np.zeros(0, np.int32)
    place = radix ** np.arange(n, dtype=np.int64)
    tests: dict[str, Any] = {
        "member": np.arange(n, dtype=np.int32)[:, None], "radix": np.full(n, radix, np.int64),
        "first_digit": np.arange(0, n * radix, radix, dtype=np.int32), "digit_mode": np.zeros(n * radix, np.int32),
        "child_count": child_count.reshape(-1, 1),
    }  # fmt: skip
    problem = Problem(
        weights=rng.dirichlet(np.ones(S)), base=none, stop=stop, worst=stop[0].min(axis=0) - cost[:, 0].sum(axis=0) - 1.0,
        free=clairvoyant(stop, none, cost, **tests), place=place,
        column=column.reshape(-1, S), child_start=child_start.reshape(-1, 1), digit_hours=np.zeros(n * radix, np.int32),
        signature=np.tile(np.minimum(np.arange(radix), 1), n).astype(np.int64),
        signature_place=2 ** np.arange(n, dtype=np.int64), group_start=np.zeros(n + 2 + S, np.int32),
        clause_start=np.zeros(1, np.int32), clause_item=none, clause_offset=none, clause_allows=np.zeros(0, bool),
        member_digit=np.zeros((n, 1), np.int32),
        other=np.full((n, 1), -1, np.int32), action=np.arange(n, dtype=np.int32), cost=cost, hours=np.zeros(1),
        decay=np.ones((1, 1, S)), root_mode=0, clocked=False, **tests,
    )  # fmt: skip
    check(problem)
    return problem


def peak_mb() -> float:
    """Most memory this process has held, in MB (10**6 bytes)."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 1e6 if sys.platform == "darwin" else peak * 1024 / 1e6
