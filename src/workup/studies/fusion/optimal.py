"""Own acquisition by somebody who knows the law of a scenario: what is reached at best, and by simpler ways with the same knowledge.

For each patient the joint mass of the answer and of every result that the menu could show is held, given the history; whatever a set of
results says is a sum over the others. So the optimum is worked out backwards from everything being known, and nothing is sampled.

Source: Puterman, Markov Decision Processes (1994), section 4.3 (backward induction); Heckerman et al., IEEE PAMI 1993;15:292 (the greedy rule).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from workup.studies.fusion.complete import Complete
from workup.studies.fusion.measures import replicates_of_mean
from workup.studies.fusion.menus import HISTORY, Menu, menu_of, patients_of

Floats = NDArray[np.float64]
Found = frozenset[int]
"""Modalities that have been had, by number."""
REFERENCES: Final = ("nothing", "everything", "fixed", "myopic", "optimum")
_CELLS = 1 << 21


@dataclass(frozen=True, eq=False)
class Known:
    """What the law says of n patients, at each patient's own results. G modalities of a menu; by set of modalities had."""

    stop: Mapping[Found, Floats]
    """(n,) chance that the answer is yes."""
    myopic: Mapping[Found, NDArray[np.int64]]
    """(n,) the modality whose one further result is worth most above its price, or -1."""
    optimum: Mapping[Found, NDArray[np.int64]]
    """(n,) what to get next if one goes on as well as possible, or -1."""
    label: NDArray[np.int64]
    """(n,)"""


def exact_on(scenario: str | Menu, *, patients: int = 4_000, validation: int = 2_000, seed: int = 0) -> dict[str, Any]:
    """What is reached on a run's test patients by somebody who knows the law.

    Args:
        scenario: a name of `MENUS`, or a menu.
        patients: of the test.
        validation: other patients, by whom the best set for everybody is chosen.
        seed: of the run: the patients are those of `acquired_on` with this seed.

    Returns:
        Plain data: scenario, patients, seed and `references`: by name of REFERENCES, as a run's test: benefit_gbp, spent_gbp, accuracy,
        set, `bought` (modality -> share of patients), and `replicates`, in the resamplings of a run's test.
    """
    menu = menu_of(scenario)
    best = best_set(menu, patients_of(menu, "validation", validation, seed=seed))
    met = known(menu, patients_of(menu, "test", patients, seed=seed))
    names, n = tuple(menu.offers), len(met.label)
    sets = {had: np.tile(_columns(had, len(names)), (n, 1)) for had in met.stop}
    taken = {
        "nothing": sets[frozenset()], "everything": sets[frozenset(range(len(names)))], "fixed": sets[best],
        "myopic": _walked(met.myopic, len(names), n), "optimum": _walked(met.optimum, len(names), n),
    }  # fmt: skip
    return {
        "scenario": menu.scenario, "patients": n, "seed": seed,
        "references": {name: _told(menu, met, had, name, seed) for name, had in taken.items()},
    }  # fmt: skip


def best_set(menu: Menu, met: Complete) -> Found:
    """The set of modalities that would have been worth most to these patients, had they all had the same, by the exact posterior."""
    model, laws, offers = met.world.model, met.world.model.value_rows, list(menu.offers)
    yes, label = menu.answer[model.condition_of] == 1, menu.answer[met.condition] == 1
    history, said, worth = _given_history(menu, met, np.arange(len(met))), list[Floats](), dict[Found, float]()
    for name in offers:
        said.append(np.ones_like(history))
        for o in menu.observables[name]:
            at = laws.start[o] + laws.of_profile[o][met.profile][:, None] + laws.of_hidden[o][None, :]
            said[-1] *= model.value_table[at, met.values[:, o][:, None]]
    for had in _sets(len(offers)):
        weights = np.prod([history, *(said[g] for g in had)], axis=0)
        chance = weights[:, yes].sum(axis=1) / weights.sum(axis=1)
        paid = sum(menu.prices[offers[g]] for g in had)
        worth[had] = menu.right_gbp * float(((chance > 0.5) == label).mean()) - paid
    return max(worth, key=lambda had: worth[had])


