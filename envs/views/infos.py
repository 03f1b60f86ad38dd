"""Infos of many journeys, put together as Gymnasium puts them together: arrays, each with a mask beside it of whom it tells."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import wraps
from typing import Any

import numpy as np
from numpy.typing import NDArray

Info = dict[str, Any]
GONE_ON = (
    "journey_end is read after the environment went on, when others may have ended in its slots; read it before the next step "
    "or reset, or keep a copy: dict(info['journey_end'])"
)


class InfoOnDemand(Info):
    """An info of which some parts are put together only when anything but the ready ones is asked for.

    At every step that would cost more than the step, and few read them. It is a dictionary like any other; copied or
    pickled it is a plain one.
    """

    def __init__(self, ready: Mapping[str, Any], others: Callable[[], Mapping[str, Any]]) -> None:
        super().__init__(ready)
        self._others: Callable[[], Mapping[str, Any]] | None = others

    def _complete(self) -> None:
        if self._others is not None:
            others = self._others()
            self._others = None
            dict.update(self, others)

    def __missing__(self, name: str) -> Any:
        if self._others is None:
            raise KeyError(name)
        self._complete()
        return self[name]

    def __reduce__(self) -> tuple[Any, ...]:
        self._complete()
        return dict, (list(self.items()),)


def _once_complete(method: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(method)
    def of_all(self: InfoOnDemand, *args: Any, **kwargs: Any) -> Any:
        self._complete()
        return method(self, *args, **kwargs)

    return of_all


for _name in (
    "__contains__", "__delitem__", "__eq__", "__ior__", "__iter__", "__len__", "__ne__", "__or__", "__repr__", "__reversed__",
    "__ror__", "__setitem__", "clear", "copy", "get", "items", "keys", "pop", "popitem", "setdefault", "update", "values",
):  # fmt: skip
    setattr(InfoOnDemand, _name, _once_complete(getattr(dict, _name)))


def told_of(there: NDArray[np.bool_], **parts: NDArray[Any]) -> Info:
    """Parts (n, ...) of the journeys in `there` (n,), with zeros for the others; nothing where there are none."""
    info: Info = {}
    if there.all():
        for name, part in parts.items():
            info |= {name: part, f"_{name}": there.copy()}
    elif there.any():
        for name, part in parts.items():
            shown = np.zeros_like(part)
            shown[there] = part[there]
            info |= {name: shown, f"_{name}": there.copy()}
    return info


def spread(values: Mapping[str, Sequence[Any]], slots: NDArray[np.int64], n: int) -> Info:
    """Plain values of some slots (at least one) as arrays (n,): of numbers where they are numbers, else of objects."""
    info: Info = {}
    there = np.zeros(n, np.bool_)
    there[slots] = True
    for name, found in values.items():
        if type(found[0]) in (int, float, bool):
            array = np.zeros(n, type(found[0]))
            array[slots] = found
        else:
            array = np.full(n, None, object)
            for slot, value in zip(slots.tolist(), found, strict=True):
                array[slot] = value
        info |= {name: array, f"_{name}": there.copy()}
    return info


def final_observations(observation: NDArray[np.float32], ended: NDArray[np.bool_]) -> NDArray[np.object_]:
    """(n,) of objects: the last observation (P,) of each journey that ended, None for the others."""
    final = np.full(len(ended), None, dtype=object)
    for slot in np.flatnonzero(ended).tolist():
        final[slot] = observation[slot]
    return final
