"""Tables as other programs and other people write them: read as they mean, or refused by place with the remedy."""

from __future__ import annotations

import os
import time
import warnings
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from workup.envs.compile.recorded import Recorded
from workup.errors import FileFormatError, UnknownNameError, WorkupError, WorkupWarning
from workup.importers import recorded_folder
from workup.importers.table import Choices, import_table
from workup.importers.tables.costs import read_costs
from workup.importers.tables.files import Reading, read_table

COSTS = "test,full_cost\nage,0.5\nfilm,60\n"
ROWS = [(30 + i, 36.5 + i % 7 / 2, "shadow" if i % 2 and i % 6 else "clear", i % 2) for i in range(60)]


def written(folder: Path, text: str, name: str = "t.csv") -> Path:
    (folder / name).write_bytes(text.encode())
    return folder / name


def made(
    folder: Path, text: str, *, costs: str = COSTS, name: str = "t.csv", target: str = "ill", **choices: object
) -> Recorded:
    file = written(folder, text, name)
    return import_table(
        file, target=target, costs=written(folder, costs, "costs.csv"), out=folder / "out", choices=Choices(**choices)  # type: ignore[arg-type]
    )  # fmt: skip


def clinic(header: str = "age,film,ill", cell: str = "{age},{film},{ill}", ill: tuple[str, str] = ("no", "yes")) -> str:
    rows = [cell.format(age=a, temp=f"{t:.1f}", film=f, ill=ill[y], row=i) for i, (a, t, f, y) in enumerate(ROWS)]
    return "\n".join([header, *rows]) + "\n"


def labels(found: Recorded) -> list[str]:
    return [of.label for of in found.world.scenario.conditions.values()]


# ------------------------------------------------------------------------------------------------ words


def test_long_codes_stay_the_classes_that_they_are(tmp_path: Path) -> None:
    codes = ("195967001", "195967002", "22298006")
    text = "\n".join(["age,film,ill", *(f"{a},{f},{codes[i % 3]}" for i, (a, _, f, _) in enumerate(ROWS))])
    assert labels(made(tmp_path, text)) == ["ill = 22298006", "ill = 195967001", "ill = 195967002"]
    two = made(tmp_path, text, positive=("22298006",))
    assert labels(two) == ["ill = negative", "ill = positive"]
    assert two.about["rows"] == 60


def test_long_codes_stay_the_categories_that_they_are(tmp_path: Path) -> None:
    codes = ("195967001", "195967002")
    text = "\n".join(["age,film,ill", *(f"{a},{codes[y]},{y}" for a, _, _, y in ROWS)])
    assert made(tmp_path, text).world.model.network.variable("film_value").values == codes
    wide = "\n".join(["age,film,ill", *(f"{a},{2**53 + i % 8},{i % 2}" for i, (a, *_) in enumerate(ROWS))])
    found = made(tmp_path, wide, categories=("film",))
    assert len(found.world.model.network.variable("film_value").values) == 8


def test_numbers_as_classes_lose_needless_decimals_alone(tmp_path: Path) -> None:
    assert labels(made(tmp_path, clinic(ill=("0.0", "1")))) == ["ill = 0", "ill = 1"]
    assert labels(made(tmp_path, clinic(ill=("003", "1.50")))) == ["ill = 003", "ill = 1.5"]


def test_classes_that_differ_in_case_alone_are_joined_with_a_warning(tmp_path: Path) -> None:
    text = clinic().replace(",yes\n", ",YES\n", 5).replace(",no\n", ",No\n", 1)
    with pytest.warns(WorkupWarning, match=r"column ill: .*'YES' \(5 rows\) and 'yes' \(25 rows\).* read as one value"):
        found = made(tmp_path, text)
    assert labels(found) == ["ill = no", "ill = yes"]
    with pytest.warns(WorkupWarning, match=r"column film: 'CLEAR' .* and 'clear'"):
        found = made(tmp_path, clinic().replace("clear", "CLEAR", 3))
    assert found.world.model.network.variable("film_value").values == ("clear", "shadow")
    with pytest.warns(WorkupWarning, match="'01'"):
        assert labels(made(tmp_path, clinic(ill=("0", "1")).replace(",1\n", ",01\n", 3))) == ["ill = 0", "ill = 1"]


def test_a_class_column_of_numbers_and_words_is_words(tmp_path: Path) -> None:
    text = clinic(ill=("0", "1")).replace(",0\n", ",unknown\n", 5)
    assert labels(made(tmp_path, text)) == ["ill = 0", "ill = 1", "ill = unknown"]


