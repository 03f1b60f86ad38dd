"""Reader of Bayesian networks in the UAI format. It has no names: variables and values are called '0', '1', ...

Each table's scope lists the parents, the first slowest, and ends with the variable itself, whose values are fastest.
Source: UAI 2008 evaluation of probabilistic inference, file format.
"""

from __future__ import annotations

import re
from pathlib import Path

from workup.envs.model.network import Network
from workup.importers.networks.draft import Draft, read_text

_COMMENT = re.compile(r"#.*")


def read_uai(path: Path) -> Network:
    """The network in a UAI file of the kind BAYES.

    aGrUM up to 3.3 writes (and reads) this format with the first parent fastest, and the name of its variable as a
    comment after each scope; a file whose scopes all carry such a comment is read so.

    Raises:
        FileFormatError: with `file:line` of what is malformed, truncated or a Markov network.
    """
    return _Uai(path).network()


class _Uai:
    def __init__(self, path: Path) -> None:
        self.draft = Draft(path)
        self.words: list[tuple[str, int]] = []
        self.commented: set[int] = set()
        self.at = 0
        for number, line in enumerate(read_text(path).splitlines(), start=1):
            plain = _COMMENT.sub("", line)
            self.words += [(word, number) for word in plain.split()]
            if plain != line:
                self.commented.add(number)

    def network(self) -> Network:
        draft = self.draft
        kind, line = self._next("BAYES")
        if kind != "BAYES":
            reason = "a Markov network has no conditional probabilities" if kind == "MARKOV" else f"found {kind!r}"
            raise draft.fault(line, f"{reason}; expected BAYES")
        count, line = self._count("the number of variables")
        sizes = [self._count(f"the number of values of variable {i}") for i in range(count)]
        for i, (size, line) in enumerate(sizes):
            if not 1 <= size <= len(self.words):
                raise draft.fault(line, f"variable {i} has {size} values, of which the file cannot speak")
            draft.add_variable(str(i), [str(value) for value in range(size)], line)
        tables, line = self._count("the number of tables")
        if tables != count:
            raise draft.fault(line, f"found {tables} tables for {count} variables; expected one for each")
        scopes = [self._scope() for _ in range(tables)]
        by_agrum = bool(scopes) and all(line in self.commented for _, line in scopes)
        for scope, _ in scopes:
            self._table(scope, by_agrum)
        if self.at < len(self.words):
            raise draft.fault(self.words[self.at][1], f"found {self.words[self.at][0]!r}; expected the end of the file")
        return draft.network()

    def _next(self, expected: str) -> tuple[str, int]:
        if self.at == len(self.words):
            line = self.words[-1][1] if self.words else 1
            raise self.draft.fault(line, f"the file ends here; expected {expected}. It was cut short")
        self.at += 1
        return self.words[self.at - 1]

    def _count(self, what: str) -> tuple[int, int]:
        word, line = self._next(what)
        if not (word.isascii() and word.isdecimal() and len(word) <= 9):
            raise self.draft.fault(line, f"found {word!r}; expected {what}")
        return int(word), line

    def _scope(self) -> tuple[list[str], int]:
        count, line = self._count("the number of variables in a table")
        if count < 1:
            raise self.draft.fault(line, "found a table over no variable; expected one that ends with its own variable")
        return [str(self._count("a variable's index")[0]) for _ in range(count)], line

    def _table(self, scope: list[str], by_agrum: bool) -> None:
        count, line = self._count(f"the number of entries in the table of {scope[-1]}")
        if self.at + count > len(self.words):
            self._next_many(count)
        numbers = [word for word, _ in self.words[self.at : self.at + count]]
        self.at += count
        n = len(scope) - 1
        self.draft.add_table(scope[-1], scope[:-1], line, numbers, order=[*reversed(range(n)), n] if by_agrum else None)

    def _next_many(self, count: int) -> None:
        left, line = len(self.words) - self.at, self.words[-1][1]
        raise self.draft.fault(line, f"the file ends after {left} of {count} entries of a table. It was cut short")
