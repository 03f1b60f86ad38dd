"""A derived figure that states a formula is recomputed, to the digits written; a search is told in full or refused."""

from __future__ import annotations

from importlib.resources import files
from typing import Any

import pytest

from workup.scenarios.language.authorship import FigureRecord, Searched, Source
from workup.scenarios.language.backing import backing, recomputed
from workup.scenarios.language.library import load_scenario
from workup.scenarios.language.reading.digest import digest
from workup.scenarios.language.reading.provenance import strip
from workup.scenarios.language.reading.reader import interpret
from workup.scenarios.language.reading.yaml_tree import Tree, parse
from workup.scenarios.language.schema import Scenario
from workup.scenarios.language.words.difference import differences

HEAD = "sources: {S1: {cite: One, seen: true}, S2: {cite: Two}}\nstatus: derived\n"


def faults(text: str) -> list[tuple[int, str]]:
    found = strip(parse(f"{HEAD}{text}\n".encode(), "t"))[2]
    return [(fault.line, fault.message) for fault in found]


@pytest.mark.parametrize(
    "figure",
    [
        "0.0241, formula: 908 / 63973 * 1.7",
        "0.02, formula: 908 / 63973 * 1.7",
        "2, formula: 1.5 + 0.0",
        "2, formula: '2.5'",
        "0.30, formula: '0.3049'",
        "1.2e3, formula: '1249'",
        "120, formula: 'round(123.4, -1)'",
        "-0.03, formula: '-0.025'",
        "40 years, formula: 40.4 * 8766",
        "90 min, formula: '1.5'",
    ],
)
def test_a_figure_is_as_exact_as_its_digits(figure: str) -> None:
    assert faults(f"a: {{turnaround: {{value: {figure}}}}}") == []


@pytest.mark.parametrize(
    ("figure", "message"),
    [
        ("0.0241, formula: 908 / 63973 * 1.8", "'908 / 63973 * 1.8' gives 0.0255483, but 0.0241 is written; write 0.0255"),
        ("0.300, formula: '0.3049'", "gives 0.3049, but 0.300 is written; write 0.305, or mend the formula"),
        ("2, formula: '2.51'", "write 3"),
        ("1.2e3, formula: '1251'", "but 1.2e3 is written; write 1300"),
        ("40 years, formula: 41 * 8766", "gives 41 years, but 40 years is written; write 41 years"),
        ("3, formula: '0.001'", "gives 0.001, but 3 is written; mend one of them"),
        ("3, formula: 1 / 0", "a.turnaround.formula: '1 / 0' does not compute: divides by 0"),
        ("3, formula: 9^9^9^9", "too large"),
        ("3, formula: exp(c)", "'c' is no function"),
        ("3, formula: 1 + c.e", "'c.e' is no figure of this scenario; did you mean 'c.d'?"),
        ("3, formula: 3 + 0 * a.turnaround", "is computed from itself (a.turnaround -> a.turnaround)"),
        ("3, formula: 3", "3 is no formula; write arithmetic in quotes"),
        ("3, formula: '3', status: assumed", "its status is assumed; say derived, or remove the formula"),
    ],
)  # fmt: skip
def test_a_figure_that_its_formula_does_not_give_is_a_fault(figure: str, message: str) -> None:
    ((line, said),) = faults(f"c: {{d: 4}}\na:\n  turnaround: {{value: {figure}}}")
    assert message in said
    assert said.startswith("a.turnaround.formula: ")
    assert line == 5


def test_figures_that_are_computed_from_each_other_are_named() -> None:
    text = "a: {b: {value: 1, formula: c.d}}\nc: {d: {value: 1, formula: '[a.b]'}}"
    ((_, said),) = faults(text)
    assert "is computed from itself" in said
    assert "a.b" in said
    assert "c.d" in said
    many = "".join(f"  f{i}: {{value: 1, formula: '[a.f{(i + 1) % 900}]'}}\n" for i in range(900))
    ((_, said),) = faults(f"a:\n{many}")
    assert len(said) < 200


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: {formula: '1', b: 1, c: 2}", "a.formula: a formula is of one figure"),
        ("a: {value: {b: 1, c: 1}, formula: '1'}", "a.formula: a formula is of one figure"),
        ("a: {attempts: {value: 1, formula: '1'}}", "no figure stands here"),
    ],
)
def test_a_formula_is_of_one_figure(text: str, message: str) -> None:
    ((_, said),) = faults(text)
    assert message in said


def test_a_target_states_its_formula_beside_its_value_and_a_wrapped_block_keeps_its_digits() -> None:
    target = "targets: {x: {measure: sensitivity, value: 0.80, tolerance: 0.1, formula: 4 / 5 + {}}}"
    assert faults(target.replace("{}", "0.004")) == []
    ((_, said),) = faults(target.replace("{}", "0.006"))
    assert "but 0.80 is written" in said
    nested = "a: {value: {b: {value: 0.50, formula: '0.506'}}, note: both}"
    ((_, said),) = faults(nested)
    assert "a.b.formula: '0.506' gives 0.506, but 0.50 is written; write 0.51" in said


