"""Arithmetic that a derived figure states: '908 / 63973 * 1.7', '1 - findings.fever.chance.viral'.

Numbers, + - * / ^ and parentheses, the functions of `FUNCTIONS`, and other figures by their path; a path with more in it than
letters, digits, underscores and dots stands in square brackets. Nothing is run: a formula becomes a list of steps for a stack.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from statistics import NormalDist

from workup.errors import WorkupError

MOST_CHARACTERS = 500
MOST_DEEP = 30
_TOKEN = re.compile(
    r"\s*(?:(?P<number>\d+(?:\.\d*)?(?:[eE][-+]?\d+)?|\.\d+(?:[eE][-+]?\d+)?)(?![\w.])"
    r"|\[(?P<path>[^\[\]]+)\]|(?P<name>[^\W\d]\w*(?:\.\w+)*)|(?P<sign>\*\*|[-+*/^(),×÷−]))"
)
_SAME = {"**": "^", "×": "*", "÷": "/", "−": "-"}


class FormulaError(WorkupError):
    """A formula that is not arithmetic, or does not compute."""


def _round(number: float, digits: float = 0.0) -> float:
    """Rounded to so many digits behind the point; of a negative number of digits, to tens, hundreds, ..."""
    if digits != int(digits) or abs(digits) > 15:
        raise ValueError("round")
    return round(number, int(digits))


FUNCTIONS: Mapping[str, tuple[Callable[..., float], int, int]] = {
    "exp": (math.exp, 1, 1),
    "log": (math.log, 1, 1),
    "sqrt": (math.sqrt, 1, 1),
    "min": (min, 2, 20),
    "max": (max, 2, 20),
    "round": (_round, 1, 2),
    "Φ": (NormalDist().cdf, 1, 1),
    "normal_cdf": (NormalDist().cdf, 1, 1),
    "probit": (NormalDist().inv_cdf, 1, 1),
}
"""Name -> what it does, the fewest and the most numbers that it takes. `log` is natural; `Φ` is the share of a standard normal
law that lies below a number, and `probit` its inverse."""
_SIGNS: Mapping[str, Callable[[float, float], float]] = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "/": lambda a, b: a / b,
    "^": math.pow,
}


@dataclass(frozen=True)
class _Step:
    """Takes the last `takes` numbers off the stack and puts one there: a number, a figure's value, or what `does` gives."""

    says: str
    does: Callable[..., float] | None = None
    takes: int = 0
    number: float | None = None


@dataclass(frozen=True)
class Formula:
    """Arithmetic, ready to be computed."""

    steps: tuple[_Step, ...]

    @property
    def figures(self) -> tuple[str, ...]:
        """Paths of the figures that it names, each once."""
        return tuple(dict.fromkeys(step.says for step in self.steps if step.does is None and step.number is None))

    @property
    def numbers(self) -> tuple[float, ...]:
        """Those that are written in it."""
        return tuple(step.number for step in self.steps if step.number is not None)

    def value(self, figures: Mapping[str, float]) -> float:
        """What it gives, a finite number.

        Args:
            figures: value of each figure by path; times are in hours.

        Raises:
            FormulaError: it names a figure that is not there, divides by 0, or leaves the numbers that can be held.
        """
        stack: list[float] = []
        for step in self.steps:
            if step.number is not None:
                stack.append(step.number)
            elif step.does is None:
                if step.says not in figures:
                    raise FormulaError(f"{step.says!r} is no figure of this scenario")
                stack.append(figures[step.says])
            else:
                taken = stack[len(stack) - step.takes :]
                del stack[len(stack) - step.takes :]
                stack.append(_done(step, taken))
        return stack[0]


def _done(step: _Step, taken: list[float]) -> float:
    shown = f"{step.says} of {', '.join(f'{number:g}' for number in taken)}"
    try:
        found = float(step.does(*taken))  # type: ignore[misc]
    except ZeroDivisionError:
        raise FormulaError("divides by 0") from None
    except OverflowError:
        raise FormulaError(f"{shown} is too large") from None
    except ValueError:  # of which the statistics module has one of its own
        raise FormulaError(f"{shown} is no number") from None
    if not math.isfinite(found):
        raise FormulaError(f"{shown} is too large")
    return found


