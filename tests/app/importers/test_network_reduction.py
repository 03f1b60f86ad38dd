"""Summing variables out of a network: what is left has exactly the joint law it had."""

from __future__ import annotations

from math import prod

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workup.envs.model.network import Network, NetworkVariable
from workup.importers import reduction
from workup.importers.reduction import core_of, reduced


def random_network(seed: int, most: int = 9) -> Network:
    """With constants, deterministic rows and variables of up to four values, in any order."""
    rng = np.random.default_rng(seed)
    sizes = [2, *rng.integers(1, 5, size=rng.integers(1, most))]
    variables = []
    for i, size in enumerate(sizes):
        parents = rng.permutation(i)[: rng.integers(0, 4)]
        table = rng.dirichlet(np.ones(size), size=[sizes[p] for p in parents])
        table[rng.uniform(size=table.shape[:-1]) < 0.25] = np.eye(size)[rng.integers(size)]
        names = tuple(f"v{p}" for p in parents)
        variables.append(NetworkVariable(f"v{i}", tuple(f"s{j}" for j in range(size)), names, table))
    return Network(tuple(variables[i] for i in rng.permutation(len(variables))))


@settings(max_examples=200, deadline=None, derandomize=True)
@given(seed=st.integers(0, 100_000), chains=st.booleans())
def test_the_joint_of_what_is_kept_is_unchanged(seed: int, chains: bool) -> None:
    network, rng = random_network(seed), np.random.default_rng(seed)
    names = [v.name for v in network.variables]
    target = str(rng.choice([name for name in names if len(network.variable(name).values) > 1]))
    others = [name for name in names if name != target]
    observed = [str(n) for n in rng.permutation(others)[: rng.integers(1, 6)]]
    with pytest.MonkeyPatch.context() as patch:
        if not chains:
            patch.setattr(reduction, "LARGEST_JOINT", 0)
        small = reduced(network, target, observed)
    kept = [target, *observed]
    assert set(kept) <= set(small.by_name)
    assert all(small.variable(name).values == network.variable(name).values for name in kept)
    np.testing.assert_allclose(small.conditional(kept), network.conditional(kept), atol=1e-13)
    assert prod(core_of(small, target).values()) <= prod(core_of(network, target).values())


def test_a_chain_of_latent_variables_vanishes() -> None:
    flip = np.array([[0.9, 0.1], [0.2, 0.8]])
    chain = [NetworkVariable("x0", ("a", "b"), (), np.array([0.5, 0.5]))]
    chain += [NetworkVariable(f"x{i}", ("a", "b"), (f"x{i - 1}",), flip) for i in range(1, 300)]
    small = reduced(Network(tuple(chain)), "x0", ["x150"])
    assert set(small.by_name) == {"x0", "x150"}
    np.testing.assert_allclose(small.variable("x150").cpt, np.linalg.matrix_power(flip, 150), atol=1e-12)


def test_a_shared_cause_that_serves_is_kept() -> None:
    """Twelve tests of one latent cause: its own four values are fewer than the joint of eleven tests."""
    rng = np.random.default_rng(0)
    cause = NetworkVariable("cause", tuple("abcd"), ("t",), rng.dirichlet(np.ones(4), size=2))
    target = NetworkVariable("t", ("no", "yes"), (), np.array([0.5, 0.5]))
    tests = [NetworkVariable(f"x{i}", ("no", "yes"), ("cause",), rng.dirichlet(np.ones(2), size=4)) for i in range(12)]
    small = reduced(Network((target, cause, *tests)), "t", [test.name for test in tests])
    assert core_of(small, "t") == {"t": 2, "cause": 4}
