"""Patients fixed in advance: a vignette's stated facts, and the rest drawn from the model given these."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from workup.envs.belief import likelihood
from workup.envs.patient_model import UNKNOWN
from workup.envs.world import World
from workup.scenarios.errors import ImpossibleEvidence, UnknownNameError
from workup.scenarios.lint_vignettes import stated_value
from workup.scenarios.model_faults import suggestion
from workup.scenarios.schema import Vignette
from workup.scenarios.vocabulary import Axis, axes

if TYPE_CHECKING:
    from workup.envs.engine import Cases

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
    from workup.envs.engine import Cases  # compiles kernels, which the linter needs none of

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
    from workup.envs.randomness import CORE, patient_key, seed_key, uniform

    key = seed_key(seed)
    return np.array([uniform(patient_key(key, np.int64(draw)), CORE) for draw in range(draws)], np.float64)
