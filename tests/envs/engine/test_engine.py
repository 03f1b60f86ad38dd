"""Rules of the engine (docs/DESIGN.md) on the tutorial, where every number can be read off the scenario."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from workup.envs.compile.compile import compile_world
from workup.envs.engine.engine import Engine
from workup.envs.engine.steps import reset_batch, step_batch
from workup.envs.engine.types import Budget, JourneyView, Step
from workup.envs.model.belief import posterior_weights
from workup.envs.model.cases import Cases
from workup.envs.model.codes import FAILED, MISSING, NOT_ORDERED, PENDING, REFUSED, RESULT, UNKNOWN
from workup.envs.model.population import Population
from workup.envs.model.world import World
from workup.envs.records.run import FunctionAgent, run_journeys
from workup.envs.testing.traces import FACTS, assert_same_trace, journey_steps, play, random_policy
from workup.envs.views.env import make_engine
from workup.errors import ImpossibleEvidence, WorkupError
from workup.scenarios.language.library import load_scenario
from workup.sensitivity.perturbation import replaced

FINDINGS = {
    "fever": "no",
    "haemoptysis": "yes",
    "crackles": "no",
    "crp": 0,
    "egfr": "normal",
    "film": "shadow",
    "ct_lungs": "mass",
}


def case(
    world: World, *, condition: str = "viral", wish: str = "accepts", kidneys: str = "no", **findings: Any
) -> Cases:
    """One patient, a never-smoker without an opacity, with all findings fixed (None: left to chance)."""
    model = world.model
    state = {"condition": condition, "scan_wish": wish, "kidney_disease": kidneys, "opacity": "no"}
    hidden = 0
    for name in model.hidden_variables:
        words = model.network.variable(name).values
        hidden += words.index(state[name]) * int(model.core_hidden_stride[model.core.index(name)])
    values = np.full((1, len(model.observables)), UNKNOWN, np.int16)
    for name, given in {**FINDINGS, **findings}.items():
        if given is not None:
            code = given if isinstance(given, int) else model.network.variable(name).values.index(given)
            values[0, model.observables.index(name)] = code
    return Cases(np.zeros(1, np.int32), np.array([hidden], np.int32), values)


class Walk:
    """One journey, an action at a time, by name."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.step: Step | None = None

    def do(self, *names: str) -> Step:
        """Take the named actions one after the other; each must be legal."""
        for name in names:
            assert self.legal(name), name
            self.step = self.engine.step(np.array([self.engine.action_names.index(name)]))
        assert self.step is not None
        return self.step

    def legal(self, name: str) -> bool:
        return bool(self.engine.mask[0, self.engine.action_names.index(name)])

    def view(self) -> JourneyView:
        return self.engine.journey_view()

    def status(self, item: str) -> int:
        return int(self.view().status[0, self.engine.world.item(item)])

    def value(self, name: str) -> int:
        return int(self.view().values[0, self.engine.world.model.observables.index(name)])


PRESENT = ("order history", "order examination")


def walk(world: World, cases: Cases | None = None, **settings: Any) -> Walk:
    return Walk(Engine(Population(world, cases), 1, **settings))


def test_a_journey_in_numbers_a_reader_can_check(world: World) -> None:
    journey = walk(world, case(world))
    history = journey.do("order history")
    assert history.components[0].tolist() == [-20.0, 0.0, 0.0, 0.0]
    journey.do("order examination")
    bloods = journey.do("set first_bloods")
    assert bloods.components[0].tolist() == [-(8 + 5 + 6), -3.0, 0.0, 0.0]  # one needle for both
    film = journey.do("order chest_film")
    np.testing.assert_allclose(film.components[0], [-35.0, -0.06, 0.0, 0.0])
    view = journey.view()
    assert view.clock_h[0] == pytest.approx(12 / 60 + 2 + 4)
    assert (view.tests[0], view.cost_gbp[0], view.dose_msv[0]) == (3, 84.0, 0.02)
    end = journey.do("decide reassure")
    assert end.terminated[0]
    assert not end.truncated[0]
    waited = (12 / 60 + 2 + 4) / 24
    progressed = 1 - 2 ** -(waited / 90)
    np.testing.assert_allclose(end.components[0], [0, 0, -waited, -5000 * progressed], rtol=1e-9, atol=1e-12)


