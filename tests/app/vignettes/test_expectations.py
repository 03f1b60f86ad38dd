"""What each kind of expectation means, on journeys through a tiny world written out by hand."""

from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest

from workup.envs.model.codes import FAILED, REFUSED, RESULT, UNKNOWN
from workup.envs.model.world import Action, World
from workup.envs.records.journeys import Events, Journeys
from workup.errors import UnknownNameError
from workup.scenarios.language.schema import Vignette
from workup.vignettes.expectations import Verdict, judge

ITEMS = ("history", "examination", "bloods", "xray", "ct", "biopsy")
TESTS = frozenset(ITEMS[2:])
DECISIONS = ("reassure", "refer")
FACTS = ("age", "red_flag")
ORDERS = (*((name, (index,)) for index, name in enumerate(ITEMS)), ("pictures", (3, 4)))


def world() -> World:
    """Six items, one order set of x-ray and CT, two decisions, two facts of which age is known at the start."""
    actions = [Action(f"{'set' if len(items) > 1 else 'order'} {name}", "set" if len(items) > 1 else "order", items)
               for name, items in ORDERS]  # fmt: skip
    actions += [Action(f"decide {name}", "decide", decision=d) for d, name in enumerate(DECISIONS)]
    named = {name: SimpleNamespace(label=name, complications={}) for name in ITEMS}
    scenario = SimpleNamespace(
        id="hand_made",
        investigations=named,
        acts={},
        order_sets={"pictures": SimpleNamespace(label="pictures", members=("xray", "ct"))},
        decisions={name: SimpleNamespace(label=name, worth=None) for name in DECISIONS},
        context={}, conditions={}, comorbidities={}, latent={}, findings={}, scores={},
    )  # fmt: skip
    return cast(
        World,
        SimpleNamespace(
            scenario=scenario, items=ITEMS, actions=tuple(actions), decisions=DECISIONS, weights=np.ones(4),
            preset="usual", model=SimpleNamespace(observables=FACTS, n_known_at_start=1),
            complication_names=("biopsy.bleed", "ct.bleed", "ct.rash"), complication_item=np.array([5, 4, 4]),
            complication_chance=np.array([0.05, 0.01, 0.5]).reshape(3, 1, 1),
        ),
    )  # fmt: skip


def journeys(*told: list[Any], cost_gbp: float = 0.0, harm_gbp: float = 0.0) -> Journeys:
    """Journeys from lists of steps: a name; (name, clock before it); or (name, clock, visit, red flag after it).

    A name ends with '!' where the patient refused and with '?' where no result came.
    """
    rows: list[tuple[Any, ...]] = []
    for journey, steps in enumerate(told):
        status, flag, clock, visit = np.zeros(len(ITEMS), np.uint8), UNKNOWN, 0.0, 0
        for number, step in enumerate(steps):
            given: Any = (step,) if isinstance(step, str) else step
            name, clock, visit, flag = cast(Any, (*given, *(clock, visit, flag)[len(given) - 1 :]))
            bare = name.rstrip("!?")
            action = [*(n for n, _ in ORDERS), *DECISIONS].index(bare)
            for item in () if bare in DECISIONS else ORDERS[action][1]:
                status = status.copy()
                status[item] = REFUSED if name.endswith("!") else FAILED if name.endswith("?") else RESULT
            rows.append((journey, number, action, visit, clock, np.array([1, flag], np.int16), status))
    return _journeys(rows, [steps[-1] for steps in told], cost_gbp, harm_gbp)


def _journeys(rows: list[tuple[Any, ...]], ends: list[Any], cost_gbp: float, harm_gbp: float) -> Journeys:
    journey, step, action, visit, clock, values, status = (np.array(column) for column in zip(*rows, strict=True))
    n, m = len(ends), len(rows)
    last = np.flatnonzero(np.append(journey[1:] != journey[:-1], True))
    components = np.tile([-cost_gbp, -harm_gbp, 0.0, 0.0], (n, 1))
    events = Events(
        journey=journey, step=step, action=action, propensity=np.ones(m), visit=visit, clock_h=clock, clock_after_h=clock,
        components=np.zeros((m, 4)), condition_posterior=np.ones((m, 1)), values=values,
        numbers=np.full((m, len(FACTS)), np.nan, np.float32), status=status,
    )  # fmt: skip
    tests = [len({ITEMS[i] for i in np.flatnonzero(status[row])} & TESTS) for row in last]
    names = [end if isinstance(end, str) else end[0] for end in ends]
    zeros = np.zeros(n, np.int32)
    return Journeys(
        world=world(), agent="by hand", seed=0, patient=np.arange(n), condition=zeros, profile=zeros, hidden=zeros,
        decision=np.array([DECISIONS.index(name) if name in DECISIONS else -1 for name in names], np.int32),
        value=components.sum(axis=1), components=components, expected_components=components,
        condition_posterior=np.ones((n, 1)), cost_gbp=np.full(n, cost_gbp), dose_msv=np.zeros(n),
        tests=np.array(tests, np.int32), clock_h=clock[last], values=values[last], status=status[last],
        v0=np.zeros(n), v0_open=np.zeros(n), events=events,
    )  # fmt: skip


