"""The scenarios that come with workup, found by folder, and any other by its path."""

from __future__ import annotations

from importlib.resources import as_file, files
from pathlib import Path

from workup.errors import ScenarioError, UnknownNameError, suggestion
from workup.scenarios.language.lint.lint import check
from workup.scenarios.language.schema import Scenario


def list_scenarios() -> tuple[str, ...]:
    """Ids of the scenarios in the package: every folder with a scenario.yaml, by name.

    Examples:
        >>> import workup
        >>> "weight_loss" in workup.list_scenarios()
        True
    """
    folders = files("workup.scenarios").iterdir()
    return tuple(sorted(folder.name for folder in folders if folder.joinpath("scenario.yaml").is_file()))


def load_scenario(id_or_path: str | Path) -> Scenario:
    """The checked scenario of that id, folder or file.

    Args:
        id_or_path: 'weight_loss', or a path to a folder with scenario.yaml or to one YAML file.

    Raises:
        UnknownNameError: no such scenario and no such path.
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
    """Where the scenario of that id or path stands on disk; raises UnknownNameError if nowhere."""
    if isinstance(id_or_path, str) and id_or_path in list_scenarios():
        with as_file(files("workup.scenarios").joinpath(id_or_path)) as folder:
            return folder
    path = Path(id_or_path)
    if path.exists():
        return path
    raise UnknownNameError(
        f"no scenario and no path {str(id_or_path)!r}{suggestion(str(id_or_path), list_scenarios())}"
    )
