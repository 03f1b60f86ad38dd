"""The quick reader either gives exactly the tree of the thorough one, or leaves the text to it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ruamel.yaml.error import YAMLError

from workup.errors import ScenarioError
from workup.scenarios.language.library import find_scenario, list_scenarios
from workup.scenarios.language.reading import yaml_events, yaml_tree
from workup.scenarios.language.reading.yaml_events import DoubtError, quick_events, thorough_events

quick = pytest.mark.skipif(yaml_events.LIBYAML is None, reason="the C part of ruamel.yaml is not installed")
SHIPPED = [file for name in list_scenarios() for file in sorted(find_scenario(name).glob("*.yaml"))]
LINES = [line for file in SHIPPED for line in file.read_text("utf-8").splitlines()[:120]]
PIECES = (
    *(
        ": ",
        "- ",
        "  ",
        "\n",
        "\n  ",
        "\n- ",
        "# ",
        " #c",
        ",",
        "[",
        "]",
        "{",
        "}",
        "&a ",
        "*a",
        "!!str ",
        "|\n",
        ">-\n",
    ),
    *(": |+\n  a\n\n", ": >2\n   a\n  b\n", '"a\n  b"', "'a''b'", "[a,\nb]", "{a: ,b}", "{a}", '{"a":b}', "? a\n: b\n"),
    *(
        "- - a\n",
        "a:b",
        ":a",
        "::",
        "?",
        "@",
        "`",
        "%",
        "\\x41",
        '"\\/"',
        '"\\u00e9"',
        "\t",
        "\r\n",
        "\n---\n",
        "\n...\n",
    ),
    *(
        "null",
        "~",
        "1e3",
        ".inf",
        "<<: ",
        "é",
        "£",
        "’",
        "\xa0",
        "\u3000",
        "\x85",
        "\u2028",
        "\ufeff",
        "\x07",
        "\U0001f600",
    ),
)


def tree_of(text: str, events: Callable[[str], Iterator[Any]]) -> tuple[Any, Any] | None:
    """What stands in the text and where; None if it is refused or in doubt."""
    builder = yaml_tree._Builder("text")
    try:
        builder.walk(events(text))
        tree = builder.finished()
    except (DoubtError, ScenarioError, YAMLError):
        return None
    # By its words, since 1, 1.0 and True are one to Python.
    return repr(tree.data), tree.places


@quick
@pytest.mark.parametrize("file", SHIPPED, ids=lambda file: f"{file.parent.name}/{file.name}")
def test_every_shipped_file_is_read_quickly_and_the_same(file: Path) -> None:
    text = file.read_text("utf-8")
    found = tree_of(text, quick_events)
    assert found is not None
    assert found == tree_of(text, thorough_events)


@quick
@settings(max_examples=400, deadline=None)
@given(data=st.data())
def test_whatever_the_quick_reader_accepts_is_read_the_same(data: st.DataObject) -> None:
    first = data.draw(st.integers(0, len(LINES) - 1))
    text = "\n".join(LINES[first : first + data.draw(st.integers(1, 6))]) + "\n"
    for _ in range(data.draw(st.integers(0, 5))):
        at = data.draw(st.integers(0, len(text)))
        cut = data.draw(st.integers(0, 2))
        text = text[:at] + data.draw(st.sampled_from(("", *PIECES))) + text[at + cut :]
    found = tree_of(text, quick_events)
    if found is not None:
        assert found == tree_of(text, thorough_events)


@quick
@settings(max_examples=200, deadline=None)
@given(text=st.lists(st.sampled_from(PIECES), max_size=12).map("".join))
def test_what_is_hardly_yaml_is_read_the_same_too(text: str) -> None:
    found = tree_of(text, quick_events)
    if found is not None:
        assert found == tree_of(text, thorough_events)


@pytest.mark.parametrize(
    "text", ["a: 1\tb", "a: 1\r\nb: 2\n", "%YAML 1.1\n---\na: 1\n", "a: x\x85y\n", "\ufeffa: 1\n", "a:\n"]
)
def test_what_the_two_may_read_differently_is_left_to_the_thorough_one(text: str) -> None:
    with pytest.raises(DoubtError):
        list(quick_events(text))


def test_without_the_c_part_everything_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    file = find_scenario("tutorial") / "scenario.yaml"
    expected = yaml_tree.parse(file.read_bytes(), str(file))
    monkeypatch.setattr(yaml_events, "LIBYAML", None)
    assert yaml_tree.parse(file.read_bytes(), str(file)) == expected
