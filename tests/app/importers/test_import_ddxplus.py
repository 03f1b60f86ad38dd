"""DDXPlus as an environment: counts and hierarchy, follow-ups after their parents, rows that do not fit refused, the measures."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from workup.agents.baselines.informative import InformativeAgent
from workup.cli.main import app
from workup.envs.compile.recorded import load_recorded
from workup.envs.engine.engine import Engine
from workup.envs.model.codes import MISSING, RESULT
from workup.envs.testing.conformance import (
    check_a_masked_action_changes_nothing,
    check_mask_follows_the_rules,
    check_observation_says_what_its_names_say,
    check_posterior_is_exact,
    check_reward_is_the_sum_of_its_components,
)
from workup.errors import FileFormatError, WorkupError
from workup.evaluation.differentials import differential_measures, score_differentials
from workup.importers.ddxplus import import_ddxplus
from workup.importers.knowledge.base import load_knowledge_base
from workup.importers.knowledge.patients import read_patients

pytestmark = pytest.mark.slow

DATA = Path(os.environ.get("WORKUP_TEST_DATA", "/nowhere")) / "ddxplus"
needs_data = pytest.mark.skipif(not DATA.is_dir(), reason="WORKUP_TEST_DATA is not set")
SAMPLE = "release_test_patients.sample.csv"
HEADER = "AGE,DIFFERENTIAL_DIAGNOSIS,SEX,PATHOLOGY,EVIDENCES,INITIAL_EVIDENCE"


def evidence(
    code: str, kind: str = "B", parent: str | None = None, values: Any = (), default: Any = 0
) -> dict[str, Any]:
    return {
        "name": code, "code_question": parent or code, "question_fr": "?", "question_en": f"What of {code}?",
        "is_antecedent": code == "E_9", "default_value": default, "value_meaning": {"V_1": {"fr": "bras", "en": "arm"}},
        "possible-values": list(values), "data_type": kind,
    }  # fmt: skip


EVIDENCES = {
    "E_1": evidence("E_1"),
    "E_2": evidence("E_2", "M", "E_1", ("V_0", "V_1", "V_2"), "V_0"),
    "E_3": evidence("E_3", "C", "E_1", range(4), 0),
    "E_4": evidence("E_4"),
    "E_5": evidence("E_5", "C", None, ("V_8", "V_1"), "V_8"),
    "E_9": evidence("E_9"),
    "E_10": evidence("E_10", "B", "E_77"),
}
CONDITIONS = {
    name: {
        "condition_name": name, "cond-name-eng": name, "icd10-id": f"X{i}", "severity": i + 1,
        "symptoms": {symptom: {} for symptom in symptoms}, "antecedents": {"E_9": {}},
    }
    for i, (name, symptoms) in enumerate(
        {"Bad / arm": ["E_1", "E_2", "E_3"], "Crohn's": ["E_4", "E_5"], "Flu": ["E_4", "E_1", "E_2", "E_10"]}.items()
    )
}  # fmt: skip


def patient(rng: np.random.Generator) -> str:
    name = list(CONDITIONS)[int(rng.integers(3))]
    told = {
        "Bad / arm": ["E_1", "E_2_@_V_1", "E_2_@_V_2", f"E_3_@_{rng.integers(1, 4)}"],
        "Crohn's": ["E_4", "E_5_@_V_1"],
        "Flu": ["E_4", "E_1", "E_2_@_V_0", "E_3_@_0", "E_10"],
    }[name]
    told += ["E_9"] * int(rng.random() < 0.5)
    others = [other for other in CONDITIONS if other != name][: int(rng.integers(3))]
    shares = [[name, 0.5], *([other, 0.5 / len(others)] for other in others)]
    quoted = str(shares).replace('"', '""')  # as CSV writes a quote; Python writes one around a name with an apostrophe
    return f'{rng.integers(0, 90)},"{quoted}",{"MF"[int(rng.integers(2))]},{name},"{told}",{told[0]}'


def release(folder: Path, rows: int = 120, **changes: Callable[[Any], Any]) -> Path:
    """The three files of a small release, each changed as asked."""
    rng = np.random.Generator(np.random.Philox(3))
    texts = {
        "release_evidences.json": json.dumps(changes.get("evidences", lambda x: x)(json.loads(json.dumps(EVIDENCES)))),
        "release_conditions.json": json.dumps(
            changes.get("conditions", lambda x: x)(json.loads(json.dumps(CONDITIONS)))
        ),
        "patients.csv": changes.get("patients", lambda x: x)(
            "\n".join([HEADER, *(patient(rng) for _ in range(rows))]) + "\n"
        ),
    }
    for name, text in texts.items():
        (folder / name).write_text(text, encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = release(tmp_path_factory.mktemp("ddxplus"))
    import_ddxplus(folder, folder / "patients.csv", out=folder / "out")
    return folder / "out"


def opened(out: Path) -> Engine:
    test = load_recorded(out).test
    engine = Engine(test, len(test), view="belief")
    for name in ("history", "examination"):
        engine.step(np.full(engine.num_envs, engine.action_names.index(f"order {name}"), np.int64))
    return engine


def legal(engine: Engine, code: str) -> np.ndarray[Any, np.dtype[np.bool_]]:
    return engine.mask[:, engine.action_names.index(f"order {code}")]


def order(engine: Engine, code: str) -> None:
    action = engine.action_names.index(f"order {code}")
    engine.step(np.where(engine.mask[:, action], action, -1))


def test_a_follow_up_is_open_once_its_parent_is_known_to_be_present(small: Path) -> None:
    engine = opened(small)
    world = engine.world
    values = engine.population.fixed.values
    column = world.model.observables.index
    pain = values[:, column("E_1_answer")] == 1
    came = values[:, column("complaint_E_1")] == 1
    assert came.any()
    assert (pain & ~came).any()
    assert not pain.all()
    assert np.array_equal(legal(engine, "E_1"), ~came)  # the complaint needs no question
    for follow_up in ("E_2", "E_3"):
        assert np.array_equal(legal(engine, follow_up), came)
    order(engine, "E_1")
    for follow_up in ("E_2", "E_3"):
        assert np.array_equal(legal(engine, follow_up), pain)
    assert legal(engine, "E_10").all()  # it names a parent that the release does not have
    order(engine, "E_2")
    view = engine.journey_view()
    asked = view.status[:, world.item("E_2")] == RESULT
    assert np.array_equal(asked, pain)
    for value in ("E_2_V_0", "E_2_V_1", "E_2_V_2", "E_2_other"):
        assert np.array_equal(view.values[asked, column(value)], values[asked, column(value)])
    assert view.tests.max() == 2  # interaction length counts questions, not what the start tells


def test_what_the_start_tells_is_the_row(small: Path) -> None:
    engine = opened(small)
    view = engine.journey_view()
    model = engine.world.model
    complaints = [o for o, name in enumerate(model.observables) if name.startswith("complaint_")]
    assert (view.values[:, complaints].sum(axis=1) == 1).all()
    age = view.numbers[:, model.observables.index("age")]
    assert ((age >= 0) & (age < 90)).all()
    assert len(set(age.tolist())) > 10
    assert (engine.condition_posterior[np.arange(len(age)), engine.population.condition]).mean() > 0.6


def test_the_environments_keep_the_rules(small: Path) -> None:
    engine = Engine(load_recorded(small).train, 8, view="belief")
    for check in (
        check_mask_follows_the_rules,
        check_observation_says_what_its_names_say,
        check_posterior_is_exact,
        check_reward_is_the_sum_of_its_components,
        check_a_masked_action_changes_nothing,
    ):
        check(engine, range(24))
    env = gymnasium.make("workup/Journey-v0", scenario=str(small), split="test")
    check_env(env.unwrapped, skip_render_check=True)


def test_the_measures_of_the_paper_by_hand() -> None:
    predicted = np.array([[0.6, 0.395, 0.005, 0.0], [0.2, 0.3, 0.3, 0.2], [0.0, 0.0, 1.0, 0.0]])
    true = np.array([[0.5, 0.3, 0.2, 0.0], [1.0, 0.0, 0.0, 0.0], [0.4, 0.6, 0.0, 0.0]])
    found = differential_measures(predicted, true, np.array([0, 0, 1]))
    assert found["gtpa_at_1"].tolist() == [1.0, 0.0, 0.0]
    np.testing.assert_allclose(found["ddr"], [2 / 3, 1.0, 0.0])
    np.testing.assert_allclose(found["ddp"], [1.0, 1 / 4, 0.0])
    np.testing.assert_allclose(found["ddf1"], [0.8, 0.4, 0.0])


def test_asking_what_tells_most_finds_the_condition(small: Path) -> None:
    world = load_recorded(small).world
    score = score_differentials(small, {"informative": InformativeAgent(world, seed=0)})["informative"]
    assert score.gtpa_at_1.mean > 0.9
    assert score.interaction_length.mean < 3
    assert score.right.mean == score.gtpa_at_1.mean


def replaced(old: str, new: str, count: int = 1) -> Callable[[str], str]:
    return lambda text: text.replace(old, new, count)


def with_row(row: str) -> Callable[[str], str]:
    return lambda text: text + row + "\n"


GOOD = """30,"[['Flu', 1.0]]",M,Flu,"['E_4']",E_4"""


@pytest.mark.parametrize(
    ("row", "said"),
    [
        (GOOD.replace("['E_4']", "['E_4', 'toux']"), r"row 121, EVIDENCES: found 'toux'"),
        (GOOD.replace("['E_4']", "['E_4', 'E_4_@_V_1']"), r"row 121, EVIDENCES: found 'E_4_@_V_1'.*yes-or-no"),
        (GOOD.replace("['E_4']", "['E_4', 'E_5']"), r"row 121, EVIDENCES: found 'E_5'.*one of V_8, V_1"),
        (GOOD.replace("['E_4']", "['E_4', 'E_2_@_V_9']"), r"row 121, EVIDENCES: found 'E_2_@_V_9'"),
        (GOOD.replace("['E_4']", "['E_4', 'E_5"), r"row 121, EVIDENCES: found .* a list as Python writes it"),
        (GOOD.replace("M,Flu", "M,Grippe"), r"row 121, PATHOLOGY: found 'Grippe'"),
        (GOOD.replace("['Flu', 1.0]", "['Grippe', 1.0]"), r"row 121, DIFFERENTIAL_DIAGNOSIS: found 'Grippe'"),
        (GOOD.replace(",M,", ",X,"), r"row 121, SEX: found 'X'"),
        (GOOD.replace("30,", "old,"), r"row 121, AGE: found 'old'"),
        (GOOD[:-3] + "E_1", r"row 121, INITIAL_EVIDENCE: found 'E_1'; expected one of the row's EVIDENCES"),
        (GOOD[:-3] + "cough", r"row 121, INITIAL_EVIDENCE: found 'cough'"),
    ],
)
def test_patients_whose_codes_do_not_fit_are_refused_by_row_and_code(tmp_path: Path, row: str, said: str) -> None:
    folder = release(tmp_path, patients=with_row(row))
    with pytest.raises(FileFormatError, match=said):
        import_ddxplus(folder, folder / "patients.csv", out=tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("file", "change", "said"),
    [
        ("release_evidences.json", lambda text: text[:200], "not JSON .*cut short"),
        ("release_conditions.json", replaced('"E_9"', '"E_900"', 9), "lists 'E_900', which release_evidences.json does not have"),
        ("release_conditions.json", replaced('"symptoms"', '"signs"'), "expected an object with symptoms and antecedents"),
        ("release_evidences.json", replaced('"data_type": "C"', '"data_type": "Q"'), "E_3: data_type is 'Q'"),
        ("release_evidences.json", replaced('"default_value": "V_8"', '"default_value": "V_7"'), "E_5: default_value 'V_7'"),
        ("release_evidences.json", replaced('"code_question": "E_1"', '"code_question": "E_4"', 1), "E_2: it follows E_1"),
        ("patients.csv", replaced("PATHOLOGY", "DISEASE"), "the columns are .*DISEASE"),
        ("patients.csv", lambda text: HEADER + "\n", "no rows below"),
    ],
)  # fmt: skip
def test_damaged_files_are_refused(tmp_path: Path, file: str, change: Callable[[str], str], said: str) -> None:
    folder = release(tmp_path)
    (folder / file).write_text(change((folder / file).read_text()))
    with pytest.raises(FileFormatError, match=said):
        import_ddxplus(folder, folder / "patients.csv", out=tmp_path / "out")


def test_a_file_of_test_patients_is_the_split(tmp_path: Path) -> None:
    folder = release(tmp_path)
    lines = (folder / "patients.csv").read_text().splitlines()
    (folder / "test.csv").write_text("\n".join([HEADER, *lines[101:]]) + "\n")
    found = import_ddxplus(folder, folder / "patients.csv", test=folder / "test.csv", out=tmp_path / "out", most=100)
    assert (found.about["rows"], found.about["train"]) == (120, 100)
    assert len(load_recorded(tmp_path / "out").test) == 20
    with pytest.raises(WorkupError, match="leave none"):
        import_ddxplus(folder, folder / "patients.csv", out=tmp_path / "other", test_share=0.0)


def test_the_commands_import_lint_and_score(tmp_path: Path) -> None:
    folder, out = release(tmp_path), str(tmp_path / "out")
    run = CliRunner().invoke
    made = run(app, ["import-ddxplus", str(folder), "--patients", str(folder / "patients.csv"), "--out", out])
    assert made.exit_code == 0, made.output
    assert "3 conditions, 7 evidences, 2 of them follow-ups" in made.output
    assert run(app, ["lint", out]).exit_code == 0
    scored = run(app, ["differential", out, "--agents", "none,informative", "--json", str(tmp_path / "j")])
    assert scored.exit_code == 0, scored.output
    found = json.loads((tmp_path / "j").read_text())
    assert found["none"]["interaction_length"]["mean"] == 0.0
    assert found["informative"]["ddr"]["mean"] > 0.3
    assert run(app, ["differential", "tutorial", "--agents", "none"]).exit_code != 0


ODD = ("fever", "wait", "E_1_answer", "f17.210", "no", "z 9", "Äpfel", "history", "sex", "x'y")


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_odd_releases_are_played(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    """Any hierarchy, kinds and codes, names that are words of the language or of another thing; every answer is the row's."""
    codes = data.draw(st.lists(st.sampled_from(ODD), min_size=2, max_size=6, unique=True))
    kinds = ["B", *(data.draw(st.sampled_from("BCM")) for _ in codes[1:])]
    evidences = {}
    for i, (code, kind) in enumerate(zip(codes, kinds, strict=True)):
        parent = data.draw(st.sampled_from([None, codes[0], "gone"])) if i else None
        values: tuple[Any, ...] = (
            () if kind == "B" else data.draw(st.sampled_from([(0, 1, 2), ("V_1", "unknown", "yes")]))
        )
        evidences[code] = evidence(code, kind, parent, values, values[0] if values else 0)
    names = data.draw(
        st.lists(st.sampled_from(["fever", "condition", "A / B", "done"]), min_size=2, max_size=3, unique=True)
    )
    conditions = {
        name: {
            "condition_name": name, "icd10-id": "", "severity": 1, "antecedents": {},
            "symptoms": {code: {} for code in data.draw(st.lists(st.sampled_from(codes), unique=True))},
        }
        for name in names
    }  # fmt: skip
    rows = []
    for _ in range(data.draw(st.integers(6, 12))):
        told = [codes[0]]
        for code in codes[1:]:
            if data.draw(st.booleans()):
                values = tuple(evidences[code]["possible-values"])
                told.append(code if not values else f"{code}_@_{data.draw(st.sampled_from(values))}")
        name = data.draw(st.sampled_from(names))
        complaint = data.draw(st.sampled_from([word for word in told if "_@_" not in word]))
        quoted = [str(each).replace('"', '""') for each in ([[name, 1.0]], told)]
        rows.append(f'7,"{quoted[0]}",F,{name},"{quoted[1]}",{complaint}')
    folder = tmp_path_factory.mktemp("odd")
    (folder / "release_evidences.json").write_text(json.dumps(evidences))
    (folder / "release_conditions.json").write_text(json.dumps(conditions))
    for file in ("train.csv", "test.csv"):
        (folder / file).write_text("\n".join([HEADER, *rows]) + "\n", encoding="utf-8")
    train = import_ddxplus(folder, folder / "train.csv", test=folder / "test.csv", out=folder / "out").train
    world = train.world
    assert len(world.items) == len(codes) + 2
    engine = Engine(train, len(rows), view="belief")
    orders = len(world.actions) - len(world.decisions) - 1
    while engine.mask[:, :orders].any():
        mask = engine.mask[:, :orders]
        engine.step(np.where(mask.any(axis=1), mask.argmax(axis=1), -1))
    view = engine.journey_view()
    assert (view.values != MISSING).all()
    known = view.values >= 0
    assert np.array_equal(view.values[known], train.fixed.values[known])
    assert (view.status == RESULT).sum(axis=1).min() >= 2


