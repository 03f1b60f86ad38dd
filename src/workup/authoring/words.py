"""What a new scenario says about itself: how to read it, and how to go on."""

HEAD = """\
A first draft, made of the answers to `workup new`. Change anything, then run `workup lint` on this folder: it says what is
wrong, on which line, and how to mend it. `workup explain` tells the scenario back in plain words.

- What is indented belongs to the line above. Indent with spaces, two for each level, never with the tab key.
- A probability is a number from 0 to 1. `chance` is that of the last value (usually `yes`); `table` gives one to each value.
- `given: [condition]` says what the numbers depend on; they follow, one for each condition.
- Every figure is `assumed` unless its block says otherwise: `status: seen` and `source: S1` once you have read it in the
  source S1 of sources.yaml; `status: recalled` if you cite from memory; `status: derived` for arithmetic on other figures.
- Money is in pounds, time as '20 min', '2 h', '3 days', '6 weeks'.
The whole language is in docs/language.md; docs/authoring.md takes you through it step by step.

"""

SECTIONS = {
    "context": """\
------------------------------------------------------------------- the patient
Who the patient is, before any finding. A number (age) has `unit` and `bands` in place of `values`.""",
    "conditions": "What may be behind it: one principal cause for each patient.",
    "prior": """\
How often each cause is behind it. To let it depend on the context, name that under `given` and nest the table
under its values.""",
    "findings": """\
What can be found, and how often under each condition. A number has `unit` and `bands`; findings that are wrong
together share a `latent` finding.""",
    "investigations": """\
----------------------------------------------------------------- what one can do
Each may also have: `dose_msv`, `complications`, `requires` (what must be known first), `contraindicated`, `refusable`,
`attempts`. Treatments go under `acts`. What goes wrong with results goes under `availability`.""",
    "acts": "What helps and does not end the journey. `benefit_gbp` is added to what the end is worth.",
    "utility": """\
----------------------------------------------------------------- how it can end
What a decision is worth, by the true condition: 0 is best, minus is harm.""",
    "rewards": "Two ways to score a journey: by what the decision is worth, or by its urgency alone.",
    "guideline": """\
------------------------------------------------------------ what ought to be done
The first rule that holds and can be done is followed. The last has no `when` and decides.""",
}

FOOT = """\
1. Read `scenario.yaml` from the top. Its comments say what else can be said.
2. `workup lint {id}` after every change.
3. `workup explain {id}`: is this what you meant?
4. `workup check {id} --agent guideline` and `workup check {id} --agent optimum`: do usual practice and the best policy
   treat the patient above as you would? Add patients to `vignettes.yaml`, above the three dots that end it.
5. Look up the figures that matter most. Put the source into `sources.yaml`, and say `status: seen` where you read it.
6. When a clinician has read it all: `workup sign {id} --name ... --role ...`.
"""
