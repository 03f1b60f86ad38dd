"""The pages in a browser: for every screen, light and dark, on paper, by keyboard and for who hears them."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser
from support.browser import PAGES, opened

pytestmark = pytest.mark.e2e
UNFOLD = "document.querySelectorAll('details').forEach(each => each.open = true)"
TOO_WIDE = "document.scrollingElement.scrollWidth > window.innerWidth"
CUT = """Array.from(document.querySelectorAll('table, svg, p, li, h1, h2, h3, h4')).filter(each => {
  const box = each.getBoundingClientRect();
  return box.width > 0 && box.right > document.documentElement.clientWidth + 1;
}).map(each => each.outerHTML.slice(0, 120))"""
"""What reaches beyond the right edge of the paper."""
LEAST_LETTER_PX = 8.0
SMALLEST = """Math.min(...Array.from(document.querySelectorAll('main svg text')).map(each =>
  parseFloat(getComputedStyle(each).fontSize) * each.ownerSVGElement.getBoundingClientRect().width
  / each.ownerSVGElement.viewBox.baseVal.width))"""
"""Pixels of the smallest letters of any picture."""


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", PAGES)
def test_axe_finds_nothing(
    browser: Browser, pages: dict[str, Path], name: str, scheme: Literal["light", "dark"]
) -> None:
    with opened(browser, pages[name], scheme=scheme) as page:
        for state in ("folded", "unfolded"):
            found = Axe().run(page)
            assert found.violations_count == 0, f"{state}: {found.generate_report()}"
            page.evaluate(UNFOLD)


@pytest.mark.parametrize("width", [320, 390, 1280])
@pytest.mark.parametrize("name", PAGES)
def test_no_screen_scrolls_sideways_and_pictures_can_be_read(
    browser: Browser, pages: dict[str, Path], name: str, width: int
) -> None:
    with opened(browser, pages[name], width=width) as page:
        assert not page.evaluate(TOO_WIDE)
        page.evaluate(UNFOLD)
        assert not page.evaluate(TOO_WIDE)
        assert page.evaluate(SMALLEST) >= LEAST_LETTER_PX


@pytest.mark.parametrize("name", PAGES)
def test_on_paper_everything_is_there_and_nothing_is_cut(browser: Browser, pages: dict[str, Path], name: str) -> None:
    with opened(browser, pages[name], width=688, scheme="dark") as page:  # A4 between its margins
        page.emulate_media(media="print")
        assert page.evaluate(CUT) == []
        hidden = "Array.from(document.querySelectorAll('details table')).filter(t => !t.checkVisibility()).length"
        assert page.evaluate(hidden) == 0
        assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"


@pytest.mark.parametrize("name", PAGES)
def test_everything_can_be_reached_and_opened_by_keyboard(browser: Browser, pages: dict[str, Path], name: str) -> None:
    with opened(browser, pages[name]) as page:
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.className") == "skip"
        assert page.evaluate("document.activeElement.getBoundingClientRect().left >= 0"), (
            "it is seen once it has the focus"
        )
        page.keyboard.press("Enter")
        assert page.evaluate("document.activeElement.id") == "content"
        page.evaluate("document.activeElement.blur(), window.getSelection().removeAllRanges()")
        total, opened_by_key = page.locator("summary").count(), 0
        page.locator("body").evaluate("each => { each.tabIndex = -1; each.focus(); }")
        for _ in range(4000):
            page.keyboard.press("Tab")
            here = page.evaluate("[document.activeElement.tagName, document.activeElement === document.body]")
            if here[1]:
                break
            if here[0] == "SUMMARY":
                assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") != "none"
                page.keyboard.press("Enter")
                assert page.evaluate("document.activeElement.parentElement.open")
                opened_by_key += 1
                if opened_by_key == total:
                    break
        assert opened_by_key == total
