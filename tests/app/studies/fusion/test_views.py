"""Views: mixed findings can still be told apart, patients of two splits are never the same, and nobody depends on the others."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from workup.errors import UnknownNameError, WorkupError
from workup.studies.fusion.compare import CONTRASTS, Contrast, compare, contrasts, hierarchical, holm
from workup.studies.fusion.conditions import judged_on
from workup.studies.fusion.splits import SPLITS, keys_of, seed_of
from workup.studies.fusion.tasks import TASKS
from workup.studies.fusion.views import FEATURES, findings_view, mixed, mixing


def test_what_a_modality_found_can_be_read_back_from_its_features() -> None:
    """A straight line through atanh of the features finds every finding, with less than .03 of the variance of the gross
    one lost, and less than .1 of the faintest."""
    task = TASKS["question"]
    met = task.patients(20_000, seed=3)
    for name, values in met.findings.items():
        features = findings_view(task, met, seed=3)[name].astype(np.float64)
        known = np.column_stack([np.arctanh(np.clip(features, -0.999, 0.999)), np.ones(len(features))])
        learn, others = slice(0, 10_000), slice(10_000, None)
        weights = np.linalg.lstsq(known[learn], values[learn], rcond=None)[0]
        lost = (values[others] - known[others] @ weights).var(axis=0) / values[others].var(axis=0)
        assert lost.max() < 0.1
        assert lost[0] < 0.03


def test_a_bit_and_a_graded_finding_come_back() -> None:
    rng = np.random.default_rng(0)
    values = np.column_stack([rng.standard_normal(4_000), rng.integers(0, 2, 4_000)])
    back = np.arctanh(np.clip(mixed("any", "R", values, seed=1), -0.9999, 0.9999)) @ np.linalg.pinv(
        mixing("any", "R", 2)
    )
    assert ((back[:, 1] > 0) == (values[:, 1] > 0.5)).mean() > 0.999
    assert np.corrcoef(back[:, 0], values[:, 0])[0, 1] > 0.98


def test_the_first_patients_look_the_same_for_any_number() -> None:
    task = TASKS["interaction"]
    few, many = (findings_view(task, task.patients(n, seed=5), seed=5) for n in (7, 50))
    for name in few:
        assert np.array_equal(few[name], many[name][:7])
    assert np.array_equal(keys_of("interaction", 5, 7), keys_of("interaction", 5, 50)[:7])


def test_more_findings_than_features_are_refused() -> None:
    with pytest.raises(WorkupError, match=f"own: R has 13 findings; the view mixes at most {FEATURES}"):
        mixed("own", "R", np.zeros((2, 13)), seed=0)


def test_no_two_splits_of_any_seeds_share_a_patient() -> None:
    seeds = [seed_of(split, seed) for split in SPLITS for seed in range(20)]
    assert len(set(seeds)) == len(seeds)
    keys = np.concatenate([keys_of("interaction", seed, 500) for seed in seeds])
    assert len(np.unique(keys)) == len(keys)
    assert not np.isin(keys_of("additive", 0, 500), keys).any()
    with pytest.raises(UnknownNameError, match="did you mean 'train'"):
        seed_of("trian", 0)


def test_holm_as_worked_by_hand() -> None:
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.9, 0.8]) == [1.0, 1.0]


def test_the_hierarchical_bootstrap_has_the_variance_of_seeds_and_of_patients() -> None:
    """Of 5 seeds with between-variance B and within-variance W the mean varies by B/5 (unbiased) + W/5."""
    rng = np.random.default_rng(1)
    centres = np.array([0.0, 1.0, 2.0, 3.0, 4.0])
    noise = [rng.standard_normal(400) for _ in centres]
    replicates = [c + (z - z.mean()) / z.std() for c, z in zip(centres, noise, strict=True)]
    drawn = hierarchical(replicates, resamples=40_000, sample="a test")
    assert drawn.mean() == pytest.approx(2.0, abs=0.05)
    between = float(centres.var(ddof=1))
    assert drawn.var() == pytest.approx(between / 5 + 1.0 / 5 * 5 / 4, rel=0.05)


def _pair(of: Contrast, shift: float, spread: float) -> tuple[Any, ...]:
    rng = np.random.default_rng(2)
    base = {seed: 0.8 + 0.01 * rng.standard_normal(200) for seed in range(5)}
    moved = {seed: base[seed] + shift + spread * rng.standard_normal(200) for seed in base}
    return of, moved, base, dict.fromkeys(base, shift)


def test_what_is_told_of_a_difference_follows_from_its_interval() -> None:
    of = [Contrast("t", f"left{k}", "right", "higher", "") for k in range(3)]
    found = compare([_pair(of[0], 0.05, 0.005), _pair(of[1], 0.001, 0.002), _pair(of[2], 0.02, 0.05)])
    assert [each.finding for each in found] == ["higher", "the same", "undecided"]
    assert found[0].p_holm == pytest.approx(3 * found[0].p)
    with pytest.raises(WorkupError, match="expected the same"):
        compare([(of[0], {0: np.zeros(3)}, {1: np.zeros(3)}, {0: 0.0})])


def test_the_contrasts_name_tasks_tests_and_methods_that_exist() -> None:
    assert len(contrasts()) >= 40
    for each in contrasts():
        task = TASKS[each.task]
        assert each.test in judged_on(each.record, task)
    assert {"interaction", "one_biopsy", "shortcut", "branch", "value_ordered"} <= {each.task for each in contrasts()}


@pytest.mark.parametrize(
    ("row", "says"),
    [
        ("{task: a, left: b}", "contrast 1 has"),
        ("{task: a, left: b, right: c, expect: more, why: d}", "expects 'more'"),
    ],
)
def test_a_row_that_is_no_contrast_is_refused(row: str, says: str, tmp_path) -> None:
    (tmp_path / "c.yaml").write_text(f"- {row}\n", encoding="utf-8")
    with pytest.raises(WorkupError, match=says):
        contrasts(tmp_path / "c.yaml")
    first = CONTRASTS.read_text(encoding="utf-8").splitlines()
    twice = next(line for line in first if line.startswith("- "))
    (tmp_path / "c.yaml").write_text(f"{twice}\n{twice}\n", encoding="utf-8")
    with pytest.raises(WorkupError, match="is there twice"):
        contrasts(tmp_path / "c.yaml")
