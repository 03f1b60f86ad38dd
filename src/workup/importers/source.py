"""The files that people bring: read only if they are files, of a size that can be read, and text."""

from __future__ import annotations

import stat
from pathlib import Path

from workup.errors import FileFormatError

LONGEST_MESSAGE = 600
"""Characters of one fault: a file may hold a word of any length, and no one reads on."""
_KINDS = (
    (stat.S_ISDIR, "a folder"), (stat.S_ISFIFO, "a pipe"), (stat.S_ISCHR, "a device"), (stat.S_ISBLK, "a device"),
    (stat.S_ISSOCK, "a socket"),
)  # fmt: skip


def check_source(path: Path, *, most: int, what: str) -> None:
    """Refuse what cannot be read, before any of it is.

    Args:
        path: of a regular file, or a link to one.
        most: bytes that are read at most.
        what: such files are called, for messages.

    Raises:
        FileFormatError: a folder, a device or a pipe, or more than `most` bytes.
        FileNotFoundError: no such file.
    """
    about = path.stat()
    for is_kind, kind in _KINDS:
        if is_kind(about.st_mode):
            raise FileFormatError(f"{path}: is {kind}, not a file; save its content to a file and give that")
    if about.st_size > most:
        raise FileFormatError(f"{path}: has {about.st_size:,} bytes; {what} of up to {most:,} bytes are read")


def read_source(path: Path, *, most: int, what: str) -> bytes:
    """The bytes of a file; raises as `check_source`, whose arguments it has."""
    check_source(path, most=most, what=what)
    with path.open("rb") as file:
        content = file.read(most + 1)
    if len(content) > most:
        raise FileFormatError(f"{path}: has more than {most:,} bytes, and grows; {what} of up to {most:,} are read")
    return content


def read_source_text(path: Path, *, most: int, what: str) -> str:
    """The text of a file, without a byte order mark; raises as `read_source`, and FileFormatError where it is not UTF-8."""
    return decoded(path, read_source(path, most=most, what=what))


def decoded(path: Path, content: bytes) -> str:
    """The text that the bytes of a file say; raises FileFormatError, with the line, where they are not UTF-8."""
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise FileFormatError(
            f"{path}:{line}: not UTF-8 text ({error.reason} at byte {error.start}); save it as UTF-8"
        ) from None


def clipped(message: str) -> str:
    """The message, with its middle left out where it is longer than anyone reads."""
    if len(message) <= LONGEST_MESSAGE:
        return message
    half = LONGEST_MESSAGE // 2
    return f"{message[:half]} [...] {message[-half:]}"
