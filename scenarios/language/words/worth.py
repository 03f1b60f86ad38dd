"""What decisions are worth in words: in which parts, and at what rate and from which side it is seen."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from workup.scenarios.language.endings import WorthComplication
from workup.scenarios.language.nesting import FloatArray
from workup.scenarios.language.schema import Scenario
from workup.scenarios.language.tables import Tables
from workup.scenarios.language.words.phrases import Phrases
from workup.scenarios.language.worth import PARTS, in_qalys, not_in_parts, parts_gbp
from workup.wording import percent, pounds_exact

_SIDES = {
    "nhs": "as the NHS sees it: health, what it pays, and beds; not what the patient pays or is paid",
    "patient": "as the patient sees it: health, what the patient pays and is paid; not what the NHS pays for tests, beds and care",
}


def seen_as(scenario: Scenario) -> str:
    """'One QALY counts £30,000; as the NHS sees it: ...'."""
    rate = f"one QALY counts {pounds_exact(scenario.utility.gbp_per_qaly)}; " if in_qalys(scenario) else ""
    text = f"{rate}{_SIDES[scenario.utility.perspective]}"
    return text[:1].upper() + text[1:]


def worth_telling(scenario: Scenario) -> bool:
    """Whether `seen_as` says more than the file: something is in parts, or a rate was asked for instead of its figure."""
    asked = scenario.figures and all(figure.path != "utility.gbp_per_qaly" for figure in scenario.figures)
    return bool(asked) or len(not_in_parts(scenario)) < len(scenario.decisions)


def unit_lines(scenario: Scenario) -> Iterator[str]:
    """In what decisions are worth something, and how many of them in parts."""
    whole, total = not_in_parts(scenario), len(scenario.decisions)
    rate = f"one QALY counts {pounds_exact(scenario.utility.gbp_per_qaly)}"
    if len(whole) == total:
        yield f"Worth in {'QALY' if scenario.utility.unit == 'qaly' else 'pounds'}; {rate}."
        return
    bed_day = scenario.utility.bed_day_gbp
    beds = "" if bed_day is None else f", a day in a hospital bed {pounds_exact(bed_day)}"
    yield f"Worth in parts for {total - len(whole)} of {total} decisions, in pounds; {rate}{beds}."
    side = _SIDES[scenario.utility.perspective]
    yield f"{side[:1].upper()}{side[1:]}."
    if whole:
        yield f"The others give one figure, in {'QALY' if scenario.utility.unit == 'qaly' else 'pounds'}."


def shares(scenario: Scenario, decision: str) -> dict[str, float]:
    """Of a decision in parts: the share of each part in [0, 1], 0 left out. Sizes whatever their sign, the causes counted alike
    and within a cause the values of whatever else it depends on. Empty if it is not in parts or all parts are 0."""
    if scenario.decisions[decision].worth is None:
        return {}
    sizes = {part: float(np.abs(table.values).mean()) for part, table in parts_gbp(Tables(scenario), decision).items()}
    total = sum(sizes.values())
    return {part: sizes[part] / total for part in PARTS if sizes[part]} if total else {}


def share_line(scenario: Scenario, decision: str) -> str:
    """'of its size, health is 83%, beds 17%'; empty if it is not in parts."""
    found = shares(scenario, decision)
    return f"of its size, {', '.join(f'{part} {percent(share)}' for part, share in found.items())}" if found else ""


def taken(of: WorthComplication) -> str:
    """What a complication takes: 'a loss of 0.2 QALY, costs £900, 3 bed days'."""
    parts = [f"a loss of {of.loss_qaly:g} QALY"] if of.loss_qaly else []
    parts += [f"a loss of {pounds_exact(of.loss_gbp)}"] if of.loss_gbp else []
    parts += [f"costs {pounds_exact(of.cost_gbp)}"] if of.cost_gbp else []
    parts += [f"{of.bed_days:g} bed days"] if of.bed_days else []
    return ", ".join(parts)


def rows(scenario: Scenario, decision: str) -> tuple[list[str], list[tuple[str, list[str]]]]:
    """A decision in parts as a table in pounds: the parts that count, and for each cause what each comes to, from the least to
    the most over whatever else it depends on, and the sum.

    Returns:
        The headings, and rows of the cause and a text for each heading; no rows if it is not in parts.
    """
    if scenario.decisions[decision].worth is None:
        return [], []
    parts = parts_gbp(Tables(scenario), decision)
    shown = [part for part in PARTS if parts[part].values.any()] or [PARTS[0]]
    values = {part: parts[part].values for part in shown}
    values["worth"] = sum(values.values(), np.zeros_like(values[shown[0]]))
    parents, phrases = parts[PARTS[0]].parents, Phrases(scenario)
    if "condition" not in parents:
        return [*values], [("any condition", [_span(of) for of in values.values()])]
    at = parents.index("condition")
    told = [[_span(row) for row in np.moveaxis(of, at, 0)] for of in values.values()]
    names = [phrases.label(name) for name in scenario.conditions]
    return [*values], [(name, list(cells)) for name, *cells in zip(names, *told, strict=True)]


def _span(values: FloatArray) -> str:
    low, high = (pounds_exact(round(float(end), 2) + 0.0) for end in (values.min(), values.max()))
    return low if low == high else f"{low} to {high}"
