"""A new scenario's folder: written without a fault, or not at all."""

from __future__ import annotations

import re
import tempfile
from pathlib import Path

from workup.authoring.answers import Answers
from workup.authoring.draft import DRAFT, SET_ASIDE
from workup.authoring.files import page, scenario_files
from workup.envs.compile.faults import lint_compiled
from workup.errors import Fault, WorkupError
from workup.files import write_whole
from workup.scenarios.language.library import list_scenarios, load_scenario

_NAME = re.compile(r"[A-Za-z0-9_]+")
MAIN = "scenario.yaml"


def check_place(folder: Path) -> None:
    """Whether a new scenario can be written there: nothing is there yet, or only answers that were kept.

    Raises:
        WorkupError: the name cannot be an id, belongs to a scenario that comes with workup, or something is there already.
    """
    if not _NAME.fullmatch(folder.name):
        raise WorkupError(
            f"{folder.name!r} cannot be the name of a scenario; use letters, digits and _, such as my_cough"
        )
    if folder.name in list_scenarios():
        raise WorkupError(f"{folder.name} is a scenario that comes with workup; choose another name")
    if (folder / MAIN).exists() or (folder.exists() and not folder.is_dir()):
        raise WorkupError(f"{folder} exists already and is left as it is; choose another name, or remove it first")
    if folder.exists() and not {file.name for file in folder.iterdir()} & {DRAFT, SET_ASIDE}:
        raise WorkupError(
            f"{folder} exists already and holds no answers to go on with ({DRAFT}); choose another name, or remove it first"
        )


def write_scenario(answers: Answers, folder: Path) -> tuple[Fault, ...]:
    """Write the folder, or return what `workup lint` would find wrong, in which case nothing is written.

    The files are made and checked elsewhere, then put in place with scenario.yaml last; so a folder with a scenario.yaml is
    whole, and until then the answers that were kept are there to go on with.

    Raises:
        WorkupError: as `check_place`.
    """
    check_place(folder)
    with tempfile.TemporaryDirectory() as place:
        beside = Path(place) / folder.name
        files = scenario_files(answers, folder.name)
        for name, text in files.items():
            write_whole(beside / name, text)
        faults = lint_compiled(beside)
        if faults:
            return faults
        files["README.md"] = page(load_scenario(beside))
    for name, text in files.items():
        if (folder / name).exists() and (folder / name).read_bytes() != text.encode():
            raise WorkupError(f"{folder / name} is there already and is left as it is; move it away, and go on")
    for name in sorted(files, key=lambda name: name == MAIN):
        write_whole(folder / name, files[name])
    (folder / DRAFT).unlink(missing_ok=True)
    return ()
