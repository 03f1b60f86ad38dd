"""Networks as other programs write them: read as they mean, or refused by line with the remedy."""

from __future__ import annotations

import os
import warnings
from itertools import product
from pathlib import Path

import numpy as np
import pytest

import workup
from workup.errors import FileFormatError, UnknownNameError, WorkupWarning
from workup.importers.networks.noisy_max import columns_of_states, noisy_max_table
from workup.importers.networks.prices import read_prices


def load(folder: Path, text: str, ending: str = "bif") -> workup.Network:
    file = folder / f"n.{ending}"
    file.write_bytes(text.encode())
    return workup.load_network(file)


# ------------------------------------------------------------------------------------------------ BIF


def test_javabayes_writes_no_bar(tmp_path: Path) -> None:
    values = 'type discrete[2] { "true" "false" }; property "position = (73, 165)" ;'
    text = 'network "Cough" { property "author someone" ; }\n'
    text += "".join(f'variable "{name}" {{ {values} }}\n' for name in ("flu", "damp-home", "cough"))
    text += 'probability ( "flu" ) { table 0.1 0.9 ; }\nprobability ( "damp-home" ) { table 0.3 0.7 ; }\n'
    table = "{ table 0.9 0.8 0.4 0.05 0.1 0.2 0.6 0.95 ; }"
    for head in (
        '"cough" "flu" "damp-home"',
        '"cough", "flu", "damp-home"',
        "cough flu damp-home",
        "cough, flu damp-home",
    ):
        network = load(tmp_path, f"{text}probability ( {head} ) {table}\n")
        assert network.posterior("cough", {"flu": "true", "damp-home": "true"})["true"] == pytest.approx(0.9)
        assert network.posterior("cough", {"flu": "false", "damp-home": "true"})["true"] == pytest.approx(0.4)


BARE = """network n { }
variable chest pain { type discrete [ 2 ] { VALUES }; }
variable ill { type discrete [ 2 ] { yes, no }; }
probability ( ill | chest pain ) { (FIRST) 0.8, 0.2; (SECOND) 0.1, 0.9; }
probability ( chest pain ) { table 0.1, 0.9; }
"""


@pytest.mark.parametrize(
    ("first", "second"),
    [("mild pain", "no pain"), ("[0-5)", "[5-10)"), ("pain (mild)", "none"), ("a", "b or c"), ("(-inf-3]", "(3-inf)")],
)
def test_names_without_quotes_are_read_where_their_number_decides(tmp_path: Path, first: str, second: str) -> None:
    text = BARE.replace("VALUES", f"{first}, {second}").replace("FIRST", first).replace("SECOND", second)
    network = load(tmp_path, text)
    assert len(network.variable("chest pain").values) == 2
    words = network.variable("chest pain").values
    assert [word.replace(" ", "") for word in words] == [first.replace(" ", ""), second.replace(" ", "")]
    assert network.posterior("ill", {"chest pain": words[0]})["yes"] == pytest.approx(0.8)


def test_names_that_nothing_decides_are_to_be_quoted(tmp_path: Path) -> None:
    text = BARE.replace("FIRST", "a").replace("SECOND", "b")
    for values in ("a, b, c", "mild, severe pain, none, x"):
        with pytest.raises(
            FileFormatError, match=r"n.bif:2: .* announces 2 values and lists \d; put quotes around a name"
        ):
            load(tmp_path, text.replace("VALUES", values))
    with pytest.raises(FileFormatError, match=r"n.bif:2: found ';'; expected a value; put quotes around a name"):
        load(tmp_path, text.replace("VALUES", "[0;5), [5;9)"))


# ------------------------------------------------------------------------------------------------ rounding, noise, weights

GRADES = """network n {{ }}
variable grade {{ type discrete [ {count} ] {{ {names} }}; }}
probability ( grade ) {{ table {row}; }}
"""


def graded(*row: str) -> str:
    return GRADES.format(count=len(row), names=", ".join(f"v{i}" for i in range(len(row))), row=", ".join(row))


