"""Plain XML as a tree with line numbers. Entities are refused, nothing outside the file is read."""

from __future__ import annotations

import re
from codecs import BOM_UTF8
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from xml.parsers import expat

from workup.errors import FileFormatError
from workup.importers.networks.draft import read_bytes
from workup.importers.source import clipped, decoded

MOST_ELEMENTS = 1_000_000
DEEPEST = 100


@dataclass
class Element:
    """An element: its tag, attributes, children in order, and its own text."""

    tag: str
    line: int
    attributes: dict[str, str]
    children: list[Element] = field(default_factory=list)
    parts: list[str] = field(default_factory=list)

    @property
    def text(self) -> str:
        """The text directly inside, without blanks around it."""
        return "".join(self.parts).strip()

    def all(self, *tags: str) -> list[Element]:
        """Children of these tags."""
        return [child for child in self.children if child.tag in tags]

    def first(self, *tags: str) -> Element | None:
        """The first child of these tags, if there is one."""
        found = self.all(*tags)
        return found[0] if found else None


def parse_xml(path: Path) -> Element:
    """The root of an XML file.

    A document type may declare elements and attributes, as XMLBIF files do. What it declares as an entity would
    allow a short file to unfold without bound or to read other files, so that is refused.

    Raises:
        FileFormatError: with `file:line`, of what is not well formed, cut short, or an entity.
    """
    content = read_bytes(path)
    # XML allows nothing before its declaration, and other readers still take a blank line there.
    body = content.removeprefix(BOM_UTF8).lstrip()
    builder = _Builder(path, content[: len(content) - len(body)].count(b"\n"))
    try:
        builder.parser.Parse(body, True)
    except expat.ExpatError as error:
        if error.code == expat.errors.codes[expat.errors.XML_ERROR_INVALID_TOKEN] and not _ENCODING.match(body):
            decoded(path, content)
        hint = ". It was cut short" if error.code in _CUT_SHORT else ""
        reason = expat.ErrorString(error.code)
        raise FileFormatError(f"{path}:{error.lineno + builder.above}: not well-formed XML: {reason}{hint}") from None
    except (LookupError, ValueError) as error:  # an encoding that does not exist, or that expat cannot read
        raise FileFormatError(f"{path}:1: {error}; save it as UTF-8") from None
    assert builder.root is not None
    return builder.root


_ENCODING = re.compile(rb"<\?xml[^>]*\bencoding\s*=\s*['\"](?!utf-8|us-ascii)", re.IGNORECASE)
"""A declaration of bytes that need not be UTF-8."""
_CUT_SHORT = {
    expat.errors.codes[message]
    for message in (
        expat.errors.XML_ERROR_NO_ELEMENTS,
        expat.errors.XML_ERROR_UNCLOSED_TOKEN,
        expat.errors.XML_ERROR_PARTIAL_CHAR,
        expat.errors.XML_ERROR_UNCLOSED_CDATA_SECTION,
    )
}


class _Builder:
    def __init__(self, path: Path, above: int) -> None:
        self.path = path
        self.above = above
        """Lines before those that the parser sees."""
        self.root: Element | None = None
        self.open: list[Element] = []
        self.count = 0
        self.parser = expat.ParserCreate()
        self.parser.buffer_text = True
        self.parser.specified_attributes = True  # no defaults out of a document type
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self.parser.CharacterDataHandler = self._text
        self.parser.EntityDeclHandler = self._entity

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        self.count += 1
        if self.count > MOST_ELEMENTS or len(self.open) >= DEEPEST:
            what = f"more than {MOST_ELEMENTS:,} elements" if self.count > MOST_ELEMENTS else "elements nested too deep"
            raise self._fault(f"found {what}; expected a Bayesian network")
        element = Element(tag, self.parser.CurrentLineNumber + self.above, attributes)
        if self.open:
            self.open[-1].children.append(element)
        else:
            self.root = element
        self.open.append(element)

    def _end(self, _tag: str) -> None:
        self.open.pop()

    def _text(self, text: str) -> None:
        if self.open:
            self.open[-1].parts.append(text)

    def _entity(self, name: str, *_: Any) -> None:
        raise self._fault(f"declares the entity {name!r}; entities are refused, as they can unfold without bound")

    def _fault(self, message: str) -> FileFormatError:
        return FileFormatError(clipped(f"{self.path}:{self.parser.CurrentLineNumber + self.above}: {message}"))