@needs_data
def test_the_release_has_the_counts_and_the_hierarchy_of_its_paper() -> None:
    base = load_knowledge_base(DATA)
    kinds = [evidence.kind for evidence in base.evidences]
    assert (len(base.conditions), len(kinds)) == (49, 223)
    assert {kind: kinds.count(kind) for kind in "BCM"} == {"B": 208, "C": 10, "M": 5}
    parents = {evidence.code: evidence.parent for evidence in base.evidences if evidence.parent}
    assert {parent: list(parents.values()).count(parent) for parent in set(parents.values())} == {
        "E_53": 6, "E_129": 7, "E_151": 1,
    }  # fmt: skip
    patients = read_patients(DATA / SAMPLE, base)
    assert patients.answers.shape == (1740, 223)
    np.testing.assert_allclose(patients.differential.sum(axis=1), 1.0, atol=1e-3)
    for code, parent in parents.items():  # nobody answers a follow-up whose parent is absent
        evidence = base.evidences[base.at[code]]
        absent = patients.answers[:, base.at[parent]] == 0
        if evidence.kind == "C":
            assert (patients.answers[absent, base.at[code]] == evidence.values.index(evidence.default)).all()


@needs_data
def test_patients_in_french_codes_are_refused() -> None:
    with pytest.raises(FileFormatError) as refusal:
        read_patients(DATA / "patients_french_first500.csv", load_knowledge_base(DATA))
    assert "row 1, INITIAL_EVIDENCE: found 'insp_siffla'" in str(refusal.value)
    assert "EVIDENCES: found 'cont_coq'" in str(refusal.value)


