"""What actions do, cost and risk: the item tables of a world."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import log

import numpy as np
from numpy.typing import NDArray

from workup.envs.compile.layout import Floats, Ints, Layout
from workup.envs.compile.pounds import pounds_of
from workup.envs.model.codes import COMPONENTS
from workup.envs.model.world import Action
from workup.errors import UnknownNameError, WorkupError, suggestion
from workup.scenarios.language.schema import Act, Orderable, Scenario
from workup.scenarios.language.tables import Table
from workup.scenarios.language.vocabulary import Axis, allowed_values
from workup.scenarios.language.worth import worth_gbp


@dataclass
class Risks:
    """Complications, incidental findings and radiation of every item: what is charged at once, and what at the end."""

    cost_now: Floats
    harm_now: Floats
    late_cost: Floats
    late_harm: Floats
    radiation_now: Floats
    names: list[str] = field(default_factory=list)
    items: list[int] = field(default_factory=list)
    chances: list[Floats] = field(default_factory=list)
    major: list[bool] = field(default_factory=list)

    def add(self, layout: Layout, item: int, name: str, table: Table, cost: float, loss: Floats, major: bool) -> None:
        """One complication: a chance, and what follows from it; loss: pounds as `pounds_of` gives them."""
        chance = layout.spread(table)
        if np.ptp(chance) == 0.0 and np.ptp(loss) == 0.0:
            self.cost_now[item] += chance[0, 0] * cost
            self.harm_now[item] += chance[0, 0] * loss[0, 0]
        else:
            self.late_cost[item] += chance * cost
            self.late_harm[item] += chance * loss
        self.names.append(name)
        self.items.append(item)
        self.chances.append(chance)
        self.major.append(major)


def risks_of(layout: Layout) -> Risks:
    """Expected and drawn consequences of ordering each item."""
    laws = layout.laws
    shape = (len(laws.items), layout.n_profiles, layout.n_hidden)
    zeros = np.zeros(len(laws.items))
    risks = Risks(zeros.copy(), zeros.copy(), np.zeros(shape), np.zeros(shape), zeros.copy())
    for i, (item, orderable) in enumerate(laws.items.items()):
        for name, what in orderable.complications.items():
            table = laws.tables.complication(item, name)
            risks.add(layout, i, f"{item}.{name}", table, 0.0, pounds_of(layout, what.loss_gbp), what.major)
        if (found := orderable.incidental) is not None:
            table = laws.tables.incidental(item)
            loss = pounds_of(layout, found.loss_gbp)
            risks.add(layout, i, f"{item}.incidental", table, found.cost_gbp, loss, False)
        per_msv = pounds_of(layout, laws.scenario.loss_gbp_per_msv)
        if np.ptp(per_msv) == 0.0:
            risks.radiation_now[i] = orderable.dose_msv * per_msv[0, 0]
        else:
            risks.late_harm[i] += orderable.dose_msv * per_msv
    return risks


def actions_of(scenario: Scenario, items: tuple[str, ...]) -> tuple[Action, ...]:
    """Every order, then sets, acts, 'wait' and the decisions."""
    index = {name: i for i, name in enumerate(items)}
    for name, order_set in scenario.order_sets.items():
        for member in order_set.members:
            if member not in index:
                raise UnknownNameError(f"the set {name} has no such member {member!r}{suggestion(member, index)}")
    return (
        *(Action(f"order {name}", "order", (index[name],)) for name in scenario.investigations),
        *(Action(f"set {n}", "set", tuple(index[m] for m in s.members)) for n, s in scenario.order_sets.items()),
        *(Action(f"act {name}", "act", (index[name],)) for name in scenario.acts),
        Action("wait", "wait"),
        *(Action(f"decide {name}", "decide", (), d) for d, name in enumerate(scenario.decisions)),
    )


def reveals_of(layout: Layout) -> Ints:
    """(I, R) observables of each item, those of the profile first, padded with -1."""
    observables = layout.observables
    at = {name: o for o, name in enumerate(observables)}
    known = layout.profile[: layout.n_at_start]
    lists = [
        sorted((at[n] for n in item.reveals if n not in known), key=lambda o: observables[o] not in layout.profile)
        for item in layout.laws.items.values()
    ]
    table = np.full((len(lists), max(1, *(len(row) for row in lists))), -1, np.int32)
    for i, row in enumerate(lists):
        table[i, : len(row)] = row
    return table


def utilities_of(layout: Layout, preset: str) -> Floats:
    """(D, K, H) in pounds: the scenario's own, or by urgency alone where the preset says so."""
    scenario, laws = layout.laws.scenario, layout.laws
    triage = scenario.rewards[preset].urgency_utility_gbp
    out = np.empty((len(scenario.decisions), layout.n_profiles, layout.n_hidden))
    for d, (name, decision) in enumerate(scenario.decisions.items()):
        if triage is None:
            out[d] = layout.spread(worth_gbp(laws.tables, name))
        else:
            by_condition = [triage[decision.urgency][c.urgency] for c in scenario.conditions.values()]
            out[d] = np.array(by_condition)[layout.of_hidden("condition")][None, :]
    return out


