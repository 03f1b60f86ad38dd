"""`workup new`: the interview, what it makes of the answers, and that nothing is written but a sound scenario."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.authors import CHEST_PAIN, COUGH, answered, changed

from workup.authoring.answers import ContextAnswer, Origin, Question
from workup.authoring.folder import check_place, write_scenario
from workup.authoring.interview import interview
from workup.authoring.parts import OPENING, PARTS
from workup.authoring.summary import summary
from workup.envs.compile.compile import compile_world
from workup.errors import WorkupError
from workup.scenarios.language.library import load_scenario
from workup.scenarios.language.schema import Scenario
from workup.scenarios.language.words.prose import explain


@pytest.fixture(scope="module")
def cough(tmp_path_factory: pytest.TempPathFactory) -> Scenario:
    folder = tmp_path_factory.mktemp("cases") / "my_cough"
    assert write_scenario(answered()[0], folder) == ()
    return load_scenario(folder)


def test_chest_pain_takes_at_most_45_answers_with_the_last_yes(tmp_path: Path) -> None:
    answers, given, author = answered(CHEST_PAIN)
    assert (len(answers.conditions), len(answers.findings), len(answers.tests), len(answers.decisions)) == (5, 9, 4, 4)
    assert len(author.asked) + len(("yes",)) == len(given) + 1 == 45
    assert author.problems == []
    assert write_scenario(answers, tmp_path / "chest_pain") == ()


def test_an_example_is_an_answer_that_is_understood() -> None:
    problems: list[str] = []

    def ask(question: Question) -> str:
        assert len(problems) == 0
        return "all" if question.key[1] == "more" else question.example

    interview(ask, lambda kind, line: problems.extend([line] if kind == "problem" else ()), year=2026)
    assert problems == []


def test_every_question_says_what_it_means() -> None:
    unexplained = {question.text for question in answered()[2].asked if not question.explanation + question.default}
    assert unexplained == {"What does this patient have in truth?"}


def test_the_answers_become_a_scenario_that_says_what_was_said(cough: Scenario) -> None:
    assert (cough.id, cough.title, cough.who.authors) == (
        "my_cough",
        "Cough for three weeks",
        ("A. Clinician", "B. Nurse"),
    )
    assert (cough.who.price_year, cough.who.guideline.name) == (2025, "NICE NG12")
    assert list(cough.conditions) == ["viral_bronchitis", "pneumonia", "lung_cancer"]
    assert cough.conditions["pneumonia"].urgency == "emergency"
    assert cough.conditions["pneumonia"].waiting_cost_gbp_per_day == 150
    assert cough.prior.given == ("smoking",)
    assert cough.prior.table == {
        "never": {"viral_bronchitis": 0.96, "pneumonia": 0.039, "lung_cancer": 0.001},
        "ever": {"viral_bronchitis": 0.9, "pneumonia": 0.08, "lung_cancer": 0.02},
    }
    assert cough.context["wish_about_scans"].known == "when_revealed"
    assert cough.investigations["history"].reveals == ("wish_about_scans", "fever", "blood_coughed_up")
    assert (cough.investigations["history"].cost_gbp, cough.investigations["chest_film"].turnaround) == (25, 4)
    assert cough.findings["crp_result"].values == ("low", "raised", "high")
    table = cough.findings["crp_result"].table
    assert isinstance(table, dict)
    assert table["pneumonia"] == {"low": 0.05, "raised": 0.2, "high": 0.75}
    assert cough.findings["blood_coughed_up"].chance == {
        "viral_bronchitis": 0.02,
        "pneumonia": 0.02,
        "lung_cancer": 0.2,
    }
    rule = next(rule for rule in cough.guideline if rule.do == "treat_as_pneumonia")
    assert rule.when == ({"chest_film_result": "shadow", "fever": "yes"}, {"crp_result": "high"})
    assert cough.decisions["refer"].utility == {"viral_bronchitis": -1000, "pneumonia": -4000, "lung_cancer": -2000}
    assert cough.decisions["refer"].right_for == ("lung_cancer",)
    vignette = cough.vignettes["a_cold_that_lingers"]
    assert (vignette.context, vignette.condition, vignette.decide) == (
        {"smoking": "never"},
        "viral_bronchitis",
        ("reassure",),
    )
    assert vignette.expect[1].must_not == ("crp", "chest_film")


def test_more_detail_becomes_what_the_language_has_for_it(cough: Scenario) -> None:
    film, oxygen = cough.investigations["chest_film"], cough.acts["oxygen"]
    assert film.requires == ({"crp": "done", "crackles": "yes"},)
    assert oxygen.requires == ({"crp_result": "high"}, {"chest_film": "done"})
    assert (film.dose_msv, cough.loss_gbp_per_msv) == (0.1, 6)
    (no,) = film.contraindicated
    assert (no.when, no.loss_gbp, no.why) == ({"wish_about_scans": "declines"}, 500, "They said no")
    fall = film.complications["fall"]
    assert (fall.label, fall.chance, fall.loss_gbp) == ("Fall", 0.001, 3000)
    assert oxygen.benefit_gbp == {"viral_bronchitis": -15, "pneumonia": 200, "lung_cancer": -15}
    assert oxygen.waiting_factor == {"pneumonia": 0.2}
    assert "oxygen" in compile_world(cough).items


def test_what_was_not_asked_for_is_not_asked() -> None:
    author = answered(CHEST_PAIN)[2]
    asked = " ".join(question.text for question in author.asked)
    for word in ("mSv", "come first", "go wrong", "one QALY", "Prices", "come from"):
        assert word not in asked


def test_worths_may_be_in_qalys(tmp_path: Path) -> None:
    script = changed("Is there more to say", "qalys", script=CHEST_PAIN)
    place = [part for part, _ in script].index("When is ECG ordered")
    answers, _, _ = answered([*script[:place], ("one QALY", "30000"), *script[place:]])
    assert (answers.unit, answers.gbp_per_qaly) == ("qaly", 30000)


def test_every_figure_without_a_source_is_assumed(cough: Scenario) -> None:
    cited = {(f.path.split(".")[0], f.path.split(".")[1], f.status, f.source) for f in cough.figures if f.source}
    assert cited == {("prior", "table", "seen", "S1"), ("findings", "blood_coughed_up", "recalled", "S2")}
    assert {figure.status for figure in cough.figures if not figure.source} == {"assumed"}
    assert (cough.sources["S1"].seen, cough.sources["S2"].seen) == (True, False)


def test_explain_tells_the_answers_back(cough: Scenario) -> None:
    page = explain(cough)
    assert "Fever: yes in 30% with Viral bronchitis; 80% with Pneumonia; 15% with Lung cancer" in page
    assert "It is a mass until shown otherwise.\n" in page
    for said in ("Fall", "Oxygen", "They said no"):
        assert said in page


def test_the_folder_has_comments_that_say_how_to_go_on_and_a_page_in_draft(tmp_path: Path) -> None:
    write_scenario(answered()[0], tmp_path / "my_cough")
    files = {file.name: file.read_text(encoding="utf-8") for file in (tmp_path / "my_cough").iterdir()}
    assert set(files) == {"scenario.yaml", "vignettes.yaml", "sources.yaml", "README.md"}
    assert "`workup lint`" in files["scenario.yaml"].partition("id: my_cough")[0]
    for section in ("context", "conditions", "prior", "findings", "investigations", "acts", "utility", "guideline"):
        assert re.search(rf"^# .*\n{section}:$", files["scenario.yaml"], re.MULTILINE)
    assert "**Draft, not reviewed by a clinician.**" in files["README.md"]
    assert "workup sign my_cough" in files["README.md"]
    title, story = "A cold that lingers", "A cold that lingers"
    unended = replace(answered()[0], vignette=replace(answered()[0].vignette, title=title, story=story))
    write_scenario(unended, tmp_path / "my_cold")
    assert f"- *{title}.* {story}. " in (tmp_path / "my_cold" / "README.md").read_text(encoding="utf-8")
    assert max(map(len, files["scenario.yaml"].splitlines())) <= 130


def test_the_summary_shows_every_part() -> None:
    shown = summary(answered()[0])
    assert tuple(part for part, _ in shown) == PARTS
    text = "\n".join(line for _, lines in shown for line in lines)
    for said in (
        "never 60%, ever 40%",
        "Pneumonia 8%",
        "CRP with Pneumonia: low 5%",
        "otherwise Reassure",
        "£35, 4 h",
        "Chest film if CRP = high, or if Crackles = yes, or if Blood coughed up = yes",
        "Chest film only after CRP = done or Crackles = yes",
        "Chest film not if Wish about scans = declines",
        "can cause Fall: 0.1%, £3000",
        "Oxygen (£20, 10 min, discomfort £5) adds -15 if Viral bronchitis",
        "prices of 2025; guideline: NICE NG12",
        "Coughs. Journal 2020;1:1 (read)",
    ):
        assert said in text


def test_given_answers_are_not_asked_again() -> None:
    answers, given, _ = answered()
    again, _, author = answered([], given=given)
    assert again == answers
    assert author.heard == []


def test_results_that_add_up_to_more_than_all_are_asked_again_as_they_were() -> None:
    place = next(i for i, (part, _) in enumerate(COUGH) if part == "CRP = high: in how many")
    wrong = [*COUGH[:place], ("CRP = high: in how many", "2 85 10"), ("CRP = raised", ""), ("CRP = high", "2 75 10")]
    answers, _, author = answered([*wrong, *COUGH[place + 1 :]])
    assert answers == answered()[0]
    assert author.problems == ["The results of CRP add up to more than 100% with Pneumonia. Please give them again."]


def test_what_is_not_understood_is_said_and_asked_again() -> None:
    _, _, author = answered(changed("Fever: in how many", "30 80", "lots", "30 80 15"))
    assert author.problems[0] == "2 figures for 3: Viral bronchitis 30, Pneumonia 80. Missing: Lung cancer."
    assert author.problems[1].startswith("'lots' is no name with a figure")


def test_how_an_answer_was_understood_is_told() -> None:
    author = answered()[2]
    assert "Viral bronchitis 30%, Pneumonia 80%, Lung cancer 15%" in author.heard


def test_back_returns_to_the_question_before_with_its_answer_as_it_was() -> None:
    place = [part for part, _ in COUGH].index("Blood coughed up: in how many")
    ahead = [*COUGH[: place - 1], ("Fever: in how many", "8 8 8"), ("Blood coughed up: in how many", "back")]
    answers, _, author = answered([*ahead, *COUGH[place - 1 :]])
    assert answers == answered()[0]
    assert author.asked[len(ahead)].default == "8 8 8"


def test_back_goes_as_far_as_the_beginning() -> None:
    first = ("case called", "Cough")
    answers, _, author = answered([("case called", "back"), first, ("Who comes", "BACK"), *COUGH])
    assert answers == answered()[0]
    assert author.problems == ["This is the first question."]


def test_back_keeps_what_comes_later() -> None:
    _, given, _ = answered()
    kept = {key: answer for key, answer in given.items() if key[0] != PARTS[0]}
    script = [("case called", "Coughing"), ("Who comes", "back"), ("case called", "Cough"), *COUGH[1:4]]
    answers, _, _ = answered(script, given=kept)
    assert answers == replace(answered()[0], title="Cough")


def test_nothing_is_called_as_something_else_is() -> None:
    _, _, author = answered(changed("Which tests", "CRP, fever", "History", "crp, CRP", "a; b", "CRP, Chest film"))
    assert author.problems == [
        "'fever' is the name of something else already. Choose another.",
        "'History' is the name of something else already. Choose another.",
        "'CRP' is there twice. Name each once.",
        "';' means something else in answers, so 'a; b' cannot be a name.",
    ]


def test_a_part_can_be_answered_again_and_only_what_is_new_is_asked() -> None:
    _, given, _ = answered()
    kept = {key: answer for key, answer in given.items() if key[0] != OPENING}
    script = [
        ("What can the history", "Fever, Night sweats"),
        ("What can the examination", ""),
        ("Fever", ""),
        ("Night sweats: in how many", "5 20 20"),
        ("Crackles", ""),
        ("figures of Night sweats come", ""),
        ("When is Chest film ordered", "CRP high or Crackles yes"),
        ("What can be found", "Smoking = never, Fever = no, Night sweats = no, Crackles = no"),
    ]
    answers, _, author = answered(script, given=kept, earlier=given)
    assert [finding.label for finding in answers.history.findings] == ["Fever", "Night sweats"]
    assert author.asked[2].default == "30 80 15"
    assert set(answers.vignette.findings) == {"Fever", "Night sweats", "Crackles"}
    no_longer = "'Blood coughed up = yes' does not begin with a fact. These are known: Smoking, Wish about scans, Fever"
    assert any(line.startswith(no_longer) for line in author.problems)


def test_a_vignette_that_cannot_occur_is_told_and_not_written(tmp_path: Path) -> None:
    facts = "Smoking = never, Fever = yes"
    impossible = changed("What can be found", facts, script=changed("Fever: in how many", "0 80 15"))
    faults = write_scenario(answered(impossible)[0], tmp_path / "my_cough")
    assert any("a_cold_that_lingers" in fault.message and "fever" in fault.message for fault in faults)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("name", "message"), [("my cough", "letters, digits and _"), ("tutorial", "comes with workup")]
)
def test_a_name_that_cannot_be_one_is_refused_before_any_question(tmp_path: Path, name: str, message: str) -> None:
    with pytest.raises(WorkupError, match=message):
        check_place(tmp_path / name)


def test_what_is_there_is_never_overwritten(tmp_path: Path) -> None:
    (tmp_path / "my_cough").mkdir()
    (tmp_path / "my_cough" / "notes.txt").write_text("mine")
    with pytest.raises(WorkupError, match="exists already"):
        write_scenario(answered()[0], tmp_path / "my_cough")
    assert [file.name for file in tmp_path.rglob("*")] == ["my_cough", "notes.txt"]
    (tmp_path / "my_cough" / "answers.json").write_text("{}")
    (tmp_path / "my_cough" / "README.md").write_text("mine")
    with pytest.raises(WorkupError, match=r"README\.md is there already and is left as it is"):
        write_scenario(answered()[0], tmp_path / "my_cough")
    assert sorted(file.name for file in (tmp_path / "my_cough").iterdir()) == ["README.md", "answers.json", "notes.txt"]


# ------------------------------------------------------------------ whatever is answered, lint finds no fault

WORDS = st.text(st.characters(exclude_categories=["C", "Z"], exclude_characters=","), min_size=1, max_size=12)
LABELS = st.lists(WORDS.filter(lambda w: any(c.isalnum() for c in w)), min_size=2, max_size=4, unique_by=str.lower)


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(conditions=LABELS, values=LABELS, line=WORDS, qaly=st.booleans(), data=st.data())
def test_whatever_things_are_called_the_scenario_is_sound(
    conditions: list[str], values: list[str], line: str, qaly: bool, data: st.DataObject, tmp_path: Path
) -> None:
    base = replace(answered()[0], treatments=(), care={})
    weights = data.draw(st.lists(st.integers(1, 9), min_size=len(conditions), max_size=len(conditions)))
    shares = tuple(weight / sum(weights) for weight in weights)
    even = tuple(1 / len(values) for _ in values)
    called = dict(zip(conditions, base.conditions * 2, strict=False))

    def over(row: tuple[float, ...]) -> dict[str, tuple[float, ...]]:
        return dict.fromkeys(conditions, row)

    test = replace(base.tests[0], finding=replace(base.tests[0].finding, values=tuple(values), shares=over(even)))
    findings = tuple(replace(of, shares=over((0.7, 0.3)), origin=Origin(line, qaly)) for of in base.history.findings)
    answers = replace(
        base,
        title=line,
        about=line,
        authors=(line,),
        context=(ContextAnswer("Of the patient", tuple(values), even, qaly, Origin(line)),),
        conditions=tuple(replace(of, label=label) for label, of in called.items()),
        prior_by="Of the patient" if qaly else None,
        prior=dict.fromkeys(values if qaly else [""], shares),
        history=replace(base.history, findings=findings),
        examination=replace(base.examination, findings=()),
        tests=(test,),
        unit="qaly" if qaly else "gbp",
        decisions=(replace(base.decisions[-1], right_for=tuple(conditions), worth=dict.fromkeys(conditions, -0.5)),),
        rules=(replace(base.rules[0], do="CRP", alternatives=({"CRP": values[0], "Of the patient": values[-1]},)), base.rules[-1]),
        vignette=replace(
            base.vignette,
            title=line,
            condition=conditions[0],
            context={"Of the patient": values[0]},
            findings={"CRP": values[-1], "Fever": "no"},
            must=("CRP",),
            must_not=(),
            decide=("Reassure",),
        ),
    )  # fmt: skip
    folder = tmp_path / f"case_{len(list(tmp_path.iterdir()))}"
    assert write_scenario(answers, folder) == ()
    scenario = load_scenario(folder)
    assert (scenario.title, scenario.who.authors) == (line, (line,))
    assert [of.label for of in scenario.conditions.values()] == conditions
    assert explain(scenario)
