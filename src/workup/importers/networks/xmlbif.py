"""Reader of Bayesian networks in XMLBIF (version 0.3 and the dialects of aGrUM, Weka, SamIam and pgmpy).

A TABLE counts with the GIVEN variables in order, the first slowest, and the FOR variable's own values fastest.
Source: Cozman, The Interchange Format for Bayesian Networks, XMLBIF 0.3 (1998).
"""

from __future__ import annotations

from pathlib import Path

from workup.envs.model.network import Network
from workup.importers.networks.draft import Draft
from workup.importers.networks.xml_tree import Element, parse_xml


def read_xmlbif(path: Path) -> Network:
    """The network in an XMLBIF file.

    Raises:
        FileFormatError: with `file:line` of what is malformed, truncated, continuous or part of an influence diagram.
    """
    root, draft = parse_xml(path), Draft(path)
    if root.tag != "BIF":
        raise draft.fault(root.line, f"found <{root.tag}>; expected <BIF>, an XMLBIF network")
    network = root.first("NETWORK")
    if network is None:
        raise draft.fault(root.line, "<BIF> has no <NETWORK>; expected one")
    for variable in network.all("VARIABLE"):
        _variable(draft, variable)
    for definition in network.all("DEFINITION", "PROBABILITY"):
        _definition(draft, definition)
    return draft.network()


def _variable(draft: Draft, of: Element) -> None:
    name = _name(draft, of, "NAME")
    kind = of.attributes.get("TYPE", "nature")
    if kind in ("decision", "utility"):
        raise draft.fault(of.line, f"{name} is a {kind} node: this is an influence diagram; expected chance nodes only")
    if kind not in ("nature", "discrete"):
        raise draft.fault(of.line, f"variable {name} is {kind}; only discrete variables can be read: cut it")
    draft.add_variable(name, [outcome.text for outcome in of.all("OUTCOME", "VALUE")], of.line)


def _name(draft: Draft, of: Element, tag: str) -> str:
    found = of.first(tag)
    if found is None or not found.text:
        raise draft.fault(of.line, f"<{of.tag}> has no <{tag}>; expected a variable's name")
    return found.text


def _definition(draft: Draft, of: Element) -> None:
    child = _name(draft, of, "FOR")
    if len(of.all("FOR")) > 1:
        raise draft.fault(of.line, f"the table of {child} is for several variables; expected one <FOR>")
    table = of.first("TABLE")
    if table is None:
        raise draft.fault(of.line, f"the definition of {child} has no <TABLE>; expected its probabilities")
    parents = [given.text for given in of.all("GIVEN")]
    draft.add_table(child, parents, table.line, table.text.split())
