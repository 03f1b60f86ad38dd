"""The array posterior against variable elimination over the explicit network, on generated scenarios."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from support.again import scenario_of as again

from workup.envs.compile.compile import compile_world
from workup.envs.compile.network import after_name, attempt_name, report_name
from workup.envs.model.belief import posterior_weights
from workup.envs.model.codes import FAILED, MISSING, NOT_ORDERED, PENDING, REFUSED, RESULT, UNKNOWN
from workup.envs.model.outcomes import item_outcomes
from workup.envs.model.world import World
from workup.errors import ImpossibleEvidence
from workup.scenarios.language.library import load_scenario
from workup.scenarios.language.schema import Scenario

YES_NO = ("no", "yes")


class Maker:
    """Random numbers in the shape of the language."""

    def __init__(self, seed: int) -> None:
        self.rng = np.random.default_rng(seed)

    def chance(self, *sizes: tuple[str, ...]) -> Any:
        if not sizes:
            return float(np.round(self.rng.choice([0.0, 1.0, self.rng.uniform()], p=[0.08, 0.04, 0.88]), 3))
        return {value: self.chance(*sizes[1:]) for value in sizes[0]}

    def row(self, values: tuple[str, ...], *sizes: tuple[str, ...]) -> Any:
        if sizes:
            return {value: self.row(values, *sizes[1:]) for value in sizes[0]}
        weights = self.rng.dirichlet(np.ones(len(values))) * (self.rng.uniform(size=len(values)) > 0.15)
        weights = weights / weights.sum() if weights.sum() > 0 else np.eye(len(values))[0]
        return dict(zip(values, weights.tolist(), strict=True))

    def coin(self) -> bool:
        """Heads or tails."""
        return bool(self.rng.integers(2))


def generated(seed: int) -> Scenario:
    """A small scenario with every kind of variable and mechanism, its numbers drawn at random."""
    m = Maker(seed)
    conditions = ("a", "b", "c")
    three = ("low", "mid", "high")
    return Scenario.model_validate(
        {
            "id": "generated",
            "title": "Generated",
            "version": "1",
            "about": "Generated.",
            "who": {
                "authors": ["test"],
                "guideline": {"name": "none", "version": "0"},
                "setting": "test",
                "price_year": 2023,
            },
            "groups": {"sick": ["b", "c"]},
            "context": {
                "sex": {"label": "Sex", "known": "at_start", "values": ["f", "m"], "chance": m.chance()},
                "smoker": {"label": "Smoker", "given": ["sex"], "chance": m.chance(("f", "m"))},
                "wish": {"label": "Wish", "chance": 0.3},
            },
            "conditions": {name: {"label": name} for name in conditions},
            "prior": {
                "given": ["smoker"],
                "table": m.row(conditions, YES_NO),
                "modifiers": [{"when": {"sex": "m"}, "odds": {"sick": 2.5}}],
            },
            "comorbidities": {"frail": {"label": "Frail", "given": ["sex"], "chance": m.chance(("f", "m"))}},
            "latent": {"lump": {"label": "Lump", "given": ["condition"], "chance": m.chance(conditions)}},
            "findings": {
                "pain": {
                    "label": "Pain",
                    "values": list(three),
                    "ordinal": True,
                    "given": ["condition"],
                    "table": m.row(three, conditions),
                },
                "sleep": {"label": "Sleep", "given": ["pain", "frail"], "chance": m.chance(three, YES_NO)},
                "marker": {
                    "label": "Marker",
                    "unit": "g",
                    "evidence": "number",
                    "range": [0, 8],
                    "step": 2,
                    "given": ["condition", "drug"],
                    "law": "normal",
                    "mean": {"a": 2, "sick": {"no": 5, "yes": 3}},
                    "sd": 2,
                },
                "shadow": {
                    "label": "Shadow",
                    "values": list(three),
                    "given": ["lump", "condition"],
                    "table": m.row(three, YES_NO, conditions),
                },
                "cells": {
                    "label": "Cells",
                    "values": list(three),
                    "given": ["lump"],
                    "table": m.row(three, YES_NO),
                },
            },
            "investigations": {
                "history": {"label": "History", "tier": "history", "reveals": ["pain", "smoker", "sleep"]},
                "exam": {"label": "Exam", "tier": "examination", "reveals": ["frail"]},
                "blood": {"label": "Blood", "tier": "bloods", "reveals": ["marker"], "attempts": 2},
                "scan": {
                    "label": "Scan",
                    "tier": "imaging",
                    "reveals": ["shadow"],
                    "attempts": 3,
                    "refusable": {"given": ["wish", "frail"], "chance": m.chance(YES_NO, YES_NO)},
                },
                "biopsy": {
                    "label": "Biopsy",
                    "tier": "invasive",
                    "reveals": ["cells"],
                    "attempts": 2,
                    "refusable": {"when": {"wish": "yes"}},
                },
            },
            "acts": {"drug": {"label": "Drug"}, "ask": {"label": "Ask", "reveals": ["wish"]}},
            "availability": {
                "shy": {
                    "kind": "withheld",
                    "affects": ["pain"],
                    "given": ["sex", "pain"],
                    "chance": m.chance(("f", "m"), three),
                    "why": ".",
                },
                "forgot": {
                    "kind": "withheld",
                    "affects": ["sleep"],
                    "given": ["sleep", "condition"],
                    "chance": m.chance(YES_NO, conditions),
                    "why": ".",
                },
                "lost": {
                    "kind": "withheld",
                    "affects": ["marker", "shadow"],
                    "given": ["frail"],
                    "chance": m.chance(YES_NO),
                    "why": ".",
                },
                "mixed_up": {
                    "kind": "corrupted",
                    "affects": ["marker"],
                    "chance": 0.2,
                    "reported": m.row(tuple(_cells()), tuple(_cells())),
                    "why": ".",
                },
                "misread": {
                    "kind": "corrupted",
                    "affects": ["shadow"],
                    "given": ["frail", "shadow"],
                    "chance": m.chance(YES_NO, three),
                    "reported": m.row(three, three),
                    "why": ".",
                },
                "clotted": {
                    "kind": "fails",
                    "affects": ["blood", "scan"],
                    "given": ["frail"],
                    "chance": 0.2,
                    "charged": m.coin(),
                    "why": ".",
                },
                "blurred": {
                    "kind": "fails",
                    "affects": ["scan"],
                    "given": ["sex", "shadow"],
                    "chance": m.chance(("f", "m"), three),
                    "charged": m.coin(),
                    "why": ".",
                },
                "no_target": {
                    "kind": "unobtainable",
                    "affects": ["biopsy"],
                    "given": ["lump", "cells"],
                    "chance": m.chance(YES_NO, three),
                    "charged": m.coin(),
                    "why": ".",
                },
            },
            "utility": {"unit": "gbp", "gbp_per_qaly": 20000},
            "decisions": {
                "stop": {"label": "Stop", "kind": "reassure", "right_for": ["a"], "utility": {"a": 0, "sick": -100}},
                "go": {"label": "Go", "kind": "treat", "right_for": ["sick"], "utility": {"a": -50, "sick": -10}},
            },
            "rewards": {
                "complex_decision": {"label": "all", "weights": {"cost": 1, "harm": 1, "delay": 1, "utility": 1}}
            },
            "guideline": [{"do": "stop", "why": "."}],
        }
    )


def _cells() -> list[str]:
    return ["0_to_2", "2_to_4", "4_to_6", "6_to_8"]


@dataclass
class Revealed:
    values: NDArray[np.int16]
    status: NDArray[np.uint8]
    failures: NDArray[np.uint8]
    treated: NDArray[np.bool_]


def drawn(world: World, rng: np.random.Generator) -> Revealed:
    """Any combination of facts that the rules of the engine could produce, possible or not."""
    model, n_items = world.model, len(world.items)
    fact = Revealed(
        np.full((1, len(model.observables)), UNKNOWN, np.int16),
        np.zeros((1, n_items), np.uint8),
        np.zeros((1, n_items), np.uint8),
        np.zeros((1, len(model.observables)), bool),
    )
    for o in range(model.n_known_at_start):
        fact.values[0, o] = rng.integers(model.n_values[o])
    for item in range(n_items):
        fails, refuses = model.item_failures[item, 0] >= 0, model.item_refusal[item] >= 0
        status = rng.choice([NOT_ORDERED, RESULT, PENDING, FAILED, REFUSED], p=[0.3, 0.35, 0.15, 0.12, 0.08])
        if (status == FAILED and not fails) or (status == REFUSED and not refuses):
            status = RESULT
        if fails and status in (RESULT, PENDING):
            fact.failures[0, item] = rng.integers(world.attempts[item])
        if status == FAILED:
            fact.failures[0, item] = 1 + rng.integers(world.attempts[item])
        fact.status[0, item] = status
        for o in world.reveals[item][world.reveals[item] >= 0]:
            fact.treated[0, o] = model.treatment[o] >= 0 and rng.uniform() < 0.5
            if status == RESULT:
                gone = model.withheld[o] >= 0 and rng.uniform() < 0.25
                fact.values[0, o] = MISSING if gone else rng.integers(model.n_values[o])
            elif status == FAILED:
                fact.values[0, o] = MISSING
    return fact


def as_evidence(world: World, fact: Revealed, *, statuses: bool) -> dict[str, str | list[str]]:
    """The same facts as evidence on the explicit network."""
    model, known = world.model, world.model.network.by_name
    evidence: dict[str, str | list[str]] = {}
    for o, name in enumerate(model.observables):
        code = int(fact.values[0, o])
        reported_missing = code == MISSING and fact.status[0, model.item_of[o]] == RESULT
        if code == UNKNOWN or (code == MISSING and not (statuses and reported_missing)):
            continue
        act = int(model.treatment[o])
        truth = after_name(name, world.items[act]) if fact.treated[0, o] else name
        node = report_name(truth) if report_name(truth) in known else truth
        evidence[node] = "withheld" if code == MISSING else known[name].values[code]
    for item, name in enumerate(world.items):
        if not statuses or attempt_name(name, 1) not in known:
            continue
        failures, status = int(fact.failures[0, item]), int(fact.status[0, item])
        for attempt in range(1, failures + 1):
            evidence[attempt_name(name, attempt)] = ["failed", "failed unpaid"]
        if status == RESULT:
            evidence[attempt_name(name, failures + 1)] = "result"
        elif status == REFUSED:
            evidence[attempt_name(name, 1)] = "refused"
        elif status == PENDING:
            evidence[attempt_name(name, failures + 1)] = ["result", "failed"]
    return evidence


def eliminated(world: World, evidence: dict[str, str | list[str]]) -> NDArray[np.float64] | None:
    """(K, H) by variable elimination; None if impossible."""
    model = world.model
    names = (*model.profile_variables, *model.hidden_variables)
    try:
        table: NDArray[np.float64] = model.network.conditional(names, evidence).reshape(model.prior.shape)
        return table
    except ImpossibleEvidence:
        return None


def posterior(world: World, fact: Revealed, *, values_only: bool) -> NDArray[np.float64] | None:
    try:
        batch = posterior_weights(
            world.model, fact.values, fact.status, fact.failures, fact.treated, values_only=values_only
        )
    except ImpossibleEvidence:
        return None
    return np.asarray(batch[0])


def assert_same(left: NDArray[np.float64] | None, right: NDArray[np.float64] | None) -> None:
    assert (left is None) == (right is None)
    if left is not None and right is not None:
        np.testing.assert_allclose(left, right, rtol=0, atol=1e-10)


@settings(max_examples=40, deadline=None, derandomize=True)
@given(st.integers(0, 10_000))
def test_posterior_with_missingness_equals_elimination(seed: int) -> None:
    world, rng = compile_world(generated(seed)), np.random.default_rng(seed)
    for _ in range(6):
        fact = drawn(world, rng)
        assert_same(
            posterior(world, fact, values_only=False), eliminated(world, as_evidence(world, fact, statuses=True))
        )


@settings(max_examples=20, deadline=None, derandomize=True)
@given(st.integers(0, 10_000))
def test_posterior_from_values_equals_elimination_without_selection(seed: int) -> None:
    scenario, rng = generated(seed), np.random.default_rng(seed)
    selecting = [n for n, m in scenario.availability.items() if m.kind != "corrupted"]
    world = compile_world(scenario)
    unselected = compile_world(scenario, switched_off=[*selecting, "scan.refused", "biopsy.refused"])
    for _ in range(4):
        fact = drawn(world, rng)
        expected = eliminated(unselected, as_evidence(world, fact, statuses=False))
        assert_same(posterior(world, fact, values_only=True), expected)


@pytest.mark.parametrize("name", ["tutorial", "weight_loss"])
def test_scenarios_of_the_package_agree_with_elimination(name: str) -> None:
    world, rng = compile_world(load_scenario(name)), np.random.default_rng(0)
    possible = 0
    for _ in range(60 if name == "tutorial" else 12):
        fact = drawn(world, rng)
        by_array = posterior(world, fact, values_only=False)
        assert_same(by_array, eliminated(world, as_evidence(world, fact, statuses=True)))
        possible += by_array is not None
    assert possible > 2


def test_a_finding_again_agrees_with_elimination() -> None:
    world, rng = compile_world(again()), np.random.default_rng(1)
    change, possible = world.model.observables.index("crp_48h"), 0
    for _ in range(80):
        fact = drawn(world, rng)
        by_array = posterior(world, fact, values_only=False)
        assert_same(by_array, eliminated(world, as_evidence(world, fact, statuses=True)))
        possible += by_array is not None and fact.values[0, change] >= 0
    assert possible > 5


def test_a_batch_is_its_rows() -> None:
    world, rng = compile_world(generated(3)), np.random.default_rng(0)
    facts = [
        fact for fact in (drawn(world, rng) for _ in range(40)) if posterior(world, fact, values_only=False) is not None
    ]
    assert len(facts) > 5
    stacked = [np.concatenate([getattr(f, key) for f in facts]) for key in ("values", "status", "failures", "treated")]
    batch = posterior_weights(world.model, *stacked)
    for row, fact in enumerate(facts):
        assert_same(batch[row], posterior(world, fact, values_only=False))


def test_outcomes_are_all_that_can_happen_and_agree_with_the_posterior() -> None:
    world = compile_world(generated(11))
    model = world.model
    for item, k, failures in [(0, 0, 0), (0, 3, 0), (2, 1, 1), (3, 2, 0), (3, 2, 2), (4, 1, 1)]:
        outcomes = item_outcomes(world, item, k, failures=failures, treated=True)
        np.testing.assert_allclose(outcomes.likelihood.sum(axis=0), 1.0, atol=1e-12)
        before = posterior_after(world, item, failures, None, None)
        if before is None:
            continue
        for cell in range(0, len(outcomes.status), 3):
            chance = outcomes.likelihood[cell] * before[k]
            after = posterior_after(world, item, failures, outcomes.values[cell], int(outcomes.status[cell]))
            if after is not None and after[k].sum() > 0 and chance.sum() > 0:
                np.testing.assert_allclose(after[k] / after[k].sum(), chance / chance.sum(), atol=1e-12)
    assert model.prior.sum() == pytest.approx(1.0, abs=1e-12)


def posterior_after(
    world: World, item: int, failures: int, values: NDArray[np.int16] | None, status: int | None
) -> NDArray[np.float64] | None:
    """Belief after earlier failures of an item and, if given, one more outcome."""
    model = world.model
    fact = Revealed(
        np.full((1, len(model.observables)), UNKNOWN, np.int16),
        np.zeros((1, len(world.items)), np.uint8),
        np.zeros((1, len(world.items)), np.uint8),
        (model.treatment >= 0)[None, :],
    )
    fact.failures[0, item], fact.status[0, item] = failures, FAILED if failures else NOT_ORDERED
    if values is not None and status is not None:
        fact.status[0, item] = status
        fact.failures[0, item] += status == FAILED
        fact.values[0, world.reveals[item][world.reveals[item] >= 0]] = values
    return posterior(world, fact, values_only=False)
