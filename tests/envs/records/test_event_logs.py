"""Event logs and Minari data sets, read back by libraries that we did not write; the dictionary view of an observation."""

from __future__ import annotations

import csv
from collections import Counter
from datetime import datetime
from pathlib import Path
from xml.etree import ElementTree

import gymnasium
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env
from typer.testing import CliRunner

from workup.agents.registry import make_agent
from workup.cli.main import app
from workup.envs.model.world import World
from workup.envs.records.event_logs import START, log_events, write_csv, write_xes
from workup.envs.records.journeys import Journeys
from workup.envs.records.run import run_journeys
from workup.envs.views.dict_observation import DictObservation, as_dict, observation_groups
from workup.envs.views.minari import write_minari
from workup.errors import WorkupError

XES = "{http://www.xes-standard.org/}"


def run(world: World, results: str = "at_once", **settings: object) -> Journeys:
    agent = make_agent("random", world, seed=1)
    return run_journeys(world, agent, name="random", patients=np.arange(40), seed=3, record=True, results=results, **settings  # type: ignore[arg-type]
    )  # fmt: skip


@pytest.fixture(scope="module")
def journeys(world: World) -> Journeys:
    return run(world)


@pytest.mark.parametrize("mode", ["at_once", "delayed"])
def test_every_order_is_told_once_with_its_end(world: World, mode: str) -> None:
    agent = make_agent("all", world)
    journeys = run_journeys(world, agent, name="all", patients=np.arange(60), seed=3, record=True, results=mode  # type: ignore[arg-type]
    )  # fmt: skip
    told = list(log_events(journeys))
    ends: dict[str, Counter[tuple[int, str]]] = {name: Counter() for name in ("complete", "ate_abort", "withdraw")}
    orders: Counter[tuple[int, str]] = Counter()
    for event in told:
        if event.transition == "schedule":
            orders[event.journey, event.activity] += 1
        else:
            ends[event.transition][event.journey, event.activity] += 1
    for j in range(len(journeys.patient)):
        for i, item in enumerate(world.items):
            status = journeys.status[j, i]
            assert ends["complete"][j, item] == (status == 2), (j, item)
            assert ends["withdraw"][j, item] == (status == 4), (j, item)
            assert ends["ate_abort"][j, item] >= (status == 3), (j, item)
            if world.turnaround_h[i] > 0 and status == 2:
                assert orders[j, item] >= 1, (j, item)
        clocks = [event.clock_h for event in told if event.journey == j]
        assert clocks == sorted(clocks)
        decided = [event.activity for event in told if event.journey == j and event.tier == "decision"]
        d = int(journeys.decision[j])
        assert decided == ([f"decide {world.decisions[d]}"] if d >= 0 else [])
    assert ends["ate_abort"]


def test_the_costs_of_a_trace_are_its_journeys(journeys: Journeys) -> None:
    total = np.zeros(len(journeys.patient))
    for event in log_events(journeys):
        total[event.journey] += event.cost_gbp
    np.testing.assert_allclose(total, -journeys.components[:, 0], atol=1e-9)


