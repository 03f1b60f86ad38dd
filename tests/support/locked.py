"""The tutorial with a referral that requires evidence."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

from workup.envs.compile.compile import compile_world
from workup.envs.model.world import World
from workup.scenarios.language.library import load_scenario

LABEL = "    label: Refer to the lung cancer clinic\n"


def locked_tutorial(folder: Path, requires: str) -> World:
    """The tutorial's world; `requires` is what a referral requires, as written."""
    text = files("workup.scenarios").joinpath("tutorial", "scenario.yaml").read_text(encoding="utf-8")
    assert text.count(LABEL) == 1
    file = folder / "scenario.yaml"
    file.write_text(text.replace(LABEL, f"{LABEL}    requires: {requires}\n"), encoding="utf-8")
    return compile_world(load_scenario(file))
