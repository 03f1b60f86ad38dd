"""The main demonstration: what a model learns from a database that doctors' suspicion filled, and what repairs it.

Doctors order bloods, then a film, the likelier the more they suspect. A database keeps the patients who had both. Models learn from it
as it is, with weights, or from everybody, and are tested inside it and on everybody.
"""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict
from functools import partial
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from workup.agents.registry import make_agent
from workup.envs.compile.compile import compile_world
from workup.envs.model.world import World
from workup.envs.records.cohorts import run_cohort
from workup.errors import WorkupError
from workup.scenarios.language.library import load_scenario
from workup.studies.bias.database import FEATURES, FeatureSet, Question, Records, question, records_of
from workup.studies.bias.judging import Figures, figures, judge, less, over_seeds
from workup.studies.bias.learning import Model, ModelName, learnt
from workup.studies.bias.loop import ARMS, CAPACITY, Run, loop_told, run_loop
from workup.studies.bias.shares import Database, database_of, database_told
from workup.version import __version__

SLOPES: Final = (0.5, 0.0)
"""How strongly suspicion drives ordering; 0, chance alone, is the control in which nothing must happen."""
TRAINED: Final = ("complete cases", "known weights", "estimated weights", "everyone")
TESTED: Final = ("database", "testable", "everyone")
"""Patients in the database, as recorded; whom the rules allow the film; everybody; the latter two as they truly are."""
ALL: Final = "all"
INTERVALS: Final = (
    "95%. seeds: Student's over the seeds, each with its own training and test patients. patients: by the patients tested, the models "
    "being given. Differences are between models on the same patients. A model 'expects' too many or too few only where both say so."
)
Progress = Callable[[int, int], None]
"""Told how many seeds are behind, and of how many."""


class Key(NamedTuple):
    """A row of the result."""

    slope: float
    features: FeatureSet
    model: ModelName
    trained: str
    tested: str
    who: str


class Row(NamedTuple):
    """What it shows in one seed."""

    patients: int
    ill: int
    measured: Figures | None
    less_everyone: Figures | None
    """How much more than the same model trained on everyone."""


class OfSeed(NamedTuple):
    """What one seed shows."""

    databases: dict[float, Database]
    """By slope."""
    rows: dict[Key, Row]
    loops: dict[str, Run]
    """By arm."""


class Fitted(NamedTuple):
    """A model of a row."""

    model: ModelName
    trained: str
    predict: Model


def taught() -> Iterator[tuple[ModelName, str]]:
    """Which models are trained on what."""
    yield from (("logistic", trained) for trained in TRAINED)
    yield from (("boosting", trained) for trained in TRAINED if trained != "estimated weights")


def demonstrate(
    name: str,
    *,
    patients: int = 80_000,
    seeds: int = 5,
    workers: int = 1,
    progress: Progress = lambda done, of: None,
) -> dict[str, Any]:
    """Everything that the demonstration shows.

    Args:
        name: of a scenario that has one (`database.QUESTIONS`).
        patients: of each seed to learn from, and as many others to be tested on.
        seeds: how many.
        workers: processes.
        progress: told after each seed.

    Returns:
        What `docs/bias.md` describes, ready to be written as JSON.

    Raises:
        UnknownNameError: no demonstration on that scenario.
        WorkupError: no seeds, or so few patients that nothing can be learnt; says what was lacking.
    """
    if seeds < 1 or patients < 1 or workers < 1:
        raise WorkupError(f"{seeds} seeds of {patients} patients in {workers} processes; expected 1 or more of each")
    asked = question(name)
    digest = load_scenario(asked.scenario).digest
    found: list[OfSeed] = []
    progress(0, seeds)
    for each in in_order(partial(of_seed, name, patients), range(seeds), workers):
        found.append(each)
        progress(len(found), seeds)
    return {
        "format": "workup-bias-1",
        "workup": __version__,
        "scenario": asked.scenario,
        "digest": digest,
        "patients": patients,
        "seeds": seeds,
        "policies": [_policy(asked, slope) for slope in SLOPES],
        "threshold": asked.threshold,
        "threshold_of": asked.threshold_of,
        "features": dict(FEATURES),
        "intervals": INTERVALS,
        "databases": [{"slope": slope, **database_told([each.databases[slope] for each in found])} for slope in SLOPES],
        "models": [row_told(key, [each.rows[key] for each in found]) for key in found[0].rows],
        "loop": {
            "capacity": CAPACITY,
            "arms": {
                arm: {**asdict(how), **loop_told([each.loops[arm] for each in found])} for arm, how in ARMS.items()
            },
        },
    }


