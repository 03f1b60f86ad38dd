"""What a file says in short, written out before it is checked: an entry `as` its sibling `but` for parts, and `the_rest_to`.

    viral: {as: pneumonia, but: {yes: 0.2}}         the sibling's entry, with the named parts replaced
    {fell: 0.1, same: 0.4, the_rest_to: rose}       one less the others

It comes after provenance was taken out, so a figure counts where it was written, and neither a copy of it nor a rest counts.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, NamedTuple

from workup.errors import Fault, in_words, suggestion
from workup.scenarios.language.reading.yaml_tree import Path, Tree
from workup.scenarios.language.vocabulary import AS, BUT, THE_REST_TO

UNTOUCHED = frozenset({"who", "sources"})
"""Sections that hold no figures."""
MAX_COPIED = 20_000
_ROWS = frozenset({"table", "reported"})


@dataclass(frozen=True)
class WrittenOut:
    """A file in full."""

    data: dict[str, Any] | None
    """None if it would be too much."""
    copies: Mapping[str, tuple[str, ...]]
    """Path of an entry as it was written -> where copies of it stand; names joined by dots."""
    places: Mapping[Path, tuple[str, int]]
    """File and line of what stands under `but`, by where it stands in full."""
    faults: tuple[Fault, ...]


def written_out(data: dict[str, Any], tree: Tree) -> WrittenOut:
    """The data of a file in full; an entry that cannot be written out is left out, with a fault.

    Args:
        data: plain, without provenance.
        tree: where everything stands.
    """
    if not _is_short(data):
        return WrittenOut(data, {}, {}, ())
    writer = _Writer(tree)
    try:
        node, _ = writer.expand(data, ())
    except _TooMuchError as error:
        message = f"copies come to more than {MAX_COPIED:,} values; write less with `as`"
        return WrittenOut(None, {}, {}, (tree.fault(error.path, message),))
    full = writer.finish(node, ())
    places = {in_full(path): place for path, place in tree.places.items() if BUT in path and path[-1] != BUT}
    copies = {path: tuple(of) for path, of in writer.copies.items()}
    return WrittenOut(full, copies, places, tuple(writer.faults))


def in_full(path: Path) -> Path:
    """Where what stands at a path of the file stands once it is written out."""
    return tuple(part for part in path if part != BUT)


def dotted(path: Path) -> str:
    """Names joined by dots."""
    return ".".join(map(str, path))


def _is_short(node: Any) -> bool:
    if isinstance(node, dict):
        return AS in node or THE_REST_TO in node or any(map(_is_short, node.values()))
    return isinstance(node, list) and any(map(_is_short, node))


class _Leaf(NamedTuple):
    value: Any
    origin: Path


class _TooMuchError(Exception):
    def __init__(self, path: Path) -> None:
        super().__init__()
        self.path = path


class _Writer:
    def __init__(self, tree: Tree) -> None:
        self.tree = tree
        self.faults: list[Fault] = []
        self.copies: dict[str, list[str]] = {}
        self.copied = 0

    def _fault(self, path: Path, message: str) -> None:
        self.faults.append(self.tree.fault(path, message))

    def expand(self, node: Any, path: Path) -> tuple[Any, int]:
        """The node with every `as` written out, and how many values it has. Its leaves know where they were written."""
        if isinstance(node, list):
            parts = [self.expand(of, (*path, i)) for i, of in enumerate(node)]
            return [of for of, _ in parts], 1 + sum(size for _, size in parts)
        if not isinstance(node, dict):
            return _Leaf(node, path), 1
        done = {key: self.expand(of, (*path, key)) for key, of in node.items() if not _is_copy(of, path)}
        for key in [key for key in node if key not in done]:
            if (wrong := _why_not(key, node, path)) is not None:
                self._fault((*path, key), wrong)
                continue
            of, size = done[str(node[key][AS])]
            but, more = self.expand(node[key].get(BUT, {}), (*path, key, BUT))
            self.copied += size + more
            if self.copied > MAX_COPIED:
                raise _TooMuchError((*path, key))
            done[key] = (_merged(of, but) if BUT in node[key] else of), size + more
        return {key: done[key][0] for key in node if key in done}, 1 + sum(size for _, size in done.values())

    def finish(self, node: Any, path: Path) -> Any:
        """Plain values again, with every rest worked out, and the copies noted."""
        if isinstance(node, _Leaf):
            if (written := in_full(node.origin)) != path:
                self.copies.setdefault(dotted(written), []).append(dotted(path))
            return node.value
        if isinstance(node, list):
            return [self.finish(of, (*path, i)) for i, of in enumerate(node)]
        full = {key: self.finish(of, (*path, key)) for key, of in node.items()}
        if THE_REST_TO in full and path[:1] and path[0] not in UNTOUCHED:
            name = full.pop(THE_REST_TO)
            wrong, rest = _rest(name, full) if _ROWS & {*path} else (_NO_ROW, 0.0)
            if wrong:
                self._fault((*path, THE_REST_TO), wrong)
            full.setdefault(str(name), rest)
        return full


_NO_ROW = "belongs in a row of probabilities: beside the values of one `table`, such as {fell: 0.1, same: 0.4, the_rest_to: rose}"


def _is_copy(of: Any, path: Path) -> bool:
    """Whether an entry of the mapping at `path` is written with `as`; the sections of a file are not."""
    return isinstance(of, dict) and AS in of and bool(path) and path[0] not in UNTOUCHED


def _why_not(key: str, siblings: Mapping[str, Any], path: Path) -> str | None:
    """What is wrong with an entry that is written with `as`."""
    entry = siblings[key]
    name, written = entry[AS], [other for other, of in siblings.items() if not _is_copy(of, path)]
    beside = [other for other in entry if other not in (AS, BUT)]
    if BUT in path:
        return "an `as` stands inside `but`; write it out there"
    if isinstance(name, dict | list | float | bool | None):
        return f"found {in_words(name)} after `as`; name the entry beside it that this one is like: {', '.join(written[:8])}"
    if str(name) == key:
        return f"as itself; name another entry: {', '.join(written[:8])}"
    if str(name) not in written:
        if str(name) in siblings:
            return f"as {name}, which is itself written with `as`; name the entry that is written out"
        return f"as {name!r}, which is no entry beside it{suggestion(str(name), written)}"
    if beside:
        return f"{beside[0]} stands beside `as`; put what differs from {name} under `but`"
    if BUT in entry and (not isinstance(entry[BUT], dict) or not entry[BUT]):
        return "`but` names nothing; write the parts that differ, such as `but: {yes: 0.2}`, or leave it out"
    if BUT in entry and not isinstance(siblings[str(name)], dict):
        return f"{name} is {in_words(siblings[str(name)])}, of which no part can differ; write this entry out, without `as`"
    return None


def _merged(source: Any, but: Any) -> Any:
    """The source with what `but` names in its place: a rest in place of a figure, and a figure in place of a rest."""
    if not (isinstance(source, dict) and isinstance(but, dict)):
        return but
    gone = [_rest_in(but)]
    if THE_REST_TO not in but and _rest_in(source) in but:
        gone = [THE_REST_TO]
    kept = {key: of for key, of in source.items() if key not in gone}
    return kept | {key: _merged(kept[key], of) if key in kept else of for key, of in but.items()}


def _rest_in(row: Mapping[str, Any]) -> str | None:
    """The value that has the rest."""
    of = row.get(THE_REST_TO)
    return str(of.value) if isinstance(of, _Leaf) else None


def _rest(name: Any, row: Mapping[str, Any]) -> tuple[str, float]:
    """What is wrong with a row, if anything, and what is left for `name`: exact in the decimals that are written."""
    if isinstance(name, dict | list | float | bool | None):
        return f"found {in_words(name)}; name the value that has the rest", 0.0
    name = str(name)
    others = [key for key, of in row.items() if isinstance(of, bool) or not isinstance(of, int | float)]
    if name in row:
        return f"{name} has a figure of its own as well; remove one of the two", 0.0
    if others:
        return f"stands beside {others[0]}, which is no single figure; it belongs in a row of probabilities", 0.0
    left = 1 - sum((Decimal(str(of)) for of in row.values()), Decimal(0))
    if left < 0:
        said = ", ".join(f"{key} {of}" for key, of in list(row.items())[:8])
        return f"{said} sum to {1 - left:f}, which leaves less than nothing for {name}; expected at most 1", 0.0
    return "", float(left)
