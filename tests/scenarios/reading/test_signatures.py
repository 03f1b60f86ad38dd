"""Signatures: what they cover, who may give them, and that a change unsigns visibly."""

from __future__ import annotations

import json
import shutil
import tempfile
from datetime import date
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workup.cli.main import main
from workup.errors import ScenarioError, WorkupError
from workup.scenarios.language.authorship import Review
from workup.scenarios.language.library import load_scenario
from workup.scenarios.language.lint.lint import warnings
from workup.scenarios.language.reading.signatures import (
    read_reviews,
    reviews_text,
    signed_by,
    standing_of,
    written_digest,
)
from workup.scenarios.language.words.prose import explain

TODAY = date(2026, 6, 1)
TUTORIAL = Path(str(files("workup.scenarios").joinpath("tutorial")))
TEXT = st.text(st.characters(exclude_categories=["C"]), min_size=1).filter(str.strip)


@pytest.fixture
def case(tmp_path: Path) -> Path:
    folder = tmp_path / "cough"
    folder.mkdir()
    shutil.copy(TUTORIAL / "scenario.yaml", folder)
    return folder


def sign(folder: Path, name: str, role: str, on: date) -> None:
    scenario = load_scenario(folder)
    review = signed_by(scenario, name, role, on, today=TODAY)
    (folder / "reviews.yaml").write_text(reviews_text((*scenario.reviews, review)), encoding="utf-8")


def change(folder: Path, old: str, new: str) -> None:
    file = folder / "scenario.yaml"
    text = file.read_text(encoding="utf-8")
    assert text.count(old) == 1
    file.write_text(text.replace(old, new), encoding="utf-8")


def test_a_signature_makes_it_reviewed_and_leaves_the_scenario_as_it_was(case: Path) -> None:
    before = (case / "scenario.yaml").read_bytes()
    assert standing_of(load_scenario(case)).words == "draft, not reviewed by a clinician"
    sign(case, "A. Clinician", "General practitioner", date(2026, 5, 1))
    after = load_scenario(case)
    assert standing_of(after).words == "reviewed by A. Clinician (General practitioner, 2026-05-01)"
    assert (case / "scenario.yaml").read_bytes() == before
    assert after.digest == load_scenario("tutorial").digest


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("viral: 0.30, pneumonia: 0.80", "viral: 0.31, pneumonia: 0.80"),
        ("    label: Blood coughed up\n", "    label: Haemoptysis\n"),
        ("    source: T1\n    status: recalled\n  ct", "    source: T1\n    status: derived\n  ct"),
        ("    seen: false\n", "    seen: true\n"),
        ("    why: Blood in an ex-smoker", "    why: Rusty blood in an ex-smoker"),
        ("  setting: General practice", "  setting: A ward"),
    ],
)
def test_a_change_of_what_was_signed_unsigns_it_visibly(case: Path, old: str, new: str) -> None:
    sign(case, "A. Clinician", "General practitioner", date(2026, 5, 1))
    change(case, old, new)
    changed = load_scenario(case)
    assert standing_of(changed).status == "draft"
    words = "draft: changed since it was signed by A. Clinician (General practitioner) on 2026-05-01"
    assert standing_of(changed).words == words
    assert f"**{words.capitalize()[:1]}{words[1:]}.**" in explain(changed)
    change(case, new, old)
    assert standing_of(load_scenario(case)).status == "reviewed"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("# A complete scenario", "# My own scenario"),
        ("viral: 0.30, pneumonia: 0.80", "viral: 0.3, pneumonia: 0.800"),
        ("cost_gbp: 150", "cost_gbp: 150.0"),
        ("table: {never: 0.6, ever: 0.4}", "table: {ever: 0.4, never: 0.6}"),
        ("  status: draft\n", "  status: reviewed\n"),
    ],
)
def test_comments_layout_and_claims_are_not_what_is_signed(case: Path, old: str, new: str) -> None:
    sign(case, "A. Clinician", "General practitioner", date(2026, 5, 1))
    change(case, old, new)
    assert standing_of(load_scenario(case)).status == "reviewed"


def test_what_stands_beside_the_scenario_is_signed_too(case: Path) -> None:
    text = (case / "scenario.yaml").read_text(encoding="utf-8")
    start = text.index("sources:\n")
    end = text.index("groups:\n")
    sources = "\n".join(line[2:] for line in text[start:end].splitlines()[1:])
    (case / "scenario.yaml").write_text(text[:start] + text[end:], encoding="utf-8")
    (case / "sources.yaml").write_text(sources + "\n", encoding="utf-8")
    sign(case, "A. Clinician", "General practitioner", date(2026, 5, 1))
    assert standing_of(load_scenario(case)).status == "reviewed"
    (case / "sources.yaml").write_text(sources.replace("2019", "2018") + "\n", encoding="utf-8")
    assert standing_of(load_scenario(case)).status == "draft"


def test_two_people_sign_and_both_are_kept(case: Path) -> None:
    sign(case, "A. Clinician", "General practitioner", date(2026, 5, 1))
    sign(case, "B. Reader", "Radiologist", date(2026, 5, 2))
    both = load_scenario(case)
    assert [review.name for review in both.reviews] == ["A. Clinician", "B. Reader"]
    words = "reviewed by A. Clinician (General practitioner, 2026-05-01) and B. Reader (Radiologist, 2026-05-02)"
    assert standing_of(both).words == words


