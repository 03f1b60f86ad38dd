"""Fusions by name: every file of `methods` offers its own in `FUSIONS`. `single:NAME` reads the modality NAME alone."""

from __future__ import annotations

import importlib
import pkgutil
from functools import partial

import torch

from workup.agents.fusion import methods
from workup.agents.fusion.base import Build, TaskSpec
from workup.agents.fusion.encoders import encoders_for
from workup.agents.fusion.methods.single import build_named
from workup.agents.fusion.parts import fusing
from workup.errors import InternalError, UnknownNameError, suggestion


def fusions() -> dict[str, Build]:
    """Name -> build, of every method here.

    Raises:
        InternalError: two files offer the same name.
    """
    found: dict[str, Build] = {}
    for module in pkgutil.iter_modules(methods.__path__, f"{methods.__name__}."):
        offered = getattr(importlib.import_module(module.name), "FUSIONS", {})
        if twice := set(offered) & set(found):
            raise InternalError(f"two files of {methods.__name__} offer {sorted(twice)}; rename one")
        found.update(offered)
    return dict(sorted(found.items()))


def fusion_of(name: str) -> Build:
    """The build of that name. Raises UnknownNameError listing those that exist."""
    kind, _, modality = name.partition(":")
    if kind == "single" and modality:
        return partial(build_named, name=modality)
    offered = fusions()
    if name not in offered:
        raise UnknownNameError(f"no fusion {name!r}{suggestion(name, offered)}")
    return offered[name]


def frontier(task: TaskSpec) -> dict[str, int]:
    """Name -> parameters of the fusion part, encoders left out, of every method on a task."""
    blocks = {name: torch.zeros(1, *task.shapes[name]) for name in task.modalities}
    sizes = {}
    for name, build in fusions().items():
        encoders = encoders_for(task, blocks)
        sizes[name] = fusing(build(task, encoders, seed=0), encoders)
    return sizes
