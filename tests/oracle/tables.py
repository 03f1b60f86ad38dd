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

from oracle.order_tables import order_tables
from oracle.patient_tables import patient_tables
from oracle.rule_tables import bits_of, rule_tables
from oracle.source import SOURCE
from oracle.state import COLUMNS, OUTCOMES
from oracle.worth_tables import worth_tables
from workup.envs.engine.observation import SCALES, STATUS_LEVELS, Layout
from workup.envs.engine.parts import Part
from workup.envs.model.codes import UNKNOWN
from workup.envs.model.world import World

# fmt: off
SIZES = (
    "n_profiles", "n_hidden", "n_observables", "n_items", "n_values", "n_core", "n_decisions", "n_actions",
    "n_conditions", "n_contraindications", "n_set_ups", "per_start", "n_investigations", "max_reveals", "max_failures",
    "n_words", "wait_action", "first_decision", "totals_slot", "condition_slot", "marginal_slot", "n_marginals",
    "n_others", "regret_slot", "n_utility_k", "n_utility_h", "n_drawn", "n_late", "locked",
    "differs", "waits", "n_benefits", "n_fears",
)
OPTIONS = ("delayed", "by_posterior", "tracked", "autoreset", "budgeted", "show_belief", "max_steps")
INT_TABLES = (
    "core_row", "core_size", "parents_at", "parent", "parent_stride", "core_k", "core_h",
    "value_start", "value_of_k", "value_of_h", "values_of",
    "treatment", "treatment_stride", "treatment_cells", "treatable",
    "event_start", "event_of_k", "event_of_h", "event_pivot", "event_pivot_stride", "event_charged",
    "refusal", "failure_events", "withheld", "corrupted", "reported_start",
    "evidence_start", "evidence_of_k", "evidence_of_h", "attempt_stride",
    "likelihood_on", "likelihood_start", "likelihood_attempt", "likelihood_treated",
    "status_start", "status_of_k", "status_of_h", "status_stride", "status_on",
    "utility_of_k", "utility_of_h", "condition_of", "worse_state", "progresses_to", "late",
    "benefit_act", "benefit_decided", "fear",
    "reveals", "drawn_at", "drawn_two", "drawn", "drawn_stream", "drawn_slot", "drawn_of_k", "drawn_of_h",
    "careful_at", "careful", "ruled_at", "ruled", "ruled_bit", "set_up", "attempts", "opens",
    "contra_at", "contra_observable", "contra_bad", "fact_word", "fact_bit", "status_word", "status_bit",
    "rules", "forbidding", "needs_at", "needs", "decision_needs_at", "decision_needs",
    "watched_at", "watched_early", "watched", "sets_at", "sets_early", "sets",
    "action_kind", "members_at", "members", "action_of_item",
    "fact_kind", "fact_slot", "status_slot", "treated_slot", "marginal_of",
)
REAL_TABLES = (
    "core_cumulative", "value_cumulative", "event_chance", "reported_cumulative", "evidence", "likelihood",
    "status_chance", "prior", "cost", "turnaround", "dose", "harm", "set_up_cost", "set_up_harm", "set_up_repeats",
    "late_cost", "late_harm", "contra_loss", "waiting_cost", "progression_rate", "waiting_factor", "progression_factor",
    "benefit", "waiting_more", "benefit_more", "fear_loss", "utility", "utility_range", "weights", "new_visit", "budget", "status_level", "scale",
    "start_best", "start_posterior", "start_expected",
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
    """What a new journey copies, by start: values (S, O) int16, mask (S, A) bool, facts (S, P) float32 and the words
    of its bits (S, n_words) int64."""

    values: NDArray[np.int16]
    mask: NDArray[np.bool_]
    facts: NDArray[np.float32]
    words: NDArray[np.int64]


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

    def scratch_size(self) -> int:
        """How many numbers the kernel notes down within one step."""
        n_hidden, n_conditions = self.size("n_hidden"), self.size("n_conditions")
        by_class = (self.size("n_utility_k") + 1) * n_hidden + n_conditions + self.size("n_utility_h")
        return max(by_class, 2 * n_hidden, self.size("n_drawn"), self.size("n_core"))

    def with_own_record(self) -> Tables:
        """Tables that share all but the record."""
        return replace(self, at=self.at.copy())

    def with_own_reals(self) -> Tables:
        """Tables that share nothing that depends on a budget."""
        starts = Starts(
            self.starts.values.copy(), self.starts.mask.copy(), self.starts.facts.copy(), self.starts.words.copy()
        )
        return Tables(self.at.copy(), self.ints, self.reals.copy(), starts)


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
    n_starts = world.model.n_starts
    starts = Starts(
        np.full((n_starts, len(world.model.observables)), UNKNOWN, np.int16),
        np.zeros((n_starts, len(world.actions)), np.bool_),
        np.zeros((n_starts, len(layout.names)), np.float32),
        np.zeros((n_starts, bits.n_words), np.int64),
    )
    return Tables(at, ints, reals, starts)


def _lay_out(
    at: NDArray[np.void], names: tuple[str, ...], tables: dict[str, NDArray[Any]], dtype: type
) -> NDArray[Any]:
    pool: NDArray[Any] = np.zeros(sum(table.size for table in tables.values()) + 1, dtype)
    offset = 0
    for name in names:
        table = tables[name]
        at[name] = offset
        pool[offset : offset + table.size] = np.asarray(table).ravel()
        offset += table.size
    return pool


def _journey_tables(world: World, layout: Layout) -> Part:
    """Sizes of a world, places in the observation, and what is the same for all journeys."""
    model = world.model
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
        "condition_slot": layout.condition_slot,
        "marginal_slot": layout.marginal_slot,
        "n_marginals": layout.n_marginals,
        "n_others": layout.marginal_of.shape[0],
        "regret_slot": layout.regret_slot,
    }
    ints = {
        "fact_kind": layout.kind,
        "fact_slot": layout.slot,
        "status_slot": layout.status_slot,
        "treated_slot": layout.treated_slot,
        "marginal_of": layout.marginal_of,
    }
    reals = {
        "new_visit": np.array([world.new_visit_after_h]),
        "budget": np.full(3, np.inf),
        "status_level": STATUS_LEVELS,
        "scale": SCALES,
        "start_best": np.zeros(model.n_starts),
        "start_posterior": np.zeros((model.n_starts, len(model.conditions))),
        "start_expected": np.zeros((model.n_starts, OUTCOMES + 1 + len(world.decisions))),
    }
    return Part(sizes, ints, reals)
