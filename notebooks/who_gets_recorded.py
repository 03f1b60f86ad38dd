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
# # Who gets recorded?
#
# *Synthetic patients; research and teaching only, never medical advice.*
#
# A hospital's richest records, with bloods, scans and histology all linked, are not a sample of its patients. Each
# test was ordered **because** of what the tests before it showed. So the patients with complete records are those in
# whom something serious was likely, and the patient who needed no more than a good history leaves nearly nothing
# behind. This is figure 1B of Banerji and others, *Clinicians must participate in the development of multimodal AI*
# (eClinicalMedicine 2025;84:103252).
#
# Here we make such records ourselves, from simulated patients with unexpected weight loss whose true illness we know,
# and ask three questions:
#
# 1. How much more disease is there among the fully investigated, and is there a formula for it?
# 2. Does the formula hold for a real protocol that orders what it thinks best?
# 3. Is the mere **existence** of a result a sign of disease? When is it not?

# %%
# %matplotlib inline
import matplotlib.pyplot as plt
import numpy as np
import polars as pl
from IPython.display import display

import workup
from workup.agents.registry import make_agent
from workup.envs.journeys import run_journeys
from workup.envs.patient_model import RESULT

scenario = workup.load_scenario("weight_loss")
world = workup.compile_world(scenario)
CANCERS = scenario.groups["cancer"]
is_cancer = np.array([name in CANCERS for name in world.model.conditions])
N = 20_000
INK, BLUE, ORANGE = "#1d2430", "#0072B2", "#D55E00"  # Okabe and Ito: safe for colour-blind readers
plt.rcParams.update({"axes.spines.top": False, "axes.spines.right": False, "font.size": 9})

population = float(world.model.prior.sum(axis=0) @ is_cancer[world.model.condition_of])
print(f"{population:.2%} of those who present with weight loss have a cancer")

# %% [markdown]
# ## 1. A gate, and its formula
#
# Think of each tier of tests as a gate. Let $a_j$ be the chance that a patient **with** cancer who has come as far as
# gate $j$ passes it, and $b_j$ the same for a patient **without**. Bayes' theorem in odds form says that each gate
# multiplies the odds of cancer by $a_j/b_j$, so that after $k$ gates
#
# $$\operatorname{logit} p_k = \operatorname{logit} p_0 + \sum_{j=1}^{k} \log\frac{a_j}{b_j}.$$
#
# A gate that lets the ill through more readily than the well enriches; a gate that is blind ($a = b$) does nothing.
#
# First a deliberately simple doctor, for whom $a_j$ and $b_j$ can be worked out **exactly** from the model, without
# simulating anybody:
#
# - reduced appetite → measure CRP;
# - CRP raised → chest X-ray;
# - film suspicious → the patient counts as *fully investigated*.

# %%
GATES = [("appetite", "reduced"), ("crp", "raised"), ("cxr", "suspicious")]
network = world.model.network


def passes(gate, among):
    """Exact chance of passing a gate, among those described by `among`."""
    finding, wanted = gate
    return network.posterior(finding, among)[wanted]


def logit(p):
    return np.log(p / (1 - p))


def expit(x):
    return 1 / (1 + np.exp(-x))


others = tuple(name for name in world.model.conditions if name not in CANCERS)
so_far, log_odds, rows = {}, logit(population), [("everyone who presents", None, None, population)]
for finding, wanted in GATES:
    a = passes((finding, wanted), {"condition": CANCERS, **so_far})
    b = passes((finding, wanted), {"condition": others, **so_far})
    log_odds += np.log(a / b)
    so_far[finding] = wanted
    rows.append((f"{finding} {wanted}", a, b, float(expit(log_odds))))

exact = pl.DataFrame(rows, schema=["gate", "a: passes if cancer", "b: passes if not", "prevalence after"], orient="row")
display(exact)

