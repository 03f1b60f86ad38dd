"""The world: a patient model plus everything an action does, costs and risks, as arrays.

Built once from a scenario by `workup.envs.compile.compile.compile_world` and never written to afterwards.
Symbols as in patient_model, and D decisions, A actions, T order sets, S steps.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from workup.envs.model.by_patient import ByPatient
from workup.envs.model.patient_model import PatientModel
from workup.errors import UnknownNameError, suggestion
from workup.scenarios.language.schema import Scenario

ActionKind = Literal["order", "set", "act", "wait", "decide"]


@dataclass(frozen=True)
class Action:
    """One entry of the discrete action space."""

    name: str
    """'order ct_cap', 'set first_bloods', 'act goals_of_care', 'wait', 'decide reassure'."""
    kind: ActionKind
    items: tuple[int, ...] = ()
    """Item indices ordered by it, in order."""
    decision: int = -1


@dataclass(frozen=True, eq=False)
class World:
    """Costs, harms, times, rules of legality and utilities of a scenario, by item and by patient.

    `compile_world` makes it; it is never changed. I items, K profiles, H hidden states, R observables of an item, V values of an
    observable, Z complications; X, X2 and Q rows of tables. Money is in pounds, time in hours, dose in millisievert.

    Examples:
        >>> import workup
        >>> world = workup.compile_world(workup.load_scenario("tutorial"))
        >>> film = world.items.index("chest_film")
        >>> float(world.cost_gbp[film]), world.decisions
        (35.0, ('reassure', 'treat', 'refer', 'support'))
    """

    scenario: Scenario
    switched_off: frozenset[str]
    """Availability mechanisms that were disabled at compilation."""
    model: PatientModel

    items: tuple[str, ...]
    """Investigations, then acts."""
    n_investigations: int
    tier: tuple[str, ...]
    """(I,) one of schema.Tier, or 'act'."""
    actions: tuple[Action, ...]
    """Every order, then every set, act, 'wait', and the decisions last."""
    reveals: NDArray[np.int32]
    """(I, R) observables revealed, profile variables first, padded with -1."""

    cost_gbp: NDArray[np.float64]
    """(I,) charged when ordered, expected follow-up of incidental findings that is the same for all included."""
    turnaround_h: NDArray[np.float64]
    dose_msv: NDArray[np.float64]
    harm_gbp: NDArray[np.float64]
    """(I,) charged when ordered: discomfort, dose, and complications that are the same for all patients."""
    set_up: NDArray[np.int32]
    """(I,) index of the shared set-up, or -1; charged once per moment of the clock."""
    set_up_cost_gbp: NDArray[np.float64]
    set_up_harm_gbp: NDArray[np.float64]
    attempts: NDArray[np.int32]
    """(I,) tries allowed while the result fails."""

    late_cost_gbp: NDArray[np.float64]
    """(I, K, H) further expected cost that depends on the patient; charged at the end."""
    late_harm_gbp: NDArray[np.float64]
    """(I, K, H) further expected harm that depends on the patient; charged at the end."""
    contraindication: NDArray[np.int32]
    """(X, 2) rows (item, observable); one row per contraindication."""
    contraindication_values: NDArray[np.bool_]
    """(X, V) which values of that observable contraindicate."""
    contraindication_loss_gbp: NDArray[np.float64]
    """(X,) harm charged at the end when it was unknown and true. Known and true: the order is illegal."""

    # Complications and incidental findings: drawn for the record; the reward charges their expectation.
    complication_names: tuple[str, ...]
    """(Z,) 'item.name'; incidental findings as 'item.incidental'."""
    complication_item: NDArray[np.int32]
    complication_chance: NDArray[np.float64]
    """(Z, K, H)"""
    complication_major: NDArray[np.bool_]

    # Legality from revealed facts. Clauses of one group are alternatives; all groups of an item must hold.
    clauses: NDArray[np.int32]
    """(Q, 4) rows (item, group, kind, target): kind 0: target is an observable whose value must be allowed;
    kind 1: target is an item whose status must be allowed. Sorted by item, then group."""
    clause_values: NDArray[np.bool_]
    """(Q, max(V, 5)) allowed values (kind 0) or statuses (kind 1)."""
    decision_clauses: NDArray[np.int32]
    """(Q2, 4) rows (decision, group, kind, target), as `clauses`: what must be met before a decision may be taken. Once
    met, a requirement of a decision stays met."""
    decision_clause_values: NDArray[np.bool_]
    """(Q2, max(V, 5))"""
    known_refusal: NDArray[np.int32]
    """(X2, 2) rows (item, observable): illegal once the observable is revealed to have a value with which every
    patient refuses, whatever else is true."""
    known_refusal_values: NDArray[np.bool_]
    """(X2, V)"""
    opens_journey: NDArray[np.int8]
    """(I,) 1: history, 2: examination, 0: neither. Before one of each has a result, nothing else is
    legal, except that decisions are legal once a history item has a result."""

    # Time and what acts change.
    waiting_cost_gbp_per_h: NDArray[np.float64]
    """(conditions,) charged at the end."""
    progresses_to: NDArray[np.int32]
    """(conditions,) index of the worse condition, or -1."""
    progression_rate_per_h: NDArray[np.float64]
    waiting_factor: NDArray[np.float64]
    """(I, conditions) multiplies waiting cost from then on (1 for investigations)."""
    progression_factor: NDArray[np.float64]
    """(I, conditions)"""
    benefit_gbp: NDArray[np.float64]
    """(I, conditions) added to the utility at the end if the act was done."""
    new_visit_after_h: float

    decisions: tuple[str, ...]
    utility_gbp: NDArray[np.float64]
    """(D, K, H) under the reward preset."""
    right_for: NDArray[np.bool_]
    """(D, conditions)"""
    preset: str
    weights: NDArray[np.float64]
    """(4,) of cost, harm, delay and utility."""
    max_steps: int
    by_patient: ByPatient
    """What differs by patient beyond the condition, beside the tables above."""
    set_up_once: NDArray[np.float64]
    """(S,) 1 where a set-up is charged once in a journey (a table's group discounts), 0 once per moment of the clock."""

    def item(self, name: str) -> int:
        """Index of an investigation or act; raises UnknownNameError listing the names."""
        try:
            return self.items.index(name)
        except ValueError:
            raise UnknownNameError(f"{self.scenario.id} has no item {name!r}{suggestion(name, self.items)}") from None

    def __deepcopy__(self, memo: dict[int, object]) -> World:
        """Itself: it is never written to."""
        return self
