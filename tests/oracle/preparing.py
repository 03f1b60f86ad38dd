"""From a world to tables that are ready to step: packed once a world, then set to what one engine wants."""

from __future__ import annotations

from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from oracle.state import BEST_GBP, OUTCOMES, VISIT, Columns, allocate, columns_of
from oracle.steps import fill_start
from oracle.tables import Tables, pack
from workup.envs.engine.observation import Layout, layout_of
from workup.envs.engine.places import LARGEST
from workup.envs.engine.settings import AUTORESET, Settings
from workup.envs.engine.types import Budget
from workup.envs.model.cases import Cases
from workup.envs.model.world import World

_SHARED: WeakKeyDictionary[World, tuple[Layout, Tables]] = WeakKeyDictionary()


def shared_tables(world: World) -> tuple[Layout, Tables]:
    """Layout and packed tables of a world, kept as long as it lives: engines of one world share them."""
    if world not in _SHARED:
        layout = layout_of(world)
        tables = pack(world, layout)
        tables.at["show_belief"] = 1
        _fill_starts(world, tables, len(layout.names))
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
    tables = shared.with_own_reals()
    tables.at["budgeted"] = 1
    limits = (budget.cost_gbp, budget.dose_msv, budget.tests)
    tables.real("budget", 3)[:] = [np.inf if limit is None else limit for limit in limits]
    _fill_starts(world, tables, len(layout.names))
    return tables


def _set_columns(world: World, tables: Tables, follows_posterior: bool) -> Columns:
    columns = columns_of(world, tables.size("n_words"), follows_posterior)
    for name, first in columns.at.items():
        tables.at[name] = first
    return columns


def _fill_starts(world: World, tables: Tables, n_names: int) -> None:
    """Facts, mask, observation and posterior at each start, so that a new journey is a copy of a row."""
    model, columns = world.model, _set_columns(world, tables, follows_posterior=True)
    values, masks, features, words = tables.starts
    best = tables.real("start_best", model.n_starts)
    posterior = tables.real("start_posterior", model.n_starts, len(model.conditions))
    expected = tables.real("start_expected", model.n_starts, OUTCOMES + 1 + len(world.decisions))
    known, at = np.arange(model.n_known_at_start), columns.at
    nobody = packed_cases(None)
    for begin in range(model.n_starts):
        profile = begin * model.profiles_per_start
        if not model.prior[profile : profile + model.profiles_per_start].any():
            continue  # nobody starts there
        laws = model.value_rows.start[known] + model.value_rows.of_profile[known, profile]
        rows = allocate(world, columns, 1, n_names, 1, tables.scratch_size())
        rows.values[0, known] = model.value_table[laws].argmax(axis=1)
        rows.counts[0, VISIT] = 1
        fill_start(begin, tables.at, tables.ints, tables.reals, nobody, *rows)
        values[begin], masks[begin], features[begin] = rows.values[0], rows.mask[0], rows.facts[0]
        words[begin] = rows.counts[0, at["words"] :]
        best[begin] = rows.amounts[0, BEST_GBP]
        posterior[begin] = rows.amounts[0, at["posterior"] : at["waited_h"]]
        expected[begin] = rows.amounts[0, at["expected"] :]
