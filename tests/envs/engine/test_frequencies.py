"""Sampled frequencies against the exact marginals of the patient model, by chi-square, many patients, one seed."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from support.shipped import SCENARIOS, some, world_of

from workup.envs.engine.engine import Engine
from workup.envs.engine.types import JourneyView
from workup.envs.model.codes import FAILED, MISSING, NOT_ORDERED, REFUSED, RESULT
from workup.envs.model.world import World
from workup.envs.views.env import make_engine

N = 20_000


def check_counts(counts: NDArray[Any], chance: NDArray[np.float64], what: str) -> None:
    """Chi-square of counts against exact chances at odds of 1 in 100,000; the impossible never happens."""
    counts, chance = counts.ravel(), chance.ravel()
    assert abs(chance.sum() - 1.0) < 1e-9, what
    assert not counts[chance == 0].any(), f"{what}: something impossible happened"
    expected = counts.sum() * chance
    common = expected >= 5  # rarer cells are taken together
    seen, due = np.append(counts[common], counts[~common].sum()), np.append(expected[common], expected[~common].sum())
    seen, due = seen[due > 0], due[due > 0]
    degrees = len(due) - 1
    if degrees > 0:
        # Source: Wilson, Hilferty, PNAS 1931;17:684: the cube root of chi-square over its degrees is nearly normal.
        ratio, spread = ((seen - due) ** 2 / due).sum() / degrees, 2 / (9 * degrees)
        z = (ratio ** (1 / 3) - (1 - spread)) / np.sqrt(spread)
        assert z < 4.3, f"{what}: z {z:.1f}, counts {seen}, expected {np.round(due, 1)}"


def test_the_check_itself_notices_a_wrong_chance() -> None:
    chance = np.array([0.5, 0.3, 0.2])
    check_counts(np.random.default_rng(0).multinomial(N, chance), chance, "right")
    with pytest.raises(AssertionError, match="z "):
        check_counts(np.random.default_rng(0).multinomial(N, [0.53, 0.28, 0.19]), chance, "wrong")
    with pytest.raises(AssertionError, match="impossible"):
        check_counts(np.array([10, 1]), np.array([1.0, 0.0]), "never")


class Cohort:
    """Patients of whom everything was ordered that could be, acts left alone, one try each."""

    def __init__(self, engine: Engine) -> None:
        self.world = engine.world
        engine.reset()
        self.first_legal = np.zeros(len(self.world.actions), bool)
        for a, action in enumerate(self.world.actions):
            if action.kind == "order":
                mask = engine.mask[:, a]
                self.first_legal[a] = mask.all()
                engine.step(np.where(mask, a, -1))
        self.view: JourneyView = engine.journey_view()
        engine.step(
            np.where(engine.mask, np.arange(len(self.world.actions)), -1).max(axis=1)
        )  # some decision that may be taken
        self.facts = engine.ended(np.arange(engine.num_envs))

    @property
    def unselected(self) -> list[int]:
        """Items that were ordered for everybody, so that frequencies are those of all patients."""
        return [action.items[0] for a, action in enumerate(self.world.actions) if self.first_legal[a]]


@pytest.fixture(scope="module", params=SCENARIOS)
def scenario(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module", params=[False, True], ids=["as it is", "all mechanisms off"])
def cohort(request: pytest.FixtureRequest, scenario: str) -> Cohort:
    return Cohort(make_engine(scenario, N, seed=17, switched_off=mechanisms_of(scenario) if request.param else []))


def mechanisms_of(scenario: str) -> list[str]:
    """All that can be switched off, refusals included."""
    world = world_of(scenario)
    refusable = [f"{world.items[i]}.refused" for i in np.flatnonzero(world.model.item_refusal >= 0)]
    return [*world.scenario.availability, *refusable]


def rows_of(rows: Any, table: NDArray[np.float64], entry: int) -> NDArray[np.float64]:
    """(K, H, width) rows of one entry: first attempt, untreated."""
    return np.asarray(table[rows.start[entry] + rows.of_profile[entry][:, None] + rows.of_hidden[entry][None, :]])


def by_condition(world: World, joint: NDArray[np.float64]) -> NDArray[np.float64]:
    """(conditions, width) from (K, H, width)."""
    return np.asarray(joint.sum(axis=0).reshape(len(world.model.conditions), -1, joint.shape[-1]).sum(axis=1))


def test_profiles_and_hidden_states(cohort: Cohort) -> None:
    prior = cohort.world.model.prior
    counts = np.zeros(prior.shape, int)
    np.add.at(counts, (cohort.facts["profile"], cohort.facts["hidden"]), 1)
    check_counts(counts, prior, "profile and hidden state")
    by_cause = by_condition(cohort.world, prior[:, :, None])[:, 0]
    check_counts(np.bincount(cohort.facts["condition"], minlength=len(by_cause)), by_cause, "condition")


def test_statuses_by_condition(cohort: Cohort) -> None:
    world, model, checked = cohort.world, cohort.world.model, 0
    for item in cohort.unselected:
        joint = model.prior[:, :, None] * rows_of(model.status_rows, model.status_table, item)[:, :, :3]
        counts = np.zeros((len(model.conditions), 5), int)
        np.add.at(counts, (cohort.facts["condition"], cohort.view.status[:, item]), 1)
        assert not counts[:, [NOT_ORDERED]].any()
        check_counts(counts[:, [RESULT, FAILED, REFUSED]], by_condition(world, joint), world.items[item])
        checked += 1
    assert checked == len(cohort.unselected) >= 2  # history and examination, of everyone


def test_reported_findings_by_condition(cohort: Cohort) -> None:
    """What is reported, or withheld, among those who got a result."""
    world, model, checked = cohort.world, cohort.world.model, 0
    for o, name in enumerate(model.observables):
        item = int(model.item_of[o])
        if item not in cohort.unselected:
            continue
        result = model.prior[:, :, None] * rows_of(model.status_rows, model.status_table, item)[:, :, :1]
        joint = by_condition(world, result * rows_of(model.evidence_rows, model.evidence_table, o))
        got = cohort.view.status[:, item] == RESULT
        codes = np.where(cohort.view.values[got, o] == MISSING, joint.shape[1] - 1, cohort.view.values[got, o])
        counts = np.zeros(joint.shape, int)
        np.add.at(counts, (cohort.facts["condition"][got], codes), 1)
        check_counts(counts, joint / joint.sum(), name)
        checked += 1
    assert checked >= 5


def test_with_all_mechanisms_off_everything_is_reported_as_it_is(scenario: str) -> None:
    cohort = Cohort(make_engine(scenario, some(scenario, N, 8_000), seed=18, switched_off=mechanisms_of(scenario)))
    model = cohort.world.model
    assert np.isin(cohort.view.status, (NOT_ORDERED, RESULT)).all()
    assert not (cohort.view.values == MISSING).any()
    for o, name in enumerate(model.observables):
        if int(model.item_of[o]) in cohort.unselected:
            joint = by_condition(
                cohort.world, model.prior[:, :, None] * rows_of(model.value_rows, model.value_table, o)
            )
            counts = np.zeros(joint.shape, int)
            np.add.at(counts, (cohort.facts["condition"], cohort.view.values[:, o]), 1)
            check_counts(counts, joint, name)


def test_switching_a_mechanism_off_leaves_the_patients_as_they_are(scenario: str) -> None:
    mechanisms = list(world_of(scenario).scenario.availability)
    on, off = Cohort(make_engine(scenario, 3000)), Cohort(make_engine(scenario, 3000, switched_off=mechanisms))
    np.testing.assert_array_equal(on.facts["hidden"], off.facts["hidden"])
    np.testing.assert_array_equal(on.facts["profile"], off.facts["profile"])
    corrupted = on.world.model.corrupted >= 0
    both = (on.view.values >= 0) & (off.view.values >= 0) & ~corrupted
    assert both.sum() > 10_000
    np.testing.assert_array_equal(on.view.values[both], off.view.values[both])
    hides = (on.world.model.withheld >= 0).any() or (on.world.model.item_failures >= 0).any()
    assert (on.view.values == MISSING).any() == hides


def test_numbers_follow_their_law_inside_the_band_whatever_the_condition(cohort: Cohort) -> None:
    model, checked = cohort.world.model, 0
    for o, name in enumerate(model.observables):
        v, number = cohort.view.values[:, o], cohort.view.numbers[:, o].astype(np.float64)
        known = (v >= 0) & ~np.isnan(number)
        if known.sum() < 2000:
            continue
        low, high = model.numeric_range[o, v[known]].T
        within = number[known]
        assert ((within >= low - 1e-4) & (within <= high + 1e-4)).all(), name
        logs = model.log_uniform[o] & (low > 0)
        with np.errstate(divide="ignore", invalid="ignore"):
            place = np.where(logs, np.log(within / low) / np.log(high / low), (within - low) / (high - low))
        tenth = np.minimum((place * 10).astype(int).clip(0), 9)
        counts = np.zeros((len(model.conditions), 10), int)
        np.add.at(counts, (cohort.facts["condition"][known], tenth), 1)
        check_counts(counts, np.outer(counts.sum(axis=1) / counts.sum(), np.full(10, 0.1)), f"{name} within its band")
        checked += 1
    numeric = any(f.unit for f in (*cohort.world.scenario.findings.values(), *cohort.world.scenario.context.values()))
    assert checked >= 1 or not numeric


def test_complications_happen_as_often_as_they_are_charged_for(cohort: Cohort) -> None:
    world = cohort.world
    for z, name in enumerate(world.complication_names):
        done = cohort.view.status[:, world.complication_item[z]] == RESULT
        chance = world.complication_chance[z, cohort.facts["profile"], cohort.facts["hidden"]][done]
        happened = cohort.facts["complications"][:, z]
        failed = cohort.view.failures[:, world.complication_item[z]] > 0
        assert not happened[~done & ~failed].any(), name
        if chance.sum() > 5:
            z_score = (happened[done].sum() - chance.sum()) / np.sqrt((chance * (1 - chance)).sum())
            assert abs(z_score) < 4.5, name
        else:
            # So rare here that only too many would tell: below 1 in 100,000 even at the Poisson mean of 5.
            assert happened[done].sum() <= 18, name