@pytest.mark.parametrize("row", [("0.333",) * 3, ("0.1667",) * 6, ("0.17",) * 6, ("0.111",) * 9, ("0.14",) * 7])
def test_rows_rounded_to_their_digits_are_normalised_with_a_warning(tmp_path: Path, row: tuple[str, ...]) -> None:
    with pytest.warns(WorkupWarning, match="1 rows do not sum to 1 .* or what rounding to the digits written can do"):
        network = load(tmp_path, graded(*row))
    np.testing.assert_allclose(list(network.posterior("grade").values()), 1 / len(row))
    table = " ".join(row)
    states = "".join(f"<OUTCOME>v{i}</OUTCOME>" for i in range(len(row)))
    xml = f"<BIF><NETWORK><VARIABLE><NAME>g</NAME>{states}</VARIABLE><DEFINITION><FOR>g</FOR><TABLE>{table}</TABLE></DEFINITION></NETWORK></BIF>"
    with pytest.warns(WorkupWarning, match="rounding to the digits"):
        load(tmp_path, xml, "xmlbif")


@pytest.mark.parametrize("row", [("0.33", "0.66"), ("0.3", "0.3", "0.3"), ("0.3333", "0.333", "0.332"), ("0.02",) * 40])
def test_rows_further_off_than_rounding_are_refused(tmp_path: Path, row: tuple[str, ...]) -> None:
    with pytest.raises(FileFormatError, match=r"n.bif:3: a row of grade sums to .*; expected 1 within 0.0"):
        load(tmp_path, graded(*row))


def test_numbers_a_hair_below_0_are_0_with_a_warning(tmp_path: Path) -> None:
    with pytest.warns(WorkupWarning, match=r"1 numbers are below 0 \(by at most 1.2e-07\); they were read as 0"):
        network = load(tmp_path, graded("-1.19209e-07", "0.5", "0.5"))
    assert network.posterior("grade")["v0"] == 0.0
    net = 'node g { states = ("a" "b" "c"); }\npotential (g) { data = ( -1.19209e-07 0.5 0.5 ); }\n'
    with pytest.warns(WorkupWarning, match="1 numbers are below 0"):
        assert load(tmp_path, net, "net").posterior("g")["a"] == 0.0
    with pytest.raises(FileFormatError, match="found '-1e-05'; expected a probability"):
        load(tmp_path, graded("-1e-05", "0.5", "0.5"))


def test_data_of_hugin_are_weights(tmp_path: Path) -> None:
    net = 'node Flu { states = ("yes" "no"); }\nnode Fever { states = ("yes" "no"); }\npotential ( Flu ) { data = ( 10 90 ); }\n'
    text = net + "potential ( Fever | Flu ) { data = (( 8 2 ) % Flu=yes\n ( 0.1 0.9 )); }\n"
    with pytest.warns(WorkupWarning, match="2 rows do not sum to 1; they were normalised, as weights"):
        network = load(tmp_path, text, "net")
    assert network.posterior("Flu") == pytest.approx({"yes": 0.1, "no": 0.9})
    assert network.posterior("Fever", {"Flu": "yes"})["yes"] == pytest.approx(0.8)
    with pytest.raises(FileFormatError, match=r"n.net:4: a row of Fever is 0 throughout"):
        load(tmp_path, text.replace("8 2", "0 0"), "net")


# ------------------------------------------------------------------------------------------------ noisy-MAX

NOISY = """<smile version="1.0" id="N"><nodes>
<cpt id="A"><state id="yes"/><state id="no"/><probabilities>0.1 0.9</probabilities></cpt>
<cpt id="B"><state id="yes"/><state id="no"/><probabilities>0.4 0.6</probabilities></cpt>
<noisymax id="C"><state id="yes"/><state id="no"/><parents>A B</parents><strengths>STRENGTHS</strengths>
<parameters>PARAMETERS</parameters></noisymax></nodes></smile>
"""


