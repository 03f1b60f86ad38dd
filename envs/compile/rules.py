"""What is legal on revealed facts: contraindications, requirements and refusals known beforehand."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workup.envs.compile.evidence import event_of
from workup.envs.compile.layout import Floats, Ints, Layout
from workup.envs.compile.pounds import pounds_of
from workup.errors import WorkupError, suggestion
from workup.scenarios.language.schema import Decision, Orderable
from workup.scenarios.language.score_requirements import written_out
from workup.scenarios.language.scores import tallies
from workup.scenarios.language.tables import Table
from workup.scenarios.language.vocabulary import (
    MAX_DECISION_GROUPS,
    STATUS_WORDS,
    LanguageError,
    allowed_statuses,
    allowed_values,
)


@dataclass(frozen=True, eq=False)
class Rules:
    """Legality as rows of (item, ...) and the values each row means."""

    contraindication: Ints
    contraindication_values: NDArray[np.bool_]
    contraindication_loss_gbp: Floats
    """0 of those in `feared_by_patient`."""
    feared_by_patient: tuple[tuple[int, Floats], ...]
    """Row of a contraindication whose loss differs by patient, and that loss where it is true, else 0: (K, H) pounds."""
    clauses: Ints
    clause_values: NDArray[np.bool_]
    decision_clauses: Ints
    decision_clause_values: NDArray[np.bool_]
    known_refusal: Ints
    known_refusal_values: NDArray[np.bool_]


def rules_of(layout: Layout, width: int) -> Rules:
    """Contraindications, requirements and refusals that can be known beforehand.

    Raises:
        WorkupError: all that cannot be expressed, at once.
    """
    faults: list[str] = []
    contra = _contraindications(layout, faults)
    clauses = _clauses(layout, _plain(layout, layout.laws.items, faults), faults)
    needs = _plain(layout, layout.laws.scenario.decisions, faults)
    deciding = _clauses(layout, needs, faults)
    _refuse_too_many(needs, faults)
    losses = [loss for _, _, loss in contra]
    refusals = _known_refusals(layout)
    if faults:
        raise WorkupError("\n".join(faults))
    wide = max(width, len(STATUS_WORDS))
    return Rules(
        _rows([row for row, _, _ in contra], 2),
        _flags([flags for _, flags, _ in contra], width),
        np.array([loss[0, 0] if loss.size == 1 else 0.0 for loss in losses], np.float64),
        tuple((x, loss) for x, loss in enumerate(losses) if loss.size > 1),
        _rows([row for row, _ in clauses], 4),
        _flags([flags for _, flags in clauses], wide),
        _rows([row for row, _ in deciding], 4),
        _flags([flags for _, flags in deciding], wide),
        _rows([row for row, _ in refusals], 2),
        _flags([flags for _, flags in refusals], width),
    )


def _rows(rows: list[tuple[int, ...]], width: int) -> Ints:
    return np.array(rows, np.int32).reshape(len(rows), width)


def _flags(rows: list[NDArray[np.bool_]], width: int) -> NDArray[np.bool_]:
    table = np.zeros((len(rows), width), bool)
    for i, row in enumerate(rows):
        table[i, : len(row)] = row
    return table


def _contraindications(layout: Layout, faults: list[str]) -> list[tuple[tuple[int, ...], NDArray[np.bool_], Floats]]:
    """(item, observable), the values that forbid, and the loss: (1, 1), or (K, H) where it differs by patient, 0 where it is
    not true."""
    laws = layout.laws
    rows: list[tuple[tuple[int, ...], NDArray[np.bool_], Floats]] = []
    pivots = {event.pivot for event in laws.events}
    altered = {event.target for event in laws.events if event.kind in ("withheld", "corrupted")}
    for i, (item, orderable) in enumerate(laws.items.items()):
        for against in orderable.contraindicated:
            name, given = next(iter(against.when.items()), ("", None))
            where = f"{item} is contraindicated when {against.when}"
            if len(against.when) != 1 or name not in layout.observables:
                faults.append(f"{where}; expected one variable of the patient: write one contraindication for each")
            elif name not in laws.core and (name in pivots or name in altered):
                faults.append(f"{where}, and {name} is subject to a mechanism; make it depend on a latent finding")
            elif any(parent in laws.scenario.acts for parent in laws.laws[name].parents):
                faults.append(f"{where}, and {name} depends on an act; expected a finding that no act changes")
            else:
                allowed = np.array(allowed_values(laws.axes[name], given).values)
                loss = pounds_of(layout, against.loss_gbp)
                if loss.size > 1:
                    loss = loss * layout.spread(Table((name,), allowed.astype(np.float64)))
                rows.append(((i, layout.observables.index(name)), allowed, loss))
    return rows


def _plain(
    layout: Layout, owners: Mapping[str, Orderable] | Mapping[str, Decision], faults: list[str]
) -> dict[str, tuple[dict[str, Any], ...]]:
    """What each requires, scores written out as what must have been found."""
    scores = tallies(layout.laws.scenario.scores, layout.laws.axes)
    plain: dict[str, tuple[dict[str, Any], ...]] = {}
    for name, of in owners.items():
        plain[name] = ()
        for group in of.requires:
            try:
                plain[name] += written_out(group, scores, layout.laws.axes)
            except LanguageError as error:
                faults.append(f"{name} requires {', '.join(group)}: {error}")
    return plain


def _refuse_too_many(needs: Mapping[str, tuple[dict[str, Any], ...]], faults: list[str]) -> None:
    groups = sum(map(len, needs.values()))
    if groups > MAX_DECISION_GROUPS:
        faults.append(f"decisions have {groups} requirements; at most {MAX_DECISION_GROUPS} together can be treated")


def _clauses(
    layout: Layout, needs: Mapping[str, tuple[dict[str, Any], ...]], faults: list[str]
) -> list[tuple[tuple[int, ...], NDArray[np.bool_]]]:
    """Rows (owner, group, kind, target) of what each item, or each decision, requires."""
    laws = layout.laws
    rows: list[tuple[tuple[int, ...], NDArray[np.bool_]]] = []
    items = tuple(laws.items)
    for i, (owner, requires) in enumerate(needs.items()):
        for group, alternatives in enumerate(requires):
            for name, given in alternatives.items():
                if name in laws.items:
                    rows.append(((i, group, 1, items.index(name)), np.array(allowed_statuses(given))))
                elif name not in layout.observables:
                    hint = suggestion(name, (*layout.observables, *items))
                    faults.append(f"{owner} requires {name!r}, which nothing reveals{hint}")
                elif (allowed := allowed_values(laws.axes[name], given)).unknown:
                    faults.append(f"{owner} requires {name} to be unknown; a requirement must be something revealed")
                else:
                    rows.append(((i, group, 0, layout.observables.index(name)), np.array(allowed.values)))
    return rows


def _known_refusals(layout: Layout) -> list[tuple[tuple[int, ...], NDArray[np.bool_]]]:
    """Values of one variable with which every patient refuses, whatever else is true."""
    rows: list[tuple[tuple[int, ...], NDArray[np.bool_]]] = []
    for i, item in enumerate(layout.laws.items):
        event = event_of(layout.laws, "refused", item)
        if event is None:
            continue
        for axis, name in enumerate(event.table.parents):
            others = tuple(other for other in range(event.table.values.ndim) if other != axis)
            always = np.asarray(event.table.values.min(axis=others) == 1.0)
            if name in layout.observables and always.any():
                rows.append(((i, layout.observables.index(name)), always))
    return rows
