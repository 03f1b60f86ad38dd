"""Environments from clinical tables: files read or refused by row and column, costs by Turney's rules, no leak."""

from __future__ import annotations

import json
import os
from pathlib import Path

import gymnasium
import numpy as np
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from workup.cli.main import app
from workup.envs.compile.recorded import load_recorded, population_of
from workup.envs.engine.engine import Engine
from workup.envs.model.codes import FAILED, MISSING, RESULT
from workup.errors import FileFormatError, UnknownNameError, WorkupError
from workup.importers.table import Choices, import_table
from workup.importers.tables.bands import entropy_cuts, median_cut
from workup.importers.tables.costs import read_costs
from workup.importers.tables.files import read_table

DATA = Path(os.environ.get("WORKUP_TEST_DATA", "/nowhere")) / "tabular"
needs_data = pytest.mark.skipif(not DATA.is_dir(), reason="WORKUP_TEST_DATA is not set")
THYROID = (
    "age,sex,on_thyroxine,query_on_thyroxine,on_antithyroid_medication,sick,pregnant,thyroid_surgery,I131_treatment,"
    "query_hypothyroid,query_hyperthyroid,lithium,goitre,tumor,hypopituitary,psych,TSH,T3,TT4,T4U,FTI,class"
)


def clinic(rows: int = 200, seed: int = 0) -> str:
    """A table in which `marker` tells the class, `sex` tells a little, and one in five markers is missing."""
    rng = np.random.Generator(np.random.Philox(seed))
    lines = ["age,sex,marker,scan,ill"]
    for _ in range(rows):
        ill = int(rng.random() < 0.4)
        marker = "?" if rng.random() < 0.2 else f"{rng.normal(10 + 6 * ill, 2):.2f}"
        scan = "" if rng.random() < 0.1 else ("shadow" if rng.random() < (0.8 if ill else 0.1) else "clear")
        lines.append(f"{rng.integers(20, 90)},{'f' if rng.random() < 0.4 + 0.2 * ill else 'm'},{marker}\t,{scan},{ill}")
    return "\n".join(lines) + "\n"


COSTS = "test,full_cost,discount_cost,group,delay\nage,1,,,immediate\nsex,1,,,\nmarker,20,12,lab,delayed\nscan,88,80,lab,delayed\n"


def made(folder: Path, table: str = "", costs: str = COSTS, name: str = "clinic.csv", **choices: object) -> Path:
    (folder / name).write_text(table or clinic())
    (folder / "costs.csv").write_text(costs)
    out = folder / "out"
    target = str(choices.pop("target", "ill"))
    import_table(folder / name, target=target, costs=folder / "costs.csv", out=out, choices=Choices(**choices))  # type: ignore[arg-type]
    return out


def order(engine: Engine, *names: str) -> None:
    for name in names:
        engine.step(np.full(engine.num_envs, engine.action_names.index(f"order {name}"), np.int64))


# ------------------------------------------------------------------------------------------------ reading


