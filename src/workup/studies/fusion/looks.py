"""The raw view: which picture shows a task's modality, and which of its looks a finding decides."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from workup.envs.modalities.registry import render
from workup.errors import WorkupError
from workup.scenarios.language.looks import LOOKS

if TYPE_CHECKING:
    from workup.studies.fusion.tasks.base import Patients, Task

SIZE: Final = 64
"""Pixels of a side."""


@dataclass(frozen=True)
class Shown:
    """How a modality is shown: its first graded finding is one look, its bit another; who took the picture varies by patient."""

    kind: str
    graded: str
    """A graded look: a standardised finding of 1 moves it by the look's own step."""
    named: tuple[str, str, str]
    """A named look, and its value where the bit is 0 and where it is 1."""
    varies: str
    """A named look that is drawn for each patient and tells nothing, such as the machine."""


FILM: Final = Shown("film", "opacity", ("lesion", "right_upper", "left_upper"), "machine")
SLIDE: Final = Shown("slide", "hyperchromasia", ("tissue", "liver", "adenocarcinoma"), "stain")
SHOWN: Final[Mapping[str, tuple[Shown, Shown]]] = {
    name: (FILM, SLIDE) for name in ("interaction", "shortcut_interaction", "additive")
}
"""Task -> how its modalities are shown, in their order."""


def shown(task: Task) -> Mapping[str, Shown]:
    """Modality -> how it is shown. Raises WorkupError for a task without a raw view."""
    if task.name not in SHOWN:
        raise WorkupError(f"{task.name} has the findings view alone; raw and read have {', '.join(SHOWN)}")
    return dict(zip(task.modalities, SHOWN[task.name], strict=True))


def raw_view(task: Task, patients: Patients, keys: NDArray[np.uint64]) -> dict[str, NDArray[np.uint8]]:
    """Pictures of what the records hold; of what they do not, zeros.

    Args:
        task: one of SHOWN.
        patients: n of them.
        keys: (n,) who they are.

    Returns:
        Modality -> (n, 64, 64) or (n, 3, 64, 64) uint8.
    """
    seen: dict[str, NDArray[np.uint8]] = {}
    for m, (name, how) in enumerate(shown(task).items()):
        held = patients.present[:, m]
        drawn = pictures(how, patients.findings[name][held], keys[held])
        seen[name] = np.zeros((len(held), *drawn.shape[1:]), dtype=np.uint8)
        seen[name][held] = drawn
    return seen


def pictures(how: Shown, findings: NDArray[np.float64], keys: NDArray[np.uint64]) -> NDArray[np.uint8]:
    """(n, 64, 64) or (n, 3, 64, 64) uint8: findings (n, 2), a graded one and a bit; or (n, 1), a graded one."""
    known = LOOKS[how.kind]
    step = known[how.graded]
    moved = step.per_sd * findings[:, 0]
    look, off, on = how.named
    bit = findings[:, 1] > 0.5 if findings.shape[1] > 1 else np.zeros(len(findings), dtype=bool)
    values = known[how.varies].values
    looks: dict[str, Any] = {
        how.graded: step.centre * np.exp(moved) if step.logarithmic else step.centre + moved,
        look: np.where(bit, on, off),
        how.varies: np.asarray(values)[(keys >> np.uint64(7)) % np.uint64(len(values))],
    }
    return np.asarray(render(how.kind, keys, looks, size=SIZE), dtype=np.uint8)
