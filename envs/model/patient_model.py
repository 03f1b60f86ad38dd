"""The patient model: a scenario's Bayesian network, laid out so that inference is one product per fact.

Every variable with children is *core*; every other variable is a leaf, independent of the rest given the
core. Core variables split into the *profile* (context known at the start or told in the history) and the
*hidden state* (condition, comorbidities, latent findings, preferences not yet asked for). A patient is
(profile k, hidden state h) and independent leaf draws; a belief is a weight for each (k, h).

Symbols used for shapes: K profiles, H hidden states, O observables, I items (investigations then
acts), V values (the most any observable has), E chance events, N attempts.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from workup.envs.model.codes import Rows
from workup.envs.model.network import Network


@dataclass(frozen=True, eq=False)
class PatientModel:
    """Who the patients are, what is true of them, and what a result says about that."""

    network: Network
    """The same model as a plain Bayesian network: the scenario's own variables (findings untreated), findings after an
    act, statuses of attempts and reported values (names as in compile_network)."""

    # Core variables, in topological order, for ancestral sampling.
    core: tuple[str, ...]
    core_size: NDArray[np.int32]
    """(C,) number of values."""
    core_table: NDArray[np.float64]
    """(rows, V) cumulative probabilities of core variables, padded with 1."""
    core_start: NDArray[np.int32]
    """(C,) first row in core_table."""
    core_stride: NDArray[np.int32]
    """(C, C) row = core_start[c] + sum over earlier core j of value_j * core_stride[c, j]."""
    core_profile_stride: NDArray[np.int32]
    """(C,) k = sum of value * stride (0 for hidden ones)."""
    core_hidden_stride: NDArray[np.int32]
    """(C,) h = sum of value * stride (0 for profile ones)."""

    profile_variables: tuple[str, ...]
    """Those known at the start first; k is their mixed-radix index, so that the profiles that share a
    start are contiguous: k = start_index * profiles_per_start + rest."""
    hidden_variables: tuple[str, ...]
    """The condition first, so that h // (H / n_conditions) is the condition."""
    n_starts: int
    profiles_per_start: int
    prior: NDArray[np.float64]
    """(K, H) joint probability, sums to 1."""
    conditions: tuple[str, ...]
    condition_of: NDArray[np.int32]
    """(H,) index into conditions."""

    # Observables: every variable that a start or an item can reveal, those known at the start first.
    observables: tuple[str, ...]
    n_values: NDArray[np.int32]
    """(O,)"""
    n_known_at_start: int
    role: tuple[str, ...]
    """Per observable: 'profile', 'hidden' or 'leaf'."""
    value_rows: Rows
    """Of the true value's distribution in value_table (identity rows for core variables)."""
    value_table: NDArray[np.float64]
    """(rows, V) probability of each value, padded with 0."""
    treatment: NDArray[np.int32]
    """(O,) the act (item index) after which the finding follows another law, or -1."""
    treatment_stride: NDArray[np.int32]
    """(O,) rows to add once that act is done; same stride in evidence_table."""

    # Chance events: refusals and availability mechanisms. Probability event_table[row].
    event_names: tuple[str, ...]
    event_rows: Rows
    event_pivot: NDArray[np.int32]
    """(E,) the observable whose true value the probability depends on, or -1."""
    event_pivot_stride: NDArray[np.int32]
    """(E,) rows to add per unit of that value."""
    event_table: NDArray[np.float64]
    """(rows,)"""
    item_refusal: NDArray[np.int32]
    """(I,) event or -1."""
    item_failures: NDArray[np.int32]
    """(I, M) events (unobtainable first, then fails), padded with -1; tried in order, once per attempt."""
    event_charged: NDArray[np.bool_]
    """(E,) whether a failure by this event is still paid for (and takes its time)."""
    withheld: NDArray[np.int32]
    """(O,) event or -1."""
    corrupted: NDArray[np.int32]
    """(O,) event or -1; then the reported value is drawn from reported_table[reported_start[o] + value]."""
    reported_start: NDArray[np.int32]
    reported_table: NDArray[np.float64]
    """(rows, V)"""

    # What a report says: likelihoods given (k, h), every mechanism summed out.
    item_of: NDArray[np.int32]
    """(O,) the item that reveals the observable, -1 for those known at the start, -2 for what nothing reveals (a
    contraindication that cannot be known)."""
    evidence_rows: Rows
    """(O) rows; add treatment_stride[o] if the act is done, and attempt * attempt_stride[o] (attempt = number
    of failed attempts before)."""
    attempt_stride: NDArray[np.int32]
    evidence_table: NDArray[np.float64]
    """(rows, V + 1) P(report | k, h, result obtained at this attempt); last column: withheld."""
    values_only_table: NDArray[np.float64]
    """(rows, V + 1) the same, missingness taken as uninformative (last column 1)."""
    status_rows: Rows
    """(I) rows; add attempt * status_attempt_stride[i]."""
    status_attempt_stride: NDArray[np.int32]
    status_table: NDArray[np.float64]
    """(rows, 4) P(result, failed, refused | k, h, and the failures before), and P(the order stands): neither refused nor
    failed by an event that is not charged, which is told at once."""

    numeric_range: NDArray[np.float64]
    """(O, V, 2) the number inside a value: lower and upper end of its band or step; NaN if categorical."""
    log_uniform: NDArray[np.bool_]
    """(O,) the law of the number inside its band."""
