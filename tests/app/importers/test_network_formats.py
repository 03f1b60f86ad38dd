"""Every format of network files: random networks written here and read back, what is refused, what is unsafe."""

from __future__ import annotations

import json
import os
import re
import warnings
from collections.abc import Callable
from itertools import product
from pathlib import Path
from xml.sax.saxutils import escape, quoteattr

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.places import ROOT

import workup
from workup.errors import FileFormatError, WorkupWarning
from workup.importers.networks import draft as network_draft
from workup.importers.networks.files import READERS, load_network

DATA = os.environ.get("WORKUP_TEST_DATA")
needs_data = pytest.mark.skipif(DATA is None, reason="WORKUP_TEST_DATA is not set")

Plain = dict[str, tuple[tuple[str, ...], tuple[str, ...], np.ndarray]]
"""Variable -> values, parents, table."""


def numbers(table: np.ndarray) -> str:
    return " ".join(repr(float(p)) for p in table.ravel())


def bif(network: Plain) -> str:
    out = "network n { }\n"
    for name, (values, _, _) in network.items():
        listed = ", ".join(f'"{value}"' for value in values)
        out += f'variable "{name}" {{ type discrete [ {len(values)} ] {{ {listed} }}; }}\n'
    for name, (_, parents, table) in network.items():
        given = " | " + ", ".join(f'"{p}"' for p in parents) if parents else ""
        out += f'probability ( "{name}"{given} ) {{ table {numbers(np.moveaxis(table, -1, 0))}; }}\n'
    return out


def xmlbif(network: Plain) -> str:
    out = (
        '<?xml version="1.0"?>\n<!DOCTYPE BIF [ <!ELEMENT BIF (NETWORK)*>\n<!ATTLIST BIF VERSION CDATA #REQUIRED> ]>\n'
    )
    out += '<BIF VERSION="0.3"><NETWORK><NAME>n</NAME>\n'
    for name, (values, _, _) in network.items():
        outcomes = "".join(f"<OUTCOME>{escape(value)}</OUTCOME>" for value in values)
        out += f'<VARIABLE TYPE="nature"><NAME>{escape(name)}</NAME>{outcomes}</VARIABLE>\n'
    for name, (_, parents, table) in network.items():
        given = "".join(f"<GIVEN>{escape(parent)}</GIVEN>" for parent in parents)
        out += f"<DEFINITION><FOR>{escape(name)}</FOR>{given}<TABLE>{numbers(table)}</TABLE></DEFINITION>\n"
    return out + "</NETWORK></BIF>\n"


def nested(table: np.ndarray) -> str:
    return f"({' '.join(nested(part) for part in table) if table.ndim > 1 else numbers(table)})"


def net(network: Plain) -> str:
    out = "net { node_size = (80 40); }\n% a remark; with (marks\n"
    for name, (values, _, _) in network.items():
        listed = " ".join(f'"{value}"' for value in values)
        out += f'node {name}\n{{ label = "a \\"label\\""; states = ({listed}); position = (1 2); }}\n'
    for name, (_, parents, table) in network.items():
        given = f" | {' '.join(parents)}" if parents else ""
        out += f"potential ({name}{given})\n{{ data = {nested(table)}; % done\n}}\n"
    return out


def oobn(network: Plain) -> str:
    return "class n {\ninputs = ();\n" + net(network).partition("\n")[2] + "}\n"


def xdsl(network: Plain) -> str:
    out = '<?xml version="1.0" encoding="UTF-8"?>\n<smile version="1.0" id="n">\n<nodes>\n'
    for name, (values, parents, table) in network.items():
        states = "".join(f"<state id={quoteattr(value)} />" for value in values)
        given = f"<parents>{' '.join(parents)}</parents>" if parents else ""
        out += f'<cpt id="{name}">{states}{given}<probabilities>{numbers(table)}</probabilities></cpt>\n'
    return out + '</nodes><extensions><genie version="1.0" app="GeNIe 4.0" name="n" /></extensions></smile>\n'