# %% [markdown]
# The formula must agree with asking the model directly for the probability of cancer given all three findings. It
# does, to rounding. Note that $a_2$ is the chance of a raised CRP among cancer patients **who have a poor appetite**,
# not among all cancer patients: the findings hang together, and a product of unconditional figures would be wrong.

# %%
direct = sum(network.posterior("condition", so_far)[name] for name in CANCERS)
assert abs(direct - rows[-1][-1]) < 1e-9, "the closed form must equal Bayes"

naive = logit(population) + sum(
    np.log(passes(g, {"condition": CANCERS}) / passes(g, {"condition": others})) for g in GATES
)
print(
    f"closed form {rows[-1][-1]:.4f}, Bayes directly {direct:.4f}, unconditional figures multiplied {expit(naive):.4f}"
)

# %% [markdown]
# Now let that doctor see simulated patients. Does the prevalence in the records match the closed form, within the
# noise of so many patients?


# %%
class GateDoctor:
    """Goes through the gates in order, one test at a time, and reassures whoever does not pass."""

    name = "gate doctor"
    needs = None

    def __init__(self, world):
        names = [action.name for action in world.actions]
        model = world.model
        self.tests = [names.index(f"order {test}") for test in ("history", "examination", "crp_test", "chest_xray")]
        self.reassure = names.index("decide reassure")
        self.gates = [(model.observables.index(f), model.network.variable(f).values.index(v)) for f, v in GATES]

    def act(self, view):
        done = np.stack([view.status[:, view.world.actions[t].items[0]] == RESULT for t in self.tests], axis=1)
        step = done.sum(axis=1)  # the tests come strictly in order
        action = np.where(step < 4, np.array([*self.tests, self.reassure])[step], self.reassure)
        for j, (finding, value) in enumerate(self.gates[:2]):
            stopped = (step == 2 + j) & (view.values[:, finding] != value)
            action[stopped] = self.reassure
        return action.astype(np.int64)


def interval(k, n):
    """Wilson's 95% interval for k of n."""
    p, z = k / n, 1.96
    middle, half = p + z * z / 2 / n, z * np.sqrt(p * (1 - p) / n + z * z / 4 / n / n)
    return (middle - half) / (1 + z * z / n), (middle + half) / (1 + z * z / n)


doctor = GateDoctor(world)
seen = run_journeys(world, doctor.act, agent=doctor.name, patients=np.arange(5 * N), seed=1)
ill = is_cancer[seen.condition]
passed = np.ones(len(ill), bool)
simulated = [(float(ill.mean()), *interval(ill.sum(), len(ill)))]
for finding, value in doctor.gates:
    passed &= seen.values[:, finding] == value
    simulated.append((float(ill[passed].mean()), *interval(ill[passed].sum(), passed.sum())))

for (name, _, _, closed), (p, low, high) in zip(rows, simulated, strict=True):
    print(f"{name:26s} closed form {closed:6.2%}   records {p:6.2%}  (95% {low:.2%} to {high:.2%})")
    assert low <= closed <= high, "the records must match the closed form"

# %%
figure, axes = plt.subplots(figsize=(6.5, 3.2))
x = np.arange(len(rows))
for i, (_, low, high) in enumerate(simulated):
    axes.plot([i, i], [low, high], color=BLUE, lw=5, alpha=0.4, solid_capstyle="butt")
axes.plot(x, [row[-1] for row in rows], "o", color=ORANGE)
for i, row in enumerate(rows):
    axes.annotate(f"{row[-1]:.1%}", (i, row[-1]), (8, 2), textcoords="offset points", color=ORANGE)
axes.set_xticks(x, ["everyone", *(f"{f}\n{v}" for f, v in GATES)])
axes.set_xlim(-0.4, len(rows) - 0.4)
axes.set_ylim(0, None)
axes.yaxis.set_major_formatter(lambda v, _: f"{v:.0%}")
axes.set_title(
    "cancer among those who got so far: closed form (dots), simulated records (bars)", loc="left", fontsize=9
)
plt.show()

