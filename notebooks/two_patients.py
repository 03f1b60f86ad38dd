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
# # Two patients, the same complaint
#
# *Synthetic patients; research and teaching only, never medical advice.*
#
# Two people have lost weight. One is 28, well, and has been training for a half-marathon. The other is 67, has always
# smoked, and coughs. They present with the same words, and need entirely different journeys: the first needs a
# good history and nothing else; the second needs bloods, a film, a CT, and in the end perhaps a needle (the best policy
# leaves the CT to the rapid diagnostic clinic, once bloods, film and FIT have said that he should go there). This is
# figure 1A of Banerji and others, *Clinicians must participate in the development of multimodal AI*
# (eClinicalMedicine 2025;84:103252).
#
# A model that expects every test for every patient cannot see the difference. Here we watch two policies take both
# patients through, and look over their shoulder at what each result does to the probability of every cause.

# %%
# %matplotlib inline
import numpy as np
from IPython.display import Markdown, display

import workup
from workup.agents.registry import make_agent
from workup.envs.engine.cases import vignette_cases
from workup.envs.model.population import Population
from workup.envs.records.run import run_journeys
from workup.report.figures import Scale, colours, journey_figure
from workup.report.story import tell
from workup.wording import moment, percent, pounds

scenario = workup.load_scenario("weight_loss")
world = workup.compile_world(scenario)
RUNNER, SMOKER = (next(name for name in scenario.vignettes if end in name) for end in ("exerciser", "lung_cancer"))

for name in (RUNNER, SMOKER):
    display(Markdown(f"> **{scenario.vignettes[name].title}.** {scenario.vignettes[name].story}"))

# %% [markdown]
# ## Where both start
#
# Before a word is said, the model knows only age and sex. Most people who lose weight have no serious disease, and
# the older man has only a few chances in a hundred of a cancer.

# %%
CANCERS = scenario.groups["cancer"]
network = world.model.network
for who, known in (
    ("woman of 28", {"age": "under_40", "sex": "female"}),
    ("man of 67", {"age": "60_to_79", "sex": "male"}),
):
    chances = network.posterior("condition", known)
    print(f"{who}: any cancer {sum(chances[name] for name in CANCERS):.2%}, intentional {chances['intentional']:.0%}")

# %% [markdown]
# ## Two policies take both patients through
#
# - the **guideline** follows the scenario's protocol (NICE NG12 and DG56, in outline), rule by rule;
# - the **optimum** plans ahead: it orders a test if its result, and what that makes worth doing next, is worth more
#   to the decision than it costs in money, harm and time, and stops when nothing is. It knows the model exactly, as
#   no clinician does; where the exact plan is too large it takes the best it found, within stated bounds.
#
# What a vignette does not state (a blood result, whether a sample is lost) is drawn from the model, so we run
# 40 copies of each patient and look at the commonest route.

# %%
DRAWS = 40
agents = {name: make_agent(name, world) for name in ("optimum", "guideline")}
journeys = {
    (name, patient): run_journeys(
        Population(world, vignette_cases(world, patient, draws=DRAWS, seed=0)),
        agent,
        name=name,
        patients=np.arange(DRAWS),
        seed=0,
        record=True,
    )
    for name, agent in agents.items()
    for patient in (RUNNER, SMOKER)
}
stories = {
    (name, patient): tell(each, stated=scenario.vignettes[patient].findings)
    for (name, patient), each in journeys.items()
}
palette, scale = colours(list(stories.values())), Scale.of(list(stories.values()))


def steps(story):
    """A journey as a table."""
    lines = ["|  | when | what | spent | any cancer | what it showed |", "|-|-|:-|-:|-:|:-|"]
    for step in story.steps:
        cancer = sum(step.posterior[story.conditions.index(name)] for name in CANCERS)
        cells = (step.number, moment(step.clock_h), f"**{step.what}**", pounds(step.spent_gbp), percent(cancer, 1))
        lines.append(f"| {' | '.join(map(str, cells))} | {'; '.join(step.results)} |")
    return Markdown("\n".join(lines))


