"""Scores against a plain simulation: every way in which what is not known may turn out is added up by hand."""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
import pytest

from workup.envs.model.codes import MISSING, UNKNOWN
from workup.envs.model.facts import ScoreClause, Vocabulary, compile_when, vocabulary
from workup.envs.model.world import World
from workup.scenarios.language.points import Score
from workup.scenarios.language.score_requirements import written_out
from workup.scenarios.language.scores import Tally, tally
from workup.scenarios.language.totals import allowed_totals
from workup.scenarios.language.vocabulary import LanguageError

VARIABLES = ("smoked", "fever", "haemoptysis", "crackles", "egfr", "ct_lungs", "crp")
FACTS = 12
"""Journeys in which each score is looked at."""


class Part(NamedTuple):
    """Points for those whose values all lie in the sets, by hand; a table is one part for each value."""

    sets: dict[str, frozenset[int]]
    points: float


class Drawn(NamedTuple):
    """A score as written, and as parts."""

    score: Score
    parts: list[Part]
    names: list[str]


def draw(rng: np.random.Generator, values: dict[str, tuple[str, ...]], *, joint: bool = True) -> Drawn:
    """A score of two to five parts over a few variables."""
    pool = rng.choice(VARIABLES, 4, replace=False).tolist()
    written: list[dict[str, Any]] = []
    parts: list[Part] = []
    for _ in range(rng.integers(2, 6)):
        name, *others = rng.permutation(pool).tolist()
        points = float(rng.choice([-2, -1, -0.5, 1, 1.5, 2, 3]))
        if rng.random() < 0.4:
            each = rng.integers(-1, 4, len(values[name])).astype(float)
            each[0] += float(np.ptp(each) == 0)
            written.append({"of": name, "points": dict(zip(values[name], each.tolist(), strict=True))})
            parts += [Part({name: frozenset({v})}, float(p)) for v, p in enumerate(each)]
            continue
        sets, when = {}, {}
        for one in [name, *others[: int(joint and rng.random() < 0.4)]]:
            chosen = rng.permutation(len(values[one]))[: rng.integers(1, len(values[one]))].tolist()
            left = [word for v, word in enumerate(values[one]) if v not in chosen]
            sets[one] = frozenset(chosen)
            when[one] = {"not": left} if rng.random() < 0.5 else [values[one][v] for v in chosen]
        written.append({"when": when, "points": points})
        parts.append(Part(sets, points))
    score = Score.model_validate({"label": "Drawn", "points": written})
    return Drawn(score, parts, sorted({name for part in parts for name in part.sets}))


def totals(drawn: Drawn, values: dict[str, tuple[str, ...]], known: dict[str, int]) -> list[float]:
    """The total of every way in which what is not known may turn out."""
    options = [[known[name]] if name in known else range(len(values[name])) for name in drawn.names]
    ways = (dict(zip(drawn.names, way, strict=True)) for way in itertools.product(*options))
    return [
        sum(part.points for part in drawn.parts if all(way[name] in of for name, of in part.sets.items()))
        for way in ways
    ]


def drawn_scores(world: World, seed: int, **how: Any) -> tuple[np.random.Generator, Vocabulary, Drawn, Tally]:
    words, rng = vocabulary(world), np.random.default_rng(seed)
    values = {name: words.axes[name].values for name in VARIABLES}
    while True:
        drawn = draw(rng, values, **how)
        try:
            found = tally("drawn", drawn.score, words.axes)
        except LanguageError:  # a table that gives every value the same
            continue
        if found.greatest - found.least >= 2:
            return rng, replace(words, tallies={"drawn": found}), drawn, found


def with_words(found: Tally, low: float, high: float) -> Tally:
    return Tally(found.name, found.components, {"low": (-np.inf, low), "middle": (low, high), "high": (high, np.inf)})


def knowing(rng: np.random.Generator, world: World, words: Vocabulary) -> tuple[np.ndarray, list[dict[str, int]]]:
    """Values of some journeys, and the same by name."""
    rows = np.full((FACTS, len(world.model.observables)), UNKNOWN, np.int16)
    for row in rows:
        row[rng.random(len(row)) < 0.2] = MISSING
        for name in VARIABLES:
            if rng.random() < 0.6:
                row[words.observables[name]] = rng.integers(len(words.axes[name].values))
    return rows, [
        {name: int(row[words.observables[name]]) for name in VARIABLES if row[words.observables[name]] >= 0}
        for row in rows
    ]


@pytest.mark.parametrize("seed", range(30))
def test_a_clause_holds_if_every_way_in_which_the_rest_may_turn_out_meets_it(world: World, seed: int) -> None:
    rng, words, drawn, found = drawn_scores(world, seed)
    values = {name: words.axes[name].values for name in VARIABLES}
    everything = totals(drawn, values, {})
    assert (min(everything), max(everything)) == (found.least, found.greatest)
    low, high = found.least + np.sort(
        rng.choice(np.arange(0.5, found.greatest - found.least + 0.1, 0.5), 2, replace=False)
    )
    words = replace(words, tallies={"drawn": with_words(found, low, high)})
    rows, facts = knowing(rng, world, words)
    status = np.zeros((FACTS, len(world.items)), np.uint8)
    ways = [totals(drawn, values, known) for known in facts]
    least, greatest = (np.array([end(way) for way in ways]) for end in (min, max))
    in_a_word = (greatest < low) | ((least >= low) & (greatest < high)) | (least >= high)
    for clause, expected in (
        ({"at_least": low}, [all(total >= low for total in way) for way in ways]),
        ({"below": high}, [all(total < high for total in way) for way in ways]),
        ({"at_least": low, "below": high}, [all(low <= total < high for total in way) for way in ways]),
        ({"not": {"at_least": low}}, [all(total < low for total in way) for way in ways]),
        ("middle", [all(low <= total < high for total in way) for way in ways]),
        (["low", "middle"], [all(total < high for total in way) for way in ways]),
        ({"not": "middle"}, (greatest < low) | (least >= high)),
        ("unknown", ~in_a_word),
        (["high", "unknown"], (least >= high) | ~in_a_word),
    ):
        held = compile_when({"drawn": clause}, words).holds(rows, status)
        np.testing.assert_array_equal(held, expected, err_msg=str(clause))


