"""Benchmarks in cells: one measurement, one file, so that a killed run goes on and a second process needs no lock."""

from __future__ import annotations

import hashlib
import json
import multiprocessing
import time
import warnings
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workup.errors import FileFormatError, WorkupError, WorkupWarning
from workup.files import write_whole
from workup.version import __version__

if TYPE_CHECKING:
    import polars as pl

FORMAT = "workup cell 1"

Result = Mapping[str, Any]
"""Plain JSON data: what was measured."""
Tell = Callable[[str], None]
"""Told in words what a cell is about just now; heard only where the work is done in the same process."""
Work = Callable[["Cell", Tell], Result]
"""Measures a cell. For worker processes a function of a module, or a `functools.partial` of one."""


@dataclass(frozen=True)
class Cell:
    """One measurement. Its file is named by all that could change what it finds."""

    scenario: str
    """What is measured on: a scenario's id, or the name of a network or table."""
    digest: str
    """Of its content."""
    agent: str
    """Who or what is measured."""
    settings: Mapping[str, Any] = field(default_factory=dict)
    """Plain JSON data: whatever else could change the result."""
    seed: int | None = None
    """None where nothing is drawn."""
    version: str = __version__
    """Of workup."""

    def __post_init__(self) -> None:
        # By way of JSON, so that a cell equals the one that is read back.
        object.__setattr__(self, "settings", json.loads(_text(self.settings)))

    @property
    def id(self) -> str:
        """Such as `weight_loss/ppo/seed3`."""
        return "/".join([self.scenario, self.agent, *([] if self.seed is None else [f"seed{self.seed}"])])

    @property
    def file_name(self) -> str:
        """16 hex digits of the id, the digest, the settings and the version."""
        facts = [self.id, self.digest, self.settings, self.version]
        return f"{hashlib.sha256(_text(facts).encode()).hexdigest()[:16]}.json"


@dataclass(frozen=True)
class Done:
    """A cell with what was found."""

    cell: Cell
    result: Result


@dataclass(frozen=True)
class Standing:
    """How far a run is."""

    cell: str
    """The id of the cell that was begun, told of something or ended; empty before the first."""
    doing: str
    """In its own words; may be empty."""
    done: int
    total: int
    left_s: float | None
    """Seconds to go, by the cells worked out so far in this run; None before the first of them."""


Progress = Callable[[Standing], None]


def run(
    cells: Sequence[Cell],
    work: Work,
    *,
    folder: Path,
    workers: int = 1,
    together: Callable[[Cell], Hashable] | None = None,
    progress: Progress = lambda _: None,
) -> list[Done]:
    """Work out the cells whose file is not there yet.

    A cell is looked up again right before it is begun and before it is written, so that processes that share a folder
    find the same: the first answer stays.

    Args:
        cells: in the order in which they are begun.
        work: see `Work`.
        folder: `runs/<benchmark>`; a file a cell.
        workers: processes of this machine; 1 works in this process.
        together: cells of which it says the same are worked out by one process, one after another, for what they share; each
            by itself if None.
        progress: see `Standing`.

    Returns:
        The cells in their order, with what their files hold.

    Raises:
        WorkupError: two cells that are the same, or a cell failed, which is named. What was finished is kept.
    """
    names = [cell.file_name for cell in cells]
    if len(set(names)) != len(names):
        twice = next(cell.id for cell, name in zip(cells, names, strict=True) if names.count(name) > 1)
        raise WorkupError(f"the cell {twice} is there twice; expected each once")
    found = {cell.file_name: known for cell in cells if (known := read(cell, folder)) is not None}
    clock = _Clock(len(cells), len(found), progress)
    clock.tell("", "")
    fresh = [cell for cell in cells if cell.file_name not in found]
    groups: dict[Hashable, list[Cell]] = {}
    for cell in fresh:
        groups.setdefault(cell.file_name if together is None else together(cell), []).append(cell)
    for done in (
        _one_by_one(fresh, work, folder, clock)
        if workers == 1
        else _side_by_side(groups.values(), work, folder, workers)
    ):
        found[done.cell.file_name] = done
        clock.one_more(done.cell)
    return [found[name] for name in names]


def _one_by_one(cells: Iterable[Cell], work: Work, folder: Path, clock: _Clock) -> Iterator[Done]:
    for cell in cells:
        clock.tell(cell.id, "")
        yield _work_out(cell, work, folder, lambda words, cell=cell: clock.tell(cell.id, words))  # type: ignore[misc]


def _side_by_side(groups: Iterable[Sequence[Cell]], work: Work, folder: Path, workers: int) -> Iterator[Done]:
    # Spawned, for a fork would copy the locks of numba's and torch's threads.
    with ProcessPoolExecutor(workers, mp_context=multiprocessing.get_context("spawn")) as pool:
        asked: list[Future[list[Done]]] = [pool.submit(_work_out_all, cells, work, folder) for cells in groups]
        try:
            for each in as_completed(asked):
                yield from each.result()
        finally:
            pool.shutdown(cancel_futures=True)  # waits for what runs, which is kept


