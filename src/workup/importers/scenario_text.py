"""Scenario files written by a program: plain mappings, lists, numbers and words as YAML that the reader takes back."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import Any

from workup.scenarios.language.lint.names import RESERVED
from workup.scenarios.language.reading.provenance import KEYS

_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_NOT_PLAIN = frozenset({"null", "true", "false"})
_NOT_VALUES = frozenset({"otherwise", "unknown", "not", "at_least", "below", "value", *KEYS})
_WIDTH = 110


class Names:
    """Names of the language for words of any kind: letters, digits and underscores, none twice."""

    def __init__(self) -> None:
        self.taken: set[str] = set(RESERVED) | {"value", *KEYS}

    def name(self, word: str) -> str:
        """A name as near to `word` as can be."""
        plain = re.sub(r"[^A-Za-z0-9_]+", "_", word).strip("_") or "x"
        found, number = plain, 2
        while found in self.taken:
            found, number = f"{plain}_{number}", number + 1
        self.taken.add(found)
        return found


def value_words(words: Iterable[str]) -> tuple[str, ...]:
    """Words that can be values of one variable: no comma, no word of the language, none twice."""
    out: list[str] = []
    for word in words:
        plain = " ".join(re.sub(r"[,\x00-\x1f\x7f]", " ", word).split()) or "x"
        found = f"{plain}_" if plain in _NOT_VALUES else plain
        number = 2
        while found in out:
            found, number = f"{plain}_{number}", number + 1
        out.append(found)
    return tuple(out)


def yaml_text(data: dict[str, Any]) -> str:
    """The mapping as YAML: what fits on a line stands on one."""
    return "\n".join(_block(data, "")) + "\n"


def _block(data: dict[str, Any], indent: str) -> list[str]:
    lines = []
    for key, value in data.items():
        inline = _flow(value)
        if isinstance(value, dict) and value and (len(inline) + len(indent) + len(key) > _WIDTH or not indent):
            lines += [f"{indent}{_word(key)}:", *_block(value, indent + "  ")]
        elif isinstance(value, list) and len(inline) + len(indent) > _WIDTH:
            lines += [f"{indent}{_word(key)}:", *(f"{indent}  - {_flow(entry)}" for entry in value)]
        else:
            lines.append(f"{indent}{_word(key)}: {inline}")
    return lines


def _flow(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_word(key)}: {_flow(of)}" for key, of in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_flow(of) for of in value) + "]"
    if isinstance(value, str):
        return _word(value)
    return json.dumps(value) if isinstance(value, bool) else repr(value)


def _word(word: str) -> str:
    plain = _PLAIN.fullmatch(word) and word.lower() not in _NOT_PLAIN
    return word if plain else json.dumps(word, ensure_ascii=False)
