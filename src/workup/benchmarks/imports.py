"""How quick imported inputs are: posteriors of networks, steps of imported environments, import of a large table."""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np

import workup  # noqa: F401  (registers the ids)
from workup.benchmarks.speed import any_action, legal_actions, single_rate
from workup.envs.compile.recorded import population_of
from workup.envs.model.network import Network
from workup.envs.model.population import Population
from workup.envs.views.vector import JourneyVectorEnv
from workup.importers.networks.files import load_network

QUERIES = 200
ROUNDS = 5


def posterior_ms(network: Network, *, queries: int = QUERIES, seed: int = 0) -> dict[str, float]:
    """Milliseconds of an exact posterior, after a first query.

    Targets and up to half of the other variables as evidence are drawn at random, with values drawn from the network
    itself, so that none is impossible.

    Returns:
        median, p95 and max, wall-clock; and queries.
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
) -> dict[str, dict[str, float]]:
    """Steps per CPU second of each world under random legal actions, and relative to CartPole in the same run.

    Args:
        worlds: by name.
        num_envs: journeys side by side.
        seconds: CPU seconds, shared by all; rounds are interleaved and medians taken.

    Returns:
        {name: {steps_per_cpu_s, ratio, num_envs}}, and CartPole's rate under `CartPole-v1`.
    """
    cartpole = single_rate(gym.make("CartPole-v1"), any_action)
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
    found = {
        name: {
            "steps_per_cpu_s": statistics.median(of),
            "ratio": statistics.median(a / b for a, b in zip(of, base, strict=True)),
            "num_envs": float(num_envs),
        }
        for name, of in rates.items()
    }
    return found | {"CartPole-v1": {"steps_per_cpu_s": statistics.median(base), "ratio": 1.0, "num_envs": 1.0}}


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
    table, costs = folder / "large.csv", folder / "large.cost"
    table.write_text("\n".join(lines) + "\n")
    costs.write_text("".join(f"{name}: {1 + c % 7}\n" for c, name in enumerate(names)))
    return table, costs


def bench_imports(
    networks: Sequence[tuple[Path, str]], *, ddxplus: Path | None = None, patients: Path | None = None,
    folders: Sequence[Path] = (),     rows: int = 100_000, columns: int = 50, seconds: float = 10.0,
) -> dict[str, Any]:  # fmt: skip
    """All of it.

    Args:
        networks: (file, target) each, or target:test+test where fewer tests are wanted; empty: no environment is made of it.
        ddxplus: folder with the release's JSON files.
        patients: its CSV.
        folders: environments imported before.
        rows: of the generated table.
        columns: of the generated table, the class included.
        seconds: CPU seconds for the steps, each of the two sizes.

    Returns:
        posterior_ms {network: ...}; import_s (of the table) with rows and columns; steps {environment: ...} at 4096, and
        ddxplus at 1024.
    """
    from workup.importers.ddxplus import import_ddxplus
    from workup.importers.network import checked, import_network
    from workup.importers.table import import_table

    found: dict[str, Any] = {"posterior_ms": {}, "rows": rows, "columns": columns}
    worlds: dict[str, Population] = {folder.name: population_of(folder) for folder in folders}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for path, target in networks:
            network = load_network(path)
            found["posterior_ms"][path.stem] = posterior_ms(network)
            if target:
                node, _, tests = target.partition(":")
                made = import_network(path, target=node, tests=tests.replace("+", ",") or None)
                checked(made, str(path))
                (folder / path.stem).mkdir()
                (folder / path.stem / "scenario.yaml").write_text(made.text, encoding="utf-8")
                worlds[f"{path.stem} ({node})"] = population_of(folder / path.stem)
        table, costs = write_large_table(folder, rows=rows, columns=columns)
        begun = time.perf_counter()
        worlds[f"table of {columns} columns"] = import_table(
            table, target="ill", costs=costs, out=folder / "table"
        ).train
        found["import_s"] = time.perf_counter() - begun
        knowledge: dict[str, Population] = {}
        if ddxplus is not None and patients is not None:
            begun = time.perf_counter()
            knowledge["ddxplus"] = import_ddxplus(ddxplus, patients, out=folder / "ddxplus").train
            found["ddxplus_import_s"] = time.perf_counter() - begun
        found["steps_4096"] = steps_against_cartpole(worlds | knowledge, num_envs=4096, seconds=seconds)
        if knowledge:
            found["steps_1024"] = steps_against_cartpole(knowledge, num_envs=1024, seconds=seconds / 2)
    return found
