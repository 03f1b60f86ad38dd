"""Choosing what to get next, with a state that knows the exact posterior: against the closed forms of the branch task."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("sb3_contrib", reason="needs workup[train]")
import torch
from scipy.stats import norm
from support.fused import BRANCH, branch, cohort, order_of, spec
from torch import Tensor, nn

from workup.agents.fusion.acquisition import lead, policy_of
from workup.agents.fusion.base import FusionError, Rows
from workup.agents.fusion.encoders import Vector
from workup.agents.fusion.methods.gradual import Gradual
from workup.agents.fusion.methods.personal import Personal
from workup.agents.fusion.methods.sequential import STATE
from workup.agents.fusion.parts import seeded
from workup.agents.fusion.registry import fusion_of
from workup.agents.fusion.rows import with_history
from workup.agents.fusion.stepwise import Stepwise
from workup.agents.fusion.trainer import Settings
from workup.agents.fusion.training import fit, logits

pytestmark = pytest.mark.torch

RIGHT = 1000 * norm.cdf(1.25)  # with the test that suits
"""Pounds a patient: the right one 794.3, both 694.3, one for all 597.2, a first one and the second where it is needed 744.3."""


class ExactState(nn.Module):
    """State: the history's sign, and the log-odds of what came; blocks hold (value, 0...)."""

    norm = nn.Identity()

    def __init__(self, *, control: bool) -> None:
        super().__init__()
        self.control = control

    def embed(self, inputs, present: Tensor) -> Tensor:
        return torch.stack([inputs[name][:, 0] for name in ("R", "P", "history")], dim=1)

    def start(self, question, rows: int) -> Tensor:
        return torch.zeros(rows, STATE)

    def step(self, state: Tensor, embedded: Tensor, present: Tensor, which: Tensor) -> Tensor:
        after = state.clone()
        which = torch.where(present.gather(1, which.clamp(min=0)[:, None])[:, 0], which, -1)
        after[:, 0] = torch.where(which == 2, embedded[:, 2].sign(), state[:, 0])
        suits = torch.zeros_like(which) if self.control else (state[:, 0] > 0).long()
        gained = embedded.gather(1, which.clamp(0, 1)[:, None])[:, 0] * 2.5
        after[:, 1] = state[:, 1] + torch.where((which == suits) & (which >= 0), gained, 0.0)
        return after

    def decode(self, state: Tensor, question) -> Tensor:
        return torch.stack([torch.zeros(len(state)), state[:, 1]], dim=1)


def patients(n: int, seed: int, *, control: bool) -> Rows:
    """Of `branch`, with the tests' values laid bare."""
    rng = np.random.default_rng(seed)
    label, which = rng.integers(0, 2, n), rng.integers(0, 2, n)
    suits = np.zeros(n, dtype=int) if control else which
    blocks = {
        name: torch.tensor(rng.standard_normal(n) + np.where(suits == column, 2.5 * (label - 0.5), 0.0)).float()[
            :, None
        ]
        for column, name in enumerate("RP")
    }
    blocks["history"] = torch.tensor(2.0 * which - 1).float()[:, None]
    present = torch.ones(n, 3, dtype=torch.bool)
    return Rows(blocks, present, torch.tensor([[2, 0, 1]]).expand(n, 3), None, torch.tensor(label), torch.arange(n))


def taught(kind: type[Gradual] | type[Personal], *, control: bool = False) -> Stepwise:
    task = with_history(BRANCH, np.zeros((1, 1)))
    with seeded(0, "test"):
        fusion = kind(task, {name: Vector(task.shapes[name]) for name in task.modalities}, balanced=False)
        fusion.sequential = ExactState(control=control)  # type: ignore[assignment]
        fusion.finish(patients(4000, 1, control=control), patients(4000, 2, control=control))
    return fusion


@torch.no_grad()
def benefit(fusion: Stepwise, rows: Rows) -> tuple[np.ndarray, np.ndarray]:
    """Expected pounds to each patient by the exact posterior, and what was got."""
    embedded, state = fusion.sequential.embed(rows.inputs, rows.present), fusion.sequential.start(None, len(rows))
    taken, came = torch.zeros_like(rows.present), []
    for _ in range(3):
        chosen = fusion.next_of(state, taken, rows.present, None)
        state = fusion.sequential.step(state, embedded, rows.present, chosen)
        taken |= chosen[:, None] == torch.arange(3)
        came.append(chosen)
    worth = 1000 * fusion.certainty(state, None) - (taken * fusion.prices).sum(dim=1)
    return worth.numpy(), torch.stack(came, dim=1).numpy()


def test_personal_gets_the_test_that_suits_and_no_other() -> None:
    rows = patients(20_000, 3, control=False)
    worth, came = benefit(taught(Personal), rows)
    assert worth.mean() == pytest.approx(RIGHT - 100, abs=4)
    assert (came[:, 0] == 2).all()
    suits = (rows.inputs["history"][:, 0] > 0).long().numpy()
    assert (came[:, 1] == suits).mean() > 0.999
    assert (came[:, 2] == -1).mean() > 0.99