def right_for_of(scenario: Scenario, axis: Axis) -> NDArray[np.bool_]:
    """(D, conditions) which conditions each decision is right for; groups allowed."""
    rows = [allowed_values(axis, list(decision.right_for)).values for decision in scenario.decisions.values()]
    return np.array(rows, bool)


def factors_of(layout: Layout, attribute: str, default: float) -> Floats:
    """(I, conditions) one of an act's tables by condition; `default` for investigations."""
    laws = layout.laws
    out = np.full((len(laws.items), laws.size("condition")), default)
    for i, orderable in enumerate(laws.items.values()):
        if isinstance(orderable, Act):
            out[i] = laws.tables.by_condition(getattr(orderable, attribute), default)
    return out


def weights_of(scenario: Scenario, preset: str, changed: Mapping[str, float] | None) -> Floats:
    """(4,) weights of cost, harm, delay and utility: the preset's, with `changed` in place of some. Costs, which the NHS pays,
    weigh nothing as the patient sees it.

    Raises:
        UnknownNameError: no such preset or component.
        WorkupError: a weight that is no number or that the preset lacks, or a weight of costs as the patient sees it.
    """
    if preset not in scenario.rewards:
        raise UnknownNameError(f"{scenario.id} has no reward preset {preset!r}{suggestion(preset, scenario.rewards)}")
    weights: dict[str, float] = {str(name): weight for name, weight in scenario.rewards[preset].weights.items()}
    if scenario.utility.perspective == "patient":
        weights["cost"] = 0.0
        if (changed or {}).get("cost"):
            raise WorkupError(
                "the patient does not pay what the NHS does, so costs have no weight in that perspective; leave it out"
            )
    weights.update(changed or {})
    for name, weight in weights.items():
        if name not in COMPONENTS:
            raise UnknownNameError(f"no reward component {name!r}{suggestion(name, COMPONENTS)}")
        if not np.isfinite(weight):
            raise WorkupError(f"the weight of {name} is {weight}; expected a finite number")
    missing = [name for name in COMPONENTS if name not in weights]
    if missing:
        raise WorkupError(
            f"the preset {preset} has no weight of {', '.join(missing)}; write it, 0 if it is not to count"
        )
    return np.array([weights[name] for name in COMPONENTS], np.float64)


def progression_of(scenario: Scenario) -> tuple[Ints, Floats]:
    """(conditions,) index of the worse condition or -1, and the hazard per hour."""
    names = tuple(scenario.conditions)
    to, rate = np.full(len(names), -1, np.int32), np.zeros(len(names))
    for c, condition in enumerate(scenario.conditions.values()):
        if condition.progression is not None:
            to[c] = names.index(condition.progression.to)
            rate[c] = log(2.0) / condition.progression.median_time
    return to, rate


def column(items: Mapping[str, Orderable], attribute: str) -> Floats:
    """(I,) one number of every item."""
    return np.array([getattr(orderable, attribute) for orderable in items.values()], np.float64)
