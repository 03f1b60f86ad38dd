"""Finding, loading and refusing scenarios."""

from __future__ import annotations

import json
import re
import shutil
from importlib.resources import files
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from workup.errors import ScenarioError, UnknownNameError
from workup.scenarios.language.library import find_scenario, list_scenarios, load_scenario
from workup.scenarios.language.lint.lint import faults_of, lint, look_again
from workup.scenarios.language.reading.reader import interpret, read
from workup.scenarios.language.reading.yaml_tree import Tree
from workup.scenarios.language.words.prose import explain

TUTORIAL = Path(str(files("workup.scenarios").joinpath("tutorial")))
WHOLE = read(TUTORIAL).tree.data
PLACED = read(TUTORIAL).tree.places


def test_scenarios_are_found_by_their_folder() -> None:
    assert set(list_scenarios()) >= {"meningitis", "pulmonary_embolism", "tutorial", "weight_loss"}


def test_id_folder_and_file_load_the_same_scenario(tmp_path: Path) -> None:
    copy = tmp_path / "mine.yaml"
    shutil.copy(TUTORIAL / "scenario.yaml", copy)
    by_id = load_scenario("tutorial")
    assert by_id == load_scenario(TUTORIAL) == load_scenario(TUTORIAL / "scenario.yaml") == load_scenario(str(copy))


def test_vignettes_and_sources_may_stand_beside_the_scenario(tmp_path: Path) -> None:
    parts = {"vignettes.yaml": WHOLE["vignettes"], "sources.yaml": WHOLE["sources"]}
    parts["scenario.yaml"] = {key: of for key, of in WHOLE.items() if key not in ("vignettes", "sources")}
    for name, part in parts.items():
        (tmp_path / name).write_text(json.dumps(part, indent=1), encoding="utf-8")
    assert load_scenario(tmp_path).digest == load_scenario("tutorial").digest
    spoiled = (tmp_path / "vignettes.yaml").read_text(encoding="utf-8").replace('"viral"', '"virus"')
    (tmp_path / "vignettes.yaml").write_text(spoiled, encoding="utf-8")
    (fault,) = lint(tmp_path)
    line = spoiled[: spoiled.index('"virus"')].count("\n") + 1
    assert (fault.path, fault.line) == (str(tmp_path / "vignettes.yaml"), line)


def test_the_same_part_given_twice_is_a_fault(tmp_path: Path) -> None:
    shutil.copy(TUTORIAL / "scenario.yaml", tmp_path)
    (tmp_path / "sources.yaml").write_text("T1: {cite: One}\n", encoding="utf-8")
    with pytest.raises(ScenarioError, match="also given by sources"):
        load_scenario(tmp_path)


def test_an_unknown_id_suggests_a_known_one() -> None:
    with pytest.raises(UnknownNameError, match="did you mean 'tutorial'"):
        load_scenario("tutorail")


def test_a_folder_without_scenario_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ScenarioError, match=re.escape("scenario.yaml:1: cannot be read")):
        load_scenario(tmp_path)


def _paths(node: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inner = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    return [path, *(found for key, of in inner for found in _paths(of, (*path, key)))]


PLACES = _paths(WHOLE)[1:]
RUBBISH: tuple[Any, ...] = (None, True, -1, 0, 0.5, 1e300, "", "x", "fever", "2 h", "a, b", [], {}, ["ct"], [[1]])
RUBBISH += ({"a": 1}, {"value": 1}, {"status": "seen"}, {"otherwise": 1}, {"not": "yes"}, {"at_least": 5}, "otherwise")


@settings(max_examples=200, deadline=None)
@given(changes=st.lists(st.tuples(st.sampled_from(PLACES), st.sampled_from(RUBBISH)), min_size=1, max_size=3))
def test_no_rubbish_crashes_the_linter(changes: list[tuple[tuple[Any, ...], Any]]) -> None:
    data = json.loads(json.dumps(WHOLE))
    for path, rubbish in changes:
        _put(data, path, json.loads(json.dumps(rubbish)))
    reading = interpret(Tree("rubbish.yaml", data, PLACED))
    faults = faults_of(reading)
    assert all(fault.line >= 1 and len(fault.message) > 10 for fault in faults)
    if not faults:
        assert reading.scenario is not None
        assert explain(reading.scenario)


def _put(data: Any, path: tuple[Any, ...], rubbish: Any) -> None:
    """Replace what stands at `path`, if an earlier change has left it there."""
    for key in path[:-1]:
        if not isinstance(data, dict | list) or (isinstance(data, dict) and key not in data):
            return
        if isinstance(data, list) and not (isinstance(key, int) and key < len(data)):
            return
        data = data[key]
    if isinstance(data, dict) or (isinstance(data, list) and isinstance(path[-1], int) and path[-1] < len(data)):
        data[path[-1]] = rubbish


TEXT = (TUTORIAL / "scenario.yaml").read_bytes()


@settings(max_examples=30, deadline=None)
@given(cut=st.integers(0, len(TEXT) - 2))
@example(cut=11_400)  # between two entries of the last list
@example(cut=len(TEXT) - 2)  # within the mark at the end
def test_a_truncated_file_never_passes_in_silence(cut: int) -> None:
    with TemporaryDirectory() as folder:
        file = Path(folder) / "truncated.yaml"
        file.write_bytes(TEXT[:cut])
        faults = lint(file)
        assert faults or any("cut short" in warning for warning in look_again(read(file)))


@pytest.mark.parametrize("name", list_scenarios())
def test_shipped_files_say_where_they_end(name: str) -> None:
    folder = find_scenario(name)
    assert read(folder).tree.unended == ()
    for file in folder.glob("*.yaml"):
        assert file.read_bytes().endswith(b"\n...\n")


def test_a_file_beside_the_scenario_says_where_it_ends(tmp_path: Path) -> None:
    folder = shutil.copytree(find_scenario("fever"), tmp_path / "fever")
    vignettes = folder / "vignettes.yaml"
    vignettes.write_bytes(vignettes.read_bytes().removesuffix(b"...\n"))
    assert [str(vignettes) in warning for warning in look_again(read(folder))] == [True]


def test_prose_holds_no_html_of_a_text(tmp_path: Path) -> None:
    file = tmp_path / "labels.yaml"
    spoiled = TEXT.decode().replace("label: Fever", "label: '<script>alert(1)</script> <!-- <https://x y> T < 38'")
    file.write_text(spoiled, encoding="utf-8")
    said = explain(load_scenario(file))
    assert not re.search(r"<(?!https?://[^\s<>]+>)[a-z/!?]", said)
    assert "&lt;script>alert(1)&lt;/script> &lt;!-- &lt;https://x y> T < 38" in said
    assert "<https://" in explain(load_scenario("weight_loss"))