@pytest.mark.parametrize(
    ("strengths", "parameters", "causes"),
    [
        ("0 1 0 1", "0.8 0.2 0 1 0.5 0.5 0 1 0.05 0.95", ("yes", "yes")),
        ("1 0 0 1", "0 1 0.8 0.2 0.5 0.5 0 1 0.05 0.95", ("no", "yes")),
        ("1 0 0 1", "0.8 0.2 0 1 0.5 0.5 0 1 0.05 0.95", ("no", "yes")),
    ],
)
def test_noisy_max_nodes_are_worked_out(
    tmp_path: Path, strengths: str, parameters: str, causes: tuple[str, str]
) -> None:
    network = load(tmp_path, NOISY.replace("STRENGTHS", strengths).replace("PARAMETERS", parameters), "xdsl")
    for a, b in product(("yes", "no"), repeat=2):
        none = 0.95 * (0.2 if a == causes[0] else 1.0) * (0.5 if b == causes[1] else 1.0)
        assert network.posterior("C", {"A": a, "B": b})["no"] == pytest.approx(none)


def test_noisy_max_is_the_strongest_of_independent_causes() -> None:
    """Against every combination of what each parent and the leak cause by itself."""
    rng = np.random.default_rng(0)
    parents = [rng.dirichlet(np.ones(3), size=size) for size in (2, 3)]
    leak = rng.dirichlet(np.ones(3))
    expected = np.zeros((2, 3, 3))
    for a, b, x, y, z in product(range(2), range(3), range(3), range(3), range(3)):
        expected[a, b, min(x, y, z)] += parents[0][a, x] * parents[1][b, y] * leak[z]
    np.testing.assert_allclose(noisy_max_table(parents, leak), expected, atol=1e-15)


def test_an_order_of_strengths_that_is_not_clear_is_refused(tmp_path: Path) -> None:
    columns = np.array([[0.5, 0.5], [0.3, 0.7], [0.0, 1.0]])
    assert columns_of_states([0, 1, 2], columns) == [0, 1, 2]
    assert columns_of_states([2, 1, 0], columns) == [2, 1, 0]
    assert columns_of_states([2, 1, 0], columns[::-1]) == [0, 1, 2]
    assert columns_of_states([1, 0, 2], columns) is None
    assert columns_of_states([1, 2, 0], columns) is None
    assert columns_of_states([0, 0, 2], columns) is None
    for strengths, parameters, why in (
        ("0 1 0 1", "0.8 0.2 0.1 0.9 0.5 0.5 0 1 0.05 0.95", "which state of A causes nothing"),
        ("0 1 0 1", "0.8 0.2 0 1 0.5 0.5 0 1", "found 8 parameters; expected 10"),
        ("0 1 0", "0.8 0.2 0 1 0.5 0.5 0 1 0.05 0.95", "found 3 strengths; expected 4"),
    ):
        with pytest.raises(
            FileFormatError, match=rf"n.xdsl:4: C is a noisy-MAX node; change its type to General .*{why}"
        ):
            load(tmp_path, NOISY.replace("STRENGTHS", strengths).replace("PARAMETERS", parameters), "xdsl")


# ------------------------------------------------------------------------------------------------ XML, files, messages

XML = "<BIF><NETWORK>\n<VARIABLE><NAME>a</NAME><OUTCOME>x</OUTCOME></VARIABLE>\n<DEFINITION><FOR>a</FOR><TABLE>P</TABLE></DEFINITION></NETWORK></BIF>"


def test_blanks_before_the_declaration_of_xml_are_read(tmp_path: Path) -> None:
    for start in ("\n\n   ", "\ufeff\n\n"):
        head = f'{start}<?xml version="1.0" encoding="US-ASCII"?>\n'
        assert load(tmp_path, head + XML.replace("P", "1"), "xmlbif").posterior("a") == {"x": 1.0}
        with pytest.raises(FileFormatError, match=r"n.xmlbif:6: a: found 'much'"):
            load(tmp_path, head + XML.replace("P", "much"), "xmlbif")
        with pytest.raises(FileFormatError, match=r"n.xmlbif:6: not well-formed XML"):
            load(tmp_path, head + XML.replace("P", "<"), "xmlbif")


