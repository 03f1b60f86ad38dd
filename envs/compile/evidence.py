"""What a report says: likelihoods of values, statuses and missingness with every mechanism summed out.

For an observable with true value v, reported at attempt a of an item that fails with probability f(v):

    true value given a result now   w(v)  ~  P(v) f(v)^a (1 - f(v))
    missing                         sum_v w(v) m(v)                             m: withheld
    reported r                      sum_v w(v) (1 - m(v)) [(1 - c(v)) (v = r) + c(v) R(v, r)]      c: corrupted

Only a failure that depends on the observable's own value reweights it; any other is the same for all values.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from workup.envs.compile.laws import Event, Laws
from workup.envs.compile.layout import Floats, Layout, RowStack, aligned, union


@dataclass(frozen=True, eq=False)
class TrueValue:
    """P(v | core parents, treatment) of an observable, over named axes."""

    names: tuple[str, ...]
    table: Floats
    """(names..., T, V): T = 2 when an act changes the law (not done, done), else 1."""


def true_value(laws: Laws, name: str) -> TrueValue:
    """The law of an observable; a core variable is a function of itself."""
    size = laws.size(name)
    if name in laws.core:
        return TrueValue((name,), np.eye(size)[:, None, :])
    law = laws.laws[name]
    acts = [parent for parent in law.parents if parent in laws.scenario.acts]
    names = tuple(parent for parent in law.parents if parent not in acts)
    table = np.moveaxis(law.values, law.parents.index(acts[0]), -2) if acts else law.values[..., None, :]
    return TrueValue(names, table)


def event_of(laws: Laws, kind: str, target: str) -> Event | None:
    """The one event of that kind that befalls `target`."""
    return next((event for event in laws.events if event.kind == kind and event.target == target), None)


def failures_of(laws: Laws, item: str) -> list[Event]:
    """Events by which an item gives no result: unobtainable first, then fails."""
    hits = [event for event in laws.events if event.target == item and event.kind in ("unobtainable", "fails")]
    return sorted(hits, key=lambda event: event.kind != "unobtainable")


def core_parents(event: Event) -> tuple[str, ...]:
    """What an event depends on, its pivot apart."""
    return event.table.parents[:-1] if event.pivot else event.table.parents


def chance(event: Event | None, names: tuple[str, ...]) -> Floats:
    """(names..., T = 1, V or 1) probability of an event, broadcastable against a TrueValue."""
    if event is None:
        return np.zeros((1,) * (len(names) + 2))
    own = core_parents(event)
    table = event.table.values if event.pivot else event.table.values[..., None]
    return aligned(table[..., None, :], own, names, trailing=2)


def failure_chance(events: list[Event], names: tuple[str, ...]) -> Floats:
    """(names..., 1, V or 1) probability that an attempt gives no result, by the value of the pivot if there is one."""
    success: Floats = np.ones((1,) * (len(names) + 2))
    for event in events:
        success = success * (1.0 - chance(event, names))
    return 1.0 - success


def unpaid_failure_chance(events: list[Event], names: tuple[str, ...]) -> Floats:
    """As `failure_chance`, of failing by an event that is not charged: the first that happens decides."""
    unpaid, none_so_far = np.zeros((1,) * (len(names) + 2)), np.ones((1,) * (len(names) + 2))
    for event in events:
        happens = chance(event, names)
        unpaid = unpaid + (not event.charged) * none_so_far * happens
        none_so_far = none_so_far * (1.0 - happens)
    return unpaid


def add_evidence(stack: RowStack, naive: RowStack, layout: Layout, name: str) -> tuple[int, int]:
    """Append the evidence rows of one observable (rows over names, attempts outermost, treatment innermost).

    Args:
        stack: P(report | k, h, a result at this attempt), withheld in the last column.
        naive: the same with missingness uninformative.

    Returns:
        attempt_stride and treatment_stride.
    """
    laws = layout.laws
    item = laws.item_revealing.get(name)
    withheld, corrupted = event_of(laws, "withheld", name), event_of(laws, "corrupted", name)
    fails = failures_of(laws, item) if item else []
    selects = any(event.pivot == name for event in fails)
    value = true_value(laws, name)
    relevant = [event for event in (withheld, corrupted, *(fails if selects else ())) if event is not None]
    names = union(value.names, *(core_parents(event) for event in relevant))
    p = aligned(value.table, value.names, names, trailing=2)
    p = np.broadcast_to(p, (*(laws.size(n) for n in names), *p.shape[-2:]))
    read = _reading(corrupted, names, p)
    attempts = laws.items[item].attempts if item and selects else 1
    f = failure_chance(fails, names) if selects else np.zeros((1,) * p.ndim)
    rows, plain = [], []
    for attempt in range(attempts):
        weight = p * f**attempt * (1.0 - f)
        total = weight.sum(axis=-1, keepdims=True)
        weight = np.divide(weight, total, out=np.zeros_like(weight), where=total > 0)
        missing = chance(withheld, names)
        rows.append(_columns(_read(weight * (1.0 - missing), read), (weight * missing).sum(axis=-1), stack.width))
        plain.append(_columns(_read(p, read), np.ones(p.shape[:-1]), stack.width))
    stack.add(np.concatenate(rows), names, p.shape[-2])
    naive.add(np.concatenate(plain), names, p.shape[-2])
    per_attempt = layout.cells(names) * p.shape[-2]
    return (per_attempt if attempts > 1 else 0), (1 if p.shape[-2] == 2 else 0)


def _reading(corrupted: Event | None, names: tuple[str, ...], p: Floats) -> tuple[Floats, Floats] | None:
    if corrupted is None or corrupted.reported is None:
        return None
    return chance(corrupted, names), corrupted.reported


def _read(weight: Floats, read: tuple[Floats, Floats] | None) -> Floats:
    """What is reported when the true value has these weights."""
    if read is None:
        return weight
    wrong, reported = read
    return weight * (1.0 - wrong) + (weight * wrong) @ reported


def _columns(reported: Floats, missing: Floats, width: int) -> Floats:
    size = reported.shape[-1]
    rows = np.zeros((reported.size // size, width))
    rows[:, :size] = reported.reshape(-1, size)
    rows[:, -1] = missing.reshape(-1)
    return rows


def add_status(stack: RowStack, layout: Layout, item: str) -> int:
    """Append P(result, failed, refused, stands | k, h, failures before) of one item; returns its attempt_stride.

    An order stands if it is neither refused nor known at once to have failed.

    A patient who refuses does so at the first order; later attempts are of patients who did not.
    """
    laws = layout.laws
    refusal, fails = event_of(laws, "refused", item), failures_of(laws, item)
    pivot = next((event.pivot for event in fails if event.pivot), None)
    value = true_value(laws, pivot) if pivot else TrueValue((), np.ones((1, 1)))
    events = [event for event in (refusal, *fails) if event is not None]
    names = union(value.names, *(core_parents(event) for event in events))
    shape = tuple(laws.size(name) for name in names)
    p = aligned(value.table, value.names, names, trailing=2)
    f, unpaid = failure_chance(fails, names), unpaid_failure_chance(fails, names)
    attempts = laws.items[item].attempts if events else 1
    rows = []
    for attempt in range(attempts):
        before = (p * f**attempt).sum(axis=-1)[..., 0]
        # Where so many failures cannot have happened any row will do: it is multiplied by their probability, zero.
        failed, at_once = (
            np.divide((p * f**attempt * now).sum(axis=-1)[..., 0], before, out=np.zeros_like(before), where=before > 0)
            for now in (f, unpaid)
        )
        refused = chance(refusal, names)[..., 0, 0] if attempt == 0 else np.zeros((1,) * len(names))
        accepted = 1.0 - refused
        columns = [accepted * (1.0 - failed), accepted * failed, refused, accepted * (1.0 - at_once)]
        rows.append(np.stack([np.broadcast_to(column, shape) for column in columns], axis=-1).reshape(-1, 4))
    stack.add(np.concatenate(rows), names)
    return layout.cells(names) if attempts > 1 else 0