def vignette(*expect: dict[str, Any], decide: tuple[str, ...] = DECISIONS, **ceilings: Any) -> Vignette:
    """A vignette with these expectations; any decision will do unless told otherwise."""
    return Vignette.model_validate(
        {"title": "t", "story": "s", "condition": "c", "expect": expect, "decide": decide, "ceilings": ceilings,
         "why": "because"}
    )  # fmt: skip


START = ["history", "examination"]


def flagged(world: Any, when: Any, values: Any, status: Any) -> Any:
    """Stands for `when: {red_flag: yes}`."""
    return values[:, 1] == 1


def verdict(found: Journeys, **expectation: Any) -> Verdict:
    return judge(vignette(expectation), found, flagged)[0]


def fails(*told: list[Any], **expectation: Any) -> list[bool]:
    return verdict(journeys(*told), **expectation).fails.tolist()


def test_must_means_every_name_at_some_time_whatever_came_of_it() -> None:
    assert fails([*START, "bloods", "refer"], [*START, "refer"], must=["history", "bloods"]) == [False, True]
    assert fails([*START, "bloods!", "refer"], [*START, "bloods?", "refer"], must=["bloods"]) == [False, False]


def test_an_order_set_stands_for_all_of_its_members() -> None:
    told = [[*START, "xray", "refer"], [*START, "xray", "ct", "refer"], [*START, "pictures", "refer"]]
    assert fails(*told, must=["pictures"]) == [True, False, False]
    assert fails(*told, must_not=["pictures"]) == [True, True, True]
    assert fails(*told, one_of=["pictures", "biopsy"]) == [True, False, False]


def test_a_set_orders_only_what_was_not_ordered_before() -> None:
    found = verdict(journeys([*START, "xray", "pictures", "refer"]), must_not=["ct"])
    assert found.step.tolist() == [3]
    assert fails([*START, "xray", "ct", "pictures", "biopsy", "refer"], before=["ct", "biopsy"]) == [False]


def test_must_not_names_the_step_and_must_hold_in_every_draw() -> None:
    good, bad = [*START, "bloods", "reassure"], [*START, "bloods", "ct", "refer"]
    found = verdict(journeys(*[good] * 199, bad), must_not=["ct", "biopsy"])
    assert (found.fails.sum(), found.step[199], found.what(199)) == (1, 3, "ordered: ct")
    assert not found.passed


def test_the_rest_hold_in_at_least_95_percent_of_draws() -> None:
    good, bad = [*START, "bloods", "refer"], [*START, "refer"]
    assert verdict(journeys(*[good] * 190, *[bad] * 10), must=["bloods"]).passed
    assert not verdict(journeys(*[good] * 189, *[bad] * 11), must=["bloods"]).passed


def test_before_fails_only_if_the_second_came_first_or_at_the_same_step() -> None:
    told = [
        [*START, "xray", "ct", "refer"],
        [*START, "ct", "xray", "refer"],
        [*START, "pictures", "refer"],
        [*START, "ct", "refer"],
        [*START, "refer"],
    ]
    assert fails(*told, before=["xray", "ct"]) == [False, True, True, True, False]


def test_within_counts_hours_from_the_start_to_the_order() -> None:
    told: list[list[Any]] = [[*START, ("ct", 24.0), "refer"], [*START, ("ct", 24.1), "refer"], [*START, "refer"]]
    found = verdict(journeys(*told), within={"ct": "1 day"})
    assert found.fails.tolist() == [False, True, True]
    assert found.what(2) == "ct: never ordered"


