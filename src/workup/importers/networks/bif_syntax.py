"""The syntax of the Bayesian Interchange Format: from text to what it declares, each with its line.

Source: Cozman, The Interchange Format for Bayesian Networks (1998), and the dialects of bnlearn, pgmpy and aGrUM.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from itertools import pairwise
from pathlib import Path

from workup.errors import FileFormatError
from workup.importers.networks.draft import as_probability, read_text
from workup.importers.source import clipped

_TOKEN = re.compile(
    r"""(?P<space>\s+|//[^\n]*|/\*.*?\*/)|(?P<quoted>"[^"\n]*")|(?P<mark>[{}()\[\]|,;])"""
    r"""|(?P<word>(?:(?!//|/\*)[^\s{}()\[\]|,;"])+)""",
    re.DOTALL,
)


@dataclass(frozen=True)
class _Token:
    text: str
    line: int
    mark: bool
    quoted: bool = False


_QUOTE = "; put quotes around a name that holds blanks, commas or brackets"
Group = tuple[_Token, ...]
"""What stands between two commas: one name or several, for blanks may also separate them."""


@dataclass
class Block:
    """A probability block as written: parents, and rows by the values of the parents."""

    child: str
    parents: tuple[str, ...]
    line: int
    table: tuple[int, list[float]] | None = None
    default: tuple[int, list[float]] | None = None
    rows: list[tuple[int, tuple[str, ...], list[float]]] = field(default_factory=list)


@dataclass
class BifText:
    """What a file declares, not yet checked for meaning."""

    path: Path
    values: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """Variable -> its values, in the order of the file."""
    declared: dict[str, int] = field(default_factory=dict)
    """Variable -> the line that declares it."""
    blocks: dict[str, Block] = field(default_factory=dict)

    def fault(self, line: int, message: str) -> FileFormatError:
        """An error at a line of the file."""
        return FileFormatError(clipped(f"{self.path}:{line}: {message}"))


def parse_bif(path: Path) -> BifText:
    """Parse a file; raises FileFormatError with `file:line` at the first thing that is not BIF."""
    return _Parser(path, read_text(path)).parsed()


