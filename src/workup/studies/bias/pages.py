"""The result of the demonstration in words and tables; the first row of a table is its headings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from workup.studies.bias.demonstration import ALL

Rows = list[tuple[str, ...]]


def databases(found: Mapping[str, Any]) -> Rows:
    """What is in the databases, a column a slope."""
    both = found["databases"]
    rows: Rows = [("the database", *(f"slope {each['slope']:g}" for each in both))]
    for name, words in (
        ("in_database", "of all patients, in the database"),
        ("testable", "of all patients, whom the rules allow the film"),
        ("ill", "ill, of all"),
        ("ill_of_testable", "ill, of those allowed the film"),
        ("ill_in_database", "ill, in the database"),
        ("young_of_ill", "young, of all who are ill"),
        ("young_of_ill_in_database", "young, of the ill in the database"),
        ("weighted_ill_known", "ill, weighted by the known chance"),
        ("weighted_ill_estimated", "ill, weighted by the estimated chance"),
    ):
        rows.append((words, *(percent(each[name]) for each in both)))
    rows.append(("AUC of being in the database", *(plain(each["auc_of_presence"]) for each in both)))
    rows.append(("patients in it, mean of the seeds", *(f"{_mean(each['sizes']):,.0f}" for each in both)))
    for name in ("known", "estimated"):
        rows.append((f"effective size, {name} weights", *(_range(each[f"effective_size_{name}"]) for each in both)))
        rows.append((f"largest weight, {name}", *(_range(each[f"largest_weight_{name}"]) for each in both)))
    return rows


def models(found: Mapping[str, Any], who: str = ALL) -> Rows:
    """Every model on all patients of a kind, or on a group of them."""
    rows: Rows = [
        (
            "slope",
            "features",
            "model",
            "learnt from",
            "tested on",
            "AUC",
            "O/E",
            "expects",
            "slope of calibration",
            "net benefit",
        )
    ]
    for row in found["models"]:
        if row["who"] != who:
            continue
        head = (f"{row['slope']:g}", row["features"], row["model"], row["trained"], row["tested"])
        measured = row["measured"]
        if measured is None:
            rows.append((*head, f"{row['ill']} ill: too few", "", "", "", ""))
            continue
        ratio = measured["observed_over_expected"]
        told = (plain(measured["auc"]), plain(ratio, 2), ratio["expects"], plain(measured.get("calibration_slope"), 2))
        rows.append((*head, *told, plain(measured["net_benefit"], 1)))
    return rows


def groups(found: Mapping[str, Any], *, slope: float, features: str, tested: str = "testable") -> Rows:
    """Observed/expected of the logistic models in each group, a column a training."""
    wanted = [
        row for row in found["models"]
        if (row["slope"], row["features"], row["model"], row["tested"]) == (slope, features, "logistic", tested)
    ]  # fmt: skip
    trained = list(dict.fromkeys(row["trained"] for row in wanted))
    rows: Rows = [("who", "ill", *trained)]
    for who in dict.fromkeys(row["who"] for row in wanted):
        of = {row["trained"]: row for row in wanted if row["who"] == who}
        cells = [
            "too few" if of[name]["measured"] is None else plain(of[name]["measured"]["observed_over_expected"], 2)
            for name in trained
        ]
        rows.append((who, str(of[trained[0]]["ill"]), *cells))
    return rows


def loop(found: Mapping[str, Any]) -> Rows:
    """A row for each generation of each way to run it."""
    rows: Rows = [
        (
            "loop",
            "generation",
            "tested",
            "effective",
            "found",
            "found, bloods normal",
            "O/E",
            "expects",
            "AUC",
            "net benefit",
        )
    ]
    for arm, told in found["loop"]["arms"].items():
        for each in told["generations"]:
            whole = each["all"]
            ratio = whole["observed_over_expected"]
            sizes = (f"{each['tested']['value']:,.0f}", f"{each['effective']['value']:,.0f}")
            shares = (percent(each["found"]), percent(each["found_normal"]))
            quality = (plain(ratio, 2), ratio["expects"], plain(whole["auc"]), plain(whole["net_benefit"], 1))
            rows.append((arm, str(each["generation"]), *sizes, *shares, *quality))
    return rows


def markdown(found: Mapping[str, Any]) -> str:
    """All tables as a page."""
    parts = [
        f"# What a model learns from a database that suspicion filled: {found['scenario']}",
        f"{found['seeds']} seeds of {found['patients']:,} patients to learn from and as many to be tested on; policies "
        f"{' and '.join(f'`{policy}`' for policy in found['policies'])}; digest {found['digest']}, workup {found['workup']}. Net benefit "
        f"for 1,000 patients at {found['threshold']:.0%}: {found['threshold_of']}.",
        found["intervals"],
        *(_table(rows) for rows in (databases(found), models(found))),
    ]
    for slope in (each["slope"] for each in found["databases"]):
        for features, words in found["features"].items():
            parts += [
                f"Observed/expected by group, slope {slope:g}, {words}:",
                _table(groups(found, slope=slope, features=features)),
            ]
    return "\n\n".join([*parts, _table(loop(found))]) + "\n"


def plain(told: Mapping[str, Any] | None, digits: int = 3) -> str:
    """A figure with the wider of its intervals."""
    if told is None:
        return ""
    low, high = _wider(told)
    return f"{told['value']:.{digits}f} ({low:.{digits}f} to {high:.{digits}f})"


def percent(told: Mapping[str, Any]) -> str:
    """The same of a share."""
    low, high = _wider(told)
    return f"{told['value']:.1%} ({low:.1%} to {high:.1%})"


def _wider(told: Mapping[str, Any]) -> tuple[float, float]:
    known = [each for each in (told["seeds"], told["patients"]) if each is not None]
    low, high = max(known, key=lambda each: each[1] - each[0]) if known else (told["value"], told["value"])
    return low, high


def _table(rows: Rows) -> str:
    head, *rest = ("| " + " | ".join(row) + " |" for row in rows)
    return "\n".join([head, "|" + "---|" * len(rows[0]), *rest])


def _mean(values: list[float]) -> float:
    return sum(values) / len(values)


def _range(values: list[float]) -> str:
    return f"{_mean(values):,.0f} ({min(values):,.0f} to {max(values):,.0f})"