def of_seed(name: str, patients: int, seed: int) -> OfSeed:
    """What one seed shows. Its first `patients` are learnt from, as many others are tested on, and the loop's come after these."""
    asked = question(name)
    world = compile_world(load_scenario(asked.scenario))
    found = OfSeed({}, {}, {})
    oracles: dict[FeatureSet, list[Fitted]] = {}
    for slope in SLOPES:
        records, test = (_clinic(world, asked, slope, np.arange(patients) + first, seed) for first in (0, patients))
        found.databases[slope] = database_of(records)
        for features in FEATURES:
            if features not in oracles:  # everybody is the same, whatever the doctors did
                oracles[features] = _oracles(records, features)
            found.rows.update(_judged([*_fitted(records, features), *oracles[features]], test, slope, features))
        if slope == SLOPES[0]:
            for arm, how in ARMS.items():
                found.loops[arm] = run_loop(records, test, how, patients=patients, seed=seed)
    return found


def in_order(work: Callable[[int], OfSeed], numbers: Sequence[int], workers: int) -> Iterator[OfSeed]:
    """What it makes of each number, in their order, in several processes."""
    if min(workers, len(numbers)) == 1:
        yield from map(work, numbers)
        return
    with ProcessPoolExecutor(min(workers, len(numbers)), mp_context=multiprocessing.get_context("spawn")) as pool:
        try:
            yield from pool.map(work, numbers)
        finally:
            pool.shutdown(cancel_futures=True)


def row_told(key: Key, rows: Sequence[Row]) -> dict[str, Any]:
    """A row of the result, over the seeds; its figures are None where too few were ill in one of them."""
    told: dict[str, Any] = {
        **key._asdict(),
        "patients": int(np.mean([row.patients for row in rows])),
        "ill": int(np.mean([row.ill for row in rows])),
    }
    own, other = (
        [row.measured for row in rows if row.measured],
        [row.less_everyone for row in rows if row.less_everyone],
    )
    whole = len(own) == len(rows)
    return {
        **told,
        "measured": over_seeds(own) if whole else None,
        "less_everyone": over_seeds(other) if whole else None,
    }


def _policy(asked: Question, slope: float) -> str:
    return f"suspicion:{asked.group}:{slope:g}"


def _clinic(world: World, asked: Question, slope: float, patients: NDArray[np.int64], seed: int) -> Records:
    policy = _policy(asked, slope)
    agent = make_agent(policy, world, seed=seed)
    return records_of(run_cohort(world, agent, patients=patients, seed=seed, policy=policy), asked)


def _fitted(records: Records, features: FeatureSet) -> list[Fitted]:
    """What the database teaches."""
    x, y = records.features(features, true=False)[records.inside], records.ill[records.inside]
    weights = {
        "complete cases": None,
        "known weights": records.weights,
        "estimated weights": records.estimated_weights(),
    }
    return [
        Fitted(model, trained, learnt(model, x, y, weights[trained]))
        for model, trained in taught()
        if trained in weights
    ]


def _oracles(records: Records, features: FeatureSet) -> list[Fitted]:
    """What everybody would teach."""
    x = records.features(features, true=True)
    return [
        Fitted(model, trained, learnt(model, x, records.ill)) for model, trained in taught() if trained == "everyone"
    ]


def _judged(fitted: Sequence[Fitted], test: Records, slope: float, features: FeatureSet) -> Iterator[tuple[Key, Row]]:
    """Every row of these models, each held against the same model trained on everyone. Of everybody no groups are looked at."""
    everyone = np.ones(len(test.ill), np.bool_)
    recorded, true = test.features(features, true=False)[test.inside], test.features(features, true=True)
    outside = {(each.model, each.trained): each.predict(true) for each in fitted}
    inside = {row: p.copy() for row, p in outside.items()}
    for each in fitted:
        inside[each.model, each.trained][test.inside] = each.predict(recorded)
    for tested, among in zip(TESTED, (test.inside, test.testable, everyone), strict=True):
        predictions = inside if tested == TESTED[0] else outside
        for who, of in {ALL: everyone, **({} if tested == "everyone" else test.strata)}.items():
            rows = of & among
            ill = test.ill[rows]
            found = {row: judge(p[rows], ill, test.question.threshold) for row, p in predictions.items()}
            for (model, trained), own in found.items():
                best = found[model, "everyone"]
                told = (None, None) if own is None or best is None else (figures(own), figures(less(own, best)))
                yield Key(slope, features, model, trained, tested, who), Row(len(ill), int(ill.sum()), *told)