def test_gradual_gets_one_for_all_and_the_other_where_it_is_still_at_sea() -> None:
    worth, came = benefit(taught(Gradual), patients(20_000, 3, control=False))
    assert worth.mean() == pytest.approx(RIGHT - 150, abs=4)
    assert len(set(came[:, 1])) == 1


def test_where_one_suits_all_nothing_is_gained_by_being_personal() -> None:
    rows = patients(20_000, 3, control=True)
    personal, gradual = (benefit(taught(kind, control=True), rows) for kind in (Personal, Gradual))
    assert personal[0].mean() == pytest.approx(RIGHT - 100, abs=4)
    assert gradual[0].mean() == pytest.approx(personal[0].mean(), abs=1)


def test_a_stepwise_fusion_of_free_modalities_is_the_sequential_one() -> None:
    learning = cohort("shortcut", 200, 0)
    few = Settings(least_epochs=2, most_epochs=2)
    found = {
        name: logits(fit(fusion_of(name), spec(), **learning.taught(), seed=1, settings=few), **learning.asked())
        for name in ("sequential", "gradual", "personal")
    }
    np.testing.assert_allclose(found["gradual"], found["sequential"], atol=1e-6)
    np.testing.assert_allclose(found["personal"], found["sequential"], atol=1e-6)


def test_prices_without_a_worth_are_refused() -> None:
    task = spec("unworthy", costs_gbp={"R": 1.0})
    with pytest.raises(FusionError, match="right_gbp"):
        fusion_of("personal")(task, {name: Vector((12,)) for name in "RP"}, seed=0)


def test_patients_are_led_and_pay_for_what_they_got() -> None:
    learning, few = branch(300, 0), Settings(least_epochs=2, most_epochs=2)
    fitted = fit(fusion_of("gradual"), BRANCH, **learning.taught(), seed=0, settings=few)
    led = lead(policy_of(fitted), fitted, learning.inputs, learning.present, history=learning.history)
    np.testing.assert_array_equal(led.spent_gbp, 100.0 * led.present.sum(axis=1))
    worth = led.benefit_gbp(learning.label, 1000.0)
    assert worth.mean() == pytest.approx(
        1000 * (led.logits.argmax(axis=1) == learning.label).mean() - led.spent_gbp.mean()
    )
    none = lead(policy_of(fitted), fitted, learning.inputs, np.zeros_like(learning.present), history=learning.history)
    assert not none.present.any()
    with pytest.raises(FusionError, match="chooses nothing"):
        policy_of(fit(fusion_of("concat"), BRANCH, **learning.taught(), seed=0, settings=few))


class Greedy:
    """Takes the first that is left, or R again and again."""

    def __init__(self, *, again: bool) -> None:
        self.again = again

    def choose(self, inputs, present, history=None, *, order=None, question=None, available=None):
        left = available & ~present
        return np.zeros(len(left), dtype=int) if self.again else np.where(left.any(axis=1), left.argmax(axis=1), -1)


def test_a_policy_of_ones_own_is_followed_and_held_to_the_menu() -> None:
    learning, few = branch(300, 0), Settings(least_epochs=2, most_epochs=2)
    fitted = fit(fusion_of("concat"), BRANCH, **learning.taught(), seed=0, settings=few)
    menu = learning.present.copy()
    menu[:100, 1] = False
    led = lead(Greedy(again=False), fitted, learning.inputs, menu, history=learning.history)
    np.testing.assert_array_equal(led.present, menu)
    np.testing.assert_array_equal(led.order, order_of(menu))
    with pytest.raises(FusionError, match="patient 0: the policy chose 0"):
        lead(Greedy(again=True), fitted, learning.inputs, menu, history=learning.history)


@pytest.mark.parametrize("name", ["gradual", "personal"])
def test_before_anything_is_read_the_prevalence_is_said_where_nothing_is_free(name: str) -> None:
    known = cohort("additive", 600, 0)
    few = np.flatnonzero((known.label == 0) | (np.arange(600) % 4 == 0))  # some two in ten are ill
    taught = {what: part for what, part in known.taught().items() if what not in ("inputs", "history", "question")}
    some = {what: part[few] for what, part in taught.items()}
    inputs = {m: block[few] for m, block in known.inputs.items()}
    quick = Settings(least_epochs=2, most_epochs=2)
    found = fit(fusion_of(name), spec("paid", costs_gbp={"R": 1e6, "P": 1e6}, right_gbp=10.0), inputs, **some,
                question=None, seed=0, settings=quick)  # fmt: skip
    assert isinstance(found.fusion, Stepwise)
    start = found.fusion.sequential.start(None, 3)
    share = some["label"].mean()
    assert found.fusion.certainty(start, None).tolist() == pytest.approx([1 - share] * 3, abs=0.05)
    said = logits(found, inputs, some["present"], some["order"])
    assert (said == said[0]).all(), "nothing is worth its price, so all are told the same"
    assert 1 / (1 + np.exp(said[0, 0] - said[0, 1])) == pytest.approx(share, abs=0.05)
