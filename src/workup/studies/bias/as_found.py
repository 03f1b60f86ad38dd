"""The same phenomena as they are found in the library's scenarios, whatever their size or direction: reported, never asserted."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from workup.agents.baselines.suspicion import members
from workup.envs.model.codes import MISSING, NOT_ORDERED, RESULT
from workup.envs.records.cohorts import Cohort
from workup.errors import WorkupError
from workup.studies.bias.corrections import Checked, begg_greenes
from workup.studies.bias.measures import Estimate, auc, share, spread

Bools = NDArray[np.bool_]
POLICIES: Final = ("guideline", "voi", "junior", "senior", "random", "all")
"""Of which `junior` and `senior` are one planner who knows medicine less and better: what seniority does to records."""
STAGES: Final = {"bloods": ("bloods",), "imaging": ("imaging",), "invasive": ("invasive", "molecular")}
VERIFIED_BY: Final = {
    "weight_loss": (
        ("cxr", "no_suspicion", "ct_cap", "lung_cancer"),
        ("fit", "under_10", "colonoscopy", "colorectal_cancer"),
    )
}
"""By scenario: a test, its value that is no reason to go on, what verifies it, and of what."""
CLUES: Final = {
    "breathlessness": (("film_view", "heart_failure"), ("film_view", "lung_cancer")),
    "tumour_grade": (("staining", "any_invasive"), ("laboratory", "any_invasive"), ("laboratory", "significant")),
}
"""By scenario: a finding that says how a picture was made, and the group or condition it may give away."""
WITHHELD: Final = {"fever": ("potassium",)}
PAIRS: Final = {"weight_loss": (("rectal_bleeding", "dysphagia"),)}
"""Two findings that have little to do with each other among everybody."""


@dataclass(frozen=True)
class Found:
    """One number, as it was found."""

    scenario: str
    policy: str
    phenomenon: str
    what: str
    value: float
    low: float
    high: float
    """95%."""
    patients: int

    def as_json(self) -> dict[str, Any]:
        """As plain data."""
        return asdict(self)


def as_found(met: Cohort, group: str) -> list[Found]:
    """Everything that can be measured in a cohort of a library scenario; what cannot (nobody, one class alone) is left out.

    Args:
        met: the cohort.
        group: of conditions or one condition, whose patients are the ill.
    """
    ill = members(met.world, group)[met.condition]
    found: list[Found] = []
    for phenomenon, what, measure in _measures(met, ill):
        try:
            each = measure()
        except WorkupError:
            continue
        if math.isfinite(each.value):
            low, high = each.interval(1, 0.95)
            found.append(Found(met.world.scenario.id, met.policy, phenomenon, what, each.value, low, high, each.n))
    return found


def _measures(met: Cohort, ill: Bools) -> Iterator[tuple[str, str, Any]]:
    world = met.world
    ordered = met.status != NOT_ORDERED
    yield "prevalence", "ill, everyone", lambda: share(ill, "all")
    stages = {}
    for stage, tiers in STAGES.items():
        items = [i for i, tier in enumerate(world.tier) if tier in tiers]
        if items:
            stages[stage] = ordered[:, items].any(axis=1)
            yield "stages", f"with {stage}", lambda of=stages[stage]: share(of, "stages")
            yield "prevalence", f"ill, with {stage}", lambda of=stages[stage]: share(ill[of], "stages")
    tests = ordered[:, [i for i, tier in enumerate(world.tier) if tier not in ("history", "examination", "act")]]
    count = tests.sum(axis=1).astype(np.float64)
    yield "presence", "AUC of the number of tests", lambda: auc(count, ill, "count")
    yield from _ranges(met, stages)
    yield from _by_sex(met, stages)
    yield from _by_outcome(met, ill)
    yield from _spectra(met, stages)
    yield from _verifications(met)
    yield from _clues(met)
    yield from _pairs(met, stages)


def _ranges(met: Cohort, stages: dict[str, Bools]) -> Iterator[tuple[str, str, Any]]:
    """Spread of numeric findings from history and examination, among everybody and behind each stage."""
    model, opens = met.world.model, met.world.opens_journey
    for o, name in enumerate(model.observables):
        item = model.item_of[o]
        if item < 0 or not opens[item] or model.n_values[o] < 4:
            continue
        value = met.true_values[:, o].astype(np.float64)
        yield "range", f"SD of {name} (bands), everyone", lambda v=value: spread(v, "range")
        for stage, of in stages.items():
            yield "range", f"SD of {name} (bands), with {stage}", lambda v=value, s=of: spread(v[s], "range")


def _by_sex(met: Cohort, stages: dict[str, Bools]) -> Iterator[tuple[str, str, Any]]:
    model = met.world.model
    if "sex" in model.observables:
        o = model.observables.index("sex")
        for code, word in enumerate(model.network.variable("sex").values):
            for stage, of in stages.items():
                yield (
                    "test mix by sex",
                    f"with {stage}, {word}",
                    lambda s=of, c=code: share(s[met.values[:, o] == c], "sex"),
                )


def _by_outcome(met: Cohort, ill: Bools) -> Iterator[tuple[str, str, Any]]:
    """Records kept by how the journey ended, as a clinic's or a register's are: who is ill there, and what goes together."""
    for d, name in enumerate(met.world.decisions):
        of = met.decision == d
        yield "selection on outcome", f"ended with {name}", lambda o=of: share(o, "outcome")
        yield "selection on outcome", f"ill, ended with {name}", lambda o=of: share(ill[o], "outcome")
        for first, second, a, b in _paired(met):
            yield (
                "selection on outcome",
                f"log odds ratio of {first} and {second}, ended with {name}",
                lambda x=a, y=b, o=of: _log_odds_ratio(x[o], y[o]),
            )


def _spectra(met: Cohort, stages: dict[str, Bools]) -> Iterator[tuple[str, str, Any]]:
    """What a test would show, done in everybody: in all, and in those who came to each stage, who are ill and well in another mix."""
    world, model = met.world, met.world.model
    for test, unmoved, _, condition in VERIFIED_BY.get(world.scenario.id, ()):
        o = model.observables.index(test)
        positive = met.true_values[:, o] != model.network.variable(test).values.index(unmoved)
        ill = members(world, condition)[met.condition]
        for who, of in {
            "everyone": np.ones(len(ill), np.bool_),
            **{f"with {name}": of for name, of in stages.items()},
        }.items():
            name = f"{test} for {condition}, were it done in all"
            yield "spectrum", f"{name}: sensitivity, {who}", lambda p=positive, d=ill & of: share(p[d], "Se")
            yield "spectrum", f"{name}: specificity, {who}", lambda p=positive, d=~ill & of: share(~p[d], "Sp")


def _verifications(met: Cohort) -> Iterator[tuple[str, str, Any]]:
    world, model = met.world, met.world.model
    for test, unmoved, verifier, condition in VERIFIED_BY.get(world.scenario.id, ()):
        o = model.observables.index(test)
        code = model.network.variable(test).values.index(unmoved)
        tested = met.values[:, o] >= 0
        positive, ill = met.values[tested, o] != code, members(world, condition)[met.condition[tested]]
        seen = met.status[tested, world.items.index(verifier)] == RESULT
        name = f"{test} for {condition}"
        yield "partial verification", f"{name}: sensitivity, all tested", lambda p=positive, d=ill: share(p[d], "Se")
        yield "partial verification", f"{name}: specificity, all tested", lambda p=positive, d=ill: share(~p[~d], "Sp")
        for what, of in (("sensitivity", ill), ("specificity", ~ill)):
            hit = positive if what == "sensitivity" else ~positive
            yield (
                "partial verification",
                f"{name}: {what}, verified",
                lambda h=hit, d=of, v=seen: share(h[d & v], "verified"),
            )
            yield (
                "partial verification",
                f"{name}: {what}, Begg-Greenes",
                lambda w=what, p=positive, v=seen, d=ill: _corrected(Checked(p, v, d), w),
            )


@dataclass(frozen=True)
class _Mended(Estimate):
    """What a repair gives, with the repair's own 95% interval."""

    low: float
    high: float

    def interval(self, of: int = 1, level: float = 0.95) -> tuple[float, float]:
        return self.low, self.high


