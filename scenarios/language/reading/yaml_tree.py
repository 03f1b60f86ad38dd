"""YAML text to plain dicts, lists, numbers and words, with the line of everything, and nothing else.

Built from parse events rather than by a library's constructors, so that no tag, anchor or merge key can
make an object: a file holds mappings, lists, numbers, true/false, null and text, or it is refused.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import (
    AliasEvent,
    DocumentEndEvent,
    DocumentStartEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)

from workup.errors import Fault, ScenarioError
from workup.scenarios.language.reading.yaml_events import DoubtError, quick_events, thorough_events
from workup.scenarios.language.reading.yaml_faults import syntax_fault

Path = tuple[str | int, ...]
MAX_BYTES = 1_000_000
MAX_DEPTH = 32
MAX_VALUES = 100_000
MAX_FAULTS = 200
_INT = re.compile(r"[-+]?[0-9]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_NOT_FINITE = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")
_FIRST = frozenset("+-.0123456789")
"""What a number begins with."""
_LONG_TAG = re.compile(r"(?<![^\s,\[{])!\S{256}")
"""Found before parsing: the time that parsers take for a tag grows with the square of its length."""
_WORDS: dict[str, Any] = {"null": None, "~": None, "": None, "true": True, "false": False}


@dataclass
class Tree:
    """A parsed scenario: `data` of plain values, and where each stands."""

    file: str
    data: Any = None
    places: dict[Path, tuple[str, int]] = field(default_factory=dict)
    """File and line (from 1) of the key or list entry at each path."""
    columns: dict[Path, int] = field(default_factory=dict)
    """Its column, from 1."""
    digits: dict[Path, str] = field(default_factory=dict)
    """Numbers that were not written as Python writes them: 0.30, 1e3."""
    unended: tuple[str, ...] = ()
    """Files without the line `...` at their end, which may therefore have been cut short unseen."""

    def place(self, path: Path) -> tuple[str, int]:
        """File and line of the entry, or of the nearest enclosing one that was written."""
        while path and path not in self.places:
            path = path[:-1]
        return self.places.get(path, (self.file, 1))

    def fault(self, path: Path, message: str, *, column: bool = False) -> Fault:
        """A fault at `path`, the path itself at the head of the message; with its column, if that is known and asked for."""
        dotted = ".".join(str(part) for part in path)
        at = self.columns.get(path) if column else None
        return Fault(*self.place(path), f"{dotted}: {message}" if dotted else message, at)

    def graft(self, key: str, tree: Tree) -> None:
        """Put another file's tree under `key`."""
        self.data[key] = tree.data
        self.places[(key,)] = (tree.file, 1)
        self.places |= {(key, *path): place for path, place in tree.places.items()}
        self.digits |= {(key, *path): text for path, text in tree.digits.items()}
        self.columns |= {(key, *path): column for path, column in tree.columns.items()}
        self.unended += tree.unended


def parse(content: bytes, file: str) -> Tree:
    """The tree of one YAML 1.2 file.

    Args:
        content: the file as it stands on disk.
        file: its name, for messages.

    Raises:
        ScenarioError: not UTF-8, not YAML, too large or too deep, or with anchors, tags, merge keys,
            duplicate keys, several documents or numbers that are not finite; each with its line.
    """
    text = _text(content, file)
    if tag := _LONG_TAG.search(text):
        raise _fault(
            file, text.count("\n", 0, tag.start()) + 1, f"tag {tag[0][:20]}...: tags are not used here; remove it"
        )
    try:
        quick = _Builder(file)
        quick.walk(quick_events(text))
        if not quick.faults:
            return quick.finished()
    except DoubtError:
        pass
    return _Builder(file).build(text)


def _text(content: bytes, file: str) -> str:
    if len(content) > MAX_BYTES:
        raise _fault(file, 1, f"the file has {len(content):,} bytes; a scenario file may have {MAX_BYTES:,}. Split it")
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise _fault(file, line, f"byte {error.start} is not UTF-8 text ({error.reason}); save it as UTF-8") from None


def _fault(file: str, line: int, message: str) -> ScenarioError:
    return ScenarioError([Fault(file, line, message)])


