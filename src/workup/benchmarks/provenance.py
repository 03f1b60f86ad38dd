"""Where the figures that weigh most come from, scenario by scenario: seen, computed from what was seen, searched for, or open.

A cell holds what moving each figure does, whoever says what of it; where the figures come from is read anew each time, since it may
change while what they do does not.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, NotRequired, TypedDict, get_args

from workup.benchmarks.runner import Cell, Progress, Tell, run
from workup.benchmarks.worlds import world_of_cell
from workup.envs.compile.compile import compile_world
from workup.errors import WorkupError
from workup.files import WorkingNotes
from workup.scenarios.language.authorship import Status
from workup.scenarios.language.backing import BACKINGS, Backing, backing
from workup.scenarios.language.library import load_scenario, shipped_scenarios
from workup.scenarios.language.schema import Scenario
from workup.sensitivity.heaviest import HEAVIEST, counted, heaviest_figures
from workup.sensitivity.perturbation import FACTOR, candidates
from workup.sensitivity.screening import Screen, screen_all, screened_from

PATIENTS = 100
GONE = "gone"
"""What became of a figure that is no longer there."""
_EVERY: tuple[Status, ...] = get_args(Status)


class Provenance(TypedDict):
    """What is known of one scenario."""

    digest: str
    every: dict[Backing, int]
    """How many of all figures are seen, computed, searched and open."""
    heaviest: dict[Backing, int]
    """The same of the twenty heaviest figures of any status."""
    figures: list[dict[str, Any]]
    """These, heaviest first: see `Heavy.as_json`."""
    not_seen: list[dict[str, Any]]
    """The twenty heaviest of those that were not seen: what to look up."""
    named: NotRequired[dict[str, str]]
    """Path -> what has become of each figure that an earlier run named under `not_seen`."""


class ProvenanceBench(TypedDict):
    """What `workup bench provenance --json` writes."""

    patients: int
    seed: int
    heaviest: int
    scenarios: dict[str, Provenance]


def bench_provenance(
    names: Sequence[str] = (),
    *,
    runs: Path,
    patients: int = PATIENTS,
    seed: int = 0,
    most: int = HEAVIEST,
    named: Path | None = None,
    workers: int = 1,
    progress: Progress = lambda _: None,
) -> ProvenanceBench:
    """Screen every figure of scenarios, and say what stands behind those that weigh most.

    Args:
        names: which scenarios; all that come with workup if empty.
        runs: a folder where finished parts are kept.
        patients: whose situations the figures are looked at in.
        seed: of these patients.
        most: how many figures of each scenario are the heaviest.
        named: what an earlier run wrote; then also what has become of the figures that it said to look up.
        workers: processes.
        progress: of the cells.

    Raises:
        WorkupError: `named` is not what this writes.
    """
    scenarios = {name: load_scenario(name) for name in names or shipped_scenarios()}
    earlier = {} if named is None else named_in(named)
    cells = [
        Cell(name, scenario.digest, "screen", {"patients": patients, "factor": FACTOR}, seed)
        for name, scenario in scenarios.items()
    ]
    done = run(cells, _screened, folder=runs, workers=workers, progress=progress)
    found = {
        each.cell.scenario: _told(scenarios[each.cell.scenario], each.result, most, earlier.get(each.cell.scenario))
        for each in done
    }
    return {"patients": patients, "seed": seed, "heaviest": most, "scenarios": found}


def named_in(file: Path) -> dict[str, list[str]]:
    """Scenario -> paths of the figures that an earlier run said to look up.

    Raises:
        WorkupError: the file is not what `workup bench provenance --json` writes.
    """
    try:
        found = json.loads(file.read_text(encoding="utf-8"))["scenarios"]
        return {name: [str(figure["path"]) for figure in of["not_seen"]] for name, of in found.items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as fault:
        raise WorkupError(f"{file}: {fault!r}; expected what `workup bench provenance --json` wrote") from fault


def _screened(cell: Cell, tell: Tell) -> dict[str, Any]:
    """Path -> moved down, moved up; of every figure, whatever its status."""
    world = world_of_cell(cell.scenario, cell)
    found, _ = candidates(world.scenario, _EVERY, world.preset)
    screen = Screen(world, patients=cell.settings["patients"], seed=cell.seed or 0)
    done = 0

    def one_more(count: int) -> None:
        nonlocal done
        done += count
        if done % 10 == 0:
            tell(f"{done:,} of {len(found):,} figures")

    screened = screen_all(
        world, found, screen, factor=cell.settings["factor"], notes=WorkingNotes(None), progress=one_more
    )
    return {path: [asdict(one) for one in both] for path, both in screened.items()}


def _told(scenario: Scenario, result: Mapping[str, Any], most: int, named: Sequence[str] | None) -> Provenance:
    found, _ = candidates(scenario, _EVERY, compile_world(scenario).preset)
    screened = {path: (screened_from(down), screened_from(up)) for path, (down, up) in result.items()}
    by_path = {each.path: each for each in found}
    stands = backing(scenario)
    heavy = heaviest_figures(scenario, by_path, screened, most)
    unseen = {path: both for path, both in screened.items() if stands[path] != "seen"}
    not_seen = heaviest_figures(scenario, by_path, unseen, most)
    told: Provenance = {
        "digest": scenario.digest,
        "every": counted(stands.values()),
        "heaviest": counted(each.backing for each in heavy),
        "figures": [each.as_json() for each in heavy],
        "not_seen": [each.as_json() for each in not_seen],
    }
    if named is not None:
        told["named"] = {path: stands.get(path, GONE) for path in named}
    return told


def share(counts: Mapping[Any, int], *kinds: str) -> float:
    """Of what is counted, the share of some kinds, in [0, 1]; 0 where there is nothing."""
    return sum(counts.get(kind, 0) for kind in kinds) / max(sum(counts.values()), 1)


def markdown(result: ProvenanceBench) -> str:
    """A table for docs/BENCHMARKS.md: all figures, the heaviest, and, where they were named before, what became of those."""
    named = any("named" in of for of in result["scenarios"].values())
    heads = [
        "scenario",
        "figures",
        "seen",
        "seen or computed",
        *(f"heaviest {result['heaviest']}: {b}" for b in BACKINGS),
    ]
    heads += [f"named before: {kind}" for kind in (*BACKINGS, GONE)] if named else []
    lines = [_row(heads), _row("---" for _ in heads)]
    for name, of in result["scenarios"].items():
        every = of["every"]
        shares = (f"{share(every, *kinds):.1%}" for kinds in (("seen",), ("seen", "computed")))
        row = [f"`{name}`", f"{sum(every.values()):,}", *shares, *(str(of["heaviest"][kind]) for kind in BACKINGS)]
        if named:
            became = list(of.get("named", {}).values())
            row += [str(became.count(kind)) for kind in (*BACKINGS, GONE)]
        lines.append(_row(row))
    return "\n".join(lines) + "\n"


def _row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"
