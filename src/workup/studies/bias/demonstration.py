"""The main demonstration: what a model learns from a database that doctors' suspicion filled, and what repairs it.

Doctors order bloods, then a film, the likelier the more they suspect. A database keeps the patients who had both. Models learn from it
as it is, with weights, or from everybody, and are tested inside it and on everybody.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any, Final, NamedTuple

import numpy as np

from workup.agents.registry import make_agent
from workup.envs.compile.compile import compile_world
from workup.envs.model.world import World
from workup.envs.records.cohorts import run_cohort
from workup.errors import WorkupError
from workup.scenarios.language.library import load_scenario
from workup.studies.bias.database import FEATURES, FeatureSet, Question, Records, question, records_of
from workup.studies.bias.judging import Figures, figures, interval, judge, less, over_seeds
from workup.studies.bias.learning import Bools, Floats, Model, ModelName, effective, learnt
from workup.studies.bias.loop import ARMS, CAPACITY, Generation, run_loop
from workup.studies.bias.measures import auc
from workup.version import __version__

SLOPES: Final = (0.5, 0.0)
"""How strongly suspicion drives ordering; 0, chance alone, is the control in which nothing must happen."""
TRAINED: Final = ("complete cases", "known weights", "estimated weights", "everyone")
TESTED: Final = ("database", "testable", "everyone")
"""Patients in the database, as recorded; whom the rules allow the film; everybody; both as they truly are."""
ALL: Final = "all"
INTERVALS: Final = (
    "95%. seeds: Student's over the seeds, each with its own training and test patients. patients: by the patients tested, the models "
    "being given. Differences are between models on the same patients. A model 'expects' too many or too few only where both say so."
)
Progress = Callable[[str, int, int], None]
"""Told what is done, how many steps are behind and how many there are."""


class Key(NamedTuple):
    """A row of the result."""

    slope: float
    features: FeatureSet
    model: ModelName
    trained: str
    tested: str
    who: str


class Fitted(NamedTuple):
    """A model of a row."""

    model: ModelName
    trained: str
    predict: Model


def rows() -> Iterator[tuple[ModelName, str]]:
    """Which models are trained on what."""
    yield from (("logistic", trained) for trained in TRAINED)
    yield from (("boosting", trained) for trained in TRAINED if trained != "estimated weights")


def demonstrate(
    name: str, *, patients: int = 80_000, seeds: int = 5, progress: Progress = lambda what, done, of: None
) -> dict[str, Any]:
    """Everything that the demonstration shows.

    Args:
        name: of a scenario that has one (`database.QUESTIONS`).
        patients: of each seed.
        seeds: how many; models of one are tested on the patients of the next.
        progress: told after each step.

    Returns:
        What `docs/bias.md` describes, ready to be written as JSON.

    Raises:
        UnknownNameError: no demonstration on that scenario.
        WorkupError: fewer than two seeds, or so few patients that nothing can be learnt; says what was lacking.
    """
    if seeds < 2 or patients < 1:
        raise WorkupError(f"{seeds} seeds of {patients} patients; expected 2 seeds or more, for models are tested on the next seed's patients")
    asked = question(name)
    world = compile_world(load_scenario(asked.scenario))
    total, done = len(SLOPES) * 2 * seeds + seeds * len(ARMS), 0

    def step(what: str) -> None:
        nonlocal done
        done += 1
        progress(what, done, total)

    judged: dict[Key, list[Figures | None]] = {}
    against: dict[Key, list[Figures | None]] = {}
    counts: dict[Key, list[tuple[int, int]]] = {}
    databases: list[dict[str, Any]] = []
    oracles: dict[tuple[int, FeatureSet], list[Fitted]] = {}
    loops: dict[str, list[list[Generation]]] = {arm: [] for arm in ARMS}
    for slope in SLOPES:
        clinics: list[Records] = []
        for seed in range(seeds):
            clinics.append(_clinic(world, asked, slope, patients, seed))
            step(f"patients, slope {slope:g}, seed {seed}")
        databases.append({"slope": slope, **_database(clinics)})
        for seed, records in enumerate(clinics):
            test = clinics[(seed + 1) % seeds]
            for features in FEATURES:
                if (seed, features) not in oracles:
                    oracles[seed, features] = _oracles(records, features)
                fitted = [*_fitted(records, features), *oracles[seed, features]]
                for key, found, difference, count in _judged(fitted, test, slope, features):
                    judged.setdefault(key, []).append(found)
                    against.setdefault(key, []).append(difference)
                    counts.setdefault(key, []).append(count)
            step(f"models, slope {slope:g}, seed {seed}")
        if slope == SLOPES[0]:
            for seed, records in enumerate(clinics):
                for arm, how in ARMS.items():
                    loops[arm].append(run_loop(records, clinics[(seed + 1) % seeds], how, patients=patients, seed=seed))
                    step(f"loop, {arm}, seed {seed}")
    return {
        "format": "workup-bias-1",
        "workup": __version__,
        "scenario": asked.scenario,
        "digest": world.scenario.digest,
        "patients": patients,
        "seeds": seeds,
        "policies": [_policy(asked, slope) for slope in SLOPES],
        "threshold": asked.threshold,
        "threshold_of": asked.threshold_of,
        "features": dict(FEATURES),
        "intervals": INTERVALS,
        "databases": databases,
        "models": [_told(key, judged[key], against[key], counts[key]) for key in judged],
        "loop": {
            "capacity": CAPACITY,
            "arms": {arm: {**asdict(how), "generations": _loop_told(loops[arm])} for arm, how in ARMS.items()},
        },
    }


def _policy(asked: Question, slope: float) -> str:
    return f"suspicion:{asked.group}:{slope:g}"


def _clinic(world: World, asked: Question, slope: float, patients: int, seed: int) -> Records:
    policy = _policy(asked, slope)
    agent = make_agent(policy, world, seed=seed)
    return records_of(run_cohort(world, agent, patients=np.arange(patients), seed=seed, policy=policy), asked)


def _fitted(records: Records, features: FeatureSet) -> list[Fitted]:
    """What the database teaches."""
    x, y = records.features(features, true=False)[records.inside], records.ill[records.inside]
    weights = {
        "complete cases": None,
        "known weights": records.weights,
        "estimated weights": records.estimated_weights(),
    }
    return [Fitted(model, trained, learnt(model, x, y, weights[trained])) for model, trained in rows() if trained in weights]


def _oracles(records: Records, features: FeatureSet) -> list[Fitted]:
    """What everybody would teach."""
    x = records.features(features, true=True)
    return [Fitted(model, trained, learnt(model, x, records.ill)) for model, trained in rows() if trained == "everyone"]


def _judged(
    fitted: Sequence[Fitted], test: Records, slope: float, features: FeatureSet
) -> Iterator[tuple[Key, Figures | None, Figures | None, tuple[int, int]]]:
    """Every row: what it achieves, how much more than the same model trained on everyone, and (patients, ill) it was tested on."""
    everyone = np.ones(len(test.ill), np.bool_)
    recorded, true = test.features(features, true=False)[test.inside], test.features(features, true=True)
    strata: Mapping[str, Bools] = {ALL: everyone, **test.strata}
    inside = {name: who[test.inside] for name, who in strata.items()}
    predictions = {(each.model, each.trained): (each.predict(recorded), each.predict(true)) for each in fitted}
    for tested, among in zip(TESTED, (test.inside, test.testable, everyone), strict=True):
        for who, of in strata.items():
            rows_of = inside[who] if tested == TESTED[0] else of & among
            ill = (test.ill[test.inside] if tested == TESTED[0] else test.ill)[rows_of]
            found = {
                row: judge(_of(both, tested)[rows_of], ill, test.question.threshold) for row, both in predictions.items()
            }
            for (model, trained), each in found.items():
                best = found[model, "everyone"]
                key = Key(slope, features, model, trained, tested, who)
                count = len(ill), int(ill.sum())
                if each is None or best is None:
                    yield key, None, None, count
                else:
                    yield key, figures(each), figures(less(each, best)), count


def _of(both: tuple[Floats, Floats], tested: str) -> Floats:
    return both[0] if tested == TESTED[0] else both[1]


def _told(
    key: Key, found: Sequence[Figures | None], difference: Sequence[Figures | None], counts: Sequence[tuple[int, int]]
) -> dict[str, Any]:
    n, ill = (int(np.mean(column)) for column in zip(*counts, strict=True))
    told: dict[str, Any] = {**key._asdict(), "patients": n, "ill": ill}
    if any(each is None for each in found):
        return {**told, "measured": None, "less_everyone": None}
    own, other = ([each for each in column if each is not None] for column in (found, difference))
    return {**told, "measured": over_seeds(own), "less_everyone": over_seeds(other)}


def _database(clinics: Sequence[Records]) -> dict[str, Any]:
    """What is in it, and how many are ill by what the weights say."""
    known = [records.weights for records in clinics]
    estimated = [records.estimated_weights() for records in clinics]
    presence = [auc(records.inside.astype(np.float64), records.ill, "being in the database") for records in clinics]
    shares = {
        "in_database": [(r.inside, np.ones(len(r.ill), np.bool_)) for r in clinics],
        "testable": [(r.testable, np.ones(len(r.ill), np.bool_)) for r in clinics],
        "ill": [(r.ill, np.ones(len(r.ill), np.bool_)) for r in clinics],
        "ill_of_testable": [(r.ill, r.testable) for r in clinics],
        "ill_in_database": [(r.ill, r.inside) for r in clinics],
    }
    told: dict[str, Any] = {name: _share(pairs) for name, pairs in shares.items()}
    told["auc_of_presence"] = interval([each.value for each in presence], [each.se for each in presence])
    for name, weights in (("known", known), ("estimated", estimated)):
        pairs = [_weighted(r, w) for r, w in zip(clinics, weights, strict=True)]
        told[f"weighted_ill_{name}"] = interval([p for p, _ in pairs], [_se(each) for _, each in pairs])
        true = [r.ill[r.testable].mean() for r in clinics]
        off = [each - r.testable * (r.ill - t) / r.testable.mean() for (_, each), r, t in zip(pairs, clinics, true, strict=True)]
        values = [p - t for (p, _), t in zip(pairs, true, strict=True)]
        told[f"weighted_ill_{name}_less_true"] = interval(values, [_se(each) for each in off])
        told[f"effective_size_{name}"] = [effective(each) for each in weights]
        told[f"largest_weight_{name}"] = [float(each.max()) for each in weights]
    told["database_sizes"] = [int(r.inside.sum()) for r in clinics]
    return told


def _share(pairs: Sequence[tuple[Bools, Bools]]) -> dict[str, Any]:
    values = [float(hit[among].mean()) for hit, among in pairs]
    return interval(values, [math.sqrt(p * (1.0 - p) / among.sum()) for p, (_, among) in zip(values, pairs, strict=True)])


def _weighted(records: Records, weights: Floats) -> tuple[float, Floats]:
    """Weighted share of the ill, and what each of all patients pulls."""
    y = records.ill[records.inside]
    p = float((weights * y).sum() / weights.sum())
    pulls = np.zeros(len(records.ill))
    pulls[records.inside] = len(pulls) * weights * (y - p) / weights.sum()
    return p, pulls


def _se(influence: Floats) -> float:
    return math.sqrt(float((influence**2).mean()) / len(influence))


def _loop_told(runs: Sequence[Sequence[Generation]]) -> list[dict[str, Any]]:
    """A row a generation, over the seeds."""
    told: list[dict[str, Any]] = []
    for number, each in enumerate(zip(*runs, strict=True)):
        row: dict[str, Any] = {"generation": number}
        for name in ("tested", "ill_share", "found", "found_normal", "effective"):
            row[name] = interval([float(getattr(one, name)) for one in each], [0.0] * len(each)) | {"patients": None}
        for name in ("all", "young", "normal"):
            parts = [part for one in each if (part := getattr(one, name)) is not None]
            row[name] = over_seeds(parts) if len(parts) == len(each) else None
        told.append(row)
    return told
