"""Shipped scenarios altered by chance and linted: whatever stands in a file, the answer is faults, and comes soon."""

from __future__ import annotations

import re
import shutil
import tempfile
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from workup.envs.compile.faults import lint_compiled
from workup.scenarios.language.library import find_scenario, shipped_scenarios

SLOW_S = 2.0
"""An answer that takes longer is reported."""
_NUMBER = re.compile(rb"-?\d+(?:\.\d+)?(?:e-?\d+)?")
_WORD = re.compile(rb"[A-Za-z_]{3,}")
_NUMBERS = (b"0", b"-1", b"1e308", b"-1e308", b"1e-308", b"1e999", b"0.5", b"99999999999999", b".nan", b"no", b"")
_BYTES = b"\x00\x07\t\r\n !\"#%&'*,-:<>?@[\\]`{|}~\x7f\x85\xa0\xc3\xe2\xff0aA"


@dataclass(frozen=True)
class Answer:
    """What lint said of one altered scenario."""

    scenario: str
    way: str
    number: int
    """Which of the alterations of the seed."""
    faults: int
    seconds: float
    """Of processor time."""
    traceback: str = ""
    """What was raised, if anything was."""

    @property
    def sound(self) -> bool:
        """Whether it was an answer, and came soon."""
        return not self.traceback and self.seconds <= SLOW_S


def lint_altered(count: int, seed: int, progress: Callable[[], None] | None = None) -> list[Answer]:
    """Alter shipped scenarios `count` times, each by chance in one of `WAYS`, and lint them; the same for the same seed."""
    names = shipped_scenarios()
    for name in names:
        lint_compiled(find_scenario(name))  # what compiles machine code is not counted
    answers = []
    for number in range(count):
        rng = np.random.default_rng([seed, number])
        name, way = str(rng.choice(names)), str(rng.choice(list(WAYS)))
        with tempfile.TemporaryDirectory() as place:
            folder = Path(shutil.copytree(find_scenario(name), Path(place) / name))
            file = rng.choice(sorted(folder.glob("*.yaml")))
            file.write_bytes(WAYS[way](file.read_bytes(), rng))
            answers.append(_answer(folder, name, way, number))
        if progress is not None:
            progress()
    return answers


def _answer(folder: Path, name: str, way: str, number: int) -> Answer:
    before = time.process_time()
    try:
        faults, raised = len(lint_compiled(folder)), ""
    except Exception:
        faults, raised = 0, traceback.format_exc()
    return Answer(name, way, number, faults, time.process_time() - before, raised)


def _bytes(text: bytes, rng: np.random.Generator) -> bytes:
    out = bytearray(text)
    for at in rng.integers(len(out), size=rng.integers(1, 8)):
        out[at] = _BYTES[rng.integers(len(_BYTES))]
    return bytes(out)


def _cut(text: bytes, rng: np.random.Generator) -> bytes:
    return text[: rng.integers(len(text))]


def _lines(text: bytes, rng: np.random.Generator) -> bytes:
    """Two lines change places, or one is indented otherwise."""
    lines = text.splitlines(keepends=True)
    i, j = rng.integers(len(lines), size=2)
    if rng.random() < 0.5:
        lines[i], lines[j] = lines[j], lines[i]
    else:
        lines[i] = b" " * int(rng.integers(8)) + lines[i].lstrip(b" ")
    return b"".join(lines)


def _numbers(text: bytes, rng: np.random.Generator) -> bytes:
    return _replaced(text, _NUMBER, lambda: _NUMBERS[rng.integers(len(_NUMBERS))], rng)


def _words(text: bytes, rng: np.random.Generator) -> bytes:
    known = _WORD.findall(text)
    return _replaced(text, _WORD, lambda: bytes(known[rng.integers(len(known))]), rng)


def _replaced(text: bytes, pattern: re.Pattern[bytes], by: Callable[[], bytes], rng: np.random.Generator) -> bytes:
    places = list(pattern.finditer(text))
    chosen = sorted(
        rng.choice(len(places), size=min(len(places), int(rng.integers(1, 5))), replace=False), reverse=True
    )
    for place in (places[i] for i in chosen):
        text = text[: place.start()] + by() + text[place.end() :]
    return text


def _duplicated(text: bytes, rng: np.random.Generator) -> bytes:
    lines, first, last = _block(text, rng)
    at = int(rng.integers(len(lines) + 1))
    return b"".join([*lines[:at], *lines[first:last], *lines[at:]])


def _dropped(text: bytes, rng: np.random.Generator) -> bytes:
    lines, first, last = _block(text, rng)
    return b"".join(lines[:first] + lines[last:])


def _block(text: bytes, rng: np.random.Generator) -> tuple[list[bytes], int, int]:
    """The lines, and the first and last+1 of one and all that is indented beneath it."""
    lines = text.splitlines(keepends=True)
    indents = [len(line) - len(line.lstrip(b" ")) for line in lines]
    first = int(rng.integers(len(lines)))
    last = next((i for i in range(first + 1, len(lines)) if indents[i] <= indents[first]), len(lines))
    return lines, first, last


WAYS: dict[str, Callable[[bytes, np.random.Generator], bytes]] = {
    "bytes": _bytes,
    "cut": _cut,
    "lines": _lines,
    "numbers": _numbers,
    "words": _words,
    "duplicated": _duplicated,
    "dropped": _dropped,
}
"""How a file is altered."""
