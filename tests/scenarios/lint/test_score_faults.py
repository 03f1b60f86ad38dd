"""Each kind of fault of a score is found in a spoiled copy of a tutorial with scores, on its line, with how to mend it."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import pytest
from support.scored import tutorial_with

from workup.scenarios.language.library import load_scenario
from workup.scenarios.language.lint.lint import lint, warnings

RULES = """  - {do: treat, when: {chest: likely, crp_score: {at_least: 2}}, why: Both scores}
  - {do: chest_film, when: {chest_film: not_done, chest: [possible, unknown]}, why: Not put to rest}
"""
SOUND = tutorial_with(rules=RULES, requires="[{chest: {at_least: 2}, ct_lungs: mass}]")
FEVER = "      - {when: {fever: yes}, points: 2}\n"
FIRST = "{chest: likely, crp_score: {at_least: 2}}"
REQUIRED = "    requires: [{chest: {at_least: 2}, ct_lungs: mass}]\n"
LIKELY = "      likely: {at_least: 3}\n"


class Spoiled(NamedTuple):
    name: str
    old: str
    new: str
    message: str
    at: str = ""
    """Text on the line at fault; left out: the first line of `new`."""


def part(name: str, spoiled: str, message: str) -> Spoiled:
    line = f"      - {spoiled}  # here\n"
    return Spoiled(name, FEVER, line, message, "# here")


def rule(name: str, when: str, message: str) -> Spoiled:
    return Spoiled(name, FIRST, when, message)


def required(name: str, group: str, message: str) -> Spoiled:
    return Spoiled(name, REQUIRED, f"    requires: [{group}]\n", message)


CASES = [
    # Points
    part("both forms", "{when: {fever: yes}, of: fever, points: 2}", "either `when`, or `of` and the points of each value"),
    part("neither form", "{points: 2}", "either `when`, or `of` and the points of each value"),
    part("no such fact", "{when: {feever: yes}, points: 2}", "'feever' is no fact that can be revealed; points are for what"),
    part("a latent finding", "{when: {opacity: yes}, points: 2}", "points are for what was found, not for what was done or is"),
    part("the condition", "{of: condition, points: {viral: 0, otherwise: 2}}", "'condition' is no fact that can be revealed"),
    part("the status of an item", "{when: {ct: done}, points: 2}", "'ct' is no fact that can be revealed; points are for what"),
    part("an act", "{when: {antibiotics: done}, points: 2}", "'antibiotics' is no fact that can be revealed"),
    part("another score", "{when: {crp_score: {at_least: 1}}, points: 2}", "'crp_score' is no fact that can be revealed"),
    part("no such value", "{when: {fever: Yes}, points: 2}", "'Yes' is no value of fever; did you mean 'yes'?"),
    part("inside a band", "{when: {crp: {at_least: 60}}, points: 2}", "60 cuts through a band of crp"),
    part("unknown", "{when: {fever: [yes, unknown]}, points: 2}", "`unknown` gives no points: what is not known leaves the total"),
    part("no facts", "{when: {}, points: 2}", "is empty; name the facts that these points are for"),
    part("an empty way", "{when: [{fever: yes}, {}], points: 2}", "is empty; name the facts that these points are for"),
    part("for everybody", "{when: {fever: [yes, no]}, points: 2}", "gives everybody the same points, so it says nothing; remove"),
    part("no points", "{when: {fever: yes}, points: 0}", "gives everybody the same points, so it says nothing; remove"),
    part("a table all alike", "{of: fever, points: {yes: 1, no: 1}}", "gives everybody the same points, so it says nothing"),
    part("a value left out", "{of: fever, points: {yes: 2}}", "nothing is said for fever no; add it, or `otherwise`"),
    part("points by value", "{when: {fever: yes}, points: {yes: 2}}", "found points by value; with `when`, expected one number"),
    part("one number of a table", "{of: fever, points: 2}", "found 2; with `of`, expected the points of each value: no, yes"),
    part("too many points", "{when: {fever: yes}, points: 1001}", "found 1001; expected at most 1,000 points"),
    part("nobody reveals it", "{when: {kidney_disease: yes}, points: 2}", "nothing reveals kidney_disease, so the total stays"),
    Spoiled("no parts", "    points:\n      - {of: crp, points: {low: 0, raised: 1, high: 2.5}}\n"
            "      - {when: {fever: yes, crackles: yes}, points: 1.5}\n", "    points: []\n",
            "a score of no points; write a part, such as {when: {fever: yes}, points: 1}"),
    Spoiled("a name used twice", "  crp_score:\n", "  crp_test:\n", "also the name of an entry in scores; give one of them",
            "  crp_test: {label: CRP"),
    # Words
    Spoiled("a gap", "at_least: 1, below: 3}", "at_least: 1, below: 2.5}", "write `at_least: 2.5` here", LIKELY),
    Spoiled("a first cut-off", "unlikely: {below: 1}", "unlikely: {at_least: 0, below: 1}", "write no `at_least` here"),
    Spoiled("an open end", LIKELY, "      likely: {at_least: 3, below: 4}\n", "write no `below` here"),
    Spoiled("an early end", "at_least: 1, below: 3}", "at_least: 1}", "write `below` here"),
    Spoiled("above every total", "below: 3}\n" + LIKELY, "below: 4.5}\n      likely: {at_least: 4.5}\n",
            "totals run from -1 to 4, so that this cut-off parts nobody", "likely: {at_least: 4.5}"),
    Spoiled("below every total", "{below: 1}\n      possible: {at_least: 1,", "{below: -1}\n      possible: {at_least: -1,",
            "expected more than -1 and at most 4", "possible: {at_least: -1"),
    Spoiled("one word", "      unlikely: {below: 1}\n      possible: {at_least: 1, below: 3}\n" + LIKELY,
            "      any: {}\n", "one word for every total says nothing; write at least two", "    cut_offs:\n      any"),
    Spoiled("a word of the language", LIKELY, "      unknown: {at_least: 3}\n", "cannot be a word for a range"),
    # Clauses
    rule("above the greatest total", "{crp_score: {at_least: 4.5}}", "totals run from 0 to 4, so that this cut-off parts"),
    rule("at the least total", "{chest: {at_least: -1}}", "expected more than -1 and at most 4"),
    rule("below the least total", "{chest: {below: -1}}", "expected more than -1 and at most 4"),
    rule("below more than all", "{chest: {below: 4.5}}", "expected more than -1 and at most 4"),
    rule("turned round", "{chest: {at_least: 3, below: 2}}", "no total is at least 3 and below 2; write the lower number first"),
    rule("no number", "{chest: {at_least: '3'}}", "found '3'; expected a number of points"),
    rule("no bound", "{chest: {above: 3}}", "found above; expected `not`, or `at_least` and `below`"),
    rule("no such word", "{chest: likly}", "did you mean 'likely'?"),
    rule("no words", "{crp_score: likely}", "expected a word of its cut-offs (none: it has no `cut_offs`)"),
    rule("a bare number", "{chest: 3}", "found 3 for the score chest; expected a word of its cut-offs (unlikely, possible, likely)"),
    rule("no list", "{chest: []}", "an empty list of words of chest can never hold; name some"),
    rule("every word", "{chest: [unlikely, possible, likely]}", "holds for every total of chest, so it says nothing"),
    rule("never", "{chest: {not: [unlikely, possible, likely]}}", "can never hold: totals of chest run from -1 to 4"),
    rule("unknown without words", "{crp_score: unknown}", "crp_score has no `cut_offs`, so there is no word to be unknown; add"),
    rule("not unknown", "{chest: {not: [likely, unknown]}}", "`unknown` cannot be ruled out here; name the words that may hold"),
    # Requirements
    required("known too late", "{crp_score: {at_least: 2}}", "crp_score counts crp, which history and examination do not reveal; use"),
    required("not for good", "{chest: [likely, unknown]}", "`unknown` may hold and then no longer; require a word, or a number"),
    Spoiled("two findings together", FEVER, "      - {when: {fever: yes, crackles: yes}, points: 2}\n",
            "chest looks at fever and crackles together, which a requirement cannot", REQUIRED.strip()),
    required("unknown beside it", "{chest: likely, film: unknown}", "`unknown` cannot stand beside a score, as for film; require"),
    Spoiled("by an item", "      - {film: shadow, haemoptysis: yes}\n", "      - {crp_score: {at_least: 2}, film: shadow}\n",
            "crp_score counts crp, which history and examination do not reveal"),
    # Where a score cannot stand
    Spoiled("given", "    given: [condition]\n    chance: {viral: 0.30, pneumonia: 0.80", "    given: [chest]\n"
            "    chance: {viral: 0.30, pneumonia: 0.80", "chest is a score, worked out from what was found, and no variable"),
    Spoiled("modifiers", "{when: {smoked: ever}, odds: {lung", "{when: {chest: likely}, odds: {lung", "chest is a score, worked"),
    Spoiled("contraindicated", "{when: {egfr: low}, loss", "{when: {chest: likely}, loss", "chest is a score, worked out from"),
    Spoiled("refusable", "refusable: {when: {scan_wish: declines}}", "refusable: {when: {chest: likely}}", "chest is a score"),
    Spoiled("targets", "    of: {film: shadow}\n", "    of: {chest: likely}\n", "name its findings instead"),
    Spoiled("reveals", "reveals: [crackles]", "reveals: [crackles, chest]", "chest is a score, worked out from what was found"),
    Spoiled("a vignette", "findings: {fever: no, haemoptysis: no, crackles: no}", "findings: {fever: no, chest: likely}",
            "chest is a score, worked out from what was found"),
]  # fmt: skip


def spoil(spoiled: Spoiled) -> str:
    assert SOUND.count(spoiled.old) == 1, "the spoiled place must be unique"
    return SOUND.replace(spoiled.old, spoiled.new)


@pytest.mark.parametrize("spoiled", CASES, ids=[spoiled.name for spoiled in CASES])
def test_fault_is_reported_on_its_line_with_how_to_mend_it(spoiled: Spoiled, tmp_path: Path) -> None:
    text, marker = spoil(spoiled), spoiled.at or spoiled.new.strip().splitlines()[0]
    assert text.count(marker) == 1, "the line at fault must be unique"
    line = text[: text.index(marker)].count("\n") + 1
    file = tmp_path / "spoiled.yaml"
    file.write_text(text, encoding="utf-8")
    found = [fault for fault in lint(file) if spoiled.message in fault.message]
    assert found, "\n".join(map(str, lint(file)))
    assert line in [fault.line for fault in found], "\n".join(map(str, lint(file)))


def test_a_fault_is_told_once(tmp_path: Path) -> None:
    """A score that means nothing makes no fault where it is used."""
    file = tmp_path / "spoiled.yaml"
    file.write_text(SOUND.replace(FEVER, "      - {when: {feever: yes}, points: 2}\n"), encoding="utf-8")
    (fault,) = lint(file)
    assert "feever" in fault.message


def test_what_the_faults_are_made_from_is_sound(tmp_path: Path) -> None:
    file = tmp_path / "sound.yaml"
    file.write_text(SOUND, encoding="utf-8")
    assert lint(file) == ()
    assert warnings(load_scenario(file)) == ()


def test_a_score_that_nothing_uses_is_a_warning(tmp_path: Path) -> None:
    file = tmp_path / "idle.yaml"
    file.write_text(SOUND.replace(", crp_score: {at_least: 2}}", "}"), encoding="utf-8")
    assert warnings(load_scenario(file)) == ("scores.crp_score is used by no `when` and no `requires`",)


def test_a_vignette_that_rules_out_the_score_its_decision_requires(tmp_path: Path) -> None:
    """The smoker who coughs blood has no fever and no crackles: with points for those alone he cannot be referred."""
    file = tmp_path / "ruled_out.yaml"
    text = SOUND.replace("[{chest: {at_least: 2}, ct_lungs: mass}]", "[{chest: {at_least: 2}}]")
    assert text != SOUND
    file.write_text(text, encoding="utf-8")
    (fault,) = lint(file)
    assert "refer requires chest, which what is stated here rules out; change either" in fault.message
    assert text.splitlines()[fault.line - 1].strip() == "decide: [refer]"


def test_nobody_can_order_what_waits_for_a_score_of_findings_that_come_after(tmp_path: Path) -> None:
    """An examination that waits for what it is to find."""
    file = tmp_path / "late.yaml"
    text = SOUND.replace("tier: examination, reveals", "tier: examination, requires: [{chest: likely}], reveals")
    file.write_text(
        text.replace("{of: smoked, points: {never: 0, ever: 1}}", "{of: smoked, points: {never: 0, ever: 0.5}}")
    )
    told = [fault.message for fault in lint(file)]
    assert any("nobody can ever order it: it waits for chest, which cannot come first" in message for message in told)
