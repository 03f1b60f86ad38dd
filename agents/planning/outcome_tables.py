"""What ordering an item leads to and costs, by hidden state: looked up once for each profile and attempt.

Symbols as in envs.patient_model; S = len(profiles) * H coordinates, profile-major.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from workup.envs.model.codes import FAILED, REFUSED, RESULT, Rows
from workup.envs.model.outcomes import item_outcomes
from workup.envs.model.world import World
from workup.errors import PlanningRefused

F64 = NDArray[np.float64]
Profiles = tuple[int, ...]


@dataclass(frozen=True, eq=False)
class Cells:
    """Joint outcomes of one attempt at an item; rows of `likelihood` sum to 1 over the outcomes."""

    observables: NDArray[np.int32]
    values: NDArray[np.int16]
    """(cells, R)"""
    status: NDArray[np.uint8]
    """(cells,)"""
    likelihood: F64
    """(cells, S)"""


class OutcomeTables:
    """Cached outcome and cost tables of one (knowledge) world."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.cells = lru_cache(maxsize=20_000)(self._cells)
        self.charged = lru_cache(maxsize=20_000)(self._charged)
        self.price = lru_cache(maxsize=20_000)(self._price)
        self.stop = lru_cache(maxsize=2_000)(self._stop)
        self.waiting = lru_cache(maxsize=2_000)(self._waiting)
        self.progressing_stop = lru_cache(maxsize=2_000)(self._progressing_stop)
        self.charges = lru_cache(maxsize=20_000)(self._charges)

    def _cells(self, item: int, profiles: Profiles, failures: int, treated: bool) -> Cells:
        parts = [item_outcomes(self.world, item, k, failures=failures, treated=treated) for k in profiles]
        if len(parts) == 1:
            only = parts[0]
            return Cells(only.observables, only.values, only.status, only.likelihood)
        keys: dict[tuple[int, ...], int] = {}
        for part in parts:
            for values, status in zip(part.values.tolist(), part.status.tolist(), strict=True):
                keys.setdefault((status, *values), len(keys))
        H = parts[0].likelihood.shape[1]
        likelihood = np.zeros((len(keys), len(profiles) * H))
        for j, part in enumerate(parts):
            rows = [keys[(s, *v)] for v, s in zip(part.values.tolist(), part.status.tolist(), strict=True)]
            likelihood[rows, j * H : (j + 1) * H] = part.likelihood
        table = np.array(list(keys), np.int64).reshape(len(keys), -1)
        return Cells(parts[0].observables, table[:, 1:].astype(np.int16), table[:, 0].astype(np.uint8), likelihood)

    def takes_time(self, item: int, status: NDArray[np.uint8]) -> NDArray[np.bool_]:
        """Whether outcomes of these statuses take the item's time."""
        model = self.world.model
        charged = [bool(model.event_charged[e]) for e in model.item_failures[item] if e >= 0]
        return np.asarray((status == RESULT) | ((status == FAILED) & any(charged)))

    def treated_by(self, item: int) -> tuple[int, ...]:
        """Acts after which findings of the item follow another law."""
        treatment = self.world.model.treatment
        return tuple(sorted({int(treatment[o]) for o in self.world.reveals[item] if o >= 0} - {-1}))

    def condition(self, profiles: Profiles) -> NDArray[np.int32]:
        """(S,) condition of each coordinate."""
        return np.tile(self.world.model.condition_of, len(profiles))

    def rate(self, profiles: Profiles) -> F64:
        """(S,) hourly rate of progression, 0 where there is none."""
        moving = self.world.progression_rate_per_h * (self.world.progresses_to >= 0)
        return np.asarray(moving[self.condition(profiles)])

    def _progressing_stop(self, profiles: Profiles, acts: tuple[int, ...]) -> tuple[F64, F64, F64]:
        """Weighted utility of each decision once progressed (D, S), what not having progressed adds (D, S), and the
        rate of progression with these acts done (S,); benefits of acts that are credited at the end are in them."""
        world = self.world
        late = tuple(act for act in acts if credited_at_the_end(world, act))
        stop = self.stop(profiles) + self.benefit(profiles, late)
        for b in np.flatnonzero(np.isin(world.by_patient.act, late)):
            benefit = world.weights[3] * self._by_state(world.by_patient.benefit_gbp[b], profiles)
            stop = stop + world.by_patient.decided[b][:, None] * benefit
        condition, rate = self.condition(profiles), self.rate(profiles)
        per_condition = world.model.prior.shape[1] // len(world.model.conditions)
        worse = np.arange(len(rate)) + np.where(
            rate > 0, (world.progresses_to[condition] - condition) * per_condition, 0
        )
        factor = np.prod(world.progression_factor[list(acts)], axis=0) if acts else np.ones(len(world.model.conditions))
        progressed = stop[:, worse]
        return progressed, stop - progressed, rate * factor[condition]

    def _charges(
        self,
        orders: tuple[tuple[int, int], ...],
        profiles: Profiles,
        feared: tuple[tuple[int, ...], ...],
        acts: tuple[int, ...],
    ) -> F64:
        """(S,) weighted expected cost, harm and waiting of (item, failures) ordered together, less benefits."""
        world = self.world
        charged = [self.charged(i, profiles, failures) for i, failures in orders]
        total = np.zeros_like(charged[0])
        for s in sorted({int(world.set_up[i]) for i, _ in orders} - {-1}):
            price = world.weights[0] * world.set_up_cost_gbp[s] + world.weights[1] * world.set_up_harm_gbp[s]
            none = np.ones_like(total)
            for (i, _), chance in zip(orders, charged, strict=True):
                if world.set_up[i] == s:
                    none = none * (1.0 - chance)
            total = total + price * (1.0 - none)
        hours, none = np.zeros_like(total), np.ones_like(total)
        for at in sorted(range(len(orders)), key=lambda at: -world.turnaround_h[orders[at][0]]):
            hours = hours + world.turnaround_h[orders[at][0]] * charged[at] * none
            none = none * (1.0 - charged[at])
        total = total + hours * self.waiting(profiles, acts)
        for (i, failures), fears in zip(orders, feared, strict=True):
            total = total + self.price(i, profiles, failures, fears, not credited_at_the_end(world, i))
        return np.asarray(total)

    def _charged(self, item: int, profiles: Profiles, failures: int) -> F64:
        """(S,) chance that an attempt is paid for and takes its time: not refused, no failure that is free."""
        model = self.world.model
        events = [int(e) for e in model.item_failures[item] if e >= 0]
        cells = self.cells(item, profiles, failures, False)
        accepted = cells.likelihood[cells.status != REFUSED].sum(axis=0)
        if all(model.event_charged[e] for e in events):
            return np.asarray(accepted)
        pivots = {int(model.event_pivot[e]) for e in events} - {-1}
        if len(pivots) > 1:
            names = ", ".join(sorted(model.observables[o] for o in pivots))
            raise PlanningRefused(
                f"{self.world.items[item]} may fail, paid for or not, by events that depend on {len(pivots)} findings ({names}); "
                "the planner treats one: let them depend on one finding, or on core variables"
            )
        return accepted * (1.0 - self._free_failure(events, pivots, profiles, failures))

    def _free_failure(self, events: list[int], pivots: set[int], profiles: Profiles, failures: int) -> F64:
        model = self.world.model
        pivot = next(iter(pivots), -1)
        values = self._spread(model.value_rows, pivot, profiles, model.value_table) if pivot >= 0 else None
        weight = np.ones((len(profiles) * model.prior.shape[1], 1)) if values is None else values
        free, fails = np.zeros_like(weight), np.zeros_like(weight)
        for e in events:
            rows = self._rows(model.event_rows, e, profiles)[:, None]
            if model.event_pivot[e] >= 0:
                rows = rows + np.arange(weight.shape[1]) * model.event_pivot_stride[e]
                rows = np.minimum(rows, len(model.event_table) - 1)  # padding values have weight 0
            happens = (1.0 - fails) * model.event_table[rows]
            fails = fails + happens
            if not model.event_charged[e]:
                free = free + happens
        before = (weight * fails**failures).sum(axis=1)
        now = (weight * fails**failures * free).sum(axis=1)
        return np.divide(now, before, out=np.zeros_like(now), where=before > 0.0)

    def _price(
        self, item: int, profiles: Profiles, failures: int, feared: tuple[int, ...], credited: bool = True
    ) -> F64:
        """(S,) weighted expected cost and harm of an attempt, less the benefit of an act; set-up and waiting apart.

        `feared`: rows of `world.contraindication` whose observable is not known at the time; `credited`: whether the
        benefit of an act is counted here.
        """
        world = self.world
        cost, harm, _, use = world.weights
        per_state = np.concatenate([
            cost * world.late_cost_gbp[item, k] + harm * world.late_harm_gbp[item, k] for k in profiles
        ])  # fmt: skip
        per_state = per_state + cost * world.cost_gbp[item] + harm * world.harm_gbp[item]
        for x in feared:
            o = int(world.contraindication[x, 1])
            chance = self._spread(world.model.value_rows, o, profiles, world.model.value_table)
            bad = world.contraindication_values[x, : chance.shape[1]]
            per_state = per_state + harm * world.contraindication_loss_gbp[x] * chance[:, bad].sum(axis=1)
        for y in np.flatnonzero(np.isin(world.by_patient.contraindication, feared)):
            per_state = per_state + harm * self._by_state(world.by_patient.contraindication_loss_gbp[y], profiles)
        price = self.charged(item, profiles, failures) * per_state
        own = np.flatnonzero(world.by_patient.act == item)
        if credited and (world.benefit_gbp[item].any() or len(own)):
            cells = self.cells(item, profiles, failures, False)
            done = cells.likelihood[cells.status == RESULT].sum(axis=0)
            benefit = self._by_condition(world.benefit_gbp[item], profiles)
            for b in own:
                benefit = benefit + self._by_state(world.by_patient.benefit_gbp[b], profiles)
            price = price - use * done * benefit
        return np.asarray(price)

    def _stop(self, profiles: Profiles) -> F64:
        """(D, S) weighted utility of each decision, progression apart."""
        return self.world.weights[3] * np.concatenate([self.world.utility_gbp[:, k] for k in profiles], axis=1)

    def _waiting(self, profiles: Profiles, acts: tuple[int, ...]) -> F64:
        """(S,) weighted cost of an hour's waiting with these acts done."""
        world = self.world
        factor = np.prod(world.waiting_factor[list(acts)], axis=0) if acts else 1.0
        rate = self._by_condition(world.weights[2] * world.waiting_cost_gbp_per_h * factor, profiles)
        if world.by_patient.waiting_gbp_per_h.size:
            weight = np.broadcast_to(world.weights[2] * factor, len(world.model.conditions))
            more = self._by_state(world.by_patient.waiting_gbp_per_h, profiles)
            rate = rate + self._by_condition(weight, profiles) * more
        return rate

    def benefit(self, profiles: Profiles, acts: tuple[int, ...]) -> F64:
        """(S,) weighted benefit by condition of acts done, if nothing progresses."""
        return self._by_condition(self.world.weights[3] * self.world.benefit_gbp[list(acts)].sum(axis=0), profiles)

    def _by_condition(self, values: F64, profiles: Profiles) -> F64:
        return np.tile(values[self.world.model.condition_of], len(profiles))

    def _by_state(self, table: F64, profiles: Profiles) -> F64:
        """(S,) from (K, H)."""
        return table[list(profiles)].ravel()

    def _rows(self, rows: Rows, entry: int, profiles: Profiles) -> NDArray[np.int64]:
        of = rows.of_profile[entry][list(profiles)][:, None] + rows.of_hidden[entry][None, :]
        return (int(rows.start[entry]) + of.astype(np.int64)).ravel()

    def _spread(self, rows: Rows, entry: int, profiles: Profiles, table: F64) -> F64:
        """(S, V) rows of a table at an entry."""
        return np.asarray(table[self._rows(rows, entry, profiles)])


def charges(
    tables: OutcomeTables,
    orders: tuple[tuple[int, int], ...],
    profiles: Profiles,
    feared: tuple[tuple[int, ...], ...],
    acts: tuple[int, ...],
) -> F64:
    """(S,) weighted expected cost, harm and waiting of items ordered together, less the benefits of acts.

    Args:
        tables: of the world that is known.
        orders: (item, failures before).
        profiles: those possible.
        feared: for each item, rows of `world.contraindication` whose variable is unknown.
        acts: done before.
    """
    return tables.charges(orders, profiles, feared, acts)


def credited_at_the_end(world: World, item: int) -> bool:
    """Whether progression or the decision changes what an act is worth, so that it is credited at the end, not when it is
    done."""
    to = np.where(world.progression_rate_per_h > 0.0, world.progresses_to, -1)
    worse = np.where(to >= 0, to, np.arange(len(to)))
    benefit, of_hidden, n_hidden = world.benefit_gbp[item], world.model.condition_of, world.model.prior.shape[1]
    per_condition = n_hidden // len(to)
    progressed = np.arange(n_hidden) + (worse[of_hidden] - of_hidden) * per_condition
    return bool((benefit != benefit[worse]).any()) or world.by_patient.moves(item, progressed)
