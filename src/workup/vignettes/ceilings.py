"""What each ceiling of a vignette counts, and the most that an order of each item can add to it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from workup.envs.model.world import World
from workup.scenarios.language.schema import OPENING, Ceilings

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Ceiling:
    """One limit on a journey."""

    name: str
    limit: float
    most: Callable[[int, int], Floats]
    """(profile, hidden state) -> (I,): the most that one order of each item adds."""


def ceilings_of(world: World, limits: Ceilings) -> Iterator[Ceiling]:
    """The ceilings that are set, in the order in which `expectations.judge` judges them."""
    if limits.cost_gbp is not None:
        yield Ceiling("cost", limits.cost_gbp, lambda k, h: world.cost_gbp + _set_up(world, world.set_up_cost_gbp))
    if limits.dose_msv is not None:
        yield Ceiling("radiation", limits.dose_msv, lambda k, h: world.dose_msv)
    if limits.harm_gbp is not None:
        yield Ceiling("expected harm", limits.harm_gbp, partial(_harm, world))
    for name, limit in limits.risk.items():
        yield Ceiling(f"risk of {name.replace('_', ' ')}", limit, partial(_risk, world, name))
    if limits.tests is not None:
        yield Ceiling("tests", float(limits.tests), lambda k, h: _tests(world))


def _set_up(world: World, charge: Floats) -> Floats:
    """(I,) charge of the set-up that each item needs, 0 where it needs none."""
    return np.where(world.set_up >= 0, np.append(charge, 0.0)[world.set_up], 0.0)


def _harm(world: World, profile: int, hidden: int) -> Floats:
    most = world.harm_gbp + _set_up(world, world.set_up_harm_gbp) + world.late_harm_gbp[:, profile, hidden]
    for (item, _), loss in zip(world.contraindication, world.contraindication_loss_gbp, strict=True):
        most[item] += loss
    for x, differing in zip(world.by_patient.contraindication, world.by_patient.contraindication_loss_gbp, strict=True):
        most[world.contraindication[x, 0]] += differing[profile, hidden]
    return np.asarray(most)


def _risk(world: World, name: str, profile: int, hidden: int) -> Floats:
    most = np.zeros(len(world.items))
    for z, full in enumerate(world.complication_names):
        if name in (full, full.partition(".")[2]):
            most[world.complication_item[z]] += world.complication_chance[z, profile, hidden]
    return most


def _tests(world: World) -> Floats:
    """1 for investigations beyond history and examination."""
    opening = np.isin(world.tier, OPENING)
    return np.asarray(~opening & (np.arange(len(world.items)) < world.n_investigations), np.float64)
