"""What other installed packages offer: entry points of the groups `workup.agents`, `workup.learners` and `workup.scenarios`.

Names are read from the packages' metadata; nothing of a package is imported until something of it is asked for by name, and of
a scenario's package never. A package that is broken, or offers a name that is taken, costs those a warning who ask for other
things, and an error whoever asks for it.
"""

from __future__ import annotations

import re
import sys
import warnings
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from workup.errors import WorkupError, WorkupWarning

if TYPE_CHECKING:
    from importlib.metadata import Distribution, EntryPoint

Group = Literal["workup.agents", "workup.learners", "workup.scenarios"]
_OURS = "[workup."
_KIND: Mapping[str, str] = {
    "workup.agents": "agent",
    "workup.learners": "learner",
    "workup.scenarios": "scenario",
}
_NAME = re.compile(r"[a-z0-9]+(_[a-z0-9]+)*")


@dataclass(frozen=True)
class Offer:
    """One name that an installed package offers."""

    group: str
    name: str
    owner: str
    """The distribution and its version, such as `my-cases 1.2`."""
    entry: EntryPoint

    def __str__(self) -> str:
        return f"the {_KIND[self.group]} {self.name!r} of {self.owner} ({self.entry.value})"

    def load(self) -> Any:
        """What it names, imported. Raises WorkupError naming the package, whatever goes wrong in it."""
        try:
            return self.entry.load()
        except Exception as error:
            raise WorkupError(
                f"{self} cannot be loaded: {type(error).__name__}: {error}. Mend or uninstall that package"
            ) from error

    def folder(self) -> Path:
        """The folder that it names, of a package that is not imported. Raises WorkupError where there is none."""
        from importlib.util import find_spec

        top, *rest = self.entry.value.split(".")
        try:
            spec = find_spec(top)
        except (ImportError, ValueError):
            spec = None
        for place in (spec and spec.submodule_search_locations) or ():
            found = Path(place).joinpath(*rest)
            if found.joinpath("scenario.yaml").is_file():
                return found
        raise WorkupError(
            f"{self}: there is no folder {'/'.join([top, *rest])} with a scenario.yaml on the import path; "
            "mend or uninstall that package"
        )


def names_offered(group: Group, ours: Collection[str]) -> tuple[str, ...]:
    """The names that installed packages offer beside `ours`. What clashes is left out, with a warning."""
    found = []
    for name in sorted(_offers(group)):
        try:
            offer_of(group, name, ours)
        except WorkupError as clash:
            warnings.warn(f"{clash} Until then nobody gets it.", WorkupWarning, stacklevel=2)
        else:
            found.append(name)
    return tuple(found)


def offer_of(group: Group, name: str, ours: Collection[str]) -> Offer | None:
    """What an installed package offers by that name, or None if none does.

    Args:
        group: of entry points.
        name: asked for.
        ours: the names that come with workup.

    Raises:
        WorkupError: the name has two owners, or cannot be a scenario's; names them.
    """
    offers = _offers(group).get(name, ())
    if not offers:
        return None
    owners = (["workup"] if name in ours else []) + [offer.owner for offer in offers]
    if len(owners) > 1:
        raise WorkupError(
            f"{name!r} is the name of {_an(_KIND[group])} of {' and of '.join(owners)}; expected one of each name. "
            f"Uninstall {offers[-1].owner.partition(' ')[0]}, or have it renamed there."
        )
    if group == "workup.scenarios" and not _NAME.fullmatch(name):
        raise WorkupError(
            f"{offers[0]} has a name that cannot be a scenario's; expected small letters and digits with _ between, "
            "such as chest_pain. Have it renamed there."
        )
    return offers[0]


def _an(noun: str) -> str:
    return f"an {noun}" if noun[0] in "aeiou" else f"a {noun}"


def _offers(group: Group) -> Mapping[str, tuple[Offer, ...]]:
    return _all_offers(tuple(sys.path)).get(group, {})


@cache
def _all_offers(path: tuple[str, ...]) -> Mapping[str, Mapping[str, tuple[Offer, ...]]]:
    """Group -> name -> what is offered, by the packages that are installed along a path."""
    found: dict[str, dict[str, tuple[Offer, ...]]] = {}
    if not any(_mentions_ours(Path(place)) for place in path):
        return found  # importing importlib.metadata takes half as long as importing Gymnasium
    from importlib.metadata import distributions

    for distribution in distributions(path=list(path)):
        for entry in _entries(distribution):
            if entry.group in _KIND:
                owner = f"{distribution.metadata['Name']} {distribution.version}"
                offer, there = Offer(entry.group, entry.name, owner, entry), found.setdefault(entry.group, {})
                before = there.get(entry.name, ())
                if all((known.owner, known.entry.value) != (owner, entry.value) for known in before):
                    there[entry.name] = (*before, offer)
    return found


def _mentions_ours(place: Path) -> bool:
    for pattern in ("*.dist-info", "*.egg-info"):
        for folder in place.glob(pattern) if place.is_dir() else ():
            try:
                if _OURS in (folder / "entry_points.txt").read_text(encoding="utf-8"):
                    return True
            except (OSError, ValueError):
                continue
    return False


def _entries(distribution: Distribution) -> Iterator[EntryPoint]:
    try:
        if _OURS in (distribution.read_text("entry_points.txt") or ""):
            yield from distribution.entry_points
    except Exception as error:  # a file that somebody else wrote: whatever its reader raises
        message = (
            f"the entry points of {distribution.metadata['Name']} cannot be read ({error}); what it offers is left out"
        )
        warnings.warn(message, WorkupWarning, stacklevel=2)