# %% [markdown]
# ## 2. A real protocol
#
# The protocol of the scenario (NICE NG12 and DG56, in outline) orders many tests for many reasons, so no table of the
# model gives its $a_j$ and $b_j$. But the formula still holds if we say what the gates are: *went on to bloods*,
# *went on to imaging*, *went on to an invasive test*. We measure $a_j$ and $b_j$ on one half of the patients,
# predict the prevalence at every depth, and hold the prediction against the **other** half.

# %%
DEPTHS = ["history and examination", "bedside or bloods", "imaging", "invasive or molecular"]
DEPTH_OF_TIER = {"history": 0, "examination": 0, "bedside": 1, "bloods": 1, "imaging": 2, "invasive": 3, "molecular": 3}
depth_of_item = np.array([DEPTH_OF_TIER.get(tier, 0) for tier in world.tier])


def depth_reached(journeys):
    """(n,) the deepest tier from which each patient has a result in the record."""
    return ((journeys.status == RESULT) * depth_of_item).max(axis=1)


guideline = make_agent("guideline", world)
records = run_journeys(world, guideline.act, agent="guideline", patients=np.arange(2 * N), seed=2)
depth, ill = depth_reached(records), is_cancer[records.condition]
first, second = slice(0, N), slice(N, 2 * N)

table, log_odds = [], logit(ill[first].mean())
for k, name in enumerate(DEPTHS):
    if k:
        before, now = depth[first] >= k - 1, depth[first] >= k
        a, b = (now[before & group].mean() for group in (ill[first], ~ill[first]))
        log_odds += np.log(a / b)
    here = depth[second] >= k
    low, high = interval(ill[second][here].sum(), here.sum())
    table.append((name, here.mean(), expit(log_odds), ill[second][here].mean(), low, high))

enrichment = pl.DataFrame(
    table, schema=["reached at least", "share of patients", "predicted", "in the records", "low", "high"], orient="row"
)
display(enrichment)

# %% [markdown]
# The prediction carries the noise of the first half as well as the second, so we allow for both: the difference of
# the two prevalences, on the scale of log odds, must lie within 1.96 of its standard errors.

# %%
for k, (name, _, predicted, found, _, _) in enumerate(table):
    errors = [
        1 / max(ill[half][depth[half] >= k].sum(), 1) + 1 / max((~ill[half])[depth[half] >= k].sum(), 1)
        for half in (first, second)
    ]
    z = (logit(found) - logit(predicted)) / np.sqrt(sum(errors))
    print(f"{name:26s} predicted {predicted:6.2%}, found {found:6.2%}, z = {z:+.2f}")
    assert abs(z) < 3, "the gates of one half must predict the records of the other"

fold = table[-1][3] / table[0][3]
print(f"\nCancer is {fold:.0f} times as common among the fully investigated as among all who presented.")
assert fold > 3

# %%
shares = np.array([[np.mean(depth[ill == group] >= k) for k in range(4)] for group in (False, True)])
figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.2))
for row, colour, name in zip(shares, (BLUE, ORANGE), ("no cancer", "cancer"), strict=True):
    left.plot(range(4), row, "o-", color=colour)
    left.annotate(name, (2, row[2]), (6, 6), textcoords="offset points", color=colour)
right.bar(range(4), [row[3] for row in table], color=ORANGE, alpha=0.75)
right.errorbar(
    range(4),
    [row[3] for row in table],
    [[row[3] - row[4] for row in table], [row[5] - row[3] for row in table]],
    fmt="none",
    color=INK,
)
right.plot(range(4), [row[2] for row in table], "D", ms=5, color=INK)
right.annotate("diamonds: predicted\nby the gates", (0.02, 0.8), xycoords="axes fraction", color=INK)
for axes, title in ((left, "share of patients whose record reaches"), (right, "cancer among those records")):
    axes.set_xticks(range(4), ["history", "bloods", "imaging", "invasive"])
    axes.yaxis.set_major_formatter(lambda v, _: f"{v:.0%}")
    axes.set_ylim(0, None)
    axes.set_title(title, loc="left", fontsize=9)
