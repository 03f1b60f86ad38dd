"""The educator's page in a browser: every step by keyboard, its numbers those of Python, light, dark, narrow and on paper."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any, Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page
from support.browser import opened
from support.places import ROOT

from workup.studies.bias import teaching

pytestmark = pytest.mark.e2e
STATES = (
    "#step=1&sent=3.7.1",
    "#step=2&sent=3.7.10.13.16.19.1.2&say=high&own=231.32.27.54&ownr=7",
    "#step=3&sent=3.10.13&say=right&truth=1",
    "#step=4&r=23",
    "#step=5&picked=tenth&seen=1",
    "#step=6&policy=suspicion",
    "#step=7&trained=weighted&eye=1",
    "#step=8",
)
"""Every step, with something chosen."""
UNFOLD = "document.querySelectorAll('details').forEach(each => each.open = true)"
SMALL = """Array.from(document.querySelectorAll('main button, main input, main summary, main label, nav a')).filter(each => each.checkVisibility())
  .map(each => [each.outerHTML.slice(0, 90), each.getBoundingClientRect()]).filter(([_, box]) => box.width < 24 || box.height < 24).map(([words]) => words)"""
SMALLEST = """Math.min(...Array.from(document.querySelectorAll('figure svg text')).filter(each => each.checkVisibility()).map(each =>
  parseFloat(getComputedStyle(each).fontSize) * each.ownerSVGElement.getBoundingClientRect().width / each.ownerSVGElement.viewBox.baseVal.width))"""
OUT = """Array.from(document.querySelectorAll('figure svg')).filter(each => each.checkVisibility()).flatMap(picture => Array.from(picture.querySelectorAll('text')).filter(each => {
  const [a, b] = [picture.getBoundingClientRect(), each.getBoundingClientRect()];
  return b.width > 0 && (b.left < a.left - 1 || b.right > a.right + 1 || b.top < a.top - 1 || b.bottom > a.bottom + 1);
}).map(each => each.textContent))"""
"""Words of a picture that reach beyond it."""
MOVES = """document.getAnimations().length + Array.from(document.querySelectorAll('*')).filter(each =>
  getComputedStyle(each).transitionDuration !== '0s' || getComputedStyle(each).animationName !== 'none').length"""


def tables(page: Page) -> dict[str, Any]:
    return json.loads(page.locator("#tables").text_content() or "")


def shown(page: Page) -> str:
    """The step that is to be seen."""
    found = page.evaluate(
        "Array.from(document.querySelectorAll('.step')).filter(e => e.checkVisibility()).map(e => e.id)"
    )
    assert len(found) == 1
    return str(found[0])


def tab_to(page: Page, selector: str) -> None:
    """Press Tab until that has the focus; it is seen to have it."""
    for _ in range(120):
        if page.evaluate("selector => document.activeElement.matches(selector)", selector):
            assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") != "none"
            return
        page.keyboard.press("Tab")
    pytest.fail(f"no Tab leads to {selector}")


def holds(page: Page, view: dict[str, Any]) -> None:
    """The page says and shows what the table of a setting has."""
    for id, words in view["text"].items():
        assert page.locator(f"#{id}").text_content() == words
    for id, attributes in view["attr"].items():
        for name, value in attributes.items():
            assert page.locator(f"#{id}").get_attribute(name) == value
    for group, n in view.get("upto", {}).items():
        assert page.locator(f"#dots-{group} > .seen").count() == n


@pytest.mark.parametrize(("scheme", "width"), [("light", 1280), ("dark", 1280), ("light", 320), ("dark", 390)])
def test_axe_finds_nothing_in_any_step(
    browser: Browser, lesson: Path, scheme: Literal["light", "dark"], width: int
) -> None:
    for state in STATES:
        with opened(browser, lesson, at=state, width=width, scheme=scheme) as page:
            page.evaluate(UNFOLD)
            found = Axe().run(page)
            assert found.violations_count == 0, f"{state}: {found.generate_report()}"


@pytest.mark.parametrize("width", [320, 390, 1280])
def test_no_step_scrolls_sideways_and_everything_is_large_enough(browser: Browser, lesson: Path, width: int) -> None:
    for state in STATES:
        with opened(browser, lesson, at=state, width=width) as page:
            assert f"#step={shown(page)[-1]}" == state.partition("&")[0]
            page.evaluate(UNFOLD)
            assert not page.evaluate("document.scrollingElement.scrollWidth > window.innerWidth"), state
            assert page.evaluate(SMALL) == []
            assert page.evaluate(OUT) == []
            assert page.evaluate(SMALLEST) >= 9.0 or state.startswith(("#step=1", "#step=2", "#step=3", "#step=8"))
            assert page.evaluate(MOVES) == 0, "nothing moves for who does not want it"


def test_the_whole_lesson_by_keyboard(browser: Browser, lesson: Path) -> None:
    with opened(browser, lesson) as page:
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.id") == "skip"
        page.keyboard.press("Enter")
        assert page.evaluate("document.activeElement.id") == "content"
        tab_to(page, "[data-patient='2']")
        page.keyboard.press("Space")
        tab_to(page, "#send-positive")
        page.keyboard.press("Enter")
        assert page.locator("#s1-summary").text_content() == "5 of 8 places for the definitive test are taken."
        _next(page, 2)
        assert page.locator("#audit").is_hidden(), "predict first"
        tab_to(page, "[name=say]")
        page.keyboard.press("Space")
        assert page.locator("#s2-ill .mark").count() == 3
        assert page.locator("#s2-well .mark").count() == 2
        _next(page, 3)
        assert page.get_by_text("unknown", exact=True).count() == 15
        tab_to(page, "#truth")
        page.keyboard.press("Space")
        assert page.get_by_text("unknown", exact=True).count() == 0
        assert (
            "In all twenty: of the ill, the test finds 3 of 4, 75% (sensitivity); of the well, the test clears 14 of 16, 88% (specificity)."
            in (page.locator("#s3-summary").text_content() or "")
        )
        _next(page, 4)
        tab_to(page, "#s4-slider")
        page.keyboard.press("End")
        holds(page, tables(page)["views"]["strength"]["39"])
        _next(page, 5)
        tab_to(page, "[name=picked]")
        page.keyboard.press("ArrowRight")
        holds(page, tables(page)["views"]["picked"]["lot"])
        tab_to(page, "#seen")
        page.keyboard.press("Space")
        holds(page, tables(page)["views"]["picked"]["doctor"])
        _next(page, 6)
        tab_to(page, "[name=policy]")
        for policy in ("guideline", "suspicion", "chance"):
            page.keyboard.press("ArrowDown")
            holds(page, tables(page)["views"]["policy"][policy])
        _next(page, 7)
        tab_to(page, "[name=trained]")
        page.keyboard.press("ArrowDown")
        tab_to(page, "#eye")
        page.keyboard.press("Space")
        holds(page, tables(page)["views"]["model"]["weighted-eye"])
        tab_to(page, "#step-7 summary")
        page.keyboard.press("Enter")
        assert page.locator("#s7-oe").is_visible()
        _next(page, 8)
        tab_to(page, "#print")
        assert page.locator("#next").is_disabled()
        tab_to(page, "#back")
        page.keyboard.press("Enter")
        page.wait_for_function("!document.getElementById('step-7').hidden")
        page.go_back()
        page.wait_for_function("!document.getElementById('step-8').hidden")
        tab_to(page, "#again")
        page.keyboard.press("Enter")
        page.wait_for_function("!document.getElementById('step-1').hidden")
        assert page.locator("[aria-pressed=true]").count() == 0, "for the next class"


def _next(page: Page, step: int) -> None:
    tab_to(page, "#next")
    page.keyboard.press("Enter")
    page.wait_for_function(f"!document.getElementById('step-{step}').hidden")
    assert shown(page) == f"step-{step}"
    assert page.evaluate("document.activeElement.id") == f"h-{step}", "who hears the page hears where he is"
    assert page.locator("nav [aria-current=step]").count() == 1


def test_every_step_of_the_slider_says_what_python_worked_out_and_is_quick(browser: Browser, lesson: Path) -> None:
    with opened(browser, lesson, at="#step=4") as page:
        page.locator("#s4-slider").focus()
        views = tables(page)["views"]["strength"]
        for i, one in enumerate(teaching.strengths()):
            if i:
                page.keyboard.press("ArrowRight")
            holds(page, views[str(i)])
            assert page.locator("#s4-se").text_content() == f"{100 * one.verified.sensitivity:.0f}%"
            assert page.locator("#s4-sp").text_content() == f"{100 * one.verified.specificity:.0f}%"
        assert page.evaluate("location.hash") == "#step=4&r=39"


def test_every_control_redraws_within_a_tenth_of_a_second(browser: Browser, lesson: Path) -> None:
    used = {
        "sent": "#send-positive",
        "say": "[name=say][value=low]",
        "truth": "#truth",
        "picked": "[value=tenth]",
        "seen": "#seen",
    }
    used |= {"policy": "[value=guideline]", "trained": "[value=everybody]", "eye": "#eye", "own": "#own-example"}
    with opened(browser, lesson) as page:
        for step in range(1, 9):
            page.locator(f"nav [data-step='{step}']").click()
            page.evaluate(UNFOLD)
            for selector in used.values():
                if page.locator(selector).is_visible():
                    for _ in range(3):
                        page.locator(selector).click()
        page.locator("nav [data-step='4']").click()
        page.locator("#s4-slider").focus()
        for key in ("ArrowRight", "End", "Home", "PageUp"):
            page.keyboard.press(key)
        took: dict[str, list[float]] = {}
        for name, ms in page.evaluate(
            "performance.getEntriesByName('redraw').map(each => [each.detail, each.duration])"
        ):
            took.setdefault(name, []).append(ms)
        assert set(took) >= {*used, "r", "step"}
        assert {name: ms for name, ms in took.items() if min(ms) > 100.0} == {}


def test_an_audit_of_ones_own(browser: Browser, lesson: Path) -> None:
    sensitivity, specificity = teaching.true_shares()
    with opened(browser, lesson, at="#step=2") as page:
        page.locator("#own summary").click()
        assert page.locator("#own-says").text_content() == "Fill in all four."
        page.locator("#own-example").click()
        says = page.locator("#own-says").text_content() or ""
        assert "sensitivity 90% and specificity 63%." in says
        assert f"in truth about {sensitivity[895, 7]}% and {specificity[628, 7]}%." in says
        for typed, told in (
            ("-3", "Whole numbers"),
            ("2.5", "Whole numbers"),
            ("1e3", "Whole numbers"),
            ("", "Fill in"),
            ("1000000", "Whole numbers"),
        ):
            page.locator("#own-tp").fill(typed)
            assert told in (page.locator("#own-says").text_content() or "")
        page.locator("#own-tp").fill("0")
        page.locator("#own-fn").fill("0")
        assert page.locator("#own-says").text_content() == "Cannot be said: nobody who was verified is ill."
        page.locator("#own-tp").fill("999999")
        assert "sensitivity 100%" in (page.locator("#own-says").text_content() or "")


def test_no_more_are_sent_than_there_are_places(browser: Browser, lesson: Path) -> None:
    with opened(browser, lesson) as page:
        for i in range(10):
            page.locator(f"[data-patient='{i}']").click()
        assert page.locator("[aria-pressed=true]").count() == tables(page)["places"] == 8
        assert "All places are taken" in (page.locator("#s1-summary").text_content() or "")
        page.locator("[data-patient='0']").click()
        page.locator("[data-patient='9']").click()
        assert page.locator("[data-patient='9']").get_attribute("aria-pressed") == "true"


def test_the_address_keeps_everything_and_nonsense_in_it_does_no_harm(browser: Browser, lesson: Path) -> None:
    for state in STATES:
        with opened(browser, lesson, at=state) as page:
            before = page.locator("main").inner_html()
            page.reload()
            assert page.locator("main").inner_html() == before
            assert page.evaluate("address(now)") == state
    for nonsense in (
        "#step=9",
        "#step=0&r=40",
        "#step=<b>",
        "#own=1.2.3&sent=0.21.x.3.3&say=maybe",
        "#r=-1&ownr=1e1",
        "#&&=",
        "#step=4&r=23&r=1&__proto__=1",
    ):
        with opened(browser, lesson, at=nonsense) as page:
            assert shown(page) in ("step-1", "step-4")


def test_places_that_the_notes_lead_to_are_there(browser: Browser, lesson: Path) -> None:
    named = re.findall(r"`(#step=[^`]+)`", (ROOT / "docs" / "teaching.md").read_text(encoding="utf-8"))
    assert len(named) >= 5
    for state in named:
        with opened(browser, lesson, at=state) as page:
            assert page.evaluate("address(now)") == state


def test_five_questions_on_paper(browser: Browser, lesson: Path) -> None:
    with opened(browser, lesson, at="#step=8", width=688, scheme="dark") as page:
        page.emulate_media(media="print")
        assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
        assert page.locator(".question").count() == page.locator(".answer").count() == 5
        assert all(page.locator(".answer").nth(i).is_visible() for i in range(5)), "with room for answers"
        assert not page.locator("#print").is_visible()
        assert page.evaluate("document.scrollingElement.scrollHeight") <= 1000, "on one page of A4"
        assert page.evaluate("document.scrollingElement.scrollWidth <= window.innerWidth")
