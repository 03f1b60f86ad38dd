"""All that a report is made of, gathered by whoever ran the study."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from workup.envs.records.journeys import Journeys
from workup.scenarios.language.schema import Scenario

if TYPE_CHECKING:
    from workup.evaluation.rates import NetBenefit
    from workup.evaluation.score import Evaluation
    from workup.vignettes.check import Check


@dataclass(frozen=True, kw_only=True, eq=False)
class LearningCurve:
    """How one training run improved: what it gained on held-out patients after so much experience."""

    agent: str
    seed: int
    steps: NDArray[np.int64]
    """(p,) environment steps seen, ascending."""
    gain: NDArray[np.float64]
    """(p,) mean gain per patient over V0 of the same patients, pounds."""
    seconds: NDArray[np.float64] | None = None
    """(p,) wall-clock time since the start of training."""


@dataclass(frozen=True, kw_only=True, eq=False)
class ReportInputs:
    """The content of one report. Everything but the scenario, the command and the seeds may be left empty."""

    scenario: Scenario
    command: str
    """The command line that makes this report again."""
    seeds: Mapping[str, int]
    """Seed by purpose: {'training': 0, 'evaluation': 1}."""
    evaluation: Evaluation | None = None
    checks: tuple[Check, ...] = ()
    """One per agent."""
    vignette_journeys: Mapping[str, Mapping[str, Journeys]] = field(default_factory=dict)
    """Agent -> vignette id -> journeys recorded with events (any number of draws). The agent that did best is shown first, and
    chooses the two patients unless `two_patients` names them."""
    two_patients: tuple[str, str] | None = None
    """Vignettes set side by side; None: the cheapest and the dearest journey of the first agent."""
    policy_journeys: Mapping[str, Journeys] = field(default_factory=dict)
    """Agent -> population journeys recorded with events, for what it orders first and for its common routes."""
    learning_curves: tuple[LearningCurve, ...] = ()
    net_benefit: NetBenefit | None = None
    """What the same journeys would be worth at other rates for a QALY."""
    no_net_benefit: str = ""
    """Why that is not told."""
