"""The report: self-contained, safe with untrusted text, true to the journeys it tells."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from workup import wording
from workup.agents.base import choose_first
from workup.agents.planning import PresentationBounds
from workup.agents.registry import make_agent
from workup.envs.engine.types import JourneyView
from workup.envs.model.world import World
from workup.envs.records.journeys import Journeys
from workup.envs.records.run import run_journeys
from workup.errors import WorkupError
from workup.evaluation.run import run_agents
from workup.evaluation.score import score
from workup.report.drawing import spread
from workup.report.inputs import LearningCurve, ReportInputs
from workup.report.story import tell
from workup.report.tree import Branch, policy_tree
from workup.report.write import contrast, render, write_report
from workup.scenarios.language.schema import Scenario
from workup.vignettes.check import judge_vignettes, run_vignettes

AGENTS = ("none", "all", "guideline")


@pytest.fixture(scope="module")
def by_agent(world: World) -> dict[str, Journeys]:
    return run_agents(world, {name: make_agent(name, world) for name in AGENTS}, patients=300, seed=4, record=True)


@pytest.fixture(scope="module")
def by_vignette(world: World) -> dict[str, Journeys]:
    return run_vignettes(world, make_agent("guideline", world), draws=20)


@pytest.fixture(scope="module")
def inputs(world: World, by_agent: dict[str, Journeys], by_vignette: dict[str, Journeys]) -> ReportInputs:
    v0 = by_agent["guideline"].v0
    curve = LearningCurve(agent="ppo", seed=0, steps=np.array([0, 1000, 2000]), gain=np.array([-700.0, -100.0, 15.0]))
    return ReportInputs(
        scenario=world.scenario,
        command="workup demo --seed 3",
        seeds={"training": 3, "evaluation": 4},
        evaluation=score(by_agent, PresentationBounds(v0=v0, lower=v0 + 20, upper=v0 + 25, exact=False)),
        checks=tuple(
            judge_vignettes(run_vignettes(world, make_agent(name, world), draws=20)) for name in ("guideline", "all")
        ),
        vignette_journeys={"guideline": by_vignette},
        policy_journeys={"guideline": by_agent["guideline"]},
        learning_curves=(curve,),
    )


class Page(HTMLParser):
    """What is in a page: its tags with their attributes, its ids and its text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.open: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data

    def attributes(self, name: str) -> Iterator[str]:
        return (attributes[name] or "" for _, attributes in self.tags if name in attributes)


@pytest.fixture(scope="module")
def html(inputs: ReportInputs) -> str:
    return render(inputs)


def test_the_page_needs_no_network_and_runs_no_code(html: str) -> None:
    page = Page(html)
    assert not {"script", "link", "iframe", "object", "img"} & {tag for tag, _ in page.tags}
    assert not [name for _, attributes in page.tags for name in attributes if name.startswith("on")]
    for attribute in ("href", "src", "xlink:href"):
        assert all(value.startswith("#") for value in page.attributes(attribute))
    assert "@import" not in html
    assert all(part.startswith("#") for part in html.split("url(")[1:])


def test_no_control_character_reaches_the_page(html: str) -> None:
    assert not [character for character in html if ord(character) < 32 and character != "\n"]


def test_every_link_inside_the_page_leads_somewhere(html: str) -> None:
    page = Page(html)
    assert {link for link in page.attributes("href")} <= {f"#{name}" for name in page.attributes("id")}


def test_the_head_says_what_this_is_and_how_far_to_trust_it(html: str, inputs: ReportInputs) -> None:
    text = Page(html).text
    figures = inputs.scenario.figures
    recalled = sum(figure.status == "recalled" for figure in figures)
    assert text.index("never medical advice") < text.index(inputs.scenario.title, text.index("never medical advice"))
    assert "Draft, not reviewed by a clinician" in text
    assert f"recalled {wording.percent(recalled / len(figures))} ({recalled})" in text
    for said in (inputs.scenario.digest, inputs.command, "training 3, evaluation 4", "tutorial, version 1.0"):
        assert said in text


def test_every_agent_vignette_and_section_is_there(html: str, inputs: ReportInputs) -> None:
    page = Page(html)
    for name in AGENTS:
        assert name in page.text
    for vignette in inputs.scenario.vignettes.values():
        assert vignette.title in page.text
    for section in ("patients", "frontier", "agents", "policy", "vignettes", "learning", "limits"):
        assert ("section", {"id": section}) in page.tags


def test_a_failed_expectation_is_named_with_its_step(html: str, inputs: ReportInputs) -> None:
    failures = [f for check in inputs.checks for vignette in check.vignettes for f in vignette.failures]
    assert failures, "the agent that orders everything breaks a ceiling"
    for failure in failures:
        assert f"{failure.expectation}: {failure.what}" in " ".join(Page(html).text.split())
        assert f"step {failure.step}, {failure.share}" in html


