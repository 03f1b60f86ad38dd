"""Ceilings: closed forms against the plan's table, against simulation, and measures against scikit-learn."""

from __future__ import annotations

import ast
import math
import re
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from workup.errors import UnknownNameError, WorkupError
from workup.studies.fusion.ceilings import closed, simulated
from workup.studies.fusion.ceilings.__main__ import main
from workup.studies.fusion.ceilings.against import compared, every_missing
from workup.studies.fusion.ceilings.scores import SILENT, auroc, laid, log_loss, mixture, normal
from workup.studies.fusion.left_out import without
from workup.studies.fusion.tasks import TASKS
from workup.studies.fusion.tasks.records import Mechanism, Missing

PLANNED = {
    ("additive", "single:R"): (0.921,), ("additive", "late"): (0.977,), ("additive", "joint"): (0.977,), ("additive", "mean"): (0.974,),
    ("interaction", "single:R"): (0.760,), ("interaction", "late"): (0.841,), ("interaction", "joint"): (0.940,),
    ("one_biopsy", "single:P"): (0.746,), ("one_biopsy", "single:R"): (0.760,), ("one_biopsy", "late"): (0.861,),
    ("one_biopsy", "joint"): (0.898,),
    ("reading_context", "late"): (0.802,), ("reading_context", "joint"): (0.921,),
    ("shared_error", "single:P"): (0.841,), ("shared_error", "late"): (0.876,), ("shared_error", "joint"): (0.876,),
    ("weak", "joint"): (0.921,),
    ("shortcut", "joint"): (0.842, 0.822, 0.842), ("shortcut", "late"): (0.842, 0.822, 0.842),
    ("shortcut", "joint_with_mask"): (0.915, 0.745, 0.545),
    ("shortcut_interaction", "joint"): (0.877, 0.848, 0.877),
    ("value_ordered", "joint"): (0.857, 0.840, 0.857),
}  # fmt: skip
"""(Task, message class) -> AUROC under the policies in order, as planned, to three places, some of them from a simulation."""


worked = cache(closed.ceilings)


@pytest.mark.parametrize(("task", "message"), PLANNED, ids=str)
def test_closed_forms_are_as_planned(task: str, message: str) -> None:
    found = worked(task)[message]
    assert list(found) == list(TASKS[task].policies)
    assert [of["auroc"] for of in found.values()] == pytest.approx(PLANNED[task, message], abs=0.0013)


def test_what_else_was_planned() -> None:
    additive, question = closed.ceilings("additive"), closed.ceilings("question")
    assert [additive[m]["same"]["log_loss"] for m in ("joint", "mean")] == pytest.approx([0.193, 0.289], abs=5e-4)
    assert closed.ceilings("shared_error")["late"]["same"]["calibration_slope"] == pytest.approx(0.667, abs=5e-4)
    half = [
        closed.ceilings("interaction", Missing("mcar", 0.5, keep))["joint"]["same"]["auroc"] for keep in (True, False)
    ]
    assert half == pytest.approx([0.820, 0.785], abs=6e-4)
    assert question["joint"]["specific"]["auroc_by_question"] == pytest.approx(0.933, abs=5e-4)
    kept = [question["bottleneck:variance"][policy]["auroc"] for policy in ("broad", "specific")]
    assert kept == pytest.approx([0.933, 0.5], abs=5e-4)
    assert question["bottleneck:fine"]["specific"]["auroc_by_question"] == pytest.approx(0.608, abs=5e-4)


def test_the_worth_of_strategies_is_worked_out_by_hand() -> None:
    right = 1000 * 0.5 * (1 + math.erf(1.25 / math.sqrt(2)))
    by_hand = [500.0, (right + 500) / 2 - 100, right - 200, (2 * right - 300) / 2, right - 100]
    assert list(closed.benefits_gbp("branch").values()) == pytest.approx(by_hand, abs=1e-4)
    assert [round(each) for each in by_hand] == [500, 597, 694, 744, 794]
    control = closed.benefits_gbp("branch_control")
    assert control["personal"] - control["one"] == control["personal"] - control["order"] == 0.0
    assert control["one"] == pytest.approx(by_hand[-1], abs=1e-4)
    with pytest.raises(WorkupError, match="weak has no prices; expected branch or branch_control"):
        closed.benefits_gbp("weak")
    dear = closed.benefits_gbp("branch", cost_gbp=500.0)
    assert dear["personal"] == dear["none"] == 500.0, "nobody orders what costs more than it brings"


