"""`workup import-network`: the scenario has exactly the network's posteriors, and every command takes it."""

from __future__ import annotations

import json
import os
import warnings
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.command import run

from workup.envs.compile.compile import compile_world
from workup.envs.model.belief import posterior_weights
from workup.envs.model.codes import NOT_ORDERED, RESULT, UNKNOWN
from workup.envs.model.network import Network
from workup.envs.model.world import World
from workup.errors import FileFormatError, UnknownNameError, WorkupError
from workup.importers import network as importing
from workup.importers.network import checked, import_network
from workup.importers.networks.files import load_network
from workup.importers.networks.scenario import ImportedNetwork
from workup.scenarios.language.library import load_scenario

DATA = os.environ.get("WORKUP_TEST_DATA")
needs_data = pytest.mark.skipif(DATA is None, reason="WORKUP_TEST_DATA is not set")

NETWORK = """network flu { }
variable Season { type discrete [ 2 ] { winter, summer }; }
variable Flu { type discrete [ 2 ] { yes, no }; }
variable Virus { type discrete [ 3 ] { none, some, much }; }
variable Fever { type discrete [ 2 ] { yes, no }; }
variable Swab { type discrete [ 3 ] { positive, negative, void }; }
probability ( Season ) { table 0.4, 0.6; }
probability ( Flu | Season ) { (winter) 0.2, 0.8; (summer) 0.02, 0.98; }
probability ( Virus | Flu ) { (yes) 0.05, 0.25, 0.7; (no) 0.9, 0.08, 0.02; }
probability ( Fever | Virus ) { (none) 0.05, 0.95; (some) 0.4, 0.6; (much) 0.8, 0.2; }
probability ( Swab | Virus ) { (none) 0.01, 0.96, 0.03; (some) 0.5, 0.45, 0.05; (much) 0.9, 0.05, 0.05; }
"""
COSTS = "test,cost_gbp,tier,turnaround,discomfort_gbp\nSeason,0,history,0,\nFever,5,examination,5 min,\nSwab,25,bedside,2 h,3\n"


@pytest.fixture
def flu(tmp_path: Path) -> Path:
    file = tmp_path / "flu.bif"
    file.write_text(NETWORK)
    return file


def world_of(made: ImportedNetwork) -> World:
    return compile_world(checked(made, "scenario.yaml"))


def posterior_in(world: World, made: ImportedNetwork, evidence: dict[str, str]) -> dict[str, float]:
    """The array model's posterior of the conditions given what was revealed."""
    model = world.model
    values = np.full((1, len(model.observables)), UNKNOWN, np.int16)
    status = np.full((1, len(world.items)), NOT_ORDERED, np.uint8)
    for name, value in evidence.items():
        o = model.observables.index(made.variables[name])
        values[0, o] = list(made.values[name].values()).index(made.values[name][value])
        status[0, model.item_of[o]] = RESULT
    failures, treated = np.zeros_like(status), np.zeros(values.shape, bool)
    weights = posterior_weights(model, values, status, failures, treated)[0].sum(axis=0)
    return dict(zip(model.conditions, np.bincount(model.condition_of, weights).tolist(), strict=True))


def assert_same(network: Network, target: str, made: ImportedNetwork, world: World, evidence: dict[str, str]) -> None:
    """Both of the scenario's models against the network."""
    expected = {made.values[target][state]: p for state, p in network.posterior(target, evidence).items()}
    assert posterior_in(world, made, evidence) == pytest.approx(expected, abs=1e-12)
    renamed = {made.variables[name]: made.values[name][value] for name, value in evidence.items()}
    assert world.model.network.posterior("condition", renamed) == pytest.approx(expected, abs=1e-12)


WORDS = ("yes", "no", "null", "a, b", "status", "1", "otherwise", "Ärger\t!", "{x}: 'y'", "unknown", "-", "true")
NAMES = ("condition", "Virus", "status", "wait", "history", "a-b", "a b", "a_b", "7", "done", "Blut/Bild", "test_7")


