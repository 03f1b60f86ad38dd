"""Machine code of another source is never run: what is compiled in names a field of the record in every signature."""

import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import workup
from workup.envs.engine.draws import _fill_complications, _fill_numbers
from workup.envs.engine.source import SOURCE, compiled_in, source_name
from workup.envs.engine.steps import fill_start, reset_batch, step_batch
from workup.envs.engine.tables import AT
from workup.envs.views.env import make_engine


def copies(folder: Path) -> list[Path]:
    return [Path(shutil.copy(file, folder)) for file in compiled_in()]


@pytest.mark.parametrize("name", [file.name for file in compiled_in()])
def test_a_byte_of_any_file_changes_the_name(tmp_path: Path, name: str) -> None:
    files = copies(tmp_path)
    assert source_name(files) == SOURCE
    edited = tmp_path / name
    content = bytearray(edited.read_bytes())
    content[len(content) // 2] ^= 1
    edited.write_bytes(bytes(content))
    assert source_name(files) != SOURCE


def test_all_parts_of_the_kernel_and_the_randomness_count() -> None:
    names = {file.name for file in compiled_in()}
    assert {
        "draws.py",
        "legality.py",
        "orders.py",
        "steps.py",
        "tables.py",
        "worth.py",
        "codes.py",
        "randomness.py",
    } <= names


def test_the_name_stands_in_every_signature_that_is_kept_on_disk() -> None:
    assert AT.names is not None
    assert AT.names[-1] == SOURCE
    engine = make_engine("tutorial", 2)
    engine.step(engine.mask.argmax(axis=1))
    engine.journey_view()
    engine.ended(np.zeros(1, np.int64))
    for kept in (fill_start, reset_batch, step_batch, _fill_numbers, _fill_complications):
        assert kept.signatures
        assert all(SOURCE in str(signature) for signature in kept.signatures)


def test_an_edited_package_has_another_name(tmp_path: Path) -> None:
    package = tmp_path / "workup"
    shutil.copytree(Path(workup.__file__).parent, package, ignore=shutil.ignore_patterns("__pycache__", "*.yaml"))
    randomness = package / "envs/model/randomness.py"
    randomness.write_text(randomness.read_text().replace("COMPLICATION, PROGRESSION =", "PROGRESSION, COMPLICATION ="))
    found = subprocess.run(
        [sys.executable, "-c", "from workup.envs.engine.tables import AT; print(AT.names[-1])"],
        env={"PYTHONPATH": str(tmp_path), "NUMBA_CACHE_DIR": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert found.stdout.startswith("source_")
    assert found.stdout.strip() != SOURCE
