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
# # Later tests see less
#
# *Synthetic patients; research and teaching only, never medical advice.*
#
# Whoever gets a second look was alike in the first. So a test that tells patients apart in all comers tells them apart less well where it is really
# done, two findings that go together in all comers go together less, and the same test looks worse the later it comes.
#
# **Five minutes**: the first prediction, its table, the picture. **Fifty**: predict before every cell, work out the formula by hand, find out why the repair
# fails in the third table, do the exercise.

# %%
# %matplotlib inline
import os

import matplotlib.pyplot as plt
import numpy as np

import workup
from workup.studies.bias.exact import exact_cohort
from workup.studies.bias.measures import auc_of_law, correlation, spread
from workup.studies.bias.phenomena.range_restriction import pearson_lawley, scale
from workup.studies.bias.phenomenon import exactly, held, measured, phenomenon

N = 10_000 if os.environ.get("WORKUP_QUICK") else 100_000
plt.rcParams.update({"axes.spines.top": False, "axes.spines.right": False, "font.size": 9})
gates = workup.compile_world(workup.load_scenario("gates"))

# %% [markdown]
# ## Predict
#
# Severity is a bell curve and the sickest 2% are ill. Three looks, each as good as the other (an error of 0.7 standard deviations), open three gates. **The second and the third
# look are the same test. How well does each tell the ill from the well, by AUC, among those who have it?** Under chance everybody has the same chance of a gate; with
# suspicion it rises with the odds of disease.

# %%
ILL = np.array([False, True])


def seen(slope):
    """AUC of each look among those who have it; worked out, not simulated."""
    law = exact_cohort(gates, workup.make_agent(f"suspicion:ill:{slope}", gates))
    found = []
    for look, item in (("first_look", "examination"), ("second_look", "blood"), ("third_look", "scan")):
        there, ill = law.done(item), law.of_conditions(ILL)
        score = law.value(look)[there].astype(float)
        found.append(auc_of_law(score, ill[there], law.probability[there] - ill[there]))
    return found


aucs = {slope: seen(slope) for slope in (0, 0.5, 1, 2)}
for slope, found in aucs.items():
    print(
        f"suspicion {slope:3}: "
        + ", ".join(f"{name} look {auc:.3f}" for name, auc in zip(("first", "second", "third"), found, strict=True))
    )

# %% [markdown]
# ## Explain
#
# At a suspicion of 0 all three are equal: they are the same test, and whoever has them is a sample of everybody. With suspicion the healthy end is missing behind each gate,
# and what is left to tell apart is the ill from the nearly ill. The test has not changed, and nobody measured it wrongly. A study of the third look done where it is
# used, and a study of it in all comers, differ, and both are right: they answer different questions.

# %%
shown = phenomenon("range_restriction")
exact, found = exactly(shown), measured(shown, patients=N)
figure, axes = plt.subplots(figsize=(6, 3.4))
assert shown.figure is not None
shown.figure(axes, exact, found)
axes.set_title(shown.title, loc="left")
plt.show()
for each in held(exact, found):
    print(f"{each.name:46} cohort {each.estimate.value:.4f}, exact {each.exact:.4f}")

# %% [markdown]
# ## A formula for it
#
# If patients are selected on the first look alone, and the second rises with the first in a straight line, then the correlation *r* among the selected follows from the one in
# everybody and from how much the first look's spread has shrunk, to *u* of what it was (Pearson 1903, Lawley 1943):
#
# $$ r' = \frac{r\,u}{\sqrt{1 - r^2 + r^2 u^2}} $$
#
# **Work it out by hand** with the figures above, then run.

# %%
assert shown.formula is not None
for name, (formula, true) in shown.formula(exact).items():
    print(f"{name}: by the formula {formula:.4f}, exact {true:.4f}")

# %% [markdown]
# It can be turned round: with *1/u* in the place of *u* it leads from the selected back to everybody. **Predict**: in which of three clinics does it come back to the truth? One selects
# on the first look; one listens to an impression that nobody writes down as well; and of the third we look behind its second gate, where the second look selected too.


# %%
def mended(policy, item):
    """Correlation of first and second look: in everybody, among the selected, and led back by the formula."""
    met = workup.cohort(gates, policy, patients=N, seed=5)
    first, second = (
        scale(gates, met.true_values[:, gates.model.observables.index(f"{look}_look")]) for look in ("first", "second")
    )
    chosen = met.status[:, gates.items.index(item)] == 2
    whole, part = (correlation(first[rows], second[rows], "looks") for rows in (np.ones(len(first), bool), chosen))
    u = spread(first[chosen], "first look").value / spread(first, "first look").value
    low, high = (pearson_lawley(each, 1.0 / u) for each in part.interval(level=0.95))
    return whole.value, part.value, pearson_lawley(part.value, 1.0 / u), low, high


for words, policy, item in (
    ("selected on the first look", "suspicion:ill:1", "blood"),
    ("and on something unwritten", "gestalt:ill:1", "blood"),
    ("behind the second gate", "suspicion:ill:1", "scan"),
):
    whole, part, back, low, high = mended(policy, item)
    print(f"{words:27} everybody {whole:.3f}, selected {part:.3f}, led back {back:.3f} ({low:.3f} to {high:.3f})")

# %% [markdown]
# The repair works where its assumption holds, and nothing in the records says where that is: it needs every variable that selected, and no formula has the one that nobody wrote
# down.
#
# ## Exercise
#
# Does it always go this way? In `weight_loss` cancer is rare and hardly any finding of the history is normal in everybody. Look at the spread of two findings (in bands)
# among everybody and behind each stage of the guideline. Say first which way it will go.
#
# <details><summary>Answer</summary>
#
# It depends on the finding. Where most patients are alike and the few unlike are those selected, spread *grows* behind a gate, for they are added to a narrow crowd; *range restriction* is
# what happens to a wide scale of which an end is cut off. Which of the two it is has to be measured, as below.
#
# </details>

# %%
from workup.studies.bias.as_found import as_found

met = workup.cohort("weight_loss", "guideline", patients=3_000 if os.environ.get("WORKUP_QUICK") else 20_000)
for each in as_found(met, "cancer"):
    if each.phenomenon == "range":
        print(f"{each.what:58} {each.value:.3f} ({each.low:.3f} to {each.high:.3f})")
