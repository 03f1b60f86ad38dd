"""The patient model of a scenario: sampling tables, chance events, evidence."""

from __future__ import annotations

from collections.abc import Iterable
from math import prod

import numpy as np

from workup.envs.compile.evidence import (
    add_evidence,
    add_status,
    core_parents,
    event_of,
    failures_of,
    true_value,
)
from workup.envs.compile.laws import Laws
from workup.envs.compile.layout import Floats, Ints, Layout, RowStack
from workup.envs.compile.network import network_of
from workup.envs.model.patient_model import PatientModel
from workup.errors import WorkupError


def patient_model(layout: Layout) -> PatientModel:
    """Lay a scenario out for inference.

    Raises:
        WorkupError: a table too large, with its size and what it depends on.
    """
    laws, observables = layout.laws, layout.observables
    items = tuple(laws.items)
    width = max(laws.size(name) for name in (*laws.core, *observables))
    core_rows, core_start, core_stride = _core_tables(layout, width)
    values = RowStack(layout, width, "values")
    reported, reported_start = _reported(layout, width)
    evidence = RowStack(layout, width + 1, "evidence")
    naive = RowStack(layout, width + 1, "evidence")
    strides = np.zeros((len(observables), 2), np.int32)
    for o, name in enumerate(observables):
        value = true_value(laws, name)
        values.add(value.table.reshape(-1, value.table.shape[-1]), value.names, value.table.shape[-2])
        strides[o] = add_evidence(evidence, naive, layout, name)
    status = RowStack(layout, 4, "statuses")
    status_stride = np.array([add_status(status, layout, item) for item in items], np.int32)
    events, pivot_stride = _events(layout)
    cells = np.full((len(observables), width, 2), np.nan)
    for o, name in enumerate(observables):
        if (inside := laws.axes[name].cells) is not None:
            cells[o, : len(inside)] = inside
    n_start, rest = _starts(layout)
    return PatientModel(
        network=network_of(laws),
        core=laws.core,
        core_size=_ints(laws.size(name) for name in laws.core),
        core_table=core_rows,
        core_start=core_start,
        core_stride=core_stride,
        core_profile_stride=_ints(layout.stride(name)[0] for name in laws.core),
        core_hidden_stride=_ints(layout.stride(name)[1] for name in laws.core),
        profile_variables=layout.profile,
        hidden_variables=layout.hidden,
        n_starts=n_start,
        profiles_per_start=rest,
        prior=_prior(layout),
        conditions=laws.axes["condition"].values,
        condition_of=layout.of_hidden("condition"),
        observables=observables,
        n_values=_ints(laws.size(name) for name in observables),
        n_known_at_start=layout.n_at_start,
        role=tuple(layout.role(name) for name in observables),
        value_rows=values.rows(),
        value_table=values.table(),
        treatment=_ints(_treatment(laws, name, items) for name in observables),
        treatment_stride=strides[:, 1].copy(),
        event_names=tuple(event.name for event in laws.events),
        event_rows=events.rows(),
        event_pivot=_ints(observables.index(event.pivot) if event.pivot else -1 for event in laws.events),
        event_pivot_stride=pivot_stride,
        event_table=events.table()[:, 0].copy(),
        item_refusal=_ints(_event_index(laws, "refused", item) for item in items),
        item_failures=_item_failures(laws, items),
        event_charged=np.array([event.charged for event in laws.events], bool),
        withheld=_ints(_event_index(laws, "withheld", name) for name in observables),
        corrupted=_ints(_event_index(laws, "corrupted", name) for name in observables),
        reported_start=reported_start,
        reported_table=reported,
        item_of=_ints(_item_of(layout, name, items) for name in observables),
        evidence_rows=evidence.rows(),
        attempt_stride=strides[:, 0].copy(),
        evidence_table=evidence.table(),
        values_only_table=naive.table(),
        status_rows=status.rows(),
        status_attempt_stride=status_stride,
        status_table=status.table(),
        numeric_range=cells,
        log_uniform=np.array([_log_uniform(laws, name) for name in observables], bool),
    )


