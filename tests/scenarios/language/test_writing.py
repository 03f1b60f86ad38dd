"""Whatever a program writes as YAML, the reader takes back as it was; names and values mean nothing else."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from workup.scenarios.language.reading.yaml_tree import parse
from workup.scenarios.language.vocabulary import RESERVED
from workup.scenarios.language.writing import WIDTH, Names, value_words, yaml_text

TEXT = st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), max_size=150)
KEYS = st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc", "Zl", "Zp"]), max_size=100)
KEYS = KEYS.filter(lambda key: key != "<<")
SCALARS = TEXT | st.booleans() | st.integers(-(10**13), 10**13) | st.floats(allow_nan=False, allow_infinity=False)
NODES: st.SearchStrategy[Any] = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=6) | st.dictionaries(KEYS, inner, max_size=6), max_leaves=25
)


def read(text: str) -> Any:
    return parse(text.encode(), "written.yaml").data


@settings(max_examples=300, deadline=None)
@given(data=st.dictionaries(KEYS, NODES, max_size=6))
def test_what_is_written_is_read_back(data: dict[str, Any]) -> None:
    assert repr(read(yaml_text(data, "Made by hand\nand by eye"))) == repr(data)


def test_what_is_laid_out_fits_the_page_and_keeps_its_order() -> None:
    long = {f"condition_{i}": {"no": 0.25, "yes": 0.75} for i in range(12)}
    data = {
        "short": {"b": 1, "a": [2, 3]},
        "chance": long,
        "rules": [{"do": "x" * 60, "why": "y" * 60}] * 2,
        "words": ["w"] * 90,
    }
    text = yaml_text(data, "Made by a program")
    assert text.startswith(
        "# Made by a program\nshort:\n  b: 1\n  a: [2, 3]\nchance:\n  condition_0: {no: 0.25, yes: 0.75}\n"
    )
    assert all(len(line) <= WIDTH + 10 for line in text.splitlines() if "xxx" not in line)
    assert text.count("\n  - do: x") == text.count("\n    why: y") == 2
    assert read(text) == data
    assert list(read(text)["chance"]) == list(long)


@settings(max_examples=100)
@given(words=st.lists(st.text(max_size=12) | st.sampled_from(sorted(RESERVED)), max_size=12))
def test_names_and_values_are_new_and_mean_nothing_else(words: list[str]) -> None:
    names = Names(("history",)).names([*words, "history"])
    assert len(set(names)) == len(names)
    assert not set(names) & {*RESERVED, "history", "value", "status", "source", "note"}
    assert all(name.replace("_", "x").isalnum() and name.isascii() for name in names)
    values = value_words(words)
    assert len(set(values)) == len(values) == len(words)
    assert not {value.strip() for value in values} & {
        "",
        "otherwise",
        "unknown",
        "not",
        "at_least",
        "below",
        "value",
        "note",
    }
    assert not any("," in value or "\n" in value for value in values)
