"""A cohort as a folder that anyone can read: records, steps, the hidden truth, and a card that says what it is.

The folder is made part by part (`envs.records.cohorts.PART` patients); a part is written whole or not at all, so a run that was
killed goes on where it stopped, and what comes out does not depend on how it was divided.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict, dataclass
from io import BytesIO
from pathlib import Path
from typing import Any, Final

import numpy as np

from workup.agents.base import Agent
from workup.agents.registry import make_agent
from workup.envs.compile.compile import compile_world
from workup.envs.model.facts import Condition, compile_when, vocabulary
from workup.envs.model.world import World
from workup.envs.records.cohorts import PART, Cohort, run_cohort, written_down
from workup.errors import FileFormatError, WorkupError
from workup.files import make_folder, write_whole
from workup.scenarios.language.library import load_scenario
from workup.version import __version__

FORMAT: Final = "workup-cohort-1"
TABLES: Final = {"records": "records.parquet", "steps": "steps.parquet", "truth": "hidden/truth.parquet"}
"""Table -> its file in the folder."""
LIMITS: Final = (
    "Synthetic patients of a model that no clinic made: nothing here is about patients, and nothing is medical advice.",
    "`hidden/` holds what was true. Keep it from whatever is trained or estimated on the records.",
    "Findings that the scenario marks `recorded: false` were seen by the policy and are not here.",
)
Progress = Callable[[int, int], None]
"""Told how many patients have been met, and of how many."""


@dataclass(frozen=True)
class Plan:
    """What a cohort is made of; two cohorts with the same plan are the same."""

    scenario: str
    digest: str
    policy: str
    patients: int
    seed: int
    include: str | None
    version: str = __version__
    format: str = FORMAT


def cohort(
    scenario: str | Path | World, policy: str | Agent, *, patients: int, seed: int = 0, include: str | None = None
) -> Cohort:
    """What a database would keep of patients whom a policy investigated, with what was true beside it.

    Args:
        scenario: an id (teaching scenarios too), a path, or a compiled world.
        policy: an agent, or its name: `guideline`, `suspicion:GROUP:SLOPE`, `lapse:0.05:guideline`, ...
        patients: how many: the first of the seed.
        seed: of the patients and of what the policy draws.
        include: keep only patients for whom this holds at the end on what was revealed, as `{ct: done}` in a scenario's `when`.

    Raises:
        UnknownNameError: no such scenario, policy or fact.
        WorkupError: no patients, or a rule that is none.

    Examples:
        >>> import workup
        >>> workup.cohort("two_by_two", "guideline", patients=100).to_frame().columns[:4]
        ['patient', 'decision', 'decided_h', 'test']
    """
    if patients < 1:
        raise WorkupError(f"{patients} patients; expected 1 or more")
    world = scenario if isinstance(scenario, World) else compile_world(load_scenario(scenario))
    agent = make_agent(policy, world, seed=seed) if isinstance(policy, str) else policy
    name = policy if isinstance(policy, str) else agent.name
    return run_cohort(
        world, agent, patients=np.arange(patients), seed=seed, policy=name, include=rule_of(include, world)
    )


def write_cohort(
    scenario: str,
    policy: str,
    *,
    patients: int,
    seed: int,
    out: Path,
    include: str | None = None,
    csv: bool = False,
    workers: int = 1,
    progress: Progress = lambda met, of: None,
) -> Path:
    """The same in a folder: records.parquet, steps.parquet, hidden/truth.parquet, card.json and card.md.

    Args:
        scenario: an id or a path.
        policy: the name of an agent, or a folder of a saved one.
        patients: how many.
        seed: as of `cohort`.
        out: a folder that is empty, or that an interrupted run of the same plan left: it goes on.
        include: as of `cohort`.
        csv: write records.csv too.
        workers: processes.
        progress: told after each part.

    Returns:
        The card's path.

    Raises:
        WorkupError: a folder that holds something else, or another cohort; says what.
        UnknownNameError: as of `cohort`.
    """
    if patients < 1 or workers < 1:
        raise WorkupError(f"{patients} patients in {workers} processes; expected 1 or more of each")
    world = compile_world(load_scenario(scenario))
    make_agent(policy, world, seed=seed)
    rule_of(include, world)
    plan = Plan(world.scenario.id, world.scenario.digest, policy, patients, seed, include)
    parts = _begin(out, plan)
    firsts = [first for first in range(0, patients, PART) if not (parts / f"{first:012d}.json").exists()]
    met = patients - sum(min(PART, patients - first) for first in firsts)
    progress(met, patients)
    for first in _made(scenario, plan, parts, firsts, workers):
        met += min(PART, patients - first)
        progress(met, patients)
    return _finish(world, plan, out, parts, csv)


def read_card(folder: Path) -> dict[str, Any]:
    """The card of a finished cohort.

    Raises:
        FileFormatError: there is none, or it is not one.
    """
    path = folder / "card.json"
    try:
        card = json.loads(path.read_text(encoding="utf-8"))
        if card["plan"]["format"] != FORMAT:
            raise ValueError(f"its format is {str(card['plan']['format'])[:60]!r}; expected {FORMAT!r}")
        Plan(**card["plan"])
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as fault:
        raise FileFormatError(
            f"{path}: no card of a finished cohort ({fault}); make one with `workup cohort`"
        ) from fault
    return dict(card)


def rule_of(include: str | None, world: World) -> Condition | None:
    """A rule on revealed facts from its text; None of None. Raises WorkupError or UnknownNameError for what is none."""
    if include is None:
        return None
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    try:
        when = YAML(typ="safe", pure=True).load(
            include if include.lstrip().startswith(("{", "[")) else "{" + include + "}"
        )
    except YAMLError as error:
        raise WorkupError(
            f"include {include!r} cannot be read; expected facts as in a scenario's `when`, such as 'ct: done'"
        ) from error
    if not isinstance(when, dict) or not when:
        raise WorkupError(f"include {include!r}; expected facts as in a scenario's `when`, such as 'ct: done'")
    return compile_when(when, vocabulary(world))


def _begin(out: Path, plan: Plan) -> Path:
    parts, note = out / "parts", out / "parts" / "plan.json"
    if out.exists() and not out.is_dir():
        raise WorkupError(f"{out} is a file; expected an empty folder, or one that an interrupted run left")
    if out.exists() and any(out.iterdir()):
        where = note if note.exists() else out / "card.json"
        if not where.exists():
            raise WorkupError(
                f"{out} is not empty and holds no cohort; expected an empty folder, or one that an interrupted run left"
            )
        try:
            told = json.loads(where.read_text(encoding="utf-8"))
            found = told if where == note else told["plan"]
        except (OSError, ValueError, KeyError, TypeError) as fault:
            raise WorkupError(f"{where} cannot be read ({fault}); remove {out}, or choose another folder") from fault
        if found != asdict(plan):
            known = found if isinstance(found, dict) else {}
            other = [name for name, value in asdict(plan).items() if known.get(name) != value]
            raise WorkupError(f"{out} holds another cohort (it differs in {', '.join(other)}); choose another folder")
    make_folder(parts)
    write_whole(note, json.dumps(asdict(plan)))
    return parts


def _made(scenario: str, plan: Plan, parts: Path, firsts: list[int], workers: int) -> Iterator[int]:
    if workers == 1 or len(firsts) < 2:
        for first in firsts:
            yield _part(scenario, plan, parts, first)
        return
    with ProcessPoolExecutor(min(workers, len(firsts)), mp_context=multiprocessing.get_context("spawn")) as pool:
        asked = [pool.submit(_part, scenario, plan, parts, first) for first in firsts]
        try:
            for each in as_completed(asked):
                yield each.result()
        finally:
            pool.shutdown(cancel_futures=True)


_worlds: dict[tuple[str, str], World] = {}


def _part(scenario: str, plan: Plan, parts: Path, first: int) -> int:
    """Meet and write the patients from `first` on; returns `first`. Its note comes last, so that it stands for the part."""
    key = scenario, plan.digest
    if key not in _worlds:
        _worlds[key] = compile_world(load_scenario(scenario))
    world = _worlds[key]
    met = run_cohort(
        world,
        make_agent(plan.policy, world, seed=plan.seed),
        patients=np.arange(first, min(first + PART, plan.patients)),
        seed=plan.seed,
        policy=plan.policy,
        include=rule_of(plan.include, world),
    )
    for table, frame in (("records", met.to_frame()), ("steps", met.steps_frame()), ("truth", met.truth_frame())):
        content = BytesIO()
        frame.write_parquet(content, compression="zstd")
        write_whole(parts / f"{table}-{first:012d}.parquet", content.getvalue())
    write_whole(parts / f"{first:012d}.json", json.dumps(_counts(met)))
    return first


def _counts(met: Cohort) -> dict[str, Any]:
    from workup.envs.records.absence import REASONS

    world = met.world
    return {
        "kept": len(met.patient),
        "ordered": {name: int(np.isfinite(met.ordered_at_h[:, i]).sum()) for i, name in enumerate(world.items)},
        "recorded": {
            name: [int((met.absent[:, o] == code).sum()) for code in range(len(REASONS))]
            for o, name in enumerate(world.model.observables)
            if written_down(world)[o]
        },
        "decided": {name: int((met.decision == d).sum()) for d, name in enumerate(world.decisions)},
    }


def _finish(world: World, plan: Plan, out: Path, parts: Path, csv: bool) -> Path:
    import polars as pl

    for table, name in TABLES.items():
        whole, half = out / name, out / f".{table}.parquet"
        make_folder(whole.parent)
        scan = pl.scan_parquet(sorted(parts.glob(f"{table}-*.parquet")))
        scan.sink_parquet(half, compression="zstd", row_group_size=PART)
        os.replace(half, whole)
    if csv:
        half = out / ".records.csv"
        pl.scan_parquet(out / TABLES["records"]).sink_csv(half)
        os.replace(half, out / "records.csv")
    counts = _added([json.loads(path.read_text(encoding="utf-8")) for path in sorted(parts.glob("[0-9]*.json"))])
    card = {"plan": asdict(plan), "title": world.scenario.title, "met": plan.patients, **counts, "limits": list(LIMITS)}
    write_whole(out / "card.md", _told(card))
    write_whole(out / "card.json", json.dumps(card, ensure_ascii=False, indent=1) + "\n")
    shutil.rmtree(parts)
    return out / "card.json"


def _added(counts: list[dict[str, Any]]) -> dict[str, Any]:
    def add(a: Any, b: Any) -> Any:
        if isinstance(a, dict):
            return {name: add(a[name], b[name]) for name in a}
        return [add(x, y) for x, y in zip(a, b, strict=True)] if isinstance(a, list) else a + b

    total = counts[0]
    for more in counts[1:]:
        total = add(total, more)
    return dict(total)


def _told(card: dict[str, Any]) -> str:
    from workup.envs.records.absence import REASONS

    plan, kept = card["plan"], card["kept"]
    rows = [
        f"| {name} | {counts[0]:,} ({counts[0] / max(kept, 1):.1%}) | "
        + ", ".join(f"{reason} {n:,}" for reason, n in zip(REASONS[1:], counts[1:], strict=True) if n)
        + " |"
        for name, counts in card["recorded"].items()
    ]
    return "\n".join(
        [
            f"# {kept:,} patients: {card['title']}",
            "",
            f"Scenario `{plan['scenario']}` (digest {plan['digest']}), policy `{plan['policy']}`, seed {plan['seed']}, workup "
            f"{plan['version']}. {card['met']:,} were met; {_who(plan['include'])}",
            "",
            *(f"- {limit}" for limit in card["limits"]),
            "",
            "| finding | recorded | else |",
            "|---|---|---|",
            *rows,
            "",
            "| order | patients |",
            "|---|---|",
            *(f"| {name} | {n:,} ({n / max(kept, 1):.1%}) |" for name, n in card["ordered"].items()),
            "",
            "| ends with | patients |",
            "|---|---|",
            *(f"| {name} | {n:,} ({n / max(kept, 1):.1%}) |" for name, n in card["decided"].items()),
            "",
        ]
    )


def _who(include: str | None) -> str:
    return "all are here." if include is None else f"here are those with `{include}`."
