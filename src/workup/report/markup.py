"""The Markdown that `workup explain` speaks, as HTML: headings, lists within lists, numbered lists, bold, italics, code, links."""

from __future__ import annotations

import re
from collections.abc import Iterable

from markupsafe import Markup, escape

_ITEM = re.compile(r"^( *)(-|\d+\.) (.*)$")
_INLINE = (
    (re.compile(r"\*\*(.+?)\*\*"), r"<b>\1</b>"),
    (re.compile(r"(?<!\*)\*([^*]+)\*(?!\*)"), r"<i>\1</i>"),
    (re.compile(r"`([^`]+)`"), r"<code>\1</code>"),
    (re.compile(r"&lt;(https?://[^\s&]+(?:&amp;[^\s&]+)*)&gt;"), r'<a href="\1" rel="noreferrer">\1</a>'),
)


def html(lines: Iterable[str]) -> Markup:
    """Lines of Markdown as HTML; everything in them is escaped first, since scenario files are not trusted."""
    out: list[str] = []
    open_lists: list[tuple[int, str]] = []
    for line in lines:
        item = _ITEM.match(line)
        if item:
            _open_item(out, open_lists, len(item[1]), "ul" if item[2] == "-" else "ol")
            out.append(f"<li>{_inline(item[3])}")
            continue
        _close(out, open_lists, -1)
        heading = re.match(r"^(#{1,4}) (.*)$", line)
        if heading:
            level = len(heading[1])
            out.append(f"<h{level}>{_inline(heading[2])}</h{level}>")
        elif line.strip():
            out.append(f"<p>{_inline(line.strip())}</p>")
    _close(out, open_lists, -1)
    return Markup("\n".join(out))  # every text in it was escaped


def _open_item(out: list[str], open_lists: list[tuple[int, str]], indent: int, kind: str) -> None:
    """Close what is deeper, and open a list if this item begins one."""
    _close(out, open_lists, indent)
    if open_lists and open_lists[-1][0] == indent:
        out.append("</li>")
    else:
        out.append(f"<{kind}>")
        open_lists.append((indent, kind))


def _close(out: list[str], open_lists: list[tuple[int, str]], indent: int) -> None:
    while open_lists and open_lists[-1][0] > indent:
        out.append(f"</li></{open_lists.pop()[1]}>")


def _inline(text: str) -> str:
    said = str(escape(text))
    for pattern, by in _INLINE:
        said = pattern.sub(by, said)
    return said
