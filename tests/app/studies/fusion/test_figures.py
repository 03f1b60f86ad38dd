"""The three small figures: closed forms against simulation, the laws of readers and of the filter, and drawing."""

from __future__ import annotations

import math
import warnings
from typing import Any

import numpy as np
import pytest

pytest.importorskip("sklearn", reason="needs workup[fusion]")
torch = pytest.importorskip("torch", reason="needs workup[fusion]")

from workup.envs.modalities import note  # noqa: E402
from workup.errors import UnknownNameError, WorkupError  # noqa: E402
from workup.studies.fusion.ceilings.closed import ceilings  # noqa: E402
from workup.studies.fusion.figures import FIGURES, disagreement, position, whitespace  # noqa: E402
from workup.studies.fusion.figures.seeds import over_seeds  # noqa: E402

SMALL = {
    "readers": {"seeds": 2, "slides": 300, "patients": 100, "test_patients": 300},
    "note": {"seeds": 2, "learnt": 150, "tested": 400},
    "whitespace": {"seeds": 2, "learnt": 60, "tested": 60},
}


def graded(share: float, cuts: tuple[float, float], n: int = 400_000) -> tuple[list[float], list[float]]:
    """Two readers' agreement, and one reader's with the truth, by true grade: of readings drawn here."""
    draws = np.random.default_rng(7)
    truth = 2.0 * draws.standard_normal(n)
    common = draws.standard_normal(n)
    readings = [
        truth + math.sqrt(2 * share) * common + math.sqrt(2 * (1 - share)) * draws.standard_normal(n) for _ in range(2)
    ]
    (one, two), true = ((np.searchsorted(cuts, each) for each in readings), np.searchsorted(cuts, truth))
    by_grade = [true == grade for grade in range(3)]
    return [(one == two)[of].mean() for of in by_grade], [(one == true)[of].mean() for of in by_grade]


@pytest.mark.parametrize("share", [0.0, 0.5])
@pytest.mark.parametrize("cuts", [disagreement.CUTS, (-1.0, 2.5)])
def test_agreement_by_grade_is_its_closed_form(share: float, cuts: tuple[float, float]) -> None:
    together, right = graded(share, cuts)
    np.testing.assert_allclose(disagreement.agreement(share, cuts=cuts), together, atol=0.006)
    np.testing.assert_allclose(disagreement.accuracy(cuts=cuts), right, atol=0.006)


def test_the_middle_grade_agrees_least_unless_it_is_wide() -> None:
    for share in disagreement.GRADED_BY:
        first, middle, last = disagreement.agreement(share)
        assert middle < first - 0.1
        assert first == pytest.approx(last, abs=1e-4)
    assert disagreement.agreement(0.0, cuts=(-3.0, 3.0))[1] > disagreement.agreement(0.0, cuts=(-3.0, 3.0))[0]


def test_a_shared_error_is_agreed_upon_and_not_corrected() -> None:
    apart, shared = (disagreement.agreement(share) for share in (0.0, 0.5))
    assert (shared > apart + 0.05).all()
    assert disagreement.consensus_auroc(0.5, 1) == disagreement.consensus_auroc(0.0, 1)
    assert disagreement.consensus_auroc(0.5, 8) < disagreement.consensus_auroc(0.0, 8) - 0.05
    of_task = ceilings("shared_error")["joint"]["same"]["auroc"]
    assert disagreement.consensus_auroc(0.5, 2) == pytest.approx(of_task, abs=1e-6)


def test_a_consensus_is_its_closed_form() -> None:
    for share in (0.25, 0.75):
        found = disagreement._votes(share, 60_000, seed=1)
        closed = [disagreement.consensus_auroc(share, k) for k in range(1, disagreement.READERS + 1)]
        np.testing.assert_allclose(found, closed, atol=0.005)


def test_intervals_are_students() -> None:
    found = over_seeds([1.0, 2.0, 3.0])
    assert found["mean"] == 2.0
    assert found["high"] - 2.0 == pytest.approx(4.302653 / math.sqrt(3), rel=1e-6)
    with pytest.raises(WorkupError, match="two or more seeds"):
        over_seeds([1.0])
    with pytest.raises(WorkupError, match="seeds: found 1; expected 2 or more"):
        disagreement.measure(seeds=1)


