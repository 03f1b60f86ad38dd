"""Environments over recorded patients: a fitted scenario, and the rows that its journeys are played on.

The world's model is what was fitted to the training rows. It is what agents know, and the belief view is the
posterior under it: exact for the model, as good as the model for the patients. What is true of a patient, what is
revealed and what a decision is worth come from the row.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from workup.envs.compile.compile import compile_world
from workup.envs.model.cases import Cases
from workup.envs.model.codes import MISSING
from workup.envs.model.population import Population
from workup.envs.model.world import World
from workup.errors import FileFormatError, WorkupError
from workup.scenarios.language.library import load_scenario

Split = Literal["train", "test"]
SPLITS: tuple[Split, Split] = ("train", "test")
FORMAT = "workup table 1"
ABOUT, ROWS = "table.json", "patients.parquet"


@dataclass(frozen=True, eq=False)
class Recorded:
    """A folder that `workup import-table` wrote, compiled."""

    train: Population
    test: Population
    """Both of one world, whose law was fitted to the training patients."""
    about: dict[str, Any]

    @property
    def world(self) -> World:
        """What agents know."""
        return self.train.world

    def split(self, split: Split) -> Population:
        """Its patients of that split. Raises WorkupError for any other word."""
        if split not in ("train", "test"):
            raise WorkupError(f"split is {split!r}; expected train or test")
        return self.train if split == "train" else self.test


def is_recorded(path: str | Path) -> bool:
    """Whether there are recorded patients in that folder."""
    return Path(path).joinpath(ABOUT).is_file()


def population_of(scenario: str | Path, *, split: Split | None = None, **settings: Any) -> Population:
    """Who is met in the scenario of an id or path: drawn patients, or the recorded ones of a split (train by default).

    Args:
        scenario: an id or a path.
        split: which recorded patients.
        settings: of `compile_world`.

    Raises:
        WorkupError: a split of a scenario whose patients are drawn from its model.
    """
    if is_recorded(scenario):
        return load_recorded(Path(scenario), **settings).split(split or "train")
    if split is not None:
        raise WorkupError(f"{scenario} has no recorded patients, so there is no split {split!r}; leave it out")
    return Population(compile_world(load_scenario(scenario), **settings))


def refuse_view_of(scenario: object, view: Mapping[str, object]) -> None:
    """Raises WorkupError where a rate or perspective is asked of what was compiled with its own."""
    asked = [name for name, of in view.items() if of is not None]
    if asked and isinstance(scenario, World | Population):
        raise WorkupError(
            f"{' and '.join(asked)} cannot change a compiled world; give compile_world the same, or the scenario's id or path here"
        )


def load_recorded(folder: Path, **settings: Any) -> Recorded:
    """Read a folder back.

    Raises:
        FileFormatError: files that are missing, damaged or do not belong together.
        WorkupError: a mechanism switched off that the rows need.
    """
    about = _about(folder)
    world = compile_world(load_scenario(folder), set_ups_once=bool(about["set_ups_once_a_journey"]), **settings)
    train, test = (Population(world, _cases(folder, about, world, split), law_known=False) for split in SPLITS)
    if world.switched_off and any((of.fixed.values == MISSING).any() for of in (train, test)):
        raise WorkupError(
            f"{', '.join(sorted(world.switched_off))} cannot be switched off: these rows lack values, and a model in which "
            "nothing is ever missing calls that impossible"
        )
    return Recorded(train, test, about)


def _about(folder: Path) -> dict[str, Any]:
    path = folder / ABOUT
    try:
        about = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise FileFormatError(f"{path}: cannot be read ({error}); import the table again") from None
    if not isinstance(about, dict) or about.get("format") != FORMAT or "set_ups_once_a_journey" not in about:
        raise FileFormatError(f"{path}: expected format {FORMAT!r}; import the table again")
    return about


def _cases(folder: Path, about: dict[str, Any], world: World, split: Split) -> Cases:

    import polars as pl  # a third of the time that opening a scenario without recorded patients takes

    path, model = folder / ROWS, world.model
    try:
        content = path.read_bytes()
        frame = pl.read_parquet(content)
    except (OSError, pl.exceptions.PolarsError) as error:
        raise FileFormatError(f"{path}: cannot be read ({error}); import the table again") from None
    if hashlib.sha256(content).hexdigest() != about.get("patients_sha256"):
        raise FileFormatError(
            f"{path}: not the rows that {ABOUT} tells of (the checksum differs); import the table again"
        )
    expected = {"split", "condition", *(f"{name} code" for name in model.observables)}
    if not expected <= set(frame.columns):
        absent = ", ".join(sorted(expected - set(frame.columns)))
        raise FileFormatError(f"{path}: lacks {absent}, which the scenario beside it has; import the table again")
    frame = frame.filter(pl.col("split") == split)
    condition = frame["condition"].to_numpy().astype(np.int32)
    values = np.full((len(frame), len(model.observables)), MISSING, np.int16)
    numbers = np.full(values.shape, np.nan, np.float32)
    for o, name in enumerate(model.observables):
        values[:, o] = frame[f"{name} code"].to_numpy()
        if f"{name} number" in frame.columns:
            numbers[:, o] = frame[f"{name} number"].to_numpy()
    sound = (values >= 0) & (values < model.n_values) | (values == MISSING)
    if not len(frame) or not sound.all() or condition.min() < 0 or condition.max() >= model.prior.shape[1]:
        raise FileFormatError(f"{path}: holds codes that the scenario beside it does not have; import the table again")
    return Cases(np.zeros(len(frame), np.int32), condition, values, numbers)
