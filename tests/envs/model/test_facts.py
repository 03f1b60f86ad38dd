from __future__ import annotations

import numpy as np
import pytest

from workup.envs.model.codes import FAILED, MISSING, NOT_ORDERED, PENDING, REFUSED, RESULT, UNKNOWN
from workup.envs.model.facts import compile_when, vocabulary, when_holds
from workup.envs.model.world import World
from workup.errors import UnknownNameError, WorkupError
from workup.scenarios.language.schema import When


def holds(world: World, when: When, *, status: dict[str, int] | None = None, **values: int) -> bool:
    row = np.full((1, len(world.model.observables)), UNKNOWN, np.int16)
    states = np.zeros((1, len(world.items)), np.uint8)
    for name, value in values.items():
        row[0, world.model.observables.index(name)] = value
    for name, code in (status or {}).items():
        states[0, world.item(name)] = code
    return bool(when_holds(world, when, row, states)[0])


def test_an_empty_condition_always_holds_and_no_alternatives_never(world: World) -> None:
    assert holds(world, {})
    assert not holds(world, ())


@pytest.mark.parametrize(
    ("clause", "codes"),
    [
        ("clear", [0]),
        (["inflammation", "mass"], [1, 2]),
        ({"not": ["mass"]}, [0, 1]),
        ({"not": "mass"}, [0, 1]),
        (["mass", "unknown"], [2, UNKNOWN, MISSING]),
        ("unknown", [UNKNOWN, MISSING]),
        ({"not": "unknown"}, [0, 1, 2]),
    ],
)
def test_clauses_on_a_finding(world: World, clause: object, codes: list[int]) -> None:
    for code in (0, 1, 2, UNKNOWN, MISSING):
        assert holds(world, {"ct_lungs": clause}, ct_lungs=code) == (code in codes)


@pytest.mark.parametrize(
    ("clause", "codes"),
    [
        ({"at_least": 100}, [4, 5, 6, 7]),
        ({"below": 25}, [0]),
        ({"at_least": 25, "below": 100}, [1, 2, 3]),
        ("raised", [1, 2, 3]),
        (["low", "high"], [0, 4, 5, 6, 7]),
    ],
)
def test_clauses_on_a_recorded_number(world: World, clause: object, codes: list[int]) -> None:
    for code in (*range(8), UNKNOWN):
        assert holds(world, {"crp": clause}, crp=code) == (code in codes)


@pytest.mark.parametrize(
    ("clause", "codes"),
    [
        ("not_done", [NOT_ORDERED]),
        ("pending", [PENDING]),
        ("done", [RESULT]),
        (["failed", "refused"], [FAILED, REFUSED]),
        ({"not": "done"}, [NOT_ORDERED, PENDING, FAILED, REFUSED]),
    ],
)
def test_clauses_on_an_item(world: World, clause: object, codes: list[int]) -> None:
    for code in range(5):
        assert holds(world, {"ct": clause}, status={"ct": code}) == (code in codes)


def test_and_within_a_mapping_or_between_mappings(world: World) -> None:
    both: When = {"fever": "yes", "crackles": "yes"}
    assert holds(world, both, fever=1, crackles=1)
    assert not holds(world, both, fever=1)
    either: When = ({"fever": "yes"}, {"crackles": "yes", "antibiotics": "done"})
    assert holds(world, either, fever=1)
    assert not holds(world, either, crackles=1)
    assert holds(world, either, crackles=1, status={"antibiotics": RESULT})


def test_a_batch_is_judged_row_by_row(world: World) -> None:
    rng = np.random.default_rng(0)
    values = rng.integers(-2, 2, (50, len(world.model.observables))).astype(np.int16)
    status = rng.integers(0, 5, (50, len(world.items))).astype(np.uint8)
    condition = compile_when({"film": "shadow", "ct": ["not_done", "failed"]}, vocabulary(world))
    film, ct = world.model.observables.index("film"), world.item("ct")
    expected = (values[:, film] == 1) & ((status[:, ct] == NOT_ORDERED) | (status[:, ct] == FAILED))
    np.testing.assert_array_equal(condition.holds(values, status), expected)


@pytest.mark.parametrize(
    ("when", "message"),
    [
        ({"feever": "yes"}, "feever.*did you mean 'fever'"),
        ({"kidney_disease": "yes"}, "nor a fact that anything reveals"),
        ({"fever": "maybe"}, "maybe"),
        ({"ct": "ordered"}, "ordered"),
        ({"crp": {"at_least": 60}}, "60 cuts through a band"),
        ({"fever": {"at_least": 1}}, "fever is not a number"),
    ],
)
def test_what_means_nothing_is_refused(world: World, when: When, message: str) -> None:
    with pytest.raises(WorkupError, match=message):
        compile_when(when, vocabulary(world))


def test_items_are_found_by_name(world: World) -> None:
    assert world.items[world.item("ct")] == "ct"
    with pytest.raises(UnknownNameError, match="did you mean 'chest_film'"):
        world.item("chest_filn")
