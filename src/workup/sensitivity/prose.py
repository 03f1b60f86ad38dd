"""A sensitivity analysis in plain words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping

from workup.scenarios.language.backing import Backing
from workup.sensitivity.heaviest import HEAVIEST, Heavy, counted, size_of
from workup.sensitivity.perturbation import Candidate
from workup.sensitivity.replanning import Replanned
from workup.sensitivity.screening import Screened
from workup.sensitivity.study import Sensitivity, Settings
from workup.wording import listed, percent, pounds, time_in_words

_PLANNERS = {
    "optimum": "the optimum, exact or bounded as by `workup solve`",
    "quick": "the search for the optimum, stopped at a tenth of the gain",
    "one-step": "one step ahead",
}
_TIMES = frozenset({"turnaround", "median_time"})


BACKED: Mapping[Backing, str] = {
    "seen": "seen in a source",
    "computed": "computed from what was seen",
    "searched": "searched for in vain",
    "open": "not yet searched",
}


def in_words(found: Sensitivity, most: int = HEAVIEST) -> Iterator[str]:
    """Line by line: how it was done, the figures that were planned anew, those to look up first, what was not looked at.

    Args:
        found: the analysis.
        most: how many figures to look up are named; 0 for none.
    """
    yield from _method(found)
    for number, (path, both) in enumerate(found.planned.items(), start=1):
        candidate = found.candidates[path]
        yield ""
        yield f"{number}. {stated(candidate)}"
        yield from (f"     {direction(candidate, one, found.settings)}: {effect(one)}" for one in both)
    yield ""
    if most:
        yield from _to_look_up(found, most)
        yield ""
    yield from _left_out(found)


def _to_look_up(found: Sensitivity, most: int) -> Iterator[str]:
    heavy = found.heaviest(most)
    yield f"To look up first, the {len(heavy)} heaviest by the screen: {backed(each.backing for each in heavy)}."
    for number, each in enumerate(heavy, start=1):
        yield f"{number:>3}. {stated(each.candidate)}, {BACKED[each.backing]}: {weight(each, found.settings)}"
        yield f"     {each.figure.path}"


def backed(stands: Iterable[Backing]) -> str:
    """'2 computed from what was seen, 17 not yet searched'."""
    return listed(f"{n} {BACKED[each]}" for each, n in counted(stands).items() if n) or "none"


def weight(heavy: Heavy, settings: Settings) -> str:
    """'£12 a patient if it is smaller (odds halved, 0.4), £3 if larger (odds doubled, 0.7)'."""
    if heavy.effect_gbp < 0.005:  # what `pounds` shows as nothing
        moves = f"what the next step promises moves by {pounds(heavy.worse.stirred_gbp)} a patient"
        return f"no other order; {moves} ({direction(heavy.candidate, heavy.worse, settings)})"
    worse, other = (heavy.up, heavy.down) if heavy.worse.move.up else (heavy.down, heavy.up)
    told = (
        f"{pounds(one.lost_gbp)}{words} {size_of(one)} ({direction(heavy.candidate, one, settings)})"
        for one, words in ((worse, " a patient if it is"), (other, " if"))
    )
    return ", ".join(told)


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


def direction(candidate: Candidate, one: Replanned | Screened, settings: Settings) -> str:
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
    yield (
        f"{found.world.scenario.id}: {len(found.candidates)} figures that were not seen, each moved down and up: odds of "
        f"probabilities halved and doubled (the rest of a row keeps its proportions), means by {settings.factor - 1:g} standard deviations, other numbers "
        f"divided and multiplied by {settings.factor:g}."
    )
    met = f"{found.situations} situations of {settings.patients} patients, seed {settings.seed}"
    if not found.planned:
        yield f"Screened one step ahead at {met}; none was planned anew."
        return
    yield (
        f"Screened one step ahead at {met}; the {len(found.planned)} heaviest planned anew: {_PLANNERS[settings.planner]}; "
        f"first orders at {found.presentations} presentations, losses in pounds a patient with 95% intervals over patients."
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
        "." if found.settings.derived else "; derived ones were screened, and not planned anew."
    )


def _reason(reason: str) -> str:
    return reason.partition(", “")[0]
