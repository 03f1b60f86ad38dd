"""A spreadsheet in place of the interview: read as it would have been answered, or refused cell by cell."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from pathlib import Path

import pytest
from support.authors import CHEST_PAIN, answered
from support.command import run

from workup.authoring.answers import Answers
from workup.authoring.sheet import blank_template
from workup.authoring.template import read_template
from workup.errors import FileFormatError, WorkupWarning
from workup.scenarios.language.library import load_scenario

CHEST = dict(CHEST_PAIN)
NAMES = CHEST["Which conditions"].split(", ")
Rows = list[list[str]]


def chest_pain() -> Rows:
    """The template, filled in with what the author of CHEST_PAIN says."""
    rows: Rows = [["what", "name or text", "details", "source", *("" for _ in NAMES)]]

    def add(what: str, name: str = "", details: str = "", figures: str = "") -> None:
        rows.append([what, name, details, "", *(figures.split() or [""] * len(NAMES))])

    for what, part in (
        ("title", "case called"),
        ("about", "Who comes"),
        ("authors", "Who writes"),
        ("setting", "Where are"),
    ):
        add(what, next(answer for asked, answer in CHEST_PAIN if part in asked))
    rows.append(["conditions", "", "", "", *NAMES])
    add("urgency", figures="emergency emergency emergency routine routine")
    add("day of delay", figures="500 300 1000 0 0")
    add("share", figures="15 3 1 31 50")
    for label in ("Sweating", "Worse on breathing", "Risk factors for clots", "Unequal pulses", "Tender on pressing"):
        where = "examination" if label in CHEST["What can the examination"] else "history"
        add(where, label, figures=CHEST[f"{label}: in how many"])
    add("test", "ECG", CHEST["ECG: kind"], CHEST["ECG = changed: in how many"])
    add("result", "ECG = ST elevation", figures=CHEST["ECG = ST elevation: in how many"])
    for label in ("Troponin", "D-dimer", "CT of the chest"):
        add("test", label, CHEST[f"{label}: kind"], CHEST[f"{label} = positive: in how many"])
    for label in CHEST["Which decisions can end"].split(", "):
        kind, urgency, worth = CHEST[f"{label}: kind"].split(maxsplit=2)
        add("decision", label, f"{kind}, {urgency}", worth)
    rows.append(["right", "", "", "", "Catheter lab", "Anticoagulate", "Theatre", "Send home", "Send home"])
    for label, asked in (("ECG", "ECG"), ("Troponin", "Troponin"), ("D-dimer", "D-dimer"), ("CT of the chest", "CT")):
        add("order", label, next(answer for part, answer in CHEST_PAIN if part.startswith(f"When is {asked}")))
    for label in ("Catheter lab", "Anticoagulate", "Theatre"):
        add("decide", label, CHEST[f"'{label}' made"])
    for what, asked in (
        ("story", "Tell the story"), ("truth", "have in truth"), ("facts", "What can be found"),
        ("must, must not", "Which tests must"), ("right decision", "right for this patient"),
    ):  # fmt: skip
        add(what, CHEST[asked])
    return rows


def as_csv(rows: Rows, separator: str = ",") -> str:
    out = io.StringIO()
    csv.writer(out, delimiter=separator).writerows(rows)
    return out.getvalue()


def read(tmp_path: Path, rows: Rows, **how: str) -> Answers:
    (tmp_path / "case.csv").write_bytes(as_csv(rows, **how).encode("utf-8-sig"))
    return read_template(tmp_path / "case.csv", year=2026)


def faults(tmp_path: Path, rows: Rows, **how: str) -> list[str]:
    with pytest.raises(FileFormatError) as refused:
        read(tmp_path, rows, **how)
    return [line.replace(f"{tmp_path / 'case.csv'}: ", "") for line in str(refused.value).splitlines()]


def at(rows: Rows, what: str, name: str = "") -> int:
    return next(i for i, row in enumerate(rows) if row[0] == what and (not name or row[1] == name))


def test_it_is_read_as_the_interview_is(tmp_path: Path) -> None:
    assert read(tmp_path, chest_pain()) == answered(CHEST_PAIN)[0]


def test_semicolons_and_decimal_commas_are_read_and_told(tmp_path: Path) -> None:
    rows = chest_pain()
    rows[at(rows, "history", "Sweating")][4:] = ["60,5", "15,0", "40", "5", "5"]
    with pytest.warns(WorkupWarning, match="decimal commas were read as decimal points"):
        answers = read(tmp_path, rows, separator=";")
    assert answers.history.findings[0].shares["Heart attack"] == (0.395, 0.605)


def test_every_wrong_cell_is_told_at_once_by_its_row_and_column(tmp_path: Path) -> None:
    rows = chest_pain()
    sweating, theatre, ecg = at(rows, "history", "Sweating"), at(rows, "decision", "Theatre"), at(rows, "test", "ECG")
    rows[sweating][4], rows[sweating][6] = "6o", ""
    rows[theatre][5] = "-8,000"
    rows[ecg][2] = "bedside, 10, soon"
    rows[at(rows, "urgency")][7] = "later"
    rows[at(rows, "share")][4] = "25"
    rows[at(rows, "order", "D-dimer")][2] = "Breathless = yes"
    rows[at(rows, "setting")][1] = ""
    found = faults(tmp_path, rows)
    for said in (
        f"row {sweating + 1}, column E: found '6o'; expected a percentage 0 to 100",
        f"row {sweating + 1}, column G: is empty; expected a percentage 0 to 100",
        f"row {theatre + 1}, column F: found '-8,000'; expected a number of pounds, without a mark between thousands",
        f"row {ecg + 1}, column C: 'soon' is not a time. Write for example 20 min, 2 h, 3 days or 6 weeks.",
        f"row {at(rows, 'urgency') + 1}, column H: found 'later'; expected emergency, urgent, routine",
        f"row {at(rows, 'share') + 1}, column E: These add up to 110%, not 100%",
        "nothing answers: Where are we?",
    ):
        assert any(line.startswith(said) for line in found), (said, found)
    assert any(
        f"row {at(rows, 'order', 'D-dimer') + 1}, column C: 'Breathless = yes' does not begin" in f for f in found
    )


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda rows: rows[at(rows, "title")].__setitem__(0, "titel"), "column A: found 'titel'; expected one of title"),
        (lambda rows: rows.append(list(rows[at(rows, "share")])), "share is there twice"),
        (lambda rows: rows.append(["order", "ECT", "always", ""]), "found 'always', which belongs to nothing here"),
        (lambda rows: rows[at(rows, "conditions")].__setitem__(8, ""), "column I: found '50'; this column has no condition"),
        (lambda rows: rows[at(rows, "conditions")].__setitem__(5, ""), "column F: found ''; expected a name without a comma"),
        (lambda rows: rows[at(rows, "test", "ECG")].__setitem__(1, "ECG, 12 leads"), "expected a name without a comma"),
        (lambda rows: rows.append(["dose", "ECT", "3", ""]), "found 'ECT'; expected a test"),
        (lambda rows: rows[at(rows, "history")].__setitem__(slice(4, 9), ["0.6", "0.1", "0.4", "0", "0"]), "Write 0.6% or 60%"),
        (lambda rows: rows.__delitem__(at(rows, "conditions")), "no rows `conditions`"),
    ],
)  # fmt: skip
def test_other_faults_are_told(tmp_path: Path, change: Callable[[Rows], None], message: str) -> None:
    rows = chest_pain()
    change(rows)
    assert any(message in fault for fault in faults(tmp_path, rows)), faults(tmp_path, rows)


def test_rows_are_counted_as_a_spreadsheet_counts_them(tmp_path: Path) -> None:
    rows = chest_pain()
    rows[at(rows, "about")][1] = "An adult.\nIs it the heart?\nOr not?"
    rows.insert(0, [""] * 9)
    rows.insert(0, ["# a note, of two\nlines"])
    rows[at(rows, "history", "Sweating")][4] = "6o"
    assert faults(tmp_path, rows)[0].startswith(f"row {at(rows, 'history', 'Sweating') + 1}, column E: found '6o'")


def test_more_detail_has_rows_of_its_own(tmp_path: Path) -> None:
    rows = chest_pain()
    rows += [
        ["patient", "Age", "young 60, old 40", ""],
        ["treatment", "Oxygen", "20, 10 min", "", "50", "50", "0", "0", "0"],
        ["delay left", "Oxygen", "", "", "80", "80", "100", "100", "100"],
        ["after", "CT of the chest", "Troponin", ""],
        ["not if", "CT of the chest", "Age = old, 50 because of the contrast", ""],
        ["complications", "CT of the chest", "Rash, 1 in 100, 40", ""],
        ["dose", "CT of the chest", "7", ""],
        ["guideline", "NICE CG95", "", ""],
        ["price year", "2024", "", ""],
    ]
    rows[at(rows, "share")][1] = "Age = young"
    rows.append(["share", "Age = old", "", "read: Somebody 2020", "25", "3", "2", "30", "40"])
    answers = read(tmp_path, rows)
    care = answers.care["CT of the chest"]
    assert (care.dose_msv, care.after, care.not_if[0].loss_gbp, care.complications[0].chance) == (
        7,
        ({"Troponin": "done"},),
        50,
        0.01,
    )
    assert (answers.prior_by, answers.prior["old"][0], answers.prior_origin.read) == ("Age", 0.25, True)
    assert (answers.treatments[0].waiting_factor["Heart attack"], answers.guideline, answers.price_year) == (
        0.8,
        "NICE CG95",
        2024,
    )


def test_the_blank_template_has_a_row_for_everything_that_is_asked() -> None:
    rows = list(csv.reader(io.StringIO(blank_template(Path("my_case"), Path("case.csv")))))
    assert {row[0] for row in chest_pain()} - {"result"} <= {row[0] for row in rows}
    assert len({len(row) for row in rows}) == 1


def test_the_command_writes_a_template_and_reads_it(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")
    status, out, _ = run(capsys, "new", "my_case", "--template", "case.csv")
    assert (status, "Next: workup new my_case --from case.csv" in out) == (0, True)
    assert run(capsys, "new", "my_case", "--from", "case.csv")[0] == 2  # nothing is filled in yet
    status, _, err = run(capsys, "new", "my_case", "--template", "case.csv")
    assert (status, "exists already and is left as it is" in err) == (2, True)
    Path("case.csv").write_text(as_csv(chest_pain()), encoding="utf-8")
    status, out, _ = run(capsys, "new", "my_case", "--from", "case.csv")
    assert (status, "my_case: written, without a fault." in out) == (0, True)
    assert load_scenario(tmp_path / "my_case").title == CHEST["case called"]


def test_a_template_does_not_overwrite_the_answers_of_an_interview(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.stdin", io.StringIO("Cough\n"))
    run(capsys, "new", "my_case")
    Path("case.csv").write_text(as_csv(chest_pain()), encoding="utf-8")
    status, _, err = run(capsys, "new", "my_case", "--from", "case.csv")
    assert (status, "--start-over puts them aside" in err) == (2, True)
    assert run(capsys, "new", "my_case", "--from", "case.csv", "--start-over")[0] == 0
