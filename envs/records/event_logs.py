"""Journeys as event logs for process mining: CSV and XES with the standard's attribute names.

One trace a journey, one event for every order, result and decision. Times are the journey's clock, counted from START.

Source: IEEE Standard for eXtensible Event Stream (XES), IEEE 1849: concept:name, time:timestamp, lifecycle:transition,
org:resource, cost:total and cost:currency, with the standard transactional life cycle.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from io import StringIO
from pathlib import Path
from xml.sax.saxutils import quoteattr

import numpy as np

from workup.envs.model.codes import FAILED, MISSING, NOT_ORDERED, PENDING, REFUSED, RESULT
from workup.envs.records.journeys import Events, Journeys
from workup.errors import WorkupError
from workup.files import write_whole

START = datetime(2000, 1, 1, tzinfo=UTC)
"""Every journey begins then: a clock, no date."""
CURRENCY = "GBP"
_ENDS = {RESULT: "complete", FAILED: "ate_abort", REFUSED: "withdraw"}
_EXTENSIONS = (
    ("Concept", "concept"), ("Time", "time"), ("Lifecycle", "lifecycle"), ("Organizational", "org"), ("Cost", "cost"),
)  # fmt: skip
COLUMNS = (
    "case:concept:name", "concept:name", "time:timestamp", "lifecycle:transition", "org:resource", "cost:total",
    "cost:currency", "propensity", "visit", "tier", "results", "case:decision", "case:true condition",
)  # fmt: skip


@dataclass(frozen=True)
class LogEvent:
    """One event of a journey."""

    journey: int
    """Row in Journeys."""
    activity: str
    """Name of the item, or `decide NAME`."""
    transition: str
    """schedule (ordered), complete (has a result), ate_abort (failed), withdraw (refused)."""
    clock_h: float
    visit: int
    tier: str
    """Of the item; 'decision' for decisions."""
    cost_gbp: float
    """What the step charged, weighted as in the reward, on its first event: a trace's costs sum to its cost component."""
    propensity: float
    """The probability with which the agent took the action of the step, on every event of the step."""
    results: tuple[tuple[str, str], ...]
    """(finding, its word or 'missing') that it revealed."""

    @property
    def timestamp(self) -> str:
        """ISO 8601 with milliseconds and time zone."""
        return (START + timedelta(hours=self.clock_h)).isoformat(timespec="milliseconds")


def log_events(journeys: Journeys) -> Iterator[LogEvent]:
    """The events of all journeys, by journey, then by time.

    Raises:
        WorkupError: the journeys were run without `record=True`.
    """
    events = journeys.events
    if events is None:
        raise WorkupError("these journeys hold no events; run them with record=True to write them to a file")
    for m in range(len(events.step)):
        first = m == 0 or events.journey[m - 1] != events.journey[m]
        cost = -float(events.components[m, 0])
        for activity, transition, clock_h, tier, results in _of_step(journeys, events, m, first):
            yield LogEvent(
                int(events.journey[m]), activity, transition, clock_h, int(events.visit[m]), tier, cost + 0.0,
                float(events.propensity[m]), results,
            )  # fmt: skip
            cost = 0.0


_Told = tuple[str, str, float, str, tuple[tuple[str, str], ...]]


def _of_step(journeys: Journeys, events: Events, m: int, first: bool) -> Iterator[_Told]:
    """activity, transition, clock, tier and results of what step m did."""
    world = journeys.world
    a = int(events.action[m])
    action = world.actions[a] if 0 <= a < len(world.actions) else None
    begun, ended = float(events.clock_h[m]), float(events.clock_after_h[m])
    was = np.full(len(world.items), NOT_ORDERED) if first else events.status[m - 1]
    now = events.status[m]
    if action is not None and action.kind == "decide":
        if journeys.decision[events.journey[m]] == action.decision and not _goes_on(events, m):
            yield action.name, "complete", begun, "decision", ()
        return
    ordered = action.items if action is not None else ()
    again = [i for i in ordered if was[i] == now[i] == FAILED and (events.components[m].any() or ended > begun)]
    changed = [*np.flatnonzero(was != now).tolist(), *again]
    for i in changed:
        if was[i] != PENDING and (now[i] == PENDING or (now[i] in (RESULT, FAILED) and ended > begun)):
            yield world.items[i], "schedule", begun, world.tier[i], ()
    for i in changed:
        if int(now[i]) in _ENDS:
            yield world.items[i], _ENDS[int(now[i])], ended, world.tier[i], tuple(_results(journeys, events, m, i))


def _goes_on(events: Events, m: int) -> bool:
    return m + 1 < len(events.journey) and bool(events.journey[m + 1] == events.journey[m])


