"""What the fusion benchmark found, as tables of Markdown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from workup.benchmarks.library_page import table_line
from workup.benchmarks.runner import Done
from workup.errors import FileFormatError
from workup.files import write_whole
from workup.studies.fusion.ceilings.closed import ceilings
from workup.studies.fusion.compare import Compared
from workup.studies.fusion.tasks import TASKS

TABLES: Final = ("<!-- tables: workup bench fusion --out docs/fusion.md -->", "<!-- end of the tables -->")
"""The marks of a page between which tables go."""
LIBRARY: Final = (
    "<!-- tables: workup bench fusion-library --out docs/fusion.md -->",
    "<!-- end of the library's tables -->",
)
"""Those of the library's tables."""
NONE: Final = "–"
_WITHOUT: Final = "without_"
_EXACT: Final = {"late": "late", "mean": "mean", "values_only": "joint", "with_mask": "joint_with_mask"}
"""What a method may pass on -> the exact score that it is held against."""


@dataclass(frozen=True)
class Key:
    """What runs of different seeds share."""

    task: str
    view: str
    method: str
    size: str
    record: str


Found = Mapping[Key, Sequence[Mapping[str, Any]]]
"""Results of every seed."""


def gathered(done: Sequence[Done]) -> dict[Key, list[Mapping[str, Any]]]:
    """Results by what they share, in the order of the cells."""
    found: dict[Key, list[Mapping[str, Any]]] = {}
    for each in done:
        _, task, view = each.cell.scenario.split("/")
        method, size, record = each.cell.agent.rsplit("/", 2)
        found.setdefault(Key(task, view, method, size, record), []).append(each.result)
    return found


def mean_of(results: Sequence[Mapping[str, Any]], test: str, measure: str) -> float | None:
    """Over the seeds that ended well and have it; None if there are none."""
    values = [r["tests"][test][measure] for r in results if r["status"] == "ok" and measure in r["tests"].get(test, {})]
    return float(np.mean(values)) if values else None


def markdown(done: Sequence[Done], compared: Sequence[Compared]) -> list[str]:
    """Lines: tables of every view and size, of shifts, of missing data, of benefit, of contrasts, and of what went wrong."""
    found = gathered(done)
    lines = ceilings_table()
    for view, size in sorted({(key.view, key.size) for key in found}, key=lambda each: (each[0], int(each[1][1:]))):
        of = {key: value for key, value in found.items() if (key.view, key.size) == (view, size)}
        lines += _of_view(of, view, size)
    lines += _curves(found) + _benefit(found) + _contrasts(compared) + _wrong(found) + _spent(found)
    return lines


def ceilings_table() -> list[str]:
    """What can be reached at best, of every task, by what is passed on and by whose records are tested."""
    classes = ("single", "report", "mean", "late", "joint", "joint_with_mask")
    rows = []
    for name, task in TASKS.items():
        known = ceilings(name)
        for policy in task.policies:
            found = {kind: of[policy]["auroc"] for kind, of in known.items() if policy in of}
            best = max(value for kind, value in found.items() if kind.startswith("single:"))
            rows.append([name, policy, *(f"{found.get(kind, best):.3f}" for kind in classes)])
    heading = ["task", "records", "one modality", "reports", "mean", "opinions", "values", "values and who was tested"]
    return _table("Ceilings, in closed form: the best AUROC with what is passed on", heading, rows)


def _of_view(found: Found, view: str, size: str) -> list[str]:
    same = {key: value for key, value in found.items() if key.record == "same"}
    tasks = _ordered(key.task for key in same)
    methods = _ordered(key.method for key in same)
    seeds = max(len(results) for results in found.values())
    about = f"{view}, {int(size[1:]):,} patients to learn from, {seeds} seed{'s' * (seeds != 1)}"
    lines: list[str] = []
    for measure, words in (("auroc", "AUROC"), ("log_loss", "log-loss, nats"), ("slope", "calibration slope")):
        lines += _table(
            f"{words}: {about}, tested on records of the same policy",
            ["method", *tasks],
            [
                [f"`{m}`", *(_cell(same, Key(t, view, m, size, "same"), "same", measure) for t in tasks)]
                for m in methods
            ],
        )
    lines += _distances(same, tasks, about)
    return (
        lines
        + _shifts(found, view, size, about)
        + _missing(found, view, size, about)
        + _left_out(found, view, size, about)
    )


