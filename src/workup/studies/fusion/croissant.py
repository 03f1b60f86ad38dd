"""Metadata of a folder of data in Croissant, so that loaders of others find its files and columns.

Source: MLCommons, Croissant format specification, version 1.0 (docs.mlcommons.org/croissant/docs/croissant-spec.html).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

_CONTEXT: Final = {
    "@language": "en", "@vocab": "https://schema.org/", "citeAs": "cr:citeAs", "column": "cr:column", "conformsTo": "dct:conformsTo",
    "cr": "http://mlcommons.org/croissant/", "rai": "http://mlcommons.org/croissant/RAI/", "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"}, "dct": "http://purl.org/dc/terms/", "equivalentProperty": "cr:equivalentProperty",
    "examples": {"@id": "cr:examples", "@type": "@json"}, "extract": "cr:extract", "field": "cr:field", "fileProperty": "cr:fileProperty",
    "fileObject": "cr:fileObject", "fileSet": "cr:fileSet", "format": "cr:format", "includes": "cr:includes",
    "isLiveDataset": "cr:isLiveDataset", "jsonPath": "cr:jsonPath", "key": "cr:key", "md5": "cr:md5", "parentField": "cr:parentField",
    "path": "cr:path", "recordSet": "cr:recordSet", "references": "cr:references", "regex": "cr:regex", "repeated": "cr:repeated",
    "replace": "cr:replace", "samplingRate": "cr:samplingRate", "sc": "https://schema.org/", "separator": "cr:separator", "source": "cr:source",
    "subField": "cr:subField", "transform": "cr:transform",
}  # fmt: skip
_FORMATS: Final = {
    ".parquet": "application/x-parquet",
    ".npy": "application/x-npy",
    ".json": "application/json",
    ".md": "text/markdown",
}
PUBLISHED: Final = "2026-11-30"
"""When this form of the data was first made: one date, so that a folder is the same whenever it is written."""


def croissant(card: Mapping[str, Any], hashes: Mapping[str, str], sizes: Mapping[str, int]) -> dict[str, Any]:
    """The metadata as plain data.

    Args:
        card: of `export.write_data`.
        hashes: file, relative to the folder -> SHA-256 in hex.
        sizes: file -> bytes.
    """
    plan = card["plan"]
    files = [
        {
            "@type": "cr:FileObject", "@id": name, "name": name, "contentUrl": name, "contentSize": f"{sizes[name]} B",
            "encodingFormat": _FORMATS[name[name.rindex("."):]], "sha256": digest,
        }
        for name, digest in hashes.items()
    ]  # fmt: skip
    return {
        "@context": _CONTEXT, "@type": "sc:Dataset", "name": f"workup_fusion_{plan['task']}_{plan['view']}",
        "conformsTo": "http://mlcommons.org/croissant/1.0", "description": f"{card['title']} {card['story']} {card['limits'][0]}",
        "license": "https://opensource.org/license/mit", "url": "https://github.com/workup", "version": plan["version"],
        "datePublished": PUBLISHED, "isLiveDataset": False,
        "citeAs": f"workup {plan['version']}, fusion task {plan['task']}, {plan['patients']} patients, seed {plan['seed']}",
        "creator": {"@type": "sc:Organization", "name": "The workup developers"},
        "distribution": files,
        "recordSet": [_records(split, card) for split in card["patients"]],
    }  # fmt: skip


def _records(split: str, card: Mapping[str, Any]) -> dict[str, Any]:
    columns = {"patient": "sc:Integer", "label": "sc:Integer"}
    if card["questions"]:
        columns["question"] = "sc:Integer"
    names = card["blocks"]
    columns |= {f"has_{name}": "sc:Boolean" for name in names}
    columns |= {f"came_{step + 1}": "sc:Text" for step in range(len(names))}
    fields = [
        {
            "@type": "cr:Field", "@id": f"{split}/{name}", "name": name, "description": _about(name), "dataType": kind,
            "source": {"fileObject": {"@id": f"{split}/patients.parquet"}, "extract": {"column": name}},
        }
        for name, kind in columns.items()
    ]  # fmt: skip
    return {
        "@type": "cr:RecordSet",
        "@id": split,
        "name": split,
        "description": f"Patients of the split {split}.",
        "field": fields,
    }


def _about(column: str) -> str:
    what, _, which = column.partition("_")
    if what == "has":
        return f"Whether the record holds {which}."
    if what == "came":
        return f"The modality that came as number {which}; empty after the last."
    return {
        "patient": "Row in the arrays.",
        "label": "What is predicted, 0 or 1.",
        "question": "What is asked, from 0.",
    }[column]
