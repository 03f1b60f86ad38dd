"""What a scenario says of a search for a figure: checked, since a clinician is to be able to repeat it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

from workup.scenarios.language.authorship import Searched
from workup.scenarios.language.reading.yaml_tree import Path

_EXPECTED = "{words: ..., places: [...], on: 2026-11-30, found: nothing, or what and why it could not be used}"


def search_of(found: Any, path: Path, fault: Callable[[Path, str], None]) -> Searched | None:
    """The search that is written at a path, or None and a fault.

    Args:
        found: what stands there.
        path: of `searched`.
        fault: called with a path and a message.
    """
    fields = Searched.model_fields
    if not isinstance(found, dict) or found.keys() != fields.keys():
        missing = [name for name in fields if not isinstance(found, dict) or name not in found]
        wrong = f"lacks {', '.join(missing)}" if missing else f"holds more than {', '.join(fields)}"
        fault(path, f"{wrong}; write {_EXPECTED}")
        return None
    places = found["places"]
    if not isinstance(places, list) or not places or not all(isinstance(place, str) and place for place in places):
        fault((*path, "places"), f"{places!r} is no list of places; write for example [PubMed, NICE evidence search]")
        return None
    for name in ("words", "found"):
        if not isinstance(found[name], str) or not found[name].strip():
            fault((*path, name), f"{found[name]!r} is no text; write {_EXPECTED}")
            return None
    try:
        on = date.fromisoformat(found["on"]).isoformat()
    except (TypeError, ValueError):
        fault((*path, "on"), f"{found['on']!r} is no date; write the day of the search as 2026-11-30")
        return None
    return Searched(words=found["words"], places=tuple(places), on=on, found=found["found"])
