"""The educator's page: its numbers against closed forms and against simulated cohorts, its file, its script, its command."""

from __future__ import annotations

import base64
import hashlib
import json
import math
import re
import webbrowser
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support.command import run
from support.places import ROOT

import workup
from workup.studies.bias import teaching, teaching_gates, teaching_views
from workup.studies.bias.teaching import Cells
from workup.studies.bias.teaching_gates import GATES
from workup.studies.bias.teaching_render import EXAMPLE, QUESTIONS, STEPS, teaching_page

SE, SP, PREVALENCE = 0.80, 0.85, 0.2
"""Of two_by_two, as its file states them."""


@pytest.fixture(scope="module")
def page() -> str:
    return teaching_page()


@pytest.fixture(scope="module")
def tables(page: str) -> dict[str, Any]:
    found = re.search(r'<script type="application/json" id="tables">(.*?)</script>', page, re.DOTALL)
    assert found is not None
    return json.loads(found[1])


@pytest.fixture(scope="module")
def script(page: str) -> str:
    found = re.search(r"<script>(.*?)</script>", page, re.DOTALL)
    assert found is not None
    return found[1]


def near(cells: Cells | None, tp: float, fn: float, fp: float, tn: float) -> bool:
    return cells is not None and vars(cells) == pytest.approx({"tp": tp, "fn": fn, "fp": fp, "tn": tn}, abs=1e-12)


def test_an_audit_at_every_step_of_the_slider_is_the_closed_form() -> None:
    assert near(
        teaching.everyone(), PREVALENCE * SE, PREVALENCE * (1 - SE), (1 - PREVALENCE) * (1 - SP), (1 - PREVALENCE) * SP
    )
    strengths = teaching.strengths()
    assert len(strengths) == 40
    assert [one.ratio for one in strengths] == sorted({one.ratio for one in strengths})
    assert strengths[0].ratio == 1.0
    for one in strengths:
        r, seen = one.ratio, one.verified
        assert seen.sensitivity == pytest.approx(SE * r / (SE * r + 1 - SE), abs=1e-9)
        assert seen.specificity == pytest.approx(SP / (SP + r * (1 - SP)), abs=1e-9)
        assert (seen.tp + seen.fp) / 0.28 / ((seen.fn + seen.tn) / 0.72) == pytest.approx(r, abs=1e-9)


def test_a_lot_mends_the_audit_and_a_doctor_who_saw_more_does_not() -> None:
    found = teaching.repairs()
    nobody, lot, doctor = found["nobody"], found["lot"], found["doctor"]
    assert near(nobody.verified, 0.16, 0.0, 0.12, 0.0)
    assert nobody.by_test is None
    assert (nobody.least_sensitivity, nobody.most_specificity) == pytest.approx((160 / 880, 720 / 840))
    assert near(lot.verified, 0.16, 0.004, 0.12, 0.068)
    assert near(lot.by_test, 0.16, 0.04, 0.12, 0.68)
    # Of 720 negative tests 24 ill and 68 well look unwell, 16 and 612 calm; 72 are picked, those who look unwell ten times as often.
    calm = 72 / (10 * (24 + 68) + 16 + 612)
    ill, well = calm * (240 + 16) / 1000, calm * (680 + 612) / 1000
    assert near(doctor.verified, 0.16, ill, 0.12, well)
    assert near(doctor.by_test, 0.16, 10 * ill, 0.12, 10 * well)
    assert doctor.by_test is not None
    assert doctor.by_test.sensitivity < SE - 0.2
    assert near(doctor.by_look, 0.16, 0.04, 0.12, 0.68), "had it been written down, the record would mend itself"
    for one in found.values():
        assert one.least_sensitivity <= SE <= 1.0
        assert one.most_specificity >= SP


def test_what_was_observed_leads_back_to_the_truth() -> None:
    sensitivity, specificity = teaching.true_shares()
    assert sensitivity.shape == specificity.shape == (1001, 40)
    for column, r in enumerate(teaching.RATIOS):
        for true in (0.05, 0.42, 0.8, 0.97):
            seen = (true * r / (true * r + 1 - true), true / (true + r * (1 - true)))
            # A row is right to half a thousandth of what was observed, which is up to r times as much of the truth.
            room = 0.5 + 0.05 * r + 1e-9
            assert abs(sensitivity[round(1000 * seen[0]), column] - 100 * true) <= room
            assert abs(specificity[round(1000 * seen[1]), column] - 100 * true) <= room


def test_the_example_comes_to_what_its_whole_table_says() -> None:
    tp, fp, fn, tn = (int(each) for each in EXAMPLE["own"].split("."))
    assert tp + fp + fn + tn == 344
    r = (tp + fp) / (tp + fp + 166) / ((fn + tn) / (fn + tn + 140))
    assert min(teaching.RATIOS, key=lambda each: abs(each - r)) == teaching.RATIOS[int(EXAMPLE["ownr"])]
    sensitivity, specificity = teaching.true_shares()
    assert sensitivity[round(1000 * tp / (tp + fn)), int(EXAMPLE["ownr"])] == pytest.approx(83.6, abs=1.0)
    assert specificity[round(1000 * tn / (tn + fp)), int(EXAMPLE["ownr"])] == pytest.approx(73.8, abs=1.0)


