"""From DDXPlus to an environment over its patients, in the folder format of `workup.importers.table`.

A journey starts with age, sex and the complaint; every evidence is a question with its answer; a follow-up can be asked
once its parent is known to be present; the decisions are the pathologies. The figures of `scenario.yaml` were counted in
the training patients alone (naive Bayes): what agents know and what the belief view shows. Answers and truth are the
patients'.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from workup.envs.compile.recorded import ABOUT, FORMAT, ROWS, Recorded, load_recorded
from workup.errors import WorkupError
from workup.files import write_whole
from workup.importers.ddxplus_files import (
    CONDITIONS,
    EVIDENCES,
    SEXES,
    KnowledgeBase,
    Patients,
    load_knowledge_base,
    read_patients,
)
from workup.importers.table import PSEUDO, law_row, scenario_text
from workup.scenarios.language.vocabulary import STATUS_WORDS

AGES = (0.0, 1.0, 5.0, 15.0, 30.0, 45.0, 60.0, 75.0, 120.0)
"""Ends of the bands of age, in years."""
OTHER = "other"
DIFFERENTIAL = "differential "
"""Columns of the rows that hold the release's differential diagnosis start so."""

I16 = NDArray[np.int16]
Rows = NDArray[np.bool_]


@dataclass(frozen=True)
class Prices:
    """What the release does not say. All assumed."""

    question: float = 1.0
    error: float = 100.0


@dataclass(frozen=True, eq=False)
class _Answer:
    """One finding as codes."""

    name: str
    label: str
    values: tuple[str, ...]
    codes: I16
    """(n,)"""
    listed: Rows
    """(conditions,) counted one by one; the others share one count."""
    asked: Rows | None = None
    """(n,) patients of whom it can be asked; None: all."""
    ordinal: bool = False
    complaint: str | None = None
    """The evidence of which it says that the patient came because of it."""


def import_ddxplus(
    folder: Path, patients: Path, *, test: Path | None = None, out: Path, seed: int = 0, test_share: float = 0.3,
    most: int | None = None, prices: Prices | None = None,
) -> Recorded:  # fmt: skip
    """Write the environment and read it back.

    Args:
        folder: holds `release_conditions.json` and `release_evidences.json`.
        patients: CSV of the training patients.
        test: CSV of the test patients; without it, `test_share` of `patients` by `seed`.
        out: folder to write.
        seed: of the split.
        test_share: of the rows that are held out.
        most: read so many rows of each CSV at most.
        prices: of a question and of a wrong diagnosis.

    Raises:
        FileFormatError: files that are damaged, and patients whose codes the knowledge base does not have, by row and code.
        WorkupError: a split that leaves no training or no test patients.
    """
    base = load_knowledge_base(folder)
    read = [read_patients(path, base, most=most) for path in (patients, test) if path is not None]
    train = _split(read, seed, test_share)
    condition = np.concatenate([part.condition for part in read])
    taken: set[str] = {"age", "sex", "history", "examination"}
    names = _names(base.conditions, taken)
    items = dict(zip((e.code for e in base.evidences), _names([e.code for e in base.evidences], taken), strict=True))
    told, asked = _findings(base, read, train, items, taken)
    scenario = _scenario(base, names, items, told, asked, condition, train, patients, prices or Prices())
    heading = "# Made by `workup import-ddxplus`: probabilities were counted in the training patients.\n"
    out.mkdir(parents=True, exist_ok=True)
    write_whole(out / "scenario.yaml", scenario_text(scenario, heading))
    _write_rows(out / ROWS, read, [*told, *(f for of in asked.values() for f in of)], condition, train, names)
    about = {
        "format": FORMAT,
        "source": "DDXPlus",
        "file": patients.name,
        "rows": len(train),
        "train": int(train.sum()),
        "seed": seed if test is None else None,
        "conditions": len(base.conditions),
        "evidences": len(base.evidences),
        "follow_ups": sum(evidence.parent is not None for evidence in base.evidences),
        "set_ups_once_a_journey": True,
        "sha256": {
            path.name: _sha256(path)
            for path in (folder / CONDITIONS, folder / EVIDENCES, patients, test)
            if path is not None
        },
        "patients_sha256": _sha256(out / ROWS),
    }
    write_whole(out / ABOUT, json.dumps(about, indent=1) + "\n")
    return load_recorded(out)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _split(read: list[Patients], seed: int, test_share: float) -> Rows:
    """(n,) training rows of all that was read."""
    n = [len(part.age) for part in read]
    if len(read) == 2:
        return np.arange(sum(n)) < n[0]
    rng = np.random.Generator(np.random.Philox(key=[seed, 0xDD]))
    train = rng.random(n[0]) >= test_share
    if train.all() or not train.any():
        raise WorkupError(
            f"{n[0]} patients and a test share of {test_share} leave none on one side; expected some on both"
        )
    return train


