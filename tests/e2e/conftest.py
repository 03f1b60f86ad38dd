"""A browser for the pages: Debian's Chromium, which the tests ask for and never do without."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright
from support.browser import FLAGS, PAGES, SCENARIOS, chromium

import workup
from workup.envs.compile.compile import compile_world
from workup.report.explain import explanation
from workup.report.heaviest import heaviest_page
from workup.scenarios.language.library import load_scenario
from workup.sensitivity.study import Settings, run_study
from workup.studies.bias.teaching_render import teaching_page


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=chromium(), args=list(FLAGS))
        yield opened
        opened.close()


@pytest.fixture(scope="session")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Every page by name."""
    folder = tmp_path_factory.mktemp("pages")
    found = {name: folder / f"{name}.html" for name in PAGES}
    for name in SCENARIOS:
        workup.write_report(name, ["none", "guideline", "voi"], found[f"report-{name}"], patients=100)
        found[f"explain-{name}"].write_text(explanation(load_scenario(name), "workup explain"), encoding="utf-8")
    found["heaviest-tutorial"].write_text(_heaviest(), encoding="utf-8")
    return found


@pytest.fixture(scope="session")
def lesson(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The educator's page."""
    path = tmp_path_factory.mktemp("lesson") / "teach.html"
    path.write_text(teaching_page(), encoding="utf-8")
    return path


def _heaviest() -> str:
    study = run_study(compile_world(load_scenario("tutorial")), Settings(patients=20, top=0))
    return heaviest_page(study, "workup sensitivity tutorial --patients 20 --top 0 --out heaviest.html")