def test_whoever_has_not_signed_again_after_a_change_is_named(case: Path) -> None:
    sign(case, "A. Clinician", "General practitioner", date(2026, 5, 1))
    sign(case, "B. Reader", "Radiologist", date(2026, 5, 2))
    change(case, "cost_gbp: 150", "cost_gbp: 160")
    sign(case, "B. Reader", "Radiologist", date(2026, 5, 3))
    signed = load_scenario(case)
    assert len(signed.reviews) == 3
    words = "reviewed by B. Reader (Radiologist, 2026-05-03); "
    words += "changed since it was signed by A. Clinician (General practitioner) on 2026-05-01"
    assert standing_of(signed).words == words


@pytest.mark.parametrize(
    ("name", "role", "on", "message"),
    [
        (" ", "physician", TODAY, "--name is empty"),
        ("A. Clinician", "\n", TODAY, "--role is empty"),
        ("A. Clinician", "physician", date(2026, 6, 2), "still to come"),
    ],
)
def test_a_signature_names_somebody_and_a_day_that_has_come(name: str, role: str, on: date, message: str) -> None:
    with pytest.raises(WorkupError, match=message):
        signed_by(load_scenario("tutorial"), name, role, on, today=TODAY)


def test_nobody_signs_the_same_content_twice(case: Path) -> None:
    sign(case, "A. Clinician", "physician", date(2026, 5, 1))
    with pytest.raises(WorkupError, match=r"A\. Clinician signed this on 2026-05-01 and nothing has changed"):
        sign(case, "A. Clinician", "physician", date(2026, 5, 2))


@given(st.lists(st.builds(Review, name=TEXT, role=TEXT, date=TEXT, version=TEXT, signed=TEXT), max_size=3))
def test_signatures_are_read_back_as_they_were_written(reviews: list[Review]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "reviews.yaml"
        file.write_text(reviews_text(reviews), encoding="utf-8")
        assert read_reviews(file) == tuple(reviews)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("reviews: [{name: A}]\n", "reviews.yaml:1: reviews.0: expected name, role, date"),
        ("reviews: nobody\n", "reviews.yaml:1: expected `reviews:` with a list"),
        ("signed: []\n", "reviews.yaml:1: expected `reviews:` with a list"),
        ("reviews: [\n", "not valid YAML"),
    ],
)
def test_a_damaged_record_is_a_fault_and_not_a_scenario_without_signatures(case: Path, text: str, message: str) -> None:
    (case / "reviews.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(ScenarioError, match=message):
        load_scenario(case)


def test_a_claim_of_review_without_a_signature_is_shown_as_a_draft_and_said(case: Path) -> None:
    reviewers = "  reviewers: [{name: C. Reader, role: physician, date: 2025-03-01}]\n"
    change(case, "  status: draft\n", f"  status: reviewed\n{reviewers}")
    claimed = load_scenario(case)
    assert standing_of(claimed).words == "draft, not reviewed by a clinician"
    assert any("nobody has signed" in warning for warning in warnings(claimed))
    sign(case, "C. Reader", "physician", date(2026, 5, 1))
    assert not any("nobody has signed" in warning for warning in warnings(load_scenario(case)))


@pytest.mark.parametrize("key", ["reviews", "written", "digest", "figures"])
def test_nobody_writes_what_workup_works_out(case: Path, key: str) -> None:
    file = case / "scenario.yaml"
    file.write_text(f"{key}: []\n" + file.read_text(encoding="utf-8"), encoding="utf-8")
    with pytest.raises(ScenarioError, match=f"{key}: workup works this out itself; remove it"):
        load_scenario(case)


def test_the_digest_of_a_signature_is_the_same_whatever_the_order_and_kind_of_number() -> None:
    assert written_digest({"a": 1, "b": [1.5, True]}) == written_digest({"b": [1.5, True], "a": 1.0})
    assert written_digest({"a": 1, "b": [True, 1.5]}) != written_digest({"a": 1, "b": [1.5, True]})
    assert written_digest({"a": 1}) != written_digest({"a": True})


def said(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str]:
    try:
        main(list(arguments))
        status = 0
    except SystemExit as end:
        status = int(end.code or 0)
    captured = capsys.readouterr()
    return status, captured.out + captured.err


def test_sign_and_unsign_on_the_command_line(case: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ("sign", str(case), "--name", "A. Clinician", "--role", "physician", "--date", "2025-03-01")
    status, words = said(capsys, *arguments)
    assert (status, "reviewed by A. Clinician (physician, 2025-03-01)" in words) == (0, True)
    assert "no faults; reviewed by A. Clinician" in said(capsys, "lint", str(case))[1]
    change(case, "cost_gbp: 150", "cost_gbp: 160")
    changed = "draft: changed since it was signed by A. Clinician (physician) on 2025-03-01"
    assert changed in said(capsys, "lint", str(case))[1]
    assert changed in said(capsys, "solve", str(case))[1]
    assert said(capsys, *arguments)[0] == 0
    change(case, "cost_gbp: 160", "cost_gbp: -1")
    status, words = said(capsys, *arguments)
    assert (status, "expected 0 or more" in words) == (2, True)


def test_a_single_file_has_its_signatures_beside_it(case: Path, capsys: pytest.CaptureFixture[str]) -> None:
    single = case / "cough.yaml"
    (case / "scenario.yaml").rename(single)
    said(capsys, "sign", str(single), "--name", "A. Clinician", "--role", "physician")
    assert (case / "cough.reviews.yaml").is_file()
    assert standing_of(load_scenario(single)).status == "reviewed"


def test_results_carry_the_standing_of_their_scenario(case: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def status() -> Any:
        arguments = ("evaluate", str(case), "--agents", "none", "--patients", "20", "--json", str(case / "e.json"))
        assert said(capsys, *arguments)[0] == 0
        return json.loads((case / "e.json").read_text())["status"]

    assert status() == "draft"
    said(capsys, "sign", str(case), "--name", "A. Clinician", "--role", "physician")
    assert status() == "reviewed"
