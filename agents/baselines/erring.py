"""How far an agent's knowledge errs: how large the error of each figure is, so that beliefs err by as much as is stated."""

from __future__ import annotations

from dataclasses import replace
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from workup.agents.deciding import condition_posterior
from workup.agents.opening import open_journeys
from workup.envs.compile.compile import KnowledgeNoise, compile_world
from workup.envs.engine.engine import Engine
from workup.envs.engine.types import JourneyView
from workup.envs.model.codes import Rows
from workup.envs.model.patient_model import PatientModel
from workup.envs.model.world import World

F64 = NDArray[np.float64]

BETWEEN = (0.005, 0.995)
"""Only conditions of which this is true are looked at: what is all but sure or all but excluded has no error that matters."""
PATIENTS, SEED = 400, 7_340_033
"""Of the sample on which errors are measured; the seed is one that nobody evaluates with."""
_CLOSE, _STEPS = 0.005, 8


def presented(world: World, *, patients: int, seed: int) -> JourneyView:
    """The first patients of a seed once history and examination are done."""
    engine = Engine(world, patients, seed=seed)
    open_journeys(engine)
    return engine.journey_view(np.arange(patients))


def errors(world: World, knowledge: World, view: JourneyView) -> F64:
    """(m,) log-odds of each condition on the agent's knowledge less the true log-odds, for every journey and every condition
    whose true posterior lies `BETWEEN`."""
    return _errors(_chances(world, view), _chances(knowledge, view))


def figure_sd(world: World, sd: float, *, seed: int) -> float:
    """The error of each figure with which log-odds after history and examination err by `sd`.

    Log-odds are sums over figures, so with the same draws (`seed`) their error grows in proportion to that of the figures, but
    for how probabilities are made to sum to 1. So x = sd, then x * sd / SD(x) until SD(x) is within 0.5%: two or three
    times. SD(x) is that of `errors` of the first `PATIENTS` patients of `SEED`, about its mean; it needs no other agent and no
    patient of an evaluation. Kept for each world.

    Args:
        world: where the agent acts.
        sd: of natural log-odds, at least 0.
        seed: of the errors.

    Returns:
        SD of the errors of figures, for `KnowledgeNoise`; `sd` itself where after history and examination nothing is in doubt.
    """
    known = _KNOWN.setdefault(world, {})
    if (sd, seed) not in known:
        known[sd, seed] = _fitted(world, sd, seed)
    return known[sd, seed]


_KNOWN: WeakKeyDictionary[World, dict[tuple[float, int], float]] = WeakKeyDictionary()


def _fitted(world: World, sd: float, seed: int) -> float:
    view = presented(world, patients=PATIENTS, seed=SEED)
    true, scale = _chances(world, view), sd
    for _ in range(_STEPS):
        knowledge = erring(world, scale, seed=seed)
        found = _errors(true, _chances(knowledge, view))
        spread = float(found.std()) if found.size else 0.0
        if spread == 0.0 or abs(spread - sd) <= _CLOSE * sd:
            break
        scale *= sd / spread
    return scale


def erring(world: World, sd: float, *, seed: int) -> World:
    """The world as somebody knows it who is wrong about every prior and law by `sd` in log-odds, and about nothing else."""
    weights = dict(zip(("cost", "harm", "delay", "utility"), map(float, world.weights), strict=True))
    return compile_world(
        world.scenario,
        preset=world.preset,
        weights=weights,
        switched_off=world.switched_off,
        noise=KnowledgeNoise(sd=sd, seed=seed),
    )


def _errors(true: F64, believed: F64) -> F64:
    low, high = BETWEEN
    open_ = (true >= low) & (true <= high)
    p, q = true[open_], believed[open_]
    return np.asarray(np.log(q) - np.log1p(-q) - np.log(p) + np.log1p(-p))


def _chances(world: World, view: JourneyView) -> F64:
    """(n, conditions) posterior; by what was known at the start, since most profiles are excluded by that."""
    model, n = world.model, world.model.n_known_at_start
    start = np.zeros(len(view.step), np.int64)
    for values, size in zip(view.values[:, :n].T, model.n_values[:n], strict=True):
        start = start * int(size) + values
    out = np.empty((len(start), len(model.conditions)))
    for each in np.unique(start):
        rows = start == each
        out[rows] = condition_posterior(replace(world, model=_of_start(model, int(each))), _some(view, rows))
    return out


def _of_start(model: PatientModel, start: int) -> PatientModel:
    """The model of the patients with one start; good for posteriors only."""
    block = slice(start * model.profiles_per_start, (start + 1) * model.profiles_per_start)

    def cut(rows: Rows) -> Rows:
        return Rows(rows.start, np.ascontiguousarray(rows.of_profile[:, block]), rows.of_hidden)

    evidence, statuses = cut(model.evidence_rows), cut(model.status_rows)
    return replace(model, prior=model.prior[block], evidence_rows=evidence, status_rows=statuses)


def _some(view: JourneyView, rows: NDArray[np.bool_]) -> JourneyView:
    names = ("values", "status", "failures", "treated", "step")
    return replace(view, observation=None, **{name: getattr(view, name)[rows] for name in names})
