"""Scenarios by id: those that come with workup, found by folder, and those of other installed packages; any other by its path."""

from __future__ import annotations

import warnings
from importlib.resources import as_file, files
from pathlib import Path

from workup.errors import ScenarioError, UnknownNameError, WorkupError, WorkupWarning, suggestion
from workup.plugins import Offer, names_offered, offer_of
from workup.scenarios.language.lint.lint import check
from workup.scenarios.language.schema import Scenario


def list_scenarios() -> tuple[str, ...]:
    """Ids of the scenarios that come with workup and with other installed packages, by name. A package that is broken is
    left out, with a warning.

    Examples:
        >>> import workup
        >>> "weight_loss" in workup.list_scenarios()
        True
    """
    ours, taken = shipped_scenarios(), _known()
    return tuple(sorted((*ours, *(name for name in names_offered("workup.scenarios", taken) if _found(name)))))


def shipped_scenarios() -> tuple[str, ...]:
    """Ids of the scenarios in this package: every folder with a scenario.yaml, by name."""
    return _in_room()


def teaching_scenarios() -> tuple[str, ...]:
    """Ids of the small worlds in which one source of bias stands alone: every folder in `teaching` with a scenario.yaml. They
    are loaded by id as the others are, and no benchmark counts them.

    Examples:
        >>> from workup.scenarios.language.library import teaching_scenarios
        >>> teaching_scenarios()
        ('film_and_slide', 'gates', 'sample', 'two_by_two')
    """
    return _in_room("teaching")


def fusion_scenarios() -> tuple[str, ...]:
    """Ids of the scenarios that have the law of a task of the fusion benchmark: every folder in `fusion` with a scenario.yaml.
    They are loaded by id as the others are, and no other benchmark counts them.

    Examples:
        >>> from workup.scenarios.language.library import fusion_scenarios
        >>> fusion_scenarios()
        ('branch', 'branch_control', 'interaction', 'one_biopsy')
    """
    return _in_room("fusion")


def _in_room(*room: str) -> tuple[str, ...]:
    folders = files("workup.scenarios").joinpath(*room).iterdir()
    return tuple(sorted(folder.name for folder in folders if folder.joinpath("scenario.yaml").is_file()))


def _known() -> tuple[str, ...]:
    return (*shipped_scenarios(), *teaching_scenarios(), *fusion_scenarios())


def offered_by(name: str) -> Offer | None:
    """Whose scenario it is, if another installed package's. Raises WorkupError where two packages, or workup, have one of
    that name."""
    return offer_of("workup.scenarios", name, _known())


def _found(name: str) -> bool:
    offer = offered_by(name)
    try:
        return offer is not None and offer.folder().is_dir()
    except WorkupError as error:
        warnings.warn(str(error), WorkupWarning, stacklevel=3)
        return False


def load_scenario(id_or_path: str | Path) -> Scenario:
    """The checked scenario of that id, folder or file.

    Args:
        id_or_path: 'weight_loss', or a path to a folder with scenario.yaml or to one YAML file.

    Raises:
        UnknownNameError: no such scenario and no such path.
        WorkupError: the id has two owners, or the package that offers it is broken.
        ScenarioError: with every fault of the file at once.

    Examples:
        >>> import workup
        >>> scenario = workup.load_scenario("tutorial")
        >>> scenario.title, list(scenario.conditions)
        ('Cough for three weeks', ['viral', 'pneumonia', 'lung_cancer'])
    """
    reading, faults = check(find_scenario(id_or_path))
    if faults or reading.scenario is None:
        raise ScenarioError(faults)
    return reading.scenario


def find_scenario(id_or_path: str | Path) -> Path:
    """Where the scenario of that id or path stands on disk.

    Raises:
        UnknownNameError: nowhere.
        WorkupError: the id has two owners, or the package that offers it is broken.
    """
    if isinstance(id_or_path, str):
        offer = offered_by(id_or_path)
        if offer is not None:
            return offer.folder()
        for room, ids in (
            ((), shipped_scenarios()),
            (("teaching",), teaching_scenarios()),
            (("fusion",), fusion_scenarios()),
        ):
            if id_or_path in ids:
                with as_file(files("workup.scenarios").joinpath(*room, id_or_path)) as folder:
                    return folder
    path = Path(id_or_path)
    if path.exists():
        return path
    raise UnknownNameError(
        f"no scenario and no path {str(id_or_path)!r}{suggestion(str(id_or_path), (*list_scenarios(), *teaching_scenarios(), *fusion_scenarios()))}"
    )
