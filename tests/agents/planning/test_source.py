"""Machine code kept on disk is that of the present sources."""

from __future__ import annotations

from pathlib import Path

from workup.agents.planning.source import SOURCE, source_of


def test_another_byte_is_another_type(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("x = 1\n")
    (tmp_path / "b.py").write_text("y = 1\n")
    before = source_of(tmp_path).dtype
    assert source_of(tmp_path).dtype == before
    (tmp_path / "b.py").write_text("y = 2\n")
    after = source_of(tmp_path).dtype
    (tmp_path / "b.py").rename(tmp_path / "c.py")
    assert len({before, after, source_of(tmp_path).dtype, SOURCE.dtype}) == 4
