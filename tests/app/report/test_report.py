"""The report: self-contained, safe with untrusted text, true to the journeys it tells."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from html.parser import HTMLParser
from itertools import combinations, pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.text import Text
from matplotlib.transforms import Bbox
from numpy.typing import NDArray

import workup
from workup import wording
from workup.agents.base import choose_first
from workup.agents.planning import PresentationBounds
from workup.agents.registry import make_agent
from workup.envs.engine.types import JourneyView
from workup.envs.model.codes import UNKNOWN
from workup.envs.model.world import World
from workup.envs.records.journeys import Journeys
from workup.envs.records.run import run_journeys
from workup.errors import WorkupError
from workup.evaluation.rates import net_benefit
from workup.evaluation.run import run_agents
from workup.evaluation.score import score
from workup.report.comparison import Point, frontier_figure
from workup.report.drawing import spread
from workup.report.inputs import LearningCurve, ReportInputs
from workup.report.presentations import first_orders, presentations
from workup.report.routes import Stretch, common_routes, told
from workup.report.splits import Known
from workup.report.story import tell
from workup.report.write import contrast, render, write_page
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
    evaluation = score(by_agent, PresentationBounds(v0=v0, lower=v0 + 20, upper=v0 + 25, exact=False))
    return ReportInputs(
        scenario=world.scenario,
        command="workup demo --seed 3",
        seeds={"training": 3, "evaluation": 4},
        evaluation=evaluation,
        net_benefit=net_benefit(by_agent, evaluation),
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
    assert "none (decides straight after history and examination), all (orders everything that is allowed" in page.text
    for vignette in inputs.scenario.vignettes.values():
        assert vignette.title in page.text
    sections = [attributes["id"] for tag, attributes in page.tags if tag == "section"]
    assert sections == [
        "frontier",
        "orders",
        "policy",
        "agents",
        "causes",
        "rates",
        "patients",
        "vignettes",
        "learning",
        "limits",
    ]


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
    assert write_page(inputs, path) == path
    before = path.read_bytes()
    events_lost = {"guideline": {n: replace(j, events=None) for n, j in inputs.vignette_journeys["guideline"].items()}}
    with pytest.raises(WorkupError, match="record=True"):
        write_page(replace(inputs, vignette_journeys=events_lost), path)
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


def stretches(root: Stretch) -> Iterator[Stretch]:
    yield root
    for each in root.follows:
        yield from stretches(each)


def test_the_routes_name_the_one_result_that_the_policy_turns_on(world: World) -> None:
    agent = FeverAgent(world)
    journeys = run_journeys(world, agent, name="fever", patients=np.arange(400), seed=1, record=True)
    root = common_routes(journeys)
    with_fever = (journeys.values[:, agent.fever] == agent.yes).mean()
    assert root.actions == ("History", "Examination")
    assert {each.actions: (round(each.share, 9), each.why) for each in root.follows} == {
        ("CRP",): (round(with_fever, 9), "Fever: yes (100% of them, 0% of the others)"),
        ("First dose of antibiotics",): (round(1 - with_fever, 9), "Fever: no (100% of them, 0% of the others)"),
    }
    assert root.shown == pytest.approx(1)
    rows = {row.when: row for row in first_orders({"fever": journeys}, "fever").rows}  # type: ignore[union-attr]
    assert rows["Fever: yes",].share == with_fever
    assert rows["Fever: yes",].orders == ((("CRP", 1.0),),)
    assert rows["Fever: no",].orders == ((("First dose of antibiotics", 1.0),),)


def test_a_policy_that_orders_nothing_is_one_stretch(by_agent: dict[str, Journeys]) -> None:
    root = common_routes(by_agent["none"])
    assert (root.actions, root.follows, root.others) == (("History", "Examination"), (), ())


@pytest.mark.parametrize("agent", AGENTS)
@pytest.mark.parametrize("least", [0.0, 0.03, 0.3])
def test_the_routes_count_every_patient_once(by_agent: dict[str, Journeys], agent: str, least: float) -> None:
    root = common_routes(by_agent[agent], least=least)
    assert sum(way.share for way in told(root)) == pytest.approx(1)
    assert sum(way.share for way in told(root) if way.drawn) == pytest.approx(root.shown)
    for each in stretches(root):
        here = [share for _, share in (*each.decided, *each.others)]
        assert sum(here) + sum(follows.share for follows in each.follows) == pytest.approx(each.share)
        assert each.share >= least - 1e-9


@pytest.mark.parametrize("agent", AGENTS)
def test_first_orders_are_those_of_the_journeys(by_agent: dict[str, Journeys], agent: str) -> None:
    found = first_orders(by_agent, agent)
    assert found is not None
    assert sum(row.share for row in found.rows) == pytest.approx(1)
    for i, name in enumerate(found.agents):
        told_of = [(what, share * row.share) for row in found.rows for what, share in row.orders[i]]
        assert sum(share for _, share in told_of) == pytest.approx(1)
        decides = sum(share for what, share in told_of if what.startswith("decides: "))
        assert decides <= np.mean(by_agent[name].tests == 0) + 1e-9
    assert all(what.startswith("decides: ") for row in found.rows for what, _ in row.orders[found.agents.index("none")])


def test_of_two_facts_about_the_same_the_narrower_is_said(world: World) -> None:
    conditions, (few, many) = len(world.model.conditions), (25, 50)
    posterior = np.full((100, conditions), 0.5 / (conditions - 1))
    posterior[:, 0] = np.linspace(0.02, 0.98, 100)
    known = Known(world, np.full((100, len(world.model.observables)), UNKNOWN, np.int16), posterior)
    following = np.repeat([0, 1, 2], [few, few, many])
    found = [when for when, _ in presentations(known, following, 4)]
    assert len(found) > 2
    for when in found:
        assert sum(" below " in each for each in when) <= 1
        assert sum(each.endswith(" or more") for each in when) <= 1


def texts_of(figure: Figure) -> list[tuple[str, Bbox]]:
    renderer = FigureCanvasAgg(figure).get_renderer()
    texts = [text for axes in figure.axes for text in axes.texts]
    legends = [text for legend in figure.legends for text in legend.get_texts()]
    figure.draw(renderer)
    return [(text.get_text(), Text.get_window_extent(text, renderer)) for text in [*texts, *legends]]


@pytest.mark.parametrize("lower", [np.nan, 99.0])
def test_no_label_lies_on_another(lower: float) -> None:
    points = [
        Point(name, cost, gain, gain - 20, gain + 20)
        for name, cost, gain in (
            ("optimum", 70.0, 100.0), ("voi", 62.0, 92.0), ("none", 41.0, 0.0), ("guideline", 230.0, -380.0),
            ("runs/ppo of a long name", 66.0, 95.0), ("all", 560.0, -600.0), ("random", 120.0, -110.0),
        )
    ]  # fmt: skip
    for several in (points, points[:4], points[:2]):
        figure = frontier_figure(several, lower, lower + 8, exact=False)
        texts = texts_of(figure)
        assert {point.agent for point in several} <= {words for words, _ in texts}
        for (one, here), (other, there) in combinations(texts, 2):
            assert not here.overlaps(there), (one, other)
        for words, place in texts:
            assert figure.bbox.padded(1).contains(*place.min), words
            assert figure.bbox.padded(1).contains(*place.max), words


def test_every_picture_has_a_name_of_its_own_and_says_what_it_shows(html: str) -> None:
    page = Page(html)
    pictures = [attributes for tag, attributes in page.tags if tag == "svg"]
    names = [attributes["aria-label"] for attributes in pictures]
    assert len(names) == len(set(names)) >= 4
    assert all(attributes["role"] == "img" for attributes in pictures)
    regions = [attributes for _, attributes in page.tags if attributes.get("role") == "region"]
    labels = [attributes["aria-label"] for attributes in regions]
    assert len(labels) == len(set(labels))
    assert all(attributes["tabindex"] == "0" for attributes in regions)


def test_headings_go_down_one_at_a_time(html: str) -> None:
    levels = [int(tag[1]) for tag, _ in Page(html).tags if len(tag) == 2 and tag[0] == "h" and tag[1].isdigit()]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))


def test_tables_and_pictures_scroll_in_boxes_of_their_own(html: str) -> None:
    assert html.count("<table") == len(re.findall(r'<div class="scroll"[^>]*><table', html))
    assert html.count("<svg") == len(re.findall(r'<div class="scroll"[^>]*><div class="picture"', html))
    assert '<meta name="viewport" content="width=device-width, initial-scale=1">' in html


def test_one_call_makes_the_page_of_any_scenario_and_policies(tmp_path: Path) -> None:
    def cautious(observation: NDArray[np.float32], mask: NDArray[np.bool_]) -> NDArray[np.int64]:
        return mask.argmax(axis=1)

    path = workup.write_report("tutorial", ["guideline", cautious], tmp_path / "r.html", patients=40, seed=5)
    text = Page(path.read_text(encoding="utf-8")).text
    assert "Most is gained by guideline" in text
    assert "cautious" in text
    assert "patients 5, vignettes 5" in text


@given(st.lists(st.floats(-100, 100), min_size=1, max_size=12), st.floats(0.01, 10))
def test_labels_are_pushed_apart_in_order_and_no_further_than_needed(places: list[float], gap: float) -> None:
    out = spread(places, gap)
    assert (spread(places, [gap] * len(places)) == out).all()
    order = np.argsort(places, kind="stable")
    assert (np.diff(out[order]) >= gap * (1 - 1e-9) - 1e-9).all()
    assert out.mean() == pytest.approx(np.mean(places), abs=1e-6)
    if (np.diff(np.sort(places)) >= gap).all():
        np.testing.assert_allclose(out, places, atol=1e-9)


def test_a_case_with_one_vignette_shows_that_patient_once(
    inputs: ReportInputs, by_vignette: dict[str, Journeys]
) -> None:
    name = next(iter(by_vignette))
    page = render(replace(inputs, vignette_journeys={"guideline": {name: by_vignette[name]}}, checks=()))
    assert page.count('<article class="patient">') == 1
    assert "One patient, and what is needed" in page
    assert "Two patients" not in page


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
