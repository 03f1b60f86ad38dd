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
# # That a test was done is a finding
#
# *Synthetic patients; research and teaching only, never medical advice.*
#
# Severity of illness goes up in steps, and disease is what lies above the 98th centile. Three times somebody looks, and decides who goes on. We read no result
# at all: only *which tests are there*.
#
# **Five minutes**: the first picture. **Fifty**: predict before every cell, then the exercise.

# %%
# %matplotlib inline
import os

import matplotlib.pyplot as plt
import numpy as np

import workup
from workup.agents.registry import make_agent
from workup.studies.bias.exact import exact_cohort
from workup.studies.bias.measures import auc, auc_of_law
from workup.studies.bias.phenomena.presence import TESTS
from workup.studies.bias.phenomenon import exactly, held, measured, phenomenon

N = 20_000 if os.environ.get("WORKUP_QUICK") else 60_000
plt.rcParams.update({"axes.spines.top": False, "axes.spines.right": False, "font.size": 9})

# %% [markdown]
# ## Predict
#
# Of 100 patients 2 are ill. **Of 100 patients who had all three tests, how many are?** Of 100 who had none?

# %%
shown = phenomenon("presence")
exact, found = exactly(shown), measured(shown, patients=N)
figure, axes = plt.subplots(figsize=(6, 3.4))
assert shown.figure is not None
shown.figure(axes, exact, found)
axes.set_title(shown.title, loc="left")
plt.show()
for each in held(exact, found):
    print(f"{each.name:28} cohort {each.estimate.value:.4f}, exact {each.exact:.4f}")

# %% [markdown]
# ## Explain
#
# Nobody read a result, and the number of tests tells the ill from the well as a good test would: doctors test those who worry them. A model that sees which values are missing
# learns the doctors. In another clinic, with other doctors, that knowledge is worth nothing, or worse.
#
# How strongly does it depend on suspicion? At a slope of 0 every test is ordered by chance.

# %%
world = workup.compile_world(workup.load_scenario("two_by_two"))
for slope in (0, 0.25, 0.5, 1, 2):
    law = exact_cohort(world, make_agent(f"suspicion:ill:{slope}", world))
    ill = law.of_conditions(np.array([False, True]))
    print(
        f"slope {slope}: AUC of having been verified {auc_of_law(law.done('biopsy').astype(float), ill, law.probability - ill):.3f}"
    )

# %% [markdown]
# ## Behind every gate disease is commoner
#
# The same selection, seen as prevalence: the odds of disease grow at each gate by how much likelier the ill are to pass it than the well.

# %%
gates = phenomenon("gates")
exact, found = exactly(gates), measured(gates, patients=N)
figure, axes = plt.subplots(figsize=(6, 3.4))
assert gates.figure is not None
assert gates.formula is not None
gates.figure(axes, exact, found)
axes.set_title(gates.title, loc="left")
plt.show()
for name, (formula, true) in gates.formula(exact).items():
    print(f"{name:28} formula {formula:.4f}, exact {true:.4f}")

# %% [markdown]
# ## And when it was done
#
# Everybody has a film and a slide here, so nothing is missing; in the frail the slide is mostly done first. Frailty is not in the linked data, but the clock is.

# %%
order = phenomenon("order")
for each in held(exactly(order), measured(order, patients=N)):
    print(f"{each.name:42} cohort {each.estimate.value:.4f}, exact {each.exact:.4f}")
print(f"gain where the order is random: {exactly(order)['gain where the order is random']:.4f}")

# %% [markdown]
# ## Exercise
#
# In `weight_loss`, does the number of tests tell cancer from the rest under the guideline? Under `voi`, which orders what is most worth its price? Say why before you run it.
#
# <details><summary>Answer</summary>
#
# Under the guideline much less than under `voi`: it tests by rules that many patients meet who have no cancer, and `voi` tests whom it suspects. What the records of a clinic say about its patients depends on
# how it chooses.
#
# </details>

# %%
for policy in ("guideline", "voi"):
    met = workup.cohort("weight_loss", policy, patients=2_000 if os.environ.get("WORKUP_QUICK") else 6_000)
    cancer = np.isin(met.condition, [met.world.model.conditions.index(c) for c in met.world.scenario.groups["cancer"]])
    tests = [i for i, tier in enumerate(met.world.tier) if tier not in ("history", "examination", "act")]
    each = auc((met.status[:, tests] > 0).sum(axis=1).astype(float), cancer, policy)
    low, high = each.interval(level=0.95)
    print(f"{policy:10} AUC of the number of tests {each.value:.3f} ({low:.3f} to {high:.3f})")
print("tests counted here and in gates:", len(tests), len(TESTS))
