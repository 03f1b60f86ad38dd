"""How late methods combine opinions, against figures worked by hand."""

from __future__ import annotations

import pytest

pytest.importorskip("sb3_contrib", reason="needs workup[train]")
import torch
from support.fused import spec

from workup.agents.fusion.base import Rows
from workup.agents.fusion.encoders import Vector
from workup.agents.fusion.late import Late
from workup.agents.fusion.registry import fusion_of

pytestmark = pytest.mark.torch

BOTH, ONLY_P = torch.tensor([[True, True]]), torch.tensor([[False, True]])
OPINIONS = torch.tensor([[[0.2, 0.8], [0.4, 0.6]]]).log()


def combined(name: str, present: torch.Tensor, opinions: torch.Tensor = OPINIONS) -> float:
    """Probability of label 1, with prevalence .3 among all, .4 among those with R and .5 among those with P."""
    late = made(name)
    return float(late.combine(opinions, present, None).softmax(dim=1)[0, 1])


def made(name: str) -> Late:
    late = fusion_of(name)(spec(), {each: Vector((12,)) for each in "RP"}, seed=0)
    assert isinstance(late, Late)
    late.prior.copy_(torch.tensor([[0.7, 0.3]]).log())
    for reader, prevalence in zip(late.members().values(), (0.4, 0.5), strict=True):
        reader.own.copy_(torch.tensor([[1 - prevalence, prevalence]]).log())
    return late


def of_odds(odds: float) -> float:
    return odds / (1 + odds)


@pytest.mark.parametrize(
    ("name", "both", "only_p"),
    [
        ("late_mean", 0.7, 0.6),
        # prior odds 3/7; R says 4 against its own 2/3, P says 3/2 against 1
        ("late_poe", of_odds(3 / 7 * 6 * 1.5), of_odds(3 / 7 * 1.5)),
        # each against 3/7
        ("late_poe_population", of_odds(4 * 1.5 * 7 / 3), 0.6),
    ],
)
def test_opinions_are_combined_as_by_hand(name: str, both: float, only_p: float) -> None:
    assert combined(name, BOTH) == pytest.approx(both, abs=1e-6)
    assert combined(name, ONLY_P) == pytest.approx(only_p, abs=1e-6)


def test_a_reader_alone_is_not_told_who_was_asked() -> None:
    reader = next(iter(made("late_poe").members().values()))
    reader.prior.copy_(torch.tensor([[0.7, 0.3]]).log())
    reader.opinion = lambda *_: OPINIONS[:, 0].expand(2, 2)  # type: ignore[method-assign]
    said = reader({}, torch.tensor([[True, False], [False, True]]), torch.zeros(2, 2)).softmax(dim=1)[:, 1]
    assert said.tolist() == pytest.approx([of_odds(3 / 7 * 6), 0.3], abs=1e-6)


def test_a_report_is_the_top_diagnosis_and_its_step() -> None:
    late = made("late_report")
    said = torch.tensor([[[0.45, 0.55], [0.95, 0.05]], [[0.5, 0.5], [0.0, 1.0]], [[0.65, 0.35], [0.21, 0.79]]])
    assert late.messages(said.clamp(1e-9).log()).tolist() == [[5, 4], [0, 9], [1, 7]]  # type: ignore[operator]


def opinionated(name: str, opinions: torch.Tensor, present: torch.Tensor, label: torch.Tensor) -> Late:
    """A late method that has counted what readers with these opinions said of validation patients."""
    late, n = made(name), len(label)
    late.opinions = lambda *_: opinions  # type: ignore[method-assign]
    rows = Rows({}, present, torch.zeros(n, 2, dtype=torch.int64), None, label, torch.arange(n))
    late.prepare(rows, rows)
    return late


def test_reports_are_worth_what_they_were_among_validation_patients() -> None:
    sure, unsure = [0.05, 0.95], [0.45, 0.55]
    opinions = torch.tensor([[sure, unsure]] * 6 + [[unsure, unsure]] * 4).log()
    label = torch.tensor([1, 1, 1, 1, 1, 0, 0, 0, 0, 1])
    present = torch.ones(10, 2, dtype=torch.bool)
    present[:, 1] = False
    late = opinionated("late_report", opinions, present, label)
    # ten messages, a half added to each: 5.5 of 11 with the disease were surely said to have it, 1.5 of 9 without; prior odds 6.5/4.5
    odds = 6.5 / 4.5 * (5.5 / 11) / (1.5 / 9)
    found = late.combine(opinions[:1], present[:1], None).softmax(dim=1)[0, 1]
    assert float(found) == pytest.approx(of_odds(odds), abs=1e-5)


def test_a_stack_learns_whom_to_believe() -> None:
    torch.manual_seed(0)
    label = torch.randint(2, (4000,))
    right, noise = torch.randn(4000) + 2.0 * (label - 0.5), torch.randn(4000)
    odds = torch.stack([2 * right, 2 * noise], dim=1)
    opinions = torch.stack([-odds, odds], dim=2).mul(0.5).log_softmax(dim=2)
    present = torch.ones(4000, 2, dtype=torch.bool)
    late = opinionated("late_stack", opinions, present, label)
    logits = late.combine(opinions, present, None)
    said = logits[:, 1] - logits[:, 0]
    slopes = torch.linalg.lstsq(torch.cat([odds, torch.ones(4000, 1)], dim=1), said).solution
    torch.testing.assert_close(slopes[:2], torch.tensor([1.0, 0.0]), atol=0.12, rtol=0)