SEARCH = "{words: cough, places: [PubMed], on: 2026-11-30, found: nothing}"


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("words: cough, ", "", "lacks words"),
        ("words: cough", "words: 7", "7 is no text"),
        ("found: nothing", "found: ''", "'' is no text"),
        ("[PubMed]", "PubMed", "'PubMed' is no list of places"),
        ("[PubMed]", "[]", "[] is no list of places"),
        ("2026-11-30", "November", "'November' is no date"),
        ("2026-11-30", "2026-11-31", "'2026-11-31' is no date"),
        ("found: nothing", "found: nothing, by: me", "holds more than words, places, on, found"),
        (SEARCH, "yes", "lacks words, places, on, found"),
    ],
)
def test_a_search_that_nobody_could_repeat_is_a_fault(old: str, new: str, message: str) -> None:
    ((line, said),) = faults(f"a:\n  searched: {SEARCH.replace(old, new)}\n  b: 1")
    assert message in said
    assert said.startswith("a.searched")
    assert line == 4


def test_a_search_holds_for_a_block_until_an_inner_status() -> None:
    text = f"{HEAD}a:\n  searched: {SEARCH}\n  b: 1\n  c: {{status: assumed, d: 2}}\n"
    data, figures, found = strip(parse(text.encode(), "t"))
    assert found == ()
    assert data["a"] == {"b": 1, "c": {"d": 2}}
    searched = Searched(words="cough", places=("PubMed",), on="2026-11-30", found="nothing")
    assert {figure.path: figure.searched for figure in figures} == {"a.b": searched, "a.c.d": None}
    assert searched.in_words == "“cough” in PubMed on 2026-11-30: nothing"


# ------------------------------------------------------------------------------- what stands behind a figure


def scenario_with(figures: list[FigureRecord], **seen: bool) -> Scenario:
    sources = {name: Source(cite=name, seen=read) for name, read in seen.items()}
    return load_scenario("tutorial").model_copy(update={"figures": tuple(figures), "sources": sources})


def test_computed_means_from_what_was_read_and_nothing_else() -> None:
    def derived(path: str, formula: str | None, source: str | None = None, **more: Any) -> FigureRecord:
        return FigureRecord(path, 1, 1.0, "derived", source, None, formula, **more)

    search = Searched(words="w", places=("p",), on="2026-11-30", found="nothing")
    found = backing(
        scenario_with(
            [
                FigureRecord("a.seen", 1, 1.0, "seen", "S1"),
                FigureRecord("a.guess", 1, 1.0, "assumed"),
                FigureRecord("a.sought", 1, 1.0, "assumed", searched=search),
                derived("b.complement", "1 - a.seen"),
                derived("b.of_computed", "b.complement / 2"),
                derived("b.own_number", "a.seen * 1.7"),
                derived("b.own_number_read", "a.seen * 1.7", "S1"),
                derived("b.counts", "908 / 63973", "S1"),
                derived("b.counts_unread", "908 / 63973", "S2"),
                derived("b.counts_one_unread", "908 / 63973", "S1, S2"),
                derived("b.of_guess", "1 - a.guess", "S1"),
                derived("b.of_guess_sought", "1 - a.guess", searched=search),
                derived("b.note_only", None, "S1"),
                derived("b.half", "1 / 2"),
            ],
            S1=True,
            S2=False,
        )
    )
    assert {path: of for path, of in found.items() if of != "open"} == {
        "a.seen": "seen",
        "a.sought": "searched",
        "b.complement": "computed",
        "b.of_computed": "computed",
        "b.own_number_read": "computed",
        "b.counts": "computed",
        "b.of_guess_sought": "searched",
    }


def read(tree: Tree) -> Scenario:
    reading = interpret(tree)
    assert reading.faults == ()
    assert reading.scenario is not None
    return reading.scenario


def test_provenance_changes_the_signature_and_not_the_digest() -> None:
    text = files("workup.scenarios").joinpath("tutorial", "scenario.yaml").read_text(encoding="utf-8")
    old, price = "lung_cancer: 0.15", "lung_cancer: {value: 0.15, status: derived, note: n, formula: 0.3 / 2}"
    searched = f"lung_cancer: {{value: 0.15, status: derived, note: n, searched: {SEARCH}}}"
    assert text.count(old) >= 1
    before, after, sought = (
        read(parse(text.replace(old, new, 1).encode(), "t"))
        for new in ("lung_cancer: {value: 0.15, status: derived, note: n}", price, searched)
    )
    assert digest(before) == digest(after) == digest(sought) == load_scenario("tutorial").digest
    assert len({before.written, after.written, sought.written}) == 3
    assert recomputed(before)[0] + 1 == recomputed(after)[0]
    assert recomputed(after)[1] == recomputed(before)[1]
    ((words, plain),) = [(change.words, change.after) for change in differences(before, after)]
    assert words.endswith("computed as “0.3 / 2”")
    assert plain["formula"] == "0.3 / 2"
    ((words, plain),) = [(change.words, change.after) for change in differences(before, sought)]
    assert "searched: “cough” in PubMed on 2026-11-30: nothing" in words
    assert plain["searched"]["places"] == ["PubMed"]