def _ints(entries: Iterable[int]) -> Ints:
    return np.array(list(entries), dtype=np.int32)


def _starts(layout: Layout) -> tuple[int, int]:
    n = prod(layout.laws.size(name) for name in layout.profile[: layout.n_at_start])
    return n, layout.n_profiles // n


def _core_tables(layout: Layout, width: int) -> tuple[Floats, Ints, Ints]:
    """Cumulative tables of the core variables for ancestral sampling, first rows, strides."""
    laws, n = layout.laws, len(layout.laws.core)
    blocks, start, stride = [], np.zeros(n, np.int32), np.zeros((n, n), np.int32)
    row = 0
    for c, name in enumerate(laws.core):
        law = laws.laws[name]
        start[c] = row
        step = 1
        for parent in reversed(law.parents):
            stride[c, laws.core.index(parent)] = step
            step *= laws.size(parent)
        block = np.ones((step, width))
        cumulative = np.cumsum(law.values.reshape(step, -1), axis=-1)
        block[:, : cumulative.shape[1] - 1] = cumulative[:, :-1]
        blocks.append(block)
        row += step
    return np.concatenate(blocks), start, stride


def _prior(layout: Layout) -> Floats:
    """(K, H) joint probability of the core."""
    laws = layout.laws
    joint: Floats = np.ones((layout.n_profiles, layout.n_hidden))
    for name in laws.core:
        law = laws.laws[name]
        of_k, of_h = layout.offsets((*law.parents, name))
        joint *= law.values.reshape(-1)[of_k[:, None] + of_h[None, :]]
    return np.asarray(joint / joint.sum())


def _treatment(laws: Laws, name: str, items: tuple[str, ...]) -> int:
    return next((items.index(parent) for parent in laws.laws[name].parents if parent in laws.scenario.acts), -1)


def _events(layout: Layout) -> tuple[RowStack, Ints]:
    """Rows over core parents, those of a pivot's values innermost."""
    laws = layout.laws
    stack = RowStack(layout, 1, "chance events")
    for event in laws.events:
        stack.add(event.table.values.reshape(-1, 1), core_parents(event), laws.size(event.pivot) if event.pivot else 1)
    return stack, _ints(int(event.pivot is not None) for event in laws.events)


def _event_index(laws: Laws, kind: str, target: str) -> int:
    event = event_of(laws, kind, target)
    return -1 if event is None else laws.events.index(event)


def _item_failures(laws: Laws, items: tuple[str, ...]) -> Ints:
    lists = [[laws.events.index(event) for event in failures_of(laws, item)] for item in items]
    table = np.full((len(items), max(1, *(len(row) for row in lists))), -1, np.int32)
    for i, row in enumerate(lists):
        table[i, : len(row)] = row
    return table


def _reported(layout: Layout, width: int) -> tuple[Floats, Ints]:
    """(rows, V) reported value by true value of every corrupted observable, and first rows."""
    blocks, start, row = [], np.full(len(layout.observables), 0, np.int32), 0
    for o, name in enumerate(layout.observables):
        event = event_of(layout.laws, "corrupted", name)
        if event is not None and event.reported is not None:
            block = np.zeros((len(event.reported), width))
            block[:, : event.reported.shape[1]] = event.reported
            blocks.append(block)
            start[o] = row
            row += len(block)
    return (np.concatenate(blocks) if blocks else np.zeros((1, width))), start


def _item_of(layout: Layout, name: str, items: tuple[str, ...]) -> int:
    if name in layout.profile[: layout.n_at_start]:
        return -1
    item = layout.laws.item_revealing.get(name)
    return -2 if item is None else items.index(item)


def _log_uniform(laws: Laws, name: str) -> bool:
    scenario = laws.scenario
    variable = (scenario.context | scenario.comorbidities | scenario.latent | scenario.findings).get(name)
    cells = laws.axes[name].cells
    if variable is None or variable.evidence == "number" or variable.within != "log_uniform":
        return False
    if cells is not None and any(low <= 0 for low, _ in cells):
        raise WorkupError(f"{name} is drawn log-uniformly inside its bands, so every band must start above 0")
    return True
