"""Numbers that are themselves the evidence: normal and lognormal laws as probabilities of cells."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from workup.scenarios.language.nesting import SUM_TOLERANCE, FloatArray, at_key, number, spread
from workup.scenarios.language.schema import Distribution
from workup.scenarios.language.vocabulary import Axis, LanguageError, SubPath

_LAW_PARAMETERS = {"normal": ("mean", "sd"), "lognormal": ("median", "sigma")}


def truncated_law(distribution: Distribution, axis: Axis, given: Sequence[Axis]) -> FloatArray:
    """Cells of a normal or lognormal law, truncated to the range: differences of the CDF over their sum."""
    law = str(distribution.law)
    if axis.cells is None or any(math.isnan(end) for cell in axis.cells for end in cell) or not axis.cells:
        raise LanguageError([(("law",), f"{axis.name} needs `evidence: number` with `range` and `step` that fit")])
    location, scale = (_parameter(distribution, name, given) for name in _LAW_PARAMETERS[law])
    faults: list[tuple[SubPath, str]] = []
    if not (scale > 0).all():
        faults.append(((_LAW_PARAMETERS[law][1],), "must be above 0"))
    if law == "lognormal" and (not (location > 0).all() or axis.cells[0][0] < 0):
        faults.append((("median",), "a lognormal law needs a median above 0 and a range that starts at 0 or above"))
    if faults:
        raise LanguageError(faults)
    edges = np.array([axis.cells[0][0], *(high for _, high in axis.cells)])
    if law == "lognormal":
        with np.errstate(divide="ignore"):
            edges, location = np.log(edges), np.log(location)
    z = (edges - location[..., None]) / scale[..., None]
    # Differences of upper tails lose precision far below the mean, of lower tails far above: take the smaller.
    mass = np.where(z[..., :-1] > 0, _phi(-z[..., :-1]) - _phi(-z[..., 1:]), _phi(z[..., 1:]) - _phi(z[..., :-1]))
    total = mass.sum(axis=-1, keepdims=True)
    if not (total > SUM_TOLERANCE).all():
        raise LanguageError([(("law",), f"less than {SUM_TOLERANCE:g} of the law lies inside `range`; widen it")])
    return np.asarray(mass / total)


def _phi(z: FloatArray) -> FloatArray:
    erfc = np.array([math.erfc(-x / math.sqrt(2)) / 2 for x in z.ravel()])
    return erfc.reshape(z.shape)


def _parameter(distribution: Distribution, name: str, given: Sequence[Axis]) -> FloatArray:
    nested = getattr(distribution, name)
    if nested is None:
        raise LanguageError([((), f"a {distribution.law} law needs `{name}`")])
    return at_key(name, lambda: spread(nested, given, (), number))
