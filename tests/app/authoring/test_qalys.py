"""QALYs lost by death: the life table comes out again, the page shows what is computed, and others find about the same."""

from __future__ import annotations

import re

import pytest
from support.places import ROOT

from workup.authoring import qalys
from workup.authoring.qalys import by_band, norm, qalys_lost
from workup.errors import UnknownNameError, WorkupError

PAGE = (ROOT / "docs" / "qalys.md").read_text(encoding="utf-8")
EXPECTANCY = {20: (59.91, 63.50), 40: (40.70, 43.93), 65: (18.76, 21.12), 80: (8.47, 9.77), 90: (4.10, 4.65)}
"""Age -> years of men and of women as the life table itself gives them (its column ex, which the code does not hold)."""
PUBLISHED = {
    40: (17.84, 18.63),
    50: (14.91, 15.83),
    60: (11.90, 12.74),
    65: (10.34, 11.02),
    75: (6.94, 7.36),
    80: (5.38, 5.75),
}
"""Discounted quality-adjusted life expectancy of McNamara et al. 2022 by norms of 1993: other norms, a like life table."""


def test_life_expectancies_are_those_of_the_life_table(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(qalys, "norm", lambda age, *, male=0.5: 1.0)
    for age, (men, women) in EXPECTANCY.items():
        assert qalys_lost(age, male=1, discount=0) == pytest.approx(men, abs=0.03)
        assert qalys_lost(age, male=0, discount=0) == pytest.approx(women, abs=0.03)


def test_others_found_about_the_same() -> None:
    for age, (men, women) in PUBLISHED.items():
        assert qalys_lost(age, male=1) == pytest.approx(men, rel=0.1)
        assert qalys_lost(age, male=0) == pytest.approx(women, rel=0.1)


def test_one_year_by_hand() -> None:
    """At 100 the chance of dying stays, so what is left is a geometric series, but for quality, which falls."""
    q, year = 0.384386, 1.035
    terms = [
        (1 - q) ** t * (1 - q / 2) * norm(100.5 + t, male=1) / year ** (t + 0.5)
        for t in range(30)
        if norm(100.5 + t, male=1) > 0
    ]
    assert qalys_lost(100, male=1) == pytest.approx(sum(terms), rel=1e-9)
    assert qalys_lost(100, male=0.25) == pytest.approx(0.25 * sum(terms) + 0.75 * qalys_lost(100, male=0), rel=1e-9)


def test_the_page_shows_what_is_computed() -> None:
    shown = re.findall(r"^\| (\d+) to (\d+) \| ([\d.]+) \| ([\d.]+) \| ([\d.]+) \|$", PAGE, re.MULTILINE)
    told = {(int(low), int(high)): [float(each) for each in rest] for low, high, *rest in shown}
    computed = {band: [round(lost, 1) for lost in of.values()] for band, of in by_band().items()}
    assert told == computed
    assert "| age | average | frail | severely frail |" in PAGE


def test_the_norm_is_that_of_the_page() -> None:
    assert norm(80.0) == pytest.approx(0.728, abs=5e-4)
    assert norm(40, male=1) == pytest.approx(0.9508566 + 0.0212126 - 0.0002587 * 40 - 0.0000332 * 1600)


def test_more_years_and_more_fitness_lose_more() -> None:
    for fitness in qalys.FITNESS:
        lost = [qalys_lost(age, fitness=fitness) for age in range(18, 101)]
        assert lost == sorted(lost, reverse=True)
    assert qalys_lost(70) > qalys_lost(70, fitness="frail") > qalys_lost(70, fitness="severely frail") > 0


@pytest.mark.parametrize(("age", "male", "discount", "told"), [
    (17, 0.5, 0.035, "age is 17; expected whole years from 18 to 100"),
    (101, 0.5, 0.035, "age is 101"),
    (70.5, 0.5, 0.035, "expected whole years"),
    (70, 1.5, 0.035, "male is 1.5; expected a share"),
    (70, 0.5, -0.1, "discount is -0.1; expected a rate"),
    (70, 0.5, float("nan"), "discount is nan"),
])  # fmt: skip
def test_what_makes_no_sense_is_refused(age: int, male: float, discount: float, told: str) -> None:
    with pytest.raises(WorkupError, match=told):
        qalys_lost(age, male=male, discount=discount)


def test_an_unknown_fitness_is_refused() -> None:
    with pytest.raises(UnknownNameError, match="did you mean 'frail'"):
        qalys_lost(70, fitness="frial")
