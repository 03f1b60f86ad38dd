"""What pydantic finds, said so that a clinician can mend it."""

from __future__ import annotations

import difflib
from collections.abc import Set
from types import UnionType
from typing import Any, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from workup.errors import Fault, in_words, number_hint, suggestion
from workup.scenarios.language.reading.written_out import in_full
from workup.scenarios.language.reading.yaml_tree import Path, Tree
from workup.scenarios.language.schema import Scenario
from workup.scenarios.language.vocabulary import AS, BUT

_EXPECTED = {
    "a valid number": "a number",
    "a valid integer": "a whole number",
    "a valid string": "a text",
    "a valid boolean": "true or false",
    "a valid array": "a list",
    "a valid dictionary": "'key: value' lines below it",
    "an object": "'key: value' lines below it",
}
_SECTIONS = {
    "id": "one word for the scenario, such as `id: my_cough`",
    "title": "what the case is called",
    "version": 'such as `version: "0.1"`',
    "about": "who comes, and with what question",
    "who": "`authors`, `guideline`, `setting` and `price_year`",
    "context": "what is known of the patient before any finding; `context: {}` if nothing is",
    "conditions": "what may be behind it, each with `label` and `urgency`",
    "prior": "how often each condition is behind it",
    "findings": "what can be found, and how often under each condition",
    "investigations": "what can be asked, examined and ordered",
    "utility": "the unit of what a decision is worth, and `gbp_per_qaly`",
    "decisions": "how the journey can end, and what each decision is worth under each condition",
    "rewards": "how a journey is scored, by `complex_decision` and by `triage`",
    "guideline": "rules in order, the last of which decides",
}
"""What the sections that every scenario needs are for."""


def model_faults(error: ValidationError, tree: Tree) -> tuple[Fault, ...]:
    """Faults of a failed validation, one for each place."""
    by_place: dict[Path, Fault] = {}
    details = [(detail, _path(detail["loc"], tree.data)) for detail in error.errors(include_url=False)]
    missing = {path for detail, path in details if detail["type"] == "missing"}
    for detail, path in details:
        by_place.setdefault(path, tree.fault(path, _message(detail, path, missing)))
    return tuple(by_place.values())


def _path(loc: tuple[int | str, ...], data: Any) -> Path:
    """The part of pydantic's location that stands in the file (it adds the names of union members)."""
    path: Path = ()
    for i, part in enumerate(loc):
        if isinstance(data, dict) and set(data) == {"value"} | (set(data) & {"status", "source", "note"}):
            data, path = data["value"], (*path, "value")
        if len(path) > 1 and isinstance(data, dict) and AS in data and part not in data:
            but = data.get(BUT)  # an entry in short: what it copies stands elsewhere
            data, path = (but, (*path, BUT)) if isinstance(but, dict) and part in but else (None, path)
        if isinstance(data, dict) and part in data:
            data, path = data[str(part)], (*path, part)
        elif isinstance(data, list) and isinstance(part, int) and part < len(data):
            data, path = data[part], (*path, part)
        elif i == len(loc) - 1 and isinstance(data, dict):
            path = (*path, part)
    return path


def _message(detail: ErrorDetails, path: Path, missing: Set[Path]) -> str:
    kind, found = detail["type"], detail["input"]
    name = str(path[-1]) if path else "the file"
    if kind == "extra_forbidden":
        wanted = [str(each[-1]) for each in missing if each[:-1] == path[:-1]]
        known = wanted if difflib.get_close_matches(name, wanted, n=1, cutoff=0.6) else _fields(path[:-1])
        return f"no such key here{suggestion(name, known)}"
    if kind == "missing":
        what = _SECTIONS.get(name) if len(path) == 1 else None
        return f"missing: {what}" if what else f"missing; write `{name}:` with what it is"
    expected = detail["msg"].removeprefix("Value error, ").removeprefix("Input should be ").removeprefix("Expected ")
    if kind == "value_error":
        return expected
    shown = in_words(found)
    return f"found {shown}; expected {_EXPECTED.get(expected, expected)}{_hint(kind, found)}"


def _hint(kind: str, found: Any) -> str:
    if kind == "string_type" and isinstance(found, int | float):
        return "; put it in quotes"
    if kind == "string_type" and found is None:
        return "; a text that begins with # goes in quotes"
    if kind in ("float_type", "int_type", "float_parsing", "int_parsing"):
        return number_hint(found)
    if kind in ("tuple_type", "list_type") and isinstance(found, str):
        if found.startswith("-"):
            return "; write a space after each dash"
        return f"; write [{found}]"
    return ""


def _fields(path: Path) -> tuple[str, ...]:
    """Keys the language knows at `path`."""
    annotation: Any = Scenario
    for part in in_full(path):
        if isinstance(annotation, type) and issubclass(annotation, BaseModel):
            field = annotation.model_fields.get(str(part))
            annotation = field.annotation if field else None
        else:
            annotation = _element(annotation)
        annotation = _without_none(annotation)
    return tuple(annotation.model_fields) if isinstance(annotation, type) and issubclass(annotation, BaseModel) else ()


def _element(annotation: Any) -> Any:
    """What a mapping or list of this type holds."""
    held = [entry for entry in getattr(annotation, "__args__", ()) if entry is not Ellipsis]
    return held[-1] if held else None


def _without_none(annotation: Any) -> Any:
    """Of several types the one that has keys: `X | None`, or a number that may be a mapping too."""
    if get_origin(annotation) not in (Union, UnionType):
        return annotation
    members = [entry for entry in get_args(annotation) if entry is not type(None)]
    members = [entry.__origin__ if hasattr(entry, "__metadata__") else entry for entry in members]
    models = [entry for entry in members if isinstance(entry, type) and issubclass(entry, BaseModel)]
    return models[0] if len(models) == 1 else members[0] if len(members) == 1 else annotation
