"""The main demonstration: its measures, its weights, its loop, and what it says where nothing can be said."""

from __future__ import annotations

import json
import math
import operator
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import workup
from workup.cli.main import main
from workup.errors import UnknownNameError, WorkupError
from workup.studies.bias import demonstration, pages
from workup.studies.bias.database import question, records_of
from workup.studies.bias.demonstration import ALL, demonstrate, in_order
from workup.studies.bias.judging import MEASURES, Judgement, interval, judge, less, over_seeds, sign
from workup.studies.bias.learning import logistic
from workup.studies.bias.loop import ARMS, AUDIT, CAPACITY, GENERATIONS, sending
from workup.studies.bias.picture import picture, row_of

pytest.importorskip("sklearn", reason="needs workup[bias]")

PATIENTS = 16_000


@pytest.fixture(scope="module")
def found() -> dict[str, Any]:
    """One small seed: directions, not figures."""
    return demonstrate("weight_loss", patients=PATIENTS, seeds=1)


def _judged(p: NDArray[np.float64], ill: NDArray[np.bool_]) -> Judgement:
    told = judge(p, ill, 0.03)
    assert told is not None
    return told


def test_measures_of_a_hand_worked_table() -> None:
    p = np.repeat([0.5, 0.02], [40, 60])
    ill = np.zeros(100, bool)
    ill[[*range(20), *range(40, 50)]] = True  # 20 of the 40 at 0.5, 10 of the 60 at 0.02
    told = _judged(p, ill)
    # Pairs of an ill and a well patient: 20/30 of the ill are high, 20/70 of the well.
    assert told["auc"].value == pytest.approx(2 / 3 * 5 / 7 + 0.5 * (2 / 3 * 2 / 7 + 1 / 3 * 5 / 7))
    assert math.exp(told["observed_over_expected"].value) == pytest.approx(0.30 / 0.212)
    assert told["net_benefit"].value == pytest.approx(1_000 * (0.20 - 0.20 * 0.03 / 0.97))
    # Two levels: the slope is the distance between the log-odds that came over that between those predicted.
    assert told["calibration_slope"].value == pytest.approx(math.log(5) / math.log(49))
    for each in told.values():
        assert abs(each.influence.mean()) < 1e-9


def test_standard_errors_are_those_of_repeated_draws() -> None:
    rng = np.random.default_rng(5)
    drawn: dict[str, list[tuple[float, float]]] = {name: [] for name in MEASURES}
    for _ in range(300):
        p = rng.beta(1.0, 9.0, 1_500)
        told = _judged(p**1.2, rng.random(1_500) < p)
        for name in MEASURES:
            drawn[name].append((told[name].value, told[name].se))
    for name in MEASURES:
        values, errors = np.array(drawn[name]).T
        assert np.sqrt((errors**2).mean()) == pytest.approx(values.std(), rel=0.15), name


def test_a_model_is_no_better_than_itself_and_pairs_are_narrower() -> None:
    rng = np.random.default_rng(6)
    p = rng.beta(1.0, 9.0, 5_000)
    ill = rng.random(5_000) < p
    own, other = _judged(p, ill), _judged(p**1.1, ill)
    for each in less(own, own).values():
        assert (each.value, each.se) == (0.0, 0.0)
    assert less(own, other)["auc"].se < 0.5 * own["auc"].se


def test_a_sign_is_told_only_where_both_intervals_tell_it() -> None:
    assert sign({"seeds": [0.5, 0.9], "patients": [0.6, 0.8]}) == "too many"
    assert sign({"seeds": [0.5, 1.1], "patients": [0.6, 0.8]}) == "undecided"
    assert sign({"seeds": [1.1, 1.2], "patients": [0.9, 1.4]}) == "undecided"
    assert sign({"seeds": None, "patients": [1.1, 1.4]}) == "too few"
    five = interval([1.0, 2.0, 3.0, 4.0, 5.0], [0.1] * 5)
    half = 2.7764451 * math.sqrt(2.5 / 5)  # Student's t with 4 degrees of freedom
    assert five["seeds"] == pytest.approx([3.0 - half, 3.0 + half])
    assert five["patients"] == pytest.approx([3.0 - 1.959964 * 0.1 / math.sqrt(5), 3.0 + 1.959964 * 0.1 / math.sqrt(5)])
    of_one: dict[str, Any] = over_seeds([{"observed_over_expected": (math.log(0.5), 0.1)}])["observed_over_expected"]
    assert of_one["value"] == pytest.approx(0.5)
    assert of_one["expects"] == "too many"


