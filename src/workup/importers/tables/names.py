"""Names of columns and tests, which one file writes `ALK_PHOSPHATE` and the next `alk phosphate`."""

from __future__ import annotations

import re
from collections.abc import Iterable

from workup.errors import UnknownNameError


def plain(name: str) -> str:
    """A name without case and punctuation, so that `ALK_PHOSPHATE` and `alk phosphate` are the same."""
    return re.sub(r"\W+", "_", spelt(name)).strip("_")


def spelt(name: str) -> str:
    """A name without case, quotes and blanks around it: two columns are different if this is."""
    return name.strip().strip("'\"").strip().lower()


class NameIndex:
    """Finds names as people write them: as spelt, else by letters and digits where these fit one name alone."""

    def __init__(self, names: Iterable[str]) -> None:
        self.names = list(names)
        self._spelt = {spelt(name): i for i, name in reversed(list(enumerate(self.names)))}
        self._plain: dict[str, list[int]] = {}
        for i, name in enumerate(self.names):
            self._plain.setdefault(plain(name), []).append(i)

    def find(self, name: str) -> int | None:
        """The place of a name, None if there is none like it.

        Raises:
            UnknownNameError: it fits several that differ in punctuation alone.
        """
        if spelt(name) in self._spelt:
            return self._spelt[spelt(name)]
        near = self._plain.get(plain(name), [])
        if len(near) > 1:
            told = " or ".join(repr(self.names[i]) for i in near[:4])
            raise UnknownNameError(f"{name!r} may be {told}; write it with its punctuation")
        return near[0] if near else None
