"""Own acquisition on scenarios of the library: methods that learn from complete records, beside somebody who knows the law.

`menus` says what can be got and what it costs, `optimal` what could be reached. Here a method is trained on patients of whom everything
on the menu is known, and then pays for what it sees of others.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from workup.agents.fusion.acquisition import lead, policy_of
from workup.agents.fusion.base import FusionError
from workup.agents.fusion.registry import fusion_of
from workup.agents.fusion.stepwise import Stepwise
from workup.agents.fusion.training import Fitted, fit
from workup.statistics import Interval
from workup.studies.fusion.acquisition import acquired
from workup.studies.fusion.data import FusionData
from workup.studies.fusion.evaluation import scored
from workup.studies.fusion.measures import measured, replicates, replicates_of_mean
from workup.studies.fusion.menus import Menu, menu_data, menu_of
from workup.studies.fusion.optimal import REFERENCES
from workup.studies.fusion.splits import stream

Floats = NDArray[np.float64]
METHODS: Final = ("late_poe", "concat", "concat_dropout", "attention", "sequential", "gradual", "personal")
PAIRS: Final = (
    ("personal", "gradual"), ("personal", "concat"), ("personal", "concat_dropout"), ("personal", "fixed"), ("personal", "optimum"),
)  # fmt: skip
"""Whose difference the page tells."""
_WORDS: Final = {
    "nothing": "buys nothing", "everything": "buys everything", "fixed": "best set for everybody", "myopic": "one step ahead",
    "optimum": "optimum",
}  # fmt: skip
_RESAMPLES = 10_000


def acquired_on(
    scenario: str | Menu, method: str, *, patients: int = 2_000, seed: int = 0, test_patients: int = 4_000
) -> dict[str, Any]:
    """Train a method on complete records of a menu, and let it choose what to get for others.

    A method that chooses goes its own way with each patient; any other gets the set that was worth most on validation patients.

    Args:
        scenario: a name of `MENUS`, or a menu.
        method: a name of `FUSIONS`.
        patients: to learn from; a quarter as many more, 100 at least, to stop by and to choose the set by.
        seed: of weights and patients.
        test_patients: on whom it is measured.

    Returns:
        Plain data, like one run of `evaluation.evaluate`: scenario, method, patients, seed, status (ok, or refused with the reason), message,
        parameters, cpu_s, and `tests`, whose `same` has the measures where everything was bought, benefit_gbp, spent_gbp, set, `bought`
        (modality -> share of patients), `accuracy_bought` and `replicates`.

    Raises:
        UnknownNameError: no such menu or method.
    """
    menu = menu_of(scenario)
    sizes = (("train", patients), ("validation", max(patients // 4, 100)), ("test", test_patients))
    train, validation, test = (_data(menu.scenario, split, n, seed, _Same(menu)) for split, n in sizes)
    about: dict[str, Any] = {
        "scenario": menu.scenario, "method": method, "patients": patients, "seed": seed, "status": "ok", "reason": None, "tests": {},
    }  # fmt: skip
    rows, build = train.rows, fusion_of(method)
    try:
        fitted = fit(
            build, train.spec, rows.inputs, rows.present, rows.order, None, rows.label, seed=seed, validation=validation.rows,
            shared=_shared(menu.scenario, patients, seed, _Same(menu)), method=method,
        )  # fmt: skip
        tests = {"same": _tested(fitted, validation, test, seed)}
    except FusionError as error:
        return about | {"status": "refused", "reason": str(error)}
    return about | {
        "message": fitted.fusion.message, "parameters": fitted.parameters, "cpu_s": fitted.cpu_s, "tests": tests,
    }  # fmt: skip


def markdown(runs: Sequence[Mapping[str, Any]], references: Sequence[Mapping[str, Any]]) -> list[str]:
    """Lines of a table for each scenario: what each method and each reference reached, and the paired differences.

    Args:
        runs: of `acquired_on`, any scenarios, methods, numbers of patients and seeds.
        references: of `exact_on`, with the seeds of the runs.
    """
    lines: list[str] = []
    for scenario in dict.fromkeys(run["scenario"] for run in runs):
        own = [run for run in runs if run["scenario"] == scenario and run["status"] == "ok"]
        exact = [row for row in references if row["scenario"] == scenario]
        lines += [
            f"**{scenario}**", "",
            "| who | learnt from | runs | benefit, £ a patient | spent, £ | right | what is got, share of patients |", "|---|---|---|---|---|---|---|",
        ]  # fmt: skip
        for name in REFERENCES:
            found = {row["seed"]: row["references"][name] for row in exact}
            lines.append(_line(f"knows the law: {_WORDS[name]}", "–", found, "accuracy"))
        sizes = sorted({run["patients"] for run in own})
        for size in sizes:
            for name in dict.fromkeys(run["method"] for run in own):
                if found := tests_of(own, name, size):
                    lines.append(_line(f"`{name}`", f"{size:,}", found, "accuracy_bought"))
        lines += ["", "| difference | learnt from | £ a patient |", "|---|---|---|"]
        for size in sizes:
            for left, right in PAIRS:
                other = (
                    {row["seed"]: row["references"][right] for row in exact}
                    if right in REFERENCES
                    else tests_of(own, right, size)
                )
                if gap := difference(tests_of(own, left, size), other):
                    words = f"`{left}` − " + (
                        f"who knows the law: {_WORDS[right]}" if right in REFERENCES else f"`{right}`"
                    )
                    lines.append(f"| {words} | {size:,} | {_pounds(gap)} |")
        lines.append("")
    return lines


def tests_of(runs: Iterable[Mapping[str, Any]], method: str, patients: int) -> dict[int, Mapping[str, Any]]:
    """Seed -> what the test of a method showed that learnt from so many."""
    return {
        run["seed"]: run["tests"]["same"] for run in runs if run["method"] == method and run["patients"] == patients
    }


def benefit(found: Mapping[int, Mapping[str, Any]]) -> Interval:
    """Mean benefit over seeds, with a 95% interval over seeds and patients, which is too narrow for few seeds; seed -> a test."""
    return _over_seeds({seed: np.array(test["replicates"]["benefit_gbp"]) for seed, test in found.items()},
                       {seed: float(test["benefit_gbp"]) for seed, test in found.items()})  # fmt: skip


def difference(left: Mapping[int, Mapping[str, Any]], right: Mapping[int, Mapping[str, Any]]) -> Interval | None:
    """The mean benefit of the one less that of the other, on the same patients; None where they share no seed."""
    both = sorted(set(left) & set(right))
    if not both:
        return None
    made = {
        seed: np.subtract(left[seed]["replicates"]["benefit_gbp"], right[seed]["replicates"]["benefit_gbp"])
        for seed in both
    }
    return _over_seeds(made, {seed: left[seed]["benefit_gbp"] - right[seed]["benefit_gbp"] for seed in both})


def _over_seeds(resampled: Mapping[int, Floats], found: Mapping[int, float]) -> Interval:
    """Seeds drawn with replacement, and of each a resampling of its patients."""
    seeds, matrix = len(found), np.stack(list(resampled.values()))
    rng = stream("library", seeds)
    which = rng.integers(0, seeds, (_RESAMPLES, seeds))
    means = matrix[which, rng.integers(0, matrix.shape[1], which.shape)].mean(axis=1)
    low, high = np.quantile(means, (0.025, 0.975))
    return Interval(float(np.mean(list(found.values()))), float(low), float(high))


def _tested(fitted: Fitted, validation: FusionData, test: FusionData, seed: int) -> dict[str, Any]:
    sample, score, label = f"{test.spec.name} same {seed}", scored(fitted, test), test.rows.label.numpy()
    got = acquired(fitted, validation, test)
    priced = [name for name, cost in zip(test.spec.modalities, test.spec.prices(), strict=True) if cost > 0]
    return {
        **measured(score, label),
        **got.as_json(),
        "accuracy_bought": float(((got.benefit_gbp + got.spent_gbp) > test.spec.right_gbp / 2).mean()),
        "bought": dict(zip(priced, _bought(fitted, test, got.chosen, priced), strict=True)),
        "replicates": {
            **replicates(score, label, sample=sample),
            "benefit_gbp": replicates_of_mean(got.benefit_gbp, sample=sample),
        },
    }


def _bought(fitted: Fitted, test: FusionData, chosen: str, priced: Sequence[str]) -> list[float]:
    if not isinstance(fitted.fusion, Stepwise):
        return [float(name in chosen.split("+")) for name in priced]
    rows = test.rows
    present = lead(policy_of(fitted), fitted, rows.inputs, rows.present.numpy()).present
    return [float(present[:, test.spec.modalities.index(name)].mean()) for name in priced]


def _line(who: str, size: str, found: Mapping[int, Mapping[str, Any]], right: str) -> str:
    tests = list(found.values())
    if not tests:
        return f"| {who} | {size} | 0 | – | – | – | – |"
    bought = {name: float(np.mean([test["bought"][name] for test in tests])) for name in tests[0]["bought"]}
    shares = ", ".join(f"{name} {share:.2f}" for name, share in bought.items() if share >= 0.005) or "nothing"
    spent, accuracy = (float(np.mean([test[key] for test in tests])) for key in ("spent_gbp", right))
    return f"| {who} | {size} | {len(tests)} | {_pounds(benefit(found))} | {spent:.0f} | {accuracy:.3f} | {shares} |"


def _pounds(interval: Interval) -> str:
    return f"{interval.mean:.0f} [{interval.low:.0f}, {interval.high:.0f}]"


class _Same:
    """Holds a menu in a cache's key, which goes by its name and by what it is."""

    def __init__(self, menu: Menu) -> None:
        self.menu = menu

    def __hash__(self) -> int:
        return hash(self.menu.scenario)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and self.menu == other.menu


@lru_cache(maxsize=6)
def _data(scenario: str, split: str, patients: int, seed: int, of: _Same) -> FusionData:
    return menu_data(of.menu, split, patients, seed=seed)


@lru_cache(maxsize=2)
def _shared(scenario: str, patients: int, seed: int, of: _Same) -> dict[str, Any]:
    """Members trained in this process for methods that learn from the same patients."""
    return {}
