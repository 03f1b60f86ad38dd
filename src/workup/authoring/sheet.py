"""The rows of a template: what each is called, what it takes, and which question it answers."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from pathlib import Path

from workup.authoring.dialogue import Key
from workup.authoring.lines import KINDS, TIERS, URGENCIES
from workup.authoring.parts import CASE, DETAIL, VIGNETTE

HEADER = ("what", "name or text", "details", "source")
FIRST = len(HEADER)
"""The column of the first condition."""
CONDITIONS, URGENCY, DELAY, SHARE, RIGHT = "conditions", "urgency", "day of delay", "share", "right"
TEXTS: dict[str, Key] = {
    "title": (CASE, "title"),
    "about": (CASE, "about"),
    "authors": (CASE, "authors"),
    "setting": (CASE, "setting"),
    "guideline": (DETAIL, "guideline"),
    "price year": (DETAIL, "year"),
    "history takes": (DETAIL, "history", "takes"),
    "examination takes": (DETAIL, "examination", "takes"),
    "pounds per QALY": (DETAIL, "rate"),
    "pounds per mSv": (DETAIL, "per msv"),
    "story": (VIGNETTE, "story"),
    "truth": (VIGNETTE, "condition"),
    "facts": (VIGNETTE, "facts"),
    "must, must not": (VIGNETTE, "wanted"),
    "right decision": (VIGNETTE, "decide"),
}
"""Rows with a text in the second column, which is the answer."""
NAMED = ("patient", "patient, asked", "history", "examination", "test", "decision", "treatment")
"""Rows that name something new."""
OF_NAMED = {
    "after": "after",
    "not if": "not if",
    "complications": "complications",
    "dose": "dose",
    "delay left": "waiting",
}
"""Rows that say more of a test or treatment."""
PERCENT = (SHARE, "history", "examination", "test", "result", "delay left")
POUNDS = (DELAY, "decision", "treatment")
ROWS = (*TEXTS, *NAMED, *OF_NAMED, CONDITIONS, URGENCY, DELAY, SHARE, RIGHT, "result", "order", "decide")


def _section(note: str, *kinds: str, times: int = 1) -> tuple[str, tuple[str, ...], int]:
    return note, kinds, times


_SECTIONS = (
    _section("The case, in the second column. Authors: with commas between.", "title", "about", "authors", "setting"),
    _section(
        "What about the patient changes what is likely. Details: each value with its per cent, as 'never 60, ever 40'. "
        "'patient, asked': it has to be asked for.",
        "patient",
    ),
    _section("The conditions: their names, a column each.", CONDITIONS),
    _section(f"How urgent ({', '.join(URGENCIES)}), and what a day of delay costs in pounds.", URGENCY, DELAY),
    _section(
        "Of 100 such patients, how many have each? They add up to 100. If it depends on the patient: a row for each value, "
        "with 'Smoking = never' as its name.",
        SHARE,
    ),
    _section(
        "Findings: in how many of 100 with each condition? Their names in the second column.",
        "history",
        "examination",
        times=3,
    ),
    _section(
        f"Tests. Details: kind ({', '.join(TIERS)}), cost, time; then, if you like, discomfort and results: 'bloods, 8, 2 h, 3, "
        "normal / raised'. The figures are per cent with the second result (positive).",
        "test",
        times=4,
    ),
    _section("A third result of a test has a row of its own: result, with 'CRP = high' as its name."),
    _section(
        f"Decisions; the last is made where nothing speaks for another. Details: kind ({', '.join(KINDS)}) and urgency: 'refer, "
        "urgent'. The figures are what it is worth in pounds: 0 is best, minus is harm.",
        "decision",
        times=4,
    ),
    _section("Which decision is right for each condition? Two as 'Treat + Refer'.", RIGHT),
    _section(
        "Usual practice. Name: a test (order) or a decision (decide). Details: always, or facts: 'Fever = yes and CRP = high, "
        "or Crackles = yes because ...'.",
        "order",
        "decide",
        times=4,
    ),
    _section(
        "One patient to test a policy on. facts: 'Fever = no, CRP = low'. must, must not: 'CRP, not CT'. right decision: "
        "'Reassure because ...'.",
        "story",
        "truth",
        "facts",
        "must, must not",
        "right decision",
    ),
)
"""Note, rows, and how often each row stands there."""
_FURTHER = (
    "treatment",
    *OF_NAMED,
    "guideline",
    "price year",
    "history takes",
    "examination takes",
    "pounds per QALY",
    "pounds per mSv",
)


@dataclass(frozen=True)
class Row:
    """One row of the spreadsheet."""

    number: int
    what: str
    name: str
    details: str
    source: str
    cells: tuple[str, ...]
    """From the first condition's column on."""


def column(at: int) -> str:
    """What a spreadsheet calls a column: 0 -> A, 26 -> AA."""
    return (column(at // 26 - 1) if at >= 26 else "") + chr(ord("A") + at % 26)


def blank_template(name: Path, file: Path, conditions: int = 5) -> str:
    """The spreadsheet to fill in, as CSV."""
    notes = (
        f"Fill this in, save it as CSV (UTF-8), and read it with: workup new {name} --from {file}",
        "Rows that begin with # are not read. Add rows of any kind, and columns for further conditions.",
        "Delete rows that you do not need, or leave them empty. A cell that is wrong will be named.",
    )
    rows = [[f"# {note}"] for note in notes]
    rows.append([*HEADER, *(f"condition {n}" for n in range(1, conditions + 1))])
    for note, kinds, times in _SECTIONS:
        rows.append([f"# {note}"])
        rows += [[kind] for kind in kinds for _ in range(times)]
    rows.append([f"# Further rows, if you need them (docs/authoring.md): {', '.join(_FURTHER)}"])
    width = FIRST + conditions
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows([*row, *[""] * (width - len(row))] for row in rows)
    return out.getvalue()