def test_how_strongly_the_real_study_was_driven_by_its_test() -> None:
    for one in teaching_views.ROGER:
        r = teaching.ratio_between(one.adjusted, one.sensitivity)
        assert one.adjusted * r / (one.adjusted * r + 1 - one.adjusted) == pytest.approx(one.sensitivity)
    assert [round(teaching.ratio_between(one.adjusted, one.sensitivity), 1) for one in teaching_views.ROGER] == [
        4.9,
        8.0,
    ]


def test_the_twenty_are_the_law_in_whole_people() -> None:
    twenty = teaching_views.twenty()
    assert len(twenty) == 20
    for cell, (positive, ill) in {
        "tp": (True, True),
        "fn": (False, True),
        "fp": (True, False),
        "tn": (False, False),
    }.items():
        n = sum(one == {"positive": positive, "ill": ill} for one in twenty)
        assert n == getattr(teaching_views.TWENTY, cell)
        assert abs(n - 20 * getattr(teaching.everyone(), cell)) < 0.5


def test_the_tables_of_an_audit_of_the_twenty() -> None:
    audits = teaching_views.audits()
    assert audits["sensitivity"][3] == ["3 of 3, 100%", "3 of 4, 75%"]
    assert audits["sensitivity"][0] == ["cannot be said", "0 of 1, 0%"]
    assert audits["specificity"][14][2] == "14 of 16, 88%"
    assert audits["finds"][0][0] == "of the ill nothing can be said, for nobody whom you sent is ill"
    assert audits["clears"][2][1] == "of the well, the test clears 2 of 3, 67% (specificity)"
    assert audits["verdict"] == [["", "low"], ["high", "low"], ["high", "low"], ["high", "right"]]


def test_a_thousand_dots_in_whole_rows() -> None:
    dots = teaching_views.dots(teaching.everyone())
    assert len(dots) == len({(dot["column"], dot["row"]) for dot in dots}) == 1000
    rows = {(dot["group"], dot["row"]) for dot in dots}
    assert len(rows) == 1000 / teaching_views.COLUMNS, "no row has two groups, and every row is full"


def test_nobody_is_sicker_behind_a_gate_of_chance() -> None:
    for stage, share in zip(teaching_gates.stages("suspicion:ill:0").values(), (1.0, 0.3, 0.09, 0.027), strict=True):
        assert (stage.share, stage.ill / stage.share, stage.mean) == pytest.approx((share, 0.02, 0.0), abs=1e-4)


def test_behind_gates_with_limits_severity_is_as_the_normal_law_says() -> None:
    centres = teaching_gates.severities()
    everybody, *behind = teaching_gates.stages("guideline").values()
    weight = everybody.severity.copy()
    for stage, limit in zip(behind, (0.0, 0.5, 1.0), strict=True):
        upper, low, whole = (
            np.array([math.erf((edge - m) / 0.7 / math.sqrt(2)) for m in centres]) for edge in (5.0, limit, -4.5)
        )
        weight *= (upper - low) / (upper - whole)
        assert stage.share == pytest.approx(weight.sum(), rel=1e-6)
        np.testing.assert_allclose(stage.severity, weight / weight.sum(), atol=1e-6)


@pytest.mark.parametrize("policy", ["guideline", "suspicion:ill:1"])
def test_who_has_more_data_is_sicker_and_more_alike(policy: str) -> None:
    found = list(teaching_gates.stages(policy).values())
    for before, after in pairwise(found):
        assert after.share < before.share
        assert after.ill / after.share > before.ill / before.share
        assert after.sd < before.sd
    assert all(stage.severity.max() <= teaching_views.HISTOGRAM[-1] for stage in found), "no bar is cut off"


@pytest.mark.slow
def test_simulated_records_are_as_the_page_says() -> None:
    n = 40_000
    cohort = workup.cohort("gates", "suspicion:ill:1", patients=n, seed=3)
    ill = cohort.condition == 1
    risk = teaching_gates.learned("suspicion:ill:1")["tested"].risk
    for name, stage in teaching_gates.stages("suspicion:ill:1").items():
        has = cohort.status[:, cohort.world.items.index(GATES[name])] == 2
        for seen, exact in ((has.mean(), stage.share), ((has & ill).mean(), stage.ill)):
            assert abs(seen - exact) <= 4.5 * math.sqrt(exact * (1 - exact) / n) + 1e-12
    looks = cohort.values[:, cohort.world.model.observables.index("first_look")][has]
    expected = risk[looks].sum()
    assert abs(ill[has].sum() - expected) <= 4.5 * math.sqrt((risk[looks] * (1 - risk[looks])).sum())