def parse_formula(text: str) -> Formula:
    """The formula that a text states.

    Raises:
        FormulaError: too long or too deep, or not arithmetic; with the place where it stops being so.
    """
    if len(text) > MOST_CHARACTERS:
        raise FormulaError(f"has {len(text):,} characters; expected at most {MOST_CHARACTERS}")
    return Formula(tuple(_Parser(text).whole()))


class _Parser:
    """Recursive descent: sums of products of powers. `self.steps` is what was read so far, in the order of a stack."""

    def __init__(self, text: str) -> None:
        self.tokens = list(_tokens(text))
        self.at = 0
        self.deep = 0
        self.steps: list[_Step] = []

    def whole(self) -> list[_Step]:
        self._sum()
        if self._next[0] != "end":
            raise self._unexpected("+ - * / ^ or the end")
        return self.steps

    @property
    def _next(self) -> tuple[str, str, int]:
        """Kind, text and place of the next token."""
        return self.tokens[self.at]

    def _take(self, *signs: str) -> str | None:
        """The next token if it is one of these signs; it is then behind us."""
        kind, text, _ = self._next
        if kind != "sign" or text not in signs:
            return None
        self.at += 1
        return text

    def _sum(self) -> None:
        self._left_to_right(self._product, "+", "-")

    def _product(self) -> None:
        self._left_to_right(self._signed, "*", "/")

    def _left_to_right(self, part: Callable[[], None], *signs: str) -> None:
        part()
        while (sign := self._take(*signs)) is not None:
            part()
            self.steps.append(_Step(sign, _SIGNS[sign], 2))

    def _signed(self) -> None:
        self.deep += 1
        if self.deep > MOST_DEEP:
            raise FormulaError(f"is nested more than {MOST_DEEP} deep")
        sign = self._take("-", "+")
        if sign is None:
            self._power()
        else:
            self._signed()
            if sign == "-":
                self.steps.append(_Step("-", lambda a: -a, 1))
        self.deep -= 1

    def _power(self) -> None:
        self._single()
        if self._take("^") is not None:
            self._signed()
            self.steps.append(_Step("^", _SIGNS["^"], 2))

    def _single(self) -> None:
        kind, text, _ = self._next
        if kind == "number":
            self.at += 1
            if not math.isfinite(float(text)):
                raise FormulaError(f"{text} is too large")
            self.steps.append(_Step(text, number=float(text)))
        elif kind == "path" or (kind == "name" and "." in text):
            self.at += 1
            self.steps.append(_Step(text))
        elif kind == "name":
            self._function(text)
        elif self._take("("):
            self._sum()
            self._close()
        else:
            raise self._unexpected("a number, a figure's path or a function")

    def _function(self, name: str) -> None:
        if name not in FUNCTIONS:
            known = ", ".join(FUNCTIONS)
            raise FormulaError(f"{name!r} is no function ({known}); a figure's path without dots stands in [ ]")
        self.at += 1
        does, fewest, most = FUNCTIONS[name]
        if self._take("(") is None:
            raise self._unexpected(f"( after {name}")
        takes = 1
        self._sum()
        while self._take(","):
            self._sum()
            takes += 1
        self._close()
        if not fewest <= takes <= most:
            expected = f"{fewest}" if fewest == most else f"{fewest} to {most}"
            raise FormulaError(f"{name} takes {expected} number{'s' * (most > 1)}; found {takes}")
        self.steps.append(_Step(name, does, takes))

    def _close(self) -> None:
        if self._take(")") is None:
            raise self._unexpected(")")

    def _unexpected(self, expected: str) -> FormulaError:
        kind, text, place = self._next
        found = "the end" if kind == "end" else f"{text!r} at character {place + 1}"
        comma = "; write thousands without a comma" if text == "," else ""
        return FormulaError(f"found {found}; expected {expected}{comma}")


def _tokens(text: str) -> Iterator[tuple[str, str, int]]:
    at = 0
    while text[at:].strip():
        found = _TOKEN.match(text, at)
        if found is None or found.lastgroup is None:
            at += len(text[at:]) - len(text[at:].lstrip())
            raise FormulaError(f"found {text[at : at + 12]!r} at character {at + 1}; that is no arithmetic")
        token = found[found.lastgroup]
        yield found.lastgroup, _SAME.get(token, token), found.start(found.lastgroup)
        at = found.end()
    yield "end", "", len(text)
