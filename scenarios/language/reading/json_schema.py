"""The language as a JSON Schema, for completion and checking in an editor.

`python -m workup.scenarios.language.reading.json_schema` writes schema.json beside this module. To use it, put this line at the
head of a scenario: `# yaml-language-server: $schema=<path to schema.json>`.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from workup.scenarios.language.reading.provenance import STATUSES
from workup.scenarios.language.schema import DurationHours, Scenario

FILE = Path(__file__).parents[2] / "schema.json"
_PLAIN = frozenset({"Who", "Reviewer", "Guideline", "Source", "Searched"})
"""Models whose fields are not figures and carry no provenance."""
_SOURCES = {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]}
_PROVENANCE: dict[str, Any] = {
    "status": {"enum": list(STATUSES), "description": "How far every figure in this block may be trusted."},
    "source": {**_SOURCES, "description": "Entries of `sources`."},
    "note": {"type": "string", "description": "A citation from memory, an assumption, or how it was derived."},
    "searched": {"$ref": "#/$defs/Searched", "description": "A search that found no figure to put in its place."},
}
_FORMULA = {"type": "string", "description": "Arithmetic by which this one figure was derived; lint recomputes it."}
_AS_BUT: dict[str, Any] = {
    "type": "object",
    "description": "As the entry of this name beside it, but for the parts that are named.",
    "properties": {
        "as": {"type": "string", "description": "An entry beside this one that is written out."},
        "but": {"type": "object", "description": "The parts that differ, nested as they are there."},
        **_PROVENANCE,
    },
    "required": ["as"],
    "additionalProperties": False,
}
_REFS = {key: {"$ref": f"#/$defs/Provenance/properties/{key}"} for key in _PROVENANCE}
_FIGURES: dict[str, dict[str, Any]] = {
    "Number": {"type": "number"},
    "WholeNumber": {"type": "integer"},
    "Duration": TypeAdapter(DurationHours).json_schema(),
}


def json_schema() -> dict[str, Any]:
    """The JSON Schema of a scenario file, provenance included."""
    schema = Scenario.model_json_schema()
    for key in ("figures", "digest", "written", "reviews"):
        del schema["properties"][key]
    definitions = schema.pop("$defs")
    del definitions["FigureRecord"], definitions["Review"]
    schema = _with_provenance(schema)
    schema["$defs"] = {name: of if name in _PLAIN else _with_provenance(of) for name, of in definitions.items()}
    schema["$defs"]["Target"]["properties"]["formula"] = _FORMULA
    schema["$defs"] |= {name: _figure(plain) for name, plain in _FIGURES.items()}
    schema["$defs"]["Provenance"] = {"properties": _PROVENANCE}
    schema["$defs"]["AsBut"] = _AS_BUT
    schema = _with_short_entries(schema)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}


def _with_short_entries(node: Any) -> Any:
    """Let every entry that has entries beside it be written `as` one of them."""
    if isinstance(node, list):
        return [_with_short_entries(entry) for entry in node]
    if not isinstance(node, dict):
        return node
    node = {key: _with_short_entries(of) for key, of in node.items()}
    of = node.get("additionalProperties")
    if isinstance(of, dict) and of.get("$ref", "#/$defs/Source") != "#/$defs/Source":
        node["additionalProperties"] = {"anyOf": [of, {"$ref": "#/$defs/AsBut"}]}
    return node


def _figure(plain: dict[str, Any]) -> dict[str, Any]:
    wrapped = {"type": "object", "properties": {"value": plain, **_REFS, "formula": _FORMULA}, "required": ["value"]}
    return {"anyOf": [plain, {**wrapped, "additionalProperties": False}]}


def _with_provenance(node: Any) -> Any:
    """Let every mapping carry status, source and note, and every figure be written {value, status, source, ...}."""
    if isinstance(node, list):
        return [_with_provenance(entry) for entry in node]
    if not isinstance(node, dict):
        return node
    for name, plain in _FIGURES.items():
        if node.items() >= plain.items():
            rest = {key: of for key, of in node.items() if key not in plain}
            return {**rest, "$ref": f"#/$defs/{name}"}
    node = {key: of if key in ("properties", "default") else _with_provenance(of) for key, of in node.items()}
    if "propertyNames" in node:
        node["propertyNames"] = {"anyOf": [node["propertyNames"], {"enum": list(_PROVENANCE)}]}
    if node.get("type") == "object":
        fields = {name: _with_provenance(of) for name, of in node.get("properties", {}).items()}
        node["properties"] = {**_REFS, **fields}
    return node


def write(path: Path = FILE) -> None:
    """Write the schema, all at once or not at all."""
    beside = path.with_suffix(".tmp")
    beside.write_text(json.dumps(json_schema(), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    os.replace(beside, path)


if __name__ == "__main__":
    write()