def test_when_counts_from_the_moment_the_fact_is_revealed() -> None:
    late_flag = [("history", 0.0, 0, 0), "examination", "ct", ("bloods", 0.0, 0, 1), "refer"]
    early_flag = [("history", 0.0, 0, 1), "examination", "ct", "refer"]
    never = [("history", 0.0, 0, 0), "examination", "ct", "refer"]
    told = [late_flag, early_flag, never]
    when = {"red_flag": "yes"}
    found = verdict(journeys(*told), must_not=["ct"], when=when)
    assert (found.counts.tolist(), found.fails.tolist()) == ([True, True, False], [False, True, False])
    assert fails(*told, must=["ct"], when=when) == [False, False, False]  # before the moment will do
    assert fails(*told, must=["biopsy"], when=when) == [True, True, False]
    assert fails(*told, before=["biopsy", "ct"], when=when) == [False, True, False]


def test_a_fact_revealed_by_the_order_itself_does_not_forbid_it() -> None:
    assert fails([*START, ("ct", 0.0, 0, 1), "refer"], must_not=["ct"], when={"red_flag": "yes"}) == [False]


def test_the_95_percent_are_of_the_draws_in_which_it_counts() -> None:
    flag = [("history", 0.0, 0, 1), "examination", "refer"]
    calm = [("history", 0.0, 0, 0), "examination", "reassure"]
    found = verdict(journeys(*[calm] * 196, *[flag] * 4), must=["ct"], when={"red_flag": "yes"})
    assert (found.counts.sum(), found.fails.sum(), found.passed) == (4, 4, False)


def test_at_looks_at_one_visit_alone() -> None:
    later = [*START, "bloods", ("ct", 300.0, 1), "refer"]
    assert fails(later, must_not=["ct"], at=1) == [False]
    assert fails(later, must_not=["ct"], at=2) == [True]
    assert fails(later, must=["ct"], at=1) == [True]
    assert fails(later, must=["bloods"], at=3) == [True]  # a visit that never came holds no order


def test_decisions_and_journeys_without_one() -> None:
    found = journeys([*START, "reassure"], [*START, "refer"], [*START, "bloods"])
    judged = judge(vignette({"must": ["history"]}, decide=("reassure",)), found, flagged)[1]
    assert judged.fails.tolist() == [False, True, True]
    assert (judged.what(1), judged.what(2)) == ("decided: refer", "no decision was made")


@pytest.mark.parametrize(("ceiling", "holds"), [
    ({"cost_gbp": 60}, True), ({"cost_gbp": 59.9}, False), ({"harm_gbp": 5}, True), ({"harm_gbp": 4}, False),
    ({"tests": 2}, True), ({"tests": 1}, False), ({"tests": 0}, False), ({"dose_msv": 0}, True),
])  # fmt: skip
def test_ceilings_hold_up_to_the_limit(ceiling: dict[str, Any], holds: bool) -> None:
    found = journeys([*START, "bloods", "xray", "refer"], cost_gbp=60.0, harm_gbp=5.0)
    assert judge(vignette({"must": ["history"]}, **ceiling), found, flagged)[2].passed is holds


def test_history_and_examination_are_no_tests() -> None:
    found = journeys([*START, "reassure"])
    assert judge(vignette({"must": ["history"]}, tests=0), found, flagged)[2].passed


def test_risk_sums_chances_over_orders_and_spares_who_refused() -> None:
    found = journeys([*START, "ct", "biopsy?", "biopsy", "refer"], [*START, "ct", "biopsy!", "refer"])
    judged = judge(vignette({"must": ["history"]}, risk={"bleed": 0.05}), found, flagged)[2]
    assert judged.what(0) == "risk of bleed came to 11.00%"  # one CT and two tries of a biopsy
    assert judged.fails.tolist() == [True, False]
    with pytest.raises(UnknownNameError, match=r"biopsy\.bleed"):
        judge(vignette({"must": ["history"]}, risk={"fall": 0.05}), found, flagged)


def test_unknown_names_are_refused() -> None:
    with pytest.raises(UnknownNameError, match="mri"):
        verdict(journeys([*START, "refer"]), must=["mri"])


def test_words_say_when_and_where() -> None:
    found = verdict(journeys([*START, "refer"]), must=["ct", "xray"], at=2, when={"red_flag": "yes"})
    assert found.text == "must do ct and xray, once red flag is yes, at visit 2"
    assert np.isclose(found.counts.sum(), 0)
