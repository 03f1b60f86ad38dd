"""Net benefit: what fixed journeys are worth at other rates for a QALY."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from support.amounts import with_amounts
from support.generated import scenario_of
from support.parts import in_full, in_health_alone, split

from workup.envs.compile.compile import compile_world
from workup.envs.model.world import World
from workup.errors import WorkupError
from workup.evaluation.policies import Comparison, compare
from workup.evaluation.rates import RATES_GBP, Line, NetBenefit, again, net_benefit
from workup.report.rates import by_rate
from workup.report.study import study
from workup.report.write import render
from workup.scenarios.language.library import load_scenario
from workup.statistics import Interval

AGENTS = ["none", "guideline", "all"]


@pytest.fixture(scope="module")
def compared() -> Comparison:
    return compare("tutorial", AGENTS, patients=150, seed=5, record=True)


def test_journeys_taken_again_are_the_same(compared: Comparison) -> None:
    for each in compared.journeys.values():
        np.testing.assert_allclose(again(each, compared.world), each.expected_components, atol=1e-9)


def test_a_line_is_what_the_same_journeys_are_worth_in_a_scenario_of_that_rate(compared: Comparison) -> None:
    """By agents whose acts hang on no utility, taken in a scenario that states the other rate."""
    lines = net_benefit(compared.journeys, compared.evaluation).lines
    other = compile_world(load_scenario("tutorial"), gbp_per_qaly=35_000.0)
    there = compare(other, AGENTS, patients=150, seed=5, record=True)
    for name in ("guideline", "all"):
        here, then = compared.journeys[name], there.journeys[name]
        same = (here.decision == then.decision) & (here.tests == then.tests)
        assert same.mean() > 0.5
        moved = (then.expected_components - here.expected_components).sum(axis=1)[same]
        slope = (again(here, other) - here.expected_components).sum(axis=1)[same]
        np.testing.assert_allclose(slope, moved, atol=1e-9)
        line = lines[name]
        assert line.at(line.stated_gbp) == compared.evaluation.agents[name].value.mean
        slopes = (again(here, other) - here.expected_components).sum(axis=1)
        assert line.at(35_000.0) - line.value == pytest.approx(slopes.mean())


def test_qalys_are_those_of_the_decision(compared: Comparison) -> None:
    """In the tutorial only decisions are worth QALYs, and none of its conditions progresses: by the file's table."""
    line, journeys = net_benefit(compared.journeys, compared.evaluation).lines["none"], compared.journeys["none"]
    utility = journeys.expected_components[:, 3].mean()
    assert line.qalys.mean == pytest.approx(utility / line.stated_gbp)


@pytest.mark.parametrize("which", ["parts", "amounts"])
def test_whatever_is_stated_in_qalys_counts(which: str, tmp_path: Path) -> None:
    """Parts of a worth with complications; losses and benefits by patient: at a third rate the same straight line."""
    file = tmp_path / "scenario.yaml"
    file.write_text(with_amounts(), encoding="utf-8")
    scenario = scenario_of(in_full()) if which == "parts" else load_scenario(file)
    found = compare(compile_world(scenario), ["all"], patients=80, seed=2, record=True)
    line, journeys = net_benefit(found.journeys, found.evaluation).lines["all"], found.journeys["all"]
    there = again(journeys, compile_world(scenario, gbp_per_qaly=33_000.0)).sum(axis=1)
    moved = (there - journeys.expected_components.sum(axis=1)).mean()
    assert line.at(33_000.0) - line.value == pytest.approx(moved)
    utility_alone = journeys.expected_components[:, 3].mean() / line.stated_gbp
    assert line.qalys.mean != pytest.approx(utility_alone)  # pounds within it, or QALYs beside it


def test_where_half_of_a_worth_is_health_there_are_half_the_qalys() -> None:
    whole, half = (
        net_benefit(found.journeys, found.evaluation).lines["none"].qalys.mean
        for data in (in_health_alone(), split())
        for found in [compare(compile_world(scenario_of(data)), ["none"], patients=80, seed=2, record=True)]
    )
    assert half == pytest.approx(whole / 2)


def test_where_lines_cross_is_told() -> None:
    flat, steep = (Line(20_000.0, v, Interval(q, q, q)) for v, q in ((-100.0, 0.0), (-150.0, 0.01)))
    found = NetBenefit({"flat": flat, "steep": steep})
    ((rate, one, other),) = found.crossings()
    assert rate == pytest.approx(25_000.0)
    assert (one, other) == ("steep", "flat")
    assert flat.at(rate) == pytest.approx(steep.at(rate))
    assert "above £25,000 steep is worth more than flat" in by_rate(found)["says"]
    apart = NetBenefit({"flat": flat, "steep": Line(20_000.0, -90.0, steep.qalys)})
    assert apart.crossings() == []
    assert "stays: steep, flat" in by_rate(apart)["says"]
    assert RATES_GBP == (20_000.0, 35_000.0)


def test_a_scenario_in_pounds_has_no_lines_and_the_page_says_why() -> None:
    found = compare("control", ["none"], patients=20, seed=1, record=True)
    with pytest.raises(WorkupError, match="nothing in control is stated in QALYs"):
        net_benefit(found.journeys, found.evaluation)
    page = render(study(found, seed=0, command="x"))
    assert "not shown: nothing in control is stated in QALYs." in page
    assert 'id="rates"' not in page


def test_the_page_draws_lines_and_says_that_nobody_plans_anew(compared: Comparison) -> None:
    page = render(study(compared, seed=0, command="x", checked=()))
    assert 'id="rates"' in page
    assert "No agent plans anew" in page
    assert "no distributions" in page
    for name in AGENTS:
        assert name in page[page.index('id="rates"') :]


def test_far_agents_are_left_out_of_the_picture_only(world: World) -> None:
    none = Interval(0.0, 0.0, 0.0)
    lines = {name: Line(20_000.0, v, none) for name, v in (("a", 0.0), ("b", -10.0), ("c", -20.0), ("far", -9_000.0))}
    shown = by_rate(NetBenefit(lines))
    assert "Far below and not drawn: far." in shown["says"]
    assert [row[0].text for row in shown["table"].rows] == ["a", "b", "c", "far"]
