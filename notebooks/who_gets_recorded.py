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
from matplotlib.ticker import MultipleLocator

import workup
from workup.agents.registry import make_agent
from workup.envs.model.cases import Cases
from workup.envs.model.codes import RESULT, UNKNOWN
from workup.envs.model.population import Population
from workup.envs.records.run import run_journeys

scenario = workup.load_scenario("weight_loss")
world = workup.compile_world(scenario)
CANCERS = scenario.groups["cancer"]
is_cancer = np.array([name in CANCERS for name in world.model.conditions])
N = 10_000
INK, BLUE, ORANGE = "#1d2430", "#0072B2", "#D55E00"  # Okabe and Ito: safe for colour-blind readers
pl.Config(tbl_rows=-1, fmt_str_lengths=70, tbl_hide_dataframe_shape=True, tbl_hide_column_data_types=True)
plt.rcParams.update({"axes.spines.top": False, "axes.spines.right": False, "font.size": 9})


def sample(n, seed, *, cancer=None):
    """n patients drawn from the model: everybody, or only those with (True) or without (False) cancer."""
    among = True if cancer is None else is_cancer[world.model.condition_of] == cancer
    joint = world.model.prior * among
    drawn = np.random.default_rng(seed).choice(joint.size, n, p=(joint / joint.sum()).ravel())
    profile, hidden = np.divmod(drawn, joint.shape[1])
    nothing_fixed = np.full((n, len(world.model.observables)), UNKNOWN, np.int16)  # findings are drawn on the way
    return Cases(profile.astype(np.int32), hidden.astype(np.int32), nothing_fixed)


def journeys_of(agent, patients, *, world=world):
    """Take these patients through their journeys."""
    ids = np.arange(len(patients.profile))
    return run_journeys(Population(world, patients), agent, patients=ids, seed=1)


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


def in_words(finding, value):
    """'C-reactive protein raised'."""
    return f"{world.scenario.findings[finding].label} {value}"


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
    rows.append((in_words(finding, wanted), a, b, float(expit(log_odds))))

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
        names, model = [action.name for action in world.actions], world.model
        tests = [world.items[model.item_of[model.observables.index(finding)]] for finding, _ in GATES[1:]]
        self.tests = [names.index(f"order {test}") for test in ("history", "examination", *tests)]
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
seen = journeys_of(doctor, sample(5 * N, 1))
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
axes.set_xticks(x, ["everyone", *(f"{world.scenario.findings[f].label}\n{v}" for f, v in GATES)])
axes.set_xlim(-0.4, len(rows) - 0.4)
axes.set_ylim(0, None)
axes.yaxis.set_major_locator(MultipleLocator(0.05))
axes.yaxis.set_major_formatter(lambda v, _: f"{v:.0%}")
axes.set_title(
    "cancer among those who got so far: closed form (dots), simulated records (bars)", loc="left", fontsize=9
)
plt.show()

# %% [markdown]
# ## 2. Two real policies
#
# Real policies order many tests for many reasons, so no table of the model gives their $a_j$ and $b_j$. But the
# formula still holds if we say what the gates are: *has bloods or a bedside test*, *has imaging*, *has an invasive
# test*. And it lets us do what an epidemiologist does with a rare disease: measure $a_j$ in a sample of **cases**,
# $b_j$ in a sample of **controls**, and predict from these what share of the population's records will be cancers.
#
# - The **guideline** follows the scenario's protocol (NICE NG12 and DG56, in outline).
# - **voi** orders a test only if its result is worth more to the decision than it costs in money, harm and time.

# %%
DEPTHS = ["history and examination", "bloods or bedside", "imaging", "invasive or molecular"]
DEPTH_OF_TIER = {"bedside": 1, "bloods": 1, "imaging": 2, "invasive": 3, "molecular": 3}
depth_of_item = np.array([DEPTH_OF_TIER.get(tier, 0) for tier in world.tier])
SIZES = {"guideline": (4_000, 4_000, 30_000), "voi": (600, 2_000, 4_000)}  # cases, controls, population
ENOUGH = 5  # cases and controls that must reach a depth for it to be predicted


def depth_reached(journeys):
    """(n,) the deepest tier from which each patient has a result in the record."""
    return ((journeys.status == RESULT) * depth_of_item).max(axis=1)