@needs_data
def test_the_release_is_played_and_diagnosed(tmp_path: Path) -> None:
    world = import_ddxplus(DATA, DATA / SAMPLE, out=tmp_path / "out").world
    assert len(world.items) == 223 + 2
    assert len(world.decisions) == 49
    agent = InformativeAgent(world, seed=0)
    score = score_differentials(tmp_path / "out", {"informative": agent}, patients=200)["informative"]
    assert score.gtpa_at_1.low > 0.9
    assert score.interaction_length.mean < 10


def test_only_files_of_a_sound_size_are_read(tmp_path: Path) -> None:
    path = tmp_path / "release_evidences.json"
    path.symlink_to("/dev/zero")
    with pytest.raises(FileFormatError, match=r"release_evidences.json: is a device, not a file; save its content"):
        load_knowledge_base(tmp_path)
    path.unlink()
    with path.open("wb") as file:
        file.truncate(2**33)
    with pytest.raises(FileFormatError, match="has 8,589,934,592 bytes; knowledge bases of up to"):
        load_knowledge_base(tmp_path)
    path.write_text("[" * 200_000)
    with pytest.raises(FileFormatError, match="not JSON"):
        load_knowledge_base(tmp_path)
    os.mkfifo(tmp_path / "patients.csv")
    with pytest.raises(FileFormatError, match=r"patients.csv: is a pipe, not a file"):
        read_patients(tmp_path / "patients.csv", None)  # type: ignore[arg-type]
