"""Where each figure comes from: takes `status`, `source`, `note` and `searched` out of a tree and records them per figure.

Any block may carry them; they hold for every figure beneath until an inner block says otherwise. A block that
gives a new `status` starts afresh: it does not keep the outer source. One number may be written
`{value: 0.84, status: seen, source: S7}`; there, and in a target, a `formula` may say how it was derived.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, get_args

from workup.errors import Fault
from workup.scenarios.language.authorship import FIGURE_KEYS, FigureRecord, Searched, Status
from workup.scenarios.language.durations import hours
from workup.scenarios.language.reading.recomputed import Stated, miscomputed
from workup.scenarios.language.reading.searches import search_of
from workup.scenarios.language.reading.written_out import UNTOUCHED, dotted, in_full
from workup.scenarios.language.reading.yaml_tree import Path, Tree

STATUSES: tuple[str, ...] = get_args(Status)
DURATIONS = frozenset({"turnaround", "median_time", "new_visit_after", "after"})
_SETTINGS = frozenset({"attempts", "at", "step", "tolerance", "max_steps"})


@dataclass(frozen=True)
class _Scope:
    status: Status | None = None
    source: tuple[str, ...] = ()
    note: str | None = None
    searched: Searched | None = None
    path: Path = ()


def strip(tree: Tree) -> tuple[dict[str, Any], tuple[FigureRecord, ...], tuple[Fault, ...]]:
    """Plain values without provenance, the record of every figure, and what is wrong with the provenance.

    A clinical figure is a probability, cost, loss, time, dose, utility, cut-off or ceiling; not a setting
    (`attempts`, `range`, `step`, `tolerance`, `weights`, `max_steps`, `at`, `look`), nor a vignette's story.
    """
    stripper = _Stripper(tree)
    data = stripper.walk(tree.data, (), _Scope())
    faults = (*stripper.faults, *stripper.unsupported(), *miscomputed(tree, stripper.figures, stripper.formulas))
    return data, tuple(stripper.figures), faults


class _Stripper:
    def __init__(self, tree: Tree) -> None:
        self.tree = tree
        self.figures: list[FigureRecord] = []
        self.faults: list[Fault] = []
        self.without_status: dict[Path, list[Path]] = {}
        self.scopes: dict[_Scope, None] = {}
        self.formulas: dict[Path, Stated] = {}

    def walk(self, value: Any, path: Path, scope: _Scope) -> Any:
        if path and path[0] in UNTOUCHED:
            return value
        if isinstance(value, dict):
            wrapped = self._is_wrapped(value, path)
            scope = self._enter(value, path, scope)
            if "formula" in value:
                self._formula(value, path, wrapped)
            if wrapped:
                return self.walk(value["value"], path, scope)
            return {key: self.walk(v, (*path, key), scope) for key, v in value.items() if key not in FIGURE_KEYS}
        if isinstance(value, list):
            return [self.walk(v, (*path, i), scope) for i, v in enumerate(value)]
        self._leaf(value, path, scope)
        return value

    def _is_wrapped(self, value: dict[str, Any], path: Path) -> bool:
        return "value" in value and not _is_target(in_full(path)) and value.keys() <= {"value", *FIGURE_KEYS}

    def _enter(self, block: dict[str, Any], path: Path, scope: _Scope) -> _Scope:
        if not any(key in block for key in FIGURE_KEYS):
            return scope
        scope = replace(scope, path=path)
        if "status" in block:
            status = block["status"]
            if status not in STATUSES:
                expected = " | ".join(STATUSES)
                self._fault((*path, "status"), f"{status!r} is no status of a figure; expected {expected}")
                status = "assumed"
            scope = _Scope(status=status, path=path)
        if "source" in block:
            scope = replace(scope, source=self._sources(block["source"], path))
        if "note" in block:
            note = block["note"]
            if not isinstance(note, str):
                self._fault((*path, "note"), f"{note!r} is not text; put it in quotes")
                note = None
            scope = replace(scope, note=note)
        if "searched" in block:
            scope = replace(scope, searched=search_of(block["searched"], (*path, "searched"), self._fault))
        return scope

    def _formula(self, block: dict[str, Any], path: Path, wrapped: bool) -> None:
        """Of the one figure that the block holds: one that is written {value, formula}, or a target's."""
        text, here = block["formula"], (*path, "formula")
        if not (wrapped or _is_target(path)) or isinstance(block.get("value"), dict | list | None):
            self._fault(here, "a formula is of one figure; write {value: ..., formula: ...} at the figure")
        elif not isinstance(text, str):
            self._fault(here, f"{text!r} is no formula; write arithmetic in quotes, such as '908 / 63973'")
        else:
            figure = path if wrapped else (*path, "value")
            self.formulas[figure] = Stated(text, here, (*path, "value"))

    def _sources(self, found: Any, path: Path) -> tuple[str, ...]:
        listed = found.split(",") if isinstance(found, str) else found
        if not isinstance(listed, list) or not all(isinstance(entry, str) for entry in listed):
            self._fault((*path, "source"), f"{found!r} names no source; write 'S7', 'S7, S20' or [S7, S20]")
            return ()
        return tuple(entry.strip() for entry in listed)

    def _fault(self, path: Path, message: str) -> None:
        self.faults.append(self.tree.fault(path, message))

    def _leaf(self, value: Any, path: Path, scope: _Scope) -> None:
        figure = _figure(value, in_full(path)) if path else None
        if figure is None or ("bands" in path[-3:-2] and not self._is_cut_off(path)) or _ends_a_range(path):
            return
        if scope.status is None:
            self.without_status.setdefault(path[:2], []).append(path)
            return
        self.scopes[scope] = None
        self.figures.append(
            FigureRecord(
                path=dotted(in_full(path)),
                line=self.tree.place(path)[1],
                value=figure,
                status=scope.status,
                source=", ".join(scope.source) or None,
                note=scope.note,
                formula=self.formulas[path].text if path in self.formulas else None,
                searched=scope.searched,
            )
        )

    def _is_cut_off(self, path: Path) -> bool:
        """Each inner cut-off stands at two places, as the end of one band and the start of the next: count it once."""
        bands: Any = self.tree.data
        for part in path[:-2]:
            while isinstance(bands, dict) and part not in bands:
                bands = bands["value"]  # where it is written {value, status, source, note}
            bands = bands[part]
        ranges = [word for word, span in bands.items() if isinstance(span, list)] if isinstance(bands, dict) else []
        return path[-1] == 0 and path[-2] in ranges[1:]

    def unsupported(self) -> list[Fault]:
        """Figures without status, by block, and blocks whose status is not borne out by a source."""
        faults = []
        for paths in self.without_status.values():
            more = f" (and {len(paths) - 1} more beneath it)" if len(paths) > 1 else ""
            where = "beside it, in its block or once for the whole file"
            message = f"this figure has no status{more}; write `status: {' | '.join(STATUSES)}` {where}"
            faults.append(self.tree.fault(paths[0], message))
        listed = self.tree.data.get("sources")
        known = listed if isinstance(listed, dict) else {}
        for scope in self.scopes:
            faults += [self.tree.fault(scope.path, message) for message in _unsupported(scope, known)]
        return faults


