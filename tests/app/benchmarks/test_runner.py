"""Cells of a benchmark: what is whole is kept, what is not is made anew, whoever works and however often they are killed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
from support.cells import break_at_two, cells, refuse_two, square, whose

from workup.benchmarks.runner import Cell, Standing, collect, run
from workup.errors import WorkupError, WorkupWarning

TESTS = Path(__file__).parents[2]


def in_a_process(folder: Path, count: int, log: Path, pause_s: float) -> subprocess.Popen[bytes]:
    paths = os.pathsep.join([str(TESTS), *filter(None, [os.environ.get("PYTHONPATH")])])
    command = [sys.executable, "-m", "support.cells", str(folder), str(count), str(log), str(pause_s)]
    return subprocess.Popen(command, env=os.environ | {"PYTHONPATH": paths})


def test_an_id_is_readable_and_a_file_holds_it_with_its_settings(tmp_path: Path) -> None:
    (done,) = run([Cell("weight_loss", "abc", "ppo", {"seconds": 3}, 3)], square, folder=tmp_path)
    assert done.cell.id == "weight_loss/ppo/seed3"
    assert Cell("weight_loss", "abc", "lint").id == "weight_loss/lint"
    held = json.loads((tmp_path / done.cell.file_name).read_text())
    assert (held["id"], held["settings"], held["digest"]) == ("weight_loss/ppo/seed3", {"seconds": 3}, "abc")
    assert held["result"] == done.result == {"square": 9, "deep": {"third": 1.0}, "list": [3]}


def test_a_killed_run_goes_on_and_redoes_only_what_was_not_whole(tmp_path: Path) -> None:
    log, folder = tmp_path / "log", tmp_path / "runs"
    process = in_a_process(folder, 6, log, 0.3)
    try:
        end = time.monotonic() + 60
        while len(list(folder.glob("*.json"))) < 2:
            assert time.monotonic() < end, "nothing was written"
            time.sleep(0.01)
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
    asked, whole = log.read_text().split(), len(list(folder.glob("[!.]*.json")))
    assert 2 <= whole < 6
    same = cells(6, log=str(log), pause_s=0.3)
    again = run([replace(cell, settings=cell.settings) for cell in same], square, folder=folder)
    assert [done.result["square"] for done in again] == [0, 1, 4, 9, 16, 25]
    assert log.read_text().split()[len(asked) :] == [str(seed) for seed in range(whole, 6)]


def test_two_processes_at_once_give_the_same_table(tmp_path: Path) -> None:
    log, folder = tmp_path / "log", tmp_path / "runs"
    both = [in_a_process(folder, 5, log, 0.1) for _ in range(2)]
    assert [process.wait(timeout=120) for process in both] == [0, 0]
    alone = run(cells(5, log=str(log), pause_s=0.1), square, folder=tmp_path / "alone")
    assert collect(folder).equals(collect(alone))
    assert len(list(folder.iterdir())) == 5  # nothing half written is left


def test_workers_give_what_one_process_gives(tmp_path: Path) -> None:
    told: list[Standing] = []
    apart = run(cells(5), square, folder=tmp_path / "a", workers=2, progress=told.append)
    assert apart == run(cells(5), square, folder=tmp_path / "b")
    assert collect(apart).equals(collect(tmp_path / "b"))
    assert [each.done for each in told] == list(range(6))


def test_cells_that_belong_together_are_worked_out_by_one_process(tmp_path: Path) -> None:
    done = run(cells(6), whose, folder=tmp_path, workers=2, together=lambda cell: (cell.seed or 0) % 2)
    processes = [each.result["process"] for each in done]
    assert [each.cell.seed for each in done] == list(range(6))
    assert len(set(processes[::2])) == len(set(processes[1::2])) == 1


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\xff\xfe", b"[" * 100_000, b'{"format": "another"}'])
def test_a_damaged_file_is_said_and_made_anew(tmp_path: Path, content: bytes) -> None:
    first = run(cells(2), square, folder=tmp_path)
    path = tmp_path / cells(2)[1].file_name
    sound = path.read_bytes()
    path.write_bytes(content)
    with pytest.warns(WorkupWarning, match=rf"{path.name}: not a sound cell .*worked out anew"):
        assert run(cells(2), square, folder=tmp_path) == first
    assert path.read_bytes() == sound


def test_a_file_with_a_digit_changed_or_of_another_cell_is_made_anew(tmp_path: Path) -> None:
    first = run(cells(3), square, folder=tmp_path)
    paths = [tmp_path / cell.file_name for cell in cells(3)]
    paths[2].write_text(paths[2].read_text().replace('"square": 4', '"square": 5'))
    paths[1].write_bytes(paths[0].read_bytes())
    with pytest.warns(WorkupWarning) as told:
        assert run(cells(3), square, folder=tmp_path) == first
    said = sorted(str(each.message) for each in told)
    assert len(said) == 2
    assert any("checksum differs" in each for each in said)
    assert any("holds somewhere/someone/seed0; expected somewhere/someone/seed1" in each for each in said)


def test_another_setting_digest_seed_or_version_is_another_cell(tmp_path: Path) -> None:
    cell = Cell("s", "d", "a", {"patients": 10}, 0)
    others = [
        replace(cell, settings={"patients": 11}), replace(cell, digest="e"), replace(cell, seed=1),
        replace(cell, version="0"), replace(cell, agent="b"), replace(cell, scenario="t"),
    ]  # fmt: skip
    assert len({each.file_name for each in [cell, *others]}) == 7
    assert replace(cell, settings={"patients": 10}).file_name == cell.file_name
    run([cell], square, folder=tmp_path)
    standing: list[Standing] = []
    run(
        [cell, *(other for other in others if other.seed is not None)],
        square,
        folder=tmp_path,
        progress=standing.append,
    )
    assert (standing[0].done, standing[0].total, standing[-1].done) == (1, 7, 7)


def test_the_same_cell_twice_is_refused(tmp_path: Path) -> None:
    with pytest.raises(WorkupError, match="somewhere/someone/seed0 is there twice"):
        run([*cells(2), *cells(1)], square, folder=tmp_path)


@pytest.mark.parametrize("workers", [1, 2])
def test_an_error_names_its_cell_and_what_was_finished_is_kept(tmp_path: Path, workers: int) -> None:
    with pytest.raises(WorkupError, match=r"^somewhere/someone/seed2: two is too much"):
        run(cells(3), refuse_two, folder=tmp_path, workers=workers)
    assert collect(tmp_path)["seed"].to_list()[:2] == [0, 1]
    with pytest.raises(ZeroDivisionError) as fault:
        run(cells(3), break_at_two, folder=tmp_path, workers=workers)
    assert "in the cell somewhere/someone/seed2" in fault.value.__notes__


def test_progress_tells_cells_words_and_the_time_left(tmp_path: Path) -> None:
    run(cells(1), square, folder=tmp_path)
    told: list[Standing] = []
    settings = {"pause_s": 0.2}
    mixed = [*cells(1), *cells(3, **settings)]
    run(mixed, square, folder=tmp_path, progress=told.append)
    assert (told[0].done, told[0].total, told[0].left_s) == (1, 4, None)
    assert "squaring 1" in {each.doing for each in told}
    after_first = next(each for each in told if each.done == 2)
    assert after_first.left_s == pytest.approx(0.4, rel=0.5)
    assert told[-1].left_s == 0.0


def test_the_table_has_a_row_a_cell_with_settings_and_measures(tmp_path: Path) -> None:
    run(cells(2, patients=7), square, folder=tmp_path)
    (tmp_path / "broken.json").write_text("{")
    with pytest.warns(WorkupWarning, match="left out"):
        table = collect(tmp_path)
    assert table.select("id", "seed", "settings.patients", "square", "deep.third").rows() == [
        ("somewhere/someone/seed0", 0, 7, 0, 0.0), ("somewhere/someone/seed1", 1, 7, 1, pytest.approx(1 / 3)),
    ]  # fmt: skip
    assert collect(tmp_path / "none").is_empty()
