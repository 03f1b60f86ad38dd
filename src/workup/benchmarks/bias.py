"""What journeys leave behind, measured: exact values of the teaching scenarios against large cohorts, and the library as found."""

from __future__ import annotations

import resource
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np

from workup.benchmarks.library_page import table_line
from workup.benchmarks.runner import Cell, Done, Progress, Tell, run
from workup.benchmarks.worlds import world_of_cell
from workup.envs.compile.compile import compile_world
from workup.envs.records.cohorts import STAGES
from workup.errors import WorkupError, suggestion
from workup.scenarios.language.library import load_scenario
from workup.studies.bias.as_found import POLICIES, as_found
from workup.studies.bias.phenomenon import exactly, held, measured, phenomena
from workup.studies.cohorts import TABLES, cohort, write_cohort

GROUPS: Final = {
    "weight_loss": "cancer",
    "breathlessness": "heart_failure",
    "tumour_grade": "any_invasive",
    "fever": "bacterial",
}
PROPENSITIES: Final = (("weight_loss", "suspicion:cancer:0.5"), ("gates", "gestalt:ill:1"))
BANDS: Final = 20
PARTS: Final = ("phenomena", "propensities", "cohort", "library")


def bench_bias(
    parts: Sequence[str] = PARTS,
    *,
    patients: int = 1_000_000,
    library_patients: int = 20_000,
    seed: int = 0,
    runs: Path,
    workers: int = 1,
    progress: Progress = lambda _: None,
) -> list[Done]:
    """Measure, a cell a phenomenon, policy or cohort.

    Args:
        parts: any of phenomena (against their exact values), propensities (against frequencies), cohort (time, memory and size of
            writing one) and library (the same phenomena as found in library scenarios).
        patients: of the first three.
        library_patients: of each policy in `library`.
        seed: of the patients.
        runs: where cells are kept.
        workers: processes.
        progress: of the cells.

    Raises:
        WorkupError: no part, or one that is none; names the nearest.
    """
    if not parts:
        raise WorkupError(f"no parts to measure; expected any of {', '.join(PARTS)}")
    cells: list[Cell] = []
    for part in parts:
        cells += _cells(part, patients, library_patients, seed)
    return run(cells, _measure, folder=runs, workers=workers, progress=progress)


def _cells(part: str, patients: int, library_patients: int, seed: int) -> list[Cell]:
    def cell(scenario: str, agent: str, n: int) -> Cell:
        return Cell(scenario, load_scenario(scenario).digest, agent, {"part": part, "patients": n}, seed)

    if part == "phenomena":
        return [cell(of.scenario, f"phenomenon {name}", patients) for name, of in phenomena().items()]
    if part == "propensities":
        return [cell(scenario, policy, patients) for scenario, policy in PROPENSITIES]
    if part == "cohort":
        return [cell("weight_loss", "guideline", n) for n in (patients, 3 * patients)]
    if part == "library":
        return [cell(scenario, policy, library_patients) for scenario in GROUPS for policy in POLICIES]
    raise WorkupError(f"no part {part!r}; expected any of {', '.join(PARTS)}{suggestion(part, PARTS)}")


def _measure(cell: Cell, tell: Tell) -> dict[str, Any]:
    part, n, seed = cell.settings["part"], cell.settings["patients"], cell.seed or 0
    begun = time.process_time()
    if part == "phenomena":
        of = phenomena()[cell.agent.removeprefix("phenomenon ")]
        exact = exactly(of)
        rows = held(exact, measured(of, patients=n, seed=seed))
        size, least = of.shows(exact)
        quantities = [
            {
                "name": each.name, "exact": each.exact, "value": each.estimate.value, "low": each.low, "high": each.high,
                "holds": each.holds, "detects": each.detects, "n": each.estimate.n,
            }
            for each in rows
        ]  # fmt: skip
        return {
            "effect": of.effect,
            "size": size,
            "least": least,
            "quantities": quantities,
            "cpu_s": time.process_time() - begun,
        }
    if part == "propensities":
        return _propensities(cell, n, seed) | {"cpu_s": time.process_time() - begun}
    if part == "cohort":
        return _cohort(cell, n, seed)
    met = cohort(compile_world(load_scenario(cell.scenario)), cell.agent, patients=n, seed=seed)
    return {
        "found": [each.as_json() for each in as_found(met, GROUPS[cell.scenario])],
        "cpu_s": time.process_time() - begun,
    }


