"""A scenario from a Bayesian network: its observable variables become investigations, the target's states conditions.

The scenario's joint law of the target and all that can be observed is exactly the network's. What is neither is summed
out or becomes a latent finding or an unrevealed comorbidity. Whatever the network does not say (costs, what a decision
is worth) is stated as assumed.
"""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import isfinite, prod
from pathlib import Path
from typing import Any, get_args

import numpy as np

from workup.envs.compile.faults import check_scenario
from workup.envs.model.network import Network, NetworkVariable
from workup.errors import FileFormatError, ScenarioError, UnknownNameError, WorkupError, suggestion
from workup.importers.networks.files import load_network
from workup.importers.reduction import core_of, reduced
from workup.importers.scenario_text import Names, value_words, yaml_text
from workup.scenarios.language.durations import hours
from workup.scenarios.language.lint.lint import faults_of
from workup.scenarios.language.reading.reader import interpret
from workup.scenarios.language.reading.yaml_tree import parse
from workup.scenarios.language.schema import OPENING, Scenario, Tier

COST_COLUMNS = ("test", "cost_gbp", "tier", "turnaround", "discomfort_gbp", "dose_msv", "label")
TIERS: tuple[str, ...] = get_args(Tier)
MOST_STATES = 2**15
"""Most joint states of the variables that others depend on: a posterior is kept over these for every patient at once."""


@dataclass(frozen=True)
class Price:
    """What is known of one test besides the network."""

    cost_gbp: float
    tier: str = "bloods"
    turnaround: str = "0"
    discomfort_gbp: float = 0.0
    dose_msv: float = 0.0
    label: str = ""


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


def import_network(
    file: Path,
    *,
    target: str,
    tests: str | None = None,
    costs: Path | None = None,
    cost_gbp: float = 10.0,
    wrong_gbp: float = 1000.0,
    id: str | None = None,
) -> ImportedNetwork:
    """Make a scenario of the network in `file`.

    Args:
        file: as `workup.load_network` reads it.
        target: the variable whose states become the conditions.
        tests: 'a,b,panel=c+d': variables that can be observed, or groups of them observed together; None: every
            other variable by itself or, where that is too large, those on which no other depends.
        costs: CSV with a header; columns test and cost_gbp, and if wanted tier, turnaround ('2 h'), discomfort_gbp,
            dose_msv and label. A row for each test and no other.
        cost_gbp: what a test costs where `costs` is None, in pounds.
        wrong_gbp: what deciding for a wrong condition loses, in pounds.
        id: of the scenario; None: the file's name and the target.

    Raises:
        FileFormatError: the network's or the costs' file, with `file:line`.
        UnknownNameError: a target or test that is not in the network, or a cost for what is no test.
        WorkupError: the network is too large for this target and these tests, with its size.
    """
    network = load_network(file)
    groups, only_leaves = _tests(network, target, tests)
    if any(not (isfinite(amount) and amount >= 0) for amount in (cost_gbp, wrong_gbp)):
        raise WorkupError("the default cost and the loss of a wrong decision are 0 pounds or more")
    prices = _prices(costs, groups) if costs else {name: Price(cost_gbp) for name in groups}
    observed = [name for group in groups.values() for name in group]
    small = reduced(network, target, observed)
    _refuse_if_large(small, network, target, groups)
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    return _Writer(small, target, groups, prices, only_leaves).scenario(
        name=id or f"{file.stem}_{target}", file=file.name, digest=digest, costs=costs, wrong_gbp=wrong_gbp
    )


def checked(made: ImportedNetwork, file: str) -> Scenario:
    """The scenario, once the linter has nothing to say of it.

    Args:
        made: as `import_network` returns it.
        file: where it is going to stand, for messages.

    Raises:
        ScenarioError: it cannot be written in the language, mostly because it is too long.
    """
    tree = parse(made.text.encode(), file)
    reading = interpret(tree)
    faults = faults_of(reading)
    if reading.scenario is not None and not faults:
        faults = check_scenario(reading.scenario, tree)
    if faults or reading.scenario is None:
        raise ScenarioError(faults)
    return reading.scenario