def test_the_chance_of_the_way_into_the_database_is_that_of_its_two_choices() -> None:
    asked = question("weight_loss")
    records = records_of(workup.cohort("weight_loss", "suspicion:cancer:0", patients=4_000, seed=3), asked)
    assert records.chance[records.inside] == pytest.approx(0.09)  # 0.3 for the bloods, 0.3 for the film
    assert records.inside.mean() == pytest.approx(0.09 * records.testable.mean(), abs=4 * math.sqrt(0.07 / 4_000))
    assert not (records.inside & ~records.testable).any()
    suspected = records_of(workup.cohort("weight_loss", "suspicion:cancer:0.5", patients=4_000, seed=3), asked)
    of_ill = suspected.chance[suspected.inside & suspected.ill].mean()
    assert of_ill > 2 * suspected.chance[suspected.inside & ~suspected.ill].mean()


def test_known_weights_bring_the_prevalence_back(found: dict[str, Any]) -> None:
    suspicion, chance = found["databases"]
    low, high = suspicion["weighted_ill_known_less_true"]["patients"]
    assert low < 0.0 < high
    true, inside = suspicion["ill_of_testable"], suspicion["ill_in_database"]
    assert inside["patients"][0] > 2 * true["patients"][1]
    # By chance alone the database is like those whom the rules allow the film, with weights or without.
    low, high = chance["weighted_ill_known_less_true"]["patients"]
    assert low < 0.0 < high
    assert chance["ill_in_database"]["patients"][0] < true["value"] < chance["ill_in_database"]["patients"][1]
    assert chance["effective_size_known"][0] == pytest.approx(chance["sizes"][0], rel=1e-6)
    assert suspicion["effective_size_known"][0] < 0.3 * suspicion["sizes"][0]


def test_suspicion_makes_a_model_expect_too_many_and_chance_does_not(found: dict[str, Any]) -> None:
    def ratio(slope: float, trained: str) -> Any:
        row = row_of(
            found, slope=slope, features="linked", model="logistic", trained=trained, tested="testable", who=ALL
        )
        return row["measured"]["observed_over_expected"]

    assert ratio(0.5, "complete cases")["expects"] == "too many"
    assert ratio(0.5, "complete cases")["patients"][1] < ratio(0.5, "known weights")["patients"][0]
    by_chance = next(each for each in found["databases"] if each["slope"] == 0.0)
    ill = found["patients"] * by_chance["in_database"]["value"] * by_chance["ill_in_database"]["value"]
    # The patients' interval takes the model as given; what one small database leaves open is how many ill it happens to hold.
    assert abs(math.log(ratio(0.0, "complete cases")["value"])) < 3.0 / math.sqrt(ill)
    assert abs(math.log(ratio(0.5, "complete cases")["value"])) > 3.0 / math.sqrt(ill)


def test_the_result_holds_every_row_once_and_is_strict_json(found: dict[str, Any]) -> None:
    assert json.loads(json.dumps(found, allow_nan=False)) == found
    # 2 slopes, 2 sets of features, 4 logistic and 3 boosted models, on 10 groups, 10 and everybody.
    assert len(found["models"]) == 2 * 2 * 7 * (10 + 10 + 1)
    keys = {tuple(row[name] for name in demonstration.Key._fields) for row in found["models"]}
    assert len(keys) == len(found["models"])
    same = row_of(found, slope=0.5, features="linked", model="logistic", trained="everyone", tested="testable", who=ALL)
    assert same["less_everyone"]["auc"]["patients"] == [0.0, 0.0]
    for arm in found["loop"]["arms"].values():  # weights may come to tell so little that nothing is learnt any more
        assert arm["ended"] is not None if len(arm["generations"]) <= GENERATIONS else arm["ended"] is None
    assert len(found["loop"]["arms"]["naive"]["generations"]) == GENERATIONS + 1
    page = pages.markdown(found)
    assert page.count("| 0.5 | linked | logistic | known weights |") == 3
    assert len(picture(found).axes) == 4


