"""Headroom on complete records: the exact posterior against the model's belief, and each way of passing on against its law."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from workup.envs.model.belief import posterior_weights
from workup.envs.model.codes import UNKNOWN
from workup.errors import WorkupError
from workup.studies.fusion.complete import Complete, complete, posterior, prevalence
from workup.studies.fusion.headroom import STEPS, WAYS, headroom, markdown, messages, product, reported, tiers

Floats = NDArray[np.float64]


def weights(met: Complete, observables: list[int]) -> Floats:
    """(n, K, H) the model's belief in everything that is hidden."""
    model = met.world.model
    values = np.full(met.values.shape, UNKNOWN, np.int16)
    values[:, observables] = met.values[:, observables]
    nothing = np.zeros((len(met), len(met.world.items)), np.uint8)
    return posterior_weights(model, values, nothing, nothing, np.zeros(values.shape, np.bool_), values_only=True)


def by_condition(met: Complete, of: Floats) -> Floats:
    each = met.world.model.condition_of == np.arange(len(met.world.model.conditions))[:, None]
    return np.stack([of[:, :, which].sum(axis=(1, 2)) for which in each], axis=1)


@pytest.mark.parametrize("scenario", ["fever", "pulmonary_embolism"])
def test_the_joint_and_every_opinion_are_the_belief_of_the_model(scenario: str) -> None:
    met = complete(scenario, range(20), seed=3)
    groups = tiers(met.world)
    for of in (*groups.values(), [o for each in groups.values() for o in each]):
        np.testing.assert_allclose(posterior(met, of), by_condition(met, weights(met, of)), atol=1e-12)


@pytest.mark.parametrize("scenario", ["tutorial", "pulmonary_embolism"])
def test_opinions_on_all_that_is_hidden_lose_nothing_when_multiplied(scenario: str) -> None:
    met = complete(scenario, range(30), seed=1)
    groups = tiers(met.world)
    prior = met.world.model.prior
    multiplied = np.repeat(prior[None], len(met), axis=0)
    for of in groups.values():
        multiplied *= np.divide(weights(met, of), prior, out=np.zeros_like(multiplied), where=prior > 0)
    multiplied /= multiplied.sum(axis=(1, 2), keepdims=True)
    joint = weights(met, [o for of in groups.values() for o in of])
    np.testing.assert_allclose(multiplied, joint, atol=1e-12)
    coarse = product([posterior(met, of) for of in groups.values()], prevalence(met.world.model))
    assert np.abs(coarse - by_condition(met, joint)).max() > 1e-6, "a condition says less than all that is hidden"


def test_where_modalities_are_independent_given_the_condition_the_product_is_the_joint() -> None:
    found = headroom("control", patients=1500, counted=4000, seed=2)
    ways = {name: found["ways"][name]["nats"] for name in WAYS}
    assert abs(ways["product"]["mean"]) < 1e-3
    assert ways["product"]["high"] - ways["product"]["low"] < 2e-3
    assert ways["single"]["low"] > ways["report"]["high"], "every modality tells something"
    assert ways["mean"]["low"] > 0.1, "an average of independent opinions is far too unsure"
    assert found["joint"]["log_loss"]["mean"] + ways["single"]["mean"] == pytest.approx(
        found["alone"][found["best_single"]]
    )
    assert sum(found["modalities"].values()) == 9
    assert headroom("control", patients=1500, counted=4000, seed=2) == found
    header, rule, row = markdown([found])
    assert header.count("|") == rule.count("|") == row.count("|")
    assert "-0.0000" not in row


def test_opinions_that_have_all_read_the_history_count_it_once() -> None:
    rng = np.random.default_rng(0)
    history = rng.dirichlet(np.ones(3), 5)
    np.testing.assert_allclose(product([history, history], history), history)
    ruled_out = np.array([[0.5, 0.5, 0.0]])
    np.testing.assert_allclose(product([ruled_out], ruled_out), ruled_out)


def test_a_report_is_the_top_and_its_step_and_the_combiner_is_worked_by_hand() -> None:
    opinion = np.array([[0.5, 0.5], [0.05, 0.95], [0.61, 0.39], [1.0, 0.0]])
    assert messages(opinion).tolist() == [0, STEPS + 4, 1, 4]
    prior = np.array([0.75, 0.25])
    asked = np.array([[0.05, 0.95]])
    seen = np.array([[0.05, 0.95], [0.05, 0.95], [0.9, 0.1], [0.9, 0.1]])
    said = reported([asked], [seen], np.array([1, 1, 0, 0]), prior)
    odds = (0.25 * 2.5) / (
        0.75 * 0.5
    )  # half a patient in each of ten cells beside two who were counted: 2.5 / 7 and .5 / 7
    assert said[0, 1] / said[0, 0] == pytest.approx(odds)


def test_no_patients_are_refused() -> None:
    with pytest.raises(WorkupError, match="expected 1 or more of each"):
        headroom("control", patients=0)
    with pytest.raises(WorkupError, match="no patients"):
        complete("control", [], seed=0)
