"""Asking: each question once, again until it is understood, and not at all where the answer is known already.

Every question has a key. Run again with the answers given so far, an interview asks only what is new: that is how it goes
on after an interruption, how a part can be corrected, and how answers from elsewhere (a template, a web page) are taken.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Literal, TypeVar

from workup.authoring import typed
from workup.authoring.answers import Question
from workup.authoring.typed import NotUnderstoodError

T = TypeVar("T")
Key = tuple[str, ...]
Given = Mapping[Key, str]
"""Answers as they were typed, by key."""
Say = Callable[[Literal["part", "problem", "note"], str], None]
"""Tells that a part begins, that an answer was not understood, or how it was."""
Keep = Callable[[Given, Given], None]
"""Takes the answers so far, and those that are offered again as defaults, whenever they change."""
BACK = "back"
"""The answer that returns to the question before."""


class GoneBack(Exception):  # noqa: N818
    """The last answer is taken back."""


class Dialogue:
    """Questions of several parts, put through a function that may be a terminal or not.

    Args:
        ask: puts a question and returns what was answered, '' for nothing.
        say: hears that a part begins, that an answer was not understood, or how it was.
        keep: hears every change of the answers.
        given: answers which are taken without asking as long as they can be read.
        earlier: answers to offer as defaults.
    """

    def __init__(self, ask: Callable[[Question], str], say: Say, keep: Keep, *, given: Given, earlier: Given) -> None:
        self._ask, self._say, self._keep = ask, say, keep
        self._given, self._earlier = dict(given), dict(earlier)
        self._part, self._announced = "", ""
        self._taken = {"history": "", "examination": ""}
        self.answered: dict[Key, str] = {}
        """The answers as they were typed, by key: give them to another run to ask only what is new."""

    def begin(self, part: str) -> None:
        """What follows belongs to this part; it is announced before its first question that has to be asked."""
        self._part = part

    def get(
        self,
        key: Sequence[str],
        text: str,
        read: Callable[[str], T],
        *,
        example: str = "",
        options: Sequence[str] = (),
        order: Sequence[str] = (),
        explanation: str = "",
        default: str = "",
        note: Callable[[T], str] | None = None,
    ) -> T:
        """What was given under the key, or what is answered; asked until it can be read.

        Raises:
            GoneBack: the answer was to take the one before back.
        """
        full = (self._part, *key)
        no_longer_fits: str | None = None
        if full in self._given:
            try:
                return self._take(full, self._given[full], read)
            except NotUnderstoodError as problem:
                no_longer_fits = str(problem)
                self._earlier[full] = self._given.pop(full)
        if self._announced != self._part:
            self._announced = self._part
            self._say("part", self._part)
        if no_longer_fits is not None:
            self._say("problem", no_longer_fits)
        offered = self._earlier.get(full, default)
        example = example or next(iter(options), "")
        question = Question(full, text, example, tuple(options), tuple(order), explanation, offered)
        while True:
            answer = self._ask(question).strip() or question.default
            if answer.lower() == BACK:
                raise GoneBack
            try:
                found = self._take(full, answer, read)
            except NotUnderstoodError as problem:
                self._say("problem", str(problem))
                continue
            self._keep({**self._given, **self.answered}, self._earlier)
            if note is not None and (line := note(found)):
                self._say("note", line)
            return found

    def _take(self, key: Key, answer: str, read: Callable[[str], T]) -> T:
        found = read(answer)
        self.answered[key] = answer
        return found

    def without_last(self) -> tuple[dict[Key, str], dict[Key, str]]:
        """The answers without the last one, and the defaults with it."""
        given = {**self._given, **self.answered}
        if not self.answered:
            self._say("problem", "This is the first question.")
            return given, self._earlier
        last = list(self.answered)[-1]
        self._earlier[last] = given.pop(last)
        self._keep(given, self._earlier)
        return given, self._earlier

    def again(self, prefix: Sequence[str], gather: Callable[[], T], fault: Callable[[T], str | None]) -> T:
        """Gather answers until they fit each other; those that do not are offered as they were and asked again."""
        while (problem := fault(found := gather())) is not None:
            self._say("problem", problem)
            start = (self._part, *prefix)
            wrong = {key: of for key, of in self.answered.items() if key[: len(start)] == start}
            self._earlier |= wrong
            self._given = {key: of for key, of in self._given.items() if key not in wrong}
            self.answered = {key: of for key, of in self.answered.items() if key not in wrong}
        return found

    def pick(
        self, key: Sequence[str], text: str, options: Sequence[str], *, explanation: str = "", default: str = ""
    ) -> str:
        """One of the options."""
        read = partial(typed.choice, options=options)
        return self.get(key, text, read, options=options, explanation=explanation, default=default)

    def labels(self, key: str, text: str, *, example: str, at_least: int, explanation: str = "") -> tuple[str, ...]:
        """What new things are called; nothing may be called as something of another kind is."""
        here = f"{self._part}, {key}"

        def read(answer: str) -> tuple[str, ...]:
            found = typed.several(answer, at_least=at_least)
            typed.names(found)
            for label in found:
                if self._taken.get(label.lower(), here) != here:
                    raise NotUnderstoodError(f"{label!r} is the name of something else already. Choose another.")
                if not any(character.isalpha() for character in label):
                    raise NotUnderstoodError(f"{label!r} is no name. Use words.")
            return found

        found = self.get((key,), text, read, example=example, explanation=explanation)
        self._taken = {word: place for word, place in self._taken.items() if place != here}
        self._taken |= dict.fromkeys((label.lower() for label in found), here)
        return found
