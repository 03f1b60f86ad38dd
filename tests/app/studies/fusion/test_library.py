"""Own acquisition on a scenario: prices are the scenario's, the law is followed, and no patient is in two splits."""

from __future__ import annotations

from itertools import product as every
from typing import Any

import numpy as np
import pytest

pytest.importorskip("sb3_contrib", reason="needs workup[train]")
pytest.importorskip("sklearn", reason="needs workup[fusion]")
from workup.errors import UnknownNameError, WorkupError
from workup.scenarios.language.library import load_scenario
from workup.studies.fusion.complete import posterior
from workup.studies.fusion.library import acquired_on, benefit, difference, markdown
from workup.studies.fusion.menus import HISTORY, MENUS, Menu, menu_data, menu_of, patients_of, price
from workup.studies.fusion.optimal import REFERENCES, exact_on, known
from workup.studies.fusion.splits import SPLITS

pytestmark = pytest.mark.torch

SKIN = Menu(
    "control", "something in the skin, or not", ("scabies", "skin_disease", "lymphoma"),
    {"lens": ("dermatoscope",), "core": ("biopsy",), "bloods": ("thyroid_test", "bile_test")}, right_gbp=4000.0,
)  # fmt: skip


def test_menus_are_sound_and_neither_answer_is_rare() -> None:
    for name, menu in MENUS.items():
        assert menu_of(name) is menu
        model = menu.world.model
        yes = model.prior.sum(axis=0) @ menu.answer[model.condition_of]
        assert 0.2 < yes < 0.8, name
        assert all(gbp > 0 for gbp in menu.prices.values()), name
        assert all(menu.observables.values()), name
    with pytest.raises(UnknownNameError, match="no menu"):
        menu_of("fevre")
    with pytest.raises(UnknownNameError, match="condition or group"):
        _ = Menu("control", "?", ("scabbies",), {"lens": ("dermatoscope",)}).answer
    with pytest.raises(WorkupError, match="expected 1 to 6"):
        Menu("control", "?", ("scabies",), {})


def test_prices_are_what_the_scenario_says() -> None:
    scenario = load_scenario("control")
    world = SKIN.world
    waits = world.model.prior.sum(axis=0) @ world.waiting_cost_gbp_per_h[world.model.condition_of]
    for name, items in SKIN.offers.items():
        said = [scenario.investigations[item] for item in items]
        by_hand = sum(each.cost_gbp.value if hasattr(each.cost_gbp, "value") else each.cost_gbp for each in said)
        hours = sum(float(world.turnaround_h[world.item(item)]) for item in items)
        later = sum(
            (world.late_harm_gbp[world.item(item)] * world.model.prior).sum() + world.harm_gbp[world.item(item)]
            for item in items
        )
        assert SKIN.prices[name] == pytest.approx(by_hand + hours * waits + later), name
    fever = MENUS["fever"]
    assert price(fever.world, ("chest_xray",), ("antibiotics",)) < price(fever.world, ("chest_xray",)) - 100
    shared = price(fever.world, ("count_and_crp", "kidney_test"))
    assert shared == pytest.approx(price(fever.world, ("count_and_crp",)) + price(fever.world, ("kidney_test",)) - 30)


def test_data_hold_findings_in_splits_that_share_nobody() -> None:
    data = menu_data(SKIN, "train", 300, seed=1)
    assert data.spec.modalities == ("lens", "core", "bloods", HISTORY)
    assert data.spec.prices() == (*SKIN.prices.values(), 0.0)
    assert data.rows.order[0].tolist() == [3, 0, 1, 2]
    for name, columns in SKIN.observables.items():
        block = data.rows.inputs[name]
        assert block.shape == (300, int(SKIN.world.model.n_values[columns].sum()))
        assert (block.sum(dim=1) == len(columns)).all()
    met = {split: patients_of(SKIN, split, 300, seed=1) for split in SPLITS}
    assert (data.rows.label.numpy() == SKIN.answer[met["train"].condition]).all()
    for one, other in every(SPLITS, SPLITS):
        if one != other:
            alike = (met[one].values == met[other].values).all(axis=1)
            assert alike.mean() < 0.2, "by chance alone"
    assert (patients_of(SKIN, "test", 50, seed=0).values == patients_of(SKIN, "test", 90, seed=0).values[:50]).all()


