"""Files that are written whole or not at all, and notes of long work."""

from __future__ import annotations

import json
import os
import stat
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any


class UnreadableError(OSError):
    """A file whose bytes cannot be had, or are too many; `why` says so without its name."""

    def __init__(self, path: Path, why: str) -> None:
        super().__init__(f"{path}: {why}")
        self.why = why


class UnwritableError(OSError):
    """A file that cannot be written: its name, and why."""


def write_whole(path: Path, content: str | bytes) -> None:
    """Write a file beside its place and move it there: a reader sees the old file or the new one, nothing between.

    Args:
        path: the file; folders on the way are made.
        content: text goes out as UTF-8, with its line ends as they stand.

    Raises:
        UnwritableError: it cannot be written there; names the file and the reason.
    """
    path = Path(path)
    try:
        _write(path, content)
    except OSError as error:
        raise UnwritableError(f"{path} cannot be written: {_reason(error, path)}") from error


def cache_folder() -> Path:
    """Where answers are kept for the next time: `$XDG_CACHE_HOME/workup`, or `~/.cache/workup`.

    For a user without a home it is a place that cannot be written, which whoever writes there tells as of any other.
    """
    caches = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    return Path(os.devnull if caches.startswith("~") else caches) / "workup"


def make_folder(folder: Path) -> None:
    """Make a folder and those on the way to it, unless it is there.

    Raises:
        UnwritableError: it cannot be made; names it and the reason.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        why = "it is a file, not a folder" if isinstance(error, FileExistsError) else _reason(error, folder)
        raise UnwritableError(f"{folder} cannot be made: {why}") from error


def bytes_of(path: Path, most: int) -> bytes:
    """The bytes of an ordinary file, of which no more than `most` are ever read.

    Raises:
        UnreadableError: there is no such file, it is a folder, a device or a pipe, or it has more bytes.
    """
    try:
        status = path.stat()
        if stat.S_ISDIR(status.st_mode):
            raise UnreadableError(path, "is a folder, not a file")
        if not stat.S_ISREG(status.st_mode):
            raise UnreadableError(
                path, "is no ordinary file but a device or a pipe, which may never end; copy it to a file"
            )
        if status.st_size <= most:
            with path.open("rb") as file:
                content = file.read(most + 1)
            if len(content) <= most:
                return content
    except UnreadableError:
        raise
    except (OSError, ValueError) as error:
        raise UnreadableError(path, f"cannot be read ({getattr(error, 'strerror', None) or error})") from None
    raise UnreadableError(path, f"the file has {status.st_size:,} bytes; it may have {most:,}")


def _reason(error: OSError, path: Path) -> str:
    if isinstance(error, UnwritableError):
        return str(error)
    of = Path(error.filename) if isinstance(error.filename, str) else path
    where = f"{of}: " if of in path.parents else ""
    return f"{where}{error.strerror or error}"


def _write(path: Path, content: str | bytes) -> None:
    make_folder(path.parent)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content.encode() if isinstance(content, str) else content)
        os.chmod(temporary, 0o644)
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


class WorkingNotes:
    """What long work has found so far, so that a killed run goes on where it stopped: named records in a file of JSON lines. A line is written whole by one call; a torn last line is dropped."""

    def __init__(self, path: Path | None) -> None:
        """`path`: the file, made if there is none; None keeps nothing on disk. Raises UnwritableError."""
        self._path, self._records = path, dict[str, Any]()
        if path is None:
            return
        make_folder(path.parent)
        kept = b""
        for line in path.read_bytes().splitlines(keepends=True) if path.is_file() else ():
            try:
                name, record = json.loads(line)
            except ValueError:
                break
            if not line.endswith(b"\n"):
                break
            self._records[str(name)] = record
            kept += line
        try:
            self._cut_to(kept)
        except OSError as error:
            raise UnwritableError(f"{path} cannot be written: {_reason(error, path)}") from error

    def _cut_to(self, kept: bytes) -> None:
        """Leave only whole lines, so that the next one begins at the start of a line."""
        assert self._path is not None
        with self._path.open("ab") as file:  # one that cannot be written is told now, and not after the first long work
            if self._path.is_file() and self._path.stat().st_size != len(kept):
                file.truncate(len(kept))

    def __len__(self) -> int:
        return len(self._records)

    def get(self, name: str) -> Any | None:
        """The record of that name, or None."""
        return self._records.get(name)

    def add(self, name: str, record: Mapping[str, Any]) -> None:
        """Keep a record, and write it down at once."""
        # By way of JSON, so that what is read back later is what is used now.
        line = json.dumps([name, record], ensure_ascii=False, allow_nan=False)
        self._records[name] = json.loads(line)[1]
        if self._path is None:
            return
        try:
            handle = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
            try:
                os.write(handle, f"{line}\n".encode())
            finally:
                os.close(handle)
        except OSError as error:
            raise UnwritableError(f"{self._path} cannot be written: {_reason(error, self._path)}") from error

    def once(self, name: str, work: Callable[[], Mapping[str, Any]]) -> Any:
        """The record of that name, worked out now if there is none."""
        if name not in self._records:
            self.add(name, work())
        return self._records[name]

    def forget(self) -> None:
        """Remove the file: the work is done and reported."""
        if self._path is not None:
            self._path.unlink(missing_ok=True)