def _work_out_all(cells: Sequence[Cell], work: Work, folder: Path) -> list[Done]:
    return [_work_out(cell, work, folder) for cell in cells]


def _unheard(_: str) -> None:
    pass


def _work_out(cell: Cell, work: Work, folder: Path, tell: Tell = _unheard) -> Done:
    if (known := read(cell, folder)) is not None:
        return known
    try:
        result = json.loads(_text(work(cell, tell)))
    except WorkupError as error:
        raise WorkupError(f"{cell.id}: {error}") from error
    except Exception as error:
        error.add_note(f"in the cell {cell.id}")
        raise
    if (known := read(cell, folder)) is not None:
        return known
    content = {"format": FORMAT, **_facts(cell), "result": result, "sha256": _checksum(result)}
    write_whole(folder / cell.file_name, json.dumps(content, ensure_ascii=False, indent=1) + "\n")
    return Done(cell, result)


def read(cell: Cell, folder: Path) -> Done | None:
    """What is known of a cell; a damaged or foreign file is as good as none, but it is said."""
    path = folder / cell.file_name
    if not path.is_file():
        return None
    try:
        found = _load(path)
        if found.cell != cell:
            raise FileFormatError(f"{path}: holds {found.cell.id}; expected {cell.id} with the settings of its name")
    except FileFormatError as damage:
        warnings.warn(f"{damage}. It is worked out anew.", WorkupWarning, stacklevel=2)
        # Out of the way, or it would be told once more before it is written.
        path.unlink(missing_ok=True)
        return None
    return found


def _load(path: Path) -> Done:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        if content["format"] != FORMAT:
            raise ValueError(f"its format is {str(content['format'])[:60]!r}; expected {FORMAT!r}")
        if content["sha256"] != _checksum(content["result"]):
            raise ValueError("its figures are not those that were written: the checksum differs")
        facts = {name: content[name] for name in Cell.__dataclass_fields__}
        return Done(Cell(**facts), content["result"])
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as fault:
        raise FileFormatError(f"{path}: not a sound cell of a benchmark ({fault})") from fault


def collect(done: Iterable[Done] | Path) -> pl.DataFrame:
    """One table of cells.

    Args:
        done: what `run` returned, or a folder, whose damaged files are told and left out.

    Returns:
        A row a cell, sorted by id: id, scenario, agent, seed, digest, version, the settings as `settings.NAME`, and the
        measures; of what lies deeper the name is joined by dots, such as `gain.mean`, and lists stay lists.
    """
    import polars as pl

    rows = []
    for each in of_folder(done) if isinstance(done, Path) else done:
        cell = each.cell
        row = {"id": cell.id, "scenario": cell.scenario, "agent": cell.agent, "seed": cell.seed}
        row |= {"digest": cell.digest, "version": cell.version}
        rows.append(row | _flat("settings", cell.settings) | _flat("", each.result))
    return pl.from_dicts(rows, infer_schema_length=None, strict=False).sort("id") if rows else pl.DataFrame()


def of_folder(folder: Path) -> Iterator[Done]:
    """Every sound cell of a folder, by the names of the files; a damaged one is told and left out."""
    for path in sorted(folder.glob("*.json")):
        try:
            yield _load(path)
        except FileFormatError as damage:
            warnings.warn(f"{damage}. It is left out.", WorkupWarning, stacklevel=3)


def _flat(prefix: str, found: Mapping[str, Any]) -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in found.items():
        name = f"{prefix}.{key}" if prefix else key
        flat |= _flat(name, value) if isinstance(value, Mapping) else {name: value}
    return flat


class _Clock:
    """Counts cells and estimates how long the rest takes."""

    def __init__(self, total: int, known: int, progress: Progress) -> None:
        self._total, self._known, self._done, self._progress = total, known, known, progress
        self._begun = time.monotonic()
        self._left_s: float | None = None
        self._at = self._begun

    def one_more(self, cell: Cell) -> None:
        self._done += 1
        self._at = time.monotonic()
        self._left_s = (self._at - self._begun) / (self._done - self._known) * (self._total - self._done)
        self.tell(cell.id, "")

    def tell(self, cell: str, words: str) -> None:
        left = None if self._left_s is None else max(0.0, self._left_s - (time.monotonic() - self._at))
        self._progress(Standing(cell, words, self._done, self._total, left))


def _facts(cell: Cell) -> dict[str, Any]:
    return {"id": cell.id} | {name: getattr(cell, name) for name in Cell.__dataclass_fields__}


def _checksum(result: Any) -> str:
    return hashlib.sha256(_text(result).encode()).hexdigest()


def _text(content: Any) -> str:
    return json.dumps(content, sort_keys=True, ensure_ascii=False, allow_nan=False)
