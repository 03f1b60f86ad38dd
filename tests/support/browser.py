"""Where the browser is, how it is started, and which pages it is shown."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
SCENARIOS = ("tutorial", "pulmonary_embolism")
PAGES = (*(f"{kind}-{scenario}" for kind in ("report", "explain") for scenario in SCENARIOS), "heaviest-tutorial")


def chromium() -> str:
    """Where Chromium is. Fails where there is none, and says how to get one."""
    found = os.environ.get("WORKUP_CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
    if not found or not Path(found).is_file():
        pytest.fail(
            f"no Chromium at {found or 'any place on PATH'}; run `apt-get install chromium`, or name its file in WORKUP_CHROMIUM",
            pytrace=False,
        )
    return found


@contextmanager
def opened(
    browser: Browser, path: Path, *, at: str = "", width: int = 1280, scheme: Literal["light", "dark"] = "light"
) -> Iterator[Page]:
    """The page from its file, at a place in it; anything that it asks for elsewhere, and anything on the console, is a failure."""
    context = browser.new_context(
        viewport={"width": width, "height": 900}, color_scheme=scheme, reduced_motion="reduce"
    )
    context.set_offline(True)
    page, wrong = context.new_page(), []
    page.on("console", lambda message: wrong.append(message.text))
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("websocket", lambda socket: wrong.append(socket.url))
    page.on(
        "request", lambda request: wrong.append(request.url) if request.url.partition("#")[0] != path.as_uri() else None
    )
    page.goto(path.as_uri() + at)
    yield page
    context.close()
    assert wrong == []
