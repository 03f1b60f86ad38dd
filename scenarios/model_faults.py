"""What pydantic finds, said so that a clinician can mend it."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from workup.scenarios.errors import Fault
from workup.scenarios.schema import Scenario
from workup.scenarios.yaml_tree import Path, Tree


def suggestion(name: str, known: Iterable[str]) -> str:
    """'; did you mean ...?' for the nearest known name, or a list of what there is."""
    names = [entry for entry in known if entry]
    near = difflib.get_close_matches(name, names, n=1, cutoff=0.6)
    if near:
        return f"; did you mean {near[0]!r}?"
    shown = ", ".join(names[:12]) + (", ..." if len(names) > 12 else "")
    return f"; expected one of: {shown or '(none are defined)'}"


def model_faults(error: ValidationError, tree: Tree) -> tuple[Fault, ...]:
    """Faults of a failed validation, one for each place."""
    by_place: dict[Path, Fault] = {}
    for detail in error.errors(include_url=False):
        path = _path(detail["loc"], tree.data)
        by_place.setdefault(path, tree.fault(path, _message(detail, path)))
    return tuple(by_place.values())


def _path(loc: tuple[int | str, ...], data: Any) -> Path:
    """The part of pydantic's location that stands in the file (it adds the names of union members)."""
    path: Path = ()
    for i, part in enumerate(loc):
        if isinstance(data, dict) and set(data) == {"value"} | (set(data) & {"status", "source", "note"}):
            data, path = data["value"], (*path, "value")
        if isinstance(data, dict) and part in data:
            data, path = data[str(part)], (*path, part)
        elif isinstance(data, list) and isinstance(part, int) and part < len(data):
            data, path = data[part], (*path, part)
        elif i == len(loc) - 1 and isinstance(data, dict):
            path = (*path, part)
    return path


def _message(detail: ErrorDetails, path: Path) -> str:
    kind, found = detail["type"], detail["input"]
    name = str(path[-1]) if path else "the file"
    if kind == "extra_forbidden":
        return f"no such key here{suggestion(name, _fields(path[:-1]))}"
    if kind == "missing":
        return "missing; this key is required"
    expected = detail["msg"].removeprefix("Value error, ").removeprefix("Input should be ").removeprefix("Expected ")
    if kind == "value_error":
        return expected
    shown = repr(found) if len(repr(found)) < 60 else repr(found)[:57] + "..."
    hint = "; put it in quotes" if kind == "string_type" and isinstance(found, int | float | bool) else ""
    return f"found {shown}; expected {expected}{hint}"


def _fields(path: Path) -> tuple[str, ...]:
    """Keys the language knows at `path`."""
    annotation: Any = Scenario
    for part in path:
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
    members = [entry for entry in getattr(annotation, "__args__", ()) if entry is not type(None)]
    is_optional = type(None) in getattr(annotation, "__args__", ())
    return members[0] if is_optional and len(members) == 1 else annotation
