"""The tutorial with scores: as text, so that faults have lines."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

from workup.scenarios.language.library import load_scenario
from workup.scenarios.language.schema import Scenario

SCORES = """scores:
  chest:
    label: Chest score for pneumonia
    points:
      - {when: {fever: yes}, points: 2}
      - {when: {crackles: yes}, points: 1}
      - {of: smoked, points: {never: 0, ever: 1}}
      - {when: {haemoptysis: yes}, points: -1}
    cut_offs:
      unlikely: {below: 1}
      possible: {at_least: 1, below: 3}
      likely: {at_least: 3}
  crp_score:
    label: CRP score
    points:
      - {of: crp, points: {low: 0, raised: 1, high: 2.5}}
      - {when: {fever: yes, crackles: yes}, points: 1.5}

"""
LABEL = "    label: Refer to the lung cancer clinic\n"


def tutorial_with(scores: str = SCORES, *, rules: str = "", requires: str = "") -> str:
    """The tutorial's text.

    Args:
        scores: the section, as written.
        rules: of the guideline, as written, before those that decide.
        requires: what a referral requires, as written.
    """
    text = files("workup.scenarios").joinpath("tutorial", "scenario.yaml").read_text(encoding="utf-8")
    for old, new in (
        ("set_ups:\n  venepuncture", f"{scores}set_ups:\n  venepuncture"),
        ("  - do: discuss_wishes\n", f"{rules}  - do: discuss_wishes\n"),
        (LABEL, LABEL + (f"    requires: {requires}\n" if requires else "")),
    ):
        assert text.count(old) == 1
        text = text.replace(old, new)
    return text


def scenario_with(folder: Path, scores: str = SCORES, *, rules: str = "", requires: str = "") -> Scenario:
    """The same as a checked scenario."""
    file = folder / "scenario.yaml"
    file.write_text(tutorial_with(scores, rules=rules, requires=requires), encoding="utf-8")
    return load_scenario(file)
