"""What a decision is worth in pounds, by its parts, and the scenario at another rate or seen from another side."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping

import numpy as np

from workup.errors import WorkupError
from workup.scenarios.language.endings import Worth, known_perspective
from workup.scenarios.language.nesting import FloatArray, check_size
from workup.scenarios.language.schema import Decision, Scenario
from workup.scenarios.language.tables import Table, Tables, amounts

PARTS = ("health", "cost", "beds", "complications", "own cost", "transfers")
"""Of a worth, in the order in which they are told."""
MOST_GBP_PER_QALY = 1e9
"""As of the figure in a scenario."""


def pounds_per(scenario: Scenario, unit: str) -> float:
    """Pounds that one `gbp` or one `qaly` counts. Whatever is written in QALY is turned into pounds by this."""
    return scenario.utility.gbp_per_qaly if unit == "qaly" else 1.0


def parents_of(decision: Decision) -> tuple[str, ...]:
    """The variables that what a decision is worth depends on."""
    if decision.worth is None:
        return decision.given
    own = (name for complication in decision.worth.complications.values() for name in complication.given)
    return tuple(dict.fromkeys((*decision.worth.given, *own)))


def parts_gbp(tables: Tables, decision: str) -> dict[str, Table]:
    """Each part of a decision's worth in pounds, signed as it counts, all over the same parents; a part that does not count
    in the scenario's perspective is all 0. Of a decision that is not in parts: its `utility` in pounds as `health`.

    Raises:
        LanguageError: every fault of its tables.
        WorkupError: bed days without what one costs, or a perspective that needs parts where there are none.
    """
    scenario, of = tables.scenario, tables.scenario.decisions[decision]
    if of.worth is None:
        if scenario.utility.perspective != "nhs":
            raise WorkupError(_whole((decision,), scenario.utility.perspective))
        table = tables.utility(decision)
        return {PARTS[0]: Table(table.parents, table.values * pounds_per(scenario, scenario.utility.unit))}
    parents, patient = parents_of(of), scenario.utility.perspective == "patient"
    check_size([tables.axes[name] for name in parents])
    bed_day = scenario.utility.bed_day_gbp
    if bed_day is None and has_beds(of.worth):
        raise WorkupError(f"{decision} takes bed days, but no `bed_day_gbp` stands under `utility`")
    counts = {"cost": not patient, "beds": not patient, "own cost": patient, "transfers": patient}
    written = {
        "health": (of.worth.qaly, pounds_per(scenario, "qaly")),
        "cost": (of.worth.cost_gbp, -1.0),
        "beds": (of.worth.bed_days, -(bed_day or 0.0)),
        "own cost": (of.worth.own_cost_gbp, -1.0),
        "transfers": (of.worth.transfer_gbp, 1.0),
    }
    found = {
        part: widened(tables, tables.nested(of.worth.given, numbers), parents) * (price * counts.get(part, True))
        for part, (numbers, price) in written.items()
    }
    found["complications"] = np.zeros_like(found["health"])
    for complication in of.worth.complications.values():
        loss = complication.loss_gbp + complication.loss_qaly * pounds_per(scenario, "qaly")
        cost = complication.cost_gbp + complication.bed_days * (bed_day or 0.0)
        chance = widened(tables, tables.expected(complication), parents)
        found["complications"] = found["complications"] - chance * (loss + (0.0 if patient else cost))
    return {part: Table(parents, found[part] + 0.0) for part in PARTS}


def worth_gbp(tables: Tables, decision: str) -> Table:
    """What a decision is worth in pounds, by its parents, at the scenario's rate and seen from its perspective.

    Raises:
        LanguageError: every fault of its tables.
        WorkupError: as `parts_gbp`.
    """
    parts = parts_gbp(tables, decision)
    first, *rest = parts.values()
    return Table(first.parents, sum((part.values for part in rest), first.values))


def widened(tables: Tables, table: Table, parents: tuple[str, ...]) -> FloatArray:
    """A table over some of `parents`, over all of them in their order."""
    own = [name for name in parents if name in table.parents]
    moved = table.values.transpose([table.parents.index(name) for name in own])
    sizes = [len(tables.axes[name].values) for name in parents]
    shape = [size if name in own else 1 for name, size in zip(parents, sizes, strict=True)]
    return np.array(np.broadcast_to(moved.reshape(shape), sizes))


def has_beds(worth: Worth) -> bool:
    """Whether anything but 0 is said of bed days."""
    complications = (complication.bed_days for complication in worth.complications.values())
    return any(number != 0 for number in (*leaves(worth.bed_days), *complications))


def leaves(nested: object) -> Iterator[float]:
    """The numbers of a nested table, in the order written."""
    if isinstance(nested, Mapping):
        for inner in nested.values():
            yield from leaves(inner)
    elif isinstance(nested, int | float):
        yield float(nested)


def in_qalys(scenario: Scenario) -> bool:
    """Whether any of its figures is written in QALYs, so that the rate decides what it is worth."""
    worths = scenario.decisions.values()
    if any(scenario.utility.unit == "qaly" or decision.worth is not None for decision in worths):
        return True
    return any(amount.qaly is not None for _, amount in amounts(scenario))


def not_in_parts(scenario: Scenario) -> tuple[str, ...]:
    """The decisions whose worth is one figure."""
    return tuple(name for name, decision in scenario.decisions.items() if decision.worth is None)


def check_view(scenario: Scenario, gbp_per_qaly: float | None, perspective: str | None) -> None:
    """Raises WorkupError for a rate or a perspective at which the scenario has no worth, with the reason."""
    if gbp_per_qaly is not None:
        if isinstance(gbp_per_qaly, bool) or not isinstance(gbp_per_qaly, int | float):
            raise WorkupError(f"gbp_per_qaly is {gbp_per_qaly!r}; expected pounds, such as 30000")
        if not (math.isfinite(gbp_per_qaly) and 0 < gbp_per_qaly <= MOST_GBP_PER_QALY):
            expected = f"expected pounds above 0, at most {MOST_GBP_PER_QALY:,.0f}, such as 30000"
            raise WorkupError(f"gbp_per_qaly is {gbp_per_qaly:g}; {expected}")
        if not in_qalys(scenario):
            raise WorkupError(
                f"nothing in {scenario.id} is written in QALYs, so what a QALY counts changes nothing; leave gbp_per_qaly out, or "
                "write what decisions are worth in parts (`worth: {qaly: ...}`)"
            )
    if perspective is None:
        return
    try:
        known_perspective(perspective)
    except ValueError as error:
        raise WorkupError(f"perspective: {error}") from None
    if perspective != "nhs" and (whole := not_in_parts(scenario)):
        raise WorkupError(_whole(whole, perspective))


def _whole(decisions: tuple[str, ...], perspective: str) -> str:
    return (
        f"the perspective {perspective} needs what decisions are worth in parts, for in one figure health and what the NHS pays "
        f"cannot be told apart; {', '.join(decisions)} say `utility`: write `worth` there, or leave the perspective out"
    )
