"""Repairs: published tables, right where their assumption holds, and visibly wrong where it does not."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import workup
from workup.envs.model.codes import RESULT
from workup.envs.records.cohorts import Cohort
from workup.errors import WorkupError
from workup.studies.bias.corrections import (
    MEASURES,
    Checked,
    begg_greenes,
    bounds,
    complete_case,
    estimated_chance,
    imputed,
    weighted,
)

TRUE = {"prevalence": 0.2, "sensitivity": 0.8, "specificity": 0.85}


def _table(tp: int, fp: int, fn: int, tn: int, positive: int, negative: int) -> Checked:
    """Verified patients by test and disease, and the unverified by test."""
    counts = (tp, fp, fn, tn, positive, negative)
    return Checked(
        positive=np.repeat([True, True, False, False, True, False], counts),
        verified=np.repeat([True, True, True, True, False, False], counts),
        ill=np.repeat([True, False, True, False, False, False], counts),
    )


SCINTIGRAPHY = _table(231, 32, 27, 54, 166, 140)
"""Hepatic scintigraphy: 650 patients, 344 verified (Drum and Christacopoulos 1972, as Begg and Greenes 1983 use it)."""


def test_hepatic_scintigraphy_comes_out_as_published() -> None:
    found = begg_greenes(SCINTIGRAPHY)
    assert round(found["sensitivity"].value, 3) in (0.836, 0.837)
    assert round(found["specificity"].value, 3) == 0.738
    by_weights = weighted(replace(SCINTIGRAPHY, chance=estimated_chance(SCINTIGRAPHY)))
    for name in MEASURES:  # the same estimator, written as weights
        assert by_weights[name].value == pytest.approx(found[name].value, abs=1e-3)
    naive = complete_case(SCINTIGRAPHY)
    assert (round(naive["sensitivity"].value, 3), round(naive["specificity"].value, 3)) == (0.895, 0.628)
    low, high = bounds(SCINTIGRAPHY)["sensitivity"]
    assert low < found["sensitivity"].value < high


def test_intervals_cover_with_two_false_negatives_expected() -> None:
    rng, covered = np.random.default_rng(1), np.zeros(3)
    for _ in range(1_000):
        ill = rng.random(400) < 0.2
        positive = np.where(ill, rng.random(400) < 0.8, rng.random(400) < 0.15)
        verified = rng.random(400) < np.where(positive, 0.9, 0.125)  # 400 * .2 * .2 * .125 = 2 verified false negatives
        found = begg_greenes(Checked(positive, verified, ill))
        covered += [found[name].low <= TRUE[name] <= found[name].high for name in MEASURES]
    assert (covered >= 930).all()


def _checked(met: Cohort, item: str = "biopsy") -> Checked:
    world = met.world
    verified = met.status[:, world.items.index(item)] == RESULT
    return Checked(
        positive=met.values[:, world.model.observables.index("test")] == 1,
        verified=verified,
        ill=met.condition == 1,
        chance=met.path_chance,
    )


def test_repairs_work_where_verification_depends_on_the_test_alone() -> None:
    data = _checked(workup.cohort("two_by_two", "suspicion:ill:1", patients=40_000, seed=9))
    naive = complete_case(data)
    assert naive["sensitivity"].low > 0.9  # visibly wrong
    assert naive["specificity"].high < 0.5
    for repair in (
        begg_greenes(data),
        weighted(data),
        weighted(replace(data, chance=estimated_chance(data))),
        imputed(data),
    ):
        for name in MEASURES:
            half = (repair[name].high - repair[name].low) / 2.0
            assert abs(repair[name].value - TRUE[name]) < 2.0 * half, name
    for name, (low, high) in bounds(data).items():
        assert low <= TRUE[name] <= high


def _gates(policy: str) -> tuple[Checked, float]:
    """Whoever passed the first gate, later found out by a registry; what everyone's first looks said is recorded."""
    met = workup.cohort("gates", policy, patients=120_000, seed=3)
    world = met.world
    first = met.values[:, world.model.observables.index("first_look")]
    data = Checked(
        positive=first >= 12,
        verified=met.status[:, world.items.index("blood")] == RESULT,
        ill=met.condition == 1,
        features=np.eye(19)[first],
    )
    return data, 0.02


def test_weights_from_the_record_fail_where_a_reason_is_not_in_it() -> None:
    for policy, right in (("lapse:0.3:suspicion:ill:1", True), ("lapse:0.3:gestalt:ill:1", False)):
        data, true = _gates(policy)
        found = weighted(replace(data, chance=estimated_chance(data)))["prevalence"]
        half = (found.high - found.low) / 2.0
        off = abs(found.value - true) / half
        assert off < 1.5 if right else off > 2.0, (policy, found)
        assert data.features is not None
        by_strata = begg_greenes(data, np.argmax(data.features, axis=1).clip(5, 17))["prevalence"]
        half = (by_strata.high - by_strata.low) / 2.0
        assert (abs(by_strata.value - true) / half < 1.5) == right


def _looks(policy: str) -> Checked:
    """All three looks as far as they were taken; whoever had the last test is verified, and a later look decided who had it."""
    met = workup.cohort("gates", policy, patients=60_000, seed=3)
    names = [met.world.model.observables.index(f"{each}_look") for each in ("first", "second", "third")]
    looks = np.where(met.values[:, names] >= 0, met.values[:, names], np.nan).astype(np.float64)
    verified = met.status[:, met.world.items.index("biopsy")] == RESULT
    return Checked(looks[:, 0] >= 12, verified, met.condition == 1, features=looks)


