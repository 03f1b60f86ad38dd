"""A scenario at another rate of pounds for a QALY, or seen from another side."""

from __future__ import annotations

from workup.scenarios.language.reading.digest import digest
from workup.scenarios.language.schema import Scenario
from workup.scenarios.language.worth import check_view

_RATE = "utility.gbp_per_qaly"


def viewed(scenario: Scenario, *, gbp_per_qaly: float | None = None, perspective: str | None = None) -> Scenario:
    """The same scenario with another rate or perspective, and so with another digest: whatever is kept by the digest
    (bounds, policies, studies) is of one rate and one perspective. What is asked for already is returned as it is.

    Args:
        scenario: checked.
        gbp_per_qaly: pounds for a QALY, instead of the scenario's. It is then no figure of the file, and has no record.
        perspective: 'nhs' or 'patient', instead of the scenario's.

    Raises:
        WorkupError: a rate that is no positive number, nothing in QALYs, no such perspective, or one that needs parts.
    """
    check_view(scenario, gbp_per_qaly, perspective)
    asked = {"gbp_per_qaly": gbp_per_qaly, "perspective": perspective}
    changed = {key: of for key, of in asked.items() if of is not None and of != getattr(scenario.utility, key)}
    if not changed:
        return scenario
    kept = tuple(figure for figure in scenario.figures if "gbp_per_qaly" not in changed or figure.path != _RATE)
    if "gbp_per_qaly" in changed:
        changed["gbp_per_qaly"] = float(changed["gbp_per_qaly"])
    utility = scenario.utility.model_copy(update=changed)
    found = scenario.model_copy(update={"utility": utility, "figures": kept})
    return found.model_copy(update={"digest": digest(found)})