def _unsupported(scope: _Scope, known: dict[str, Any]) -> list[str]:
    messages = [
        f"source {name!r} is not listed under `sources` (which has {', '.join(known) or 'none'}); add it or correct it"
        for name in scope.source
        if name not in known
    ]
    if scope.status == "seen" and not scope.source:
        messages.append("status is seen but there is no `source`; name one, or call the figures recalled or assumed")
    if scope.status == "recalled" and not scope.source and not scope.note:
        messages.append("status is recalled but there is neither `source` nor `note`; cite from memory in `note`")
    if scope.status == "seen":
        unread = [n for n in scope.source if isinstance(known.get(n), dict) and known[n].get("seen") is not True]
        messages += [
            f"status is seen but source {n} does not say `seen: true`; read it, or say recalled" for n in unread
        ]
    return messages


def _is_target(path: Path) -> bool:
    return len(path) == 2 and path[0] == "targets"


def _is_setting(path: Path) -> bool:
    story = path[0] == "vignettes" and path[2:3] in (("context",), ("findings",))
    weight = path[0] == "rewards" and "weights" in path[-2:-1]
    look = path[0] == "findings" and "look" in path[2:3]
    return story or weight or look or path[-1] in _SETTINGS or "range" in path[-2:-1]


def _ends_a_range(path: Path) -> bool:
    """Each cut-off of a score stands at two places, as those of bands do: it counts where the next range begins."""
    return path[0] == "scores" and "cut_offs" in path[2:3] and path[-1] == "below"


def _figure(value: Any, path: Path) -> float | None:
    if isinstance(value, bool) or _is_setting(path):
        return None
    if isinstance(value, int | float):
        return float(value)
    if isinstance(value, str) and (path[-1] in DURATIONS or "within" in path[-2:-1]):
        try:
            return hours(value)
        except ValueError:
            return None
    return None
