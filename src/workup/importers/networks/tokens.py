"""The syntax that HUGIN's and GeNIe's text formats share: words, lists in parentheses, entries `key = value;`, blocks."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from workup.errors import FileFormatError
from workup.importers.networks.draft import read_text
from workup.importers.source import clipped

_MARKS = r"[{}()|;=,]"
HUGIN = re.compile(
    rf'(?P<space>\s+|%[^\n]*)|(?P<quoted>"(?:[^"\\]|\\.)*")|(?P<mark>{_MARKS})|(?P<word>[^\s{{}}()|;=,"%]+)', re.DOTALL
)
GENIE = re.compile(
    rf'(?P<space>\s+|//[^\n]*|/\*.*?\*/)|(?P<quoted>"(?:[^"\\]|\\.)*")|(?P<mark>{_MARKS})|(?P<word>(?:(?!//|/\*)[^\s{{}}()|;=,"])+)',
    re.DOTALL,
)
DEEPEST = 100


@dataclass(frozen=True)
class Token:
    """A word, a quoted text or a mark of punctuation."""

    text: str
    line: int
    mark: bool


@dataclass
class Value:
    """An entry `key = words;`, the words of nested lists one after the other."""

    key: str
    line: int
    words: list[str] = field(default_factory=list)


@dataclass
class Block:
    """Entries in braces, perhaps with a name before them."""

    key: str
    name: str
    line: int
    entries: list[Value | Block] = field(default_factory=list)


class Reader:
    """Reads one token after the other; every error names the line."""

    def __init__(self, path: Path, pattern: re.Pattern[str]) -> None:
        self.path = path
        self.line = 1
        self._tokens = self._tokenise(read_text(path), pattern)
        self._ahead: Token | None = next(self._tokens, None)

    def fault(self, line: int, message: str) -> FileFormatError:
        """An error at a line of the file."""
        return FileFormatError(clipped(f"{self.path}:{line}: {message}"))

    def at_end(self) -> bool:
        """Whether nothing is left."""
        return self._ahead is None

    def peek(self, mark: str) -> bool:
        """Whether the next token is this mark."""
        return self._ahead is not None and self._ahead.mark and self._ahead.text == mark

    def next(self, expected: str) -> Token:
        """The next token."""
        if self._ahead is None:
            raise self.fault(self.line, f"the file ends here; expected {expected}. It was cut short")
        token, self._ahead = self._ahead, next(self._tokens, None)
        return token

    def expect(self, text: str) -> Token:
        """The next token, which has to be this one."""
        token = self.next(f"'{text}'")
        if token.text != text:
            raise self.fault(token.line, f"found {token.text!r}; expected '{text}'")
        return token

    def word(self, what: str) -> Token:
        """The next token, which has to be no mark."""
        token = self.next(what)
        if token.mark:
            raise self.fault(token.line, f"found {token.text!r}; expected {what}")
        return token

    def block(self, key: str = "", name: str = "", depth: int = 0) -> Block:
        """`{ entries }`; blocks inside may have a name and may be followed by ';'."""
        start = self.expect("{")
        if depth > DEEPEST:
            raise self.fault(start.line, "blocks nested too deep; expected a Bayesian network")
        found = Block(key, name, start.line)
        while not self.peek("}"):
            token = self.word("an entry or '}'")
            if self.peek("="):
                self.expect("=")
                if self.peek("{"):
                    found.entries.append(self.block(token.text, "", depth + 1))
                    self.expect(";")
                else:
                    found.entries.append(self._words(token))
            else:
                inner = self.word(f"'=' or a name after {token.text}")
                found.entries.append(self.block(token.text, inner.text, depth + 1))
                if self.peek(";"):
                    self.expect(";")
        self.expect("}")
        return found

    def value(self, key: Token) -> Value:
        """`= value;` after its key."""
        self.expect("=")
        return self._words(key)

    def _words(self, key: Token) -> Value:
        value, depth = Value(key.text, key.line), 0
        while not (depth == 0 and self.peek(";")):
            token = self.next(f"the value of {key.text}, then ';'")
            if token.mark and token.text == "(":
                depth += 1
            elif token.mark and token.text == ")":
                depth -= 1
            if depth < 0 or (token.mark and token.text in "{};="):
                raise self.fault(token.line, f"found {token.text!r} in the value of {key.text}; expected ';' before it")
            if not token.mark:
                value.words.append(token.text)
        self.expect(";")
        return value

    def _tokenise(self, text: str, pattern: re.Pattern[str]) -> Iterator[Token]:
        position = 0
        while position < len(text):
            match = pattern.match(text, position)
            if match is None:
                what = "a comment that never ends" if text.startswith("/*", position) else "a quote that never ends"
                raise self.fault(self.line, f"found {what}; expected it to be closed")
            found = match.group()
            if match.lastgroup != "space":
                quoted = match.lastgroup == "quoted"
                word = re.sub(r"\\(.)", r"\1", found[1:-1], flags=re.DOTALL) if quoted else found
                yield Token(word, self.line, match.lastgroup == "mark")
            self.line += found.count("\n")
            position = match.end()