def test_xml_that_is_not_utf8_names_the_remedy(tmp_path: Path) -> None:
    text = XML.replace("P", "1").replace(">x<", ">Fièvre<")
    for head in ("", '<?xml version="1.0"?>', '<?xml version="1.0" encoding="UTF-8"?>'):
        (tmp_path / "n.xmlbif").write_bytes((head + text).encode("latin-1"))
        with pytest.raises(FileFormatError, match=r"n.xmlbif:2: not UTF-8 text .*; save it as UTF-8"):
            workup.load_network(tmp_path / "n.xmlbif")
    (tmp_path / "n.xmlbif").write_bytes(('<?xml version="1.0" encoding="ISO-8859-1"?>' + text).encode("latin-1"))
    assert workup.load_network(tmp_path / "n.xmlbif").posterior("a") == {"Fièvre": 1.0}


@pytest.mark.parametrize("ending", ["bif", "xmlbif", "net", "xdsl", "dsl", "uai"])
def test_only_files_of_a_sound_size_are_read(tmp_path: Path, ending: str) -> None:
    os.mkfifo(tmp_path / f"pipe.{ending}")
    (tmp_path / f"zero.{ending}").symlink_to("/dev/zero")
    for name, kind in (("pipe", "a pipe"), ("zero", "a device")):
        with pytest.raises(FileFormatError, match=f"is {kind}, not a file; save its content to a file"):
            workup.load_network(tmp_path / f"{name}.{ending}")
    with (tmp_path / f"huge.{ending}").open("wb") as file:
        file.truncate(2**33)
    with pytest.raises(FileFormatError, match="has 8,589,934,592 bytes; networks of up to"):
        workup.load_network(tmp_path / f"huge.{ending}")


@pytest.mark.parametrize(
    ("ending", "text"),
    [
        ("net", f"node a {{ states = ({'x ' * 100_000}); }}"),
        ("net", "x" * 1_000_000),
        ("bif", f"variable {'x' * 1_000_000} {{ type continuous; }}"),
        ("bif", graded(*["0.5"] * 1000).replace("0.5", "much", 1)),
        ("xmlbif", XML.replace("P", "x" * 1_000_000)),
        ("xdsl", f"<smile><nodes><{'x' * 1_000_000} id='a'/></nodes></smile>"),
        ("dsl", f"net n {{ node a {{ TYPE = {'x' * 1_000_000}; }}; }};"),
        ("uai", "x" * 1_000_000),
        ("uai", f"BAYES\n2000\n{'2 ' * 2000}\n2000\n" + "1 0\n" * 2000 + "2 0.5 0.5\n" * 2000),
    ],
)
def test_no_message_is_longer_than_anyone_reads(tmp_path: Path, ending: str, text: str) -> None:
    with pytest.raises(FileFormatError) as refusal:
        load(tmp_path, text, ending)
    assert len(str(refusal.value)) < 20_000


def test_what_is_no_name_is_refused_in_a_line(tmp_path: Path) -> None:
    network = load(tmp_path, graded("0.5", "0.5"))
    for wrong in (network.variables[0], network.variables[0].cpt, ["grade"], "x" * 100_000):
        with pytest.raises(UnknownNameError, match="no variable") as refusal:
            network.posterior(wrong)  # type: ignore[arg-type]
        assert len(str(refusal.value)) < 200


def test_prices_of_a_network_are_read_with_semicolons(tmp_path: Path) -> None:
    (tmp_path / "c.csv").write_text('test;cost_gbp;label\nFever;5,5;"hot; or not"\n"a\nb";7;x\n')
    found = read_prices(tmp_path / "c.csv", {"Fever": ("Fever",), "a\nb": ("c",)})
    assert (found["Fever"].cost_gbp, found["Fever"].label, found["a\nb"].cost_gbp) == (5.5, "hot; or not", 7.0)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for cell in ("x", '"1,234"', "-1"):
            (tmp_path / "c.csv").write_text(f"test,cost_gbp\n\nFever,{cell}\n")
            with pytest.raises(FileFormatError, match=r"c.csv:3: found .* for cost_gbp; expected a number, 0 or more"):
                read_prices(tmp_path / "c.csv", {"Fever": ("Fever",)})
