"""Each kind of fault is found in a spoiled copy of the tutorial, on its line, with how to mend it."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path
from typing import NamedTuple

import pytest

from workup.scenarios.language.library import load_scenario
from workup.scenarios.language.lint.lint import lint, warnings

TUTORIAL = files("workup.scenarios").joinpath("tutorial", "scenario.yaml").read_text(encoding="utf-8")


class Spoiled(NamedTuple):
    name: str
    old: str
    new: str
    message: str
    """Part of the expected message."""
    at: str = ""
    """Text on the line at fault; left out: the first line of `new`."""


def case(name: str, old: str, new: str, message: str, at: str = "") -> Spoiled:
    return Spoiled(name, old, new, message, at)


def locked(name: str, requirement: str, message: str, at: str = "") -> Spoiled:
    """The tutorial's referral requires something."""
    label = "    label: Refer to the lung cancer clinic\n"
    line = f"    requires: [{requirement}]\n"
    return Spoiled(name, label, label + line, message, at or line.strip())


CASES = [
    # Form
    case("unknown key", "    label: Fever\n", "    labbel: Fever\n", "did you mean 'label'?"),
    case("text for a number", "cost_gbp: 150", "cost_gbp: lots", "found 'lots'; expected a number"),
    case(
        "quoted number",
        "cost_gbp: 150",
        'cost_gbp: "150"',
        "found '150'; expected a number; write 150, the number alone",
    ),
    case("bad duration", "turnaround: 3 days", "turnaround: 3 fortnights", "write for example '20 min'"),
    case("bad choice", "tier: imaging\n", "tier: pictures\n", "'history', 'examination'"),
    # Mistakes of somebody who has never written such a file
    case("tab", "    label: Fever\n", "    \tlabel: Fever\n", "there is a tab; indent with spaces", "\tlabel: Fever"),
    case(
        "too far in",
        "    label: Fever\n    given",
        "    label: Fever\n      given",
        "the line above has its value already",
        "      given: [condition]\n    chance: {viral",
    ),
    case(
        "off by one",
        "    label: Fever\n    given: [condition]\n",
        "    label: Fever\n   given: [condition]  # here\n",
        "the indent of 3 spaces fits no line above",
        "# here",
    ),
    case("no colon", "    label: Fever\n", "    label Fever\n", "in 'label Fever' a colon is missing"),
    case("no space", "    label: Fever\n", "    label:Fever\n", "a space is missing after the colon"),
    case(
        "two colons", "    label: Fever\n", "    label: Fever: high\n", "put the text after the first in double quotes"
    ),
    case(
        "apostrophe",
        "    label: Fever\n",
        "    label: 'Fever's\n",
        "text goes on after the closing quote",
        "label: 'Fever's",
    ),
    case(
        "percent sign",
        "viral: 0.30, pneumonia: 0.80",
        "viral: 30%, pneumonia: 0.80",
        "found '30%'; expected a number; write 0.3 for 30%",
    ),
    case(
        "per cent",
        "viral: 0.30, pneumonia: 0.80",
        "viral: 30, pneumonia: 0.80",
        "30 is no probability; expected a number from 0 to 1; write 0.3 for 30%",
    ),
    case(
        "decimal comma",
        "viral: 0.30, pneumonia: 0.80",
        "viral: 0,30, pneumonia: 0.80",
        "for a decimal write 0.3, not 0,3",
    ),
    case(
        "pound sign", "cost_gbp: 150", "cost_gbp: £150", "found '£150'; expected a number; write 150, the number alone"
    ),
    case("no list", "right_for: [viral]", "right_for: viral", "found 'viral'; expected a list; write [viral]"),
    case(
        "true for yes",
        "{scan_wish: declines}}",
        "{scan_wish: true}}",
        "found true for scan_wish; expected accepts, declines",
    ),
    case(
        "capital", "when: {fever: yes, crp", "when: {fever: Yes, crp", "'Yes' is no value of fever; did you mean 'yes'?"
    ),
    case("nothing written", "cost_gbp: 150", "cost_gbp:", "found nothing; expected a number", "cost_gbp:\n"),
    case("missing label", "    label: Fever\n", "", "missing; write `label:` with what it is", "  fever:\n"),
    case(
        "missing section",
        "utility: {unit: qaly, gbp_per_qaly: 20000}\n",
        "",
        "utility: missing: the unit of what a decision is worth",
        "# A complete",
    ),
    case(
        "numbers without given",
        "    label: Fever\n    given: [condition]\n",
        "    label: Fever\n",
        "but `given` names nothing; name what they depend on",
        "    chance: {viral: 0.30",
    ),
    # Provenance
    case(
        "no such status",
        "    source: T1\n    status: recalled\n  ct",
        "    source: T1\n    status: guessed\n  ct",
        "'guessed' is no status",
        "status: guessed",
    ),
    case(
        "no such source",
        "    source: T1\n    status: recalled\n  ct",
        "    source: T9\n    status: recalled\n  ct",
        "source 'T9' is not listed under `sources`",
        "film:\n",
    ),
    case(
        "no status", "status: assumed\nnote: Invented", "note: Invented", "has no status (and", "    table: {never: 0.6"
    ),
    case(
        "seen without source",
        "chance: 0.1\n\nconditions",
        "chance: {value: 0.1, status: seen}\n\nconditions",
        "there is no `source`",
    ),
    case(
        "recalled without citation",
        "chance: 0.1\n\nconditions",
        "chance: {value: 0.1, status: recalled}\n\nconditions",
        "neither `source` nor `note`",
    ),
    case(
        "seen in an unread source",
        "chance: 0.1\n\nconditions",
        "chance: {value: 0.1, status: seen, source: T1}\n\nconditions",
        "does not say `seen: true`",
    ),
    case(
        "formula that gives another figure",
        "chance: 0.1\n\nconditions",
        "chance: {value: 0.1, status: derived, formula: 4 / 20}\n\nconditions",
        "'4 / 20' gives 0.2, but 0.1 is written; write 0.2, or mend the formula",
    ),
    case(
        "formula that does not compute",
        "chance: 0.1\n\nconditions",
        "chance: {value: 0.1, status: derived, formula: 9^9^9^9}\n\nconditions",
        "does not compute: ^ of 9, 3.8742e+08 is too large",
    ),
    case(
        "formula of a figure that is not there",
        "chance: 0.1\n\nconditions",
        "chance: {value: 0.1, status: derived, formula: findings.fever.chance.virus / 3}\n\nconditions",
        "'findings.fever.chance.virus' is no figure of this scenario; did you mean 'findings.fever.chance.viral'?",
    ),
    case(
        "search without its words",
        "chance: 0.1\n\nconditions",
        "chance: {value: 0.1, status: assumed, searched: {places: [PubMed], on: 2026-11-30, found: nothing}}\n\nconditions",
        "searched: lacks words; write {words: ...",
    ),
    case("reviewed by nobody", "  status: draft\n", "  status: reviewed\n", "reviewed by whom?"),
    # Probabilities
    case(
        "probability above 1",
        "viral: 0.30, pneumonia: 0.80",
        "viral: 1.30, pneumonia: 0.80",
        "1.3 is no probability; expected a number from 0 to 1",
    ),
    case("sum", "{never: 0.6, ever: 0.4}", "{never: 0.6, ever: 0.5}", "sum to 1.1; expected 1"),
    case("missing value", "{never: 0.6, ever: 0.4}", "{never: 1.0}", "no probability for ever"),
    case(
        "missing parent value",
        "{pneumonia: 0.70, otherwise: 0.10}",
        "{pneumonia: 0.70}",
        "nothing is said for condition viral, lung_cancer; add it, or `otherwise`",
    ),
    case(
        "idle otherwise",
        "viral: 0.30, pneumonia: 0.80, lung_cancer: 0.15",
        "viral: 0.30, pneumonia: 0.80, lung_cancer: 0.15, otherwise: 0",
        "remove `otherwise`",
    ),
    case(
        "covered twice",
        "{infection: 0.02, lung_cancer: {value",
        "{infection: 0.02, serious: 0.1, lung_cancer: {value",
        "pneumonia is also covered by 'infection'",
    ),
    case("nested too deep", "median: {viral: 12,", "median: {viral: {no: {a: 1}, yes: 2},", "`given` names"),
    case(
        "two laws",
        "    given: [opacity]\n    chance: {no: 0.04, yes: 0.84}",
        "    given: [opacity]\n    table: {}\n    chance: {no: 0.04, yes: 0.84}",
        "expected exactly one of",
        "film:\n",
    ),
    case("table for a chance", "chance: 0.05\n    charged", "table: {a: 0.05}\n    charged", "expected `chance` here"),
    case("negative sigma", "sigma: {pneumonia: 0.6,", "sigma: {pneumonia: -0.6,", "must be above 0"),
    # Modifiers
    case(
        "empty modifier", "{when: {smoked: ever}, odds: 1.5}", "{when: {}, odds: 1.5}", "a modifier that always holds"
    ),
    case(
        "modifier on everybody",
        "{when: {smoked: ever}, odds: 1.5}",
        "{when: {smoked: [never, ever]}, odds: 1.5}",
        "allows every value of smoked",
    ),
    case("whose odds?", "odds: {lung_cancer: 8, pneumonia: 1.5}", "odds: 8", "say whose odds"),
    case("empty odds", "odds: {lung_cancer: 8, pneumonia: 1.5}", "odds: {}", "name a value and its factor"),
    case(
        "ambiguous odds",
        "odds: {lung_cancer: 8, pneumonia: 1.5}",
        "odds: {serious: 8, infection: 1.5}",
        "pneumonia is also covered by 'serious'",
    ),
    case("zero odds", "{when: {smoked: ever}, odds: 1.5}", "{when: {smoked: ever}, odds: 0}", "must be above 0"),
    case(
        "same modifier twice",
        "      - {when: {smoked: ever}, odds: 1.5}",
        "      - {when: {smoked: ever}, odds: 1.5}\n      - {when: {smoked: ever}, odds: 2}",
        "modified twice",
        "odds: 2}",
    ),
    # Names
    case(
        "unknown parent",
        "    given: [kidney_disease]\n    table",
        "    given: [kidny_disease]\n    table",
        "did you mean 'kidney_disease'?",
    ),
    case(
        "parent of a wrong kind",
        "    chance: 0.1\n\nconditions",
        "    given: [fever]\n    chance: 0.1\n\nconditions",
        "'fever' is no variable on which this may depend",
    ),
    case("group member", "infection: [viral, pneumonia]", "infection: [viral, pnuemonia]", "did you mean 'pneumonia'?"),
    case("reveals", "reveals: [fever, haemoptysis]", "reveals: [fever, hemoptysis]", "did you mean 'haemoptysis'?"),
    case("reveals latent", "reveals: [film],", "reveals: [film, opacity],", "is latent and never revealed"),
    case("revealed twice", "reveals: [film],", "reveals: [film, crackles],", "one item reveals a variable"),
    case("revealed and known", "reveals: [film],", "reveals: [film, smoked],", "is known at the start already"),
    case("requires", "{film: shadow, haemoptysis: yes}", "{flim: shadow, haemoptysis: yes}", "did you mean 'film'?"),
    case("requires value", "{film: shadow, haemoptysis: yes}", "{film: dark, haemoptysis: yes}", "is no value of film"),
    case("contraindicated", "{when: {egfr: low}", "{when: {gfr: low}", "did you mean 'egfr'?"),
    case("contraindicated by two", "{when: {egfr: low}", "{when: {egfr: low, fever: yes}", "exactly one variable"),
    case("contraindicates all", "{when: {egfr: low}", "{when: {egfr: [low, normal]}", "allows every value of egfr"),
    case("refusal", "{when: {scan_wish: declines}}", "{when: {scan_wish: no_way}}", "is no value of scan_wish"),
    case(
        "set-up", "turnaround: 2 h, set_up: venepuncture}", "turnaround: 2 h, set_up: needle}", "is no entry of set_ups"
    ),
    case("resource", "uses: scanner", "uses: scaner", "did you mean 'scanner'?"),
    case(
        "set member", "members: [crp_test, kidney_test]", "members: [crp_test, kidney]", "did you mean 'kidney_test'?"
    ),
    case("set of one", "members: [crp_test, kidney_test]", "members: [crp_test]", "at least two different members"),
    case(
        "set with an act",
        "members: [crp_test, kidney_test]",
        "members: [crp_test, kidney_test, antibiotics]",
        "antibiotics is an act",
    ),
    case("right for", "right_for: [viral]", "right_for: [virus]", "did you mean 'viral'?"),
    case(
        "right for nothing",
        "right_for: [viral]",
        "right_for: [pneumonia]",
        "no decision is `right_for` this condition",
        "  viral: {label",
    ),
    case("guideline", "{do: antibiotics, when", "{do: antibiotix, when", "did you mean 'antibiotics'?"),
    case("guideline clause", "{ct_lungs: mass}", "{ct_lung: mass}", "did you mean 'ct_lungs'?"),
    case(
        "guideline on hidden",
        "{ct_lungs: mass}",
        "{condition: lung_cancer}",
        "condition is never revealed",
        "- {condition: lung_cancer}",
    ),
    case("guideline status", "{ct: not_done, scan_wish", "{ct: undone, scan_wish", "the status of an item is one of"),
    case(
        "guideline never ends", "  - {do: reassure, why:", "  - {do: reassure, when: {fever: no}, why:", "the last rule"
    ),
    case("version", "film_for_fever:\n", "film for fever:\n", "letters, digits and underscores"),
    case(
        "version of nothing",
        "      - {do: chest_film, when: {chest_film: not_done, fever",
        "      - {do: chest_firm, when: {chest_film: not_done, fever",
        "did you mean 'chest_film'?",
    ),
    case("version clause", "fever: yes, examination: done}", "fevre: yes, examination: done}", "did you mean 'fever'?"),
    case(
        "an order that does not wait",
        "{do: first_bloods, when: {fever: yes, crp_test: not_done}, why",
        "{do: first_bloods, even_if_pending: true, when: {fever: yes, crp_test: not_done}, why",
        "`even_if_pending` is for a rule that decides, and first_bloods is no decision; remove it",
    ),
    case(
        "a word for true",
        "{do: reassure, why: Nothing",
        "{do: reassure, even_if_pending: yes, why: Nothing",
        "found 'yes'; expected true or false",
    ),
    case(
        "a version that does not wait",
        "      - {do: chest_film, when: {chest_film: not_done, fever: yes, examination: done}, why: A",
        "      - {do: chest_film, even_if_pending: true, when: {chest_film: not_done, fever: yes, examination: done}, why: A",
        "is for a rule that decides, and chest_film is no decision",
    ),
    case(
        "version that hides the guideline",
        "      - {do: chest_film, when: {chest_film: not_done, fever: yes, examination: done}, why: A",
        "      - {do: reassure, why: A",
        "decides without a `when`, so that the guideline is never reached",
    ),
    case(
        "version that changes nothing",
        "    rules:\n      - {do: chest_film, when: {chest_film: not_done, fever: yes, examination: done}, why: A film for every fever}\n",
        "    rules: []\n",
        "changes nothing; write the rules by which it differs",
    ),
    case(
        "cut through a cell",
        "{chest_film: not_done, crp: {at_least: 100}}",
        "{chest_film: not_done, crp: {at_least: 90}}",
        "90 cuts through a band of crp; its cut-offs are 0, 25",
    ),
    case("number of a word", "{ct_lungs: mass}", "{ct_lungs: {at_least: 3}}", "ct_lungs is not a number"),
    case(
        "act factor", "waiting_factor: {pneumonia: 0.3}", "waiting_factor: {pneumona: 0.3}", "did you mean 'pneumonia'?"
    ),
    case("progression", "{to: pneumonia, median", "{to: sepsis, median", "'sepsis' is no condition"),
    case("progression to itself", "{to: pneumonia, median", "{to: viral, median", "cannot progress to itself"),
    case("affects", "affects: [kidney_test]", "affects: [egfr]", "'egfr' is no investigation"),
    case(
        "mechanism of another finding",
        "    affects: [film]\n    chance: 0.02",
        "    affects: [film]\n    given: [fever]\n    chance: {no: 0, yes: 0.1}",
        "fever is not the finding affected",
        "    given: [fever]",
    ),
    case(
        "reported missing",
        "    reported:\n      clear: {clear: 0, shadow: 1}\n      shadow: {clear: 1, shadow: 0}\n",
        "",
        "`reported` is needed for",
        "  misread:",
    ),
    case(
        "reported incomplete",
        "      shadow: {clear: 1, shadow: 0}\n",
        "",
        "nothing is said for film shadow",
        "    reported:",
    ),
    case(
        "name used twice",
        "order_sets:\n  first_bloods:",
        "order_sets:\n  ct:",
        "also the name of an entry in inv",
        "  ct: {",
    ),
    case("reserved name", "  fever:\n", "  unknown:\n", "'unknown' is a word of the language"),
    case("bad name", "  fever:\n", "  high fever:\n", "letters, digits and underscores only"),
    # Structure
    case(
        "cycle",
        "    chance: {viral: 0.02, pneumonia: 0.85, lung_cancer: 0.95}\n",
        "    chance: {viral: 0.02, pneumonia: 0.85, lung_cancer: 0.95}\n"
        "  a: {label: a, given: [b], chance: {no: 0, yes: 1}}\n  b: {label: b, given: [a], chance: {no: 0, yes: 1}}\n",
        "depends on itself: a <- b <- a",
        "  a: {label",
    ),
    case(
        "unreachable",
        "{film: shadow, haemoptysis: yes}",
        "{ct_lungs: mass}",
        "nobody can ever order it: it waits for ct_lungs",
        "    requires:",
    ),
    case(
        "unreachable circle",
        "set_up: venepuncture}\n  kidney_test: {label",
        "set_up: venepuncture, requires: [{kidney_test: done}]}\n  kidney_test: {requires: [{crp_test: done}], label",
        "investigations.crp_test.requires: nobody can ever order it: it waits for kidney_test",
        "  crp_test: {",
    ),
    case("not revealed", "reveals: [film], ", "", "nothing reveals it", "  film:\n"),
    case(
        "no examination",
        "tier: examination, ",
        "tier: history, ",
        "no investigation has the tier examination",
        "investigations:\n",
    ),
    case(
        "number with children",
        "    given: [opacity]\n    chance: {no: 0.04, yes: 0.84}",
        "    given: [crp]\n    chance: {low: 0.04, otherwise: 0.84}",
        "a number as evidence, which nothing may depend on",
    ),
    case(
        "utility missing",
        "utility: {viral: 0, pneumonia: -0.25, lung_cancer: -0.60}",
        "utility: {viral: 0, pneumonia: -0.25}",
        "nothing is said for condition lung_cancer",
    ),
    # What decisions require
    locked("decision requires an unknown fact", "{flim: shadow}", "did you mean 'film'?"),
    locked("decision requires a hidden fact", "{condition: viral}", "condition is never revealed"),
    locked("decision requires nothing said", "{}", "is empty; name at least one alternative"),
    locked("decision requires what passes", "{film: unknown}", "`unknown` may hold and then no longer"),
    locked("decision requires what is left out", "{ct: not_done}", "`not_done` may hold and then no longer"),
    locked("decision requires what is on its way", "{ct: [pending, done]}", "`pending` may hold"),
    locked(
        "decision requires a failure that may be mended",
        "{kidney_test: failed}",
        "kidney_test may be tried 2 times, so that `failed` need not last; write [done, failed], or attempts: 1",
    ),
    locked(
        "decision requires too much of a vignette",
        "{haemoptysis: no}",
        "refer requires haemoptysis, which what is stated here rules out",
        "    decide: [refer]",
    ),
    case(
        "guideline ends with a locked decision",
        "    label: Reassure, and come",
        "    requires: [{film: shadow}]\n    label: Reassure, and come",
        "the last rule does reassure, which requires something",
        "do: reassure",
    ),
    case("preset missing", "  triage:\n", "  triaje:\n", "the preset triage is missing", "rewards:\n"),
    case(
        "urgency missing",
        "      routine: {emergency: -5000, urgent: -6000, routine: 0}\n",
        "",
        "no row for decisions that are routine",
        "    urgency_utility_gbp:",
    ),
    case("negative cost", "cost_gbp: 150", "cost_gbp: -150", "expected 0 or more"),
    # Bands and cells
    case(
        "gap", "raised: [25, 100], high: [100, 200]", "raised: [25, 75], high: [100, 200]", "leaves a gap after raised"
    ),
    case("overlap", "raised: [25, 100], high: [100, 200]", "raised: [25, 125], high: [100, 200]", "overlaps raised"),
    case(
        "descending",
        "bands: {low: [10, 30], normal: [30, 120]}",
        "bands: {low: [30, 10], normal: [30, 120]}",
        "a band ascends",
    ),
    case("step", "    step: 25\n", "    step: 30\n", "does not hold 1 to 400 whole steps of 30"),
    case(
        "band inside a step",
        "low: [0, 25], raised: [25, 100]",
        "low: [0, 30], raised: [30, 100]",
        "30 lies inside a step",
    ),
    case("range without step", "    step: 25\n", "", "needs `range: [from, to]` and `step`", "  crp:  "),
    case("unit", "    unit: mg/L\n", "", "a number needs its `unit`", "  crp:  "),
    case(
        "band without a number",
        "{never: null, ever: [0, 40]}",
        "{never: [0, 1], ever: null}",
        "only the first band may be without a number",
    ),
    # Vignettes and targets
    case(
        "vignette fact",
        "findings: {fever: no, haemoptysis: no,",
        "findings: {feber: no, haemoptysis: no,",
        "did you mean 'fever'?",
    ),
    case(
        "vignette value",
        "context: {smoked: never}\n    findings: {fever: no",
        "context: {smoked: once}\n    findings: {fever: no",
        "is no value of smoked",
    ),
    case("vignette number", "crp: 140,", "crp: 1400,", "1400 is outside the range of crp, 0 to 200"),
    case("vignette several cells", "crp: 140,", "crp: high,", "covers several values of crp; state the number"),
    case(
        "vignette item",
        "{must_not: [chest_film, ct, antibiotics]",
        "{must_not: [chest_flim, ct, antibiotics]",
        "did you mean 'chest_film'?",
    ),
    case("vignette decision", "decide: [refer]", "decide: [refers]", "did you mean 'refer'?"),
    case("vignette condition", "    condition: pneumonia\n", "    condition: flu\n", "'flu' is no condition"),
    case(
        "two expectations in one",
        "{one_of: [crp_test, chest_film],",
        "{one_of: [crp_test, chest_film], must: [ct],",
        "exactly one of: must",
    ),
    case(
        "contradiction", "{must_not: [chest_film, ct, antibiotics]", "{must_not: [history]", "must and must not be done"
    ),
    case(
        "dear expectation",
        "ceilings: {cost_gbp: 30,",
        "ceilings: {cost_gbp: 29,",
        "history, examination alone come to 30 pounds, above the ceiling of 29",
    ),
    case("risk of nothing", "risk: {kidney_injury: 0}", "risk: {kidney_injry: 0}", "did you mean 'kidney_injury'?"),
    case("visit 0", "at: 1,", "at: 0,", "the first visit is 1"),
    case("target", "among: {condition: lung_cancer}", "among: {condition: lung_cancr}", "did you mean 'lung_cancer'?"),
    case(
        "target incomplete",
        "    among: {condition: lung_cancer}\n",
        "",
        "a sensitivity needs `among`",
        "  film_for_cancer:",
    ),
    # Limits
    case(
        "no band with numbers",
        "{never: null, ever: [0, 40]}\n    table: {never: 0.6, ever: 0.4}",
        "{never: null}\n    table: {never: 1}",
        "expected at least two bands",
    ),
    case("right for nobody", "right_for: [viral]", "right_for: []", "names nothing; name the conditions or groups"),
    case("money", "cost_gbp: 150", "cost_gbp: 1e10", "expected at most 1,000,000,000 pounds"),
    case(
        "waiting", "waiting_cost_gbp_per_day: 150", "waiting_cost_gbp_per_day: 1e308", "rewards would not stay finite"
    ),
    case("duration", "turnaround: 3 days", "turnaround: 99999999999999 weeks", "(1,000 years)"),
    case("price year", "price_year: 2023", "price_year: -1", "expected a year from 1900 to 2200"),
    case("short progression", "median_time: 90 days", "median_time: 0.001 min", "expected at least 0.0167 hours"),
    case("odds", "{smoked: ever}, odds: 1.5}", "{smoked: ever}, odds: 1e300}", "expected at most 1,000,000,000"),
    case("small odds", "{smoked: ever}, odds: 1.5}", "{smoked: ever}, odds: 1e-300}", "expected at least 1e-09"),
    case("sigma", "sigma: {pneumonia: 0.6", "sigma: {pneumonia: 1e9", "expected at most 100"),
    case("dose", "{value: 6.6, status", "{value: 1e30, status", "expected at most 100,000 mSv"),
    case("weight", "years, weights: {cost: 1,", "years, weights: {cost: 1e308,", "expected at most 1,000,000:"),
    case("factor", "waiting_factor: {pneumonia: 0.3}", "waiting_factor: {pneumonia: 1e308}", "expected at most 1,000:"),
    case(
        "benefit", "benefit_gbp: {pneumonia: 600", "benefit_gbp: {pneumonia: -1e308", "expected at most 1,000,000,000"
    ),
    case("worth", "utility: {viral: 0, pneu", "utility: {viral: 1e308, pneu", "expected at most 1,000,000,000"),
    case("price of a year", "gbp_per_qaly: 20000", "gbp_per_qaly: 1e308", "expected at most 1,000,000,000 pounds"),
    case("steps", "max_steps: 20", "max_steps: 10000000", "expected at most 10,000 steps"),
    case("years before birth", "ever: [0, 40]", "ever: [-1e9, 40]", "expected years from 0 to 1,000"),
    case("target value", "    value: 0.79\n", "    value: 79\n", "is a probability in [0, 1]"),
]


