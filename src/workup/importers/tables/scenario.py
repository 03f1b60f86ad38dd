"""The scenario of a table: a naive Bayes model of its findings, counted in the training rows."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workup.envs.model.codes import MISSING
from workup.importers.counts import PSEUDO, WEIGHTS, law_row
from workup.importers.tables.costs import Costs
from workup.importers.tables.files import ClinicalTable
from workup.importers.tables.findings import Classes, Finding, Item
from workup.importers.tables.names import plain
from workup.scenarios.language.writing import Names, yaml_text

DAY = "1 day"


@dataclass(frozen=True, eq=False)
class Imported:
    """A table, and what became of it."""

    table: ClinicalTable
    target: str
    priced: Costs
    classes: Classes
    items: tuple[Item, ...]
    told: tuple[Finding, ...]
    """What is known at the start."""

    @property
    def findings(self) -> list[Finding]:
        """All, in the order of the file."""
        return [*self.told, *(f for item in self.items for f in item.findings)]


def scenario_text(of: Imported, names: Names, *, error_cost: float, seed: int) -> str:
    """scenario.yaml.

    Args:
        of: what was read.
        names: that are taken already.
        error_cost: what a wrong decision loses.
        seed: of the split, to be told.
    """
    table, trained = of.table, int(of.classes.train.sum())
    heading = (
        f"Made by `workup import-table` from {table.path.name}: every probability was counted in its {trained:,} training "
        "rows.\nPatients are rows of patients.parquet, not draws from this model."
    )
    called = names.names(f"{plain(of.target)}_{label}" for label in of.classes.labels)
    said = f"{trained:,} of the {len(of.classes.train):,} rows of {table.path.name} (seed {seed})"
    data = _about(of, said) | _patients(of, called) | _journey(of, called) | _ends(of, called, names, error_cost)
    return yaml_text(data, heading)


def _about(of: Imported, said: str) -> dict[str, Any]:
    file = of.table.path
    return {
        "id": Names().name(re.sub(r"[^A-Za-z0-9_]+", "_", file.stem).strip("_").lower() or "table"),
        "title": f"{file.stem}: {of.target}",
        "version": "1.0",
        "about": f"Patients are the rows of {file.name}. The figures here are a model fitted to the training rows: naive "
        "Bayes over bands and categories. It is what agents know and what the belief view shows, not the law of the patients.",
        "status": "derived",
        "note": f"Estimated from the training rows, {said}, with {PSEUDO:g} added to every count.",
        "who": {
            "authors": ["workup import-table"],
            "status": "draft",
            "guideline": {"name": "none", "version": "0"},
            "setting": f"Imported from {file.name}; money as in {of.priced.path.name}",
            "currency": "GBP",
            "price_year": 1995,
        },
    }  # fmt: skip


def _patients(of: Imported, called: tuple[str, ...]) -> dict[str, Any]:
    """Conditions and findings."""
    trained = of.classes.of[of.classes.train]
    prior = np.bincount(trained, minlength=len(called)) / len(trained)
    labels = zip(called, of.classes.labels, strict=True)
    return {
        "context": {},
        "conditions": {name: {"label": f"{of.target} = {label}"} for name, label in labels},
        "prior": {"table": law_row(called, prior)},
        "findings": {f.name: _law(f, called, of.classes) for f in of.findings},
    }


def _journey(of: Imported, called: tuple[str, ...]) -> dict[str, Any]:
    """What can be ordered, and what is not to be had."""
    tests = {item.test.name: item.name for item in of.items}
    prices = {group: price for group, price in of.priced.shared.items() if price > 0}
    used = {item.test.group for item in of.items}
    set_ups = dict(zip(prices, Names().names(f"group_{group}" for group in prices), strict=True))
    return {
        "set_ups": {
            set_ups[group]: {"label": f"What the tests of group {group} share", "cost_gbp": price}
            for group, price in prices.items()
            if group in used
        },
        "investigations": {
            "history": {
                "label": "What is known at the start",
                "tier": "history",
                "reveals": [f.name for f in of.told],
            },
            "examination": {"label": "Nothing more is known at the start", "tier": "examination", "reveals": []},
            **{item.name: _investigation(item, tests, set_ups) for item in of.items},
        },
        "availability": dict(_mechanisms(of, called)),
    }


def _ends(of: Imported, called: tuple[str, ...], names: Names, error_cost: float) -> dict[str, Any]:
    """Decisions and what they are worth, and the least that a guideline must say."""
    decisions = names.names(f"say_{label}" for label in of.classes.labels)
    commonest = decisions[int(np.bincount(of.classes.of[of.classes.train], minlength=len(called)).argmax())]
    return {
        "utility": {"unit": "gbp", "gbp_per_qaly": 1},
        "decisions": {
            decision: {
                "label": f"{of.target} is {label}",
                "kind": "refer",
                "right_for": [right],
                "utility": {name: 0.0 if name == right else -error_cost for name in called},
            }
            for decision, right, label in zip(decisions, called, of.classes.labels, strict=True)
        },
        "rewards": {
            "complex_decision": {"label": "Money: tests and wrong decisions", "weights": WEIGHTS},
            "triage": {
                "label": "Only what tests cost",
                "weights": WEIGHTS,
                "urgency_utility_gbp": {"routine": {"routine": 0.0}},
            },
        },
        "guideline": [
            {"do": "history", "when": {"history": "not_done"}, "why": "A journey starts with it"},
            {"do": "examination", "when": {"examination": "not_done"}, "why": "A journey starts with it"},
            {"do": commonest, "why": "The commonest class of the training rows"},
        ],
        "max_steps": len(of.items) + 8,
    }


def _investigation(item: Item, tests: dict[str, str], set_ups: dict[str, str]) -> dict[str, Any]:
    test = item.test
    grouped = test.group in set_ups
    made: dict[str, Any] = {
        "label": test.name,
        "tier": "bloods" if test.delayed else "bedside",
        "reveals": [f.name for f in item.findings],
        "cost_gbp": test.discount_cost if grouped else test.full_cost,
        "turnaround": DAY if test.delayed else 0,
    }
    if grouped:
        made["set_up"] = set_ups[str(test.group)]
    if test.requires:
        made["requires"] = [{tests[name]: ["done", "failed"]} for name in test.requires if name in tests]
    return made


def _law(f: Finding, called: tuple[str, ...], classes: Classes) -> dict[str, Any]:
    """P(value | class), counted over training rows that have a value."""
    table = {}
    for c, name in enumerate(called):
        codes = f.codes[classes.train & (classes.of == c) & (f.codes >= 0)]
        counts = np.bincount(codes, minlength=len(f.values)) + PSEUDO
        table[name] = law_row(f.values, counts / counts.sum())
    law: dict[str, Any] = {"label": f.label, "given": ["condition"], "table": table}
    if f.numbers is None:
        return law | {"values": list(f.values)}
    bands = {word: [low, high] for word, low, high in zip(f.values, f.edges[:-1], f.edges[1:], strict=True)}
    return law | {"unit": "as recorded", "bands": bands}


def _mechanisms(of: Imported, called: tuple[str, ...]) -> Iterator[tuple[str, dict[str, Any]]]:
    """How often a value was not recorded, by class: only where some row lacks it."""
    for item in of.items:
        none = item.unavailable
        if none.any():
            chance = _shares(none, np.ones_like(none), called, of.classes)
            yield f"{item.name}_not_recorded", {
                "kind": "unobtainable", "affects": [item.name], "given": ["condition"], "chance": chance, "charged": False,
                "why": _WHY,
            }  # fmt: skip
        for f in item.findings:
            alone = (f.codes == MISSING) & ~none
            if alone.any():
                yield _withheld(f, _shares(alone, ~none, called, of.classes))
    for f in of.told:
        gone = f.codes == MISSING
        if gone.any():
            yield _withheld(f, _shares(gone, np.ones_like(gone), called, of.classes))


_WHY = "The table has no value for this patient"


def _withheld(f: Finding, chance: dict[str, float]) -> tuple[str, dict[str, Any]]:
    mechanism = {"kind": "withheld", "affects": [f.name], "given": ["condition"], "chance": chance, "why": _WHY}
    return f"{f.name}_not_recorded", mechanism


def _shares(
    hit: NDArray[np.bool_], among: NDArray[np.bool_], called: tuple[str, ...], classes: Classes
) -> dict[str, float]:
    """P(hit | class) in the training rows `among`."""
    rows = [classes.train & among & (classes.of == c) for c in range(len(called))]
    return {
        name: round(float((hit[of].sum() + PSEUDO) / (of.sum() + 2 * PSEUDO)), 8)
        for name, of in zip(called, rows, strict=True)
    }