def dsl(network: Plain) -> str:
    out = 'net n {\n// a remark\nHEADER = { ID = n; NAME = "a; b"; };\n'
    for name, (values, parents, table) in network.items():
        listed = ", ".join(repr(float(p)) for p in table.ravel())
        out += f"node {name} {{ TYPE = CPT; HEADER = {{ ID = {name}; }}; PARENTS = ({', '.join(parents)});\n"
        out += f"DEFINITION = {{ NAMESTATES = ({', '.join(values)}); PROBABILITIES = ({listed}); }}; }};\n"
    return out + "};\n"


def uai(network: Plain) -> str:
    index = {name: str(i) for i, name in enumerate(network)}
    out = f"BAYES\n{len(network)}\n{' '.join(str(len(v)) for v, _, _ in network.values())}\n{len(network)}\n"
    for name, (_, parents, _) in network.items():
        out += f"{1 + len(parents)} {' '.join(index[other] for other in (*parents, name))}\n"
    for _, _, table in network.values():
        out += f"\n{table.size}\n{numbers(table)}\n"
    return out


FORMATS: dict[str, tuple[str, Callable[[Plain], str]]] = {
    "bif": ("bif", bif),
    "xmlbif": ("xmlbif", xmlbif),
    "bifxml": ("bifxml", xmlbif),
    "net": ("net", net),
    "oobn": ("net", oobn),
    "xdsl": ("xdsl", xdsl),
    "dsl": ("dsl", dsl),
    "uai": ("uai", uai),
}


def random_plain(seed: int) -> Plain:
    """Up to seven variables of one to four values, with strange but legal labels, in an order that is not causal."""
    rng = np.random.default_rng(seed)
    sizes = rng.integers(1, 5, size=rng.integers(1, 8))
    labels = ("yes", "no", "Asy_Patch", "not")
    network: Plain = {}
    for i, size in enumerate(sizes):
        parents = rng.permutation(i)[: rng.integers(0, 4)]
        table = rng.dirichlet(np.ones(size), size=[sizes[p] for p in parents])
        table[rng.uniform(size=table.shape[:-1]) < 0.2] = np.eye(size)[rng.integers(size)]
        network[f"v{i}"] = (labels[:size], tuple(f"v{p}" for p in parents), table)
    return {f"v{i}": network[f"v{i}"] for i in rng.permutation(len(sizes))}


def joint(network: Plain) -> dict[tuple[int, ...], float]:
    """Every joint state of the variables in the order of the dictionary, and its probability."""
    place = {name: i for i, name in enumerate(network)}
    out = {}
    for state in product(*(range(len(values)) for values, _, _ in network.values())):
        chance = 1.0
        for name, (_, parents, table) in network.items():
            chance *= float(table[(*(state[place[p]] for p in parents), state[place[name]])])
        out[state] = chance
    return out


