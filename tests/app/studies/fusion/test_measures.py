"""Measures against scikit-learn and against figures worked by hand."""

from __future__ import annotations

import numpy as np
import pytest

from workup.errors import WorkupError
from workup.studies.fusion.measures import (
    by_pattern,
    expit,
    measured,
    replicates,
    replicates_of_mean,
    resampled,
    tells_apart,
)

sklearn_metrics = pytest.importorskip("sklearn.metrics", reason="needs workup[fusion]")
RNG = np.random.default_rng(0)
LABEL = RNG.integers(0, 2, 300)
SCORE = np.round(RNG.standard_normal(300) + LABEL, 1)
"""Rounded, so that there are ties."""


def test_replicates_are_weighted_areas_and_losses() -> None:
    found, counts = replicates(SCORE, LABEL, sample="x"), resampled(300, "x")
    assert counts.sum(axis=1).tolist() == [300.0] * 200
    for r in (0, 57, 199):
        area = sklearn_metrics.roc_auc_score(LABEL, SCORE, sample_weight=counts[r])
        loss = sklearn_metrics.log_loss(LABEL, expit(SCORE), sample_weight=counts[r])
        assert found["auroc"][r] == pytest.approx(area, abs=1e-6)
        assert found["log_loss"][r] == pytest.approx(loss, abs=1e-6)
    assert replicates_of_mean(SCORE, sample="x")[3] == pytest.approx(float(counts[3] @ SCORE / 300), abs=1e-6)
    assert found["auroc"] != replicates(SCORE, LABEL, sample="y")["auroc"]


def test_the_slope_of_odds_that_are_twice_too_far_apart_is_a_half() -> None:
    n = 40_000
    true = 1.5 * np.random.default_rng(1).standard_normal(n)
    label = (np.random.default_rng(2).random(n) < expit(true)).astype(np.int64)
    assert measured(true, label)["slope"] == pytest.approx(1.0, abs=0.04)
    assert measured(2 * true, label)["slope"] == pytest.approx(0.5, abs=0.02)
    assert measured(2 * true, label)["auroc"] == measured(true, label)["auroc"]


def test_patterns_are_named_and_few_patients_are_counted_only() -> None:
    present = np.ones((300, 2), dtype=bool)
    present[:100, 1] = False
    present[:3, 0] = False
    found = by_pattern(SCORE, LABEL, present, ("R", "P"))
    assert {name: of["patients"] for name, of in found.items()} == {"nothing": 3.0, "R": 97.0, "R+P": 200.0}
    assert set(found["nothing"]) == {"patients"}
    assert found["R+P"]["auroc"] == pytest.approx(sklearn_metrics.roc_auc_score(LABEL[100:], SCORE[100:]))


def test_noise_tells_nobody_apart_and_far_off_odds_may() -> None:
    noise = 1e-9 * np.random.default_rng(3).standard_normal(300)
    assert not tells_apart(noise, LABEL)
    assert not tells_apart(-SCORE, LABEL)
    assert tells_apart(9 * SCORE, LABEL)


def test_what_cannot_be_measured_names_the_patient() -> None:
    broken = SCORE.copy()
    broken[7] = np.nan
    with pytest.raises(WorkupError, match="patient 7 is nan"):
        measured(broken, LABEL)
    with pytest.raises(WorkupError, match="expected both 0 and 1"):
        measured(SCORE[:2], np.array([1, 1]))
