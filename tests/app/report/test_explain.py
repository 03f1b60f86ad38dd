"""A scenario read back: the page, its pictures, and the command that says what changed."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from itertools import combinations, pairwise
from pathlib import Path

import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch
from matplotlib.transforms import Bbox
from support.command import run

from workup.report.diagrams.boxes import Line, text_width, wrapped
from workup.report.diagrams.network import Group, network, network_figure
from workup.report.diagrams.prerequisites import prerequisite_figure
from workup.report.explain import explanation
from workup.report.markup import html
from workup.report.prerequisites import Link, layers, links
from workup.scenarios.language.library import find_scenario, list_scenarios, load_scenario
from workup.scenarios.language.reading.reader import read
from workup.scenarios.language.tables import effective_parents
from workup.scenarios.language.words.phrases import Phrases, alternatives
from workup.scenarios.language.words.prose import explain
from workup.wording import listed

TUTORIAL = load_scenario("tutorial")
PAGE = explanation(TUTORIAL, "workup explain tutorial --out page.html")
VOID = {"meta", "path", "br", "use", "rect"}


class Balanced(HTMLParser):
    """Fails at a tag that closes what was not open."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: object) -> None:
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self.open.pop() == tag


# ---------------------------------------------------------------- the page


def test_the_page_stands_alone_and_is_well_formed() -> None:
    parser = Balanced()
    parser.feed(PAGE)
    assert parser.open == []
    assert not re.search(r"(src|href)=\"(?!#|https?://)", PAGE.replace('xlink:href="#', ""))
    assert "<script" not in PAGE
    assert "default-src 'none'" in PAGE


def test_the_page_says_at_its_head_how_far_it_may_be_trusted() -> None:
    head = PAGE[: PAGE.index("</header>")]
    assert "never medical advice" in head
    assert "Draft, not reviewed by a clinician" in head
    counts = re.findall(r"</span>(seen|recalled|derived|assumed) [<>0-9]+% \((\d+)\)", head.replace("&lt;", "<"))
    assert {status for status, _ in counts} == {"seen", "recalled", "derived", "assumed"}
    assert sum(int(count) for _, count in counts) == len(TUTORIAL.figures)


def test_the_page_tells_every_figure_with_its_status() -> None:
    part = PAGE[PAGE.index('<section id="figures">') :]
    rows = re.findall(r"<tr(?: class=\"unseen\")?><td>.*?</tr>", part)
    assert len(rows) == len(TUTORIAL.figures)
    unseen = sum('class="unseen"' in row for row in rows)
    assert unseen == sum(figure.status != "seen" for figure in TUTORIAL.figures)
    (sensitivity,) = [row for row in rows if "Chest film: “shadow” with Something solid in the lung" in row]
    assert "84%" in sensitivity
    assert "recalled" in sensitivity
    assert "T1" in sensitivity


def test_the_page_has_every_test_rule_vignette_and_picture() -> None:
    words = re.sub(r"\s+", " ", PAGE)
    for of in (*TUTORIAL.investigations.values(), *TUTORIAL.acts.values()):
        assert f'<th scope="row">{of.label}</th>' in words
    assert all(rule.why in words for rule in TUTORIAL.guideline)
    assert all(vignette.title in words for vignette in TUTORIAL.vignettes.values())
    assert PAGE.count("<svg") == 2
    assert all(of.label in PAGE[PAGE.index("<svg") :] for of in TUTORIAL.findings.values())


def test_the_picture_and_a_story_come_first_and_the_figures_are_folded() -> None:
    main = PAGE[PAGE.index("<main") :]
    assert main.index("<svg") < main.index("One of ") < main.index(next(iter(TUTORIAL.vignettes.values())).story)
    assert main.index(next(iter(TUTORIAL.vignettes.values())).story) < main.index("<details")
    first_table = main.index("<table")
    assert main.count("<details", 0, first_table) > main.count("</details>", 0, first_table)


def test_headings_go_down_one_at_a_time_and_nothing_needs_a_wide_screen() -> None:
    levels = [int(level) for level in re.findall(r"<h([1-6])[ >]", PAGE)]
    assert (levels[0], levels.count(1)) == (1, 1)
    assert all(after <= before + 1 for before, after in pairwise(levels))
    assert PAGE.count("<table") == len(re.findall(r'<div class="scroll"[^>]*><table', PAGE))
    labels = re.findall(r'role="region" tabindex="0" aria-label="([^"]*)"', PAGE)
    assert len(labels) == len(set(labels)) > 5


def test_a_share_that_is_hardly_known_is_not_told_to_two_digits() -> None:
    causes = [line for line in explain(load_scenario("weight_loss")).splitlines() if "each day of waiting" in line]
    assert "under 0.1% to 4.3%" in causes[0]
    assert not [line for line in causes if re.search(r"0\.0\d", line)]


