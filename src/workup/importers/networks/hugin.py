"""Reader of Bayesian networks in HUGIN's NET format.

The data of `potential (X | A B)` count with A slowest and the states of X fastest.
Source: HUGIN Expert, HUGIN API Reference Manual, chapter on the NET language.
"""

from __future__ import annotations

from pathlib import Path

from workup.envs.model.network import Network
from workup.importers.networks.draft import Draft
from workup.importers.networks.tokens import HUGIN, Block, Reader, Value

_DIAGRAM = "this is an influence diagram; expected chance nodes only"
_REFUSED = {
    "decision": f"a decision node: {_DIAGRAM}",
    "utility": f"a utility node: {_DIAGRAM}",
    "continuous": "a continuous (linear-Gaussian) node; only discrete nodes can be read: discretise it",
    "function": "a function node, which is not part of the probability model; remove it",
    "instance": "an instance of another network; save the unfolded (runtime) network",
}


def read_net(path: Path) -> Network:
    """The network in a HUGIN .net file.

    Data that do not sum to 1 are weights, which are normalised with a WorkupWarning.

    Raises:
        FileFormatError: with `file:line` of what is malformed, truncated, continuous or part of an influence diagram.
    """
    reader, draft = Reader(path, HUGIN), Draft(path)
    inside_class = False
    while not reader.at_end():
        if inside_class and reader.peek("}"):
            reader.expect("}")
            inside_class = False
            continue
        token = reader.word("'net', 'node' or 'potential'")
        if token.text == "net":
            reader.block("net")
        elif token.text == "class" and not inside_class:
            reader.word("the class's name")
            reader.expect("{")
            inside_class = True
        elif inside_class and reader.peek("="):
            reader.value(token)
        elif token.text == "potential":
            _potential(reader, draft, token.line)
        elif token.text in ("node", "discrete"):
            if token.text == "discrete":
                reader.expect("node")
            _node(reader, draft)
        elif token.text in _REFUSED:
            name = reader.word("a node's name").text
            name = reader.word("a node's name").text if name == "node" else name
            raise reader.fault(token.line, f"{name} is {_REFUSED[token.text]}")
        else:
            raise reader.fault(token.line, f"found {token.text!r}; expected 'net', 'node' or 'potential'")
    if inside_class:
        raise reader.fault(reader.line, "the file ends inside a class; expected '}'. It was cut short")
    return draft.network()


def _node(reader: Reader, draft: Draft) -> None:
    name = reader.word("a node's name")
    states = _value(reader.block("node", name.text), "states")
    if states is None:
        raise reader.fault(name.line, f"{name.text} has no 'states'; expected 'states = (\"...\" \"...\");'")
    draft.add_variable(name.text, states.words, name.line)


def _potential(reader: Reader, draft: Draft, line: int) -> None:
    reader.expect("(")
    child = reader.word("a node's name").text
    parents: list[str] = []
    if not (reader.peek("|") or reader.peek(")")):
        raise reader.fault(line, f"a potential of {child} and others together; expected one node before '|'")
    if reader.peek("|"):
        reader.expect("|")
        while not reader.peek(")"):
            parents.append(reader.word("a parent's name").text)
            if reader.peek(","):
                reader.expect(",")
    reader.expect(")")
    block = reader.block("potential", child)
    data = _value(block, "data")
    if data is None:
        model = _value(block, "model_data") or _value(block, "model_nodes")
        what = "a model instead of 'data'; generate its table in HUGIN and save that" if model else "no 'data'"
        raise reader.fault(line, f"the potential of {child} has {what}")
    draft.add_table(child, parents, data.line, data.words, weights=True)


def _value(block: Block, key: str) -> Value | None:
    return next((entry for entry in block.entries if isinstance(entry, Value) and entry.key == key), None)