def below_exact(results: Sequence[Mapping[str, Any]]) -> float | None:
    """Mean over seeds of how far the AUROC is below the exact score of what the method may pass on, on the same patients."""
    gaps = [
        of["exact"][known]["auroc"] - of["auroc"]
        for run in results
        if run["status"] == "ok" and (known := _EXACT.get(run["message"])) and "same" in run["tests"]
        for of in [run["tests"]["same"]]
        if known in of["exact"]
    ]
    return float(np.mean(gaps)) if gaps else None


def _distances(found: Found, tasks: Sequence[str], about: str) -> list[str]:
    by_method: dict[str, dict[str, str]] = {}
    for key, results in found.items():
        if not key.method.startswith("exact_") and (gap := below_exact(results)) is not None:
            by_method.setdefault(key.method, {})[key.task] = f"{gap:.3f}".replace("-0.000", "0.000")
    rows = [[f"`{method}`", *(of.get(task, NONE) for task in tasks)] for method, of in by_method.items()]
    title = f"AUROC below the exact score of what the method may pass on, on the same patients: {about}"
    return _table(title, ["method", *tasks], rows) if rows else []


def _shifts(found: Found, view: str, size: str, about: str) -> list[str]:
    lines: list[str] = []
    for task in _ordered(key.task for key in found):
        for record in _ordered(key.record for key in found if key.task == task):
            of = {key: value for key, value in found.items() if key.task == task and key.record == record}
            tests = _tests(task, of)
            if len(tests) > 1 and record in tests:
                rows = [[f"`{key.method}`", *(_cell(of, key, test, "auroc") for test in tests)] for key in of]
                lines += _table(f"AUROC: {task}, {about}, learnt from `{record}`, tested on", ["method", *tests], rows)
    return lines


def _missing(found: Found, view: str, size: str, about: str) -> list[str]:
    lines: list[str] = []
    lost = {key: value for key, value in found.items() if key.record.rstrip("0123456789") != key.record}
    for task in _ordered(key.task for key in lost):
        records = _ordered(key.record for key in lost if key.task == task)
        for test in _tests(task, {key: results for key, results in lost.items() if key.task == task}):
            rows = [
                [f"`{m}`", *(_cell(lost, Key(task, view, m, size, record), test, "auroc") for record in records)]
                for m in _ordered(key.method for key in lost if key.task == task)
            ]
            title = (
                f"AUROC: {task}, {about}, learnt from records with as much lost as the column says, tested on `{test}`"
            )
            lines += _table(title, ["method", *records], rows)
    return lines


def curves_of(found: Found) -> dict[tuple[str, str, str], dict[int, list[float]]]:
    """(task, view, method) -> patients learnt from -> AUROC of each seed, where the records and the test are of the policy `same`."""
    curves: dict[tuple[str, str, str], dict[int, list[float]]] = {}
    for key, results in found.items():
        reached = [float(r["tests"]["same"]["auroc"]) for r in results if r["status"] == "ok" and "same" in r["tests"]]
        if key.record == "same" and reached:
            curves.setdefault((key.task, key.view, key.method), {})[int(key.size[1:])] = reached
    return {name: dict(sorted(of.items())) for name, of in curves.items() if len(of) > 1}


def _curves(found: Found) -> list[str]:
    known = curves_of(found)
    sizes = sorted({size for of in known.values() for size in of})
    rows = [
        [task, view, f"`{method}`", *(_spread(of.get(size, [])) for size in sizes)]
        for (task, view, method), of in sorted(known.items())
    ]
    heading = ["task", "view", "method", *(f"{size:,}" for size in sizes)]
    title = "AUROC by patients learnt from: mean of the seeds, and in brackets the worst and the best of them"
    return _table(title, heading, rows) if rows else []


def _spread(reached: Sequence[float]) -> str:
    return f"{np.mean(reached):.3f} ({min(reached):.3f} to {max(reached):.3f})" if reached else NONE


def _left_out(found: Found, view: str, size: str, about: str) -> list[str]:
    """Records that hold something less, each beside those that hold it."""
    bare = {key: value for key, value in found.items() if _WITHOUT in key.record}
    rows = []
    for key in bare:
        before = key.record.partition(_WITHOUT)[0].rstrip("_") or "same"
        whole = Key(key.task, view, key.method, size, before)
        rows.append(
            [key.task, f"`{key.method}`", before, _cell(found, whole, "same", "auroc"), key.record, _cell(bare, key, "same", "auroc")]
        )  # fmt: skip
    heading = ["task", "method", "records", "AUROC", "records with less", "AUROC"]
    return _table(f"AUROC where something is in no record: {about}", heading, rows) if rows else []


