"""Intervals, against distributions that can be worked out by hand."""

import numpy as np
import pytest

from workup.statistics import bootstrap, finite, median_interval, normal_interval, trimmed_interval


def test_two_patients_have_three_possible_means() -> None:
    # Resampling {0, 10}: mean 0 with chance 1/4, 5 with 1/2, 10 with 1/4, so both percentiles are the extremes.
    found = bootstrap({"x": np.array([0.0, 10.0])}, seed=1)
    assert sorted(set(found.resampled["x"])) == [0.0, 5.0, 10.0]
    assert np.mean(found.resampled["x"] == 5.0) == pytest.approx(0.5, abs=0.03)
    assert (found.mean("x").mean, found.mean("x").low, found.mean("x").high) == (5.0, 0.0, 10.0)


def test_columns_are_resampled_together_so_a_constant_difference_has_no_spread() -> None:
    a = np.array([3.0, 50.0, -7.0, 12.0])
    difference = bootstrap({"a": a, "a - b": a - (a - 2.0)}, seed=0).mean("a - b")
    assert (difference.mean, difference.low, difference.high) == pytest.approx((2.0, 2.0, 2.0))


def test_ratio_is_of_means_not_a_mean_of_ratios() -> None:
    # (2 + 9) / (4 + 10) = 11/14; the mean of 2/4 and 9/10 would be 0.7. Resampled: 1/2, 11/14 and 9/10.
    found = bootstrap({"gain": np.array([2.0, 9.0]), "possible": np.array([4.0, 10.0])}, seed=0).ratio(
        "gain", "possible"
    )
    assert (found.mean, found.low, found.high) == pytest.approx((11 / 14, 0.5, 0.9))


def test_ratio_is_undefined_where_nothing_can_be_gained() -> None:
    nothing = bootstrap({"gain": np.array([1.0, 2.0]), "possible": np.zeros(2)}, seed=0).ratio("gain", "possible")
    assert np.isnan([nothing.mean, nothing.low, nothing.high]).all()
    assert nothing.as_json() == {"mean": None, "low": None, "high": None}
    shaky = bootstrap({"gain": np.ones(2), "possible": np.array([0.0, 4.0])}, seed=0).ratio("gain", "possible")
    assert shaky.mean == pytest.approx(0.5)
    assert finite(shaky.high) is None  # drawing the first patient twice leaves nothing to divide by


def test_width_agrees_with_the_standard_error_and_the_seed_decides_it() -> None:
    x = np.random.default_rng(3).normal(5.0, 2.0, 400)
    boot, normal = bootstrap({"x": x}, seed=7).mean("x"), normal_interval(x)
    assert boot.high - boot.low == pytest.approx(normal.high - normal.low, rel=0.06)
    assert boot == bootstrap({"x": x}, seed=7).mean("x")
    assert boot != bootstrap({"x": x}, seed=8).mean("x")


def test_chunks_cover_every_resampling() -> None:
    # 5,000 resamplings of 3,000 patients exceed one chunk; an unfilled row would show as a mean far from 1.
    means = bootstrap({"x": np.ones(3000)}, seed=0).resampled["x"]
    assert len(means) == 5000
    assert means == pytest.approx(1.0)


def test_normal_interval_by_hand() -> None:
    # 1, 2, 3: mean 2, sd 1, standard error 1/sqrt(3).
    found = normal_interval(np.array([1.0, 2.0, 3.0]))
    assert (found.mean, found.high - found.mean) == pytest.approx((2.0, 1.959964 / 3**0.5))
    assert np.isnan(normal_interval(np.array([1.0])).low)
    assert np.isnan(normal_interval(np.array([])).mean)


def test_the_interval_reaches_as_far_as_a_mean_may_be_off() -> None:
    found = bootstrap({"a": np.array([3.0, 3.0]), "slack": np.array([1.0, 2.0])}, seed=0)
    more = found.mean("a", found.resampled["slack"])
    assert (more.mean, more.low, more.high) == (3.0, 3.0, 5.0)
    less = found.mean("a", -found.resampled["slack"])
    assert (less.low, less.high) == (1.0, 3.0)


def test_trimmed_mean_is_that_of_scipy() -> None:
    stats = pytest.importorskip("scipy.stats")
    values = np.random.default_rng(0).standard_t(2, 237)
    found = trimmed_interval(values)
    assert found.mean == pytest.approx(stats.trim_mean(values, 0.05))
    low, high = stats.mstats.trimmed_mean_ci(values, limits=(0.05, 0.05))
    assert found.high - found.low == pytest.approx((high - low) * 1.959964 / stats.t.ppf(0.975, 214), rel=2e-2)
    assert np.isnan(trimmed_interval(np.array([4.0])).low)


@pytest.mark.parametrize("n", [6, 25, 300])
def test_the_median_lies_between_its_order_statistics_in_95_of_100_samples(n: int) -> None:
    rng = np.random.default_rng(n)
    found = [median_interval(rng.lognormal(size=n)) for _ in range(2000)]
    held = np.mean([each.low <= 1.0 <= each.high for each in found])
    assert 0.94 <= held <= 0.98
    assert all(each.low <= each.mean <= each.high for each in found)
    assert median_interval(np.array([1.0, 2.0, 9.0])).mean == 2.0
