"""Agents of one's own: a file or module and a name in it, and nothing else, runs code."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

import workup
from workup.agents.adapted import FunctionPolicy, as_agent
from workup.agents.base import Agent
from workup.agents.referenced import by_own_name
from workup.agents.registry import make_agent
from workup.envs.model.world import World
from workup.errors import UnknownNameError, WorkupError

FILE = '''
from __future__ import annotations
from dataclasses import dataclass
import beside_the_file
from workup.agents.baselines.simple import AGENTS

raise_if_run_as_main = 1 / (__name__ != "__main__")

@dataclass
class Cautious:
    """The baseline `none` under a name of its own."""
    world: object
    seed: int
    needs: str = "belief"

    def __post_init__(self):
        self.inner = AGENTS["none"](self.world, seed=self.seed)

    def act(self, view):
        return self.inner.act(view)

def named(world, *, seed):
    agent = Cautious(world, seed)
    agent.name = "calls itself this"
    return agent

def broken(world, *, seed):
    return missing

def nothing(world, *, seed):
    pass

def first_legal(observation, mask):
    assert observation.dtype == "float32"
    return mask.argmax(axis=1)

def first_of_view(view):
    return view.mask.argmax(axis=1)

class NoSeed:
    def __init__(self, world):
        pass

class NoNeeds:
    def __init__(self, world, *, seed):
        pass
    def act(self, view):
        return view.mask.argmax(axis=1)

def _hidden(view):
    pass
'''


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.delitem(sys.modules, "beside_the_file", raising=False)
    (tmp_path / "beside_the_file.py").write_text("")
    path = tmp_path / "my.py"
    path.write_text(FILE)
    return path


def test_a_file_is_an_agent_under_its_own_name(world: World, file: Path) -> None:
    policies = ["none", *(f"{file}:{name}" for name in ("Cautious", "named", "first_legal", "first_of_view"))]
    found = workup.evaluate(world, policies, patients=30)
    assert list(found.agents) == ["none", "Cautious", "calls itself this", "first_legal", "first_of_view"]
    assert found.agents["Cautious"].value == found.agents["none"].value == found.agents["calls itself this"].value
    assert found.agents["first_legal"].value == found.agents["first_of_view"].value != found.agents["none"].value


def test_two_of_one_name_keep_what_they_were_asked_for_by(world: World, file: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.py"
    other.write_text(FILE)
    asked = [f"{file}:Cautious", f"{other}:Cautious", f"{file}:first_legal"]
    made = by_own_name({each: make_agent(each, world) for each in asked})
    assert list(made) == [*asked[:2], "first_legal"]


def test_a_changed_file_is_run_again_and_an_unchanged_one_is_not(world: World, file: Path) -> None:
    def kind(of: Agent) -> type:
        return type(of)

    first, second = (make_agent(f"{file}:Cautious", world) for _ in range(2))
    assert kind(first) is kind(second)
    file.write_text(FILE.replace("class Cautious:", "class Cautious:\n    name = 'bold'"))
    assert make_agent(f"{file}:Cautious", world).name == "bold"


def test_a_module_that_can_be_imported(world: World, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file.rename(file.with_name("importable_for_this_test.py"))
    monkeypatch.syspath_prepend(str(file.parent))
    assert make_agent("importable_for_this_test:named", world).name == "calls itself this"
    with pytest.raises(UnknownNameError, match=r"did you mean importable_for_this_test:named\?"):
        make_agent("importable_for_this_test:namd", world)


@pytest.mark.parametrize(
    ("asked", "error", "said"),
    [
        ("", UnknownNameError, r"say which of it is the agent: .*my\.py:Cautious or .*my\.py:named or .*my\.py:NoNeeds$"),
        (":Cautios", UnknownNameError, r"no 'Cautios'; did you mean .*my\.py:Cautious\? it holds Cautious, named"),
        (":missing", UnknownNameError, r"no 'missing'; it holds Cautious, named"),
        (":broken", WorkupError, r"broken failed when it was made: .*my\.py:28: NameError: name 'missing'"),
        (":nothing", WorkupError, r"what nothing returned is nothing \(None\); expected a factory"),
        (":NoSeed", WorkupError, r"NoSeed cannot be called as \(world, \*, seed\).*def __init__\(self, world, \*, seed\)"),
        (":NoNeeds", WorkupError, r"what NoNeeds returned does not say what it observes; give it `needs = None`"),
        (":raise_if_run_as_main", WorkupError, r"raise_if_run_as_main is float; expected a factory"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_with_the_mend(
    world: World, file: Path, asked: str, error: type[WorkupError], said: str
) -> None:
    with pytest.raises(error, match=said):
        make_agent(f"{file}{asked}", world)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("x = 1\nimport no_such_module_at_all", r"failed when it was run: .*own\.py:2: ModuleNotFoundError"),
        ("x = 1\nraise SystemExit(3)", r"failed when it was run: .*own\.py:2: SystemExit: 3"),
        ("def agent(:", r"own\.py:1: not Python: invalid syntax"),
    ],
)
def test_a_file_that_fails_says_where(world: World, tmp_path: Path, text: str, said: str) -> None:
    own = tmp_path / "own.py"
    own.write_text(text)
    with pytest.raises(WorkupError, match=said):
        make_agent(f"{own}:agent", world)


def test_a_bare_file_is_read_and_not_run(world: World, tmp_path: Path) -> None:
    own = tmp_path / "own.py"
    own.write_text(f"open({str(tmp_path / 'ran')!r}, 'w')")
    with pytest.raises(UnknownNameError, match="defines no class and no function"):
        make_agent(own, world)
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("name", ["no_such_file.py:Agent", "no_such_module:Agent", "voi:Agent"])
def test_what_is_not_there(world: World, name: str) -> None:
    with pytest.raises(UnknownNameError, match=r"as in my\.py:Cautious"):
        make_agent(name, world)


@pytest.mark.parametrize("name", ["model.zip", "policy.pkl", "weights.PT"])
def test_a_pickle_is_refused_unopened_with_the_safe_way(world: World, name: str, tmp_path: Path) -> None:
    for policy in (str(tmp_path / name), tmp_path / name):
        with pytest.raises(WorkupError, match=r"can run code when it is read.*workup\.evaluate\(scenario, \[Mask"):
            make_agent(policy, world)


def test_functions_are_told_apart_by_what_they_ask_for(world: World) -> None:
    def of_three(observation: Any, mask: Any, more: Any) -> Any:
        return more

    assert isinstance(as_agent(lambda observation, mask: mask, "f", world, seed=0), FunctionPolicy)
    assert as_agent(lambda view: view.mask.argmax(axis=1), "f", world, seed=0).needs is None
    with pytest.raises(WorkupError, match=r"a function of \(observation, mask, more\); expected a factory"):
        as_agent(of_three, "f", world, seed=0)
