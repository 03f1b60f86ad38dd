"""Each fault of an amount by patient is found in a spoiled copy of the tutorial, on its line, with how to mend it."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.amounts import CHANGES, with_amounts

from workup.scenarios.language.lint.lint import lint

WAITING, RADIATION, COMPLICATION, INCIDENTAL, BENEFIT, FEARED = (new for _, new in CHANGES)
WHEN = ", when_decided: [treat, refer]}"

CASES = {
    "a finding": (WAITING, WAITING.replace("kidney_disease", "fever"),
                  "fever is a finding, which may be wrong or missing; an amount hangs on what is true of the patient: let it"),
    "an act": (RADIATION, "loss_gbp_per_msv: {given: [antibiotics], gbp: {no: 4, yes: 2}}", "antibiotics is an act; an amount"),
    "nothing of that name": (RADIATION, RADIATION.replace("[smoked]", "[smokes]"), "did you mean 'smoked'?"),
    "named twice": (RADIATION, RADIATION.replace("[smoked]", "[smoked, smoked]"), "a variable is named twice; name it once"),
    "its own condition": (WAITING, WAITING.replace("[kidney_disease]", "[condition]"),
                          "a waiting cost stands under its condition already; leave it out here"),
    "two units": (RADIATION, RADIATION.replace("gbp:", "qaly: 0.1, gbp:"), "found gbp and qaly; expected exactly one of"),
    "no unit": (RADIATION, "loss_gbp_per_msv: {given: [smoked]}", "found neither; expected exactly one of `gbp` (pounds) and"),
    "empty": (RADIATION, "loss_gbp_per_msv: {}", "found neither; expected exactly one of `gbp` (pounds) and `qaly`, with"),
    "unknown key": (RADIATION, RADIATION.replace("gbp:", "gpb:"), "no such key here; did you mean 'gbp'?"),
    "a value left out": (RADIATION, RADIATION.replace(", ever: 2", ""), "nothing is said for smoked ever; add it, or `otherwise`"),
    "nothing to depend on": (RADIATION, RADIATION.replace("given: [smoked], ", ""), "but `given` names nothing; name what they"),
    "text for a number": (RADIATION, RADIATION.replace("ever: 2", "ever: two"), "found 'two'; expected a number"),
    "not finite": (RADIATION, RADIATION.replace("ever: 2", "ever: .inf"), ".inf is not a finite number; write an ordinary number"),
    "negative rate": (WAITING, WAITING.replace("140", "-140"), "found -140; expected 0 or more (costs and losses are written as"),
    "negative loss": (COMPLICATION, COMPLICATION.replace("0.05", "-0.05"), "found -0.05; expected 0 or more"),
    "too many pounds": (INCIDENTAL, INCIDENTAL.replace("45", "2e9"), "expected at most 1,000,000,000 pounds: no case needs more"),
    "too many years": (COMPLICATION, COMPLICATION.replace("0.2}", "2e9}"), "expected at most 1,000,000,000: no case needs more"),
    "two benefits": (BENEFIT, f"benefit_gbp: {{viral: 1}}\n    {BENEFIT}",
                     "`benefit_gbp` says what it is worth already; write all of it here, or all of it there", BENEFIT),
    "no decision": (BENEFIT, BENEFIT.replace("[treat, refer]", "[]"), "names no decision, so that it would never be paid; name"),
    "unknown decision": (BENEFIT, BENEFIT.replace("[treat, refer]", "[treet]"), "'treet' is no decision; did you mean 'treat'?"),
    "decision twice": (BENEFIT, BENEFIT.replace("[treat, refer]", "[refer, refer]"), "a decision is named twice; name it once"),
    "loss by a finding": (FEARED, "      - {when: {egfr: low}, loss_gbp: 300, why: Contrast may harm}\n",
                          "found 300; egfr is a finding, which shows what is wrong and harms nobody, so it only forbids: write 0"),
    "amount by a finding": (FEARED, FEARED.replace("kidney_disease: yes", "egfr: low"), "found an amount; egfr is a finding, which"),
    "a loss that is no number": (RADIATION, "loss_gbp_per_msv: lots", "found 'lots'; expected a number"),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_fault_is_reported_on_its_line_with_how_to_mend_it(name: str, tmp_path: Path) -> None:
    old, new, message, *at = CASES[name]
    text = with_amounts()
    assert text.count(old) == 1
    spoiled = text.replace(old, new)
    marker = at[0] if at else new.splitlines()[0]
    assert spoiled.count(marker) == 1
    file = tmp_path / "spoiled.yaml"
    file.write_text(spoiled, encoding="utf-8")
    faults = lint(file)
    found = [fault.line for fault in faults if message in fault.message]
    assert spoiled[: spoiled.index(marker)].count("\n") + 1 in found, "\n".join(map(str, faults))


def test_the_tutorial_with_amounts_is_clean(tmp_path: Path) -> None:
    file = tmp_path / "scenario.yaml"
    file.write_text(with_amounts(), encoding="utf-8")
    assert lint(file) == ()
