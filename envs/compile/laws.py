"""Every law of a scenario as an array: noise of a knowledge model applied, chance events listed, core found."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from graphlib import TopologicalSorter
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from workup.errors import UnknownNameError, WorkupError, suggestion
from workup.scenarios.language.amounts import Amount
from workup.scenarios.language.schema import Mechanism, Orderable, Scenario
from workup.scenarios.language.tables import Table, Tables, amounts
from workup.scenarios.language.vocabulary import Axis
from workup.scenarios.language.worth import parents_of

EventKind = Literal["refused", "unobtainable", "fails", "withheld", "corrupted"]


@dataclass(frozen=True)
class KnowledgeNoise:
    """How far an agent's knowledge is from the world's.

    Every row of the prior and of every finding and latent finding has its log-weights shifted by independent normal
    noise of sd / sqrt(2), so that the log-odds of any two values are off by a normal error of `sd`. What is
    impossible stays impossible; costs, harms, utilities and availability are known exactly.
    """

    sd: float
    seed: int

    def __post_init__(self) -> None:
        if not (np.isfinite(self.sd) and self.sd >= 0):
            raise WorkupError(f"the noise of a knowledge model has sd {self.sd}; expected a number of at least 0")


@dataclass(frozen=True, eq=False)
class Event:
    """A chance event that stands between a patient and a result.

    A mechanism that affects several items or findings is one event for each: given the patient they strike
    independently. Results that fail together share a latent finding that the chance depends on.
    """

    name: str
    """'ct.refused' or 'mechanism.target'."""
    kind: EventKind
    target: str
    """An item (refused, unobtainable, fails) or a finding (withheld, corrupted)."""
    table: Table
    """Its probability; the pivot, if any, is the last parent. Zero where it was switched off."""
    pivot: str | None
    """The affected finding itself, when its own true value matters and it is a leaf."""
    charged: bool
    reported: NDArray[np.float64] | None = None
    """corrupted: (true value, reported value)."""


@dataclass(frozen=True, eq=False)
class Laws:
    """All tables of a scenario."""

    scenario: Scenario
    tables: Tables
    laws: Mapping[str, Table]
    """P(value | parents) of 'condition' and of every context, comorbidity, latent and finding, noise applied."""
    events: tuple[Event, ...]
    item_revealing: Mapping[str, str]
    """Observable -> the item that reveals it."""
    core: tuple[str, ...]
    """Every variable that something depends on, context known at the start, and the condition; parents first."""

    @property
    def axes(self) -> Mapping[str, Axis]:
        """Every variable by name, acts included."""
        return self.tables.axes

    def size(self, name: str) -> int:
        """The number of values of a variable."""
        return len(self.axes[name].values)

    @cached_property
    def items(self) -> dict[str, Orderable]:
        """Investigations, then acts."""
        return {**self.scenario.investigations, **self.scenario.acts}


def laws_of(scenario: Scenario, *, switched_off: frozenset[str], noise: KnowledgeNoise | None) -> Laws:
    """Expand every table of a scenario.

    Raises:
        UnknownNameError: a mechanism to switch off that does not exist.
        LanguageError: a table that is not whole.
        WorkupError: what the patient model cannot hold, all reasons at once.
    """
    tables = Tables(scenario)
    declared = ["condition", *(scenario.context | scenario.comorbidities | scenario.latent | scenario.findings)]
    laws = {name: tables.variable(name) for name in declared}
    if noise is not None:
        noisy = {"condition", *scenario.latent, *scenario.findings}
        laws = {name: _noised(name, law, noise) if name in noisy else law for name, law in laws.items()}
    events = _events(scenario, tables)
    _check_names(switched_off, scenario, events)
    events = [_off(event) if _is_off(event, switched_off) else event for event in events]
    revealing = _item_revealing(scenario)
    core = _core(scenario, tables, laws, events)
    events = [replace(event, pivot=None) if event.pivot in core else event for event in events]
    _refuse_unsupported(scenario, laws, events, revealing, core)
    return Laws(scenario, tables, laws, tuple(events), revealing, _in_order(core, laws))


def _noised(name: str, law: Table, noise: KnowledgeNoise) -> Table:
    rng = np.random.Generator(np.random.Philox(key=[noise.seed & (2**64 - 1), zlib.crc32(name.encode())]))
    weights = law.values * np.exp(rng.normal(0.0, noise.sd / np.sqrt(2.0), law.values.shape))
    return Table(law.parents, weights / weights.sum(axis=-1, keepdims=True))


def _events(scenario: Scenario, tables: Tables) -> list[Event]:
    items: dict[str, Orderable] = {**scenario.investigations, **scenario.acts}
    events = [
        Event(f"{item}.refused", "refused", item, tables.refusal(item), None, False)
        for item, orderable in items.items()
        if orderable.refusable is not None
    ]
    for name, mechanism in scenario.availability.items():
        table = tables.mechanism(name)
        for target in mechanism.affects:
            pivot = _pivot(mechanism, table, target, items)
            reported = tables.reported(name, target) if mechanism.kind == "corrupted" else None
            laid = _pivot_last(table, pivot)
            events.append(Event(f"{name}.{target}", mechanism.kind, target, laid, pivot, mechanism.charged, reported))
    return events


def _pivot(mechanism: Mechanism, table: Table, target: str, items: Mapping[str, Orderable]) -> str | None:
    """The affected finding itself among the parents, if there is one."""
    own = (target,) if mechanism.kind in ("withheld", "corrupted") else items[target].reveals
    found = [parent for parent in table.parents if parent in own]
    return found[-1] if found else None


def _pivot_last(table: Table, pivot: str | None) -> Table:
    if pivot is None:
        return table
    axis = table.parents.index(pivot)
    others = tuple(parent for parent in table.parents if parent != pivot)
    return Table((*others, pivot), np.moveaxis(table.values, axis, -1))


def _check_names(switched_off: frozenset[str], scenario: Scenario, events: list[Event]) -> None:
    known = [*scenario.availability, *(event.name for event in events if event.kind == "refused")]
    for name in sorted(switched_off.difference(known)):
        raise UnknownNameError(f"{name!r} is no mechanism that can be switched off{suggestion(name, known)}")


def _is_off(event: Event, switched_off: frozenset[str]) -> bool:
    mechanism = event.name.removesuffix(f".{event.target}")
    return event.name in switched_off if event.kind == "refused" else mechanism in switched_off


def _off(event: Event) -> Event:
    """The event with probability zero: it keeps its number, and with it everybody else's random draws."""
    return replace(event, table=Table(event.table.parents, np.zeros_like(event.table.values)))