def _corrected(data: Checked, what: str) -> Estimate:
    found = begg_greenes(data)[what]
    return _Mended(found.value, (found.high - found.low) / 3.92, int(found.effective), found.low, found.high)


def _clues(met: Cohort) -> Iterator[tuple[str, str, Any]]:
    model, groups = met.world.model, (*met.world.scenario.groups, *met.world.model.conditions)
    for clue, group in CLUES.get(met.world.scenario.id, ()):
        if clue in model.observables and group in groups:
            o = model.observables.index(clue)
            there = met.values[:, o] >= 0
            ill = members(met.world, group)[met.condition[there]]
            score = met.values[there, o].astype(np.float64)
            yield "clue", f"AUC of {clue} for {group}", lambda s=score, d=ill: auc(s, d, "clue")
    for name in WITHHELD.get(met.world.scenario.id, ()):
        if name in model.observables:
            o = model.observables.index(name)
            taken = met.status[:, model.item_of[o]] == RESULT
            yield "withheld", f"{name} withheld", lambda of=o, t=taken: share(met.values[t, of] == MISSING, "withheld")
            high = met.true_values[:, o] == model.n_values[o] - 1
            kept = taken & (met.values[:, o] >= 0)
            yield "withheld", f"highest {name}, of those taken", lambda h=high, t=taken: share(h[t], "taken")
            yield "withheld", f"highest {name}, of those reported", lambda h=high, t=kept: share(h[t], "reported")


def _pairs(met: Cohort, stages: dict[str, Bools]) -> Iterator[tuple[str, str, Any]]:
    for first, second, a, b in _paired(met):
        yield "Berkson", f"log odds ratio of {first} and {second}, everyone", lambda x=a, y=b: _log_odds_ratio(x, y)
        for stage, of in stages.items():
            yield (
                "Berkson",
                f"log odds ratio of {first} and {second}, with {stage}",
                lambda x=a, y=b, s=of: _log_odds_ratio(x[s], y[s]),
            )


def _paired(met: Cohort) -> Iterator[tuple[str, str, Bools, Bools]]:
    for first, second in PAIRS.get(met.world.scenario.id, ()):
        a, b = (met.true_values[:, met.world.model.observables.index(name)] > 0 for name in (first, second))
        yield first, second, a, b


def _log_odds_ratio(a: Bools, b: Bools) -> Estimate:
    cells = [float((x & y).sum()) for x in (a, ~a) for y in (b, ~b)]
    if min(cells) < 5:
        raise WorkupError("fewer than five patients in a cell")
    value = math.log(cells[0] * cells[3] / (cells[1] * cells[2]))
    return Estimate(value, math.sqrt(sum(1.0 / n for n in cells)), len(a))
