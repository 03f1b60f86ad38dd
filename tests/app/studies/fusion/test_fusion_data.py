"""Data, training and measuring: what a record does not hold is not passed on, and what cannot be done is told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

pytest.importorskip("sb3_contrib", reason="needs workup[train]")
pytest.importorskip("sklearn", reason="needs workup[fusion]")
import torch
from torch import nn

from workup.errors import UnknownNameError, WorkupError
from workup.studies.fusion import Fusion, FusionData, MissingModalityError, TaskSpec, evaluate
from workup.studies.fusion.conditions import condition, judged_on
from workup.studies.fusion.evaluation import scored
from workup.studies.fusion.tasks import TASKS
from workup.studies.fusion.tasks.base import Task
from workup.studies.fusion.tasks.records import Missing

pytestmark = pytest.mark.torch


def build(task: TaskSpec, encoders: Mapping[str, nn.Module], *, seed: int) -> Any:
    class Sum(Fusion):
        message = "late"

        def __init__(self) -> None:
            super().__init__()
            self.readers = nn.ModuleDict(
                {name: nn.Linear(task.shapes[name][0], task.classes) for name in task.modalities}
            )

        def forward(self, inputs: Any, present: Any, order: Any, question: Any = None) -> torch.Tensor:
            return sum(self.readers[name](inputs[name]) for name in task.modalities)

    torch.manual_seed(seed)
    return Sum()


def mute(task: TaskSpec, encoders: Mapping[str, nn.Module], *, seed: int) -> Any:
    made = build(task, encoders, seed=seed)
    for value in made.parameters():
        value.requires_grad_(False).zero_()
    return made


def broken(task: TaskSpec, encoders: Mapping[str, nn.Module], *, seed: int) -> Any:
    made = build(task, encoders, seed=seed)
    with torch.no_grad():
        next(iter(made.parameters())).fill_(float("nan"))
    return made


def test_blocks_that_a_record_does_not_hold_are_zeros() -> None:
    data = FusionData("shortcut", "test", patients=200)
    held = data.rows.present[:, 1]
    assert 0 < int(held.sum()) < 200
    assert float(data.rows.inputs["P"][~held].abs().sum()) == 0.0
    assert bool(data.rows.inputs["P"][held].abs().sum(dim=1).gt(0).all())
    one = data[int((~held).int().argmax())]
    assert one["present"].tolist() == [True, False]
    assert one["order"].tolist() == [0, -1]


def test_a_history_is_a_modality_that_everybody_has_first() -> None:
    data = FusionData("branch", "train", patients=10)
    assert data.spec.modalities == ("A", "B", "history")
    assert data.rows.order[0].tolist() == [2, 0, 1]
    assert data.spec.prices() == (100.0, 100.0, 0.0)


def test_own_arrays_are_checked() -> None:
    rng = np.random.default_rng(0)
    blocks = {"film": rng.standard_normal((6, 5)), "bloods": rng.standard_normal((6, 2))}
    label, present = np.array([0, 1, 0, 1, 1, 0]), np.ones((6, 2), dtype=bool)
    blocks["bloods"][4, 1] = np.nan
    with pytest.raises(WorkupError, match=r"input 'bloods' of patient 4 is not finite"):
        FusionData.from_arrays(blocks, label)
    present[4, 1] = False
    data = FusionData.from_arrays(blocks, label, present=present)
    assert data.rows.order.tolist()[3:5] == [[0, 1], [0, -1]]
    for changed, says in (
        ({"present": present.astype(int)}, "expected bool"),
        ({"present": present[:5]}, "expected bool"),
        ({"present": present, "order": np.zeros((6, 2), dtype=int)}, "order of patient 0"),
        ({"label": label.astype(float)}, "labels whole numbers"),
        ({"inputs": {}}, "0 modalities"),
    ):
        asked: dict[str, Any] = {"inputs": blocks, "label": label, "present": present} | changed
        with pytest.raises(WorkupError, match=says):
            FusionData.from_arrays(**asked)


def test_a_corrupted_modality_is_another_patients_and_the_rest_stays() -> None:
    data = FusionData("shortcut", "test", patients=50)
    other = data.swapped("P")
    held = data.rows.present[:, 1]
    assert torch.equal(other.rows.inputs["R"], data.rows.inputs["R"])
    assert torch.equal(other.rows.inputs["P"][~held], data.rows.inputs["P"][~held])
    assert torch.equal(other.rows.inputs["P"][held], data.rows.inputs["P"][held].roll(1, dims=0))
    assert other.drawn is None
    with pytest.raises(UnknownNameError, match="no modality 'X'"):
        data.swapped("X")


def test_what_came_last_comes_first_and_what_is_not_there_stays_out() -> None:
    data = FusionData("branch", "test", patients=40, policy="random")
    turned = data.reversed()
    for before, after in zip(data.rows.order.tolist(), turned.rows.order.tolist(), strict=True):
        came = [m for m in before if m >= 0]
        assert after == [*came[::-1], *[-1] * (len(before) - len(came))]
    assert turned.reversed().rows.order.equal(data.rows.order)


def test_wrong_names_are_told_with_the_nearest() -> None:
    for changed, near in (
        ({"task": "interation"}, "interaction"), ({"split": "tset"}, "test"), ({"view": "finding"}, "findings"),
        ({"policy": "flippd"}, "flipped"),
    ):  # fmt: skip
        asked: dict[str, Any] = {"task": "shortcut", "split": "train", "patients": 3} | changed
        with pytest.raises(UnknownNameError, match=f"did you mean '{near}'"):
            FusionData(asked.pop("task"), asked.pop("split"), **asked)
    with pytest.raises(UnknownNameError, match="no records 'mcr40'"):
        condition("mcr40", TASKS["interaction"])
    with pytest.raises(WorkupError, match="90% lost"):
        condition("mcar90", TASKS["interaction"])


def test_a_record_is_tested_under_every_policy_with_as_much_lost() -> None:
    task = TASKS["shortcut_interaction"]
    found = judged_on("outcome40", task)
    assert list(found) == ["same", "random", "flipped", "mcar"]
    assert [of.missing and of.missing.mechanism for of in found.values()] == ["outcome"] * 3 + ["mcar"]
    assert "mcar" not in judged_on("mar40", task)
    assert judged_on("random", task)["flipped"] == ("flipped", None, None)


def test_a_history_or_a_context_can_be_in_no_record() -> None:
    branch = TASKS["branch"]
    assert judged_on("without_history", branch)["personal"] == ("personal", None, "history")
    whole, bare = (
        FusionData("branch", "test", patients=50, policy="random", left_out=out) for out in (None, "history")
    )
    assert (whole.spec.modalities, bare.spec.modalities) == (("A", "B", "history"), ("A", "B"))
    assert bare.rows.present.equal(whole.rows.present[:, :2]), "whoever ordered knew it"
    unrecorded = condition("mar40_without_history", TASKS["interaction"])
    assert unrecorded.missing == Missing("mar", 0.4, keep_one=True, recorded=False)
    assert unrecorded.left_out is None
    assert FusionData("interaction", "test", patients=5, missing=unrecorded.missing).spec.modalities == ("R", "P")
    for word, task, says in (
        ("without_history", "interaction", "interaction has no history"),
        ("without_context", "branch", "branch has no context"),
        ("without_contxt", "branch", "did you mean 'context'"),
        ("mcar40_without_history", "interaction", "has no history"),
    ):
        with pytest.raises(WorkupError, match=says):
            condition(word, TASKS[task])


def test_adding_reaches_the_ceiling_of_adding_and_no_more() -> None:
    found = evaluate(build, task="interaction", patients=400, seeds=1, test_patients=3_000)
    (run,) = found.runs
    assert run["status"] == "ok"
    ceilings = run["tests"]["same"]["exact"]
    assert found.mean() == pytest.approx(ceilings["late"]["auroc"], abs=0.02)
    assert ceilings["joint"]["auroc"] - ceilings["late"]["auroc"] > 0.07
    assert found.to_frame()["exact_joint"][0] == pytest.approx(ceilings["joint"]["auroc"])
    assert len(run["tests"]["same"]["replicates"]["auroc"]) == 200
    areas = {name: of["auroc"] for name, of in run["tests"].items()}
    assert areas["swapped_R"] < areas["same"] - 0.1
    assert run["tests"]["swapped_R"]["exact"] == {}
    with pytest.raises(WorkupError, match="no 'auroc' of a test 'flipped'"):
        found.mean(test="flipped")


def test_exact_scores_are_measured_like_methods() -> None:
    found = evaluate("exact_late", task="interaction", seeds=2, test_patients=20_000)
    assert found.mean() == pytest.approx(0.841, abs=0.01)
    assert evaluate("exact_no_such", task="interaction", seeds=1).runs[0]["status"] == "refused"


def test_what_cannot_take_a_record_is_refused_before_it_is_asked() -> None:
    (run,) = evaluate(build, task="shortcut", patients=100, seeds=1, test_patients=100).runs
    assert run["status"] == "refused"
    assert run["tests"] == {}
    assert "has no 'P', and build needs every modality" in run["reason"]


def test_what_breaks_or_does_not_learn_stays_with_its_reason() -> None:
    (run,) = evaluate(broken, task="interaction", patients=100, seeds=1, test_patients=100).runs
    assert run["status"] == "failed"
    assert "interaction, broken" in run["reason"]
    assert "not finite" in run["reason"]
    (run,) = evaluate(mute, task="interaction", patients=100, seeds=1, test_patients=100).runs
    assert (run["status"], run["reason"][:13]) == ("failed", "did not learn")
    assert run["tests"]["same"]["auroc"] == 0.5


def test_own_data_are_measured_without_ceilings() -> None:
    def own(seed: int, n: int) -> FusionData:
        rng = np.random.default_rng(seed)
        label = rng.integers(0, 2, n)
        return FusionData.from_arrays({m: label[:, None] + rng.standard_normal((n, 3)) for m in ("a", "b")}, label)

    found = evaluate(build, task={"train": own(0, 300), "validation": own(1, 100), "elsewhere": own(2, 500)}, seeds=1)
    assert found.mean(test="elsewhere") > 0.7
    assert found.runs[0]["tests"]["elsewhere"]["exact"] == {}
    with pytest.raises(WorkupError, match="expected train, validation and one or more to test on"):
        evaluate(build, task={"train": own(0, 30)}, seeds=1)


def test_a_method_without_choice_gets_the_set_that_is_worth_most() -> None:
    """Where B tells nothing, the best fixed set is A alone: £100 less than a free one."""
    known = evaluate("concat", task="branch_control", patients=300, seeds=1, test_patients=1_000)
    told = known.runs[0]["tests"]["same"]
    assert told["set"] in ("A", "A+B")
    assert told["benefit_gbp"] == pytest.approx(1_000 * 0.894 - told["spent_gbp"], abs=60)
    assert len(told["replicates"]["benefit_gbp"]) == 200


def test_a_task_of_ones_own_is_run_like_ours() -> None:
    own: Task = replace(TASKS["additive"], name="mine")
    data = FusionData(own, "test", patients=50)
    assert data.spec.name == "mine"
    (run,) = evaluate("exact_joint", task=own, seeds=1, test_patients=2_000).runs
    assert run["tests"]["same"]["auroc"] == pytest.approx(0.977, abs=0.01)


def test_more_than_two_classes_are_not_measured() -> None:
    rng = np.random.default_rng(0)
    data = FusionData.from_arrays({"a": rng.standard_normal((9, 2))}, np.arange(9) % 3)
    with pytest.raises(WorkupError, match="3 classes"):
        scored(None, data)  # type: ignore[arg-type]
    assert issubclass(MissingModalityError, WorkupError)
