"""Readers of Bayesian networks in GeNIe's formats: XDSL (XML) and the older DSL.

Tables count with the parents in order, the first slowest, and the node's own states fastest.
Source: BayesFusion, SMILE Programmer's Manual (the coordinates of a node's definition).
"""

from __future__ import annotations

from itertools import product
from pathlib import Path

import numpy as np

from workup.envs.model.network import Network
from workup.errors import FileFormatError
from workup.importers.networks.draft import Draft, as_probability
from workup.importers.networks.noisy_max import columns_of_states, noisy_max_table
from workup.importers.networks.tokens import GENIE, Block, Reader, Value
from workup.importers.networks.xml_tree import Element, parse_xml

_REFUSED = {
    "decision": "a decision: this is an influence diagram; expected chance nodes only",
    "list": "a decision: this is an influence diagram; expected chance nodes only",
    "utility": "a utility: this is an influence diagram; expected chance nodes only",
    "table": "a utility: this is an influence diagram; expected chance nodes only",
    "mau": "a utility (MAU): this is an influence diagram; expected chance nodes only",
    "equation": "an equation over continuous values; only discrete nodes can be read: discretise it",
    "noisy_max": "a noisy-MAX node; change its type to General in GeNIe, which writes out its table",
    "noisyadder": "a noisy-adder node; change its type to General in GeNIe, which writes out its table",
    "noisy_adder": "a noisy-adder node; change its type to General in GeNIe, which writes out its table",
}


def read_xdsl(path: Path) -> Network:
    """The network in an XDSL file.

    aGrUM up to 3.3 writes (and reads) the tables of this format with the first parent fastest; a file that says
    it was written by aGrUM is read so.

    Raises:
        FileFormatError: with `file:line` of what is malformed, truncated, continuous or part of an influence diagram.
    """
    root, draft = parse_xml(path), Draft(path)
    nodes = root.first("nodes")
    if root.tag != "smile" or nodes is None:
        raise draft.fault(root.line, f"found <{root.tag}>; expected <smile> with <nodes>, a GeNIe network")
    if (dynamic := root.first("dynamic")) is not None:
        raise draft.fault(dynamic.line, "this is a dynamic network; unroll it in GeNIe and save that")
    for node in nodes.children:
        _refuse(draft, node.line, node.attributes.get("id", "a node"), node.tag, ("cpt", "deterministic", "noisymax"))
        draft.add_variable(_id(draft, node), [_id(draft, state) for state in node.all("state")], node.line)
    reverse = _by_agrum(root)
    for node in nodes.children:
        listed = node.first("parents")
        parents = listed.text.split() if listed else []
        if node.tag == "noisymax":
            _noisy_max(draft, node, parents)
            continue
        tag = "probabilities" if node.tag == "cpt" else "resultingstates"
        table = node.first(tag)
        if table is None:
            raise draft.fault(node.line, f"{_id(draft, node)} has no <{tag}>; expected its table")
        numbers = table.text.split()
        if node.tag == "deterministic":
            numbers = _indicators(draft, table.line, _id(draft, node), numbers)
        order = [*reversed(range(len(parents))), len(parents)] if reverse else None
        draft.add_table(_id(draft, node), parents, table.line, numbers, order=order)
    return draft.network()