def _propensities(cell: Cell, n: int, seed: int) -> dict[str, Any]:
    """Bands of the probability that something of a tier is ordered, against how often it was."""
    world = world_of_cell(cell.scenario, cell)
    met = cohort(world, cell.agent, patients=n, seed=seed)
    tiers = np.array([world.tier[max(a.items)] if a.items else "" for a in world.actions])
    said = met.steps.stage_chance.astype(np.float64)
    did = np.stack([tiers[met.steps.action] == tier for tier in STAGES], axis=1)
    open_ = (said > 0.0) & (said < 1.0 - 1e-6)
    said, did = said[open_], did[open_]
    band = np.minimum((said * BANDS).astype(np.int64), BANDS - 1)
    rows = []
    for b in range(BANDS):
        at = band == b
        if at.any():
            spread = float(np.sqrt((said[at] * (1.0 - said[at])).sum()))
            rows.append({"from": b / BANDS, "n": int(at.sum()), "said": float(said[at].mean()), "did": float(did[at].mean()),
                         "z": float((did[at].sum() - said[at].sum()) / spread)})  # fmt: skip
    return {"choices": int(open_.sum()), "bands": rows, "largest_z": max(abs(row["z"]) for row in rows)}


def _cohort(cell: Cell, n: int, seed: int) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        out, begun = Path(folder) / "cohort", time.monotonic()
        before = _cpu()
        write_cohort(cell.scenario, cell.agent, patients=n, seed=seed, out=out, workers=2)
        wall, cpu = time.monotonic() - begun, _cpu() - before
        size = sum((out / name).stat().st_size for name in TABLES.values())
        own, theirs = (
            resource.getrusage(who).ru_maxrss / 1024 for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
        )
    return {"wall_s": wall, "cpu_s": cpu, "bytes": size, "own_mb": own, "largest_worker_mb": theirs, "workers": 2}


def _cpu() -> float:
    own, theirs = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return own.ru_utime + own.ru_stime + theirs.ru_utime + theirs.ru_stime


def markdown(done: Sequence[Done]) -> list[str]:
    """Lines of Markdown: a table for each part that was measured."""
    lines: list[str] = []
    for part, heading, rows in (
        (
            "phenomena",
            ("phenomenon", "quantity", "exact", "cohort (99.9% for all together)", "holds", "smallest error noticed"),
            _phenomenon_rows,
        ),
        ("propensities", ("scenario", "policy", "choices", "bands", "largest z"), _propensity_rows),
        (
            "cohort",
            ("patients", "wall s", "CPU s", "MB written", "bytes a patient", "MB, own and largest worker"),
            _cohort_rows,
        ),
        ("library", ("scenario", "policy", "what", "found (95%)", "patients"), _found_rows),
    ):
        of = [each for each in done if each.cell.settings["part"] == part]
        if of:
            lines += [
                table_line(heading),
                "|" + "---|" * len(heading),
                *(table_line(row) for each in of for row in rows(each)),
                "",
            ]
    return lines


def _phenomenon_rows(done: Done) -> list[list[str]]:
    return [
        [
            done.cell.agent.removeprefix("phenomenon "), row["name"], f"{row['exact']:.4f}",
            f"{row['value']:.4f} ({row['low']:.4f} to {row['high']:.4f})", "yes" if row["holds"] else "**no**", f"{row['detects']:.1%}",
        ]
        for row in done.result["quantities"]
    ]  # fmt: skip


def _propensity_rows(done: Done) -> list[list[str]]:
    result = done.result
    return [
        [
            done.cell.scenario,
            f"`{done.cell.agent}`",
            f"{result['choices']:,}",
            str(len(result["bands"])),
            f"{result['largest_z']:.2f}",
        ]
    ]


def _cohort_rows(done: Done) -> list[list[str]]:
    result, n = done.result, done.cell.settings["patients"]
    return [[
        f"{n:,}", f"{result['wall_s']:.0f}", f"{result['cpu_s']:.0f}", f"{result['bytes'] / 1e6:.0f}", f"{result['bytes'] / n:.0f}",
        f"{result['own_mb']:.0f}, {result['largest_worker_mb']:.0f}",
    ]]  # fmt: skip


def _found_rows(done: Done) -> list[list[str]]:
    return [
        [
            each["scenario"],
            each["policy"],
            each["what"],
            f"{each['value']:.3f} ({each['low']:.3f} to {each['high']:.3f})",
            f"{each['patients']:,}",
        ]
        for each in done.result["found"]
    ]
