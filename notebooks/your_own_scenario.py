# ---
# jupyter:
#   jupytext:
#     formats: ipynb,py:percent
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Your own scenario
#
# *Synthetic patients; research and teaching only, never medical advice.*
#
# Write a small world, let two doctors loose on it, and see what their records say, what is true, and which question they can answer. Take the one below and change it into your own.
#
# **Five minutes**: read the scenario, then the verdicts. **Fifty**: change a figure, predict, run; then write your own from the exercise. The language is in
# [docs/language.md](../docs/language.md), a longer case with every feature in `scenarios/tutorial`.

# %%
import os
import tempfile
from pathlib import Path

import polars as pl

import workup
from workup.studies.bias.corrections import Checked, begg_greenes, bounds, complete_case
from workup.studies.bias.supports import supported
from workup.studies.cohorts import write_cohort

N = 4_000 if os.environ.get("WORKUP_QUICK") else 20_000
FOLDER = Path(tempfile.mkdtemp())

# %% [markdown]
# ## A world in forty lines
#
# Somebody has twisted an ankle. One in eight has a fracture. Everybody is felt for pain over the bone. A film shows the fracture; not everybody gets one. Every figure is invented.

# %%
ANKLE = """
id: ankle
title: A twisted ankle
version: "1.0"
about: Somebody has twisted an ankle. Invented for teaching; none of it should guide care.
status: assumed
note: Invented for teaching.
who:
  authors: [A student]
  status: draft
  guideline: {name: Invented rule, version: "2026"}
  setting: A classroom
  price_year: 2023
groups:
  fracture: [broken]
context: {}
conditions:
  sprain: {label: Sprain, waiting_cost_gbp_per_day: 0}
  broken: {label: Fracture, waiting_cost_gbp_per_day: 0}
prior:
  table: {sprain: 0.875, broken: 0.125}
findings:
  bone_pain:
    label: Pain over the bone
    given: [condition]
    chance: {sprain: 0.25, broken: 0.85}
  film:
    label: Film
    values: [whole, broken]
    given: [condition]
    chance: {sprain: 0, broken: 1}
investigations:
  history: {label: History, tier: history, cost_gbp: 0, turnaround: 0 min}
  examination: {label: Feeling the ankle, tier: examination, reveals: [bone_pain], cost_gbp: 0, turnaround: 5 min}
  xray: {label: Film of the ankle, tier: imaging, reveals: [film], cost_gbp: 30, turnaround: 30 min}
new_visit_after: 12 h
utility: {unit: gbp, gbp_per_qaly: 20000}
decisions:
  home: {label: Send home, kind: reassure, right_for: [sprain], utility: {sprain: 0, broken: -3000}}
  plaster: {label: Plaster, kind: treat, right_for: [broken], utility: {sprain: -500, broken: 0}}
rewards:
  complex_decision: {label: What the right treatment is worth, weights: {cost: 1, harm: 1, delay: 1, utility: 1}}
  triage:
    label: Only the urgency has to be right
    weights: {cost: 1, harm: 1, delay: 1, utility: 1}
    urgency_utility_gbp:
      urgent: {urgent: 0, routine: -20000}
      routine: {urgent: -2000, routine: 0}
guideline:
  - {do: history, when: {history: not_done}, why: Listen first}
  - {do: examination, when: {examination: not_done}, why: Then feel}
  - {do: xray, when: {xray: not_done, bone_pain: "yes"}, why: Pain over the bone needs a film}
  - {do: plaster, when: {film: broken}, why: The film is never wrong}
  - {do: home, why: Nothing was found}
max_steps: 6
"""


def written(name, text):
    """The scenario's file; its faults are printed, with line and remedy."""
    path = FOLDER / name / "scenario.yaml"
    path.parent.mkdir()
    path.write_text(text, encoding="utf-8")
    for fault in workup.lint(path):
        print(fault)
    return path


ankle = written("ankle", ANKLE)
print(workup.load_scenario(ankle).title)