@pytest.mark.parametrize(("policy", "right"), [("suspicion:ill:0.5", True), ("lapse:0.3:gestalt:ill:1", False)])
def test_a_chain_reads_the_reasons_that_have_gaps_and_no_others(policy: str, right: bool) -> None:
    data = _looks(policy)
    assert data.features is not None
    chained = imputed(data, times=10)["prevalence"]
    assert (chained.low <= 0.02 <= chained.high) == right
    if right:  # the first look is recorded of everybody, and is not why they were verified
        assert imputed(replace(data, features=data.features[:, :1]), times=10)["prevalence"].low > 0.03


def test_the_librarys_chain_expects_fewer_ill_than_none() -> None:
    from sklearn.experimental import enable_iterative_imputer  # noqa: F401
    from sklearn.impute import IterativeImputer

    data = _looks("suspicion:ill:0.5")
    assert data.features is not None
    table = np.column_stack([data.features, np.where(data.verified, data.ill, np.nan)])
    whole = IterativeImputer(sample_posterior=True, max_iter=2, random_state=0).fit_transform(table)
    assert whole[:, -1].mean() < -0.1


def test_gaps_in_any_order_are_filled_in_turns() -> None:
    """Findings that are missing by the first, verification by the second where it is there: no order of single models would do."""
    rng, n = np.random.default_rng(5), 20_000
    ill = rng.random(n) < 0.2
    first = rng.normal(ill, 1.0)
    second = rng.normal(1.5 * ill + 0.5 * first, 1.0)
    third = rng.random(n) < 1.0 / (1.0 + np.exp(1.0 - ill - 0.4 * second))
    x = np.column_stack([first, second, third])
    x[rng.random(n) < 1.0 / (1.0 + np.exp(first - 0.5)), 1] = np.nan
    x[rng.random(n) < 1.0 / (1.0 + np.exp(first)), 2] = np.nan
    pull = np.where(np.isnan(x[:, 1]), first, 1.5 * second)
    data = Checked(first > 1.0, rng.random(n) < 1.0 / (1.0 + np.exp(3.0 - pull)), ill, features=x)
    found = imputed(data, times=8)["prevalence"]
    assert found.low <= ill.mean() <= found.high
    assert imputed(replace(data, features=x[:, :1]), times=8)["prevalence"].low > ill.mean()
    with pytest.raises(WorkupError, match=r"of 20000 patients lack a feature.*imputed"):
        estimated_chance(data)
    with pytest.raises(WorkupError, match="no patients with a record of column 2"):
        imputed(replace(data, features=np.column_stack([first, np.full(n, np.nan)])))
    with pytest.raises(WorkupError, match="1 draws of 5 rounds"):
        imputed(data, times=1)


def test_a_stratum_without_anybody_is_an_error_with_bounds() -> None:
    data = _table(50, 10, 0, 0, 0, 200)
    with pytest.raises(WorkupError, match=r"nobody was verified in: test negative.*prevalence 0\.192 to 0\.962"):
        begg_greenes(data)


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (SCINTIGRAPHY, "lapse:0.05:guideline"),
        (
            replace(SCINTIGRAPHY, chance=np.ones(650)),
            r"344 of 650 patients are verified, all with probability 1.*suspicion:GROUP:SLOPE",
        ),
        (replace(SCINTIGRAPHY, chance=np.full(650, np.nan)), "344 verified patients have a chance outside"),
        (replace(SCINTIGRAPHY, chance=np.zeros(650)), r"344 verified patients have a chance outside"),
        (replace(SCINTIGRAPHY, chance=np.where(np.arange(650) == 5, 1e-6, 0.9)), "tell as much as 1.0"),
    ],
)
def test_weights_that_cannot_be_are_refused(data: Checked, says: str) -> None:
    with pytest.raises(WorkupError, match=says):
        weighted(data)


def test_truncated_weights_are_steadier() -> None:
    rng = np.random.default_rng(0)
    chance = rng.beta(0.5, 1.5, 5_000).clip(0.01, 1.0)
    data = Checked(rng.random(5_000) < 0.4, rng.random(5_000) < chance, rng.random(5_000) < 0.3, chance=chance)
    assert weighted(data, truncate=0.95)["prevalence"].effective > 2 * weighted(data)["prevalence"].effective


def test_one_class_or_nobody_is_an_error() -> None:
    nobody = replace(SCINTIGRAPHY, verified=np.zeros(650, bool))
    few = replace(SCINTIGRAPHY, verified=np.arange(650) % 24 == 0)
    for repair in (complete_case, begg_greenes, imputed):
        with pytest.raises(WorkupError, match="no verified patients of 650; expected 30 or more"):
            repair(nobody)
        with pytest.raises(WorkupError, match="28 verified patients of 650"):
            repair(few)
    with pytest.raises(WorkupError, match="1 of 650 patients have a feature that is no finite number"):
        estimated_chance(replace(SCINTIGRAPHY, features=np.where(np.arange(650) == 3, np.inf, 0.0)[:, None]))
    with pytest.raises(WorkupError, match="needs both"):
        estimated_chance(nobody)
    with pytest.raises(WorkupError, match="no verified patients who are ill"):
        complete_case(replace(SCINTIGRAPHY, ill=np.zeros(650, bool)))
