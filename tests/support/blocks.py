"""Every fenced block of the pages, and what a page asks of the test that runs it.

A comment just above a block says how it is tested, and nothing is skipped or changed without one:

    <!-- test: skip, it trains for minutes -->
    <!-- test: 200_000 is 4_000 -->

The second puts one text in place of another before the block is run.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from support.places import ROOT

_BLOCK = re.compile(r"((?:^<!-- test: [^\n]* -->\n)*)^```([^\n]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_WISH = re.compile(r"<!-- test: (.*) -->")
PAGES = ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "docs/**/*.md", "scenarios/*/README.md")


@dataclass(frozen=True)
class Block:
    """One fenced block of a page."""

    page: str
    kind: str
    """What stands behind the fence: python, sh, console, ..."""
    body: str
    skipped: str | None
    """Why it is not run."""
    changes: tuple[tuple[str, str], ...]

    @property
    def quick(self) -> str:
        """The body as it is tested."""
        body = self.body
        for written, run in self.changes:
            assert body.count(written) == 1, f"{self.page}: {written!r} stands {body.count(written)} times in its block"
            body = body.replace(written, run)
        return body


def pages() -> list[Path]:
    """All pages that a reader meets."""
    return sorted(path for pattern in PAGES for path in ROOT.glob(pattern))


def blocks(page: Path) -> Iterator[Block]:
    """The blocks of a page, in order."""
    name, text = page.relative_to(ROOT).as_posix(), page.read_text(encoding="utf-8")
    found = _BLOCK.findall(text)
    assert 2 * len(found) == len(re.findall(r"^```", text, re.MULTILINE)), f"{name}: a block that is not closed"
    assert len(re.findall(r"^<!-- test: ", text, re.MULTILINE)) == sum(
        len(_WISH.findall(wishes)) for wishes, *_ in found
    ), f"{name}: a comment for the tests that does not stand just above a block"
    for wishes, kind, body in found:
        asked = _WISH.findall(wishes)
        skipped = [wish.removeprefix("skip, ") for wish in asked if wish.startswith("skip, ")]
        changes = tuple(tuple(wish.split(" is ")) for wish in asked if not wish.startswith("skip, "))
        assert all(len(change) == 2 for change in changes), f"{name}: {asked}; expected `skip, WHY` or `TEXT is TEXT`"
        yield Block(name, kind, body, skipped[0] if skipped else None, changes)
