"""Where the browser is, how it is started, and which pages it is shown."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

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
