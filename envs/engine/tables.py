"""A world packed for the kernel: three flat arrays and a table of where each thing starts.

A jitted call costs about 60 ns per array it is handed, so sixty separate tables would take longer to hand over than a
step takes. `at[SLOT]` is a size, an option, or the offset of a table in `ints` or `reals`; tables are row-major.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from workup.envs.engine.observation import SCALES, STATUS_LEVELS, Layout
from workup.envs.model.codes import UNKNOWN, Rows
from workup.envs.model.patient_model import PatientModel
from workup.envs.model.randomness import VALUE
from workup.envs.model.world import World

KINDS = {"order": 0, "act": 0, "set": 1, "wait": 2, "decide": 3}

# fmt: off
SIZES = (
    N_PROFILES, N_HIDDEN, N_OBSERVABLES, N_ITEMS, N_VALUES, N_CORE, N_DECISIONS, N_ACTIONS, N_CONDITIONS,
    N_CONTRAINDICATIONS, N_SET_UPS, PER_START, N_INVESTIGATIONS, N_FEATURES, MAX_REVEALS, MAX_FAILURES, MAX_STEPS,
    N_WORDS, WAIT_ACTION, FIRST_DECISION, TOTALS_SLOT, CONDITION_SLOT, MARGINAL_SLOT, N_MARGINALS, N_OTHERS,
    REGRET_SLOT, N_UTILITY_K, N_UTILITY_H, EXPECTED_AT, N_DRAWN, N_LATE,
) = range(31)
OPTIONS = (DELAYED, BY_POSTERIOR, TRACKED, AUTORESET, STRIDE, BUDGETED, SHOW_BELIEF, WORDS_AT) = range(31, 39)
INT_TABLES = (
    CORE_ROW, CORE_SIZE, PARENTS_AT, PARENT, PARENT_STRIDE, CORE_K, CORE_H,
    VALUE_START, VALUE_OF_K, VALUE_OF_H, TREATMENT, TREATMENT_STRIDE, TREATMENT_CELLS, TREATABLE,
    EVENT_START, EVENT_OF_K, EVENT_OF_H, EVENT_PIVOT, EVENT_PIVOT_STRIDE, EVENT_CHARGED,
    REFUSAL, FAILURES, WITHHELD, CORRUPTED, REPORTED_START,
    EVIDENCE_START, EVIDENCE_OF_K, EVIDENCE_OF_H, ATTEMPT_STRIDE,
    LIKELIHOOD_ON, LIKELIHOOD_START, LIKELIHOOD_ATTEMPT, LIKELIHOOD_TREATED,
    STATUS_START, STATUS_OF_K, STATUS_OF_H, STATUS_STRIDE, STATUS_ON, UTILITY_OF_K, UTILITY_OF_H,
    REVEALS, DRAWN_AT, DRAWN_TWO, DRAWN, DRAWN_STREAM, DRAWN_SLOT, DRAWN_OF_K, DRAWN_OF_H, CAREFUL_AT, CAREFUL,
    RULED_AT, RULED, RULED_BIT, SET_UP, ATTEMPTS, OPENS, LATE,
    CONTRA_AT, CONTRA_OBSERVABLE, CONTRA_BAD, FACT_WORD, FACT_BIT, STATUS_WORD, STATUS_BIT,
    RULES, FORBIDDING, NEEDS_AT, NEEDS,
    WATCHED_AT, WATCHED_EARLY, WATCHED, SETS_AT, SETS_EARLY, SETS, ACTION_KIND, MEMBERS_AT, MEMBERS, ACTION_OF_ITEM,
    CONDITION_OF, PROGRESSED, PROGRESSES_TO, VALUES_OF, FACT_KIND, FACT_SLOT, STATUS_SLOT, TREATED_SLOT, MARGINAL_OF,
) = range(39, 126)
REAL_TABLES = (
    CORE_CUMULATIVE, VALUE_CUMULATIVE, EVENT_CHANCE, REPORTED_CUMULATIVE, EVIDENCE, LIKELIHOOD, STATUS_CHANCE, PRIOR,
    COST, TURNAROUND, DOSE, HARM, SET_UP_COST, SET_UP_HARM, SET_UP_REPEATS, LATE_COST, LATE_HARM, CONTRA_LOSS,
    WAITING_COST, PROGRESSION_RATE, WAITING_FACTOR, PROGRESSION_FACTOR, BENEFIT, UTILITY, UTILITY_RANGE, WEIGHTS,
    NEW_VISIT, BUDGET, STATUS_LEVEL, SCALE, START_BEST, START_POSTERIOR, START_EXPECTED,
) = range(126, 159)
# fmt: on
N_SLOTS = 159

# What a report's likelihood depends on.
ON_NOTHING, ON_CONDITION, ON_HIDDEN, ON_PROFILE, ON_BOTH = range(5)


class Starts(NamedTuple):
    """What a new journey copies, by start: values (S, O) int16, mask (S, A) bool, facts (S, P) float32 and the words
    of its bits (S, n_words) int64."""

    values: NDArray[np.int16]
    mask: NDArray[np.bool_]
    facts: NDArray[np.float32]
    words: NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Tables:
    """at: (N_SLOTS,) int64; ints: (..,) int64; reals: (..,) float64. Immutable but for the options."""

    at: NDArray[np.int64]
    ints: NDArray[np.int64]
    reals: NDArray[np.float64]
    starts: Starts

    def real(self, slot: int, *shape: int) -> NDArray[np.float64]:
        """A writable window on one table of reals."""
        start = self.at[slot]
        return self.reals[start : start + int(np.prod(shape))].reshape(shape)


def pack(world: World, layout: Layout) -> Tables:
    """Pack a world; the start rows (facts, mask, features at the start) are left for the engine to fill."""
    at = np.zeros(N_SLOTS, np.int64)
    for slot, size in _sizes(world, layout).items():
        at[slot] = size
    whole = {**_patient_ints(world), **_rule_ints(world, layout), **_layout_ints(world, layout)}
    real = {**_patient_reals(world), **_world_reals(world, layout)}
    ints = _lay_out(at, whole, np.int64)
    reals = _lay_out(at, real, np.float64)
    n_starts = world.model.n_starts
    starts = Starts(
        np.full((n_starts, len(world.model.observables)), UNKNOWN, np.int16),
        np.zeros((n_starts, len(world.actions)), np.bool_),
        np.zeros((n_starts, len(layout.names)), np.float32),
        np.zeros((n_starts, _bits(world).n_words), np.int64),
    )
    return Tables(at, ints, reals, starts)


def _lay_out(at: NDArray[np.int64], tables: dict[int, NDArray[np.generic]], dtype: type) -> NDArray[Any]:
    pool: NDArray[Any] = np.zeros(sum(table.size for table in tables.values()) + 1, dtype)
    offset = 0
    for slot, table in tables.items():
        at[slot] = offset
        pool[offset : offset + table.size] = np.asarray(table).ravel()
        offset += table.size
    return pool


def _sizes(world: World, layout: Layout) -> dict[int, int]:
    model = world.model
    kinds = [action.kind for action in world.actions]
    classes = _utility_classes(world)
    return {
        N_PROFILES: model.prior.shape[0],
        N_HIDDEN: model.prior.shape[1],
        N_OBSERVABLES: len(model.observables),
        N_ITEMS: len(world.items),
        N_VALUES: model.value_table.shape[1],
        N_CORE: len(model.core),
        N_DECISIONS: len(world.decisions),
        N_ACTIONS: len(world.actions),
        N_CONDITIONS: len(model.conditions),
        N_CONTRAINDICATIONS: len(world.contraindication),
        N_SET_UPS: len(world.set_up_cost_gbp),
        PER_START: model.profiles_per_start,
        N_INVESTIGATIONS: world.n_investigations,
        N_FEATURES: layout.raw_size,
        MAX_REVEALS: world.reveals.shape[1],
        MAX_FAILURES: model.item_failures.shape[1],
        MAX_STEPS: world.max_steps,
        N_WORDS: _bits(world).n_words,
        WAIT_ACTION: kinds.index("wait"),
        FIRST_DECISION: kinds.index("decide"),
        TOTALS_SLOT: layout.totals_slot,
        CONDITION_SLOT: layout.condition_slot,
        MARGINAL_SLOT: layout.marginal_slot,
        N_MARGINALS: layout.n_marginals,
        N_OTHERS: layout.marginal_of.shape[0],
        REGRET_SLOT: layout.regret_slot,
        N_DRAWN: sum(len(row) for rows in _drawn(world) for row in rows),
        N_LATE: int(_late(world).sum()),
        N_UTILITY_K: classes.table.shape[0],
        N_UTILITY_H: classes.table.shape[1],
    }


def _patient_ints(world: World) -> dict[int, NDArray[np.generic]]:
    model = world.model
    parents_at, parent, stride = _parents(model.core_stride)
    cells, _ = _value_cells(model)
    classes = _utility_classes(world)
    return {
        CORE_ROW: model.core_start,
        CORE_SIZE: model.core_size,
        PARENTS_AT: parents_at,
        PARENT: parent,
        PARENT_STRIDE: stride,
        CORE_K: model.core_profile_stride,
        CORE_H: model.core_hidden_stride,
        VALUE_START: cells.start,
        VALUE_OF_K: cells.of_profile.T,
        VALUE_OF_H: cells.of_hidden.T,
        TREATMENT: model.treatment,
        TREATMENT_STRIDE: model.treatment_stride,
        TREATMENT_CELLS: model.treatment_stride * (model.n_values - 1),
        **_rows(model.event_rows, EVENT_START, EVENT_OF_K, EVENT_OF_H),
        EVENT_PIVOT: model.event_pivot,
        EVENT_PIVOT_STRIDE: model.event_pivot_stride,
        EVENT_CHARGED: model.event_charged,
        REFUSAL: model.item_refusal,
        FAILURES: model.item_failures,
        WITHHELD: model.withheld,
        CORRUPTED: model.corrupted,
        REPORTED_START: model.reported_start,
        **_rows(model.evidence_rows, EVIDENCE_START, EVIDENCE_OF_K, EVIDENCE_OF_H),
        ATTEMPT_STRIDE: model.attempt_stride,
        **_likelihoods(world)[0],
        **_rows(model.status_rows, STATUS_START, STATUS_OF_K, STATUS_OF_H),
        STATUS_STRIDE: model.status_attempt_stride,
        STATUS_ON: np.where(_silent(model), ON_NOTHING, _depends_on(model, model.status_rows)),
        UTILITY_OF_K: classes.of_profile,
        UTILITY_OF_H: classes.of_hidden,
        CONDITION_OF: model.condition_of,
        PROGRESSES_TO: world.progresses_to,
        PROGRESSED: _progressed(world),
        VALUES_OF: model.n_values,
    }


def _silent(model: PatientModel) -> NDArray[np.bool_]:
    """(I,) whether the status of an item says nothing: it is never refused and never fails."""
    return np.asarray((model.item_refusal < 0) & (model.item_failures < 0).all(axis=1))


def _depends_on(model: PatientModel, rows: Rows) -> NDArray[np.int64]:
    """(n,) whether the rows depend on the condition, more of the hidden state, the profile, or both."""
    by_profile = (rows.of_profile != rows.of_profile[:, :1]).any(axis=1)
    by_hidden = (rows.of_hidden != rows.of_hidden[:, :1]).any(axis=1)
    blocks = rows.of_hidden.reshape(len(rows.of_hidden), len(model.conditions), -1)
    within = (blocks != blocks[..., :1]).any(axis=(1, 2))
    choices = [by_profile & by_hidden, by_profile | ~by_hidden, within]
    return np.select(choices, [ON_BOTH, ON_PROFILE, ON_HIDDEN], ON_CONDITION)


def _likelihoods(world: World) -> tuple[dict[int, NDArray[np.generic]], NDArray[np.float64]]:
    """Likelihoods of the observables that no profile changes, one contiguous vector over conditions (or hidden states)
    for each report: attempt by attempt, untreated then treated, the values and last that it was withheld."""
    model, rows = world.model, world.model.evidence_rows
    on = _depends_on(model, rows)
    start, per_attempt, per_treated = np.zeros((3, len(on)), np.int64)
    vectors, offset = [], 0
    for o in np.flatnonzero((on == ON_CONDITION) | (on == ON_HIDDEN)):
        step = model.prior.shape[1] // len(model.conditions) if on[o] == ON_CONDITION else 1
        attempts = int(world.attempts[model.item_of[o]]) if model.attempt_stride[o] else 1
        treated = 2 if model.treatment_stride[o] else 1
        base = int(rows.start[o] + rows.of_profile[o, 0]) + rows.of_hidden[o, ::step]
        tables = [
            model.evidence_table[base + attempt * model.attempt_stride[o] + after * model.treatment_stride[o]].T
            for attempt in range(attempts)
            for after in range(treated)
        ]
        reports = [np.vstack([table[: model.n_values[o]], table[-1:]]) for table in tables]
        start[o], per_treated[o] = offset, reports[0].size if treated > 1 else 0
        per_attempt[o] = treated * reports[0].size if attempts > 1 else 0
        vectors.append(np.concatenate(reports).ravel())
        offset += vectors[-1].size
    where: dict[int, NDArray[np.generic]] = {
        LIKELIHOOD_ON: on,
        LIKELIHOOD_START: start,
        LIKELIHOOD_ATTEMPT: per_attempt,
        LIKELIHOOD_TREATED: per_treated,
    }
    return where, np.concatenate([*vectors, np.zeros(1)])


class _Classes(NamedTuple):
    """Utilities without repetition: table (profile classes, hidden classes, D + 1), the class of each profile and of
    each hidden state. The last column is what truncation brings; hidden classes are padded to a multiple of four."""

    table: NDArray[np.float64]
    of_profile: NDArray[np.int64]
    of_hidden: NDArray[np.int64]


def _utility_classes(world: World) -> _Classes:
    utility = np.moveaxis(np.concatenate([world.utility_gbp, world.utility_gbp.min(axis=0, keepdims=True)]), 0, 2)
    _, profiles, of_profile = np.unique(utility, axis=0, return_index=True, return_inverse=True)
    _, hidden, of_hidden = np.unique(utility, axis=1, return_index=True, return_inverse=True)
    padded = np.pad(hidden, (0, -len(hidden) % 4), mode="edge")
    return _Classes(utility[profiles][:, padded], of_profile.ravel(), of_hidden.ravel())


def _value_cells(model: PatientModel) -> tuple[Rows, NDArray[np.float64]]:
    """Laws of true values without padding: the n - 1 thresholds of each row, one observable after another.

    Padded rows would not fit the fastest cache, and every finding of every patient is drawn from here.
    """
    rows, thresholds = model.value_rows, model.n_values - 1
    ends = np.append(np.unique(rows.start)[1:], len(model.value_table))
    start = np.zeros(len(thresholds), np.int64)
    cells, offset = [], 0
    for o in np.argsort(rows.start, kind="stable"):
        last = int(ends[ends > rows.start[o]].min())
        law = _cumulative(model.value_table[rows.start[o] : last])[:, : thresholds[o]]
        start[o] = offset
        cells.append(law.ravel())
        offset += law.size
    scale = thresholds[:, None]
    return Rows(start.astype(np.int32), rows.of_profile * scale, rows.of_hidden * scale), np.concatenate(cells)


def _rows(rows: Rows, start: int, of_k: int, of_h: int) -> dict[int, NDArray[np.generic]]:
    return {start: rows.start, of_k: rows.of_profile, of_h: rows.of_hidden}


def _parents(stride: NDArray[np.int32]) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    child, parent = np.nonzero(stride)
    return np.searchsorted(child, np.arange(len(stride) + 1)), parent, stride[child, parent].astype(np.int64)


def _progressed(world: World) -> NDArray[np.int64]:
    """(H,) the hidden state with the worse condition in place of its own."""
    model = world.model
    per_condition = model.prior.shape[1] // len(model.conditions)
    states = np.arange(model.prior.shape[1])
    worse = world.progresses_to[model.condition_of]
    return np.where(worse >= 0, states + (worse - model.condition_of) * per_condition, states)


def _rule_ints(world: World, layout: Layout) -> dict[int, NDArray[np.generic]]:
    n_items = len(world.items)
    contra = np.argsort(world.contraindication[:, 0], kind="stable")
    watched = _watched(world)
    opens = world.opens_journey > 0
    early = [sum(bool(opens[j]) for j in row) for row in watched]
    sets = [_sets_of(world, row) for row in watched]
    sets_early = [sum(bool(opens[list(world.actions[a].items)].all()) for a in row) for row in sets]
    late = _late(world)
    members = [list(action.items) for action in world.actions]
    return {
        REVEALS: world.reveals,
        **_reveal_lists(world, layout),
        TREATABLE: (np.append(world.model.treatment, -1)[world.reveals] >= 0).any(axis=1),
        SET_UP: world.set_up,
        ATTEMPTS: world.attempts,
        OPENS: world.opens_journey,
        LATE: np.flatnonzero(late),
        CONTRA_AT: _starts(world.contraindication[contra, 0], n_items),
        CONTRA_OBSERVABLE: world.contraindication[contra, 1],
        CONTRA_BAD: world.contraindication_values[contra],
        **_legality_ints(world),
        WATCHED_AT: _offsets(watched),
        WATCHED_EARLY: _offsets(watched)[:-1] + early,
        WATCHED: _flat(watched),
        SETS_AT: _offsets(sets),
        SETS_EARLY: _offsets(sets)[:-1] + sets_early,
        SETS: _flat(sets),
        ACTION_KIND: np.array([KINDS[action.kind] for action in world.actions]),
        MEMBERS_AT: _offsets(members),
        MEMBERS: _flat(members),
        ACTION_OF_ITEM: _action_of_item(world),
    }


def _late(world: World) -> NDArray[np.bool_]:
    """(I,) whether any cost or harm of an item is put off to the end."""
    return np.asarray((world.late_cost_gbp != 0).any(axis=(1, 2)) | (world.late_harm_gbp != 0).any(axis=(1, 2)))


def _plain(model: PatientModel) -> NDArray[np.bool_]:
    """(O,) whether an observable is always reported as it is, whatever was done before."""
    return np.asarray((model.n_values > 1) & (model.treatment < 0) & (model.withheld < 0) & (model.corrupted < 0))


def _drawn(world: World) -> tuple[list[list[int]], list[list[int]]]:
    """Per item, the plain findings with two values, and those with more."""
    lists, plain, n = _lists(world), _plain(world.model), world.model.n_values
    two = [[o for o in row if plain[o] and n[o] == 2] for row in lists]
    more = [[o for o in row if plain[o] and n[o] > 2] for row in lists]
    return two, more


def _lists(world: World) -> list[list[int]]:
    return [row[row >= 0].tolist() for row in world.reveals]


def _reveal_lists(world: World, layout: Layout) -> dict[int, NDArray[np.generic]]:
    """Findings of each item by how they are drawn: plain ones side by side, those with two values first (with the
    number of their draw, their place in the observation and their first threshold by profile and hidden state); the
    rest, that need care; and, from item I on, all as if they did. RULED are those that a rule looks at, by item and
    word of their bits."""
    model, (cells, _) = world.model, _value_cells(world.model)
    lists, plain, bits = _lists(world), _plain(model), _bits(world)
    two, more = _drawn(world)
    drawn = [a + b for a, b in zip(two, more, strict=True)]
    order = _flat(drawn)
    careful = [[o for o in row if not plain[o]] for row in lists] + lists
    ruled = [[o for o in row if bits.fact_word[o] == word] for row in lists for word in range(bits.n_words)]
    return {
        DRAWN_AT: _offsets(drawn),
        DRAWN_TWO: _offsets(drawn)[:-1] + [len(row) for row in two],
        DRAWN: order,
        DRAWN_STREAM: VALUE + order,
        DRAWN_SLOT: layout.slot[order],
        DRAWN_OF_K: (cells.start[:, None] + cells.of_profile)[order].T,
        DRAWN_OF_H: cells.of_hidden[order].T,
        CAREFUL_AT: _offsets(careful),
        CAREFUL: _flat(careful),
        RULED_AT: _offsets(ruled),
        RULED: _flat(ruled),
        RULED_BIT: bits.fact_bit[_flat(ruled)],
    }


@dataclass(frozen=True, eq=False)
class _Bits:
    """One bit for each revealed value and each status that a rule looks at, so that a rule on facts is one look at a few
    words. Bits of one observable (or item) lie in one word of 63; the word of what no rule looks at is -1.
    """

    fact_word: NDArray[np.int64]
    fact_bit: NDArray[np.int64]
    status_word: NDArray[np.int64]
    status_bit: NDArray[np.int64]
    n_words: int

    def facts(self, o: int, allowed: NDArray[np.bool_]) -> NDArray[np.int64]:
        """(n_words,) the bits of these values."""
        return self._set(self.fact_word[o], self.fact_bit[o], allowed)

    def statuses(self, item: int, allowed: NDArray[np.bool_]) -> NDArray[np.int64]:
        """(n_words,) the bits of these statuses."""
        return self._set(self.status_word[item], self.status_bit[item], allowed[:5])

    def _set(self, word: np.int64, bit: np.int64, allowed: NDArray[np.bool_]) -> NDArray[np.int64]:
        words = np.zeros(self.n_words, np.int64)
        words[word] = sum(1 << int(bit + v) for v in np.flatnonzero(allowed))
        return words


def _bits(world: World) -> _Bits:
    clauses = world.clauses.tolist()
    facts = {int(row[1]) for table in (world.contraindication, world.known_refusal) for row in table}
    facts |= {target for _, _, kind, target in clauses if kind == 0}
    statuses = {target for _, _, kind, target in clauses if kind == 1}
    places, word, bit = [], 0, 0
    sizes = [(o in facts, int(size)) for o, size in enumerate(world.model.n_values)]
    for wanted, size in sizes + [(item in statuses, 5) for item in range(len(world.items))]:
        if wanted and bit + size > 63:
            word, bit = word + 1, 0
        places.append((word, bit) if wanted else (-1, 0))
        bit += size if wanted else 0
    table, n = np.array(places, np.int64), len(world.model.n_values)
    return _Bits(table[:n, 0], table[:n, 1], table[n:, 0], table[n:, 1], word + 1)


def _legality_ints(world: World) -> dict[int, NDArray[np.generic]]:
    """Bits of facts that forbid an item (contraindications, known refusals), and for each requirement those of which
    one must be there."""
    bits, n_items, n_values = _bits(world), len(world.items), world.model.n_values
    forbidding = np.zeros((n_items, bits.n_words), np.int64)
    for rows, values in (
        (world.contraindication, world.contraindication_values),
        (world.known_refusal, world.known_refusal_values),
    ):
        for (item, o), bad in zip(rows.tolist(), values, strict=True):
            forbidding[item] |= bits.facts(o, bad[: n_values[o]])
    needs: list[dict[int, NDArray[np.int64]]] = [{} for _ in range(n_items)]
    for (item, group, kind, target), allowed in zip(world.clauses.tolist(), world.clause_values, strict=True):
        words = bits.facts(target, allowed[: n_values[target]]) if kind == 0 else bits.statuses(target, allowed)
        needs[item][group] = needs[item].get(group, np.zeros(bits.n_words, np.int64)) | words
    return {
        FACT_WORD: bits.fact_word,
        FACT_BIT: bits.fact_bit,
        STATUS_WORD: bits.status_word,
        STATUS_BIT: bits.status_bit,
        RULES: np.logical_or(forbidding.any(axis=1), [len(groups) > 0 for groups in needs]),
        FORBIDDING: forbidding,
        NEEDS_AT: _offsets([list(groups) for groups in needs]),
        NEEDS: np.array([words for groups in needs for words in groups.values()], np.int64),
    }


def _starts(sorted_items: NDArray[np.int32], n_items: int) -> NDArray[np.int64]:
    return np.searchsorted(sorted_items, np.arange(n_items + 1))


def _offsets(lists: list[list[int]]) -> NDArray[np.int64]:
    return np.cumsum([0] + [len(row) for row in lists])


def _flat(lists: list[list[int]]) -> NDArray[np.int64]:
    return np.array([entry for row in lists for entry in row], dtype=np.int64)


def _watched(world: World) -> list[list[int]]:
    """Per item, the items whose legality may change once it was ordered or reported: first those of history and
    examination, which alone can be legal until both have a result."""
    watched: list[list[int]] = []
    for item in range(len(world.items)):
        facts = set(world.reveals[item][world.reveals[item] >= 0].tolist())
        others = {int(row[0]) for row in world.contraindication if int(row[1]) in facts}
        others |= {int(row[0]) for row in world.known_refusal if int(row[1]) in facts}
        for owner, _, kind, target in world.clauses.tolist():
            if (kind == 0 and target in facts) or (kind == 1 and target == item):
                others.add(owner)
        watched.append(sorted(others | {item}, key=lambda j: (not world.opens_journey[j], j)))
    return watched


def _sets_of(world: World, items: list[int]) -> list[int]:
    """The sets with any of these items, those wholly of history and examination first."""
    opens = world.opens_journey > 0
    return sorted(
        {a for j in items for a in _sets_with(world, j)},
        key=lambda a: (not opens[list(world.actions[a].items)].all(), a),
    )


def _sets_with(world: World, item: int) -> list[int]:
    return [a for a, action in enumerate(world.actions) if action.kind == "set" and item in action.items]


def _action_of_item(world: World) -> NDArray[np.int64]:
    of_item = np.full(len(world.items), -1)
    for a, action in enumerate(world.actions):
        if action.kind in ("order", "act"):
            of_item[action.items[0]] = a
    return of_item


def _layout_ints(world: World, layout: Layout) -> dict[int, NDArray[np.generic]]:
    return {
        FACT_KIND: layout.kind,
        FACT_SLOT: layout.slot,
        STATUS_SLOT: layout.status_slot,
        TREATED_SLOT: layout.treated_slot,
        MARGINAL_OF: layout.marginal_of,
    }


def _cumulative(table: NDArray[np.float64]) -> NDArray[np.float64]:
    """Cumulative rows whose last possible value ends beyond 1, so that rounding never draws an impossible value."""
    total = np.cumsum(table, axis=1)
    positive = table > 0
    last = table.shape[1] - 1 - np.argmax(positive[:, ::-1], axis=1)
    total[np.arange(table.shape[1]) >= last[:, None]] = 2.0
    return total


def _patient_reals(world: World) -> dict[int, NDArray[np.generic]]:
    model = world.model
    return {
        CORE_CUMULATIVE: _cumulative(np.diff(model.core_table, axis=1, prepend=0.0)),
        VALUE_CUMULATIVE: _value_cells(model)[1],
        EVENT_CHANCE: model.event_table,
        REPORTED_CUMULATIVE: _cumulative(model.reported_table) if model.reported_table.size else np.zeros(1),
        EVIDENCE: model.evidence_table,
        LIKELIHOOD: _likelihoods(world)[1],
        STATUS_CHANCE: model.status_table,
        PRIOR: model.prior,
    }


def _world_reals(world: World, layout: Layout) -> dict[int, NDArray[np.generic]]:
    model = world.model
    contra = np.argsort(world.contraindication[:, 0], kind="stable")
    late = _late(world)
    utility = _utility_classes(world).table
    return {
        COST: world.cost_gbp,
        TURNAROUND: world.turnaround_h,
        DOSE: world.dose_msv,
        HARM: world.harm_gbp,
        SET_UP_COST: world.set_up_cost_gbp,
        SET_UP_HARM: world.set_up_harm_gbp,
        SET_UP_REPEATS: 1.0 - world.set_up_once,
        LATE_COST: world.late_cost_gbp[late],
        LATE_HARM: world.late_harm_gbp[late],
        CONTRA_LOSS: world.contraindication_loss_gbp[contra],
        WAITING_COST: world.waiting_cost_gbp_per_h,
        PROGRESSION_RATE: world.progression_rate_per_h,
        WAITING_FACTOR: world.waiting_factor,
        PROGRESSION_FACTOR: world.progression_factor,
        BENEFIT: world.benefit_gbp,
        UTILITY: utility,
        UTILITY_RANGE: np.array([utility.min(), max(float(np.ptp(utility)), 1e-9)]),
        WEIGHTS: world.weights,
        NEW_VISIT: np.array([world.new_visit_after_h]),
        BUDGET: np.full(3, np.inf),
        STATUS_LEVEL: STATUS_LEVELS,
        SCALE: SCALES,
        START_BEST: np.zeros(model.n_starts),
        START_POSTERIOR: np.zeros((model.n_starts, len(model.conditions))),
        START_EXPECTED: np.zeros((model.n_starts, 5 + len(world.decisions))),
    }
