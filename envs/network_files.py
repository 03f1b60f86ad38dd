"""Reading Bayesian networks from files, by their ending."""

from __future__ import annotations

from os import PathLike
from pathlib import Path

from workup.envs.bif import read_bif
from workup.envs.network import Network
from workup.scenarios.errors import FileFormatError


def load_network(path: str | PathLike[str]) -> Network:
    """The Bayesian network in a file (`.bif`), for `.posterior(target, evidence)`.

    Nothing in the file is ever run. Rows within 1e-4 of summing to 1 are normalised with a WorkupWarning.

    Raises:
        FileFormatError: another ending, or a file that is malformed, truncated or not discrete, with `file:line`.
        FileNotFoundError: no such file.
    """
    file = Path(path)
    if file.suffix.lower() != ".bif":
        raise FileFormatError(f"{file}: the ending is {file.suffix or 'missing'!r}; expected a '.bif' file")
    return read_bif(file)
