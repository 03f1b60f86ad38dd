"""A spreadsheet in place of the interview: the same questions as rows, with a column for each condition.

What a row says becomes the answer to a question, so there is one way to read an answer; what is wrong is told by its cell.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path

from workup.authoring import lines, typed
from workup.authoring.answers import Answers, Question
from workup.authoring.detail import CHOICES, PRIOR
from workup.authoring.dialogue import Key
from workup.authoring.interview import interview
from workup.authoring.parts import CAUSES, DETAIL, ENDS, OPENING, PATIENT, PRACTICE, TESTS
from workup.authoring.sheet import (
    CONDITIONS,
    DELAY,
    FIRST,
    HEADER,
    NAMED,
    OF_NAMED,
    PERCENT,
    POUNDS,
    RIGHT,
    ROWS,
    SHARE,
    TEXTS,
    URGENCY,
    Row,
    column,
)
from workup.authoring.typed import NotUnderstoodError
from workup.errors import FileFormatError, WorkupWarning, suggestion
from workup.importers.cells import MOST_FAULTS, csv_rows, more, read_text, separator_of
from workup.importers.source import clipped

_COMMA = re.compile(r"([-−]?\d+),(\d+)(%?)")
_THOUSANDS = re.compile(r"[-−]?[1-9]\d{0,2}(,\d{3})+")
_MOST_ROWS = 10_000


def read_template(path: Path, *, year: int) -> Answers:
    """The answers that a filled-in template holds.

    Args:
        path: CSV with commas, semicolons or tabs, in UTF-8.
        year: of the prices, unless it says another.

    Raises:
        FileFormatError: everything that is wrong with it, by row and column.
    """
    return _Template(path, _rows(path)).answers(year)


def _rows(path: Path) -> list[Row]:
    text = read_text(path)
    found, inside = list[Row](), 0
    for line, cells in csv_rows(path, text, separator_of(text)):
        words = [" ".join(cell.split()) for cell in cells]
        row = line - inside  # a cell of several lines is one row of a spreadsheet
        inside += sum(cell.count("\n") for cell in cells)
        words += [""] * (FIRST - len(words))
        if words[0].startswith("#") or [word.lower() for word in words[:FIRST]] == list(HEADER) or not any(words[1:]):
            continue
        found.append(Row(row, words[0], words[1], words[2], words[3], tuple(words[FIRST:])))
        if len(found) > _MOST_ROWS:
            raise FileFormatError(
                f"{path}: more than {_MOST_ROWS:,} rows are filled in; this is no template of `workup new`"
            )
    return found


class _Template:
    """Turns rows into answers, and gathers what is wrong before it gives up."""

    def __init__(self, path: Path, rows: Sequence[Row]) -> None:
        self.path, self.rows = path, rows
        self.faults: list[str] = []
        self.given: dict[Key, str] = {}
        self.places: dict[Key, str] = {}
        """Where each answer stands: 'row 7, column C'."""
        self.told: set[Key] = set()
        """Questions whose cells were found wrong already."""
        self.commas = False

    def answers(self, year: int) -> Answers:
        conditions = self._conditions()
        for row in self.rows:
            if row.what not in ROWS:
                self._fault(
                    row, 0, f"found {row.what!r}; expected one of {', '.join(ROWS)}{suggestion(row.what, ROWS)}"
                )
            elif row.what != CONDITIONS:
                self._row(row, conditions)
        self._new_labels()
        self._urgency(conditions)
        self._details()
        return self._interviewed(year)

    def _interviewed(self, year: int) -> Answers:
        """Run the interview on what was read. Where it asks, something is wrong: an example goes on in its place."""
        problem, asked = "", dict[Key, int]()

        def say(kind: str, line: str) -> None:
            nonlocal problem
            problem = line if kind == "problem" else problem

        def ask(question: Question) -> str:
            key = question.key
            asked[key] = asked.get(key, 0) + 1
            absent = key not in self.given
            if asked[key] == 1 and absent and key not in self.told:
                return question.default
            if asked[key] > 2:
                raise FileFormatError(self._message())
            if key not in self.told:
                where = self.places.get(key, "")
                said = f"nothing answers: {question.text}" if absent else problem
                self.faults.append(f"{self.path}: {where}{': ' if where else ''}{said}")
                self.told.add(key)
            return question.example

        answers, used = interview(ask, say, year=year, given=self.given)
        for key in self.given:
            if key not in used and self.given[key]:
                self.faults.append(f"{self.path}: {self.places[key]}: found {self.given[key]!r}, which belongs to nothing here; "
                    "is its name spelt as above?")  # fmt: skip
        if self.faults:
            raise FileFormatError(self._message())
        if self.commas:
            warnings.warn(f"{self.path}: decimal commas were read as decimal points", WorkupWarning, stacklevel=3)
        return answers

    def _message(self) -> str:
        return "\n".join([*(clipped(fault) for fault in self.faults[:MOST_FAULTS]), *more(len(self.faults))])

    def _fault(self, row: Row, at: int, message: str) -> None:
        self.faults.append(f"{self.path}: row {row.number}, column {column(at)}: {message}")

    def _give(self, key: Key, answer: str, row: Row, at: int) -> None:
        if key in self.given or key in self.told:
            self._fault(row, 0, f"{row.what} {row.name} is there twice; expected it once".replace("  ", " "))
            return
        self.given[key], self.places[key] = answer, f"row {row.number}, column {column(at)}"

    def _conditions(self) -> tuple[str, ...]:
        rows = [row for row in self.rows if row.what == CONDITIONS]
        if len(rows) != 1:
            raise FileFormatError(
                f"{self.path}: {len(rows) or 'no'} rows `{CONDITIONS}`; expected one, with a name in each column from "
                f"{column(FIRST)} on"
            )
        named = list(rows[0].cells)
        while named and not named[-1]:
            named.pop()
        for at, name in enumerate(named):
            self._label(rows[0], FIRST + at, name)
        self._give((CAUSES, CONDITIONS), ", ".join(named), rows[0], FIRST)
        return tuple(named)

    def _label(self, row: Row, at: int, name: str) -> None:
        if not name or "," in name:
            self._fault(row, at, f"found {name!r}; expected a name without a comma")

    def _row(self, row: Row, conditions: Sequence[str]) -> None:
        for at, cell in enumerate(row.cells[len(conditions) :], FIRST + len(conditions)):
            if cell:
                self._fault(row, at, f"found {cell!r}; this column has no condition")
        if row.what in TEXTS:
            self._give(TEXTS[row.what], row.name, row, 1)
        elif row.what in NAMED:
            self._label(row, 1, row.name)
        part = {"history": OPENING, "examination": OPENING, "test": TESTS, "decision": ENDS, "treatment": DETAIL}.get(
            row.what, PATIENT
        )
        figures = self._figures(row, conditions) if row.what in (*PERCENT, *POUNDS) else None
        if row.what in ("history", "examination"):
            self._line((part, row.name, "share", "yes"), figures, row)
        elif row.what == "test":
            self._give((part, row.name, "takes"), row.details, row, 2)
            self._line((part, row.name, "share", _second(row.details)), figures, row)
        elif row.what == "result":
            name, _, value = row.name.partition("=")
            self._line((TESTS, name.strip(), "share", value.strip()), figures, row)
        elif row.what == "decision":
            self._line((part, row.name, "worth"), figures, row, row.details.replace(",", " ") + ": ")
        elif row.what == "treatment":
            self._give((part, row.name, "takes"), row.details, row, 2)
            self._line((part, row.name, "benefit"), figures, row)
        elif row.what.startswith("patient"):
            self._give((part, row.name, "values"), row.details, row, 2)
            self._give((part, row.name, "known"), "ask" if row.what.endswith("asked") else "start", row, 0)
        elif row.what == SHARE:
            by, _, value = row.name.partition("=")
            if by and (CAUSES, "by") not in self.given:
                self._give((CAUSES, "by"), by.strip(), row, 1)
            self._line((CAUSES, "prior", value.strip()), figures, row)
        elif row.what == RIGHT:
            self._give((ENDS, RIGHT), ", ".join(row.cells[: len(conditions)]), row, FIRST)
        elif row.what in ("order", "decide") and row.details:
            self._give((PRACTICE, row.name, "when"), row.details, row, 2)
        elif row.what == "delay left":
            self._line((DETAIL, row.name, OF_NAMED[row.what]), figures, row)
        elif row.what in OF_NAMED and row.what != "dose":
            self._give((DETAIL, row.name, OF_NAMED[row.what]), row.details, row, 2)
        if row.source:
            self._give((DETAIL, PRIOR if row.what == SHARE else row.name, "source"), row.source, row, 3)

    def _line(self, key: Key, figures: str | None, row: Row, before: str = "") -> None:
        if figures is None:
            self.told.add(key)
        else:
            self._give(key, before + figures, row, FIRST)

    def _figures(self, row: Row, conditions: Sequence[str]) -> str | None:
        """The figures of a row on one line; None where a cell is none, which is told."""
        share = row.what in PERCENT
        read: Callable[[str], float] = typed.percentage if share else typed.amount
        words, sound = list[str](), True
        for at, _ in enumerate(conditions):
            cell = row.cells[at] if at < len(row.cells) else ""
            word = self._decimal(cell)
            try:
                if not word and row.what == DELAY:
                    word = "0"
                read(word)
            except NotUnderstoodError:
                expected = "a percentage 0 to 100" if share else "a number of pounds, without a mark between thousands"
                self._fault(
                    row,
                    FIRST + at,
                    f"found {cell!r}; expected {expected}" if cell else f"is empty; expected {expected}",
                )
                sound = False
            words.append(re.sub(r"\s*(?:in|of)\s*", "/", word).replace(" ", ""))
        return " ".join(words) if sound else None

    def _decimal(self, cell: str) -> str:
        """The cell with a decimal point for a decimal comma; what may be thousands stays, and is refused."""
        if _THOUSANDS.fullmatch(cell):
            return f"{cell}?"
        if _COMMA.fullmatch(cell):
            self.commas = True
            return _COMMA.sub(r"\1.\2\3", cell)
        return cell

    def _new_labels(self) -> None:
        places = {
            (PATIENT, "context"): ("patient", "patient, asked"),
            (OPENING, "history"): ("history",),
            (OPENING, "examination"): ("examination",),
            (TESTS, "tests"): ("test",),
            (ENDS, "decisions"): ("decision",),
            (DETAIL, "treatments"): ("treatment",),
        }
        for key, kinds in places.items():
            rows = [row for row in self.rows if row.what in kinds]
            if rows:
                self._give(key, ", ".join(row.name for row in rows), rows[0], 1)
        if (PATIENT, "context") in self.given and (CAUSES, "by") not in self.given:
            self.given[(CAUSES, "by")] = "no"
            self.places[(CAUSES, "by")] = ""

    def _urgency(self, conditions: Sequence[str]) -> None:
        urgency = [row for row in self.rows if row.what == URGENCY]
        delay = [row for row in self.rows if row.what == DELAY]
        for row in (*urgency[1:], *delay[1:]):
            self._fault(row, 0, f"{row.what} is there twice; expected it once")
        if not urgency:
            return
        costs = (self._figures(delay[0], conditions) or "").split() if delay else []
        words = []
        for at, _ in enumerate(conditions):
            cell = urgency[0].cells[at] if at < len(urgency[0].cells) else ""
            if cell.lower() not in lines.URGENCIES:
                self._fault(urgency[0], FIRST + at, f"found {cell!r}; expected {', '.join(lines.URGENCIES)}")
                self.told.add((CAUSES, URGENCY))
            words.append(f"{cell} {costs[at] if at < len(costs) else 0}")
        if (CAUSES, URGENCY) not in self.told:
            self._give((CAUSES, URGENCY), ", ".join(words), urgency[0], FIRST)

    def _details(self) -> None:
        """Which of the further questions are answered, and the doses on one line."""
        kinds = {row.what for row in self.rows}
        of = {
            "treatments": {"treatment"},
            "prerequisites": {"after"},
            "contraindications": {"not if"},
            "radiation": {"dose"},
            "complications": {"complications"},
            "QALYs": {"pounds per QALY"},
            "prices": {"price year", "history takes", "examination takes"},
            "sources": {"guideline"},
        }
        chosen = [name for name in CHOICES if kinds & of[name]]
        if any(row.source for row in self.rows) and "sources" not in chosen:
            chosen.append("sources")
        self.given[(DETAIL, "more")] = ", ".join(chosen)
        self.places[(DETAIL, "more")] = ""
        doses = [row for row in self.rows if row.what == "dose"]
        tests = [row.name for row in self.rows if row.what == "test"]
        for row in doses:
            if row.name not in tests:
                self._fault(row, 1, f"found {row.name!r}; expected a test{suggestion(row.name, tests)}")
        if doses:
            by = {row.name: self._decimal(row.details) for row in doses}
            self._give((DETAIL, "dose"), " ".join(by.get(test, "0") or "0" for test in tests), doses[0], 2)


def _second(details: str) -> str:
    """The result whose figures stand beside a test."""
    try:
        return lines.test(details)[-1][1]
    except NotUnderstoodError:
        return "positive"
