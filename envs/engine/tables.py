"""A world packed for the kernel: three flat arrays, and a record that says where each thing lies.

A jitted call costs about 60 ns per array it is handed, so a hundred separate tables would take longer to hand over than a
step takes. `at.<name>` is a size, an option, or the place where a table begins in `ints` or `reals` (row-major) or a
column in an array of the state. Names are declared once, here and in `workup.envs.engine.state`; their numbering is the
record's own business.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from workup.envs.engine.observation import SCALES, Layout, parts_of_one
from workup.envs.engine.order_tables import order_tables
from workup.envs.engine.parts import Part
from workup.envs.engine.patient_tables import patient_tables
from workup.envs.engine.rule_tables import bits_of, rule_tables
from workup.envs.engine.source import SOURCE
from workup.envs.engine.state import COLUMNS, OUTCOMES, in_lines, small_type
from workup.envs.engine.vectors import LANES
from workup.envs.engine.worth_tables import worth_tables
from workup.envs.model.codes import UNKNOWN
from workup.envs.model.world import World

# fmt: off
SIZES = (
    "n_profiles", "n_hidden", "n_observables", "n_items", "n_values", "n_core", "n_decisions", "n_actions",
    "n_conditions", "n_contraindications", "n_set_ups", "per_start", "n_investigations", "max_reveals", "max_failures",
    "n_words", "n_action_words", "n_item_words", "n_rules", "n_runs", "n_sets", "n_odd", "n_shown", "wait_action", "first_decision", "totals_slot", "condition_slot", "marginal_slot", "n_marginals",
    "n_others", "regret_slot", "n_utility_k", "n_utility_h", "n_drawn", "n_late", "locked",
    "differs", "waits", "n_benefits", "n_fears", "wide_conditions", "wide_hidden", "wide_decisions", "progresses",
    "grouped", "by_class", "weighted", "chances", "utilities", "given", "weighed",
)
OPTIONS = ("delayed", "by_posterior", "tracked", "autoreset", "budgeted", "show_belief", "max_steps")
INT_TABLES = (
    "core_cut", "value_cut", "core_row", "core_size", "parents_at", "parent", "parent_stride", "core_k", "core_h",
    "value_start", "value_of_k", "value_of_h", "values_of",
    "treatment", "treatment_stride", "treatment_cells", "treatable",
    "event_start", "event_of_k", "event_of_h", "event_pivot", "event_pivot_stride", "event_charged",
    "refusal", "failure_events", "withheld", "corrupted", "reported_start",
    "evidence_start", "evidence_of_k", "evidence_of_h", "attempt_stride",
    "likelihood_on", "likelihood_start", "likelihood_attempt", "likelihood_treated",
    "status_start", "status_of_k", "status_of_h", "status_stride", "status_on",
    "utility_of_k", "utility_of_h", "condition_of", "worse_state", "progresses_to", "late",
    "benefit_act", "benefit_decided", "fear", "waits_in", "class_at", "class_member",
    "reveals", "drawn_at", "drawn_two", "drawn", "drawn_stream", "drawn_slot", "drawn_of_k", "drawn_of_h",
    "careful_at", "careful", "ruled_at", "ruled", "ruled_bit", "set_up", "attempts", "opens",
    "contra_at", "contra_observable", "contra_bad", "fact_word", "fact_bit", "status_word", "status_bit",
    "rules_at", "rule_closes", "rule_needed", "rule_bits", "decision_needs_at", "decision_needs",
    "action_kind", "members_at", "members", "action_of_item", "plain_item", "openers", "deciding", "run",
    "set_action", "set_members", "start_words",
    "fact_kind", "fact_slot", "status_slot", "treated_slot", "marginal_of", "odd", "odd_parts",
)
REAL_TABLES = (
    "value_cumulative", "event_chance", "reported_cumulative", "evidence", "likelihood",
    "status_chance", "prior", "cost", "turnaround", "dose", "harm", "set_up_cost", "set_up_harm", "set_up_repeats",
    "late_cost", "late_harm", "contra_loss", "waiting_cost", "progression_rate", "waiting_factor", "progression_factor",
    "benefit", "waiting_more", "benefit_more", "fear_loss", "utility", "utility_range", "weights", "new_visit", "budget", "scale",
    "start_shown", "start_best", "start_posterior", "start_expected",
)
# fmt: on
AT = np.dtype([(name, np.int64) for name in (*SIZES, *OPTIONS, *INT_TABLES, *REAL_TABLES, *COLUMNS, SOURCE)])
"""The record. Its last field holds nothing: see `workup.envs.engine.source`."""


class Packed(NamedTuple):
    """The world as the kernel sees it."""

    at: Any
    """A record of type AT, read as `workup.envs.engine.places.Places`."""
    ints: NDArray[np.int64]
    reals: NDArray[np.float64]
    cases: NDArray[np.int32]
    """(n, 2 + O) profile, hidden state and fixed values of patients who are not drawn; n is 0 where all are."""


class Starts(NamedTuple):
    """What a new journey copies, by start: rows of values and of codes as in `workup.envs.engine.state.Rows`; and units (Q,) float32: what
    a code of 1 shows, wherever."""

    values: NDArray[np.signedinteger[Any]]
    codes: NDArray[np.signedinteger[Any]]
    units: NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Tables:
    """at: (1,) of type AT; ints: (..,) int64; reals: (..,) float64. Immutable but for the options and columns."""

    at: NDArray[np.void]
    ints: NDArray[np.int64]
    reals: NDArray[np.float64]
    starts: Starts

    def __deepcopy__(self, memo: dict[int, object]) -> Tables:
        """Itself: an engine does not change its own once it is made."""
        return self

    def size(self, name: str) -> int:
        """A size, an option, or where something begins."""
        return int(self.at[name][0])

    def real(self, name: str, *shape: int) -> NDArray[np.float64]:
        """A writable window on one table of reals."""
        start = self.size(name)
        return self.reals[start : start + int(np.prod(shape))].reshape(shape)

    def whole(self, name: str, *shape: int) -> NDArray[np.int64]:
        """A writable window on one table of integers."""
        start = self.size(name)
        return self.ints[start : start + int(np.prod(shape))].reshape(shape)

    def notes(self) -> int:
        """How many numbers of one kind the kernel notes down within one step."""
        joint = self.size("per_start") * self.size("wide_hidden") + LANES
        rules = self.size("n_rules") + 2 * self.size("n_item_words") + self.size("n_action_words")
        drawn = max(self.size("n_drawn"), 2 * self.size("n_core"), self.size("max_reveals"))
        return max(self.size("weighed") + joint, drawn, rules, 8)

    def with_own_record(self) -> Tables:
        """Tables that share all but the record."""
        return replace(self, at=self.at.copy())

    def with_own_starts(self) -> Tables:
        """Tables that share nothing that depends on a budget."""
        starts = self.starts._replace(values=self.starts.values.copy(), codes=self.starts.codes.copy())
        return Tables(self.at.copy(), self.ints.copy(), self.reals.copy(), starts)


def pack(world: World, layout: Layout) -> Tables:
    """Pack a world; what depends on the engine (options, columns, budget, starts) is left to be filled."""
    bits = bits_of(world)
    parts = (
        patient_tables(world),
        worth_tables(world),
        order_tables(world, layout, bits),
        rule_tables(world, bits),
        _journey_tables(world, layout),
    )
    at = np.zeros(1, AT)
    for part in parts:
        for name, size in part.sizes.items():
            at[name] = size
    ints = _lay_out(at, INT_TABLES, {name: table for part in parts for name, table in part.ints.items()}, np.int64)
    reals = _lay_out(at, REAL_TABLES, {name: table for part in parts for name, table in part.reals.items()}, np.float64)
    n_starts, small = world.model.n_starts, small_type(world)
    starts = Starts(
        in_lines(n_starts, len(world.model.observables), small),
        in_lines(n_starts, layout.totals_slot, small),
        (1.0 / parts_of_one(world, layout)).astype(np.float32),
    )
    starts.values[:] = UNKNOWN
    return Tables(at, ints, reals, starts)


def _lay_out(
    at: NDArray[np.void], names: tuple[str, ...], tables: dict[str, NDArray[Any]], dtype: type
) -> NDArray[Any]:
    pool: NDArray[Any] = np.zeros(sum(table.size for table in tables.values()) + LANES, dtype)
    offset = 0
    for name in names:
        table = tables[name]
        at[name] = offset
        pool[offset : offset + table.size] = np.asarray(table).ravel()
        offset += table.size
    return pool


def _journey_tables(world: World, layout: Layout) -> Part:
    """Sizes of a world, places in the observation, and what is the same for all journeys."""
    model, parts = world.model, parts_of_one(world, layout)
    odd = np.flatnonzero(_odd(parts))
    sizes = {
        "n_profiles": model.prior.shape[0],
        "n_hidden": model.prior.shape[1],
        "n_observables": len(model.observables),
        "n_items": len(world.items),
        "n_values": model.value_table.shape[1],
        "n_decisions": len(world.decisions),
        "n_conditions": len(model.conditions),
        "per_start": model.profiles_per_start,
        "n_investigations": world.n_investigations,
        "totals_slot": layout.totals_slot,
        "condition_slot": layout.condition_slot - layout.totals_slot,
        "marginal_slot": layout.marginal_slot - layout.totals_slot,
        "n_marginals": layout.n_marginals,
        "n_others": layout.marginal_of.shape[0],
        "regret_slot": layout.regret_slot - layout.totals_slot,
        "n_odd": len(odd),
        "n_shown": len(layout.names) - layout.totals_slot,
    }
    ints: dict[str, NDArray[Any]] = {
        "fact_kind": layout.kind,
        "fact_slot": layout.slot,
        "status_slot": layout.status_slot,
        "treated_slot": layout.treated_slot,
        "marginal_of": layout.marginal_of,
        "odd": odd,
        "odd_parts": parts[odd],
    }
    reals = {
        "new_visit": np.array([world.new_visit_after_h]),
        "budget": np.full(3, np.inf),
        "scale": SCALES,
        "start_shown": np.zeros((model.n_starts, len(layout.names) - layout.totals_slot)),
        "start_best": np.zeros(model.n_starts),
        "start_posterior": np.zeros((model.n_starts, len(model.conditions))),
        "start_expected": np.zeros((model.n_starts, OUTCOMES + 1 + len(world.decisions))),
    }
    return Part(sizes, ints, reals)


def _odd(parts: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Where a code times the unit is not always, bit by bit, the code divided by the parts that make one."""
    wrong = {}
    for n in set(parts.tolist()):
        codes = np.arange(-n, n + 1)
        wrong[n] = bool((codes.astype(np.float32) * np.float32(1.0 / n) != (codes / n).astype(np.float32)).any())
    return np.array([wrong[n] for n in parts.tolist()], np.bool_)
