"""Train a fusion on patients of a task, once a seed, and measure it on others, with ceilings on the same patients beside it."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from workup.agents.fusion.base import Build, FusionError, NotFiniteError, TaskSpec
from workup.agents.fusion.registry import fusion_of
from workup.agents.fusion.trainer import PIXELS
from workup.agents.fusion.training import Fitted, fit, logits
from workup.errors import WorkupError
from workup.studies.fusion.acquisition import acquired
from workup.studies.fusion.conditions import CORRUPTED, REVERSED, SWAPPED, Records, condition, judged_on
from workup.studies.fusion.data import FusionData
from workup.studies.fusion.drawing import task_of
from workup.studies.fusion.measures import (
    by_pattern,
    measured,
    ranked_and_lost,
    replicates,
    replicates_of_mean,
    tells_apart,
)

if TYPE_CHECKING:
    import polars as pl

    from workup.studies.fusion.tasks.base import Task

Scores = NDArray[np.float64]
Encoders = Callable[[TaskSpec], Mapping[str, nn.Module]]
"""Makes an encoder for each modality, each with an attribute `width`."""


@dataclass(frozen=True)
class Results:
    """Every seed of one method on one task."""

    task: str
    method: str
    runs: tuple[Mapping[str, Any], ...]
    """One a seed, plain data: seed, status (ok, refused or failed), reason, message, parameters, cpu_s (with
    members that were shared), spent_s (really), and `tests`: by name, measures,
    `patterns` (by what the records hold), `exact` (ceilings by message class on the same patients) and `replicates`."""

    def mean(self, measure: str = "auroc", test: str = "same") -> float:
        """Over the seeds that ended well; NaN if none did.

        Raises:
            WorkupError: no such test or measure.
        """
        ended = [run["tests"] for run in self.runs if run["status"] == "ok"]
        if not all(measure in tests.get(test, {}) for tests in ended):
            raise WorkupError(f"{self.task}: no {measure!r} of a test {test!r}; look at `runs[0]['tests']`")
        found = [float(tests[test][measure]) for tests in ended]
        return float(np.mean(found)) if found else math.nan

    def to_frame(self) -> pl.DataFrame:
        """A row a seed and test: seed, status, reason, test, the measures, and each ceiling's AUROC as `exact_CLASS`."""
        import polars as pl

        rows = []
        for run in self.runs:
            about = {name: run[name] for name in ("seed", "status", "reason", "message", "parameters", "cpu_s")}
            for test, found in (run["tests"] or {"": {"exact": {}}}).items():
                figures = {name: value for name, value in found.items() if isinstance(value, float)}
                ceilings = {f"exact_{name}": value["auroc"] for name, value in found["exact"].items()}
                rows.append(about | {"test": test} | figures | ceilings)
        return pl.from_dicts(rows, infer_schema_length=None)


