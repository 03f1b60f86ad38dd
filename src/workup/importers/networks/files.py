"""Reading Bayesian networks from files, by their ending."""

from __future__ import annotations

from collections.abc import Callable
from os import PathLike
from pathlib import Path

from workup.envs.model.network import Network
from workup.errors import FileFormatError
from workup.importers.networks.bif import read_bif
from workup.importers.networks.genie import read_dsl, read_xdsl
from workup.importers.networks.hugin import read_net
from workup.importers.networks.uai import read_uai
from workup.importers.networks.xmlbif import read_xmlbif

READERS: dict[str, Callable[[Path], Network]] = {
    ".bif": read_bif,
    ".xmlbif": read_xmlbif,
    ".bifxml": read_xmlbif,
    ".xml": read_xmlbif,
    ".net": read_net,
    ".xdsl": read_xdsl,
    ".dsl": read_dsl,
    ".uai": read_uai,
}
"""Ending -> what reads it."""


def load_network(path: str | PathLike[str]) -> Network:
    """The Bayesian network in a file, for `.posterior(target, evidence)`.

    Read by the file's ending: `.bif`, `.xmlbif` (`.bifxml`, `.xml`), HUGIN's `.net`, GeNIe's `.xdsl` and `.dsl`, and
    `.uai`, whose variables and values are called '0', '1', ... Nothing in the file is ever run, nothing outside it
    read. Rows within 1e-4 of summing to 1 are normalised with a WorkupWarning.

    Raises:
        FileFormatError: another ending, or a file that is malformed, truncated, not discrete or an influence diagram,
            with `file:line`.
        FileNotFoundError: no such file.

    Examples:
        >>> from pathlib import Path
        >>> import workup
        >>> _ = Path("flu.uai").write_text("BAYES 2 2 2 2 1 0 2 0 1  2 .9 .1  4 .8 .2 .1 .9")
        >>> round(workup.load_network("flu.uai").posterior("0", {"1": "1"})["1"], 4)
        0.3333
    """
    file = Path(path)
    reader = READERS.get(file.suffix.lower())
    if reader is None:
        found = f"the ending is {file.suffix or 'missing'!r}"
        raise FileFormatError(f"{file}: {found}; expected one of {', '.join(READERS)}")
    return reader(file)
