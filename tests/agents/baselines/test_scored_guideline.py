"""A guideline with a score does what the guideline written out in full does, journey by journey."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from support.scored import scenario_with

from workup.agents.baselines.guideline import GuidelineAgent
from workup.envs.compile.compile import compile_world
from workup.envs.model.world import World
from workup.envs.records.journeys import Journeys
from workup.envs.records.run import run_journeys

RULE = "  - {{do: {do}, when: {when}, why: By the score}}\n"
SHORT = (
    RULE.format(do="chest_film", when="{chest_film: not_done, chest: [possible, unknown]}")
    + RULE.format(do="antibiotics", when="{antibiotics: not_done, chest: {at_least: 3}}")
    + RULE.format(do="support", when="{chest: {below: 0}, film: [clear, unknown]}")
)
# Fever 2, crackles 1, smoked 1, blood -1 (which may be withheld). Every way, by hand:
POSSIBLE = (  # from 1 to 2
    "{fever: yes, crackles: no, smoked: never}", "{fever: yes, haemoptysis: yes, crackles: yes, smoked: never}",
    "{fever: yes, haemoptysis: yes, crackles: no, smoked: ever}", "{fever: no, haemoptysis: no, crackles: yes}",
    "{fever: no, haemoptysis: no, smoked: ever}", "{fever: no, crackles: yes, smoked: ever}",
)  # fmt: skip
OPEN = (  # no word yet: fever or crackles not known, or blood not told where it makes the difference
    "{fever: unknown}", "{fever: no, crackles: unknown, smoked: never, haemoptysis: [no, unknown]}",
    "{fever: no, crackles: unknown, smoked: ever, haemoptysis: [yes, unknown]}",
    "{fever: yes, crackles: unknown, smoked: never, haemoptysis: [no, unknown]}",
    "{fever: yes, crackles: unknown, smoked: ever, haemoptysis: [yes, unknown]}",
    "{fever: no, crackles: yes, smoked: never, haemoptysis: unknown}",
    "{fever: no, crackles: no, smoked: ever, haemoptysis: unknown}",
    "{fever: yes, crackles: yes, smoked: never, haemoptysis: unknown}",
    "{fever: yes, crackles: no, smoked: ever, haemoptysis: unknown}",
)  # fmt: skip
HIGH = (
    "{antibiotics: not_done, fever: yes, haemoptysis: no, crackles: yes}",
    "{antibiotics: not_done, fever: yes, haemoptysis: no, smoked: ever}",
    "{antibiotics: not_done, fever: yes, crackles: yes, smoked: ever}",
)
LOW = "{fever: no, haemoptysis: yes, crackles: no, smoked: never, film: [clear, unknown]}"
LONG = (
    RULE.format(do="chest_film", when=f"[{', '.join('{chest_film: not_done, ' + way[1:] for way in POSSIBLE + OPEN)}]")
    + RULE.format(do="antibiotics", when=f"[{', '.join(HIGH)}]")
    + RULE.format(do="support", when=LOW)
)


def journeys(world: World, results: str) -> Journeys:
    return run_journeys(
        world,
        GuidelineAgent(world),
        patients=np.arange(1500),
        seed=4,
        record=True,
        results=results,  # type: ignore[arg-type]
    )


@pytest.mark.parametrize("results", ["at_once", "delayed"])
def test_by_the_score_or_written_out_every_journey_is_the_same(tmp_path: Path, results: str) -> None:
    worlds = []
    for name, scores, rules in (("short", None, SHORT), ("long", "", LONG)):
        (tmp_path / name).mkdir()
        made = scenario_with(tmp_path / name, rules=rules) if scores is None else scenario_with(
            tmp_path / name, scores, rules=rules
        )  # fmt: skip
        worlds.append(compile_world(made))
    assert worlds[0].scenario.scores
    assert not worlds[1].scenario.scores
    short, long = (journeys(world, results) for world in worlds)
    np.testing.assert_array_equal(short.recorded().journey, long.recorded().journey)
    np.testing.assert_array_equal(short.recorded().action, long.recorded().action)
    np.testing.assert_array_equal(short.decision, long.decision)
    done = short.status[:, [worlds[0].item("chest_film"), worlds[0].item("antibiotics")]] != 0
    assert (done.mean(axis=0) > 0.02).all()
    assert (~done).mean() > 0.02
    assert (short.decision == worlds[0].decisions.index("support")).any()