def _results(journeys: Journeys, events: Events, m: int, item: int) -> Iterator[tuple[str, str]]:
    model = journeys.world.model
    for o in journeys.world.reveals[item]:
        code = int(events.values[m, o]) if o >= 0 else -1
        if code != -1:
            name = model.observables[o]
            yield name, "missing" if code == MISSING else str(model.network.variable(name).values[code])


def _ends(journeys: Journeys, j: int) -> tuple[str, str]:
    """The decision and the true condition of a journey."""
    world, code = journeys.world, int(journeys.decision[j])
    return ("none" if code < 0 else world.decisions[code]), world.model.conditions[journeys.condition[j]]


def write_csv(journeys: Journeys, path: Path) -> None:
    """One row per event; columns as in COLUMNS, results as `finding=word` with semicolons.

    A word's own ';' and '=' are written %3B and %3D, and its '%' is %25 where one of these three would follow otherwise.

    Raises:
        WorkupError: the journeys were run without `record=True`.
    """
    rows = [
        (
            int(journeys.patient[event.journey]), event.activity, event.timestamp, event.transition, journeys.agent,
            f"{event.cost_gbp:.10g}", CURRENCY, event.propensity, event.visit, event.tier,
            ";".join(f"{name}={_escaped(word)}" for name, word in event.results), *_ends(journeys, event.journey),
        )
        for event in log_events(journeys)
    ]  # fmt: skip

    file = StringIO(newline="")
    writer = csv.writer(file)
    writer.writerow(COLUMNS)
    writer.writerows(rows)
    write_whole(path, file.getvalue())


def _escaped(word: str) -> str:
    return re.sub(r"%(?=25|3B|3D)", "%25", word).replace(";", "%3B").replace("=", "%3D")


def write_xes(journeys: Journeys, path: Path) -> None:
    """An XES log: one trace per journey.

    Raises:
        WorkupError: the journeys were run without `record=True`.
    """
    write_whole(path, "\n".join(_xes(journeys)) + "\n")


def _xes(journeys: Journeys) -> Iterator[str]:
    scenario = journeys.world.scenario
    by_journey: dict[int, list[LogEvent]] = {j: [] for j in range(len(journeys.patient))}
    for event in log_events(journeys):
        by_journey[event.journey].append(event)
    yield '<?xml version="1.0" encoding="UTF-8"?>'
    yield '<log xes.version="1849-2016" xes.features="nested-attributes" xmlns="http://www.xes-standard.org/">'
    for name, prefix in _EXTENSIONS:
        yield f'  <extension name="{name}" prefix="{prefix}" uri="http://www.xes-standard.org/{prefix}.xesext"/>'
    yield '  <global scope="trace">'
    yield _attribute("string", "concept:name", "", 4)
    yield "  </global>"
    yield '  <global scope="event">'
    yield _attribute("string", "concept:name", "", 4)
    yield _attribute("date", "time:timestamp", START.isoformat(timespec="milliseconds"), 4)
    yield _attribute("string", "lifecycle:transition", "complete", 4)
    yield _attribute("string", "org:resource", "", 4)
    yield "  </global>"
    yield '  <classifier name="Activity" keys="concept:name"/>'
    yield _attribute(
        "string", "concept:name", f"{scenario.id} {scenario.version}: {journeys.agent}, seed {journeys.seed}", 2
    )
    yield _attribute("string", "lifecycle:model", "standard", 2)
    for j, events in by_journey.items():
        decision, condition = _ends(journeys, j)
        yield "  <trace>"
        yield _attribute("string", "concept:name", str(int(journeys.patient[j])), 4)
        yield _attribute("string", "decision", decision, 4)
        yield _attribute("string", "true condition", condition, 4)
        for event in events:
            yield "    <event>"
            yield _attribute("string", "concept:name", event.activity, 6)
            yield _attribute("date", "time:timestamp", event.timestamp, 6)
            yield _attribute("string", "lifecycle:transition", event.transition, 6)
            yield _attribute("string", "org:resource", journeys.agent, 6)
            yield _attribute("float", "cost:total", f"{event.cost_gbp:.10g}", 6)
            yield _attribute("string", "cost:currency", CURRENCY, 6)
            yield _attribute("float", "propensity", repr(event.propensity), 6)
            yield _attribute("int", "visit", str(event.visit), 6)
            yield _attribute("string", "tier", event.tier, 6)
            for name, word in event.results:
                yield _attribute("string", f"finding:{name}", word, 6)
            yield "    </event>"
        yield "  </trace>"
    yield "</log>"


def _attribute(kind: str, key: str, value: str, indent: int) -> str:
    return f"{' ' * indent}<{kind} key={quoteattr(key)} value={quoteattr(value)}/>"
