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
# # Verification by hand
#
# *Synthetic patients; research and teaching only, never medical advice.*
#
# A cheap test is done in everybody. A reference standard that is never wrong is done in those whom somebody sends there. How good
# does the cheap test look in the records of the clinic?
#
# **Five minutes**: read down to the first picture. **Fifty**: predict before every cell, work out the table by hand, do the exercise.

# %%
# %matplotlib inline
import os

import matplotlib.pyplot as plt
import polars as pl
from IPython.display import display

import workup
from workup.studies.bias.corrections import Checked, begg_greenes, bounds, complete_case
from workup.studies.bias.phenomena.verification import observed
from workup.studies.bias.phenomenon import exactly, measured, phenomenon

N = 4_000 if os.environ.get("WORKUP_QUICK") else 20_000
plt.rcParams.update({"axes.spines.top": False, "axes.spines.right": False, "font.size": 9})
pl.Config(tbl_rows=-1, tbl_hide_dataframe_shape=True, tbl_hide_column_data_types=True)

# %% [markdown]
# ## Twenty patients
#
# One in five is ill. The test finds 80 of 100 ill (sensitivity 0.80) and clears 85 of 100 healthy people (specificity 0.85). The doctor sends those who
# seem ill, and now and then somebody else.

# %%
clinic = workup.cohort("two_by_two", "suspicion:ill:1", patients=N, seed=0)
records = clinic.to_frame()
display(records.select("patient", "test", "reference", "reference absent").head(20))

# %% [markdown]
# ## Predict
#
# Count, among patients with a reference standard, how many of the ill had a positive test. **Write down whether it will be more or less than 0.80,
# and whether the specificity will be more or less than 0.85**, before you run the next cell.

# %%
verified = records.filter(pl.col("reference").is_not_null())
table = verified.group_by("test", "reference").len().sort("test", "reference")
display(table)
count = {(row["test"], row["reference"]): row["len"] for row in table.to_dicts()}
tp, fn = count["positive", "present"], count["negative", "present"]
tn, fp = count["negative", "absent"], count["positive", "absent"]
print(f"sensitivity among the verified {tp / (tp + fn):.3f}, specificity {tn / (tn + fp):.3f}")

# %% [markdown]
# ## Reveal
#
# This clinic's hidden truth is beside its records. Among *everybody* the test is what it was made to be.

# %%
truth = clinic.truth_frame()
everyone = records.join(truth, on="patient").group_by("condition", "test").len().sort("condition", "test")
display(everyone)

# %% [markdown]
# ## Explain
#
# The ill whom the test missed had a negative test, so hardly anybody looked for their illness: they are missing from the records, and sensitivity looks better
# than it is. The healthy with a negative test are missing too, and specificity looks worse. If verification depends on the test alone and is *r* times
# as likely after a positive one, the observed figures are Se·r/(Se·r + 1 − Se) and Sp/(Sp + r·(1 − Sp)).

# %%
shown = phenomenon("verification")
exact, found = exactly(shown), measured(shown, patients=N)
r = exact["verified if positive over verified if negative"]
print(f"r = {r:.2f}: by the formula {observed(0.80, 0.85, r)[0]:.3f} and {observed(0.80, 0.85, r)[1]:.3f}")
figure, axes = plt.subplots(figsize=(6, 3.4))
assert shown.figure is not None
shown.figure(axes, exact, found)
axes.set_title(shown.title, loc="left")
plt.show()

# %% [markdown]
# ## Mend
#
# Where verification depends on the test alone, what is known of verified patients with a negative test holds for all with a negative test (Begg and
# Greenes 1983). Weigh them up again, by hand:

# %%
share = records["test"].value_counts(normalize=True)
of = dict(zip(share["test"], share["proportion"], strict=True))
ill_if = {
    test: count[test, "present"] / (count[test, "present"] + count[test, "absent"]) for test in ("positive", "negative")
}
prevalence = sum(of[test] * ill_if[test] for test in of)
print(f"prevalence {prevalence:.3f}, sensitivity {of['positive'] * ill_if['positive'] / prevalence:.3f}")

data = Checked(
    positive=(records["test"] == "positive").to_numpy(),
    verified=records["reference"].is_not_null().to_numpy(),
    ill=(records["reference"] == "present").fill_null(False).to_numpy(),
)
for name, repair in (("verified alone", complete_case(data)), ("Begg and Greenes", begg_greenes(data))):
    print(f"{name:18}", {key: f"{each.value:.3f} ({each.low:.3f} to {each.high:.3f})" for key, each in repair.items()})
print("whatever is true  ", {key: f"{low:.3f} to {high:.3f}" for key, (low, high) in bounds(data).items()})

# %% [markdown]
# ## Exercise
#
# A guideline sends *every* positive test to the reference standard and *no* negative one. Make that cohort (`workup.cohort("two_by_two", "guideline",
# patients=2_000)`) and try to mend it. What comes out, and what should a paper on such records report?
#
# <details><summary>Answer</summary>
#
# Sensitivity among the verified is 1.000, by construction, and `begg_greenes` refuses: nobody was verified in the stratum "test negative", so nobody stands for it.
# It names the bounds. A paper can report the positive predictive value, and nothing about sensitivity.
#
# </details>

# %%
rule = workup.cohort("two_by_two", "guideline", patients=2_000).to_frame()
strict = Checked(
    (rule["test"] == "positive").to_numpy(),
    rule["reference"].is_not_null().to_numpy(),
    (rule["reference"] == "present").fill_null(False).to_numpy(),
)
try:
    begg_greenes(strict)
except workup.WorkupError as error:
    print(error)
