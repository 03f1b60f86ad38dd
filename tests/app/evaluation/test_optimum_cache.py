"""What the planner worked out is kept, and a damaged file never passes for an answer."""

import json
import os
import pickle
import warnings
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import workup.agents.planning.optimum
from workup.agents.planning import Optimum, PolicyCache, SearchEffort
from workup.agents.planning.optimum import shipped_cache
from workup.agents.planning.policy_cache import Known
from workup.envs.compile.compile import compile_world
from workup.envs.engine.engine import Engine
from workup.envs.model.world import World
from workup.errors import FileFormatError, WorkupWarning
from workup.evaluation.optimum import NOT_ASKED, Bookkeeper
from workup.scenarios.language.library import load_scenario


def test_answers_are_kept_for_these_figures_alone(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    asked: list[int] = []
    first, _ = Bookkeeper(world).bounds(patients=20, seed=0, progress=asked.append)
    assert asked
    asked.clear()
    again, _ = Bookkeeper(world).bounds(patients=20, seed=0, progress=asked.append)
    assert not asked
    assert first is not None
    assert again is not None
    assert again.lower == pytest.approx(first.lower, abs=1e-3)
    other = compile_world(load_scenario("tutorial"), weights={"cost": 2.0})
    assert Bookkeeper(other).path != Bookkeeper(world).path
    assert not Bookkeeper(other).cache.bounds


def test_what_is_known_of_all_patients_is_found_without_planning(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert Bookkeeper(world).known(patients=300, seed=0) == (None, NOT_ASKED)
    asked: list[int] = []
    to_plan = Bookkeeper(world).to_plan(patients=300, seed=0)
    planned, _ = Bookkeeper(world).bounds(patients=300, seed=0, progress=asked.append)
    assert 1 < to_plan == sum(asked)
    assert Bookkeeper(world).to_plan(patients=300, seed=0) == 0

    def refuse(*_: Any, **__: Any) -> Any:
        raise AssertionError("planned")

    monkeypatch.setattr(workup.agents.planning.optimum.Planner, "__init__", refuse)
    known, refusal = Bookkeeper(world).known(patients=300, seed=0)
    assert refusal is None
    assert known is not None
    assert planned is not None
    for name in ("v0", "lower", "upper"):
        np.testing.assert_array_equal(getattr(known, name), getattr(planned, name))
    assert known.exact == planned.exact
    keeper = Bookkeeper(world)
    keeper.cache.bounds.popitem()
    assert keeper.known(patients=300, seed=0) == (None, NOT_ASKED)
    assert keeper.to_plan(patients=300, seed=0) == 1


SOUND = {"format": "workup-bounds-4", "key": "KEY", "bounds": {"a": [0.0, 1.0, 2.0, 500]}, "actions": {"b": 0}}


def altered(**changes: Any) -> str:
    """A file whose checksum is that of what it holds."""
    content: dict[str, Any] = SOUND | changes
    facts = {name: content[name] for name in ("bounds", "actions")}
    return json.dumps({"sha256": sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest(), **content})


DAMAGED = {
    "empty": "",
    "cut": "{",
    "not an object": "[]",
    "another format": altered(format="workup-bounds-1"),
    "incomplete": '{"format": "workup-bounds-4"}',
    "nothing but bounds": '{"bounds": {"a": [NaN, 1, 2, 500]}}',
    "not a number": altered(bounds={"a": [float("nan"), 1, 2, 500]}),
    "infinite": altered(bounds={"a": [0, 1, float("inf"), 500]}),
    "a lower bound above the upper": altered(bounds={"a": [0, 3, 2, 500]}),
    "worse than deciding at once": altered(bounds={"a": [2, 1, 2, 500]}),
    "two numbers": altered(bounds={"a": [0, 1]}),
    "no expansions": altered(bounds={"a": [0, 1, 2]}),
    "half an expansion": altered(bounds={"a": [0, 1, 2, 0.5]}),
    "less than no expansions": altered(bounds={"a": [0, 1, 2, -1]}),
    "text for numbers": altered(bounds={"a": "123"}),
    "truth values for numbers": altered(bounds={"a": [False, True, True, 500]}),
    "a number too large": altered(bounds={"a": [0, 1, 10**400, 500]}),
    "bounds in a list": altered(bounds=[[0, 1, 2]]),
    "an action by name": altered(actions={"b": "order ct"}),
    "an action before the first": altered(actions={"b": -1}),
    "half an action": altered(actions={"b": 0.5}),
    "an endless action": altered(actions={"b": float("inf")}),
    "a digit changed": altered().replace("2.0", "2.5"),
    "no checksum": json.dumps(SOUND),
    "nested without end": altered(bounds={"a": 0}).replace("0}", "[" * 200_000),
}


def test_the_file_that_is_damaged_below_is_sound(tmp_path: Path) -> None:
    (tmp_path / "bounds.json").write_text(altered())
    found = PolicyCache.load(tmp_path / "bounds.json", "KEY")
    assert found == PolicyCache("KEY", {"a": Known(0.0, 1.0, 2.0, 500)}, {"b": 0})


@pytest.mark.parametrize("content", DAMAGED.values(), ids=DAMAGED)
def test_a_damaged_file_is_worked_out_anew(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: str
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    path = Bookkeeper(world).path
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content.replace("KEY", Bookkeeper(world).cache.key))
    with pytest.warns(UserWarning, match="worked out anew"):
        found, _ = Bookkeeper(world).bounds(patients=3, seed=0)
    assert found is not None
    assert PolicyCache.load(path, Bookkeeper(world).cache.key) is not None


class Bomb:
    """Runs when unpickled."""

    def __reduce__(self) -> tuple[Any, ...]:
        return os.system, ("touch exploded",)


@pytest.mark.parametrize("content", [pickle.dumps(Bomb()), pickle.dumps(Bomb(), protocol=0), b"\xff\xfe{}", b"\0" * 99])
def test_what_is_no_text_is_refused_and_not_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: bytes
) -> None:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "bounds.json"
    path.write_bytes(content)
    with pytest.raises(FileFormatError, match=r"bounds\.json: not a sound file of bounds .*workup solve"):
        PolicyCache.load(path, "key")
    assert [file.name for file in tmp_path.iterdir()] == ["bounds.json"]


def test_a_file_cut_anywhere_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "bounds.json"
    PolicyCache("key", {"a": Known(0.0, 1.5, 2.0, 9), "b": Known(-3.0, 1.0, 1.0, 7)}, {"c": 4, "d": 11}).save(path)
    whole = path.read_bytes()
    for end in range(len(whole)):
        path.write_bytes(whole[:end])
        with pytest.raises(FileFormatError):
            PolicyCache.load(path, "key")
    path.write_bytes(whole)
    assert PolicyCache.load(path, "key") is not None


def test_a_shipped_file_that_is_damaged_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is part of the installation, so it is not mended in passing."""
    damaged = tmp_path / "workup" / "tutorial" / "bounds.json"
    damaged.parent.mkdir(parents=True)
    damaged.write_text(DAMAGED["cut"])
    monkeypatch.setattr("workup.agents.planning.optimum.files", lambda _: tmp_path / "workup")
    with pytest.raises(FileFormatError, match=r"tutorial.bounds\.json: not a sound file of bounds"):
        shipped_cache(compile_world(load_scenario("tutorial")), SearchEffort())


def test_an_action_that_does_not_exist_or_is_not_legal_is_planned_anew(world: World) -> None:
    engine = Engine(world, 8, seed=3)
    sound = Optimum(world, cache=PolicyCache("any"))
    expected = sound.act(engine.journey_view())
    for action in (10**9, len(world.actions), len(world.actions) - 1):  # the last, a decision, is not legal yet
        hostile = PolicyCache("any", actions=dict.fromkeys(sound.cache.actions, action))
        np.testing.assert_array_equal(Optimum(world, cache=hostile).act(engine.journey_view()), expected)


def test_a_cache_that_cannot_be_written_costs_one_warning(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", "/dev/null")
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        keeper = Bookkeeper(world)
        for patients in (5, 10, 15):
            assert keeper.bounds(patients=patients, seed=0)[0] is not None
    (warning,) = [each for each in told if issubclass(each.category, WorkupWarning)]
    assert "/dev/null" in str(warning.message)
    assert "XDG_CACHE_HOME" in str(warning.message)
