"""How a scenario shows its results: outside its digest, refused where it cannot be, and drawn by patient and finding alone."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import pytest

from workup.envs.modalities.draws import keys
from workup.envs.modalities.registry import render
from workup.envs.modalities.shown import looks_for, render_investigation, shown_in
from workup.errors import ScenarioError, UnknownNameError, WorkupError
from workup.scenarios.language.library import find_scenario, load_scenario
from workup.scenarios.language.reading.digest import digest
from workup.scenarios.language.reading.json_schema import FILE
from workup.scenarios.language.reading.reader import read
from workup.scenarios.language.words.difference import differences

TEXT = (find_scenario("film_and_slide") / "scenario.yaml").read_text(encoding="utf-8")
SCENARIO = load_scenario("film_and_slide")
FOUND = {"shadow": ["none", "faint", "dense"], "view": ["pa", "ap", "ap"]}
UNSHOWN_DIGEST = "b62f08b0596429ac"
"""Of the scenario before anything of it was shown."""


def changed(tmp_path: Path, *pairs: tuple[str, str]) -> Path:
    text = TEXT
    for before, after in pairs:
        assert before in text
        text = text.replace(before, after)
    file = tmp_path / "changed.yaml"
    file.write_text(text, encoding="utf-8")
    return file


def test_how_it_is_shown_does_not_move_the_digest(tmp_path: Path) -> None:
    other = load_scenario(changed(tmp_path, ("faint: 0.14", "faint: 0.16"), ("pink: pink", "pink: violet")))
    assert SCENARIO.digest == other.digest == UNSHOWN_DIGEST
    assert other.written != SCENARIO.written  # what a reviewer signs
    assert other.findings["shadow"].look != SCENARIO.findings["shadow"].look
    bare = {name: of.model_copy(update={"look": None}) for name, of in SCENARIO.findings.items()}
    unshown = {name: of.model_copy(update={"shown": None}) for name, of in SCENARIO.investigations.items()}
    assert digest(SCENARIO.model_copy(update={"findings": bare, "investigations": unshown})) == UNSHOWN_DIGEST


def test_a_look_is_no_figure(tmp_path: Path) -> None:
    plain = load_scenario(changed(tmp_path, ("      opacity: {none: 0.2, faint: 0.14, dense: 0.30}\n", "")))
    assert len(plain.figures) == len(SCENARIO.figures)


def test_what_changed_in_how_it_is_shown_is_told(tmp_path: Path) -> None:
    told = differences(SCENARIO, load_scenario(changed(tmp_path, ("faint: 0.14", "faint: 0.16"))))
    assert [change.words for change in told] == ["Shadow on the film: looks opacity faint 0.14 → 0.16"]


def place(text: str, at: str) -> str:
    """`line:column` of the first place of a text, from 1."""
    before = text[: text.index(at)]
    return f"{before.count(chr(10)) + 1}:{len(before) - before.rfind(chr(10))}"


@pytest.mark.parametrize(
    ("before", "after", "at", "said"),
    [
        ("shown: film", "shown: flim", "shown: flim", "nothing is shown as 'flim'; did you mean 'film'?"),
        ("opacity:", "opasity:", "opasity", "a film has no look 'opasity'; did you mean 'opacity'?"),
        ("faint: 0.14", "faint: 1.4", "faint: 1.4", "found 1.4; expected a number from -0.2 to 0.7"),
        ("faint: 0.14", "faint: some", "faint: some", "found 'some'; expected a number from -0.2 to 0.7"),
        ("pink: pink", "pink: pnik", "pink: pnik", "there is no 'pnik' of colours of the laboratory; did you mean 'pink'?"),
        ("faint: 0.14", "fiant: 0.14", "fiant", "'fiant' is no value of shadow; did you mean 'faint'?"),
        (", faint: 0.14", "", "opacity", "nothing is said for shadow faint; add it, or `otherwise`"),
        ("{view: {pa: pa, ap: ap}}", "{view: itself}", "view: itself", "`itself` is for a number"),
        ("{view: {pa: pa, ap: ap}}", "{lesion: {otherwise: none}}", "lesion: {otherwise", "shadow has this look of the same"),
        ("shown: film, ", "", "look: {view", "it is not shown: say how in film, such as `shown: film`"),
    ],
)  # fmt: skip
def test_what_cannot_be_shown_is_refused_where_it_stands(
    tmp_path: Path, before: str, after: str, at: str, said: str
) -> None:
    file = changed(tmp_path, (before, after))
    with pytest.raises(ScenarioError) as refused:
        load_scenario(file)
    told = [line for line in str(refused.value).splitlines() if said in line]
    assert told, refused.value
    assert told[0].startswith(f"{file}:{place(file.read_text(encoding='utf-8'), at)}: ")


def test_the_published_schema_knows_the_kinds() -> None:
    validator = jsonschema.Draft202012Validator(json.loads(FILE.read_text(encoding="utf-8")))
    data = read(find_scenario("film_and_slide")).tree.data
    validator.validate(data)
    data["investigations"]["film"]["shown"] = "flim"
    assert not validator.is_valid(data)


def test_looks_follow_from_what_was_found() -> None:
    looks = looks_for(SCENARIO, "film", FOUND)
    assert {name: of.tolist() for name, of in looks.items()} == {
        "lesion": ["none", "right_upper", "right_upper"],
        "opacity": [0.2, 0.14, 0.3],
        "view": ["pa", "ap", "ap"],
    }
    by_place = looks_for(SCENARIO, "film", {"shadow": np.array([0, 1, 2], np.int16), "view": [0, 1, 1]})
    assert all((by_place[name] == of).all() for name, of in looks.items())


def test_a_patients_film_is_of_patient_seed_and_findings_alone() -> None:
    films = render_investigation(SCENARIO, "film", FOUND, seed=3, patients=[8, 2, 5])
    assert (films == render("film", keys(3, np.array([8, 2, 5]), "film"), looks_for(SCENARIO, "film", FOUND))).all()
    alone = render_investigation(SCENARIO, "film", {"shadow": ["dense"], "view": ["ap"]}, seed=3, patients=[5])
    assert (films[2] == alone[0]).all()
    other = render_investigation(SCENARIO, "film", FOUND, seed=4, patients=[8, 2, 5])
    assert not (films == other).all(axis=(1, 2)).any()


def test_a_number_is_shown_as_itself(tmp_path: Path) -> None:
    text = (find_scenario("tutorial") / "scenario.yaml").read_text(encoding="utf-8")
    text = text.replace("    label: C-reactive protein\n", "    label: C-reactive protein\n    look: {crp: itself}\n")
    text = text.replace("{label: CRP, tier: bloods,", "{label: CRP, tier: bloods, shown: table,")
    file = tmp_path / "table.yaml"
    file.write_text(text, encoding="utf-8")
    scenario = load_scenario(file)
    assert shown_in(scenario) == {"crp_test": "table"}
    assert looks_for(scenario, "crp_test", {"crp": np.array([3.5, 120.0])})["crp"].tolist() == [3.5, 120.0]
    pages = render_investigation(
        scenario, "crp_test", {"crp": np.array([3.5, 120.0])}, seed=0, patients=[0, 1], noise=0.0
    )
    read_back = ["".join(chr(code + 32) for code in page.ravel()) for page in pages]
    assert [figure in page for figure, page in zip(("3.5", "120.0"), read_back, strict=True)] == [True, True]
    with pytest.raises(WorkupError, match="crp of patient 1 is not there"):
        looks_for(scenario, "crp_test", {"crp": np.array([3.5, np.nan])})
    with pytest.raises(WorkupError, match="crp is shown as a number; found int64"):
        looks_for(scenario, "crp_test", {"crp": np.array([0, 1])})


@pytest.mark.parametrize(
    ("investigation", "found", "kind", "said"),
    [
        ("flim", FOUND, UnknownNameError, "film_and_slide has no investigation 'flim'; did you mean 'film'"),
        ("history", {}, WorkupError, "does not say how history is shown; give it `shown: film | slide"),
        ("film", {"shadow": ["none"]}, WorkupError, "view is left out; it decides the view of film"),
        ("film", {"shadow": ["non"], "view": ["pa"]}, UnknownNameError, "'non' is no value of shadow; did you mean 'none'"),
        ("film", {"shadow": [0, -1], "view": [0, 0]}, WorkupError, "shadow of patient 1 is -1, no place of a value from 0 to 2"),
        ("film", {"shadow": [0.5], "view": [0]}, WorkupError, "shadow has float64; expected words, or whole places"),
    ],
)  # fmt: skip
def test_what_was_not_found_is_not_drawn(investigation: str, found: dict[str, Any], kind: type, said: str) -> None:
    with pytest.raises(kind, match=said.replace("|", r"\|")):
        looks_for(SCENARIO, investigation, found)