def test_stray_tabs_header_rows_and_question_marks_are_read(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("a,b,c\n1\t,x,0\n\nA,B,C\n ?,\ty ,1\n3,NA,0\n")
    table = read_table(path)
    assert table.header_rows == 1
    assert table.lines.tolist() == [2, 5, 6]
    np.testing.assert_array_equal(table.column("a").numbers, [1, np.nan, 3])
    assert table.column("B").words.to_list() == ["x", "y", None]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a,b\n1,2\n3,x4\n5,6\n", ":3: row 2, column b: found 'x4'; expected a number, as the 2 other cells"),
        ("a,b\n1,2\n3\n5,6\n", ":3: the row has 1 cells; expected 2"),
        ("a,A\n1,2\n", "expected different names"),
        ("a,b\n", "no rows below its header"),
        ("", "is empty"),
    ],
)
def test_what_cannot_be_read_is_refused_by_row_and_column(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "t.csv"
    path.write_text(text)
    with pytest.raises(FileFormatError, match=said.replace("?", r"\?")):
        read_table(path)


def test_arff_is_read_with_its_domains(tmp_path: Path) -> None:
    path = tmp_path / "t.arff"
    head = "% said\n@RELATION r\n@attribute 'blood group' {A, B, O}\n@ATTRIBUTE age real\n@data\n"
    path.write_text(head + "A, 3\n?, 4\nO, ?\n")
    table = read_table(path)
    assert table.column("blood_group").domain == ("A", "B", "O")
    np.testing.assert_array_equal(table.column("age").numbers, [3, 4, np.nan])
    path.write_text(head + "A, 3\nAB, 4\n")
    with pytest.raises(FileFormatError, match=r":7: row 2, column blood group: found 'AB'; the header allows A, B, O"):
        read_table(path)
    path.write_text("@relation r\n@attribute a real\n")
    with pytest.raises(FileFormatError, match="cut short"):
        read_table(path)


def test_turneys_formats_say_the_same_as_one_csv(tmp_path: Path) -> None:
    for name, text in {
        "c": "age: 1.00\nmarker: 20, 12\nscan: 88, 80\n",
        "g": "lab\nmarker: lab\nscan: lab\n",
        "d": "age: immediate\nmarker: delayed\nscan: delayed",
        "csv": COSTS.replace("sex,1,,,\n", ""),
    }.items():
        (tmp_path / name).write_text(text)
    told = read_costs(tmp_path / "c", groups=tmp_path / "g", delay=tmp_path / "d")
    plain = read_costs(tmp_path / "csv")
    facts = [[(t.name, t.full_cost, t.discount_cost, t.group, t.delayed) for t in c.tests] for c in (told, plain)]
    assert facts[0] == facts[1]
    assert told.shared == {"lab": 8.0}


@pytest.mark.parametrize(
    ("costs", "said"),
    [
        ("age: 1\nage: 2\n", ":2: a second cost for age"),
        ("age: much\n", ":1: age costs 'much'"),
        ("age: -1\n", "0 or more"),
        ("age: 2, 1\n", "age has a discount but no group"),
        ("test,full_cost,discount_cost,group\na,5,3,x\nb,5,4,x\n", "in group x the first test costs more"),
        ("nothing here\n", "expected 'test: ...'"),
    ],
)
def test_costs_that_make_no_sense_are_refused(tmp_path: Path, costs: str, said: str) -> None:
    (tmp_path / "c").write_text(costs)
    with pytest.raises(FileFormatError, match=said):
        _ = read_costs(tmp_path / "c").shared


def test_bands_are_cut_where_classes_change() -> None:
    numbers = np.arange(200.0)
    classes = ((numbers >= 50) & (numbers < 120)).astype(np.int64)
    assert entropy_cuts(numbers, classes, 2) == [49.5, 119.5]
    assert entropy_cuts(numbers, np.arange(200) % 2, 2) == []
    assert median_cut(np.array([1.0, 1.0, 2.0, 3.0])) == 1.5
    assert median_cut(np.ones(3)) is None


# ------------------------------------------------------------------------------------------------ patients are rows


@pytest.fixture(scope="module")
def imported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made(tmp_path_factory.mktemp("table"))


def test_rows_are_split_once_and_every_patient_is_one(imported: Path) -> None:
    again = load_recorded(imported)
    counts = {"train": len(again.train), "test": len(again.test)}
    assert sum(counts.values()) == 200
    assert counts["test"] == pytest.approx(60, abs=1)
    rows = pl.read_parquet(imported / "patients.parquet")
    assert rows["row"].to_list() == list(range(1, 201))
    assert np.array_equal(rows.filter(pl.col("split") == "test")["condition"], again.test.condition)


def test_a_journey_reveals_what_the_row_says(imported: Path) -> None:
    test = population_of(imported, split="test")
    world, rows = test.world, test.fixed
    n = len(rows.hidden)
    engine = Engine(test, n, view="belief")
    order(engine, "history", "examination", "age", "sex", "marker", "scan")
    view = engine.journey_view()
    assert (rows.values == MISSING).any()
    assert np.array_equal(view.values, rows.values)
    assert rows.numbers is not None
    np.testing.assert_array_equal(view.numbers, np.where(rows.values >= 0, rows.numbers, np.nan))
    marker = world.item("marker")
    absent = rows.values[:, world.model.observables.index("marker_value")] == MISSING
    assert (view.status[absent, marker] == FAILED).all()
    assert (view.status[~absent, marker] == RESULT).all()
    beliefs = engine.condition_posterior
    assert ((beliefs.argmax(axis=1) == test.condition).mean()) > 0.85


def test_costs_add_up_and_what_is_not_available_costs_nothing(imported: Path) -> None:
    test = population_of(imported, split="test")
    world, rows = test.world, test.fixed
    lab = [rows.values[:, world.model.observables.index(name)] >= 0 for name in ("marker_value", "scan_value")]
    engine = Engine(test, len(test))
    order(engine, "history", "examination", "age", "marker", "scan")
    expected = 1 + 12 * lab[0] + 80 * lab[1] + 8 * (lab[0] | lab[1])
    np.testing.assert_allclose(engine.journey_view().cost_gbp, expected)


def test_test_rows_leave_no_trace_in_the_figures(tmp_path: Path) -> None:
    """Test rows with other values (of the same words) give the same scenario to the last figure."""
    first = made(tmp_path)
    rows = pl.read_parquet(first / "patients.parquet")
    lines = clinic().splitlines()
    for number, split in zip(rows["row"], rows["split"], strict=True):
        cells = lines[number].split(",")
        if split == "test" and cells[2].strip() != "?":
            cells[:3] = ["55", "m" if cells[1] == "f" else "f", "-999"]
            lines[number] = ",".join(cells)
    (tmp_path / "b").mkdir()
    second = made(tmp_path / "b", "\n".join(lines) + "\n")
    assert (first / "scenario.yaml").read_text() == (second / "scenario.yaml").read_text()
    assert (first / "patients.parquet").read_bytes() != (second / "patients.parquet").read_bytes()


def test_environments_take_a_split(imported: Path) -> None:
    for split in ("train", "test"):
        env = gymnasium.make("workup/Journey-v0", scenario=str(imported), split=split)
        _, info = env.reset(seed=1)
        assert info["action_mask"].any()
        env.close()
    with pytest.raises(WorkupError, match="no recorded patients"):
        gymnasium.make("workup/Journey-v0", scenario="tutorial", split="test")


def test_damaged_rows_are_refused(tmp_path: Path) -> None:
    out = made(tmp_path)
    path = out / "patients.parquet"
    frame = pl.read_parquet(path)
    frame.with_columns(pl.lit(7, pl.Int16).alias("sex_value code")).write_parquet(path)
    with pytest.raises(FileFormatError, match="checksum differs"):
        load_recorded(out)
    path.write_bytes(b"PAR1 and then nothing")
    with pytest.raises(FileFormatError, match="cannot be read"):
        load_recorded(out)


@pytest.mark.parametrize(
    ("change", "error", "said"),
    [
        ({"target": "il"}, UnknownNameError, "no column 'il'"),
        ({"costs": COSTS + "ct,100,,,\n"}, UnknownNameError, r"costs.csv:6: ct has a cost, but .* has no column ct"),
        ({"costs": COSTS.replace("age,1,,,immediate\n", "")}, WorkupError, "age: no cost in"),
        ({"table": clinic().replace(",1\n", ",\n", 1)}, FileFormatError, "column ill: no value"),
        ({"costs": COSTS + "ill,5,,,\n"}, WorkupError, "reveals the target"),
        ({"target": "age"}, WorkupError, "different values; expected 2 to 50"),
        ({"test_share": 1.0}, WorkupError, "between 0 and 1"),
        ({"positive": ("3",)}, WorkupError, "never is '3'"),
        ({"drop": ("nose",)}, UnknownNameError, "no column 'nose'"),
    ],
)
def test_refusals_name_the_place_and_the_remedy(
    tmp_path: Path, change: dict[str, object], error: type[WorkupError], said: str
) -> None:
    with pytest.raises(error, match=said):
        made(tmp_path, **change)  # type: ignore[arg-type]


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_odd_tables_are_played_or_refused(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    """Any columns: words, numbers, missing cells, names that are words of the language."""
    n_rows, n_columns = data.draw(st.integers(4, 30)), data.draw(st.integers(1, 5))
    names = data.draw(
        st.lists(
            st.sampled_from(["done", "wait", "history", "condition", "a b", "x-1", "no", "Äpfel", "unknown", "otherwise"]),
            min_size=n_columns, max_size=n_columns, unique=True,
        )
    )  # fmt: skip
    cell = st.sampled_from(["?", "", "yes", "unknown", "0", "1", "2.5", "-3", "1e6", "not"])
    kinds = [data.draw(st.lists(cell, min_size=n_rows, max_size=n_rows)) for _ in names]
    goal = [str(i % 2) for i in range(n_rows)]
    rows = [",".join([*(kind[r] for kind in kinds), goal[r]]) for r in range(n_rows)]
    text = "\n".join([",".join([*names, "goal"]), *rows]) + "\n"
    costs = "test,full_cost\n" + "".join(f"{name},{i}\n" for i, name in enumerate(names))
    refusal = ""
    try:
        out = made(tmp_path_factory.mktemp("odd"), text, costs, target="goal")
    except WorkupError as found:
        refusal = str(found)
    if refusal:
        assert any(name in refusal for name in names), refusal
        return
    test = population_of(out, split="test")
    world, engine = test.world, Engine(test, len(test), view="belief")
    while True:
        mask = engine.mask
        mask[:, world.actions.index(next(a for a in world.actions if a.kind == "wait")) :] = False
        if not mask.any():
            break
        engine.step(np.where(mask.any(axis=1), mask.argmax(axis=1), -1))
    assert np.array_equal(engine.journey_view().values, test.fixed.values)


# ------------------------------------------------------------------------------------------------ the command


def test_the_command_writes_an_environment_that_every_command_takes(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text(clinic())
    (tmp_path / "c.csv").write_text(COSTS)
    out = str(tmp_path / "clinic")
    run = CliRunner().invoke
    table = ["import-table", str(tmp_path / "t.csv"), "--target", "ill", "--costs", str(tmp_path / "c.csv")]
    result = run(app, [*table, "--out", out, "--known", "sex", "--error-cost", "300", "--json", str(tmp_path / "j")])
    assert result.exit_code == 0, result.output
    assert "140 training and 60 test patients" in result.output
    assert json.loads((tmp_path / "j").read_text())["tests"] == ["age", "marker", "scan"]
    assert run(app, ["lint", out]).exit_code == 0
    compared = run(app, ["evaluate", out, "--agents", "none,all,voi,fixed", "--json", str(tmp_path / "e")])
    assert compared.exit_code == 0, compared.output
    found = json.loads((tmp_path / "e").read_text())
    assert found["patients"] == 60
    assert "recorded" in found["refusal"]
    agents = found["agents"]
    assert agents["voi"]["accuracy"] > agents["none"]["accuracy"] + 0.2
    assert agents["voi"]["cost_gbp"] < agents["all"]["cost_gbp"]
    # What happened to the rows counts: cost, and 300 for each wrong decision.
    for each in agents.values():
        worth = -each["cost_gbp"] - 300 * (1 - each["accuracy"])
        assert each["value"]["mean"] == pytest.approx(worth, abs=1e-6)


@needs_data
def test_heart_disease_costs_add_up_as_turneys_rules_say(tmp_path: Path) -> None:
    import_table(
        DATA / "processed.cleveland.data", target="num", costs=DATA / "heart-disease.costs.csv", out=tmp_path,
        choices=Choices(positive=("1", "2", "3", "4")),
    )  # fmt: skip
    engine = Engine(population_of(tmp_path, split="train"), 1)
    order(engine, "history", "examination")
    bill = [
        ("age", 1.00), ("thal", 102.90), ("thalach", 1.00), ("fbs", 5.20), ("slope", 87.30), ("chol", 5.17), ("ca", 100.90),
        ("exang", 1.00), ("oldpeak", 1.00), ("restecg", 15.50),
    ]  # fmt: skip
    total = 0.0
    for name, price in bill:
        order(engine, name)
        total += price
        assert engine.journey_view().cost_gbp[0] == pytest.approx(total), name


@needs_data
@pytest.mark.parametrize(
    ("file", "costs", "target", "choices", "rows"),
    [
        ("hepatitis.data", "hepatitis.costs.csv", "DIE_LIVE", Choices(rename=(("antviral", "ANTIVIRAL"),)), 155),
        ("pima.dat", "pima.costs.csv", "class", Choices(), 768),
        (
            "ann-train.data",
            "ann-thyroid.cost",
            "class",
            Choices(columns=tuple(THYROID.split(",")), drop=("FTI",)),
            3772,
        ),
    ],
)
def test_public_tables_are_imported(
    tmp_path: Path, file: str, costs: str, target: str, choices: Choices, rows: int
) -> None:
    found = import_table(DATA / file, target=target, costs=DATA / costs, out=tmp_path, choices=choices)
    assert found.about["rows"] == rows
    assert len(found.train) == found.about["train"]


@needs_data
def test_a_dirty_table_is_refused_by_row_and_column() -> None:
    with pytest.raises(FileFormatError, match=r"row 12, column platelets: found 'yes253000'"):
        read_table(DATA / "heart_failure_clinical_records_dataset.csv")


@pytest.mark.slow
def test_a_table_by_name_comes_from_scikit_learn(tmp_path: Path) -> None:
    pytest.importorskip("sklearn")
    from sklearn.datasets import load_wine

    names = [name.replace("/", "_") for name in load_wine().feature_names]
    (tmp_path / "c").write_text("".join(f"{name}: 3\n" for name in names))
    found = import_table("sklearn:wine", target="grape", costs=tmp_path / "c", out=tmp_path / "wine")
    assert found.world.model.conditions == ("grape_class_0", "grape_class_1", "grape_class_2")
    assert found.about["rows"] == 178
