"""What a run of the fusion benchmark rests on: a digest of all code that can change what it finds."""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Iterator
from functools import cache, partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

from workup.errors import UnknownNameError, WorkupError

_OURS: Final = ("workup.studies.fusion", "workup.agents.fusion", "workup.envs.modalities")
FOLDER: Final = Path(__file__).parents[1] / "studies" / "fusion" / "readers"
_START: Final = "workup.studies.fusion.evaluation"


def named_model(reference: str) -> Any:
    """The build function that `my.py:build` names; the file is run, which is what naming it asks for.

    Raises:
        UnknownNameError: no such file or name.
        WorkupError: it fails when it is run, or is nothing that can be called.
    """
    from workup.agents.referenced import is_reference, referenced

    if not is_reference(reference):
        raise UnknownNameError(
            f"--model {reference!r}; expected a file of Python and the name of its build function, as in my.py:build"
        )
    name, found = referenced(reference)
    if not callable(found):
        raise WorkupError(
            f"{reference}: {name} is a {type(found).__name__}; expected a function that is called as build(task, encoders, seed=...)"
        )
    return found


@cache
def digest(task: str, method: str, view: str = "findings") -> str:
    """16 hex digits of the code of a task, of a method, and of how methods are trained and measured; in the view read, of readers too.

    Comments and docstrings change nothing. Of a model of one's own its file counts, not what that imports.
    """
    modules = {_START, f"workup.studies.fusion.tasks.{task}"}
    own = ""
    if ":" in method:
        place = method.rpartition(":")[0]
        own = _code(Path(place)) if place.endswith(".py") else place
    elif not method.startswith("exact_"):
        modules.add(module_of(method))
    if view == "read":
        own += "".join(hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(FOLDER.glob("*.safetensors")))
    return digest_of(frozenset(modules), own)


@cache
def digest_of(modules: frozenset[str], more: str = "") -> str:
    """16 hex digits of the code of modules of ours and of what of ours they import, and of whatever more counts."""
    text = "\n".join([*(f"{name} {_code(_place(name))}" for name in sorted(_reached(modules))), more])
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def module_of(method: str) -> str:
    """The module that a method of the registry is built in."""
    from workup.agents.fusion.registry import fusion_of

    build: Any = fusion_of(method)
    while isinstance(build, partial):
        build = build.func
    return str(getattr(build, "kind", build).__module__)


def _reached(modules: frozenset[str]) -> set[str]:
    """They, and what of ours they import, and so on."""
    found: set[str] = set()
    left = set(modules)
    while left:
        module = left.pop()
        found.add(module)
        left |= set(_imports(module)) - found
    return found


@cache
def _imports(module: str) -> tuple[str, ...]:
    return tuple(_imported(ast.parse(_place(module).read_text(encoding="utf-8"))))


def _imported(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith(_OURS):
            yield node.module
            for each in node.names:
                if find_spec(node.module) and _is_package(node.module) and find_spec(f"{node.module}.{each.name}"):
                    yield f"{node.module}.{each.name}"


def _is_package(module: str) -> bool:
    spec = find_spec(module)
    return spec is not None and spec.submodule_search_locations is not None


@cache
def _place(module: str) -> Path:
    spec = find_spec(module)
    if spec is None or spec.origin is None:
        raise UnknownNameError(f"no module {module}")
    return Path(spec.origin)


@cache
def _code(path: Path) -> str:
    """What a file does, without its docstrings and comments."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(body := getattr(node, "body", None), list):
            told = [each for each in body if isinstance(each, ast.Expr) and isinstance(each.value, ast.Constant)]
            node.body = [each for each in body if each not in told]  # type: ignore[attr-defined]
    return ast.dump(tree)