def test_csv_has_the_standards_columns(journeys: Journeys, tmp_path: Path) -> None:
    write_csv(journeys, tmp_path / "log.csv")
    with (tmp_path / "log.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    told = list(log_events(journeys))
    assert len(rows) == len(told)
    for row, event in zip(rows, told, strict=True):
        assert int(row["case:concept:name"]) == journeys.patient[event.journey]
        assert (row["concept:name"], row["lifecycle:transition"]) == (event.activity, event.transition)
        hours = (datetime.fromisoformat(row["time:timestamp"]) - START).total_seconds() / 3600
        assert hours == pytest.approx(event.clock_h, abs=1e-6)
        assert row["org:resource"] == "random"
    told_of = {row["concept:name"]: row["results"] for row in rows if row["lifecycle:transition"] == "complete"}
    assert "fever=" in told_of["history"]


def test_xes_is_well_formed_and_declares_what_it_uses(journeys: Journeys, tmp_path: Path) -> None:
    write_xes(journeys, tmp_path / "log.xes")
    log = ElementTree.parse(tmp_path / "log.xes").getroot()
    assert log.tag == f"{XES}log"
    prefixes = {extension.get("prefix") for extension in log.findall(f"{XES}extension")}
    keys = {
        each.get("key", "")
        for each in log.iter()
        if ":" in each.get("key", "") and not each.get("key", "").startswith("finding:")
    }
    assert {key.split(":")[0] for key in keys} <= prefixes
    traces = log.findall(f"{XES}trace")
    assert len(traces) == len(journeys.patient)
    assert sum(len(trace.findall(f"{XES}event")) for trace in traces) == len(list(log_events(journeys)))


def test_process_mining_reads_both_logs(journeys: Journeys, tmp_path: Path) -> None:
    pm4py = pytest.importorskip("pm4py")
    pandas = pytest.importorskip("pandas")
    write_csv(journeys, tmp_path / "log.csv")
    write_xes(journeys, tmp_path / "log.xes")
    xes = pm4py.convert_to_dataframe(pm4py.read_xes(str(tmp_path / "log.xes")))
    plain = pandas.read_csv(tmp_path / "log.csv", dtype={"case:concept:name": str})
    plain["time:timestamp"] = pandas.to_datetime(plain["time:timestamp"], format="ISO8601", utc=True)
    told = list(log_events(journeys))
    for frame in (xes, plain):
        assert frame["case:concept:name"].astype(int).nunique() == len(journeys.patient)
        assert frame["concept:name"].tolist() == [event.activity for event in told]
        assert frame["cost:total"].sum() == pytest.approx(-journeys.components[:, 0].sum())
        variants = pm4py.get_variants(frame[frame["lifecycle:transition"] == "complete"])
        assert sum(variants.values()) == len(journeys.patient)
        net = pm4py.discover_petri_net_inductive(frame)
        assert pm4py.fitness_token_based_replay(frame, *net)["log_fitness"] > 0.99
    assert (xes["time:timestamp"].to_numpy() == plain["time:timestamp"].to_numpy()).all()


def test_minari_reads_what_the_environment_gave(
    world: World, journeys: Journeys, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    minari = pytest.importorskip("minari")
    pytest.importorskip("h5py")
    monkeypatch.setenv("MINARI_DATASETS_PATH", str(tmp_path))
    write_minari(journeys, "workup/tutorial/random-v0")
    with pytest.raises(WorkupError, match="exists already"):
        write_minari(journeys, "workup/tutorial/random-v0")
    dataset = minari.load_dataset("workup/tutorial/random-v0")
    assert dataset.total_episodes == len(journeys.patient)
    env = gymnasium.make("workup/Journey-v0", scenario=world)
    for episode in dataset.iterate_episodes():
        j = int(episode.id)
        observation, info = env.reset(seed=3, options={"patient": int(journeys.patient[j])})
        for t, action in enumerate(episode.actions):
            np.testing.assert_array_equal(episode.observations[t], observation)
            np.testing.assert_array_equal(episode.infos["action_mask"][t], info["action_mask"])
            assert episode.infos["action_mask"][t, action]
            observation, reward, terminated, truncated, info = env.step(action)
            assert episode.rewards[t] == pytest.approx(reward)
            assert (episode.terminations[t], episode.truncations[t]) == (terminated, truncated)
        np.testing.assert_array_equal(episode.observations[-1], observation)
        assert terminated or truncated


def test_minari_gives_the_environment_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    minari = pytest.importorskip("minari")
    pytest.importorskip("h5py")
    monkeypatch.setenv("MINARI_DATASETS_PATH", str(tmp_path))
    command = ["simulate", "tutorial", "--agent", "guideline", "--patients", "3", "--out", "minari:workup/spec-v0"]
    result = CliRunner().invoke(app, command)
    assert result.exit_code == 0, result.output
    dataset = minari.load_dataset("workup/spec-v0")
    env = dataset.recover_environment()
    for episode in dataset.iterate_episodes():
        observation, _ = env.reset(seed=0, options={"patient": int(episode.id)})
        np.testing.assert_array_equal(episode.observations[0], observation)
        for t, action in enumerate(episode.actions):
            observation, reward, *_ = env.step(action)
            np.testing.assert_array_equal(episode.observations[t + 1], observation)
            assert episode.rewards[t] == pytest.approx(reward)


def test_minari_refuses_journeys_of_another_mode(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("minari")
    monkeypatch.setenv("MINARI_DATASETS_PATH", str(tmp_path))
    with pytest.raises(WorkupError, match="another mode"):
        write_minari(run(world, "delayed"), "workup/tutorial/delayed-v0")


def test_without_minari_the_remedy_is_told(journeys: Journeys, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "minari", None)
    with pytest.raises(WorkupError, match="pip install"):
        write_minari(journeys, "a-v0")


def test_journeys_without_events_are_refused(world: World, tmp_path: Path) -> None:
    agent = make_agent("none", world)
    plain = run_journeys(world, agent, name="none", patients=np.arange(3), seed=0)
    for write in (write_csv, write_xes):
        with pytest.raises(WorkupError, match="record=True"):
            write(plain, tmp_path / "file")
    assert not list(tmp_path.iterdir())


def test_the_command_writes_logs(tmp_path: Path) -> None:
    for name in ("log.csv", "log.xes"):
        result = CliRunner().invoke(
            app, ["simulate", "tutorial", "--agent", "all", "--patients", "5", "--out", str(tmp_path / name)]
        )
        assert result.exit_code == 0, result.output
        assert (tmp_path / name).stat().st_size > 1000


@pytest.mark.parametrize("view", ["raw", "belief"])
def test_the_dictionary_view_holds_the_same_numbers(world: World, view: str) -> None:
    env = DictObservation(gymnasium.make("workup/Journey-v0", scenario=world, view=view))
    check_env(env, skip_render_check=True)
    flat = gymnasium.make("workup/Journey-v0", scenario=world, view=view)
    named, _ = env.reset(seed=5)
    plain, _ = flat.reset(seed=5)
    done = False
    while not done:
        parts = [named[name].ravel() for name in env.groups]
        np.testing.assert_array_equal(np.concatenate(parts), plain)
        np.testing.assert_array_equal(named["action_mask"], env.action_masks())
        action = np.flatnonzero(named["action_mask"])[0]
        named, _, terminated, truncated, _ = env.step(action)
        plain, *_ = flat.step(action)
        done = terminated or truncated
    assert named["crp"].shape == (2,)  # known, and its level
    assert named["history: status"] == 1.0
    if view == "belief":
        assert named["P(condition)"].sum() == pytest.approx(1.0, abs=1e-5)
        assert named["regret"].shape == (len(world.decisions),)


def test_a_batch_has_a_dictionary_too(world: World) -> None:
    envs = gymnasium.make_vec("workup/Journey-v0", num_envs=6, vectorization_mode="vector_entry_point", scenario=world)
    observation, info = envs.reset(seed=0)
    groups = observation_groups(envs.observation_names)  # type: ignore[attr-defined]
    named = as_dict(observation, groups, info["action_mask"])
    assert named["clock"].shape == (6, 1)
    assert named["action_mask"].shape == info["action_mask"].shape
    assert sum(part.shape[1] for name, part in named.items() if name != "action_mask") == observation.shape[1]
    with pytest.raises(WorkupError, match="two places"):
        observation_groups(["a = 1", "b", "a = 2"])