def test_one_needle_for_orders_placed_at_the_same_moment(world: World) -> None:
    delayed = walk(world, case(world), results="delayed")
    delayed.do("order history", "wait", "order examination", "wait")
    assert delayed.do("order crp_test").components[0].tolist() == [-14.0, -3.0, 0.0, 0.0]
    assert delayed.do("order kidney_test").components[0].tolist() == [-5.0, 0.0, 0.0, 0.0]
    at_once = walk(world, case(world))
    at_once.do(*PRESENT, "order crp_test")
    assert at_once.do("order kidney_test").components[0].tolist() == [
        -11.0,
        -3.0,
        0.0,
        0.0,
    ]  # two hours later, a new needle


def test_several_results_pending_come_in_their_own_time(world: World) -> None:
    journey = walk(world, case(world), results="delayed")
    journey.do("order history")
    assert journey.status("history") == PENDING
    assert not journey.legal("order history")
    assert not journey.legal("decide reassure")
    journey.do("wait", "order examination", "wait")
    assert not journey.legal("wait")
    placed = journey.view().clock_h[0]
    journey.do("order chest_film", "set first_bloods")
    assert [journey.status(item) for item in ("chest_film", "crp_test", "kidney_test")] == [PENDING] * 3
    assert journey.value("crp") == UNKNOWN
    assert journey.view().clock_h[0] == placed
    journey.do("wait")  # both bloods are due after two hours, the film after four
    assert journey.view().clock_h[0] == pytest.approx(placed + 2)
    assert [journey.status(item) for item in ("chest_film", "crp_test", "kidney_test")] == [PENDING, RESULT, RESULT]
    journey.do("wait")
    assert journey.view().clock_h[0] == pytest.approx(placed + 4)
    assert journey.status("chest_film") == RESULT
    assert not journey.legal("wait")


def test_deciding_with_a_result_pending_pays_for_it(world: World) -> None:
    journey = walk(world, case(world), results="delayed")
    journey.do("order history", "wait", "order examination", "wait", "order chest_film", "decide reassure")
    assert journey.status("chest_film") == PENDING
    facts = journey.engine.ended(np.zeros(1, np.int64))
    assert (facts["cost_gbp"][0], facts["tests"][0]) == (65.0, 1)


def test_an_unknown_contraindication_bites_as_harm_at_the_end() -> None:
    place = ("investigations", "ct", "contraindicated", 0, "loss_gbp")  # of a finding lint asks for 0
    world = compile_world(replaced(load_scenario("tutorial"), place, lambda _: 300.0))
    ends = {}
    for egfr in ("low", "normal"):
        journey = walk(world, case(world, egfr=egfr))
        ct = journey.do(*PRESENT, "order chest_film", "order ct")
        ends[egfr] = (ct, journey.do("decide refer"))
    for name in ("observation", "reward", "mask"):
        np.testing.assert_array_equal(getattr(ends["low"][0], name), getattr(ends["normal"][0], name))
    harm = [float(ends[egfr][1].components[0, 1]) for egfr in ("low", "normal")]
    assert harm[0] == pytest.approx(harm[1] - 300.0)
    assert harm[1] == pytest.approx(-(0.002 * 2000 + 0.05 * 30))


def test_a_known_contraindication_makes_the_order_illegal(world: World) -> None:
    for egfr, legal in (("low", False), ("normal", True)):
        journey = walk(world, case(world, egfr=egfr))
        journey.do(*PRESENT, "order chest_film", "order kidney_test")
        assert journey.legal("order ct") is legal


def test_an_unknown_refusal_is_a_status_and_a_known_one_is_illegal(world: World) -> None:
    unasked = walk(world, case(world, wish="declines", ct_lungs=None))
    unasked.do(*PRESENT, "order chest_film")
    before = unasked.view()
    refused = unasked.do("order ct")
    assert unasked.status("ct") == REFUSED
    assert refused.reward[0] == 0.0
    for name in ("clock_h", "cost_gbp", "dose_msv", "tests", "values", "failures"):
        np.testing.assert_array_equal(getattr(unasked.view(), name), getattr(before, name))
    assert not unasked.legal("order ct")
    asked = walk(world, case(world, wish="declines", ct_lungs=None))
    asked.do(*PRESENT, "order chest_film")
    assert asked.legal("order ct")
    asked.do("act discuss_wishes")
    assert not asked.legal("order ct")