class _Builder:
    def __init__(self, file: str) -> None:
        self.tree = Tree(file, unended=(file,))
        self.faults: list[Fault] = []
        self.values = 0

    def build(self, text: str) -> Tree:
        """Read and word every fault."""
        try:
            self.walk(thorough_events(text))
        except MarkedYAMLError as error:
            self._report(*syntax_fault(error, text.splitlines()))
        except YAMLError as error:
            self._report(1, f"not valid YAML: {' '.join(str(error).split())}; remove what is not plain text")
        return self.finished()

    def walk(self, events: Iterator[Any]) -> None:
        """Walk the events once; structural faults stop at once, content faults are gathered."""
        with suppress(_RefusedError):
            self._document(events)

    def finished(self) -> Tree:
        """The tree; raises ScenarioError if anything was wrong."""
        if not self.faults and self.tree.data is None:
            self.tree.data = {}  # an empty file says nothing yet
        if not self.faults and not isinstance(self.tree.data, dict):
            found = "a list" if isinstance(self.tree.data, list) else f"the text {self.tree.data!r:.60}"
            self._report(1, f"the file holds {found}; expected lines such as 'title: Cough for three weeks'")
        if self.faults:
            raise ScenarioError(self.faults)
        return self.tree

    def _report(self, line: int, message: str) -> None:
        self.faults.append(Fault(self.tree.file, line, message))
        if len(self.faults) >= MAX_FAULTS:
            self.faults.append(Fault(self.tree.file, line, f"{MAX_FAULTS} faults of form so far; mend these first"))
            raise _RefusedError

    def _refuse(self, event: Any, message: str) -> _RefusedError:
        self._report(event.start_mark.line + 1, message)
        return _RefusedError()

    def _document(self, events: Iterator[Any]) -> None:
        documents = 0
        for event in events:
            if isinstance(event, DocumentStartEvent):
                documents += 1
                if documents > 1:
                    said = "a second document ('---') starts here; a file holds one"
                    said = (
                        said
                        if self.tree.unended
                        else "the file goes on after the line '...', which ends it; move that line"
                    )
                    raise self._refuse(event, said)
            elif isinstance(event, DocumentEndEvent):
                self.tree.unended = () if event.explicit else self.tree.unended
            elif isinstance(event, MappingStartEvent | SequenceStartEvent | ScalarEvent | AliasEvent):
                self.tree.data = self._node(event, events, ())

    def _node(self, event: Any, events: Iterator[Any], path: Path) -> Any:
        self._check(event, path)
        if isinstance(event, MappingStartEvent):
            return self._mapping(events, path)
        if isinstance(event, SequenceStartEvent):
            return self._sequence(events, path)
        value = self._scalar(event)
        if isinstance(value, int | float) and repr(value) != (text := str(event.value)):
            self.tree.digits[path] = text
        return value

    def _check(self, event: Any, path: Path) -> None:
        self.values += 1
        if isinstance(event, AliasEvent):
            mend = "write it out, or put a text that begins with * in quotes"
            raise self._refuse(event, f"alias *{event.anchor}: anchors and aliases are not used here; {mend}")
        if event.anchor is not None:
            raise self._refuse(event, f"anchor &{event.anchor}: anchors and aliases are not used here; write it out")
        if event.tag is not None:
            raise self._refuse(event, f"tag {event.tag}: tags are not used here; remove it (nothing was run)")
        if len(path) > MAX_DEPTH:
            raise self._refuse(event, f"nested more than {MAX_DEPTH} deep; a scenario needs at most about 12 levels")
        if self.values > MAX_VALUES:
            raise self._refuse(event, f"more than {MAX_VALUES:,} values; split the scenario")

    def _mapping(self, events: Iterator[Any], path: Path) -> dict[str, Any]:
        found: dict[str, Any] = {}
        while not isinstance(event := next(events), MappingEndEvent):
            key = self._key(event)
            line = event.start_mark.line + 1
            if key in found:
                _, first = self.tree.places[(*path, key)]
                self._report(line, f"{key!r} is written twice (first on line {first}); keep one")
            else:
                self.tree.places[(*path, key)] = (self.tree.file, line)
                self.tree.columns[(*path, key)] = event.start_mark.column + 1
            found[key] = self._node(next(events), events, (*path, key))
        return found

    def _key(self, event: Any) -> str:
        if not isinstance(event, ScalarEvent):
            raise self._refuse(event, "a key must be plain text, not a list, a mapping or an alias")
        self._check(event, ())
        if event.value == "<<":
            raise self._refuse(event, "merge key '<<' is not used here; write the entries out")
        return str(event.value)

    def _sequence(self, events: Iterator[Any], path: Path) -> list[Any]:
        found: list[Any] = []
        while not isinstance(event := next(events), SequenceEndEvent):
            here = (*path, len(found))
            self.tree.places[here] = (self.tree.file, event.start_mark.line + 1)
            self.tree.columns[here] = event.start_mark.column + 1
            found.append(self._node(event, events, here))
        return found

    def _scalar(self, event: Any) -> Any:
        text = str(event.value)
        if event.style or (text[:1] not in _FIRST and text not in _WORDS):
            return text  # quoted or a block, whatever it looks like; or a word
        for accepts, make in _PLAIN:
            if accepts(text):
                value = make(text)
                if isinstance(value, float) and not math.isfinite(value):
                    self._report(event.start_mark.line + 1, f"{text} is not a finite number; write an ordinary number")
                return value
        return text


_PLAIN: tuple[tuple[Callable[[str], object], Callable[[str], Any]], ...] = (
    (_WORDS.__contains__, _WORDS.__getitem__),
    # int() refuses thousands of digits by raising; no clinical figure has more than 15.
    (lambda text: len(text) <= 15 and _INT.fullmatch(text), int),
    (_FLOAT.fullmatch, float),
    (_NOT_FINITE.fullmatch, lambda text: float(text.replace(".", ""))),
)


class _RefusedError(Exception):
    """Parsing cannot sensibly go on; the fault is already recorded."""
