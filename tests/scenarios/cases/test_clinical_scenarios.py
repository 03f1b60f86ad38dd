"""Clinical scenarios beside weight loss: the patients of the draft, and the mechanism that each was written for.

What holds for every scenario is in `test_library_conformance.py`.
"""

from __future__ import annotations

import pytest
from support.shipped import scenario_of, world_of

from workup.envs.model.world import World


@pytest.fixture(params=["breathlessness", "meningitis", "unknown_primary", "fever"])
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_waits_for_a_clinician(name: str) -> None:
    scenario = scenario_of(name)
    assert (scenario.who.status, scenario.who.reviewers) == ("draft", ())


def test_has_published_operating_points_to_meet(name: str) -> None:
    assert len(scenario_of(name).targets) >= 5


def odds(world: World, condition: str, facts: dict[str, str]) -> float:
    p = float(world.model.network.posterior("condition", facts)[condition])
    return p / (1.0 - p)


def test_hib_vaccine_lowers_type_b_and_says_nothing_on_other_types() -> None:
    world = world_of("meningitis")
    young = {"age": "born_since_1988"}
    ratio = {
        condition: odds(world, condition, {**young, "hib_vaccine": "yes"})
        / odds(world, condition, {**young, "hib_vaccine": "no"})
        for condition in ("hib", "hi_other", "pneumococcal")
    }
    assert ratio["hib"] == pytest.approx(0.06, rel=0.01)
    assert ratio["hi_other"] == pytest.approx(1.0, abs=0.01)
    assert ratio["pneumococcal"] == pytest.approx(1.0, abs=0.01)


def test_a_normal_lactate_says_much_less_after_antibiotics() -> None:
    world = world_of("meningitis")
    normal = {"csf_lactate": "under_3_9"}
    before, after = (odds(world, "meningococcal", {"earlier_antibiotics": given, **normal}) for given in ("no", "yes"))
    assert after > 5 * before
