"""Tasks of fusion: whom they draw, what a record holds, and the exact scores against Bayes' rule written out here."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from workup.errors import UnknownNameError, WorkupError
from workup.studies.fusion import tasks
from workup.studies.fusion.tasks import TASKS
from workup.studies.fusion.tasks.base import Patients
from workup.studies.fusion.tasks.records import MECHANISMS, Missing

Floats = NDArray[np.float64]
TWELVE = {
    "additive", "interaction", "one_biopsy", "reading_context", "shared_error", "question", "weak", "shortcut",
    "shortcut_interaction", "value_ordered", "branch", "branch_control",
}  # fmt: skip
EVERY = [(name, policy) for name, task in TASKS.items() for policy in task.policies]
THINNINGS = [
    Missing(mechanism, rate, keep) for mechanism in MECHANISMS for rate in (0.3, 0.8) for keep in (True, False)
]


def test_tasks_are_found_by_folder() -> None:
    files = {path.stem for path in Path(tasks.__file__).parent.glob("*.py")} - {"__init__", "base", "records"}
    assert set(TASKS) == files == TWELVE
    assert all(
        task.name == name and len(task.story.split()) > 30 and task.policies[0] == "same"
        for name, task in TASKS.items()
    )


@pytest.mark.parametrize(("name", "policy"), EVERY)
def test_a_record_is_of_the_shapes_it_should_be(name: str, policy: str) -> None:
    task, met = TASKS[name], TASKS[name].patients(300, seed=3, policy=policy)
    assert set(met.label.tolist()) == {0, 1}
    assert met.label.shape == (300,)
    for m in task.modalities:
        assert met.findings[m].shape == (300, len(task.columns[m]))
        for column, values in zip(task.columns[m], met.findings[m].T, strict=True):
            bit = column in ("bit", "from_lung", "stain", "context")
            assert (set(values.tolist()) == {0.0, 1.0}) == bit, column
    assert (met.question is None) == (task.questions == 0)
    if met.question is not None:
        asked = {"same": range(9), "broad": [0], "specific": range(1, 9)}[policy]
        assert set(met.question.tolist()) == set(asked)
    for present, order in zip(met.present, met.order, strict=True):
        there = np.flatnonzero(present).tolist()
        assert order.tolist() == there + [-1] * (2 - len(there))
    assert {"joint", "joint_with_mask", "late", "mean", *(f"single:{m}" for m in task.modalities)} <= set(met.exact)
    assert all(score.shape == (300,) and np.isfinite(score).all() for score in met.exact.values())


def everything(met: Patients) -> dict[str, NDArray[Any]]:
    found = {f"finding {m}": values for m, values in met.findings.items()} | {
        f"exact {m}": v for m, v in met.exact.items()
    }
    more = {
        "label": met.label,
        "present": met.present,
        "order": met.order,
        "question": met.question,
        "history": met.history,
    }
    return found | {name: values for name, values in more.items() if values is not None}


@pytest.mark.parametrize("name", TASKS)
def test_the_first_patients_are_the_same_for_any_number_and_whoever_orders(name: str) -> None:
    task = TASKS[name]
    thin = [None] if task.first_d is None else [None, *THINNINGS[::3]]
    for policy in task.policies:
        for missing in thin:
            few, many = (everything(task.patients(n, seed=11, policy=policy, missing=missing)) for n in (7, 150))
            assert set(few) == set(many)
            assert all((few[key] == many[key][:7]).all() for key in few), (policy, missing)
            same = everything(task.patients(150, seed=11))
            who = ["label", *(key for key in same if key.startswith("finding"))]
            if name != "question":
                assert all((same[key] == many[key]).all() for key in who)
    other = task.patients(150, seed=12)
    assert (other.label != task.patients(150, seed=11).label).any()


def bell(x: Floats | float, mean: Floats | float, variance: float = 1.0) -> Floats:
    return np.asarray(np.exp(-0.5 * (np.asarray(x) - mean) ** 2 / variance) / math.sqrt(variance))


def bayes(prior: float, ill: Floats, well: Floats) -> Floats:
    return np.log(prior * ill) - np.log((1 - prior) * well)


def by_label(name: str, met: Patients, y: int) -> Floats:
    """(n,) density of what the record holds given the label, whatever is absent summed over."""
    s, sign = met.present, 2 * y - 1
    if name in ("branch", "branch_control"):
        a, b = met.findings["A"][:, 0], met.findings["B"][:, 0]
        assert met.history is not None
        named = met.history[:, 0] if name == "branch" else np.zeros(len(a))
        return np.where(s[:, 0], bell(a, np.where(named == 0, sign * 1.25, 0)), 1.0) * np.where(
            s[:, 1], bell(b, np.where(named == 1, sign * 1.25, 0)), 1.0
        )
    r, p = met.findings["R"], met.findings["P"]
    if name in ("interaction", "shortcut_interaction"):
        total = np.zeros(len(r))
        for bit_r in (0, 1):
            for bit_p in (0, 1):
                chance = 0.5 * (0.85 if (bit_r != bit_p) == (y == 1) else 0.15)
                seen_r = np.where(s[:, 0], bell(r[:, 0], sign * 0.5) * (r[:, 1] == bit_r), 1.0)
                total += chance * seen_r * np.where(s[:, 1], bell(p[:, 0], sign * 0.5) * (p[:, 1] == bit_p), 1.0)
        return total
    if name == "one_biopsy":
        total = np.zeros(len(r))
        for site in (0, 1):
            tumour = 0.85 if y else 0.03
            positive = tumour + (1 - tumour) * 0.8 if site else tumour
            stain = np.where(s[:, 1], np.where(p[:, 0] == 1, positive, 1 - positive), 1.0)
            total += 0.5 * stain * np.where(s[:, 0], bell(r[:, 0], sign * 0.5) * (r[:, 1] == site), 1.0)
        return total
    if name == "reading_context":
        total = np.zeros(len(r))
        for context in (0, 1):
            there = np.where(s[:, 1], p[:, 0] == context, 1.0)
            total += 0.5 * there * np.where(s[:, 0], bell(r[:, 0], sign + (1.25 if context else -1.25)), 1.0)
        return total
    if name == "shared_error":
        alone = np.where(s[:, 0], bell(r[:, 0], sign, 2.0), 1.0) * np.where(s[:, 1], bell(p[:, 0], sign, 2.0), 1.0)
        v = np.stack([r[:, 0] - sign, p[:, 0] - sign])
        together = np.exp(-0.5 * (v * (np.linalg.inv(np.array([[2.0, 1.0], [1.0, 2.0]])) @ v)).sum(axis=0))
        return np.where(s.all(axis=1), together, alone)
    if name == "question":
        assert met.question is not None
        at = np.arange(len(r)), met.question
        scale = np.where(met.question == 0, 1.0, 0.4)
        r, p = (r[at] / scale)[:, None], (p[at] / scale)[:, None]
    d_r, d_p = {
        "additive": (2.0, 2.0), "weak": (2.0, 0.0), "shortcut": (1.0, 1.5), "value_ordered": (1.0, 1.5), "question": (1.5, 1.5),
    }[name]  # fmt: skip
    seen_r = np.where(s[:, 0], bell(r[:, 0], sign * d_r / 2), 1.0)
    return seen_r * np.where(s[:, 1], bell(p[:, 0], sign * d_p / 2), 1.0)


@pytest.mark.parametrize(("name", "policy"), EVERY)
@pytest.mark.parametrize("missing", [None, Missing("mcar", 0.5)], ids=str)
def test_the_joint_score_is_bayes_rule_on_what_is_present(name: str, policy: str, missing: Missing | None) -> None:
    met = TASKS[name].patients(400, seed=5, policy=policy, missing=missing)
    prior = {"one_biopsy": 0.4, "shortcut": 0.3, "shortcut_interaction": 0.3}.get(name, 0.5)
    expected = bayes(prior, by_label(name, met, 1), by_label(name, met, 0))
    np.testing.assert_allclose(met.exact["joint"], expected, atol=1e-9)
    if name not in ("branch", "reading_context", "one_biopsy"):
        one = met.present.sum(axis=1) == 1
        late, joint = met.exact["late"][one], met.exact["joint"][one]
        np.testing.assert_allclose(late, joint, atol=1e-12, err_msg="with one modality there is nothing to fuse")


@pytest.mark.parametrize("missing", THINNINGS, ids=str)
def test_absence_is_as_frequent_as_was_asked_and_one_is_kept(missing: Missing) -> None:
    met = TASKS["interaction"].patients(20_000, seed=8, missing=missing)
    absent = 1.0 - met.present.mean(axis=0)
    if not missing.keep_one:
        np.testing.assert_allclose(absent, missing.rate, atol=0.015)
        assert not met.present.any(axis=1).all()
    else:
        assert met.present.any(axis=1).all()
        assert (absent <= missing.rate + 0.015).all()
        assert missing.mechanism != "journeys" or (absent[0] == 0 and abs(absent[1] - missing.rate) < 0.015)
    ill, well = (met.present[met.label == y].mean() for y in (1, 0))
    first = met.findings["R"][:, 0]
    seen = first[met.present[:, 0] & met.present[:, 1]].mean() - first[met.present[:, 0] & ~met.present[:, 1]].mean()
    low, high = {"outcome": (0.05, 1.0), "mar": (0.015, 0.3), "journeys": (0.015, 0.15), "mcar": (-0.015, 0.015)}[
        missing.mechanism
    ]
    assert low < ill - well < high, "who is ill has more of the record, by outcome and by what the history says"
    assert (seen > 0.7) == (missing.mechanism == "journeys")
    assert (met.history is not None) == (missing.mechanism == "mar")


def loss(score: Floats, label: NDArray[np.int64]) -> Floats:
    return np.logaddexp(0.0, np.where(label == 1, -score, score))


@pytest.mark.parametrize("missing", [None, *THINNINGS], ids=str)
def test_who_reads_more_loses_less_on_the_records_they_learnt_from(missing: Missing | None) -> None:
    met = TASKS["shortcut_interaction"].patients(40_000, seed=2, missing=missing)
    lost = {name: loss(score, met.label) for name, score in met.exact.items()}
    better = [("joint_with_mask", "joint"), ("joint", "late"), ("joint", "single:R")]
    if "joint_no_history" in lost:
        better = [
            ("joint_with_mask", "joint"),
            ("joint_with_mask_no_history", "joint_no_history"),
            ("joint", "joint_no_history"),
        ]
    for more, less in better:
        gain = lost[less] - lost[more]
        assert gain.mean() > 2.0 * gain.std() / math.sqrt(len(gain)), (more, less)


def test_patterns_that_say_nothing_add_nothing() -> None:
    for name, missing in (
        ("interaction", Missing("mcar", 0.4)),
        ("interaction", Missing("journeys", 0.4)),
        ("branch", None),
    ):
        met = TASKS[name].patients(500, seed=1, missing=missing)
        np.testing.assert_allclose(met.exact["joint_with_mask"], met.exact["joint"], atol=1e-12)
    told = TASKS["interaction"].patients(500, seed=1, missing=Missing("mar", 0.4)).exact
    np.testing.assert_allclose(
        told["joint_with_mask"], told["joint"], atol=1e-12, err_msg="the history explains who lacks what"
    )
    assert np.abs(told["joint_with_mask_no_history"] - told["joint_no_history"]).max() > 0.2


def test_what_cannot_be_drawn_is_refused_with_a_reason() -> None:
    with pytest.raises(UnknownNameError, match=r"interaction has no policy 'flipped'; expected one of: same"):
        TASKS["interaction"].patients(5, seed=0, policy="flipped")
    with pytest.raises(WorkupError, match=r"weak: 0 patients of seed 0; expected 1 or more"):
        TASKS["weak"].patients(0, seed=0)
    with pytest.raises(WorkupError, match=r"5 patients of seed -1"):
        TASKS["weak"].patients(5, seed=-1)
    with pytest.raises(WorkupError, match=r"branch: journeys go by the first graded finding"):
        TASKS["branch"].patients(5, seed=0, missing=Missing("journeys", 0.5))
    with pytest.raises(WorkupError, match=r"rate of missing data is 0\.9; expected one in \[0, 0\.8\]"):
        Missing("mcar", 0.9)
    with pytest.raises(UnknownNameError, match=r"no mechanism of missing data 'mcra'; did you mean 'mcar'"):
        Missing("mcra", 0.5)  # type: ignore[arg-type]