def hostile(scenario: Scenario) -> Scenario:
    attack = '"><script>alert(1)</script><img src=x onerror=alert(2)> --> $\\frac{1}{$ {{ 7 * 7 }} ]]>'
    return scenario.model_copy(
        update={
            "title": attack,
            "about": attack,
            "conditions": {n: c.model_copy(update={"label": attack}) for n, c in scenario.conditions.items()},
            "findings": {n: f.model_copy(update={"label": attack}) for n, f in scenario.findings.items()},
            "investigations": {n: i.model_copy(update={"label": attack}) for n, i in scenario.investigations.items()},
            "decisions": {n: d.model_copy(update={"label": attack}) for n, d in scenario.decisions.items()},
            "vignettes": {
                n: v.model_copy(update={"title": attack, "story": attack}) for n, v in scenario.vignettes.items()
            },
            "who": scenario.who.model_copy(update={"setting": attack}),
        }
    )


def test_text_of_a_scenario_is_shown_and_never_obeyed(
    world: World, inputs: ReportInputs, by_vignette: dict[str, Journeys], by_agent: dict[str, Journeys]
) -> None:
    scenario = hostile(world.scenario)
    bad = replace(world, scenario=scenario)
    page = Page(
        render(
            replace(
                inputs,
                scenario=scenario,
                command="<script>alert(3)</script>",
                vignette_journeys={"<b>x</b>": {name: replace(each, world=bad) for name, each in by_vignette.items()}},
                policy_journeys={"<i>y</i>": replace(by_agent["guideline"], world=bad)},
            )
        )
    )
    assert not {"script", "img", "i"} & {tag for tag, _ in page.tags}
    assert not [name for _, attributes in page.tags for name in attributes if name.startswith("on")]
    assert "alert(1)" in page.text
    assert "{{ 7 * 7 }}" in page.text


def test_the_same_inputs_make_the_same_page(inputs: ReportInputs, html: str) -> None:
    assert render(inputs) == html


def test_parts_left_empty_are_left_out(world: World) -> None:
    page = Page(render(ReportInputs(scenario=world.scenario, command="workup demo", seeds={})))
    assert [attributes["id"] for tag, attributes in page.tags if tag == "section"] == ["limits"]


def test_an_older_page_survives_a_failed_one(inputs: ReportInputs, tmp_path: Path) -> None:
    path = tmp_path / "made" / "report.html"
    assert write_report(inputs, path) == path
    before = path.read_bytes()
    events_lost = {"guideline": {n: replace(j, events=None) for n, j in inputs.vignette_journeys["guideline"].items()}}
    with pytest.raises(WorkupError, match="record=True"):
        write_report(replace(inputs, vignette_journeys=events_lost), path)
    assert path.read_bytes() == before
    assert [each.name for each in path.parent.iterdir()] == ["report.html"]


def test_a_story_is_the_journey_that_was_recorded(world: World, by_agent: dict[str, Journeys]) -> None:
    journeys = by_agent["guideline"]
    assert journeys.events is not None
    for row in range(0, 300, 37):
        story, at = tell(journeys, row), journeys.events.journey == row
        assert len(story.steps) == at.sum()
        assert story.truth == journeys.condition[row]
        assert story.steps[-1].decides
        np.testing.assert_allclose(story.posterior[1:], journeys.events.condition_posterior[at])
        np.testing.assert_allclose(story.posterior.sum(axis=1), 1.0)
        cost_at_end = -journeys.components[row, 0]
        assert story.steps[-1].spent_gbp == pytest.approx(cost_at_end)
        told = [result for step in story.steps for result in step.results]
        revealed = (journeys.values[row] != -1).sum() - world.model.n_known_at_start
        assert len([result for result in told if "declined" not in result and "failed" not in result]) == revealed


def test_before_the_first_step_the_posterior_is_the_prior_given_what_is_known(
    world: World, by_agent: dict[str, Journeys]
) -> None:
    journeys = by_agent["none"]
    smoked = world.model.observables.index("smoked")
    for row in range(5):
        known = world.model.network.variable("smoked").values[journeys.values[row, smoked]]
        expected = world.model.network.posterior("condition", {"smoked": known})
        np.testing.assert_allclose(tell(journeys, row).before, [expected[name] for name in world.model.conditions])


def test_a_number_that_the_vignette_states_is_shown_as_stated(by_agent: dict[str, Journeys]) -> None:
    journeys = by_agent["all"]
    assert journeys.events is not None
    before = journeys.events.numbers.copy()
    told = [result for step in tell(journeys, 0, stated={"crp": 17, "fever": True}).steps for result in step.results]
    assert any("17 mg/L" in result for result in told)
    np.testing.assert_array_equal(journeys.events.numbers, before)


def test_the_commonest_route_is_told(by_vignette: dict[str, Journeys]) -> None:
    for journeys in by_vignette.values():
        story = tell(journeys)
        others = [tell(journeys, row).same_route for row in range(story.draws)]
        assert story.same_route == max(others)


def test_the_two_patients_are_the_cheapest_and_the_dearest_journey(by_vignette: dict[str, Journeys]) -> None:
    cheap, dear = contrast(by_vignette)
    spent = {name: round(tell(each).spent_gbp, 2) for name, each in by_vignette.items()}
    assert spent[cheap] == min(spent.values()) < spent[dear] == max(spent.values())


