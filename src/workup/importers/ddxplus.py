"""From DDXPlus to an environment over its patients, in the folder format of `workup.importers.table`.

A journey starts with age, sex and the complaint; every evidence is a question with its answer; a follow-up can be asked
once its parent is known to be present; the decisions are the pathologies. The figures of `scenario.yaml` were counted in
the training patients alone (naive Bayes): what agents know and what the belief view shows. Answers and truth are the
patients'.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import numpy as np

from workup.envs.compile.recorded import Recorded
from workup.errors import WorkupError
from workup.importers import recorded_folder
from workup.importers.knowledge.answers import Cohort, Rows, answers_of
from workup.importers.knowledge.base import CONDITIONS, EVIDENCES, load_knowledge_base
from workup.importers.knowledge.patients import Patients, read_patients
from workup.importers.knowledge.scenario import Prices, Questions, scenario_text
from workup.scenarios.language.schema import OPENING
from workup.scenarios.language.writing import Names

DIFFERENTIAL = "differential "
"""Columns of the rows that hold the release's differential diagnosis start so."""


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
    read = tuple(read_patients(path, base, most=most) for path in (patients, test) if path is not None)
    cohort = Cohort(base, read, _split(read, seed, test_share))
    names = Names(("age", "sex", *OPENING))
    conditions = names.names(base.conditions)
    codes = [evidence.code for evidence in base.evidences]
    items = dict(zip(codes, names.names(codes), strict=True))
    questions = Questions(conditions, items, *answers_of(cohort, items, names))
    about = {
        "source": "DDXPlus",
        "file": patients.name,
        "rows": len(cohort.train),
        "train": int(cohort.train.sum()),
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
    }
    text = scenario_text(cohort, questions, names, file=patients.name, prices=prices or Prices())
    return recorded_folder.write(out, text, _rows(cohort, questions), about)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _split(read: tuple[Patients, ...], seed: int, test_share: float) -> Rows:
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


def _rows(cohort: Cohort, questions: Questions) -> dict[str, Any]:
    columns: dict[str, Any] = {
        "row": np.concatenate([np.arange(1, len(part.age) + 1) for part in cohort.read]),
        "split": np.where(cohort.train, "train", "test").tolist(),
        "condition": cohort.condition,
    }
    columns |= {f"{f.name} code": f.codes.astype(np.int8) for f in questions.answers}
    columns["age number"] = np.concatenate([part.age for part in cohort.read])
    differential = np.concatenate([part.differential for part in cohort.read])
    columns |= {f"{DIFFERENTIAL}{name}": differential[:, c] for c, name in enumerate(questions.conditions)}
    return columns
