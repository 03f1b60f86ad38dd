"""A sensitivity analysis in plain words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from workup.sensitivity.perturbation import Candidate
from workup.sensitivity.replanning import Replanned
from workup.sensitivity.study import Sensitivity, Settings
from workup.wording import listed, percent, pounds, time_in_words

_PLANNERS = {
    "optimum": "the optimum, exact or bounded as by `workup solve`",
    "quick": "the search for the optimum, stopped at a tenth of the gain",
    "one-step": "one step ahead",
}
_TIMES = frozenset({"turnaround", "median_time"})


def in_words(found: Sensitivity) -> Iterator[str]:
    """Line by line: how it was done, the figures that were planned anew, what was not looked at."""
    yield from _method(found)
    for number, (path, both) in enumerate(found.planned.items(), start=1):
        candidate = found.candidates[path]
        yield ""
        yield f"{number}. {stated(candidate)}"
        yield from (f"     {direction(candidate, one, found.settings)}: {effect(one)}" for one in both)
    yield ""
    yield from _left_out(found)


def stated(candidate: Candidate) -> str:
    """'Fever: “yes” with Pneumonia: 0.8 (recalled)'."""
    return f"{candidate.words}: {quantity(candidate, candidate.value)} ({candidate.status})"


def quantity(candidate: Candidate, value: float) -> str:
    """A value of the figure with its unit."""
    if candidate.unit in _TIMES:
        return time_in_words(value)
    if candidate.unit == "dose_msv":
        return f"{value:.3g} mSv"
    if "gbp" in candidate.unit:
        return pounds(value)
    return f"{value:.3g}{' QALY' * candidate.unit.endswith('qaly')}".replace("-", "−")


def direction(candidate: Candidate, one: Replanned, settings: Settings) -> str:
    """'odds doubled, 0.89', 'divided by 1.5, £80'."""
    up, factor = one.move.up, f"{settings.factor:g}"
    ways = {
        "chance": "odds doubled" if up else "odds halved",
        "row": "odds doubled" if up else "odds halved",
        "mean": f"{settings.factor - 1:g} standard deviations {'higher' if up else 'lower'}",
        "number": f"times {factor}" if up else f"divided by {factor}",
    }
    return f"{ways[candidate.kind]}, {quantity(candidate, one.move.value)}"


def effect(one: Replanned) -> str:
    """What the best policy does differently, and what not noticing costs."""
    if one.fault is not None:
        return f"could not be planned ({one.fault})"
    parts = []
    if one.changed > 0.0:
        most = "" if one.swap is None else f" (mostly {one.swap.after} instead of {one.swap.before})"
        share = percent(one.changed, 1 if one.changed < 0.02 else 0)
        parts.append(f"another first order in {share} of presentations{most}")
    if abs(one.lost_gbp) > 0.005:
        interval = f"{pounds(one.lost_low)} to {pounds(one.lost_high)}"
        parts.append(
            f"keeping to the old plan loses {pounds(one.lost_gbp)} ({interval}) a patient"
            if one.lost_low > 0.0
            else f"what keeping to the old plan loses cannot be told from nothing ({pounds(one.lost_gbp)}, {interval})"
        )
    if one.now_fails:
        parts.append(f"{_vignettes(one.now_fails)} then fail{'s' * (len(one.now_fails) == 1)}")
    if one.now_passes:
        parts.append(f"{_vignettes(one.now_passes)} then pass{'es' * (len(one.now_passes) == 1)}")
    if not parts:
        parts.append("no other first order, and nothing lost")
    if one.targets_missed:
        parts.append(f"the model then misses {listed(name.replace('_', ' ') for name in one.targets_missed)}")
    return "; ".join(parts)


def _vignettes(names: tuple[str, ...]) -> str:
    return f"vignette{'s' * (len(names) > 1)} {listed(f'“{name}”' for name in names)}"


def _method(found: Sensitivity) -> Iterator[str]:
    settings = found.settings
    seen = "assumed, recalled and derived" if settings.derived else "assumed and recalled"
    yield (
        f"{found.world.scenario.id}: {len(found.candidates)} {seen} figures, each moved down and up: odds of probabilities halved "
        f"and doubled (the rest of a row keeps its proportions), means by {settings.factor - 1:g} standard deviations, other numbers "
        f"divided and multiplied by {settings.factor:g}."
    )
    yield (
        f"Screened one step ahead at {found.situations} situations of {settings.patients} patients, seed {settings.seed}; the "
        f"{len(found.planned)} heaviest planned anew: {_PLANNERS[settings.planner]}; first orders at {found.presentations} "
        "presentations, losses in pounds a patient with 95% intervals over patients."
    )
    if settings.vignettes:
        failed = [name for name in found.world.scenario.vignettes if name not in found.passing]
        yield f"On the figures as they are, vignettes that fail: {listed(failed) or 'none'}."


def _left_out(found: Sensitivity) -> Iterator[str]:
    if left := found.left:
        most = max(one.lost_gbp for one in found.screened[left[0]])
        quiet = sum(all(one.lost_gbp == 0.0 for one in found.screened[path]) for path in left)
        yield (
            f"Screened but not planned anew: {len(left)} figures; one step ahead the heaviest of them loses {pounds(most)} a "
            f"patient, and {quiet} lose nothing. --top plans more of them."
        )
    faults = [one for both in found.screened.values() for one in both if one.fault is not None]
    if faults:
        yield f"Could not be looked at: {len(faults)} moves, such as {faults[0].move.path} ({faults[0].fault})"
    for reason, count in Counter(_reason(figure.reason) for figure in found.unmoved).most_common():
        yield f"Not moved: {count} figure{'s' * (count != 1)}: {reason}."
    yield "Figures that were seen in a source were not moved" + (
        "." if found.settings.derived else "; nor were derived ones."
    )


def _reason(reason: str) -> str:
    return reason.partition(", “")[0]
