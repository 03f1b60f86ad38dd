"""The scenario of DDXPlus: questions, their answers as counted in the training patients, and a diagnosis."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workup.importers.counts import PSEUDO, WEIGHTS, law_row
from workup.importers.knowledge.answers import AGES, Answer, Cohort
from workup.importers.knowledge.base import KnowledgeBase
from workup.scenarios.language.writing import Names, yaml_text


@dataclass(frozen=True)
class Prices:
    """What the release does not say. All assumed."""

    question: float = 1.0
    error: float = 100.0


@dataclass(frozen=True, eq=False)
class Questions:
    """What becomes of the evidences, and what all is called."""

    conditions: tuple[str, ...]
    """Names, in the order of the knowledge base."""
    items: dict[str, str]
    """Code of an evidence -> name of the question."""
    told: list[Answer]
    """What the start tells."""
    asked: dict[str, list[Answer]]
    """Code of an evidence -> what the question reveals."""

    @property
    def answers(self) -> list[Answer]:
        """All, in the order of the file."""
        return [*self.told, *(f for of in self.asked.values() for f in of)]


def scenario_text(cohort: Cohort, questions: Questions, names: Names, *, file: str, prices: Prices) -> str:
    """scenario.yaml.

    Args:
        cohort: the patients.
        questions: what is asked.
        names: that are taken already.
        file: of the training patients, to be told.
        prices: of a question and of a wrong diagnosis.
    """
    data = _about(int(cohort.train.sum()), file) | _patients(cohort, questions)
    data |= _journey(cohort.base, questions, prices) | _ends(cohort, questions, names, prices)
    return yaml_text(data, "Made by `workup import-ddxplus`: probabilities were counted in the training patients.")


def _about(trained: int, file: str) -> dict[str, Any]:
    return {
        "id": "ddxplus",
        "title": "DDXPlus: questions and a diagnosis",
        "version": "1.0",
        "about": "Synthetic patients of the DDXPlus release, one row each. The figures here are a naive Bayes model counted in "
        "the training patients: what agents know and what the belief view shows, not the law of the patients.",
        "status": "derived",
        "note": f"Counted in {trained:,} training patients of {file}, with {PSEUDO:g} added to every count; "
        "conditions that do not list an evidence share one count.",
        "who": {
            "authors": ["workup import-ddxplus"],
            "status": "draft",
            "guideline": {"name": "none", "version": "0"},
            "setting": "A telephone or a terminal that asks questions",
            "currency": "GBP",
            "price_year": 2022,
        },
    }


def _prior(cohort: Cohort) -> NDArray[np.float64]:
    """(conditions,) counts in the training patients."""
    counts = np.bincount(cohort.condition[cohort.train], minlength=len(cohort.base.conditions))
    return counts.astype(np.float64) + PSEUDO


def _patients(cohort: Cohort, questions: Questions) -> dict[str, Any]:
    """Conditions and findings."""
    base, names, prior = cohort.base, questions.conditions, _prior(cohort)
    labels = zip(names, base.conditions, base.icd10, strict=True)
    return {
        "context": {},
        "conditions": {name: {"label": f"{label} ({icd})"} for name, label, icd in labels},
        "prior": {"table": law_row(names, prior / prior.sum())},
        "findings": {f.name: _law(f, names, cohort) for f in questions.answers},
    }


def _journey(base: KnowledgeBase, questions: Questions, prices: Prices) -> dict[str, Any]:
    """What can be asked."""
    complaints = {f.complaint: f.name for f in questions.told if f.complaint is not None}
    told = [f.name for f in questions.told]
    return {
        "investigations": {
            "history": {"label": "Age, sex and complaint", "tier": "history", "reveals": told},
            "examination": {"label": "Nothing is examined", "tier": "examination", "reveals": []},
            **{questions.items[c]: _question(base, c, questions.asked, complaints, prices) for c in questions.asked},
        }
    }


def _ends(cohort: Cohort, questions: Questions, names: Names, prices: Prices) -> dict[str, Any]:
    """Diagnoses and what they are worth, and the least that a guideline must say."""
    conditions, labels = questions.conditions, cohort.base.conditions
    decisions = names.names(f"say_{name}" for name in conditions)
    return {
        "utility": {"unit": "gbp", "gbp_per_qaly": 1},
        "decisions": {
            decision: {
                "label": label,
                "kind": "refer",
                "right_for": [name],
                "status": "assumed",
                "utility": {name: 0.0, "otherwise": -prices.error},
            }
            for decision, name, label in zip(decisions, conditions, labels, strict=True)
        },
        "rewards": {
            "complex_decision": {"label": "Questions and wrong diagnoses", "weights": WEIGHTS},
            "triage": {
                "label": "Only questions",
                "weights": WEIGHTS,
                "urgency_utility_gbp": {"routine": {"routine": 0.0}},
            },
        },
        "guideline": [
            {"do": "history", "when": {"history": "not_done"}, "why": "A journey starts with it"},
            {"do": "examination", "when": {"examination": "not_done"}, "why": "A journey starts with it"},
            {"do": decisions[int(_prior(cohort).argmax())], "why": "The commonest condition of the training patients"},
        ],
        "max_steps": len(questions.asked) + 8,
    }


def _law(f: Answer, names: tuple[str, ...], cohort: Cohort) -> dict[str, Any]:
    """P(answer | condition) among training patients of whom it can be asked; conditions that are not listed share one."""
    of = cohort.train if f.asked is None else cohort.train & f.asked
    counts = np.zeros((len(names), len(f.values)))
    np.add.at(counts, (cohort.condition[of], f.codes[of]), 1.0)
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


def _question(
    base: KnowledgeBase, code: str, asked: dict[str, list[Answer]], complaints: dict[str, str], prices: Prices
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
