"""How quick imported inputs are: posteriors of networks, steps of imported environments, import of a large table."""

from __future__ import annotations

import hashlib
import statistics
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, NotRequired, TypedDict, cast

import gymnasium as gym
import numpy as np

from workup.benchmarks.runner import Cell, Progress, Result, Tell, run
from workup.benchmarks.speed import any_action, legal_actions, single_rate
from workup.envs.compile.recorded import ABOUT, population_of
from workup.envs.model.network import Network
from workup.envs.model.population import Population
from workup.envs.views.vector import JourneyVectorEnv
from workup.importers.networks.files import load_network
from workup.scenarios.language.library import load_scenario

QUERIES = 200
ROUNDS = 5
TABLE, COSTS = "large.csv", "large.cost"
CARTPOLE, DDXPLUS = "CartPole-v1", "ddxplus"


class Posteriors(TypedDict):
    """Wall-clock milliseconds of exact posteriors, after a first query."""

    queries: float
    median: float
    p95: float
    max: float


class Rate(TypedDict):
    """How fast an environment is."""

    steps_per_cpu_s: float
    ratio: float
    """To CartPole in the same run."""
    num_envs: float


class ImportsBench(TypedDict):
    """What `workup bench imports --json` writes; by names of networks and environments, `CartPole-v1` among them."""

    posterior_ms: dict[str, Posteriors]
    rows: int
    columns: int
    import_s: float
    """Of the generated table, wall-clock."""
    ddxplus_import_s: NotRequired[float]
    steps_4096: dict[str, Rate]
    steps_1024: NotRequired[dict[str, Rate]]