@pytest.mark.parametrize("seed", range(30))
def test_a_requirement_in_plain_facts_is_met_when_the_score_is(world: World, seed: int) -> None:
    """Written out and as it stands, beside another fact that may also do."""
    rng, words, drawn, found = drawn_scores(world, seed, joint=False)
    values = {name: words.axes[name].values for name in VARIABLES}
    assert all(len(part.names) == 1 for part in found.components)
    steps = found.least + np.arange(0.5, found.greatest - found.least + 0.1, 0.5)
    low, high = np.sort(rng.choice(steps, 2, replace=False)).tolist()
    rows, facts = knowing(rng, world, words)
    status = np.zeros((FACTS, len(world.items)), np.uint8)
    clauses: tuple[dict[str, Any], ...] = (
        {"at_least": low},
        {"below": high},
        {"at_least": low, "below": high},
        {"not": {"at_least": low, "below": high}},
    )
    for clause in clauses:
        for group in ({"drawn": clause}, {"drawn": clause, "fever": "yes"}, {"film": "shadow", "drawn": clause}):
            plain = written_out(group, words.tallies, words.axes)
            assert all("drawn" not in one for one in plain)
            held = compile_when(tuple({name: of} for name, of in group.items()), words).holds(rows, status)
            for row, known in enumerate(facts):
                ways = totals(drawn, values, known)
                least, greatest = min(ways), max(ways)
                reached, under = least >= clause.get("at_least", -99), greatest < clause.get("below", 99)
                by_score = greatest < low or least >= high if "not" in clause else reached and under
                fever = "fever" in group and known.get("fever") == 1
                assert held[row] == (
                    by_score or fever or ("film" in group and rows[row, words.observables["film"]] == 1)
                )
                met = all(
                    any(
                        rows[row, words.observables[name]] >= 0
                        and words.axes[name].values[rows[row, words.observables[name]]]
                        in (of if isinstance(of, list) else [of])
                        for name, of in one.items()
                    )
                    for one in plain
                )
                assert met == held[row], (clause, group, plain)


@pytest.mark.parametrize("seed", range(20))
def test_what_may_hold_is_never_ruled_out(world: World, seed: int) -> None:
    """`may_hold` is true wherever some of the findings named would make the clause hold."""
    rng, words, _drawn, found = drawn_scores(world, seed)
    low = float(found.least + rng.choice(np.arange(0.5, found.greatest - found.least + 0.1, 0.5)))
    (clause,) = compile_when({"drawn": {"at_least": low}}, words).alternatives[0]
    codes = {
        words.observables[name]: rng.choice([UNKNOWN, *range(len(words.axes[name].values))], 2).tolist()
        for name in found.variables
    }
    rows = np.full((2 ** len(codes), len(world.model.observables)), UNKNOWN, np.int16)
    for row, way in zip(rows, itertools.product(*codes.values()), strict=True):
        row[list(codes)] = way
    could = clause.holds(rows, np.zeros((len(rows), len(world.items)), np.uint8)).any()
    assert isinstance(clause, ScoreClause)
    assert clause.may_hold(codes.__getitem__) == could  # one end alone: the parts that help do not exclude each other


def test_a_requirement_of_many_even_parts_is_refused_with_what_to_do(world: World) -> None:
    words = vocabulary(world)
    parts = [{"when": {name: words.axes[name].values[-1]}, "points": 1 + i / 7} for i, name in enumerate(VARIABLES)]
    score = Score.model_validate({"label": "Many", "points": parts})
    found = {"many": tally("many", score, words.axes)}
    assert len(written_out({"many": {"at_least": 2}}, found, words.axes)) > 1
    wide = {**found, "more": replace(found["many"], name="more")}
    with pytest.raises(LanguageError, match="requirements of plain facts; use a score of fewer parts"):
        written_out({"many": {"at_least": 5}, "more": {"at_least": 5.1}}, wide, words.axes)


def test_of_a_part_that_looks_at_two_findings_the_range_is_exact(world: World) -> None:
    """Points for one finding and, at most, for its opposite: never both."""
    words = vocabulary(world)
    parts = [
        {"when": {"fever": "yes", "crackles": "yes"}, "points": 3},
        {"when": [{"fever": "no"}, {"crackles": "no"}], "points": 2},
    ]
    found = tally("pair", Score.model_validate({"label": "Pair", "points": parts}), words.axes)
    assert (found.least, found.greatest) == (2, 3)
    assert found.variables == ("fever", "crackles")
    with pytest.raises(LanguageError, match="so that this cut-off parts nobody from anybody"):
        allowed_totals(found, {"at_least": 4})