@pytest.mark.parametrize("spoiled", CASES, ids=[spoiled.name for spoiled in CASES])
def test_fault_is_reported_on_its_line_with_how_to_mend_it(spoiled: Spoiled, tmp_path: Path) -> None:
    assert TUTORIAL.count(spoiled.old) == 1, "the spoiled place must be unique"
    text = TUTORIAL.replace(spoiled.old, spoiled.new)
    marker = spoiled.at or spoiled.new.strip().splitlines()[0]
    assert text.count(marker) == 1, "the line at fault must be unique"
    line = text[: text.index(marker)].count("\n") + 1
    file = tmp_path / "spoiled.yaml"
    file.write_text(text, encoding="utf-8")
    faults = lint(file)
    found = [fault for fault in faults if spoiled.message in fault.message]
    assert found, "\n".join(map(str, faults))
    assert line in [fault.line for fault in found], "\n".join(map(str, faults))
    assert all(fault.path == str(file) for fault in found)


def test_all_faults_are_reported_at_once(tmp_path: Path) -> None:
    text = TUTORIAL.replace("{never: 0.6, ever: 0.4}", "{never: 0.6, ever: 0.5}")
    text = text.replace("uses: scanner", "uses: scaner").replace("decide: [refer]", "decide: [refers]")
    file = tmp_path / "spoiled.yaml"
    file.write_text(text, encoding="utf-8")
    messages = [fault.message for fault in lint(file)]
    assert len(messages) == 3
    assert ["sum to 1.1" in messages[0], "'scanner'" in messages[1], "'refer'" in messages[2]] == [True] * 3


