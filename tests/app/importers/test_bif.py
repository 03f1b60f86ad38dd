from __future__ import annotations

import os
import warnings
from pathlib import Path

import numpy as np
import pytest

import workup
from workup.errors import FileFormatError, WorkupWarning

DATA = os.environ.get("WORKUP_TEST_DATA")

GOOD = """// a comment
network "two words" { property author "me; myself" ; }
variable Sick { type discrete [ 2 ] { yes, no }; property x y; }
/* over
   lines */
variable "Type of defect" { type discrete[3] { "Asy/Patch" Lung/Trans, None }; }
variable Report { type discrete [ 2 ] { Asy/Patch, other }; }
probability ( Sick ) { table 0.25, 0.75; }
probability ( "Type of defect" | Sick ) {
  (no) 0.0, 0.1, 0.9;
  default 0.5 0.3 0.2; // for the sick
}
probability ( Report | Sick, "Type of defect" ) {
  table 0.9, 0.8, 0.7, 0.6, 0.5, 0.4,
        0.1, 0.2, 0.3, 0.4, 0.5, 0.6;
}
"""


def load(tmp_path: Path, text: str) -> workup.Network:
    file = tmp_path / "network.bif"
    file.write_text(text, encoding="utf-8")
    return workup.load_network(file)


def test_reads_labels_quotes_comments_tables_rows_and_defaults(tmp_path: Path) -> None:
    network = load(tmp_path, GOOD)
    assert network.variable("Type of defect").values == ("Asy/Patch", "Lung/Trans", "None")
    assert network.posterior("Type of defect", {"Sick": "yes"}) == {"Asy/Patch": 0.5, "Lung/Trans": 0.3, "None": 0.2}
    # The variable itself varies slowest, the rightmost parent fastest.
    np.testing.assert_allclose(network.variable("Report").cpt[..., 0], [[0.9, 0.8, 0.7], [0.6, 0.5, 0.4]])
    sick = 0.25 * (0.5 * 0.9 + 0.3 * 0.8 + 0.2 * 0.7)
    assert network.posterior("Sick", {"Report": "Asy/Patch"})["yes"] == pytest.approx(
        sick / (sick + 0.75 * (0.1 * 0.5 + 0.9 * 0.4))
    )


def test_agrees_with_another_reader(tmp_path: Path) -> None:
    gum = pytest.importorskip("pyagrum")
    file = tmp_path / "n.bif"
    plain = GOOD.replace('network "two words" { property author "me; myself" ; }', "network n { }")
    for old, new in (
        ('"Type of defect"', "Defect"),
        ('"Asy/Patch" ', "Asy, "),
        ("Lung/Trans", "Lung"),
        ("Asy/Patch", "Asy"),
    ):
        plain = plain.replace(old, new)
    file.write_text(plain.replace("property x y;", "").replace("default 0.5 0.3 0.2", "(yes) 0.5, 0.3, 0.2"))
    mine, other = workup.load_network(file), gum.loadBN(str(file))
    engine = gum.LazyPropagation(other)
    for sick in ("yes", "no"):
        for defect in ("Lung", "None"):  # the healthy have no "Asy"
            evidence = {"Sick": sick, "Defect": defect}
            engine.setEvidence(evidence)
            theirs = engine.posterior("Report").toarray()
            np.testing.assert_allclose(list(mine.posterior("Report", evidence).values()), theirs, atol=1e-7)