def test_a_requirement_opens_an_order(world: World) -> None:
    clear = walk(world, case(world, film="clear", haemoptysis="no"))
    clear.do(*PRESENT, "order chest_film")
    assert not clear.legal("order ct")
    assert walk(world, case(world, film="clear", haemoptysis="yes")).do(*PRESENT).mask[0, world.item("ct")]


def failing_patients(world: World, item: str, engine: Engine) -> NDArray[np.int64]:
    for name in PRESENT:
        engine.step(np.full(engine.num_envs, engine.action_names.index(name)))
    engine.step(np.full(engine.num_envs, engine.action_names.index(f"order {item}")))
    return np.flatnonzero(engine.journey_view().status[:, world.item(item)] == FAILED)


def test_a_failure_that_is_not_charged_costs_nothing_and_may_be_tried_again(world: World) -> None:
    failed = failing_patients(world, "kidney_test", make_engine("tutorial", 400))
    assert 8 < failed.size < 40  # one in twenty
    again = []
    for patient in failed:
        journey = walk(world)
        journey.engine.reset(patients=np.array([patient]))
        journey.do(*PRESENT)
        clock = journey.view().clock_h[0]
        assert journey.do("order kidney_test").reward[0] == 0.0
        assert (journey.view().clock_h[0], journey.view().tests[0], journey.value("egfr")) == (clock, 0, MISSING)
        assert journey.legal("order kidney_test")
        journey.do("order kidney_test")
        again.append(journey.status("kidney_test"))
        assert not journey.legal("order kidney_test")
    assert RESULT in again


def test_a_failed_attempt_that_is_charged_is_paid_for(world: World) -> None:
    scenario = load_scenario("tutorial")
    charged = scenario.availability["haemolysed"].model_copy(update={"charged": True})
    mechanisms = dict(scenario.availability) | {"haemolysed": charged}
    dear = compile_world(scenario.model_copy(update={"availability": mechanisms}))
    patient = int(failing_patients(dear, "kidney_test", Engine(dear, 400))[0])
    journey = walk(dear)
    journey.engine.reset(patients=np.array([patient]))
    journey.do(*PRESENT)
    assert journey.do("order kidney_test").components[0].tolist() == [-11.0, -3.0, 0.0, 0.0]
    assert journey.view().clock_h[0] == pytest.approx(2.2)
    assert journey.view().tests[0] == 1


def test_a_set_orders_what_is_left_of_it_and_needs_two(world: World) -> None:
    journey = walk(world, case(world))
    journey.do(*PRESENT)
    assert journey.legal("set first_bloods")
    journey.do("order crp_test")
    assert not journey.legal("set first_bloods")


def test_an_act_changes_the_law_of_what_is_measured_after_it(world: World) -> None:
    """The same random number is used under both laws: CRP in pneumonia is never higher after antibiotics."""
    after = world.model.observables.index("crp")
    results = {}
    for acts in ((), ("act antibiotics",)):
        engine = make_engine("tutorial", 3000)
        for name in (*PRESENT, *acts, "order crp_test"):
            engine.step(np.full(3000, engine.action_names.index(name)))
        view = engine.journey_view()
        assert (view.treated[:, after] == bool(acts)).all()
        results[acts] = view.values[:, after]
        engine.step(np.full(3000, len(world.actions) - 1))
        pneumonia = engine.ended(np.arange(3000))["condition"] == world.model.conditions.index("pneumonia")
    plain, treated = results.values()
    assert (plain[~pneumonia] == treated[~pneumonia]).all()
    assert (treated[pneumonia] <= plain[pneumonia]).all()
    assert (treated[pneumonia] < plain[pneumonia]).mean() > 0.5


def test_waiting_and_progression_follow_the_acts_done(world: World) -> None:
    journey = walk(world, case(world, condition="pneumonia"))
    journey.do(*PRESENT, "act antibiotics", "order chest_film")
    before, after = 12 / 60 + 5 / 60, 4.0
    view = journey.view()
    np.testing.assert_allclose(view.waiting_h[0], [before + after, before + 0.3 * after, before + after])
    np.testing.assert_allclose(view.progression_h[0], [before + 0.5 * after, before + after, before + after])
    end = journey.do("decide treat")
    assert end.components[0, 2] == pytest.approx(-150 / 24 * (before + 0.3 * after))
    assert end.components[0, 3] == pytest.approx(-0.01 * 20000 + 600)


