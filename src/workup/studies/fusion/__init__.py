"""How strategies of fusion compare, against ceilings that are known.

`from workup.studies import fusion`: the names below are imported when they are first used; they need torch.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from workup.agents.fusion.base import Fusion, MissingModalityError, TaskSpec
    from workup.studies.fusion.data import FusionData
    from workup.studies.fusion.evaluation import Results, evaluate
    from workup.studies.fusion.tasks import TASKS

_HOMES = {
    "Fusion": "workup.agents.fusion.base",
    "FusionData": "workup.studies.fusion.data",
    "MissingModalityError": "workup.agents.fusion.base",
    "Results": "workup.studies.fusion.evaluation",
    "TASKS": "workup.studies.fusion.tasks",
    "TaskSpec": "workup.agents.fusion.base",
    "evaluate": "workup.studies.fusion.evaluation",
}
"""Public name -> the module where it is."""

__all__ = ["TASKS", "Fusion", "FusionData", "MissingModalityError", "Results", "TaskSpec", "evaluate"]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__} has no {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
