"""Which fact best tells apart what patients go on to: one result, or a threshold on the probability of a condition."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from workup.envs.model.codes import MISSING, UNKNOWN
from workup.envs.model.world import World
from workup.envs.records import narrative
from workup.envs.records.narrative import variable
from workup.wording import percent, plain, without_brackets

LEAST_CUT = 0.01
"""Probabilities below this are not told apart."""
TELLS = 0.1
"""Share of the uncertainty about the next action that a fact must remove to be worth a split."""
PREFER_RESULT = 0.5
"""A result is named rather than a probability if it removes at least this share of what the probability would."""
FEW_VALUES = 8
"""With more values than this (numbers recorded to a step), a split is a threshold."""


@dataclass(frozen=True, eq=False)
class Known:
    """What is known of n patients when something is chosen."""

    world: World
    values: NDArray[np.int16]
    """(n, O) revealed."""
    posterior: NDArray[np.float64] | None
    """(n, conditions); None where probabilities are not to be told apart."""


class Part(NamedTuple):
    """Patients whom a fact singles out."""

    about: str
    """What the fact bounds: of two that follow one another about the same, the later says it all."""
    when: str
    rows: NDArray[np.intp]
    """Among those split."""


class _Split(NamedTuple):
    told: float
    """Share of the uncertainty about what follows that it removes."""
    parts: list[Part]


def split(known: Known, following: NDArray[np.int64], least: float) -> list[Part]:
    """Parts of these patients that differ in what follows; none if nothing tells them apart.

    Args:
        known: of the n patients.
        following: (n,) what each goes on to; -1 or more.
        least: patients that a part must have.
    """
    result, probability = _by_result(known, following, least), _by_probability(known, following, least)
    if result.told >= max(TELLS, PREFER_RESULT * probability.told):
        return result.parts
    return probability.parts if probability.told >= TELLS else []


def telling(known: Known, chosen: NDArray[np.bool_]) -> str:
    """The fact that most tells some of n patients from the others: 'Fever: yes (92% of them, 10% of the others)'.

    Empty where there are no others, or no fact tells enough.
    """
    if chosen.all() or not chosen.any():
        return ""
    for part in sorted(split(known, chosen.astype(np.int64), 1), key=lambda part: -chosen[part.rows].mean())[:1]:
        has = np.zeros(len(chosen), np.bool_)
        has[part.rows] = True
        return f"{part.when} ({percent(has[chosen].mean())} of them, {percent(has[~chosen].mean())} of the others)"
    return ""


def _by_result(known: Known, following: NDArray[np.int64], least: float) -> _Split:
    """The best split by one revealed fact."""
    values, best, told = known.values, None, 0.0
    for o in np.flatnonzero((values != values[:1]).any(axis=0)):
        for side in _sides(values[:, o], following, int(known.world.model.n_values[o])):
            found = _told(side, following, least)
            if found > told:
                best, told = (int(o), side), found
    return _Split(told, [] if best is None else _parts(known, *best))


def _parts(known: Known, o: int, side: NDArray[np.int64]) -> list[Part]:
    scenario, model, codes = known.world.scenario, known.world.model, known.values[:, o]
    name = model.observables[o]
    declared = variable(scenario, name)
    label = without_brackets(declared.label) if declared else plain(name)
    parts = []
    for one in np.unique(side):
        seen = np.unique(codes[side == one])
        if model.n_values[o] > FEW_VALUES and (seen >= 0).any():
            low, high = model.numeric_range[o, seen[seen >= 0].min(), 0], model.numeric_range[o, seen.max(), 1]
            unit = f" {declared.unit}" if declared and declared.unit else ""
            said = [f"{low:.3g} to {high:.3g}{unit}"]
        else:
            said = [plain(model.network.variable(name).values[code]) for code in seen if code >= 0]
        said += [{UNKNOWN: "not asked", MISSING: "not reported"}[int(code)] for code in seen if code < 0]
        parts.append(Part(name, f"{label}: {' or '.join(said)}", np.flatnonzero(side == one)))
    return parts


def _by_probability(known: Known, following: NDArray[np.int64], least: float) -> _Split:
    """The best split by a threshold on the probability of one condition."""
    best, told, posterior = None, 0.0, known.posterior
    if posterior is None:
        return _Split(told, [])
    for c in range(posterior.shape[1]):
        cuts = np.unique(np.quantile(posterior[:, c], np.linspace(0.04, 0.96, 24)))
        for cut in cuts[(cuts >= LEAST_CUT) & (cuts <= 1 - LEAST_CUT)]:
            side = (posterior[:, c] >= cut).astype(np.int64)
            found = _told(side, following, least)
            if found > told:
                best, told = (c, float(cut), side), found
    if best is None:
        return _Split(told, [])
    label, limit = without_brackets(narrative.condition(known.world, best[0])), percent(best[1], int(best[1] < 0.1))
    said = (f"Probability of {label} below {limit}", f"Probability of {label} {limit} or more")
    about = (f"{label} below", f"{label} or more")
    return _Split(told, [Part(about[one], said[one], np.flatnonzero(best[2] == one)) for one in (0, 1)])


def _sides(codes: NDArray[np.int16], following: NDArray[np.int64], n_values: int) -> Iterator[NDArray[np.int64]]:
    """Ways to split by one fact: by what mostly follows each value, each value against the rest, or a threshold."""
    seen = np.unique(codes)
    if n_values > FEW_VALUES:
        yield from ((codes >= cut).astype(np.int64) for cut in seen[1:])
        return
    mostly = np.empty(len(codes), np.int64)
    for code in seen:
        mostly[codes == code] = np.bincount(following[codes == code] + 1).argmax()
    yield mostly
    yield from ((codes == code).astype(np.int64) for code in seen)


def _entropy(labels: NDArray[np.int64]) -> float:
    p = np.unique(labels, return_counts=True)[1] / len(labels)
    return float(-(p * np.log(p)).sum())


def _told(side: NDArray[np.int64], following: NDArray[np.int64], least: float) -> float:
    """Share of the uncertainty about the next action that knowing the side removes; 0 if a side is too small."""
    sides, sizes = np.unique(side, return_counts=True)
    before = _entropy(following)
    if len(sides) < 2 or sizes.min() < least or before == 0:
        return 0.0
    after = sum(n / len(side) * _entropy(following[side == one]) for one, n in zip(sides, sizes, strict=True))
    return float((before - after) / before)