def evaluate(
    build_or_name: str | Build,
    *,
    task: str | Task | Mapping[str, FusionData],
    view: str = "findings",
    patients: int = 2_000,
    seeds: int = 5,
    record: str = "same",
    test_patients: int = 4_000,
    encoders: Encoders | None = None,
) -> Results:
    """Train and measure a method.

    Args:
        build_or_name: a name of `FUSIONS`, `exact_joint` or another message class's exact score, or a function that is called as
            `build(task, encoders, seed=)` and returns a Fusion.
        task: a name, a task, or data of your own: `train`, `validation`, and what else there is to test on.
        view: findings, read or raw.
        patients: to learn from; a quarter as many more to stop by.
        seeds: trainings, each with patients of its own.
        record: whose records to learn from (`conditions.condition`).
        test_patients: of each test.
        encoders: your own, made for each training; the benchmark's if None.

    Returns:
        Every run. A method that cannot take a record is `refused`; one that broke, or that says no more than the prevalence, is
        `failed`, with the reason: it stays in the table.

    Raises:
        UnknownNameError: no such method, task, view or record.
    """
    method = method_name(build_or_name)
    if not isinstance(task, Mapping):
        of = task_of(task)
        condition(record, of)
        sizes = (patients, max(patients // 4, 100), test_patients)
        runs = [
            {"seed": seed}
            | run_once(build_or_name, of, view=view, seed=seed, record=record, sizes=sizes, encoders=encoders)
            for seed in range(seeds)
        ]
        return Results(of.name, method, tuple(runs))
    missing = [name for name in ("train", "validation") if name not in task]
    tests = {name: data for name, data in task.items() if name not in ("train", "validation")}
    if missing or not tests:
        raise WorkupError(
            f"task: data named {sorted(task)}; expected train, validation and one or more to test on, such as same"
        )
    own = [
        {"seed": seed} | trained(build_or_name, task["train"], task["validation"], tests, seed=seed, encoders=encoders)
        for seed in range(seeds)
    ]
    return Results(task["train"].spec.name, method, tuple(own))


def run_once(
    build_or_name: str | Build,
    task: Task,
    *,
    view: str,
    seed: int,
    record: str,
    sizes: tuple[int, int, int],
    encoders: Encoders | None = None,
) -> dict[str, Any]:
    """One training of one method; see `Results.runs`. `sizes`: patients to learn from, to stop by, and of each test."""
    if isinstance(build_or_name, str) and build_or_name.startswith("exact_"):
        tests = _tests(task, view, seed, record, sizes[2])
        return _exact(build_or_name.removeprefix("exact_"), tests, task.name, seed)
    train, validation, tests = patients_of(task, view=view, seed=seed, record=record, sizes=sizes)
    known = encoders is None and isinstance(build_or_name, str) and _ours(task)
    shared = _shared(task.name, view, seed, record, sizes[:2]) if known else None
    return trained(build_or_name, train, validation, tests, seed=seed, encoders=encoders, shared=shared)


def patients_of(
    task: Task, *, view: str, seed: int, record: str, sizes: tuple[int, int, int]
) -> tuple[FusionData, FusionData, dict[str, FusionData]]:
    """Whom a run learns from, stops by and is tested on."""
    how = condition(record, task)
    train, validation = (
        _data(task, split, n, seed, view, how) for split, n in (("train", sizes[0]), ("validation", sizes[1]))
    )
    return train, validation, _tests(task, view, seed, record, sizes[2])


def _tests(task: Task, view: str, seed: int, record: str, patients: int) -> dict[str, FusionData]:
    tests = {name: _data(task, "test", patients, seed, view, how) for name, how in judged_on(record, task).items()}
    if record == "same" and task.name in CORRUPTED and view == "findings":
        tests |= {f"{SWAPPED}{name}": tests["same"].swapped(name) for name in task.modalities}
        tests[REVERSED] = tests["same"].reversed()
    return tests


def trained(
    build_or_name: str | Build,
    train: FusionData,
    validation: FusionData,
    tests: Mapping[str, FusionData],
    *,
    seed: int,
    encoders: Encoders | None = None,
    shared: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """One training on given data; see `Results.runs`. `shared`: as of `workup.agents.fusion.training.fit`."""
    build, rows, begun = (
        (fusion_of(build_or_name) if isinstance(build_or_name, str) else build_or_name),
        train.rows,
        time.process_time(),
    )
    about: dict[str, Any] = {
        "message": None,
        "parameters": None,
        "fusion_parameters": None,
        "epochs": None,
        "cpu_s": None,
    }
    try:
        fitted = fit(
            build, train.spec, rows.inputs, rows.present, rows.order, rows.question, rows.label,
            seed=seed, validation=validation.rows, encoders=None if encoders is None else partial(encoders, train.spec),
            settings=PIXELS if _pictures(train) else None, shared=shared, method=method_name(build_or_name),
        )  # fmt: skip
        about = {
            "message": fitted.fusion.message, "parameters": fitted.parameters, "fusion_parameters": fitted.fusion_parameters,
            "epochs": fitted.epochs, "cpu_s": fitted.cpu_s,
        }  # fmt: skip
        found = {name: _tested(fitted, validation, data, name, seed) for name, data in tests.items()}
        learned = _learned(fitted, validation)
    except NotFiniteError as error:
        return _ended("failed", str(error), about, begun)
    except FusionError as error:
        return _ended("refused", str(error), about, begun)
    status, reason = (
        ("ok", None) if learned else ("failed", "did not learn: no better on validation patients than the prevalence")
    )
    return _ended(status, reason, about, begun) | {"tests": found}


def method_name(build_or_name: str | Build) -> str:
    """What a method is called in tables and messages."""
    return build_or_name if isinstance(build_or_name, str) else str(getattr(build_or_name, "__name__", "own"))


def scored(fitted: Fitted, data: FusionData) -> Scores:
    """(n,) log-odds of label 1.

    Raises:
        MissingModalityError: a patient lacks a modality and the method needs all: raised before the method is asked.
        WorkupError: more than two classes.
    """
    if data.spec.classes != 2:
        raise WorkupError(f"{data.spec.name} has {data.spec.classes} classes; what is measured here needs two")
    rows = data.rows
    said = logits(fitted, rows.inputs, rows.present, rows.order, rows.question)
    return np.asarray(said[:, 1] - said[:, 0], dtype=np.float64)


def _pictures(data: FusionData) -> bool:
    return any(block.dtype == torch.uint8 and block.ndim > 2 for block in data.rows.inputs.values())


def _learned(fitted: Fitted, validation: FusionData) -> bool:
    """Whether it says more of validation patients than the prevalence does: in the loss it was trained by, or in their order."""
    label = validation.rows.label.numpy()
    return fitted.learned or label.min() == label.max() or tells_apart(scored(fitted, validation), label)


def _tested(fitted: Fitted, validation: FusionData, data: FusionData, test: str, seed: int) -> dict[str, Any]:
    found = _measured(scored(fitted, data), data, data.spec.name, test, seed)
    if data.spec.right_gbp > 0 and test == "same":
        got = acquired(fitted, validation, data)
        found |= got.as_json()
        found["replicates"]["benefit_gbp"] = replicates_of_mean(
            got.benefit_gbp, sample=f"{data.spec.name} {test} {seed}"
        )
    return found


def _measured(score: Scores, data: FusionData, task: str, test: str, seed: int) -> dict[str, Any]:
    label, present = data.rows.label.numpy(), data.rows.present.numpy()
    found: dict[str, Any] = dict(measured(score, label))
    found["patterns"] = by_pattern(score, label, present, data.spec.modalities)
    found["replicates"] = replicates(score, label, sample=f"{task} {test} {seed}")
    found["exact"] = data.once("ceilings", ceilings_of)
    return found


def ceilings_of(data: FusionData) -> dict[str, dict[str, float]]:
    """Message class -> AUROC and log-loss of its exact score on these patients; nothing for data of one's own."""
    if data.drawn is None:
        return {}
    met = data.drawn.patients
    return {name: ranked_and_lost(score, met.label) for name, score in met.exact.items()}


def _exact(message: str, tests: Mapping[str, FusionData], task: str, seed: int) -> dict[str, Any]:
    """The exact score of a message class, measured as if it were a method."""
    begun, found = time.process_time(), {}
    for name, data in tests.items():
        known = {} if data.drawn is None else data.drawn.patients.exact
        if message in known:
            found[name] = _measured(np.asarray(known[message]), data, task, name, seed)
    about = {"message": message, "parameters": 0, "fusion_parameters": 0, "epochs": 0, "cpu_s": 0.0}
    if not found:
        return _ended("refused", f"{task} has no exact score of the class {message!r}", about, begun)
    return _ended("ok", None, about, begun) | {"tests": found}


def _ended(status: str, reason: str | None, about: Mapping[str, Any], begun: float) -> dict[str, Any]:
    return {"status": status, "reason": reason, **about, "spent_s": time.process_time() - begun, "tests": {}}


@lru_cache(maxsize=2)
def _shared(task: str, view: str, seed: int, record: str, sizes: tuple[int, int]) -> dict[str, Any]:
    """Members trained in this process for methods that learn from the same patients."""
    return {}


def _made(task: str | Task, split: str, n: int, seed: int, view: str, of: Records) -> FusionData:
    return FusionData(
        task, split, patients=n, seed=seed, view=view, policy=of.policy, missing=of.missing, left_out=of.left_out
    )


_drawn = lru_cache(maxsize=16)(_made)


def _data(task: Task, split: str, n: int, seed: int, view: str, of: Records) -> FusionData:
    return _drawn(task.name, split, n, seed, view, of) if _ours(task) else _made(task, split, n, seed, view, of)


def _ours(task: Task) -> bool:
    from workup.studies.fusion.tasks import TASKS

    return TASKS.get(task.name) is task
