from __future__ import annotations

import json
import os
import warnings
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workup.envs.model import elimination
from workup.envs.model.network import Network, NetworkVariable
from workup.errors import ImpossibleEvidence, UnknownNameError, WorkupError
from workup.importers.networks.files import load_network

DATA = os.environ.get("WORKUP_TEST_DATA")
NETWORKS = ("asia", "cancer", "child", "alarm", "hepar2")


def variable(
    name: str, parents: tuple[str, ...], table: list[object], values: tuple[str, ...] = ("no", "yes")
) -> NetworkVariable:
    return NetworkVariable(name, values, parents, np.array(table, dtype=np.float64))


def disease_and_test() -> Network:
    return Network(
        (
            variable("test", ("disease",), [[0.9, 0.1], [0.2, 0.8]]),
            variable("disease", (), [0.99, 0.01]),
        )
    )


def test_bayes_rule() -> None:
    network = disease_and_test()
    assert network.posterior("disease", {"test": "yes"})["yes"] == pytest.approx(0.008 / (0.008 + 0.099), abs=1e-15)
    assert network.probability({"test": "yes"}) == pytest.approx(0.107, abs=1e-15)
    assert network.posterior("test") == pytest.approx({"no": 0.893, "yes": 0.107})
    assert network.posterior("disease", {"disease": "yes"}) == {"no": 0.0, "yes": 1.0}
    assert network.order == ("disease", "test")


def test_evidence_may_be_several_values() -> None:
    colour = variable("colour", ("disease",), [[0.5, 0.3, 0.2], [0.1, 0.2, 0.7]], ("red", "green", "blue"))
    network = Network((variable("disease", (), [0.75, 0.25]), colour))
    yes = 0.25 * 0.9 / (0.25 * 0.9 + 0.75 * 0.5)
    assert network.posterior("disease", {"colour": ("green", "blue")})["yes"] == pytest.approx(yes, abs=1e-15)
    given = network.posterior("colour", {"colour": ("green", "blue"), "disease": "yes"})
    assert given == pytest.approx({"red": 0.0, "green": 2 / 9, "blue": 7 / 9})
    assert network.probability({"disease": ("no", "yes")}) == pytest.approx(1.0)


def test_a_hidden_chain_of_coin_flips_has_its_closed_form() -> None:
    n, flip = 200, 0.03
    chain = [variable("x0", (), [1.0, 0.0])]
    chain += [variable(f"x{i}", (f"x{i - 1}",), [[1 - flip, flip], [flip, 1 - flip]]) for i in range(1, n + 1)]
    expected = 0.5 * (1 - (1 - 2 * flip) ** n)
    assert Network(tuple(chain)).posterior(f"x{n}")["yes"] == pytest.approx(expected, abs=1e-13)


def test_many_reports_do_not_underflow() -> None:
    tests = [variable(f"t{i}", ("d",), [[1 - 1e-4, 1e-4], [1 - 2e-4, 2e-4]]) for i in range(400)]
    network = Network((variable("d", (), [0.5, 0.5]), *tests))
    posterior = network.posterior("d", {f"t{i}": "yes" for i in range(400)})
    assert posterior["yes"] == pytest.approx(1.0)
    assert posterior["no"] == pytest.approx(0.5**400, rel=1e-9)


def test_names_and_values_that_do_not_exist() -> None:
    network = disease_and_test()
    with pytest.raises(UnknownNameError, match=r"no variable 'tset'.*test, disease"):
        network.posterior("tset")
    with pytest.raises(UnknownNameError, match="test has no value 'positive'; it has no, yes"):
        network.posterior("disease", {"test": "positive"})


def test_impossible_evidence() -> None:
    network = Network((variable("a", (), [1.0, 0.0]), variable("b", ("a",), [[0.5, 0.5], [0.5, 0.5]])))
    with pytest.raises(ImpossibleEvidence, match="'a': 'yes'"):
        network.posterior("b", {"a": "yes"})
    assert network.probability({"a": "yes"}) == 0.0


def test_a_table_too_large_is_refused_with_its_size() -> None:
    roots = tuple(variable(f"x{i}", (), [0.5, 0.5]) for i in range(30))
    network = Network(roots)
    with pytest.raises(WorkupError, match="1,073,741,824 numbers"):
        network.conditional([root.name for root in roots])


