"""From arrays to rows: what is refused, and what is made of absent blocks, orders and histories."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("sb3_contrib", reason="needs workup[train]")
import torch
from support.fused import FEATURES, cohort, spec

from workup.agents.fusion.balance import Balance
from workup.agents.fusion.base import FusionError, NotFiniteError, TaskSpec
from workup.agents.fusion.rows import HISTORY, means_of, rows_of, with_history

pytestmark = pytest.mark.torch

SOME = cohort("shortcut", 50, 0)


def rows(**changed):
    return rows_of(spec(), **SOME.taught(**changed))


def test_absent_blocks_hold_zeros_whatever_stood_there() -> None:
    absent = ~SOME.present[:, 1]
    broken = {**SOME.inputs, "P": np.where(absent[:, None], np.nan, SOME.inputs["P"])}
    found = rows(inputs=broken)
    assert bool((found.inputs["P"][torch.tensor(absent)] == 0).all())
    assert torch.equal(found.inputs["P"], rows().inputs["P"])


def test_what_is_not_finite_is_told_by_block_and_patient() -> None:
    broken = SOME.inputs["R"].copy()
    broken[17, 3] = np.inf
    with pytest.raises(NotFiniteError, match=r"interaction.*input 'R' of patient 17 is not finite") as caught:
        rows(inputs={**SOME.inputs, "R": broken})
    assert caught.value.patient == 17


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"inputs": {"R": SOME.inputs["R"]}}, "inputs are of ['R']; expected a block of 'P' too"),
        ({"inputs": {**SOME.inputs, "P": SOME.inputs["P"][:, :5]}}, "block 'P' is (50, 5); expected (50, 12)"),
        ({"present": SOME.present[:, :1]}, "present is (50, 1), order (50, 2); expected (50, 2) both"),
        ({"label": SOME.label + 1}, "label is (50,), from 1 to 2; expected (50,) whole numbers from 0 to 1"),
        ({"label": SOME.label[:4]}, "label is (4,)"),
    ],
)
def test_what_does_not_fit_is_refused(changed, said: str) -> None:
    with pytest.raises(FusionError) as caught:
        rows(**changed)
    assert said in str(caught.value)


@pytest.mark.parametrize("order", [[0, 0], [-1, 0], [1, -1], [0, 2], [-2, 0], [0, -1]])
def test_an_order_is_of_what_is_present(order: list[int]) -> None:
    present = np.ones((3, 2), dtype=bool)
    inputs = {name: np.zeros((3, FEATURES)) for name in "RP"}
    with pytest.raises(FusionError, match="order of patient 2"):
        rows_of(spec(), inputs, present, np.array([[0, 1], [1, 0], order]))


def test_a_history_comes_first_and_everybody_has_it() -> None:
    history = np.arange(100.0).reshape(50, 2)
    found, wider = rows(history=history), with_history(spec(), history)
    assert wider.modalities == ("R", "P", HISTORY)
    assert wider.shapes[HISTORY] == (2,)
    assert bool(found.present[:, 2].all())
    assert bool((found.order[:, 0] == 2).all())
    assert torch.equal(found.order[:, 1:], torch.as_tensor(SOME.order))
    with pytest.raises(FusionError, match="already"):
        with_history(wider, history)


def test_means_are_of_those_who_have_it() -> None:
    held = SOME.present[:, 1]
    assert 0 < held.sum() < 50
    np.testing.assert_allclose(means_of(rows(), spec())["P"], SOME.inputs["P"][held].mean(axis=0), rtol=1e-5)
    present, order = SOME.present.copy(), SOME.order.copy()
    present[:, 1], order[:, 1] = False, -1
    with pytest.raises(FusionError, match="no patient in training has 'P'"):
        means_of(rows(present=present, order=order), spec())


def test_weights_make_the_label_independent_of_the_pattern() -> None:
    many = cohort("shortcut", 20_000, 1)
    present, label = torch.tensor(many.present), torch.tensor(many.label)
    weights = Balance(present, label, 2).of(present, label).numpy()
    for held in (True, False):
        those = many.present[:, 1] == held
        assert abs(many.label[those].mean() - many.label.mean()) > 0.15
        assert np.average(many.label[those], weights=weights[those]) == pytest.approx(many.label.mean(), abs=2e-3)
        assert weights[those].mean() == pytest.approx(1.0, abs=2e-3)


def test_a_pattern_that_training_had_not_weighs_one() -> None:
    present = torch.tensor([[True, False]] * 4)
    balance = Balance(present, torch.tensor([0, 0, 0, 1]), 2)
    assert balance.of(torch.tensor([[True, True], [False, False]]), torch.tensor([0, 1])).tolist() == [1.0, 1.0]


def test_faults_of_a_spec_come_together() -> None:
    with pytest.raises(FusionError) as caught:
        TaskSpec("broken", ("R", "R"), {"P": (3,)}, 1, costs_gbp={"Q": 1.0})
    assert all(said in str(caught.value) for said in ("modalities are", "shapes are", "costs_gbp are", "classes is 1"))
