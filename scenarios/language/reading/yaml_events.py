"""YAML text to parse events: by libyaml where it is there and sure to agree, else by ruamel.yaml's own reader.

libyaml reads a file some ten times as fast, but YAML 1.1, and its messages say less. What the two might read
differently, and whatever libyaml refuses, is therefore left to ruamel.yaml, which reads YAML 1.2 and words every fault.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError
from ruamel.yaml.events import ScalarEvent

try:
    from ruamel.yaml.cyaml import CParser as _Parser  # type: ignore[attr-defined]  # made by a C part without type stubs
except ImportError:
    _Parser = None
LIBYAML: Any = _Parser
"""The parser of libyaml; None where the C part of ruamel.yaml is not there: everything is read, only more slowly."""
_DOUBTFUL = re.compile(
    "[^\n\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd]|^%|[|>][-+0-9 ]*(?:#|\n *\n)", re.MULTILINE
)
"""Tabs, other line ends, marks at the head of a file, rare and unprintable characters, directives, and a comment or an
empty line at the head of a block of text."""


class DoubtError(Exception):
    """The quick reader is not there, or not sure to read the text as the thorough one does."""


def quick_events(text: str) -> Iterator[Any]:
    """The events by libyaml; raises DoubtError, possibly only after some of them, where `thorough_events` must be asked."""
    if LIBYAML is None or _DOUBTFUL.search(text):
        raise DoubtError
    parser = LIBYAML(text)
    try:
        while parser.check_event():
            event = parser.get_event()
            if isinstance(event, ScalarEvent) and not event.value and not event.style:
                raise DoubtError  # the two see an empty value on different lines
            yield event
    except YAMLError:
        raise DoubtError from None


def thorough_events(text: str) -> Iterator[Any]:
    """The events by ruamel.yaml's own reader, which raises YAMLError at what is no YAML."""
    # A parser of its own keeps state, so each file gets a fresh one; the round-trip one would leave a
    # BEL character at every fold of a folded text.
    return iter(YAML(typ="safe", pure=True).parse(text))