def test_a_visit_begins_once_the_clock_has_moved_far_enough(world: World) -> None:
    journey = walk(world, case(world))
    journey.do(*PRESENT, "order chest_film")
    assert journey.view().visit[0] == 1
    journey.do("order ct")  # three days
    assert journey.view().visit[0] == 2


def test_stalling_is_truncated_and_scored_as_the_worst_decision(world: World) -> None:
    journey = walk(world, case(world, condition="lung_cancer"), max_steps=5)
    journey.do("order history")
    for left in range(3, -1, -1):
        step = journey.engine.step(np.array([0]))  # a second history is masked
        assert step.illegal[0]
        assert step.truncated[0] == (left == 0)
    assert not step.terminated[0]
    assert step.components[0, 3] == pytest.approx(-0.60 * 20000)  # reassurance is the worst for a cancer
    assert journey.engine.ended(np.zeros(1, np.int64))["decision"][0] == -1


@pytest.mark.parametrize("results", ["at_once", "delayed"])
@pytest.mark.parametrize("scenario", ["tutorial", "weight_loss"])
def test_the_end_is_charged_as_restated_by_truth_and_by_posterior(scenario: str, results: Any) -> None:
    engine = make_engine(scenario, 1, view="belief", results=results)
    world, checked = engine.world, 0
    policy = random_policy(world, stop=0.1, seed=2)
    for patient in range(40):
        unknown = np.zeros(len(world.contraindication), np.int64)
        journey = list(journey_steps(engine, patient, policy))
        for before, _, after in journey:
            ordered = np.isin(after.status[0], (PENDING, RESULT)) & ~np.isin(before.status[0], (PENDING, RESULT))
            for x, (item, o) in enumerate(world.contraindication):
                unknown[x] += ordered[item] and before.values[0, o] < 0
        _, trace, view = journey[-1]
        if view.failures.any():
            continue  # whether a failed attempt was charged is not told
        facts = engine.ended(np.zeros(1, np.int64))
        by_state = end_by_state(world, view, unknown, int(facts["decision"][0]))
        belief = posterior_weights(world.model, view.values, view.status, view.failures, view.treated)[0]
        expected = (by_state * belief).sum(axis=(1, 2))
        np.testing.assert_allclose(facts["components_at_end"][0, 1], expected, rtol=1e-9, atol=1e-7)
        true = by_state[:, facts["profile"][0], facts["hidden"][0]]
        parts = [0, 2, 3] if unknown.any() else [0, 1, 2, 3]  # only the patient knows an unknown contraindication
        np.testing.assert_allclose(facts["components_at_end"][0, 0][parts], true[parts], rtol=1e-9, atol=1e-7)
        spent = view.cost_gbp[0] * world.weights[0]
        total = np.array(trace.components).sum(axis=0)
        assert total[0] == pytest.approx(facts["components_at_end"][0, 0, 0] - spent)
        checked += 1
    assert checked > 25


def end_by_state(world: World, view: JourneyView, unknown: NDArray[np.int64], decision: int) -> NDArray[np.float64]:
    """(4, K, H) what the end charges in each state; unknown: (X,) orders placed before the contraindication was known."""
    model, carried = world.model, np.isin(view.status[0], (RESULT, PENDING))
    K, H = model.prior.shape
    cost, harm = world.late_cost_gbp[carried].sum(axis=0), world.late_harm_gbp[carried].sum(axis=0)
    for x, (_, o) in enumerate(world.contraindication):
        bad, v = world.contraindication_values[x], view.values[0, o]
        rows = model.value_rows.start[o] + model.value_rows.of_profile[o][:, None] + model.value_rows.of_hidden[o]
        chance = float(bad[v]) if v >= 0 else model.value_table[rows] @ bad[: model.value_table.shape[1]]
        harm = harm + unknown[x] * chance * world.contraindication_loss_gbp[x]
    delay, utility = np.zeros((K, H)), np.zeros((K, H))
    scores = world.utility_gbp.min(axis=0) if decision < 0 else world.utility_gbp[decision]
    benefit = world.benefit_gbp[(view.status[0] == RESULT)].sum(axis=0)
    each = H // len(model.conditions)
    for h in range(H):
        c, rest = divmod(h, each)
        rate = world.waiting_cost_gbp_per_h[c]
        if world.by_patient.waiting_gbp_per_h.size:
            rate = rate + world.by_patient.waiting_gbp_per_h[:, h]
        delay[:, h] = rate * view.waiting_h[0, c]
        utility[:, h] = scores[:, h] + benefit[c]
        worse = int(world.progresses_to[c])
        if worse >= 0:
            stays = np.exp(-world.progression_rate_per_h[c] * view.progression_h[0, c])
            utility[:, h] = stays * utility[:, h] + (1 - stays) * (scores[:, worse * each + rest] + benefit[worse])
    parts = np.array([-cost, -harm, -delay, utility])
    return np.asarray(parts * world.weights[:, None, None])


