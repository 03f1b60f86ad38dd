"""A file that cannot be written is named, with the reason; nothing half-made is left."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from workup.cli.sensitivity import notes_or_none
from workup.files import UnwritableError, WorkingNotes, cache_folder, make_folder, write_whole


def test_a_full_disk_names_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("workup.files.os.replace", full)
    with pytest.raises(UnwritableError, match=f"{tmp_path}/report.html cannot be written: No space left on device"):
        write_whole(tmp_path / "report.html", "text")
    assert not list(tmp_path.iterdir())


def test_a_folder_that_is_a_file_is_named(tmp_path: Path) -> None:
    taken = tmp_path / "taken"
    taken.write_text("")
    message = f"{taken} cannot be made: it is a file, not a folder"
    with pytest.raises(UnwritableError, match=f"{taken}/policy.json cannot be written: {message}"):
        write_whole(taken / "policy.json", "text")
    with pytest.raises(UnwritableError, match=message):
        make_folder(taken)
    with pytest.raises(UnwritableError, match=message):
        WorkingNotes(taken / "notes")


def test_notes_on_a_full_disk_name_the_file() -> None:
    notes = WorkingNotes(Path("/dev/full"))
    with pytest.raises(UnwritableError, match="/dev/full cannot be written: No space left on device"):
        notes.add("a", {"b": 1})


def test_a_study_whose_notes_cannot_be_kept_goes_on(capsys: pytest.CaptureFixture[str]) -> None:
    notes = notes_or_none(Path("/dev/null/notes.jsonl"))
    notes.add("a", {"b": 1})
    assert notes.get("a") == {"b": 1}
    assert "/dev/null" in capsys.readouterr().err


def test_notes_that_cannot_be_written_are_told_before_the_work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not by the file's mode, which does not bind root."""

    def read_only(path: Path, mode: str) -> None:
        raise PermissionError(errno.EACCES, "Permission denied", str(path))

    monkeypatch.setattr(Path, "open", read_only)
    with pytest.raises(UnwritableError, match=f"{tmp_path}/notes cannot be written: Permission denied"):
        WorkingNotes(tmp_path / "notes")


def test_a_user_without_a_home_has_no_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache_folder() == tmp_path / "workup"
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert cache_folder() == tmp_path / ".cache" / "workup"
    monkeypatch.setattr("os.path.expanduser", lambda path: path)  # as it answers where nobody knows of a home
    with pytest.raises(UnwritableError, match="/dev/null"):
        make_folder(cache_folder())