def odd_network(seed: int) -> str:
    """A network of up to ten variables with words that mean something to YAML or to the scenario language."""
    rng = np.random.default_rng(seed)
    names = [str(n) for n in rng.permutation(NAMES)[: rng.integers(2, 11)]]
    sizes = [2, *rng.integers(1, 5, size=len(names) - 1)]
    out = "network n { }\n"
    for name, size in zip(names, sizes, strict=True):
        words = ", ".join(f'"{word}"' for word in rng.permutation(WORDS)[:size])
        out += f'variable "{name}" {{ type discrete [ {size} ] {{ {words} }}; }}\n'
    for i, (name, size) in enumerate(zip(names, sizes, strict=True)):
        parents = rng.permutation(i)[: rng.integers(0, 4)]
        table = rng.dirichlet(np.ones(size), size=[sizes[p] for p in parents])
        table[rng.uniform(size=table.shape[:-1]) < 0.15] = np.eye(size)[rng.integers(size)]
        given_ = "".join(f', "{names[p]}"' for p in parents).replace(", ", " | ", 1)
        numbers = " ".join(repr(float(p)) for p in np.moveaxis(table, -1, 0).ravel())
        out += f'probability ( "{name}"{given_} ) {{ table {numbers}; }}\n'
    return out


@pytest.mark.slow
@settings(max_examples=60, deadline=None, derandomize=True)
@given(seed=st.integers(0, 100_000))
def test_the_posteriors_of_any_network_are_those_of_its_scenario(
    seed: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    file, rng = tmp_path_factory.mktemp("odd") / "odd.bif", np.random.default_rng(seed)
    file.write_text(odd_network(seed), encoding="utf-8")
    network = load_network(file)
    telling = [v.name for v in network.variables if len(v.values) > 1]
    target = str(rng.choice(telling))
    others = [name for name in telling if name != target]
    if not others:
        return
    observed = [str(n) for n in rng.permutation(others)[: rng.integers(1, len(others) + 1)]]
    grouped = ",".join([*observed[2:], f"panel={'+'.join(observed[:2])}"])
    made = import_network(file, target=target, tests=None if rng.uniform() < 0.3 else grouped)
    world = world_of(made)
    for _ in range(4):
        seen = [name for name in observed if rng.uniform() < 0.5]
        evidence = {name: str(rng.choice(network.variable(name).values)) for name in seen}
        if network.probability(evidence) > 0:
            assert_same(network, target, made, world, evidence)


@needs_data
@pytest.mark.parametrize(
    ("name", "target", "tests"),
    [
        ("alarm", "LVFAILURE", "HISTORY,CVP,PCWP,pressures=BP+HRBP,HREKG,HRSAT,EXPCO2"),
        ("hepar2", "Cirrhosis", "ascites,spiders,bleeding,labs=bilirubin+albumin+platelet,edema,hepatomegaly"),
        ("child", "Disease", None),
        ("asia", "lung", None),
    ],
)
def test_published_networks_become_scenarios_with_their_posteriors(name: str, target: str, tests: str | None) -> None:
    file, rng = Path(str(DATA)) / "bn" / f"{name}.bif", np.random.default_rng(0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        network, made = load_network(file), import_network(file, target=target, tests=tests)
    world = world_of(made)
    shown = [n for n, called in made.variables.items() if called in world.model.observables]
    asked = 0
    while asked < 20:
        seen = [n for n in shown if rng.uniform() < 0.4]
        evidence = {n: str(rng.choice(network.variable(n).values)) for n in seen}
        if network.probability(evidence) > 0:
            assert_same(network, target, made, world, evidence)
            asked += 1


def test_costs_tiers_and_groups_reach_the_scenario(flu: Path, tmp_path: Path) -> None:
    costs = tmp_path / "costs.csv"
    costs.write_text(COSTS)
    made = import_network(flu, target="Flu", tests="Season,Fever,Swab", costs=costs)
    scenario = checked(made, "scenario.yaml")
    assert {n: (i.tier, i.cost_gbp, i.turnaround, i.discomfort_gbp) for n, i in scenario.investigations.items()} == {
        "test_Season": ("history", 0, 0, 0),
        "test_Fever": ("examination", 5, pytest.approx(5 / 60), 0),
        "test_Swab": ("bedside", 25, 2, 3),
    }
    assert scenario.decisions["decide_Flu_yes"].utility == {"Flu_yes": 0, "otherwise": -1000}
    grouped = checked(import_network(flu, target="Flu", tests="Season, both = Fever + Swab"), "scenario.yaml")
    assert grouped.investigations["test_both"].reveals == ("Fever", "Swab")
    assert {i.tier for i in grouped.investigations.values()} == {"history", "examination", "bloods"}


def test_every_figure_says_where_it_comes_from(flu: Path) -> None:
    made = import_network(flu, target="Flu")
    scenario = checked(made, "scenario.yaml")
    by_section: dict[str, set[tuple[str, str | None]]] = {}
    for figure in scenario.figures:
        if "_done" not in figure.path:
            by_section.setdefault(figure.path.partition(".")[0], set()).add((figure.status, figure.source))
    assert by_section["prior"] == by_section["findings"] == {("derived", "network_file")}
    assert by_section["investigations"] == by_section["decisions"] == {("assumed", None)}
    assert "flu.bif" in scenario.sources["network_file"].cite


def test_without_tests_a_large_network_shows_its_leaves_and_says_so(flu: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    everything = import_network(flu, target="Flu")
    assert (set(everything.investigations), everything.only_leaves) == ({"Season", "Virus", "Fever", "Swab"}, False)
    monkeypatch.setattr(importing, "MOST_STATES", 6)
    leaves = import_network(flu, target="Flu")
    assert (set(leaves.investigations), leaves.only_leaves, leaves.states) == ({"Fever", "Swab"}, True, 4)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"target": "Fluu"}, r"no variable 'Fluu'; the network has Season, Flu"),
        ({"tests": "Fever,Swap"}, r"test 'Swap': no variable 'Swap'.*Swab"),
        ({"tests": "Fever,Flu"}, r"test 'Flu': Flu is the target"),
        ({"tests": "Fever,Fever"}, r"the test 'Fever' is named twice"),
        ({"tests": "Fever,panel=Fever+Swab"}, r"Fever is shown by 'Fever' and 'panel'"),
        ({"tests": "Fever,"}, r"test '': no variable ''"),
        ({"wrong_gbp": float("nan")}, r"0 pounds or more"),
    ],
)
def test_wrong_targets_and_tests_are_refused(flu: Path, changes: dict[str, object], message: str) -> None:
    with pytest.raises(WorkupError, match=message):
        import_network(flu, **({"target": "Flu"} | changes))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("old", "new", "error", "message"),
    [
        ("Swab,25", "Swap,25", UnknownNameError, r"costs.csv:4: a cost for 'Swap', which is no test.*Swab"),
        ("Swab,25", "Virus,25", UnknownNameError, r"costs.csv:4: a cost for 'Virus', which is no test"),
        ("Swab,25,bedside,2 h,3\n", "", FileFormatError, r"costs.csv: no cost for Swab; expected a row for every test"),
        ("Swab,25", "Fever,25", FileFormatError, r"costs.csv:4: a second row for 'Fever'"),
        (
            "Swab,25",
            "Swab,-25",
            FileFormatError,
            r"costs.csv:4: found '-25' for cost_gbp; expected a number, 0 or more",
        ),
        ("Swab,25", "Swab,much", FileFormatError, r"costs.csv:4: found 'much' for cost_gbp"),
        ("Swab,25", "Swab,", FileFormatError, r"costs.csv:4: no cost_gbp"),
        ("bedside", "beside", FileFormatError, r"costs.csv:4: found the tier 'beside'; expected one of history, "),
        ("2 h", "soon", FileFormatError, r"costs.csv:4: 'soon' is not a duration"),
        (
            "cost_gbp",
            "price",
            FileFormatError,
            r"costs.csv:1: found the columns test, price, .*; expected test, cost_g",
        ),
    ],
)
def test_wrong_costs_are_refused_with_their_line(
    flu: Path, tmp_path: Path, old: str, new: str, error: type[WorkupError], message: str
) -> None:
    costs = tmp_path / "costs.csv"
    costs.write_text(COSTS.replace(old, new))
    with pytest.raises(error, match=message):
        import_network(flu, target="Flu", tests="Season,Fever,Swab", costs=costs)


