"""A likelihood reader of films comes to the Fisher bound, which is what least squares gives."""

from __future__ import annotations

import numpy as np
import pytest

from workup.envs.modalities import film
from workup.envs.modalities.draws import NOISE, keys
from workup.envs.modalities.information import Lesion, bound, errors

WHO = keys(11, np.arange(10), "film")
PER_SD = film.LOOKS["opacity"].per_sd


def test_the_bound_is_the_variance_of_least_squares() -> None:
    lesion, nuisance, sd = Lesion(), film.nuisances(WHO[:1])[0], NOISE["clear"]
    design = lesion.derivatives(0.2, nuisance).T
    noise = np.random.default_rng(0).normal(0.0, sd, (len(design), 2_000))
    found = np.linalg.lstsq(design, noise, rcond=None)[0][0]
    assert found.var() == pytest.approx(bound(lesion, 0.2, nuisance, sd), rel=0.08)
    assert bound(lesion, 0.2, nuisance, 0.10) == pytest.approx((0.10 / 0.035) ** 2 * bound(lesion, 0.2, nuisance, sd))


def test_the_likelihood_reader_is_within_a_tenth_of_what_is_possible() -> None:
    values = 0.2 + PER_SD * np.linspace(-2.0, 2.0, len(WHO))
    found = errors(Lesion(), WHO, values, NOISE["clear"])
    assert found.ratio == pytest.approx(1.0, abs=0.1)
    assert np.corrcoef(found.reader, found.efficient)[0, 1] > 0.97


def test_clear_pixels_add_little_to_a_standardised_finding() -> None:
    nuisance = film.nuisances(WHO)
    clear, hard = (
        np.mean([bound(Lesion(), 0.2, each, NOISE[n]) for each in nuisance]) / PER_SD**2 for n in NOISE if n != "none"
    )
    assert clear <= 0.023
    assert 0.1 < hard < 0.2
    small = np.mean([bound(Lesion(size=32), 0.2, each, NOISE["clear"]) for each in nuisance]) / PER_SD**2
    assert small > 3.0 * clear  # a quarter of the pixels