class _Parser:
    def __init__(self, path: Path, text: str) -> None:
        self.out = BifText(path)
        self.last_line = 1
        self._tokens = self._tokenise(text)
        self._ahead: _Token | None = next(self._tokens, None)

    def parsed(self) -> BifText:
        while self._ahead is not None:
            token = self._next("'network', 'variable' or 'probability'")
            if token.text == "network":
                self._name("the network's name")
                self._skip_block()
            elif token.text == "variable":
                self._variable()
            elif token.text == "probability":
                self._probability()
            else:
                message = f"found {token.text!r}; expected 'network', 'variable' or 'probability'"
                raise self.out.fault(token.line, message)
        return self.out

    def _tokenise(self, text: str) -> Iterator[_Token]:
        position, line = 0, 1
        while position < len(text):
            match = _TOKEN.match(text, position)
            if match is None:
                what = "a comment that never ends" if text.startswith("/*", position) else "a quote that never ends"
                raise self.out.fault(line, f"found {what}; expected it to be closed")
            found = match.group()
            if match.lastgroup != "space":
                word = found.strip('"') if match.lastgroup == "quoted" else found
                yield _Token(word, line, match.lastgroup == "mark", match.lastgroup == "quoted")
            line += found.count("\n")
            position = match.end()

    def _next(self, expected: str) -> _Token:
        if self._ahead is None:
            raise self.out.fault(self.last_line, f"the file ends here; expected {expected}. It was cut short")
        token, self._ahead = self._ahead, next(self._tokens, None)
        self.last_line = token.line
        return token

    def _peek(self, mark: str) -> bool:
        return self._ahead is not None and self._ahead.mark and self._ahead.text == mark

    def _mark(self, mark: str) -> None:
        token = self._next(f"'{mark}'")
        if not (token.mark and token.text == mark):
            raise self.out.fault(token.line, f"found {token.text!r}; expected '{mark}'")

    def _name(self, what: str) -> _Token:
        token = self._next(what)
        if token.mark:
            raise self.out.fault(token.line, f"found {token.text!r}; expected {what}")
        return token

    def _groups(self, end: str, what: str, after: Callable[[_Token | None], bool] | None = None) -> list[Group]:
        """What stands up to the mark `end`, by commas. Names may hold brackets where only an `end` with `after` behind it ends."""
        groups: list[Group] = []
        group: list[_Token] = []
        while True:
            token = self._next(f"{what}, or '{end}'")
            if token.mark and token.text == end and (after is None or after(self._ahead) or not _opened(group)):
                break
            if token.mark and token.text == ",":
                if not group:
                    raise self.out.fault(token.line, f"found ','; expected {what}")
                groups.append(tuple(group))
                group = []
            elif token.mark and token.text in "{};|":
                raise self.out.fault(token.line, f"found {token.text!r}; expected {what}{_QUOTE}")
            else:
                group.append(token)
        return [*groups, tuple(group)] if group else groups

    def _numbers(self) -> list[float]:
        numbers = []
        while not self._peek(";"):
            token = self._name("a probability, or ';'")
            number = as_probability(token.text)
            if number is None:
                raise self.out.fault(token.line, f"found {token.text!r}; expected a probability in [0, 1]")
            numbers.append(number)
            if self._peek(","):
                self._mark(",")
        self._mark(";")
        return numbers

    def _skip_block(self) -> None:
        self._mark("{")
        while not self._peek("}"):
            self._property(self._next("'property' or '}'"))
        self._mark("}")

    def _property(self, token: _Token) -> None:
        if token.text != "property":
            raise self.out.fault(token.line, f"found {token.text!r}; expected 'property' or '}}'")
        while not self._peek(";"):
            self._next("';' after a property")
        self._mark(";")

    def _variable(self) -> None:
        name = self._name("a variable's name")
        while not (self._peek("{") or self._ahead is None or self._ahead.mark or name.quoted or self._ahead.quoted):
            name = replace(name, text=f"{name.text} {self._next('a name').text}")
        self._mark("{")
        values: list[str] | None = None
        while not self._peek("}"):
            token = self._next("'type', 'property' or '}'")
            if token.text != "type":
                self._property(token)
            elif values is not None:
                raise self.out.fault(token.line, f"variable {name.text} has a second 'type'; expected one")
            else:
                values = self._type(name.text)
        self._mark("}")
        if values is None:
            raise self.out.fault(
                name.line, f"variable {name.text} has no 'type'; expected 'type discrete [n] {{ ... }};'"
            )
        if name.text in self.out.values:
            raise self.out.fault(
                name.line, f"variable {name.text} was already given at line {self.out.declared[name.text]}"
            )
        self.out.values[name.text], self.out.declared[name.text] = tuple(values), name.line

    def _type(self, name: str) -> list[str]:
        kind = self._name("'discrete'")
        if kind.text != "discrete":
            raise self.out.fault(
                kind.line, f"variable {name} is {kind.text}; only discrete variables can be read: cut it"
            )
        self._mark("[")
        count = self._name("the number of values")
        self._mark("]")
        self._mark("{")
        groups = self._groups("}", "a value")
        self._mark(";")
        values = self._counted(groups, count.text)
        if values is None:
            raise self.out.fault(
                count.line,
                f"variable {name} announces {count.text} values and lists {sum(map(len, groups))}{_QUOTE}",
            )
        if len(set(values)) != len(values) or not values:
            raise self.out.fault(
                count.line, f"variable {name} has values {values}; expected one or more, all different"
            )
        return values

    def _counted(self, groups: list[Group], count: str) -> list[str] | None:
        """Values, by words or by commas, whichever gives the announced number of them."""
        words = [token for group in groups for token in group]
        if not any(token.mark for token in words) and count == str(len(words)):
            return [token.text for token in words]
        return [_joined(group) for group in groups] if count == str(len(groups)) else None

    def _probability(self) -> None:
        line = self.last_line
        self._mark("(")
        of: list[_Token] = []
        while not (self._peek("|") or self._peek(")") or self._peek(",")):
            of.append(self._name(f"a variable's name, '|' or ')'{_QUOTE if of else ''}"))
        if not of:
            raise self.out.fault(line, "a block of no variable; expected its name in brackets")
        if self._peek("|"):
            self._mark("|")
            child, *others = self._declared([tuple(of)])
            if others:
                raise self.out.fault(
                    line, f"found {_joined(tuple(of))!r} before '|'; expected one variable, or quotes around it"
                )
            parents = self._declared(self._groups(")", "a parent's name", _opens_block))
        else:  # JavaBayes writes no bar: the first name is the variable
            self._skip(",")
            child, *parents = self._declared([tuple(of), *self._groups(")", "a parent's name", _opens_block)])
        if child in self.out.blocks:
            first = self.out.blocks[child].line
            raise self.out.fault(line, f"a second probability block for {child}; the first is at line {first}")
        block = self.out.blocks[child] = Block(child, tuple(parents), line)
        self._mark("{")
        while not self._peek("}"):
            self._entry(block, self._next("'table', 'default', '(' or '}'"))
        self._mark("}")

    def _declared(self, groups: list[Group]) -> list[str]:
        """Names of variables: a group is one name if that is declared or its words are not, else a name for each word."""
        names = []
        for group in groups:
            whole, words = _joined(group), [token.text for token in group]
            known = [word in self.out.values for word in words]
            one = whole in self.out.values or not (all(known) or any(token.quoted for token in group))
            names += [whole] if one and len(group) > 1 else words
        return names

    def _skip(self, mark: str) -> None:
        if self._peek(mark):
            self._mark(mark)

    def _entry(self, block: Block, token: _Token) -> None:
        if token.mark and token.text == "(":
            groups = self._groups(")", "a parent's value", _is_number)
            by_comma = len(groups) == len(block.parents)
            values = [_joined(group) for group in groups] if by_comma else [t.text for group in groups for t in group]
            block.rows.append((token.line, tuple(values), self._numbers()))
        elif token.text in ("table", "default"):
            if getattr(block, token.text) is not None:
                raise self.out.fault(token.line, f"a second '{token.text}' for {block.child}; expected one")
            setattr(block, token.text, (token.line, self._numbers()))
        else:
            self._property(token)


def _joined(group: Group) -> str:
    """One name of several words: blanks between words, none around brackets."""
    text = group[0].text
    for before, token in pairwise(group):
        text += token.text if token.mark or before.mark else f" {token.text}"
    return text


def _opened(group: list[_Token]) -> bool:
    """Whether a bracket stands in the name, so that one that closes may belong to it."""
    return any(token.mark for token in group)


def _is_number(token: _Token | None) -> bool:
    return token is None or as_probability(token.text) is not None


def _opens_block(token: _Token | None) -> bool:
    return token is None or (token.mark and token.text == "{")