def _tests(network: Network, target: str, tests: str | None) -> tuple[dict[str, tuple[str, ...]], bool]:
    """Test -> what it shows, and whether all that none depends on was chosen."""
    if len(network.variable(target).values) < 2:
        raise WorkupError(f"the target {target} has one state only; there is nothing to tell apart")
    if tests is None:
        return _all_or_leaves(network, target)
    groups: dict[str, tuple[str, ...]] = {}
    seen: dict[str, str] = {}
    for part in (part.strip() for part in tests.split(",")):
        name, equals, members = part.partition("=")
        if part in network.by_name or not equals:
            name, members = part, part
        shown = (part,) if part in network.by_name else tuple(m.strip() for m in members.split("+"))
        if name in groups:
            raise WorkupError(f"the test {name!r} is named twice; name each once")
        for member in shown:
            if member not in network.by_name:
                raise UnknownNameError(f"test {name!r}: no variable {member!r}{suggestion(member, network.by_name)}")
            if member == target:
                raise WorkupError(f"test {name!r}: {target} is the target, which no test shows; leave it out")
            if len(network.variable(member).values) < 2:
                raise WorkupError(f"test {name!r}: {member} has one value only, so it shows nothing; leave it out")
            if member in seen:
                raise WorkupError(f"{member} is shown by {seen[member]!r} and {name!r}; expected one test")
            seen[member] = name
        groups[name] = shown
    return groups, False


def _all_or_leaves(network: Network, target: str) -> tuple[dict[str, tuple[str, ...]], bool]:
    listed = [v.name for v in network.variables if v.name != target and len(v.values) > 1]
    if not listed:
        raise WorkupError(f"the network has nothing but {target} to observe")
    if _states(reduced(network, target, listed), target) <= MOST_STATES:
        return {name: (name,) for name in listed}, False
    leaves = _leaves(network, target)
    return {name: (name,) for name in listed if name in leaves} or {name: (name,) for name in listed}, True


def _leaves(network: Network, target: str) -> set[str]:
    """Variables on which no other depends."""
    parents = {parent for v in network.variables for parent in v.parents}
    return {v.name for v in network.variables if v.name not in parents and v.name != target}


def _states(network: Network, target: str) -> int:
    return prod(core_of(network, target).values())


def _prices(path: Path, groups: Mapping[str, Sequence[str]]) -> dict[str, Price]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = list(csv.DictReader(file, restkey="", restval=None))
    except (UnicodeDecodeError, csv.Error) as error:
        raise FileFormatError(f"{path}: not a CSV file ({error}); save it as UTF-8, separated by commas") from None
    header = list(rows[0]) if rows else []
    unknown = [column for column in header if column not in COST_COLUMNS]
    if not {"test", "cost_gbp"} <= set(header) or unknown:
        found = ", ".join(header) or "nothing"
        raise FileFormatError(f"{path}:1: found the columns {found}; expected {', '.join(COST_COLUMNS)} (two at least)")
    prices: dict[str, Price] = {}
    for line, row in enumerate(rows, start=2):
        name = (row["test"] or "").strip()
        if name not in groups:
            raise UnknownNameError(f"{path}:{line}: a cost for {name!r}, which is no test{suggestion(name, groups)}")
        if name in prices:
            raise FileFormatError(f"{path}:{line}: a second row for {name!r}; expected one")
        prices[name] = _price(path, line, row)
    missing = [name for name in groups if name not in prices]
    if missing:
        raise FileFormatError(f"{path}: no cost for {', '.join(missing[:12])}; expected a row for every test")
    return prices


