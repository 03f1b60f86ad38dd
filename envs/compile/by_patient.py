"""What of waiting, benefits and contraindications the tables by condition cannot hold."""

from __future__ import annotations

import numpy as np

from workup.envs.compile.layout import Floats, Layout
from workup.envs.compile.pounds import pounds_of
from workup.envs.compile.rules import Rules
from workup.envs.model.by_patient import ByPatient

HOURS_A_DAY = 24


def waiting_of(layout: Layout) -> tuple[Floats, Floats]:
    """Pounds of an hour's waiting: (conditions,) where it hangs on the condition alone, and (K, H) the rest, or (0, 0)."""
    conditions = layout.laws.scenario.conditions
    plain, rest = np.zeros(len(conditions)), np.zeros((layout.n_profiles, layout.n_hidden))
    of_hidden = layout.of_hidden("condition")
    for c, condition in enumerate(conditions.values()):
        pounds = pounds_of(layout, condition.waiting_cost_gbp_per_day) / HOURS_A_DAY
        own = pounds if pounds.size == 1 else pounds[:, of_hidden == c]
        if np.ptp(own) == 0.0:
            plain[c] = own[0, 0]
        else:
            rest[:, of_hidden == c] = own
    return plain, rest if rest.any() else np.zeros((0, 0))


def by_patient_of(layout: Layout, rules: Rules) -> ByPatient:
    """All that differs by patient."""
    scenario, shape = layout.laws.scenario, (layout.n_profiles, layout.n_hidden)
    items, decisions = tuple(layout.laws.items), list(scenario.decisions)
    acts = [(items.index(name), of.benefit) for name, of in scenario.acts.items() if of.benefit is not None]
    benefits = [np.broadcast_to(pounds_of(layout, benefit), shape) for _, benefit in acts]
    decided = [[not b.when_decided or name in b.when_decided for name in decisions] for _, b in acts]
    return ByPatient(
        waiting_gbp_per_h=waiting_of(layout)[1],
        act=np.array([item for item, _ in acts], np.int32),
        benefit_gbp=np.array(benefits).reshape(-1, *shape),
        decided=np.array(decided, bool).reshape(-1, len(decisions)),
        contraindication=np.array([x for x, _ in rules.feared_by_patient], np.int32),
        contraindication_loss_gbp=np.array([loss for _, loss in rules.feared_by_patient]).reshape(-1, *shape),
    )
