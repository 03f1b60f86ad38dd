"""A browser for the pages: Debian's Chromium, which the tests ask for and never do without."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright
from support.browser import FLAGS, PAGES, SCENARIOS, chromium

from workup.cli.main import main


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=chromium(), args=list(FLAGS))
        yield opened
        opened.close()


@pytest.fixture(scope="session")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Every page by name, as the commands write them."""
    folder = tmp_path_factory.mktemp("pages")
    found = {name: folder / f"{name}.html" for name in PAGES}
    for scenario in SCENARIOS:
        agents = ("--agents", "none,guideline,voi", "--patients", "100")
        main(["report", scenario, *agents, "--out", str(found[f"report-{scenario}"])])
        main(["explain", scenario, "--out", str(found[f"explain-{scenario}"])])
    return found