def test_code_columns_are_words_where_that_is_said(tmp_path: Path) -> None:
    text = clinic().replace("clear", "250").replace("shadow", "V45")
    with pytest.raises(
        FileFormatError, match=r"t.csv:3: row 2, column film: found 'V45'.*--missing 'V45'.*--categories film"
    ):
        made(tmp_path, text)
    found = made(tmp_path, text, categories=("film",))
    assert found.world.model.network.variable("film_value").values == ("250", "V45")
    with pytest.raises(UnknownNameError, match="no column 'flim'"):
        made(tmp_path, clinic(), categories=("flim",))


def test_cells_that_say_below_or_not_available_name_the_remedy(tmp_path: Path) -> None:
    for word in ("<5", "<NA>"):
        with pytest.raises(FileFormatError, match=rf"t.csv:2: .*column age: found '{word}'.*--missing '{word}'"):
            made(tmp_path, clinic().replace("30,", f"{word},"))
        made(tmp_path, clinic().replace("30,", f"{word},"), missing=(word,))


@pytest.mark.parametrize(
    "word",
    ['"shadow, left"', "shadow (left)", "shadow [left]", "{shadow}", "a: b # c", '"two\nlines"', "50%", "otherwise"],
)
def test_words_of_cells_are_changed_a_little_and_never_refused_by_the_scenario(tmp_path: Path, word: str) -> None:
    found = made(tmp_path, clinic().replace("shadow", word))
    assert len(found.world.model.network.variable("film_value").values) == 2
    assert found.about["rows"] == 60


# ------------------------------------------------------------------------------------------------ headers


@pytest.mark.parametrize("name", ["Na", "NA", "null", "7", "n/a"])
def test_a_header_may_hold_names_that_look_like_no_value_or_a_number(tmp_path: Path, name: str) -> None:
    for cells in ("{age},{film},{ill}", "w{age},{film},{ill}"):
        text = clinic(f"{name},film,ill", cells.replace("w{age}", "{film}x"))
        found = made(tmp_path, text, costs=f"test,full_cost\nfilm,60\n{name},3\n", positive=("yes",))
        assert found.about["rows"] == 60
        assert {of.label for of in found.world.scenario.investigations.values()} >= {name, "film"}


def test_names_that_are_empty_or_repeated_are_told_as_such(tmp_path: Path) -> None:
    with pytest.raises(FileFormatError, match=r"t.csv:1: column 1 has no name .*index=False.*--columns"):
        made(tmp_path, clinic(",age,film,ill", "{row},{age},{film},{ill}"))
    with pytest.raises(FileFormatError, match=r"t.csv:1: columns 1 and 2 are both called 'age'"):
        made(tmp_path, clinic("age,age,film,ill", "{age},{age},{film},{ill}"))
    found = made(
        tmp_path,
        clinic(",age,film,ill", "{row},{age},{film},{ill}"),
        columns=("row", "age", "film", "ill"),
        drop=("row",),
    )
    assert found.about["rows"] == 60


def test_a_header_with_the_costs_names_is_seen_where_the_target_is_misspelt(tmp_path: Path) -> None:
    with pytest.raises(UnknownNameError, match="no column 'sick'"):
        made(tmp_path, clinic("NA,film,ill"), costs="test,full_cost\nNA,1\nfilm,60\n", target="sick")


def test_names_that_differ_in_punctuation_alone_are_two(tmp_path: Path) -> None:
    costs = "test,full_cost,requires\nCD4+,5,\nCD4-,6,CD4+\nfilm,60,\n"
    text = clinic("CD4+,CD4-,film,ill", "{age},{temp},{film},{ill}")
    world = made(tmp_path, text, costs=costs).world
    prices = {
        world.scenario.investigations[name].label: cost for name, cost in zip(world.items, world.cost_gbp, strict=False)
    }
    assert (prices["CD4+"], prices["CD4-"]) == (5.0, 6.0)
    with pytest.raises(
        UnknownNameError, match=r"costs.csv:2: .*'CD4' may be 'CD4\+' or 'CD4-'; write it with its punctuation"
    ):
        made(tmp_path, text, costs="test,full_cost\nCD4,5\nfilm,60\n")
    with pytest.raises(
        FileFormatError, match=r"costs.csv:3: a second cost for cd4\+; expected one \(the first is at line 2\)"
    ):
        made(tmp_path, text, costs="test,full_cost\nCD4+,5\ncd4+,6\nfilm,60\n")


# ------------------------------------------------------------------------------------------------ cells and lines