class FeverAgent:
    """History, examination; then CRP if there is fever, antibiotics if there is none; then reassures."""

    name = "fever"
    needs = None

    def __init__(self, world: World) -> None:
        names = [action.name for action in world.actions]
        self.opening = [names.index("order history"), names.index("order examination")]
        self.crp, self.antibiotics = names.index("order crp_test"), names.index("act antibiotics")
        self.reassure = names.index("decide reassure")
        self.fever = world.model.observables.index("fever")
        self.yes = world.model.network.variable("fever").values.index("yes")

    def act(self, view: JourneyView) -> NDArray[np.int64]:
        ill = view.values[:, self.fever] == self.yes
        third = np.where(ill, self.crp, self.antibiotics)
        chosen = choose_first(view.mask, self.opening)
        chosen = np.where(chosen < 0, np.where(view.step == 2, third, self.reassure), chosen)
        return chosen.astype(np.int64)


def leaves(branch: Branch) -> Iterator[Branch]:
    if not branch.branches:
        yield branch
    for each in branch.branches:
        yield from leaves(each)


def patients_of(branch: Branch) -> int:
    if branch.ends:
        return branch.n
    return branch.rarer + sum(map(patients_of, branch.branches)) + sum(route.n for route in branch.routes)


def test_the_tree_finds_the_one_result_that_the_policy_turns_on(world: World) -> None:
    agent = FeverAgent(world)
    journeys = run_journeys(world, agent, name="fever", patients=np.arange(400), seed=1, record=True)
    root = policy_tree(journeys)
    assert root.actions == ("History", "Examination")
    assert {(each.when, each.actions[0]) for each in root.branches} == {
        ("Fever: yes", "CRP"),
        ("Fever: no", "First dose of antibiotics"),
    }
    with_fever = (journeys.values[:, agent.fever] == agent.yes).sum()
    assert {each.when: each.n for each in root.branches}["Fever: yes"] == with_fever
    assert all(leaf.ends for leaf in leaves(root))


def test_a_policy_that_looks_at_nothing_is_one_line(by_agent: dict[str, Journeys]) -> None:
    root = policy_tree(by_agent["none"])
    assert root.actions[:2] == ("History", "Examination")
    assert all(leaf.ends or leaf.routes for leaf in leaves(root))


@pytest.mark.parametrize("agent", AGENTS)
@pytest.mark.parametrize("least", [0.0, 0.02, 0.3])
def test_the_tree_counts_every_patient_once(by_agent: dict[str, Journeys], agent: str, least: float) -> None:
    root = policy_tree(by_agent[agent], least=least)
    assert root.n == 300
    assert patients_of(root) == 300
    assert all(leaf.share >= least for leaf in leaves(root))
    assert all(route.share >= least for leaf in leaves(root) for route in leaf.routes)


@given(st.lists(st.floats(-100, 100), min_size=1, max_size=12), st.floats(0.01, 10))
def test_labels_are_pushed_apart_in_order_and_no_further_than_needed(places: list[float], gap: float) -> None:
    out = spread(places, gap)
    assert (spread(places, [gap] * len(places)) == out).all()
    order = np.argsort(places, kind="stable")
    assert (np.diff(out[order]) >= gap * (1 - 1e-9) - 1e-9).all()
    assert out.mean() == pytest.approx(np.mean(places), abs=1e-6)
    if (np.diff(np.sort(places)) >= gap).all():
        np.testing.assert_allclose(out, places, atol=1e-9)


def test_figures_read_as_people_write_them() -> None:
    assert [wording.pounds(x) for x in (0, 0.5, 12, 1234.4, -56.2, -0.001, np.nan)] == [
        "£0", "£0.50", "£12", "£1,234", "−£56", "£0", "–"
    ]  # fmt: skip
    assert [wording.percent(x) for x in (0, 0.001, -0.001, 0.5, 0.999, 1, -0.12)] == [
        "0%",
        "<1%",
        ">−1%",
        "50%",
        ">99%",
        "100%",
        "−12%",
    ]
    assert [wording.percent(x) for x in (-1e-15, 1e-15, 1 - 1e-14)] == ["0%", "0%", "100%"]  # errors of rounding
    assert [wording.elapsed(h) for h in (0, 0.5, 3, 24, 24 * 40)] == [
        "one consultation",
        "30 min",
        "3 h",
        "1 day",
        "40 days",
    ]


def test_checks_of_agents_that_ran_different_vignettes_share_a_table(inputs: ReportInputs) -> None:
    first = inputs.checks[0]
    part = replace(first, agent="part", vignettes=first.vignettes[:1])
    text = Page(render(replace(inputs, checks=(first, part)))).text
    assert text.count("not run") == len(first.vignettes) - 1


def test_without_bounds_the_page_says_why(inputs: ReportInputs, by_agent: dict[str, Journeys]) -> None:
    evaluation = score(by_agent, None, refusal="too many presentations (9,999)")
    assert "too many presentations (9,999)" in Page(render(replace(inputs, evaluation=evaluation))).text