def _benefit(found: Found) -> list[str]:
    rows = []
    for key, results in found.items():
        if (worth := mean_of(results, "same", "benefit_gbp")) is not None:
            sets = _ordered(r["tests"]["same"]["set"] for r in results if r["status"] == "ok")
            spent = mean_of(results, "same", "spent_gbp")
            rows.append(
                [key.task, key.record, f"`{key.method}`", key.size[1:], f"{worth:.0f}", f"{spent:.0f}", ", ".join(sets)]
            )
    heading = ["task", "records", "method", "learnt from", "benefit, £ a patient", "spent, £", "what is got"]
    return _table("Own acquisition: worth of right answers less what was spent", heading, rows) if rows else []


def _contrasts(compared: Sequence[Compared]) -> list[str]:
    rows = []
    for each in compared:
        of, between = each.contrast, each.difference
        digits = 1 if of.measure == "benefit_gbp" else 4
        told = f"{between.mean:+.{digits}f} ({between.low:+.{digits}f} to {between.high:+.{digits}f})"
        held = each.finding if each.finding == of.expect else f"**{each.finding}**"
        where = f"{of.task}, {of.view}, {of.record} → {of.test}"
        rows.append([where, of.measure, f"`{of.left}` less `{of.right}`", told, f"{each.p_holm:.3f}", of.expect, held])
    heading = ["where", "measure", "what", "difference (95%)", "p (Holm)", "expected", "found"]
    return _table("Contrasts that were written down before the runs", heading, rows) if rows else []


def _wrong(found: Found) -> list[str]:
    rows = []
    for key, results in found.items():
        for status in ("refused", "failed"):
            of = [result for result in results if result["status"] == status]
            if of:
                where = f"{key.task}, {key.view}, {key.size}, {key.record}"
                rows.append([where, f"`{key.method}`", f"{status}, {len(of)} of {len(results)}", str(of[0]["reason"])])
    return _table("Runs that were refused or failed", ["where", "method", "how many", "why"], rows) if rows else []


def _spent(found: Found) -> list[str]:
    rows = []
    for view, size, method in _ordered((key.view, key.size, key.method) for key in found):
        of = [r for key, rs in found.items() if (key.view, key.size, key.method) == (view, size, method) for r in rs]
        known = [r for r in of if r["cpu_s"] is not None]
        if known:
            numbers = sorted({r["fusion_parameters"] for r in known})
            fusing = f"{numbers[0]:,}" if len(numbers) == 1 else f"{numbers[0]:,} to {numbers[-1]:,}"
            cpu = float(np.mean([r["cpu_s"] for r in known]))
            rows.append([f"`{method}`", view, size[1:], known[0]["message"], fusing, f"{cpu:.1f}"])
    heading = ["method", "view", "learnt from", "message", "parameters that fuse", "CPU s a training"]
    return _table("What a training costs", heading, rows) if rows else []


def _cell(found: Found, key: Key, test: str, measure: str) -> str:
    results = found.get(key, [])
    value = mean_of(results, test, measure)
    if value is None:
        statuses = {result["status"] for result in results} - {"ok"}
        return "/".join(sorted(statuses)) or NONE
    return f"{value:.3f}" + "*" * any(result["status"] != "ok" for result in results)


def _table(title: str, heading: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    return [
        f"**{title}**",
        "",
        table_line(heading),
        "|" + "---|" * len(heading),
        *(table_line(row) for row in rows),
        "",
    ]


def _tests(task: str, found: Found) -> list[str]:
    """Whatever was tested on, the task's policies first."""
    there = {test for results in found.values() for result in results for test in result["tests"]}
    policies = TASKS[task].policies if task in TASKS else ()
    return [*(policy for policy in policies if policy in there), *sorted(there - set(policies))]


def _ordered(items: Any) -> list[Any]:
    return list(dict.fromkeys(items))


def write_tables(path: Path, lines: Sequence[str], marks: tuple[str, str] = TABLES) -> None:
    """Put the tables between the marks of a page, or make a page of them where there is none.

    Raises:
        FileFormatError: the page has no such marks; says which.
    """
    begin, end = marks
    text = "\n".join([begin, "", *lines, end])
    if path.is_file():
        page = path.read_text(encoding="utf-8")
        if page.count(begin) != 1 or page.count(end) != 1 or page.index(begin) > page.index(end):
            raise FileFormatError(
                f"{path}: expected the lines {begin} and {end}, each once, in this order; the tables go between"
            )
        text = page[: page.index(begin)] + text + page[page.index(end) + len(end) :]
    else:
        text += "\n"
    write_whole(path, text)