def test_what_the_law_says_of_every_set_is_the_posterior() -> None:
    for menu in (SKIN, MENUS["fever"]):
        met = patients_of(menu, "test", 25, seed=2)
        found, names = known(menu, met), list(menu.offers)
        assert len(found.stop) == 2 ** len(names)
        for had in (frozenset[int](), frozenset({1}), frozenset({0, 2}), frozenset(range(len(names)))):
            columns = [o for name in (HISTORY, *(names[g] for g in had)) for o in menu.observables[name]]
            said = posterior(met, columns) @ menu.answer
            np.testing.assert_allclose(found.stop[had], said, atol=1e-9)


def test_the_optimum_is_that_of_frequencies_counted_among_many() -> None:
    menu = Menu("control", "skin", SKIN.yes, {"lens": ("dermatoscope",), "core": ("biopsy",)}, right_gbp=4000.0)
    met = patients_of(menu, "test", 20_000, seed=0)
    law, prices = known(menu, met), list(menu.prices.values())
    history = np.unique(met.values[:, menu.observables[HISTORY]], axis=0, return_inverse=True)[1].ravel()
    own = np.stack([met.values[:, menu.observables[name][0]] for name in menu.offers])
    counts = np.zeros((history.max() + 1, 3, 3, 2))
    np.add.at(counts, (history, own[0], own[1], law.label), 1)
    both = 4000 * counts.max(axis=3) - sum(prices) * counts.sum(axis=3)
    one = []
    for g, axis in ((0, 2), (1, 1)):
        stop = 4000 * counts.sum(axis=axis).max(axis=2) - prices[g] * counts.sum(axis=(axis, 3))
        one.append(np.maximum(stop, both.sum(axis=axis)).sum(axis=1))
    counted = np.maximum.reduce([4000 * counts.sum(axis=(1, 2)).max(axis=1), *one]).sum() / len(history)
    found = exact_on(menu, patients=20_000, validation=100)["references"]["optimum"]["benefit_gbp"]
    assert counted - 10 < found <= counted + 1e-6


def test_references_keep_their_order_and_spend_what_they_buy() -> None:
    found = exact_on(SKIN, patients=4000, validation=1000, seed=1)["references"]
    assert tuple(found) == REFERENCES
    gbp = {name: row["benefit_gbp"] for name, row in found.items()}
    assert gbp["optimum"] > gbp["myopic"] - 3
    assert gbp["optimum"] > gbp["fixed"] > max(gbp["nothing"], gbp["everything"])
    assert found["everything"]["accuracy"] > found["nothing"]["accuracy"] + 0.02
    for row in found.values():
        assert row["spent_gbp"] == pytest.approx(sum(SKIN.prices[name] * of for name, of in row["bought"].items()))
        assert row["benefit_gbp"] == pytest.approx(4000 * row["accuracy"] - row["spent_gbp"])


def test_a_method_buys_from_the_same_menu_and_the_page_holds_it() -> None:
    runs = [acquired_on(SKIN, name, patients=200, seed=0, test_patients=300) for name in ("concat", "gradual")]
    exact = exact_on(SKIN, patients=300, validation=100)
    for run in runs:
        assert (run["status"], run["scenario"]) == ("ok", "control")
        test: dict[str, Any] = run["tests"]["same"]
        assert test["spent_gbp"] == pytest.approx(
            sum(SKIN.prices[name] * of for name, of in test["bought"].items()), rel=1e-5
        )
        assert test["benefit_gbp"] == pytest.approx(4000 * test["accuracy_bought"] - test["spent_gbp"])
        assert test["benefit_gbp"] < exact["references"]["optimum"]["benefit_gbp"] + 100
    left, right = ({0: run["tests"]["same"]} for run in runs)
    gap = difference(left, right)
    assert gap is not None
    assert gap.mean == pytest.approx(benefit(left).mean - benefit(right).mean)
    assert difference(left, {1: right[0]}) is None
    page = "\n".join(markdown(runs, [exact]))
    for word in ("knows the law: optimum", "`gradual`", "| 200 | 1 |"):
        assert word in page
