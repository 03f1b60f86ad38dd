"""Small valid scenarios with their figures and features drawn at random, as plain data and as checked scenarios.

The same seed gives the same scenario. Everything that changes what a policy is worth may occur: context that is
known at the start, asked for or told; comorbidities and latent findings; results that depend on each other or on an
act; costs, shared set-ups, doses, complications and incidental findings; prerequisites, contraindications, refusals,
failures, results that are withheld or corrupted; order sets; waiting and progression; acts with benefits; decisions
that require evidence; losses, waiting and benefits that differ by patient, and benefits that some decisions pay; a finding that is
looked at again.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from workup.errors import ScenarioError
from workup.scenarios.language.lint.lint import faults_of
from workup.scenarios.language.reading.reader import interpret
from workup.scenarios.language.reading.yaml_tree import parse
from workup.scenarios.language.schema import Scenario

YES_NO = ("no", "yes")
GBP_PER_QALY = 20000
TIERS = ("bedside", "bloods", "imaging", "invasive")


def scenario_of(data: dict[str, Any]) -> Scenario:
    """The checked scenario of generated data; raises ScenarioError with every fault."""
    reading = interpret(parse(json.dumps(data).encode(), "generated"))
    faults = faults_of(reading)
    if faults or reading.scenario is None:
        raise ScenarioError(faults)
    return reading.scenario


def generate(
    seed: int,
    *,
    tests: int | None = None,
    results: int = 3,
    progresses: bool | None = None,
    locks: bool = True,
    amounts: bool = True,
    again: bool | None = None,
) -> dict[str, Any]:
    """A scenario as a clinician would write it.

    Args:
        seed: of all figures and features.
        tests: investigations after history and examination; None: 2 to 4.
        results: most values of a finding.
        progresses: whether a condition progresses with time; None: one time in four.
        locks: whether decisions may require evidence; all else is the same without.
        amounts: whether losses, waiting and benefits may differ by patient; all else is the same without.
        again: whether the first test may be followed by one that shows how its finding changed; all else is the same without.
            None: as `locks`.
    """
    maker = _Maker(seed)
    scenario = maker.scenario(tests, results, progresses)
    if locks:
        maker.lock(scenario["decisions"], scenario["investigations"])
    if amounts:
        maker.differ(scenario)
    if locks if again is None else again:
        maker.look_again(scenario)
    return scenario


class _Maker:
    def __init__(self, seed: int) -> None:
        self.seed, self.rng = seed, np.random.default_rng(seed)

    # -- numbers in the shape of the language ------------------------------------------------------------------

    def often(self, share: float) -> bool:
        return bool(self.rng.uniform() < share)

    def between(self, low: float, high: float) -> float:
        return round(float(self.rng.uniform(low, high)), 1)

    def chance(self, *given: tuple[str, ...], most: float = 1.0) -> Any:
        if given:
            return {value: self.chance(*given[1:], most=most) for value in given[0]}
        sure = [0.0, most] if most == 1.0 else [0.0]
        return float(self.rng.choice(sure)) if self.often(0.08) else round(float(self.rng.uniform(0.02, most)), 3)

    def row(self, values: tuple[str, ...], *given: tuple[str, ...]) -> Any:
        """Probabilities in thousandths, so that they sum to 1 as written."""
        if given:
            return {value: self.row(values, *given[1:]) for value in given[0]}
        cuts = sorted(self.rng.integers(0, 1001, len(values) - 1).tolist())
        return {v: (b - a) / 1000 for v, (a, b) in zip(values, pairwise([0, *cuts, 1000]), strict=True)}

    def some(self, names: Sequence[str], most: int) -> list[str]:
        count = int(self.rng.integers(0, most + 1))
        return [names[j] for j in sorted(self.rng.permutation(len(names))[:count].tolist())]

    # -- the scenario ------------------------------------------------------------------------------------------

    def scenario(self, tests: int | None, results: int, progresses: bool | None) -> dict[str, Any]:
        self.results, self.stakes = results, float(self.rng.choice([300, 1000, 4000]))
        self.conditions = tuple("abcd"[: self.rng.integers(2, 5)])
        self.values: dict[str, tuple[str, ...]] = {"condition": self.conditions}
        tests = int(self.rng.integers(2, 5)) if tests is None else tests
        self.tests = [f"test_{j}" for j in range(tests)]
        progresses = self.often(0.25) if progresses is None else progresses
        patient = {"context": self.context(), "conditions": self.diseases(progresses), "prior": self.prior()}
        if self.often(0.3):
            patient["comorbidities"] = {"frail": self.variable("frail", [])}
        if self.often(0.3):
            patient["latent"] = {"lump": self.variable("lump", ["condition"])}
        self.acts = self.the_acts()
        findings = self.findings()
        investigations = self.investigations()
        return {
            "id": "generated",
            "title": "Generated",
            "version": "1",
            "about": "Figures drawn at random.",
            "status": "assumed",
            "note": "Drawn at random.",
            "who": {
                "authors": ["a test"],
                "guideline": {"name": "none", "version": "0"},
                "setting": "A test",
                "price_year": 2023,
            },
            **patient,
            "findings": findings,
            "set_ups": {"needle": {"label": "Needle", "cost_gbp": self.between(0, 8), "discomfort_gbp": 2}},
            "investigations": investigations,
            "acts": self.acts,
            **self.order_sets(investigations),
            "availability": self.availability(),
            "loss_gbp_per_msv": 3,
            "utility": {"unit": "gbp", "gbp_per_qaly": GBP_PER_QALY},
            "decisions": self.decisions(),
            "rewards": self.rewards(),
            "guideline": [{"do": "decide_0", "why": "."}],
            "max_steps": 30,
        }

    def context(self) -> dict[str, Any]:
        found = {}
        if self.often(0.4):
            found["sex"] = {**self.variable("sex", []), "known": "at_start"}
        if self.often(0.35):
            found["wish"] = self.variable("wish", [])
        if self.often(0.3):
            found["smoker"] = self.variable("smoker", [p for p in ("sex",) if p in self.values])
        return found

    def diseases(self, progresses: bool) -> dict[str, Any]:
        found: dict[str, dict[str, Any]] = {}
        for name in self.conditions:
            urgency = str(self.rng.choice(["emergency", "urgent", "routine"]))
            waiting = self.between(0, 40) if self.often(0.6) else 0
            found[name] = {"label": name, "urgency": urgency, "waiting_cost_gbp_per_day": waiting}
        if progresses:
            worse = self.conditions[-1]
            found["a"]["progression"] = {"to": worse, "median_time": f"{int(self.rng.integers(2, 30))} days"}
        return found

    def prior(self) -> dict[str, Any]:
        given = [p for p in ("sex", "smoker") if p in self.values and self.often(0.7)]
        return {"given": given, "table": self.row(self.conditions, *(self.values[p] for p in given))}

    def variable(self, name: str, given: list[str]) -> dict[str, Any]:
        self.values[name] = YES_NO
        return {"label": name, "given": given, "chance": self.chance(*(self.values[p] for p in given))}

    def finding(self, name: str, given: list[str]) -> dict[str, Any]:
        values = ("low", "mid", "high")[: self.rng.integers(2, self.results + 1)]
        sizes = [self.values.get(p, YES_NO) for p in given]
        self.values[name] = values
        return {"label": name, "values": list(values), "given": given, "table": self.row(values, *sizes)}

    def findings(self) -> dict[str, Any]:
        found = {"told": self.finding("told", ["condition"]), "sign": self.finding("sign", ["condition"])}
        self.parents: set[str] = set()
        self.treated: set[str] = set()
        for j, test in enumerate(self.tests):
            given = ["condition"] if self.often(0.85) else []
            given += self.some([v for v in ("lump", "frail", "sex") if v in self.values], 2)
            earlier = [f"of_{t}" for t in self.tests[:j] if f"of_{t}" not in self.treated]
            given += [f for f in earlier if self.often(0.2)][:1]
            if "drug" in self.acts and self.often(0.4):
                given.append("drug")
                self.treated.add(f"of_{test}")
            self.parents.update(given)
            found[f"of_{test}"] = self.finding(f"of_{test}", given)
        return found

    # -- what one can do ---------------------------------------------------------------------------------------

    def price(self, free: float = 0.3) -> dict[str, Any]:
        hours = 0 if self.often(free) else int(self.rng.integers(1, 72))
        return {"cost_gbp": self.between(0, 25), "turnaround": f"{hours} h" if hours else 0}

    def risks(self, most_loss: float = 300.0) -> dict[str, Any]:
        found: dict[str, Any] = {}
        own = [v for v in ("frail", "condition", "smoker") if v in self.values]
        if self.often(0.3):
            given = self.some(own, 2)
            chance = self.chance(*(self.values[p] for p in given), most=0.1)
            loss = self.between(0, most_loss)
            found["complications"] = {"hurt": {"label": "Hurt", "given": given, "chance": chance, "loss_gbp": loss}}
        if self.often(0.2):
            given = self.some(own, 1)
            chance = self.chance(*(self.values[p] for p in given), most=0.2)
            found["incidental"] = {"label": "Nodule", "given": given, "chance": chance, "cost_gbp": 60, "loss_gbp": 11}
        return found

    def refusal(self) -> dict[str, Any]:
        if not self.often(0.25):
            return {}
        if "wish" in self.values and self.often(0.5):
            return {"refusable": {"when": {"wish": "yes"}}}
        given = self.some([v for v in ("wish", "frail", "condition") if v in self.values], 2)
        return {"refusable": {"given": given, "chance": self.chance(*(self.values[p] for p in given))}}

    def investigations(self) -> dict[str, Any]:
        told = ["told", *(v for v in ("smoker",) if v in self.values)]
        seen = ["sign", *(v for v in ("frail",) if v in self.values and self.often(0.5))]
        self.revealed = {*told, *seen}
        found: dict[str, Any] = {
            "history": {"label": "History", "tier": "history", "reveals": told, **self.price()},
            "examination": {"label": "Examination", "tier": "examination", "reveals": seen, **self.price()},
        }
        for test in self.tests:
            item = {"label": test, "tier": str(self.rng.choice(TIERS)), "reveals": [f"of_{test}"], **self.price()}
            item |= {"dose_msv": self.between(0, 3), "discomfort_gbp": self.between(0, 5)}
            item |= {"attempts": int(self.rng.integers(1, 3)), **self.risks(), **self.refusal(), **self.rules(test)}
            if item["turnaround"] and self.often(0.5):
                item["set_up"] = "needle"
            found[test] = item
        return found

    def rules(self, test: str) -> dict[str, Any]:
        found: dict[str, Any] = {}
        earlier = self.tests[: self.tests.index(test)]
        if earlier and self.often(0.3):
            other = str(self.rng.choice(earlier))
            alternatives: dict[str, Any] = {f"of_{other}": [self.values[f"of_{other}"][-1]]}
            if self.often(0.5):
                alternatives["told"] = {"not": [self.values["told"][0]]}
            if self.often(0.2):
                alternatives = {other: str(self.rng.choice(["done", "not_done", "failed"]))}
                if alternatives[other] == "failed":
                    alternatives["told"] = self.values["told"][0]
            found["requires"] = [alternatives]
        sound = [v for v in ("wish", "frail", "smoker") if v in self.values and v in {*self.revealed, *self.asked()}]
        if sound and self.often(0.4):
            against = {"when": {sound[0]: "yes"}, "loss_gbp": self.between(0, 120), "why": "."}
            found["contraindicated"] = [against]
        return found

    def asked(self) -> set[str]:
        return {name for act in self.acts.values() for name in act.get("reveals", ())}

    def the_acts(self) -> dict[str, Any]:
        found: dict[str, Any] = {}
        if self.often(0.35):
            found["drug"] = {
                "label": "Drug",
                **self.price(),
                "waiting_factor": {"b": self.between(0, 1)},
                "progression_factor": {"a": self.between(0, 1)},
                "benefit_gbp": {"b": self.between(0, 120), "a": -self.between(0, 30)},
                **self.risks(),
                **self.refusal(),
            }
        if "wish" in self.values:
            found["ask"] = {"label": "Ask", "reveals": ["wish"], **self.price()}
        return found

    def order_sets(self, investigations: dict[str, Any]) -> dict[str, Any]:
        members = [t for t in self.tests if self.often(0.6)]
        if len(members) < 2 or self.often(0.4):
            return {}
        return {"order_sets": {"bloods": {"label": "Bloods", "members": members}}}

    # -- what goes wrong ---------------------------------------------------------------------------------------

    def availability(self) -> dict[str, Any]:
        found: dict[str, Any] = {}
        core = [v for v in ("condition", "lump", "frail", "wish") if v in self.values]
        for test in self.tests:
            finding = f"of_{test}"
            own = [finding] if finding not in self.treated else []
            if self.often(0.35):
                given = [*self.some(core, 1), *(f for f in own if self.often(0.5))]
                found[f"lost_{test}"] = {
                    "kind": "fails" if self.often(0.6) else "unobtainable",
                    "affects": [test],
                    "given": given,
                    "chance": self.chance(*(self.values[p] for p in given)),
                    "charged": self.often(0.5),
                    "why": ".",
                }
            if self.often(0.2):
                given = [*self.some(core, 1), *(f for f in own if self.often(0.6))]
                chance = self.chance(*(self.values[p] for p in given), most=0.5)
                found[f"hidden_{test}"] = _mechanism("withheld", finding, given, chance)
            if self.often(0.2):
                given = self.some(core, 1)
                chance = self.chance(*(self.values[p] for p in given), most=0.5)
                reported = self.row(self.values[finding], self.values[finding])
                found[f"misread_{test}"] = {**_mechanism("corrupted", finding, given, chance), "reported": reported}
        if self.often(0.2):
            found["shy"] = _mechanism("withheld", "told", ["told"], self.chance(self.values["told"], most=0.5))
        return found

    # -- how it can end ----------------------------------------------------------------------------------------

    def decisions(self) -> dict[str, Any]:
        found = {}
        for j in range(int(self.rng.integers(2, 4))):
            given = ["condition", *(v for v in ("wish",) if v in self.values and self.often(0.3))]
            right_for = list(self.conditions) if j == 0 else [self.conditions[j - 1]]
            found[f"decide_{j}"] = {
                "label": f"Decide {j}",
                "kind": "treat",
                "urgency": str(self.rng.choice(["emergency", "urgent", "routine"])),
                "right_for": right_for,
                "given": given,
                "utility": self.pounds(*(self.values[p] for p in given)),
            }
        return found

    def lock(self, decisions: dict[str, Any], investigations: dict[str, Any]) -> None:
        """Let most decisions but the first require evidence; by draws of their own, so that all else stays as it is."""
        rng = self.rng = np.random.default_rng((self.seed, 1))
        for decision in list(decisions.values())[1:]:
            if self.often(0.6):
                decision["requires"] = [self.requirement(investigations) for _ in range(int(rng.integers(1, 3)))]

    def requirement(self, investigations: dict[str, Any]) -> dict[str, Any]:
        test = str(self.rng.choice(self.tests))
        values = self.values[f"of_{test}"]
        if self.often(0.3):
            return {test: "done" if investigations[test]["attempts"] > 1 else ["done", "failed"]}
        found: dict[str, Any] = {f"of_{test}": list(values[-int(self.rng.integers(1, len(values))) :])}
        if self.often(0.4) and investigations[test]["attempts"] == 1:
            found[test] = ["failed", "refused"]
        if self.often(0.4):
            other = str(self.rng.choice(self.tests))
            found[f"of_{other}"] = {"not": [self.values[f"of_{other}"][0]]}
        if self.often(0.3):
            found["told"] = [self.values["told"][-1]]
        if "drug" in self.acts and self.often(0.2):
            found["drug"] = ["done", "refused"]
        return found

    def differ(self, scenario: dict[str, Any]) -> None:
        """Let losses, waiting and benefits differ by patient; by draws of their own, so that all else stays as it is."""
        self.rng = np.random.default_rng((self.seed, 2))
        for of in scenario["conditions"].values():
            if self.often(0.5):
                of["waiting_cost_gbp_per_day"] = self.amount(0, 60, free_of="condition")
        if self.often(0.5):
            scenario["loss_gbp_per_msv"] = self.amount(0, 8)
        for item in (*scenario["investigations"].values(), *scenario["acts"].values()):
            risks = (
                *item.get("complications", {}).values(),
                *item.get("contraindicated", ()),
                item.get("incidental", {}),
            )
            for of in risks:
                if "loss_gbp" in of and self.often(0.6):
                    of["loss_gbp"] = self.amount(0, 300)
        for act in scenario["acts"].values():
            if self.often(0.6):
                act.pop("benefit_gbp", None)
                act["benefit"] = self.amount(-60, 200)
                if self.often(0.7):
                    wanted = self.some(list(scenario["decisions"]), len(scenario["decisions"]))
                    act["benefit"] |= {"when_decided": wanted} if wanted else {}

    def amount(self, low: float, high: float, free_of: str = "") -> dict[str, Any]:
        given = self.some([v for v in ("condition", "sex", "smoker", "wish", "frail", "lump") if v in self.values], 2)
        given = [name for name in given if name != free_of]
        unit, scale = ("qaly", GBP_PER_QALY) if self.often(0.25) else ("gbp", 1)

        def numbers(*sizes: tuple[str, ...]) -> Any:
            return {v: numbers(*sizes[1:]) for v in sizes[0]} if sizes else self.between(low, high) / scale

        return {"given": given, unit: numbers(*(self.values[name] for name in given))}

    def look_again(self, scenario: dict[str, Any]) -> None:
        """Now and then, where there are few tests, show how the first one's finding changed; by draws of their own."""
        rng = self.rng = np.random.default_rng((self.seed, 2))
        if len(self.tests) > 2 or not self.often(0.9 if "drug" in self.acts else 0.35):
            return
        first, hours = self.tests[0], int(rng.integers(1, 96))
        given = ["condition", *self.some([v for v in ("lump", "frail") if v in self.values], 1)]
        given += ["drug"] if "drug" in self.acts and self.often(0.9) else []
        change = self.finding("changed", given)
        scenario["findings"][f"of_{first}"]["ordinal"] = True
        scenario["findings"]["changed"] = {**change, "change_of": f"of_{first}", "after": f"{hours} h"}
        item = {"label": "Again", "tier": "bloods", "reveals": ["changed"], "cost_gbp": self.between(0, 25)}
        if self.often(0.5):
            item["turnaround"] = f"{hours} h"
        after = {first: "done"} if self.often(0.5) else {f"of_{first}": [self.values[f"of_{first}"][-1]]}
        scenario["investigations"]["again"] = {**item, "requires": [after]}

    def pounds(self, *given: tuple[str, ...]) -> Any:
        return {v: self.pounds(*given[1:]) for v in given[0]} if given else -self.between(0, self.stakes)

    def rewards(self) -> dict[str, Any]:
        weights = {"cost": 1.0, "harm": 1.0, "delay": 1.0, "utility": 1.0}
        if self.often(0.3):
            weights = {"cost": 0.5, "harm": 2.0, "delay": 1.5, "utility": 0.8}
        kinds = ("emergency", "urgent", "routine")
        table = {u: {v: -self.between(0, 300) for v in kinds} for u in kinds}
        triage = {"label": "Triage", "weights": weights, "urgency_utility_gbp": table}
        return {"complex_decision": {"label": "All", "weights": weights}, "triage": triage}


def _mechanism(kind: str, finding: str, given: list[str], chance: Any) -> dict[str, Any]:
    return {"kind": kind, "affects": [finding], "given": given, "chance": chance, "why": "."}
