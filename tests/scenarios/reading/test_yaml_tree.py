"""Only plain YAML gets in: hostile, broken or oversized files are refused with a line, and nothing of them runs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workup.errors import ScenarioError
from workup.scenarios.language.library import load_scenario
from workup.scenarios.language.lint.lint import lint
from workup.scenarios.language.reading import yaml_tree
from workup.scenarios.language.reading.yaml_tree import MAX_BYTES, parse

WITNESS = "hostile-witness"

HOSTILE = {
    "python object": (f"a: !!python/object/apply:os.system ['touch {WITNESS}']\n", 1, "tag"),
    "python name": ("a: 1\nb: !!python/name:os.system\n", 2, "tag"),
    "own tag": ("a: 1\nb: !include /etc/passwd\n", 2, "tag"),
    "binary tag": ("a: !!binary aGVsbG8=\n", 1, "tag"),
    "standard tag": ("a: !!set {x}\n", 1, "tag"),
    "tag on a key": ("!!python/name:os.system : 1\n", 1, "tag"),
    "alias bomb": ("a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]\n", 1, "anchor &a"),
    "alias": ("a: 1\nb: *a\n", 2, "alias *a"),
    "recursive alias": ("a: &a [*a]\n", 1, "anchor &a"),
    "merge key": ("a: 1\n<<: {b: 2}\n", 2, "merge key"),
    "duplicate key": ("a: 1\nb: 2\na: 3\n", 3, "'a' is written twice (first on line 1)"),
    "complex key": ("? [a, b]\n: 1\n", 1, "a key must be plain text"),
    "two documents": ("a: 1\n---\nb: 2\n", 2, "second document"),
    "more behind the end": ("a: 1\n...\nb: 2\n", 3, "goes on after the line '...'"),
    "infinity": ("a: 1\nb: .inf\n", 2, "not a finite number"),
    "not a number": ("b: .nan\n", 1, "not a finite number"),
    "overflow": ("b: 1e999\n", 1, "not a finite number"),
    "truncated": ("a: {b: 1,\n", 2, "not valid YAML: the file ends inside '{'"),
    "no comma": ("a: 1\nb: {c: 1 d: 2}\n", 2, "a comma is missing between two entries"),
    "unclosed quote": ('a: 1\nb: "c\nd: 1\n', 2, "a quote opens that is never closed"),
    "quote in a quote": ("a: 'Don't rush'\n", 1, "text goes on after the closing quote"),
    "bad indentation": ("a:\n  b: 1\n c: 2\n", 3, "the indent of 1 spaces fits no line above"),
    "too far in": ("a:\n  b: 1\n    c: 2\n", 3, "the line above has its value already"),
    "no list": ("a:\n  b: 1\n  - c\n", 3, "a list entry ('- ') does not fit here"),
    "no key in a list": ("a:\n  - b\n  c: 1\n", 3, "stands where a list entry ('- ') is expected"),
    "no colon": ("a:\n  b: 1\n  c 2\n  d: 3\n", 3, "in 'c 2' a colon is missing"),
    "no colon at first": ("a:\n  b\n  c: 1\n", 2, "in 'b' a colon is missing"),
    "no space after a colon": ("a: 1\nb:2\nc: 3\n", 2, "a space is missing after the colon"),
    "not closed": ("a: 1\nb: {c: 1\nd: 2\n", 2, "in 'b: {c: 1' the '{' is not closed; put '}' at its end"),
    "no space after a dash": ("a:\n  b: 1\n  -c\n  d: 1\n", 3, "a space is missing after the dash"),
    "two colons": ("a: 1\nb: c: d\n", 2, "there are two colons"),
    "text begins with a sign": ("a: 1\nb: @home\n", 2, "a text begins with '@'; put the whole text in double quotes"),
    "backslash": ('a: "b\\d"\n', 1, "use single quotes"),
    "tab": ("a:\n\tb: 1\n", 2, "there is a tab; indent with spaces"),
    "directive": ("%YAML 9.9\n---\na: 1\n", 1, "not valid YAML"),
    "a list": ("- 1\n- 2\n", 1, "holds a list"),
    "a word": ("hello\n", 1, "holds the text 'hello'"),
    "deep": ("a: " + "[" * 200 + "]" * 200 + "\n", 1, "nested more than"),
    "deeper than any stack": ("a: " + "{a: " * 50_000, 1, "nested more than"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_text_is_refused_with_its_line(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    text, line, message = HOSTILE[name]
    with pytest.raises(ScenarioError) as caught:
        parse(text.encode(), "hostile.yaml")
    assert [(fault.path, fault.line) for fault in caught.value.faults] == [("hostile.yaml", line)]
    assert message in caught.value.faults[0].message
    assert not (tmp_path / WITNESS).exists()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"a: 1\nb: \xff\xfe\n", "is not UTF-8"),
        (b"\x89PNG\r\n\x1a\n\x00\x00", "is not UTF-8"),
        (b"a: \x00\n", "not valid YAML"),
        (b"a: b\n" * (MAX_BYTES // 4), "may have 1,000,000"),
    ],
    ids=["latin", "binary", "null byte", "too large"],
)
def test_bytes_that_are_no_scenario_are_refused(content: bytes, message: str, tmp_path: Path) -> None:
    file = tmp_path / "bytes.yaml"
    file.write_bytes(content)
    assert [message in fault.message for fault in lint(file)] == [True]
    with pytest.raises(ScenarioError, match=message):
        load_scenario(file)


def test_a_flood_of_values_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(yaml_tree, "MAX_VALUES", 100)
    with pytest.raises(ScenarioError, match="more than 100 values"):
        parse(b"a: [" + b"1," * 101 + b"]", "flood.yaml")


def test_yaml_1_2_words_stay_words() -> None:
    text = "a: no\nb: yes\nc: on\nd: 2025-01-01\ne: 012\nf: 1_000\ng: 12:30\nh: '1'\nno: 1\n1: x\n"
    expected = {"a": "no", "b": "yes", "c": "on", "d": "2025-01-01", "e": 12, "f": "1_000", "g": "12:30", "h": "1"}
    assert parse(text.encode(), "t").data == {**expected, "no": 1, "1": "x"}


def test_lines_are_those_of_keys_and_entries() -> None:
    tree = parse(b"a:\n  b: 1\n  c:\n    - x\n    - {d: 2}\n", "t")
    places = [("a",), ("a", "b"), ("a", "c"), ("a", "c", 0), ("a", "c", 1), ("a", "c", 1, "d"), ("a", "zz")]
    assert [tree.place(path)[1] for path in places] == [1, 2, 3, 4, 5, 5, 1]


PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**9), 10**9) | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(codec="ascii", categories=["L", "N", "P", "Zs"])),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text("abcxyz", min_size=1), inner, max_size=4),
    max_leaves=20,
)  # fmt: skip


@settings(max_examples=50, deadline=None)
@given(st.dictionaries(st.text("abcxyz", min_size=1), PLAIN))
def test_json_is_read_as_what_it_means(data: dict[str, Any]) -> None:
    assert parse(json.dumps(data).encode(), "t").data == data
