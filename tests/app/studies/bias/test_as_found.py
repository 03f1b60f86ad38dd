"""What is reported of library scenarios: every row that the page promises, and each number by hand on the same patients."""

from __future__ import annotations

import math

import numpy as np

import workup
from workup.studies.bias.as_found import as_found


def test_selection_on_outcome_spectrum_berkson_and_sex_are_reported() -> None:
    met = workup.cohort("weight_loss", "guideline", patients=12_000, seed=4)
    rows = {each.what: each for each in as_found(met, "cancer")}
    world, model, truth = met.world, met.world.model, met.truth_frame()
    assert {each.phenomenon for each in rows.values()} >= {
        "selection on outcome", "spectrum", "Berkson", "test mix by sex", "partial verification", "presence",
    }  # fmt: skip
    cancers = world.scenario.groups["cancer"]
    ill = truth["condition"].is_in(cancers).to_numpy()
    name = world.decisions[int(np.bincount(met.decision[met.decision >= 0]).argmax())]
    ended = met.to_frame()["decision"] == name
    found = rows[f"ill, ended with {name}"]
    assert (found.value, found.patients) == (ill[ended.to_numpy()].mean(), ended.sum())
    assert found.low < found.value < found.high
    bled, hard = (truth[f"true {each}"].to_physical().to_numpy() > 0 for each in ("rectal_bleeding", "dysphagia"))
    cells = [int((bled == x)[hard == y].sum()) for x in (True, False) for y in (True, False)]
    assert min(cells) >= 5
    ratio = rows["log odds ratio of rectal_bleeding and dysphagia, everyone"]
    assert math.isclose(ratio.value, math.log(cells[0] * cells[3] / (cells[1] * cells[2])))
    imaged = met.status[:, [i for i, tier in enumerate(world.tier) if tier == "imaging"]].any(axis=1)
    negative = (
        (truth["true cxr"] == "no_suspicion").to_numpy() & imaged & (truth["condition"] != "lung_cancer").to_numpy()
    )
    well = imaged & (truth["condition"] != "lung_cancer").to_numpy()
    specificity = rows["cxr for lung_cancer, were it done in all: specificity, with imaging"]
    assert math.isclose(specificity.value, negative.sum() / well.sum())
    assert model.observables.index("sex") >= 0
    assert any(what.startswith("with imaging, ") for what in rows)


def test_nothing_is_reported_of_too_few() -> None:
    met = workup.cohort("weight_loss", "guideline", patients=20, seed=4)
    assert as_found(met, "cancer") == []