def test_a_model_of_the_tested_ranks_as_well_and_expects_too_many() -> None:
    plain, eye = teaching_gates.learned("suspicion:ill:1"), teaching_gates.learned("gestalt:ill:1")
    for one in (*plain.values(), *eye.values()):
        assert one.ill == pytest.approx(0.02, abs=1e-9)
        assert one.auc == pytest.approx(plain["everybody"].auc, abs=1e-6)
        assert (np.diff(one.risk) >= -1e-9).all()
    assert plain["everybody"].expected == pytest.approx(0.02, abs=1e-9)
    assert plain["tested"].expected > 0.06
    assert plain["weighted"].expected == pytest.approx(0.02, abs=1e-9), "weights made of what is on record"
    assert eye["weighted"].expected > 0.025, "and where the doctors acted on more, they fail"


def test_the_page_is_one_small_file_that_asks_for_nothing(page: str, script: str) -> None:
    assert len(page.encode()) <= 2 * 2**20
    assert page.count("http") == page.count("http-equiv") == 1
    assert re.findall(r"""\b(?:src|srcset|action|data|poster|background)=["']""", page) == []
    assert set(re.findall(r"""href=["']([^"']*)""", page)) == {"#content", *(f"#step={i}" for i in range(1, 9))}
    assert set(re.findall(r"url\(([^)]*)\)|(@import)", page)) <= {("#hatch", "")}
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert f"default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{digest}'" in page
    assert page == teaching_page(), "the same every time"


def test_the_page_says_what_it_is(page: str) -> None:
    assert page.count("Synthetic patients. Teaching only, never medical advice.") == 2
    assert re.findall(r'<h2 id="h-\d" tabindex="-1">(.*?)</h2>', page) == [
        f"{i}. {title}" for i, (title, _) in enumerate(STEPS, 1)
    ]
    assert len(QUESTIONS) == 5
    for section in re.findall(r"<section.*?</section>", page, re.DOTALL):
        assert section.count('<p class="says">') == 1
        assert "<details" in section
        assert "<table" in section
    ids = re.findall(r'\bid="([^"]+)"', page)
    assert len(ids) == len(set(ids))


def test_the_script_holds_no_formula(script: str) -> None:
    code = re.sub(r"//[^\n]*", "", script)
    code = re.sub(r'"(?:[^"\\]|\\.)*"', '""', code)
    code = re.sub(r"/\^[^/\n]*\$/", "", code)
    sums = [line.strip() for line in code.splitlines() if re.search(r"[*/%]|\bMath\b", line)]
    assert sums == ["const thousandth = (part, rest) => Math.round((1000 * part) / (part + rest));"]
    assert set(re.findall(r"- *([\w.]+)", code)) <= {"1"}, "nothing is taken away but one, from a place in a list"
    assert re.findall(r"\d\.\d", code) == []
    assert (
        re.findall(r"\b(?:fetch|XMLHttpRequest|WebSocket|EventSource|import|eval|Function|Worker|sendBeacon)\b", code)
        == []
    )


def test_every_setting_says_everything_that_another_says(page: str, tables: dict[str, Any]) -> None:
    ids = set(re.findall(r'\bid="([^"]+)"', page))
    assert {control: len(of) for control, of in tables["views"].items()} == {
        "strength": 40,
        "picked": 3,
        "policy": 3,
        "model": 6,
    }
    for of in tables["views"].values():
        written = [{(kind, key) for kind in view for key in view[kind]} for view in of.values()]
        assert all(each == written[0] for each in written), "else words of another setting would stay"
        assert {key for kind, key in written[0] if kind in ("text", "attr")} <= ids


def test_the_command_writes_the_page_or_opens_it(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, page: str
) -> None:
    opened: list[str] = []

    def browser(address: str) -> bool:
        opened.append(address)
        return True

    monkeypatch.setattr(webbrowser, "open", browser)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    status, said, _ = run(capsys, "teach", "--export", tmp_path / "new" / "page.html")
    assert (status, opened) == (0, [])
    assert str(tmp_path / "new" / "page.html") in said
    assert "medical advice" in said
    assert (tmp_path / "new" / "page.html").read_text(encoding="utf-8") == page
    status, said, _ = run(capsys, "teach")
    assert (status, "opened in the browser" in said) == (0, True)
    assert opened == [(tmp_path / "cache" / "workup" / "teach.html").as_uri()]


def test_a_place_that_cannot_be_written_is_told(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    status, _, said = run(capsys, "teach", "--export", tmp_path)
    assert (status, str(tmp_path) in said, "Traceback" in said) == (2, True, False)


def test_the_notes_quote_the_page(tables: dict[str, Any]) -> None:
    notes = (ROOT / "docs" / "teaching.md").read_text(encoding="utf-8")
    quoted = [line.strip()[2:] for line in notes.splitlines() if line.strip().startswith("> ")]
    said = [words for of in tables["views"].values() for view in of.values() for words in view["text"].values()]
    assert len(quoted) == 5
    assert [quote for quote in quoted if not any(quote in words for words in said)] == []
    for words, of in (
        ("57%", tables["views"]["picked"]["doctor"]["text"]["s5-se-counted"]),
        ("88%", tables["all"]["specificity"]),
    ):
        assert words in notes
        assert words in of