# %% [markdown]
# ## The runner
#
# Top: which tier each step belongs to. Middle: what it has cost so far. Bottom: the probability of each cause; the
# true one is in bold. Watch how the history alone moves nearly everything to *intentional*.

# %%
display(journey_figure(stories["optimum", RUNNER], palette, scale))
display(steps(stories["optimum", RUNNER]))

# %% [markdown]
# ## The smoker
#
# The same axes. Each tier is ordered because of what the one before it showed, and each makes the next worth having.

# %%
display(journey_figure(stories["optimum", SMOKER], palette, scale))
display(steps(stories["optimum", SMOKER]))

# %% [markdown]
# ## The same two under the guideline

# %%
for patient in (RUNNER, SMOKER):
    display(journey_figure(stories["guideline", patient], palette, scale))
    display(steps(stories["guideline", patient]))

# %% [markdown]
# ## Side by side
#
# Over all draws, not only the commonest route.

# %%
lines = [
    "| policy | patient | tests | cost | dose | days | certainty of the true cause at the end |",
    "|:-|:-|-:|-:|-:|-:|-:|",
]
for (name, patient), each in journeys.items():
    certainty = each.condition_posterior[np.arange(DRAWS), each.condition].mean()
    lines.append(
        f"| {name} | {scenario.vignettes[patient].title} | {each.tests.mean():.1f} | {pounds(each.cost_gbp.mean())} "
        f"| {each.dose_msv.mean():.1f} mSv | {each.clock_h.mean() / 24:.0f} | {percent(certainty)} |"
    )
display(Markdown("\n".join(lines)))

# %% [markdown]
# What we claimed, checked:

# %%
for name in agents:
    runner, smoker = journeys[name, RUNNER], journeys[name, SMOKER]
    decided = {world.decisions[decision] for decision in runner.decision}
    assert decided == {"reassure"}, "the runner goes home reassured"
    assert (runner.tests == 0).all(), "and needs no test after history and examination"
    assert (runner.dose_msv == 0).all()
    assert smoker.tests.mean() >= 4, "the smoker's journey is long"
    assert smoker.cost_gbp.mean() > 2 * runner.cost_gbp.mean()

names = list(world.items)
for story in (stories["optimum", SMOKER], stories["guideline", SMOKER]):
    tiers = [tier for step in story.steps for tier in step.tiers]
    assert tiers.index("imaging") > tiers.index("examination"), "nobody is scanned unexamined"
    if "invasive" in tiers:
        assert tiers.index("imaging") < tiers.index("invasive"), "no needle before a picture"

chance = {
    key: story.posterior[:, [story.conditions.index(c) for c in CANCERS]].sum(axis=1) for key, story in stories.items()
}
assert chance["optimum", SMOKER][-1] > 2 * chance["optimum", SMOKER][0], "the tests say where he should go"
assert chance["guideline", SMOKER][-1] > 5 * chance["guideline", SMOKER][0], "and the CT finds it"
assert chance["optimum", RUNNER][-1] < 0.005, "and the history alone ruled it out"
print("every claim holds")

# %% [markdown]
# ## Exercises
#
# 1. Give the runner a raised CRP: copy the vignette with `scenario.vignettes[RUNNER].model_copy(update={"findings":
#    ...})` and pass it to `vignette_cases`. Does anything change before the test is ordered? Should it?
# 2. Run both patients under `all`, which orders everything. What does the runner's certainty cost, in pounds and
#    millisieverts, and what does it change about the decision?
# 3. Compile the world with `switched_off=["no_lesion_to_biopsy"]`. Which of the two journeys could change, and why
#    not the other?
# 4. The smoker's chest film was normal. Find the step at which you, as the clinician, would have ordered the CT.
#    Would you have waited for the FIT?
