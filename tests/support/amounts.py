"""The tutorial with every amount that may differ by patient written so."""

from __future__ import annotations

from importlib.resources import files

TUTORIAL = files("workup.scenarios").joinpath("tutorial", "scenario.yaml").read_text(encoding="utf-8")
CHANGES = (
    ("waiting_cost_gbp_per_day: 150", "waiting_cost_gbp_per_day: {given: [kidney_disease], gbp: {no: 140, yes: 230}}"),
    ("loss_gbp_per_msv: 3", "loss_gbp_per_msv: {given: [smoked], gbp: {never: 4, ever: 2}}"),
    ("        loss_gbp: 2000\n", "        loss_gbp: {given: [kidney_disease], qaly: {no: 0.05, yes: 0.2}}\n"),
    ("cost_gbp: 200, loss_gbp: 30}", "cost_gbp: 200, loss_gbp: {given: [smoked, condition], gbp: {never: 20, "
     "ever: {lung_cancer: 10, otherwise: 45}}}}"),
    ("benefit_gbp: {pneumonia: 600, viral: -40}",
     "benefit: {given: [condition, kidney_disease], gbp: {viral: -40, pneumonia: {no: 550, yes: 800}, lung_cancer: 0}, "
     "when_decided: [treat, refer]}"),
    ("      - {when: {egfr: low}, loss_gbp: 0, why: Contrast may harm failing kidneys}   # a finding only forbids\n",
     "      - {when: {kidney_disease: yes}, loss_gbp: {given: [smoked], gbp: {never: 200, ever: 400}}, why: Contrast may harm}\n"),
)  # fmt: skip
"""What the tutorial says, and what is said here instead."""


def with_amounts() -> str:
    """The scenario file."""
    text = TUTORIAL
    for old, new in CHANGES:
        if text.count(old) != 1:
            raise AssertionError(old)
        text = text.replace(old, new)
    return text
