"""Renderers: each picture is its own, every look shows, the noise has its law, and what cannot be drawn is refused."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from support.places import ROOT

from workup.envs.modalities import draws, film, note, phrases, slide, table, waveform
from workup.envs.modalities.draws import keys
from workup.envs.modalities.registry import KINDS, digest, render, renderer
from workup.envs.model import randomness
from workup.errors import UnknownNameError, WorkupError
from workup.scenarios.language.looks import LOOKS, Look

WHO = keys(3, np.arange(12), "x")
BESIDE: dict[str, dict[str, Any]] = {
    "film": {"lesion": "left_upper"},
    "slide": {"tissue": "adenocarcinoma"},
    "waveform": {},
    "note": {"cough": "yes", "weight_loss": "yes"},
    "table": {},
}
"""What must be there for some looks to be seen."""


def spread(kind: str, n: int) -> dict[str, NDArray[Any]]:
    """Looks that differ among n pictures."""
    return {
        name: np.arange(n) % len(look.values) if look.values else _other(look, np.linspace(-1.0, 1.0, n))
        for name, look in LOOKS[kind].items()
    }


def _other(look: Look, by: Any) -> Any:
    moved = by * max(look.per_sd, 1e-9)
    return np.clip(look.centre * np.exp(moved) if look.logarithmic else look.centre + moved, look.low, look.high)


@pytest.mark.parametrize("kind", KINDS)
def test_a_picture_is_the_same_in_any_batch_and_order(kind: str) -> None:
    looks = spread(kind, len(WHO))
    whole = render(kind, WHO, looks)
    order = np.random.default_rng(0).permutation(len(WHO))
    turned = render(kind, WHO[order], {name: of[order] for name, of in looks.items()})
    alone = [render(kind, WHO[i : i + 1], {name: of[i : i + 1] for name, of in looks.items()})[0] for i in range(3)]
    assert (whole[order] == turned).all()
    assert (whole[:3] == np.stack(alone)).all()
    assert len({picture.tobytes() for picture in whole}) == len(WHO)
    assert render(kind, WHO[:0], {}).shape == (0, *whole.shape[1:])


def test_a_picture_is_the_same_in_another_process() -> None:
    asked = "from workup.envs.modalities.registry import KINDS, digest; print(*map(digest, KINDS))"
    said = subprocess.run(
        [sys.executable, "-c", asked], check=True, capture_output=True, text=True, cwd=ROOT, env=dict(os.environ)
    )
    assert said.stdout.split() == [digest(kind) for kind in KINDS]


@pytest.mark.parametrize("kind", KINDS)
def test_every_look_is_seen(kind: str) -> None:
    beside = BESIDE[kind]
    for name, look in LOOKS[kind].items():
        around = {**beside, **({"tissue": "liver"} if name == "fat" else {})}
        others = [*look.values] if look.values else [_other(look, -1.5), _other(look, 1.5), look.high * 0.5]
        seen = {render(kind, WHO[:6], {**around, name: other}, noise="none").tobytes() for other in others}
        assert len(seen) == len(set(others)), name


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_left_out_is_at_its_default(kind: str) -> None:
    said = {name: look.default for name, look in LOOKS[kind].items()}
    words = {name: 0 for name, look in LOOKS[kind].items() if look.values}
    assert (render(kind, WHO, {}) == render(kind, WHO, said)).all()
    assert (render(kind, WHO, words) == render(kind, WHO, said)).all()


def test_keys_are_of_seed_patient_and_what_is_shown() -> None:
    many = np.concatenate([keys(seed, np.arange(2_000), shown) for seed in (0, 1) for shown in ("film", "slide")])
    assert len(np.unique(many)) == len(many)
    assert (keys(0, np.array([5, 3]), "film") == keys(0, np.arange(6), "film")[[5, 3]]).all()
    assert keys(4, np.array([9]), "film")[0] != keys(9, np.array([4]), "film")[0]


def test_both_forms_of_a_draw_are_the_same() -> None:
    own = draws.own_keys(WHO, "film")
    counters = np.array([0, 1, 77, draws.NOISE_FROM + 3])
    expected = [[randomness.uniform(np.int64(key), int(counter)) for counter in counters] for key in own]
    assert (draws.uniforms(own, counters) == np.array(expected)).all()
    assert draws.uniform(own[0], 77) == expected[0][2]


def test_neighbours_share_nothing() -> None:
    nuisance = film.nuisances(np.arange(4_000, dtype=np.uint64))  # keys that are next to each other on purpose
    low, high = np.array(list(film.NUISANCES.values())).T
    share = (nuisance - low) / (high - low)
    assert np.abs(share.mean(0) - 0.5).max() < 4 * np.sqrt(1 / 12 / 4_000)
    assert np.abs(share.std(0) - np.sqrt(1 / 12)).max() < 0.012
    across = np.corrcoef(np.concatenate([share[1:].T, share[:-1].T]))
    assert np.abs(across - np.eye(len(across))).max() < 5 / np.sqrt(4_000)


@pytest.mark.parametrize(("name", "sd"), [("clear", 0.035), ("hard", 0.10)])
@pytest.mark.parametrize(("of", "step"), [(film, 1.0), (slide, 1.0), (waveform, waveform.FULL_SCALE_MV)])
def test_pixels_are_expected_plus_independent_normal_noise(of: Any, step: float, name: str, sd: float) -> None:
    who = keys(8, np.arange(30), "noise")
    clean, drawn = of.expected(who, {}), of.render(who, {}, noise=name) / 255.0
    off = (drawn - clean) / (sd / step)
    inside = (clean > 3.5 * sd / step) & (clean < 1.0 - 3.5 * sd / step)  # where the scale's ends are not met
    found = off[inside]
    assert abs(found.mean()) < 4.5 / np.sqrt(found.size)
    assert abs(found.std() - 1.0) < 0.012
    assert abs((np.abs(found) < 1.0).mean() - 0.6827) < 0.01
    assert abs((np.abs(found) > 2.0).mean() - 0.0455) < 0.004
    both = inside[..., 1:] & inside[..., :-1]
    beside = off[..., 1:][both] * off[..., :-1][both]
    assert abs(beside.mean()) < 4.5 / np.sqrt(beside.size)


def test_without_noise_a_picture_is_its_expectation() -> None:
    for of in (film, slide, waveform):
        assert np.abs(of.render(WHO, {}, noise=0.0) / 255.0 - of.expected(WHO, {})).max() <= 0.5 / 255 + 1e-12


def test_a_shadow_lies_on_its_side_and_grows() -> None:
    def added(**looks: Any) -> NDArray[np.float64]:
        return film.expected(WHO[:4], {"lesion": "none", **looks}) - film.expected(WHO[:4], {})

    right, left = added(lesion="right_upper").sum((0, 1)), added(lesion="left_upper").sum((0, 1))
    assert right[:32].sum() > 0.99 * right.sum() > 0.0  # the patient's right is on the film's left
    assert left[32:].sum() > 0.99 * left.sum() > 0.0
    small, large = (added(lesion="left_upper", radius=r).sum() for r in (0.04, 0.08))
    assert 3.2 < large / small < 4.8  # an area
    faint, dense = (added(lesion="left_upper", opacity=o).sum() for o in (0.1, 0.3))
    assert 2.4 < dense / faint < 3.0  # nearly linear: the film saturates
    fluid = added(effusion="left")
    assert fluid[:, 28:, 30:].sum() > 0.98 * fluid.sum()


def test_fat_is_white_and_marked_nuclei_are_brown() -> None:
    white = [(slide.render(WHO, {"fat": fat}).min(1) > 200).mean() for fat in (0.0, 0.2, 0.4, 0.8)]
    assert np.all(np.diff(white) > 0.01)
    brown = [
        (of[:, 0].astype(int) - of[:, 2] > 50).mean()
        for of in (slide.render(WHO, {"tissue": "adenocarcinoma", "marker": m}) for m in ("negative", "positive"))
    ]
    assert brown[0] < 0.01 < 0.25 < brown[1]


def test_beats_are_counted_and_fibrillation_is_uneven() -> None:
    def beats(**looks: Any) -> list[NDArray[np.int64]]:
        lead = waveform.expected(WHO, looks, size=3_000)[:, 0] * waveform.FULL_SCALE_MV + waveform.LOWEST_MV
        return [np.flatnonzero((of[1:-1] > 0.45) & (of[1:-1] >= of[:-2]) & (of[1:-1] > of[2:])) for of in lead]

    for rate in (60.0, 110.0):
        counted = [len(of) / 30.0 * 60.0 for of in beats(rate=rate)]
        assert abs(np.mean(counted) - rate) < 3.0
    uneven = [np.mean([np.std(np.diff(of)) / np.mean(np.diff(of)) for of in beats(rhythm=r)]) for r in (0, 1)]
    assert uneven[0] < 0.05 < 0.12 < uneven[1]
    risen = waveform.expected(WHO, {"st": 0.4}) - waveform.expected(WHO, {})
    assert risen[:, 1].max() > 0.05
    assert risen[:, 0].min() < -0.02
    assert np.abs(risen[:, 2]).max() == 0.0


def test_words_are_those_of_the_text() -> None:
    looks = spread("note", len(WHO))
    decoded = [[note.VOCABULARY[word] for word in row if word] for row in note.render(WHO, looks, noise="none")]
    assert decoded == [note.words(text) for text in note.text(WHO, looks)]
    assert note.VOCABULARY[:2] == ("", "[?]")
    assert len(set(note.VOCABULARY)) == len(note.VOCABULARY) == 212


def test_a_note_says_each_finding_its_numbers_and_no_sentence_twice() -> None:
    who = keys(5, np.arange(200), "note")
    told = {"cough": "yes", "cough_weeks": 17.0, "weight_loss": "yes", "kg_lost": 23.0, "rigors": "no"}
    for text in note.text(who, {**told, "distractors": "many"}):
        sentences = text.rstrip(".").split(". ")
        assert len(sentences) == len(set(sentences)) == 1 + 3 + 10
        assert "17 weeks" in text
        assert "23 kg" in text
        assert any(re.fullmatch(f"(?i){way}", each) for way in phrases.SAID["rigors"][0] for each in sentences)
        assert not re.search(r"cough for \{|\{n\}|\{when\}", text)


def test_findings_stand_where_they_are_asked_to() -> None:
    def place(position: str) -> NDArray[np.float64]:
        found = []
        for text in note.text(WHO, {"kg_lost": 31.0, "weight_loss": "yes", "position": position}):
            sentences = text.split(". ")
            found.append(next(i for i, each in enumerate(sentences) if "31 kg" in each) / (len(sentences) - 1))
        return np.array(found)

    assert (place("first") == 1 / 7).all()
    assert (place("middle") == 4 / 7).all()
    assert (place("last") == 1.0).all()
    assert len(set(place("anywhere"))) > 3


def test_words_are_lost_at_the_rate_of_the_noise() -> None:
    who = keys(6, np.arange(300), "note")
    clean, hard = (note.render(who, {}, noise=level) for level in ("none", "hard"))
    lost = (hard == 1)[clean > 0]
    assert abs(lost.mean() - 0.10) < 4 * np.sqrt(0.09 / lost.size)
    assert (hard[clean == 0] == 0).all()
    assert ((hard == clean) | (hard == 1)).all()


def test_a_note_that_does_not_fit_is_refused() -> None:
    with pytest.raises(WorkupError, match=r"the note of key \d+ has \d+ words; expected at most 32"):
        note.render(WHO, {}, size=32)


@pytest.mark.parametrize("laboratory", ["si", "conventional"])
def test_a_report_prints_what_was_measured(laboratory: str) -> None:
    looks = {"sodium": 128.0, "crp": np.linspace(1.0, 300.0, len(WHO)), "laboratory": laboratory}
    measured = table.measured(WHO, looks)
    for page, row in zip(table.text(WHO, looks), measured, strict=True):
        for analyte, value in zip(table.ANALYTES, row, strict=True):
            name, factor, unit, digits, normal = table.PRINTED[analyte][laboratory == "conventional"]
            line = re.search(
                rf"^{re.escape(name)} +(-?[\d.]+) {re.escape(unit)} +{normal}( [LH])?$", page, re.MULTILINE
            )
            assert line, (name, page)
            assert abs(float(line[1]) - value * factor) <= 0.5 * 10.0**-digits + 1e-9
            low, high = (float(end) for end in normal.split("-"))
            assert (line[2] or "").strip() == ("L" if float(line[1]) < low else "H" if float(line[1]) > high else "")


def test_the_assays_error_has_its_law() -> None:
    who = keys(2, np.arange(4_000), "bloods")
    at = table.ANALYTES.index("sodium")
    off = (table.measured(who, {"sodium": 140.0}, noise="hard")[:, at] - 140.0) / LOOKS["table"]["sodium"].per_sd
    assert abs(off.std() - 0.4) < 0.02
    assert abs(off.mean()) < 4 * 0.4 / np.sqrt(4_000)
    healthy = table.measured(who, {}, noise="none")
    assert abs(healthy[:, at].mean() - 140.0) < 0.2
    assert abs(healthy[:, at].std() - 2.5) < 0.12


@pytest.mark.parametrize(
    ("looks", "said"),
    [
        ({"opasity": 0.1}, "a film has no look 'opasity'; did you mean 'opacity'?"),
        ({"lesion": "right_uper"}, "film.lesion: there is no 'right_uper'; did you mean 'right_upper'?"),
        ({"lesion": 9}, "film.lesion: found 9 for key 0; expected 0 to 7"),
        ({"opacity": [0.1, 0.9]}, "film.opacity: found 0.9 for key 1; expected a number from -0.2 to 0.7"),
        ({"opacity": float("nan")}, "film.opacity: found nan for key 0"),
        ({"opacity": "dense"}, "film.opacity: found <U5; expected numbers from -0.2 to 0.7"),
        ({"opacity": [0.1] * 3}, r"film.opacity: found shape \(3,\); expected one value, or one for each of 2 keys"),
    ],
)
def test_looks_that_cannot_be_are_refused(looks: dict[str, Any], said: str) -> None:
    with pytest.raises(WorkupError, match=said):
        film.render(WHO[:2], looks)


def test_other_things_that_cannot_be_are_refused() -> None:
    with pytest.raises(UnknownNameError, match="nothing is shown as 'flim'; did you mean 'film'"):
        renderer("flim")
    with pytest.raises(UnknownNameError, match="there is no noise 'haard'; did you mean 'hard'"):
        film.render(WHO, {}, noise="haard")
    with pytest.raises(
        WorkupError, match=r"noise: found -1.0; expected none \| clear \| hard, or a number from 0 to 0.5"
    ):
        film.render(WHO, {}, noise=-1.0)
    with pytest.raises(WorkupError, match=r"keys: found int64 of shape \(12,\); expected uint64"):
        film.render(WHO.view(np.int64), {})
    for of in (film, slide, waveform, note, table):
        with pytest.raises(WorkupError, match="size: found 3; expected"):
            of.render(WHO, {}, size=3)


def test_a_standardised_finding_becomes_a_look() -> None:
    assert draws.scaled("film", "radius", [0.0, 4.0]).tolist() == pytest.approx([0.055, 0.055 * np.e])
    with pytest.raises(WorkupError, match="lesion is none"):
        draws.scaled("film", "lesion", 0.0)
