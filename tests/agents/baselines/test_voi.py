"""One-step value of information on the tutorial: written out by hand from the plain network, and met by sampling."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from numpy.typing import NDArray

from workup.agents.baselines.voi import VoiAgent, rank_orders
from workup.agents.opening import opening_actions
from workup.envs.engine.engine import Engine
from workup.envs.engine.types import JourneyView
from workup.envs.model.codes import MISSING
from workup.envs.model.world import World

# The tutorial's figures, as its file has them, in pounds and hours.
CONDITIONS = ("viral", "pneumonia", "lung_cancer")
UTILITY = {
    "reassure": ((0, 0), (-5000, -5000), (-12000, -12000)),
    "treat": ((-400, -400), (-200, -200), (-10000, -10000)),
    "refer": ((-1000, -1000), (-4000, -4000), (-2000, -9000)),
    "support": ((-1200, -1200), (-5000, -5000), (-10000, -5000)),
}
"""Decision -> condition -> (accepts scans, declines)."""
WAITING_GBP_PER_H = (1 / 24, 150 / 24, 10 / 24)
PROGRESSION_PER_H = math.log(2) / (90 * 24)
"""Viral to pneumonia."""
PRESENTATION_H = 12 / 60
NEEDLE_GBP = 6 + 3
OUTCOMES = {
    "order crp_test": ("crp",),
    "order kidney_test": ("kidney_test attempt 1", "egfr"),
    "set first_bloods": ("crp", "kidney_test attempt 1", "egfr"),
    "order chest_film": ("film reported",),
    "order ct": ("ct attempt 1", "ct_lungs"),
    "act discuss_wishes": ("scan_wish",),
}
PATIENTS = 4096


def presented(world: World, patients: NDArray[np.int64]) -> Engine:
    engine = Engine(world, len(patients), seed=11, view="belief", score="posterior")
    engine.reset(patients=patients)
    for action in opening_actions(world):
        engine.step(np.full(len(patients), action))
    return engine


def kinds(view: JourneyView) -> list[tuple[int, ...]]:
    return [tuple(row) for row in view.values.tolist()]


@pytest.fixture(scope="module")
def alike(world: World) -> dict[tuple[int, ...], NDArray[np.int64]]:
    """Patients by their presentation, the most common presentations first."""
    found: dict[tuple[int, ...], list[int]] = {}
    for patient, kind in enumerate(kinds(presented(world, np.arange(PATIENTS)).journey_view())):
        found.setdefault(kind, []).append(patient)
    ranked = sorted(found.items(), key=lambda entry: -len(entry[1]))
    return {kind: np.array(patients) for kind, patients in ranked}


def evidence_of(world: World, kind: tuple[int, ...]) -> dict[str, str]:
    named: dict[str, str] = {}
    for observable, code in zip(world.model.observables, kind, strict=True):
        name = f"{observable} reported" if observable == "haemoptysis" else observable
        if code >= 0:
            named[name] = world.model.network.variable(name).values[code]
        elif code == MISSING:
            named[name] = "withheld"
    return named


def by_hand(world: World, action: str, evidence: dict[str, str]) -> float:
    """What an order is worth against the best decision now, by going through every result and every patient."""
    network = world.model.network
    hidden = ("condition", "scan_wish", "kidney_disease", "egfr")
    seen = OUTCOMES[action]
    both = tuple(dict.fromkeys((*seen, *hidden)))
    chance = network.conditional(both, evidence)
    now = network.conditional(hidden, evidence)
    worth: dict[tuple[str, ...], NDArray[np.float64]] = {}
    for cell in itertools.product(*(range(size) for size in chance.shape)):
        values = {name: network.variable(name).values[i] for name, i in zip(both, cell, strict=True)}
        shown = tuple(v for name, v in values.items() if name in seen and not hides(name, values))
        worth.setdefault(shown, np.zeros(len(UTILITY)))
        worth[shown] += chance[cell] * deciding(
            values, PRESENTATION_H + hours(action, values), charge(action, values, evidence)
        )
    stay = np.zeros(len(UTILITY))
    for cell in itertools.product(*(range(size) for size in now.shape)):
        values = {name: network.variable(name).values[i] for name, i in zip(hidden, cell, strict=True)}
        stay += now[cell] * deciding(values, PRESENTATION_H, 0.0)
    return float(sum(each.max() for each in worth.values()) - stay.max())


def hides(name: str, values: dict[str, str]) -> bool:
    """A result that did not come says nothing."""
    test = {"egfr": "kidney_test attempt 1", "ct_lungs": "ct attempt 1"}.get(name)
    return test in values and values[test] != "result"


def hours(action: str, values: dict[str, str]) -> float:
    kidney = values.get("kidney_test attempt 1") == "result"
    return {
        "order crp_test": 2.0,
        "order kidney_test": 2.0 if kidney else 0.0,
        "set first_bloods": 2.0,
        "order chest_film": 4.0,
        "order ct": 72.0 if values.get("ct attempt 1") == "result" else 0.0,
        "act discuss_wishes": 10 / 60,
    }[action]


def charge(action: str, values: dict[str, str], evidence: dict[str, str]) -> float:
    ill = values["kidney_disease"] == "yes"
    kidney = 5 if values.get("kidney_test attempt 1") == "result" else 0
    nodule = {"never": 0.05, "ever": 0.15}[evidence["smoked"]] * 230
    ct = 150 + 10 + 6.6 * 3 + nodule + (0.04 if ill else 0.002) * 2000
    return {
        "order crp_test": 8 + NEEDLE_GBP,
        "order kidney_test": kidney + (NEEDLE_GBP if kidney else 0),
        "set first_bloods": 8 + NEEDLE_GBP + kidney,
        "order chest_film": 35 + 0.02 * 3,
        "order ct": ct if values.get("ct attempt 1") == "result" else 0,
        "act discuss_wishes": 8,
    }[action]


def deciding(values: dict[str, str], at_h: float, charged: float) -> NDArray[np.float64]:
    """Worth of each decision for one patient, what is spent taken off, against having spent nothing at presentation."""
    condition, wish = CONDITIONS.index(values["condition"]), ("accepts", "declines").index(values["scan_wish"])
    waited = WAITING_GBP_PER_H[condition] * (at_h - PRESENTATION_H)
    stayed = math.exp(-PROGRESSION_PER_H * at_h) if condition == 0 else 1.0
    worse = 1 if condition == 0 else condition
    utility = np.array([stayed * row[condition][wish] + (1 - stayed) * row[worse][wish] for row in UTILITY.values()])
    return np.asarray(utility - waited - charged)


@pytest.mark.parametrize("which", range(12))
def test_the_value_of_an_order_is_the_enumeration_of_its_results(
    world: World, alike: dict[tuple[int, ...], NDArray[np.int64]], which: int
) -> None:
    kind, patients = list(alike.items())[which]
    view = presented(world, patients[:1]).journey_view()
    ranked = rank_orders(world, view)
    checked = 0
    for a, action in enumerate(world.actions):
        if action.name in OUTCOMES and view.mask[0, a]:
            assert ranked[a] == pytest.approx(by_hand(world, action.name, evidence_of(world, kind)), abs=1e-6), (
                action.name
            )
            checked += 1
        elif not view.mask[0, a]:
            assert ranked[a] == -np.inf
    assert checked >= 5


def test_the_value_of_an_order_is_what_patients_get_who_look_alike(
    world: World, alike: dict[tuple[int, ...], NDArray[np.int64]]
) -> None:
    checked = 0
    for patients in list(alike.values())[:6]:
        ranked = rank_orders(world, presented(world, patients[:1]).journey_view())
        for a in np.flatnonzero(np.isfinite(ranked)):
            if world.actions[a].kind not in ("order", "set", "act"):
                continue
            engine = presented(world, patients)
            before = engine.best_expected_utility
            gained = engine.step(np.full(len(patients), a)).reward + engine.best_expected_utility - before
            error = gained.std() / len(patients) ** 0.5
            assert gained.mean() == pytest.approx(ranked[a], abs=5 * error + 1e-6), world.actions[a].name
            checked += 1
    assert checked > 30


def test_a_decision_is_ranked_by_what_it_loses(world: World, alike: dict[tuple[int, ...], NDArray[np.int64]]) -> None:
    for patients in list(alike.values())[:4]:
        engine = presented(world, patients[:1])
        best = engine.best_expected_utility[0]
        ranked = rank_orders(world, engine.journey_view())
        for a in (a for a, action in enumerate(world.actions) if action.kind == "decide"):
            engine = presented(world, patients[:1])
            assert engine.step(np.array([a])).reward[0] - best == pytest.approx(ranked[a], abs=1e-6)


def test_the_agent_takes_the_action_of_highest_rank(world: World) -> None:
    engine = presented(world, np.arange(40))
    chosen = VoiAgent(world).act(engine.journey_view())
    for row, action in enumerate(chosen):
        assert action == rank_orders(world, engine.journey_view(np.array([row]))).argmax()
    assert len(set(chosen.tolist())) > 2