def test_one_decision_requires_nothing(tmp_path: Path) -> None:
    file = tmp_path / "scenario.yaml"
    file.write_text(
        TUTORIAL.replace("    right_for: [", "    requires: [{film: shadow}]\n    right_for: ["), encoding="utf-8"
    )
    told = " ".join(str(fault) for fault in lint(file))
    assert "every decision requires something; let one require nothing, so that nobody is stuck" in told


def test_the_tutorial_is_clean() -> None:
    scenario = load_scenario("tutorial")
    assert warnings(scenario) == ()


def test_what_is_defined_and_never_used_is_a_warning_not_a_fault(tmp_path: Path) -> None:
    text = TUTORIAL.replace("resources:\n", "resources:\n  theatre: Operating theatre\n")
    file = tmp_path / "idle.yaml"
    file.write_text(text.replace("affects: [kidney_test]", "affects: [crp_test]"), encoding="utf-8")
    found = warnings(load_scenario(file))
    assert found == (
        "resources.theatre is used by no item",
        "investigations.kidney_test may be tried 2 times, but nothing makes it fail",
    )


def test_factors_of_many_acts_have_a_limit_together(tmp_path: Path) -> None:
    act = "  {}: {{label: A treatment, waiting_factor: {{pneumonia: 1000, viral: 0.1}}, status: assumed}}\n"
    start = TUTORIAL.index("\nacts:\n") + len("\nacts:\n")
    file = tmp_path / "acts.yaml"
    acts = "".join(act.format(f"act_{i}") for i in range(6))
    file.write_text(TUTORIAL[:start] + acts + TUTORIAL[start:], encoding="utf-8")
    (fault,) = lint(file)
    assert "acts.act_4.waiting_factor" in fault.message
    assert "the factors on pneumonia come to 1e+15" in fault.message
