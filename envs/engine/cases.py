"""Patients fixed in advance: what is known of them (a vignette, a presentation), and the rest drawn given this."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workup.envs.model.belief import likelihood, posterior_weights
from workup.envs.model.cases import Cases
from workup.envs.model.codes import MISSING, REFUSED, UNKNOWN
from workup.envs.model.world import World
from workup.errors import ImpossibleEvidence, UnknownNameError, WorkupError, suggestion
from workup.scenarios.language.lint.vignettes import stated_value
from workup.scenarios.language.schema import Vignette
from workup.scenarios.language.vocabulary import Axis, axes

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class StatedFact:
    """One fact of a vignette."""

    words: str
    code: int
    """Index of the value stated."""
    observable: int
    """-1: a core variable that nothing reveals."""
    likelihood: Floats
    """(K, H) P(fact | profile, hidden state), untreated."""


def vignette_cases(world: World, vignette: str | Vignette, draws: int = 200, seed: int = 0) -> Cases:
    """`draws` patients of a vignette.

    Profile and hidden state are drawn from the exact posterior given the context, the stated findings and the true
    condition, by randomness keyed by (seed, draw). Stated facts are fixed as reported; a number stands for its band
    or cell.

    Raises:
        UnknownNameError: no such vignette, or a fact that is not in the model.
        LanguageError: a value that its variable does not have.
        ImpossibleEvidence: the facts exclude each other; the message names the fact at fault.
    """

    case = _vignette(world, vignette)
    facts = stated_facts(world, case)
    joint = _posterior(world, facts).ravel()
    cumulative = np.cumsum(joint)
    drawn = np.searchsorted(cumulative, _uniform(seed, draws) * cumulative[-1], "right")
    draw = np.minimum(drawn, np.flatnonzero(joint)[-1])
    profile, hidden = np.divmod(draw, world.model.prior.shape[1])
    values = np.full((draws, len(world.model.observables)), UNKNOWN, np.int16)
    for fact in facts:
        if fact.observable >= 0:
            values[:, fact.observable] = fact.code
    return Cases(profile.astype(np.int32), hidden.astype(np.int32), values)


def futures(
    world: World,
    *,
    values: NDArray[np.int16],
    status: NDArray[np.uint8],
    failures: NDArray[np.uint8],
    treated: NDArray[np.bool_],
    draws: int,
    seed: int,
) -> Cases:
    """The same n patients as far as they are known, `draws` times over, all that is unknown drawn again.

    Profile and hidden state are drawn from the exact posterior given what was revealed, so the mean of anything over a
    patient's draws estimates its expectation given that.

    Args:
        world: the scenario.
        values: (n, O) revealed, UNKNOWN elsewhere.
        status: (n, I).
        failures: (n, I).
        treated: (n, O).
        draws: of each patient.
        seed: of the draws.

    Returns:
        n * draws cases; case d * n + p is draw d of patient p.

    Raises:
        WorkupError: something is missing or has failed: a case can fix a value, but not that there was none.
    """

    n = len(values)
    unfit = np.flatnonzero(
        (values == MISSING).any(axis=1) | (failures > 0).any(axis=1) | (status == REFUSED).any(axis=1)
    )
    if unfit.size:
        raise WorkupError(
            f"{unfit.size} of {n} patients (the first: row {unfit[0]}) have a result that failed, was refused or withheld; "
            "a case can fix a value, not that there is none"
        )
    cumulative = np.cumsum(posterior_weights(world.model, values, status, failures, treated).reshape(n, -1), axis=1)
    chance = _uniform(seed, n * draws).reshape(draws, n)
    drawn = np.empty((draws, n), np.int64)
    for p in range(n):
        drawn[:, p] = np.searchsorted(cumulative[p], chance[:, p] * cumulative[p, -1], "right")
    profile, hidden = np.divmod(drawn.ravel(), world.model.prior.shape[1])
    fixed = np.where(values >= 0, values, UNKNOWN).astype(np.int16)
    return Cases(profile.astype(np.int32), hidden.astype(np.int32), np.tile(fixed, (draws, 1)))


def stated_posterior(world: World, vignette: Vignette) -> Floats:
    """(K, H) posterior given the facts of a vignette. Raises as `vignette_cases`."""
    return _posterior(world, stated_facts(world, vignette))


def stated_facts(world: World, vignette: Vignette) -> tuple[StatedFact, ...]:
    """The facts of a vignette: condition, context, findings, in that order. Raises as `vignette_cases`."""
    known = axes(world.scenario)
    stated: Mapping[str, Any] = {"condition": vignette.condition, **vignette.context, **vignette.findings}
    return tuple(_fact(world, known, name, given) for name, given in stated.items())


def _vignette(world: World, vignette: str | Vignette) -> Vignette:
    if isinstance(vignette, Vignette):
        return vignette
    if vignette not in world.scenario.vignettes:
        hint = suggestion(vignette, world.scenario.vignettes)
        raise UnknownNameError(f"{world.scenario.id} has no vignette {vignette!r}{hint}")
    return world.scenario.vignettes[vignette]


def _fact(world: World, known: Mapping[str, Axis], name: str, given: Any) -> StatedFact:
    model = world.model
    observable = model.observables.index(name) if name in model.observables else -1
    if name not in known or (observable < 0 and name not in model.core):
        raise UnknownNameError(f"{name!r} is no fact of a patient{suggestion(name, (*model.observables, *model.core))}")
    code = stated_value(known[name], given)
    if observable >= 0:
        chance = likelihood(model.value_rows, observable, model.value_table[:, code])
    else:
        chance = (_core_values(world, name) == code).astype(np.float64)
    return StatedFact(f"{name}: {given}", code, observable, chance)


def _core_values(world: World, name: str) -> NDArray[np.int64]:
    """(K, H) value of a core variable."""
    model = world.model
    c = model.core.index(name)
    k, h = (np.arange(n) for n in model.prior.shape)
    of_k, of_h = int(model.core_profile_stride[c]), int(model.core_hidden_stride[c])
    values = k[:, None] // of_k + 0 * h[None, :] if of_k else 0 * k[:, None] + h[None, :] // of_h
    return np.asarray(values % int(model.core_size[c]))


def _posterior(world: World, facts: tuple[StatedFact, ...]) -> Floats:
    joint = world.model.prior.copy()
    for i, fact in enumerate(facts):
        joint *= fact.likelihood
        total = joint.sum()
        if not total > 0.0:
            before = ", ".join(other.words for other in facts[:i]) or "the model"
            raise ImpossibleEvidence(f"{fact.words} has probability zero given {before}")
        joint /= total
    return joint


def _uniform(seed: int, draws: int) -> Floats:
    """(draws,) one number in [0, 1) each, a function of (seed, draw) alone."""
    from workup.envs.model.randomness import CORE, patient_key, seed_key, uniform

    key = seed_key(seed)
    return np.array([uniform(patient_key(key, np.int64(draw)), CORE) for draw in range(draws)], np.float64)