def _item_revealing(scenario: Scenario) -> dict[str, str]:
    revealing: dict[str, str] = {}
    for item, orderable in (*scenario.investigations.items(), *scenario.acts.items()):
        for name in orderable.reveals:
            if name in revealing:
                raise WorkupError(
                    f"{name} is revealed by both {revealing[name]} and {item}; expected one item: give the second "
                    "look a finding of its own (with a shared latent finding as parent)"
                )
            revealing[name] = item
    return revealing


def _core(scenario: Scenario, tables: Tables, laws: Mapping[str, Table], events: list[Event]) -> frozenset[str]:
    items: dict[str, Orderable] = {**scenario.investigations, **scenario.acts}
    parents = {"condition", *(name for name, variable in scenario.context.items() if variable.known == "at_start")}
    for law in laws.values():
        parents.update(law.parents)
    for event in events:
        parents.update(parent for parent in event.table.parents if parent != event.pivot)
    for item, orderable in items.items():
        for name in orderable.complications:
            parents.update(tables.complication(item, name).parents)
        if orderable.incidental is not None:
            parents.update(tables.incidental(item).parents)
    for decision in scenario.decisions.values():
        parents.update(parents_of(decision))
    for _, amount in amounts(scenario):
        parents.update(amount.given)
    for orderable in items.values():
        for against in orderable.contraindicated:
            if isinstance(against.loss_gbp, Amount):
                parents.update(name for name in against.when if name in laws)
    return frozenset(parents.difference(scenario.acts))


def _in_order(core: frozenset[str], laws: Mapping[str, Table]) -> tuple[str, ...]:
    """Parents first, otherwise in the order of the file."""
    sorter = TopologicalSorter({name: [p for p in laws[name].parents if p in core] for name in laws if name in core})
    return tuple(sorter.static_order())


def _refuse_unsupported(
    scenario: Scenario,
    laws: Mapping[str, Table],
    events: list[Event],
    revealing: Mapping[str, str],
    core: frozenset[str],
) -> None:
    faults = []
    treated = {name: [p for p in law.parents if p in scenario.acts] for name, law in laws.items()}
    for name, acts in treated.items():
        if len(acts) > 1:
            faults.append(f"{name} depends on {' and '.join(acts)}; expected one act at most")
        if acts and name in core:
            faults.append(f"{name} depends on the act {acts[0]}, and others depend on {name}; one or the other")
        if acts and name not in scenario.findings:
            faults.append(f"{name} depends on the act {acts[0]}; only findings can")
    seen: dict[tuple[str, str], str] = {}
    pivots: dict[str, str] = {}
    for event in events:
        if event.kind in ("withheld", "corrupted"):
            if event.target not in revealing:
                faults.append(f"{event.name}: {event.target} is revealed by no item, so it cannot be {event.kind}")
            if (other := seen.setdefault((event.target, event.kind), event.name)) != event.name:
                faults.append(f"{event.target} is {event.kind} by both {other} and {event.name}; join them")
        elif event.pivot is not None:
            if pivots.setdefault(event.target, event.pivot) != event.pivot:
                faults.append(
                    f"{event.target} fails by {pivots[event.target]} and by {event.pivot}; let one finding decide, or "
                    "make one of them a latent finding"
                )
            if treated[event.pivot]:
                faults.append(f"{event.name} depends on {event.pivot}, which depends on an act; one or the other")
        if event.kind == "refused" or not any(parent in scenario.acts for parent in event.table.parents):
            continue
        faults.append(f"{event.name} depends on an act; mechanisms depend on the patient")
    if faults:
        raise WorkupError("\n".join(faults))