def posterior_ms(network: Network, *, queries: int = QUERIES, seed: int = 0) -> Posteriors:
    """Milliseconds of an exact posterior, after a first query.

    Targets and up to half of the other variables as evidence are drawn at random, with values drawn from the network
    itself, so that none is impossible.
    """
    rng = np.random.default_rng(seed)
    names = list(network.by_name)
    asked = []
    for _ in range(queries):
        patient = _sample(network, rng)
        order = rng.permutation(len(names))
        count = int(rng.integers(0, len(names) // 2 + 1))
        asked.append((names[order[0]], {names[i]: patient[names[i]] for i in order[1 : count + 1]}))
    network.posterior(*asked[0])
    spent = []
    for target, evidence in asked:
        begun = time.perf_counter()
        network.posterior(target, evidence)
        spent.append(1000.0 * (time.perf_counter() - begun))
    return {
        "queries": float(queries),
        "median": statistics.median(spent),
        "p95": float(np.percentile(spent, 95)),
        "max": max(spent),
    }


def _sample(network: Network, rng: np.random.Generator) -> dict[str, str]:
    codes: dict[str, int] = {}
    for name in network.order:
        variable = network.variable(name)
        row = variable.cpt[tuple(codes[parent] for parent in variable.parents)]
        codes[name] = int(rng.choice(len(row), p=row / row.sum()))
    return {name: network.variable(name).values[code] for name, code in codes.items()}


def steps_against_cartpole(
    worlds: dict[str, Population], *, num_envs: int = 4096, seconds: float = 10.0
) -> dict[str, Rate]:
    """Steps per CPU second of each world under random legal actions, and relative to CartPole in the same run.

    Args:
        worlds: by name.
        num_envs: journeys side by side.
        seconds: CPU seconds, shared by all; rounds are interleaved and medians taken.

    Returns:
        By name, and CartPole's under `CartPole-v1`.
    """
    cartpole = single_rate(gym.make(CARTPOLE), any_action)
    runs = {name: _Batch(world, num_envs) for name, world in worlds.items()}
    share = seconds / ROUNDS / (len(runs) + 1)
    cartpole(0.05)
    for batch in runs.values():
        batch.rate(0.05)
    base, rates = [], {name: [] for name in runs}  # type: ignore[var-annotated]
    for _ in range(ROUNDS):
        base.append(cartpole(share))
        for name, batch in runs.items():
            rates[name].append(batch.rate(share))
    found: dict[str, Rate] = {
        name: {
            "steps_per_cpu_s": statistics.median(of),
            "ratio": statistics.median(a / b for a, b in zip(of, base, strict=True)),
            "num_envs": float(num_envs),
        }
        for name, of in rates.items()
    }
    return found | {CARTPOLE: {"steps_per_cpu_s": statistics.median(base), "ratio": 1.0, "num_envs": 1.0}}


class _Batch:
    """A vector environment stepped against the clock; choosing actions is left out."""

    def __init__(self, population: Population, num_envs: int) -> None:
        self._envs = JourneyVectorEnv(population, num_envs)
        self._draws = np.random.default_rng(0)
        self._mask = self._envs.reset(seed=0)[1]["action_mask"]

    def rate(self, seconds: float) -> float:
        spent, steps = 0.0, 0
        while spent < seconds:
            actions = legal_actions(self._mask, self._draws)
            begun = time.process_time()
            info = self._envs.step(actions)[4]
            spent += time.process_time() - begun
            self._mask = info["action_mask"]
            steps += len(actions)
        return steps / spent


def write_large_table(folder: Path, *, rows: int = 100_000, columns: int = 50, seed: int = 0) -> tuple[Path, Path]:
    """A CSV of patients (two thirds numbers, one third words, one cell in 20 missing) and its costs."""
    rng = np.random.default_rng(seed)
    ill = rng.random(rows) < 0.3
    cells = []
    for c in range(columns - 1):
        if c % 3:
            column = np.char.mod("%.2f", rng.normal(10 + c + ill * (c % 5), 3.0))
        else:
            column = np.array(["low", "middle", "high"])[np.minimum(rng.integers(0, 3, rows) + ill * (c % 2), 2)]
        cells.append(np.where(rng.random(rows) < 0.05, "?", column))
    names = [f"test_{c}" for c in range(columns - 1)]
    lines = [",".join([*names, "ill"])]
    lines += [
        ",".join(row)
        for row in zip(*(column.tolist() for column in cells), ill.astype(int).astype(str).tolist(), strict=True)
    ]
    table, costs = folder / TABLE, folder / COSTS
    table.write_text("\n".join(lines) + "\n")
    costs.write_text("".join(f"{name}: {1 + c % 7}\n" for c, name in enumerate(names)))
    return table, costs


def bench_imports(
    networks: Sequence[tuple[Path, str]],
    *,
    runs: Path,
    ddxplus: tuple[Path, Path] | None = None,
    folders: Sequence[Path] = (),
    rows: int = 100_000,
    columns: int = 50,
    seconds: float = 1.0,
    progress: Progress = lambda _: None,
) -> ImportsBench:
    """All of it.

    Args:
        networks: (file, target) each, or target:test+test where fewer tests are wanted; empty: no environment is made of it.
        runs: where finished cells are kept.
        ddxplus: folder with the release's JSON files, and the CSV of its patients.
        folders: environments imported before.
        rows: of the generated table.
        columns: of the generated table, the class included.
        seconds: CPU seconds for the steps of each environment at each of its sizes, CartPole's among them.
        progress: of the cells.
    """
    sources = _sources(networks, ddxplus, folders, rows, columns)
    posteriors = {path.stem: path for path, _ in networks}
    cells = [Cell(name, _sha256(path), "posterior", {"queries": QUERIES}, 0) for name, path in posteriors.items()]
    cells += [
        Cell(name, each.digest, "steps", {"seconds": seconds, "sizes": each.sizes}) for name, each in sources.items()
    ]
    work = partial(_measure, networks=posteriors, sources=sources)
    done = {
        (each.cell.agent, each.cell.scenario): each.result for each in run(cells, work, folder=runs, progress=progress)
    }
    found: ImportsBench = {
        "posterior_ms": {name: cast(Posteriors, done["posterior", name]) for name in posteriors},
        "rows": rows,
        "columns": columns,
        "import_s": done["steps", _table_name(columns)]["made_s"],
        "steps_4096": _rates(4096, [(name, done["steps", name]) for name in sources]),
    }
    if ddxplus is not None:
        found["ddxplus_import_s"] = done["steps", DDXPLUS]["made_s"]
        found["steps_1024"] = _rates(1024, [(DDXPLUS, done["steps", DDXPLUS])])
    return found


@dataclass(frozen=True)
class _Source:
    """Where an environment comes from."""

    digest: str
    make: Callable[[Path], Population]
    """Given a folder to work in; a function of this module or a `partial` of one."""
    prepare: Callable[[Path], object] | None = None
    """Puts into that folder what has to be there, before the clock runs."""
    sizes: tuple[int, ...] = (4096,)
    """Numbers of journeys side by side."""


def _sources(
    networks: Sequence[tuple[Path, str]],
    ddxplus: tuple[Path, Path] | None,
    folders: Sequence[Path],
    rows: int,
    columns: int,
) -> dict[str, _Source]:
    found = {folder.name: _Source(_digest(folder), partial(_of_folder, folder)) for folder in folders}
    for path, target in networks:
        if target:
            name = f"{path.stem} ({target.partition(':')[0]})"
            found[name] = _Source(f"{_sha256(path)} {target}", partial(_of_network, path, target))
    found[_table_name(columns)] = _Source(
        f"{rows} rows", _of_large_table, partial(write_large_table, rows=rows, columns=columns)
    )
    if ddxplus is not None:
        digest = " ".join(_sha256(path) for path in (*sorted(ddxplus[0].glob("release_*.json")), ddxplus[1]))
        found[DDXPLUS] = _Source(digest, partial(_of_ddxplus, *ddxplus), sizes=(4096, 1024))
    return found


def _table_name(columns: int) -> str:
    return f"table of {columns} columns"


def _digest(folder: Path) -> str:
    about = folder / ABOUT
    return f"{load_scenario(folder).digest} {_sha256(about) if about.is_file() else 'drawn'}"


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _of_folder(imported: Path, _: Path) -> Population:
    return population_of(imported)


def _of_network(path: Path, target: str, folder: Path) -> Population:
    from workup.importers.network import checked, import_network

    node, _, tests = target.partition(":")
    made = import_network(path, target=node, tests=tests.replace("+", ",") or None)
    checked(made, str(path))
    (folder / "scenario.yaml").write_text(made.text, encoding="utf-8")
    return population_of(folder)


def _of_large_table(folder: Path) -> Population:
    from workup.importers.table import import_table

    return import_table(folder / TABLE, target="ill", costs=folder / COSTS, out=folder / "table").train


def _of_ddxplus(release: Path, patients: Path, folder: Path) -> Population:
    from workup.importers.ddxplus import import_ddxplus

    return import_ddxplus(release, patients, out=folder / DDXPLUS).train


def _measure(cell: Cell, tell: Tell, *, networks: Mapping[str, Path], sources: Mapping[str, _Source]) -> Result:
    """Of a network its posteriors; of an environment `made_s`, wall-clock, and by size its rate and CartPole's."""
    if cell.agent == "posterior":
        return posterior_ms(load_network(networks[cell.scenario]), queries=cell.settings["queries"])
    with tempfile.TemporaryDirectory() as name:
        source = sources[cell.scenario]
        if source.prepare is not None:
            source.prepare(Path(name))
        begun = time.perf_counter()
        world = source.make(Path(name))
        found: dict[str, Any] = {"made_s": time.perf_counter() - begun}
    for size in cell.settings["sizes"]:
        tell(f"{size:,} journeys")
        found[str(size)] = steps_against_cartpole(
            {cell.scenario: world}, num_envs=size, seconds=cell.settings["seconds"]
        )
    return found


def _rates(size: int, found: Sequence[tuple[str, Mapping[str, Any]]]) -> dict[str, Rate]:
    """Each environment's; CartPole's is the median of its rates beside them."""
    rates: dict[str, Rate] = {name: each[str(size)][name] for name, each in found}
    beside = statistics.median(each[str(size)][CARTPOLE]["steps_per_cpu_s"] for _, each in found)
    return rates | {CARTPOLE: {"steps_per_cpu_s": beside, "ratio": 1.0, "num_envs": 1.0}}
