"""Every clinical figure is recorded with what stands behind it: inherited from its block, overridden by inner ones."""

from __future__ import annotations

from collections import Counter

import pytest

from workup.scenarios.language.authorship import FigureRecord
from workup.scenarios.language.library import load_scenario
from workup.scenarios.language.reading.provenance import strip
from workup.scenarios.language.reading.yaml_tree import parse
from workup.scenarios.language.words.prose import shares

BLOCKS = b"""
sources: {S1: {cite: One, seen: true}, S2: {cite: Two, seen: true}}
status: assumed
who: {status: draft, price_year: 2023}
findings:
  status: seen
  source: S1
  note: all of it
  fever:
    chance: {viral: 0.3, pneumonia: {value: 0.8, source: "S1, S2"}}
  cough:
    status: derived
    chance: {viral: 0.9, pneumonia: {value: 0.7, status: recalled, note: Smith 2001}}
  crp:
    bands: {low: [0, 5], raised: [5, 50], high: [50, 300]}
    range: [0, 300]
    step: 5
investigations:
  ct: {cost_gbp: 120, turnaround: 2 days, attempts: 2, dose_msv: {value: 7, status: recalled, source: [S2]}}
targets:
  one: {measure: sensitivity, value: 0.8, tolerance: 0.1, status: seen, source: S1}
  two: {measure: sensitivity, value: {value: 0.9, status: seen, source: S2}, tolerance: 0.1}
guideline: [{do: ct, when: {crp: {at_least: 50}}}]
vignettes:
  v:
    context: {age: 61}
    expect: [{within: {ct: 2 weeks}, at: 1}]
    ceilings: {cost_gbp: 300}
rewards: {triage: {weights: {cost: 1}, urgency_utility_gbp: {urgent: {urgent: -5}}}}
new_visit_after: 0
max_steps: 9
"""


@pytest.fixture(scope="module")
def figures() -> dict[str, FigureRecord]:
    data, figures, faults = strip(parse(BLOCKS, "blocks.yaml"))
    assert faults == ()
    assert data["findings"]["fever"] == {"chance": {"viral": 0.3, "pneumonia": 0.8}}
    assert data["who"] == {"status": "draft", "price_year": 2023}
    assert data["targets"]["one"] == {"measure": "sensitivity", "value": 0.8, "tolerance": 0.1}
    assert data["targets"]["two"]["value"] == 0.9
    return {figure.path: figure for figure in figures}


@pytest.mark.parametrize(
    ("path", "line", "value", "status", "source", "note"),
    [
        ("findings.fever.chance.viral", 10, 0.3, "seen", "S1", "all of it"),
        ("findings.fever.chance.pneumonia", 10, 0.8, "seen", "S1, S2", "all of it"),
        ("findings.cough.chance.viral", 13, 0.9, "derived", None, None),
        ("findings.cough.chance.pneumonia", 13, 0.7, "recalled", None, "Smith 2001"),
        ("findings.crp.bands.raised.0", 15, 5, "seen", "S1", "all of it"),
        ("investigations.ct.turnaround", 19, 48, "assumed", None, None),
        ("investigations.ct.dose_msv", 19, 7, "recalled", "S2", None),
        ("targets.one.value", 21, 0.8, "seen", "S1", None),
        ("targets.two.value", 22, 0.9, "seen", "S2", None),
        ("guideline.0.when.crp.at_least", 23, 50, "assumed", None, None),
        ("vignettes.v.expect.0.within.ct", 27, 336, "assumed", None, None),
        ("new_visit_after", 30, 0, "assumed", None, None),
    ],
)
def test_a_figure_inherits_from_its_block_until_overridden(
    figures: dict[str, FigureRecord],
    path: str,
    line: int,
    value: float,
    status: str,
    source: str | None,
    note: str | None,
) -> None:
    found = figures[path]
    assert (found.line, found.value, found.status, found.source, found.note) == (line, value, status, source, note)


def test_settings_and_stories_are_no_figures(figures: dict[str, FigureRecord]) -> None:
    assert set(figures) == {
        "findings.fever.chance.viral",
        "findings.fever.chance.pneumonia",
        "findings.cough.chance.viral",
        "findings.cough.chance.pneumonia",
        "findings.crp.bands.raised.0",
        "findings.crp.bands.high.0",
        "investigations.ct.cost_gbp",
        "investigations.ct.turnaround",
        "investigations.ct.dose_msv",
        "targets.one.value",
        "targets.two.value",
        "guideline.0.when.crp.at_least",
        "vignettes.v.expect.0.within.ct",
        "vignettes.v.ceilings.cost_gbp",
        "rewards.triage.urgency_utility_gbp.urgent.urgent",
        "new_visit_after",
    }


def test_a_new_status_does_not_keep_the_outer_source() -> None:
    text = b"sources: {S1: {cite: One, seen: true}}\nstatus: seen\nsource: S1\na: {status: assumed, b: 1}\nc: 2\n"
    found = {figure.path: (figure.status, figure.source) for figure in strip(parse(text, "t"))[1]}
    assert found == {"a.b": ("assumed", None), "c": ("seen", "S1")}


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("a: 1\n", 1, "has no status"),
        ("status: maybe\na: 1\n", 1, "'maybe' is no status of a figure; expected seen | recalled"),
        ("status: seen\na: 1\n", 1, "there is no `source`"),
        ("status: recalled\na: 1\n", 1, "neither `source` nor `note`"),
        ("status: assumed\na:\n  source: S7\n  b: 1\n", 2, "source 'S7' is not listed"),
        ("status: assumed\nsource: 7\na: 1\n", 2, "7 names no source"),
        ("status: assumed\nnote: 7\na: 1\n", 2, "7 is not text"),
        ("status: seen\nsource: S1\na: 1\nsources: {S1: {cite: One}}\n", 1, "does not say `seen: true`"),
    ],
)
def test_a_figure_that_nothing_stands_behind_is_a_fault(text: str, line: int, message: str) -> None:
    faults = strip(parse(text.encode(), "t"))[2]
    assert len(faults) == 1
    assert message in faults[0].message
    assert faults[0].line == line


def test_shares_are_those_of_the_figures() -> None:
    scenario = load_scenario("tutorial")
    counts = Counter(figure.status for figure in scenario.figures)
    found = shares(scenario)
    assert sum(found.values()) == pytest.approx(1)
    assert found["recalled"] == counts["recalled"] / len(scenario.figures) > 0
