"""Findings that are called as the record's own columns lose nothing, and a log's results can be taken apart."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import polars as pl

from workup.envs.model.codes import MISSING
from workup.envs.records.event_logs import _escaped
from workup.envs.records.files import write_parquet
from workup.envs.records.run import FunctionAgent, run_journeys
from workup.envs.views.env import make_engine
from workup.importers.network import import_network

NAMES = (
    "agent",
    "seed",
    "patient",
    "step",
    "action",
    "visit",
    "clock_h",
    "clock_after_h",
    "cost_gbp",
    "decision",
    "propensity",
)


def test_findings_called_as_columns_of_the_record_stand_beside_them(tmp_path: Path) -> None:
    lines = ["network n { }", "variable ill { type discrete [ 2 ] { yes, no }; }"]
    lines += [f"variable {name} {{ type discrete [ 2 ] {{ up, down }}; }}" for name in NAMES]
    lines += ["probability ( ill ) { table 0.3, 0.7; }"]
    lines += [f"probability ( {name} | ill ) {{ (yes) 0.8, 0.2; (no) 0.3, 0.7; }}" for name in NAMES]
    (tmp_path / "clash.bif").write_text("\n".join(lines))
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "scenario.yaml").write_text(import_network(tmp_path / "clash.bif", target="ill").text)
    world = make_engine(str(tmp_path / "out"), 1).world
    agent = FunctionAgent("first", lambda view: view.mask.argmax(axis=1))
    journeys = run_journeys(world, agent, patients=np.arange(20), seed=3, record=True)
    write_parquet(journeys, tmp_path / "j.parquet")
    frame, events = pl.read_parquet(tmp_path / "j.parquet"), journeys.recorded()
    assert set(frame["agent"]) == {"first"}
    np.testing.assert_array_equal(frame["patient"].to_numpy(), journeys.patient[events.journey])
    np.testing.assert_array_equal(frame["step"].to_numpy(), events.step)
    np.testing.assert_array_equal(frame["cost_gbp"].to_numpy(), events.components[:, 0])
    assert set(frame["decision"]) == {world.decisions[d] for d in journeys.decision}
    for name in NAMES:
        o = world.model.observables.index(name)
        words = [None if c == -1 else "missing" if c == MISSING else ("up", "down")[c] for c in events.values[:, o]]
        assert frame[f"finding {name}"].to_list() == words
        assert "up" in words


def test_words_of_a_csv_log_can_be_taken_apart() -> None:
    for word in ("a;b=c", "50%", "100%3B", "%25", "plain", "%253B;"):
        written = _escaped(word)
        assert not set(written) & {";", "="}
        assert re.sub("%(25|3B|3D)", lambda found: chr(int(found[1], 16)), written) == word
    assert _escaped("50% or more") == "50% or more"
