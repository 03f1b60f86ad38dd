"""What the planner worked out is kept, and a damaged file never passes for an answer."""

from pathlib import Path

import pytest

from workup.envs.compile import compile_world
from workup.envs.world import World
from workup.optimum import Bookkeeper
from workup.scenarios.library import load_scenario


@pytest.fixture(scope="module")
def world() -> World:
    return compile_world(load_scenario("tutorial"))


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


@pytest.mark.parametrize("content", ["", "{", '{"format": "workup-bounds-2"}', '{"bounds": {"a": [NaN, 1, 2]}}'])
def test_a_damaged_file_is_worked_out_anew(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: str
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    path = Bookkeeper(world).path
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)
    with pytest.warns(UserWarning, match="worked out anew"):
        found, _ = Bookkeeper(world).bounds(patients=3, seed=0)
    assert found is not None
    assert path.read_text() != content
