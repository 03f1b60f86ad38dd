"""`workup new`: the interview, what it makes of the answers, and that nothing is written but a sound scenario."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.command import run as run_command

from workup.authoring import typed
from workup.authoring.answers import Answers, ContextAnswer, Origin, Question
from workup.authoring.folder import check_place, write_scenario
from workup.authoring.interview import HISTORY, PARTS, VIGNETTE, interview
from workup.authoring.summary import summary
from workup.authoring.typed import NotUnderstoodError
from workup.envs.compile.faults import lint_compiled
from workup.errors import WorkupError
from workup.scenarios.language.library import load_scenario
from workup.scenarios.language.schema import Scenario
from workup.scenarios.language.words.prose import explain

COUGH = [
    ("case called", "Cough for three weeks"),
    ("Who comes", "An adult has coughed for three weeks. Is it more than a virus?"),
    ("Who writes", "A. Clinician, B. Nurse"),
    ("Where are we", "General practice, United Kingdom"),
    ("Which guideline", ""),
    ("which year", "2025"),
    ("What about the patient", "Smoking, Wish about scans"),
    ("Smoking: which values", "never, ever"),
    ("Smoking: is it known", ""),
    ("Smoking = ever", "40%"),
    ("Where do these figures", "none"),
    ("Wish about scans: which values", "accepts, declines"),
    ("Wish about scans: is it known", "ask"),
    ("Wish about scans = declines", "1 in 10"),
    ("Where do these figures", ""),
    ("Which conditions", "Viral bronchitis, Pneumonia, Lung cancer"),
    ("Viral bronchitis: how urgent", "routine"),
    ("Viral bronchitis: what does each day", "1"),
    ("Pneumonia: how urgent", "emer"),
    ("Pneumonia: what does each day", "£150"),
    ("Lung cancer: how urgent", "2"),
    ("Lung cancer: what does each day", "10"),
    ("depend on Smoking or Wish", "smoking"),
    ("Smoking = never, how many have Viral", "96%"),
    ("Smoking = never, how many have Pneumonia", "0.039"),
    ("Smoking = never, how many have Lung", "1 in 1000"),
    ("Smoking = ever, how many have Viral", "90%"),
    ("Smoking = ever, how many have Pneumonia", "8%"),
    ("Smoking = ever, how many have Lung", "2%"),
    ("Where do these figures", "Someone A. Coughs. Journal 2020;1:1"),
    ("Have you read it", "yes"),
    ("What can the history show", "Fever, Blood coughed up"),
    ("Viral bronchitis, how many have Fever", "30%"),
    ("Pneumonia, how many have Fever", "80%"),
    ("Lung cancer, how many have Fever", "15%"),
    ("Where do these figures", ""),
    ("Viral bronchitis, how many have Blood", "2%"),
    ("Pneumonia, how many have Blood", "2%"),
    ("Lung cancer, how many have Blood", "1 in 5"),
    ("Where do these figures", "Hamilton W et al. Thorax 2005;60:1059"),
    ("Have you read it", "no"),
    ("What does the history cost", ""),
    ("How long does the history take", "8 minutes"),
    ("What can the examination show", "Crackles"),
    ("Viral bronchitis, how many have Crackles", "10%"),
    ("Pneumonia, how many have Crackles", "70%"),
    ("Lung cancer, how many have Crackles", "10%"),
    ("Where do these figures", ""),
    ("What does the examination cost", ""),
    ("How long does the examination take", ""),
    ("Which tests", "CRP, Chest film"),
    ("CRP: what kind", "bloods"),
    ("CRP: what does it cost", "8"),
    ("CRP: how long", "2h"),
    ("CRP: what would be paid", "3"),
    ("CRP: how is it reported", "low, raised, high"),
    ("Viral bronchitis, how many have CRP = low", "80%"),
    ("Viral bronchitis, how many have CRP = raised", "18%"),
    ("Viral bronchitis, how many have CRP = high", "2%"),
    ("Pneumonia, how many have CRP = low", "5%"),
    ("Pneumonia, how many have CRP = raised", "20%"),
    ("Pneumonia, how many have CRP = high", "75%"),
    ("Lung cancer, how many have CRP = low", "60%"),
    ("Lung cancer, how many have CRP = raised", "30%"),
    ("Lung cancer, how many have CRP = high", "10%"),
    ("Where do these figures", ""),
    ("Chest film: what kind", "imaging"),
    ("Chest film: what does it cost", "35"),
    ("Chest film: how long", "4 hours"),
    ("Chest film: what would be paid", ""),
    ("Chest film: how is it reported", "clear, shadow"),
    ("Viral bronchitis, how many have Chest film = shadow", "4%"),
    ("Pneumonia, how many have Chest film = shadow", "80%"),
    ("Lung cancer, how many have Chest film = shadow", "80%"),
    ("Where do these figures", ""),
    ("pounds or in QALYs", ""),
    ("Which decisions can end", "Reassure, Treat as pneumonia, Refer"),
    ("Reassure: what kind", "reassure"),
    ("Reassure: how urgent", "routine"),
    ("Reassure: for which", "viral"),
    ("Reassure: what is it worth, in pounds, if it is Viral", "0"),
    ("Reassure: what is it worth, in pounds, if it is Pneumonia", "-5,000"),
    ("Reassure: what is it worth, in pounds, if it is Lung", "-12000"),
    ("Treat as pneumonia: what kind", "treat"),
    ("Treat as pneumonia: how urgent", "emergency"),
    ("Treat as pneumonia: for which", "2"),
    ("Treat as pneumonia: what is it worth, in pounds, if it is Viral", "-400"),
    ("Treat as pneumonia: what is it worth, in pounds, if it is Pneumonia", "-200"),
    ("Treat as pneumonia: what is it worth, in pounds, if it is Lung", "-10000"),
    ("Refer: what kind", "refer"),
    ("Refer: how urgent", "urgent"),
    ("Refer: for which", "cancer"),
    ("Refer: what is it worth, in pounds, if it is Viral", "-1000"),
    ("Refer: what is it worth, in pounds, if it is Pneumonia", "-4000"),
    ("Refer: what is it worth, in pounds, if it is Lung", "-2000"),
    ("When is CRP ordered", "Fever = yes"),
    ("CRP: why", ""),
    ("When is Chest film ordered", "CRP high or Crackles yes, or Blood coughed up = yes"),
    ("Chest film: why", "Rule out pneumonia and a mass."),
    ("Which decision is made when nothing", "Reassure"),
    ("'Treat as pneumonia' made", "Chest film = shadow and Fever = yes, or CRP: high"),
    ("Treat as pneumonia: why", ""),
    ("'Refer' made", "chest film is shadow"),
    ("Refer: why", "A mass until shown otherwise"),
    ("this patient's case", "A cold that lingers"),
    ("Tell the story", "Never smoked, no fever, no blood, clear chest."),
    ("have in truth", "viral"),
    ("Smoking?", "never"),
    ("Wish about scans?", ""),
    ("Fever?", "no"),
    ("Blood coughed up?", "no"),
    ("Crackles?", "no"),
    ("CRP?", ""),
    ("Chest film?", ""),
    ("Which tests must be ordered", ""),
    ("Which tests must not be ordered", "all"),
    ("right for this patient", "Reassure"),
    ("Why?", "A long cough alone is nearly always viral."),
]


class Author:
    """Answers each question as written, and checks that it is the one expected."""

    def __init__(self, script: Sequence[tuple[str, str]]) -> None:
        self.script: Iterator[tuple[str, str]] = iter(script)
        self.heard: list[str] = []
        self.asked: list[Question] = []

    def ask(self, question: Question) -> str:
        part, answer = next(self.script)
        assert part in question.text
        self.asked.append(question)
        return answer

    def say(self, line: str) -> None:
        self.heard.append(line)


def answered(
    script: Sequence[tuple[str, str]] = COUGH, **more: Any
) -> tuple[Answers, dict[tuple[str, ...], str], Author]:
    author = Author(script)
    answers, given = interview(author.ask, author.say, year=2026, **more)
    assert next(author.script, None) is None
    return answers, given, author


@pytest.fixture(scope="module")
def cough(tmp_path_factory: pytest.TempPathFactory) -> Scenario:
    folder = tmp_path_factory.mktemp("cases") / "my_cough"
    assert write_scenario(answered()[0], folder) == ()
    return load_scenario(folder)


def changed(question: str, *answers: str) -> list[tuple[str, str]]:
    """The script with other answers to one question, which is asked as often."""
    places = [i for i, (part, _) in enumerate(COUGH) if part == question]
    assert len(places) == 1
    return [*COUGH[: places[0]], *((question, answer) for answer in answers), *COUGH[places[0] + 1 :]]


def test_the_answers_become_a_scenario_that_says_what_was_said(cough: Scenario) -> None:
    assert (cough.id, cough.title, cough.who.authors) == (
        "my_cough",
        "Cough for three weeks",
        ("A. Clinician", "B. Nurse"),
    )
    assert list(cough.conditions) == ["viral_bronchitis", "pneumonia", "lung_cancer"]
    assert cough.conditions["pneumonia"].urgency == "emergency"
    assert cough.prior.given == ("smoking",)
    assert cough.prior.table == {
        "never": {"viral_bronchitis": 0.96, "pneumonia": 0.039, "lung_cancer": 0.001},
        "ever": {"viral_bronchitis": 0.9, "pneumonia": 0.08, "lung_cancer": 0.02},
    }
    assert cough.context["wish_about_scans"].known == "when_revealed"
    assert cough.investigations["history"].reveals == ("wish_about_scans", "fever", "blood_coughed_up")
    assert cough.investigations["chest_film"].turnaround == 4
    assert cough.findings["crp_result"].values == ("low", "raised", "high")
    assert cough.findings["fever"].chance == {"viral_bronchitis": 0.3, "pneumonia": 0.8, "lung_cancer": 0.15}
    rule = next(rule for rule in cough.guideline if rule.do == "treat_as_pneumonia")
    assert rule.when == ({"chest_film_result": "shadow", "fever": "yes"}, {"crp_result": "high"})
    assert cough.decisions["refer"].utility == {"viral_bronchitis": -1000, "pneumonia": -4000, "lung_cancer": -2000}
    vignette = cough.vignettes["a_cold_that_lingers"]
    assert (vignette.context, vignette.condition, vignette.decide) == (
        {"smoking": "never"},
        "viral_bronchitis",
        ("reassure",),
    )
    assert vignette.expect[1].must_not == ("crp", "chest_film")


def test_every_figure_without_a_source_is_assumed(cough: Scenario) -> None:
    cited = {(f.path.split(".")[0], f.path.split(".")[1], f.status, f.source) for f in cough.figures if f.source}
    assert cited == {("prior", "table", "seen", "S1"), ("findings", "blood_coughed_up", "recalled", "S2")}
    assert {figure.status for figure in cough.figures if not figure.source} == {"assumed"}
    assert (cough.sources["S1"].seen, cough.sources["S2"].seen) == (True, False)


def test_explain_tells_the_answers_back(cough: Scenario) -> None:
    page = explain(cough)
    assert "Fever: yes in 30% with Viral bronchitis; 80% with Pneumonia; 15% with Lung cancer" in page
    assert "Rule out pneumonia and a mass.\n" in page


def test_the_folder_has_comments_that_say_how_to_go_on_and_a_page_in_draft(tmp_path: Path) -> None:
    write_scenario(answered()[0], tmp_path / "my_cough")
    files = {file.name: file.read_text(encoding="utf-8") for file in (tmp_path / "my_cough").iterdir()}
    assert set(files) == {"scenario.yaml", "vignettes.yaml", "sources.yaml", "README.md"}
    assert "`workup lint`" in files["scenario.yaml"].partition("id: my_cough")[0]
    for section in ("context", "conditions", "prior", "findings", "investigations", "utility", "guideline"):
        assert re.search(rf"^# .*\n{section}:$", files["scenario.yaml"], re.MULTILINE)
    assert "**Draft, not reviewed by a clinician.**" in files["README.md"]
    assert "workup sign my_cough" in files["README.md"]
    assert max(map(len, files["scenario.yaml"].splitlines())) <= 130


def test_the_summary_shows_every_part() -> None:
    shown = summary(answered()[0])
    assert tuple(part for part, _ in shown) == PARTS
    text = "\n".join(line for _, lines in shown for line in lines)
    for said in ("never 60%, ever 40%", "Pneumonia 8%", "CRP with Pneumonia: low 5%", "otherwise Reassure", "£35, 4 h"):
        assert said in text
    assert "Chest film if CRP = high, or if Crackles = yes, or if Blood coughed up = yes" in text


def test_given_answers_are_not_asked_again() -> None:
    answers, given, _ = answered()
    again, _, author = answered([], given=given)
    assert again == answers
    assert author.heard == []


def test_shares_that_do_not_add_up_are_asked_again_with_the_answers_as_they_were() -> None:
    place = next(i for i, (part, _) in enumerate(COUGH) if part == "Smoking = ever, how many have Lung")
    first = [*COUGH[place - 2 : place], ("Smoking = ever, how many have Lung", "20%")]
    answers, _, author = answered([*COUGH[: place - 2], *first, *(("Smoking = ever", ""),) * 2, *COUGH[place:]])
    assert answers.prior["ever"] == (0.9, 0.08, 0.02)
    assert any("add up to 118%" in line for line in author.heard)


def test_what_is_not_understood_is_said_and_asked_again() -> None:
    _, _, author = answered(changed("Smoking = ever", "40", "lots", "40%"))
    assert "'40' is more than 1. If you mean 40 in a hundred, write 40%." in author.heard
    assert "'lots' is not a number." in author.heard


def test_back_returns_to_the_question_before_with_its_answer_as_it_was() -> None:
    place = [part for part, _ in COUGH].index("Pneumonia, how many have Fever")
    ahead = [*COUGH[:place], ("Pneumonia, how many have Fever", "8%"), ("Lung cancer, how many have Fever", "back")]
    answers, _, author = answered([*ahead, *COUGH[place:]])
    assert answers == answered()[0]
    assert author.asked[len(ahead)].default == "8%"


def test_back_goes_as_far_as_the_beginning() -> None:
    first = ("case called", "Cough")
    answers, _, _ = answered([("case called", "back"), first, ("Who comes", "BACK"), *COUGH])
    assert answers == answered()[0]


def test_a_condition_without_a_decision_is_said() -> None:
    place = next(i for i, (part, _) in enumerate(COUGH) if part == "Which decisions can end")
    end = next(i for i, (part, _) in enumerate(COUGH) if part == "When is CRP ordered")
    decisions = COUGH[place:end]
    wrong = [(part, "1" if part == "Refer: for which" else answer) for part, answer in decisions]
    kept = [(part, "cancer" if part == "Refer: for which" else "") for part, _ in decisions]
    answers, _, author = answered([*COUGH[:place], *wrong, *kept, *COUGH[end:]])
    assert answers == answered()[0]
    assert any("No decision is right for Lung cancer" in line for line in author.heard)


def test_nothing_is_called_as_something_else_is() -> None:
    _, _, author = answered(changed("Which tests", "CRP, fever", "History", "crp, CRP", "CRP, Chest film"))
    assert "'fever' is the name of something else already. Choose another." in author.heard
    assert "'History' is the name of something else already. Choose another." in author.heard
    assert "'CRP' is there twice. Name each once." in author.heard


def test_a_part_can_be_answered_again_and_only_what_is_new_is_asked() -> None:
    _, given, _ = answered()
    kept = {key: answer for key, answer in given.items() if key[0] != HISTORY}
    script = [
        ("What can the history show", "Fever, Night sweats"),
        *(("Fever", ""),) * 3,
        ("Where do these", ""),
        ("Viral bronchitis, how many have Night sweats", "5%"),
        ("Pneumonia, how many have Night sweats", "20%"),
        ("Lung cancer, how many have Night sweats", "20%"),
        ("Where do these", ""),
        ("cost", ""),
        ("How long", ""),
        ("When is Chest film ordered", "CRP high or Crackles yes"),
        ("Night sweats?", "no"),
    ]
    answers, _, author = answered(script, given=kept, earlier=given)
    assert [finding.label for finding in answers.history.findings] == ["Fever", "Night sweats"]
    assert author.asked[1].default == "30%"
    assert set(answers.vignette.findings) == {"Fever", "Night sweats", "Crackles"}
    no_longer = "'Blood coughed up = yes' does not begin with a fact. These are known: Smoking, Wish about scans, Fever"
    assert any(line.startswith(no_longer) for line in author.heard)


def test_a_vignette_that_cannot_occur_is_told_and_not_written(tmp_path: Path) -> None:
    impossible = [
        ("Viral bronchitis, how many have Fever", "0%") if p == "Viral bronchitis, how many have Fever" else (p, a)
        for p, a in COUGH
    ]
    impossible = [(p, "yes" if p == "Fever?" else a) for p, a in impossible]
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


# ------------------------------------------------------------------ whatever is answered, lint finds no fault

WORDS = st.text(st.characters(exclude_categories=["C", "Z"], exclude_characters=","), min_size=1, max_size=12)
LABELS = st.lists(WORDS.filter(lambda w: any(c.isalnum() for c in w)), min_size=2, max_size=4, unique_by=str.lower)


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(conditions=LABELS, values=LABELS, line=WORDS, qaly=st.booleans(), data=st.data())
def test_whatever_things_are_called_the_scenario_is_sound(
    conditions: list[str], values: list[str], line: str, qaly: bool, data: st.DataObject, tmp_path: Path
) -> None:
    base = answered()[0]
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
        decisions=(replace(base.decisions[0], right_for=tuple(conditions), worth=dict.fromkeys(conditions, -0.5)),),
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


# ------------------------------------------------------------------ what people type


@pytest.mark.parametrize(
    ("answer", "share"),
    [
        ("30%", 0.3),
        ("0.3", 0.3),
        (".5", 0.5),
        ("3 in 10", 0.3),
        ("3/10", 0.3),
        ("1 of 8", 0.125),
        ("0", 0),
        ("100 %", 1),
    ],
)
def test_a_share_can_be_typed_in_many_ways(answer: str, share: float) -> None:
    assert typed.share(answer) == share


@pytest.mark.parametrize(
    ("answer", "message"),
    [("30", "write 30%"), ("130%", "all .100%."), ("-1", "not between none"), ("half", "not a number"), ("1 in 0", "out of nothing"), ("", "An answer is needed")],
)  # fmt: skip
def test_a_share_that_is_none_is_explained(answer: str, message: str) -> None:
    with pytest.raises(NotUnderstoodError, match=message):
        typed.share(answer)


@pytest.mark.parametrize(
    ("answer", "time"),
    [("20 minutes", "20 min"), ("2h", "2 h"), ("3 days", "3 days"), ("at once", "0 min"), ("0", "0 min"), ("1 Week", "1 week")],
)  # fmt: skip
def test_a_time_can_be_typed_in_many_ways(answer: str, time: str) -> None:
    assert typed.time(answer) == time


def test_a_time_that_is_none_is_explained() -> None:
    with pytest.raises(NotUnderstoodError, match="Write for example 20 min"):
        typed.time("soon")


KNOWN = {"Fever": ("no", "yes"), "Nausea and vomiting": ("no", "yes"), "CRP": ("low", "very low", "high")}


@pytest.mark.parametrize(
    ("answer", "facts"),
    [
        ("fever = yes", ({"Fever": "yes"},)),
        ("Nausea and vomiting yes and Fever: no", ({"Nausea and vomiting": "yes", "Fever": "no"},)),
        ("CRP is very low, Fever yes or CRP high", ({"CRP": "very low", "Fever": "yes"}, {"CRP": "high"})),
        ("Fever = yes, or CRP = low", ({"Fever": "yes"}, {"CRP": "low"})),
    ],
)
def test_facts_are_read_whatever_joins_them(answer: str, facts: tuple[dict[str, str], ...]) -> None:
    assert typed.facts(answer, KNOWN) == facts


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        ("", "does not begin with a fact"),
        ("Rash = yes", "'Rash = yes' does not begin with a fact. These are known: Fever"),
        ("Fever = maybe", "does not begin with a value of Fever. These are known: no, yes"),
        ("Fever yes and", "'nothing' does not begin with a fact"),
        ("Fever yes CRP low", "Write 'and' or 'or' between two facts"),
        ("Fever yes and Fever no", "cannot be yes and no at once"),
    ],
)
def test_facts_that_are_none_are_explained(answer: str, message: str) -> None:
    with pytest.raises(NotUnderstoodError, match=message):
        typed.facts(answer, KNOWN)


# ------------------------------------------------------------------ in the terminal


def run(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, typed_in: Sequence[str], *arguments: str
) -> tuple[int, str, str]:
    monkeypatch.setattr("sys.stdin", io.StringIO("".join(f"{line}\n" for line in typed_in)))
    monkeypatch.setenv("COLUMNS", "200")
    return run_command(capsys, *arguments)


def test_new_asks_in_the_terminal_and_writes_what_lint_passes(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    answers = [answer for _, answer in COUGH]
    folder = tmp_path / "cases" / "my_cough"
    status, out, _ = run(capsys, monkeypatch, [*answers, "yes"], "new", str(folder))
    assert status == 0
    assert "9 of 9: One patient to test a policy on" in out
    assert "Next: workup check" in out
    assert lint_compiled(folder) == ()
    assert [file.name for file in folder.parent.iterdir()] == ["my_cough"]
    status, _, err = run(capsys, monkeypatch, answers, "new", str(folder))
    assert (status, "exists already" in err) == (2, True)


def test_a_part_can_be_changed_before_writing(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    again = ["1", "Cough for a month", *[""] * 5, "maybe", "yes"]
    folder = tmp_path / "my_cough"
    status, out, _ = run(capsys, monkeypatch, [*(answer for _, answer in COUGH), *again], "new", str(folder))
    assert status == 0
    assert "Write yes, no, or a number from 1 to 9." in out
    assert load_scenario(folder).title == "Cough for a month"


def test_answers_that_do_not_hold_together_can_be_changed(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    wrong = [
        (p, "0%" if p == "Viral bronchitis, how many have Fever" else "yes" if p == "Fever?" else a) for p, a in COUGH
    ]
    vignette = [answer for _, answer in COUGH[[part for part, _ in COUGH].index("this patient's case") :]]
    place = str(PARTS.index(VIGNETTE) + 1)
    status, out, _ = run(
        capsys, monkeypatch, [*(a for _, a in wrong), "yes", place, *vignette, "yes"], "new", str(tmp_path / "my_cough")
    )
    assert status == 0
    assert "It does not hold together yet" in out
    assert lint_compiled(tmp_path / "my_cough") == ()


@pytest.mark.parametrize("length", [0, 20, 60, len(COUGH)])
def test_answers_that_end_early_write_nothing_and_say_what_was_wanted(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path, length: int
) -> None:
    answers = [answer for _, answer in COUGH[:length]]
    status, _, err = run(capsys, monkeypatch, answers, "new", str(tmp_path / "my_cough"))
    wanted = COUGH[length][0] if length < len(COUGH) else "Write it?"
    assert (status, wanted in err, "Nothing was written" in err) == (2, True, True)
    assert list(tmp_path.iterdir()) == []


def test_no_writes_nothing(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    status, _, err = run(capsys, monkeypatch, [*(a for _, a in COUGH), "no"], "new", str(tmp_path / "my_cough"))
    assert (status, "nothing was written" in err) == (2, True)
    assert list(tmp_path.iterdir()) == []