plt.tight_layout()
plt.show()

# %% [markdown]
# A model trained on the fully investigated would learn that cancer is this common among people who lose weight. It is
# not. Which illnesses are over-represented, and who is missing?

# %%
deep = depth == 3
shift = pl.DataFrame(
    {
        "condition": [scenario.conditions[name].label for name in world.model.conditions],
        "of all who present": np.bincount(records.condition, minlength=len(is_cancer)) / len(depth),
        "of the fully investigated": np.bincount(records.condition[deep], minlength=len(is_cancer)) / deep.sum(),
    }
).with_columns((pl.col("of the fully investigated") / pl.col("of all who present")).alias("times"))
with pl.Config(tbl_rows=-1, float_precision=3):
    print(shift.sort("times", descending=True))

# %% [markdown]
# ## 3. Is it informative that a result exists?
#
# Forget what the results say, and look only at whether they are **there**. Take a patient with cancer and one
# without: how often is the test in the record of the first and not of the second, rather than the other way round?
# That is the area under the ROC curve (AUC) of "a result exists" on its own; 0.5 is no better than tossing a coin.
# For a yes/no mark it is $(1 + a - b)/2$.
#
# Two things can make existence informative, and the simulator lets us switch each of them off:
#
# - **the policy**: results exist because somebody had a reason to order them. We compare the guideline with a
#   doctor who tosses a coin for each patient: everything, or nothing;
# - **the mechanism**: results fail or cannot be had for reasons tied to the illness (there is no lesion to biopsy;
#   the frail do not return the kit; the patient declines). `compile_world(..., switched_off=[...])` disables any of
#   these.

# %%
MECHANISMS = [*scenario.availability, *(f"{n}.refused" for n, i in scenario.investigations.items() if i.refusable)]
intact = workup.compile_world(scenario, switched_off=MECHANISMS)


def presence(world, policy):
    """Which items have a result, (n, I), and who has cancer, (n,), for 2N patients."""
    patients = np.arange(2 * N)
    if policy == "clinical":
        run = run_journeys(world, make_agent("guideline", world).act, agent=policy, patients=patients, seed=3)
        return run.status == RESULT, is_cancer[run.condition]
    runs = [
        run_journeys(world, make_agent(name, world).act, agent=name, patients=patients[half::2], seed=3)
        for half, name in enumerate(("all", "none"))  # patients come in no order, so every other one is a coin toss
    ]
    return np.concatenate([r.status == RESULT for r in runs]), is_cancer[np.concatenate([r.condition for r in runs])]


def auc(exists, ill):
    """AUC of a yes/no mark with its standard error."""
    a, b = exists[ill].mean(), exists[~ill].mean()
    return (1 + a - b) / 2, np.sqrt(a * (1 - a) / ill.sum() + b * (1 - b) / (~ill).sum()) / 2


cells = {
    (policy, mechanism): presence(w, policy)
    for policy in ("clinical", "coin")
    for mechanism, w in (("on", world), ("off", intact))
}
TESTS = ["chest_xray", "fit_test", "ct_cap", "colonoscopy", "biopsy"]
found = {
    (test, *cell): auc(there[:, world.items.index(test)], sick)
    for test in TESTS
    for cell, (there, sick) in cells.items()
}
columns = list(cells)
print(f"{'a result exists for':22s}" + "".join(f"{p + ', mechanisms ' + m:>27s}" for p, m in columns))
for test in TESTS:
    print(f"{test:22s}" + "".join(f"{found[test, *c][0]:19.3f} ± {1.96 * found[test, *c][1]:.3f}" for c in columns))
