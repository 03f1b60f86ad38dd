"""The whole of a sensitivity analysis: the screen of every figure, then the heaviest planned anew."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from workup.envs.model.population import Population
from workup.envs.model.world import World
from workup.errors import PlanningRefused, WorkupError
from workup.files import WorkingNotes, cache_folder
from workup.scenarios.language.authorship import Status
from workup.scenarios.language.reading.digest import digest
from workup.sensitivity.heaviest import HEAVIEST, Heavy, heaviest_figures
from workup.sensitivity.perturbation import FACTOR, ODDS, Candidate, Unmoved, candidates
from workup.sensitivity.replanning import PlannerName, Replanned, Replanner, replan
from workup.sensitivity.screening import Screen, Screened, heaviest, screen_all
from workup.version import __version__

FORMAT = "workup-sensitivity-2"
NOT_SEEN: tuple[Status, ...] = ("assumed", "recalled", "derived")
"""Whose figures are screened."""

Progress = Callable[[str, int, int], None]
"""Called with the stage ('screened' or 'planned anew'), how many are done and of how many."""


@dataclass(frozen=True)
class Settings:
    """What was asked for."""

    patients: int = 100
    seed: int = 0
    top: int = 10
    """Figures that are planned anew, or 0 to screen alone; with vignettes, as many again for these."""
    factor: float = FACTOR
    planner: PlannerName = "optimum"
    derived: bool = False
    """Whether derived figures are planned anew too."""
    vignettes: bool = False

    @property
    def statuses(self) -> tuple[Status, ...]:
        """Whose figures are planned anew."""
        return NOT_SEEN if self.derived else ("assumed", "recalled")


@dataclass(frozen=True, eq=False)
class Sensitivity:
    """What moving the figures of one scenario did."""

    world: World
    settings: Settings
    situations: int
    presentations: int
    """Different ones, among the sampled patients."""
    candidates: Mapping[str, Candidate]
    """By path, in the order of the file."""
    screened: Mapping[str, tuple[Screened, Screened]]
    """Path -> moved down, moved up."""
    planned: Mapping[str, tuple[Replanned, Replanned]]
    """Path -> moved down, moved up; heaviest first."""
    passing: tuple[str, ...]
    """Vignettes that the planner passes on the figures as they are."""
    unmoved: tuple[Unmoved, ...]

    @property
    def left(self) -> list[str]:
        """Paths that were screened but not planned anew, heaviest first by the screen."""
        worst = {path: max(one.lost_gbp for one in both) for path, both in self.screened.items()}
        return sorted((path for path in worst if path not in self.planned), key=lambda path: -worst[path])

    def heaviest(self, most: int = HEAVIEST) -> tuple[Heavy, ...]:
        """The figures that weigh most by the screen, with what stands behind them, heaviest first."""
        return heaviest_figures(self.world.scenario, self.candidates, self.screened, most)

    def as_json(self, most: int = HEAVIEST) -> dict[str, Any]:
        """Everything, for `--json`; `most`: of the heaviest figures."""
        scenario = self.world.scenario
        return {
            "scenario": scenario.id,
            "digest": scenario.digest,
            "preset": self.world.preset,
            "settings": {**asdict(self.settings), "odds": ODDS},
            "situations": self.situations,
            "presentations": self.presentations,
            "vignettes_passed": list(self.passing),
            "heaviest": [heavy.as_json() for heavy in self.heaviest(most)],
            "planned": [
                {**_figure(self.candidates[path]), "down": asdict(down), "up": asdict(up)}
                for path, (down, up) in self.planned.items()
            ],
            "screened": [
                {**_figure(self.candidates[path]), "down": asdict(down), "up": asdict(up)}
                for path, (down, up) in self.screened.items()
            ],
            "not_planned": self.left,
            "not_moved": [asdict(figure) for figure in self.unmoved],
            "not_moved_by_reason": dict(Counter(figure.reason for figure in self.unmoved)),
        }


def run_study(
    who: World | Population, settings: Settings, *, notes: WorkingNotes | None = None, progress: Progress | None = None
) -> Sensitivity:
    """Screen every figure, plan the heaviest anew.

    Args:
        who: a world, or its population.
        settings: what is asked for.
        notes: of an earlier run with the same settings; what is in them is not done again.
        progress: told how far it is.

    Raises:
        WorkupError: a factor that moves nothing, recorded patients, no vignettes where they are asked for.
        PlanningRefused: something the planner cannot treat.
    """
    population = Population.of(who)
    world = population.world
    _refuse(population, settings)
    notes = WorkingNotes(None) if notes is None else notes
    found, unmoved = candidates(world.scenario, NOT_SEEN, world.preset)
    vignettes = tuple(world.scenario.vignettes) if settings.vignettes else ()
    screen = Screen(world, patients=settings.patients, seed=settings.seed, vignettes=vignettes)
    done = 0

    def screened_one(count: int) -> None:
        nonlocal done
        done += count
        if progress is not None:
            progress("screened", done, len(found))

    screened = screen_all(world, found, screen, factor=settings.factor, notes=notes, progress=screened_one)
    by_path = {candidate.path: candidate for candidate in found}
    asked = {path: both for path, both in screened.items() if by_path[path].status in settings.statuses}
    chosen = [by_path[path] for path in heaviest(asked, settings.top, vignettes)]
    planned, passing = _plan(world, chosen, screen, settings, vignettes, notes, progress) if chosen else ({}, ())
    return Sensitivity(
        world=world,
        settings=settings,
        situations=len(screen.met.first),
        presentations=int(screen.met.first.sum()),
        candidates=by_path,
        screened=screened,
        planned=dict(sorted(planned.items(), key=lambda entry: _rank(entry[1]))),
        passing=passing,
        unmoved=unmoved,
    )


def notes_for(world: World, settings: Settings) -> Path:
    """Where the working notes of a study are kept: a file that belongs to these figures and settings alone.

    In `$XDG_CACHE_HOME/workup` (`~/.cache/workup`). Provenance counts: it says which figures are moved. The digest is taken of
    the figures as they are in this world, which may be a scenario that was changed after it was read.
    """
    figures = [(figure.path, figure.status) for figure in world.scenario.figures]
    weights = [float(weight) for weight in world.weights]
    facts = [FORMAT, __version__, digest(world.scenario), world.preset, weights, asdict(settings), figures]
    key = hashlib.sha256(json.dumps(facts).encode()).hexdigest()[:16]
    return cache_folder() / f"sensitivity-{world.scenario.id}-{key}.jsonl"


def _refuse(population: Population, settings: Settings) -> None:
    world = population.world
    if not 1.0 < settings.factor <= 10.0:
        raise WorkupError(f"the factor is {settings.factor:g}; expected a number above 1, at most 10, such as 1.5")
    if settings.top < 0:
        raise WorkupError(f"the number of figures to plan anew is {settings.top}; expected 0 or more")
    if not population.law_known:
        raise WorkupError(f"the figures of {world.scenario.id} are counts of recorded patients; there is none to move")
    if settings.vignettes and not world.scenario.vignettes:
        raise WorkupError(f"{world.scenario.id} has no vignettes; leave --vignettes out, or add some")


def _plan(
    world: World,
    chosen: list[Candidate],
    screen: Screen,
    settings: Settings,
    vignettes: tuple[str, ...],
    notes: WorkingNotes,
    progress: Progress | None,
) -> tuple[dict[str, tuple[Replanned, Replanned]], tuple[str, ...]]:
    try:
        replanner = Replanner(
            world,
            screen.met,
            planner=settings.planner,
            patients=settings.patients,
            seed=settings.seed,
            vignettes=vignettes,
        )
    except PlanningRefused as refusal:
        raise PlanningRefused(f"{refusal} `--planner one-step` plans without a search") from refusal
    planned = {}
    for number, candidate in enumerate(chosen, start=1):
        planned[candidate.path] = replan(world, candidate, replanner, factor=settings.factor, notes=notes)
        if progress is not None:
            progress("planned anew", number, len(chosen))
    return planned, replanner.passing


def _rank(both: tuple[Replanned, Replanned]) -> tuple[float, int, float]:
    """First what changes most first orders, then most vignettes, then what loses most."""
    vignettes = max(len(one.now_fails) + len(one.now_passes) for one in both)
    return -max(one.changed for one in both), -vignettes, -max(one.lost_gbp for one in both)


def _figure(candidate: Candidate) -> dict[str, Any]:
    return {
        "path": candidate.path,
        "words": candidate.words,
        "value": candidate.value,
        "status": candidate.status,
        "source": candidate.source,
        "note": candidate.note,
    }
