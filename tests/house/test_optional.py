"""Without torch the rest is tested; where something optional is installed and broken, that is a failure and no skip."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

import pytest
from house import plan
from support.optional import TRAINING
from support.places import ROOT

OPTIONAL = (*TRAINING, "pyagrum", "sklearn", "pm4py", "pandas", "minari", "h5py")


@pytest.mark.parametrize("name", OPTIONAL)
def test_what_is_installed_can_be_imported(name: str) -> None:
    """`pytest.importorskip` skips where it cannot, whatever the reason."""
    if find_spec(name) is None:
        pytest.skip(f"needs {name}")
    import_module(name)


def imported(node: ast.AST, *, within: bool) -> Iterator[str]:
    """What is imported where the node runs, and `within` its functions too, under TYPE_CHECKING left out."""
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom) and node.module:
        yield from (node.module, *(f"{node.module}.{alias.name}" for alias in node.names))
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.If) and isinstance(child.test, ast.Name) and child.test.id == "TYPE_CHECKING":
            continue
        if within or not isinstance(child, ast.FunctionDef):
            yield from imported(child, within=within)


def needing_training() -> set[str]:
    """Our modules that cannot be imported without torch and Stable-Baselines3."""
    edges = {name: set(imported(tree_of(path), within=False)) for name, path in plan.modules().items()}
    found: set[str] = set()
    while more := {name for name, others in edges.items() if name not in found and trains(others, found)}:
        found |= more
    return found


def trains(names: set[str], ours: set[str]) -> bool:
    return any(name.partition(".")[0] in TRAINING or name in ours for name in names)


def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def unguarded(tree: ast.Module, ours: set[str]) -> list[str]:
    """What of a test module fails where nobody can train: its imports, or the names of tests without the mark."""
    text = ast.unparse(tree)
    all_marked = re.search(r"^pytestmark = .*pytest\.mark\.torch\b", text, re.MULTILINE) is not None
    if all_marked and "pytest.importorskip('sb3_contrib'" in text:
        return []
    found = ["at its top"] if trains(set(imported(tree, within=False)), ours) else []
    for each in tree.body:
        if isinstance(each, ast.FunctionDef) and each.name.startswith("test_"):
            marked = all_marked or "pytest.mark.torch" in map(ast.unparse, each.decorator_list)
            if not marked and trains(set(imported(each, within=True)), ours):
                found.append(each.name)
    return found


def test_what_trains_says_so() -> None:
    ours = needing_training()
    assert {"workup.envs.views.sb3", "workup.agents.learned.ppo.training"} <= ours
    assert not {"workup.cli.main", "workup.agents.registry", "workup.evaluation.policies"} & ours
    found = {
        str(path.relative_to(ROOT)): unguarded(tree_of(path), ours) for path in (ROOT / "tests").rglob("test_*.py")
    }
    assert {path: names for path, names in found.items() if names} == {}
