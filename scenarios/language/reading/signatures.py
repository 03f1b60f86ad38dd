"""Who reviewed a scenario, and whether what they signed is what stands there now.

`workup sign` keeps the signatures in a file beside the scenario (`reviews.yaml`; for a single file x.yaml, `x.reviews.yaml`),
so that the scenario itself stays as its authors wrote it. A signature counts as long as the written content has the digest
that was signed. It is a record, not a proof: whoever can write the file can write a signature.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Literal

from pydantic import ValidationError
from ruamel.yaml import YAML

from workup.errors import Fault, ScenarioError, WorkupError
from workup.files import UnreadableError, bytes_of
from workup.scenarios.language.authorship import Review
from workup.scenarios.language.reading.texts import unfit_texts
from workup.scenarios.language.reading.yaml_tree import MAX_BYTES, parse
from workup.scenarios.language.schema import Scenario
from workup.wording import listed

UNSIGNED = "draft, not reviewed by a clinician"
_ABOUT = "Who reviewed this scenario: written by `workup sign`. A signature counts until the scenario is changed."
_IDLE = ("status", "reviewers")
"""What `who` says of reviews: not part of what is signed, since it is said before or after."""


@dataclass(frozen=True)
class Standing:
    """How a scenario stands: `status`, and the same in words that name the reviewers."""

    status: Literal["draft", "reviewed"]
    words: str


def standing_of(scenario: Scenario) -> Standing:
    """Reviewed, if a signature counts; else a draft that nobody signed, or that was changed since somebody did.

    The one place that says so: commands, pages and reports all ask here. What `who.status` claims does not count.
    """
    counting = {(review.name, review.role): review for review in scenario.reviews if review.signed == scenario.written}
    latest = {(review.name, review.role): review for review in scenario.reviews}
    valid, stale = counting.values(), [review for who, review in latest.items() if who not in counting]
    since = "changed since it was signed by " + listed(f"{r.name} ({r.role}) on {r.date}" for r in stale)
    if valid:
        by = listed(f"{r.name} ({r.role}, {r.date})" for r in valid)
        return Standing("reviewed", f"reviewed by {by}" + (f"; {since}" if stale else ""))
    return Standing("draft", f"draft: {since}" if stale else UNSIGNED)


def written_digest(data: Any) -> str:
    """SHA-256, 64 hex digits, of what a scenario's files say, vignettes, sources and provenance included.

    Comments, layout and the order of keys do not count, nor does what `who` says of status and reviewers.

    Args:
        data: the plain tree of the whole scenario, as `Tree.data`.
    """
    signed = dict(data)
    if isinstance(signed.get("who"), dict):
        signed["who"] = {key: of for key, of in signed["who"].items() if key not in _IDLE}
    text = json.dumps(_same_numbers(signed), ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def _same_numbers(node: Any) -> Any:
    """1 and 1.0 are one number."""
    if isinstance(node, dict):
        return {key: _same_numbers(of) for key, of in node.items()}
    if isinstance(node, list):
        return [_same_numbers(of) for of in node]
    return float(node) if isinstance(node, int) and not isinstance(node, bool) else node


def reviews_file(scenario_file: Path) -> Path:
    """Where the signatures of a scenario's main file are kept."""
    is_folder = scenario_file.name == "scenario.yaml"
    return scenario_file.with_name("reviews.yaml" if is_folder else f"{scenario_file.stem}.reviews.yaml")


def read_reviews(file: Path) -> tuple[Review, ...]:
    """The signatures in a file, oldest first; none if there is no such file.

    Raises:
        ScenarioError: the file is not what `workup sign` writes.
    """
    if not os.path.lexists(file):
        return ()
    try:
        tree = parse(bytes_of(file, MAX_BYTES), str(file))
    except UnreadableError as error:
        raise ScenarioError([Fault(str(file), 1, f"{error.why}; restore it, or remove it")]) from None
    if unfit := unfit_texts(tree):
        raise ScenarioError(unfit)
    listed_there = tree.data.get("reviews")
    if not isinstance(listed_there, list) or tree.data.keys() != {"reviews"}:
        message = "expected `reviews:` with a list of signatures, as `workup sign` writes it; restore it, or remove it"
        raise ScenarioError([Fault(str(file), 1, message)])
    reviews, faults = [], []
    for i, entry in enumerate(listed_there):
        try:
            reviews.append(Review.model_validate(entry, strict=True))
        except ValidationError:
            faults.append(tree.fault(("reviews", i), f"expected {', '.join(Review.model_fields)}, all of them text"))
    if faults:
        raise ScenarioError(faults)
    return tuple(reviews)


def signed_by(scenario: Scenario, name: str, role: str, on: date, *, today: date) -> Review:
    """The signature of one reviewer under the scenario as it stands.

    Raises:
        WorkupError: no name or role, a date to come, or the same person has signed the same content already.
    """
    name, role = _line(name, "--name"), _line(role, "--role")
    if on > today:
        raise WorkupError(f"--date is {on}, which is still to come; give the day on which it was reviewed")
    for review in scenario.reviews:
        if (review.name, review.role, review.signed) == (name, role, scenario.written):
            raise WorkupError(f"{name} signed this on {review.date} and nothing has changed since; nothing to do")
    return Review(name=name, role=role, date=on.isoformat(), version=scenario.version, signed=scenario.written)


def _line(text: str, option: str) -> str:
    line = " ".join(re.sub(r"[\x00-\x1f\x7f]", " ", text).split())
    if not line:
        raise WorkupError(f"{option} is empty; a signature says who reviewed the scenario, and in which role")
    return line


def reviews_text(reviews: Sequence[Review]) -> str:
    """The file that `read_reviews` reads back."""
    yaml = YAML()
    yaml.width = 110
    out = io.StringIO()
    yaml.dump({"reviews": [review.model_dump() for review in reviews]}, out)
    return f"# {_ABOUT}\n{out.getvalue()}"