def _name(word: str, taken: set[str]) -> str:
    """A word as a name of the language that means nothing else yet; it is noted as taken."""
    name = re.sub(r"[^A-Za-z0-9]+", "_", word).strip("_") or "x"
    name = f"v_{name}" if name.lower() in _WORDS else name
    while name in taken:
        name += "_"
    taken.add(name)
    return name


def _names(words: Sequence[str], taken: set[str]) -> tuple[str, ...]:
    return tuple(_name(word, taken) for word in words)


_WORDS = frozenset(
    {
        "condition",
        "otherwise",
        "unknown",
        "wait",
        "not",
        "status",
        "source",
        "note",
        "value",
        "yes",
        "no",
        *STATUS_WORDS,
    }
)


def _findings(
    base: KnowledgeBase, read: list[Patients], train: Rows, items: dict[str, str], taken: set[str]
) -> tuple[list[_Answer], dict[str, list[_Answer]]]:
    """What the start tells, and what each question reveals, by its code."""
    age, sex, complaint = (
        np.concatenate([np.asarray(getattr(part, name)) for part in read]) for name in ("age", "sex", "complaint")
    )
    answers = np.concatenate([part.answers for part in read])
    every = np.ones(len(base.conditions), bool)
    bands = tuple(f"{low:g}_to_{high:g}" for low, high in pairwise(AGES))
    band = np.clip(np.searchsorted(AGES, age, "right") - 1, 0, len(bands) - 1).astype(np.int16)
    told = [
        _Answer("age", "Age", bands, band, every),
        _Answer("sex", "Sex", SEXES, sex.astype(np.int16), every),
    ]
    met = set(complaint.tolist())
    asked: dict[str, list[_Answer]] = {}
    at = base.at
    for e, evidence in enumerate(base.evidences):
        may = None if evidence.parent is None else answers[:, at[evidence.parent]] > 0
        if evidence.kind == "B" and ((not evidence.antecedent and evidence.parent is None) or e in met):
            hit = (complaint == e).astype(np.int16)
            label = f"Comes because of: {evidence.question}"
            name = _name(f"complaint_{items[evidence.code]}", taken)
            told.append(_Answer(name, label, ("no", "yes"), hit, base.listed[e], complaint=evidence.code))
        if evidence.kind == "M":
            asked[evidence.code] = _choices(items[evidence.code], e, base, read, train, may, taken)
        else:
            values = evidence.values if evidence.kind == "B" else _names(evidence.meanings, set())
            numbers = evidence.kind == "C" and evidence.values[0].isdigit()
            asked[evidence.code] = [
                _Answer(
                    _name(f"{items[evidence.code]}_answer", taken), evidence.question, values, answers[:, e].astype(np.int16), base.listed[e], may,
                    ordinal=numbers,
                )
            ]  # fmt: skip
    return told, asked


def _choices(
    item: str, e: int, base: KnowledgeBase, read: list[Patients], train: Rows, may: Rows | None, taken: set[str]
) -> list[_Answer]:
    """One finding for each value that a training patient gave, and one for all other values together."""
    evidence = base.evidences[e]
    found = []
    others = np.zeros(len(train), np.int16)
    for v, value in enumerate(evidence.values):
        rows = np.zeros(len(train), np.int16)
        first = 0
        for part in read:
            rows[part.chosen.get((e, v), np.zeros(0, np.int64)) + first] = 1
            first += len(part.age)
        if rows[train].any():
            condition = np.concatenate([part.condition for part in read])
            listed = np.bincount(condition[train & (rows > 0)], minlength=len(base.conditions)) > 0
            label = f"{evidence.question} {evidence.meanings[v]}"
            found.append(_Answer(_name(f"{item}_{value}", taken), label, ("no", "yes"), rows, listed, may))
        else:
            others |= rows
    none = np.zeros(len(base.conditions), bool)
    found.append(
        _Answer(
            _name(f"{item}_{OTHER}", taken),
            f"{evidence.question} Elsewhere or otherwise",
            ("no", "yes"),
            others,
            none,
            may,
        )
    )
    return found


def _law(f: _Answer, names: tuple[str, ...], condition: I16, train: Rows) -> dict[str, Any]:
    """P(answer | condition) among training patients of whom it can be asked; conditions that are not listed share one."""
    of = train if f.asked is None else train & f.asked
    counts = np.zeros((len(names), len(f.values)))
    np.add.at(counts, (condition[of], f.codes[of]), 1.0)
    rows = {name: counts[c] for c, name in enumerate(names) if f.listed[c]}
    if not f.listed.all():
        rows["otherwise"] = counts[~f.listed].sum(axis=0)
    shares = {name: (row + PSEUDO) / (row + PSEUDO).sum() for name, row in rows.items()}
    law: dict[str, Any] = {"label": f.label}
    if not f.listed.any():
        shares = {"": shares["otherwise"]}
    else:
        law["given"] = ["condition"]
    if f.values == ("no", "yes"):
        chance = {name: round(float(row[1]), 8) for name, row in shares.items()}
        return law | {"chance": chance if f.listed.any() else chance[""]}
    table = {name: law_row(f.values, row) for name, row in shares.items()}
    law["table"] = table if f.listed.any() else table[""]
    if f.name == "age":
        return law | {
            "unit": "years",
            "bands": dict(zip(f.values, map(list, pairwise(AGES)), strict=True)),
        }
    return law | {"values": list(f.values)} | ({"ordinal": True} if f.ordinal else {})


