"""Packages that somebody else publishes are found by their entry points; broken ones cost those a warning who ask for other things."""

from __future__ import annotations

import shutil
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path

import gymnasium
import pytest
from support.command import run

import workup
from workup.agents.registry import learner_of, make_agent
from workup.envs.model.world import World
from workup.envs.views.registration import register_all
from workup.errors import UnknownNameError, WorkupError, WorkupWarning
from workup.scenarios.language.library import find_scenario, list_scenarios, load_scenario, shipped_scenarios

AGENTS = """
from workup.agents.baselines.simple import AGENTS
from workup.agents.saved import SavedPolicy, read_policy, write_policy

def calm(world, *, seed):
    return AGENTS["none"](world, seed=seed)

class Calming:
    name, extra, ends_by_itself, needs_rows = "calming", None, True, False

    def fit(self, population, *, out, seed, effort, progress):
        write_policy(out, SavedPolicy(self.name, {}), population.world)
        return self.load(out, population.world)

    def load(self, directory, world):
        read_policy(directory, world, kind=self.name)
        return calm(world, seed=0)

learner = Calming()
"""
RUNS_NOTHING = "raise RuntimeError('the package of a scenario was imported')"

Install = Callable[..., Path]


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Install:
    """Puts a distribution on the import path, as an installer would."""

    def put(name: str, entry_points: Mapping[str, Mapping[str, str]] | str, **modules: str) -> Path:
        place = tmp_path / name
        about = place / f"{name.replace('-', '_')}-1.2.dist-info"
        about.mkdir(parents=True)
        (about / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.2\n")
        if not isinstance(entry_points, str):
            parts = (f"[{g}]\n" + "\n".join(f"{n} = {v}" for n, v in of.items()) for g, of in entry_points.items())
            entry_points = "\n".join(parts)
        (about / "entry_points.txt").write_text(entry_points)
        for module, text in modules.items():
            (place / f"{module}.py").write_text(text)
        monkeypatch.syspath_prepend(str(place))
        return place

    return put


def case(place: Path, package: str, name: str) -> Path:
    """A scenario in a package whose import would fail."""
    folder = place / package / name
    shutil.copytree(find_scenario("control"), folder)
    (place / package / "__init__.py").write_text(RUNS_NOTHING)
    text = (folder / "scenario.yaml").read_text(encoding="utf-8")
    (folder / "scenario.yaml").write_text(text.replace("id: control", f"id: {name}"), encoding="utf-8")
    return folder


def test_a_scenario_of_another_package_is_one_of_ours_and_its_code_is_not_run(
    install: Install, capsys: pytest.CaptureFixture[str]
) -> None:
    place = install("my-cases", {"workup.scenarios": {"night_cough": "my_cases_of_1.night_cough"}})
    folder = case(place, "my_cases_of_1", "night_cough")
    assert find_scenario("night_cough") == folder
    assert load_scenario("night_cough").id == "night_cough"
    assert set(list_scenarios()) == {"night_cough", *shipped_scenarios()}
    with pytest.raises(UnknownNameError, match="did you mean 'night_cough'"):
        load_scenario("nigth_cough")
    try:
        register_all()
        environment = gymnasium.make("workup/NightCough-v0")
        assert gymnasium.spec("workup/NightCough-v0").kwargs == {"scenario": "night_cough"}
        environment.reset(seed=1)
    finally:
        gymnasium.registry.pop("workup/NightCough-v0", None)
    status, out, _ = run(capsys, "scenarios")
    assert status == 0
    assert "night_cough: installed with my-cases 1.2" in out
    assert run(capsys, "evaluate", "night_cough", "--agents", "none", "--patients", 20)[0] == 0


def test_agents_and_learners_of_another_package_are_found_by_name(
    install: Install, world: World, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    install(
        "my-agents",
        {
            "workup.agents": {"calm": "my_agents_of_1:calm"},
            "workup.learners": {"calming": "my_agents_of_1:learner"},
        },
        my_agents_of_1=AGENTS,
    )
    run(capsys, "train", "tutorial", "--agent", "calming", "--out", tmp_path / "trained")
    found = workup.evaluate(world, ["calm", "calming", tmp_path / "trained", "none"], patients=20)
    assert len({found.agents[name].value for name in found.agents}) == 1
    assert list(found.agents) == ["calm", "calming", str(tmp_path / "trained"), "none"]
    with pytest.raises(UnknownNameError, match=r"names: all, .*voi, calm, calming"):
        make_agent("clam", world)
    with pytest.raises(UnknownNameError, match="calming"):
        learner_of("clming")


@pytest.mark.parametrize(
    ("group", "name", "ask"),
    [
        ("workup.agents", "voi", lambda world: make_agent("voi", world)),
        ("workup.learners", "fixed", lambda world: learner_of("fixed")),
        ("workup.scenarios", "tutorial", lambda world: load_scenario("tutorial")),
    ],
)
def test_a_name_that_is_taken_is_refused_and_both_owners_named(
    install: Install, world: World, group: str, name: str, ask: Callable[[World], object]
) -> None:
    install("my-clash", {group: {name: "os:getcwd"}})
    kind = group.removeprefix("workup.").removesuffix("s")
    with pytest.raises(
        WorkupError, match=f"'{name}' is the name of an? {kind} of workup and of my-clash 1.2; .*ninstall my-clash"
    ):
        ask(world)
    make_agent("none", world)
    load_scenario("fever")


def test_two_packages_with_one_name_are_refused(install: Install, world: World) -> None:
    install("first-agents", {"workup.agents": {"calm": "a:b"}})
    install("second-agents", {"workup.agents": {"calm": "c:d"}})
    with pytest.raises(WorkupError, match=r"calm.* of second-agents 1\.2 and of first-agents 1\.2"):
        make_agent("calm", world)


def test_a_broken_package_is_an_error_only_for_those_who_ask_for_it(install: Install, world: World) -> None:
    install(
        "my-broken",
        {
            "workup.agents": {"absent": "no_such_module_at_all:x", "failing": "my_broken_of_1:x", "none_such": "os:nothing"},
            "workup.learners": {"no_learner": "os:getcwd", "a_class": "fractions:Fraction"},
            "workup.scenarios": {"nowhere": "my_broken_of_1.nowhere", "Bad-Name": "my_broken_of_1"},
        },
        my_broken_of_1="1 / 0",
    )  # fmt: skip
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        make_agent("none", world)
        load_scenario("tutorial")
    for name, why in (("absent", "ModuleNotFound"), ("failing", "ZeroDivision"), ("none_such", "AttributeError")):
        with pytest.raises(WorkupError, match=f"the agent '{name}' of my-broken 1.2 .*cannot be loaded: {why}"):
            make_agent(name, world)
    with pytest.raises(WorkupError, match=r"'no_learner' of my-broken 1\.2 .*has no name, extra.*expected an obj"):
        learner_of("no_learner")
    with pytest.raises(WorkupError, match=r"'a_class' of my-broken 1\.2 .*is a class; expected an object"):
        learner_of("a_class")
    with pytest.raises(
        WorkupError, match=r"'nowhere' of my-broken 1\.2 .*no folder my_broken_of_1/nowhere with a scen"
    ):
        load_scenario("nowhere")
    with pytest.warns(WorkupWarning, match=r"my-broken 1\.2") as told:
        assert list_scenarios() == shipped_scenarios()
    assert len(told) == 2


def test_entry_points_that_cannot_be_read_cost_a_warning(install: Install, world: World) -> None:
    install("my-torn", "[workup.agents]\nthis is no entry point")
    with pytest.warns(WorkupWarning, match="the entry points of my-torn cannot be read"):
        make_agent("none", world)