def known(menu: Menu, met: Complete) -> Known:
    """Everything that the ways of choosing need, at each patient's own results."""
    parts: list[tuple[NDArray[np.int64], Known]] = []
    for profile in np.unique(met.profile):
        of = np.flatnonzero(met.profile == profile)
        law = _Law.of(menu, met, int(profile))
        step = max(1, _CELLS // law.cells)
        for first in range(0, len(of), step):
            rows = of[first : first + step]
            parts.append((rows, _worked_out(menu, law, met, rows)))
    back = np.argsort(np.concatenate([rows for rows, _ in parts]))

    def joined(field: Callable[[Known], Mapping[Found, NDArray[Any]]]) -> dict[Found, NDArray[Any]]:
        return {had: np.concatenate([field(part)[had] for _, part in parts])[back] for had in field(parts[0][1])}

    return Known(
        joined(lambda part: part.stop), joined(lambda part: part.myopic), joined(lambda part: part.optimum),
        menu.answer[met.condition],
    )  # fmt: skip


@dataclass(frozen=True, eq=False)
class _Law:
    """Of the patients of one profile: hidden states that differ neither in the answer nor in any result of the menu are one."""

    of_hidden: NDArray[np.int64]
    """(H,) which of the h distinct ones."""
    yes: NDArray[np.bool_]
    """(h,)"""
    tables: tuple[Floats, ...]
    """Of each modality (h, outcomes): the chance of each joint result."""

    @property
    def cells(self) -> int:
        return 2 * int(np.prod([table.shape[1] for table in self.tables]))

    @classmethod
    def of(cls, menu: Menu, met: Complete, profile: int) -> _Law:
        model = met.world.model
        of, rows = menu.answer[model.condition_of], model.value_rows
        columns = [o for name in menu.offers for o in menu.observables[name]]
        at = rows.start[columns] + rows.of_profile[columns, profile] + rows.of_hidden[columns].T
        _, first, back = np.unique(np.column_stack([of, at]), axis=0, return_index=True, return_inverse=True)
        tables, done = [], 0
        for name in menu.offers:
            table = np.ones((len(first), 1))
            for o in menu.observables[name]:
                law = model.value_table[at[first, done], : model.n_values[o]]
                table, done = (table[:, :, None] * law[:, None, :]).reshape(len(first), -1), done + 1
            tables.append(table)
        return cls(back.ravel().astype(np.int64), of[first] == 1, tuple(tables))


def _worked_out(menu: Menu, law: _Law, met: Complete, rows: NDArray[np.int64]) -> Known:
    """Masses of every result, then of every set of modalities from the largest down, and the values of going on."""
    prices, among = [menu.prices[name] for name in menu.offers], len(menu.offers)
    own = [_outcome(met, menu.observables[name], rows) for name in menu.offers]
    weights = _given_history(menu, met, rows)
    merged = np.zeros((len(rows), len(law.yes)))
    np.add.at(merged.T, law.of_hidden, weights.T)
    both = np.stack([merged * ~law.yes, merged * law.yes]).reshape(-1, len(law.yes))
    table = law.tables[0]
    for following in law.tables[1:]:
        table = (table[:, :, None] * following[:, None, :]).reshape(len(table), -1)
    mass = {frozenset(range(among)): (both @ table).reshape(2, len(rows), *(t.shape[1] for t in law.tables))}
    certain, worth = dict[Found, Floats](), dict[Found, Floats]()
    stop, greedy, ahead = dict[Found, Floats](), dict[Found, NDArray[np.int64]](), dict[Found, NDArray[np.int64]]()
    for had in _sets(among):
        if had not in mass:
            more = min((had | {g} for g in range(among) if g not in had), key=lambda s: mass[s].size)
            (extra,) = more - had
            mass[had] = mass[more].sum(axis=2 + extra, keepdims=True)
        total, certain[had] = mass[had].sum(axis=0), menu.right_gbp * mass[had].max(axis=0)
        one, further = (
            {
                g: after[had | {g}].sum(axis=1 + g, keepdims=True) - prices[g] * total
                for g in range(among)
                if g not in had
            }
            for after in (certain, worth)
        )
        worth[had] = np.maximum.reduce([certain[had], *further.values()])
        at = (np.arange(len(rows)), *(own[g] if g in had else np.zeros_like(own[g]) for g in range(among)))
        stop[had] = mass[had][1][at] / total[at]
        greedy[had], ahead[had] = (_best(certain[had], after, at) for after in (one, further))
    return Known(stop, greedy, ahead, menu.answer[met.condition[rows]])


def _best(now: Floats, after: Mapping[int, Floats], at: tuple[NDArray[np.int64], ...]) -> NDArray[np.int64]:
    """(n,) which is worth most at the patients' own results, -1 where that is to stop."""
    values = np.stack([now[at], *(value[at] for value in after.values())])
    return np.array([-1, *after], dtype=np.int64)[values.argmax(axis=0)]


def _given_history(menu: Menu, met: Complete, rows: NDArray[np.int64]) -> Floats:
    """(m, H) the chance of each hidden state of patients of one profile given what is free."""
    model, laws = met.world.model, met.world.model.value_rows
    profile = met.profile[rows]
    weights = model.prior[profile]
    for o in menu.observables[HISTORY]:
        if model.role[o] != "profile":
            at = laws.start[o] + laws.of_profile[o][profile][:, None] + laws.of_hidden[o][None, :]
            weights = weights * model.value_table[at, met.values[rows, o][:, None]]
            weights = weights / weights.sum(axis=1, keepdims=True)
    return np.asarray(weights)


def _outcome(met: Complete, columns: list[int], rows: NDArray[np.int64]) -> NDArray[np.int64]:
    """(m,) the number of each patient's joint result."""
    found = np.zeros(len(rows), dtype=np.int64)
    for o in columns:
        found = found * int(met.world.model.n_values[o]) + met.values[rows, o]
    return found


def _sets(among: int) -> Iterator[Found]:
    """All sets, larger ones first."""
    for size in range(among, -1, -1):
        yield from map(frozenset, combinations(range(among), size))


def _columns(had: Found, among: int) -> NDArray[np.bool_]:
    return np.array([g in had for g in range(among)])


def _walked(choice: Mapping[Found, NDArray[np.int64]], among: int, n: int) -> NDArray[np.bool_]:
    """(n, G) what each has had once its own choices end in stopping."""
    taken = np.zeros((n, among), dtype=bool)
    for had in reversed(list(_sets(among))):
        here = np.flatnonzero((taken == _columns(had, among)).all(axis=1))
        following = choice[had][here]
        going = following >= 0
        taken[here[going], following[going]] = True
    return taken


def _benefit(menu: Menu, met: Known, taken: NDArray[np.bool_]) -> Floats:
    return menu.right_gbp * _right(met, taken) - taken @ np.array(list(menu.prices.values()))


def _right(met: Known, taken: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """(n,) whether the more probable answer, given what was had, is the right one."""
    chance = np.empty(len(taken))
    for had, of in met.stop.items():
        here = (taken == _columns(had, taken.shape[1])).all(axis=1)
        chance[here] = of[here]
    return np.asarray((chance > 0.5) == (met.label == 1))


def _told(menu: Menu, met: Known, taken: NDArray[np.bool_], name: str, seed: int) -> dict[str, Any]:
    benefit, names = _benefit(menu, met, taken), list(menu.offers)
    own = name in ("myopic", "optimum")
    return {
        "benefit_gbp": float(benefit.mean()), "spent_gbp": float((taken @ np.array(list(menu.prices.values()))).mean()),
        "accuracy": float(_right(met, taken).mean()),
        "set": "each patient's own" if own else "+".join(names[g] for g in np.flatnonzero(taken[0])) or "nothing",
        "bought": {each: float(taken[:, g].mean()) for g, each in enumerate(names)},
        "replicates": {"benefit_gbp": replicates_of_mean(benefit, sample=f"{menu.scenario} same {seed}")},
    }  # fmt: skip
