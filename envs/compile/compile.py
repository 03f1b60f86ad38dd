"""From a scenario to the arrays that the engine, the posterior and the planners share."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np

from workup.envs.compile.actions import (
    actions_of,
    column,
    factors_of,
    progression_of,
    reveals_of,
    right_for_of,
    risks_of,
    utilities_of,
    weights_of,
)
from workup.envs.compile.by_patient import by_patient_of, waiting_of
from workup.envs.compile.laws import KnowledgeNoise, laws_of
from workup.envs.compile.layout import Layout, layout_of
from workup.envs.compile.patients import patient_model
from workup.envs.compile.rules import rules_of
from workup.envs.model.world import World
from workup.errors import WorkupError
from workup.scenarios.language.reading.viewed import viewed
from workup.scenarios.language.schema import Scenario

__all__ = ["MAX_WORLD_CELLS", "KnowledgeNoise", "compile_world"]

MAX_WORLD_CELLS = 60_000_000
"""Most numbers in all tables by profile and hidden state together (480 MB)."""


def compile_world(
    scenario: Scenario,
    *,
    preset: str = "complex_decision",
    weights: Mapping[str, float] | None = None,
    switched_off: Iterable[str] = (),
    noise: KnowledgeNoise | None = None,
    set_ups_once: bool = False,
    gbp_per_qaly: float | None = None,
    perspective: str | None = None,
) -> World:
    """Compile a checked scenario.

    Args:
        scenario: as `load_scenario` returns it.
        preset: which of the scenario's rewards.
        weights: weights of cost, harm, delay or utility that replace the preset's.
        switched_off: availability mechanisms to disable (refusals by 'item.refused'); profiles, hidden states,
            observables, items and random draws stay the same.
        noise: makes it an agent's knowledge of the world rather than the world.
        set_ups_once: set-ups are charged once in a journey, not once per moment of the clock.
        gbp_per_qaly: pounds that a QALY counts, instead of the scenario's; what is written in pounds stays.
        perspective: 'nhs' (health, what the NHS pays, beds) or 'patient' (health, what the patient pays, transfers; costs weigh
            nothing), instead of the scenario's. Both are part of the world's scenario, and so of its digest.

    Raises:
        UnknownNameError: a preset, weight or mechanism that does not exist.
        LanguageError: a table that is not whole (a checked scenario has none).
        WorkupError: the scenario is too large or says what the patient model cannot hold; all reasons at once. A rate that is
            no positive number or changes nothing; a perspective that there is none of, or that needs a worth in parts.

    Examples:
        >>> import workup
        >>> world = workup.compile_world(workup.load_scenario("tutorial"), weights={"cost": 0})
        >>> len(world.actions), world.model.conditions
        (14, ('viral', 'pneumonia', 'lung_cancer'))
    """
    scenario = viewed(scenario, gbp_per_qaly=gbp_per_qaly, perspective=perspective)
    component_weights = weights_of(scenario, preset, weights)
    off = frozenset(switched_off)
    laws = laws_of(scenario, switched_off=off, noise=noise)
    layout = layout_of(laws)
    _refuse_if_large(layout)
    model = patient_model(layout)
    items, risks = laws.items, risks_of(layout)
    rules = rules_of(layout, model.value_table.shape[1])
    to, rate = progression_of(scenario)
    set_ups = tuple(scenario.set_ups)
    tiers = {name: investigation.tier for name, investigation in scenario.investigations.items()}
    return World(
        scenario=scenario,
        switched_off=off,
        model=model,
        items=tuple(items),
        n_investigations=len(scenario.investigations),
        tier=tuple(tiers.get(name, "act") for name in items),
        actions=actions_of(scenario, tuple(items)),
        reveals=reveals_of(layout),
        cost_gbp=column(items, "cost_gbp") + risks.cost_now,
        turnaround_h=column(items, "turnaround"),
        dose_msv=column(items, "dose_msv"),
        harm_gbp=column(items, "discomfort_gbp") + risks.radiation_now + risks.harm_now,
        set_up=np.array([set_ups.index(i.set_up) if i.set_up else -1 for i in items.values()], np.int32),
        set_up_cost_gbp=np.array([s.cost_gbp for s in scenario.set_ups.values()], np.float64),
        set_up_harm_gbp=np.array([s.discomfort_gbp for s in scenario.set_ups.values()], np.float64),
        set_up_once=np.full(len(set_ups), float(set_ups_once)),
        attempts=column(items, "attempts").astype(np.int32),
        late_cost_gbp=risks.late_cost,
        late_harm_gbp=risks.late_harm,
        contraindication=rules.contraindication,
        contraindication_values=rules.contraindication_values,
        contraindication_loss_gbp=rules.contraindication_loss_gbp,
        complication_names=tuple(risks.names),
        complication_item=np.array(risks.items, np.int32),
        complication_chance=np.array(risks.chances).reshape(len(risks.names), layout.n_profiles, layout.n_hidden),
        complication_major=np.array(risks.major, bool),
        clauses=rules.clauses,
        clause_values=rules.clause_values,
        decision_clauses=rules.decision_clauses,
        decision_clause_values=rules.decision_clause_values,
        known_refusal=rules.known_refusal,
        known_refusal_values=rules.known_refusal_values,
        opens_journey=np.array([{"history": 1, "examination": 2}.get(tiers.get(n, ""), 0) for n in items], np.int8),
        waiting_cost_gbp_per_h=waiting_of(layout)[0],
        progresses_to=to,
        progression_rate_per_h=rate,
        waiting_factor=factors_of(layout, "waiting_factor", 1.0),
        progression_factor=factors_of(layout, "progression_factor", 1.0),
        benefit_gbp=factors_of(layout, "benefit_gbp", 0.0),
        new_visit_after_h=scenario.new_visit_after,
        decisions=tuple(scenario.decisions),
        utility_gbp=utilities_of(layout, preset),
        right_for=right_for_of(scenario, laws.axes["condition"]),
        preset=preset,
        weights=component_weights,
        max_steps=scenario.max_steps,
        by_patient=by_patient_of(layout, rules),
    )


def _refuse_if_large(layout: Layout) -> None:
    laws = layout.laws
    complications = sum(len(o.complications) + (o.incidental is not None) for o in laws.items.values())
    benefits = sum(act.benefit is not None for act in laws.scenario.acts.values())
    tables = 1 + 2 * len(laws.items) + len(laws.scenario.decisions) + complications + benefits
    cells = tables * layout.n_profiles * layout.n_hidden
    if cells > MAX_WORLD_CELLS:
        sizes = [f"{name} ({laws.size(name)})" for name in (*layout.profile, *layout.hidden)]
        raise WorkupError(
            f"{tables} tables of {layout.n_profiles:,} profiles x {layout.n_hidden:,} hidden states are {cells:,} "
            f"numbers (at most {MAX_WORLD_CELLS:,}); use fewer values for, or let less depend on: {', '.join(sizes)}"
        )
