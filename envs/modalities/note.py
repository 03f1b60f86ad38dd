"""Notes of a history: the findings that are told, in words that vary, among sentences that have nothing to do with them.

A reader network gets the words as numbers, (n, size) uint16 of the committed VOCABULARY: 0 beyond the end, 1 for a word that cannot
be read. Every form of a sentence says its finding: presence and absence, weeks and kilograms in figures. What has to be learnt is to
tell the patient's findings from other people's, presence from absence, and a number from all others, wherever in the note they stand.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from workup.envs.modalities.draws import NOISE_FROM, Keys, Looks, noise_level, own_keys, settled, uniforms
from workup.envs.modalities.phrases import AGED, FIRST_WORDS, OTHERS, SAID, SLOTS
from workup.errors import WorkupError
from workup.scenarios.language.looks import LOOKS as ALL_LOOKS

LOOKS = ALL_LOOKS["note"]
SIZE = 160
ENDED, ILLEGIBLE = "", "[?]"
_DISTRACTORS = (6, 0, 3, 10)
_UNSAID, _NO, _YES = range(3)
_TOLD = tuple(SAID)
_NUMBERS = {"cough": "cough_weeks", "weight_loss": "kg_lost"}
_NAMED = [name for name, look in LOOKS.items() if not look.graded]
_GRADED = [name for name, look in LOOKS.items() if look.graded]
_PER_SENTENCE, _AT_ONCE = 8, 512
_WORDS = re.compile(r"[a-z]+|\d|[^\sa-z\d]")


def _vocabulary() -> tuple[str, ...]:
    texts = [
        *FIRST_WORDS,
        *itertools.chain(*SLOTS.values()),
        *OTHERS,
        *itertools.chain(*itertools.chain(*SAID.values())),
    ]
    bare = [re.sub(r"\{\w+\}", " ", text) for text in texts]
    return (ENDED, ILLEGIBLE, *sorted({word for text in bare for word in words(text)} | set("0123456789.")))


def words(text: str) -> list[str]:
    """The words of a text as a note has them: small letters, each digit and mark by itself."""
    return _WORDS.findall(text.lower())


VOCABULARY = _vocabulary()
"""Word -> its number is its place. It changes only where `phrases` does."""
_PLACE = {word: place for place, word in enumerate(VOCABULARY)}


def render(keys: Keys, looks: Looks, *, size: int = SIZE, noise: str | float = "clear") -> NDArray[np.uint16]:
    """Notes as numbers of words.

    Args:
        keys: (n,) uint64, as `draws.keys` makes them.
        looks: look -> (n,) numbers or words; see LOOKS. Numbers are written to the whole week and kilogram.
        size: words, 32 to 1,000.
        noise: 'clear' (0.035), 'hard' (0.10), 'none' or a number: the chance of each word, independent, that it cannot be read.

    Returns:
        (n, size) uint16, places in VOCABULARY.

    Raises:
        UnknownNameError, WorkupError: keys, looks, size or noise that cannot be, or a note of more than `size` words.

    Examples:
        >>> from workup.envs.modalities import note
        >>> from workup.envs.modalities.draws import keys
        >>> note.render(keys(0, np.arange(2), "history"), {"cough": ["yes", "no"]}).shape
        (2, 160)
    """
    if not 32 <= size <= 1_000:
        raise WorkupError(f"size: found {size!r}; expected 32 to 1,000 words")
    level, out = noise_level(noise), np.zeros((len(keys), size), np.uint16)
    for i, each in enumerate(text(keys, looks)):
        found = [_PLACE[word] for word in words(each)]
        if len(found) > size:
            raise WorkupError(
                f"the note of key {i} has {len(found)} words; expected at most {size}: give a larger size"
            )
        out[i, : len(found)] = found
    if level:
        lost = uniforms(own_keys(keys, "note"), np.arange(size) + NOISE_FROM) < level
        out[lost & (out > 0)] = _PLACE[ILLEGIBLE]
    return out


def text(keys: Keys, looks: Looks) -> list[str]:
    """The same notes to read, n texts; nothing is illegible.

    Examples:
        >>> from workup.envs.modalities import note
        >>> from workup.envs.modalities.draws import keys
        >>> print(note.text(keys(0, np.arange(1), "history"), {"rigors": "yes", "distractors": "none"})[0])
        Aged 47. Four rigors since the weekend.
    """
    graded, named = settled("note", looks, len(keys))
    own, counters = own_keys(keys, "note"), np.arange(_PER_SENTENCE * (1 + len(_TOLD) + len(OTHERS)))
    found = []
    for begin in range(0, len(keys), _AT_ONCE):
        part = slice(begin, begin + _AT_ONCE)
        draws = uniforms(own[part], counters)
        found += [
            _note(*each) for each in zip(draws.tolist(), graded[part].tolist(), named[part].tolist(), strict=True)
        ]
    return found


def _note(draws: list[float], graded: list[float], named: list[int]) -> str:
    numbers, chosen = dict(zip(_GRADED, graded, strict=True)), dict(zip(_NAMED, named, strict=True))
    told, at = [], _PER_SENTENCE
    for name in _TOLD:
        if chosen[name] != _UNSAID:
            ways = SAID[name][chosen[name] == _YES]
            number = numbers[_NUMBERS[name]] if name in _NUMBERS else 0.0
            told.append((draws[at + 1], _filled(ways, draws[at : at + _PER_SENTENCE], number)))
        at += _PER_SENTENCE
    others = sorted(range(len(OTHERS)), key=lambda i: draws[at + _PER_SENTENCE * i])[
        : _DISTRACTORS[chosen["distractors"]]
    ]
    between = []
    for i in others:
        own = draws[at + _PER_SENTENCE * i : at + _PER_SENTENCE * (i + 1)]
        between.append((own[1], _filled((OTHERS[i],), own, 0.0)))
    opening = _filled(FIRST_WORDS, draws[:_PER_SENTENCE], AGED[0] + int(draws[3] * (AGED[1] - AGED[0])))
    return " ".join([opening, *_ordered(sorted(told), sorted(between), chosen["position"])])


def _ordered(told: list[tuple[float, str]], between: list[tuple[float, str]], position: int) -> list[str]:
    """All sentences: in any order, or the findings together at their place."""
    if position == 0:
        return [sentence for _, sentence in sorted(told + between)]
    before = (0, 0, len(between) // 2, len(between))[position]
    return [sentence for _, sentence in (*between[:before], *told, *between[before:])]


def _filled(ways: Sequence[str], draws: list[float], number: float) -> str:
    """One of the ways to say it, its gaps filled; a gap `{n}` takes the number."""
    way, gap = ways[int(draws[2] * len(ways))], 3
    while "{" in way:
        slot = way[way.index("{") + 1 : way.index("}")]
        filling = f"{number:.0f}" if slot == "n" else SLOTS[slot][int(draws[gap] * len(SLOTS[slot]))]
        way, gap = way.replace("{" + slot + "}", filling, 1), gap + 1
    return way[0].upper() + way[1:] + "."
