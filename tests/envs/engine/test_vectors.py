"""Four numbers at a time are what one at a time gives."""

import numpy as np
import pytest
from numpy.typing import NDArray

from workup.envs.engine.vectors import (
    LANES,
    all_of,
    below_two,
    load,
    log_of,
    minus,
    one,
    padded,
    plus,
    signed_as,
    size_of,
    store,
    times,
)
from workup.envs.model.machine_code import njit

compiled = njit(error_model="numpy", _nrt=False)


@compiled
def each(a, b, told):
    """All that can be said of two rows, a row each."""
    for j in range(0, a.shape[0], LANES):
        x, y = load(a, j), load(b, j)
        store(told[0], j, plus(x, y))
        store(told[1], j, minus(x, y))
        store(told[2], j, times(x, y))
        store(told[3], j, signed_as(size_of(x), y))
        store(told[4], j, all_of(one(a, j)))
        store(told[5], j, below_two(x, plus(all_of(1.0), size_of(y))))


@compiled
def logs(a, told):
    for j in range(0, a.shape[0], LANES):
        store(told, j, log_of(load(a, j)))


def test_each_lane_is_what_a_plain_loop_gives() -> None:
    a, b = np.random.default_rng(0).normal(size=(2, 4000)) * 2
    told = np.empty((6, 4000))
    each(a, b, told)
    first = np.repeat(a[::LANES], LANES)
    assert np.array_equal(told, [a + b, a - b, a * b, np.copysign(a, b), first, np.where(np.abs(b) < 1, a, 0)])


def numbers_from_one(spread: float) -> NDArray[np.float64]:
    drawn = np.abs(np.random.default_rng(1).standard_cauchy(40_000)) * spread
    return 1.0 + drawn


@pytest.mark.parametrize("spread", [1e-12, 1e-6, 1.0, 1e6, 1e200])
def test_logarithms_are_right_to_a_bit_of_the_last_place(spread: float) -> None:
    a = numbers_from_one(spread)
    a[:4] = [1.0, np.nextafter(1.0, 2.0), np.sqrt(2.0), 2.0]
    told = np.empty_like(a)
    logs(a, told)
    expected = np.log(a)
    assert told[0] == 0.0
    assert (np.abs(told - expected) <= 2 * np.spacing(expected)).all()
    assert np.array_equal(told.astype(np.float32), expected.astype(np.float32))


def test_rows_are_padded_to_whole_vectors() -> None:
    assert [padded(size) for size in (0, 1, 4, 5, 8)] == [0, 4, 4, 8, 8]
