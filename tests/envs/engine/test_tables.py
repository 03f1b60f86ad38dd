"""Every table that the kernel knows by name is packed once, where it says."""

import numpy as np
import pytest

from workup.envs.engine.observation import layout_of
from workup.envs.engine.order_tables import order_tables
from workup.envs.engine.patient_tables import patient_tables
from workup.envs.engine.places import LARGEST
from workup.envs.engine.preparing import tables_for
from workup.envs.engine.rule_tables import bits_of, rule_tables
from workup.envs.engine.settings import Settings
from workup.envs.engine.state import COLUMNS, columns_of
from workup.envs.engine.tables import AT, INT_TABLES, OPTIONS, REAL_TABLES, SIZES, _journey_tables, pack
from workup.envs.engine.types import Budget
from workup.envs.engine.worth_tables import _distinct, worth_tables
from workup.envs.model.world import World
from workup.envs.views.env import make_engine


@pytest.fixture(scope="module")
def world() -> World:
    return make_engine("meningitis", 1).world


def test_parts_hold_what_is_declared_and_nothing_twice(world: World) -> None:
    layout, bits = layout_of(world), bits_of(world)
    parts = [
        patient_tables(world),
        worth_tables(world),
        order_tables(world, layout, bits),
        rule_tables(world, bits),
        _journey_tables(world, layout),
    ]
    for declared, kind in ((SIZES, 0), (INT_TABLES, 1), (REAL_TABLES, 2)):
        assert sorted(name for part in parts for name in part[kind]) == sorted(declared)
    packed = pack(world, layout)
    for names, pool, kind in ((INT_TABLES, packed.ints, 1), (REAL_TABLES, packed.reals, 2)):
        for name in names:
            table = np.asarray(next(part[kind][name] for part in parts if name in part[kind])).ravel()
            first = packed.size(name)
            assert np.array_equal(pool[first : first + table.size], table)


def test_columns_are_those_declared(world: World) -> None:
    assert sorted(columns_of(world, 1, True).at) == sorted(COLUMNS)
    assert AT.names is not None
    assert AT.names == (*SIZES, *OPTIONS, *INT_TABLES, *REAL_TABLES, *COLUMNS, AT.names[-1])


@pytest.mark.parametrize("max_steps", [None, -3, 0, 1, 1 << 60])
def test_the_record_holds_what_the_compiler_builds_on(world: World, max_steps: int | None) -> None:
    tables, _ = tables_for(world, Settings(3, autoreset="same_step", budget=Budget(tests=1), max_steps=max_steps))
    assert all(0 <= value < LARGEST for value in tables.at[0].item())


def test_distinct_tables_are_numbered_as_numpy_sorts_them() -> None:
    draws = np.random.default_rng(0)
    tables = draws.choice([-1.0, -0.0, 0.0, 2.5], size=(200, 2, 2))
    _, first, of_table = np.unique(tables, axis=0, return_index=True, return_inverse=True)
    found_first, found_of_table = _distinct(tables)
    assert np.array_equal(found_first, first)
    assert np.array_equal(found_of_table, of_table.ravel())
