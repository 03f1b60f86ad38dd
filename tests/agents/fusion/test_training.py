"""Training: it learns what is to be learned, can be repeated, and stops at what is not sound."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("sb3_contrib", reason="needs workup[train]")
import torch
from support.fused import auroc, cohort, spec
from torch import nn

from workup.agents.fusion.base import Fusion, FusionError, MissingModalityError, NotFiniteError, UnseenPatternError
from workup.agents.fusion.registry import fusion_of
from workup.agents.fusion.rows import rows_of
from workup.agents.fusion.trainer import Member, Settings
from workup.agents.fusion.training import Fitted, fit, logits

pytestmark = pytest.mark.torch

SHORT = Settings(least_epochs=3, most_epochs=3)
FEW = cohort("shortcut", 200, 0)


def fitted(name: str, patients=FEW, settings: Settings = SHORT, **changed) -> Fitted:
    return fit(
        fusion_of(name), spec("shortcut"), **patients.taught(), seed=1, settings=settings, method=name, **changed
    )


def score(found: Fitted, patients) -> np.ndarray:
    said = logits(found, **patients.asked())
    return said[:, 1] - said[:, 0]


def test_a_joint_method_learns_what_readers_apart_cannot() -> None:
    learning, others = cohort("interaction", 1500, 3), cohort("interaction", 8000, 4)
    joint = fitted("concat", learning, Settings())
    assert joint.learned
    assert auroc(others.late, others.label) < 0.86 < 0.93 < auroc(score(joint, others), others.label)
    assert auroc(score(joint, others), others.label) < auroc(others.exact, others.label) + 0.002


def test_a_state_learns_what_findings_mean_together_in_any_order() -> None:
    learning, others = cohort("interaction", 1500, 3), cohort("interaction", 8000, 4)
    state = fitted("sequential", learning, Settings())
    reverse = logits(state, **others.asked(order=others.order[:, ::-1].copy()))
    forth, back = auroc(score(state, others), others.label), auroc(reverse[:, 1] - reverse[:, 0], others.label)
    assert auroc(others.late, others.label) < 0.86 < 0.92 < min(forth, back)
    assert forth == pytest.approx(back, abs=0.006)


def test_one_seed_gives_one_network_and_another_gives_another() -> None:
    first, again = fitted("concat_dropout"), fitted("concat_dropout")
    np.testing.assert_array_equal(score(first, FEW), score(again, FEW))
    other = fit(fusion_of("concat_dropout"), spec("shortcut"), **FEW.taught(), seed=2, settings=SHORT)
    assert np.abs(score(first, FEW) - score(other, FEW)).max() > 1e-3


def test_training_leaves_the_random_numbers_of_others_alone() -> None:
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    fitted("concat")
    assert torch.equal(torch.rand(3), expected)


def test_shared_members_change_nothing_but_the_time() -> None:
    shared: dict[str, Member] = {}
    fitted("late_mean", shared=shared)
    assert set(shared) == {"single:R", "single:P", "late_mean"}
    members = sum(shared[name].cpu_s for name in ("single:R", "single:P"))
    quick, slow = fitted("late_poe", shared=shared), fitted("late_poe")
    np.testing.assert_array_equal(score(quick, FEW), score(slow, FEW))
    assert quick.cpu_s > members


def test_a_member_of_one_method_that_is_a_method_itself_is_trained_once() -> None:
    shared: dict[str, Member] = {}
    fitted("gradual", shared=shared)
    known = shared["sequential"]
    again, alone = fitted("sequential", shared=shared), fitted("sequential")
    assert shared["sequential"] is known
    np.testing.assert_array_equal(score(again, FEW), score(alone, FEW))
    assert again.cpu_s == known.cpu_s


@pytest.mark.parametrize("name", ["concat", "late_report", "single", "gradual", "attention_balanced"])
def test_where_nothing_is_present_the_prevalence_is_said(name: str) -> None:
    found = fitted(name)
    nobody = {"present": np.zeros_like(FEW.present), "order": np.full_like(FEW.order, -1)}
    said = torch.tensor(logits(found, **FEW.asked(**nobody))).softmax(dim=1).numpy()
    assert said[:, 1] == pytest.approx(FEW.label.mean(), abs=0.04)  # of the four fifths it was trained on
    assert np.ptp(said[:, 1]) < 1e-6


def test_prevalence_by_question() -> None:
    task = spec("asked", questions=2)
    question = (np.arange(200) % 2).astype(np.int64)
    label = np.where(question == 0, np.arange(200) % 20 == 0, np.arange(200) % 3 > 0).astype(np.int64)
    taught = FEW.taught(question=question, label=label)
    found = fit(fusion_of("concat"), task, **taught, seed=1, settings=SHORT)
    nobody = FEW.asked(question=question, present=np.zeros_like(FEW.present), order=np.full_like(FEW.order, -1))
    said = torch.tensor(logits(found, **nobody)).softmax(dim=1).numpy()[:, 1]
    for asked in (0, 1):
        assert said[question == asked] == pytest.approx(label[question == asked].mean(), abs=0.06)


def test_a_pattern_that_training_had_not_is_refused_by_an_expert_a_pattern_and_predicted_by_others() -> None:
    only_p = {"present": np.tile([False, True], (200, 1)), "order": np.tile([1, -1], (200, 1))}
    with pytest.raises(UnseenPatternError, match="patient 0 has P alone") as caught:
        logits(fitted("experts"), **FEW.asked(**only_p))
    assert caught.value.pattern == ("P",)
    both = cohort("interaction", 200, 3)
    taught = both.taught() if both.present.all() else pytest.fail("expected whole records")
    learnt = fit(fusion_of("experts_complete"), spec(), **taught, seed=0, settings=SHORT)
    assert np.isfinite(logits(learnt, **FEW.asked(**only_p))).all(), "those who have both have P"
    assert np.isfinite(logits(fitted("concat"), **FEW.asked(**only_p))).all()


def test_an_expert_of_complete_cases_learns_from_all_who_have_at_least_what_it_reads() -> None:
    rows = rows_of(spec(), **FEW.taught())
    learnt = fit(fusion_of("experts_complete"), spec(), **FEW.taught(), seed=0, settings=SHORT).fusion
    total = torch.zeros(len(rows))
    for pattern in ([True, False], [False, True], [True, True]):
        only = torch.tensor(pattern).expand(len(rows), 2)
        blocks = {name: block * only[:, m, None] for m, (name, block) in enumerate(rows.inputs.items())}
        said = learnt(blocks, only, rows.order)
        total += nn.functional.cross_entropy(said, rows.label, reduction="none") * (rows.present | ~only).all(dim=1)
    torch.testing.assert_close(learnt.losses(rows), total)


class Strict(Fusion):
    """Needs both; can be told to break."""

    def __init__(self, *, breaks: str = "") -> None:
        super().__init__()
        self.net, self.breaks, self.calls = nn.Linear(24, 2), breaks, 0

    def forward(self, inputs, present, order, question=None):
        self.calls += 1
        said = self.net(torch.cat([inputs["R"], inputs["P"]], dim=1))
        if self.breaks == "loss" and self.calls > 4:
            said = torch.where(torch.arange(len(said))[:, None] == 2, torch.nan, said)
        return said


def strict(patients, **options) -> Fitted:
    return fit(
        lambda task, encoders, *, seed: Strict(**options),
        spec("both"),
        **patients.taught(),
        seed=0,
        settings=SHORT,
        method="strict",
    )


def test_a_method_that_needs_all_names_who_lacks_what() -> None:
    with pytest.raises(MissingModalityError) as caught:
        strict(FEW)
    assert caught.value.modality == "P"
    assert not FEW.present[caught.value.patient, 1]
    assert f"patient {caught.value.patient} has no 'P', and strict needs every modality" in str(caught.value)
    whole = cohort("additive", 100, 0)
    with pytest.raises(MissingModalityError):
        logits(strict(whole), **FEW.asked())


def test_a_loss_that_is_not_finite_is_told_by_task_method_epoch_and_patient() -> None:
    whole = cohort("additive", 200, 0)
    with pytest.raises(NotFiniteError) as caught:
        strict(whole, breaks="loss")
    assert str(caught.value).startswith("both, strict, in epoch 2: the loss of patient")
    assert caught.value.epoch == 2
    assert 0 <= caught.value.patient < 200


def test_a_logit_that_is_not_finite_is_told_by_patient() -> None:
    found = fitted("concat")
    with torch.no_grad():
        found.fusion.head.leave.bias.fill_(torch.inf)  # type: ignore[union-attr, operator]
    with pytest.raises(NotFiniteError, match="shortcut, concat, outside training: the logit of patient 0"):
        logits(found, **FEW.asked())


def test_nothing_to_learn_is_told() -> None:
    rng = np.random.default_rng(0)
    noise = {name: rng.standard_normal((400, 12)).astype(np.float32) for name in "RP"}
    patients = cohort("additive", 400, 0)
    found = fit(fusion_of("concat"), spec(), **patients.taught(inputs=noise), seed=0, settings=SHORT)
    assert not found.learned
    assert fit(fusion_of("concat"), spec(), **patients.taught(), seed=0, settings=SHORT).learned


def test_one_who_is_not_told_the_mask_gets_imputed_blocks() -> None:
    found = fitted("concat_blind")
    filled = np.where(FEW.present[:, 1:], FEW.inputs["P"], found.fill["P"].numpy())
    everything = {"present": np.ones_like(FEW.present), "order": np.tile([0, 1], (200, 1))}
    by_hand = logits(found, **FEW.asked(inputs={**FEW.inputs, "P": filled}, **everything))
    np.testing.assert_allclose(logits(found, **FEW.asked()), by_hand, atol=1e-6)


def test_too_few_to_learn_from_is_told() -> None:
    alone = {"present": np.tile([True, False], (200, 1)), "order": np.tile([0, -1], (200, 1))}
    with pytest.raises(FusionError, match="no patient in training has 'P'"):
        fit(fusion_of("late_poe"), spec(), **FEW.taught(**alone), seed=0, settings=SHORT)


@pytest.mark.parametrize("name", ["early_wide", "concat"])
def test_balanced_weights_take_the_order_out_whether_the_mask_is_seen_or_not(name: str) -> None:
    learning, turned = cohort("shortcut", 1500, 3), cohort("shortcut", 8000, 4, policy="flipped")
    plain, balanced = (fitted(each, learning, Settings()) for each in (name, f"{name}_balanced"))
    assert auroc(score(balanced, turned), turned.label) > auroc(score(plain, turned), turned.label) + 0.1