@pytest.mark.parametrize("name", ARMS)
def test_whoever_is_sent_fills_the_capacity(name: str) -> None:
    risk = np.random.default_rng(2).beta(0.5, 10.0, 20_000)
    chance = sending(risk, ARMS[name])
    assert chance.mean() == pytest.approx(CAPACITY, abs=1e-4)
    assert chance.min() >= ARMS[name].audit
    order = np.argsort(risk)
    assert (np.diff(chance[order]) >= -1e-12).all()
    if ARMS[name].hard:
        assert set(np.round(chance, 6)) == {ARMS[name].audit, 1.0}
    assert ARMS["audited"].audit == AUDIT


def test_without_a_repair_a_hard_threshold_hardly_sees_what_the_model_does_not_read(found: dict[str, Any]) -> None:
    threshold = found["loop"]["arms"]["threshold"]["generations"]
    doctors = threshold[0]["found_normal"]["value"]  # they asked
    assert doctors > 0.05
    assert all(each["found_normal"]["value"] < doctors / 3.0 for each in threshold[1:])
    assert np.median([each["found_normal"]["value"] for each in threshold[1:]]) == 0.0


def test_seeds_may_run_side_by_side() -> None:
    work: Any = operator.neg  # any function of a seed
    found: list[Any] = list(in_order(work, range(3), 2))
    assert found == [0, -1, -2]


def test_what_cannot_be_learnt_is_an_error_with_the_count() -> None:
    with pytest.raises(UnknownNameError, match="weight_loss"):
        demonstrate("weight_los")
    with pytest.raises(WorkupError, match="0 seeds of 80000 patients"):
        demonstrate("weight_loss", seeds=0)
    with pytest.raises(WorkupError, match=r"of 40 patients are in the database|needs both|tell as much as"):
        demonstrate("weight_loss", patients=40, seeds=1)
    with pytest.raises(WorkupError, match="who is ill: 0 of 50; a model needs both"):
        logistic(np.zeros((50, 2)), np.zeros(50, bool), what="who is ill")
    with pytest.raises(WorkupError, match=r"50 weighted patients tell as much as 1\.0"):
        logistic(np.zeros((50, 2)), np.arange(50) < 5, np.where(np.arange(50) == 3, 1e6, 1.0), what="who is ill")
    with pytest.raises(WorkupError, match="3 of 100 predictions are no finite numbers"):
        judge(np.where(np.arange(100) < 3, np.nan, 0.1), np.arange(100) < 30, 0.03)
    assert judge(np.full(100, 0.1), np.arange(100) < 9, 0.03) is None


def test_a_missing_library_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sklearn.linear_model", None)
    with pytest.raises(WorkupError, match=r"pip install 'workup\[bias\]'"):
        logistic(np.zeros((50, 2)), np.arange(50) < 5, what="who is ill")


def test_the_command_writes_what_it_shows(
    found: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asked: dict[str, Any] = {}
    monkeypatch.setattr(demonstration, "demonstrate", lambda name, **settings: asked.update(settings) or found)
    monkeypatch.setenv("WORKUP_QUICK", "1")
    monkeypatch.setattr(sys, "argv", ["workup"])
    with pytest.raises(SystemExit) as ended:
        main(["bias", "weight_loss", "--json", str(tmp_path / "a.json"), "--out", str(tmp_path / "b")])
    assert ended.value.code == 0
    assert (asked["patients"], asked["seeds"]) == (20_000, 2)
    assert json.loads((tmp_path / "a.json").read_text()) == found
    assert {each.name for each in (tmp_path / "b").iterdir()} == {"bias.json", "bias.md", "bias.svg"}
    assert "effective size, known weights" in capsys.readouterr().out
    with pytest.raises(SystemExit):
        main(["bias", "weight_loss", "--figure", "picture.gif"])
    assert "expected a name that ends with .png or .svg" in capsys.readouterr().err
