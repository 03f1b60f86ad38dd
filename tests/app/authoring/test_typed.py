"""What people type: shares, sums, times, facts, and lines of figures."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from workup.authoring import lines, typed
from workup.authoring.typed import NotUnderstoodError

FIVE = ("Stroke", "Migraine", "Bleed", "Tumour", "Tension headache")


@pytest.mark.parametrize(
    ("answer", "share"),
    [("30", 0.3), ("30%", 0.3), ("0.5", 0.005), ("3 in 10", 0.3), ("3/10", 0.3), ("1 of 8", 0.125), ("0", 0), ("100 %", 1)],
)  # fmt: skip
def test_a_share_can_be_typed_in_many_ways(answer: str, share: float) -> None:
    assert typed.percentage(answer) == share


@pytest.mark.parametrize(
    ("answer", "message"),
    [("130%", "from 0 to 100"), ("-1", "from 0 to 100"), ("half", "not a number"), ("1 in 0", "out of nothing"), ("", "An answer is needed"), ("2,5", "write 2.5")],
)  # fmt: skip
def test_a_share_that_is_none_is_explained(answer: str, message: str) -> None:
    with pytest.raises(NotUnderstoodError, match=message):
        typed.percentage(answer)


@pytest.mark.parametrize(
    "answer",
    [
        "60 15 8 15 10", "60% 15% 8% 15% 10%", "60, 15, 8, 15, 10", "60,15,8,15,10", "3 in 5  15/100 8 15 10", "60; 15; 8; 15; 10",
        "Stroke 60, Migraine 15, Bleed: 8, Tumour = 15, Tension headache 10", "stro 60, bleed 8, tension 10, otherwise 15",
    ],
)  # fmt: skip
def test_one_line_says_a_figure_for_each(answer: str) -> None:
    assert lines.shares(answer, FIVE) == (0.6, 0.15, 0.08, 0.15, 0.1)


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        ("60 15 8 15", "4 figures for 5: Stroke 60, Migraine 15, Bleed 8, Tumour 15. Missing: Tension headache."),
        ("60", "1 figure for 5: Stroke 60. Missing: Migraine, Bleed, Tumour, Tension headache."),
        ("60 15 8 15 10 3", "6 figures for 5: .* What is 3 for?"),
        ("60 15 8o 15 10", "'60 15 8o 15' is none of these: 1 Stroke, 2 Migraine"),
        ("60 15 108 15 10", "Bleed: '108' is not a percentage from 0 to 100."),
        ("0.6 0.15 0.08 0.15 0", "may be meant in per cent or not. Write 0.6% or 60%."),
        ("1 0 0 0 1", "may be meant in per cent or not. Write 1% or 100%."),
        ("60 2,5 8 15 10", "Migraine: '2,5' is not a number. If the comma is a decimal point, write 2.5."),
        ("Stroke 60, Migraine 15", "Missing: Bleed, Tumour, Tension headache. 'otherwise 5' says it"),
        ("Stroke 60, stroke 15, otherwise 3", "Stroke is there twice"),
        ("Strok 60, T 3, otherwise 3", "'T' could be several of these"),
        ("", "0 figures for 5: nothing. Missing: Stroke"),
    ],
)
def test_a_line_that_is_none_is_explained(answer: str, message: str) -> None:
    with pytest.raises(NotUnderstoodError, match=message):
        lines.shares(answer, FIVE)


@pytest.mark.parametrize(("answer", "amount"), [("-2,000", -2000), ("£1,200.50", 1200.5), ("−40", -40), ("0.3", 0.3)])
def test_a_sum_may_have_commas_between_thousands(answer: str, amount: float) -> None:
    assert typed.amount(answer) == amount


def test_a_comma_that_is_no_thousands_mark_is_never_dropped() -> None:
    with pytest.raises(NotUnderstoodError, match=r"write 2\.5"):
        typed.amount("2,5")


@pytest.mark.parametrize(
    ("read", "answer", "message"),
    [
        (lambda a: lines.parts_of_all(a, FIVE), "60 15 8 15 10", "add up to 108%"),
        (lambda a: lines.urgencies(a, FIVE), "emergency 5, urgent", "2 for 5 conditions.*Missing: Bleed"),
        (lambda a: lines.urgencies(a, FIVE), "300 emergency", "'300' comes before any urgency"),
        (lines.values_with_shares, "never, ever", "'never' is no value with its share"),
        (lines.values_with_shares, "never 60, ever 30", "add up to 90%"),
        (lines.test, "bloods, 8", "is not kind, cost, time"),
        (lines.test, "bloods, 8, soon", "'soon' is not a time"),
        (lambda a: lines.decision(a, FIVE), "refer 0 0 0 0 0", "does not begin with a kind"),
        (lambda a: lines.decision(a, FIVE), "refer urgent 0 0", "Missing: Bleed"),
        (lambda a: lines.right(a, FIVE, ("Go", "Stay")), "Go, Go, Go, Go, Go", "Stay is right for no condition"),
        (lambda a: lines.right(a, FIVE, ("Go", "Stay")), "1 2", "2 for 5 conditions"),
        (lambda a: lines.wanted(a, ("ECG", "CT")), "ECG, not ECG", "cannot be both"),
        (lambda a: lines.after(a, ("ECG", "CT"), {"Fever": ("no", "yes")}), "ECG and Fever = no or CT", "'and' alone"),
        (lambda a: lines.not_if(a, {"Fever": ("no", "yes")}, true=()), "Fever = yes", "the loss in pounds"),
        (
            lambda a: lines.not_if(a, {"Fever": ("no", "yes")}, true=()),
            "Fever = yes, 50",
            "only forbids: write 'Fever = yes, 0'",
        ),
        (lines.complications, "Bleeding, 1%", "is not a name, a chance and a loss"),
        (lines.complications, "Bleeding, 0.1, 300", "may be meant in per cent or not"),
        (lines.origin, "read:", "Write the citation"),
    ],
)
def test_other_lines_that_are_none_are_explained(read: Callable[[str], Any], answer: str, message: str) -> None:
    with pytest.raises(NotUnderstoodError, match=message):
        read(answer)


def test_decisions_are_matched_to_conditions_by_number_or_name() -> None:
    ends = ("Go", "Stay", "Go + wait")
    found = {"Go": FIVE[:2], "Stay": FIVE[1:3], "Go + wait": FIVE[3:]}
    assert lines.right("1 1+2 2 3 3", FIVE, ends) == found
    assert lines.right("Go, stay + go, Stay, Go + wait, Go + wait", FIVE, ends)["Go + wait"] == FIVE[3:]


def test_a_reason_follows_because() -> None:
    assert typed.because("always because nobody waits.", "") == ("always", "Nobody waits")
    assert typed.because("always", "Usual practice") == ("always", "Usual practice")
    assert typed.because("Admit because of pus", "") == ("Admit", "Because of pus")


@pytest.mark.parametrize(
    ("answer", "time"),
    [("20 minutes", "20 min"), ("2h", "2 h"), ("3 days", "3 days"), ("at once", "0 min"), ("0", "0 min"), ("1 Week", "1 week")],
)  # fmt: skip
def test_a_time_can_be_typed_in_many_ways(answer: str, time: str) -> None:
    assert typed.time(answer) == time


def test_a_time_that_is_none_is_explained() -> None:
    with pytest.raises(NotUnderstoodError, match="Write for example 20 min"):
        typed.time("soon")


KNOWN = {"Fever": ("no", "yes"), "Nausea and vomiting": ("no", "yes"), "CRP": ("low", "very low", "high")}


@pytest.mark.parametrize(
    ("answer", "facts"),
    [
        ("fever = yes", ({"Fever": "yes"},)),
        ("Nausea and vomiting yes and Fever: no", ({"Nausea and vomiting": "yes", "Fever": "no"},)),
        ("CRP is very low, Fever yes or CRP high", ({"CRP": "very low", "Fever": "yes"}, {"CRP": "high"})),
        ("Fever = yes, or CRP = low", ({"Fever": "yes"}, {"CRP": "low"})),
    ],
)
def test_facts_are_read_whatever_joins_them(answer: str, facts: tuple[dict[str, str], ...]) -> None:
    assert typed.facts(answer, KNOWN) == facts


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        ("", "does not begin with a fact"),
        ("Rash = yes", "'Rash = yes' does not begin with a fact. These are known: Fever"),
        ("Fever = maybe", "does not begin with a value of Fever. These are known: no, yes"),
        ("Fever yes and", "'nothing' does not begin with a fact"),
        ("Fever yes CRP low", "Write 'and' or 'or' between two facts"),
        ("Fever yes and Fever no", "cannot be yes and no at once"),
    ],
)
def test_facts_that_are_none_are_explained(answer: str, message: str) -> None:
    with pytest.raises(NotUnderstoodError, match=message):
        typed.facts(answer, KNOWN)