# %% [markdown]
# ## Predict
#
# Two doctors. One follows the rule: a film for pain over the bone, and for nobody else. The other suspects: the likelier a fracture, the likelier a film, and now and then a film without pain. **Among patients
# with a film, how many are broken under each, and how sensitive does pain over the bone look?** In truth one in eight is broken, and 85 of 100 of these have the pain.


# %%
def told(scenario, policy):
    """What the records say, beside the truth."""
    met = workup.cohort(scenario, policy, patients=N, seed=1)
    records = met.to_frame().join(met.truth_frame(), on="patient")
    data = Checked(
        positive=(records["bone_pain"] == "yes").to_numpy(),
        verified=records["film"].is_not_null().to_numpy(),
        ill=(records["film"] == "broken").fill_null(False).to_numpy(),
    )
    broken = records.filter(pl.col("condition") == "broken")
    print(f"{policy}: truth: broken {len(broken) / N:.3f}, sensitivity {(broken['bone_pain'] == 'yes').mean():.3f}")
    for words, repair in (("with a film", complete_case), ("Begg and Greenes", begg_greenes)):
        try:
            found = repair(data)
        except workup.WorkupError as error:
            print(f"  {words}: {error}")
            continue
        print(
            f"  {words}: "
            + ", ".join(
                f"{name} {found[name].value:.3f} ({found[name].low:.3f} to {found[name].high:.3f})"
                for name in ("prevalence", "sensitivity")
            )
        )
    print(
        "  whatever is true: "
        + ", ".join(
            f"{name} {low:.3f} to {high:.3f}" for name, (low, high) in bounds(data).items() if name != "specificity"
        )
    )


for policy in ("guideline", "suspicion:broken:1"):
    told(ankle, policy)

# %% [markdown]
# ## Can these records answer?
#
# A cohort in a folder says so by itself, from the probability of every order, without looking at the truth. (On the command line: `workup cohort FILE --policy ... --out DIR`, then `workup cohort supports DIR
# 'prevalence fracture' --verified 'xray: done' --by bone_pain --scenario FILE`.)

# %%
for name, policy in (("rule", "guideline"), ("suspicion", "suspicion:broken:1")):
    write_cohort(str(ankle), policy, patients=N, seed=1, out=FOLDER / name)
    print(
        supported(
            FOLDER / name, "prevalence fracture", verified="xray: done", by=("bone_pain",), scenario=ankle
        ).told(),
        "\n",
    )

# %% [markdown]
# ## Explain
#
# The rule's records hold nobody without pain, so of them nothing is known: *not identified*, with bounds. The suspecting doctor sent some of everybody, and the record holds his reason, so
# the few with a film and no pain stand for the many without. That is all that separates the two, and it is a property of how patients were chosen, not of how many there are.
#
# ## Exercise
#
# Add what is seen and never written down: how somebody limps. Give the scenario a finding `limp` with `recorded: false`, let the history reveal it, and let `gestalt:broken:1` decide. Does
# Begg and Greenes still lead back? What does the verdict say, and why can it not know?
#
# <details><summary>Answer</summary>
#
# It does not lead back: among patients without pain over the bone those who limped were sent, and they were broken more often than the rest for whom they now stand. The verdict is made from
# the chance of every film, which this cohort keeps, and which knows of the limp; a real clinic never wrote it down. So a verdict speaks for somebody who knows how patients were chosen, and for nobody who has
# the records alone.
#
# </details>

# %%
limping = (
    ANKLE.replace("id: ankle", "id: limping")
    .replace(
        "findings:\n",
        "findings:\n  limp:\n    label: Limp\n    recorded: false\n    given: [condition]\n    chance: {sprain: 0.2, broken: 0.8}\n",
    )
    .replace("tier: history,", "tier: history, reveals: [limp],")
)
limp = written("limping", limping)
told(limp, "gestalt:broken:1")
write_cohort(str(limp), "gestalt:broken:1", patients=N, seed=1, out=FOLDER / "gestalt")
print(
    supported(FOLDER / "gestalt", "prevalence fracture", verified="xray: done", by=("bone_pain",), scenario=limp).told()
)