def test_decimal_commas_are_read_with_a_warning(tmp_path: Path) -> None:
    text = clinic("temp;film;ill", "{temp};{film};{ill}").replace(".", ",")
    with pytest.warns(WorkupWarning, match="decimal commas were read as decimal points in temp"):
        found = made(tmp_path, text, costs="test;full_cost\ntemp;0,5\nfilm;60\n")
    numbers = pl.read_parquet(tmp_path / "out" / "patients.parquet")["temp_value number"].to_list()
    assert numbers == pytest.approx([t for _, t, _, _ in ROWS], abs=1e-5)
    assert 0.5 in found.world.cost_gbp
    with pytest.warns(WorkupWarning, match="decimal commas"):
        table = read_table(written(tmp_path, "".join(f"{36 + i},{i};{i},5;no\n" for i in range(9))))
    np.testing.assert_allclose(table.columns[0].numbers, [36 + i + i / 10 for i in range(9)])  # type: ignore[arg-type]
    with pytest.warns(WorkupWarning, match="decimal commas"):
        quoted = read_table(written(tmp_path, 'a,b\n"1,5",x\n"2,25",y\n3,y\n'))
    np.testing.assert_allclose(quoted.column("a").numbers, [1.5, 2.25, 3])  # type: ignore[arg-type]


def test_a_comma_that_may_mark_thousands_is_refused(tmp_path: Path) -> None:
    with pytest.raises(
        FileFormatError, match=r"t.csv:2: row 1, column a: found '1,234', which may be 1.234 or 1234; write"
    ):
        read_table(written(tmp_path, "a;b\n1,234;x\n950;y\n2,100;x\n"))


@pytest.mark.parametrize("mark", [";", "\t", "|"])
def test_any_usual_separator_is_read_in_tables_and_costs(tmp_path: Path, mark: str) -> None:
    found = made(tmp_path, clinic().replace(",", mark), costs=COSTS.replace(",", mark))
    assert (found.about["rows"], sorted(found.world.cost_gbp)[-1]) == (60, 60.0)


def test_line_breaks_inside_cells_and_strange_blanks_cut_no_row(tmp_path: Path) -> None:
    text = 'age,film,ill\r\n37,"shadow\r\nleft",yes\r\n38,cl\u2028ear\x0c,no\r\n39x,"a",no\r\n40,b,no\r\n'
    with pytest.raises(FileFormatError, match=r"t.csv:5: row 3, column age: found '39x'"):
        read_table(written(tmp_path, text))
    table = read_table(written(tmp_path, text.replace("39x", "39")))
    assert table.lines.tolist() == [2, 4, 5, 6]
    assert table.column("film").words.to_list() == ["shadow\r\nleft", "cl\u2028ear", "a", "b"]
    costs = read_costs(written(tmp_path, 'test,full_cost,group\n"a\nb",3,\nfilm,60,\n', "c.csv"))
    assert [(test.name, test.line) for test in costs.tests] == [("a\nb", 2), ("film", 4)]


def test_a_quote_that_is_never_closed_is_told_by_its_row(tmp_path: Path) -> None:
    with pytest.raises(FileFormatError, match=r"t.csv:3: a quote is opened in this row and never closed"):
        read_table(written(tmp_path, 'a,b\n1,x\n2,"y\n3,z\n'))


@pytest.mark.parametrize("cell", ["x" * 140_000, '"' + "x" * 140_000 + '"', '"' * 1_000_001])
def test_cells_beyond_all_reason_are_refused_by_their_row(tmp_path: Path, cell: str) -> None:
    with pytest.raises(FileFormatError, match=r"t.csv:3: ") as refusal:
        read_table(written(tmp_path, f"a,b\n1,x\n2,{cell}\n3,z\n"))
    assert len(str(refusal.value)) < 1000


@pytest.mark.slow
def test_a_table_of_many_columns_is_read_in_linear_time(tmp_path: Path) -> None:
    def seconds(n: int) -> float:
        header = ",".join(f"c{i}" for i in range(n))
        rows = "\n".join(",".join(str((i * j) % 97) for i in range(n)) for j in range(1, 6))
        path, begun = written(tmp_path, f"{header}\n{rows}\n"), time.process_time()
        table = read_table(path, Reading(expected=[f"c{i}" for i in range(n)]))
        assert table.column(f"C{n - 1}").numbers is not None
        return time.process_time() - begun

    few, many = min(seconds(1_000) for _ in range(3)), seconds(10_000)
    assert many < 40 * few  # ten times as many columns; a square would take a hundred times as long


