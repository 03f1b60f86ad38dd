"""What the start of a journey tells and what each question reveals: the patients' evidences as findings."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from workup.importers.knowledge.base import KnowledgeBase
from workup.importers.knowledge.patients import SEXES, Patients
from workup.scenarios.language.writing import Names

AGES = (0.0, 1.0, 5.0, 15.0, 30.0, 45.0, 60.0, 75.0, 120.0)
"""Ends of the bands of age, in years."""
OTHER = "other"

I16 = NDArray[np.int16]
Rows = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Answer:
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


@dataclass(frozen=True, eq=False)
class Cohort:
    """All patients that were read, and which of them are learned from."""

    base: KnowledgeBase
    read: tuple[Patients, ...]
    train: Rows
    """(n,)"""

    @cached_property
    def condition(self) -> I16:
        """(n,) index into the conditions of the knowledge base."""
        return np.concatenate([part.condition for part in self.read])

    def gave(self, e: int, v: int) -> I16:
        """(n,) 1 where a patient gave value v among the answers to evidence e, else 0."""
        rows = np.zeros(len(self.train), np.int16)
        first = 0
        for part in self.read:
            rows[part.chosen.get((e, v), np.zeros(0, np.int64)) + first] = 1
            first += len(part.age)
        return rows


def answers_of(cohort: Cohort, items: dict[str, str], names: Names) -> tuple[list[Answer], dict[str, list[Answer]]]:
    """What the start tells, and what each question reveals, by its code.

    Args:
        cohort: the patients.
        items: code of an evidence -> name of the question.
        names: that are taken already.
    """
    base = cohort.base
    age, sex, complaint = (
        np.concatenate([np.asarray(getattr(part, name)) for part in cohort.read])
        for name in ("age", "sex", "complaint")
    )
    answers = np.concatenate([part.answers for part in cohort.read])
    every = np.ones(len(base.conditions), bool)
    bands = tuple(f"{low:g}_to_{high:g}" for low, high in pairwise(AGES))
    band = np.clip(np.searchsorted(AGES, age, "right") - 1, 0, len(bands) - 1).astype(np.int16)
    told = [
        Answer("age", "Age", bands, band, every),
        Answer("sex", "Sex", SEXES, sex.astype(np.int16), every),
    ]
    met = set(complaint.tolist())
    asked: dict[str, list[Answer]] = {}
    at = base.at
    for e, evidence in enumerate(base.evidences):
        item = items[evidence.code]
        may = None if evidence.parent is None else answers[:, at[evidence.parent]] > 0
        if evidence.kind == "B" and ((not evidence.antecedent and evidence.parent is None) or e in met):
            hit = (complaint == e).astype(np.int16)
            label = f"Comes because of: {evidence.question}"
            name = names.name(f"complaint_{item}")
            told.append(Answer(name, label, ("no", "yes"), hit, base.listed[e], complaint=evidence.code))
        if evidence.kind == "M":
            asked[evidence.code] = _choices(cohort, e, item, may, names)
        else:
            values = evidence.values if evidence.kind == "B" else Names().names(evidence.meanings)
            numbers = evidence.kind == "C" and evidence.values[0].isdigit()
            given = answers[:, e].astype(np.int16)
            name = names.name(f"{item}_answer")
            asked[evidence.code] = [Answer(name, evidence.question, values, given, base.listed[e], may, numbers)]
    return told, asked


def _choices(cohort: Cohort, e: int, item: str, may: Rows | None, names: Names) -> list[Answer]:
    """One finding for each value that a training patient gave, and one for all other values together."""
    base, train = cohort.base, cohort.train
    evidence = base.evidences[e]
    found = []
    others = np.zeros(len(train), np.int16)
    for v, value in enumerate(evidence.values):
        rows = cohort.gave(e, v)
        if rows[train].any():
            listed = np.bincount(cohort.condition[train & (rows > 0)], minlength=len(base.conditions)) > 0
            label = f"{evidence.question} {evidence.meanings[v]}"
            found.append(Answer(names.name(f"{item}_{value}"), label, ("no", "yes"), rows, listed, may))
        else:
            others |= rows
    none = np.zeros(len(base.conditions), bool)
    label = f"{evidence.question} Elsewhere or otherwise"
    found.append(Answer(names.name(f"{item}_{OTHER}"), label, ("no", "yes"), others, none, may))
    return found
