"""The tutorial with its CRP measured again two days later: scenarios of the language's short forms and of a change."""

from __future__ import annotations

from importlib.resources import files

from workup.errors import ScenarioError
from workup.scenarios.language.lint.lint import faults_of
from workup.scenarios.language.reading.reader import interpret
from workup.scenarios.language.reading.yaml_tree import parse
from workup.scenarios.language.schema import Scenario

TUTORIAL = files("workup.scenarios").joinpath("tutorial", "scenario.yaml").read_text(encoding="utf-8")
_FINDING = """\
  crp_48h:
    label: CRP two days on
    change_of: crp
    after: 48 h
    values: [fell, same, rose]
    given: [condition, antibiotics]
    table:
      viral: {fell: 0.7, same: 0.25, the_rest_to: rose}
      pneumonia:
        no: {fell: 0.1, same: 0.4, the_rest_to: rose}
        yes: {fell: 0.8, same: 0.15, the_rest_to: rose}
      lung_cancer: {as: viral, but: {fell: 0.2, same: 0.7}}
"""
_ITEM = """\
  crp_again:
    label: CRP again
    tier: bloods
    reveals: [crp_48h]
    cost_gbp: 8
    set_up: venepuncture
    requires: [{crp_test: done}]
"""
TABLE = {
    "viral": {"no": (0.7, 0.25, 0.05), "yes": (0.7, 0.25, 0.05)},
    "pneumonia": {"no": (0.1, 0.4, 0.5), "yes": (0.8, 0.15, 0.05)},
    "lung_cancer": {"no": (0.2, 0.7, 0.1), "yes": (0.2, 0.7, 0.1)},
}
"""Condition -> antibiotics -> chance that it fell, is the same, rose: the table above, written out by hand."""
TEXT = TUTORIAL.replace("  egfr:    ", f"{_FINDING}  egfr:    ").replace(
    "  kidney_test: {", f"{_ITEM}  kidney_test: {{"
)


def changed(*changes: tuple[str, str], text: str = TEXT) -> str:
    """The text with one piece in place of another, each of which stands there once."""
    for old, new in changes:
        assert text.count(old) == 1, f"{old!r} stands {text.count(old)} times"
        text = text.replace(old, new)
    return text


def scenario_of(text: str = TEXT) -> Scenario:
    """The checked scenario; raises ScenarioError with every fault."""
    reading = interpret(parse(text.encode(), "again.yaml"))
    faults = faults_of(reading)
    if faults or reading.scenario is None:
        raise ScenarioError(faults)
    return reading.scenario
