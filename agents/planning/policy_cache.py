"""Bounds and actions that were worked out before, kept as JSON beside a scenario and trusted only for its exact figures."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from workup.agents.planning.presentation import State
from workup.envs.model.world import World
from workup.errors import FileFormatError
from workup.files import write_whole

FORMAT = "workup-bounds-4"


class Known(NamedTuple):
    """What is certified about a presentation, pounds from there on, and after how many expansions."""

    v0: float
    lower: float
    upper: float
    expansions: int


def cache_key(world: World) -> str:
    """16 hex digits that change with anything that could change a value: scenario, preset, weights, mechanisms."""
    facts = [FORMAT, world.scenario.digest, world.preset, [float(w) for w in world.weights], sorted(world.switched_off)]
    return hashlib.sha256(json.dumps(facts).encode()).hexdigest()[:16]


def state_key(state: State) -> str:
    """16 hex digits for what has been revealed."""
    facts = (state.values, state.status, state.failures, state.treated)
    return hashlib.sha256(b"".join(part.tobytes() for part in facts)).hexdigest()[:16]


@dataclass
class PolicyCache:
    """Presentation -> what is known of it; state -> action. Grows as it is used.

    How hard to look depends on who was asked about together, so each presentation's own effort is kept: a search of as many
    expansions finds the same bounds again, and the plan that attains the lower one.
    """

    key: str
    bounds: dict[str, Known] = field(default_factory=dict)
    actions: dict[str, int] = field(default_factory=dict)

    @classmethod
    def load(cls, path: Path, key: str) -> PolicyCache | None:
        """The cache in a file, or None if the file is missing or belongs to other figures.

        Raises:
            FileFormatError: the file is damaged; says how to mend it.
        """
        if not path.is_file():
            return None
        mend = f"delete it, or make it anew with `workup solve`: {path}"
        try:
            found = json.loads(path.read_text(encoding="utf-8"))
            if not isinstance(found, dict) or found.get("format") != FORMAT:
                raise FileFormatError(f"{path}: format is not {FORMAT!r}; {mend}")
            if found["key"] != key:
                return None
            bounds = {str(k): _known(v) for k, v in found["bounds"].items()}
            actions = {str(k): _action(v) for k, v in found["actions"].items()}
            if found["sha256"] != _checksum(found):
                raise ValueError("its numbers are not those that were written: the checksum differs")
        except (ValueError, KeyError, TypeError, AttributeError, ArithmeticError, RecursionError) as fault:
            raise FileFormatError(f"{path}: not a sound file of bounds ({fault}); {mend}") from fault
        return cls(key, bounds, actions)

    def save(self, path: Path) -> None:
        """Write atomically, in an order that does not depend on how it was filled."""
        content: dict[str, Any] = {
            "format": FORMAT,
            "key": self.key,
            "bounds": {k: [*(round(x, 4) for x in self.bounds[k][:3]), self.bounds[k][3]] for k in sorted(self.bounds)},
            "actions": {k: self.actions[k] for k in sorted(self.actions)},
        }
        content["sha256"] = _checksum(content)
        write_whole(path, json.dumps(content, separators=(",", ":")))


def _checksum(content: Mapping[str, Any]) -> str:
    facts = {name: content[name] for name in ("bounds", "actions")}
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()


def _action(value: object) -> int:
    if type(value) is not int or value < 0:
        raise ValueError(f"{str(value)[:60]!r} is not an action: expected an integer from 0")
    return value


def _known(value: object) -> Known:
    if not isinstance(value, list) or len(value) != 4 or any(type(x) not in (int, float) for x in value):
        raise ValueError(f"{str(value)[:60]!r} are not bounds: expected three numbers and the expansions")
    v0, lower, upper = map(float, value[:3])
    if not all(map(math.isfinite, (v0, lower, upper))) or lower > upper + 1e-3 or v0 > lower + 1e-3:
        raise ValueError(f"{value} are not bounds: expected finite v0 <= lower <= upper")
    if type(value[3]) is not int or value[3] < 0:
        raise ValueError(f"{str(value[3])[:60]!r} are not expansions: expected an integer from 0")
    return Known(v0, lower, upper, value[3])
