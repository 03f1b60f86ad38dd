"""What authors may well wish to say and the language does not hold: refused with the reason, and with what to write instead."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from workup.errors import Fault
from workup.scenarios.language.reading.yaml_tree import Path, Tree

_RETURNS = frozenset({"repeat_of", "returns", "returns_after", "return_visit", "return_visits"})
_STEPS = frozenset({"after", "from", "until", "steps"})
RETURN_VISIT = (
    "return visits are not in the language: journeys would end by chance, and what a decision is worth would need another "
    "zero. Write a finding with `change_of` and `after`, or an act that reveals something and takes its time (`turnaround`)"
)
STEPPED_WAITING = (
    "a cost of waiting that steps at a time is not in the language: what a decision is worth would hang on the clock. "
    "Write one cost for each day, and `progression` to a worse condition for what comes later"
)
SOCIETAL = (
    "the perspective of society is not in the language: no scenario has figures for work lost or for carers. "
    "Leave it out, and choose between the payer's and the patient's when you evaluate"
)
BY_ACT = (
    "{name} is an act, and availability does not depend on acts: why a result is missing would then hang on the order in which "
    "things were done. Depend on what the act is for (`condition`), or let the finding depend on the act, with a value such as "
    "`unreadable`"
)


def refused(data: dict[str, Any], tree: Tree) -> tuple[dict[str, Any], tuple[Fault, ...]]:
    """The data without what the language does not hold, and a fault for each with the reason.

    Args:
        data: plain, written out in full.
        tree: where everything stands.
    """
    found = [*_of_fields(data), *_of_perspective(data), *_of_availability(data)]
    for _, reach, _ in found:
        data = _without(data, reach)
    return data, tuple(tree.fault(path, reason) for path, _, reason in found)


_Refused = tuple[Path, Path, str]
"""Where it stands, what is left out because of it, and why."""


def _of_fields(data: dict[str, Any]) -> Iterator[_Refused]:
    for section, entries in data.items():
        for entry, fields in _entries(entries):
            for key, of in fields.items():
                path: Path = (section, entry, key)
                if key in _RETURNS:
                    yield path, path, RETURN_VISIT
                elif section == "conditions" and key.startswith("waiting_cost") and _steps(of):
                    yield path, path, STEPPED_WAITING


def _of_perspective(data: dict[str, Any]) -> Iterator[_Refused]:
    utility = data.get("utility")
    if data.get("perspective") == "societal":
        yield ("perspective",), ("perspective",), SOCIETAL
    if isinstance(utility, dict) and utility.get("perspective") == "societal":
        yield ("utility", "perspective"), ("utility", "perspective"), SOCIETAL


def _of_availability(data: dict[str, Any]) -> Iterator[_Refused]:
    acts = {name for name, _ in _entries(data.get("acts"))}
    for entry, of in _entries(data.get("availability")):
        given = of["given"] if isinstance(of.get("given"), list) else []
        named = [name for name in given if isinstance(name, str) and name in acts]
        if named:
            whole: Path = ("availability", entry)
            yield (*whole, "given", given.index(named[0])), whole, BY_ACT.format(name=named[0])


def _entries(section: Any) -> list[tuple[str, dict[str, Any]]]:
    return [(name, of) for name, of in section.items() if isinstance(of, dict)] if isinstance(section, dict) else []


def _steps(of: Any) -> bool:
    """Whether a cost is said by times: {after: 3 days, ...}, or a list of steps."""
    return isinstance(of, list) or (isinstance(of, dict) and bool(_STEPS & of.keys()))


def _without(node: dict[str, Any], path: Path) -> dict[str, Any]:
    """A copy without what stands at the path."""
    first, rest = path[0], path[1:]
    return {
        key: _without(of, rest) if rest and key == first else of for key, of in node.items() if rest or key != first
    }