def test_a_network_too_large_is_refused_with_its_size(tmp_path: Path) -> None:
    count = 24
    out = "network big { }\nvariable d { type discrete [ 2 ] { no, yes }; }\nprobability ( d ) { table 0.5, 0.5; }\n"
    for i in range(count):
        parents = "d" if i == 0 else f"d, x{i - 1}"
        rows = "default 0.25, 0.75;" if i else "(no) 0.5, 0.5; (yes) 0.1, 0.9;"
        out += (
            f"variable x{i} {{ type discrete [ 2 ] {{ no, yes }}; }}\nprobability ( x{i} | {parents} ) {{ {rows} }}\n"
        )
    file = tmp_path / "big.bif"
    file.write_text(out)
    tests = ",".join(f"x{i}" for i in range(count))
    with pytest.raises(
        WorkupError, match=r"d with 24 tests: 24 variables .* 16,777,216 joint states: .* at most 32,768"
    ):
        import_network(file, target="d", tests=tests)
    assert import_network(file, target="d").states == 2


def test_every_command_takes_an_imported_network(
    flu: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("COLUMNS", "200")
    costs, out = tmp_path / "costs.csv", tmp_path / "scenario"
    costs.write_text(COSTS)
    arguments = ["import-network", flu, "--target", "Flu", "--out", out]
    status, said, _ = run(capsys, *arguments, "--tests", "Season,Fever,Swab", "--costs", costs)
    assert (status, "2 conditions, 3 tests" in said) == (0, True)
    status, said, _ = run(capsys, "lint", out)
    assert (status, f"{out}: no faults" in said) == (0, True)
    status, said, _ = run(capsys, "explain", out)
    assert (status, "Swab" in said) == (0, True)
    answer = tmp_path / "solve.json"
    assert run(capsys, "solve", out, "--json", answer)[0] == 0
    assert json.loads(answer.read_text())["exact"]
    status, said, _ = run(capsys, "evaluate", out, "--agents", "guideline,random", "--patients", "50")
    assert (status, "guideline" in said) == (0, True)
    status, _, said = run(capsys, *arguments)
    assert (status, "exists already; remove it" in said) == (2, True)
    assert load_scenario(out).id == "flu_Flu"


def test_a_refusal_writes_nothing(flu: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    flu.write_text(NETWORK[:-40])
    status, _, said = run(capsys, "import-network", flu, "--target", "Flu", "--out", tmp_path / "scenario")
    assert (status, "It was cut short" in said, "Traceback" in said) == (2, True, False)
    assert not (tmp_path / "scenario").exists()


@pytest.mark.torch
def test_an_imported_network_can_be_trained_on(flu: Path, tmp_path: Path) -> None:
    from workup.agents.learned.ppo.training import Settings, train

    world = world_of(import_network(flu, target="Flu"))
    small = Settings(n_envs=64, rollout_steps=8, validate_every_s=0.0, validation_patients=64)
    trained = train(world, out=tmp_path / "run", seconds=None, steps=1024, settings=small)
    assert trained.curve[-1].steps >= 1024
