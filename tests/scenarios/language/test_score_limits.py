"""How large a score may be, and what a requirement on one comes to where that can be counted."""

from __future__ import annotations

from math import comb
from typing import Any

import pytest

from workup.scenarios.language.points import Score
from workup.scenarios.language.score_requirements import written_out
from workup.scenarios.language.scores import Tally, tally
from workup.scenarios.language.vocabulary import Axis, LanguageError

AXES = {f"sign_{i}": Axis(f"sign_{i}", "finding", ("no", "yes")) for i in range(24)}
AXES["tablets"] = Axis("tablets", "act", ("no", "yes"))
AXES |= {f"grade_{i}": Axis(f"grade_{i}", "finding", tuple("abcdefgh")) for i in range(8)}


def score(*parts: dict[str, Any]) -> Tally:
    return tally("signs", Score.model_validate({"label": "Signs", "points": parts}), AXES)


def equal(n: int) -> dict[str, Tally]:
    """One point for each of n signs."""
    return {"signs": score(*({"when": {f"sign_{i}": "yes"}, "points": 1} for i in range(n)))}


@pytest.mark.parametrize(("n", "k"), [(3, 1), (3, 3), (5, 2), (7, 4), (8, 6)])
def test_k_of_n_signs_are_one_of_any_so_many(n: int, k: int) -> None:
    """At least k of n: of any n - k + 1 signs one is there. Below k: of any k signs one is absent."""
    reached = written_out({"signs": {"at_least": k}}, equal(n), AXES)
    assert len(reached) == comb(n, n - k + 1)
    assert all(len(group) == n - k + 1 and all(of == ["yes"] for of in group.values()) for group in reached)
    under = written_out({"signs": {"below": k}}, equal(n), AXES)
    assert len(under) == comb(n, k)
    assert all(len(group) == k and all(of == ["no"] for of in group.values()) for group in under)


def test_what_follows_from_another_requirement_is_left_out() -> None:
    """All three signs, or the first by itself: the first will do, and must be there."""
    assert written_out({"signs": {"at_least": 1}, "sign_0": "yes"}, equal(3), AXES) == (
        {"sign_0": ["yes"], "sign_1": ["yes"], "sign_2": ["yes"]},
    )
    assert written_out({"signs": {"at_least": 3}, "sign_0": "yes"}, equal(3), AXES) == ({"sign_0": ["yes"]},)


def test_items_and_acts_beside_a_score_keep_their_statuses() -> None:
    group = {"signs": {"at_least": 3}, "scan": ["failed", "refused"], "tablets": "done"}
    assert written_out(group, equal(3), AXES) == tuple(
        {f"sign_{i}": ["yes"], "scan": ["failed", "refused"], "tablets": ["done"]} for i in range(3)
    )


@pytest.mark.parametrize(("n", "k", "message"), [
    (9, 5, "comes to 126 requirements of plain facts, at most 62 can be treated; use a score of fewer parts"),
    (12, 6, "comes to more than 500 requirements of plain facts; use a score of fewer parts"),
    (17, 2, "has too many parts to be required; use a score of fewer parts"),
])  # fmt: skip
def test_a_requirement_that_comes_to_too_much_is_refused(n: int, k: int, message: str) -> None:
    with pytest.raises(LanguageError, match=message):
        written_out({"signs": {"at_least": k}}, equal(n), AXES)


def test_a_fault_of_another_clause_stands_under_its_name() -> None:
    with pytest.raises(LanguageError) as told:
        written_out({"signs": {"at_least": 2}, "sign_7": "maybe"}, equal(3), AXES)
    assert told.value.faults[0][0] == ("sign_7",)


def test_too_many_findings_together_are_refused() -> None:
    at_once = {"when": {f"grade_{i}": "a" for i in range(8)}, "points": 1}
    with pytest.raises(
        LanguageError, match="together, which makes more than 200,000 combinations; look at fewer"
    ) as told:
        score(at_once)
    assert told.value.faults[0][0] == ("points", 0)
    in_a_chain = ({"when": {f"sign_{i}": "yes", f"sign_{i + 1}": "yes"}, "points": 1} for i in range(20))
    with pytest.raises(LanguageError, match="together, which makes more than 200,000 combinations") as told:
        score(*in_a_chain)
    assert told.value.faults[0][0] == ("points",)


def test_many_findings_each_by_itself_are_no_trouble() -> None:
    assert equal(24)["signs"].greatest == 24
