"""Repairs against statsmodels 0.15.0 and zepid 0.9.1, whose figures are stored here: neither is installed where tests run.

Made once on the two tables below: complete cases with `proportion_confint(method="wilson")`; weights with zepid's `IPMW`, equal to
1 / the fitted chance of statsmodels' binomial `GLM` to 1e-15; imputation with 400 draws of a binomial `GLM`'s coefficients from
their normal law (`numpy.random.default_rng(1)`), pooled by Rubin's rules on the log-odds.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from workup.studies.bias.corrections import MEASURES, Checked, complete_case, estimated_chance, imputed, weighted

pytest.importorskip("sklearn", reason="needs workup[bias]")

CELLS = {
    # test, second finding -> unverified, verified, of these ill. Hepatic scintigraphy has no second finding.
    "scintigraphy": {(1, 0): (166, 263, 231), (0, 0): (140, 81, 27)},
    # 2,000 patients drawn once (seed 20261130): verification depends on the test and the second finding.
    "synthetic": {(0, 0): (625, 131, 3), (0, 1): (423, 205, 23), (1, 0): (110, 82, 23), (1, 1): (122, 302, 230)},
}
COMPLETE = {
    "scintigraphy": {
        "prevalence": (0.75, 0.7016505047663174, 0.7928276422123118),
        "sensitivity": (0.8953488372093024, 0.8520214062328004, 0.9270759946096565),
        "specificity": (0.627906976744186, 0.5223383164148251, 0.7225374935818455),
    },
    "synthetic": {
        "prevalence": (0.3875, 0.352601263899079, 0.42359282110962504),
        "sensitivity": (0.9068100358422939, 0.8669591676126976, 0.9356105862928127),
        "specificity": (0.7029478458049887, 0.6586948842453157, 0.7436956673784956),
    },
}
WEIGHTED = {
    "scintigraphy": (0.6930291508238289, 0.8364667154352611, 0.7383980181668024),
    "synthetic": (0.23129195936999902, 0.8149914179337848, 0.8515111646205321),
}
IMPUTED = {
    "scintigraphy": {
        "prevalence": (0.6937081906582564, 0.6429408049715043, 0.7401743948307424),
        "sensitivity": (0.8360152697210443, 0.7815706549809774, 0.8789904078535206),
        "specificity": (0.7374259017015509, 0.65383859992847, 0.8067936563606313),
    },
    "synthetic": {
        "prevalence": (0.23238505804296344, 0.20940729752922188, 0.25706430433930455),
        "sensitivity": (0.8138333899436753, 0.7491710725774049, 0.8648336648503111),
        "specificity": (0.8446691076804944, 0.8226412760065634, 0.8644120200141289),
    },
}


def _table(name: str) -> Checked:
    rows = [
        (test, other, verified, ill)
        for (test, other), (unverified, checked, sick) in CELLS[name].items()
        for count, verified, ill in ((unverified, 0, 0), (checked - sick, 1, 0), (sick, 1, 1))
        for _ in range(count)
    ]
    test, other, verified, ill = np.array(rows).T
    features = None if name == "scintigraphy" else other[:, None].astype(np.float64)
    return Checked(test == 1, verified == 1, ill == 1, features=features)


@pytest.mark.parametrize("name", CELLS)
def test_complete_cases_and_their_intervals_are_those_of_statsmodels(name: str) -> None:
    found = complete_case(_table(name))
    for measure in MEASURES:
        told = found[measure].value, found[measure].low, found[measure].high
        assert told == pytest.approx(COMPLETE[name][measure], abs=1e-9)


@pytest.mark.parametrize("name", CELLS)
def test_weights_are_those_of_zepid(name: str) -> None:
    data = _table(name)
    found = weighted(replace(data, chance=estimated_chance(data)))
    assert [found[measure].value for measure in MEASURES] == pytest.approx(WEIGHTED[name], abs=2e-4)


@pytest.mark.parametrize("name", CELLS)
def test_imputation_comes_out_as_with_another_librarys_coefficients(name: str) -> None:
    """By the bootstrap here, by the normal law there, of other random numbers: they agree to a small part of the interval."""
    found = imputed(_table(name), times=200, seed=4)
    for measure in MEASURES:
        told = found[measure].value, found[measure].low, found[measure].high
        width = IMPUTED[name][measure][2] - IMPUTED[name][measure][1]
        assert told == pytest.approx(IMPUTED[name][measure], abs=0.15 * width)