table = []
for policy, (n_cases, n_controls, n_population) in SIZES.items():
    agent = make_agent(policy, world)
    runs = [journeys_of(agent, sample(n, 2, cancer=c)) for n, c in ((n_cases, True), (n_controls, False))]
    sizes = np.array([n_cases, n_controls])
    counts = np.array(
        [[(depth_reached(run) >= k).sum() for k in range(4)] for run in runs]
    )  # (cases and controls, depth)
    a, b = counts[:, 1:] / counts[:, :-1].clip(1)
    with np.errstate(divide="ignore", invalid="ignore"):
        predicted = expit(logit(population) + np.concatenate([[0], np.cumsum(np.log(a / b))]))
    predicted[counts.min(axis=0) < ENOUGH] = np.nan

    records = journeys_of(agent, sample(n_population, 3))
    depth, ill = depth_reached(records), is_cancer[records.condition]
    for k, name in enumerate(DEPTHS):
        here = depth >= k
        low, high = interval(ill[here].sum(), here.sum())
        # the log odds of the prediction and of the records each carry the noise of their own sample
        noise = (1 / counts[:, k].clip(1) - 1 / sizes).sum() + 1 / max(ill[here].sum(), 1) + 1 / (~ill[here]).sum()
        z = (logit(max(ill[here].mean(), 0.5 / here.sum())) - logit(predicted[k])) / np.sqrt(noise)
        table.append((policy, name, here.mean(), predicted[k], ill[here].mean(), low, high, z))

enrichment = pl.DataFrame(
    table,
    schema=["policy", "reached at least", "of patients", "predicted", "in the records", "low", "high", "z"],
    orient="row",
)
with pl.Config(float_precision=3):
    display(enrichment)

# %% [markdown]
# `z` is the difference between prediction and records in units of its standard error, both samples' noise included. A
# depth that fewer than five cases or controls reach is not predicted (NaN).

# %%
compared = enrichment["z"].drop_nans()
assert len(compared) >= 6
assert compared.abs().max() < 3, "cases, controls and the formula must predict the population's records"

fold = {policy: np.nanmax([row[3] for row in table if row[0] == policy]) / population for policy in SIZES}
for policy, times in fold.items():
    print(f"{policy}: cancer up to {times:.1f} times as common in the records as among patients")
assert fold["guideline"] > 1.2, "the guideline's records over-represent cancer"
assert fold["voi"] > 1.3 * fold["guideline"], "and the more carefully tests are chosen, the more so"

# %% [markdown]
# This is the uncomfortable part. The **better** a policy chooses whom to investigate, the **less** its records look
# like its patients. A protocol that images two patients in three leaves records that are nearly fair, and pays for
# that in money, radiation and false alarms. A clinician who investigates only where it matters leaves records in
# which cancer is common, and from which a model learns that it is common everywhere.

# %%
figure, panels = plt.subplots(1, 2, figsize=(9, 3.4), sharey=True)
for axes, policy in zip(panels, SIZES, strict=True):
    rows_of = [row for row in table if row[0] == policy]
    found, low, high = (np.array([row[c] for row in rows_of]) for c in (4, 5, 6))
    x = np.arange(4)
    axes.vlines(x, low, high, color=BLUE, lw=5, alpha=0.4)
    axes.plot(x, found, "o", color=BLUE)
    axes.plot(x + 0.16, [row[3] for row in rows_of], "D", ms=5, color=ORANGE)
    axes.axhline(population, color=INK, lw=0.8, ls=":")
    axes.annotate("all patients", (3.45, population), (0, -9), textcoords="offset points", ha="right", fontsize=8)
    names = ("history", "bloods", "imaging", "invasive")
    axes.set_xticks(
        x, [f"{name}\n{row[2]:.1%} of patients" for name, row in zip(names, rows_of, strict=True)], fontsize=7.5
    )
    axes.set_yscale("log")
    axes.set_ylim(0.007, 1)
    axes.set_yticks([0.01, 0.03, 0.1, 0.3, 1], ["1%", "3%", "10%", "30%", "100%"])
    axes.minorticks_off()
    axes.set_title(f"{policy}: cancer among records that reach at least", loc="left", fontsize=9)
panels[0].annotate("in the records, with 95% interval", (0.03, 0.88), xycoords="axes fraction", color=BLUE)
panels[0].annotate("predicted from cases and controls", (0.03, 0.80), xycoords="axes fraction", color=ORANGE)
plt.tight_layout()
plt.show()

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


class Everything:
    """Orders whatever may be ordered, whatever it shows, and then reassures."""

    name = "everything"
    needs = None

    def __init__(self, world):
        kinds = np.array([action.kind for action in world.actions])
        self.orders = np.flatnonzero(kinds == "order")
        self.reassure = [action.name for action in world.actions].index("decide reassure")

    def act(self, view):
        legal = view.mask[:, self.orders]
        return np.where(legal.any(axis=1), self.orders[legal.argmax(axis=1)], self.reassure)


def worked_up(world, policy):
    """The journeys of 3N patients, and which items have a result in their records, (n, I)."""
    agent = make_agent("guideline", world) if policy == "clinical" else Everything(world)
    run = journeys_of(agent, sample(3 * N, 4), world=world)
    exists = run.status == RESULT
    if policy == "coin":
        tails = np.random.default_rng(3).random(3 * N) < 0.5
        exists[tails] = False  # these patients were never worked up
    return run, exists


def auc(exists, ill):
    """AUC of a yes/no mark with its standard error."""
    a, b = exists[ill].mean(), exists[~ill].mean()
    return (1 + a - b) / 2, np.sqrt(a * (1 - a) / ill.sum() + b * (1 - b) / (~ill).sum()) / 2