def test_scoring_by_the_posterior_has_the_same_mean(world: World) -> None:
    journeys = run_journeys(
        world, FunctionAgent("random", _act(random_policy(world, stop=0.15))), patients=np.arange(1500), seed=4
    )
    difference = (journeys.components - journeys.expected_components).sum(axis=1)
    assert abs(difference.mean()) < 3.5 * difference.std() / np.sqrt(difference.size)
    assert journeys.expected_components.sum(axis=1).var() < 0.6 * journeys.value.var()


def _act(policy: Any) -> Any:
    def act(view: JourneyView) -> NDArray[np.int64]:
        return np.array([policy(i, int(s), m) for i, (s, m) in enumerate(zip(view.step, view.mask, strict=True))])

    return act


@pytest.mark.parametrize("weights", [{"cost": 2.0, "harm": 0.5}, {"delay": 3.0, "utility": 0.1}], ids=str)
@pytest.mark.parametrize("score", ["truth", "posterior"])
def test_weights_scale_their_component_and_nothing_else(weights: dict[str, float], score: Any) -> None:
    plain, weighted = (
        play(
            make_engine("tutorial", 8, view="belief", score=score, weights=w),
            range(40),
            random_policy(make_engine("tutorial", 1).world),
        )
        for w in (None, weights)
    )
    factor = np.array([weights.get(name, 1.0) for name in ("cost", "harm", "delay", "utility")])
    for patient, trace in plain.items():
        other = weighted[patient]
        assert other.action == trace.action
        np.testing.assert_allclose(
            np.array(other.components), np.array(trace.components) * factor, rtol=1e-9, atol=1e-9
        )
        np.testing.assert_allclose(other.reward, np.array(other.components).sum(axis=1), atol=1e-9)


def test_the_triage_preset_scores_urgency_alone() -> None:
    engine = make_engine("tutorial", 1, preset="triage")
    for condition, decision, utility in (
        ("pneumonia", "treat", 0.0), ("pneumonia", "refer", -3000.0), ("lung_cancer", "reassure", -6000.0), ("viral", "support", -200.0),
    ):  # fmt: skip
        journey = walk(engine.world, case(engine.world, condition=condition))
        end = journey.do(*PRESENT, f"decide {decision}")
        assert end.components[0, 3] == pytest.approx(utility, abs=2.0)  # progression within twelve minutes


@pytest.mark.parametrize("budget", [{"cost_gbp": 60.0}, {"dose_msv": 0.01}, {"tests": 1}], ids=str)
@pytest.mark.parametrize("results", ["at_once", "delayed"])
def test_a_budget_is_never_exceeded_and_means_the_same_in_evaluation(
    world: World, budget: dict[str, float], results: Any
) -> None:
    policy = random_policy(world, stop=0.05)
    engine = make_engine("tutorial", 4, budget=budget, results=results)
    traces = play(engine, range(40), policy)
    by_patient = run_journeys(
        world,
        FunctionAgent("random", _act(policy)),
        patients=np.arange(40),
        seed=0,
        results=results,
        budget=Budget(**budget),  # type: ignore[arg-type]
        batch=40,
        record=True,
    )
    for name, limit in budget.items():
        spent = getattr(by_patient, name)
        assert spent.max() <= limit + 1e-9
        assert (
            getattr(run_journeys(world, FunctionAgent("r", _act(policy)), patients=np.arange(40), seed=0), name) > limit
        ).any()
    events = by_patient.events
    assert events is not None
    first = events.action[events.journey == 0].tolist()
    assert first == traces[0].action  # the one journey whose row is its patient for as long as the batch lasts


