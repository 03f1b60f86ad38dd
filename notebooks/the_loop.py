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
# # The loop
#
# *Synthetic patients; research and teaching only, never medical advice.*
#
# A model learns from the patients whom doctors tested. Then the model says who is tested, and the next model learns from those. It is often feared that such a loop makes a bias worse
# every time. Here is what happens, in a clinic for patients who have lost weight.
#
# **Five minutes**: the prediction and the first picture. **Fifty**: predict before every picture, find the patients whom nobody tests, do the exercise. With five seeds and intervals over
# them it is in [docs/bias.md](../docs/bias.md); below is one.

# %%
# %matplotlib inline
import math
import os

import matplotlib.pyplot as plt
import numpy as np

import workup
from workup.envs.records.cohorts import run_cohort
from workup.studies.bias.database import question, records_of
from workup.studies.bias.loop import ARMS, run_loop

N = 16_000 if os.environ.get("WORKUP_QUICK") else 40_000
plt.rcParams.update({"axes.spines.top": False, "axes.spines.right": False, "font.size": 9})

# %% [markdown]
# ## Before the loop
#
# Doctors order bloods, then a chest film, the likelier the more they suspect cancer. The database keeps those who had both, and a registry knows who had cancer. The model reads bloods, age
# and sex. It is judged on other patients, on *everybody* whom the rules allow a film.

# %%
world = workup.compile_world(workup.load_scenario("weight_loss"))
asked = question("weight_loss")
doctors = workup.make_agent("suspicion:cancer:0.5", world)
records, test = (
    records_of(run_cohort(world, doctors, patients=np.arange(N) + first, seed=0), asked) for first in (0, N)
)
print(
    f"in the database {records.inside.sum():,} of {N:,}; ill there {records.ill[records.inside].mean():.1%}, "
    f"of everybody allowed a film {records.ill[records.testable].mean():.1%}"
)

# %% [markdown]
# ## Predict
#
# From generation 1 on everybody has bloods, and the newest model sends a tenth of them for the film, each with a chance that rises with the odds it gives. Only these enter the
# next database. *Observed over expected* (O/E) is 1 for a model that expects as many cancers as there are, and under 1 for one that expects too many. **Generation 0 expects
# too many. Will generation 5 be worse, the same, or better?**


# %%
runs = {}


def drawn(arms):
    """Run the loops and draw O/E by generation."""
    _, axes = plt.subplots(figsize=(6.2, 3.2))
    for shift, (name, marker) in zip(np.linspace(-0.12, 0.12, len(arms)), zip(arms, "osD", strict=False), strict=False):
        run = runs[name] = run_loop(records, test, ARMS[name], patients=N, seed=0)
        logs, errors = np.array([each.all["observed_over_expected"] for each in run.generations]).T
        at = np.arange(len(logs))
        low, high = np.exp(logs - 1.96 * errors), np.exp(logs + 1.96 * errors)
        axes.errorbar(
            at + shift, np.exp(logs), yerr=[np.exp(logs) - low, high - np.exp(logs)], marker=marker, label=name
        )
        print(f"{name}: {ARMS[name].words}")
        for number, each in enumerate(run.generations):
            ratio, error = each.all["observed_over_expected"]
            print(
                f"  generation {number}: tested {each.tested:,}, of all cancers {each.found:.1%}, of those with normal bloods {each.found_normal:.1%}; "
                f"O/E {math.exp(ratio):.2f} ({math.exp(ratio - 1.96 * error):.2f} to {math.exp(ratio + 1.96 * error):.2f}), "
                f"AUC {each.all['auc'][0]:.3f}, net benefit {each.all['net_benefit'][0]:.1f}"
            )
        if run.ended:
            print(" ", run.ended)
    axes.axhline(1.0, color="black", linewidth=0.8, linestyle="--")
    axes.set_yscale("log")
    axes.set_yticks([0.4, 0.6, 0.8, 1.0, 1.4], ["0.4", "0.6", "0.8", "1", "1.4"])
    axes.minorticks_off()
    axes.set_xlabel("generation (0: the doctors' database)")
    axes.set_ylabel("observed over expected")
    axes.legend(fontsize="small")
    plt.show()


drawn(("naive", "audited"))

# %% [markdown]
# ## Explain
#
# It **heals**, at once. The doctors chose by the history, which the model does not read: among patients whose bloods look the same, those who worried them were sent, and they were sicker. The
# model chooses by what it reads, so among patients whose bloods look the same it is only chance who is sent. The reason for testing is in the data again, and the bias of the doctors is gone with
# their database. Nothing was repaired on purpose.
#
# An *audit*, two in a hundred tested by lot from the start, makes the first model a little better. Later it has little left to mend.
#
# ## Predict again
#
# Now the tenth with the highest risk is sent, and nobody else. What does such a database never hold? Look at the share found of cancers with normal
# bloods.

# %%
drawn(("threshold", "threshold, audited", "threshold, history"))

# %% [markdown]
# ## Explain
#
# Here it does **not** heal. Two things come together: a hard threshold, so that whoever looks harmless has no chance at all, and cancers that show only in what the model does not
# read. Six in ten patients have normal bloods. The doctors tested some of them, for their history; the model sends none, so no later database holds any, and nothing can ever tell it of
# their cancers. What it says of them is made up from the others.
#
# With two in a hundred by lot the swings are small (0.84 to 1.20 of what is expected), and of these cancers only those are found that the lot happened on. With a model that reads the history they are found: it needed the
# right finding, not more data.
#
# ## Exercise
#
# You are given only the database of generation 5 of *threshold* and its model. Which of these would show you that something is missing: AUC inside the database, O/E inside the
# database, the number of patients, a table of who is in it? Which one line would you ask for in a report on such a model?
#
# <details><summary>Answer</summary>
#
# Only the table of who is in it. Inside the database the model is right about those whom it chose. Ask: *how many patients with normal bloods were tested, and how were they
# chosen?* If the answer is nobody, its predictions for them rest on nothing. The cell below counts them.
#
# </details>

# %%
for name, run in runs.items():
    last = run.generations[-1]
    print(f"{name:20} cancers with normal bloods that were tested: {last.found_normal:.1%} of them")
