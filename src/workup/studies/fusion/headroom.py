"""What each way of passing on loses on complete records of a scenario, exactly: nothing is trained.

The question is which condition a patient has. Modalities are the scenario's tiers: the history with what is known at the start,
the examination, the bedside, bloods, imaging, what is invasive, molecular tests, and what acts show. Each modality's opinion is its exact
posterior, so what a way loses against the joint posterior is lost by what it passes on.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from workup.envs.model.world import World
from workup.errors import WorkupError
from workup.statistics import Interval, bootstrap
from workup.studies.fusion.complete import Complete, complete, posterior, prevalence

Floats = NDArray[np.float64]
STEPS: Final = 5
"""Steps of certainty of a report, equally wide from 1 / conditions to 1, as of the method `late_report`."""
WAYS: Final = ("product", "product_told", "mean", "report", "single")
"""Product of experts; the same, each having read the history; the mean; reports; the best modality alone."""
HEADINGS: Final = (
    "opinions multiplied",
    "the same, each told the history",
    "opinions averaged",
    "reports",
    "best one alone",
)
_RESAMPLES = 2000


def headroom(scenario: str | Path, *, patients: int = 6_000, counted: int = 20_000, seed: int = 0) -> dict[str, Any]:
    """What is lost against the exact joint posterior of everything that is known.

    Args:
        scenario: an id or a path.
        patients: on whom it is measured.
        counted: others, of whom the combiner of reports learns how often each condition is reported as what, and of whom the best
            modality is chosen.
        seed: of all patients, and of the bootstrap.

    Returns:
        Plain data: scenario, patients, counted, seed, conditions (how many), `modalities` (name -> findings in it), `alone` (name -> mean
        log-loss), `best_single`, `joint` (log_loss in nats and accuracy, intervals) and `ways`: by name of WAYS, `nats` lost against the joint,
        `accuracy`, and `accuracy_lost`. Intervals are 95%, over patients, paired.

    Raises:
        UnknownNameError: no such scenario.
        WorkupError: fewer than one patient of either sort.
    """
    if patients < 1 or counted < 1:
        raise WorkupError(f"{scenario}: {patients} patients and {counted} counted; expected 1 or more of each")
    met = complete(scenario, range(patients), seed=seed)
    others = complete(scenario, range(patients, patients + counted), seed=seed)
    groups = tiers(met.world)
    opinions = {name: posterior(met, of) for name, of in groups.items()}
    theirs = {name: posterior(others, of) for name, of in groups.items()}
    single = min(groups, key=lambda name: float(_loss(theirs[name], others.condition).mean()))
    everything = [o for of in groups.values() for o in of]
    prior = prevalence(met.world.model)
    told = {
        "product": product(list(opinions.values()), prior),
        "product_told": _told_product(met, groups, opinions["history"]),
        "mean": np.mean(list(opinions.values()), axis=0),
        "report": reported(list(opinions.values()), list(theirs.values()), others.condition, prior),
        "single": opinions[single],
    }
    return {
        "scenario": str(scenario), "patients": patients, "counted": counted, "seed": seed, "conditions": len(prior),
        "modalities": {name: len(of) for name, of in groups.items()},
        "alone": {name: float(_loss(of, met.condition).mean()) for name, of in opinions.items()},
        "best_single": single,
        **_measured(posterior(met, everything), told, met.condition, seed),
    }  # fmt: skip


def tiers(world: World) -> dict[str, list[int]]:
    """Modality -> its observables: by tier, what is known at the start being history. What nothing reveals is in none."""
    groups: dict[str, list[int]] = {"history": []}
    for o, item in enumerate(world.model.item_of.tolist()):
        if item >= -1:
            groups.setdefault("history" if item == -1 else world.tier[item], []).append(o)
    return groups


def product(opinions: Sequence[Floats], prior: Floats) -> Floats:
    """(n, C) prior times what each opinion (n, C) says beyond its own prior, normalised.

    Args:
        opinions: posteriors, each from other findings.
        prior: (C,) or (n, C): what all of them started from; a condition that is ruled out there stays so.
    """
    with np.errstate(divide="ignore"):
        start = np.log(prior)
        logs = np.broadcast_to(start, opinions[0].shape).copy()
        for opinion in opinions:
            logs += np.where(np.isfinite(start), np.log(opinion) - np.where(np.isfinite(start), start, 0.0), -np.inf)
    return _normalised(logs)


def messages(opinion: Floats) -> NDArray[np.int64]:
    """(n,) the report of each opinion (n, C): the top diagnosis times STEPS, plus the step of its certainty."""
    certainty, least = opinion.max(axis=1), 1 / opinion.shape[1]
    step = ((certainty - least) / (1 - least) * STEPS).astype(np.int64).clip(0, STEPS - 1)
    return np.asarray(opinion.argmax(axis=1) * STEPS + step, dtype=np.int64)


def reported(
    opinions: Sequence[Floats], theirs: Sequence[Floats], condition: NDArray[np.int64], prior: Floats
) -> Floats:
    """(n, C) prior times P(message | condition) of every modality's report, normalised.

    Args:
        opinions: (n, C) of each modality, about the patients who are asked about.
        theirs: (m, C) of each modality, about others, of whom messages are counted; half a patient is added to every count.
        condition: (m,) what those have.
        prior: (C,).
    """
    logs = np.tile(np.log(prior), (len(opinions[0]), 1))
    for opinion, other in zip(opinions, theirs, strict=True):
        counts = np.full((len(prior), len(prior) * STEPS), 0.5)
        np.add.at(counts, (condition, messages(other)), 1.0)
        logs += np.log(counts / counts.sum(axis=1, keepdims=True))[:, messages(opinion)].T
    return _normalised(logs)


def markdown(found: Sequence[Mapping[str, Any]]) -> list[str]:
    """Lines of a table with a row a scenario, as `headroom` returns them."""
    lines = [
        "| scenario | conditions | everything: nats (right) | " + " | ".join(f"{heading}: nats lost (right lost)" for heading in HEADINGS) + " |",
        "|---" * (3 + len(HEADINGS)) + "|",
    ]  # fmt: skip
    for row in found:
        joint = row["joint"]
        cells = [f"{joint['log_loss']['mean']:.3f} ({joint['accuracy']['mean']:.3f})"]
        for way in WAYS:
            of = row["ways"][way]
            name = f", {row['best_single']}" if way == "single" else ""
            mean, low, high = (_places(of["nats"][end], 4) for end in ("mean", "low", "high"))
            cells.append(f"{mean} [{low}, {high}] ({_places(of['accuracy_lost']['mean'], 3)}){name}")
        lines.append(f"| {row['scenario']} | {row['conditions']} | " + " | ".join(cells) + " |")
    return lines


def _places(value: float, places: int) -> str:
    """Rounded, and never minus zero."""
    return f"{round(value, places) + 0.0:.{places}f}"


def _told_product(met: Complete, groups: Mapping[str, list[int]], history: Floats) -> Floats:
    """Product of experts who have all read the history, which counts once."""
    others = [posterior(met, [*groups["history"], *of]) for name, of in groups.items() if name != "history"]
    return product(others, history) if others else history


def _measured(
    joint: Floats, told: Mapping[str, Floats], condition: NDArray[np.int64], seed: int
) -> dict[str, Any]:  # fmt: skip
    columns: dict[Hashable, Floats] = {"loss": _loss(joint, condition), "right": _right(joint, condition)}
    for way, said in told.items():
        columns[f"{way} nats"] = _loss(said, condition) - columns["loss"]
        columns[f"{way} right"] = _right(said, condition)
        columns[f"{way} lost"] = columns["right"] - columns[f"{way} right"]
    resampled = bootstrap(columns, seed=seed, resamples=_RESAMPLES)

    def of(column: str) -> dict[str, float]:
        return _plain(resampled.mean(column))

    return {
        "joint": {"log_loss": of("loss"), "accuracy": of("right")},
        "ways": {
            way: {"nats": of(f"{way} nats"), "accuracy": of(f"{way} right"), "accuracy_lost": of(f"{way} lost")}
            for way in told
        },
    }


def _plain(interval: Interval) -> dict[str, float]:
    return {"mean": interval.mean, "low": interval.low, "high": interval.high}


def _loss(said: Floats, condition: NDArray[np.int64]) -> Floats:
    """(n,) nats."""
    return np.asarray(-np.log(said[np.arange(len(condition)), condition]))


def _right(said: Floats, condition: NDArray[np.int64]) -> Floats:
    return (said.argmax(axis=1) == condition).astype(np.float64)


def _normalised(logs: Floats) -> Floats:
    weights = np.exp(logs - logs.max(axis=1, keepdims=True))
    return np.asarray(weights / weights.sum(axis=1, keepdims=True))
