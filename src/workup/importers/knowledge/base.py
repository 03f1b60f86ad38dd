"""The knowledge base of DDXPlus as its authors publish it: conditions and evidences in JSON, checked against each other.

Source: Fansi Tchango A, Goel R, Wen Z, Martel J, Ghosn J, DDXPlus: a new dataset for automatic medical diagnosis, NeurIPS
2022 (Datasets and Benchmarks), with the file formats of its release.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workup.errors import FileFormatError
from workup.importers.source import clipped, read_source_text

CONDITIONS, EVIDENCES = "release_conditions.json", "release_evidences.json"
MOST_BYTES = 2**27
MOST_FAULTS = 4
"""So many of one kind are told at once."""


@dataclass(frozen=True)
class Evidence:
    """One question: a symptom or an antecedent."""

    code: str
    question: str
    kind: str
    """B: yes or no; C: one of `values`; M: any of `values`."""
    values: tuple[str, ...]
    """Codes: numbers in order, else the default first; ('no', 'yes') for B."""
    default: str
    """The answer of patients whose record does not name the evidence."""
    meanings: tuple[str, ...]
    antecedent: bool
    parent: str | None
    """The evidence that must be present before this is asked. None also where the release names a question that is not
    among its evidences, so that nobody could ask it first."""


@dataclass(frozen=True)
class KnowledgeBase:
    """What the two JSON files say."""

    folder: Path
    conditions: tuple[str, ...]
    icd10: tuple[str, ...]
    severity: tuple[int, ...]
    """1 (most severe) to 5."""
    evidences: tuple[Evidence, ...]
    listed: NDArray[np.bool_]
    """(evidences, conditions) whether the condition lists the evidence as a symptom or an antecedent."""

    @property
    def at(self) -> dict[str, int]:
        """Code -> index of the evidence."""
        return {evidence.code: e for e, evidence in enumerate(self.evidences)}


def load_knowledge_base(folder: Path) -> KnowledgeBase:
    """Read and check `release_conditions.json` and `release_evidences.json`.

    Raises:
        FileFormatError: a file that is missing, cut short or not of this form, and every code that one file uses and the
            other does not have.
    """
    faults: list[str] = []
    evidences = tuple(_evidences(folder / EVIDENCES, faults))
    at = {evidence.code: e for e, evidence in enumerate(evidences)}
    path = folder / CONDITIONS
    conditions = _json(path)
    listed = np.zeros((len(evidences), len(conditions)), bool)
    about = []
    for c, (name, entry) in enumerate(conditions.items()):
        if not isinstance(entry, dict) or not all(
            isinstance(entry.get(part), dict) for part in ("symptoms", "antecedents")
        ):
            faults.append(f"{path}: {name}: expected an object with symptoms and antecedents")
            continue
        if entry.get("condition_name") != name:
            faults.append(f"{path}: {name}: condition_name is {entry.get('condition_name')!r}; expected the same")
        about.append((str(entry.get("icd10-id", "")), int(entry.get("severity", 0))))
        for code in (*entry["symptoms"], *entry["antecedents"]):
            if code in at:
                listed[at[code], c] = True
            else:
                faults.append(f"{path}: {name} lists {code!r}, which {EVIDENCES} does not have")
    if len(conditions) < 2 or not evidences:
        faults.append(f"{folder}: {len(conditions)} conditions and {len(evidences)} evidences; expected two or more")
    refuse(faults)
    return KnowledgeBase(
        folder, tuple(conditions), tuple(icd for icd, _ in about), tuple(grade for _, grade in about), evidences, listed
    )


def _json(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(read_source_text(path, most=MOST_BYTES, what="knowledge bases"))
    except OSError as error:
        raise FileFormatError(
            f"{path}: cannot be read ({error.strerror}); DDXPlus has it beside its patients"
        ) from None
    except (ValueError, RecursionError) as error:
        raise FileFormatError(f"{path}: not JSON ({error}); was it cut short?") from None
    if not isinstance(content, dict):
        raise FileFormatError(f"{path}: expected an object with one entry for each name")
    return content


def _evidences(path: Path, faults: list[str]) -> Iterator[Evidence]:
    entries = _json(path)
    for code, entry in entries.items():
        try:
            yield _evidence(code, entry, entries)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            faults.append(f"{path}: {code}: {error!s}; expected the fields of the DDXPlus release")


def _evidence(code: str, entry: dict[str, Any], entries: dict[str, Any]) -> Evidence:
    kind, parent = entry["data_type"], entry["code_question"]
    if kind not in ("B", "C", "M"):
        raise ValueError(f"data_type is {kind!r}")
    default = "no"
    values: tuple[str, ...] = ("no", "yes")
    meanings = values
    if kind != "B":
        given, default = [str(value) for value in entry["possible-values"]], str(entry["default_value"])
        if default not in given or len(set(given)) != len(given) or len(given) < 2:
            raise ValueError(f"default_value {default!r} and possible-values {given}")
        numbers = all(value.isdigit() for value in given)
        ordered = sorted(given, key=int) if numbers else [default, *(value for value in given if value != default)]
        told = entry["value_meaning"]
        values, meanings = tuple(ordered), tuple(str(told[v]["en"]) if v in told else v for v in ordered)
    above = None if parent == code or parent not in entries else parent
    if above is not None and (
        entries[above]["data_type"] != "B" or entries[above]["code_question"] not in (above, None)
    ):
        raise ValueError(f"it follows {above}, which is itself a follow-up or no yes-or-no question")
    return Evidence(
        code, str(entry["question_en"]), kind, values, default, meanings, bool(entry["is_antecedent"]), above
    )


def refuse(faults: list[str]) -> None:
    """Raise FileFormatError with the first of the faults, if there are any."""
    if faults:
        raise FileFormatError("\n".join(map(clipped, faults[: 6 * MOST_FAULTS])))
