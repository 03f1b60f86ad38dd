"""A new scenario's folder: written whole, without a fault, or not at all."""

from __future__ import annotations

import re
import shutil
import tempfile
from pathlib import Path

from workup.authoring.answers import Answers
from workup.authoring.files import page, scenario_files
from workup.envs.compile.faults import lint_compiled
from workup.errors import Fault, WorkupError
from workup.files import make_folder, write_whole
from workup.scenarios.language.library import list_scenarios, load_scenario

_NAME = re.compile(r"[A-Za-z0-9_]+")


def check_place(folder: Path) -> None:
    """Whether a new scenario can be written there.

    Raises:
        WorkupError: the name cannot be an id, belongs to a scenario that comes with workup, or something is there already.
    """
    if not _NAME.fullmatch(folder.name):
        raise WorkupError(
            f"{folder.name!r} cannot be the name of a scenario; use letters, digits and _, such as my_cough"
        )
    if folder.name in list_scenarios():
        raise WorkupError(f"{folder.name} is a scenario that comes with workup; choose another name")
    if folder.exists():
        raise WorkupError(f"{folder} exists already and is left as it is; choose another name, or remove it first")


def write_scenario(answers: Answers, folder: Path) -> tuple[Fault, ...]:
    """Write the folder, or return what `workup lint` would find wrong, in which case nothing is written.

    Raises:
        WorkupError: as `check_place`.
    """
    check_place(folder)
    make_folder(folder.parent)
    beside = Path(tempfile.mkdtemp(dir=folder.parent, prefix=f".{folder.name}."))
    try:
        for name, text in scenario_files(answers, folder.name).items():
            write_whole(beside / name, text)
        faults = lint_compiled(beside)
        if not faults:
            write_whole(beside / "README.md", page(load_scenario(beside)))
            beside.chmod(0o755)
            check_place(folder)
            beside.rename(folder)
        return faults
    finally:
        shutil.rmtree(beside, ignore_errors=True)
