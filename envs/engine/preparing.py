"""From a world to tables that are ready to step: packed once a world, then set to what one engine wants."""

from __future__ import annotations

from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from workup.envs.engine.observation import Layout, layout_of
from workup.envs.engine.places import LARGEST
from workup.envs.engine.settings import AUTORESET, Settings
from workup.envs.engine.state import BEST_GBP, OUTCOMES, VISIT, Columns, allocate, columns_of
from workup.envs.engine.steps import fill_start
from workup.envs.engine.tables import Tables, pack
from workup.envs.engine.types import Budget
from workup.envs.model.cases import Cases
from workup.envs.model.world import World

_SHARED: WeakKeyDictionary[World, tuple[Layout, Tables]] = WeakKeyDictionary()


def shared_tables(world: World) -> tuple[Layout, Tables]:
    """Layout and packed tables of a world, kept as long as it lives: engines of one world share them."""
    if world not in _SHARED:
        layout = layout_of(world)
        tables = pack(world, layout)
        _fill_starts(world, tables, layout)
        _SHARED[world] = layout, tables
    return _SHARED[world]


def tables_for(world: World, settings: Settings) -> tuple[Tables, Columns]:
    """The tables of one engine, and the columns of its state."""
    layout, shared = shared_tables(world)
    tables = (
        shared.with_own_record() if settings.budget is None else _with_budget(world, layout, shared, settings.budget)
    )
    at = tables.at
    at["delayed"], at["by_posterior"] = settings.results == "delayed", settings.score == "posterior"
    at["tracked"] = at["show_belief"] = settings.tracked
    at["autoreset"] = AUTORESET[settings.autoreset]
    at["max_steps"] = min(max(settings.step_limit(world.max_steps), 0), LARGEST - 1)  # no journey is shorter or longer
    return tables, _set_columns(world, tables, settings.follows_posterior)


def packed_cases(cases: Cases | None) -> NDArray[np.int32]:
    """(n, 2 + O) profile, hidden state and fixed values; n is 0 where patients are drawn."""
    if cases is None:
        return np.zeros((0, 2), np.int32)
    return np.column_stack([cases.profile, cases.hidden, cases.values]).astype(np.int32)


def _with_budget(world: World, layout: Layout, shared: Tables, budget: Budget) -> Tables:
    tables = shared.with_own_starts()
    tables.at["budgeted"] = 1
    limits = (budget.cost_gbp, budget.dose_msv, budget.tests)
    tables.real("budget", 3)[:] = [np.inf if limit is None else limit for limit in limits]
    _fill_starts(world, tables, layout)
    return tables


def _set_columns(world: World, tables: Tables, follows_posterior: bool) -> Columns:
    columns = columns_of(world, tables.size("n_words"), follows_posterior)
    for name, first in columns.at.items():
        tables.at[name] = first
    return columns


def _fill_starts(world: World, tables: Tables, layout: Layout) -> None:
    """Bits, facts, observation and posterior at each start, so that a new journey is a copy of a row."""
    model, columns = world.model, _set_columns(world, tables, follows_posterior=True)
    at, n_shown = columns.at, len(layout.names) - layout.totals_slot
    tables.at["show_belief"] = 1
    words = tables.whole("start_words", model.n_starts, at["possible"] - at["legal"])
    shown = tables.real("start_shown", model.n_starts, n_shown)
    best = tables.real("start_best", model.n_starts)
    posterior = tables.real("start_posterior", model.n_starts, len(model.conditions))
    expected = tables.real("start_expected", model.n_starts, OUTCOMES + 1 + len(world.decisions))
    known = np.arange(model.n_known_at_start)
    nobody = packed_cases(None)
    for begin in range(model.n_starts):
        profile = begin * model.profiles_per_start
        if not model.prior[profile : profile + model.profiles_per_start].any():
            continue  # nobody starts there
        laws = model.value_rows.start[known] + model.value_rows.of_profile[known, profile]
        rows = allocate(world, columns, 1, (layout.totals_slot, n_shown), 1, tables.notes())
        rows.values[0, known] = model.value_table[laws].argmax(axis=1)
        rows.counts[0, VISIT] = 1
        fill_start(begin, tables.at, tables.ints, tables.reals, nobody, *rows)
        tables.starts.values[begin], tables.starts.codes[begin] = rows.values[0], rows.codes[0]
        words[begin] = rows.counts[0, at["legal"] : at["possible"]]
        shown[begin] = rows.shown[0, :n_shown]
        best[begin] = rows.amounts[0, BEST_GBP]
        posterior[begin] = rows.amounts[0, at["posterior"] : at["waited_h"]]
        expected[begin] = rows.amounts[0, at["expected"] : at["expected"] + expected.shape[1]]
