"""docs/scenarios.md says of every scenario what the scenario itself says: it is written by `workup bench library`."""

from __future__ import annotations

import pytest
from support.places import ROOT
from support.shipped import SCENARIOS, scenario_of

from workup.benchmarks.library_page import cited_sources, point_row, profile, size_row
from workup.scenarios.language.library import find_scenario

PAGE = (ROOT / "docs" / "scenarios.md").read_text(encoding="utf-8")
ROWS = [[cell.strip() for cell in line.split("|")[1:-1]] for line in PAGE.splitlines() if line.startswith("|")]
AGAIN = "run `workup bench library --out docs/scenarios.md --patients 60 --seed 0` again"


def test_every_scenario_is_compared_and_no_other() -> None:
    linked = {row[0].partition("scenarios/")[2].partition("/")[0] for row in ROWS if "](../scenarios/" in row[0]}
    assert linked == set(SCENARIOS), AGAIN


@pytest.mark.parametrize("name", SCENARIOS)
def test_sizes_and_shares_are_those_of_the_scenario(name: str) -> None:
    counted = profile(scenario_of(name), find_scenario(name))
    expected = size_row(name, counted)
    assert expected in [row[: len(expected)] for row in ROWS], AGAIN
    short = [expected[0], str(counted["conditions"]), str(counted["tests"]), f"{counted['shares']['seen']:.0%}"]
    assert short in [row[:4] for row in ROWS], AGAIN
    assert all(mechanism in PAGE for mechanism in counted["mechanisms"]), AGAIN


@pytest.mark.parametrize("name", SCENARIOS)
def test_operating_points_and_their_sources_are_those_of_the_scenario(name: str) -> None:
    counted = profile(scenario_of(name), find_scenario(name))
    section = PAGE.partition(f"### {counted['title']}\n")[2].partition("\n### ")[0]
    rows = [[cell.strip() for cell in line.split(" | ")] for line in section.splitlines() if line.startswith("| ")][1:]
    expected = [point_row(target, published) for target, published in counted["targets"].items()]
    assert [[row[0].removeprefix("| "), *row[1:6]] for row in rows] == [
        [" ".join(cell.split()).replace("|", "\\|") for cell in row] for row in expected
    ], AGAIN
    assert all(f"- {source}: {counted['sources'][source]}" in section for source in cited_sources(counted)), AGAIN
