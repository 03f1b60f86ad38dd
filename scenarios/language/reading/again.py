"""A finding again: the item that shows how a finding changed takes all the time in which it changed."""

from __future__ import annotations

from typing import Any


def with_turnarounds(data: dict[str, Any]) -> dict[str, Any]:
    """The data with `turnaround`, where it is left out, taken from the `after` of the change that an item reveals.

    Args:
        data: plain, as written in a file: of any form.
    """
    findings = data.get("findings")
    known = findings if isinstance(findings, dict) else {}
    after = {
        name: of["after"] for name, of in known.items() if isinstance(of, dict) and {"change_of", "after"} <= of.keys()
    }
    return (
        {key: _timed(of, after) if key in ("investigations", "acts") else of for key, of in data.items()}
        if after
        else data
    )


def _timed(items: Any, after: dict[str, Any]) -> Any:
    if not isinstance(items, dict):
        return items
    return {
        name: {**of, "turnaround": of.get("turnaround", _first(of, after))} if _first(of, after) else of
        for name, of in items.items()
    }


def _first(of: Any, after: dict[str, Any]) -> Any:
    revealed = of.get("reveals") if isinstance(of, dict) else None
    names = revealed if isinstance(revealed, list) else ()
    return next((after[name] for name in names if isinstance(name, str) and name in after), None)
