"""Every scenario's guideline against deciding at once, split into tests, endings and heaviest rules."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from workup.benchmarks.library_page import table_line
from workup.envs.compile.compile import compile_world
from workup.evaluation.guideline import GuidelineSplit, split_guideline
from workup.scenarios.language.library import load_scenario, shipped_scenarios
from workup.statistics import Interval
from workup.wording import pounds

HEAVIEST = 3
_HEADER = ("scenario", "guideline − V0", "guideline − V0 open", "of which tests", "of which endings", "heaviest rules")


def bench_guideline(
    names: Sequence[str] = (),
    *,
    patients: int = 2000,
    seed: int = 0,
    progress: Callable[[str], None] = lambda _: None,
) -> list[GuidelineSplit]:
    """Split what guidelines gain.

    Args:
        names: scenarios, by id or path; all that come with workup and have guideline rules if empty.
        patients: the first so many of the seed.
        seed: of the patients.
        progress: called with the name of each scenario when it is done.

    Raises:
        WorkupError: a named scenario without guideline rules.
    """
    found = []
    for name in names or shipped_scenarios():
        scenario = load_scenario(name)
        if names or scenario.guideline:
            found.append(split_guideline(compile_world(scenario), patients=patients, seed=seed))
        progress(name)
    return found


def markdown(splits: Sequence[GuidelineSplit]) -> list[str]:
    """Lines of a Markdown table, a row a scenario."""
    return [table_line(_HEADER), "|" + "---|" * len(_HEADER), *(table_line(_row(each)) for each in splits)]


def _row(split: GuidelineSplit) -> list[str]:
    means = (split.minus_v0, split.minus_v0_open, split.tests, split.endings)
    heaviest = [each for each in split.rules if each.loss_of_all >= 0.005][:HEAVIEST]
    told = "; ".join(
        f"{each.number} ({each.decision}): {pounds(-each.loss_of_all)} ({each.patients:,} patients, "
        f"{pounds(-each.loss.mean)} each)"
        for each in heaviest
    )
    return [split.scenario, *map(_spread, means), told or "none loses"]


def _spread(interval: Interval) -> str:
    return f"{pounds(interval.mean)} ({pounds(interval.low)} to {pounds(interval.high)})"
