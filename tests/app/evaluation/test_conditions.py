"""Value by true condition: whom a mean comes from."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import workup
from workup.agents.registry import make_agent
from workup.envs.model.world import World
from workup.envs.records.journeys import Journeys
from workup.envs.records.run import run_journeys
from workup.evaluation.conditions import MEASURES, by_condition
from workup.evaluation.score import score
from workup.report.causes import by_cause, carriers


@pytest.fixture(scope="module")
def journeys(world: World) -> Journeys:
    return run_journeys(world, make_agent("guideline", world), patients=np.arange(400), seed=3)


def test_each_condition_is_told_by_its_own_patients(journeys: Journeys) -> None:
    found = by_condition(journeys)
    assert tuple(found) == journeys.world.model.conditions
    for index, each in enumerate(found.values()):
        own = [i for i in range(400) if journeys.condition[i] == index]
        assert each.patients == len(own)
        got = [float(journeys.components[i].sum()) for i in own]
        mean = sum(got) / len(own)
        error = (sum((x - mean) ** 2 for x in got) / (len(own) - 1) / len(own)) ** 0.5
        assert each.value.mean == pytest.approx(mean)
        assert (each.value.low, each.value.high) == pytest.approx((mean - 1.959964 * error, mean + 1.959964 * error))
        assert each.tests.mean == pytest.approx(sum(int(journeys.tests[i]) for i in own) / len(own))
        assert each.harm_gbp.mean == pytest.approx(-sum(float(journeys.components[i, 1]) for i in own) / len(own))


def test_contributions_sum_to_the_mean_of_what_all_got(journeys: Journeys) -> None:
    evaluation = score({"guideline": journeys}, None)
    frame = evaluation.by_condition.to_frame()
    assert frame["contribution"].sum() == pytest.approx(journeys.value.mean())
    assert evaluation.by_condition.got("guideline") == pytest.approx(journeys.value.mean())
    assert frame["share"].sum() == pytest.approx(1)
    assert {"policy", "condition", "patients", *MEASURES, *(f"{of}_low" for of in MEASURES)} <= set(frame.columns)
    written = evaluation.as_json()["agents"]["guideline"]["conditions"]
    assert sum(each["contribution"] for each in written.values()) == pytest.approx(journeys.value.mean())


def test_a_condition_that_nobody_has_adds_nothing(journeys: Journeys) -> None:
    nobody = replace(journeys, condition=np.where(journeys.condition == 2, 0, journeys.condition).astype(np.int32))
    each = by_condition(nobody)["lung_cancer"]
    assert (each.patients, each.contribution) == (0, 0.0)
    assert each.as_json()["value"] == {"mean": None, "low": None, "high": None}
    shown = by_cause(score({"guideline": nobody}, None), nobody.world.scenario)
    assert len(shown["table"].rows) == 3  # the two that there are, and all


def test_the_few_who_carry_the_mean_are_named() -> None:
    found = workup.evaluate("meningitis", ["guideline"], patients=200, seed=0)
    conditions = found.by_condition.agents["guideline"]
    who = carriers(conditions)
    sizes = {name: abs(each.contribution) for name, each in conditions.items()}
    assert sum(sizes[name] for name in who) >= 0.5 * sum(sizes.values()) > sum(sizes[name] for name in who[:-1])
    assert sum(conditions[name].patients for name in who) < 40
