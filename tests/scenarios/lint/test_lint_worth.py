"""Faults in what decisions are worth: each on its line, with how to mend it."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.places import ROOT

from workup.scenarios.language.lint.lint import lint

TUTORIAL = (ROOT / "scenarios" / "tutorial" / "scenario.yaml").read_text(encoding="utf-8")
UNIT = "utility: {unit: qaly, gbp_per_qaly: 20000}\n"
ONE = "    utility: {viral: -0.02, pneumonia: -0.01, lung_cancer: -0.50}\n"
PARTS = """\
    worth:
      given: [condition, kidney_disease]
      qaly: {viral: -0.02, pneumonia: {no: -0.01, yes: -0.03}, lung_cancer: -0.50}
      cost_gbp: 120
      bed_days: {pneumonia: 3, otherwise: 1}
      own_cost_gbp: 15
      transfer_gbp: {pneumonia: -80, otherwise: 20}
      complications:
        fall: {label: Fall, given: [smoked], chance: {ever: 0.01, never: 0.005}, loss_qaly: 0.01, bed_days: 4}
"""
SOUND = TUTORIAL.replace(UNIT, UNIT.replace("}", ", bed_day_gbp: 345}")).replace(ONE, PARTS)

CASES = {
    "one figure and parts": ("    worth:\n", f"{ONE}    worth:\n", "is said twice, as `utility` and as `worth`; remove one", "    worth:\n"),
    "neither": (PARTS, "", "nothing says what it is worth; write `utility`, one figure for all, or `worth`, in parts", "  treat:\n"),
    "given outside": ("    worth:\n", "    given: [condition]\n    worth:\n", "write `given` inside `worth`", "    given: [condition]\n    worth"),
    "no health": (PARTS.splitlines(keepends=True)[2], "", "qaly: missing; write `qaly:`", ""),
    "unknown part": ("      own_cost_gbp: 15\n", "      own_costs_gbp: 15\n", "did you mean 'own_cost_gbp'?", ""),
    "unknown parent": ("      given: [condition, kidney_disease]\n", "      given: [condition, kidneys]\n", "'kidneys' is no variable", ""),
    "leaf as parent": ("      given: [condition, kidney_disease]\n", "      given: [condition, film]\n", "'film' is no variable on which", ""),
    "twice the same parent": ("      given: [condition, kidney_disease]\n", "      given: [condition, condition]\n", "is named twice", ""),
    "a cause left out": ("{pneumonia: 3, otherwise: 1}", "{pneumonia: 3}", "nothing is said for condition", "      bed_days: {pneumonia: 3}"),
    "a word for a number": ("cost_gbp: 120\n", "cost_gbp: {viral: lots, otherwise: 3}\n", "found 'lots'; expected a number", "      cost_gbp: {viral"),
    "negative cost": ("cost_gbp: 120\n", "cost_gbp: -120\n", "found -120; expected 0 or more (costs and bed days are written as positive)", ""),
    "negative days": ("{pneumonia: 3, otherwise: 1}", "{pneumonia: 3, otherwise: -1}", "found -1; expected 0 or more", "      bed_days: {pneumonia: 3, otherwise: -1}"),
    "negative own cost": ("own_cost_gbp: 15", "own_cost_gbp: -15", "found -15; expected 0 or more", ""),
    "beds without their price": (", bed_day_gbp: 345}", "}", "write `bed_day_gbp` under `utility`, with its source", "    worth:\n"),
    "negative price of a bed": ("bed_day_gbp: 345", "bed_day_gbp: -345", "found -345; expected 0 or more", "utility: {unit: qaly"),
    "a chance beyond 1": ("ever: 0.01, never: 0.005}, loss_qaly", "ever: 1.01, never: 0.005}, loss_qaly", "1.01 is no probability", "        fall:"),
    "a chance by nothing": ("given: [smoked], chance: {ever: 0.01,", "chance: {ever: 0.01,", "but `given` names nothing", "        fall:"),
    "a complication by a leaf": ("given: [smoked], chance: {ever: 0.01, never: 0.005}", "given: [film], chance: 0.1", "'film' is no variable on which", "        fall:"),
    "a loss below 0": ("loss_qaly: 0.01", "loss_qaly: -0.01", "found -0.01; expected 0 or more (what it takes is written as positive)", "        fall:"),
    "harm in both units": ("loss_qaly: 0.01", "loss_qaly: 0.01, loss_gbp: 4", "its harm is said in pounds and in QALYs; write one", "        fall:"),
    "a complication that takes nothing": ("loss_qaly: 0.01, bed_days: 4", "loss_qaly: 0", "takes nothing; write loss_gbp, loss_qaly, cost_gbp or bed_days", "        fall:"),
    "no rate": ("gbp_per_qaly: 20000", "gbp_per_qaly: 0", "found 0; expected more than 0", "utility: {unit: qaly"),
    "society": ("bed_day_gbp: 345", "bed_day_gbp: 345, perspective: societal", "no scenario has figures for work lost or for carers", "utility: {unit: qaly"),
    "another side": ("bed_day_gbp: 345", "bed_day_gbp: 345, perspective: doctor", "found 'doctor'; expected nhs or patient", "utility: {unit: qaly"),
    "the patient's side of one figure": ("bed_day_gbp: 345", "bed_day_gbp: 345, perspective: patient", "reassure, refer, support say `utility`: write `worth` there", "utility: {unit: qaly"),
    "size of health": ("qaly: {viral: -0.02,", "qaly: {viral: 1e300,", "expected at most 1,000,000,000", "      qaly: {viral: 1e300"),
    "size of a transfer": ("{pneumonia: -80,", "{pneumonia: -8e80,", "expected at most 1,000,000,000 pounds", "      transfer_gbp: {pneumonia: -8e80"),
}  # fmt: skip
"""What is replaced, by what, part of the message, and the line (left out: that of the replacement, or of `worth`)."""


def test_the_sound_one_has_no_fault(tmp_path: Path) -> None:
    (tmp_path / "scenario.yaml").write_text(SOUND, encoding="utf-8")
    assert lint(tmp_path) == ()


@pytest.mark.parametrize("name", CASES)
def test_a_fault_is_told_on_its_line(name: str, tmp_path: Path) -> None:
    old, new, message, at = CASES[name]
    assert SOUND.count(old) == 1
    text = SOUND.replace(old, new)
    marker = at or new or "    worth:\n"
    assert text.count(marker) == 1
    line = text[: text.index(marker)].count("\n") + 1
    file = tmp_path / "spoiled.yaml"
    file.write_text(text, encoding="utf-8")
    faults = lint(file)
    found = [fault.line for fault in faults if message in fault.message]
    assert line in found, "\n".join(map(str, faults))


def test_parts_that_depend_on_too_much_together_are_refused_before_they_are_laid_out(tmp_path: Path) -> None:
    """A dozen variables of nine values: each table is one number, and their sum would have 9^12."""
    many = "".join(
        f"  wide_{i}: {{label: Wide {i}, values: [{', '.join(f'v{j}' for j in range(9))}], table: {{v0: 1, "
        f"{', '.join(f'v{j}: 0' for j in range(1, 9))}}}, status: assumed}}\n"
        for i in range(12)
    )
    text = SOUND.replace("\nlatent:\n", f"\nlatent:\n{many}")
    names = [f"wide_{i}" for i in range(12)]
    fall = "{label: Fall, given: [smoked], chance: {ever: 0.01, never: 0.005},"
    text = text.replace(
        "given: [condition, kidney_disease]\n", f"given: [condition, kidney_disease, {', '.join(names[:6])}]\n"
    )
    text = text.replace(fall, f"{{label: Fall, given: [{', '.join(names[6:])}], chance: 0.01,")
    (tmp_path / "scenario.yaml").write_text(text, encoding="utf-8")
    messages = [fault.message for fault in lint(tmp_path)]
    assert any("a table has at most 30 and 2,000,000" in message for message in messages), messages