def of_parents(parents: list[list[int]], size: int = 2) -> Network:
    """Variables x0, x1, ... with random tables."""
    rng = np.random.default_rng(0)
    values = tuple(f"s{i}" for i in range(size))
    return Network(
        tuple(
            NetworkVariable(
                f"x{i}", values, tuple(f"x{p}" for p in of), rng.dirichlet(np.ones(size), size=[size] * len(of))
            )
            for i, of in enumerate(parents)
        )
    )


def grid(width: int, height: int) -> list[list[int]]:
    return [[*([i - 1] if i % width else []), *([i - width] if i >= width else [])] for i in range(width * height)]


def test_hundreds_of_variables_are_exact_where_the_network_is_narrow() -> None:
    """A grid of 4 x 150 against a forward pass over the joint of a row; min-fill finds the same by its own order."""
    width, height = 4, 150
    network = of_parents(grid(width, height))
    row = np.ones(())
    for i in range(width * height):
        cpt = network.variable(f"x{i}").cpt
        letters = "abcd"[: row.ndim]
        if i < width:
            row = np.einsum(f"{letters},{letters[-1:]}z->{letters}z", row, cpt)
        elif i % width == 0:
            row = np.einsum("abcd,az->bcdz", row, cpt)
        else:  # parents: the one to the left (last axis) and the one above (first axis)
            row = np.einsum("abcd,daz->bcdz", row, cpt)
    assert list(network.posterior(f"x{width * height - 1}").values()) == pytest.approx(row.sum((0, 1, 2)), abs=1e-12)


def test_a_network_too_wide_is_refused_at_once_with_its_size() -> None:
    network = of_parents([list(range(max(0, i - 4), i)) if i < 40 else [i % 40, (i + 7) % 40] for i in range(400)])
    everything = {f"x{i}": "s0" for i in range(40, 400)}
    network.posterior("x0", everything)  # all that is wide is given
    rng = np.random.default_rng(1)
    wide = of_parents([sorted(map(int, rng.permutation(i)[: min(i, 4)])) for i in range(300)])
    with pytest.raises(WorkupError, match=r"needs a table of [\d,]+ numbers over x.* and \d+ more; at most 67,108,864"):
        wide.posterior("x299")


def test_work_and_memory_are_bounded_before_anything_is_multiplied(monkeypatch: pytest.MonkeyPatch) -> None:
    network = of_parents(grid(8, 8))
    network.posterior("x63")
    monkeypatch.setattr(elimination, "LARGEST_WORK", 1000)
    with pytest.raises(
        WorkupError, match=r"takes [\d,]+ multiplications and holds [\d,]+ numbers at a time; at most 1,0"
    ):
        network.posterior("x63")
    monkeypatch.setattr(elimination, "LARGEST_WORK", 2**30)
    monkeypatch.setattr(elimination, "LARGEST_MEMORY", 100)
    with pytest.raises(WorkupError, match=r"and 100 are allowed"):
        network.posterior("x63")


def test_sweeps_find_what_min_fill_does_not(monkeypatch: pytest.MonkeyPatch) -> None:
    """A grid 10 wide has a table of 2**11 in a sweep along it; min-fill alone passes the limit."""
    network = of_parents(grid(10, 25))
    answers = network.posterior("x249")
    monkeypatch.setattr(elimination, "LARGEST_TABLE", 2**12)
    assert network.posterior("x249") == pytest.approx(answers, abs=1e-12)
    monkeypatch.setattr(elimination, "_sweeps", lambda _: iter(()))
    with pytest.raises(WorkupError, match="needs a table of"):
        network.posterior("x249")


def test_a_hub_of_thousands_and_constants_in_any_number() -> None:
    hub = of_parents([[], *([0] for _ in range(1500)), *([i + 1] for i in range(1500))], size=3)
    assert sum(hub.posterior("x0", {f"x{1501 + i}": "s1" for i in range(1500)}).values()) == pytest.approx(1.0)
    constants = [variable(f"c{i}", (), [1.0], ("only",)) for i in range(200)]
    chain = [variable("d0", ("c0", "c1"), [[[0.5, 0.5]]])]
    chain += [
        variable(f"d{i}", (f"c{i}", f"c{i + 1}", f"d{i - 1}"), [[[[0.9, 0.1], [0.2, 0.8]]]]) for i in range(1, 199)
    ]
    network = Network((*constants, *chain))
    assert network.posterior("d198")["yes"] == pytest.approx(1 / 3)
    assert network.posterior("c5", {"d9": "yes"}) == {"only": pytest.approx(1.0)}
    with pytest.raises(WorkupError, match="a table over 200 variables is asked for; at most 60 can be"):
        network.conditional([f"c{i}" for i in range(200)])


