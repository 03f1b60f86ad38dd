"""Asking: each question once, again until it is understood, and not at all where the answer is known already.

Every question has a key. Run again with the answers given so far, an interview asks only what is new: that is how a part
can be corrected, and how answers from elsewhere (a file, a web page) are taken.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TypeVar

from workup.authoring import typed
from workup.authoring.answers import Origin, Question
from workup.authoring.typed import NotUnderstoodError

T = TypeVar("T")
Key = tuple[str, ...]
BACK = "back"
"""The answer that returns to the question before."""


class GoneBack(Exception):  # noqa: N818
    """The last answer is taken back."""


_SHARES = "30%, 0.3 or 3 in 10"


class Dialogue:
    """Questions of several parts, put through a function that may be a terminal or not.

    Args:
        ask: puts a question and returns what was answered, '' for nothing.
        say: tells that an answer was not understood, or that a new part begins.
        given: answers by key, which are taken without asking as long as they can be read.
        earlier: answers to offer as defaults.
    """

    def __init__(
        self,
        ask: Callable[[Question], str],
        say: Callable[[str], None],
        *,
        given: Mapping[Key, str] | None = None,
        earlier: Mapping[Key, str] | None = None,
    ) -> None:
        self._ask, self._say = ask, say
        self._given, self._earlier = dict(given or {}), dict(earlier or {})
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
        default: str = "",
    ) -> T:
        """What was given under the key, or what is answered; asked until it can be read.

        Raises:
            GoneBack: the answer was to take the one before back.
        """
        full = (self._part, *key)
        no_longer_fits: str | None = None
        if full in self._given:
            try:
                return self._keep(full, self._given[full], read)
            except NotUnderstoodError as problem:
                no_longer_fits = str(problem)
                self._earlier[full] = self._given.pop(full)
        if self._announced != self._part:
            self._announced = self._part
            self._say(self._part)
        if no_longer_fits is not None:
            self._say(no_longer_fits)
        question = Question(full, text, example, tuple(options), self._earlier.get(full, default))
        while True:
            answer = self._ask(question).strip() or question.default
            if answer.lower() == BACK:
                raise GoneBack
            try:
                return self._keep(full, answer, read)
            except NotUnderstoodError as problem:
                self._say(str(problem))

    def _keep(self, key: Key, answer: str, read: Callable[[str], T]) -> T:
        found = read(answer)
        self.answered[key] = answer
        return found

    def again(self, prefix: Sequence[str], gather: Callable[[], T], fault: Callable[[T], str | None]) -> T:
        """Gather answers until they fit each other; those that do not are offered as they were and asked again."""
        while (problem := fault(found := gather())) is not None:
            self._say(problem)
            start = (self._part, *prefix)
            wrong = {key: of for key, of in self.answered.items() if key[: len(start)] == start}
            self._earlier |= wrong
            self._given = {key: of for key, of in self._given.items() if key not in wrong}
        return found

    def pick(self, key: Sequence[str], text: str, options: Sequence[str], *, default: str = "") -> str:
        """One of the options."""
        return self.get(key, text, partial(typed.choice, options=options), options=options, default=default)

    def pick_several(self, key: Sequence[str], text: str, options: Sequence[str], *, at_least: int) -> tuple[str, ...]:
        """Some of the options."""
        return self.get(key, text, partial(typed.choices, options=options, at_least=at_least), options=options)

    def labels(self, key: str, text: str, *, example: str, at_least: int) -> tuple[str, ...]:
        """What new things are called; nothing may be called as something of another kind is."""
        here = f"{self._part}, {key}"

        def read(answer: str) -> tuple[str, ...]:
            found = typed.several(answer, at_least=at_least)
            for label in found:
                if self._taken.get(label.lower(), here) != here:
                    raise NotUnderstoodError(f"{label!r} is the name of something else already. Choose another.")
                if not any(character.isalpha() for character in label):
                    raise NotUnderstoodError(f"{label!r} is no name. Use words.")
            return found

        found = self.get((key,), text, read, example=example)
        self._taken = {word: place for word, place in self._taken.items() if place != here}
        self._taken |= dict.fromkeys((label.lower() for label in found), here)
        return found

    def shares(
        self, key: Sequence[str], question: Callable[[str], str], of: Sequence[str], whom: str
    ) -> tuple[float, ...]:
        """A share for each of several values; they add up to 1."""
        return self.again(
            key,
            lambda: tuple(self.get((*key, value), question(value), typed.share, example=_SHARES) for value in of),
            partial(typed.sum_fault, whom=whom),
        )

    def law(
        self, key: Sequence[str], question: Callable[[str], str], of: Sequence[str], whom: str
    ) -> tuple[float, ...]:
        """As `shares`, but of two values only the second is asked: the first is the rest."""
        if len(of) != 2:
            return self.shares(key, question, of, whom)
        second = self.get((*key, of[1]), question(of[1]), typed.share, example=_SHARES)
        return (float(f"{1 - second:.10g}"), second)

    def origin(self, *key: str) -> Origin:
        """Where the figures just given come from."""
        cite = self.get(
            (*key, "source"),
            "Where do these figures come from? A citation, or Enter if you estimate them.",
            typed.citation,
        )
        if not cite:
            return Origin()
        read = self.pick((*key, "read"), "Have you read it, at least its abstract?", ("yes", "no"))
        return Origin(cite, read == "yes")
