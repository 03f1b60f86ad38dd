"""Pictures of a scenario's patients: what an investigation found, as its scenario says that it is shown."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from workup.envs.modalities.draws import keys
from workup.envs.modalities.registry import render
from workup.errors import UnknownNameError, WorkupError, suggestion
from workup.scenarios.language.looks import ITSELF, LOOKS
from workup.scenarios.language.nesting import chosen_keys
from workup.scenarios.language.schema import Scenario
from workup.scenarios.language.tables import Tables
from workup.scenarios.language.vocabulary import Axis


def shown_in(scenario: Scenario) -> dict[str, str]:
    """Investigations that can be drawn -> the kind of picture.

    Examples:
        >>> import workup
        >>> from workup.envs.modalities.shown import shown_in
        >>> shown_in(workup.load_scenario("film_and_slide"))
        {'film': 'film', 'slide': 'slide'}
    """
    return {name: of.shown for name, of in scenario.investigations.items() if of.shown is not None}


def looks_for(scenario: Scenario, investigation: str, values: Mapping[str, ArrayLike]) -> dict[str, NDArray[Any]]:
    """The looks of n pictures.

    Args:
        scenario: checked, as `load_scenario` returns it.
        investigation: one that says `shown`.
        values: finding -> (n,) words, or places of values from 0 on, as in `Cohort.values`; numbers in the finding's unit where
            the number itself is shown. Every finding of the investigation that has a look; others may stand there too.

    Returns:
        Look -> (n,) numbers or words.

    Raises:
        UnknownNameError: an investigation, or a word of a finding, that there is not.
        WorkupError: an investigation that is not shown; a finding left out; a value that is not there, such as one not revealed.
    """
    _kind(scenario, investigation)
    axes, looks = Tables(scenario).axes, {}
    for name in scenario.investigations[investigation].reveals:
        finding = scenario.findings.get(name)
        for look, by_value in (finding.look or {}).items() if finding is not None else ():
            if name not in values:
                raise WorkupError(
                    f"values: {name} is left out; it decides the {look} of {investigation}, so give its values"
                )
            given = np.asarray(values[name])
            if by_value == ITSELF:
                looks[look] = _numbers(name, given)
            else:
                assert isinstance(by_value, dict)
                chosen = np.array([by_value[key] for key in chosen_keys(by_value, axes[name])])
                looks[look] = chosen[_places(axes[name], given)]
    return looks


def render_investigation(
    scenario: Scenario,
    investigation: str,
    values: Mapping[str, ArrayLike],
    *,
    seed: int,
    patients: ArrayLike,
    size: int | None = None,
    noise: str | float = "clear",
) -> NDArray[Any]:
    """What an investigation shows of n patients.

    A picture is a function of (seed, patient, investigation) and of what was found, and of nothing else: it is the same in any
    batch and process, and another finding elsewhere changes nothing in it.

    Args:
        scenario: as of `looks_for`.
        investigation: as of `looks_for`.
        values: as of `looks_for`.
        seed: of the patients.
        patients: (n,) ids.
        size: None for the kind's own.
        noise: 'clear', 'hard', 'none' or a number.

    Returns:
        (n, ...) as `registry.render` says of the kind.

    Raises:
        UnknownNameError, WorkupError: as of `looks_for`, and of `registry.render`.

    Examples:
        >>> import workup
        >>> from workup.envs.modalities.shown import render_investigation
        >>> scenario = workup.load_scenario("film_and_slide")
        >>> found = {"shadow": ["none", "dense"], "view": ["pa", "ap"]}
        >>> render_investigation(scenario, "film", found, seed=0, patients=[0, 1]).shape
        (2, 64, 64)
    """
    kind, ids = _kind(scenario, investigation), np.asarray(patients, np.int64)
    looks = looks_for(scenario, investigation, values)
    return render(kind, keys(seed, ids, investigation), looks, size=size, noise=noise)


def _kind(scenario: Scenario, investigation: str) -> str:
    if investigation not in scenario.investigations:
        known = scenario.investigations
        raise UnknownNameError(
            f"{scenario.id} has no investigation {investigation!r}{suggestion(investigation, known)}"
        )
    kind = scenario.investigations[investigation].shown
    if kind is None:
        raise WorkupError(
            f"{scenario.id} does not say how {investigation} is shown; give it `shown: {' | '.join(LOOKS)}` there"
        )
    return kind


def _numbers(name: str, given: NDArray[Any]) -> NDArray[np.float64]:
    if given.dtype.kind != "f":
        raise WorkupError(f"values: {name} is shown as a number; found {given.dtype}, expected numbers with a point")
    if np.isnan(given).any():
        raise WorkupError(f"values: {name} of patient {int(np.flatnonzero(np.isnan(given))[0])} is not there")
    return given.astype(np.float64)


def _places(axis: Axis, given: NDArray[Any]) -> NDArray[np.int64]:
    if given.dtype.kind in "UO":
        return np.array([_place(axis, str(word)) for word in given.ravel()], np.int64).reshape(given.shape)
    if given.dtype.kind not in "iu":
        raise WorkupError(f"values: {axis.name} has {given.dtype}; expected words, or whole places of values from 0 on")
    wrong = np.flatnonzero((given < 0) | (given >= len(axis.values)))
    if wrong.size:
        raise WorkupError(
            f"values: {axis.name} of patient {int(wrong[0])} is {given.ravel()[wrong[0]]}, no place of a value from 0 to "
            f"{len(axis.values) - 1}; what was not found is not shown, so leave these patients out"
        )
    return given.astype(np.int64)


def _place(axis: Axis, word: str) -> int:
    if word not in axis.values:
        raise UnknownNameError(f"{word!r} is no value of {axis.name}{suggestion(word, axis.values)}")
    return axis.values.index(word)
