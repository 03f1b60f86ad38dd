"""From a scenario on disk to a checked, frozen `Scenario`, or to all of its faults at once."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, replace
from pathlib import Path as FilePath

from pydantic import ValidationError

from workup.errors import Fault, ScenarioError
from workup.files import UnreadableError, bytes_of
from workup.scenarios.language.reading.again import with_turnarounds
from workup.scenarios.language.reading.digest import digest
from workup.scenarios.language.reading.model_faults import model_faults
from workup.scenarios.language.reading.not_now import refused
from workup.scenarios.language.reading.provenance import strip
from workup.scenarios.language.reading.signatures import read_reviews, reviews_file, written_digest
from workup.scenarios.language.reading.texts import unfit_texts
from workup.scenarios.language.reading.written_out import written_out
from workup.scenarios.language.reading.yaml_tree import MAX_BYTES, Tree, parse
from workup.scenarios.language.schema import Scenario

_BESIDE = {"vignettes": "vignettes.yaml", "sources": "sources.yaml"}
_WORKED_OUT = ("figures", "digest", "written", "reviews")
"""Fields of a `Scenario` that a reader fills in and nobody writes."""


@dataclass(frozen=True)
class Reading:
    """What reading gave: a scenario if the models accept it, and every fault so far."""

    tree: Tree
    scenario: Scenario | None
    faults: tuple[Fault, ...]


def read(path: FilePath) -> Reading:
    """Read a folder (scenario.yaml, and vignettes.yaml and sources.yaml if beside it) or a single file.

    Reading checks form and provenance; what names and figures mean is checked by `workup.scenarios.language.lint.lint`.

    Raises:
        ScenarioError: the file is missing or not plain YAML, so that nothing further can be said.
    """
    reading = interpret(_read_tree(path))
    if reading.scenario is None:
        return reading
    reviews = read_reviews(reviews_file(main_file(path)))
    return replace(reading, scenario=reading.scenario.model_copy(update={"reviews": reviews}))


def main_file(path: FilePath) -> FilePath:
    """The file that holds the scenario at `path`: scenario.yaml of a folder, or the file itself."""
    return path / "scenario.yaml" if path.is_dir() else path


def interpret(tree: Tree) -> Reading:
    """The scenario that a tree describes, with the faults of its form and provenance."""
    if unfit := unfit_texts(tree):
        return Reading(tree, None, unfit)
    stripped, figures, faults = strip(tree)
    full = written_out(stripped, tree)
    if full.data is None:
        return Reading(tree, None, (*faults, *full.faults))
    tree = replace(tree, places={**full.places, **tree.places})
    figures = tuple(replace(of, copies=full.copies[of.path]) if of.path in full.copies else of for of in figures)
    data, not_held = refused(with_turnarounds(full.data), tree)
    faults = (*faults, *full.faults, *not_held)
    written = [key for key in _WORKED_OUT if key in data]
    faults += tuple(tree.fault((key,), "workup works this out itself; remove it") for key in written)
    data = {key: of for key, of in data.items() if key not in written}
    try:
        # By way of JSON: there strict typing (no text for a number) still takes a list for a tuple.
        scenario = Scenario.model_validate_json(json.dumps(data), strict=True)
    except ValidationError as error:
        return Reading(tree, None, (*faults, *model_faults(error, tree)))
    if full.faults:  # what is left out would be told again as missing
        return Reading(tree, None, faults)
    update = {"figures": figures, "digest": digest(scenario), "written": written_digest(tree.data)}
    scenario = scenario.model_copy(update=update)
    return Reading(tree, scenario, faults)


def _read_tree(path: FilePath) -> Tree:
    main = main_file(path)
    tree = parse(_bytes(main), str(main))
    if main.name != "scenario.yaml":
        return tree
    faults = []
    for key, name in _BESIDE.items():
        beside = main.with_name(name)
        if not os.path.lexists(beside):
            continue
        if key in tree.data:
            faults.append(tree.fault((key,), f"also given by {name} beside it; keep one of the two"))
        tree.graft(key, parse(_bytes(beside), str(beside)))
    if faults:
        raise ScenarioError(faults)
    return tree


def _bytes(path: FilePath) -> bytes:
    try:
        return bytes_of(path, MAX_BYTES)
    except UnreadableError as error:
        message = f"{error.why}; give a folder with scenario.yaml, or one YAML file of a size to be read"
        raise ScenarioError([Fault(str(path), 1, message)]) from None
