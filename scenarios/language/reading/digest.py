"""The digest of a scenario's content: policies, solved bounds and runs say by it which scenario they belong to."""

from __future__ import annotations

import hashlib
import json

from workup.scenarios.language.schema import Scenario

CONTENT = (
    "id", "title", "version", "about", "who", "sources", "groups", "context", "conditions", "prior", "comorbidities", "latent",
    "findings", "scores", "set_ups", "resources", "investigations", "acts", "order_sets", "availability", "loss_gbp_per_msv",
    "new_visit_after", "utility", "decisions", "rewards", "guideline", "guideline_versions", "vignettes", "targets", "max_steps",
)  # fmt: skip
"""Fields of a `Scenario` that are its content, in the order in which they are hashed."""
NOT_CONTENT = ("figures", "digest", "written", "reviews")
"""All others. A field that only says how a scenario is shown belongs here too; inside a part of a scenario such a field is
declared with `Field(exclude=True)`."""
_ONLY_IF_ANY = ("scores", "guideline_versions")
"""Came later than the first digests: a scenario that has none keeps the digest, and so the solved bounds, that it had."""


def digest(scenario: Scenario) -> str:
    """First 16 hex digits of the SHA-256 of the scenario's content, in the order written.

    The order counts: it numbers conditions, values and actions, so a policy fits one order only. Provenance
    does not count.
    """
    dumped = scenario.model_dump(mode="json", include=set(CONTENT))
    rules = (*dumped["guideline"], *(of for each in dumped["guideline_versions"].values() for of in each["rules"]))
    later = [(of, "requires") for of in dumped["decisions"].values()] + [(rule, "even_if_pending") for rule in rules]
    later += [(of, "worth") for of in dumped["decisions"].values()] + [(dumped["utility"], "bed_day_gbp")]
    later += [(of, "benefit") for of in dumped["acts"].values()]
    later += [(of, field) for of in dumped["findings"].values() for field in ("change_of", "after")]
    for part, field in later:  # fields that came later, as _ONLY_IF_ANY
        if not part[field]:
            del part[field]
    for finding in dumped["findings"].values():
        if finding["recorded"]:
            del finding["recorded"]
    if dumped["utility"]["perspective"] == "nhs":
        del dumped["utility"]["perspective"]
    content = {field: dumped[field] for field in CONTENT if dumped[field] or field not in _ONLY_IF_ANY}
    text = json.dumps(content, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:16]
