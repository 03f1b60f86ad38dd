"""Agents that a person wrote, named as `FILE.py:NAME` or `MODULE:NAME`. This, and no scenario, policy or other file that is
read, runs code: what it names is imported."""

from __future__ import annotations

import ast
import difflib
import importlib
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from types import ModuleType
from typing import Any

from workup.agents.adapted import where_it_failed
from workup.agents.base import Agent
from workup.errors import UnknownNameError, WorkupError
from workup.files import UnreadableError, bytes_of

PICKLES = (".zip", ".pkl", ".pickle", ".pt", ".pth")
"""Endings of files that can run code when they are opened."""
_MOST_BYTES = 4_000_000
_HOW = "as in my.py:Cautious"


def is_reference(text: str) -> bool:
    """Whether a text is meant as `FILE.py`, `FILE.py:NAME` or `MODULE:NAME`."""
    place, colon, name = text.rpartition(":")
    module = bool(colon) and name.isidentifier() and all(part.isidentifier() for part in place.split("."))
    return text.endswith(".py") or place.endswith(".py") or module


def referenced(reference: str) -> tuple[str, Any]:
    """What a reference names, and its name there; the file or module is run for it.

    Raises:
        UnknownNameError: no such file, module or name; says which names there are.
        WorkupError: it fails when it is run; says at which line.
    """
    place, _, name = reference.rpartition(":")
    if reference.endswith(".py"):
        raise UnknownNameError(_which(Path(reference)))
    module = _run(Path(place)) if place.endswith(".py") else _imported(place, name)
    if not hasattr(module, name):
        known = _defined(module)
        near = difflib.get_close_matches(name, known, n=1)
        meant = f"; did you mean {place}:{near[0]}?" if near else ";"
        held = f"it holds {', '.join(known)}" if known else "it holds no class and no function"
        raise UnknownNameError(f"{place} has no {name!r}{meant} {held}")
    return name, getattr(module, name)


def by_own_name(agents: Mapping[str, Agent]) -> dict[str, Agent]:
    """Agents by what tables call them: one of a reference by its own name, unless another is called so too."""
    names = {given: agent.name if is_reference(given) else given for given, agent in agents.items()}
    times = Counter(names.values())
    return {names[given] if times[names[given]] == 1 else given: agent for given, agent in agents.items()}


def refuse_pickle(path: Path) -> None:
    """Raises WorkupError for a file that can run code when it is opened, such as a model of Stable-Baselines3."""
    if path.suffix.lower() in PICKLES:
        raise WorkupError(
            f"{path} is not opened: such a file holds a pickle, which can run code when it is read. If you trust whoever made it, "
            "load it yourself, in Python: workup.evaluate(scenario, [MaskablePPO.load(...)]), or in a function of your own: "
            "--agents my.py:load. What `workup train` saves holds numbers alone"
        )


def _which(path: Path) -> str:
    """What to write instead of a file's bare name; the file is read, not run."""
    text = _read(path)
    try:
        body = ast.parse(text, str(path)).body
    except (SyntaxError, ValueError) as error:
        raise WorkupError(_unreadable(path, error)) from None
    kinds = (ast.ClassDef, ast.FunctionDef)
    names = [node.name for node in body if isinstance(node, kinds) and not node.name.startswith("_")]
    if not names:
        return f"{path} defines no class and no function at its top level; give an agent's, {_HOW}"
    return f"{path}: say which of it is the agent: {' or '.join(f'{path}:{name}' for name in names)}"


def _read(path: Path) -> bytes:
    try:
        return bytes_of(path, _MOST_BYTES)
    except UnreadableError as error:
        raise UnknownNameError(f"{path}: {error.why}; give a file of Python and a name in it, {_HOW}") from None


def _run(path: Path) -> ModuleType:
    """The file as a module of its own; the same text is run once. What lies beside the file can be imported by it."""
    text, place = _read(path), path.resolve()
    name = f"{path.stem}_{sha256(bytes(place) + text).hexdigest()[:12]}"
    if name in sys.modules:
        return sys.modules[name]
    module = ModuleType(name)
    module.__file__ = str(place)
    if str(place.parent) not in sys.path:
        sys.path.append(str(place.parent))  # last, so that nothing installed is hidden
    try:
        code = compile(text, str(place), "exec", dont_inherit=True)
    except (SyntaxError, ValueError) as error:
        raise WorkupError(_unreadable(path, error)) from None
    sys.modules[name] = module  # dataclasses look their own module up
    try:
        exec(code, module.__dict__)
    except (Exception, SystemExit) as error:
        del sys.modules[name]
        raise WorkupError(f"{path} failed when it was run: {where_it_failed(error, str(place))}") from error
    return module


def _unreadable(path: Path, error: SyntaxError | ValueError) -> str:
    line = f":{error.lineno}" if isinstance(error, SyntaxError) and error.lineno else ""
    return f"{path}{line}: not Python: {error.msg if isinstance(error, SyntaxError) else error}"


def _imported(name: str, wanted: str) -> ModuleType:
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name is None or not f"{name}.".startswith(f"{error.name}."):
            raise WorkupError(f"{name} failed when it was imported: {where_it_failed(error, None)}") from error
        file = Path(*name.split(".")).with_suffix(".py")
        mend = f"write {file}:{wanted}" if file.is_file() else f"give a file instead, {_HOW}"
        raise UnknownNameError(
            f"{name}:{wanted} names no agent, and no module {name!r} can be imported; {mend}"
        ) from None
    except (Exception, SystemExit) as error:
        raise WorkupError(f"{name} failed when it was imported: {where_it_failed(error, None)}") from error


def _defined(module: ModuleType) -> Sequence[str]:
    """Public names that can be an agent: classes and functions of this very module, and whatever acts."""
    return [
        name
        for name, value in vars(module).items()
        if not name.startswith("_")
        and ((getattr(value, "__module__", None) == module.__name__ and callable(value)) or hasattr(value, "act"))
    ]
