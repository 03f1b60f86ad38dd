"""The digits of an item: every way in which it can stand, as far as planning can tell them apart."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from workup.agents.planning.outcome_tables import Cells, OutcomeTables, Profiles
from workup.envs.model.codes import FAILED, MISSING, NOT_ORDERED, REFUSED

F64 = NDArray[np.float64]
Facts = dict[int, int]
"""Observable -> value code."""
Truths = Callable[[int, Facts], tuple[bool, ...]]
"""Status of the item and what it revealed -> truth of every clause that looks at the item."""
Bits = Callable[[int, Facts, int], int]
"""Status, what was revealed, digit's failures -> mode bits."""

_SAME = 12  # decimals to which normalised likelihoods must agree to be one outcome


@dataclass
class Digits:
    """Digits of one item; lists are by digit. Digit 0 is how the item stands at the root."""

    item: int
    column: list[F64]
    status: list[int]
    failures: list[int]
    truths: list[tuple[bool, ...]]
    bits: list[int]
    takes_time: list[bool]
    children: list[list[tuple[int, int]]] = field(default_factory=list)
    """By digit and mode variant (finding treated or not): first digit and how many."""
    of_cell: dict[tuple[bool, int, int, tuple[int, ...]], int] = field(default_factory=dict)
    """(treated, failures, status, values of the observables in `reveals` order) -> digit."""
    observables: tuple[int, ...] = ()

    def same(self, a: int, b: int) -> bool:
        """Whether two digits are one as far as can be seen: a refusal does not say whether it came after treatment."""
        return a == b or (self.status[a] == self.status[b] == REFUSED and self.failures[a] == self.failures[b])

    def orderable(self) -> list[int]:
        """Digits from which the item can be ordered (again)."""
        return [d for d, variants in enumerate(self.children) if any(count for _, count in variants)]


def digits_of_item(
    tables: OutcomeTables,
    item: int,
    profiles: Profiles,
    *,
    status: int,
    failures: int,
    variants: tuple[bool, ...],
    truths: Truths,
    bits: Bits,
    merge: bool = True,
) -> Digits:
    """All digits of an item from how it stands now.

    Args:
        tables: outcomes.
        item: index.
        profiles: those still possible; S = len(profiles) * H.
        status: NOT_ORDERED or FAILED.
        failures: failed attempts so far.
        variants: whether findings would follow the treated law: one entry, or both if that is still open.
        truths: clauses that look at this item.
        bits: mode bits that an outcome sets.
        merge: whether outcomes that mean the same are one digit.
    """
    S = len(profiles) * tables.world.model.prior.shape[1]
    attempts = int(tables.world.attempts[item])
    out = Digits(item, [np.ones(S)], [status], [failures], [truths(status, {})], [0], [False])
    open_digits = [0]
    while open_digits:
        parent = open_digits.pop(0)
        while len(out.children) <= parent:
            out.children.append([(0, 0)] * len(variants))
        retried, start = out.failures[parent] + 1 < attempts, []
        for treated in variants:
            first = len(out.status)
            cells = tables.cells(item, profiles, out.failures[parent], treated)
            takes_time = tables.takes_time(item, cells.status)
            _add_outcomes(out, parent, cells, takes_time, truths, bits, treated=treated, retried=retried, merge=merge)
            new = range(first, len(out.status))
            open_digits += [digit for digit in new if retried and out.status[digit] == FAILED]
            start.append((first, len(new)))
        out.children[parent] = start
    while len(out.children) < len(out.status):
        out.children.append([(0, 0)] * len(variants))
    return out


def _add_outcomes(
    out: Digits,
    parent: int,
    cells: Cells,
    takes_time: NDArray[np.bool_],
    truths: Truths,
    bits: Bits,
    *,
    treated: bool,
    retried: bool,
    merge: bool,
) -> None:
    """The digits of one attempt, after the digit `parent`; `retried`: a failure may be followed by another attempt."""
    before = out.failures[parent]
    out.observables = tuple(int(o) for o in cells.observables)
    seen: dict[tuple[object, ...], int] = {}
    for values, state, time, likelihood in zip(
        cells.values.tolist(), cells.status.tolist(), takes_time.tolist(), cells.likelihood, strict=True
    ):
        facts = {o: v for o, v in zip(out.observables, values, strict=True) if v >= 0}
        retry = state == FAILED and retried
        truth, bit = truths(state, facts), bits(state, facts, before)
        normal = np.round(likelihood / likelihood.max(), _SAME) + 0.0
        key = (retry, truth, bit, time, state if retry else -1, normal.tobytes() if merge else len(seen))
        digit = seen.setdefault(key, len(out.status))
        if digit == len(out.status):
            out.column.append(likelihood.copy())
            out.status.append(state)
            out.failures.append(before + (state == FAILED))
            out.truths.append(truth)
            out.bits.append(bit)
            out.takes_time.append(time)
        else:
            out.column[digit] += likelihood
        out.of_cell.setdefault((treated, before + (state == FAILED), state, tuple(values)), digit)


def locate(digits: Digits, status: int, failures: int, treated: bool, values: NDArray[np.int16]) -> int | None:
    """The digit at which a journey's item stands, or None if it cannot be reached from the root."""
    if status == digits.status[0] and failures == digits.failures[0]:
        return 0
    revealed = tuple(int(values[o]) for o in digits.observables)
    if status == FAILED:
        revealed = (MISSING,) * len(revealed)
    if status == NOT_ORDERED:
        return None
    return digits.of_cell.get((treated, failures, status, revealed))
