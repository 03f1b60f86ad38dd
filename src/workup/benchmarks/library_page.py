"""docs/scenarios.md: the scenarios compared. What is counted comes from the scenarios; what is measured, from a bench."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from workup.scenarios.language.reading.signatures import standing_of
from workup.scenarios.language.schema import Scenario
from workup.scenarios.language.words.prose import shares
from workup.wording import CERTIFIED, plain

COMMAND = "workup bench library --out docs/scenarios.md"
_LEAD = re.compile(r"^(?:- )?\*\*(.+?)\.?\*\*", re.MULTILINE)
_NONE = "–"


def profile(scenario: Scenario, folder: Path) -> dict[str, Any]:
    """What is counted of a scenario, and the published figures that it has to reproduce.

    Args:
        scenario: as read.
        folder: where it stands, with its page `README.md`.
    """
    return {
        "title": scenario.title,
        "version": scenario.version,
        "standing": standing_of(scenario).words,
        "conditions": len(scenario.conditions),
        "tests": len(scenario.investigations),
        "acts": len(scenario.acts),
        "findings": len(scenario.findings),
        "decisions": len(scenario.decisions),
        "vignettes": len(scenario.vignettes),
        "figures": len(scenario.figures),
        "shares": dict(shares(scenario)),
        "mechanisms": mechanisms(scenario, folder),
        "targets": {name: _published(scenario, name) for name in scenario.targets},
        "sources": {name: source.cite for name, source in scenario.sources.items()},
    }


def mechanisms(scenario: Scenario, folder: Path) -> list[str]:
    """What a scenario shows, in the words of its page or, if that has no such section, of its `about`.

    From the page: what is in bold at the head of each paragraph or entry under the heading that speaks of mechanisms.
    From `about`: its questions, or else its last sentence.
    """
    page = folder / "README.md"
    text = page.read_text(encoding="utf-8") if page.is_file() else ""
    sections = re.split(r"^## ", text, flags=re.MULTILINE)[1:]
    section = next((each for each in sections if "mechanism" in each.partition("\n")[0].lower()), "")
    leads = [re.sub(r"\s*\[[^\]]*\]", "", lead) for lead in _LEAD.findall(section)]
    if leads:
        return leads
    sentences = re.findall(r"[^.?!]+[.?!]", " ".join(scenario.about.split()))
    questions = [sentence.strip() for sentence in sentences if sentence.endswith("?")]
    return questions or [sentence.strip().rstrip(".") for sentence in sentences[-1:]]


def _published(scenario: Scenario, name: str) -> dict[str, Any]:
    target = scenario.targets[name]
    (figure,) = (figure for figure in scenario.figures if f"targets.{name}.value" in (figure.path, *figure.copies))
    return {
        "measure": target.measure,
        "why": target.why,
        "value": target.value,
        "tolerance": target.tolerance,
        "status": figure.status,
        "source": figure.source,
        "note": figure.note,
    }


def page(found: Mapping[str, Any]) -> str:
    """The page, from what `bench_library` returns."""
    records: Mapping[str, Mapping[str, Any]] = found["scenarios"]
    parts = (
        _head(found),
        ["## What they are worth", "", *_worth(found, records)],
        ["## What each shows", "", *_shows(records)],
        ["## Size, trust and speed", "", *_sizes(found, records)],
        ["## What nobody can fail", "", *_protected(records)],
        ["## Published operating points", "", *_points(records)],
    )
    return "\n".join(line for part in parts for line in [*part, ""]).rstrip() + "\n"


def _head(found: Mapping[str, Any]) -> list[str]:
    measured = f" --patients {found['patients']} --seed {found['seed']}" if found["patients"] else ""
    measured += f" --unplanned {','.join(found['unplanned'])}" if found["unplanned"] else ""
    return [
        "# The scenarios compared",
        "",
        "**Drafts. Not reviewed by a clinician. Synthetic patients, for research and teaching; never for the care of a patient.**"
        if any("draft" in each["profile"]["standing"] for each in found["scenarios"].values())
        else "**Synthetic patients, for research and teaching; never for the care of a patient.**",
        "",
        "Written by a command, and only by it; the test suite compares what is counted here with the scenarios:",
        "",
        f"    {COMMAND}{measured}",
    ]


def _worth(found: Mapping[str, Any], records: Mapping[str, Mapping[str, Any]]) -> list[str]:
    header = (
        "scenario",
        "conditions",
        "tests",
        "seen",
        "no tests (V0)",
        "guideline",
        "best fixed order",
        "optimum's policy",
    )
    rows = [_worth_row(name, record) for name, record in records.items()]
    told = (
        f"The same {found['patients']:,} patients under every policy, seed {found['seed']}, pounds per patient, 95% intervals by "
        "bootstrap over patients; the decision is scored by its exact expectation and luck is taken off. "
        if found["patients"]
        else "Not measured yet. "
    )
    return [
        told
        + "*V0* is the best decision after history and examination. The *best fixed order* is tuned on other patients, the same "
        "tests for everyone with a stop that depends on the patient. *What a personalised order gains* is the optimum's policy minus the "
        f"best fixed order, patient by patient. The *optimum* itself is {CERTIFIED}, as an expectation given what the same patients tell and "
        "show at first, exactly or between two bounds; the policies are scored by the same expectation, what is left of luck being "
        "taken off by comparison with its plan. *Seen* is the share of figures that were read in a source.",
        "",
        *_table((*header, "what a personalised order gains", f"optimum, {CERTIFIED}"), rows),
    ]


def _worth_row(name: str, record: Mapping[str, Any]) -> list[str]:
    counted, worth = record["profile"], record.get("worth")
    cells = [
        _link(name, counted),
        str(counted["conditions"]),
        str(counted["tests"]),
        f"{counted['shares']['seen']:.0%}",
    ]
    if worth is None:
        return [*cells, *[_NONE] * 6]
    best, gain = worth["optimum"], worth["over_fixed"].get("optimum")
    bounds = f"unknown: {worth['refusal']}"
    if best is not None:
        exact, between = f"{best['lower']:,.0f}, exact", f"{best['lower']:,.0f} to {best['upper']:,.0f}"
        bounds = exact if best["exact"] else between
    return [
        *cells,
        f"{worth['v0']:,.0f}",
        _interval(worth["agents"]["guideline"]),
        _interval(worth["agents"]["fixed"]),
        _interval(worth["agents"]["optimum"]) if "optimum" in worth["agents"] else _NONE,
        _NONE if gain is None else _interval(gain, digits=1),
        bounds,
    ]


def _shows(records: Mapping[str, Mapping[str, Any]]) -> list[str]:
    return [
        f"- {_link(name, each['profile'])}: {'; '.join(each['profile']['mechanisms'])}"
        for name, each in records.items()
    ]


def _sizes(found: Mapping[str, Any], records: Mapping[str, Mapping[str, Any]]) -> list[str]:
    header = (
        "scenario",
        "version",
        "findings",
        "acts",
        "decisions",
        "vignettes",
        "figures",
        "seen",
        "recalled",
        "derived",
        "assumed",
    )
    rows = [[*size_row(name, each["profile"]), *_speed_cells(each.get("speed"))] for name, each in records.items()]
    return [
        "*Compiled* and *linted* are CPU seconds (the least of three; at most 2 are asked for). *Steps* is the rate of "
        f'{found["num_envs"]:,} environments under random legal actions per CPU second, relative to `gym.make("CartPole-v1")` in the '
        "same run (at least 40 are asked for).",
        "",
        *_table((*header, "compiled", "linted", "steps"), rows),
    ]


def size_row(name: str, counted: Mapping[str, Any]) -> list[str]:
    """What is counted of one scenario, as its row shows it."""
    sizes = ("findings", "acts", "decisions", "vignettes", "figures")
    shares_told = [f"{share:.1%}" for share in counted["shares"].values()]
    return [_link(name, counted), counted["version"], *(str(counted[size]) for size in sizes), *shares_told]


def _speed_cells(measured: Mapping[str, float] | None) -> list[str]:
    if measured is None:
        return [_NONE] * 3
    return [f"{measured['compile_s']:.2f} s", f"{measured['lint_s']:.2f} s", f"{measured['ratio']:.0f} ×"]


def _protected(records: Mapping[str, Mapping[str, Any]]) -> list[str]:
    lines = [
        "Every expectation of every vignette was put to the test: the guideline was altered to break it in each way there is, by legal "
        "actions alone, and `workup check` has to report that. Some ways are closed by the rules of the scenario. Where all are, no "
        "policy can fail the expectation: it says what the rules say, and nothing of a policy. These are listed, each with why.",
        "",
    ]
    for name, each in records.items():
        found = each["expectations"]
        told = f"- {_link(name, each['profile'])}: {found['caught']} ways caught, {len(found['closed'])} closed"
        if found["missed"]:
            told += f", **{len(found['missed'])} missed** ({'; '.join(found['missed'])})"
        lines += [told, *(f"  - {v['vignette']}, {v['expectation']}: {v['reason']}" for v in found["vacuous"])]
    return lines


def _points(records: Mapping[str, Mapping[str, Any]]) -> list[str]:
    lines = [
        "What the whole model has to reproduce, mechanisms of availability included, and what the compiled model gives. A tolerance is "
        "absolute for probabilities and relative for likelihood ratios. What is marked *assumed* was published nowhere: it is the authors' "
        "proposal, which the model keeps to.",
    ]
    for each in records.values():
        counted, given = each["profile"], each["model"]
        lines += ["", f"### {counted['title']}", ""]
        if not counted["targets"]:
            lines.append("None.")
            continue
        rows = [
            [*point_row(target, published), f"{given[target]:.3g}"] for target, published in counted["targets"].items()
        ]
        lines += _table(("target", "measure", "published", "tolerance", "status", "source", "model"), rows)
        cited = cited_sources(counted)
        lines += ["", *(f"- {source}: {counted['sources'][source]}" for source in cited)] if cited else []
    return lines


def point_row(name: str, published: Mapping[str, Any]) -> list[str]:
    """One published operating point, as its row shows it."""
    where = published["source"] or published["note"] or _NONE
    figures = [f"{published['value']:.3g}", f"{published['tolerance']:.3g}"]
    return [plain(name), plain(published["measure"]), *figures, published["status"], where]


def cited_sources(counted: Mapping[str, Any]) -> list[str]:
    """Sources of the operating points of one scenario, in the order of its list."""
    named = {each for point in counted["targets"].values() for each in (point["source"] or "").split(", ")}
    return [source for source in counted["sources"] if source in named]


def _link(name: str, counted: Mapping[str, Any]) -> str:
    return f"[{counted['title']}](../scenarios/{name}/README.md)"


def _interval(interval: Mapping[str, float | None], digits: int = 0) -> str:
    mean, low, high = (interval[key] for key in ("mean", "low", "high"))
    if mean is None or low is None or high is None:
        return _NONE
    return "{:,.{d}f} ({:,.{d}f} to {:,.{d}f})".format(*(round(x, digits) + 0.0 for x in (mean, low, high)), d=digits)


def _table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    return [table_line(header), "|" + "---|" * len(header), *(table_line(row) for row in rows)]


def table_line(cells: Iterable[str]) -> str:
    """A row of a Markdown table; bars and line breaks inside a cell do not end it."""
    return f"| {' | '.join(' '.join(cell.split()).replace('|', chr(92) + '|') for cell in cells)} |"
