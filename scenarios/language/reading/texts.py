"""Characters that no text of a scenario may have: they command a terminal, or no file can hold them."""

from __future__ import annotations

from typing import Any

from workup.errors import Fault, unprintable
from workup.scenarios.language.reading.yaml_tree import Path, Tree


def unfit_texts(tree: Tree) -> tuple[Fault, ...]:
    """A fault for each key or text with a control character, a mark that turns the direction of writing, or half a character."""
    faults: list[Fault] = []
    _walk(tree, tree.data, (), faults)
    return tuple(faults)


def _walk(tree: Tree, node: Any, path: Path, faults: list[Fault]) -> None:
    if isinstance(node, dict):
        for key, of in node.items():
            _look(tree, key, (*path, key), faults)
            _walk(tree, of, (*path, key), faults)
    elif isinstance(node, list):
        for i, of in enumerate(node):
            _walk(tree, of, (*path, i), faults)
    elif isinstance(node, str):
        _look(tree, node, path, faults)


def _look(tree: Tree, text: str, path: Path, faults: list[Fault]) -> None:
    found = unprintable(text)
    if found is not None:
        what = f"holds the character U+{ord(found):04X}, which nobody can see"
        faults.append(tree.fault(path, f"{what}; write the text without it, and letters as themselves, not as escapes"))
