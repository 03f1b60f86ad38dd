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
# # Repairing, and when repair fails
#
# *Synthetic patients; research and teaching only, never medical advice.*
#
# Every repair of selected records assumes something about why patients were selected. Here the assumption is true in one clinic and false in the next, and the
# repair cannot tell.
#
# **Five minutes**: the table. **Fifty**: predict which rows will be right, find the reason in the policy, do the exercise.

# %%
# %matplotlib inline
import os
from dataclasses import replace

import matplotlib.pyplot as plt
import numpy as np

import workup
from workup.envs.model.codes import RESULT
from workup.studies.bias.corrections import Checked, begg_greenes, bounds, complete_case, estimated_chance, weighted

N = 40_000 if os.environ.get("WORKUP_QUICK") else 120_000
TRUE = 0.02
plt.rcParams.update({"axes.spines.top": False, "axes.spines.right": False, "font.size": 9})

# %% [markdown]
# ## Two clinics
#
# Both take a first look at everybody and order a second look for whom they suspect. A registry later finds out who was ill, but only among those with a second look.
# In the first clinic suspicion rests on what is written down. In the second the doctor also listens to an impression that nobody writes down.
#
# **Predict**: in which clinic do weights that are estimated from the records bring the prevalence back to 2%?


# %%
def clinic(policy):
    met = workup.cohort("gates", policy, patients=N, seed=3)
    first = met.values[:, met.world.model.observables.index("first_look")]
    seen = met.status[:, met.world.items.index("blood")] == RESULT
    data = Checked(positive=first >= 12, verified=seen, ill=met.condition == 1, features=np.eye(19)[first])
    return data, first


rows = []
for who, policy in (("suspicion", "lapse:0.3:suspicion:ill:1"), ("gestalt", "lapse:0.3:gestalt:ill:1")):
    data, first = clinic(policy)
    rows += [
        (who, "those selected", complete_case(data)["prevalence"]),
        (who, "weights from the records", weighted(replace(data, chance=estimated_chance(data)))["prevalence"]),
        (who, "Begg and Greenes by first look", begg_greenes(data, first.clip(5, 17).astype(int))["prevalence"]),
    ]
    low, high = bounds(data)["prevalence"]
    print(f"{who}: whatever is true of the others, between {low:.3f} and {high:.3f}")

# %%
figure, axes = plt.subplots(figsize=(6.5, 3.2))
for at, (who, repair, found) in enumerate(rows):
    axes.errorbar(
        [found.value], [at], xerr=[[found.value - found.low], [found.high - found.value]], fmt="o", color="#0072B2"
    )
    print(
        f"{who:10} {repair:32} {found.value:.4f} ({found.low:.4f} to {found.high:.4f}), effective size {found.effective:,.0f}"
    )
axes.axvline(TRUE, color="#D55E00", linestyle="--", label="true")
axes.set_yticks(range(len(rows)), [f"{who}: {repair}" for who, repair, _ in rows])
axes.invert_yaxis()
axes.set_xlabel("prevalence")
axes.legend(fontsize="small")
plt.show()

# %% [markdown]
# ## Explain
#
# In the first clinic the first look holds every reason for a second one, so whoever was selected stands for those who looked the same and were not. In the second,
# among patients who look the same on paper, those who worried the doctor went on, and they are sicker. Weights made from the records count them as if they were
# like the rest. More patients make this more precise and no less wrong, and nothing in the records says so; only bounds stay true, and they are wide.
#
# Note the effective size: weights make few patients out of many.
#
# ## Exercise
#
# Take the lapses away (`suspicion:ill:1`): nothing but suspicion decides. What happens to weights, and why is an audit of even a few random patients worth so much?
#
# <details><summary>Answer</summary>
#
# The healthy-looking are hardly ever selected, so the few who are stand for thousands each: the effective size falls under 30 and nothing is estimated. A random audit puts a
# floor under everybody's chance, which bounds the weights.
#
# </details>

# %%
data, _ = clinic("suspicion:ill:1")
try:
    print(weighted(replace(data, chance=estimated_chance(data)))["prevalence"])
except workup.WorkupError as error:
    print(error)
