"""The findings view: what each modality found, mixed into features that no longer name it.

A modality's findings go through a fixed random matrix with orthonormal rows, a tanh and a little noise, so that a model has to
learn what it reads and loses little: read back by a straight line, under 3% of the variance of a finding of variance 1, and under
10% of the faintest fine one of `question`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from workup.errors import WorkupError
from workup.studies.fusion.splits import stream

if TYPE_CHECKING:
    from workup.studies.fusion.tasks.base import Patients, Task

VIEWS: Final = ("findings", "read", "raw")
"""findings: mixed values. read: what a frozen reader makes of the raw data. raw: films, slides, notes."""
FEATURES: Final = 12
NOISE: Final = 0.05
_SPREAD: Final = 0.6
"""Standard deviation of a feature before the tanh, for findings of variance 1."""


def mixing(task: str, modality: str, columns: int) -> NDArray[np.float64]:
    """(columns, FEATURES) rows orthonormal, the same for every patient and seed.

    Raises:
        WorkupError: more columns than features, which could not be told apart.
    """
    if columns > FEATURES:
        raise WorkupError(f"{task}: {modality} has {columns} findings; the view mixes at most {FEATURES}")
    drawn = stream("mixing", task, modality).standard_normal((FEATURES, FEATURES))
    return np.linalg.qr(drawn)[0][:, :columns].T


def findings_view(task: Task, patients: Patients, *, seed: int) -> dict[str, NDArray[np.float32]]:
    """Every modality's features, of what is not in the record too: whoever passes them on blanks those.

    Args:
        task: whose columns they are.
        patients: the first of the seed.
        seed: of these patients; it draws the noise.

    Returns:
        Modality -> (n, 12) float32; `history`, where a task has one, as it is.
    """
    seen = {name: mixed(task.name, name, values, seed=seed) for name, values in patients.findings.items()}
    if patients.history is not None:
        seen["history"] = patients.history.astype(np.float32)
    return seen


def mixed(task: str, modality: str, values: NDArray[np.float64], *, seed: int) -> NDArray[np.float32]:
    """(n, 12) float32 of (n, columns): graded values as they are, bits {0, 1} as {-1, 1}."""
    bits = np.isin(values, (0.0, 1.0)).all(axis=0)
    signed = np.where(bits, 2.0 * values - 1.0, values)
    noise = stream("noise", task, modality, seed).standard_normal((len(values), FEATURES))
    columns = values.shape[1]
    spread = _SPREAD * np.sqrt(FEATURES / columns) * signed @ mixing(task, modality, columns)
    return np.asarray(np.tanh(spread) + NOISE * noise, dtype=np.float32)