@pytest.mark.parametrize("form", FORMATS)
@settings(max_examples=25, deadline=None, derandomize=True)
@given(seed=st.integers(0, 100_000))
def test_a_network_written_and_read_back_has_the_posteriors_of_its_joint(
    form: str, seed: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    plain, rng = random_plain(seed), np.random.default_rng(seed)
    ending, write = FORMATS[form]
    file = tmp_path_factory.mktemp("networks") / f"n.{ending}"
    file.write_text(write(plain), encoding="utf-8")
    network, names = workup.load_network(file), list(plain)

    def word(i: int, value: int) -> str:
        return str(value) if ending == "uai" else plain[names[i]][0][value]

    called = [str(i) for i in range(len(names))] if ending == "uai" else names
    states = joint(plain)
    truth = list(states)[rng.choice(len(states), p=np.array(list(states.values())))]
    seen = [i for i in range(len(names)) if rng.uniform() < 0.4]
    weights = {s: p for s, p in states.items() if all(s[i] == truth[i] for i in seen)}
    evidence = {called[i]: word(i, truth[i]) for i in seen}
    assert network.probability(evidence) == pytest.approx(sum(weights.values()), rel=1e-12)
    for i in set(range(len(names))).difference(seen):
        found = network.posterior(called[i], evidence)
        for value in range(len(plain[names[i]][0])):
            expected = sum(p for s, p in weights.items() if s[i] == value) / sum(weights.values())
            assert found[word(i, value)] == pytest.approx(expected, abs=1e-12)


TINY: Plain = {
    "Flu": (("yes", "no"), (), np.array([0.125, 0.875])),
    "Test": (("pos", "neg", "void"), ("Flu",), np.array([[0.75, 0.125, 0.125], [0.0625, 0.875, 0.0625]])),
}


@pytest.mark.slow
@pytest.mark.parametrize("form", FORMATS)
def test_no_file_that_was_cut_short_is_read(form: str, tmp_path: Path) -> None:
    ending, write = FORMATS[form]
    text = write(TINY).rstrip()
    file = tmp_path / f"n.{ending}"
    # GeNIe's closing ';' is optional, and nothing marks the end of the last number of a UAI file but its row's sum.
    for end in range(len(text) - (1 if form == "dsl" else 0)):
        file.write_text(text[:end], encoding="utf-8")
        with pytest.raises(FileFormatError, match=rf"n\.{ending}:\d+: "):
            workup.load_network(file)
    file.write_text(text, encoding="utf-8")
    assert workup.load_network(file).posterior("1" if form == "uai" else "Test").popitem()[1] == pytest.approx(
        0.0703125
    )


REFUSED = [
    ("xmlbif", 'TYPE="nature"><NAME>Test', 'TYPE="decision"><NAME>Test', r"6: Test is a decision node: .* influence"),
    ("xmlbif", 'TYPE="nature"><NAME>Test', 'TYPE="utility"><NAME>Test', r"6: Test is a utility node: .* influence"),
    (
        "xmlbif",
        'TYPE="nature"><NAME>Test',
        'TYPE="continuous"><NAME>Test',
        r"6: variable Test is continuous; only disc",
    ),
    ("xmlbif", "<GIVEN>Flu", "<GIVEN>Flue", r"8: 'Flue' was never declared"),
    ("xmlbif", "<FOR>Flu</FOR>", "<FOR>Test</FOR>", r"8: a second table for Test"),
    ("xmlbif", "<OUTCOME>no</OUTCOME>", "<OUTCOME>yes</OUTCOME>", r"5: variable Flu has values .* all different"),
    ("xmlbif", "0.75 0.125", "0.75 0.25", r"8: a row of Test sums to 1.125"),
    ("xmlbif", "0.75 0.125", "0.75", r"8: Test has a table of 5 numbers; expected 6"),
    ("xmlbif", "0.75", "nan", r"8: Test: found 'nan'; expected a probability"),
    ("xmlbif", "<TABLE>0.125 0.875</TABLE>", "", r"7: the definition of Flu has no <TABLE>"),
    ("xmlbif", "<NAME>Flu</NAME>", "", r"5: <VARIABLE> has no <NAME>"),
    ("xmlbif", "</BIF>", "</BOF>", r"9: not well-formed XML: mismatched tag"),
    ("xmlbif", "BIF", "PMML", r"4: found <PMML>; expected <BIF>"),
    ("net", "node Test", "decision Test", r"5: Test is a decision node: .* influence"),
    ("net", "node Test", "utility Test", r"5: Test is a utility node: .* influence"),
    ("net", "node Test", "continuous node Test", r"5: Test is a continuous \(linear-Gaussian\) node"),
    ("net", "node Test", "function Test", r"5: Test is a function node"),
    ("net", "node Test", "nod Test", r"5: found 'nod'; expected 'net', 'node' or 'potential'"),
    ("net", 'states = ("pos"', 'state = ("pos"', r"5: Test has no 'states'"),
    ("net", "0.75 0.125", "normal (0.75, 0.125)", r"11: Test: found 'normal'; expected a probability"),
    ("net", "data = ((0.75", "model_data = ((0.75", r"10: the potential of Test has a model instead of 'data'"),
    ("net", "(Test | Flu)", "(Test Flu)", r"10: a potential of Test and others together"),
    ("net", "(Test | Flu)", "(Test | Flu", r"11: found '{'"),
    ("net", '"a \\"label\\""', '"a', r"n\.net:\d+: "),
    ("xdsl", '<cpt id="Test"', '<decision id="Test"', r"5: not well-formed"),
    ("xdsl", "</nodes>", '<utility id="U" /></nodes>', r"6: U is a utility: this is an influence diagram"),
    ("xdsl", "</nodes>", '<decision id="U" /></nodes>', r"6: U is a decision: this is an influence diagram"),
    ("xdsl", "</nodes>", '<equation id="U" /></nodes>', r"6: U is an equation over continuous values"),
    ("xdsl", "</nodes>", '<noisymax id="U" /></nodes>', r"6: U is a noisy-MAX node; change its type"),
    ("xdsl", "</nodes>", "</nodes><dynamic />", r"6: this is a dynamic network"),
    ("xdsl", "</nodes>", "<cpt /></nodes>", r"6: <cpt> has no id"),
    ("xdsl", "<parents>Flu", "<parents>Flue", r"5: 'Flue' was never declared"),
    ("xdsl", "smile", "snail", r"2: found <snail>; expected <smile>"),
    ("dsl", "node Test { TYPE = CPT", "node Test { TYPE = DECISION", r"6: Test is a decision: this is an influence"),
    ("dsl", "node Test { TYPE = CPT", "node Test { TYPE = NOISY_MAX", r"6: Test is a noisy-MAX node"),
    ("dsl", "PARENTS = (Flu)", "PARENTS = (Flue)", r"7: 'Flue' was never declared"),
    ("dsl", "NAMESTATES = (pos", "STATES = (pos", r"7: Test has no NAMESTATES"),
    ("dsl", "(pos, neg, void);", "(pos, neg, void)", r"7: found '='"),
    ("dsl", "net n", "network n", r"1: found 'network'; expected 'net'"),
    ("uai", "BAYES", "MARKOV", r"1: a Markov network has no conditional probabilities; expected BAYES"),
    ("uai", "2 3\n2\n", "2 3\n3\n", r"4: found 3 tables for 2 variables"),
    ("uai", "2 0 1", "2 0 7", r"11: '7' was never declared"),
    ("uai", "2 0 1", "2 1 1", r"11: 1 and its parents \('1',\) repeat a name"),
    ("uai", "2 3\n", "2 999999999\n", r"3: variable 1 has 999999999 values, of which"),
    ("uai", "2 3\n", "2 x\n", r"3: found 'x'; expected the number of values"),
    ("uai", "0.75 0.125", "0.75 -0.125", r"11: 1: found '-0.125'; expected a probability"),
    ("uai", "0.875 0.0625\n", "0.875 0.0625\n7", r"13: found '7'; expected the end"),
]


@pytest.mark.parametrize(("form", "old", "new", "message"), REFUSED)
def test_what_is_wrong_is_said_with_its_line(form: str, old: str, new: str, message: str, tmp_path: Path) -> None:
    ending, write = FORMATS[form]
    text = write(TINY)
    assert old in text
    file = tmp_path / f"n.{ending}"
    file.write_text(text.replace(old, new), encoding="utf-8")
    with pytest.raises(FileFormatError, match=message):
        workup.load_network(file)


def test_deterministic_nodes_of_genie_are_tables_of_0_and_1(tmp_path: Path) -> None:
    node = '<deterministic id="Or"><state id="t"/><state id="f"/><parents>Flu Test</parents><resultingstates>{}</resultingstates>'
    ending = "</deterministic></nodes>"
    file = tmp_path / "n.xdsl"
    file.write_text(xdsl(TINY).replace("</nodes>", node.format("t t t t f f") + ending))
    network = workup.load_network(file)
    assert network.posterior("Or")["f"] == pytest.approx(0.875 * (1 - 0.0625), abs=1e-15)
    file.write_text(xdsl(TINY).replace("</nodes>", node.format("t t t t f maybe") + ending))
    with pytest.raises(FileFormatError, match="6: Or has no state 'maybe'; it has t, f"):
        workup.load_network(file)
    text = dsl(TINY).replace("node Test { TYPE = CPT", "node Test { TYPE = TRUTHTABLE")
    text = re.sub(r"PROBABILITIES = \(0.75[^)]*\)", "RESULTINGSTATES = (neg, void)", text)
    (tmp_path / "n.dsl").write_text(text)
    found = workup.load_network(tmp_path / "n.dsl").posterior("Test")
    assert found == pytest.approx({"pos": 0, "neg": 0.125, "void": 0.875})


@pytest.mark.parametrize(
    "entities",
    [
        '<!ENTITY a "lol">' + "".join(f'<!ENTITY a{i} "{f"&a{i - 1 or str()};" * 10}">' for i in range(1, 10)),
        '<!ENTITY a SYSTEM "file:///etc/passwd">',
        '<!ENTITY % p SYSTEM "http://127.0.0.1:1/x.dtd"> %p;',
    ],
)
@pytest.mark.parametrize("form", ["xmlbif", "xdsl"])
def test_entities_are_refused_before_they_unfold(form: str, entities: str, tmp_path: Path) -> None:
    text = FORMATS[form][1](TINY)
    body = text[text.index("<BIF" if form == "xmlbif" else "<smile") :].replace(">yes<", ">&a;<")
    file = tmp_path / f"n.{form}"
    file.write_text(f'<?xml version="1.0"?>\n<!DOCTYPE x [\n{entities}\n]>\n{body}')
    with pytest.raises(FileFormatError, match=rf"n\.{form}:3: declares the entity '[ap]'; entities are refused"):
        workup.load_network(file)


def test_depth_and_size_are_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "n.xdsl"
    file.write_text("<smile>" * 200_000)
    with pytest.raises(FileFormatError, match="nested too deep"):
        workup.load_network(file)
    deep = tmp_path / "n.dsl"
    deep.write_text("net n " + "{ a = " * 100_000)
    with pytest.raises(FileFormatError, match="nested too deep"):
        workup.load_network(deep)
    many = "".join(f"node v{i} {{ states = (a b c d); }}\n" for i in range(30))
    (tmp_path / "n.net").write_text(
        f"{many}potential (v0 | {' '.join(f'v{i}' for i in range(1, 30))}) {{ data = (1); }}"
    )
    with pytest.raises(FileFormatError, match=r"31: v0 needs 1,152,921,504,606,846,976 numbers; at most"):
        workup.load_network(tmp_path / "n.net")
    single = "".join(f"node v{i} {{ states = (a); }}\n" for i in range(80))
    (tmp_path / "n.net").write_text(
        f"{single}potential (v0 | {' '.join(f'v{i}' for i in range(1, 80))}) {{ data = (1); }}"
    )
    with pytest.raises(FileFormatError, match="v0 has 79 parents; at most 60 are read"):
        workup.load_network(tmp_path / "n.net")
    monkeypatch.setattr(network_draft, "LARGEST_FILE", 1000)
    for ending, write in FORMATS.values():
        large = tmp_path / f"large.{ending}"
        large.write_text(write(TINY) + "\n" * 1000)
        with pytest.raises(FileFormatError, match=r"has \d+,\d+ bytes; networks of up to 1,000 bytes are read"):
            workup.load_network(large)


def test_files_of_agrum_are_read_in_its_own_order(tmp_path: Path) -> None:
    """With two parents, aGrUM counts XDSL and UAI tables with the first fastest; other programs with the last."""
    rng = np.random.default_rng(0)
    plain: Plain = {name: (("t", "f"), (), rng.dirichlet(np.ones(2))) for name in "ab"}
    table = rng.dirichlet(np.ones(2), size=(2, 2))
    plain["c"] = (("t", "f"), ("a", "b"), table)
    turned = plain | {"c": (("t", "f"), ("a", "b"), table.transpose(1, 0, 2))}
    file = tmp_path / "n.xdsl"
    file.write_text(xdsl(turned).replace('app="GeNIe 4.0"', 'app="aGrUM 3.3.1"'))
    np.testing.assert_array_equal(workup.load_network(file).variable("c").cpt, table)
    file = tmp_path / "n.uai"
    file.write_text(re.sub(r"^([123] [012 ]+)$", r"\1   # name", uai(turned), flags=re.MULTILINE))
    np.testing.assert_array_equal(workup.load_network(file).variable("2").cpt, table)


@pytest.mark.parametrize("ending", ["bifxml", "net", "xdsl", "dsl", "uai"])
def test_what_pyagrum_writes_is_read_as_it_meant_it(ending: str, tmp_path: Path) -> None:
    gum = pytest.importorskip("pyagrum")
    for seed in range(5):
        gum.initRandom(seed)
        other = gum.BNGenerator().generate(7, 12, 3)
        file = tmp_path / f"n{seed}.{ending}"
        gum.saveBN(other, str(file))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", WorkupWarning)  # its .net has seven digits
            network = workup.load_network(file)
        engine, ids = gum.LazyPropagation(other), sorted(other.nodes())
        engine.setEvidence({ids[0]: 1, ids[3]: 0})
        names = list(network.by_name) if ending == "uai" else [other.variable(i).name() for i in ids]
        seen = {names[0]: network.variable(names[0]).values[1], names[3]: network.variable(names[3]).values[0]}
        for place in (1, 2, 4, 5, 6):
            mine = list(network.posterior(names[place], seen).values())
            np.testing.assert_allclose(mine, engine.posterior(ids[place]).toarray(), atol=5e-6)


@needs_data
@pytest.mark.parametrize("ending", ["bifxml", "net", "xdsl", "dsl", "uai"])
def test_each_variant_of_the_test_data_has_the_joint_of_its_bif(ending: str) -> None:
    folder = Path(str(DATA)) / "bn"
    first = workup.load_network(folder / "foodallergy1.bif")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", WorkupWarning)
        network = workup.load_network(folder / f"foodallergy1.{ending}")
    names = list(first.by_name)
    called = [str(i) for i in range(len(names))] if ending == "uai" else names
    np.testing.assert_allclose(
        network.conditional(called), first.conditional(names), rtol=1e-6 if ending == "net" else 1e-12
    )


@needs_data
def test_published_networks_survive_every_format(tmp_path: Path) -> None:
    folder = Path(str(DATA)) / "bn"
    queries = json.loads((folder / "posteriors.json").read_text())["networks"]["alarm"]["queries"]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", WorkupWarning)
        alarm = workup.load_network(folder / "alarm.bif")
    plain: Plain = {v.name: (v.values, v.parents, v.cpt) for v in alarm.variables}
    for form, (ending, write) in FORMATS.items():
        file = tmp_path / f"{form}.{ending}"
        file.write_text(write(plain))
        network, index = workup.load_network(file), {name: str(i) for i, name in enumerate(plain)}
        for query in queries[:6]:
            evidence = query["evidence"]
            target = query["target"]
            if form == "uai":
                evidence = {index[n]: str(plain[n][0].index(value)) for n, value in evidence.items()}
                target = index[target]
            found = list(network.posterior(target, evidence).values())
            expected = [query["posterior"][value] for value in plain[query["target"]][0]]
            np.testing.assert_allclose(found, expected, atol=1e-8)


EMPTY = {
    "a.net": "net {}\nnode x { states = (); }\npotential (x) { data = (); }\n",
    "a.xmlbif": '<BIF VERSION="0.3"><NETWORK><NAME>n</NAME>\n<VARIABLE TYPE="nature"><NAME>x</NAME></VARIABLE>\n'
    "<DEFINITION><FOR>x</FOR><TABLE></TABLE></DEFINITION></NETWORK></BIF>\n",
    "a.xdsl": '<smile id="n"><nodes>\n<cpt id="x"><probabilities></probabilities></cpt></nodes></smile>\n',
}


@pytest.mark.parametrize("name", EMPTY)
def test_a_variable_without_values_is_refused_on_its_line(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text(EMPTY[name], encoding="utf-8")
    with pytest.raises(FileFormatError, match=rf"{name}:\d+: variable x has values \(\); expected one or more"):
        load_network(tmp_path / name)


def test_parents_in_a_circle_are_told_with_the_line_and_the_mend(tmp_path: Path) -> None:
    file = tmp_path / "a.net"
    nodes = "".join(f'node {name} {{ states = ("no" "yes"); }}\n' for name in "ab")
    tables = "".join(
        f"potential ({child} | {parent}) {{ data = ((0.5 0.5)(0.5 0.5)); }}\n" for child, parent in ("ab", "ba")
    )
    file.write_text(f"net {{}}\n{nodes}{tables}", encoding="utf-8")
    with pytest.raises(
        FileFormatError, match=r"a\.net:[23]: the parents form a cycle: .* <- .* <- .*; remove one of these parents"
    ):
        load_network(file)


def test_every_ending_that_is_read_is_tested_and_documented() -> None:
    page = (ROOT / "docs" / "inputs.md").read_text(encoding="utf-8")
    tested = {f".{ending}" for ending, _ in FORMATS.values()} | {".bif", ".dsl", ".bifxml", ".xml"}
    assert set(READERS) <= tested, "add the format to FORMATS"
    assert [ending for ending in READERS if f"`{ending}`" not in page] == [], "say in docs/inputs.md what is read"
