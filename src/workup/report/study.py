"""A study in one call: agents on the same patients and on the vignettes, and the page that tells of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any

from workup.agents.base import Agent
from workup.envs.model.population import Population
from workup.envs.model.world import World
from workup.envs.records.journeys import Journeys
from workup.errors import WorkupError
from workup.evaluation.policies import Comparison, compare
from workup.evaluation.rates import NetBenefit, net_benefit
from workup.report.inputs import LearningCurve, ReportInputs
from workup.report.write import write_page
from workup.vignettes.check import judge_vignettes, run_vignettes

PATIENTS = 300

Progress = Callable[[str, float | None], None]
"""Called with what is being done and the share of it that is done, 0 to 1; None: one more of an unknown number."""


def write_report(
    scenario: str | Path | World | Population,
    policies: Mapping[str, Any] | Sequence[Any] | Any,
    path: str | Path,
    *,
    patients: int = PATIENTS,
    seed: int = 0,
    optimum: bool = False,
    gbp_per_qaly: float | None = None,
    perspective: str | None = None,
    command: str = "",
    progress: Progress | None = None,
) -> Path:
    """Compare policies on the same patients and on the scenario's vignettes, and write one self-contained HTML page about it.

    Args:
        scenario: an id, a path, a compiled world or a population.
        policies: as those of `evaluate`: names of agents, saved directories, agents, functions or models.
        path: the HTML file; an older page stays whole until the new one is complete.
        patients: the first so many of the seed; of recorded patients, at most all.
        seed: of the patients, of the draws of each vignette, and of agents that draw random numbers.
        optimum: also what was possible, with certified bounds; minutes on some scenarios.
        gbp_per_qaly: pounds that a QALY counts, as in `evaluate`.
        perspective: as in `evaluate`.
        command: how to make the page again, said on it; by default this call.
        progress: called as the work goes on.

    Returns:
        Where the page is.

    Raises:
        WorkupError: as `evaluate`.

    Examples:
        >>> import workup
        >>> workup.write_report("tutorial", ["none", "voi"], "report.html", patients=50).name
        'report.html'
    """
    found = compare(
        scenario, policies, patients=patients, seed=seed, optimum=optimum, gbp_per_qaly=gbp_per_qaly, perspective=perspective,
        record=True, progress=progress,
    )  # fmt: skip
    made_by = command or f"workup.write_report({found.world.scenario.id!r}, {list(found.agents)}, {str(path)!r}, ...)"
    return write_page(study(found, seed=seed, command=made_by, progress=progress), Path(path))


def study(
    found: Comparison,
    *,
    seed: int,
    command: str,
    checked: Sequence[str] | None = None,
    learning_curves: Sequence[LearningCurve] = (),
    progress: Progress | None = None,
) -> ReportInputs:
    """What the page is made of: a comparison whose journeys were recorded, and the vignettes.

    Args:
        found: agents on the same patients.
        seed: of the draws of each vignette.
        command: how to make the page again.
        checked: agents that take the vignettes; all by default.
        learning_curves: of the agents that were trained for it.
        progress: called as the work goes on.
    """
    agents = {name: found.agents[name] for name in (found.agents if checked is None else checked)}
    vignettes = _vignettes(found.world, agents, seed, progress)
    found.keeper.save()
    lines, no_lines = _net_benefit(found)
    return ReportInputs(
        scenario=found.world.scenario,
        command=command,
        seeds={
            **({"training": learning_curves[0].seed} if learning_curves else {}),
            "patients": seed,
            "vignettes": seed,
        },
        evaluation=found.evaluation,
        checks=tuple(replace(judge_vignettes(each), agent=name) for name, each in vignettes.items()),
        vignette_journeys=vignettes,
        policy_journeys=found.journeys,
        learning_curves=tuple(learning_curves),
        net_benefit=lines,
        no_net_benefit=no_lines,
    )


def _net_benefit(found: Comparison) -> tuple[NetBenefit | None, str]:
    """Lines over rates, or why there are none."""
    if any(not each.law_known for each in found.journeys.values()):
        return None, "the patients are recorded ones"
    try:
        return net_benefit(found.journeys, found.evaluation), ""
    except WorkupError as reason:
        return None, str(reason)


def _vignettes(
    world: World, agents: Mapping[str, Agent], seed: int, progress: Progress | None
) -> dict[str, dict[str, Journeys]]:
    done, total = count(1), len(agents) * len(world.scenario.vignettes)

    def one_more(_: str) -> None:
        if progress is not None:
            progress("vignettes", next(done) / total)

    return {name: run_vignettes(world, agent, seed=seed, progress=one_more) for name, agent in agents.items() if total}