def _noisy_max(draft: Draft, node: Element, parents: list[str]) -> None:
    """Give the node the table that its parameters make."""
    name = _id(draft, node)

    def refuse(why: str) -> FileFormatError:
        return draft.fault(node.line, f"{name} is {_REFUSED['noisy_max']} ({why})")

    parameters = node.first("parameters")
    if parameters is None:
        raise refuse("it has no <parameters>")
    shape = draft.shape(name, parents, node.line)
    if shape is None:
        draft.tables.setdefault(name, (tuple(parents), None))
        return
    sizes, n = shape[:-1], shape[-1]
    numbers = [as_probability(word) for word in parameters.text.split()]
    listed = node.first("strengths")
    strengths = listed.text.split() if listed else [str(state) for size in sizes for state in range(size)]
    if None in numbers or len(numbers) != n * (sum(sizes) + 1):
        raise refuse(f"found {len(numbers)} parameters; expected {n * (sum(sizes) + 1)} probabilities")
    if len(strengths) != sum(sizes) or not all(word.isdecimal() and len(word) < 9 for word in strengths):
        raise refuse(f"found {len(strengths)} strengths; expected {sum(sizes)} whole numbers")
    causes = np.array(numbers, np.float64).reshape(-1, n)
    causes = draft.normalised(name, np.full(len(causes), parameters.line), causes)
    by_parent, at = [], 0
    for parent, size in zip(parents, sizes, strict=True):
        columns = causes[at : at + size]
        places = columns_of_states([int(word) for word in strengths[at : at + size]], columns)
        if places is None:
            raise refuse(
                f"its parameters do not say which state of {parent} causes nothing, or the order of the others"
            )
        by_parent.append(columns[places])
        at += size
    draft.add_array(name, parents, node.line, noisy_max_table(by_parent, causes[-1]))


def _by_agrum(root: Element) -> bool:
    extensions = root.first("extensions")
    genie = extensions.first("genie") if extensions else None
    return genie is not None and genie.attributes.get("app", "").lower().startswith(("agrum", "pyagrum"))


def _id(draft: Draft, of: Element) -> str:
    found = of.attributes.get("id")
    if not found:
        raise draft.fault(of.line, f"<{of.tag}> has no id; expected one")
    return found


def _refuse(draft: Draft, line: int, name: str, kind: str, read: tuple[str, ...]) -> None:
    if kind.lower() not in read:
        raise draft.fault(line, f"{name} is {_REFUSED.get(kind.lower(), f'of the kind {kind!r}, which is not read')}")


def _indicators(draft: Draft, line: int, name: str, states: list[str]) -> list[str]:
    """A column of 0 and 1 for each resulting state of a deterministic node."""
    known = draft.values[name]
    unknown = [state for state in states if state not in known]
    if unknown:
        raise draft.fault(line, f"{name} has no state {unknown[0]!r}; it has {', '.join(known)}")
    return ["1" if state == value else "0" for state, value in product(states, known)]


def read_dsl(path: Path) -> Network:
    """The network in a DSL file.

    Raises:
        FileFormatError: with `file:line` of what is malformed, truncated, continuous or part of an influence diagram.
    """
    draft = Draft(path)
    reader = Reader(path, GENIE)
    reader.expect("net")
    reader.word("the network's name")
    net = reader.block()
    if not reader.at_end():
        reader.expect(";")
    if not reader.at_end():
        reader.expect("the end of the file")
    nodes = [entry for entry in net.entries if isinstance(entry, Block) and entry.key == "node"]
    for node in nodes:
        _refuse(draft, node.line, node.name, _kind(draft, node), ("cpt", "truthtable"))
        states = _entry(draft, _block(draft, node, "DEFINITION"), "NAMESTATES").words
        draft.add_variable(node.name, states, node.line)
    for node in nodes:
        definition = _block(draft, node, "DEFINITION")
        parents = _entry(draft, node, "PARENTS").words
        deterministic = _kind(draft, node).lower() == "truthtable"
        table = _entry(draft, definition, "RESULTINGSTATES" if deterministic else "PROBABILITIES")
        numbers = table.words
        if deterministic:
            numbers = _indicators(draft, table.line, node.name, numbers)
        draft.add_table(node.name, parents, table.line, numbers)
    return draft.network()


def _kind(draft: Draft, node: Block) -> str:
    return " ".join(_entry(draft, node, "TYPE").words)


def _entry(draft: Draft, of: Block, key: str) -> Value:
    for entry in of.entries:
        if entry.key.upper() == key and isinstance(entry, Value):
            return entry
    raise draft.fault(of.line, f"{of.name or 'a block'} has no {key}; expected one")


def _block(draft: Draft, of: Block, key: str) -> Block:
    for entry in of.entries:
        if entry.key.upper() == key and isinstance(entry, Block):
            entry.name = of.name
            return entry
    raise draft.fault(of.line, f"{of.name} has no {key}; expected one")
