"""Every policy tree of a small generated scenario, enumerated from the scenario's own words.

Nothing here is shared with the compiler, the engine or the planners: patients are listed one by one from the figures
as written, rules follow docs/DESIGN.md ("Rules of the engine"), and the best of all policies is found by recursion.
A branch that can be reached in several ways is looked at once; its key holds everything that the future depends on.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache, cached_property
from itertools import product
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

F64 = NDArray[np.float64]
YES_NO = ("no", "yes")
OPENING = ("history", "examination")
Outcome = tuple[str, bool, dict[str, str], F64]
"""Status, whether it is charged, what is revealed, chance by patient."""


@dataclass(frozen=True)
class Journey:
    """One journey so far; weights are unnormalised: P(patient and all that was found)."""

    weights: F64
    """(patients,)"""
    facts: tuple[tuple[str, str], ...]
    status: tuple[str, ...]
    failures: tuple[int, ...]
    treated: tuple[str, ...] = ()
    """Findings revealed after the act that changes them."""
    acts: tuple[str, ...] = ()
    waited: tuple[float, ...] = ()
    """Hours of waiting by condition, each weighted by the factors of acts done; so also `progressed`."""
    progressed: tuple[float, ...] = ()

    @cached_property
    def known(self) -> Mapping[str, str]:
        return MappingProxyType(dict(self.facts))

    def key(self) -> tuple[object, ...]:
        """All that the value of the journey depends on."""
        hours = tuple(round(h, 7) for h in (*self.waited, *self.progressed))
        return (frozenset(self.facts), self.status, self.failures, frozenset(self.treated), hours)


class TooManyError(Exception):
    """More branches than a test has time for."""


class Enumeration:
    """The policies of one scenario; looks at no more than `limit` branches."""

    def __init__(self, data: dict[str, Any], preset: str = "complex_decision", limit: int = 200_000) -> None:
        self.data = data
        self.limit = limit
        self.conditions = tuple(data["conditions"])
        self.items: dict[str, Any] = {**data["investigations"], **data["acts"]}
        self.names = tuple(self.items)
        self.reward = data["rewards"][preset]
        self.preset = preset
        self.variables = {
            **data["context"],
            **data.get("comorbidities", {}),
            **data.get("latent", {}),
            **data["findings"],
        }
        self.listed = self._variables_of_patients()
        self.patients, self.prior = self._patients()
        self._seen: dict[tuple[object, ...], float] = {}
        # Looked up by patient once: these depend on nothing but the scenario.
        self.has, self.chance = cache(self._has), cache(self._chance)
        self.truth, self.worth = cache(self._truth), cache(self._worth)
        self.waiting, self.slowed, self.takes = cache(self._waiting), cache(self._slowed), cache(self._takes)
        self.utility = cache(self._utility)
        self.reports, self.outcomes, self.price = cache(self._reports), cache(self._outcomes), cache(self._price)
        self.waits = np.array([self.waiting(c) * self.has("condition", c) for c in self.conditions])

    # -- patients ----------------------------------------------------------------------------------------------

    def values(self, name: str) -> tuple[str, ...]:
        if name == "condition":
            return self.conditions
        return tuple(self.variables[name].get("values", YES_NO)) if name in self.variables else YES_NO

    def law(self, of: dict[str, Any], values: tuple[str, ...], facts: dict[str, str]) -> dict[str, float]:
        """Probabilities of a variable's values for a patient, as written."""
        entry = of["chance"] if "chance" in of else of["table"]
        for parent in of.get("given", ()):
            entry = entry[facts[parent]]
        return {values[0]: 1.0 - entry, values[1]: entry} if "chance" in of else entry

    def _variables_of_patients(self) -> list[str]:
        """What is listed for each patient: all but findings that only ever answer for themselves."""
        acts = set(self.data["acts"])
        treated = {n for n, v in self.variables.items() if acts & set(v.get("given", ()))}
        return ["condition", *(name for name in self.variables if name not in treated)]

    def _patients(self) -> tuple[list[dict[str, str]], F64]:
        rows: list[tuple[dict[str, str], float]] = [({}, 1.0)]
        waiting = list(self.listed)
        laws = {**self.variables, "condition": self.data["prior"]}
        while waiting:
            name = next(n for n in waiting if not set(laws[n].get("given", ())) & set(waiting))
            waiting.remove(name)
            rows = [
                ({**facts, name: value}, p * chance)
                for facts, p in rows
                for value, chance in self.law(laws[name], self.values(name), facts).items()
                if p * chance > 0.0
            ]
        return [facts for facts, _ in rows], np.array([p for _, p in rows])

    def by_patient(self, of: Callable[[dict[str, str]], float]) -> F64:
        return np.array([of(patient) for patient in self.patients])

    def _has(self, name: str, value: str) -> F64:
        return self.by_patient(lambda patient: float(patient[name] == value))

    def _chance(self, *path: str) -> F64:
        """(patients,) probability of an event that stands at this place of the scenario."""
        of = self.data
        for name in path:
            of = of[name]
        return self.by_patient(lambda patient: self.law(of, YES_NO, patient)["yes"])

    def amount(self, of: Any, condition: str | None = None) -> F64:
        """(patients,) pounds of an amount as written; if a condition is given, as if the patient had it."""
        if not isinstance(of, dict):
            return np.full(len(self.patients), float(of))
        unit = "gbp" if "gbp" in of else "qaly"
        rate = 1.0 if unit == "gbp" else self.data["utility"]["gbp_per_qaly"]

        def pounds(patient: dict[str, str]) -> float:
            entry = of[unit]
            for parent in of["given"]:
                entry = entry[condition if parent == "condition" and condition else patient[parent]]
            return float(entry) * rate

        return self.by_patient(pounds)

    def _waiting(self, condition: str) -> F64:
        """(patients,) pounds of an hour's waiting with a condition."""
        return self.amount(self.data["conditions"][condition]["waiting_cost_gbp_per_day"]) / 24

    # -- where a journey begins, and what is legal ---------------------------------------------------------------

    def starts(self) -> list[Journey]:
        names = [n for n, v in self.data["context"].items() if v.get("known") == "at_start"]
        found = []
        for values in product(*(self.values(n) for n in names)):
            weights = self.prior.copy()
            for name, value in zip(names, values, strict=True):
                weights = weights * self.has(name, value)
            none = (0.0,) * len(self.conditions)
            facts = tuple(zip(names, values, strict=True))
            blank = ("not_done",) * len(self.names)
            found.append(Journey(weights, facts, blank, (0,) * len(self.names), waited=none, progressed=none))
        return [journey for journey in found if journey.weights.any()]

    def status(self, journey: Journey, item: str) -> str:
        return journey.status[self.names.index(item)]

    def legal(self, journey: Journey) -> list[str]:
        """Names of the legal actions, as the world names them."""
        single = [item for item in self.names if self.may_order(journey, item)]
        found = [f"{'act' if item in self.data['acts'] else 'order'} {item}" for item in single]
        for name, order_set in self.data.get("order_sets", {}).items():
            fresh = self.fresh(journey, order_set["members"])
            if len(fresh) >= 2 and all(item in single for item in fresh):
                found.append(f"set {name}")
        if self.status(journey, "history") == "done" or not found:
            found += [f"decide {name}" for name in self.unlocked(journey)]
        return found

    def unlocked(self, journey: Journey) -> list[str]:
        """The decisions of which everything required has been found or tried."""
        return [
            name
            for name, of in self.data["decisions"].items()
            if all(any(self.met(journey, n, c) for n, c in group.items()) for group in of.get("requires", ()))
        ]

    def fresh(self, journey: Journey, items: list[str]) -> list[str]:
        return [item for item in items if self.status(journey, item) == "not_done"]

    def may_order(self, journey: Journey, item: str) -> bool:
        of, known, at = self.items[item], journey.known, self.names.index(item)
        tries_left = journey.status[at] == "failed" and journey.failures[at] < of.get("attempts", 1)
        if journey.status[at] != "not_done" and not tries_left:
            return False
        if item not in OPENING and any(self.status(journey, opening) != "done" for opening in OPENING):
            return False
        if not all(any(self.met(journey, n, c) for n, c in group.items()) for group in of.get("requires", ())):
            return False
        against = [_only(entry["when"]) for entry in of.get("contraindicated", ())]
        if any(known.get(name) == value for name, value in against):
            return False
        return not self.sure_to_refuse(of.get("refusable"), known)

    def met(self, journey: Journey, name: str, clause: Any) -> bool:
        if name in self.items:
            return self.status(journey, name) in ([clause] if isinstance(clause, str) else clause)
        value = journey.known.get(name, "withheld")
        if isinstance(clause, dict):
            return value != "withheld" and value not in clause["not"]
        return value in clause

    def sure_to_refuse(self, of: dict[str, Any] | None, known: Mapping[str, str]) -> bool:
        """Whether one known value alone means that every patient refuses."""
        if of is None:
            return False
        if "when" in of:
            return any(known.get(name) == value for name, value in of["when"].items())
        given = of["given"]
        for j, name in enumerate(given):
            if known.get(name) in self.values(name):
                others = [self.values(n) if i != j else (known[name],) for i, n in enumerate(given)]
                rows = [dict(zip(given, values, strict=True)) for values in product(*others)]
                if all(self.law(of, YES_NO, row)["yes"] == 1.0 for row in rows):
                    return True
        return False

    # -- what an action leads to, and costs ----------------------------------------------------------------------

    def members(self, journey: Journey, action: str) -> list[str]:
        kind, name = action.split(" ", 1)
        return self.fresh(journey, self.data["order_sets"][name]["members"]) if kind == "set" else [name]

    def after(self, journey: Journey, action: str) -> Iterator[tuple[float, Journey]]:
        """(what is paid, unnormalised; the journey after it) for each outcome of an action that is not a decision."""
        for price, then in self.priced_after(journey, action):
            yield float(price @ then.weights), then

    def priced_after(self, journey: Journey, action: str) -> Iterator[tuple[F64, Journey]]:
        """The same with what each patient would pay: (patients,)."""
        members = self.members(journey, action)
        done = tuple(act for act in self.data["acts"] if self.status(journey, act) == "done")
        firsts = [journey.failures[self.names.index(item)] == 0 for item in members]
        known = frozenset(name for name, value in journey.facts if value != "withheld")
        parts = [self.outcomes(item, first, done) for item, first in zip(members, firsts, strict=True)]
        for outcomes in product(*parts):
            weights = journey.weights
            for _, _, _, chance in outcomes:
                weights = weights * chance
            if weights.any():
                charged = tuple(item for item, outcome in zip(members, outcomes, strict=True) if outcome[1])
                yield self.price(charged, known), self.moved(journey, members, outcomes, weights)

    def _outcomes(self, item: str, first: bool, acts: tuple[str, ...]) -> list[Outcome]:
        """All that one attempt can lead to, with these acts done before."""
        return list(self._each_outcome(item, first, acts))

    def _each_outcome(self, item: str, first: bool, acts: tuple[str, ...]) -> Iterator[Outcome]:
        of = self.items[item]
        accepts = np.ones(len(self.patients))
        if "refusable" in of and first:  # who has agreed once agrees again
            when = of["refusable"].get("when")
            refuses = self.chance(self._kind(item), item, "refusable") if when is None else self.has(*_only(when))
            yield "refused", False, {}, refuses
            accepts = accepts - refuses
        for mechanism in self.mechanisms(("fails", "unobtainable"), item):
            fails = self.chance("availability", mechanism)
            facts = dict.fromkeys(of.get("reveals", ()), "withheld")
            yield "failed", self.data["availability"][mechanism]["charged"], facts, accepts * fails
            accepts = accepts * (1.0 - fails)
        reports = [self.reports(finding, acts) for finding in of.get("reveals", ())]
        for combination in product(*reports):
            chance = accepts
            for _, part in combination:
                chance = chance * part
            facts = dict(zip(of.get("reveals", ()), (value for value, _ in combination), strict=True))
            yield "done", True, facts, chance

    def _kind(self, item: str) -> str:
        return "acts" if item in self.data["acts"] else "investigations"

    def mechanisms(self, kinds: tuple[str, ...], target: str) -> list[str]:
        return [n for n, m in self.data["availability"].items() if m["kind"] in kinds and target in m["affects"]]

    def _reports(self, finding: str, acts: tuple[str, ...]) -> list[tuple[str, F64]]:
        """(reported value, chance by patient), with these acts done."""
        shown = {value: self.truth(finding, value, acts) for value in self.values(finding)}
        for name in self.mechanisms(("corrupted",), finding):
            true, wrong, law = shown, self.chance("availability", name), self.data["availability"][name]["reported"]
            shown = {v: true[v] * (1.0 - wrong) + wrong * sum(true[u] * law[u][v] for u in true) for v in true}
        hidden = np.zeros(len(self.patients))
        for name in self.mechanisms(("withheld",), finding):
            hidden = self.chance("availability", name)
        return [("withheld", hidden), *((value, chance * (1.0 - hidden)) for value, chance in shown.items())]

    def _truth(self, finding: str, value: str, acts: tuple[str, ...]) -> F64:
        if finding in self.listed:
            return self.has(finding, value)
        done = {act: YES_NO[act in acts] for act in self.data["acts"]}
        of = self.variables[finding]
        return self.by_patient(lambda patient: self.law(of, self.values(finding), {**patient, **done})[value])

    def _price(self, charged: tuple[str, ...], known: frozenset[str]) -> F64:
        """(patients,) cost and harm of these orders, placed together while these variables were known."""
        each = np.zeros(len(self.patients))
        part = self.reward["weights"]
        for item in charged:
            of, at = self.items[item], (self._kind(item), item)
            each += part["cost"] * of.get("cost_gbp", 0.0) + part["harm"] * of.get("discomfort_gbp", 0.0)
            each += part["harm"] * of.get("dose_msv", 0.0) * self.amount(self.data["loss_gbp_per_msv"])
            for name, complication in of.get("complications", {}).items():
                chance = self.chance(*at, "complications", name)
                each += part["harm"] * self.amount(complication["loss_gbp"]) * chance
            if "incidental" in of:
                found = of["incidental"]
                loss = part["cost"] * found["cost_gbp"] + part["harm"] * self.amount(found["loss_gbp"])
                each += loss * self.chance(*at, "incidental")
            for against in of.get("contraindicated", ()):
                name, value = _only(against["when"])
                if name not in known:
                    each += part["harm"] * self.amount(against["loss_gbp"]) * self.has(name, value)
        for name in {self.items[item]["set_up"] for item in charged if "set_up" in self.items[item]}:
            # No two orders share a moment but those of a set: whatever has a set-up takes time.
            needle = self.data["set_ups"][name]
            each += part["cost"] * needle["cost_gbp"] + part["harm"] * needle["discomfort_gbp"]
        return each

    def moved(self, journey: Journey, members: list[str], outcomes: tuple[Outcome, ...], weights: F64) -> Journey:
        status, failures, treated = list(journey.status), list(journey.failures), journey.treated
        known = dict(journey.facts)
        hours, acts = 0.0, journey.acts
        for item, (became, charged, facts, _) in zip(members, outcomes, strict=True):
            at = self.names.index(item)
            status[at] = became
            failures[at] += became == "failed"
            known |= facts
            hours = max(hours, self.takes(item) if charged else 0.0)
            if became == "done":
                treated += tuple(f for f in facts if f not in self.listed and self._is_treated(journey, f))
                acts += (item,) if item in self.data["acts"] else ()
        waited, progressed = (
            tuple(
                before + hours * slowed
                for slowed, before in zip(self.slowed(factor, journey.acts), so_far, strict=True)
            )
            for factor, so_far in (("waiting_factor", journey.waited), ("progression_factor", journey.progressed))
        )
        return replace(
            journey,
            weights=weights,
            facts=tuple(known.items()),
            status=tuple(status),
            failures=tuple(failures),
            treated=treated,
            acts=acts,
            waited=waited,
            progressed=progressed,
        )

    def _slowed(self, factor: str, acts: tuple[str, ...]) -> list[float]:
        """By condition, what acts done before make of an hour."""
        of = [self.data["acts"][act].get(factor, {}) for act in acts]
        return [math.prod(each.get(condition, 1.0) for each in of) for condition in self.conditions]

    def _takes(self, item: str) -> float:
        """The turnaround; of an item that shows a change, where none is written, all of the time in which it came about."""
        of = self.items[item]
        return _hours(of["turnaround"] if "turnaround" in of else self.variables[of["reveals"][0]]["after"])

    def _is_treated(self, journey: Journey, finding: str) -> bool:
        given = self.variables[finding].get("given", ())
        return any(self.status(journey, act) == "done" for act in self.data["acts"] if act in given)

    # -- how a journey ends ----------------------------------------------------------------------------------------

    def ended(self, journey: Journey, decision: str) -> float:
        """Utility less the cost of waiting, times the probability of what was found."""
        worth, changed = self.utility(decision, journey.acts)
        total = float(worth @ journey.weights)
        for at, (median_h, change) in changed.items():
            stayed = 0.5 ** (journey.progressed[at] / median_h)
            total += (1.0 - stayed) * float(change @ journey.weights)
        return total - self.owed(journey)

    def _utility(self, decision: str, acts: tuple[str, ...]) -> tuple[F64, dict[int, tuple[float, F64]]]:
        """(patients,) of a decision if no condition progresses; of each that may, the median time and what its progress adds."""
        total, changed = np.zeros(len(self.patients)), {}
        for at, condition in enumerate(self.conditions):
            here = self.reward["weights"]["utility"] * self.has("condition", condition)
            worth, progression = (
                self.worth(decision, acts, condition),
                self.data["conditions"][condition].get("progression"),
            )
            total += here * worth
            if progression is not None:
                change = here * (self.worth(decision, acts, progression["to"]) - worth)
                changed[at] = _hours(progression["median_time"]), change
        return total, changed

    def _worth(self, decision: str, acts: tuple[str, ...], condition: str) -> F64:
        """(patients,) of a decision with these acts done, if the condition were this."""
        done = [self.data["acts"][act] for act in acts]
        paid = [act["benefit"] for act in done if "benefit" in act]
        paid = [of for of in paid if decision in of.get("when_decided", [decision])]
        benefit = sum(self.amount(of, condition) for of in paid) + np.zeros(len(self.patients))
        benefit += sum(act.get("benefit_gbp", {}).get(condition, 0.0) for act in done)
        of = self.data["decisions"][decision]
        if "urgency_utility_gbp" in self.reward and self.preset == "triage":
            urgency = self.data["conditions"][condition]["urgency"]
            return benefit + self.reward["urgency_utility_gbp"][of["urgency"]][urgency]

        def worth(patient: dict[str, str]) -> float:
            entry = of["utility"]
            for parent in of["given"]:
                entry = entry[condition if parent == "condition" else patient[parent]]
            return float(entry)

        return self.by_patient(worth) + benefit

    def owed(self, journey: Journey) -> float:
        """What waiting has cost so far, which is charged at the end: planners count from here on."""
        return self.reward["weights"]["delay"] * float(np.array(journey.waited) @ (self.waits @ journey.weights))

    # -- policies ------------------------------------------------------------------------------------------------

    def best(self, journey: Journey) -> float:
        """What the best of all policies gets from here on, times the probability of being here."""
        key = journey.key()
        if key not in self._seen:
            if len(self._seen) >= self.limit:
                raise TooManyError
            self._seen[key] = max(self.worth_of(journey, action) for action in self.legal(journey))
        return self._seen[key]

    def worth_of(self, journey: Journey, action: str) -> float:
        """What an action is worth if the best policy follows it."""
        if action.startswith("decide "):
            return self.ended(journey, action.removeprefix("decide "))
        return sum(self.best(then) - paid for paid, then in self.after(journey, action))

    def optimum(self) -> float:
        """Per patient, in pounds."""
        return sum(self.best(start) for start in self.starts())

    def decide_now(self, journey: Journey) -> float:
        return max(self.ended(journey, decision) for decision in self.unlocked(journey))

    def one_step(self, journey: Journey, action: str) -> float:
        """What an order promises if a decision follows, against the best decision now, per patient."""
        then = sum(self.decide_now(then) - paid for paid, then in self.after(journey, action))
        return (then - self.decide_now(journey)) / float(journey.weights.sum())

    def follow(self, journey: Journey, choose: Callable[[Journey], str]) -> float:
        """What a policy gets from here on, times the probability of being here."""
        action = choose(journey)
        if action not in self.legal(journey):
            raise AssertionError(f"{action} is not legal: {self.legal(journey)}")
        if action.startswith("decide "):
            return self.ended(journey, action.removeprefix("decide "))
        return sum(self.follow(then, choose) - paid for paid, then in self.after(journey, action))


def _only(when: dict[str, str]) -> tuple[str, str]:
    ((name, value),) = when.items()
    return name, value


def _hours(duration: Any) -> float:
    if duration == 0:
        return 0.0
    number, unit = duration.split()
    return float(number) * {"h": 1.0, "days": 24.0}[unit]
