"""How good differential diagnoses are, in the measures of the DDXPlus paper.

Source: Fansi Tchango A, Goel R, Wen Z, Martel J, Ghosn J, DDXPlus: a new dataset for automatic medical diagnosis, NeurIPS
2022 (Datasets and Benchmarks).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from workup.agents.base import Agent
from workup.envs.compile.recorded import ROWS, Split, load_recorded
from workup.errors import WorkupError
from workup.evaluation.run import run_agents
from workup.importers.ddxplus import DIFFERENTIAL
from workup.statistics import Interval, normal_interval

LEAST = 0.01
"""A condition belongs to a predicted differential diagnosis if it is more probable than this."""

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class DifferentialScore:
    """Means over patients with 95% intervals."""

    interaction_length: Interval
    """Questions asked, the complaint not counted."""
    gtpa_at_1: Interval
    """How often the most probable condition is the true one."""
    ddr: Interval
    """Recall: of the conditions of the true differential diagnosis, the share that was predicted."""
    ddp: Interval
    """Precision: of the conditions predicted, the share that is in the true differential diagnosis."""
    ddf1: Interval
    """Mean of each patient's harmonic mean of the two."""
    right: Interval
    """How often the decision was for the true condition."""

    def as_json(self) -> dict[str, dict[str, float | None]]:
        """Each measure with its interval."""
        return {name: getattr(self, name).as_json() for name in self.__dataclass_fields__}


def differential_measures(predicted: Floats, true: Floats, condition: NDArray[np.int64]) -> dict[str, Floats]:
    """The measures, patient by patient.

    Args:
        predicted: (n, conditions) probabilities; those above LEAST are predicted.
        true: (n, conditions) of the release; those above 0 are true.
        condition: (n,) true condition.

    Returns:
        gtpa_at_1, ddr, ddp and ddf1, each (n,) in [0, 1]. Of a patient for whom nothing is predicted, precision is 0.
    """
    said, there = predicted > LEAST, true > 0
    both = (said & there).sum(axis=1).astype(np.float64)
    recall = both / np.maximum(there.sum(axis=1), 1)
    precision = both / np.maximum(said.sum(axis=1), 1)
    harmonic = 2.0 * recall * precision / np.where(both > 0, recall + precision, 1.0)
    return {
        "gtpa_at_1": (predicted.argmax(axis=1) == condition).astype(np.float64),
        "ddr": recall,
        "ddp": precision,
        "ddf1": harmonic,
    }


def score_differentials(
    folder: Path, agents: Mapping[str, Agent], *, patients: int = 2000, seed: int = 0, split: Split = "test"
) -> dict[str, DifferentialScore]:
    """Take patients of an imported DDXPlus through a journey under each agent.

    The predicted differential diagnosis is the posterior of the fitted model when the agent decides.

    Args:
        folder: what `workup import-ddxplus` wrote.
        agents: by name.
        patients: the first so many of the split.
        seed: of agents that draw random numbers.
        split: train or test.

    Raises:
        WorkupError: a folder without differential diagnoses.
    """
    population = load_recorded(folder).split(split)
    world = population.world
    frame = pl.read_parquet(folder / ROWS)
    names = [f"{DIFFERENTIAL}{name}" for name in world.model.conditions]
    if not set(names) <= set(frame.columns):
        raise WorkupError(f"{folder} holds no differential diagnoses; expected what `workup import-ddxplus` wrote")
    true = frame.filter(pl.col("split") == split).select(names).to_numpy()
    found = {}
    for name, journeys in run_agents(population, agents, patients=patients, seed=seed).items():
        condition = journeys.condition.astype(np.int64)
        measures = differential_measures(journeys.condition_posterior, true[journeys.patient], condition)
        decided = np.array([*world.right_for, np.zeros(world.right_for.shape[1], bool)])
        measures["interaction_length"] = journeys.tests.astype(np.float64)
        measures["right"] = decided[journeys.decision, condition].astype(np.float64)
        found[name] = DifferentialScore(**{each: normal_interval(values) for each, values in measures.items()})
    return found
