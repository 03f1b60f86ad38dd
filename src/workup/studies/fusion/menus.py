"""Own acquisition on scenarios of the library: a question, what can be got to answer it, and what each costs there.

History and examination, with what is known at the start, are free and everybody's; at most six things are priced, each an investigation
or several that follow one another. A price is what the scenario charges for it on average over its patients, untreated: cost, set-up,
expected harm and later cost, and waiting for it in pounds. Rules of legality are left out: whatever is on the menu can be had first.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final

import numpy as np
from numpy.typing import NDArray

from workup.agents.fusion.base import TaskSpec
from workup.agents.fusion.rows import rows_of
from workup.envs.model.world import World
from workup.errors import UnknownNameError, WorkupError, suggestion
from workup.studies.fusion.complete import Complete, complete, whole_world
from workup.studies.fusion.data import FusionData
from workup.studies.fusion.splits import seed_of

HISTORY: Final = "history"
MOST_PRICED: Final = 6


@dataclass(frozen=True)
class Menu:
    """A yes-or-no question about a scenario's patients, and what can be got.

    Raises:
        WorkupError: nothing to be got, more than six, or something called history.
    """

    scenario: str
    """An id or a path."""
    question: str
    yes: tuple[str, ...]
    """Conditions, or groups of them, in which the answer is yes (label 1)."""
    offers: Mapping[str, tuple[str, ...]]
    """Modality -> the investigations in it, got one after the other."""
    right_gbp: float = 5000.0
    """Worth of a right answer, the same for all; 5,000 is of the size of what right treatments gain in the library."""
    done: tuple[str, ...] = field(default=())
    """Acts that are taken to be done for the price of waiting alone: findings stay untreated."""

    def __post_init__(self) -> None:
        if not 0 < len(self.offers) <= MOST_PRICED or HISTORY in self.offers:
            raise WorkupError(
                f"{self.scenario}: {len(self.offers)} modalities, {sorted(self.offers)}; expected 1 to {MOST_PRICED}, none of them {HISTORY}"
            )

    @cached_property
    def world(self) -> World:
        """Compiled, with nothing missing and nothing misread."""
        return whole_world(self.scenario)

    @cached_property
    def answer(self) -> NDArray[np.int64]:
        """(conditions,) 1 where the answer is yes. Raises UnknownNameError for a name that is neither condition nor group."""
        groups, names = self.world.scenario.groups, self.world.model.conditions
        said: set[str] = set()
        for name in self.yes:
            if name not in groups and name not in names:
                raise UnknownNameError(
                    f"{self.scenario} has no condition or group {name!r}{suggestion(name, (*groups, *names))}"
                )
            said |= set(groups.get(name, (name,)))
        return np.array([name in said for name in names], dtype=np.int64)

    @cached_property
    def prices(self) -> dict[str, float]:
        """Modality -> pounds."""
        return {name: price(self.world, items, self.done) for name, items in self.offers.items()}

    @cached_property
    def observables(self) -> dict[str, list[int]]:
        """Modality -> its columns of values; the history's last."""
        model, world = self.world.model, self.world
        items = {name: {world.item(each) for each in of} for name, of in self.offers.items()}
        columns = {
            name: [o for o, item in enumerate(model.item_of.tolist()) if item in of] for name, of in items.items()
        }
        free = {i for i in range(len(world.items)) if world.tier[i] in ("history", "examination")}
        columns[HISTORY] = [o for o, item in enumerate(model.item_of.tolist()) if item == -1 or item in free]
        return columns