def _price(path: Path, line: int, row: Mapping[str, str | None]) -> Price:
    said = {key: text.strip() for key, text in row.items() if text is not None and text.strip()}
    known: dict[str, Any] = {}
    for key in ("cost_gbp", "discomfort_gbp", "dose_msv"):
        if key in said:
            known[key] = _amount(path, line, key, said[key])
    if "cost_gbp" not in known:
        raise FileFormatError(f"{path}:{line}: no cost_gbp; expected pounds, 0 or more")
    if "tier" in said:
        if said["tier"] not in TIERS:
            raise FileFormatError(f"{path}:{line}: found the tier {said['tier']!r}; expected one of {', '.join(TIERS)}")
        known["tier"] = said["tier"]
    if "turnaround" in said:
        try:
            hours(0 if said["turnaround"] == "0" else said["turnaround"])
        except ValueError as error:
            raise FileFormatError(f"{path}:{line}: {error}") from None
        known["turnaround"] = said["turnaround"]
    return Price(**known, label=said.get("label", ""))


def _amount(path: Path, line: int, key: str, text: str) -> float:
    try:
        amount = float(text)
    except ValueError:
        amount = -1.0
    if not (isfinite(amount) and amount >= 0):
        raise FileFormatError(f"{path}:{line}: found {text!r} for {key}; expected a number, 0 or more")
    return amount


def _refuse_if_large(small: Network, whole: Network, target: str, groups: Mapping[str, Sequence[str]]) -> None:
    core = core_of(small, target)
    if _states(small, target) <= MOST_STATES:
        return
    shown = ", ".join(f"{name} ({size})" for name, size in list(core.items())[:12])
    more = f" and {len(core) - 12} more" if len(core) > 12 else ""
    raise WorkupError(
        f"{target} with {len(groups)} tests: {len(core)} variables on which others depend have "
        f"{_states(small, target):,} joint states: {shown}{more}. Exact posteriors are kept for at most "
        f"{MOST_STATES:,}. Name fewer --tests, first those on which no other variable depends (there are "
        f"{len(_leaves(whole, target))}); whatever is not named is summed out"
    )


@dataclass
class _Writer:
    network: Network
    target: str
    groups: Mapping[str, Sequence[str]]
    prices: Mapping[str, Price]
    only_leaves: bool
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

    def scenario(self, *, name: str, file: str, digest: str, costs: Path | None, wrong_gbp: float) -> ImportedNetwork:
        investigations = {test: self.names.name(f"test_{test}") for test in self.groups}
        items, placeholders = self._items(investigations, costs)
        decisions = {value: self.names.name(f"decide_{of}") for value, of in self.conditions.items()}
        prior = self.network.conditional((self.target,))
        likeliest = decisions[self.network.variable(self.target).values[int(prior.argmax())]]
        from_file = {
            "status": "derived",
            "source": "network_file",
            "note": f"As in {file}, or summed out of it exactly",
        }
        data: dict[str, Any] = {
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
        data["investigations"] = items
        zero = {"status": "assumed", "note": "Default of import-network"}
        data["utility"] = zero | {"unit": "gbp", "gbp_per_qaly": 20000}
        data["decisions"] = zero | {
            decisions[value]: {
                "label": f"Decide for {self.target}: {value}",
                "kind": "treat",
                "right_for": [of],
                "utility": {of: 0, "otherwise": -wrong_gbp},
            }
            for value, of in self.conditions.items()
        }
        weights = {part: 1 for part in ("cost", "harm", "delay", "utility")}
        data["rewards"] = {
            "complex_decision": {"label": "The right decision at least cost", "weights": weights},
            "triage": zero
            | {
                "label": "Only the urgency of a decision counts; nothing here is urgent",
                "weights": weights,
                "urgency_utility_gbp": {"routine": {"routine": 0}},
            },
        }
        opening = [
            (tier, [n for n, of in items.items() if isinstance(of, dict) and of.get("tier") == tier])
            for tier in OPENING
        ]
        data["guideline"] = [
            *({"do": n[0], "when": {n[0]: "not_done"}, "why": f"A journey starts with {tier}"} for tier, n in opening),
            {"do": likeliest, "why": "The likeliest state of the network without evidence"},
        ]
        data["max_steps"] = max(40, len(items) + 10)
        return ImportedNetwork(
            yaml_text(data),
            dict(self.called),
            dict(self.values),
            investigations,
            _states(self.network, self.target),
            self.only_leaves,
        )

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
