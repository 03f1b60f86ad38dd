"""Nothing that the engine does, and nothing that is said of a scenario, changes by a bit without somebody deciding so."""

from __future__ import annotations

import json
from typing import Any

import pytest
from golden.behaviour import FILE, close, made_with, parts

pytestmark = pytest.mark.slow

KEPT: dict[str, Any] = json.loads(FILE.read_text(encoding="utf-8"))
SAME_MACHINE = KEPT["made with"] == made_with()


@pytest.mark.parametrize("part", sorted(parts()))
def test_behaviour_is_what_it_was(part: str) -> None:
    assert part in KEPT, f"new: run PYTHONPATH=tests python tests/golden/behaviour.py '{part}'"
    found, kept = parts()[part](), KEPT[part]
    assert found.keys() == kept.keys()
    exact = [name for name in found if SAME_MACHINE and kept[name]["sha256"] is not None]
    changed = [name for name in exact if found[name]["sha256"] != kept[name]["sha256"]]
    changed += [name for name in found if name not in exact and not close(found[name], kept[name])]
    assert changed == []


def test_every_part_that_is_kept_is_looked_at() -> None:
    assert KEPT.keys() - {"made with"} == parts().keys()


def test_a_changed_bit_is_noticed() -> None:
    kept = KEPT["steps of tutorial"]["raw, at_once, next step"]
    other = {"sums": [[row[0], row[1] + 1e-6 * max(1.0, row[0])] for row in kept["sums"]]}
    assert not close(other, kept)
