"""Readers: they learn from patients of their own, and are refused on those and on pictures that are drawn otherwise."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("sb3_contrib", reason="needs workup[train]")

from workup.errors import FileFormatError, WorkupError
from workup.studies.fusion import readers
from workup.studies.fusion.looks import FILM, SLIDE, pictures, raw_view, shown
from workup.studies.fusion.readers import EMBEDDING, Trained, embedded, load_reader, save_reader, train_on
from workup.studies.fusion.splits import keys_of
from workup.studies.fusion.tasks import TASKS

pytestmark = pytest.mark.torch

FINDINGS = np.stack([np.linspace(-2, 2, 300), np.arange(300) % 2], axis=1)


@pytest.fixture(scope="module")
def slides() -> Trained:
    """Read well enough to be told apart from one that died: tissue is plain after a few steps."""
    rng = np.random.default_rng(0)
    findings = np.stack([1.2 * rng.standard_normal(500), rng.integers(0, 2, 500)], axis=1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(readers, "LEAST_R2", -1.0)
        return train_on("slide", findings, keys_of("a test", 0, 500), epochs=3)


def test_a_small_reader_names_the_tissue(slides: Trained) -> None:
    assert slides.bits > 0.75
    assert len(slides.trained_on) == 500


def test_it_is_refused_on_patients_whom_it_knows(slides: Trained) -> None:
    others = keys_of("a test", 1, 20)
    assert embedded(slides, SLIDE, FINDINGS[:20], others).shape == (20, EMBEDDING)
    with pytest.raises(WorkupError, match=r"trained on patient 19 of these \(1 of 20\)"):
        embedded(slides, SLIDE, FINDINGS[:20], np.append(others[:19], slides.trained_on[7]))


def test_it_is_refused_on_pictures_that_are_drawn_otherwise(slides: Trained) -> None:
    with pytest.raises(WorkupError, match="train it again with `workup bench fusion --readers`"):
        embedded(replace(slides, digest="0" * 16), SLIDE, FINDINGS[:3], keys_of("a test", 1, 3))


def test_it_reads_the_same_from_disk_and_alone(slides: Trained, tmp_path: Path) -> None:
    save_reader(slides, tmp_path / "slide.safetensors")
    assert (tmp_path / "slide.safetensors").stat().st_size < 1_000_000
    again, keys = load_reader(tmp_path / "slide.safetensors"), keys_of("a test", 2, 30)
    assert (again.kind, again.digest) == ("slide", slides.digest)
    assert again.r2 == pytest.approx(slides.r2, abs=1e-4)
    together = embedded(again, SLIDE, FINDINGS[:30], keys)
    assert np.array_equal(together, embedded(slides, SLIDE, FINDINGS[:30], keys))
    assert np.allclose(together[3], embedded(again, SLIDE, FINDINGS[3:4], keys[3:4])[0], atol=1e-5)


@pytest.mark.parametrize("content", [b"", b"no numbers at all", (8).to_bytes(8, "little") + b'{"a": 1}'])
def test_a_file_that_is_no_reader_is_refused(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "film.safetensors").write_bytes(content)
    with pytest.raises(FileFormatError, match="no sound reader"):
        load_reader(tmp_path / "film.safetensors")
    with pytest.raises(FileFormatError, match="no sound reader"):
        load_reader(tmp_path / "absent.safetensors")


def test_one_that_dies_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(readers, "RATE", 0.0)
    with pytest.raises(WorkupError, match="the reader of films did not learn"):
        train_on("film", FINDINGS[:60], keys_of("a test", 0, 60), epochs=1)


def test_pictures_show_the_findings_and_nobody_depends_on_the_others() -> None:
    keys = keys_of("a test", 3, 40)
    findings = np.stack([np.repeat([-2.0, 2.0], 20), np.tile([0.0, 1.0], 20)], axis=1)
    films = pictures(FILM, findings, keys)
    assert np.array_equal(films[5:6], pictures(FILM, findings[5:6], keys[5:6]))
    left = films[:, :32, 32:].mean(axis=(1, 2)) - films[:, :32, :32].mean(axis=(1, 2))
    assert left[findings[:, 1] == 1].mean() - left[findings[:, 1] == 0].mean() > 2.0, (
        "the patient's left is on the right"
    )
    dark = pictures(SLIDE, findings, keys).mean(axis=(1, 2, 3))
    assert dark[findings[:, 0] > 0].mean() < dark[findings[:, 0] < 0].mean()


def test_what_is_not_in_the_record_is_not_drawn() -> None:
    task = TASKS["shortcut_interaction"]
    met = task.patients(30, seed=1)
    seen = raw_view(task, met, keys_of("a test", 4, 30))
    assert list(seen) == list(task.modalities)
    assert (seen["P"].reshape(30, -1).max(axis=1) > 0).tolist() == met.present[:, 1].tolist()
    with pytest.raises(WorkupError, match="question has the findings view alone"):
        shown(TASKS["question"])