def test_only_files_are_read(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.csv")
    for path, kind in ((tmp_path / "pipe.csv", "a pipe"), (tmp_path, "a folder"), (Path("/dev/zero"), "a device")):
        for read in (read_table, read_costs):
            with pytest.raises(FileFormatError, match=f"is {kind}, not a file; save its content to a file"):
                read(path)
    with (tmp_path / "huge.csv").open("wb") as file:
        file.truncate(2**33)
    with pytest.raises(FileFormatError, match=r"has 8,589,934,592 bytes; tables of up to"):
        read_table(tmp_path / "huge.csv")


def test_text_that_is_not_utf8_is_told_by_line(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_bytes(b"a,b\n1,x\n2,Fi\xe8vre\n")
    with pytest.raises(FileFormatError, match=r"t.csv:3: not UTF-8 text .*; save it as UTF-8"):
        read_table(tmp_path / "t.csv")


# ------------------------------------------------------------------------------------------------ ARFF


def arff(attribute: str, cells: list[str]) -> str:
    head = f"@relation r\n@attribute age numeric\n{attribute}\n@attribute ill {{yes,no}}\n@data\n"
    return head + "\n".join(cells) + "\n"


@pytest.mark.parametrize(
    ("declared", "cell", "word"),
    [
        ("""{"Crohn's shadow",clear}""", '''"Crohn's shadow"''', "Crohn's shadow"),
        (r"""{'\'(-inf-0.5]\'','\'(0.5-inf)\'',clear}""", r"""'\'(-inf-0.5]\''""", "'(-inf-0.5]'"),
        (r"""{'Crohn\'s',clear}""", r"""'Crohn\'s'""", "Crohn's"),
        ("""{'a, b',clear}""", """'a, b'""", "a, b"),
        ("""{'say "ah"',clear}""", '''"say \\"ah\\""''', 'say "ah"'),
        ("{'5% or more',clear}", "'5% or more'", "5% or more"),
        ("{don't,clear}", "don't", "don't"),
    ],
)
def test_quotes_of_arff_are_those_of_weka(tmp_path: Path, declared: str, cell: str, word: str) -> None:
    text = arff(
        f"@attribute film {declared}",
        [f"{a},{cell if i % 3 else 'clear'},{'yes' if y else 'no'}" for i, (a, _, _, y) in enumerate(ROWS)],
    )
    column = read_table(written(tmp_path, text, "t.arff")).column("film")
    assert column.domain is not None
    assert column.domain[0] == word
    assert column.words.to_list()[:3] == ["clear", word, word]
    assert made(tmp_path, text, name="t.arff").about["rows"] == 60


def test_arff_is_read_in_its_spellings(tmp_path: Path) -> None:
    plain = [f"{a},{f},{'yes' if y else 'no'}" for a, _, f, y in ROWS]
    expected = [f for _, _, f, _ in ROWS]
    kinds = [
        arff("@attribute film{shadow,clear}", plain),
        arff("@attribute film {shadow,clear}", [row.replace(",", "\t") for row in plain]),
        arff("@attribute film {shadow,clear}", [row.replace(",", "  ") for row in plain]),
        arff("@attribute film {shadow,clear}", [f"{row}," for row in plain]),
        arff("@attribute film {shadow,clear}", [f"{row},{{2}}" for row in plain]),
        arff("@attribute film {shadow, % dark\n  clear} % said", plain),
        arff("@attribute\tfilm\t{shadow,clear} {0.5}", plain),
    ]
    for text in kinds:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            table = read_table(written(tmp_path, text, "t.arff"))
        assert table.column("film").words.to_list() == expected, text[:80]
        assert table.column("film").domain == ("shadow", "clear")
    weighted = arff("@attribute film {shadow,clear}", [f"{row}, {{{i % 2 + 1}}}" for i, row in enumerate(plain)])
    with pytest.warns(WorkupWarning, match="the rows have weights, which were left out"):
        read_table(written(tmp_path, weighted, "t.arff"))
    with pytest.raises(FileFormatError, match=r"t.arff:3: the list of values is not closed; expected '}'"):
        read_table(written(tmp_path, "@relation r\n@attribute age real\n@attribute film {a,\nb\n", "t.arff"))


def test_a_table_that_is_refused_leaves_no_folder(tmp_path: Path) -> None:
    with pytest.raises(WorkupError):
        made(tmp_path, clinic().replace("30,", "x,"))
    assert not (tmp_path / "out").exists()
    with pytest.raises(WorkupError):
        recorded_folder.write(tmp_path / "out", "id: no_scenario\n", {"split": ["train"]}, {})
    assert not (tmp_path / "out").exists()