def test_a_sentence_is_moved_and_nothing_else() -> None:
    label, anywhere, at = position.written(200, seed=3, where="anywhere", split="test")
    same, ends, near = position.written(200, seed=3, where="ends", split="test")
    assert label.tolist() == same.tolist()
    for one, two, a, b in zip(anywhere, ends, at, near, strict=True):
        assert one[a] == two[b]
        assert one[:a] + one[a + 1 :] == two[:b] + two[b + 1 :]
        assert a > 0
        assert {word for sentence in one for word in note.words(sentence)} <= set(note.VOCABULARY)
    told = {sentence[a] for sentence, a, yes in zip(anywhere, at, label, strict=True) if not yes}
    assert told <= {"No rigors.", "Denies shaking chills.", "No shivering."}
    fifths = np.histogram([(a - 0.5) / (len(one) - 1) for one, a in zip(ends, near, strict=True)], 5, (0, 1))[0]
    assert fifths[0] + fifths[4] > 0.85 * fifths.sum()
    with pytest.raises(UnknownNameError, match="no place 'end'"):
        position.written(1, seed=0, where="end", split="test")


def test_an_invariant_reader_does_not_see_the_order_of_sentences() -> None:
    of = position.notes(100, seed=0, where="anywhere", split="train")
    _, texts, _ = position.written(60, seed=1, where="anywhere", split="test")
    turned = [each[::-1] for each in texts]
    before, after = position.counted(texts), position.counted(turned)
    np.testing.assert_array_equal(before.sum(axis=1), after.sum(axis=1))
    assert not np.array_equal(before, after)
    for name, same in (("invariant", True), ("cut", False), ("fading", False)):
        reader = position.trained(position.READERS[name], of, seed=0)
        assert np.allclose(reader.scores(before), reader.scores(after), atol=1e-5) == same
        assert reader.weights().mean() == pytest.approx(1.0)


def test_a_reader_of_the_ends_does_not_see_the_middle() -> None:
    of = position.notes(100, seed=0, where="anywhere", split="train")
    reader = position.trained(position.READERS["cut"], of, seed=0)
    blank = of.counts.copy()
    blank[:, position.BINS // 4 : -position.BINS // 4] = 0.0
    np.testing.assert_allclose(reader.scores(of.counts), reader.scores(blank), atol=1e-5)


def tissue(white: int) -> Any:
    """A slide of one tile of 64 pixels, `white` of them near-white, beside tiles without any."""
    made = np.full((1, 3, 16, 16), 120, np.uint8)
    corner = made[0, :, 8:, :8]
    for pixel in range(white):
        corner[:, pixel // 8, pixel % 8] = 240
    return made


def test_the_filter_drops_what_is_above_the_limit() -> None:
    slides = tissue(16)
    assert whitespace.near_white(slides).tolist() == [[[0.0, 0.0], [0.25, 0.0]]]
    assert whitespace.kept(slides, 0.25).all()
    assert whitespace.kept(slides, 0.24).tolist() == [[[True, True], [False, True]]]
    pink = tissue(0)
    pink[0, 0] = 250  # one colour alone is not white
    assert whitespace.near_white(pink).max() == 0.0
    with pytest.raises(WorkupError, match="expected a multiple of 8"):
        whitespace.near_white(np.zeros((1, 3, 20, 20), np.uint8))


def test_statistics_are_those_of_the_kept_pixels() -> None:
    slides = tissue(32)
    every, some = whitespace.statistics(slides, (1.0, 0.4))[:, 0]
    np.testing.assert_allclose(every[:3], slides[0].mean(axis=(1, 2)) / 255, rtol=1e-5)
    np.testing.assert_allclose(every[3:6], slides[0].std(axis=(1, 2)) / 255, rtol=1e-4)
    assert every[6] == 32 / 256
    np.testing.assert_allclose(some, [120 / 255] * 3 + [0.0] * 4, atol=1e-3)
    assert np.isnan(whitespace.statistics(np.full((1, 3, 16, 16), 240, np.uint8), (0.5,))).all()


def test_a_slide_of_which_nothing_is_kept_says_nothing() -> None:
    before = np.array([[0.0], [1.0], [3.0], [4.0], [np.nan]])
    said = whitespace.read(before, np.array([0, 0, 1, 1, 1]), np.array([[np.nan], [2.0], [5.0]]))
    assert said[0] == pytest.approx(said[1])
    assert said[2] > said[0]


@pytest.mark.parametrize("name", FIGURES)
def test_figures_are_measured_and_drawn_without_warnings(name: str, tmp_path: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr(whitespace, "LIMITS", (1.0, 0.5, 0.1))
    measured, drawn = FIGURES[name]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = measured(**SMALL[name])
        assert found["seeds"] == [0, 1]
        figure = drawn(found)
        figure.savefig(tmp_path / "figure.png", dpi=50)
    assert any("not reviewed by a clinician" in each.get_text() for each in figure.texts)
