"""What is written in short reads as what is written out by hand; its figures count once, and it cannot grow without bound."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import numpy as np
import pytest
from support.again import TABLE, TEXT, changed, scenario_of
from support.generated import generate

from workup.scenarios.language.library import load_scenario
from workup.scenarios.language.lint.lint import faults_of
from workup.scenarios.language.reading.reader import interpret
from workup.scenarios.language.reading.written_out import MAX_COPIED
from workup.scenarios.language.reading.yaml_tree import parse
from workup.scenarios.language.words.difference import differences
from workup.scenarios.language.words.prose import explain


def test_a_table_in_short_is_the_table_written_out() -> None:
    written = TEXT[: TEXT.index("    table:\n      viral: {fell")]
    rows = {
        c: {a: dict(zip(("fell", "same", "rose"), r, strict=True)) for a, r in of.items()} for c, of in TABLE.items()
    }
    written += f"    table: {json.dumps(rows)}\n" + TEXT[TEXT.index("  egfr:    ") :]
    short, full = scenario_of(), scenario_of(written)
    tables = [s.findings["crp_48h"].table for s in (short, full)]
    assert isinstance(tables[0], dict)
    assert tables[0]["lung_cancer"] == {"fell": 0.2, "same": 0.7, "rose": 0.1}
    assert {change.part for change in differences(full, short)} == {"Findings", "Provenance"}
    assert [change.words for change in differences(full, short) if change.part == "Findings"] == [
        "CRP two days on: written otherwise; every figure that follows from it is the same"
    ]


def in_short(node: Any, rng: np.random.Generator, path: tuple[str, ...] = ()) -> Any:
    """The same scenario with rests and entries `as` others, where there is room for them."""
    if isinstance(node, list) or not isinstance(node, dict) or path[:1] == ("who",):
        return node
    numbers = all(isinstance(of, int | float) for of in node.values())
    if numbers and "table" in path and sum(Decimal(str(of)) for of in node.values()) == 1 and rng.uniform() < 0.7:
        (*_, last) = node
        return {key: of for key, of in node.items() if key != last} | {"the_rest_to": last}
    found = {key: in_short(of, rng, (*path, key)) for key, of in node.items()}
    names = [key for key, of in node.items() if isinstance(of, dict)]
    if path and len(names) > 1 and rng.uniform() < 0.8:
        one, *others = rng.permutation(names).tolist()
        for other in others:
            if _fits(node[one], node[other]):
                but = _difference(node[one], node[other])
                found[other] = {"as": one, "but": but} if but else {"as": one}
    return found


def _fits(one: Any, other: Any) -> bool:
    """Whether nothing of the one would be left over in the other, at any depth."""
    if not (isinstance(one, dict) and isinstance(other, dict)):
        return not isinstance(one, dict)
    return all(key in other and _fits(of, other[key]) for key, of in one.items())


def _difference(one: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    """What has to be replaced in the one to make it the other."""
    found: dict[str, Any] = {}
    for key, of in other.items():
        if key not in one or of != one[key]:
            deep = isinstance(of, dict) and isinstance(one.get(key), dict)
            found[key] = _difference(one[key], of) if deep else of
    return found


def test_what_is_in_short_reads_as_what_was_shortened() -> None:
    shortened = {"as": 0, "the_rest_to": 0}
    for seed in range(60):
        data, rng = generate(seed), np.random.default_rng(seed)
        short = in_short(data, rng)
        text = json.dumps(short)
        shortened = {word: count + text.count(f'"{word}": ') for word, count in shortened.items()}
        reading = interpret(parse(text.encode(), "short"))
        assert reading.scenario is not None, reading.faults
        full = interpret(parse(json.dumps(data).encode(), "full")).scenario
        assert full is not None
        same = [(json.loads(s.model_dump_json(exclude={"figures", "digest"}))) for s in (reading.scenario, full)]
        assert same[0] == same[1], seed
    assert min(shortened.values()) > 100


@pytest.mark.parametrize(
    ("other", "rest"), [("0.9", 0.1), ("0.7", 0.3), ("0.58", 0.42), ("1e-7", 0.9999999), ("1", 0.0), ("0", 1.0)]
)
def test_a_rest_is_exact_in_the_decimals_as_written(other: str, rest: float) -> None:
    row = f"{{never: {other}, the_rest_to: ever}}"
    table = interpret(parse(changed(("{never: 0.6, ever: 0.4}", row)).encode(), "t")).scenario.context["smoked"].table  # type: ignore[union-attr]
    assert isinstance(table, dict)
    assert table["ever"] == rest


def test_a_copy_counts_once_and_what_differs_has_its_own_provenance() -> None:
    text = changed(
        ("      viral: {fell: 0.7, same: 0.25, the_rest_to: rose}\n", "      viral: {status: recalled, note: Smith 2001, fell: 0.7, same: 0.25, the_rest_to: rose}\n"),
        ("{as: viral, but: {fell: 0.2, same: 0.7}}", "{as: viral, but: {fell: {value: 0.2, status: recalled, note: Jones 1999}}}"),
        ("    utility: {viral: -0.02, pneumonia: -0.01, lung_cancer: -0.50}\n",
         "    utility: {viral: -0.02, pneumonia: -0.01, lung_cancer: -0.50}\n  admit: {as: treat, but: {label: Admit, utility: {viral: -0.03}}}\n"),
    )  # fmt: skip
    scenario = scenario_of(text)
    by_path = {figure.path: figure for figure in scenario.figures}
    assert len(by_path) == len(scenario.figures)
    table = "findings.crp_48h.table"
    assert {path for path in by_path if path.startswith(table)} == {
        f"{table}.viral.fell", f"{table}.viral.same", f"{table}.pneumonia.no.fell", f"{table}.pneumonia.no.same",
        f"{table}.pneumonia.yes.fell", f"{table}.pneumonia.yes.same", f"{table}.lung_cancer.fell",
    }  # fmt: skip
    assert by_path[f"{table}.viral.fell"].copies == ()  # what differs there is no copy
    assert by_path[f"{table}.viral.same"].copies == (f"{table}.lung_cancer.same",)
    assert by_path[f"{table}.lung_cancer.fell"].note == "Jones 1999"
    assert by_path["decisions.treat.utility.pneumonia"].copies == ("decisions.admit.utility.pneumonia",)
    assert (by_path["decisions.admit.utility.viral"].status, by_path["decisions.admit.utility.viral"].value) == (
        "assumed",
        -0.03,
    )
    line = text[: text.index("admit: {as")].count("\n") + 1
    assert by_path["decisions.admit.utility.viral"].line == line
    assert f"Of its {len(by_path)} figures" in explain(scenario)


def test_a_rest_takes_the_place_of_a_figure() -> None:
    full = (
        "      viral: {fell: 0.7, same: 0.25, the_rest_to: rose}\n",
        "      viral: {fell: 0.7, same: 0.25, rose: 0.05}\n",
    )
    short = ("{as: viral, but: {fell: 0.2, same: 0.7}}", "{as: viral, but: {fell: 0.2, the_rest_to: rose}}")
    table = scenario_of(changed(full, short)).findings["crp_48h"].table
    assert isinstance(table, dict)
    assert table["lung_cancer"] == {"fell": 0.2, "same": 0.25, "rose": 0.55}


def test_the_story_of_a_vignette_as_another_is_no_figure() -> None:
    added = "\n  cousin: {as: smoker, but: {title: Her cousin, context: {smoked: 7}}}\nmax_steps: 20\n"
    scenario = scenario_of(changed(("\nmax_steps: 20\n", added)))
    assert scenario.vignettes["cousin"].context == {"smoked": 7, "scan_wish": "accepts"}
    assert not [of.path for of in scenario.figures if of.path.startswith("vignettes.cousin")]


def test_what_differs_takes_no_status_from_what_it_is_as() -> None:
    row = "      viral: {status: recalled, note: Smith 2001, fell: 0.7, same: 0.25, the_rest_to: rose}\n"
    scenario = scenario_of(changed(("      viral: {fell: 0.7, same: 0.25, the_rest_to: rose}\n", row)))
    status = {figure.path: figure.status for figure in scenario.figures}
    assert status["findings.crp_48h.table.viral.fell"] == "recalled"
    assert status["findings.crp_48h.table.lung_cancer.fell"] == "assumed"


def test_a_copy_written_out_is_the_same_with_the_same_provenance() -> None:
    short = scenario_of(changed(("lung_cancer: {as: viral, but: {fell: 0.2, same: 0.7}}", "lung_cancer: {as: viral}")))
    row = "{fell: 0.7, same: 0.25, the_rest_to: rose}"
    full = scenario_of(changed(("lung_cancer: {as: viral, but: {fell: 0.2, same: 0.7}}", f"lung_cancer: {row}")))
    assert differences(short, full) == differences(full, short) == ()
    assert short.digest == full.digest
    assert len(full.figures) == len(short.figures) + 2


def test_one_changed_figure_is_told_of_its_copies_too() -> None:
    before, after = (
        scenario_of(),
        scenario_of(changed(("{as: viral, but: {fell: 0.2, same: 0.7}}", "{as: viral, but: {fell: 0.3}}"))),
    )
    words = [change.words for change in differences(before, after)]
    assert "CRP two days on: “fell” with Lung cancer 20% → 30%" in words
    assert "CRP two days on: “same” with Lung cancer 70% → 25%" in words
    moved = scenario_of(
        changed(
            ("viral: {fell: 0.7, same: 0.25,", "viral: {fell: 0.7, same: 0.2,"),
            ("{as: viral, but: {fell: 0.2, same: 0.7}}", "{as: viral, but: {fell: 0.3}}"),
        )
    )
    words = [change.words for change in differences(after, moved)]
    assert sum("“same”" in each for each in words) == 2


def test_shipped_scenarios_have_nothing_in_short() -> None:
    """Should one have: see that its page and its bounds are made anew."""
    assert all(figure.copies == () for figure in load_scenario("tutorial").figures)


LAUGHS = {
    "nested": "{a: " * 24 + "1" + ", b: {as: a}}" * 24,
    "beside": "{x: {"
    + ", ".join(f"k{i}: 1" for i in range(3_000))
    + "}, "
    + ", ".join(f"y{i}: {{as: x}}" for i in range(3_000))
    + "}",
    "but": "{a: " * 24 + "1" + ", b: {as: a, but: {c: 1}}}" * 24,
}


@pytest.mark.parametrize("kind", LAUGHS)
def test_copies_of_copies_are_refused_before_they_are_made(kind: str) -> None:
    old = "      no: {clear: 0.97, inflammation: 0.02, mass: 0.01}\n"
    (fault,) = faults_of(interpret(parse(changed((old, f"      no: {LAUGHS[kind]}\n")).encode(), "laughs.yaml")))
    assert f"copies come to more than {MAX_COPIED:,} values; write less with `as`" in fault.message
    assert fault.line == TEXT[: TEXT.index(old)].count("\n") + 1