TESTS = [name for name, each in scenario.investigations.items() if each.tier in ("bloods", "imaging", "invasive")]
FREE = [name for name in TESTS if not scenario.investigations[name].requires]  # that anybody may have
CELLS = [(policy, mechanisms) for policy in ("clinical", "coin") for mechanisms in ("on", "off")]
runs = {(policy, m): worked_up(world if m == "on" else intact, policy) for policy, m in CELLS}
found = {
    (test, *cell): auc(exists[:, world.items.index(test)], is_cancer[run.condition])
    for test in TESTS
    for cell, (run, exists) in runs.items()
}
pl.DataFrame(
    {
        "a result exists for": [scenario.investigations[test].label for test in TESTS],
        **{
            f"{policy}, mechanisms {m}": [
                "{:.3f} ± {:.3f}".format(*found[t, policy, m] * np.array([1, 1.96])) for t in TESTS
            ]
            for policy, m in CELLS
        },
    }
).pipe(display)

# %% [markdown]
# Under the clinical policy the existence of a CT says a good deal about cancer before anybody has looked at it. A
# full blood count can even speak **against** cancer (an AUC below one half): the protocol sends those with the most
# worrying symptoms straight to CT after a kidney test, so a count in the record means that the worry was smaller.
# Nearly nothing of this comes from the mechanisms: it is the policy. The coin makes existence empty for the tests
# that anybody may have, as it must. Where it does not, the rules of the clinic are a gate of their own: nobody may
# have a biopsy without a lesion on CT, coin or no coin.

# %%
for m in ("on", "off"):
    value, error = found["ct_cap", "clinical", m]
    assert value - 3 * error > 0.55, "a CT in the record is a sign of cancer"
assert len(FREE) >= 2
for test in FREE:
    value, error = found[test, "coin", "off"]
    assert abs(value - 0.5) < 3 * error, f"a coin and no mechanism: {test} must be uninformative"

# %% [markdown]
# The mechanism shows where it acts. A radiologist who goes to biopsy what a CT showed finds nothing safe to sample
# in few cancers, but in half of those where the abnormality was something else. So among patients whose CT shows
# something and who are all sent to biopsy, **having** a histology report at all speaks for cancer. The closed form
# is that of a single gate: $a$ and $b$ are the chances that not every attempt fails, which the model states. All
# other mechanisms are off, so that this one stands alone.


# %%
def chance_of_result(model, item, attempts, journeys):
    """(n,) exact chance that one of so many attempts gives a result, for each patient."""
    rows, nothing = model.status_rows, np.ones(len(journeys.patient))
    first = rows.start[item] + rows.of_profile[item, journeys.profile] + rows.of_hidden[item, journeys.hidden]
    for attempt in range(attempts):
        nothing *= model.status_table[first + attempt * model.status_attempt_stride[item], 1]
    return 1 - nothing


only = workup.compile_world(scenario, switched_off=[name for name in MECHANISMS if name != "no_lesion_to_biopsy"])
biopsy, ct = world.items.index("biopsy"), world.model.observables.index("ct")
clear = world.model.network.variable("ct").values.index("clear")
shown = {}
for mechanism, w in (("on", only), ("off", intact)):
    run = journeys_of(Everything(w), sample(3 * N, 5), world=w)
    sent = (run.values[:, ct] >= 0) & (run.values[:, ct] != clear)
    ill = is_cancer[run.condition]
    value, error = auc((run.status[:, biopsy] == RESULT)[sent], ill[sent])
    chance = chance_of_result(w.model, biopsy, int(w.attempts[biopsy]), run)
    closed = (1 + chance[sent & ill].mean() - chance[sent & ~ill].mean()) / 2
    shown[mechanism] = value
    print(
        f"mechanism {mechanism:3s}: AUC of 'a biopsy exists' {value:.3f} ± {1.96 * error:.3f}, closed form {closed:.3f}"
    )
    assert abs(value - closed) <= 3 * error + 1e-12
assert shown["on"] > 0.55, "with the mechanism, a biopsy report is a sign of cancer"
assert shown["off"] == 0.5, "without it, every one of them has a report"

# %% [markdown]
# ## What to take away
#
# - Records are made by decisions. Prevalence among the fully investigated follows from $a_j$ and $b_j$ alone, and
#   those belong to the **policy** as much as to the disease.
# - A missing result is itself a finding. Filling it in as if it had gone missing at random throws that away; using
#   it as a feature makes the model depend on a policy that will change.
# - Whoever trains on such records should know which patients are not in them.
#
# ## Exercises
#
# 1. Repeat section 2 for `junior` and `senior`, the same planner with a noisier and a better knowledge of medicine.
#    Whose records are fairer? Whose patients are better off?
# 2. Change the second gate of the simple doctor to a blind one (order the film whatever the CRP). What happens to
#    the closed form, and to the records?
# 3. Which illness other than cancer is over-represented among those with imaging? Use
#    `depth_reached` and the condition of each patient.
