"""What CI servers read of a check: counts, failures with their journeys, and any text without breaking the document."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from workup.agents.baselines.simple import AGENTS
from workup.cli.main import main
from workup.envs.compile.compile import compile_world
from workup.scenarios.language.library import load_scenario
from workup.vignettes.check import Check, check_agent
from workup.vignettes.junit import junit_xml


@pytest.fixture(scope="module")
def check() -> Check:
    world = compile_world(load_scenario("tutorial"))
    return check_agent(world, AGENTS["none"](world, seed=0))


def test_a_suite_for_each_check_and_a_case_for_each_vignette(check: Check) -> None:
    root = ET.fromstring(junit_xml([check, replace(check, agent="another")]))
    suites = root.findall("testsuite")
    assert [suite.get("name") for suite in suites] == ["tutorial / none", "tutorial / another"]
    for suite in suites:
        cases = suite.findall("testcase")
        assert [str(case.get("name")).split(":")[0] for case in cases] == [vignette.id for vignette in check.vignettes]
        assert suite.get("tests") == str(len(cases))
        assert suite.get("failures") == str(len(suite.findall("testcase/failure"))) != "0"
    assert root.get("failures") == str(len(root.findall("testsuite/testcase/failure")))


def test_a_failure_tells_expectation_reason_share_and_a_journey(check: Check) -> None:
    root = ET.fromstring(junit_xml([check]))
    for vignette, case in zip(check.vignettes, root.iter("testcase"), strict=True):
        failures = case.findall("failure")
        assert len(failures) == (not vignette.passed)
        for failure in vignette.failures:
            assert failure.expectation in str(failures[0].get("message"))
            told = str(failures[0].text)
            for part in (failure.expectation, failure.why, failure.share, failure.what, *failure.journey):
                assert part in told
        said = str(case.findtext("system-out"))
        assert all(text in said for text in (*vignette.never_counted, *vignette.sample))


ELEMENTS = {
    "testsuites": ({"name", "tests", "failures"}, ["testsuite"]),
    "testsuite": ({"name", "tests", "failures", "errors", "skipped"}, ["properties", "testcase"]),
    "properties": (set(), ["property"]),
    "property": ({"name", "value"}, []),
    "testcase": ({"classname", "name"}, ["failure", "system-out"]),
    "failure": ({"message", "type"}, []),
    "system-out": (set(), []),
}
"""Attributes and children, in their order, that the usual schema (junit-10.xsd) has of them."""


def test_only_what_the_usual_schema_has(check: Check) -> None:
    for element in ET.fromstring(junit_xml([check])).iter():
        attributes, children = ELEMENTS[element.tag]
        assert set(element.keys()) == attributes
        order = [children.index(child.tag) for child in element]
        assert order == sorted(order)


@pytest.mark.parametrize("odd", ["<b>&amp;\"'</b>", "]]>", "\x00\x07 bell", "\ud800 half a pair", "ï ≥ 😀", "a\nb\tc"])
def test_any_text_survives_or_is_marked(check: Check, odd: str) -> None:
    vignettes = tuple(
        replace(v, title=odd, failures=tuple(replace(f, why=odd, what=odd, journey=(odd,)) for f in v.failures))
        for v in check.vignettes
    )
    root = ET.fromstring(junit_xml([replace(check, agent=odd, vignettes=vignettes)]).encode("utf-8"))
    kept = odd.replace("\x00", "\ufffd").replace("\x07", "\ufffd").replace("\ud800", "\ufffd")
    assert kept in {str(element.get("value")) for element in root.iter("property")}
    assert all(str(case.get("name")).endswith(kept) for case in root.iter("testcase"))
    assert all(f"why: {kept}" in str(failure.text) for failure in root.iter("failure"))


def test_the_command_writes_the_file_also_where_vignettes_fail(tmp_path: Path) -> None:
    file = tmp_path / "deep" / "check.xml"
    with pytest.raises(SystemExit) as end:
        main(["check", "tutorial", "--agent", "none", "--junit", str(file)])
    assert end.value.code == 1
    first = file.read_bytes()
    root = ET.fromstring(first)
    assert root.tag == "testsuites"
    assert int(root.get("failures", "0")) > 0
    assert list(file.parent.iterdir()) == [file]  # nothing half-written is left beside it
    with pytest.raises(SystemExit):
        main(["check", "tutorial", "--agent", "none", "--junit", str(file)])
    assert file.read_bytes() == first
