"""Patients of a scenario of whom everything is known, and the exact posterior of what any part of that says.

Nothing is done to them (untreated laws), every finding that anything reveals is there, and each is read without error. So what is
lost between here and a prediction is lost by how findings are brought together, and by nothing else.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from workup.envs.compile.compile import compile_world
from workup.envs.model.belief import posterior_weights
from workup.envs.model.codes import UNKNOWN
from workup.envs.model.patient_model import PatientModel
from workup.envs.model.truth import truth_of
from workup.envs.model.world import World
from workup.errors import WorkupError
from workup.scenarios.language.library import load_scenario

Floats = NDArray[np.float64]
_RESCALE_EVERY = 8
_CELLS = 1 << 22
"""Weights that are held at once, 32 MB."""


@dataclass(frozen=True, eq=False)
class Complete:
    """n patients. O observables."""

    world: World
    """With every mechanism by which a finding goes missing or is misread switched off."""
    profile: NDArray[np.int64]
    """(n,)"""
    values: NDArray[np.int16]
    """(n, O) of every observable, true and untreated."""
    condition: NDArray[np.int64]
    """(n,) index into the model's conditions."""

    def __len__(self) -> int:
        return len(self.condition)


def complete(scenario: str | Path, patients: Iterable[int], *, seed: int) -> Complete:
    """Patients of a scenario by their numbers; those of a seed that have other numbers are other patients.

    Args:
        scenario: an id or a path.
        patients: numbers, 0 or more.
        seed: of the patients; those whom the environment draws with it.

    Raises:
        UnknownNameError: no such scenario.
        WorkupError: no patients.
    """
    world, ids = whole_world(str(scenario)), np.array(list(patients), dtype=np.int64)
    if not len(ids):
        raise WorkupError(f"{scenario}: no patients; expected the number of one or more")
    truth = truth_of(world.model, ids, seed)
    return Complete(world, truth.profile, truth.values, world.model.condition_of[truth.hidden].astype(np.int64))


@lru_cache(maxsize=4)
def whole_world(scenario: str) -> World:
    """The scenario with every mechanism switched off by which a finding goes missing or is misread."""
    found = load_scenario(scenario)
    return compile_world(found, switched_off=found.availability)


def prevalence(model: PatientModel) -> Floats:
    """(conditions,) share of each."""
    return _by_condition(model, model.prior.sum(axis=0)[None, :])[0]


def posterior(patients: Complete, observables: Sequence[int]) -> Floats:
    """(n, conditions) exact probability of each condition given the values of some observables; rows sum to 1."""
    model = patients.world.model
    told = {o for o in observables if model.role[o] == "profile"}
    if len(told) == len(model.profile_variables):
        return _of_known_profile(patients, observables)
    seen, back = np.unique(patients.values[:, list(observables)], axis=0, return_inverse=True)
    values = np.full((len(seen), len(model.observables)), UNKNOWN, np.int16)
    values[:, list(observables)] = seen
    found = np.empty((len(seen), len(model.conditions)))
    step = max(1, _CELLS // model.prior.size)
    for first in range(0, len(seen), step):
        some = values[first : first + step]
        nothing = np.zeros((len(some), len(patients.world.items)), np.uint8)
        weights = posterior_weights(
            model, some, nothing, nothing, np.zeros(some.shape, np.bool_), values_only=True
        )  # fmt: skip
        found[first : first + step] = _by_condition(model, weights.sum(axis=1))
    return found[back.ravel()]


def _of_known_profile(patients: Complete, observables: Sequence[int]) -> Floats:
    """`posterior` where the profile is among what is known: one row of hidden states a patient."""
    model, rows = patients.world.model, patients.world.model.value_rows
    others = [o for o in observables if model.role[o] != "profile"]
    found = np.empty((len(patients), len(model.conditions)))
    step = max(1, _CELLS // model.prior.shape[1])
    for first in range(0, len(patients), step):
        some = slice(first, first + step)
        profile = patients.profile[some]
        weights = model.prior[profile]
        for i, o in enumerate(others):
            at = rows.start[o] + rows.of_profile[o][profile][:, None] + rows.of_hidden[o][None, :]
            weights = weights * model.value_table[at, patients.values[some, o][:, None]]
            if i % _RESCALE_EVERY == 0:
                weights = weights / weights.sum(axis=1, keepdims=True)
        found[some] = _by_condition(model, weights / weights.sum(axis=1, keepdims=True))
    return found


def _by_condition(model: PatientModel, weights: Floats) -> Floats:
    """(n, conditions) of (n, H): the condition is the slowest of the hidden variables."""
    return weights.reshape(len(weights), len(model.conditions), -1).sum(axis=2)
