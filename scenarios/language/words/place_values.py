"""Values of a scenario with their units: '80%', '£1,500', '3 days', 'Pneumonia'."""

from __future__ import annotations

import json
from typing import Any

from workup.scenarios.language.authorship import FigureRecord
from workup.scenarios.language.words.places import ABSENT, FIELDS, LAWS, Path, Side
from workup.wording import listed, plain, pounds_exact, time_in_words

_IS_NAME = frozenset({"change_of", "uses", "set_up", "to", "do", "condition", "given"})
_WORDS = {"look", "shown"}
"""Fields that hold no figure, and are what findings may be called."""


def said(side: Side, path: Path, value: Any) -> str:
    """A value at a place, with its unit."""
    keys = [str(part) for part in path if part != "" and not isinstance(part, int)]
    last = keys[-1]
    if value is ABSENT or value is None:
        return "nothing"
    if last in ("when", "of", "among", "against") and isinstance(value, dict | list):
        return f"“{side.phrases.when(value if isinstance(value, dict) else tuple(value))}”" if value else "always"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        units = LAWS | FIELDS.keys() - _WORDS | {"within"}
        field = next((key for key in reversed(keys) if key in units), last)
        field = "chance" if keys[0] == "targets" and last == "value" and _is_share(side, keys[1]) else field
        return figure(field, value, qaly=side.scenario.utility.unit == "qaly")
    if isinstance(value, list):
        if "bands" in keys or last == "range":
            return " to ".join(number(entry) for entry in value)
        return listed(side.phrases.label(entry) if isinstance(entry, str) else number(entry) for entry in value)
    if isinstance(value, dict):
        return "; ".join(
            f"{side._field(key)} {said(side, (*path, key), of)}".strip() for key, of in value.items() if of
        )
    if last in _IS_NAME:
        return str({"uses": side.scenario.resources}.get(last, {}).get(value) or _label(side, last, value))
    return f"“{value}”" if " " in str(value) else plain(str(value))


def _label(side: Side, field: str, name: str) -> str:
    return side.called("set_ups", name) if field == "set_up" else side.phrases.label(name)


def _is_share(side: Side, target: str) -> bool:
    return str(side.at(("targets", target, "measure"))) != "likelihood_ratio"


def figure(field: str, value: float, *, qaly: bool = False) -> str:
    """A number of a field, with its unit; worths are in QALY if asked, else in pounds."""
    if field in ("chance", "table", "risk", "reported"):
        return f"{100 * value:.10g}%"
    if field in ("turnaround", "median_time", "new_visit_after", "within", "after"):
        return time_in_words(value)
    if field == "dose_msv":
        return f"{value:.10g} mSv"
    if field == "qaly" or (field == "utility" and qaly):
        return f"{number(value)} QALY"
    if field in ("qaly", "loss_qaly"):
        return f"{number(value)} QALY"
    if field in ("utility", "gbp_per_qaly") or "gbp" in field:
        return pounds_exact(value)
    return number(value)


def number(value: Any) -> str:
    """A bare number."""
    return f"{value:.10g}".replace("-", "−") if isinstance(value, int | float) else str(value)


def figure_words(side: Side, figure: FigureRecord) -> tuple[str, str]:
    """What a figure is of, and how large it is with its unit."""
    path = tuple(key for _, key in steps(side, figure.path))
    return side.named(path).rstrip(":"), said(side, path, figure.value)


def steps(side: Side, path: str) -> list[tuple[str, str | int]]:
    """The parts of a figure's path: what each is known by, and the key that leads to it.

    A key may itself hold dots ('2.5_to_5'), so the longest that exists is taken.
    """
    here: Any = side.tree
    parts, out = path.split("."), []
    while parts:
        taken, known, key = _step(here, parts)
        out.append((known, key))
        here = here[key] if _has(here, key) else None
        parts = parts[taken:]
    return out


def _step(here: Any, parts: list[str]) -> tuple[int, str, str | int]:
    if isinstance(here, list) and parts[0].isdigit() and int(parts[0]) < len(here):
        return 1, json.dumps(_without_numbers(here[int(parts[0])]), sort_keys=True), int(parts[0])
    if isinstance(here, dict):
        for taken in range(len(parts), 0, -1):
            if ".".join(parts[:taken]) in here:
                key = ".".join(parts[:taken])
                return taken, key, key
    return 1, parts[0], parts[0]


def _without_numbers(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_numbers(of) for key, of in value.items()}
    if isinstance(value, list):
        return [_without_numbers(of) for of in value]
    return None if isinstance(value, float) else value


def _has(here: Any, key: str | int) -> bool:
    return (isinstance(here, dict) and key in here) or (isinstance(here, list) and isinstance(key, int))
