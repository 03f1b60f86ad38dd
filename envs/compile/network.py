"""A scenario as a plain Bayesian network, every mechanism a variable of its own.

Besides the scenario's own variables (findings untreated):

    'crp after antibiotics'     the finding once that act was done
    'kidney_test attempt 1'     result, failed (charged or not) or refused (attempt 2: by patients whose first failed)
    'film reported'             the value as reported, or 'withheld'; meant for reports of results

Built from the written tables alone, so that elimination over it checks the summed tables of the patient model.
"""

from __future__ import annotations

import numpy as np

from workup.envs.compile.evidence import event_of, failures_of
from workup.envs.compile.laws import Event, Laws
from workup.envs.compile.layout import Floats, aligned, union
from workup.envs.model.network import Network, NetworkVariable
from workup.scenarios.language.tables import Table

RESULT, FAILED, FAILED_UNPAID, REFUSED = "result", "failed", "failed unpaid", "refused"
WITHHELD, NOT_TRIED = "withheld", "not tried"


def network_of(laws: Laws) -> Network:
    """The network over all variables of a scenario, its results and their availability."""
    variables = []
    for name, law in laws.laws.items():
        variables += _law_variables(laws, name, law)
    for item in laws.items:
        variables += _status_variables(laws, item)
    for name in laws.item_revealing:
        variables += _report_variables(laws, name)
    return Network(tuple(variables))


def attempt_name(item: str, attempt: int) -> str:
    """Name of the status variable of an item's attempt, counted from 1."""
    return f"{item} attempt {attempt}"


def report_name(finding: str) -> str:
    """Name of the variable of a finding's reported value."""
    return f"{finding} reported"


def after_name(finding: str, act: str) -> str:
    """Name of the variable of a finding once an act was done."""
    return f"{finding} after {act}"


def _law_variables(laws: Laws, name: str, law: Table) -> list[NetworkVariable]:
    values = laws.axes[name].values
    act = next((parent for parent in law.parents if parent in laws.scenario.acts), None)
    if act is None:
        return [NetworkVariable(name, values, law.parents, law.values)]
    axis = law.parents.index(act)
    others = tuple(parent for parent in law.parents if parent != act)
    untreated, treated = np.moveaxis(law.values, axis, 0)
    return [
        NetworkVariable(name, values, others, untreated),
        NetworkVariable(after_name(name, act), values, others, treated),
    ]


def _status_variables(laws: Laws, item: str) -> list[NetworkVariable]:
    """One variable for each attempt; none for an item that always gives its result."""
    refusal, fails = event_of(laws, "refused", item), failures_of(laws, item)
    if refusal is None and not fails:
        return []
    names = union(*(event.table.parents for event in fails))
    success: Floats = np.ones([laws.size(name) for name in names])
    paid, unpaid = np.zeros_like(success), np.zeros_like(success)
    for event in fails:  # the first that happens decides whether the attempt is paid for
        happens = aligned(event.table.values, event.table.parents, names)
        if event.charged:
            paid = paid + success * happens
        else:
            unpaid = unpaid + success * happens
        success = success * (1.0 - happens)
    first = union(names, refusal.table.parents if refusal else ())
    accepts = 1.0 - _along(refusal, first)
    columns = (*(accepts * aligned(part, names, first) for part in (success, paid, unpaid)), 1.0 - accepts)
    shape = [laws.size(name) for name in first]
    table = np.stack([np.broadcast_to(column, shape) for column in columns], axis=-1)
    variables = [NetworkVariable(attempt_name(item, 1), (RESULT, FAILED, FAILED_UNPAID, REFUSED), first, table)]
    again = np.stack([success, paid, unpaid, np.zeros_like(success)], axis=-1)
    never = np.broadcast_to(np.array([0.0, 0.0, 0.0, 1.0]), again.shape)
    for attempt in range(2, laws.items[item].attempts + 1):
        # Tried again only after a failure; otherwise the last value, 'not tried'.
        before = (never, again, again, never)
        variables.append(
            NetworkVariable(
                attempt_name(item, attempt),
                (RESULT, FAILED, FAILED_UNPAID, NOT_TRIED),
                (attempt_name(item, attempt - 1), *names),
                np.stack(before),
            )
        )
    return variables


def _along(event: Event | None, names: tuple[str, ...]) -> Floats:
    if event is None:
        return np.zeros((1,) * len(names))
    return aligned(event.table.values, event.table.parents, names)


def _report_variables(laws: Laws, name: str) -> list[NetworkVariable]:
    """The reported value of a finding that may be withheld or corrupted; again for the finding after an act."""
    withheld, corrupted = event_of(laws, "withheld", name), event_of(laws, "corrupted", name)
    if withheld is None and corrupted is None:
        return []
    size = laws.size(name)
    others = union(*(event.table.parents for event in (withheld, corrupted) if event))
    names = (*(other for other in others if other != name), name)
    shape = [laws.size(other) for other in names]
    missing = np.broadcast_to(_along(withheld, names), shape)
    wrong = np.broadcast_to(_along(corrupted, names), shape)[..., None]
    said = (1.0 - wrong) * np.eye(size)
    if corrupted is not None and corrupted.reported is not None:
        said = said + wrong * corrupted.reported
    table = np.concatenate([said * (1.0 - missing)[..., None], missing[..., None]], axis=-1)
    values = (*laws.axes[name].values, WITHHELD)
    truths = [name, *(after_name(name, act) for act in laws.laws[name].parents if act in laws.scenario.acts)]
    return [NetworkVariable(report_name(truth), values, (*names[:-1], truth), table) for truth in truths]