def test_what_a_scenario_says_is_escaped() -> None:
    about = "<script>alert(1)</script> & **more**"
    page = explanation(TUTORIAL.model_copy(update={"about": about, "title": "<b>x</b>"}), "workup")
    assert "<script>" not in page
    assert "<b>x</b>" not in page
    assert html(["- <i>a</i> **b** <https://example.org/?a=1&b=2>"]) == (
        '<ul>\n<li>&lt;i&gt;a&lt;/i&gt; <b>b</b> <a href="https://example.org/?a=1&amp;b=2" rel="noreferrer">'
        "https://example.org/?a=1&amp;b=2</a>\n</li></ul>"
    )


def test_lists_within_lists_keep_their_depth() -> None:
    assert "".join(html(["1. a", "   - b", "   - c", "2. d"]).split()) == (
        "<ol><li>a<ul><li>b</li><li>c</li></ul></li><li>d</li></ol>"
    )


def test_the_page_is_written_where_it_was_asked_for(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    status, out, _ = run(capsys, "explain", "tutorial", "--out", tmp_path / "new" / "page.html")
    assert (status, out.strip()) == (0, str(tmp_path / "new" / "page.html"))
    assert "<h1>Cough for three weeks</h1>" in (tmp_path / "new" / "page.html").read_text()
    status, _, err = run(capsys, "explain", "tutorial", "--out", tmp_path / "page.pdf")
    assert (status, ".html" in err) == (2, True)


# ---------------------------------------------------------------- the pictures


def frames(figure: Figure) -> list[Bbox]:
    FigureCanvasAgg(figure)
    axes = figure.axes[0]
    return [patch.get_window_extent() for patch in axes.patches if isinstance(patch, FancyBboxPatch)]


def texts(figure: Figure) -> Iterator[tuple[str, Bbox]]:
    renderer = FigureCanvasAgg(figure).get_renderer()
    for text in figure.axes[0].texts:
        yield text.get_text(), text.get_window_extent(renderer)


@pytest.mark.slow
@pytest.mark.parametrize("draw", [network_figure, prerequisite_figure])
@pytest.mark.parametrize("name", list_scenarios())
def test_nothing_in_a_picture_overlaps(name: str, draw: object) -> None:
    figure = draw(load_scenario(name))  # type: ignore[operator]
    boxes = frames(figure)
    for one, other in combinations(boxes, 2):
        assert not one.padded(-0.5).overlaps(other.padded(-0.5))
    page = figure.bbox
    for words, place in texts(figure):
        inside = [each for each in boxes if each.padded(1).contains(*place.min) or each.padded(1).contains(*place.max)]
        assert page.padded(1).contains(*place.min), words
        assert page.padded(1).contains(*place.max), words
        assert all(each.padded(1).contains(*corner) for each in inside for corner in (place.min, place.max)), words


@pytest.mark.slow
@pytest.mark.parametrize("name", list_scenarios())
def test_the_network_shows_every_variable_and_every_dependence(name: str) -> None:
    s = load_scenario(name)
    parts = network(s)
    found = [finding for group in parts.found for finding in group.findings]
    assert sorted(found) == sorted(s.findings)
    shown = {(parent, child) for parent, child in parts.inner}
    groups = [group for found_by in parts.found for group in found_by.groups]
    shown |= {(parent, finding) for group in groups for finding in group.findings for parent in group.parents}
    items = [(found_by.tier, found_by.item) for found_by in parts.found]
    assert len(items) == len(set(items)), "no test is drawn twice"
    every = {**s.context, **s.comorbidities, **s.latent, **s.findings, "condition": s.prior}
    assert shown == {(parent, child) for child, of in every.items() for parent in effective_parents(of)}
    words = " ".join(text.get_text() for text in network_figure(s).axes[0].texts).split()
    assert all(set(of.label.split()) <= set(words) | {"–"} for of in s.findings.values())


def test_findings_that_depend_on_the_same_are_told_together() -> None:
    first = network(TUTORIAL).found[0]
    assert (first.item, first.groups) == ("History", (Group(("condition",), ("fever", "haemoptysis")),))


def test_arrows_are_drawn_for_what_findings_depend_on_beside_the_cause() -> None:
    found = {of.item: of for of in network(load_scenario("weight_loss")).found}
    bloods = found["Full blood count, C-reactive protein and bone profile"]
    assert len(bloods.groups) == 2
    assert bloods.drawn == ("inflammatory_response",)
    assert found["Chest X-ray"].drawn == ()


def test_what_bears_on_what_is_told_apart() -> None:
    assert set(links(TUTORIAL)) == {
        Link("chest_film", "ct", "one of several"),
        Link("kidney_test", "ct", "rules out"),
    }
    weight_loss = {(link.before, link.after): link.kind for link in links(load_scenario("weight_loss"))}
    assert weight_loss["biopsy", "ngs_panel"] == "must"
    assert weight_loss["kidney_and_liver", "ct_cap"] == "must"
    meningitis = {(link.before, link.after): link.kind for link in links(load_scenario("meningitis"))}
    assert "not after" in meningitis.values()


@pytest.mark.parametrize("name", list_scenarios())
def test_history_and_examination_stand_first_and_within_a_tier_what_waits_stands_below(name: str) -> None:
    s, rows = load_scenario(name), layers(load_scenario(name))
    assert {s.investigations[item].tier for item in rows[0][1]} == {"history", "examination"}
    assert sorted(item for _, row in rows for item in row) == sorted([*s.investigations, *s.acts])
    row_of = {item: i for i, (_, row) in enumerate(rows) for item in row}
    for link in links(s):
        tiers = [s.investigations[each].tier for each in (link.before, link.after) if each in s.investigations]
        if link.kind == "must" and len(set(tiers)) == 1 and len(tiers) == 2:
            assert row_of[link.before] < row_of[link.after]


def test_text_is_wrapped_to_its_width() -> None:
    lines = wrapped(Line("Full blood count, C-reactive protein and bone profile", 7.5, True), 120, hang=5)
    assert len(lines) > 1
    assert all(line.indent + text_width(line.text, line.size, line.bold) <= 120 for line in lines)
    assert " ".join(line.text for line in lines) == "Full blood count, C-reactive protein and bone profile"


# ---------------------------------------------------------------- the words


def test_lists_within_lists_are_told_with_semicolons() -> None:
    assert listed(["a", "b", "c"]) == "a, b and c"
    assert listed(["a, b or c", "d"]) == "a, b or c; and d"
    assert listed(["a (b, c)", "d"]) == "a (b, c) and d"
    assert listed(["bread and butter", "jam"]) == "bread and butter; and jam"


def test_what_alternatives_share_is_said_once() -> None:
    when = ({"fever": "yes", "film": "shadow"}, {"fever": "yes", "haemoptysis": "yes"})
    assert alternatives(when) == ({"fever": "yes"}, ({"film": "shadow"}, {"haemoptysis": "yes"}))
    assert Phrases(TUTORIAL).when(when) == "Fever is yes and either Chest film is shadow or Blood coughed up is yes"
    assert Phrases(TUTORIAL).when(({"fever": "yes"}, {"fever": "yes", "film": "shadow"})) == "Fever is yes"


def test_units_decimals_and_groups_are_spoken() -> None:
    page = explain(load_scenario("meningitis"))
    assert "under 3.9" in page
    assert "under 3 9" not in page
    weight_loss = explain(load_scenario("weight_loss"))
    assert "with cancer but not Lung cancer" in weight_loss
    assert "Age 28 years" in weight_loss
    assert "4%" in weight_loss


# ---------------------------------------------------------------- what changed


def test_diff_speaks_and_ends_like_diff(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    text = (find_scenario("tutorial") / "scenario.yaml").read_text()
    changed, listing = tmp_path / "changed.yaml", tmp_path / "changes.json"
    assert "cost_gbp: 150" in text
    changed.write_text("# a comment\n" + text.replace("cost_gbp: 150", "cost_gbp: 160"))
    status, out, _ = run(capsys, "diff", "tutorial", changed, "--json", listing)
    assert (status, "CT of the chest with contrast: costs £150 → £160" in out) == (1, True)
    assert "not reviewed by a clinician" in out
    (change,) = json.loads(listing.read_text())["changes"]
    assert (change["path"], change["before"], change["after"]) == ("investigations.ct.cost_gbp", 150, 160)
    changed.write_text("# only a comment\n" + text)
    assert run(capsys, "diff", find_scenario("tutorial"), changed, "--json", listing)[0] == 0
    assert json.loads(listing.read_text())["changes"] == []


def test_diff_of_a_broken_scenario_is_a_message(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    (tmp_path / "broken.yaml").write_text("id: broken\n")
    status, _, err = run(capsys, "diff", "tutorial", tmp_path / "broken.yaml")
    assert (status, "broken.yaml" in err, "Traceback" in err) == (2, True, False)


def test_the_order_of_entries_is_no_difference_but_is_said(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    data = read(find_scenario("tutorial")).tree.data
    data["acts"] = dict(reversed(data["acts"].items()))
    (tmp_path / "turned.yaml").write_text(json.dumps(data))
    status, out, _ = run(capsys, "diff", "tutorial", tmp_path / "turned.yaml")
    assert (status, "the order of entries" in out) == (0, True)
