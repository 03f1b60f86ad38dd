"""Each kind of fault in a change and in what is written in short is found on its line, with how to mend it."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import pytest
from support.again import TEXT, changed, scenario_of

from workup.scenarios.language.lint.lint import lint


class Spoiled(NamedTuple):
    name: str
    old: str
    new: str
    message: str
    at: str = ""
    """Text on the line at fault; left out: the first line of `new`."""


VIRAL = "      viral: {fell: 0.7, same: 0.25, the_rest_to: rose}\n"
CANCER = "{as: viral, but: {fell: 0.2, same: 0.7}}"
ITEM = "    requires: [{crp_test: done}]\n"
FEVER = "chance: {viral: 0.30, pneumonia: 0.80, lung_cancer: 0.15}"
CASES = [
    # What changed
    Spoiled("change of nothing", "change_of: crp", "change_of: crq", "'crq' is no other finding; did you mean 'crp'?"),
    Spoiled("change of itself", "change_of: crp", "change_of: crp_48h", "'crp_48h' is no other finding"),
    Spoiled("change of context", "change_of: crp", "change_of: smoked", "'smoked' is no other finding"),
    Spoiled("change of what has no order", "change_of: crp", "change_of: film", "film has no order"),
    Spoiled(
        "change of a change",
        "  egfr:    ",
        "  later:\n    label: Later\n    change_of: crp_48h\n    after: 96 h\n    chance: 0.5\n  egfr:    ",
        "crp_48h is itself a change; name the finding that was seen first, crp",
        "    change_of: crp_48h",
    ),
    Spoiled("no time", "    after: 48 h\n", "", "`change_of` needs `after`", "    change_of: crp"),
    Spoiled("no first", "    change_of: crp\n", "", "`after` needs `change_of`", "    after: 48 h"),
    Spoiled("no time at all", "    after: 48 h\n", "    after: 0\n", "found no time; write after how long"),
    Spoiled("bad time", "after: 48 h", "after: two days", "'two days' is not a duration"),
    Spoiled("endless", "after: 48 h", "after: 99999 years", "expected at most 8,766,000 hours"),
    Spoiled(
        "as a number",
        "    values: [fell, same, rose]\n",
        "    unit: mg/L\n    bands: {fell: [-200, 0], rose: [0, 200]}\n",
        "a change is said in words, not as a number",
        "    bands: {fell",
    ),
    Spoiled(
        "by the first value",
        "    given: [condition, antibiotics]\n    table:\n      viral: {fell",
        "    given: [condition, fever]\n    table:\n      viral: {fell",
        "does not depend on a finding, here fever: a value that mattered would be a hidden state",
    ),
    Spoiled(
        "two acts",
        "    given: [condition, antibiotics]\n    table:\n      viral: {fell",
        "    given: [condition, antibiotics, discuss_wishes]\n    table:\n      viral: {fell",
        "a finding may depend on one act at most",
    ),
    Spoiled("in context", "    known: at_start\n", "    known: at_start\n    change_of: crp\n", "no such key", "    change_of: crp\n    date"),
    # The item that shows it
    Spoiled("nothing first", ITEM, "", "so CRP comes first; write `requires: [{crp_test: done}]`", "  crp_again:"),
    Spoiled("another first", ITEM, ITEM.replace("crp_test", "kidney_test"), "so CRP comes first; write `requires"),
    Spoiled("perhaps first", ITEM, ITEM.replace("}]", ", fever: yes}]"), "so CRP comes first; write `requires"),
    Spoiled("tried first", ITEM, ITEM.replace("done", "[done, failed]"), "so CRP comes first; write `requires"),
    Spoiled("unknown first", ITEM, "    requires: [{crp: [unknown, high]}]\n", "so CRP comes first; write `requires"),
    Spoiled("too soon", ITEM, ITEM + "    turnaround: 2 h\n", "found 2 h; crp_48h is seen after 2 days", "    turnaround: 2 h\n"),
    Spoiled("no time between", ITEM, ITEM + "    turnaround: 0\n", "found 0 min; crp_48h is seen after", "    turnaround: 0"),
    Spoiled("tried again", ITEM, ITEM + "    attempts: 2\n", "tried again it would be later than `after`", "    attempts: 2\n"),
    Spoiled("both at once", "reveals: [crp],", "reveals: [crp, crp_48h],", "a change needs an item of its own"),
    # The rest
    Spoiled("too much", "same: 0.25,", "same: 0.35,", "fell 0.7, same 0.35 sum to 1.05, which leaves less than nothing for rose"),
    Spoiled("twice", "same: 0.25,", "same: 0.25, rose: 0.05,", "rose has a figure of its own as well"),
    Spoiled("to nobody", "0.25, the_rest_to: rose", "0.25, the_rest_to: rosy", "'rosy' is no value of crp_48h"),
    Spoiled("to two", "0.25, the_rest_to: rose", "0.25, the_rest_to: [rose]", "name the value that has the rest"),
    Spoiled("one left out", "same: 0.25, the_rest", "the_rest", "no probability for same", "viral: {fell: 0.7, the"),
    Spoiled("of no row", FEVER, "chance: {viral: 0.3, pneumonia: 0.8, the_rest_to: lung_cancer}", "belongs in a row of prob"),
    Spoiled("of a level", VIRAL, "      the_rest_to: viral\n", "stands beside pneumonia, which is no single figure"),
    Spoiled("called so", "values: [fell, same, rose]", "values: [fell, same, the_rest_to]", "cannot be the name of a value"),
    # As another
    Spoiled("as nobody", "as: viral", "as: virol", "as 'virol', which is no entry beside it; did you mean 'viral'?"),
    Spoiled("as itself", "as: viral", "as: lung_cancer", "as itself; name another entry: viral, pneumonia"),
    Spoiled("as two", "as: viral", "as: [viral, pneumonia]", "after `as`; name the entry beside it"),
    Spoiled("chain", VIRAL, "      viral: {as: lung_cancer}\n", "as lung_cancer, which is itself written with `as`"),
    Spoiled("beside", CANCER, "{as: viral, fell: 0.2}", "fell stands beside `as`; put what differs from viral under `but`"),
    Spoiled("but nothing", CANCER, "{as: viral, but: {}}", "`but` names nothing"),
    Spoiled("but in but", CANCER, "{as: viral, but: {fell: {as: same}}}", "an `as` stands inside `but`", "lung_cancer: {as: viral"),
    Spoiled("but no part", CANCER, "{as: viral, but: {gone: 0.01}}", "'gone' is no value of crp_48h"),
    Spoiled("of one number", FEVER, FEVER.replace("0.30", "{as: pneumonia, but: {yes: 0.2}}"), "pneumonia is 0.8, of which no part"),
    Spoiled("sum of a copy", "but: {fell: 0.2, same: 0.7}", "but: {fell: 0.9, same: 0.7}", "fell 0.9, same 0.7 sum to 1.6"),
    Spoiled("rest of a copy", "but: {fell: 0.2, same: 0.7}", "but: {rose: 0.2}", "the probabilities sum to 1.15"),
    Spoiled(
        "a whole entry",
        "utility: {viral: -0.02, pneumonia: -0.01, lung_cancer: -0.50}\n",
        "utility: {viral: -0.02, pneumonia: -0.01, lung_cancer: -0.50}\n  admit:\n    as: treat\n    but:\n      labbel: Admit\n",
        "did you mean 'label'?",
        "      labbel: Admit",
    ),
    Spoiled(
        "a part of a whole entry",
        "utility: {viral: -0.02, pneumonia: -0.01, lung_cancer: -0.50}\n",
        "utility: {viral: -0.02, pneumonia: -0.01, lung_cancer: -0.50}\n  admit:\n    as: treat\n    but:\n      utility:\n        viral: lots\n",
        "decisions.admit.utility.viral: found 'lots'",
        "        viral: lots",
    ),
    Spoiled("nobody's name", "  film:\n", "  the_rest_to:\n", "belongs in a row of probabilities", "  the_rest_to:\n    label"),
    Spoiled("a section called so", "rewards:\n", "as:\n", "rewards: missing", "# A complete scenario"),
    # Not now
    Spoiled(
        "stepped waiting",
        "waiting_cost_gbp_per_day: 150",
        "waiting_cost_gbp_per_day: {after: 3 days, then: 90}",
        "would hang on the clock. Write one cost for each day, and `progression`",
    ),
    Spoiled("steps", "waiting_cost_gbp_per_day: 150", "waiting_cost_gbp_per_day: [1, 2]", "would hang on the clock"),
    Spoiled("return visit", ITEM, "    repeat_of: crp_test\n", "journeys would end by chance"),
    Spoiled("returns", "    kind: reassure\n", "    kind: reassure\n    returns: 2 weeks\n", "journeys would end by chance", "    returns"),
    Spoiled(
        "availability by act",
        "    given: [condition]\n    chance: {pneumonia: 0.08, otherwise: 0.01}\n",
        "    given: [condition, antibiotics]\n    chance: {pneumonia: {no: 0.08, yes: 0.04}, otherwise: 0.01}\n",
        "availability does not depend on acts: why a result is missing would then hang on the order",
        "    given: [condition, antibiotics]\n    chance: {pneumonia",
    ),
    Spoiled("society", "{unit: qaly, gbp", "{perspective: societal, unit: qaly, gbp", "no scenario has figures for work lost"),
]  # fmt: skip


@pytest.mark.parametrize("spoiled", CASES, ids=[spoiled.name for spoiled in CASES])
def test_fault_is_reported_on_its_line_with_how_to_mend_it(spoiled: Spoiled, tmp_path: Path) -> None:
    text = changed((spoiled.old, spoiled.new))
    marker = spoiled.at or spoiled.new.strip().splitlines()[0]
    assert text.count(marker) == 1, "the line at fault must be unique"
    line = text[: text.index(marker)].count("\n") + 1
    file = tmp_path / "spoiled.yaml"
    file.write_text(text, encoding="utf-8")
    faults = lint(file)
    found = [fault for fault in faults if spoiled.message in fault.message]
    assert found, "\n".join(map(str, faults))
    assert line in [fault.line for fault in found], "\n".join(map(str, faults))


ALONE = [case for case in CASES if case.name in {
    "stepped waiting", "steps", "returns", "availability by act", "society", "as nobody", "beside", "too much", "too soon",
}]  # fmt: skip


@pytest.mark.parametrize("spoiled", ALONE, ids=[spoiled.name for spoiled in ALONE])
def test_nothing_else_is_said_where_one_thing_is_wrong(spoiled: Spoiled, tmp_path: Path) -> None:
    file = tmp_path / "spoiled.yaml"
    file.write_text(changed((spoiled.old, spoiled.new)), encoding="utf-8")
    assert len(lint(file)) == 1


@pytest.mark.parametrize(
    "requires",
    ["[{crp_test: done}]", "[{fever: yes}, {crp_test: done}]", "[{crp: high}]", "[{crp: {not: low}, crp_test: done}]"],
)
def test_a_requirement_that_only_the_first_result_meets_will_do(requires: str) -> None:
    scenario_of(changed((ITEM, f"    requires: {requires}\n")))


def test_a_change_without_a_turnaround_takes_all_of_its_time() -> None:
    left_out, written = scenario_of(), scenario_of(changed((ITEM, ITEM + "    turnaround: 2 days\n")))
    assert left_out.investigations["crp_again"].turnaround == 48.0
    assert left_out.digest == written.digest


def test_what_changes_may_be_words_in_order() -> None:
    film = changed(("change_of: crp", "change_of: film"), (ITEM, ITEM.replace("crp_test", "chest_film")))
    scenario_of(
        changed(("    values: [clear, shadow]\n", "    values: [clear, shadow]\n    ordinal: true\n"), text=film)
    )


def test_the_scenario_is_clean(tmp_path: Path) -> None:
    file = tmp_path / "again.yaml"
    file.write_text(TEXT, encoding="utf-8")
    assert lint(file) == ()
