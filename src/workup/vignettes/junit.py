"""The result of `workup check` as JUnit XML, which CI servers show: a suite for each scenario and agent, a case for each vignette.

Read by Jenkins, GitLab and GitHub alike: https://github.com/jenkinsci/xunit-plugin (junit-10.xsd). A case has at most one
`failure`, since some readers show no more; all of its expectations that failed stand in it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from xml.etree import ElementTree as ET

from workup.vignettes.check import Check, Failure, VignetteResult

_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that XML 1.0 cannot hold, escaped or not."""


def junit_xml(checks: Iterable[Check]) -> str:
    """The checks as one XML document, which ends with a line break; the same checks give the same text."""
    root = ET.Element("testsuites", name="workup check")
    for check in checks:
        root.append(_suite(check))
    for key in ("tests", "failures"):
        root.set(key, str(sum(int(suite.get(key, "0")) for suite in root)))
    ET.indent(root)
    return ET.tostring(root, encoding="utf-8", xml_declaration=True).decode("utf-8") + "\n"


def _suite(check: Check) -> ET.Element:
    failed = sum(not vignette.passed for vignette in check.vignettes)
    name = _text(f"{check.scenario} / {check.agent}")
    suite = ET.Element(
        "testsuite", name=name, tests=str(len(check.vignettes)), failures=str(failed), errors="0", skipped="0"
    )
    properties = ET.SubElement(suite, "properties")
    for key in ("scenario", "digest", "status", "agent", "seed", "draws"):
        ET.SubElement(properties, "property", name=key, value=_text(str(getattr(check, key))))
    for vignette in check.vignettes:
        suite.append(_case(check, vignette))
    return suite


def _case(check: Check, vignette: VignetteResult) -> ET.Element:
    classname = _text(f"{check.scenario}.{check.agent}")
    case = ET.Element("testcase", classname=classname, name=_text(f"{vignette.id}: {vignette.title}"))
    if vignette.failures:
        message = "; ".join(f"{failure.expectation}: failed in {failure.share}" for failure in vignette.failures)
        failure = ET.SubElement(case, "failure", type="expectation", message=_text(message))
        failure.text = _text("\n\n".join(_told(each) for each in vignette.failures))
    said = [f"never came up: {text}" for text in vignette.never_counted]
    ET.SubElement(case, "system-out").text = _text("\n".join([*said, "the first draw:", *vignette.sample]))
    return case


def _told(failure: Failure) -> str:
    lines = (
        failure.expectation,
        f"failed in {failure.share}",
        f"why: {failure.why}",
        f"for example, at step {failure.step}: {failure.what}",
        *(f"    {line}" for line in failure.journey),
    )
    return "\n".join(lines)


def _text(text: str) -> str:
    """The text with what XML cannot hold replaced, so that the document can always be read."""
    return _NOT_XML.sub("\ufffd", text)
