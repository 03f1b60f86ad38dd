"""What `import workup` offers is what it lists, for people, editors and type-checkers alike."""

from __future__ import annotations

import ast
import doctest
import importlib
import inspect
import subprocess
import sys
from pathlib import Path

import pytest
from house import plan
from support.optional import import_unless_training
from support.places import ROOT

import workup

FACE = ROOT / "src" / "workup" / "__init__.py"


def test_every_name_is_where_it_is_said_to_be_after_everything_is_imported() -> None:
    for module in plan.modules():
        import_unless_training(module)
    for name, home in workup._HOMES.items():
        where, _, there = home.partition(":")
        assert getattr(workup, name) is getattr(importlib.import_module(where), there or name), name


def test_lists_agree() -> None:
    assert sorted(workup.__all__) == sorted(workup._HOMES)
    assert set(workup.__all__) <= set(dir(workup))
    typed = {
        alias.asname or alias.name
        for node in ast.walk(ast.parse(FACE.read_text(encoding="utf-8")))
        if isinstance(node, ast.If)
        for each in node.body
        if isinstance(each, ast.ImportFrom)
        for alias in each.names
    }
    assert typed == set(workup.__all__)


def test_every_name_says_what_it_is() -> None:
    for name in workup.__all__:
        if name != "__version__":
            assert inspect.getdoc(getattr(workup, name)), name


@pytest.mark.parametrize("name", [name for name in workup.__all__ if name != "__version__"])
def test_the_examples_of_every_name_are_true(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    found = doctest.DocTestFinder(recurse=False).find(getattr(workup, name), name, module=False, globs={})
    assert sum(len(each.examples) for each in found) > 0
    for each in found:
        said: list[str] = []
        assert doctest.DocTestRunner(optionflags=doctest.ELLIPSIS).run(each, out=said.append).failed == 0, "".join(said)


def test_importing_it_loads_nothing_slow() -> None:
    program = "import workup, sys; assert not {'numpy', 'numba', 'gymnasium', 'polars', 'pydantic'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", program], check=True)


def test_the_version_is_that_of_the_project() -> None:
    assert f'version = "{workup.__version__}"' in (ROOT / "pyproject.toml").read_text(encoding="utf-8")
