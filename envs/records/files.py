"""Journey records as files that anyone can read: Parquet with one row per event, JSON with one object per journey."""

from __future__ import annotations

import json
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workup.envs.model.codes import COMPONENTS, MISSING, STATUS_NAMES
from workup.envs.records.journeys import Events, Journeys
from workup.errors import WorkupError
from workup.files import write_whole


def write_parquet(journeys: Journeys, path: Path) -> None:
    """One row per event (every order, result, time, posterior and component), readable without workup.

    Columns: agent, seed, patient, step, action, propensity (the probability with which the agent took it), visit, clock_h, clock_after_h, the four components (weighted, pounds,
    signed as in the reward), `P(<condition>)`, `<finding>` (its word, 'missing', or null while unknown),
    `<finding> number`, `<item> status`; and per journey the decision and the true condition. A finding that is called as
    one of the record's own columns (a finding `visit`, say) stands under `finding <name>`.

    Raises:
        WorkupError: the journeys were run without `record=True`.
    """
    import polars as pl

    events, world = _events(journeys), journeys.world
    model, row = world.model, events.journey
    columns: dict[str, Any] = {
        "agent": [journeys.agent] * len(row),
        "seed": np.full(len(row), journeys.seed),
        "patient": journeys.patient[row],
        "step": events.step,
        "action": _words([action.name for action in world.actions], events.action),
        "propensity": events.propensity,
        "visit": events.visit,
        "clock_h": events.clock_h,
        "clock_after_h": events.clock_after_h,
    }
    columns |= {f"{name}_gbp": events.components[:, c] for c, name in enumerate(COMPONENTS)}
    columns |= {f"P({name})": events.condition_posterior[:, c] for c, name in enumerate(model.conditions)}
    numeric = np.asarray(~np.isnan(model.numeric_range[:, :, 0]).all(axis=1))
    for o, name in enumerate(model.observables):
        words = np.array([*model.network.variable(name).values, "missing", None], dtype=object)
        # No name of the language holds a blank, so the longer name is free.
        free = f"finding {name}" if name in columns or name == "decision" else name
        columns[free] = words[events.values[:, o]].tolist()  # codes -2 and -1 count from the end
        if numeric[o]:
            columns[f"{name} number"] = pl.Series(events.numbers[:, o]).fill_nan(None)
    for i, name in enumerate(world.items):
        columns[f"{name} status"] = [STATUS_NAMES[code] for code in events.status[:, i]]
    columns["decision"] = [_decision(journeys, int(j)) for j in row]
    columns["true condition"] = [model.conditions[journeys.condition[j]] for j in row]
    frame = pl.DataFrame(columns)
    content = BytesIO()
    frame.write_parquet(content)
    write_whole(path, content.getvalue())


def write_json(journeys: Journeys, path: Path) -> None:
    """The same as JSON: one object per journey with its list of events.

    Raises:
        WorkupError: the journeys were run without `record=True`.
    """
    content = {
        "scenario": journeys.world.scenario.id,
        "scenario_digest": journeys.world.scenario.digest,
        "agent": journeys.agent,
        "seed": journeys.seed,
        "journeys": list(_journey_objects(journeys)),
    }
    write_whole(path, json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False))


def _events(journeys: Journeys) -> Events:
    if journeys.events is None:
        raise WorkupError("these journeys hold no events; run them with record=True to write them to a file")
    return journeys.events


def _journey_objects(journeys: Journeys) -> Iterator[dict[str, Any]]:
    events, model = _events(journeys), journeys.world.model
    n = len(journeys.patient)
    starts = np.searchsorted(events.journey, np.arange(n + 1))
    for j in range(n):
        yield {
            "patient": int(journeys.patient[j]),
            "decision": _decision(journeys, j),
            "true_condition": model.conditions[journeys.condition[j]],
            "value_gbp": float(journeys.value[j]),
            "components_gbp": dict(zip(COMPONENTS, journeys.components[j].tolist(), strict=True)),
            "expected_components_gbp": dict(zip(COMPONENTS, journeys.expected_components[j].tolist(), strict=True)),
            "cost_gbp": float(journeys.cost_gbp[j]),
            "dose_msv": float(journeys.dose_msv[j]),
            "tests": int(journeys.tests[j]),
            "clock_h": float(journeys.clock_h[j]),
            "v0_gbp": None if np.isnan(journeys.v0[j]) else float(journeys.v0[j]),
            "v0_open_gbp": None if np.isnan(journeys.v0_open[j]) else float(journeys.v0_open[j]),
            "events": [_event_object(journeys, events, m, m == starts[j]) for m in range(starts[j], starts[j + 1])],
        }


def _event_object(journeys: Journeys, events: Events, m: int, first: bool) -> dict[str, Any]:
    """One step: only what it changed is listed among results and statuses."""
    world = journeys.world
    model = world.model
    before = None if first else events.values[m - 1]
    was = np.zeros(len(world.items)) if first else events.status[m - 1]
    results = {}
    for o, name in enumerate(model.observables):
        code = int(events.values[m, o])
        if code == -1 or (before is not None and before[o] == code):
            continue
        word = "missing" if code == MISSING else model.network.variable(name).values[code]
        number = float(events.numbers[m, o])
        results[name] = {"value": word} if np.isnan(number) else {"value": word, "number": round(number, 4)}
    return {
        "step": int(events.step[m]),
        "action": _words([a.name for a in world.actions], events.action[m : m + 1])[0],
        "propensity": float(events.propensity[m]),
        "visit": int(events.visit[m]),
        "clock_h": float(events.clock_h[m]),
        "clock_after_h": float(events.clock_after_h[m]),
        "components_gbp": dict(zip(COMPONENTS, events.components[m].tolist(), strict=True)),
        "results": results,
        "status": {
            name: STATUS_NAMES[events.status[m, i]]
            for i, name in enumerate(world.items)
            if events.status[m, i] != was[i]
        },
        "posterior": dict(zip(model.conditions, events.condition_posterior[m].tolist(), strict=True)),
    }


def _decision(journeys: Journeys, j: int) -> str | None:
    code = int(journeys.decision[j])
    return None if code < 0 else journeys.world.decisions[code]


def _words(names: list[str], codes: NDArray[np.int32]) -> list[str]:
    return [names[code] if 0 <= code < len(names) else f"no such action ({code})" for code in codes]
