"""The journey so far as text and as a picture: at every step, the same every time, and nothing that is still hidden."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from support.shipped import IN_FULL, SCENARIOS, some

from workup.envs.engine.engine import Engine
from workup.envs.model.cases import Cases
from workup.envs.model.codes import UNKNOWN
from workup.envs.model.population import Population
from workup.envs.testing.traces import random_policy
from workup.envs.views.env import JourneyEnv
from workup.envs.views.picture import notes
from workup.envs.views.story import Story
from workup.envs.views.text import as_text
from workup.scenarios.language.words.phrases import Phrases

HEIGHT, WIDTH = 700, 1200


def journey(
    env: JourneyEnv, patient: int, *, seed: int = 0, stop: float = 0.05, **settings: Any
) -> Iterator[JourneyEnv]:
    """The environment at its start and after every step of a random journey."""
    _, info = env.reset(seed=1, options={"patient": patient})
    policy = random_policy(env.engine.world, seed=seed, stop=stop, illegal=0.1)
    yield env
    step, over = 0, False
    while not over:
        *_, terminated, truncated, info = env.step(policy(patient, step, info["action_mask"]))
        step, over = step + 1, terminated or truncated
        yield env


def story_of(env: JourneyEnv) -> Story:
    assert env._story is not None
    return env._story


def shorter(scenario: str) -> float:
    """The chance of stopping at each step: a picture takes a quarter of a second, so most journeys are short."""
    return 0.05 if scenario in IN_FULL else 0.15


def shown(env: JourneyEnv, patient: int, scenario: str, **settings: Any) -> list[Any]:
    """A journey as it is rendered: at every step, but pictures of most scenarios at the last three alone.

    A picture holds all steps before it; the journey is walked once to find where it ends.
    """
    every = env.render_mode == "ansi" or scenario in IN_FULL
    first = 0 if every else sum(1 for _ in journey(env, patient, **settings)) - 3
    return [env.render() for step, _ in enumerate(journey(env, patient, **settings)) if step >= first]


BELIEF_DELAYED = [(name, "belief", "delayed") for name in SCENARIOS]
MODES = [(name, "raw", "at_once") for name in IN_FULL] + BELIEF_DELAYED


@pytest.mark.parametrize(("scenario", "view", "results"), MODES)
def test_steps_have_pictures_of_one_size(scenario: str, view: str, results: str) -> None:
    env = JourneyEnv(scenario, render_mode="rgb_array", view=view, results=results)
    frames = shown(env, 2, scenario, stop=shorter(scenario))
    assert len(frames) >= 3
    assert {(frame.shape, frame.dtype) for frame in frames} == {((HEIGHT, WIDTH, 3), np.dtype(np.uint8))}
    for earlier, later in pairwise(frames):
        assert (earlier != later).any()


@pytest.mark.parametrize(("scenario", "view", "results"), MODES)
def test_text_tells_every_order_by_its_name(scenario: str, view: str, results: str) -> None:
    env = JourneyEnv(scenario, render_mode="ansi", view=view, results=results)
    label = Phrases(env.engine.world.scenario).label
    for patient in range(some(scenario, 10, 5)):
        for _ in journey(env, patient):
            text = " ".join(env.render().split())
            for moment in story_of(env).moments:
                for order in moment.orders:
                    assert label(env.engine.world.items[order.item]) in text
                    for fact in order.results:
                        assert len(order.results) == 1 or fact.label in text
                        assert fact.value == "no" or fact.value in text


@pytest.mark.parametrize("mode", ["ansi", "rgb_array"])
def test_looking_changes_nothing(mode: Any) -> None:
    watched, unseen = (JourneyEnv("tutorial", render_mode=m, view="belief") for m in (mode, None))
    for patient in range(2):
        both = zip(journey(watched, patient), journey(unseen, patient), strict=True)
        for one, other in both:
            before = one.engine.journey_view()
            one.render()
            for shown, plain in zip(vars(before).values(), vars(other.engine.journey_view()).values(), strict=True):
                np.testing.assert_array_equal(shown, plain)
            np.testing.assert_array_equal(one.engine.observation, other.engine.observation)
            np.testing.assert_array_equal(one.action_masks(), other.action_masks())


@pytest.mark.parametrize("mode", ["ansi", "rgb_array"])
def test_the_same_journey_looks_the_same(mode: Any) -> None:
    one, other = (JourneyEnv("tutorial", render_mode=mode, view="belief") for _ in range(2))
    for _ in zip(journey(one, 3), journey(other, 3), strict=True):
        first = one.render()
        assert np.array_equal(first, one.render())
        assert np.array_equal(first, other.render())


# ---------------------------------------------------------------- nothing hidden


def alike_and_not(world: Any, rng: np.random.Generator) -> tuple[Cases, Cases]:
    """One patient with every finding fixed, and one with the same findings whose condition is another."""
    k, h = divmod(int(rng.choice(world.model.prior.size, p=world.model.prior.ravel())), world.model.prior.shape[1])
    others = np.flatnonzero((world.model.condition_of != world.model.condition_of[h]) & (world.model.prior[k] > 0))
    values = np.full((1, len(world.model.observables)), UNKNOWN, np.int16)
    for o in range(values.shape[1]):
        rows = world.model.value_rows
        law = world.model.value_table[rows.start[o] + rows.of_profile[o, k] + rows.of_hidden[o, h]]
        values[0, o] = rng.choice(len(law), p=law / law.sum())
    profile = np.array([k], np.int32)
    one, other = (Cases(profile, np.array([hidden], np.int32), values) for hidden in (h, int(rng.choice(others))))
    return one, other


def told(env: JourneyEnv, cases: Cases, scenario: str, stop: float) -> list[NDArray[np.uint8] | str]:
    env.engine = Engine(Population(env.engine.world, cases), 1, view="belief")
    return shown(env, 0, scenario, seed=7, stop=stop)


@pytest.mark.parametrize("scenario", SCENARIOS)
@pytest.mark.parametrize("mode", ["ansi", "rgb_array"])
def test_the_condition_is_not_shown_before_the_end(scenario: str, mode: Any) -> None:
    patients, stop = (some(scenario, 20, 8), 0.1) if mode == "ansi" else (1, 2 * shorter(scenario))
    env = JourneyEnv(scenario, render_mode=mode, view="belief")
    rng = np.random.default_rng(2)
    for _ in range(patients):
        one, other = (told(env, cases, scenario, stop) for cases in alike_and_not(env.engine.world, rng))
        assert all(np.array_equal(a, b) for a, b in zip(one[:-1], other[:-1], strict=True))
        assert not np.array_equal(one[-1], other[-1])  # the end says what was true


def test_the_end_says_what_was_true_and_whether_the_decision_was_right() -> None:
    env = JourneyEnv("tutorial", render_mode="ansi")
    for patient in range(5):
        *_, last = journey(env, patient)
        ended = last.engine.ended_one(0)
        condition = Phrases(last.engine.world.scenario).label(last.engine.world.model.conditions[ended["condition"]])
        assert (
            last.render()
            .rstrip()
            .endswith(f"In truth: {condition}, for which this is {'' if ended['right'] else 'not '}right")
        )


# ---------------------------------------------------------------- what does not fit


def test_a_long_journey_keeps_its_latest_steps() -> None:
    env = JourneyEnv("weight_loss", render_mode="rgb_array", view="belief", results="delayed")
    longest = 0
    for _ in journey(env, 10, stop=0.0):
        story = story_of(env)
        lines = notes(story)
        longest = max(longest, sum(len(moment.orders) for moment in story.moments))
        assert len(lines) <= 38
        for order in story.moments[-1].orders if story.moments else ():
            assert any(
                Phrases(story.world.scenario).label(story.world.items[order.item])[:40] in line.text for line in lines
            )
    assert longest > 15


def test_results_that_were_awaited_stand_at_the_time_they_came() -> None:
    env = JourneyEnv("weight_loss", render_mode="ansi", results="delayed")
    names = list(env.engine.action_names)
    env.reset(seed=1, options={"patient": 0})
    for action in ("order history", "wait"):
        env.step(names.index(action))
    lines = as_text(story_of(env)).splitlines()
    first = next(n for n, line in enumerate(lines) if "History" in line)
    assert lines[first].startswith("     0 min  History")
    assert any(line.startswith("     5 min  History") for line in lines[first + 1 :])


def test_times_and_costs_are_those_of_the_journey() -> None:
    env = JourneyEnv("weight_loss", render_mode="ansi")
    names = list(env.engine.action_names)
    env.reset(seed=1, options={"patient": 0})
    for action in ("order history", "order examination"):
        env.step(names.index(action))
    story = story_of(env)
    assert [line.when for line in notes(story) if line.when] == ["5 min", "10 min"]
    assert sum(moment.cost_gbp for moment in story.moments) == env.engine.journey_view().cost_gbp[0]
    assert "5 min later" in as_text(story)
    assert "Spent £42" in as_text(story)
