"""Where the exact optimum stops doing nothing, tests and treats: the thresholds of Pauker and Kassirer.

Pauker SG, Kassirer JP. The threshold approach to clinical decision making. N Engl J Med 1980;302:1109-17: one disease, one
treatment, one imperfect test with a cost of its own (their risk of the test), in closed form.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from support.generated import scenario_of

from workup.agents.opening import open_journeys
from workup.agents.planning.optimum import Optimum
from workup.envs.compile.compile import compile_world
from workup.envs.engine.engine import Engine

CLOSE = 2e-5
WEIGHTS = {"cost": 1, "harm": 1, "delay": 1, "utility": 1}
URGENCIES = ("emergency", "urgent", "routine")
URGENCY = {one: dict.fromkeys(URGENCIES, 0) for one in URGENCIES}


@dataclass(frozen=True)
class Problem:
    """Treating or not, pounds and probabilities."""

    benefit: float
    """Of treatment where there is disease."""
    risk: float
    """Of treatment where there is none."""
    sensitivity: float
    specificity: float
    cost: float
    discomfort: float

    @property
    def treatment(self) -> float:
        """The probability above which to treat if there is no test."""
        return self.risk / (self.risk + self.benefit)

    @property
    def thresholds(self) -> tuple[float, float]:
        """Between which to test."""
        false, test = 1 - self.specificity, self.cost + self.discomfort
        missed = 1 - self.sensitivity
        testing = (false * self.risk + test) / (false * self.risk + self.sensitivity * self.benefit)
        treating = (self.specificity * self.risk - test) / (self.specificity * self.risk + missed * self.benefit)
        return testing, treating

    def best(self, prior: float) -> str:
        """What the optimum does first after history and examination."""
        world = compile_world(scenario_of(self.data(prior)))
        engine = Engine(world, 1, view="belief")
        open_journeys(engine)
        agent = Optimum(world)
        assert agent.planner.whole
        return world.actions[int(agent.act(engine.journey_view(observation=True))[0])].name

    def data(self, prior: float) -> dict[str, Any]:
        same = {"label": "The same in both", "values": ["no", "yes"], "chance": 0.3}
        return {
            "id": "threshold", "title": "One disease", "version": "1", "about": "To treat or not.",
            "status": "assumed", "note": "For a test.",
            "who": {"authors": ["a test"], "guideline": {"name": "none", "version": "0"}, "setting": "A test",
                    "price_year": 2023},
            "context": {},
            "conditions": {
                "healthy": {"label": "No disease", "urgency": "routine", "waiting_cost_gbp_per_day": 0},
                "ill": {"label": "Disease", "urgency": "urgent", "waiting_cost_gbp_per_day": 0},
            },
            "prior": {"table": {"healthy": 1 - prior, "ill": prior}},
            "findings": {
                "told": same, "seen": same,
                "marker": {"label": "Marker", "values": ["low", "high"], "given": ["condition"],
                           "chance": {"healthy": 1 - self.specificity, "ill": self.sensitivity}},
            },
            "investigations": {
                "history": {"label": "History", "tier": "history", "reveals": ["told"]},
                "examination": {"label": "Examination", "tier": "examination", "reveals": ["seen"]},
                "assay": {"label": "Assay", "tier": "bloods", "reveals": ["marker"], "cost_gbp": self.cost,
                          "discomfort_gbp": self.discomfort},
            },
            "loss_gbp_per_msv": 0,
            "utility": {"unit": "gbp", "gbp_per_qaly": 20000},
            "decisions": {
                "treat": {"label": "Treat", "kind": "treat", "urgency": "urgent", "right_for": ["ill"],
                          "utility": {"healthy": 100 - self.risk, "ill": self.benefit - 3000}},
                "leave": {"label": "Leave", "kind": "reassure", "urgency": "routine", "right_for": ["healthy"],
                          "utility": {"healthy": 100, "ill": -3000}},
            },
            "rewards": {
                "complex_decision": {"label": "All", "weights": WEIGHTS},
                "triage": {"label": "Urgency", "weights": WEIGHTS, "urgency_utility_gbp": URGENCY},
            },
            "guideline": [{"do": "leave", "why": "."}],
            "max_steps": 10,
        }  # fmt: skip


def problem(seed: int) -> Problem:
    rng = np.random.default_rng(seed)
    return Problem(
        benefit=float(rng.uniform(500, 4000)), risk=float(rng.uniform(100, 1500)), sensitivity=float(rng.uniform(0.6, 0.98)),
        specificity=float(rng.uniform(0.6, 0.98)), cost=float(rng.uniform(1, 20)), discomfort=float(rng.uniform(0, 5)),
    )  # fmt: skip


def switch(low: float, high: float, below: Callable[[float], bool]) -> float:
    """The prior where `below` ends to hold, to within `CLOSE` / 2, by bisection."""
    assert below(low)
    assert not below(high)
    while high - low > CLOSE / 2:
        middle = (low + high) / 2
        low, high = (middle, high) if below(middle) else (low, middle)
    return (low + high) / 2


@pytest.mark.parametrize("seed", range(4))
def test_the_optimum_switches_at_the_testing_and_the_treatment_threshold(seed: int) -> None:
    of = problem(seed)
    testing, treating = of.thresholds
    assert testing < of.treatment < treating
    assert of.best(of.treatment) == "order assay"
    assert switch(0.001, of.treatment, lambda p: of.best(p) == "decide leave") == pytest.approx(testing, abs=CLOSE)
    assert switch(of.treatment, 0.999, lambda p: of.best(p) == "order assay") == pytest.approx(treating, abs=CLOSE)
    assert of.best((treating + 1) / 2) == "decide treat"


def test_with_a_test_that_is_too_dear_it_switches_where_benefit_and_risk_balance() -> None:
    of = Problem(benefit=900.0, risk=300.0, sensitivity=0.7, specificity=0.75, cost=150.0, discomfort=10.0)
    testing, treating = of.thresholds
    assert testing > treating  # there is no prior at which to test
    found = switch(0.001, 0.999, lambda p: of.best(p) == "decide leave")
    assert found == pytest.approx(of.treatment, abs=CLOSE)
    assert of.treatment == 0.25
    assert of.best(0.26) == "decide treat"