def _scenario(
    base: KnowledgeBase, names: tuple[str, ...], items: dict[str, str], told: list[_Answer], asked: dict[str, list[_Answer]], condition: I16,
    train: Rows, patients: Path, prices: Prices,
) -> dict[str, Any]:  # fmt: skip
    prior = np.bincount(condition[train], minlength=len(names)) + PSEUDO
    shown = [*told, *(f for of in asked.values() for f in of)]
    complaints = {f.complaint: f.name for f in told if f.complaint is not None}
    decisions = _names([f"say_{name}" for name in names], {f.name for f in shown} | {*names, *items.values()})
    return {
        "id": "ddxplus",
        "title": "DDXPlus: questions and a diagnosis",
        "version": "1.0",
        "about": "Synthetic patients of the DDXPlus release, one row each. The figures here are a naive Bayes model counted in "
        "the training patients: what agents know and what the belief view shows, not the law of the patients.",
        "status": "derived",
        "note": f"Counted in {train.sum():,} training patients of {patients.name}, with {PSEUDO:g} added to every count; "
        "conditions that do not list an evidence share one count.",
        "who": {
            "authors": ["workup import-ddxplus"],
            "status": "draft",
            "guideline": {"name": "none", "version": "0"},
            "setting": "A telephone or a terminal that asks questions",
            "currency": "GBP",
            "price_year": 2022,
        },
        "context": {},
        "conditions": {
            name: {"label": f"{label} ({icd})"} for name, label, icd in zip(names, base.conditions, base.icd10, strict=True)
        },
        "prior": {"table": law_row(names, prior / prior.sum())},
        "findings": {f.name: _law(f, names, condition, train) for f in shown},
        "investigations": {
            "history": {"label": "Age, sex and complaint", "tier": "history", "reveals": [f.name for f in told]},
            "examination": {"label": "Nothing is examined", "tier": "examination", "reveals": []},
            **{items[code]: _question(base, code, asked, complaints, prices) for code in asked},
        },
        "utility": {"unit": "gbp", "gbp_per_qaly": 1},
        "decisions": {
            decision: {
                "label": label,
                "kind": "refer",
                "right_for": [name],
                "status": "assumed",
                "utility": {name: 0.0, "otherwise": -prices.error},
            }
            for decision, name, label in zip(decisions, names, base.conditions, strict=True)
        },
        "rewards": {
            "complex_decision": {"label": "Questions and wrong diagnoses", "weights": _WEIGHTS},
            "triage": {
                "label": "Only questions",
                "weights": _WEIGHTS,
                "urgency_utility_gbp": {"routine": {"routine": 0.0}},
            },
        },
        "guideline": [
            {"do": "history", "when": {"history": "not_done"}, "why": "A journey starts with it"},
            {"do": "examination", "when": {"examination": "not_done"}, "why": "A journey starts with it"},
            {"do": decisions[int(prior.argmax())], "why": "The commonest condition of the training patients"},
        ],
        "max_steps": len(asked) + 8,
    }  # fmt: skip


_WEIGHTS = {"cost": 1, "harm": 1, "delay": 1, "utility": 1}


def _question(
    base: KnowledgeBase, code: str, asked: dict[str, list[_Answer]], complaints: dict[str, str], prices: Prices
) -> dict[str, Any]:
    """A question: not asked of who came with it, and a follow-up only of those who have its parent."""
    evidence = base.evidences[base.at[code]]
    made: dict[str, Any] = {
        "label": evidence.question, "tier": "bedside", "reveals": [f.name for f in asked[code]], "cost_gbp": prices.question,
        "turnaround": 0, "status": "assumed",
    }  # fmt: skip
    needs: list[dict[str, Any]] = []
    if code in complaints:
        needs.append({complaints[code]: "no"})
    if evidence.parent is not None:
        either = {asked[evidence.parent][0].name: "yes"}
        if evidence.parent in complaints:
            either[complaints[evidence.parent]] = "yes"
        needs.append(either)
    return made | ({"requires": needs} if needs else {})


def _write_rows(
    path: Path, read: list[Patients], findings: list[_Answer], condition: I16, train: Rows, names: tuple[str, ...]
) -> None:
    columns: dict[str, Any] = {
        "row": np.concatenate([np.arange(1, len(part.age) + 1) for part in read]),
        "split": np.where(train, "train", "test").tolist(),
        "condition": condition,
    }
    columns |= {f"{f.name} code": f.codes.astype(np.int8) for f in findings}
    columns["age number"] = np.concatenate([part.age for part in read])
    differential = np.concatenate([part.differential for part in read])
    columns |= {f"{DIFFERENTIAL}{name}": differential[:, c] for c, name in enumerate(names)}
    pl.DataFrame(columns).write_parquet(path)
