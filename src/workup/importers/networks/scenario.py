"""The scenario of a network: where each variable stands, its law word for word, tests, and decisions for the target's states."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import prod
from pathlib import Path
from typing import Any

import numpy as np

from workup.envs.model.network import Network, NetworkVariable
from workup.importers.counts import WEIGHTS
from workup.importers.networks.prices import Price
from workup.importers.reduction import core_of
from workup.scenarios.language.schema import OPENING
from workup.scenarios.language.writing import Names, value_words, yaml_text


@dataclass(frozen=True)
class ImportedNetwork:
    """A scenario made of a network, and what its words are called there."""

    text: str
    """scenario.yaml"""
    variables: dict[str, str]
    """Variable of the network -> of the scenario (`condition` for the target); what was summed out is not there."""
    values: dict[str, dict[str, str]]
    """Variable of the network -> value of the network -> of the scenario."""
    investigations: dict[str, str]
    """Test, as asked for -> investigation of the scenario."""
    states: int
    """Joint states of the variables that others depend on."""
    only_leaves: bool
    """No tests were named, and with all variables as tests the network is too large: those on which none depends."""


@dataclass
class ScenarioOfNetwork:
    """The scenario of a network, piece by piece."""

    network: Network
    """Nothing but the target, what is observed, and what these depend on."""
    target: str
    groups: Mapping[str, Sequence[str]]
    """Test -> the variables that it shows."""
    prices: Mapping[str, Price]
    names: Names = field(default_factory=Names)

    def __post_init__(self) -> None:
        self.observed = {name for group in self.groups.values() for name in group}
        self.called = {v.name: self.names.name(v.name) for v in self.network.variables if v.name != self.target}
        of_target = self.network.variable(self.target)
        self.conditions = {value: self.names.name(f"{self.target}_{value}") for value in of_target.values}
        self.values = {
            v.name: dict(zip(v.values, value_words(v.values), strict=True))
            for v in self.network.variables
            if v.name != self.target
        }
        self.called[self.target], self.values[self.target] = "condition", self.conditions
        self.section = self._sections()

    def made(
        self, *, name: str, file: str, digest: str, costs: Path | None, wrong_gbp: float, only_leaves: bool
    ) -> ImportedNetwork:
        """The text of the scenario, and what is called how in it.

        Args:
            name: a word to make the id of.
            file: of the network, to be told.
            digest: its SHA-256.
            costs: the file of prices, to be told.
            wrong_gbp: what deciding for a wrong condition loses.
            only_leaves: to be told in what is returned.
        """
        investigations = {test: self.names.name(f"test_{test}") for test in self.groups}
        items, placeholders = self._items(investigations, costs)
        data = self._about(name, file, digest) | self._patients(file, placeholders)
        data |= {"investigations": items} | self._ends(items, wrong_gbp)
        states = prod(core_of(self.network, self.target).values())
        return ImportedNetwork(
            yaml_text(data), dict(self.called), dict(self.values), investigations, states, only_leaves
        )

    def _about(self, name: str, file: str, digest: str) -> dict[str, Any]:
        return {
            "id": Names().name(name),
            "title": f"{self.target}, from the network {file}",
            "version": "1.0",
            "about": f"Made from a Bayesian network by `workup import-network`: {len(self.groups)} tests to tell the "
            f"{len(self.conditions)} states of {self.target}. What the network does not say is assumed.",
            "who": {
                "authors": ["workup import-network"],
                "status": "draft",
                "guideline": {"name": "none: the decision that is likeliest beforehand", "version": "1"},
                "setting": "as the network's",
                "price_year": 2024,
            },
            "sources": {"network_file": {"cite": f"The file {file}, SHA-256 {digest}", "seen": False}},
        }

    def _patients(self, file: str, placeholders: dict[str, Any]) -> dict[str, Any]:
        """Conditions and all variables, with the network's own laws."""
        note = f"As in {file}, or summed out of it exactly"
        from_file = {"status": "derived", "source": "network_file", "note": note}
        data: dict[str, Any] = {
            "conditions": {
                of: {"label": f"{self.target}: {value}", "urgency": "routine"} for value, of in self.conditions.items()
            },
            "context": {},
            "prior": from_file | self._law(self.network.variable(self.target)),
        }
        for section in ("comorbidities", "latent", "findings"):
            found = {self.called[n]: self._variable(n) for n, place in self.section.items() if place == section}
            extra = placeholders if section == "findings" else {}
            if found or extra:
                data[section] = from_file | found | extra
        return data

    def _ends(self, items: dict[str, Any], wrong_gbp: float) -> dict[str, Any]:
        """Decisions and what they are worth, and the least that a guideline must say."""
        zero = {"status": "assumed", "note": "Default of import-network"}
        decisions = {value: self.names.name(f"decide_{of}") for value, of in self.conditions.items()}
        prior = self.network.conditional((self.target,))
        likeliest = decisions[self.network.variable(self.target).values[int(prior.argmax())]]
        tiers = {
            tier: [n for n, of in items.items() if isinstance(of, dict) and of["tier"] == tier] for tier in OPENING
        }
        return {
            "utility": zero | {"unit": "gbp", "gbp_per_qaly": 20000},
            "decisions": zero
            | {
                decisions[value]: {
                    "label": f"Decide for {self.target}: {value}",
                    "kind": "treat",
                    "right_for": [of],
                    "utility": {of: 0, "otherwise": -wrong_gbp},
                }
                for value, of in self.conditions.items()
            },
            "rewards": {
                "complex_decision": {"label": "The right decision at least cost", "weights": WEIGHTS},
                "triage": zero
                | {
                    "label": "Only the urgency of a decision counts; nothing here is urgent",
                    "weights": WEIGHTS,
                    "urgency_utility_gbp": {"routine": {"routine": 0}},
                },
            },
            "guideline": [
                *(
                    {"do": n[0], "when": {n[0]: "not_done"}, "why": f"A journey starts with {tier}"}
                    for tier, n in tiers.items()
                ),
                {"do": likeliest, "why": "The likeliest state of the network without evidence"},
            ],
            "max_steps": max(40, len(items) + 10),
        }

    def _sections(self) -> dict[str, str]:
        """Variable -> where it may stand so that the language allows all its children to depend on it."""
        section = {
            v.name: "findings" if v.name in self.observed else "latent"
            for v in self.network.variables
            if v.name != self.target
        }
        for name in reversed(self.network.order):  # children before parents
            place = section.get(name, "comorbidities")
            for parent in self.network.variable(name).parents:
                if parent == self.target:
                    continue
                if place == "comorbidities" or (place == "latent" and section[parent] == "findings"):
                    section[parent] = "comorbidities"
        return section

    def _variable(self, name: str) -> dict[str, Any]:
        return {"label": name, "values": list(self.values[name].values())} | self._law(self.network.variable(name))

    def _law(self, variable: NetworkVariable) -> dict[str, Any]:
        parents = {"given": [self.called[parent] for parent in variable.parents]} if variable.parents else {}
        return parents | {"table": self._nested(variable, variable.cpt, 0)}

    def _nested(self, variable: NetworkVariable, table: np.ndarray[Any, Any], depth: int) -> dict[str, Any]:
        if depth == len(variable.parents):
            words = self.values[variable.name].values()
            return dict(zip(words, (float(p) for p in table), strict=True))
        parent = variable.parents[depth]
        return {
            word: self._nested(variable, part, depth + 1)
            for word, part in zip(self.values[parent].values(), table, strict=True)
        }

    def _items(self, called: Mapping[str, str], costs: Path | None) -> tuple[dict[str, Any], dict[str, Any]]:
        """Investigations, and findings of those that only open the journey."""
        said = f"From {costs.name}" if costs else "Default of import-network"
        items: dict[str, Any] = {"status": "assumed", "note": said}
        placeholders: dict[str, Any] = {}
        for tier in OPENING:
            if all(price.tier != tier for price in self.prices.values()):
                item, finding = self.names.name(tier), self.names.name(f"{tier}_done")
                items[item] = {
                    "label": f"{tier.capitalize()} (the network has none)",
                    "tier": tier,
                    "reveals": [finding],
                }
                placeholders[finding] = {
                    "label": f"{tier.capitalize()} was taken" if tier == "history" else f"{tier.capitalize()} was done",
                    "values": ["no", "yes"],
                    "chance": 1,
                    "status": "assumed",
                    "note": "Always so: a journey starts with history and examination",
                }
        for test, shown in self.groups.items():
            price = self.prices[test]
            entry: dict[str, Any] = {
                "label": price.label or test,
                "tier": price.tier,
                "reveals": [self.called[name] for name in shown],
                "cost_gbp": price.cost_gbp,
                "turnaround": 0 if price.turnaround == "0" else price.turnaround,
            }
            for key in ("discomfort_gbp", "dose_msv"):
                if getattr(price, key):
                    entry[key] = getattr(price, key)
            items[called[test]] = entry
        return items, placeholders
