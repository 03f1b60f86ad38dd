"""Scenarios written by a program: names, words for values, and YAML that the reader takes back and people can read."""

from __future__ import annotations

import io
import re
from collections.abc import Iterable, Mapping
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.emitter import Emitter
from ruamel.yaml.scalarstring import DoubleQuotedScalarString

from workup.scenarios.language.authorship import FIGURE_KEYS
from workup.scenarios.language.vocabulary import CLAUSE_WORDS, RESERVED

WIDTH = 110
_FIGURE_WORDS = frozenset({"value", *FIGURE_KEYS})
"""What stands beside a figure, and so can be no key of a table."""
_SAFE = re.compile(r"[^\W\d_][\w .;/()%+-]*[\w.)%]|\w")
"""Text that means itself without quotes, wherever it stands; other text gets quotes."""

_ESCAPED = re.compile("[^\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd]")


class Names:
    """Names of the language for words of any kind: letters, digits and underscores, none twice, none reserved."""

    def __init__(self, taken: Iterable[str] = ()) -> None:
        self.taken = {*RESERVED, *_FIGURE_WORDS, *taken}

    def name(self, word: str) -> str:
        """A name as near to `word` as can be; it is taken from now on."""
        plain = re.sub(r"[^A-Za-z0-9_]+", "_", word).strip("_") or "x"
        found, number = plain, 2
        while found in self.taken:
            found, number = f"{plain}_{number}", number + 1
        self.taken.add(found)
        return found

    def names(self, words: Iterable[str]) -> tuple[str, ...]:
        """A name for each."""
        return tuple(self.name(word) for word in words)


def value_words(words: Iterable[str]) -> tuple[str, ...]:
    """Words that can be values of one variable: no comma, no word of the language, none twice."""
    out: list[str] = []
    for word in words:
        plain = " ".join(re.sub(r"[,\x00-\x1f\x7f-\x9f\u2028\u2029]", " ", word).split()) or "x"
        found = f"{plain}_" if plain in CLAUSE_WORDS | _FIGURE_WORDS else plain
        number = 2
        while found in out:
            found, number = f"{plain}_{number}", number + 1
        out.append(found)
    return tuple(out)


def block(entries: Mapping[str, Any] | None = None, **more: Any) -> CommentedMap:
    """A mapping that is written with one entry on each line."""
    return CommentedMap({**(entries or {}), **more})


def inline(entries: Mapping[str, Any] | None = None, **more: Any) -> CommentedMap:
    """A mapping that is written in braces, on one line if it fits."""
    found = block(entries, **more)
    found.fa.set_flow_style()
    return found


def listed(entries: Iterable[Any]) -> CommentedSeq:
    """A list that is written in brackets, on one line if it fits."""
    found = CommentedSeq(entries)
    found.fa.set_flow_style()
    return found


def yaml_text(data: Mapping[str, Any], heading: str = "") -> str:
    """The mapping as YAML, in its order.

    Args:
        data: mappings, lists, text, numbers, true and false. What `block`, `inline` or `listed` made is laid out as they say;
            of anything else, what fits on a line stands on one, but for the sections at the top.
        heading: comment lines that come first, without '#'.
    """
    top = _laid_out(data, 0, "")[0]
    yaml, out = YAML(), io.StringIO()
    yaml.Emitter = _Emitter
    yaml.width = WIDTH
    yaml.explicit_end = True  # by it a reader knows that nothing was cut off
    yaml.indent(mapping=2, sequence=4, offset=2)
    if heading:
        top.yaml_set_start_comment(heading)
    yaml.dump(_quoted(top), out)
    return out.getvalue()


class _Emitter(Emitter):
    """Folds no quoted text that holds an escape: ruamel.yaml loses or adds blanks there."""

    def write_double_quoted(self, text: Any, split: Any = True) -> None:
        super().write_double_quoted(text, split and not _ESCAPED.search(text))


def _laid_out(node: Any, indent: int, key: str) -> tuple[Any, int]:
    """The node with its layout, and about how many characters it would take on one line behind its key."""
    if isinstance(node, CommentedMap | CommentedSeq):
        return node, 0
    length = indent + len(key) + 4
    if isinstance(node, Mapping):
        parts = {name: _laid_out(entry, indent + 2, name) for name, entry in node.items()}
        length += sum(took - indent for _, took in parts.values())
        make = inline if (indent > 2 and length <= WIDTH) or not node else block
        return make({name: entry for name, (entry, _) in parts.items()}), length
    if isinstance(node, list | tuple):
        entries = [_laid_out(entry, indent + 4, "") for entry in node]
        length += sum(took - indent - 4 for _, took in entries)
        long = length > WIDTH and any(isinstance(entry, Mapping | list | tuple) for entry in node)
        return (CommentedSeq if long else listed)(entry for entry, _ in entries), length
    return node, length + len(str(node))


def _quoted(node: Any) -> Any:
    """The same, with quotes around text that might be taken for something else, and keys and comments as they were."""
    if isinstance(node, CommentedMap):
        for key in list(node):
            node[key] = _quoted(node[key])
            if (safe := _quoted(key)) is not key:
                place = list(node).index(key)
                node.insert(place, safe, node.pop(key))
    elif isinstance(node, CommentedSeq):
        for i, entry in enumerate(node):
            node[i] = _quoted(entry)
    elif isinstance(node, str) and not _SAFE.fullmatch(node):
        return DoubleQuotedScalarString(node)
    return node