MENUS: Final[Mapping[str, Menu]] = {
    menu.scenario: menu
    for menu in (
        Menu(
            "fever", "a bacterial infection, or not", ("bacterial",),
            {
                "dipstick": ("dip",), "gas": ("blood_gas",), "count": ("count_and_crp",), "procalcitonin": ("pct_test",),
                "film": ("chest_xray",), "scan": ("kidney_test", "ct_abdomen"),
            },
            done=("antibiotics",),
        ),
        Menu(
            "breathlessness", "heart failure, or not", ("heart_failure",),
            {
                "spirometry": ("spirometry",), "bloods": ("bloods",), "film": ("chest_film",), "echo": ("echo",),
                "ultrasound": ("chest_ultrasound",), "coronary_ct": ("ct_coronary",),
            },
        ),
        Menu(
            "tumour_grade", "invasive in the breast or significant in the prostate, or not", ("any_invasive", "significant"),
            {
                "second_read": ("second_read",), "reference": ("reference_review",), "excision": ("vacuum_excision",),
                "psa": ("psa_repeat",), "mri": ("mpmri",), "needle": ("trus_biopsy",),
            },
        ),
    )
}  # fmt: skip
"""Scenario -> its menu. In fever an hour of waiting is charged as after a first dose of antibiotics, which ends most of what it costs: without
it nothing there is worth waiting for. What is not on a menu is never had."""


def menu_of(scenario: str | Menu) -> Menu:
    """A menu by its scenario, or itself. Raises UnknownNameError naming the nearest."""
    if isinstance(scenario, Menu):
        return scenario
    if scenario not in MENUS:
        raise UnknownNameError(f"no menu of {scenario!r}{suggestion(scenario, MENUS)}")
    return MENUS[scenario]


def price(world: World, items: Sequence[str], done: Sequence[str] = ()) -> float:
    """Pounds that getting some investigations one after the other costs on average, untreated.

    Args:
        world: what they cost there.
        items: names; a set-up that several share is charged once.
        done: acts whose effect on the cost of waiting counts.

    Raises:
        UnknownNameError: no such item.
    """
    prior, model = world.model.prior, world.model
    which = [world.item(name) for name in items]
    factor = np.prod([world.waiting_factor[world.item(act)] for act in done], axis=0) if done else 1.0
    own = world.by_patient.waiting_gbp_per_h
    hourly = (world.waiting_cost_gbp_per_h * factor)[model.condition_of] * prior
    if own.size:
        hourly = hourly + own * np.broadcast_to(factor, len(model.conditions))[model.condition_of] * prior
    later = sum(float(((world.late_cost_gbp[i] + world.late_harm_gbp[i]) * prior).sum()) for i in which)
    set_ups = {int(world.set_up[i]) for i in which} - {-1}
    return float(
        world.cost_gbp[which].sum()
        + world.harm_gbp[which].sum()
        + sum(world.set_up_cost_gbp[s] + world.set_up_harm_gbp[s] for s in set_ups)
        + later
        + world.turnaround_h[which].sum() * hourly.sum()
    )


def patients_of(menu: Menu, split: str, patients: int, *, seed: int) -> Complete:
    """The first patients of a split of a run's seed; no patient is in two splits. Raises as `splits.seed_of` and `complete`."""
    return complete(menu.scenario, range(patients), seed=seed_of(split, seed))


def menu_data(menu: Menu, split: str, patients: int, *, seed: int) -> FusionData:
    """The same as a task's data: each finding one number a value, 1 where it was found; everything on the menu can be had.

    Raises:
        UnknownNameError: no such split, investigation or condition.
        WorkupError: no patients.
    """
    met = patients_of(menu, split, patients, seed=seed)
    inputs = {name: one_hot(met, columns) for name, columns in menu.observables.items()}
    names, n = tuple(inputs), len(met)
    spec = TaskSpec(
        menu.scenario, names, {name: block.shape[1:] for name, block in inputs.items()}, 2,
        costs_gbp=menu.prices, right_gbp=menu.right_gbp,
    )  # fmt: skip
    last = len(names) - 1
    order = np.tile(np.array([last, *range(last)]), (n, 1))
    rows = rows_of(spec, inputs, np.ones((n, len(names)), dtype=bool), order, None, menu.answer[met.condition])
    made = FusionData.__new__(FusionData)
    made._hold(spec, rows, None)
    return made


def one_hot(met: Complete, columns: Sequence[int]) -> NDArray[np.float32]:
    """(n, sum of values) float32: for each observable a 1 at its value."""
    sizes = met.world.model.n_values
    return np.concatenate(
        [(met.values[:, [o]] == np.arange(sizes[o])).astype(np.float32) for o in columns], axis=1
    )  # fmt: skip
