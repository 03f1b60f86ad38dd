"""The numbers of the educator's page about `gates`: who has which data, and what a model learns from it. As `teaching`, exact."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from workup.agents.registry import make_agent
from workup.envs.model.world import World
from workup.studies.bias.exact import exact_cohort
from workup.studies.bias.measures import auc_of_law
from workup.studies.bias.teaching import ILL, world_of

GATES: Final = {"everybody": "examination", "bloods": "blood", "imaging": "scan", "invasive": "biopsy"}
"""Stage -> the item of `gates` whose result a patient has there."""

Trained = Literal["tested", "weighted", "everybody"]
"""Whom a model learns from: those with the verdict, the same counted by their weights, or all."""


@dataclass(frozen=True, eq=False)
class Stage:
    """Those of `gates` who have a result of some stage."""

    share: float
    """Of everybody."""
    ill: float
    """Share of everybody who have this result and are ill."""
    severity: NDArray[np.float64]
    """(25,) share of those who have it at each severity; sums to 1."""
    mean: float
    """Of severity, in standard deviations of everybody."""
    sd: float


@dataclass(frozen=True, eq=False)
class Learned:
    """A model of disease from the first look alone: for each look, the share who were ill among those it learned from."""

    risk: NDArray[np.float64]
    """(19,) what it says."""
    expected: float
    """Share of everybody whom it expects to be ill."""
    ill: float
    """Share of everybody who are."""
    auc: float
    """On everybody."""


def stages(policy: str) -> dict[str, Stage]:
    """Who has which data in `gates` under a policy, by the names of `GATES`."""
    exact = exact_cohort(world_of("gates"), make_agent(policy, world_of("gates")))
    centres = severities()
    severity = exact.hidden_of % len(centres)  # condition by severity, severity last
    found = {}
    for name, item in GATES.items():
        has, weight = exact.done(item), np.zeros(len(centres))
        np.add.at(weight, severity, exact.weight[has].sum(axis=0))
        share = float(weight.sum())
        law = weight / share
        mean = float(law @ centres)
        ill = float(exact.of_conditions(ILL)[has].sum())
        found[name] = Stage(share, ill, law, mean, math.sqrt(float(law @ (centres - mean) ** 2)))
    return found


def severities() -> NDArray[np.float64]:
    """(25,) the steps of severity, in standard deviations of everybody."""
    mean = world_of("gates").scenario.findings["first_look"].mean
    assert mean is not None
    return np.array([float(each) for each in mean.values()])  # type: ignore[union-attr]


def sick() -> list[int]:
    """The steps of severity at which disease is possible."""
    prior = world_of("gates").model.prior[0].reshape(2, -1)
    return [int(step) for step in np.flatnonzero(prior[1] > 0.0)]


def looks() -> list[str]:
    """What each of the 19 values of a look says, low to high."""
    law = world_of("gates").scenario.findings["first_look"]
    assert law.range is not None
    assert law.step is not None
    low, step = float(law.range[0]), float(law.step)
    return [
        f"{low + step * i:.1f} to {low + step * (i + 1):.1f}".replace("-", "−")
        for i in range(_steps(world_of("gates")))
    ]


def learned(policy: str) -> dict[Trained, Learned]:
    """What models learn from the records that a policy leaves in `gates`.

    The weights are one over the chance of having come to the verdict, worked out gate by gate from what is on record: from the
    first look, from the first two, from all three. They are right where the policy decides by these alone.
    """
    world = world_of("gates")
    exact, looks, size = (
        exact_cohort(world, make_agent(policy, world)),
        ("first_look", "second_look", "third_look"),
        _steps(world),
    )

    def law(item: str, n_looks: int, weight: NDArray[np.float64]) -> NDArray[np.float64]:
        found, has = np.zeros((size,) * n_looks), exact.done(item)
        np.add.at(found, tuple(exact.value(look)[has] for look in looks[:n_looks]), weight[has])
        return found.reshape(found.shape + (1,) * (3 - n_looks))

    p, ill = exact.probability, exact.of_conditions(ILL)
    everybody, verdict = law("examination", 1, p), law("biopsy", 3, p)
    reached = law("blood", 1, p) / everybody
    for item, before, n in (("scan", "blood", 2), ("biopsy", "scan", 3)):
        had = law(before, n, p)
        reached = reached * np.divide(law(item, n, p), had, out=np.zeros_like(had), where=had > 0.0)
    weight = np.divide(1.0, reached, out=np.zeros_like(reached), where=reached > 0.0)
    verdict_ill = law("biopsy", 3, ill)
    truth = law("examination", 1, ill).ravel() / everybody.ravel()
    risks: dict[Trained, NDArray[np.float64]] = {
        "tested": verdict_ill.sum(axis=(1, 2)) / verdict.sum(axis=(1, 2)),
        "weighted": (weight * verdict_ill).sum(axis=(1, 2)) / (weight * verdict).sum(axis=(1, 2)),
        "everybody": truth,
    }
    of_look = everybody.ravel()
    return {
        trained: Learned(
            risk=risk,
            expected=float(of_look @ risk),
            ill=float(of_look @ truth),
            auc=auc_of_law(risk, of_look * truth, of_look * (1.0 - truth)),
        )
        for trained, risk in risks.items()
    }


def _steps(world: World) -> int:
    return int(world.model.n_values[world.model.observables.index("first_look")])