PATIENTS = 200_000


def room(found: float, measure: str, prevalence: float) -> float:
    """Four standard errors, or somewhat more. AUROC: at most that of Bamber, Journal of Mathematical Psychology 1975;12:387; the
    losses of single patients spread by about .25 and nine tenths of their mean."""
    if measure.startswith("auroc"):
        rarer = min(prevalence, 1 - prevalence) * PATIENTS
        return 4 * math.sqrt(max(found * (1 - found), 0.01) / rarer)
    return {"log_loss": 4 * (0.25 + 0.9 * found), "calibration_slope": 4 * 3.0, "benefit_gbp": 4 * 0.6}[
        measure
    ] / math.sqrt(PATIENTS)


@pytest.mark.parametrize("task", TASKS)
def test_simulation_agrees_with_the_closed_form(task: str) -> None:
    for found in compared(task, patients=PATIENTS, seed=4, missing=[None]):
        few = 3.0 if found.measure == "auroc_by_question" and found.policy != "broad" else 1.0
        assert found.distance < few * room(found.closed, found.measure, TASKS[task].prevalence), str(found)


@pytest.mark.parametrize(
    "missing",
    [*list(every_missing("shortcut_interaction"))[1:], Missing("mar", 0.8), Missing("outcome", 0.8, True)],
    ids=str,
)
def test_simulation_agrees_where_data_are_missing(missing: Missing) -> None:
    for found in compared("shortcut_interaction", patients=PATIENTS // 4, seed=4, missing=[missing]):
        assert found.distance < 2 * room(found.closed, found.measure, 0.3), str(found)


def test_a_history_that_is_in_no_record_is_as_good_as_none() -> None:
    unrecorded = Missing("mar", 0.5, True, recorded=False)
    for found in compared("shortcut_interaction", patients=PATIENTS // 4, seed=4, missing=[unrecorded]):
        assert found.distance < 2 * room(found.closed, found.measure, 0.3), str(found)
    told, untold = (closed.ceilings("interaction", Missing("mar", 0.5, True, recorded=r)) for r in (True, False))
    assert untold["joint"] == told["joint_no_history"]
    assert untold["joint_with_mask"] == told["joint_with_mask_no_history"]


@pytest.mark.parametrize("task", ["reading_context", "one_biopsy"])
def test_without_its_context_a_finding_is_worth_what_opinions_know(task: str) -> None:
    bare = simulated.ceilings(without(TASKS[task], "context"), patients=PATIENTS // 4, seed=4)
    assert bare["joint"]["same"] == pytest.approx(bare["late"]["same"], abs=1e-9)
    late = worked(task)["late"]["same"]
    for measure in ("auroc", "log_loss"):
        assert abs(bare["joint"]["same"][measure] - late[measure]) < 2 * room(late[measure], measure, 0.5)


def test_without_its_history_branch_is_a_guess_of_which_test_was_right() -> None:
    """Both tests lie on a grid; ranked by their odds, of two densities each."""
    x, step = np.linspace(-7.0, 7.0, 561, retstep=True)
    bell = {mean: np.exp(-0.5 * (x - mean) ** 2) * step / math.sqrt(2 * math.pi) for mean in (-1.25, 0.0, 1.25)}
    ill, well = (
        (0.5 * np.outer(bell[m], bell[0.0]) + 0.5 * np.outer(bell[0.0], bell[m])).ravel() for m in (1.25, -1.25)
    )
    by = np.argsort(ill / well, kind="stable")
    below = np.cumsum(well[by]) - 0.5 * well[by]
    expected = float(ill[by] @ below)
    found = simulated.ceilings(without(TASKS["branch"], "history"), patients=PATIENTS // 4, seed=4)["joint"]["same"]
    assert abs(found["auroc"] - expected) < 2 * room(expected, "auroc", 0.5)
    assert expected == pytest.approx(0.894, abs=0.001)


@pytest.mark.parametrize("mechanism", ["mcar", "outcome", "journeys"])
def test_a_rate_of_nothing_leaves_the_task_as_it_was(mechanism: Mechanism) -> None:
    whole, same = (closed.ceilings("shortcut_interaction", missing) for missing in (None, Missing(mechanism, 0.0)))
    assert set(whole) == set(same)
    for message, by_policy in whole.items():
        for policy, figures in by_policy.items():
            assert same[message][policy] == pytest.approx(figures, abs=2e-4), (message, policy)


def test_a_wrong_law_would_be_seen() -> None:
    truth = closed.ceilings("interaction")["joint"]["same"]["auroc"]
    other = simulated.ceilings("additive", patients=20_000)["joint"]["same"]["auroc"]
    assert abs(truth - other) > 4 * room(truth, "auroc", 0.5)


@pytest.mark.parametrize(("module", "never"), [
    ("simulated", {"closed", "scores", "laws", "patterns"}),
    ("closed", {"simulated", "tasks"}), ("scores", {"simulated", "tasks"}),
    ("laws", {"simulated", "tasks"}), ("patterns", {"simulated", "tasks"}),
])  # fmt: skip
def test_closed_forms_and_simulation_share_no_code(module: str, never: set[str]) -> None:
    tree = ast.parse((Path(closed.__file__).parent / f"{module}.py").read_text(encoding="utf-8"))
    typing_only = {id(inner) for node in tree.body if isinstance(node, ast.If) for inner in ast.walk(node)}
    imported = {
        part
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and id(node) not in typing_only
        for part in (*str(node.module).split("."), *(name.name for name in node.names))
    }
    assert not imported & never


def test_measures_of_simulation_are_those_of_scikit_learn() -> None:
    metrics, linear = pytest.importorskip("sklearn.metrics"), pytest.importorskip("sklearn.linear_model")
    rng = np.random.default_rng(1)
    label = (rng.random(3_000) < 0.3).astype(np.int64)
    score = np.round(rng.normal(size=3_000) + label, 1)
    assert simulated.auroc(score, label) == pytest.approx(metrics.roc_auc_score(label, score), abs=1e-12)
    p = 1 / (1 + np.exp(-score))
    assert simulated.log_loss(score, label) == pytest.approx(metrics.log_loss(label, p), abs=1e-12)
    fitted = linear.LogisticRegression(C=np.inf, tol=1e-10, max_iter=1000).fit(score[:, None], label)
    assert simulated.slope(score, label) == pytest.approx(float(fitted.coef_[0, 0]), abs=1e-5)


@pytest.mark.parametrize("d", [0.5, 1.0, 2.5])
def test_grids_lose_nothing(d: float) -> None:
    exact = normal(d)
    assert auroc(exact) == pytest.approx(0.5 * (1 + math.erf(d / 2)), abs=1e-7)
    for scores in (exact, exact.plus(normal(1.0)), mixture([(0.3, exact), (0.7, SILENT)])):
        assert auroc(laid(scores)) == pytest.approx(auroc(scores), abs=5e-5)
        assert log_loss(laid(scores), 0.3) == pytest.approx(log_loss(scores, 0.3), abs=1e-6)


def test_what_was_not_worked_out_is_refused() -> None:
    with pytest.raises(UnknownNameError, match="no closed form for a task 'interation'; did you mean 'interaction'"):
        closed.ceilings("interation")
    with pytest.raises(WorkupError, match="branch: no closed form where data go missing besides"):
        closed.ceilings("branch", Missing("mcar", 0.5))


def test_the_command_shows_every_figure_and_fails_where_they_are_apart(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["ceilings", "weak", "--patients", "2000"])
    assert main() == 1, "2,000 patients are too few for three places"
    told = capsys.readouterr().out
    assert re.search(r"weak +joint +same +auroc +0\.9214 +0\.9\d{3} ", told)
    assert re.search(r"^\d+ apart by more than 0\.001$", told, re.MULTILINE)
    monkeypatch.setattr("workup.studies.fusion.ceilings.__main__.WITHIN", 1.0)
    assert main() == 0
