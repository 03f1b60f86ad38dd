"""A fusion task as a folder that anyone can read: tables, arrays, ceilings, a card, and metadata for machines.

The folder appears whole or not at all, and the same plan gives the same bytes.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from io import BytesIO
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from workup.errors import WorkupError
from workup.files import make_folder, write_whole
from workup.studies.fusion.ceilings.closed import benefits_gbp, ceilings
from workup.studies.fusion.croissant import croissant
from workup.studies.fusion.drawing import Drawn, draw, task_of
from workup.studies.fusion.splits import SPLITS
from workup.studies.fusion.tasks.base import Task
from workup.version import __version__

FORMAT: Final = "workup-fusion-1"
LIMITS: Final = (
    "Synthetic patients of a law that was written down: nothing here is about patients, and nothing is medical advice.",
    "`hidden.parquet` holds what was true and the exact scores. Keep it from whatever is trained.",
    "The split `reader` is for training what reads pictures; no patient of it is in another split.",
    "What a record does not hold is NaN in an array of floats and 0 in one of pictures; `has_...` says which it is.",
)


@dataclass(frozen=True)
class Plan:
    """What a folder is made of; two with the same plan are the same."""

    task: str
    patients: int
    seed: int
    view: str
    version: str = __version__
    format: str = FORMAT


def write_data(task: str, *, patients: int, seed: int, out: Path, view: str = "findings") -> dict[str, Any]:
    """Write a task's patients: for each split a table, an array a modality and what is hidden; ceilings, card, metadata, hashes.

    Args:
        task: a name of `TASKS`.
        patients: of `reader`, `train` and each test; a quarter as many of `validation`.
        seed: of the patients; those of the benchmark's run of that seed.
        out: a folder that is empty or not there. It appears when everything in it is written.
        view: findings, read or raw.

    Returns:
        The card, as `card.json` holds it.

    Raises:
        UnknownNameError: no such task or view.
        WorkupError: too few patients, or a folder that holds something.
    """
    of = task_of(task)
    if patients < 4:
        raise WorkupError(f"{patients} patients; expected 4 or more")
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise WorkupError(
            f"{out} is not empty; expected an empty folder, or a new one. Choose another, or remove what is in it"
        )
    make_folder(out.parent)
    half = Path(tempfile.mkdtemp(dir=out.parent, prefix=f".{out.name}."))
    try:
        card = _fill(half, Plan(of.name, patients, seed, view), of)
        half.chmod(0o755)
        if out.exists():
            out.rmdir()
        os.replace(half, out)
    except BaseException:
        shutil.rmtree(half, ignore_errors=True)
        raise
    return card


def _fill(folder: Path, plan: Plan, task: Task) -> dict[str, Any]:
    counts, blocks = dict[str, int](), list[str]()
    for name, drawn in _splits(task, plan):
        counts[name], blocks = len(drawn.keys), list(drawn.spec.modalities)
        _write_split(folder / name, drawn)
    known: dict[str, Any] = {"task": task.name, "auroc_and_log_loss": ceilings(task.name)}
    if task.right_gbp:
        known["benefits_gbp"] = benefits_gbp(task.name, cost_gbp=max(task.costs_gbp.values()), right_gbp=task.right_gbp)
    _json(folder / "ceilings.json", known)
    card = {
        "plan": asdict(plan), "title": task.title, "story": task.story, "patients": counts, "modalities": list(task.modalities), "blocks": blocks,
        "columns": {name: list(names) for name, names in task.columns.items()}, "policies": list(task.policies),
        "prevalence": task.prevalence, "questions": task.questions, "costs_gbp": dict(task.costs_gbp), "right_gbp": task.right_gbp,
        "limits": list(LIMITS),
    }  # fmt: skip
    _json(folder / "card.json", card)
    write_whole(folder / "card.md", _told(card, known))
    hashes = {
        path.relative_to(folder).as_posix(): _sha256(path) for path in sorted(folder.rglob("*")) if path.is_file()
    }
    sizes = {name: (folder / name).stat().st_size for name in hashes}
    _json(folder / "croissant.json", croissant(card, hashes, sizes))
    hashes["croissant.json"] = _sha256(folder / "croissant.json")
    write_whole(folder / "SHA256SUMS", "".join(f"{digest}  {name}\n" for name, digest in sorted(hashes.items())))
    return card


def _splits(task: Task, plan: Plan) -> list[tuple[str, Drawn]]:
    """The four splits, and the test patients under every other policy of the task."""
    sizes = {"reader": plan.patients, "train": plan.patients, "validation": plan.patients // 4, "test": plan.patients}
    found = [(name, "same", name) for name in SPLITS]
    found += [(f"test_{policy}", policy, "test") for policy in task.policies if policy != "same"]
    return [
        (name, draw(task, split, patients=sizes[split], seed=plan.seed, view=plan.view, policy=policy))
        for name, policy, split in found
    ]


def _write_split(folder: Path, drawn: Drawn) -> None:
    import polars as pl

    names, met = drawn.spec.modalities, drawn.patients
    table: dict[str, Any] = {"patient": np.arange(len(met.label)), "label": met.label}
    if met.question is not None:
        table["question"] = met.question
    table |= {f"has_{name}": drawn.present[:, m] for m, name in enumerate(names)}
    came = np.array([*names, ""], dtype=object)
    for step in range(len(names)):
        table[f"came_{step + 1}"] = pl.Series(came[drawn.order[:, step]].tolist(), dtype=pl.String)
    hidden: dict[str, Any] = {"patient": np.arange(len(met.label))}
    for name, values in met.findings.items():
        hidden |= {f"{name}.{column}": values[:, k] for k, column in enumerate(drawn.task.columns[name])}
    hidden |= {f"exact.{name}": score for name, score in met.exact.items()}
    for name, columns in (("patients", table), ("hidden", hidden)):
        content = BytesIO()
        pl.DataFrame(columns).write_parquet(content, compression="zstd")
        write_whole(folder / f"{name}.parquet", content.getvalue())
    for m, name in enumerate(names):
        content = BytesIO()
        np.save(content, _blanked(np.asarray(drawn.inputs[name]), drawn.present[:, m]), allow_pickle=False)
        write_whole(folder / f"{name}.npy", content.getvalue())


def _blanked(block: NDArray[Any], held: NDArray[np.bool_]) -> NDArray[Any]:
    blank = np.nan if block.dtype.kind == "f" else 0
    return np.where(held.reshape(-1, *[1] * (block.ndim - 1)), block, np.asarray(blank, dtype=block.dtype))


def _json(path: Path, content: Mapping[str, Any]) -> None:
    write_whole(path, json.dumps(content, ensure_ascii=False, indent=1, allow_nan=False) + "\n")


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _told(card: Mapping[str, Any], known: Mapping[str, Any]) -> str:
    plan = card["plan"]
    rows = [
        f"| {message} | {policy} | {found['auroc']:.3f} | {found['log_loss']:.3f} |"
        for message, policies in known["auroc_and_log_loss"].items()
        for policy, found in policies.items()
    ]
    worth = [f"- {name}: £{value:.0f} a patient" for name, value in known.get("benefits_gbp", {}).items()]
    return (
        "\n".join(
            [
                f"# {card['title']}",
                "",
                card["story"],
                "",
                f"Task `{plan['task']}`, view `{plan['view']}`, seed {plan['seed']}, workup {plan['version']}; made by "
                f"`workup fusion-data {plan['task']} --patients {plan['patients']} --seed {plan['seed']} --view {plan['view']} --out DIR`.",
                "",
                *(f"- {limit}" for limit in card["limits"]),
                "",
                "| split | patients |",
                "|---|---|",
                *(f"| {name} | {n:,} |" for name, n in card["patients"].items()),
                "",
                "In each: `patients.parquet` (label, question, what the record holds, in which order it came), an array `MODALITY.npy` with a row "
                "a patient, and `hidden.parquet` (true findings, exact log-odds of each message class).",
                "",
                "Ceilings: the best that can be done with what a message class passes on.",
                "",
                "| message | policy | AUROC | log-loss, nats |",
                "|---|---|---|---|",
                *rows,
                "",
                *worth,
            ]
        )
        + "\n"
    )