def test_faults_are_told_all_at_once() -> None:
    with pytest.raises(WorkupError) as error:
        Network(
            (
                variable("a", ("b",), [[0.5, 0.5], [0.5, 0.4]]),
                variable("b", ("a",), [[0.5, 0.5], [1.5, -0.5]]),
                variable("c", ("z",), [0.5, 0.5]),
                variable("c", (), [0.5, 0.5, 0.0]),
            )
        )
    for part in ("off 1 by 0.1", "not a probability", "parent 'z'", "given twice", "cycle", "expected (2,)"):
        assert part in str(error.value)


def random_network(seed: int) -> Network:
    rng = np.random.default_rng(seed)
    sizes = rng.integers(1, 5, size=rng.integers(1, 10))
    variables: list[NetworkVariable] = []
    for i, size in enumerate(sizes):
        parents = rng.permutation(i)[: rng.integers(0, 4)]
        table = rng.dirichlet(np.ones(size), size=[sizes[p] for p in parents])
        if rng.uniform() < 0.3:
            table = (table == table.max(axis=-1, keepdims=True)).astype(np.float64)
        variables.append(
            NetworkVariable(f"v{i}", tuple(f"s{j}" for j in range(size)), tuple(f"v{p}" for p in parents), table)
        )
    return Network(tuple(variables[i] for i in rng.permutation(len(variables))))


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.integers(0, 100_000))
def test_any_posterior_equals_pyagrum(seed: int) -> None:
    gum = pytest.importorskip("pyagrum")
    network, rng = random_network(seed), np.random.default_rng(seed)
    other = gum.BayesNet()
    for v in network.variables:
        other.add(gum.LabelizedVariable(v.name, v.name, list(v.values)))
    for v in network.variables:
        for parent in v.parents:
            other.addArc(parent, v.name)
    for v in network.variables:
        for index in np.ndindex(*v.cpt.shape[:-1]):
            at = {p: int(i) for p, i in zip(v.parents, index, strict=True)}
            for state in range(len(v.values)):
                instance = gum.Instantiation(other.cpt(v.name))
                for name, value in {**at, v.name: state}.items():
                    instance.chgVal(name, value)
                other.cpt(v.name).set(instance, float(v.cpt[(*index, state)]))
    names = [v.name for v in network.variables]
    evidence = {name: str(rng.choice(network.variable(name).values)) for name in names if rng.uniform() < 0.3}
    engine = gum.LazyPropagation(other)
    engine.setEvidence(evidence)
    if network.probability(evidence) == 0.0:
        return
    assert network.probability(evidence) == pytest.approx(engine.evidenceProbability() if evidence else 1.0, rel=1e-9)
    for name in names:
        if name not in evidence:
            mine = list(network.posterior(name, evidence).values())
            np.testing.assert_allclose(mine, engine.posterior(name).toarray().ravel(), atol=1e-12)


@pytest.mark.skipif(DATA is None, reason="WORKUP_TEST_DATA is not set")
@pytest.mark.parametrize("name", NETWORKS)
def test_published_networks_have_the_published_posteriors(name: str) -> None:
    folder = Path(str(DATA)) / "bn"
    entry = json.loads((folder / "posteriors.json").read_text())["networks"][name]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        network = load_network(folder / entry["file"])
    assert len(network.variables) == entry["nodes"]
    assert entry["queries"]
    for query in entry["queries"]:
        found = network.posterior(query["target"], query["evidence"])
        assert found == pytest.approx(query["posterior"], abs=1e-8)
        assert network.probability(query["evidence"]) == pytest.approx(query["p_evidence"], rel=1e-6)


@pytest.mark.skipif(DATA is None, reason="WORKUP_TEST_DATA is not set")
def test_every_network_of_the_test_data_has_been_asked() -> None:
    assert set(json.loads((Path(str(DATA)) / "bn" / "posteriors.json").read_text())["networks"]) == set(NETWORKS)