def test_rows_printed_short_are_normalised_with_a_warning(tmp_path: Path) -> None:
    with pytest.warns(WorkupWarning, match=r"1 rows do not sum to 1 .*5e-05.* within 0.0001"):
        network = load(tmp_path, GOOD.replace("0.25, 0.75", "0.25, 0.75005"))
    assert sum(network.posterior("Sick").values()) == pytest.approx(1.0, abs=1e-15)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        load(tmp_path, GOOD.replace("0.25, 0.75", "0.1, 0.9000000000000001"))


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("0.25, 0.75", "0.25, 0.76", r"network.bif:8: a row of Sick sums to 1.01; expected 1 within 0.0001"),
        ("0.25, 0.75", "-0.25, 1.25", r"network.bif:8: found '-0.25'; expected a probability"),
        ("0.25, 0.75", "nan, 0.75", r"network.bif:8: found 'nan'"),
        ("0.25, 0.75", "0.25, much", r"network.bif:8: found 'much'; expected a probability"),
        ("0.25, 0.75", "0.25", r"network.bif:8: Sick has a table of 1 numbers; expected 2"),
        ("discrete [ 2 ] { yes, no }", "continuous", r"network.bif:3: variable Sick is continuous; only discrete"),
        ("[ 2 ] { yes, no }", "[ 3 ] { yes, no }", r"network.bif:3: .* announces 3 values and lists 2"),
        ("{ yes, no }", "{ yes, yes }", r"network.bif:3: .* all different"),
        (
            "  default 0.5 0.3 0.2; // for the sick\n",
            "",
            r"network.bif:9: 1 rows of Type of defect are missing, first \('yes',\)",
        ),
        ("default 0.5 0.3 0.2", "(no) 0.5 0.3 0.2", r"network.bif:11: the row \('no',\) .* already given at line 10"),
        ("(no) 0.0, 0.1", "(maybe) 0.0, 0.1", r"network.bif:10: Sick has no value 'maybe'; it has yes, no"),
        ("(no) 0.0, 0.1, 0.9", "(no) 0.0, 1.0", r"network.bif:10: the row .* has 2 numbers; expected 3"),
        ("(no)", "(no, no)", r"network.bif:10: .* has 1 parents; the row names 2 values"),
        ("( Sick ) {", "( Sick | Report ) {", r"network.bif:8: Sick has a table of 2 numbers; expected 4"),
        ("( Sick ) { table", "( Sick | Report ) { default", r"cycle: "),
        ("| Sick )", "| Sikc )", r"network.bif:9: 'Sikc' was never declared"),
        ("variable Report", "variable Sick", r"network.bif:7: variable Sick was already given at line 3"),
        ("probability ( Report |", "probability ( Sick |", r"network.bif:13: a second probability block for Sick"),
        ("   lines */", "   lines", r"network.bif:4: found a comment that never ends"),
        ('"two words"', '"two words', r"network.bif:2: found "),
        ("network ", "netwrok ", r"network.bif:2: found 'netwrok'; expected 'network', 'variable' or 'probability'"),
    ],
)
def test_what_is_wrong_is_said_with_its_line(tmp_path: Path, old: str, new: str, message: str) -> None:
    assert old in GOOD
    with pytest.raises(FileFormatError, match=message):
        load(tmp_path, GOOD.replace(old, new, 1))


def test_all_faults_of_meaning_at_once(tmp_path: Path) -> None:
    with pytest.raises(FileFormatError) as error:
        load(tmp_path, GOOD.replace("0.25, 0.75", "0.25, 0.8").replace("(no)", "(maybe)"))
    assert len(str(error.value).splitlines()) == 2


@pytest.mark.slow
def test_no_truncated_file_is_read(tmp_path: Path) -> None:
    last = len(GOOD.rstrip())
    for end in range(last):
        with pytest.raises(FileFormatError, match=r"network.bif"):
            load(tmp_path, GOOD[:end])
    load(tmp_path, GOOD[:last])


def test_other_files_are_refused(tmp_path: Path) -> None:
    with pytest.raises(FileFormatError, match=r"'.json'; expected one of .bif, "):
        workup.load_network(tmp_path / "n.json")
    (tmp_path / "n.bif").write_bytes(b"network x { }\nvariable \xff")
    with pytest.raises(FileFormatError, match="not UTF-8"):
        workup.load_network(tmp_path / "n.bif")
    huge = "".join(f"variable v{i} {{ type discrete [ 4 ] {{ a, b, c, d }}; }}\n" for i in range(30))
    parents = ", ".join(f"v{i}" for i in range(1, 30))
    with pytest.raises(FileFormatError, match=r"v0 needs .* numbers; at most"):
        load(tmp_path, huge + f"probability ( v0 | {parents} ) {{ default 0.25, 0.25, 0.25, 0.25; }}")


@pytest.mark.skipif(DATA is None, reason="WORKUP_TEST_DATA is not set")
def test_every_bif_of_the_test_data_loads() -> None:
    files = sorted((Path(str(DATA)) / "bn").glob("*.bif"))
    assert len(files) >= 9
    for file in files:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", WorkupWarning)
            network = workup.load_network(file)
        name = network.variables[-1].name
        assert sum(network.posterior(name).values()) == pytest.approx(1.0)
