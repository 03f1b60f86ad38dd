"""Tasks with known laws, one a file: who the patients are, what each modality shows, and the exact log-odds of every message class.

A module of this folder that defines `TASK` is a task; `base` and `records` hold what they share.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator, Mapping

from workup.studies.fusion.tasks.base import Task


def _found() -> Iterator[Task]:
    for each in pkgutil.iter_modules(__path__, f"{__name__}."):
        module = importlib.import_module(each.name)
        if hasattr(module, "TASK"):
            yield module.TASK


TASKS: Mapping[str, Task] = {task.name: task for task in _found()}
"""Name -> task."""
