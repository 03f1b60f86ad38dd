"""What makes a file no YAML, said so that somebody who has never heard of YAML can mend it."""

from __future__ import annotations

from collections.abc import Sequence

from ruamel.yaml.error import MarkedYAMLError

_INDENT = "lines that belong together start in the same column, two spaces further than the line they belong to"


def syntax_fault(error: MarkedYAMLError, lines: Sequence[str]) -> tuple[int, str]:
    """The line to look at, from 1, and what is wrong there."""
    at = error.problem_mark or error.context_mark
    here, column = (at.line, at.column) if at else (0, 0)
    start = error.context_mark.line if error.context_mark else here
    line, message = _said(error.problem or error.context or "", here, column, start, lines)
    found = lines[line].strip() if line < len(lines) else ""
    shown = found if len(found) <= 60 else f"{found[:57]}..."
    return line + 1, f"not valid YAML: in {shown!r} {message}" if shown else f"not valid YAML: {message}"


def _said(problem: str, here: int, column: int, start: int, lines: Sequence[str]) -> tuple[int, str]:
    if problem.startswith("found character '\\t'"):
        return here, "there is a tab; indent with spaces, two for each level"
    if problem.endswith("cannot start any token"):
        return here, f"a text begins with {problem.split()[2]}; put the whole text in double quotes"
    if problem == "mapping values are not allowed here":
        return _unexpected_colon(here, column, lines)
    if problem == "could not find expected ':'":
        return start, _without_colon(lines[start].strip())
    if problem.startswith(("expected ',' or '}'", "expected ',' or ']'")):
        opened = "{" if "'}'" in problem else "["
        closed = {"{": "}", "[": "]"}[opened]
        if here == start:
            return start, f"a comma is missing between two entries, or a {closed!r}"
        return start, f"the {opened!r} is not closed; put {closed!r} at its end, and commas between the entries"
    if problem.startswith("expected <block end>"):
        return here, _out_of_place(problem, column, lines[here] if here < len(lines) else "")
    if problem.endswith("but found '<stream end>'"):
        return here, "the file ends inside '{' or '['; close it"
    if problem == "found unexpected end of stream":
        return start, "a quote opens that is never closed; close it at the end of the text"
    if problem.startswith("found unknown escape character"):
        return here, "a backslash stands in double quotes; use single quotes"
    return here, f"the reader stumbles: {problem}; check indentation, colons and quotes"


def _unexpected_colon(here: int, column: int, lines: Sequence[str]) -> tuple[int, str]:
    """A colon where none can be: the second in its line, or the first of a line that does not fit the one above."""
    if ": " in lines[here][:column]:
        return here, "there are two colons; put the text after the first in double quotes, or write {key: value}"
    above = max((i for i in range(here) if lines[i].strip() and not lines[i].lstrip().startswith("#")), default=here)
    if ": " not in lines[above] and not lines[above].rstrip().endswith(":"):
        return above, _without_colon(lines[above].strip())
    return here, f"the indent does not fit: the line above has its value already; {_INDENT}"


def _without_colon(found: str) -> str:
    if found.startswith("-") and not found.startswith("- "):
        return "a space is missing after the dash; write '- ' before each entry of a list"
    if ":" in found:
        return "a space is missing after the colon; write 'key: value'"
    return "a colon is missing; write 'key: value', or 'key:' and its entries indented below"


def _out_of_place(problem: str, column: int, line: str) -> str:
    if "'<scalar>'" in problem and any(quote in line[:column] for quote in "'\""):
        return "text goes on after the closing quote; put the whole text in double quotes"
    if "'<block sequence start>'" in problem or problem.endswith("'-'"):
        return f"a list entry ('- ') does not fit here: a 'key: value' is expected, or another indent; {_INDENT}"
    if problem.endswith("'?'"):
        return f"a 'key: value' stands where a list entry ('- ') is expected, or another indent; {_INDENT}"
    return f"the indent of {column} spaces fits no line above; {_INDENT}"