def test_journeys_that_are_left_alone_do_not_move(world: World) -> None:
    engine = make_engine("tutorial", 3, view="belief")
    before = engine.journey_view(observation=True)
    step = engine.step(np.array([-1, 0, -1]))
    after = engine.journey_view(observation=True)
    for name in (*FACTS, "observation", "mask", "step"):
        np.testing.assert_array_equal(getattr(after, name)[[0, 2]], getattr(before, name)[[0, 2]])
    assert step.reward[1] == -20.0
    assert not step.reward[[0, 2]].any()
    assert after.status[1, 0] == RESULT
    assert (after.status[[0, 2]] == NOT_ORDERED).all()


def test_what_a_step_handed_out_is_never_written_to_again(world: World) -> None:
    engine = make_engine("tutorial", 5, view="belief", autoreset="same_step")
    policy, kept = random_policy(world, stop=0.3), []
    mask = engine.mask
    for t in range(30):
        step = engine.step(np.array([policy(i, t, mask[i]) for i in range(5)]))
        kept.append((step, [np.copy(part) for part in step[:7]]))
        mask = step.mask
    for step, copies in kept:
        for part, copy in zip(step[:7], copies, strict=True):
            np.testing.assert_array_equal(part, copy)


def test_a_slot_is_as_new_after_a_reset(world: World) -> None:
    used, fresh = (make_engine("tutorial", 4, view="belief", results="delayed") for _ in range(2))
    play(used, range(100, 140), random_policy(world, illegal=0.2))
    again, once = (play(engine, range(12), random_policy(world)) for engine in (used, fresh))
    for patient, trace in once.items():
        assert_same_trace(trace, again[patient])


def test_seeds_and_patients_are_different_people(world: World) -> None:
    def people(**settings: Any) -> set[bytes]:
        traces = play(make_engine("tutorial", 30, **settings), range(30), random_policy(world))
        return {np.array(trace.observation).tobytes() for trace in traces.values()}

    assert len(people(seed=1)) > 25
    assert len(people(seed=1) & people(seed=2)) < 15


def test_facts_that_exclude_each_other_are_refused(world: World) -> None:
    impossible = case(world, wish="declines", ct_lungs="mass")  # a scan of somebody who refuses all scans
    journey = walk(world, impossible, view="belief")
    journey.do(*PRESENT, "order chest_film", "order ct")
    with pytest.raises(ImpossibleEvidence, match="patient 0"):
        journey.do("act discuss_wishes")


def test_settings_that_do_not_exist_are_all_named_at_once() -> None:
    with pytest.raises(WorkupError, match=r"(?s)num_envs is 0.*view is 'rwa'.*results is 'later'"):
        make_engine("tutorial", 0, view="rwa", results="later")  # type: ignore[arg-type]
    with pytest.raises(WorkupError, match="budget has money"):
        make_engine("tutorial", 1, budget={"money": 3.0})
    with pytest.raises(WorkupError, match="one per slot"):
        make_engine("tutorial", 2).step(np.zeros(3, np.int64))


def test_every_mode_shares_one_compiled_kernel() -> None:
    for settings in (
        {},
        {"budget": {"tests": 1}},
        {"view": "belief"},
        {"results": "delayed"},
        {"autoreset": "same_step"},
    ):
        make_engine("tutorial", 2, **settings).step(np.zeros(2, np.int64))
    assert len(step_batch.signatures) == 1
    assert len(reset_batch.signatures) == 1


def test_a_pending_order_says_that_it_did_not_fail_at_once(world: World) -> None:
    journey = walk(world, case(world, ct_lungs=None, wish="accepts"), results="delayed", view="belief")
    journey.do("order history", "wait", "order examination", "wait", "order chest_film", "wait", "order ct")
    assert journey.status("ct") == PENDING
    view = journey.view()
    status = view.status.copy()
    status[0, world.item("ct")] = NOT_ORDERED
    before = posterior_weights(world.model, view.values, status, view.failures, view.treated)[0]
    h = np.arange(before.shape[1])
    wish = h // world.model.core_hidden_stride[world.model.core.index("scan_wish")] % 2
    lies_flat = np.where(world.model.condition_of == world.model.conditions.index("pneumonia"), 0.92, 0.99)
    exact = before * (wish == 0) * lies_flat
    by_condition = exact.sum(axis=0).reshape(3, -1).sum(axis=1) / exact.sum()
    np.testing.assert_allclose(journey.engine.condition_posterior[0], by_condition, rtol=0, atol=1e-9)
